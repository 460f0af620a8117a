"""The kernel's end of the panel: what is sent when, to whom, and that nothing stays behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from panel_fakes import COMM, Hub, Log, Wire, shell, wait_for
from panel_records import go_on, lesson

from jupyter_jitmagic.live import comms
from jupyter_jitmagic.live.protocol import SUBSHELL_PREFIX, SUBSHELLS_MARK, TEXT_LIMIT
from jupyter_jitmagic.records.log import Changed, EntryRecord, FunctionRecord, PhaseEvent, log
from tests.trials.forks import forked


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(monkeypatch)


@pytest.fixture
def hub(wire: Wire) -> Any:
    log = lesson()
    hub = Hub(log)
    hub.log = log  # type: ignore[attr-defined]
    hub.start(shell())
    yield hub
    hub.stop()


def panel_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "jitmagic-panel"]


def test_no_comm_is_opened_towards_front_ends(wire: Wire, hub: Hub) -> None:
    """Front ends without the panel answer a comm_open of an unknown target with an error; so there is none."""
    wire.open("p")
    hub.stop()
    assert {kind for kind, _, _ in wire.sent} == {"comm_msg"}


def test_nothing_is_sent_and_no_thread_runs_while_no_panel_listens(wire: Wire, hub: Any) -> None:
    assert [data["t"] for _, _, data in wire.sent] == ["loaded"]
    go_on(hub.log)
    hub._shell.events.trigger("pre_run_cell")
    hub._shell.events.trigger("post_run_cell")
    assert not panel_threads()
    wire.open("p")
    assert len(panel_threads()) == 1
    wire.close("p")
    assert not panel_threads()
    before = len(wire.sent)
    go_on(hub.log)
    time.sleep(0.1)
    assert len(wire.sent) == before


def test_a_late_panel_gets_everything(wire: Wire, hub: Any) -> None:
    wire.open("p")
    (snapshot,) = wire.of("snapshot", "p")
    assert [row["name"] for row in snapshot["functions"]] == ["padded", "<b>bold</b>"]
    assert snapshot["entries"]["count"] == 2 and len(snapshot["misses"]) == 2 and len(snapshot["diagnoses"]) == 1


def test_a_change_is_pushed_at_once_and_numbered(wire: Wire, hub: Any) -> None:
    wire.open("p")
    go_on(hub.log)
    (update,) = wait_for(lambda: wire.of("update", COMM), 0.5)
    assert update["seq"] == wire.of("snapshot", "p")[0]["seq"] + 1
    assert [row["id"] for row in update["entries"]] == [10, 12]
    assert [row["id"] for row in update["misses"]] == [3]


def test_an_entry_that_reads_otherwise_because_another_came_is_told_again(wire: Wire, hub: Any) -> None:
    """Two entries differ in n; a third has their n under another transformation."""
    wire.open("p")
    (snapshot,) = wire.of("snapshot", "p")
    assert snapshot["functions"][0]["apart"] == ["n"] and snapshot["entries"]["each"]["apart"] == [["5"], ["8"]]
    hub.log.add_entry(EntryRecord(id=12, function=1, avals="f32[8]", static={"n": "8"}, transformation="grad"))
    (update,) = wait_for(lambda: wire.of("update", COMM), 0.5)
    assert update["functions"][0]["apart"] == ["n", "under"]
    assert {row["id"]: row["apart"] for row in update["entries"]} == {10: ["5", "–"], 11: ["8", "–"], 12: ["8", "grad"]}


def test_a_storm_of_changes_makes_at_most_twenty_messages_a_second(wire: Wire, hub: Any) -> None:
    wire.open("p")
    start = time.monotonic()
    while time.monotonic() - start < 0.5:
        hub.log.functions[1].calls += 1
        hub.log.listeners.emit(Changed("functions", 1))
    took = time.monotonic() - start
    wait_for(lambda: wire.of("update") and wire.of("update")[-1]["functions"][0]["calls"] == hub.log.functions[1].calls)
    assert 2 <= len(wire.of("update")) <= took * 20 + 2
    sequence = [update["seq"] for update in wire.of("update")]
    assert sequence == list(range(sequence[0], sequence[0] + len(sequence)))


def test_hits_that_tell_nobody_are_found_when_the_cell_ends(wire: Wire, hub: Any) -> None:
    wire.open("p")
    hub.log.functions[1].hits += 1000
    hub._shell.events.trigger("post_run_cell")
    update = wait_for(lambda: wire.of("update"), 0.5)[0]
    assert update["functions"][0]["hits"] == 1003 and update["busy"] is False


def test_sizes_that_tell_nobody_are_found_with_the_next_comparison(wire: Wire, hub: Any) -> None:
    """They are worked out when someone asks for them."""
    wire.open("p")
    hub.log.entries[10].temp_bytes = 64
    (update,) = wait_for(lambda: wire.of("update"))
    assert [(row["id"], row["temp_bytes"]) for row in update["entries"]] == [(10, 64)]


def test_buffered_hits_are_folded_in_while_someone_listens(wire: Wire, hub: Any) -> None:
    def fold() -> None:
        hub.log.functions[1].hits = 99

    hub.log.folders.append(fold)
    wire.open("p")
    assert wire.of("snapshot")[0]["functions"][0]["hits"] == 99


def test_a_second_panel_takes_nothing_from_the_first(wire: Wire, hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot for one panel must not swallow what the other has still to hear."""
    monkeypatch.setattr(comms, "BATCH_S", 0.3)
    wire.open("one")
    hub.log.listeners.emit(Changed("functions", 1))
    wait_for(lambda: wire.of("update"))
    go_on(hub.log)  # within the pause: noted, not yet sent
    wire.open("two")
    update = wait_for(lambda: [update for update in wire.of("update") if update["misses"]])[0]
    assert [row["id"] for row in update["misses"]] == [3]
    assert {row["id"] for row in wire.of("snapshot", "two")[0]["misses"]} == {1, 2, 3}


