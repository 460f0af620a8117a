"""The messages as both sides know them: what the kernel makes stands in tests/golden, which the TypeScript tests read, too."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from panel_fakes import Hub, Wire, shell
from panel_records import go_on, lesson

from jupyter_jitmagic.panel import _hub
from jupyter_jitmagic.panel._protocol import VERSION, ProtocolError, parse_request

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str, made: Any) -> Any:
    """The golden file; with JITMAGIC_GOLDEN=write it is first written anew from what was made."""
    path = GOLDEN / f"{name}.json"
    if os.environ.get("JITMAGIC_GOLDEN") == "write":
        path.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_kernels_messages_are_the_golden_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load, a panel that opens, changes, a reset, an unknown question, unload: each message as it stands in its file."""
    wire, log = Wire(monkeypatch), lesson()
    monkeypatch.setattr(_hub, "_package_version", lambda: "0.1.0")
    monkeypatch.setattr(Hub, "_begin_thread", lambda self, context: None)  # changes are asked for below, at a known moment
    hub = Hub(log)
    hub.epoch = "e1"
    hub.start(shell())
    wire.open("panel-1")
    go_on(log)
    hub._send_changes(hub._feed.changes(compare=True))
    wire.send("panel-1", "nonsense", id="q1")
    wire.open("status-bar", counts=True)
    hub.stop()
    made = {
        "loaded": wire.of("loaded")[0],
        "snapshot": wire.of("snapshot")[0],
        "update": wire.of("update")[0],
        "reply-unknown": wire.of("reply")[0],
        "counts": wire.of("counts")[0],
        "unloaded": wire.of("unloaded")[0],
    }
    for name, message in made.items():
        assert json.loads(json.dumps(message, allow_nan=False)) == golden(name, message), name


def test_requests_of_the_panel_are_understood() -> None:
    """What the TypeScript tests say the panel sends is what the kernel can read."""
    for request in json.loads((GOLDEN / "requests.json").read_text(encoding="utf-8")):
        assert parse_request(request) == request


@pytest.mark.parametrize(
    "nonsense", [None, 3, [], {}, {"v": VERSION}, {"v": VERSION, "op": "open"}, {"v": "1", "op": "open", "panel": "p"}]
)
def test_nonsense_is_refused_in_one_line(nonsense: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_request(nonsense)
    assert "\n" not in str(caught.value)


def test_a_newer_panel_is_told_to_update_the_kernels_package() -> None:
    with pytest.raises(ProtocolError, match=r"version 99.*update"):
        parse_request({"v": 99, "op": "open", "panel": "p"})
