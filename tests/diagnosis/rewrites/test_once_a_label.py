"""Dicts that are filled once for each of the labels that occur, and read by their values, labels and number."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import check, check_with_gradients, offered

X = jnp.array([1.0, 2.0, 4.0, 3.0, 7.0, 6.5])
CALLS = [(X, jnp.array(labels)) for labels in ([0, 0, 1, 1, 2, 2], [3, 8, 8, 3, 8, 3], [1, 1, 1, 1, 1, 1], [5, 4, 3, 2, 1, 6])]
MEANS = "means = {}\n    for k in jnp.unique(y):\n        means[int(k)] = x[y == k].mean()\n    "
BOTH = (
    "sizes, means = {}, {}\n    labels = jnp.unique(y)\n    for g in labels:\n        inside = y == g\n"
    "        sizes[int(g)] = inside.sum()\n        means[int(g)] = x[inside].mean()\n    "
)


@pytest.mark.parametrize(
    "body",
    [
        f"{MEANS}return max(means.values()) - 2 * min(means.values())",
        f"{MEANS}a = jnp.array(list(means.values()))\n    return ((a - a.mean()) ** 2).sum()",
        "sums = {k.item(): jnp.sum(x[y == k]) ** 2 for k in jnp.unique(y)}\n    return sum(sums.values()) / len(sums)",
        f"{BOTH}s = 0.0\n    for k, v in means.items():\n        s += (k + 1) * v ** 2\n    return s / len(sizes)",
        f"{MEANS}return jnp.stack([(v - means[int(k)]) ** 2 for v, k in zip(x, y)]).sum()",
        f"{BOTH}return sum(sizes[k] * means[k] ** 2 for k in sizes)",
    ],
)
def test_a_dict_of_numbers_by_label(body):
    """Each was said to have keys that come from data. The gradient of a label that does not occur was NaN."""
    check_with_gradients(f"def f(x, y):\n    {body}\n", *CALLS, seconds=30.0)


@pytest.mark.parametrize(
    "body",
    [
        f"{MEANS}return max(means, key=means.get), len(means)",
        "sizes = {}\n    for label in jnp.unique(y).tolist():\n        sizes[label] = jnp.sum(y == label)\n"
        "    return min(sizes, key=sizes.get), max(sizes.values()), sum(sizes)",
        f"{MEANS}return sorted(means.values())[0], min(means.keys())",
    ],
)
def test_its_best_label_and_its_sizes(body):
    check(f"def f(x, y):\n    {body}\n", *CALLS, seconds=30.0)


def test_rows_have_a_mean_for_each_label():
    source = "def f(x, y):\n    centers = {}\n    for k in jnp.unique(y):\n        centers[int(k)] = x[y == k].mean(axis=0)\n"
    source += "    c = jnp.stack(list(centers.values()))\n    return ((c - c.mean(axis=0)) ** 2).sum()\n"
    check_with_gradients(source, *((jnp.outer(x, x[:3]), y) for x, y in CALLS), seconds=30.0)


@pytest.mark.parametrize(
    "body",
    [
        f"{MEANS}return means[3] + sum(means.values())",
        f"{MEANS}return means.get(3, 0.0) + sum(means.values())",
        f"{MEANS}return (3 in means) + sum(means.values())",
        f"{MEANS}means[7] = 1.0\n    return sum(means.values())",
        f"{MEANS.replace('{}', '{3: 1.0}')}return sum(means.values())",
        "means = {}\n    for k in jnp.unique(x / 2):\n        means[int(k)] = x[x == k].sum()\n    return sum(means.values())",
        "means = {}\n    for k in jnp.unique(y):\n        means[int(k) % 2] = x[y == k].mean()\n    return sum(means.values())",
    ],
)
def test_a_dict_of_which_more_is_asked_stays(body):
    assert "list" not in offered(f"def f(x, y):\n    {body}\n", *CALLS[1])
