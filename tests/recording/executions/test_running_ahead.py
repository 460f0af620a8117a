"""Loops that run ahead of the device: their calls get the mean of a busy span, and nothing else changes."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.executions.running_ahead import ahead
from jupyter_jitmagic.recording.executions.waiter import waiter
from jupyter_jitmagic.recording.recorder import recorder


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    recorder.start()
    jm.reset()
    jm.faults.clear()
    yield
    assert jm.faults.details() == ""


def step(params, x):
    params = jax.lax.fori_loop(0, 40, lambda _, p: jnp.tanh(p @ x), params)
    return params, params.mean()


PARAMS, X = jnp.ones((96, 96)), jnp.ones((96, 96)) / 96


def loop(f: Callable[..., Any], steps: int, each: Callable[[int, Any], None] = lambda i, loss: None) -> float:
    """Seconds of a loop of so many steps that never waits of itself."""
    params, loss = f(jnp.array(PARAMS), X)
    jax.block_until_ready((params, loss))
    begin = time.perf_counter()
    for i in range(steps):
        params, loss = f(params, X)
        each(i, loss)
    jax.block_until_ready((params, loss))
    return time.perf_counter() - begin


def settled() -> Any:
    """The table of calls, after whatever still runs was seen to end."""
    time.sleep(0.1)
    return jm.stats("calls")


@pytest.mark.parametrize("donated", [(), (0,)], ids=["kept", "donated"])
def test_a_loop_that_never_waits_has_its_mean_execution(donated: tuple[int, ...]) -> None:
    f = jm.jit(step, donate_argnums=donated)
    for _ in range(6):  # on a machine that has much else to do
        jm.reset()
        seconds = loop(f, 200)
        calls = settled()
        averaged = calls[calls.execute_how == "averaged"]
        if len(averaged) > 100:
            break
    assert len(averaged) > 100
    assert averaged.averaged_over.min() >= 2 and calls[calls.execute_how != "averaged"].averaged_over.isna().all()
    mean = float(averaged.execute_s.mean())
    assert 0.5 * seconds / 200 < mean < 1.5 * seconds / 200
    assert float(jm.stats().execute_median_s.iloc[0]) == pytest.approx(float(calls.execute_s.median()), rel=0.3)


@pytest.mark.parametrize("made", [jax.random.key, jax.random.PRNGKey], ids=["new keys", "old keys"])
def test_a_step_beside_a_function_that_gives_keys_alone_has_its_time(made: Callable[[int], Any]) -> None:
    """Arrays of keys do not tell when they are there; the arrays below them do."""

    def split(key):
        return jax.random.split(key)

    def noisy(params, x, key):
        x = x + 1e-3 * jax.random.normal(key, (1, 96))
        params = jax.lax.fori_loop(0, 200, lambda _, p: jnp.tanh(p @ x), params)  # long beside what may have been the keys'
        return params, params.mean()

    f, g = jm.jit(noisy), jm.jit(split)
    for _ in range(8):  # on a machine that has much else to do
        params, key = jnp.array(PARAMS), made(0)
        for _ in range(300):
            key, own = g(key)
            params, loss = f(params, X, own)
        float(loss)
        calls = settled()
        if (calls[calls.function == "noisy"].execute_how == "averaged").sum() > 100:
            return
    pytest.fail("no calls of the step have a time")


def test_a_waiter_that_was_stopped_in_a_loop_waits_for_nothing_of_it_in_the_next() -> None:
    f = jm.jit(step)
    loop(f, 60)

    def stop(i: int, loss: Any) -> None:
        if i == 59:
            waiter.stop()
            assert ahead._waited is None

    loop(f, 60, stop)
    for _ in range(20):  # on a machine that has much else to do
        loop(f, 100)
        if (settled().execute_how.tail(100) == "averaged").any():
            return
    pytest.fail("no call of a later loop has a time")


def test_results_of_a_loop_that_runs_ahead_are_those_of_plain_jit_and_nothing_of_it_is_held() -> None:
    outputs: list[Any] = []

    def losses(f: Any) -> list[float]:
        kept: list[Any] = []
        loop(f, 100, lambda i, loss: kept.append(loss))
        outputs.extend(weakref.ref(loss) for loss in kept)
        return [float(loss) for loss in kept]

    assert losses(jm.jit(step)) == losses(jax.jit(step))
    time.sleep(0.2)
    gc.collect()
    assert [reference() for reference in outputs] == [None] * 200


def test_deleted_and_dropped_outputs_and_errors_stop_nothing() -> None:
    f = jm.jit(step)
    loop(f, 100, lambda i, loss: loss.delete() if i % 7 == 3 else None)
    g = jm.jit(lambda x: x * 2)
    loop(f, 50, lambda i, loss: _fails(g) if i == 25 else None)
    calls = settled()
    timed = calls[calls.execute_s.notna()]
    assert (timed.execute_s > 0).all()
    assert waiter._thread is not None and waiter._thread.is_alive()


def _fails(g: Any) -> None:
    with pytest.raises(TypeError):
        g("no array")


def test_no_time_is_the_next_calls_compile() -> None:
    """Calls of microseconds, each followed by a trace and a compile of another function that take much longer."""

    def slow_to_trace(x):
        time.sleep(0.15)
        return x + 1

    f = jm.jit(lambda x: jnp.sin(x) @ x)
    x = jnp.ones((40, 40))
    for i in range(8):
        f(x)
        jm.jit(lambda x, i=i: slow_to_trace(x) + i)(x)
    calls = settled()
    hits = calls[(calls.outcome == "hit") & calls.execute_s.notna()]
    assert (hits.execute_s < 0.1).all()


def _held_up() -> None:
    """For a second or so no other thread has its turn, as while JAX lowers a large program."""
    sum(range(20_000_000))


def test_no_time_is_a_compile_that_keeps_all_other_threads_from_running() -> None:
    """In the thread of the calls, and in another one meanwhile."""

    def slow_to_trace(x):
        _held_up()
        return x + 1

    f, x = jm.jit(lambda x: jnp.sin(x) @ x), jnp.ones((40, 40))
    for i in range(3):
        for _ in range(3):
            f(x)
        jm.jit(lambda x, i=i: slow_to_trace(x) + i)(x)

    def compile_some() -> None:
        for i in range(3):
            jm.jit(lambda x, i=i: slow_to_trace(x) - i)(x)

    other = threading.Thread(target=compile_some)
    other.start()
    while other.is_alive():
        f(x)
        time.sleep(1e-3)
    other.join()
    begin = time.perf_counter()
    _held_up()
    held_up_s = time.perf_counter() - begin
    calls = settled()
    hits = calls[(calls.outcome == "hit") & calls.execute_s.notna()]
    assert (hits.execute_s < held_up_s / 3).all(), hits
    shown = jm.stats().set_index("function").execute_median_s
    assert not (shown >= held_up_s / 3).any()


def test_the_first_call_after_a_compile_stands_for_no_other() -> None:
    f = jm.jit(lambda p, x: step(p, x), timing="block")
    f(PARAMS, X)
    assert np.isnan(jm.stats().execute_median_s.iloc[0]) and jm.stats("entries").execute_s.isna().all()
    f(PARAMS, X)
    assert float(jm.stats().execute_median_s.iloc[0]) == float(jm.stats("calls").execute_s.iloc[1])


def test_the_first_hit_stands_for_itself_alone() -> None:
    """It may have run while something else was being compiled: where there are other hits, of which nothing is known, its time
    is not theirs."""
    from jupyter_jitmagic.records.log import OBSERVED, log

    f = jm.jit(lambda x: x + 1, timing="dispatch")
    for rows in (3, 4):
        f(jnp.ones(rows))
        f(jnp.ones(rows))
    log.fold()
    for row in (1, 3):
        log.columns.observe(row, 8.0, OBSERVED)
    assert float(jm.stats().execute_median_s.iloc[0]) == 8.0
    for _ in range(30):
        f(jnp.ones(3))
    assert np.isnan(jm.stats().execute_median_s.iloc[0]) and jm.stats().execute_calls.iloc[0] == 0
    for row in range(10, 15):
        log.columns.observe(row, 1.0, OBSERVED)
    assert float(jm.stats().execute_median_s.iloc[0]) == 1.0 and jm.stats().execute_calls.iloc[0] == 5


def test_a_process_that_ends_with_work_in_flight_ends_well() -> None:
    script = textwrap.dedent(
        """
        import jax, jax.numpy as jnp, jupyter_jitmagic as jm
        f = jm.jit(lambda p, x: jax.lax.fori_loop(0, 60, lambda _, p: jnp.tanh(p @ x), p))
        p = x = jnp.ones((128, 128)) / 128
        for _ in range(60):
            p = f(p, x)
        print("ends")
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ends\n", "")


