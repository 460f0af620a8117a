"""Python's own whole numbers and flags compute otherwise as arrays: that is said, never passed off as rounding."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.proof.own_numbers import NAN_IN_SINGLE, NO_NUMBER

X = jnp.arange(6.0)
POWER = "a whole number to a negative power"


def above_a_power(x: Any, k: int) -> Any:
    s = 2**k
    if x.sum() > s:
        return x * s
    return x


def decayed(x: Any, step: int) -> Any:
    rate = 10 ** -(step // 10)
    if x.max() > 1:
        return x * rate
    return x


def of_floats(x: Any, k: int) -> Any:
    s = 2.0**k
    if x.sum() > s:
        return x * s
    return x


def both(x: Any, a: bool, b: bool) -> Any:
    if x.sum() > 0:
        return x * (a + b)
    return x


def of_some(x: Any, n: int, k: int) -> Any:
    return x[:n].sum() * 2**k


def differences(found: Any) -> str:
    compared = found.rewrites[0].compared
    return " ".join(compared.differences) if compared is not None else ""


def test_negative_powers_are_said() -> None:
    """Also where the call has none, and where an exponent is negative for larger numbers alone; or the number is static."""
    found = jm.diagnose(above_a_power, X, 2)
    assert found.static_argnames == ("k",) or POWER in differences(found)
    assert POWER in differences(jm.diagnose(decayed, X, 5))
    assert jax.jit(lambda k: 2**k)(-1) == 0, "as it is said"
    assert POWER not in differences(jm.diagnose(of_floats, X, 2))


def test_flags_that_are_added_are_numbers() -> None:
    """The call adds True to False, which is the same in both; True and True is not."""
    for flags in ((True, False), (False, False)):
        made: dict[str, Any] = {"jnp": jnp, "jax": jax, "Any": Any}
        exec(jm.diagnose(both, X, *flags).rewrites[0].source, made)
        assert (jax.jit(made["both"])(X, True, True) == both(X, True, True)).all()


def test_beside_a_static_set() -> None:
    """What is traced beside it is tried with numbers that make a power negative."""
    found = jm.diagnose(of_some, X, 2, 2)
    assert found.static_argnames == ("n",) and POWER in found.reason and "k=-1" in found.reason


def utility(c: Any, gamma: Any) -> Any:
    if gamma == 1:
        return jnp.log(c)
    return c ** (1 - gamma) / (1 - gamma)


def test_ints_in_the_place_of_floats_are_said() -> None:
    """The rewrite serves floats, and Python's whole numbers but for their negative powers: it is told and stays an answer."""
    found = jm.diagnose(utility, jnp.array(2.0), jnp.array(2.0))
    assert found.rewrites and POWER in differences(found)


def score(x: Any, a: float, b: float) -> Any:
    n = (a > 1.0) + (b > 3.0)
    n += a > b
    if x.sum() > 0:
        return x * n
    return x


def test_flags_made_of_numbers_are_added_as_numbers() -> None:
    """They are Python's where the numbers are, and 2 together; the call itself has no two that are true."""
    found = jm.diagnose(score, X, 0.5, 0.0)
    made: dict[str, Any] = {"jnp": jnp, "jax": jax, "Any": Any}
    exec(found.rewrites[0].source, made)
    for one, other in ((2.0, 5.0), (5.0, 4.0), (0.0, 0.0), (0, -1)):
        assert (jax.jit(made["score"])(X, one, other) == score(X, one, other)).all()


def in_a_branch(x: Any, a: float) -> Any:
    n = a > 0
    if x.sum() > 0:
        n = n + (a > 0.5)
    return n * 3


def test_flags_are_added_where_the_call_does_not_come() -> None:
    """Other inputs of plain Python tell that they are its own there."""
    found = jm.diagnose(in_a_branch, -X, 0.0)
    made: dict[str, Any] = {"jnp": jnp, "jax": jax, "Any": Any}
    exec(found.rewrites[0].source, made)
    for x in (X, -X):
        assert jax.jit(made["in_a_branch"])(x, 1.0) == in_a_branch(x, 1.0)


def of_arrays(x: Any, a: float) -> Any:
    n = (x[0] > 1.0) + (x[1] > a)
    if x.sum() > a:
        return x * n
    return x


def test_flags_of_arrays_stay_as_they_are() -> None:
    """Their sum is True in plain Python, too."""
    assert "0 +" not in jm.diagnose(of_arrays, X, 0.5).rewrites[0].source


def counting(a: float, b: float) -> Any:
    return jnp.where((a > 1.0) + (b > 3.0) == 2, a, b)


def of_first(x: Any, n: int, a: float, b: float) -> Any:
    both = a > 1.0
    both += b > 3.0
    return x[:n].sum() * both


def test_what_traces_says_that_it_adds_flags() -> None:
    """Alone, or with a static set."""
    assert "`0 + (a > 1.0) + (b > 3.0)` is the same in both" in jm.diagnose(counting, 0.5, 0.5).reason
    found = jm.diagnose(of_first, X, 2, 0.5, 0.5)
    assert found.static_argnames == ("n",) and "`both += 0 + (b > 3.0)` is the same in both" in found.reason


def rooted(x: Any, s: float) -> Any:
    r = abs(s**0.5)
    if x.sum() > 0:
        return x * r
    return x


def test_a_root_that_is_complex_in_python_is_said():
    """Compiled it is NaN, which plain Python gives with an array for its number: that is no rounding."""
    found = jm.diagnose(rooted, X, 2.0)
    assert found.verified and "a negative float of its own to a fractional power" in differences(found)


def root(k: Any, x: Any) -> Any:
    square = k**0.5
    for _ in range(20):
        new = 0.5 * (x + square / x)
        if abs(new - x) < 1e-3:
            return new
        x = new
    raise RuntimeError("no convergence")


def test_a_root_that_is_complex_in_python_and_raises_as_nan_is_said():
    """With an array for its number plain Python raises, as NaN meets no tolerance: that refused the rewrite."""
    found = jm.diagnose(root, jnp.array(2.0), jnp.array(1.0))
    assert found.verified and "a negative float of its own to a fractional power" in differences(found)


def rooted_sum(x: Any) -> Any:
    r = jnp.sum(x) ** 0.5
    if x[1] > 0:
        return x * r
    return x


def test_a_root_of_an_array_is_nan_in_plain_python_as_well():
    assert "fractional power" not in differences(jm.diagnose(rooted_sum, X))


def squared_on(x: Any) -> Any:
    for _ in range(8):
        x = x * x - x
    if x.sum() > 0:
        return x
    return -x


def test_nan_of_what_outgrows_32_bits_is_no_root_and_is_said():
    """Of infinite numbers of 32 bits, where NumPy's of 64 are none."""
    found = differences(jm.diagnose(squared_on, np.array([0.5, 2.2, 1.0])))
    assert NAN_IN_SINGLE in found and NO_NUMBER not in found
