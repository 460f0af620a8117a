"""Loops of `lax` whose counter decides a shape or picks from a list: Python's loop counts with numbers."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, define

X = jnp.arange(1.0, 9.0)
TABLES = [jnp.ones((1, 2)), jnp.arange(8.0).reshape(2, 4), jnp.ones((4, 1))]
SIZES = "def f(x):\n    def body(i, acc):\n        return acc + jnp.sin(jnp.linspace(0.0, x[0], i)).sum()\n\n"


@pytest.mark.parametrize(
    ("source", "call", "text"),
    [
        (SIZES + "    return lax.fori_loop(1, 5, body, 0.0)\n", (X,), "for i in range(1, 5):\n        carry = body(i, carry)"),
        (
            SIZES.replace("(i, acc)", "(acc, i)").replace("return acc", "acc = acc") + "        return acc, acc * 2\n\n"
            "    total, path = lax.scan(body, 0.0, jnp.arange(2, 5))\n    return total, path\n",
            (X,),
            "found.append(made)",
        ),
        (
            "def f(tables):\n    def body(i, edge):\n        return edge @ tables[i]\n\n"
            "    edge = jnp.ones((1,))\n    edge = lax.fori_loop(0, len(tables), body, edge)\n    return edge.sum()\n",
            (TABLES,),
            "    for i in range(len(tables)):\n        edge = body(i, edge)\n",
        ),
        pytest.param(
            "def f(x):\n    return lax.fori_loop(0, 3, lambda i, t: t + x.reshape(-1, 2**i).max(axis=1).sum(), 0.0)\n",
            (X,),
            "for i in range(3):",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_counter_that_decides_a_shape_is_pythons(source, call, text):
    """Its price, a program as long as the loop, is said; nothing beside the loop changes."""
    namespace = define(source)
    found = propose(namespace["f"], call, {}, ())
    (best, *_) = found.rewrites
    assert text in best.source and "ensure_compile_time_eval" not in best.source
    assert "one by one" in " ".join(best.compared.differences)


def test_a_counter_that_a_mask_serves_stays_one_of_lax():
    """Also where empty arrays, which the loop of lax does not take, stop it."""
    body = "    def body(i, acc):\n        return acc + x[:i].sum()\n\n"
    source = f"def f(x):\n{body}    return lax.fori_loop(0, x.shape[0], body, 0.0)\n"
    namespace = define(source)
    found = propose(namespace["f"], (X,), {}, ())
    assert all("fori_loop" in each.source for each in found.rewrites) and found.rewrites
    with applied(found, namespace):
        assert jnp.allclose(namespace["f"](X), sum(X[:i].sum() for i in range(8)))
