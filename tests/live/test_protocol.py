"""The messages as both sides know them: what the kernel makes stands in tests/golden, which the TypeScript tests read, too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from golden_files import golden
from panel_fakes import Hub, Wire, shell
from panel_records import go_on, lesson

from jupyter_jitmagic.live import comms
from jupyter_jitmagic.live.protocol import ARGUMENTS, VERSION, ProtocolError, parse_request
from jupyter_jitmagic.live.question_answers import QUERIES


def test_the_kernels_messages_are_the_golden_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load, a panel that opens, changes, a reset, an unknown question, unload: each message as it stands in its file."""
    wire, log = Wire(monkeypatch), lesson()
    monkeypatch.setattr(comms, "_package_version", lambda: "0.1.0")
    monkeypatch.setattr(comms, "_home", lambda: "/home/me")
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
    requests = golden("requests")
    assert requests
    for request in requests:
        assert parse_request(request) == request


@pytest.mark.parametrize(
    "nonsense", [None, 3, [], {}, {"v": VERSION}, {"v": VERSION, "op": "open"}, {"v": "1", "op": "open", "panel": "p"}]
)
def test_nonsense_is_refused_in_one_line(nonsense: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_request(nonsense)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("op", [*ARGUMENTS, "cures", "snapshot", "alive", "close", "unheard of"])
def test_a_value_of_any_wrong_type_is_one_line_and_no_fault(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every field of every request, replaced by every kind of JSON: at most one reply, which says what is wrong."""
    wire, log = Wire(monkeypatch), lesson()
    monkeypatch.setattr(Hub, "_begin_thread", lambda self, context: None)
    answered: list[str] = []
    hub = Hub(log, {name: lambda args, name=name: answered.append(name) or {} for name in [*ARGUMENTS, "cures"]})  # type: ignore[misc]
    hub.start(shell())
    wire.open("panel-1")
    right: dict[str, Any] = {
        "entry": 1,
        "other": 2,
        "from_s": 1.5,
        "to_s": None,
        "stretches": 10,
        "number": 1,
        "function": 1,
        "diagnosis": 1,
        "what": "hlo",
        "on": True,
        "subshell": None,
        "counts": False,
    }
    whole = {"v": VERSION, "op": op, "id": "1", "panel": "panel-1", "args": {n: right[n] for n in ARGUMENTS.get(op, ())}}
    for wrong in (None, True, 1, 1.5, "é", "", [], [1], {}, {"a": [1]}, 10**40):
        bad: list[dict[str, Any]] = [{**whole, field: wrong} for field in whole]
        bad += [{**whole, "args": {**whole["args"], name: wrong}} for name in [*whole["args"], "epoch"]]  # type: ignore[dict-item]
        for message in bad:
            before, heard = len(wire.sent), len(answered)
            wire.deliver(message)
            replies = [data for _, _, data in wire.sent[before:] if data["t"] == "reply"]
            assert len(replies) <= 1
            for reply in replies:
                assert reply["ok"] == (len(answered) > heard) and "\n" not in reply.get("error", "")
    hub.stop()


@pytest.mark.parametrize("op", sorted({*QUERIES, "fixes"}))
def test_a_question_with_an_argument_of_a_wrong_type_is_refused(op: str) -> None:
    for name, types in ARGUMENTS[op].items():
        for wrong in (None, True, 1, 1.5, "1", [1], {}):
            if type(wrong) not in types:
                with pytest.raises(ProtocolError, match=f"{name} of '{op}' is .* has to be "):
                    parse_request({"v": VERSION, "op": op, "id": "", "panel": "p", "args": {name: wrong}})


def test_a_sender_whose_name_is_not_ascii_is_not_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its name would be the topic of the answer, which a real kernel cannot send."""
    wire = Wire(monkeypatch)
    hub = Hub(lesson())
    hub.start(shell())
    before = len(wire.sent)
    for name in ("pänel", "", "a\nb", "x" * 1000):
        wire.open(name)
        wire.send(name, "nonsense")
    assert len(wire.sent) == before and not hub.listening
    wire.open("panel-1", subshell="süb")
    (reply,) = wire.of("reply", "panel-1")
    assert "subshell" in reply["error"] and not hub.listening
    hub.stop()
    assert capsys.readouterr() == ("", "")


def test_what_was_meant_for_an_earlier_start_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """A menu that was opened before the kernel restarted clears nothing after."""
    wire, cleared = Wire(monkeypatch), []
    monkeypatch.setattr(Hub, "_begin_thread", lambda self, context: None)
    hub = Hub(lesson(), {"clear": lambda args: cleared.append(args) or {"entries": 1}})  # type: ignore[func-returns-value]
    hub.start(shell())
    wire.open("panel-1")
    wire.send("panel-1", "clear", id="a", args={"function": 3, "epoch": "before"})
    wire.send("panel-1", "clear", id="b", args={"function": 3, "epoch": hub.epoch})
    assert [(reply["id"], reply["ok"]) for reply in wire.of("reply")] == [("a", False), ("b", True)]
    assert len(cleared) == 1 and "earlier start" in wire.of("reply")[0]["error"]
    hub.stop()


def test_a_newer_panel_is_told_to_update_the_kernels_package() -> None:
    with pytest.raises(ProtocolError, match=rf"version {VERSION + 1}.*update"):
        parse_request({"v": VERSION + 1, "op": "open", "panel": "p"})