def test_an_array_that_was_deleted_is_asked_nothing_that_would_end_the_process() -> None:
    """JAX 0.10 crashes where a deleted array is asked whether it is ready; so do its other threads that ask meanwhile."""
    script = textwrap.dedent(
        """
        import jax, jax.numpy as jnp, jupyter_jitmagic as jm
        from jupyter_jitmagic.base.arrays import is_ready
        x = jnp.ones(3) + 1
        x.delete()
        assert is_ready(x) is None
        constant = jnp.ones(4)
        f = jm.jit(lambda p, x: jax.lax.fori_loop(0, 40, lambda _, p: jnp.tanh(p @ x), p) + constant[0])
        g = jm.jit(lambda x: x + constant[0])
        g(1.0)
        constant.delete()
        constant = 1.0 + jnp.ones(4)
        p = x = jnp.ones((64, 64)) / 64
        for _ in range(400):
            f(p, x).delete()
            g(2.0).delete()
        print(len(jm.stats("calls")), repr(jm.faults.details()))
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout) == (0, "801 ''\n"), done.stderr


def test_a_handful_of_hits_of_many_decides_no_median() -> None:
    from jupyter_jitmagic.records.log import OBSERVED, log

    f = jm.jit(lambda x: x + 1, timing="dispatch")
    for _ in range(401):
        f(1.0)
    log.fold()
    for row in (10, 11):
        log.columns.observe(row, 1.0, OBSERVED)
    assert np.isnan(jm.stats().execute_median_s.iloc[0]) and np.isnan(jm.stats().time_s.iloc[0])
    for row in range(12, 20):
        log.columns.observe(row, 1.0, OBSERVED)
    assert float(jm.stats().execute_median_s.iloc[0]) == 1.0


def test_an_entrys_time_is_not_that_of_its_first_hit_where_there_are_others() -> None:
    f = jm.jit(lambda p, x: step(p, x), timing="block")
    for _ in range(2):
        f(PARAMS, X)
    entries, calls = jm.stats("entries"), jm.stats("calls")
    assert float(entries.execute_s.iloc[0]) == float(calls.execute_s.iloc[1])
    for _ in range(3):
        f(PARAMS, X)
    entries, calls = jm.stats("entries"), jm.stats("calls")
    assert float(entries.execute_s.iloc[0]) == float(calls.execute_s.iloc[2:].median())
