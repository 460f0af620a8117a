"""The one of what was selected that is the best, and where it stands among the others."""

import jax.numpy as jnp
import pytest

from .helpers import check

ROW = jnp.array([2, -1, 0, 3])
W = jnp.array([0.5, 0.2, 0.9, 0.9])
CALLS = [
    (ROW, W),
    (ROW[::-1], W),
    (ROW, -W),
    (jnp.array([-1, -1]), W),
    (jnp.array([-1, 1, -1]), W),
    (ROW, W.at[2].set(jnp.nan)),
    (ROW, W.at[0].set(jnp.nan)),
    (ROW, W.at[0].set(jnp.inf)),
]
KEPT = "kids = [k for k in row if k >= 0]\n    if not kids:\n        return -1\n    "
SCORED = f"{KEPT}scores = [2 * w[k] for k in kids]\n    "
AT_THE_BEST = {
    "the largest": "return kids[scores.index(max(scores))]",
    "the least": "return kids[scores.index(min(scores))]",
    "by NumPy": "return kids[int(np.argmax(scores))]",
    "by a name": "best = scores.index(max(scores))\n    return kids[best], scores[best]",
    "the place alone": "best = scores.index(max(scores))\n    return best",
    "the place beside what stands there": "best = scores.index(min(scores))\n    return kids[best] + best, len(kids)",
    "how many are as good": "return scores.count(min(scores)), kids.count(2), kids.index(kids[0])",
}


@pytest.mark.parametrize("how", AT_THE_BEST)
def test_a_list_is_read_where_one_made_of_it_is_the_best(how):
    """Of `scores.index(…)` it was said that it needs the length of the list."""
    body = AT_THE_BEST[how]
    calls = CALLS if "count" not in body else CALLS[:5]
    source = f"def f(row, w):\n    {SCORED}{body}\n"
    if "return kids[best], " in body:
        source = source.replace("return -1\n", "return -1, 0.0\n")
    if "len(kids)" in body:
        source = source.replace("return -1\n", "return -1, 0\n")
    if "count" in body:
        source = source.replace("return -1\n", "return 0, 0, 0\n")
    assert check(source, *calls).rewrites[0].verified


def test_the_place_is_sought_in_the_whole_array():
    """`kids[best]`, `scores[best]`: both stand where they stood, so none is brought to the front."""
    source = f"def f(row, w):\n    {SCORED}best = scores.index(max(scores))\n    return kids[best] + scores[best]\n"
    assert "argsort" not in check(source.replace("return -1\n", "return -1.0\n"), *CALLS).rewrites[0].source


def test_another_list_is_read_at_the_place_among_those_kept():
    """What else is as long as the list for other reasons has no place for those that are left out."""
    body = "best = scores.index(max(scores))\n    return w[best] + kids[best]"
    source = f"def f(row, w):\n    {SCORED}{body}\n".replace("return -1\n", "return -1.0\n")
    assert check(source, *CALLS[:5]).rewrites[0].verified


def test_a_walk_down_a_tree_goes_to_the_best_child():
    source = (
        "def f(children, w):\n    node, depth = 0, 0\n    while True:\n        kids = [k for k in children[node] if k >= 0]\n"
        "        if not kids:\n            break\n        scores = [w[k] for k in kids]\n"
        "        node = kids[scores.index(max(scores))]\n        depth += 1\n    return node, depth\n"
    )
    tree = jnp.array([[1, 2, -1], [3, -1, 4], [-1, -1, -1], [-1, -1, -1], [-1, -1, -1]])
    scores = jnp.array([0.0, 2.0, 1.0, 0.5, 0.7])
    assert (
        check(source, (tree, scores), (tree, -scores), (tree, scores * 0), (-jnp.ones((1, 2), int), scores))
        .rewrites[0]
        .verified
    )


X = jnp.array([4.0, 2.0, 4.0, 4.0, 1.0])
RANK = jnp.array([3, 0, 1, 1, 2])
TIED = "tied = jnp.flatnonzero(x == x.max())\n    "
BY_KEY = {
    "the least": f"{TIED}return min(tied, key=lambda i: rank[i])",
    "the largest": f"{TIED}return max(tied, key=lambda i: rank[i] - 0.5 * i)",
    "of two parts": f"{TIED}return min(tied, key=lambda i: (rank[i], -i))",
    "the largest of two parts": f"{TIED}return max(tied, key=lambda i: (rank[i], -i))",
    "by a function": f"def far(v):\n        return (v - rank[0]) ** 2\n\n    {TIED}return min(x[tied], key=far)",
    "of values": "return min(x[x > 1.5], key=lambda v: abs(v - 3.9))",
    "of rows": "rows = jnp.stack([x, rank], axis=1)\n    return max(rows[x > 1.5], key=lambda r: r[0] - r[1])",
    "with another in its place": "return max(jnp.nonzero(x > 4.5)[0], key=lambda i: rank[i], default=-1)",
    "none": f"{TIED}return min(tied, key=None)",
}


@pytest.mark.parametrize("how", BY_KEY)
def test_the_best_by_a_key_of_what_was_selected(how):
    """`min(tied, key=…)` was said to need the number of those that are tied."""
    calls = [(X, RANK), (X, -RANK), (X[::-1], RANK), (X[:1] + 1, RANK[:1]), (X, RANK * 0), (X * 2, RANK.astype(float))]
    assert check(f"def f(x, rank):\n    {BY_KEY[how]}\n", *calls).rewrites[0].verified


def test_an_element_that_tests_alone_selects():
    """A comprehension's test that is an element of an array was taken for a slice."""
    source = (
        "def f(x, free):\n    ids = [i for i in range(len(x)) if free[i]]\n    return min([x[i] for i in ids], default=0.0)\n"
    )
    free = jnp.array([True, False, True, False, True])
    assert check(source, (X, free), (X, ~free), (X, free & False)).rewrites[0].verified
