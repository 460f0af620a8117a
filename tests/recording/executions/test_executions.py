"""Execution times that are shown were measured, whatever the caller does meanwhile; what is watched stays the user's."""

from __future__ import annotations

import contextlib
import gc
import itertools
import math
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import jax
import jax.numpy as jnp
import pandas as pd
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.executions import observation, sightings
from jupyter_jitmagic.recording.executions.scheduling import Account
from jupyter_jitmagic.recording.executions.waiter import OutputWatch, waiter
from jupyter_jitmagic.recording.executions.waiting_caller import Returning
from jupyter_jitmagic.recording.recorder import recorder
from jupyter_jitmagic.records.log import OUTCOMES, log

LASTS_S = 4e-3
"""About how long a call of `slow` takes."""


@pytest.fixture(autouse=True)
def clean() -> Any:
    recorder.start()
    jm.reset()
    jm.faults.clear()
    yield
    assert jm.faults.details() == ""


@pytest.fixture(scope="module")
def slow() -> tuple[Callable[[], Any], Any]:
    """What makes a jitted function of its own, and an array for which a call takes some milliseconds."""

    def make(**arguments: Any) -> Any:
        def step(x, n):
            return jax.lax.fori_loop(0, n, lambda _, v: jnp.tanh(v @ v), x)

        jitted = jm.jit(step, **arguments)
        return lambda x: jitted(x, rounds)

    x = jnp.ones((64, 64)) / 64
    rounds = 1
    plain = jax.jit(lambda x, n: jax.lax.fori_loop(0, n, lambda _, v: jnp.tanh(v @ v), x))

    def lasts_s() -> float:
        begin = time.perf_counter()
        plain(x, rounds).block_until_ready()
        return time.perf_counter() - begin

    while min(lasts_s() for _ in range(9)) < LASTS_S:  # one may last long on a busy machine: short calls are only sampled
        rounds *= 2
    make()(x).block_until_ready()
    return make, x


def rows(count: int) -> pd.DataFrame:
    """The calls, all of them hits but the first."""
    table = jm.stats("calls")
    assert table.outcome.tolist() == ["miss"] + ["hit"] * (count - 1)
    return table


def blocked(f: Callable[[Any], Any], x: Any, count: int, then: Callable[[], Any] = lambda: None) -> list[float]:
    """Call and wait, `count` times, and do something after each; how long each took until its result was there."""
    took = []
    for _ in range(count):
        begin = time.perf_counter()
        f(x).block_until_ready()
        took.append(time.perf_counter() - begin)
        then()
    return took


def observed(call: Callable[[], list[float]], at_least: int) -> tuple[pd.DataFrame, list[float]]:
    """What `call` does, again and again until so many calls were observed: these, and how long all of them took.

    A machine that has more to do than it can shows few ends, or none: whether it does is tried with bare JAX in between.
    """
    first, took, late = len(jm.stats("calls")), [], []
    for _ in range(8):
        took += call()
        table = rows(first + len(took))[first:]
        seen = table[table.execute_how == "observed"]
        if len(seen) >= at_least:
            break
        late += lateness()
    if len(seen) < at_least:
        skip_if_busy(late)
    assert len(seen) >= at_least, "of what was not observed this test can say nothing"
    return seen, [took[call - first] for call in seen.index]


def lateness() -> list[float]:
    """How much later than the caller another thread sees executions of bare JAX end, in seconds."""
    x, seen, watched = jnp.ones((64, 64)) / 64, [], SimpleQueue[Any]()
    plain = jax.jit(lambda x: jax.lax.fori_loop(0, 400, lambda _, v: jnp.tanh(v @ v), x))
    plain(x).block_until_ready()

    def watch() -> None:
        for array in iter(watched.get, None):
            array.block_until_ready()
            seen.append(time.perf_counter())

    thread, ended = threading.Thread(target=watch), []
    thread.start()
    for _ in range(6):
        out = plain(x)
        watched.put(out)
        out.block_until_ready()
        ended.append(time.perf_counter())
        time.sleep(1e-3)
    watched.put(None)
    thread.join()
    return [abs(one - other) for one, other in zip(seen, ended, strict=True)]