def test_a_reset_sends_everything_anew(wire: Wire, hub: Any) -> None:
    wire.open("p")
    hub.log.entries.clear()
    hub.log.misses.clear()
    hub.log.listeners.emit(Changed("reset"))
    (snapshot,) = wait_for(lambda: wire.of("snapshot", COMM), 0.5)
    assert snapshot["entries"]["count"] == 0 and len(snapshot["functions"]) == 2 and snapshot["seq"] == 1


def test_a_pause_of_the_recording_is_told_with_everything(wire: Wire, hub: Any) -> None:
    wire.open("p")
    hub.log.paused_s = 1_700_000_000.0
    hub.log.listeners.emit(Changed("recording"))
    (snapshot,) = wait_for(lambda: wire.of("snapshot", COMM), 0.5)
    assert wire.of("snapshot", "p")[0]["paused_s"] is None and snapshot["paused_s"] == 1_700_000_000.0


def test_rows_that_are_gone_are_named(wire: Wire, hub: Any) -> None:
    wire.open("p")
    del hub.log.functions[2], hub.log.entries[11]
    hub.log.listeners.emit(Changed("functions", 2))
    (update,) = wait_for(lambda: wire.of("update"), 0.5)
    assert update["gone_functions"] == [2] and update["gone_entries"] == [11]


def test_phases_are_shown_while_they_run_and_go_when_the_call_is_recorded(wire: Wire, hub: Any) -> None:
    wire.open("p")
    started = time.time()
    hub.log.listeners.emit(PhaseEvent(1, "padded", "trace", started, thread=7))
    now = wait_for(lambda: wire.of("update"))[-1]["now"]
    assert [(row["name"], row["phase"], row["done"]) for row in now] == [("padded", "trace", [])]
    hub.log.listeners.emit(PhaseEvent(1, "padded", "trace", started, duration_s=0.2, thread=7))
    hub.log.listeners.emit(PhaseEvent(1, "padded", "compile", started, thread=7))
    now = wait_for(lambda: [row for row in wire.of("update")[-1]["now"] if row["phase"] == "compile"])
    assert now[0]["done"] == [{"phase": "trace", "duration_s": 0.2}]
    hub.log.listeners.emit(PhaseEvent(1, "padded", "compile", started, duration_s=1.0, thread=7))
    go_on(hub.log)
    wait_for(lambda: wire.of("update")[-1]["now"] == [])


