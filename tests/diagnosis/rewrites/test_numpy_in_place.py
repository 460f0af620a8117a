"""Arrays of NumPy that a function changes in place: its own, and its caller's."""

import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm

from .helpers import check, define

SMOOTH = """
def f(u, n):
    for _ in range(n):
        for i in range(1, len(u) - 1):
            if u[i] > u[i - 1]:
                u[i] = 0.5 * (u[i - 1] + u[i + 1])
    {end}
"""


def test_an_array_of_the_callers_that_comes_back_is_compared_on_copies():
    """The caller's own is not changed by the comparison, and the difference is said."""
    u = np.array([1.0, 3.0, 2.0, 5.0])
    before = u.copy()
    found = jm.diagnose(define(SMOOTH.format(end="return u"))["f"], u, 2)
    assert found.verified and "the compiled function does not" in " ".join(found.rewrites[0].compared.differences)
    assert np.array_equal(u, before)


def test_where_nothing_comes_back_no_rewrite_is_shown():
    """Compiled, it would do nothing at all."""
    found = jm.diagnose(define(SMOOTH.format(end="pass"))["f"], np.array([1.0, 3.0, 2.0, 5.0]), 2)
    assert not found.rewrites and not found.unverified
    assert "let it return the array" in found.reason


def test_what_is_made_of_a_buffer_is_an_array_of_jax_already():
    source = """
def f(labels, weights):
    sums = np.zeros(3)
    for k in range(len(labels)):
        sums[labels[k]] += weights[k]
    sums = sums / np.maximum(sums.sum(), 1e-6)
    return sums
"""
    labels, weights = np.array([0, 2, 0]), np.array([0.5, 1.0, 2.0], np.float32)
    first = check(source, (labels, weights), (labels[::-1], weights * 2)).rewrites[0]
    assert "jnp.array(" not in first.source


@pytest.mark.parametrize("condition", ["if v[i] > limit:\n            ", ""], ids=["where it is large", "always"])
def test_a_list_of_whole_numbers_to_which_floats_are_added_is_an_array_of_floats(condition):
    """`[0] * 3` is of ints until something else is put there; an array of ints would cut the fractions off."""
    source = (
        "def f(v, limit, ids):\n    tally = [0] * 3\n    for i in range(v.shape[0]):\n"
        f"        {condition}tally[int(ids[i])] += v[i]\n    return jnp.array(tally)\n"
    )
    values, ids = jnp.array([3.0, -0.3, 0.25, 0.25]), jnp.array([2, 2, 0, 1])
    found = check(source, (values, -3.0, ids), (values, 0.0, ids), (-values, -3.0, ids[::-1]))
    assert "jnp.array([0] * 3, float)" in found.rewrites[0].source


def test_a_list_of_whole_numbers_that_counts_stays_one_of_ints():
    source = (
        "def f(v, limit, ids):\n    tally = [0] * 3\n    for i in range(v.shape[0]):\n"
        "        if v[i] > limit:\n            tally[int(ids[i])] += 1\n    return jnp.array(tally)\n"
    )
    values, ids = jnp.array([3.0, -0.3, 0.25, 0.25]), jnp.array([2, 2, 0, 1])
    assert "float" not in check(source, (values, -3.0, ids), (values, 0.0, ids)).rewrites[0].source


def test_what_the_rules_ask_of_plain_python_changes_no_array_of_the_callers():
    """Facts about expressions come from runs, which got the caller's own array: it was changed, and the rewrite refused."""
    source = (
        "def f(s, a, reward, Q):\n    best = Q[s].max()\n    if reward > 0:\n"
        "        Q[s, a] += 0.5 * (reward + best - Q[s, a])\n    return best, Q\n"
    )
    table = np.zeros((3, 2), np.float32)
    found = jm.diagnose(define(source)["f"], 1, 0, 1.0, table)
    assert found.verified and not table.any()


@pytest.mark.parametrize(
    "change", ["x[0] = 0.0\n    x = x + 1", "x *= 2", "y = x\n    y += 1", "np.clip(x, 0, 1, out=x)", "empty(x)"]
)
def test_an_array_that_is_written_to_by_whatever_name_is_said_to_stay(change):
    """A name that the function binds as well was taken for its own, and the caller's array for untouched."""
    source = f"""
import numpy as np
def empty(a):
    a[:] = 0
def f(x, t):
    {change}
    return jnp.where(x > 0, t, 0.0) if x.sum() > t else x
"""
    found = jm.diagnose(define(source)["f"], np.array([1.0, 2.0, 3.0]), 5.0)
    for rewrite in (*found.rewrites, *found.splits):
        assert any("place" in each or "arrays stay" in each for each in rewrite.compared.differences)
