"""Recursion that calls itself more than once is a loop over the calls that are still to be made."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.diagnosis.rewrites.helpers import applied, check, define, offered, propose

SIMPSON = """
def rule(a, b):
    return (b - a) / 6 * (jnp.sin(a) + 4 * jnp.sin((a + b) / 2) + jnp.sin(b))

"""
HALVES = "m = (a + b) / 2\n{0}whole, halves = rule(a, b), rule(a, m) + rule(m, b)\n"


def test_an_adaptive_rule():
    source = SIMPSON + "def f(a, b, tol=1e-4):\n    " + HALVES.format("    ")
    source += "    if abs(whole - halves) < 15 * tol:\n        return halves + (halves - whole) / 15\n"
    source += "    return f(a, m, tol / 2) + f(m, b, tol / 2)\n"
    found = check(source, (0.0, 3.0), (0.0, 3.0, 1e-6), (1, 2), (2.0, 2.0), (jnp.array(3.0), jnp.array(-1.0), 1e-5))
    assert any("at most 3,000 calls wait at a time" in each for each in found.rewrites[0].compared.differences)


def test_a_function_within_another_that_uses_its_names():
    source = SIMPSON + "def f(a, b, tol):\n    def rec(a, b):\n        " + HALVES.format("        ")
    source += (
        "        if abs(whole - halves) < tol * (b - a):\n            return halves\n        return rec(a, m) + rec(m, b)\n"
    )
    source += "    return rec(a, b)\n"
    check(source, (0.0, 3.0, 1e-3), (0.0, 3.0, 1e-5), (0, 1, 0.1))


@pytest.mark.parametrize(
    "body",
    [
        "    left = f(x / 3, n - 1)\n    right = f(x / 2, n - 1)\n    return left + right + 0.1\n",
        "    return 1 - x + f(x / 3, n - 1) - n + f(n=n - 1, x=x / 2)\n",
        "    return f(x / 3, n - 1) + f(x / 2, n - 1) + f(x / 5, n - 2)\n",
        "    if x > 1:\n        return f(x / 3, n - 1)\n    return f(x * 0.8, n - 1) + f(x / 4, n - 1)\n",
        "    return max(f(x / 3, n - 1), f(x - 0.23, n - 1))\n",
        "    return jnp.minimum(f(x / 3, n - 1), f(x - 0.23, n - 1))\n",
    ],
)
def test_what_the_calls_give_is_put_together(body):
    source = f"def f(x, n):\n    if n <= 0 or x < 0.1:\n        return x\n{body}"
    check(source, (2.0, jnp.array(4)), (0.5, jnp.array(7)), (3, jnp.array(1)), (0.0, jnp.array(3)), seconds=20.0)


def test_whole_numbers_stay_whole():
    source = "def f(n, k):\n    if k == 0 or k == n:\n        return 1\n    return f(n - 1, k - 1) + f(n - 1, k)\n"
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array(6), jnp.array(3)), {})
    with applied(found, namespace):
        got = jax.jit(namespace["f"])(9, 4)
        assert got == 126 and np.issubdtype(got.dtype, np.integer)


def test_it_goes_as_deep_as_pythons_own():
    source = "def f(x, n):\n    if n == 0:\n        return x\n    return f(x, n * 0) + f(x + 1, n - 1)\n"
    check(source, (0.5, jnp.array(3)), (0.5, jnp.array(600)))
    check(source.replace("f(x, n * 0) + f(x + 1, n - 1)", "f(x + 1, n - 1) + f(x, n * 0)"), (0.5, jnp.array(600)))


def test_what_ends_in_a_choice_is_added_as_a_whole():
    source = "def f(x, n, up):\n    if n <= 0:\n        return x if up else -x\n"
    source += "    return f(x / 3, n - 1, up) + f(x / 2, n - 1, up)\n"
    check(source, (2.0, jnp.array(4), True), (2.0, jnp.array(4), False), static=("up",))


def test_a_return_that_shares_its_line():
    source = "def f(x, n):\n    if n <= 0 or x < 0.1: return x\n    return f(x / 3, n - 1) + f(x / 2, n - 1)\n"
    found = check(source, (2.0, jnp.array(4)), (0.5, jnp.array(7)), (0.0, jnp.array(3)))
    assert not any("rejected" in each for each in found.obstacles)


def test_an_argument_that_is_left_out_has_its_default():
    source = "def f(x, n, w=0.5):\n    if n <= 0:\n        return x * w\n    return f(x / 3, n - 1) + f(x / 2, n - 1, w + 1)\n"
    check(source, (2.0, jnp.array(4), 3), (1.0, jnp.array(2)), (2, jnp.array(3), 0))


def test_the_largest_of_more_than_two():
    source = "def f(x, n):\n    if n <= 0:\n        return x\n    return max(f(x / 3, n - 1), f(x - 0.23, n - 1), 0.5, x / 9)\n"
    check(source, (2.0, jnp.array(4)), (0.2, jnp.array(2)))


def test_halves_that_are_added_to_whole_numbers():
    source = "def f(x, n):\n    if n <= 0 or x < 0.1:\n        return 1\n    return f(x / 3, n - 1) + f(x / 2, n - 1) + 0.5\n"
    found = check(source, (2.0, jnp.array(4)), (0.05, jnp.array(1)))
    assert "total = 0.0" in found.rewrites[0].source


@pytest.mark.parametrize(
    "last",
    [
        "return f(x / 3, n - 1) - f(x / 2, n - 1)",
        "return f(x / 3, n - 1) * f(x / 2, n - 1)",
        "return f(f(x / 3, n - 1), n - 2)",
        "return jnp.where(x > 1, f(x / 3, n - 1), f(x / 2, n - 1))",
        "return f(x / 3, n - 1) + 2 * f(x / 2, n - 1)",
        "left = f(x / 3, n - 1)\n    return left + f(x / 2, n - 1) + left * 0.1",
    ],
)
def test_what_is_put_together_otherwise_is_left(last):
    source = f"def f(x, n):\n    if n <= 0 or x < 0.1:\n        return x\n    {last}\n"
    assert "stack" not in offered(source, 2.0, jnp.array(3))
    assert "stack" in offered(source.replace(last, "return f(x / 3, n - 1) + f(x / 2, n - 1)"), 2.0, jnp.array(3))


def test_arrays_are_no_numbers_to_wait_with():
    source = "def f(x, n):\n    if n <= 0:\n        return x.sum()\n    return f(x / 3, n - 1) + f(x / 2, n - 1)\n"
    assert "stack" not in offered(source, jnp.array([1.0, 2.0]), jnp.array(3))
    assert "stack" in offered(source.replace("x.sum()", "x"), 2.0, jnp.array(3))


def test_a_parameter_that_is_changed_first_waits_as_well():
    """`tol = tol / 2` above `f(a, m, tol)`: handed on under its own name it was changed at each call, and not at each depth."""
    source = SIMPSON + "def f(a, b, tol=1e-4):\n    " + HALVES.format("    ")
    source += "    if abs(whole - halves) < 15 * tol:\n        return halves\n    tol = tol / 2\n"
    source += "    return f(a, m, tol) + f(m, b, tol)\n"
    found = check(source, (0.0, 3.0), (0.0, 3.0, 1e-6), (0.0, 9.0, 1e-3))
    assert "pending_tol" in found.rewrites[0].source