def skip_if_busy(late: list[float]) -> None:
    if sum(seconds > sightings.TOLERANCE * LASTS_S / 2 for seconds in late) > len(late) / 10:
        pytest.skip("a machine with so much else to do shows too few ends")


def test_no_execution_of_a_caller_that_waits_for_each_is_longer_than_its_call_took(slow: Any) -> None:
    make, x = slow
    f = make()
    f(x).block_until_ready()
    seen, took = observed(lambda: blocked(f, x, 60), at_least=20)
    assert (seen.execute_s / took).median() < 1.05


@contextlib.contextmanager
def thread_that_spins() -> Iterator[None]:
    """Another thread of Python computes meanwhile, and lets go of the GIL only every 5 ms."""
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            sum(range(1000))

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("pause", ["sleeps", "sleeps briefly", "waits for a thread"])
def test_what_a_caller_does_after_it_has_waited_is_no_execution(slow: Any, pause: str) -> None:
    make, x = slow
    f = make()

    def other() -> None:
        if pause == "sleeps":
            time.sleep(0.03)
        elif pause == "sleeps briefly":
            time.sleep(LASTS_S / 2)
        else:
            thread = threading.Thread(target=time.sleep, args=(0.03,))
            thread.start()
            thread.join()

    blocked(f, x, 30)
    during, took = observed(lambda: blocked(f, x, 12, then=other), at_least=4)
    assert (during.execute_s / took).median() < 1.1  # on a busy machine a thread may wake late, once in a while
    took = blocked(f, x, 30)
    after = jm.stats("calls")[-30:]
    assert (after.execute_s.fillna(0.0) - took).max() < 0.025


def test_what_a_caller_computes_after_it_has_waited_is_no_execution(slow: Any) -> None:
    """Nobody can look meanwhile: unobserved, or right."""
    make, x = slow
    f = make()

    def compute() -> None:
        until = time.perf_counter() + 0.03
        while time.perf_counter() < until:
            pass

    blocked(f, x, 30)
    took = blocked(f, x, 12, then=compute)
    beyond = rows(42)[30:].execute_s.fillna(0.0) - took
    assert sorted(beyond)[-3] < 0.01  # on a busy machine JAX may tell a second thread late, once in a while
    observed(lambda: blocked(f, x, 30), at_least=4)


def test_sleeping_in_place_of_waiting_for_the_result_is_no_execution(slow: Any) -> None:
    make, x = slow
    f = make()
    usual = sorted(blocked(f, x, 30))[15]

    def sleep() -> list[float]:
        begins = []
        for _ in range(13):
            begins.append(time.perf_counter())
            if len(begins) < 13:
                f(x)
                time.sleep(3 * usual)
        return [after - before for before, after in itertools.pairwise(begins)]

    seen, took = observed(sleep, at_least=4)
    assert ((seen.execute_s / took - 1).abs() < 0.05).mean() < 0.5  # longer or shorter, by chance the same, as busy as it is
    if seen.execute_s.median() >= 2.5 * usual:  # one may well take longer on a busy machine
        skip_if_busy(lateness())
    assert seen.execute_s.median() < 2.5 * usual


class Pending:
    """An array that will have come after `LASTS_S`, and whoever waits for it needs the GIL then, as with one of JAX."""

    def __init__(self) -> None:
        self.comes = time.perf_counter() + LASTS_S

    def is_deleted(self) -> bool:
        return False

    def is_ready(self) -> bool:
        return time.perf_counter() >= self.comes

    def block_until_ready(self) -> None:
        time.sleep(max(self.comes - time.perf_counter(), 0))


