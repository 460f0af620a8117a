"""Calls that trace and give something else than plain Python are not called right; those that give the same are."""

from __future__ import annotations

import contextlib
import enum
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm

X = jnp.ones(3)


class Color(enum.IntEnum):
    RED = 1


def identical(x: Any, flag: bool) -> Any:
    return x * 2 if flag is True else x


def of_a_kind(x: Any, s: Any) -> Any:
    return x * s if isinstance(s, float) else x


def a_scalar(x: Any, n: Any) -> Any:
    return x + n if np.isscalar(n) else x


def a_member(x: Any, mode: Any) -> Any:
    return x if mode is Color.RED else -x


def in_a_helper(x: Any, s: Any) -> Any:
    return of_a_kind(x, s) + 1


def matched_as_an_object(x: Any, flag: bool) -> Any:
    match flag:
        case True:
            return x * 2
    return x


def matched_by_its_class(x: Any, s: Any) -> Any:
    match s:
        case float():
            return x * s
    return x


@pytest.mark.parametrize(
    ("fun", "value", "asked"),
    [
        (identical, True, "flag is True"),
        (of_a_kind, 2.0, "isinstance(s, float)"),
        (a_scalar, 3, "np.isscalar(n)"),
        (a_member, Color.RED, "mode is Color.RED"),
        (in_a_helper, 2.0, "isinstance(s, float)"),
        (matched_as_an_object, True, "case True"),
        (matched_by_its_class, 2.0, "case float()"),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_what_comes_out_otherwise_is_said(fun: Any, value: Any, asked: str) -> None:
    """With the difference, what asks, and the static argument that makes both the same; it still is no failure to trace."""
    found = jm.diagnose(fun, X, value)
    assert found.kind == "traces"
    assert "something else than plain Python" in found.reason and asked in found.reason
    assert "static it gives the same" in found.reason
    assert not jnp.array_equal(fun(X, value), jax.jit(fun)(X, value)), "as it is said"
    assert jnp.array_equal(fun(X, value), jax.jit(fun, static_argnums=1)(X, value))


class Scaled:
    def other(self, x: Any) -> Any:
        return len(x) if isinstance(x, list) else x

    def scale(self, x: Any, s: Any) -> Any:
        return x * s if isinstance(s, float) else x


def asks_twice(x: Any, s: Any) -> Any:
    x = x if hasattr(x, "shape") else jnp.asarray(x)
    return x * s if isinstance(s, float) else x


def test_which_line_it_is_is_sure_only_where_one_asks() -> None:
    """Of two that ask either may be why; another method of the class asks nothing here."""
    assert "It may be line" in jm.diagnose(asks_twice, X, 2.0).reason
    reason = jm.diagnose(Scaled().scale, X, 2.0).reason
    assert "isinstance(s, float)" in reason and "It may be" not in reason


def either_way(x: Any, s: Any) -> Any:
    return x * s if isinstance(s, float | jax.Array) else x


def left_out(x: Any, y: Any = None) -> Any:
    return x if y is None else x + y


def a_list(x: Any) -> Any:
    return jnp.array(x) if type(x) is list else x * 2


def random_and_asking(x: Any) -> Any:
    return x + np.random.normal() if isinstance(x, jax.Array) else x


@pytest.mark.parametrize(("fun", "args"), [(either_way, (X, 2.0)), (left_out, (X,)), (a_list, (X,))])
def test_what_comes_out_the_same_is_not_told(fun: Any, args: Any) -> None:
    """Code that asks, and that a tracer answers as an array does."""
    assert jm.diagnose(fun, *args).reason.endswith("nothing is wrong with this call.")


def doubled(x: Any, default: float = 0.0) -> Any:
    try:
        v = float(x)
    except (TypeError, ValueError):
        return default
    return v * 2 if v > 0 else default


def suppressing(x: Any) -> Any:
    n = 0.0
    with contextlib.suppress(TypeError):
        n = float(x)
    return x * n


@pytest.mark.parametrize(
    ("fun", "value", "caught"),
    [
        (doubled, 3.0, "except (TypeError, ValueError)"),
        (suppressing, 3.0, "suppress(TypeError)"),
        (doubled, -3.0, "on other values"),
    ],
)
def test_what_catches_the_error_of_jax_is_told(fun: Any, value: float, caught: str) -> None:
    """JAX's errors about tracers are TypeErrors: the handler's way is compiled, whatever the value is."""
    x = jnp.asarray(value)
    found = jm.diagnose(fun, x)
    assert found.kind == "traces" and "something else than plain Python" in found.reason and caught in found.reason
    assert fun(abs(x)) != jax.jit(fun)(abs(x)), "as it is said"


def by_name_or_whole(x: Any) -> Any:
    try:
        return x["a"]
    except (TypeError, IndexError):
        return x * 2


def not_by_zero(x: Any) -> Any:
    try:
        return 1 / x
    except ZeroDivisionError:
        return 0.0


def number_if_it_has_one(x: Any) -> Any:
    try:
        n = x.item()
    except TypeError:
        n = x
    return n * 2.0


@pytest.mark.parametrize("fun", [by_name_or_whole, not_by_zero, number_if_it_has_one])
def test_what_is_caught_in_plain_python_too_or_changes_nothing_is_not_told(fun: Any) -> None:
    """A handler is no fault by itself."""
    assert jm.diagnose(fun, jnp.asarray(3.0)).reason.endswith("nothing is wrong with this call.")


def test_random_numbers_are_told_as_what_they_are() -> None:
    """Each run gives something else: that is no matter of kinds."""
    reason = jm.diagnose(random_and_asking, X).reason
    assert "random numbers of the host" in reason and "tracer is not" not in reason


def ratio(a: Any, b: Any) -> Any:
    try:
        return a / b
    except ZeroDivisionError:
        return 0.0


def product(a: Any, b: Any) -> Any:
    try:
        return a * b
    except ZeroDivisionError:
        return 0.0


def test_a_handler_of_what_compiled_code_never_raises_is_told() -> None:
    """With 0 plain Python goes on in the handler; the program divides, and nothing was said."""
    reason = jm.diagnose(ratio, 1.0, 2.0).reason
    assert "on other values (b=0.0): inf instead of 0. " in reason and "compiled code raises nothing (`except Zero" in reason


@pytest.mark.parametrize(("fun", "args"), [(product, (1.0, 2.0)), (ratio, (X, jnp.array(2.0)))])
def test_a_handler_that_nothing_would_reach_is_not_told(fun: Any, args: Any) -> None:
    """Arrays raise nothing in plain Python either."""
    assert jm.diagnose(fun, *args).reason.endswith("nothing is wrong with this call.")


def some_of(x: Any, n: int, s: Any) -> Any:
    y = x * s if isinstance(s, float) else x
    return y[:n].sum()


def hashed(x: Any, n: int, m: int) -> Any:
    return x[:n].sum() + (m * 1_000_003) % 1000


def test_a_static_set_gives_what_plain_python_gives() -> None:
    """A static set that traces and takes another branch is no answer: what the code asks about is static as well."""
    found = jm.diagnose(some_of, X, 2, 2.5)
    assert (found.kind, found.verified) == ("static", True) and set(found.static_argnames) == {"n", "s"}
    assert "With n alone static, some_of gives something else than plain Python" in found.reason
    assert jax.jit(some_of, static_argnames=found.static_argnames)(X, 2, 2.5) == some_of(X, 2, 2.5)


def test_numbers_that_outgrow_compiled_code_are_said() -> None:
    """Python's whole numbers have no bound: with the static set alone, and in a call that traces as it is."""
    found = jm.diagnose(hashed, X, 2, 77_777)
    assert found.static_argnames == ("n",) and "wrap around" in found.reason and "With `m` static" in found.reason
    assert "wrap around" not in jm.diagnose(hashed, X, 2, 7).reason
    traced = jm.diagnose(lambda x, m: x.sum() + (m * 1_000_003) % 1000, X, 77_777)
    assert traced.kind == "traces" and "wrap around" in traced.reason


def equal_by_numpy(a: Any, b: Any) -> Any:
    return jnp.where(np.array_equal(a, b), 1.0, 0.0)


def equal_by_jax(a: Any, b: Any) -> Any:
    return jnp.where(jnp.array_equal(a, b), 1.0, 0.0)


def test_a_function_of_numpy_that_hides_the_error_of_jax_is_told() -> None:
    """`np.array_equal` is False of traced arrays, whatever they hold: no error says so."""
    found = jm.diagnose(equal_by_numpy, X, X)
    assert "something else than plain Python" in found.reason and "np.array_equal(a, b)" in found.reason
    assert "for which no traced arrays are equal" in found.reason
    assert "something else" not in jm.diagnose(equal_by_jax, X, X).reason


def positive_definite(m: Any) -> Any:
    try:
        ok = not jnp.isnan(jnp.linalg.cholesky(m)).any()
    except Exception:
        ok = False
    return m if ok else m - 1.1 * jnp.min(jnp.linalg.eigvalsh(m)) * jnp.eye(len(m))


def test_a_decision_whose_error_is_caught_is_told_where_both_give_the_same() -> None:
    """No value near the call's own may show it: that the handler ran while it was traced is known."""
    m = jnp.array([[1.0, 2.0], [2.0, 1.0]])
    reason = jm.diagnose(positive_definite, m).reason
    assert "decides on a traced value" in reason and "`except Exception` catches it" in reason
    assert not jnp.allclose(jax.jit(positive_definite)(jnp.eye(2)), positive_definite(jnp.eye(2))), "as it is said"


def measured(m: Any) -> Any:
    try:
        ok = bool((m > 0).all())
    except TypeError:
        ok = False
    try:
        shift = float(len(m)) if ok else 0.0
    except Exception:
        shift = 1.0
    return m + shift * 0


def test_which_of_several_handlers_caught_the_error_is_not_guessed() -> None:
    """The nearest line alone was named, be it that of another `try`."""
    reason = jm.diagnose(measured, jnp.array([1.0, 2.0])).reason
    assert "decides on a traced value" in reason and "an `except` catches it" in reason
