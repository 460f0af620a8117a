"""The whole way: a call under `jm.jit`, its outcome, and the rows of ``jm.stats("misses")``, for every case of the matrix."""

from __future__ import annotations

import types
from typing import Any

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import jupyter_jitmagic as jm
from jupyter_jitmagic.records.log import OUTCOMES, log
from tests.jax_oracle import events
from tests.recording.causes.test_causes import HITS, MISSES, split
from tests.recording.causes.test_signatures import random_calls

X4, X5 = np.ones(4, np.float32), np.ones(5, np.float32)


def renamed(fun: Any, name: str) -> Any:
    """A copy of its own, so that one case does not warm the caches of the next."""
    copy = types.FunctionType(fun.__code__, fun.__globals__, name, fun.__defaults__)
    copy.__kwdefaults__, copy.__qualname__, copy.__module__ = fun.__kwdefaults__, name, __name__
    return copy


def last_miss(function: str, misses: Any = None) -> Any:
    misses = jm.stats("misses") if misses is None else misses
    own = misses[misses.function == function]
    return own[own.miss == own.miss.max()]


def test_every_miss_of_the_matrix_has_its_causes_and_no_hit_is_told_as_a_miss() -> None:
    for name, case in [*((name, case) for name, (case, _) in MISSES.items()), *HITS.items()]:
        fun, calls, options = split(case)
        jitted = jm.jit(renamed(fun, f"case: {name}"), **options)
        for args, kwargs in calls:
            jitted(*args, **kwargs)
    misses, outcomes = jm.stats("misses"), jm.stats("calls").groupby("function", observed=True).outcome.last()
    rows = {name: last_miss(f"case: {name}", misses) for name in MISSES}
    found = {name: set(zip(own.cause, own.argument, strict=True)) for name, own in rows.items()}
    assert found == {name: expected for name, (_, expected) in MISSES.items()}
    assert [name for name, own in rows.items() if own.cost_s.notna().sum() != 1] == []
    assert {name: outcomes[f"case: {name}"] for name in MISSES} == dict.fromkeys(MISSES, "miss")
    assert {name: outcomes[f"case: {name}"] for name in HITS} == dict.fromkeys(HITS, "hit")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(random_calls(), min_size=2, max_size=4), st.data())
def test_a_call_is_a_hit_exactly_when_jax_neither_traces_nor_lowers_nor_compiles(calls: list[Any], data: st.DataObject) -> None:
    """Random signatures in random order, through the wrapper: outcome and misses against JAX's own events."""
    runs = []

    def step(x: Any, n: Any = 3, *rest: Any, k: Any = None) -> Any:
        runs.append(1)
        return x

    jitted = jm.jit(step, static_argnames="n")
    for args, kwargs in [*calls, *data.draw(st.lists(st.sampled_from(calls), max_size=4))]:
        before = len(runs)
        with events() as seen:
            jax.block_until_ready(jitted(*args, **kwargs))
        log.fold()
        outcome = OUTCOMES[log.columns.outcome(len(log.columns) - 1)]
        assert outcome == ("miss" if seen or len(runs) > before else "hit"), (args, kwargs)
        if outcome == "miss":
            causes = log.misses[-1].causes
            assert causes
            assert not {"unknown", "cleared"} & {cause.cause for cause in causes}, (args, kwargs, causes)


def test_a_hit_that_lacks_what_tells_the_others_apart_is_recorded() -> None:
    def step(x: Any, n: Any = 3) -> Any:
        return x

    jitted = jm.jit(renamed(step, "lacking"), static_argnames="n")
    for args, kwargs in [((X4, 0), {}), ((X4,), {"n": 0}), ((X4,), {"n": 1}), ((X4, 0), {})]:
        jitted(*args, **kwargs)
    assert jm.stats("calls").query("function == 'lacking'").outcome.tolist() == ["miss", "miss", "miss", "hit"]


def causes(function: str) -> list[str]:
    return last_miss(function).cause.tolist()


def test_a_function_defined_again_is_a_new_function() -> None:
    for _ in range(3):
        space: dict[str, Any] = {"__name__": "cellular"}
        exec("def redefined(x): return x + 1", space)
        jitted = jm.jit(space["redefined"])
        jitted(X4)
    assert causes(jitted._state.name) == ["new_function"]
    jax.grad(lambda x: jitted(x).sum())(X4)  # it is no new one any more
    assert causes(jitted._state.name) == ["first_call"]


def test_another_static_argument_is_no_difference_beside_a_new_function() -> None:
    """A traced n and a static n are not two values of one thing."""
    for options in ({}, {"static_argnames": "n"}):
        space: dict[str, Any] = {"__name__": "cellular"}
        exec("def restated(x, n): return x + n", space)
        jitted = jm.jit(space["restated"], **options)
        jitted(X4, 1)
    assert causes(jitted._state.name) == ["new_function"]