def test_a_panel_that_opens_in_the_middle_of_a_compile_sees_it(wire: Wire, hub: Any) -> None:
    """As after a page reload: the phase began when nobody listened."""
    hub.log.listeners.emit(PhaseEvent(1, "padded", "compile", time.time() - 2, thread=7))
    wire.open("p")
    (row,) = wire.of("snapshot")[0]["now"]
    assert row["phase"] == "compile" and 2 <= row["elapsed_s"] < 3


def test_of_nested_phases_the_outermost_is_shown(wire: Wire, hub: Any) -> None:
    """A trace traces and compiles what it calls, for the same function of ours."""
    wire.open("p")
    emit, started = hub.log.listeners.emit, time.time()
    emit(PhaseEvent(1, "padded", "trace", started, thread=7))
    emit(PhaseEvent(1, "padded", "compile", started, thread=7))
    emit(PhaseEvent(1, "padded", "compile", started, duration_s=0.1, thread=7))
    (row,) = wait_for(lambda: wire.of("update") and wire.of("update")[-1]["now"])
    assert (row["phase"], row["done"]) == ("trace", [])
    emit(PhaseEvent(1, "padded", "trace", started, duration_s=0.3, thread=7))
    (row,) = wait_for(lambda: [row for row in wire.of("update")[-1]["now"] if row["done"]])
    assert (row["phase"], row["done"]) == ("", [{"phase": "trace", "duration_s": 0.3}])


def test_single_operations_outside_are_shown_only_when_they_take_long(wire: Wire, hub: Any) -> None:
    wire.open("p")
    hub.log.listeners.emit(PhaseEvent(0, "add", "compile", time.time(), thread=7))
    time.sleep(0.1)
    assert not wire.of("update")
    (row,) = wait_for(lambda: wire.of("update") and wire.of("update")[-1]["now"])
    assert row["name"] == "add" and row["elapsed_s"] > 0.25


def test_a_thread_that_is_done_takes_away_its_own_work_alone() -> None:
    from jupyter_jitmagic.live.rows import RunningPhases

    phases = RunningPhases()
    for thread in (1, 2):
        phases.hear(PhaseEvent(7, "step", "trace", time.time(), None, thread))
    phases.over(1)
    assert [thread for thread, _ in phases._work] == [2]


def test_what_was_compiled_without_a_record_is_soon_over(wire: Wire, hub: Any) -> None:
    """While the recording is paused no miss takes it off the show."""
    wire.open("p")
    started = time.time()
    hub.log.listeners.emit(PhaseEvent(1, "padded", "compile", started, thread=7))
    hub.log.listeners.emit(PhaseEvent(1, "padded", "compile", started, duration_s=0.5, thread=7))
    wait_for(lambda: wire.of("update") and wire.of("update")[-1]["now"])
    wait_for(lambda: wire.of("update")[-1]["now"] == [], 0.9)


def test_a_trace_that_ended_in_an_error_does_not_stay_on_show(wire: Wire, hub: Any) -> None:
    """No miss is recorded then; the row goes by itself."""
    wire.open("p")
    started = time.time()
    hub.log.listeners.emit(PhaseEvent(1, "padded", "trace", started, thread=7))
    hub.log.listeners.emit(PhaseEvent(1, "padded", "trace", started, duration_s=0.01, thread=7))
    wait_for(lambda: wire.of("update") and wire.of("update")[-1]["now"])
    wait_for(lambda: wire.of("update")[-1]["now"] == [], 3.0)


