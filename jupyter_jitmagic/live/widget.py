"""The panel as a widget, for front ends that are not JupyterLab: its comm in the place of the panel's. The only module that
imports `anywidget`.

What the widget draws is the panel's own model and views, built into `static/widget.js`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from jupyter_jitmagic.base.errors import OptionError, faults
from jupyter_jitmagic.live.comms import Hub

_STATIC = Path(__file__).parent.parent / "static"


class PanelWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """The jit caches of this kernel, live below the cell that displays it; any number of times.

    Args:
        hub: the kernel's end of the conversation.
        picture: what stands for it where no widget can be shown, by MIME type.
        height: of the panel, in pixels.
    """

    height = traitlets.Int(520, min=120, help="of the panel, in pixels").tag(sync=True)
    picture = traitlets.Unicode(help="HTML that is shown as long as no kernel answers").tag(sync=True)

    def __init__(self, hub: Hub, picture: Callable[[], Mapping[str, str]], height: int) -> None:
        self._esm, self._css = _built("widget.js"), _built("widget.css")
        super().__init__(height=height)
        self.hub, self._picture = hub, picture
        self._channel = _Widget(self)
        self.on_msg(self._received)

    def _received(self, _widget: Any, content: Any, _buffers: Any) -> None:
        with faults.stop("hearing the panel"):
            self.hub.hear(content, self._channel, _subshell_of(self.comm))

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """With a picture that stays readable where there is no kernel and no widget."""
        found = super()._repr_mimebundle_(**kwargs)
        if found is None:
            return None
        data, metadata = found if isinstance(found, tuple) else (found, {})
        picture = self._picture()
        self.picture = picture["text/html"]  # for pages with the widget's state and no kernel
        _answer_where_asked(self.comm)
        return {**data, **picture}, metadata


class _Widget:
    """A `Channel`: every view of the widget hears what is sent, and takes what is for it or for all."""

    def __init__(self, widget: PanelWidget) -> None:
        self._widget = widget

    def to(self, panel: str) -> Any:
        return _View(self._widget, panel)

    def send(self, message: Any) -> None:
        self._widget.send({"panel": "", "message": message})


class _View:
    """One view of the widget, as a comm: messages sent on it are for that view."""

    def __init__(self, widget: PanelWidget, panel: str) -> None:
        self._widget = widget
        self.comm_id = panel

    def send(self, message: Any) -> None:
        self._widget.send({"panel": self.comm_id, "message": message})


@functools.cache
def _built(name: str) -> str:
    try:
        return (_STATIC / name).read_text(encoding="utf-8")
    except OSError:
        raise OptionError("jm.panel(): the widget is not built in this checkout: run make setup") from None


def _answer_where_asked(comm: Any) -> None:
    """ipykernel 7.4 gives what comes on a comm to the shell that spoke on it last: the main one, which has just opened it and
    will be busy with a cell. Forgetting that leaves it to the front end, which may have a subshell for its comms."""
    if comm is not None:
        vars(comm).pop("_reply_subshell_id", None)


def _subshell_of(comm: Any) -> str | None:
    """The subshell in whose thread a message is being heard; None in the main one, and where there are none."""
    get_parent = getattr(getattr(comm, "kernel", None), "get_parent", None)
    found = get_parent().get("header", {}).get("subshell_id") if get_parent is not None else None
    return found if isinstance(found, str) else None