@pytest.mark.parametrize("asked", [True, False])
def test_an_end_lies_between_its_two_times_while_another_thread_keeps_the_gil(asked: bool) -> None:
    """A caller that sleeps did not keep the waiter from looking; that does not say that nobody did."""
    for _ in range(6):
        with thread_that_spins():
            array = Pending()
            watch = OutputWatch(array, time.perf_counter(), expected_s=LASTS_S, asked=asked)
            assert waiter.watch(watch)
            assert _soon(lambda watch=watch: not math.isnan(watch.after))
        assert watch.before <= array.comes + 2e-4  # a sleep lasts a little longer than it should
        assert array.comes <= watch.after


def test_a_short_call_that_waited_for_the_gil_before_it_returned_is_not_as_long() -> None:
    """The result was there when it returned, but since when?"""
    f = jm.jit(lambda x: x + 1)
    x = jnp.ones(4)
    f(x)
    seen, _ = observed(lambda: blocked(f, x, 20), at_least=8)
    assert seen.execute_s.median() < 1e-3
    longest = 0.0
    for number in range(20):
        jm.reset()
        f = jm.jit(lambda x, number=number: x + number)
        f(x)
        with thread_that_spins():
            took = blocked(f, x, 40)
        assert rows(41).execute_s.fillna(0.0).max() < 2e-3
        longest = max(longest, *took)
        if longest > 4e-3:
            break
    assert longest > 4e-3, "no call had to wait for the GIL"


