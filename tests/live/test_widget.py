"""`jm.panel()`: a widget with the panel's conversation on its own comm, and a picture where no widget can be shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from panel_fakes import Hub, wait_for
from panel_records import go_on, lesson

import jupyter_jitmagic as jm
from jupyter_jitmagic.live.protocol import VERSION
from jupyter_jitmagic.magics import panel_widget
from jupyter_jitmagic.records.log import log

WIDGET = "application/vnd.jupyter.widget-view+json"


class Front:
    """A front end with views of one widget: what each of them gets."""

    def __init__(self, widget: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._widget = widget
        monkeypatch.setattr(
            widget, "send", lambda content, buffers=None: self.heard.append((content["panel"], content["message"]))
        )

    def ask(self, view: str, op: str, **args: Any) -> None:
        self._widget._handle_custom_msg({"v": VERSION, "op": op, "id": "1", "panel": view, "args": args}, [])

    def of(self, kind: str, view: str) -> list[dict[str, Any]]:
        """What a view takes: what is for it, and what is for all."""
        return [message for panel, message in self.heard if message["t"] == kind and panel in ("", view)]


@pytest.fixture
def hub() -> Iterator[Any]:
    log = lesson()
    made = Hub(log, {"here": lambda args: {}})
    made.log = log  # type: ignore[attr-defined]
    made.begin()
    yield made
    made.stop()


@pytest.fixture
def front(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Front:
    widgets = pytest.importorskip("jupyter_jitmagic.live.widget", reason="needs anywidget")
    monkeypatch.setattr(widgets, "_built", lambda name: f"/* {name} */")
    return Front(widgets.PanelWidget(hub, lambda: {"text/html": "<table>", "text/plain": "a table"}, 400), monkeypatch)


def test_a_view_that_opens_gets_everything_and_every_view_what_changes(hub: Any, front: Front) -> None:
    front.ask("one", "open")
    front.ask("two", "open")
    (snapshot,) = front.of("snapshot", "one")
    assert [row["name"] for row in snapshot["functions"]] == ["padded", "<b>bold</b>"]
    go_on(hub.log)
    (update,) = wait_for(lambda: front.of("update", "two"))
    assert front.of("update", "one") == [update] and update["seq"] == snapshot["seq"] + 1


def test_an_answer_is_for_the_view_that_asked(front: Front) -> None:
    front.ask("one", "open")
    front.ask("two", "open")
    front.ask("one", "here")
    assert [reply["ok"] for reply in front.of("reply", "one")] == [True]
    assert front.of("reply", "two") == []


def test_nothing_is_sent_once_every_view_is_closed(hub: Any, front: Front) -> None:
    front.ask("one", "open")
    front.ask("one", "close")
    before = len(front.heard)
    go_on(hub.log)
    assert hub._thread is None and len(front.heard) == before


def test_links_of_jupyterlab_lead_to_no_widget(hub: Any, front: Front) -> None:
    front.ask("one", "open")
    assert not hub.listening


def test_nonsense_from_a_view_is_answered_in_one_line(front: Front) -> None:
    front._widget._handle_custom_msg({"v": VERSION, "panel": "one"}, [])
    (reply,) = front.of("reply", "one")
    assert not reply["ok"] and "\n" not in reply["error"]


def test_when_the_extension_goes_the_views_are_told(hub: Any, front: Front) -> None:
    front.ask("one", "open")
    hub.stop()
    assert len(front.of("unloaded", "one")) == 1


def test_a_picture_stands_beside_the_widget(front: Front) -> None:
    data, _ = front._widget._repr_mimebundle_()
    assert data[WIDGET]["model_id"] == front._widget.model_id
    assert (data["text/html"], data["text/plain"]) == ("<table>", "a table")


def test_a_converted_notebook_shows_the_picture(front: Front) -> None:
    """nbconvert, of a notebook without the state of widgets (JupyterLab keeps none unless asked to)."""
    nbconvert = pytest.importorskip("nbconvert", reason="needs nbconvert")
    import nbformat

    data, _ = front._widget._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data=data)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("jm.panel()", outputs=[output])])
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    assert "<table>" in page.split("jm</span>")[1] and "widget-view" not in page.split("jm</span>")[1]
    assert front._widget.picture == "<table>", "and a page with the state has it there"


def test_the_panel_is_one_widget_with_a_table_of_what_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    widgets = pytest.importorskip("jupyter_jitmagic.live.widget", reason="needs anywidget")
    monkeypatch.setattr(widgets, "_built", lambda name: "")
    monkeypatch.setattr(panel_widget, "_widget", None)
    monkeypatch.setattr(panel_widget, "_shell", lambda: None)
    monkeypatch.setattr(log, "shells", 0)
    pictured = jm.jit(lambda x: x + 1)
    pictured(1.0)
    first = jm.panel(300)
    assert jm.panel() is first and first.height == 520
    assert log.shells == 1, "what would save compiles is looked for, as somebody is told"
    assert "<table" in first._repr_mimebundle_()[0]["text/html"]


@pytest.mark.parametrize("height", [0, -5, "tall", True, 3.5])
def test_a_height_that_makes_no_sense_is_one_line(height: Any) -> None:
    with pytest.raises(jm.OptionError, match="give a whole number of pixels"):
        jm.panel(height)


def test_without_anywidget_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is all that IPython shows of it."""
    monkeypatch.delitem(sys.modules, "jupyter_jitmagic.live.widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError) as raised:
        jm.panel()
    line = 'jm.panel() needs anywidget, which is not installed here: %pip install "jupyter-jitmagic[widget]"'
    assert str(raised.value) == line
    assert raised.value._render_traceback_() == [f"UsageError: {line}"]  # type: ignore[attr-defined]
