"""Where every way through a choice appends one element, the list grows by one a round: nothing is padded."""

import jax.numpy as jnp
import pytest

from .helpers import check

X = jnp.array([0.1, 0.5, 2.0, jnp.nan, 0.7])
EDGES = jnp.array([0.0, 0.3, 0.6, 1.0])


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        pytest.param(
            "def f(x, edges):\n    out = []\n    for v in x:\n        for j in range(len(edges) - 1):\n"
            "            if edges[j] <= v < edges[j + 1]:\n                out.append(j)\n                break\n"
            "        else:\n            out.append(-1)\n    return jnp.array(out)\n",
            [(X, EDGES), (X[:2] * 0.9, EDGES * 2)],
            id="search",
        ),
        pytest.param(
            "def f(x, t):\n    out = [x[0]]\n    for v in x[1:]:\n        if v > t:\n            out.append(out[-1])\n"
            "        elif v < 0:\n            out.append(-v)\n        else:\n            w = v * 2\n"
            "            out.append(w + t)\n    return jnp.stack(out)\n",
            [(X[:3], 0.3), (-X[:3], 0.3), (X[:1], 0.3)],
            id="elif",
        ),
        pytest.param(
            "def f(x, t):\n    a, b, c = [], [], []\n    for v in x:\n        s = jnp.exp(-v)\n        if s < t:\n"
            "            a.append(v); b.append(s)\n            c.append(0.0)\n            continue\n"
            "        a.append(s)\n        b.append(v / t)\n        c.append(2 * s)\n"
            "    return jnp.array(a), jnp.array(b), jnp.array(c)\n",
            [(X[:3], 0.7), (-X[:3], 0.7), (X[:1], 0.3)],
            id="lists",
        ),
        pytest.param(
            "def f(x, lead=2):\n    pipeline = [0] * lead\n    stock, orders = 5, 0\n    for d in x:\n"
            "        stock += pipeline.pop(0)\n        stock -= d\n        if stock < 3:\n"
            "            pipeline.append(8 - stock)\n            orders += 1\n        else:\n"
            "            pipeline.append(0)\n    return stock, orders\n",
            [(jnp.array([3, 1, 4, 1, 5]),), (jnp.array([0, 0]),), (jnp.array([9, 2, 7]),)],
            id="more behind it",
        ),
    ],
)
def test_one_element_a_round_whatever_data_decides(source, calls):
    found = check(source, *calls, seconds=30.0)
    assert not found.rewrites[0].padded and "[:out_length]" not in found.rewrites[0].source


def test_a_while_loop_counts_its_rounds_by_what_stands_behind():
    found = check(
        "def f(x):\n    out = []\n    i = 0\n    while i < len(x):\n        if x[i] > 1:\n            out.append(x[i])\n"
        "            i += 2\n        else:\n            out.append(0)\n            i += 1\n    return sum(out)\n",
        (jnp.array([3, 1, 4, 1, 5]),),
        (jnp.array([0, 2]),),
        seconds=30.0,
    )
    assert found.rewrites and found.rewrites[0].verified


def test_a_way_that_appends_nothing_keeps_its_count():
    found = check(
        "def f(x):\n    out = []\n    for v in x:\n        if v > 1:\n            out.append(v)\n        elif v > 0:\n"
        "            out.append(2 * v)\n    return sum(out)\n",
        (X[:3],),
        (-X[:3],),
        seconds=30.0,
    )
    assert found.rewrites


def test_what_a_branch_takes_from_a_list_within_an_assignment_is_taken_in_that_branch_alone():
    found = check(
        "def f(x):\n    st = []\n    for v in x:\n        if v < 0 and len(st) >= 2:\n            b = st.pop()\n"
        "            a = st.pop()\n            st.append(a + b)\n        else:\n            st.append(v)\n    return st[-1]\n",
        (jnp.array([1.0, 2.0, -1.0]),),
        (jnp.array([-1.0, 2.0, 3.0, -2.0, -1.0]),),
        (jnp.array([1.0, 2.0, 3.0, 4.0, -1.0, -1.0, -5.0]),),
        seconds=30.0,
    )
    assert found.rewrites and found.rewrites[0].verified
