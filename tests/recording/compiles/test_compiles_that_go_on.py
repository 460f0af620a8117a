"""A compile is taken to go on no longer than it does: what is measured beside it is refused only so long."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.compiles import spans
from jupyter_jitmagic.recording.recorder import recorder


@pytest.fixture(autouse=True)
def recording():
    recorder.start()


def is_refused():
    """A compile that has begun and ends with an error."""
    refusing = jm.jit(lambda x: x + 1, on_miss="raise")
    refusing(jnp.ones(2))
    with pytest.raises(jm.RecompileError):
        refusing(jnp.ones(3))


def fails_to_trace():
    with pytest.raises(jax.errors.TracerBoolConversionError):
        jm.jit(lambda x: x if x > 0 else -x)(jnp.float32(1.0))


def anything_compiles_now():
    now = time.perf_counter()
    return spans.anything_compiled(now, now)


def test_a_thread_that_ended_with_an_error_compiles_no_longer_though_another_has_its_number():
    numbers, ended = set(), threading.Event()

    def fail():
        numbers.add(threading.get_ident())
        is_refused()

    failing = [threading.Thread(target=fail) for _ in range(4)]
    for thread in failing:
        thread.start()
    for thread in failing:
        thread.join()
    others = [threading.Thread(target=ended.wait) for _ in range(16)]
    for thread in others:
        thread.start()
    try:
        if numbers.isdisjoint(thread.ident for thread in others):
            pytest.skip("this system gave none of these numbers again")
        assert not anything_compiles_now()
    finally:
        ended.set()
        for thread in others:
            thread.join()


@pytest.mark.parametrize("fails", [is_refused, fails_to_trace])
def test_a_thread_that_goes_on_after_a_failed_call_compiles_no_longer(fails):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(fails).result()
        assert not anything_compiles_now()


def test_another_thread_that_traces_is_known_to_until_it_is_done():
    tracing, done = threading.Event(), threading.Event()

    def slow(x):
        tracing.set()
        assert done.wait(60)
        return x

    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(jax.jit(slow), 1.0)
        assert tracing.wait(60)
        assert anything_compiles_now()
        done.set()
        begun.result()
    assert not anything_compiles_now()
