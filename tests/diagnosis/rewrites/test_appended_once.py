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
    ],
)
def test_one_element_a_round_whatever_data_decides(source, calls):
    found = check(source, *calls, seconds=30.0)
    assert not found.rewrites[0].padded and "[:out_length]" not in found.rewrites[0].source


def test_a_way_that_appends_nothing_keeps_its_count():
    found = check(
        "def f(x):\n    out = []\n    for v in x:\n        if v > 1:\n            out.append(v)\n        elif v > 0:\n"
        "            out.append(2 * v)\n    return sum(out)\n",
        (X[:3],),
        (-X[:3],),
        seconds=30.0,
    )
    assert found.rewrites
