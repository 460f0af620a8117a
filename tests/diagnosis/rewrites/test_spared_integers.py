"""Integers that stop the trace of a function, and that its rewrite takes as data: they are no static arguments then."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis import diagnose

from .helpers import define

Y = jnp.array([0.0, 1.0, 4.0, 9.0, 6.0, 2.0, 0.0])
AROUND = """def f(y, k):
    lo, hi = k, k
    while lo > 0 and y[lo - 1] > y[k] / 2:
        lo -= 1
    while hi < len(y) - 1 and y[hi + 1] > y[k] / 2:
        hi += 1
    part = y[lo : hi + 1]
    return END
"""


def test_a_place_at_which_a_search_begins_is_data():
    """It was said that k must be static as well, and each place compiled anew."""
    namespace = define(AROUND.replace("END", "part.mean()"))
    found = diagnose(namespace["f"], Y, 3)
    assert (found.kind, found.static_argnames, found.rewrites[0].static_argnames) == ("rewrite", (), ())
    assert "must be static" not in found.reason
    plain = namespace["f"]
    exec(found.rewrites[0].source, namespace)
    fixed = jax.jit(namespace["f"])
    for k in range(len(Y)):
        np.testing.assert_allclose(fixed(Y, k), plain(Y, k), rtol=1e-5)
    assert fixed._cache_size() == 1


def test_a_node_at_which_a_search_through_a_graph_begins_is_data():
    """Places below 0 are said to be other keys, with a static argument as without one."""
    source = """def f(near, source):
    n = near.shape[0]
    level = {source: 0}
    queue = [source]
    while queue:
        u = queue.pop(0)
        for v in range(n):
            if near[u, v] and v not in level:
                level[v] = level[u] + 1
                queue.append(v)
    return jnp.array([level.get(k, -1) for k in range(n)])
"""
    near = jnp.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
    found = diagnose(define(source)["f"], near, 0)
    assert (found.kind, found.static_argnames) == ("rewrite", ())
    assert found.rewrites[0].compared and any("negative" in each for each in found.rewrites[0].compared.differences)


@pytest.mark.parametrize("end", ["part.mean() * jnp.ones(k)", "part.mean() + y[:k].sum() * jnp.zeros((k, 2))"])
def test_what_decides_a_shape_stays_static(end):
    found = diagnose(define(AROUND.replace("END", end))["f"], Y, 3)
    assert (found.kind, found.static_argnames) == ("static+rewrite", ("k",))
    assert found.rewrites


def test_a_flag_of_which_python_asks_stays_static():
    source = AROUND.replace("y, k", "y, up").replace("lo, hi = k, k", "k = 3\n    lo, hi = k, k")
    source = source.replace("return END", "if up:\n        return part.max()\n    return part.mean() * 2")
    found = diagnose(define(source)["f"], Y, True)
    assert (found.kind, found.static_argnames, found.rewrites[0].static_argnames) == ("static+rewrite", ("up",), ("up",))
