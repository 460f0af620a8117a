"""`jm.panel()`: the panel as a widget, where there is no JupyterLab."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jupyter_jitmagic.base.errors import MissingPackageError, OptionError
from jupyter_jitmagic.records.log import log

if TYPE_CHECKING:
    from jupyter_jitmagic.live.widget import PanelWidget
    from jupyter_jitmagic.processes.opened import Opened

NEEDS = 'jm.panel() needs anywidget, which is not installed here: %pip install "jupyter-jitmagic[widget]"'

_widget: Any = None
"""The one of this process: its code is sent to the front end once, however often it is shown."""


def panel(height: int = 520, *, folder: str | os.PathLike[str] | Opened | None = None) -> PanelWidget:
    """The panel of JupyterLab as a widget, for VS Code, Colab, marimo and wherever there is no sidebar.

    It shows the jit caches of this kernel, live, below the cell. Where it cannot be shown (a notebook on a web page, one that
    was converted) a table of what was recorded when the cell ran stands in its place.

    Args:
        height: of the panel, in pixels.
        folder: shows what other processes have recorded there (`jm.record_to`, or what `jm.open` made of it), as it is now, in
            place of this kernel's.

    Raises:
        MissingPackageError: `anywidget` is not installed.
        OptionError: a height that makes no sense, or a folder that cannot be opened.

    Example:
        >>> import jupyter_jitmagic as jm
        >>> jm.panel()
        >>> jm.panel(folder="runs")
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
    if folder is not None:
        return _of_folder(PanelWidget, folder, height)
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


def _of_folder(widget: type[PanelWidget], folder: Any, height: int) -> PanelWidget:
    """A widget of its own, whose rows are a folder's."""
    from jupyter_jitmagic.live.comms import Hub
    from jupyter_jitmagic.live.question_answers import QUERIES
    from jupyter_jitmagic.processes.as_log import as_log
    from jupyter_jitmagic.processes.opened import Opened, open_folder

    opened = folder if isinstance(folder, Opened) else open_folder(folder)
    rows = as_log(opened)
    hub = Hub(rows, dict.fromkeys(QUERIES, _refused) | {"here": lambda args: {}})
    hub.begin()
    return widget(hub, lambda: _picture_of(opened), height)


def _refused(args: Mapping[str, object]) -> dict[str, object]:
    raise OptionError("this was recorded by another process: what its tables do not hold is known only there")


def _picture_of(opened: Opened) -> dict[str, str]:
    from jupyter_jitmagic.display import Shown
    from jupyter_jitmagic.magics import many_processes

    found = many_processes.document(
        "functions", opened.stats("functions"), opened.stats("misses"), opened.notes, ("run", "process")
    )
    return Shown(found).bundle()


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