def defined(body: str) -> Any:
    space: dict[str, Any] = {"__name__": "cellular_too"}
    exec(f"def mended(x):\n    {body}", space)
    return jm.jit(space["mended"])


def test_a_function_mended_after_a_failed_trace_compiles_for_the_first_time() -> None:
    """The function that it replaces never compiled, so nothing is compiled again; the one before that did count."""
    with pytest.raises(jax.errors.TracerBoolConversionError):
        defined("return x if x.sum() > 0 else -x")(X4)
    mended = defined("return abs(x)")
    mended(X4)
    assert causes(mended._state.name) == ["first_call"]
    with pytest.raises(jax.errors.TracerBoolConversionError):
        defined("return x if x.sum() > 1 else -x")(X4)
    again = defined("return abs(x) + 1")
    again(X4)
    assert causes(again._state.name) == ["new_function"]


def test_lambdas_made_anew_on_one_line_are_new_functions_and_others_are_not() -> None:
    for _ in range(2):
        jitted = jm.jit(lambda x: x + 2)
        jitted(X4)
    assert causes(jitted._state.name) == ["new_function"]
    other = jm.jit(lambda x: x + 3)
    other(X4)
    assert causes(other._state.name) == ["first_call"]


@pytest.mark.parametrize("whole", [False, True])
def test_clearing_is_told_as_cleared(whole: bool) -> None:
    jitted = jm.jit(renamed(lambda x: x + 4, f"cleared {whole}"))
    jitted(X4)
    jitted(X4)
    jax.clear_caches() if whole else jitted.clear_cache()
    jitted(X4)
    assert causes(f"cleared {whole}") == ["cleared"]


def test_a_call_under_grad_is_the_first_of_its_kind_and_then_compared_with_its_kind() -> None:
    jitted = jm.jit(renamed(lambda x: x * 5, "transformed"))
    jitted(X4)
    jax.grad(lambda x: jitted(x).sum())(X4)
    assert causes("transformed") == ["first_call"]
    jax.grad(lambda x: jitted(x).sum())(X5)
    assert causes("transformed") == ["shape"]


def test_calls_under_vmap_are_told_apart_by_what_is_batched() -> None:
    """The function's own argument is f32[4] each time; what compiles is not."""
    jitted = jm.jit(renamed(lambda x, y: x * y, "batched"))
    jax.vmap(jitted)(np.ones((3, 4)), np.ones((3, 4)))
    jax.vmap(jitted)(np.ones((3, 4)), np.ones((3, 4)))
    assert causes("batched") == ["first_call"]
    jax.vmap(jitted)(np.ones((5, 4)), np.ones((5, 4)))
    rows = last_miss("batched")
    assert list(zip(rows.cause, rows.argument, strict=True)) == [("shape", "x"), ("shape", "y")]
    assert (rows.before.iloc[0], rows.now.iloc[0]) == ("f32[3,4]", "f32[5,4]")
    jax.vmap(jitted, in_axes=(0, None))(np.ones((5, 4)), np.ones(4))
    rows = last_miss("batched")
    assert list(zip(rows.cause, rows.argument, strict=True)) == [("shape", "y")]


def test_clearing_is_told_once() -> None:
    jitted = jm.jit(renamed(lambda x: x * 51, "cleared once"))
    jitted(X4)
    jitted(X5)
    jax.clear_caches()
    for values in (X4, X5, np.ones(6, np.float32)):
        jitted(values)
    assert jm.stats("misses").query("function == 'cleared once'").cause.tolist() == [
        "first_call", "shape", "cleared", "cleared", "shape",
    ]  # fmt: skip


def test_methods_and_their_own_static_self() -> None:
    class Net:
        def __init__(self, n: int) -> None:
            self.n = n

        @jm.jit(static_argnums=0)
        def forward(self, x: Any) -> Any:
            return x * self.n

    Net(1).forward(X4)
    Net(1).forward(X4)
    rows = last_miss(Net.forward._state.name)
    assert list(zip(rows.cause, rows.argument, strict=True)) == [("static_identity", "self")]
    Net(2).forward(X4)
    rows = last_miss(Net.forward._state.name)
    assert list(zip(rows.cause, rows.argument, strict=True)) == [("static_value", "self")]


def test_the_line_of_the_call_is_named() -> None:
    jitted = jm.jit(renamed(lambda x: x * 6, "placed"))
    jitted(jnp.ones(4))
    assert last_miss("placed").call_site.item().startswith(f"{__file__}:")
