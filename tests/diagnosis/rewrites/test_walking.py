"""Lists that a walk from place to place fills: it has no more rounds than there are places."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

UP = jnp.array([-1, 0, 1, 2, 3])
COST = jnp.array([1.0, 2.0, 3.0, 4.0, 5.0])
CALLS = [(UP, COST, 4), (UP, COST, 2), (UP, COST, 0), (jnp.array([-1, 0, 0, 1, 3]), COST, 4), (UP[:1], COST[:1], 0)]
DISCOUNTED = "total = 0.0\n    for n in reversed(path):\n        total = total * 0.5 + cost[n]\n    return total, len(path)"
WALKS = {
    "the place behind": (
        f"path = [node]\n    while up[node] >= 0:\n        node = up[node]\n        path.append(node)\n    {DISCOUNTED}",
        "len(up) + 1,",
    ),
    "the place before": (
        f"path = []\n    while node >= 0:\n        path.append(node)\n        node = up[node]\n    {DISCOUNTED}",
        "(len(up),",
    ),
    "what stands there": (
        "costs = []\n    while node != -1:\n        costs.append(cost[node])\n        node = up[node]\n"
        "    return sum(costs) / len(costs), costs[-1]",
        "(len(up),",
    ),
    "the end itself": (
        "path = []\n    while True:\n        path.append(node)\n        if node < 0:\n            break\n"
        "        node = up[node]\n    return jnp.array(path).sum(), len(path)",
        "len(up) + 1,",
    ),
    "beside what is counted for itself": (
        "path, depth = [node], 0\n    while up[node] >= 0:\n        depth += 1\n        node = int(up[node])\n"
        f"        path.append(node)\n    {DISCOUNTED.replace('len(path)', 'depth')}",
        "len(up) + 1,",
    ),
}


@pytest.mark.parametrize("how", WALKS)
def test_a_walk_has_as_many_places_as_the_array_has_rows(how):
    """The longest goes through all rows. It was said that nothing tells the list's length."""
    body, capacity = WALKS[how]
    first = check(f"def f(up, cost, node):\n    {body}\n", *CALLS).rewrites[0]
    assert first.verified and capacity in first.source


def test_a_descent_goes_to_the_best_child_and_keeps_its_way():
    source = (
        "def worth(w, parent, child):\n    return -w[child] if w[child] > 2 else w[child] + w[parent]\n\n\n"
        "def f(children, w):\n    node = 0\n    path = [node]\n    while True:\n"
        "        kids = [k for k in children[node] if k >= 0]\n        if not kids:\n            break\n"
        "        scores = [worth(w, node, k) for k in kids]\n        node = kids[scores.index(max(scores))]\n"
        "        path.append(node)\n    total = w[node]\n    for node in reversed(path):\n"
        "        total = total * 0.5 + w[node]\n    return total, len(path)\n"
    )
    tree = jnp.array([[1, 2, -1], [3, -1, 4], [-1, -1, -1], [-1, -1, -1], [-1, -1, -1]])
    chain = jnp.array([[1, -1], [2, -1], [3, -1], [4, -1], [-1, -1]])
    w = jnp.array([0.0, 2.0, 3.0, 0.5, 0.7])
    assert check(source, (tree, w), (tree, -w), (chain, w), (-jnp.ones((1, 2), int), w[:1])).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "left = 9.0\n    while left > 0.5:\n        node = up[node]\n        left -= cost[node]\n        path.append(node)",
        "while cost[node] < 3 or len(path) < cost[0]:\n        node = up[node]\n        path.append(node)",
        "todo = [3, 1]\n    while cost[node] < 3 and todo:\n        node = up[node] + todo.pop()\n        path.append(node)",
        "while cost[node] < 3:\n        node = up[node] + next(steps)\n        path.append(node)",
    ],
)
def test_rounds_that_differ_at_one_place_are_not_counted(body):
    """A place may come again where anything else is another by then."""
    source = (
        "def f(up, cost, node):\n    steps = iter([0, 1, 0, 1, 0, 1])\n    path = [node]\n"
        f"    {body}\n    return sum(cost[n] for n in path)\n"
    )
    found = propose(define(source)["f"], (jnp.array([1, 2, 3, 4, 0]), COST, 0), {})
    assert all("zeros(len(up)" not in each.source for each in (*found.rewrites, *found.unverified))


@pytest.mark.parametrize("over", ["reversed(x[:n])", "reversed([v for v in x if v > 0])", "enumerate(reversed(x[:n]))"])
def test_what_was_selected_is_run_over_from_its_end(over):
    target = "k, v" if "enumerate" in over else "v"
    loop = f"for {target} in {over}:\n        s = s * 0.5 + v + k\n    return s\n"
    source = f"def f(x, t):\n    n, k, s = jnp.sum(x > t), 1, 0.0\n    {loop}"
    x = jnp.array([3.0, -1.0, 2.0, 1.0, 4.0])
    assert check(source, (x, 1.5), (x, 9.0), (x[::-1], 0.0), (-x, -9.0)).rewrites[0].verified
