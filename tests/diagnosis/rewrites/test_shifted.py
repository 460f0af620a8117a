"""A selection beside itself, moved on by one: `jnp.concatenate([x[:1], x[:-1]])` is as long as `x`."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from tests.diagnosis.rewrites.helpers import check, check_with_gradients, offered

CALLS = [(jnp.array(x),) for x in ([0.0, 3.0, 1.0, 10.0, -1.0, 6.0], [2.0, 1.0, 4.0], [-1.0, 5.0])]
KEPT = "x = x[x > 0]\n    "


@pytest.mark.parametrize(
    "moved",
    [
        "jnp.concatenate([jnp.zeros(1), x[:-1]])",
        "jnp.append(0.0, x[:-1])",
        "jnp.concatenate([x[:1], x[:-1]])",
        "jnp.append(x[1:], 7.0)",
        "jnp.concatenate([x[1:], x[-1:]])",
        "jnp.concatenate([x[2:], x[-2:]])",
    ],
)
def test_it_is_joined_with_what_it_was(moved):
    check_with_gradients(f"def f(x):\n    {KEPT}return jnp.sum({moved} * (x + 1))\n", *CALLS)


def test_by_a_name_and_from_sums():
    source = "def f(x):\n    x = jnp.sort(x[x > 0])\n    share = jnp.cumsum(x) / x.sum()\n"
    source += "    before = jnp.concatenate([jnp.zeros(1), share[:-1]])\n"
    source += "    return 1 - jnp.mean(share + before), jnp.max(share - before)\n"
    check(source, *CALLS)


def test_what_begins_a_selection_is_in_front_without_being_brought_there():
    found = check(f"def f(x):\n    {KEPT}return jnp.max(x - jnp.concatenate([x[:1], x[:-1]]))\n", *CALLS)
    assert found.rewrites[0].source.count("argsort") == 1


@pytest.mark.parametrize("moved", ["jnp.append(x[2:], 7.0)", "jnp.concatenate([x[:2], x[:-1]])", "jnp.append(y[1:], 7.0)"])
def test_what_is_not_as_long_keeps_its_own_length(moved):
    source = f"def f(x):\n    y = x[x > 2]\n    {KEPT}moved = {moved}\n    return moved.sum(), len(moved), len(x)\n"
    check(source, *CALLS)


def test_two_more_than_there_is_are_beside_a_single_one():
    """`[*x[2:], 4, 5]` has two elements where `x` has one, which is then repeated."""
    source = f"def f(x):\n    {KEPT}return jnp.sum(jnp.concatenate([x[1:], jnp.array([4.0])]) * x)\n"
    assert "where" in offered(source, *CALLS[0])
    for other in ("x[2:], jnp.array([4.0, 5.0])", "x[2:], jnp.array([4.0])"):
        assert "where" not in offered(source.replace("x[1:], jnp.array([4.0])", other), jnp.array([-1.0, 5.0, 3.0]))


@pytest.mark.parametrize(
    "made", ["[x[:3], x[:-1]]", "[x[:3], x[1:]]", "[x[::2], x[1::2]]", "[x[:2], x[:-1]]", "[x[:1], x[2:]]"]
)
def test_what_counts_is_brought_to_the_front_where_a_gap_may_be(made):
    """Of two elements `x[:3]` has two, behind which a place is empty before those of the rest."""
    source = (
        f"def f(x):\n    {KEPT}y = jnp.concatenate({made})\n    return jnp.cumsum(y)[-1], jnp.sum(y * jnp.arange(len(y)))\n"
    )
    check(
        source,
        *CALLS[:2],
        (jnp.array([1.0, -1.0, 3.0, -2.0, -5.0, -4.0]),),
        (jnp.array([-1.0, -1.0, 3.0, -2.0, 2.0, 4.0, 5.0]),),
    )


def test_a_mask_of_the_callers_is_not_as_long_as_its_rest_and_one():
    """The first need not count: `x[1:][ok[1:]]` and one more are another number than `x[ok]`."""
    source = "def f(x):\n    ok = x > 0\n    tail = jnp.concatenate([jnp.zeros(1), x[1:][ok[1:]]])\n"
    source += "    return tail.sum(), len(tail), x[ok].sum()\n"
    check(source, *CALLS)
