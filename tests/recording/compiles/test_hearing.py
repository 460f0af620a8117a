"""What compiles is heard, whoever clears JAX's listeners, and belongs to the call that compiled it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from jax.experimental import io_callback

import jupyter_jitmagic as jm


@pytest.fixture(autouse=True)
def clean() -> None:
    jm.reset()


def test_after_someone_cleared_every_listener_a_compile_is_no_hit() -> None:
    f = jm.jit(lambda x: x + 1)
    f(np.ones(2, "f4")), f(np.ones(2, "f4"))
    jax.monitoring.clear_event_listeners()
    f(np.ones(3, "f4")), f(np.ones(3, "f4"))
    calls = jm.stats("calls")
    assert calls.outcome.tolist() == ["miss", "hit", "miss", "hit"]
    assert (calls.compile_s[[0, 2]] > 0).all()
    assert jm.stats("misses").cause.tolist() == ["first_call", "shape"]


def test_a_budget_holds_after_someone_cleared_every_listener() -> None:
    f = jm.jit(lambda x: x + 1, max_compiles=1)
    f(np.ones(2, "f4"))
    jax.monitoring.clear_event_listeners()
    with pytest.raises(jm.RecompileError):
        f(np.ones(3, "f4"))


def test_unloading_leaves_no_listener_also_after_they_were_cleared() -> None:
    from jax._src import monitoring

    from jupyter_jitmagic.recording.recorder import recorder

    jax.monitoring.clear_event_listeners()
    assert monitoring.get_event_time_span_listeners()
    recorder.stop()
    assert not monitoring.get_event_time_span_listeners()
    recorder.start()


def _shown(fun: Callable[..., Any], x: Any) -> Any:
    jax.debug.callback(fun, x)
    return x


@pytest.mark.parametrize(
    "call_back",
    [
        lambda fun, x: jax.pure_callback(fun, jax.ShapeDtypeStruct(x.shape, x.dtype), x),
        lambda fun, x: io_callback(fun, jax.ShapeDtypeStruct(x.shape, x.dtype), x, ordered=True),
        _shown,
    ],
)
def test_what_a_callback_compiles_is_not_its_callers(call_back: Callable[..., Any]) -> None:
    """In the calling thread, at each call anew."""

    def compiles(x: Any) -> Any:
        return np.asarray(jax.jit(lambda y: y + 1)(np.asarray(x)))

    f = jm.jit(lambda x: call_back(compiles, x) * 2)
    for _ in range(4):
        f(np.ones(2, "f4")).block_until_ready()
    jax.effects_barrier()
    assert jm.stats("calls").outcome.tolist() == ["miss", "hit", "hit", "hit"]


def test_a_function_of_ours_that_a_callback_calls_has_its_own_misses() -> None:
    inner = jm.jit(lambda x: x + 1)
    sizes = iter([2, 3, 3])
    f = jm.jit(lambda x: jax.pure_callback(lambda x: (inner(np.ones(next(sizes), "f4")), np.asarray(x))[1], x, x))
    for _ in range(3):
        f(np.ones(2, "f4")).block_until_ready()
    calls = jm.stats("calls")
    assert calls[calls.function == inner._state.name].outcome.tolist() == ["miss", "miss", "hit"]
    assert calls[calls.function == f._state.name].outcome.tolist() == ["miss", "hit", "hit"]
