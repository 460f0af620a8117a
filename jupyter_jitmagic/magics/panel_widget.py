"""`jm.panel()`: the panel as a widget, where there is no JupyterLab."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jupyter_jitmagic.base.errors import MissingPackageError, OptionError
from jupyter_jitmagic.records.log import log

if TYPE_CHECKING:
    from jupyter_jitmagic.live.widget import PanelWidget

NEEDS = 'jm.panel() needs anywidget, which is not installed here: %pip install "jupyter-jitmagic[widget]"'

_widget: Any = None
"""The one of this process: its code is sent to the front end once, however often it is shown."""


def panel(height: int = 520) -> PanelWidget:
    """The panel of JupyterLab as a widget, for VS Code, Colab, marimo and wherever there is no sidebar.

    It shows the jit caches of this kernel, live, below the cell. Where it cannot be shown (a notebook on a web page, one that
    was converted) a table of what was recorded when the cell ran stands in its place.

    Args:
        height: of the panel, in pixels.

    Raises:
        MissingPackageError: `anywidget` is not installed.
        OptionError: a height that makes no sense.

    Example:
        >>> import jupyter_jitmagic as jm
        >>> jm.panel()
    """
    global _widget
    if not isinstance(height, int) or isinstance(height, bool) or height < 120:
        raise OptionError(f"height={height!r}: give a whole number of pixels, 120 or more")
    try:
        from jupyter_jitmagic.live.widget import PanelWidget
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("anywidget", "ipywidgets", "traitlets"):
            raise
        raise MissingPackageError(NEEDS) from None
    from jupyter_jitmagic.live import comms

    if (shell := _shell()) is not None:
        shell.extension_manager.load_extension("jupyter_jitmagic")  # once is enough
    hub = comms.for_widgets({"cures": _cures})
    if _widget is None or _widget.comm is None or _widget.hub is not hub:  # closed, or the extension was loaded anew
        if shell is None and _widget is None:
            log.shells += 1  # the widget tells what a shell would
        _widget = PanelWidget(hub, _picture, height)
    _widget.height = height
    widget: PanelWidget = _widget
    return widget


def _shell() -> Any:
    """IPython's shell; None in a notebook that is not Jupyter's."""
    core = sys.modules.get("IPython.core.getipython")
    return core.get_ipython() if core is not None else None


def _cures(args: Mapping[str, object]) -> dict[str, object]:
    from jupyter_jitmagic.magics.miss_advice import for_panel

    return for_panel(None, args)


def _picture() -> dict[str, str]:
    """What was recorded up to now, as a table."""
    from jupyter_jitmagic import tables
    from jupyter_jitmagic.display import Shown
    from jupyter_jitmagic.magics import stats_magic

    return Shown(stats_magic.document(_shell(), "functions", tables.stats("functions"))).bundle()