def test_a_caller_that_was_kept_from_the_processor_does_not_tell_when_its_result_had_come(
    slow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back late then, as if the execution had lasted so long."""
    from jupyter_jitmagic.recording.executions import waiting_caller

    make, x = slow
    accounts = (Account(0, float(turn), 0.0, turn) for turn in itertools.count())
    monkeypatch.setattr(waiting_caller, "account", accounts.__next__)
    monkeypatch.setattr(Returning, "overdue", lambda returning, now: None)  # the thread beside it has no look
    told = []
    monkeypatch.setattr(Returning, "hand_over", lambda returning: told.extend(returning._seen))
    f = make()
    late = []
    for _ in range(8):
        blocked(f, x, 30)
        jm.stats("calls")
        if told:
            break
        late += lateness()
    if not told:
        skip_if_busy(late)
    assert told, "the caller saw none of its results"
    assert [before for _, _, before, _ in told] == [start for _, start, _, _ in told], "no end before which it had not come"


@pytest.mark.parametrize("waits", [True, False])
def test_a_watched_output_is_one_live_array_and_ends_soon_after_its_execution(slow: Any, waits: bool) -> None:
    """``jax.live_arrays()`` counts what it would under bare jit while the caller holds an output, and soon after."""
    make, x = slow
    f = make()
    gc.collect()
    before = jax.live_arrays()  # none of an earlier test's goes meanwhile
    for keeps in (True, False):
        for _ in range(20):
            out = f(x)
            gone = weakref.ref(out)
            if waits:
                out.block_until_ready()
            if keeps:
                assert sum(array.unsafe_buffer_pointer() == out.unsafe_buffer_pointer() for array in jax.live_arrays()) == 1
            del out
            assert _soon(lambda gone=gone: gone() is None)  # type: ignore[misc]
    assert _soon(lambda: len(jax.live_arrays()) == len(before))


def test_the_memory_of_an_output_is_not_held_for_long(slow: Any) -> None:
    make, x = slow
    f = make()
    blocked(f, x, 1)
    gc.collect()
    before = jax.live_arrays()  # none of an earlier test's goes meanwhile
    blocked(f, x, 40)
    assert _soon(lambda: len(jax.live_arrays()) == len(before))


def test_a_stop_lets_go_of_what_is_watched(slow: Any) -> None:
    """Of results that nobody has looked at yet when the extension is unloaded none stays alive."""
    make, x = slow
    f = make()
    f(x).block_until_ready()
    gc.collect()
    before = jax.live_arrays()  # none of an earlier test's goes meanwhile
    for _ in range(6):
        f(x)
    recorder.stop()
    try:
        assert len(jax.live_arrays()) == len(before)
    finally:
        recorder.start()


def _soon(holds: Callable[[], bool]) -> bool:
    until = time.perf_counter() + 2
    while not holds() and time.perf_counter() < until:
        time.sleep(0.002)
    return holds()


def test_calls_of_another_thread_in_between_are_all_there(slow: Any) -> None:
    make, x = slow
    f = make()
    blocked(f, x, 20)
    threads = [threading.Thread(target=blocked, args=(f, x, 10)) for _ in range(3)]
    for thread in threads:
        thread.start()
    took = blocked(f, x, 20)
    for thread in threads:
        thread.join()
    table = rows(70)
    if table.execute_s.isna().all():
        skip_if_busy(lateness())
    assert table.execute_s.max() < 8 * max(took)


def test_a_table_in_the_middle_shows_every_call_and_loses_none_later(slow: Any) -> None:
    make, x = slow
    f = make()
    for count in range(1, 40):
        f(x).block_until_ready()
        assert len(jm.stats("calls")) == count
    rows(39)


def test_turning_watching_off_takes_effect_with_the_next_call(slow: Any) -> None:
    make, x = slow
    f = make()
    blocked(f, x, 30)
    jm.options.timing = "dispatch"
    try:
        blocked(f, x, 5)
    finally:
        jm.options.timing = "observe"
    assert set(rows(35).execute_how[30:]) == {"unobserved"}


def test_donated_outputs_of_a_caller_that_waits_are_left_alone(slow: Any) -> None:
    make, x = slow
    f = make(donate_argnums=0)
    y = x + 0
    before = y.unsafe_buffer_pointer()
    for _ in range(40):
        y = f(y)
        y.block_until_ready()
        assert y.unsafe_buffer_pointer() == before, "the buffer was used again"
    rows(40)


def test_what_is_too_cold_to_be_shown_still_tells_that_more_is_worth_watching(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else only two in a row would be watched for ever, the second of which is never shown: as after a loop that ran ahead."""
    monkeypatch.setattr(observation, "_device_free", lambda call: (0.0, 0.0, 0.0))
    pace, cold = sightings.Pace(), sightings.Sighting(None, 1.0, 1.0)
    pace.tries, cold.cold = 40, True
    cold.seen(1.003, 1.003)
    assert observation._execution_of(cold, pace)[0] is None
    assert pace.each


@pytest.mark.parametrize("timing", ["observe", "block"])
def test_waiting_for_another_thread_that_compiles_is_no_execution(timing: Any) -> None:
    together = threading.Barrier(4)

    @jm.jit(timing=timing)
    def late(x):
        time.sleep(0.2)
        return jnp.sin(x)

    def call() -> None:
        together.wait()
        late(1.0)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    table = jm.stats("calls")
    assert sorted(table.outcome) == ["hit", "hit", "hit", "miss"]
    assert (table.dispatch_s > 0.2).all()
    hits = table[table.outcome == "hit"]
    if timing == "block":
        assert hits.execute_s.max() < 0.1
    else:
        assert set(hits.execute_how) == {"unobserved"}, "threads in each other's way"


def test_nothing_of_ours_grows_while_nobody_reads(slow: Any) -> None:
    make, x = slow
    f = make()

    def held() -> int:
        gc.collect()
        return sum(isinstance(kept, Returning) for kept in gc.get_objects())

    blocked(f, x, 20)
    before = held()
    for _ in range(6):  # each begins anew to see itself return
        blocked(f, x, 20)
        f(x)
        time.sleep(3 * LASTS_S)
        f(x)
    assert held() <= before + 1


def test_a_cleared_function_leaves_nothing_behind(slow: Any) -> None:
    make, x = slow
    f = make()
    before = len(sightings.paces)
    for _ in range(4):
        blocked(f, x, 12)
        jax.clear_caches()
    blocked(f, x, 2)
    jm.stats("calls")
    assert len(sightings.paces) <= before + 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an alarm")
def test_ctrl_c_while_rows_are_moved_spoils_none_of_them() -> None:
    f = jm.jit(lambda x: x + 1, timing="block")
    f(1.0)

    def ctrl_c(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, ctrl_c)
    returned = 0
    try:
        for turn in range(300):
            with contextlib.suppress(KeyboardInterrupt):
                for _ in range(20):
                    f(1.0)
                    returned += 1
                signal.setitimer(signal.ITIMER_REAL, 1e-5 + 2e-6 * (turn % 100))
                for _ in range(20):
                    log.fold()
                signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    log.fold()
    with log.lock:
        columns = log.columns.as_numpy()
    assert len(set(columns["place"].tolist())) == 1
    assert len(columns["place"]) == returned + 1
    assert columns["outcome"].tolist() == [OUTCOMES.index("miss")] + [OUTCOMES.index("hit")] * returned


def test_a_caller_that_gives_up_the_processor_twice_for_each_result_is_observed_from_beside(
    slow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_jitmagic.recording.executions import waiting_caller

    make, x = slow
    counts = (Account(0, 0.0, 0.0, waits) for waits in itertools.count(0, 2))
    monkeypatch.setattr(waiting_caller, "account", counts.__next__)
    f = make()
    f(x).block_until_ready()
    observed(lambda: blocked(f, x, 60), at_least=8)


def test_a_caller_that_comes_back_after_an_executions_time_is_not_taken_to_run_ahead() -> None:
    """It may have waited for another output than the one that is looked at, which is there a moment later."""
    pace = sightings.Pace()
    pace.add(0.006)
    pace.latest = sightings.Sighting(None, 1.0, 1.0)
    pace.latest.peeked = float("inf")
    for _ in range(3):
        pace.note_next(1.0061, 1.0062)
    assert pace.overtaken == 0
    pace.note_next(1.001, 1.0011)
    assert pace.overtaken == 1


def test_what_another_thread_forgets_meanwhile_is_no_fault() -> None:
    """Threads that share a function share its latest watched call: recording failed where one forgot it below another."""
    pace = sightings.Pace()

    class Forgotten(sightings.Sighting):
        @property
        def seen_s(self) -> float:
            pace.latest = None
            return self.peeked

    pace.latest = Forgotten(None, 1.0, 1.0)
    pace.latest.peeked = 1.006
    pace.note_next(1.0061, 1.0062)
    assert pace.returned == 1


def test_a_caller_that_is_held_back_runs_ahead(slow: Any) -> None:
    """In the middle of a loop its calls come no sooner than results do; one met there alone was never followed again."""
    make, x = slow
    f = make(timing="dispatch")
    f(x).block_until_ready()
    outputs = [f(x) for _ in range(20)]
    pace = sightings.Pace()
    pace.add(0.006)
    pace.latest = sightings.Sighting(outputs[-1], 1.0, 1.0)
    pace.note_next(1.0061, 1.012)
    assert pace.overtaken == 1
    pace.note_next(1.0061, 1.0062)  # this call took no time: its caller may have waited for another output
    assert pace.overtaken == 1
    jax.block_until_ready(outputs)
    pace.note_next(1.0061, 1.012)
    assert pace.overtaken == 1


def test_a_caller_that_may_run_ahead_again_is_looked_at_soon() -> None:
    """Its loops may last a quarter of a second each: pauses that had grown longer than that met none of them."""
    pace = sightings.Pace()
    pace.add(5e-4)
    pace.fruitless = 99
    assert pace.pause_s() > 0.5
    pace.ahead = True
    assert pace.pause_s() < 0.25
