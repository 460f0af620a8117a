"""How many groups there are is told to JAX where the code knows it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define, offered

X, LABELS = jnp.array([1.0, -2.0, 3.0, 5.0]), jnp.array([0, 2, 1, 2])
OTHER = "labels of which the largest is not n - 1, for which plain Python makes more or fewer groups"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("n = w.size\n    c = jnp.bincount(y)\n    return (w / jnp.maximum(c, 1)).sum()", "jnp.bincount(y, length=n)"),
        ("means = jax.ops.segment_sum(x, y) / w\n    return means", "num_segments=w.shape[0])"),
        ("n = 3\n    return jnp.bincount(y, weights=x).reshape(n, 1) + w", "jnp.bincount(y, weights=x, length=n)"),
        ("from jax.ops import segment_max\n    return jnp.where(w > 0, segment_max(x, y), w)", "num_segments=w.shape[0])"),
    ],
)
def test_a_length_that_the_code_has_is_given(body, text):
    """Of all of these it was said that no array of a fixed shape can hold them."""
    calls = [(X, LABELS, jnp.ones(3)), (X * 2, LABELS[::-1], jnp.array([1.0, 0.0, 3.0]))]
    assert text in check(f"def f(x, y, w):\n    {body}\n", *calls).rewrites[0].source


def weighted(x, y, n):
    counts = jnp.bincount(y)
    return (x * (len(y) / (n * counts))[y]).sum()


def shares(x, y, n):
    counts = jnp.bincount(y)
    return jnp.log(counts / n)


def sums(x, y, n):
    return jax.ops.segment_sum(x, y) / 2


def test_weights_that_each_element_reads_back_need_no_number_of_groups():
    """n was made static, as if it were the length: what it is does not matter there."""
    found = jm.diagnose(weighted, X, LABELS, 3)
    assert found.kind == "rewrite" and not found.static_argnames
    namespace = dict(globals())
    exec(found.rewrites[0].source, namespace)
    for n in (3, 5):
        assert jnp.allclose(jax.jit(namespace["weighted"])(X, LABELS, n), weighted(X, LABELS, n))


@pytest.mark.parametrize("fun", [shares, sums])
def test_an_argument_that_is_the_number_of_groups_is_static(fun):
    """What is other where it is not their number is said."""
    found = jm.diagnose(fun, X, LABELS, 3)
    assert found.kind == "static+rewrite" and set(found.static_argnames) == {"n"}
    said = found.rewrites[0].compared
    assert OTHER in said.differences + said.not_reached


def test_no_number_is_given_where_none_is_known():
    assert not jm.diagnose(lambda x, y: jax.ops.segment_sum(x, y).max(), X, LABELS).rewrites


def test_what_counts_something_else_is_not_their_number():
    """It is as large by chance: the answer would be an accident."""

    def repeated(y, n_iter):
        return jnp.bincount(y) * n_iter

    def numbered(y, n_labels):
        return jnp.bincount(y) * n_labels

    assert not jm.diagnose(repeated, LABELS, 3).rewrites
    assert jm.diagnose(numbered, LABELS, 3).rewrites


def rarest(y, losses):
    counts = jnp.bincount(y)
    return losses.sum() / (jnp.count_nonzero(counts) * counts[y]), counts[counts > 0].min()


def test_as_many_groups_as_labels_are_so_by_chance():
    """Other arrays have a number for each label: their length says nothing of the groups."""
    found = jm.diagnose(rarest, jnp.array([0, 0, 0, 2, 2, 5]), jnp.arange(6.0))
    assert all("length=" not in each.source for each in found.rewrites)


@pytest.mark.parametrize("number", ["12", "PITCHES"])
def test_labels_that_are_a_remainder_are_below_it_on_every_call(number):
    """Nothing is said of other labels: there are none."""
    source = f"""
PITCHES = 12


def f(notes, weights=None):
    pitch = notes % {number}
    used = jnp.bincount(pitch, weights=weights)
    counts = jnp.zeros({number}).at[: used.shape[0]].set(used)
    return counts / counts.sum()
"""
    notes = jnp.array([60, 62, 64, 65, 67, 69, 60])
    found = check(source, (notes,), (notes + 6,), (notes[:1],), (notes[:2], jnp.array([0.5, 2.0])))
    assert f"length={number})" in found.rewrites[0].source and not found.rewrites[0].compared.differences


def test_labels_that_are_a_remainder_for_some_calls_alone_may_be_larger():
    source = """
def f(labels, weights, wrap=True):
    if wrap:
        labels = labels % 4
    return jnp.bincount(labels, weights=weights).max()
"""
    labels = jnp.array([1, 2, 3, 5])
    assert "length=" not in offered(source, labels, jnp.ones(4))


def test_sums_of_groups_that_nothing_is_in_are_said_of_labels_that_are_a_remainder_as_well():
    """Such a sum is zero, and larger than those below."""
    source = "def f(x, w):\n    return jnp.bincount(x % 5, weights=w).max()\n"
    found = propose(define(source)["f"], (jnp.array([3, 4, 0, 2]), jnp.ones(4)), {}, seconds=20.0).rewrites
    assert found
    assert all("largest is not" in " ".join((*each.compared.differences, *each.compared.not_reached)) for each in found)


def test_weights_of_labels_may_be_floats_where_none_are_given():
    """Beside labels alone no float was tried: a table of whole numbers was proven, and took of each weight the whole part."""
    source = (
        "def f(labels, weights=None):\n    votes = [0] * 4\n    for i, k in enumerate(labels):\n"
        "        votes[int(k)] += 1 if weights is None else weights[i]\n    best = 0\n    for k in range(1, 4):\n"
        "        if votes[k] > votes[best]:\n            best = k\n    return best, votes[best] * 1.0\n"
    )
    labels = jnp.array([2, 2, 3, 1, 3, 0])
    check(source, (labels,), (labels, jnp.array([0.1, 0.2, 0.9, 1.5, 0.7, 0.4])), (labels[:3], jnp.array([0.1, 0.2, 0.4])))


def test_the_number_of_edges_is_that_of_their_nodes_by_chance():
    """The labels are computed of both ends: neither tells how many nodes there are."""
    source = (
        "def f(one, other, w):\n    ids = jnp.concatenate([one, other])\n    degree = jnp.bincount(ids)\n"
        "    return (degree[one] * degree[other]).sum() + {}\n"
    )
    one, other = jnp.array([0, 0, 0, 1, 3]), jnp.array([1, 2, 3, 2, 4])
    assert "length=" not in offered(source.format("w.sum()"), one, other, jnp.ones(3))
    more = jnp.append(one, 3), jnp.append(other, 0)
    found = propose(define(source.format("degree * w"))["f"], (*more, jnp.ones(5)), {}, seconds=5.0)
    assert "length=w.shape[0]" in found.rewrites[0].source
