"""A comprehension of many rounds, of which an array or a sum is made, is compiled once: `jax.vmap`."""

import jax
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define

ROWS = jax.random.normal(jax.random.PRNGKey(0), (120, 4))
X, Y = ROWS[:, 0], ROWS[:, 1]


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        pytest.param(
            "def f(x):\n    return jnp.array([jnp.sin(v) * 2 if v > 0 else v * 0.1 for v in x])\n", [(X,), (-X,)], id="array"
        ),
        pytest.param(
            "def f(x, y):\n    return sum(a * b if a > b else a + b for a, b in zip(x, y))\n",
            [(X, Y), (Y, X)],
            id="sum of a zip",
        ),
        pytest.param(
            "def f(rows):\n    return jnp.array([[1.0 if v > 0.5 else 0.0 for v in row] for row in rows])\n",
            [(ROWS,), (-ROWS,)],
            id="nested",
        ),
        pytest.param(
            "def f(x):\n    return jnp.stack([i * v if v > 0 else v - i for i, v in enumerate(x)])\n",
            [(X,), (-X,)],
            id="enumerate",
        ),
    ],
)
def test_what_each_round_gives_is_mapped(source, calls):
    found = check(source, *calls, seconds=30.0)
    assert "vmap" in found.rewrites[0].patterns and "vmap" in found.rewrites[0].source


def test_its_gradient_is_plain_python_s():
    namespace = define("def f(w, x):\n    return sum((v - w) ** 2 if v > w else 0.1 * (w - v) * w for v in x)\n")
    want = jax.grad(namespace["f"])(0.3, X)
    found = propose(namespace["f"], (0.3, X), {}, seconds=30.0)
    assert "vmap" in found.rewrites[0].patterns
    with applied(found, namespace):
        np.testing.assert_allclose(jax.grad(namespace["f"])(0.3, X), want, rtol=1e-4)


def test_a_range_of_a_static_length_is_mapped_where_its_program_is_known_to_be_large():
    namespace = define("def f(x, n):\n    return jnp.stack([jnp.exp(-k * x) * jnp.cos(k * x) for k in range(n)])\n")
    want = namespace["f"](X[:5], 60)
    found = propose(namespace["f"], (X[:5], 60), {}, static=("n",), seconds=30.0, rolls=True)
    assert "vmap" in found.rewrites[0].patterns
    with applied(found, namespace):
        np.testing.assert_allclose(jax.jit(namespace["f"], static_argnames="n")(X[:5], 60), want, rtol=1e-4, atol=1e-6)


def test_few_rounds_stay_as_they_are():
    found = check("def f(x):\n    return jnp.array([v * 2 if v > 0 else -v for v in x])\n", (X[:5],), (-X[:5],))
    assert "vmap" not in found.rewrites[0].patterns


def test_where_rounds_differ_in_shape_python_s_loop_stays():
    """Each window is longer than the last one."""
    found = check(
        "def f(x):\n    if x[0] > 0:\n        x = x * 2\n    return jnp.array([x[:i].sum() for i in range(1, len(x))])\n",
        (X[:60],),
        (-X[:60],),
        seconds=30.0,
    )
    assert found.rewrites