def test_a_panel_that_vanished_is_given_up(wire: Wire, hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is closed hard says no goodbye: it is asked with an update, and dropped if it does not answer."""
    monkeypatch.setattr(comms, "LEASE_S", 0.05)
    wire.open("p")
    time.sleep(0.07)
    hub.log.listeners.emit(Changed("functions", 1))
    assert wait_for(lambda: wire.of("update"))[-1]["ping"]
    monkeypatch.setattr(comms, "GRACE_S", 0.0)
    hub.log.listeners.emit(Changed("functions", 1))
    wait_for(lambda: not hub.listening and not panel_threads())


def test_a_panel_that_was_given_up_is_welcome_back(wire: Wire, hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop that slept: what it sends next brings it everything, and it is asked again whether it is there."""
    monkeypatch.setattr(comms, "LEASE_S", 0.02)
    monkeypatch.setattr(comms, "GRACE_S", 0.0)
    wire.open("p")
    time.sleep(0.05)
    hub.log.listeners.emit(Changed("functions", 1))
    wait_for(lambda: not hub.listening)
    data = {"v": 1, "op": "alive", "id": "", "panel": "p", "args": {}}
    hub._received({"header": {"subshell_id": "sub"}, "content": {"data": data}})
    assert hub.listening and len(wire.of("snapshot", "p")) == 2
    time.sleep(0.05)
    hub.log.listeners.emit(Changed("functions", 1))
    wait_for(lambda: not hub.listening)


def test_a_panel_that_answers_stays(wire: Wire, hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comms, "LEASE_S", 0.05)
    wire.open("p")
    time.sleep(0.07)
    wire.send("p", "alive")
    hub.log.listeners.emit(Changed("functions", 1))
    assert "ping" not in wait_for(lambda: wire.of("update"))[-1]


def test_a_panel_without_subshell_is_not_given_up_for_its_silence(
    wire: Wire, hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot answer while a cell runs."""
    monkeypatch.setattr(comms, "LEASE_S", 0.0)
    monkeypatch.setattr(comms, "GRACE_S", 0.0)
    wire.open("p", subshell=None)
    hub.log.listeners.emit(Changed("functions", 1))
    assert "ping" not in wait_for(lambda: wire.of("update"))[-1]
    assert hub.listening


def test_a_status_bar_gets_one_count_a_second_and_no_rows(wire: Wire, hub: Any) -> None:
    wire.open("s", counts=True)
    assert wire.of("counts", "s")[0]["misses"] == 2 and not wire.of("snapshot")
    start = time.monotonic()
    while time.monotonic() - start < 1.3:
        hub.log.functions[1].misses += 1
        hub.log.listeners.emit(Changed("functions", 1))
        time.sleep(0.01)
    counts = wait_for(lambda: wire.of("counts", COMM), 2.0)
    assert 1 <= len(counts) <= 2 and not wire.of("update")
    wait_for(lambda: wire.of("counts", COMM)[-1]["misses"] == hub.log.functions[1].misses, 2.5)
    wire.close("s")
    assert not panel_threads()


def test_a_status_bar_is_not_told_again_what_it_knows(wire: Wire, hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comms, "COUNTS_S", 0.01)
    wire.open("s", counts=True)
    for number in (1, 2):
        hub.log.functions[1].misses += 1
        hub.log.listeners.emit(Changed("functions", 1))
        told = wait_for(lambda number=number: wire.of("counts", COMM)[number - 1 :])
        hub.log.listeners.emit(Changed("functions", 1))
        time.sleep(0.1)
        assert wire.of("counts", COMM)[number - 1 :] == told and len(told) == 1


def test_a_status_bar_does_not_shorten_what_a_panel_gets(wire: Wire, hub: Any) -> None:
    wire.open("s", counts=True)
    wire.open("p")
    go_on(hub.log)
    assert wait_for(lambda: wire.of("update", COMM), 1.5)[0]["misses"]
    wire.close("p")
    assert hub.listening and panel_threads()


def test_a_panel_that_is_shown_and_hidden_asks_again_by_the_same_name(wire: Wire, hub: Any) -> None:
    wire.open("p", counts=True)
    wire.open("p")
    assert len(wire.of("snapshot", "p")) == 1
    go_on(hub.log)
    assert wait_for(lambda: wire.of("update", COMM))[0]["misses"]
    wire.open("p", counts=True)
    assert len(wire.of("counts", "p")) == 2
    before = len(wire.of("update", COMM))
    hub.log.listeners.emit(Changed("functions", 1))
    time.sleep(0.1)
    assert len(wire.of("update", COMM)) == before


def test_nonsense_from_a_front_end_is_answered_and_harms_nothing(wire: Wire, hub: Any) -> None:
    wire.open("p")
    wire.deliver(3)
    wire.deliver({"v": 1, "op": "open"})  # from nobody: there is none to answer
    wire.deliver({"v": "1", "op": "open", "panel": "p"})
    wire.deliver({"v": 99, "op": "open", "panel": "q"})
    assert [reply["ok"] for reply in wire.of("reply")] == [False, False]
    assert hub.listening


def test_the_first_panels_subshell_is_offered_to_the_next(wire: Wire, hub: Any) -> None:
    wire.open("one", subshell="s1")
    wire.open("two", subshell="s2")
    assert [id_ for id_ in wire.manager.comms if id_.startswith(SUBSHELL_PREFIX)] == [SUBSHELL_PREFIX + "s1"]


def test_a_kernel_without_subshells_does_not_offer_them(wire: Wire) -> None:
    hub = Hub(Log())
    hub.start(shell(subshells=False))
    assert SUBSHELLS_MARK not in wire.manager.comms and COMM in wire.manager.comms
    hub.stop()


def test_stop_leaves_no_trace_and_start_works_again(wire: Wire) -> None:
    """Nor a comm_close, which front ends that never saw a comm_open log as an error."""
    kernel_shell, log = shell(), lesson()
    for _ in range(3):
        hub = Hub(log)
        hub.start(kernel_shell)
        wire.open("p")
        hub.stop()
        hub.stop()
        assert not wire.manager.comms
        assert not any(kernel_shell.events.callbacks.values())
        assert not panel_threads() and not log.listeners
    assert {kind for kind, _, _ in wire.sent} == {"comm_msg"}
    assert wire.sent[-1][2]["t"] == "unloaded"


def test_a_long_text_is_cut(wire: Wire) -> None:
    log, hub_shell = Log(), shell()
    log.functions[1] = FunctionRecord(id=1, name="f" * 50_000, module="", qualname="f", filename="", line=1)
    hub = Hub(log)
    hub.start(hub_shell)
    wire.open("p")
    hub.stop()
    assert len(wire.of("snapshot")[0]["functions"][0]["name"]) == TEXT_LIMIT


def test_without_a_kernel_comm_is_not_imported() -> None:
    """In a terminal's IPython nothing of the panel happens."""
    code = (
        "import sys; from types import SimpleNamespace; from jupyter_jitmagic.live import comms;"
        "comms.start(SimpleNamespace()); comms.stop(); print('comm' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


class Held:
    """Keeps the thread that comes by where it is, with all the locks that it holds, until it is let go."""

    def __init__(self) -> None:
        self.here, self.over = threading.Event(), threading.Event()

    def hold(self) -> None:
        if not self.here.is_set():
            self.here.set()
            self.over.wait(20)

    def number(self) -> int:
        held = self

        class Number(int):
            def __hash__(self) -> int:
                held.hold()
                return int(self)

        return Number(7)

    def sent(self) -> list[Any]:
        held = self

        class Sent(list[Any]):
            def append(self, message: Any) -> None:
                held.hold()
                super().append(message)

        return Sent()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("where", ["sending", "noting a phase", "noting a row"])
def test_a_child_forked_while_the_panel_is_told_goes_on_without_it(wire: Wire, where: str) -> None:
    """A thread is in the middle of it, with a lock that nobody gives back in the child: calls, cells and unloading go on."""
    kernel, held = shell(), Held()
    comms.start(kernel)
    wire.open("p")
    phase, change = PhaseEvent(1, "f", "trace", time.time()), Changed("functions", 1)
    if where == "sending":
        wire.sent = held.sent()
    elif where == "noting a phase":
        phase = PhaseEvent(held.number(), "f", "trace", time.time())
    else:
        change = Changed("functions", held.number())

    def tell(*events: Any) -> None:
        for event in events:
            log.listeners.emit(event)

    def child() -> int:
        before = len(wire.sent)
        tell(PhaseEvent(1, "f", "compile", time.time()), Changed("functions", 1))
        for event in ("pre_run_cell", "post_run_cell"):
            kernel.events.trigger(event)
        heard = comms.is_heard()
        comms.stop()
        return int(heard or bool(panel_threads()) or len(wire.sent) != before)

    thread = threading.Thread(target=tell, args=(phase, change))
    thread.start()
    try:
        assert held.here.wait(5)
        assert forked(child) == 0
        assert comms.is_heard()
    finally:
        held.over.set()
        thread.join()
        comms.stop()
