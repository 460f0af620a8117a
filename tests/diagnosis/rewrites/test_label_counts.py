"""`jnp.bincount` without a length: what is asked of the counts is asked of the labels that occur."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

LABELS = jnp.array([1, 2, 0, 1, 4, 2])
OTHERS = [(LABELS,), (jnp.array([5, 5, 3, 3, 9, 9]),), (jnp.array([7, 7, 7, 7, 7, 7]),), (jnp.arange(6),)]


@pytest.mark.parametrize(
    "body",
    [
        "return len(jnp.bincount(x))",
        "counts = jnp.bincount(x)\n    return jnp.argmax(counts) + counts.size",
        "counts = jnp.bincount(x)\n    return 2 * jnp.sum(counts == 0)",
        pytest.param("return (jnp.bincount(x) == 0).sum()", marks=pytest.mark.slow),
        "counts = jnp.bincount(x)\n    share = counts[counts > 0] / len(x)\n    return -(share * jnp.log(share)).sum()",
        pytest.param("return jnp.bincount(x).argmax()", marks=pytest.mark.slow),
        pytest.param("return jnp.bincount(x).max()", marks=pytest.mark.slow),
        pytest.param("counts = jnp.bincount(x)\n    return (counts > 1).sum()", marks=pytest.mark.slow),
        pytest.param(
            "counts = jnp.bincount(x)\n    p = counts / counts.sum()\n    return 1 - (p**2).sum()", marks=pytest.mark.slow
        ),
    ],
)
def test_what_labels_that_never_occur_do_not_change(body):
    assert check(f"def f(x):\n    {body}\n", *OTHERS).rewrites[0].verified


@pytest.mark.parametrize(
    "asked", ["counts", "counts.mean()", "counts.min()", "counts[1]", "(counts + 1).sum()", "(counts < 1).sum()"]
)
def test_what_they_do_change_is_refused(asked):
    found = propose(define(f"def f(x):\n    counts = jnp.bincount(x)\n    return {asked}\n")["f"], (LABELS,), {})
    assert not found.rewrites


def test_what_is_refused_says_what_would_do():
    """How many groups there are is data here; told of it, the operation has a fixed shape."""
    found = propose(define("def f(x):\n    return jax.ops.segment_sum(x, x)\n")["f"], (LABELS,), {})
    assert not found.rewrites and "num_segments=" in found.why_not


@pytest.mark.parametrize(
    "body",
    [
        "c = jnp.bincount((x > 1).astype(int))\n    return c.max() / x.size",
        "return jnp.bincount(jnp.floor(x / 2).astype(int)).argmax()",
        "c = np.bincount(np.asarray(x))\n    return c.max()",
    ],
)
def test_labels_that_have_no_name_get_one(body):
    """Only of a name was it known what is asked of its counts."""
    assert check(f"def f(x):\n    {body}\n", *OTHERS, seconds=20.0).rewrites[0].verified


@pytest.mark.parametrize(
    ("n", "zeros", "asked"),
    [
        ("int(x.max()) + 1", "jnp.zeros(n)", "counts.max()"),
        ("jnp.max(x) + 1", "jnp.zeros(n, int)", "counts.argmax()"),
        pytest.param("int(jnp.max(x)) + 1", "jnp.zeros(n)", "(counts ** 2).sum()", marks=pytest.mark.slow),
    ],
)
def test_labels_that_are_counted_by_adding_ones_are_counted_alike(n, zeros, asked):
    """An array as long as the largest label was left, where `bincount` was known."""
    body = f"n = {n}\n    counts = {zeros}.at[x].add(1)\n    return {asked}"
    assert check(f"def f(x):\n    {body}\n", *OTHERS, seconds=20.0).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "return jnp.bincount(x[x > 0]).max()",
        "return jnp.bincount(x[x >= 0]).argmax()",
        "v = x[x != 2]\n    counts = jnp.bincount(v)\n    return jnp.argmax(counts), counts.max() / len(v)",
        "v = x[x != 2]\n    p = jnp.bincount(v) / v.size\n    p = p[p > 0]\n    return -(p * jnp.log(p)).sum()",
    ],
)
def test_labels_that_were_selected(body):
    calls = [(jnp.array(labels),) for labels in ([1, 2, 3, 3, 5, 6], [1, 1, 0, 2, 2, 1], [4, 4, 4, 4, 4, 4])]
    check(f"def f(x):\n    {body}\n", *calls, seconds=10.0)


def test_counts_of_which_those_above_a_number_are_kept_under_their_name():
    calls = [(jnp.array(labels),) for labels in ([1, 2, 3, 3, 5, 6], [1, 1, 0, 2, 2, 1], [4, 4, 4, 4, 4, 4])]
    check("def f(x):\n    c = jnp.bincount(x)\n    c = c[c > 1]\n    return len(c) + c.min()\n", *calls, seconds=10.0)
