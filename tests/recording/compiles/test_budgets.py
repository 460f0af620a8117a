"""Budgets of compiles: refused before they are paid, with the reason; nothing else about a call changes."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from tests.jax_oracle import events

X4, X5 = np.ones(4, np.float32), np.ones(5, np.float32)


def make(**options: Any) -> tuple[Any, list[str]]:
    """A fresh function under `jm.jit`, and the shapes with which its body ran."""
    ran: list[str] = []

    def step(x: Any, n: int = 1) -> Any:
        ran.append(str(x.shape))
        return x * n

    return jm.jit(step, **options), ran


def test_raise_names_the_reason_and_comes_before_anything_is_lowered_or_compiled() -> None:
    step, _ = make(on_miss="raise")
    step(X4)
    with events() as seen, pytest.raises(jm.RecompileError, match=r"x is f32\[5\] now and was f32\[4\] before"):
        step(X5)
    assert not [name for name in seen if "mlir" in name or "compile_duration" in name]


class Doubling:
    def __call__(self, x: Any) -> Any:
        return x * 2


@pytest.mark.parametrize("made", [Doubling, lambda: functools.partial(Doubling())])
def test_an_object_that_is_called_has_a_budget_too(made: Any) -> None:
    """JAX knows no name of it; tables call it by its class."""
    step, plain = jm.jit(made(), on_miss="raise"), jax.jit(made())
    step(X4), plain(X4)
    with pytest.raises(jm.RecompileError, match=r"^Doubling would compile again: x is f32\[5\] now and was f32\[4\] before"):
        step(X5)
    with pytest.raises(jm.RecompileError, match=r"^Doubling would compile again in a no_recompile block"), jm.no_recompile():
        plain(X5)
    assert "Doubling" in set(jm.stats("others").function)


def test_the_first_call_never_raises_and_hits_go_on() -> None:
    step, _ = make(on_miss="raise")
    for _ in range(3):
        assert step(X4).shape == (4,)
    for _ in range(2):
        with pytest.raises(jm.RecompileError):
            step(X5)
    assert step(X4).shape == (4,)


def test_the_error_is_raised_from_the_callers_line_without_jax_frames() -> None:
    step, _ = make(on_miss="raise")
    step(X4)
    with pytest.raises(jm.RecompileError) as caught:
        step(X5)
    files = [frame.path.parts[-2:] for frame in caught.traceback]
    assert not any("_src" in parts for parts in files), files
    assert len(files) <= 3
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("allowed", [1, 2, 3])
def test_max_compiles_counts_compiles(allowed: int) -> None:
    step, _ = make(max_compiles=allowed)
    for size in range(allowed):
        step(np.ones(size + 1, np.float32))
    with pytest.raises(jm.RecompileError, match="would compile again"):
        step(np.ones(99, np.float32))


def test_a_miss_that_runs_no_body_is_refused_as_well() -> None:
    """A committed array lowers and compiles again without a trace."""
    step, ran = make(on_miss="raise")
    step(jnp.ones(4))
    with pytest.raises(jm.RecompileError, match="x is on cpu:0 now and was uncommitted before"):
        step(jax.device_put(jnp.ones(4), jax.devices()[0]))
    assert len(ran) == 1


def test_static_values_and_configuration_are_refused_with_their_names() -> None:
    step, _ = make(on_miss="raise", static_argnames="n")
    step(X4, 2)
    with pytest.raises(jm.RecompileError, match=r"n is 3 now and was 2 before \(static\)"):
        step(X4, 3)
    with jax.default_matmul_precision("float32"), pytest.raises(jm.RecompileError, match="jax_default_matmul_precision is"):
        step(X4, 2)


def test_eager_runs_the_plain_function_in_place_of_the_compile() -> None:
    step, _ = make(on_miss="eager")
    step(X4)
    with events() as seen:
        out = step(X5, 3)
    np.testing.assert_array_equal(out, X5 * 3)
    assert "jit(step)" not in seen
    assert isinstance(step(X4), jax.Array)


def test_eager_errors_are_the_functions_own() -> None:
    def picky(x: Any) -> Any:
        if x.shape == (5,) and not isinstance(x, jax.core.Tracer):
            raise KeyError("five")
        return x

    picky = jm.jit(picky, on_miss="eager")
    picky(X4)
    with pytest.raises(KeyError, match="five") as caught:
        picky(X5)
    assert caught.value.__context__ is None


def test_warn_compiles_and_tells_why_at_the_callers_line() -> None:
    step, _ = make(on_miss="warn")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step(X4)
    with pytest.warns(jm.RecompileWarning, match=r"step compiled again \(.*\): x is f32\[5\] now") as told:
        step(X5)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step(X5)


def test_a_warning_that_the_users_filters_make_an_error_is_raised_and_recording_goes_on() -> None:
    step, _ = make(on_miss="warn")
    step(X4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(jm.RecompileWarning):
            step(X5)
    step(X5)
    assert jm.stats("calls").outcome.tolist()[-2:] == ["miss", "hit"]


def test_under_grad_the_reason_is_told_against_the_calls_under_grad() -> None:
    step, _ = make(on_miss="raise")
    grad = jax.grad(lambda x: step(x).sum())
    grad(X4)
    with pytest.raises(jm.RecompileError, match=r"x is f32\[5\] now and was f32\[4\] before"):
        grad(X5)


def test_a_weak_type_is_told_once_with_its_avals() -> None:
    step, _ = make(on_miss="raise")
    step(X4)
    with pytest.raises(jm.RecompileError, match=r"again: x is weak f32\[\] now and was f32\[4\] before \(a P"):
        step(1.0)


def test_allow_is_silent() -> None:
    step, _ = make(on_miss="allow", max_compiles=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step(X4)
        step(X5)


def test_a_refused_call_is_recorded_as_an_error_and_an_eager_one_as_neither_hit_nor_miss() -> None:
    for on_miss, outcome in (("raise", "error"), ("eager", "eager")):
        step, _ = make(on_miss=on_miss)
        step(X4)
        try:
            step(X5)
        except jm.RecompileError:
            assert on_miss == "raise"
        calls = jm.stats("calls")
        assert calls.outcome.iloc[-1] == outcome
        step(X4)
        assert jm.stats("calls").outcome.iloc[-1] == "hit"


def test_what_is_inlined_into_another_function_does_not_count() -> None:
    inner, _ = make(on_miss="raise")
    inner(X4)
    outer = jax.jit(lambda x: inner(x) + 1)
    assert outer(X5).shape == (5,)


def test_eager_operations_while_the_function_is_traced_are_not_its_compiles() -> None:
    @jm.jit(on_miss="raise", max_compiles=1)
    def step(x: Any) -> Any:
        with jax.ensure_compile_time_eval():
            table = jnp.cumsum(jnp.arange(7.0)) * 3
        return x + table.sum()

    assert step(X4).shape == (4,)


def test_after_clearing_the_cause_is_cleared() -> None:
    step, _ = make(on_miss="raise")
    step(X4)
    step.clear_cache()
    with pytest.raises(jm.RecompileError, match="its cache was cleared"):
        step(X4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_miss": "explode"}, "choose one of allow, warn, raise, eager"),
        ({"max_compiles": 0}, "whole number above 0"),
        ({"max_compiles": True}, "whole number above 0"),
        ({"max_compiles": "3"}, "whole number above 0"),
    ],
)
def test_wrong_values_are_refused_when_the_function_is_made(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        jm.jit(lambda x: x, **options)
    with pytest.raises(ValueError, match=message):
        jm.jit(**options)


def test_under_grad_and_vmap_a_budget_holds_and_results_stay() -> None:
    step, _ = make(on_miss="raise", max_compiles=2)
    step(X4)
    assert jax.grad(lambda x: step(x).sum())(X4).shape == (4,)
    with pytest.raises(jm.RecompileError):
        jax.grad(lambda x: step(x).sum())(X5)
    assert step(X4).shape == (4,)
