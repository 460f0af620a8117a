"""The best number of a range whose bounds are data, which a compiled loop finds by a loop."""

import jax.numpy as jnp
import pytest

from .helpers import check

X = jnp.array([1.0, 3.0, 2.0, 5.0, 0.5, -1.0, 4.0])
CALLS = [(X,), (-X,), (jnp.array([2.0, 2.0, 2.0, -1.0]),), (jnp.array([1.0, -3.0, 3.0, -1.0]),), (jnp.array([3.0, 1.0, 0.0]),)]

PLACES = {
    "the largest of the rest": "p = max(range(k, len(x)), key=lambda r: abs(x[r]))",
    "the least of those before, the first of equal ones": "p = min(range(k + 1), key=lambda r: x[r])",
    "by a method": "p = max(range(k, len(x)), key=x.__getitem__)",
    "its variable has another meaning around it": "r = k + 1; p = r + max(range(k, len(x)), key=lambda r: x[r] * k)",
    "in a test": "p = 0\n        if max(range(k, len(x)), key=lambda r: x[r]) == k:\n            p = 5",
}


@pytest.mark.parametrize("line", PLACES.values(), ids=PLACES)
def test_the_best_place_of_what_is_left(line):
    source = "def f(x):\n    k, s, r = 0, 0, 0\n    while x[k] > 0 and k < len(x) - 1:\n"
    source += f"        {line}\n        s += p + r\n        k += 1\n    return s\n"
    found = check(source, *CALLS)
    assert "best" in found.rewrites[0].patterns


def test_elimination_with_pivots_that_gives_up_at_a_small_one():
    """The loop is left by data, so that its number is, and how many rows are left."""
    source = """
def f(M):
    n, sign = len(M), 1
    for k in range(n):
        p = max(range(k, n), key=lambda r: abs(M[r, k]))
        if abs(M[p, k]) < 1e-9:
            return jnp.zeros(n), 0
        if p != k:
            M = M.at[k].set(M[p]).at[p].set(M[k])
            sign = -sign
        for r in range(k + 1, n):
            if M[r, k] != 0:
                M = M.at[r].add(-M[r, k] / M[k, k] * M[k])
    return jnp.diag(M), sign
"""
    m = jnp.array([[0.0, 2.0, 1.0], [1.0, 1.0, 0.0], [3.0, 0.0, 2.0]])
    check(source, (m,), (m.T,), (m.at[2].set(m[1]),), (jnp.eye(3),), (jnp.array([[4.0, 1.0], [2.0, 3.0]]),), seconds=20)


def test_the_place_of_nan_is_the_users_own_functions():
    # jnp.argmax takes NaN for the largest, Python's max() does not
    source = """
def f(x, most):
    k, total = 0, 0
    while k < len(x) and total < most:
        p = k + jnp.argmax(jnp.asarray([x[r] * k for r in range(k, len(x))]))
        total = 7 * total + 2 * p + jnp.argmin(jnp.asarray([x[r] for r in range(k, len(x))]))
        k += 1
    return total, k
"""
    nan = X.at[2].set(jnp.nan)
    check(source, (X, 999), (nan, 999), (nan.at[5].set(jnp.nan), 9999), (X[:3], 10))
