"""Numbers of groups that each element reads back."""

import jax.numpy as jnp
import pytest

from .helpers import check, check_with_gradients, define, offered, propose

X, Y = jnp.array([1.0, 3.0, -2.0, 2.0, 5.0]), jnp.array([0, 9, 2, 0, 9])
SEGMENTS = "jax.ops.segment_"

SERVED = {
    "less its group's mean": f"""
def f(x, y):
    n = y.max() + 1
    total = {SEGMENTS}sum(x, y, num_segments=n)
    many = {SEGMENTS}sum(jnp.ones_like(x), y, n)
    return x - (total / jnp.maximum(many, 1))[y]
""",
    "softmax in each group": f"""
def f(x, y):
    n = int(jnp.max(y)) + 1
    e = jnp.exp(x - {SEGMENTS}max(x, y, n)[y])
    return e / {SEGMENTS}sum(e, y, num_segments=n)[y]
""",
    "counts without a length": """
def f(x, y):
    return x * (jnp.bincount(y, x) / jnp.bincount(y))[y]
""",
    "added in place": """
def f(x, y):
    total = jnp.zeros(int(y.max()) + 1).at[y].add(x)
    return x / jnp.where(total > 0, total, 1.0)[y]
""",
    "no number is said": f"""
def f(x, y):
    return {SEGMENTS}sum(x, y)[y]
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_groups_that_are_read_back_need_no_number(how):
    check(SERVED[how], (X, Y), (-X, jnp.array([3, 3, 3, 1, 0])), (X[:2], jnp.array([7, 7])))


def test_what_is_read_back_has_its_gradient():
    check_with_gradients(
        SERVED["softmax in each group"].replace("return e", "return (jnp.arange(x.size) * e").rstrip() + ").sum()\n", (X, Y)
    )


@pytest.mark.parametrize(
    "body",
    [
        "return s[y].sum() + s.max()",
        "return s / s.mean()",
        "return s[y[::-1]]",
        "return (s * jnp.arange(n))[y]",
        "return s[y] / n",
    ],
)
def test_groups_that_something_else_reads_keep_their_numbers(body):
    source = f"def f(x, y):\n    n = y.max() + 1\n    s = {SEGMENTS}sum(x, y, num_segments=n)\n    {body}\n"
    assert "unique" not in offered(source, X, Y)


def test_labels_that_are_bound_again_are_others():
    source = f"def f(x, y):\n    s = {SEGMENTS}sum(x, y, num_segments=y.max() + 1)\n    y = y[::-1]\n    return s[y]\n"
    assert "unique" not in offered(source, X, Y)


@pytest.mark.parametrize(
    "lines",
    [
        "means = jnp.bincount(inv, weights=x * w) / jnp.bincount(inv, weights=w)\n    k = jnp.argmax(means)\n"
        "    return means.max(), names[k]",
        "means = jax.ops.segment_sum(x, inv) / jnp.bincount(inv)\n    spread = means.max() - means.min()\n"
        "    return spread, len(names), means.std()",
        "top = jax.ops.segment_max(x, inv)\n    return top.mean(), (x - top[inv]).sum(), top[0], top[-1]",
        "n = jnp.bincount(inv)\n    big = jnp.argmax(n)\n    return names[big], n[big], jnp.bincount(inv, weights=x)[big]",
    ],
    ids=["weighted means", "means", "largest", "of the largest group"],
)
def test_groups_by_the_numbers_of_their_distinct_labels(lines):
    """As many as there are distinct labels, which are no more than there are elements."""
    source = f"def f(y, x, w):\n    names, inv = jnp.unique(y, return_inverse=True)\n    {lines}\n"
    x, w = jnp.array([1.0, -2.0, 3.0, 5.0, -1.0]), jnp.array([1.0, 2.0, 0.5, 1.0, 4.0])
    labels = jnp.array([30, 10, 30, 20, 10]), jnp.array([7, 7, 7, 7, 7]), jnp.array([5, 4, 3, 2, 1])
    check(source, *((y, x, w) for y in labels), (labels[0][:2], x[:2], w[:2]), seconds=20.0)


def test_numbers_of_labels_that_are_others_further_down():
    """The name was bound again: it no longer numbers what was distinct there."""
    source = (
        "def f(y, x):\n    names, inv = jnp.unique(y, return_inverse=True)\n    {}sums = jnp.bincount(inv, weights=x)\n"
        "    return sums.max(), len(sums), names[0]\n"
    )
    y, x = jnp.array([3, 1, 3, 2]), jnp.array([1.0, 2.0, 4.0, 8.0])
    for line in ("", "y = y.max()\n    "):  # what was numbered may be another by then
        check(source.format(line), (y, x), (y * 0, x), seconds=20.0)
    found = propose(define(source.format("inv = inv * 2\n    "))["f"], (y, x), {}, seconds=10.0)
    assert not found.rewrites
