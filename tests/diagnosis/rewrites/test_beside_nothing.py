"""A choice between what is made of a selection and an array of nothing is none."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, check_with_counts, check_with_gradients, define

X, ALL, NONE = jnp.array([1.0, -2.0, 3.0, 0.5]), jnp.array([4.0, 2.0, 3.0, 1.0]), jnp.array([-1.0, -2.0, -3.0, 0.0])
LOOP = "out = []\n    for v in x:\n        if v > 0:\n            out.append(v * v)\n    "
MORE = (
    "out = []\n    for i in range(x.shape[0]):\n        w = x[i]\n        if w > 0:\n            w = w * 2\n"
    "            out.append(w)\n        else:\n            w = 0.0\n    "
)


@pytest.mark.parametrize(
    "body",
    [
        f"{LOOP}a = jnp.stack(out) if out else jnp.zeros(0)\n    return a.sum()",
        f"{MORE}a = jnp.array(out) if len(out) > 0 else jnp.array([])\n    return (a ** 2).sum()",
        f"{LOOP}if out:\n        a = jnp.stack(out)\n    else:\n        a = jnp.zeros((0,))\n    return jnp.cumsum(a).sum()",
        f"a = jnp.zeros(0)\n    {LOOP}if len(out) != 0:\n        a = jnp.asarray(out)\n    return a.sum() - a.shape[0]",
        "s = x[x > 0]\n    a = jnp.zeros(0) if s.size == 0 else s / s.sum()\n    return (a * a).sum()",
    ],
)
def test_what_is_chosen_is_as_long_as_what_was_selected(body):
    """Each was said to need a length that depends on data, though it is reduced behind the choice."""
    check_with_gradients(f"def f(x):\n    {body}\n", (X,), (ALL,), (NONE,), seconds=20.0)


@pytest.mark.parametrize("asked", ["not out", "len(out) == 0"])
@pytest.mark.parametrize("loop", [LOOP, MORE])
def test_so_is_what_a_helper_returns_early(loop, asked):
    source = f"def chosen(x):\n    {loop}if {asked}:\n        return jnp.zeros(0)\n    a = jnp.array(out)\n    return a * 3\n\n"
    source += "def f(x, y):\n    return chosen(x).sum() - 2 * chosen(y).sum()\n"
    check_with_gradients(source, (X, -X), (ALL, NONE), (NONE, X), (-X, ALL), seconds=20.0)


ROWS = jnp.arange(12.0).reshape(4, 3) - 4


@pytest.mark.parametrize(
    ("body", "x"),
    [
        (f"{LOOP}return jnp.stack(out) if out else jnp.zeros(0)", X),
        (f"{MORE}if not out:\n        return jnp.array([])\n    out = jnp.array(out)\n    return jnp.sort(out)", X),
        (f"{LOOP}if len(out) < 1:\n        return jnp.zeros(0), jnp.zeros(0)\n    a = jnp.stack(out)\n    return a, -a", X),
        (
            "out = []\n    for r in x:\n        if r.sum() > 0:\n            out.append(r * 2)\n"
            "    if not out:\n        return jnp.zeros((0, x.shape[1]))\n    return jnp.stack(out)",
            ROWS,
        ),
    ],
)
def test_what_leaves_the_function_comes_with_its_count(body, x):
    """The caller gets plain Python's elements in front of the whole array, none of them where there are none."""
    check_with_counts(f"def f(x):\n    {body}\n", *((given,) for given in (x, abs(x) + 1, -abs(x), -x)), seconds=20.0)


@pytest.mark.parametrize(
    "body",
    [
        f"{LOOP}if not out:\n        return jnp.zeros(0)\n    return jnp.concatenate([jnp.stack(out), x])",
        f"{LOOP}return jnp.stack(out)[None] if out else jnp.zeros(0)",
        f"{LOOP}return jnp.stack(out) if len(out) > 1 else jnp.zeros(0)",
        f"{LOOP}return jnp.zeros(0) if out else jnp.stack([x[0], *out])",
    ],
)
def test_what_has_another_length_than_nothing_stays_a_choice(body):
    found = propose(define(f"def f(x):\n    {body}\n")["f"], (X,), {}, seconds=5.0)
    assert not found.rewrites and not found.unverified


@pytest.mark.parametrize(
    "body",
    [
        "out = [v for v in x if v > 0]\n    if not out:\n        return jnp.zeros(0)\n    out = [v for v in y if v > 0]\n"
        "    return jnp.stack(out)",
        "m = x > 0\n    if not jnp.any(m):\n        return jnp.zeros(0)\n    m = y > 0\n    return y[m] * 2",
    ],
)
def test_a_name_that_is_another_selection_by_then_is_not_what_was_asked_about(body):
    """The second selection was taken to be as long as the first, and came where plain Python returns nothing."""
    found = propose(define(f"def f(x, y):\n    {body}\n")["f"], (X, ALL), {}, seconds=5.0)
    assert not found.rewrites and not found.unverified


def test_another_number_for_nothing_stays_a_choice():
    check(f"def f(x):\n    {LOOP}return jnp.stack(out).max() if out else 7.0\n", (X,), (ALL,), (NONE,), seconds=20.0)
