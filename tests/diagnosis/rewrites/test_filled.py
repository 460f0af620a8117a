"""A number with no derivative at the edge of a test is filled before it is computed, where the test does not let it through."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define

V = jnp.array([3.0, 4.0])
GUARDS = {
    "a length": "def f(v):\n    n = jnp.linalg.norm(v)\n    if n == 0:\n        return v\n    return v / n\n",
    "clipped": "def f(v):\n    n = jnp.sqrt(jnp.sum(v**2))\n    if n > 2:\n        v = v * 2 / n\n    return v\n",
    "a factor": "def f(v):\n    n = jnp.sqrt(jnp.sum(v**2))\n    k = 2 / n if n > 2 else 1.0\n    return v * k\n",
    "beside an option": (
        "def f(v, most=2.0):\n    n = jnp.linalg.norm(v)\n    if most is not None and n > most:\n        v = v * (most / n)\n"
        "    return v\n"
    ),
    "a deviation": "def f(v):\n    s = v.std()\n    if s > 0:\n        return (v - v.mean()) / s\n    return v - v.mean()\n",
    "one with an axis": """
def f(v):
    rows = jnp.stack([v, v * 0.1])
    s = jnp.std(rows, axis=1, ddof=1, keepdims=True)
    return rows if s.min() < 1e-6 else rows / s
""",
    "in steps": """
def f(v):
    s = jnp.sum(v**2)
    n = jnp.sqrt(s)
    u = v / n
    if s == 0:
        return v
    return u * jnp.tanh(n)
""",
    "a guard that puts a number in its place": """
def f(v):
    s = v.std()
    if s == 0:
        s = 1.0
    return (v - v.mean()) / s
""",
    "that guard in a line": ("def f(v):\n    n = jnp.linalg.norm(v)\n    n = 1.0 if n < 1e-8 else n\n    return v / n + n\n"),
    "beside a mean": "def f(v):\n    mu, sd = v.mean() + 1, v.std()\n    if sd > 0:\n        v = (v - mu) / sd\n    return v\n",
    "one of several": """
def f(v):
    total = 0.0
    for each in (v, v * 0.1):
        n = jnp.sqrt(jnp.sum(each**2))
        if n > 2:
            each = each / n
        total = total + each.sum()
    return total
""",
}


@pytest.mark.parametrize("how", GUARDS)
def test_the_gradient_at_the_edge_is_plain_pythons(how):
    """`where` and `cond` alone go through a root's infinite slope at 0, times 0."""
    namespace = define(GUARDS[how])

    def slopes():
        return [jax.grad(lambda v: jnp.sum(namespace["f"](v) * jnp.array([1.0, 2.0])))(v) for v in (V, V * 0, V * 0.1)]

    found, want = propose(namespace["f"], (V,), {}), slopes()
    assert found.rewrites[0].verified
    assert not any("gradient" in said for said in found.rewrites[0].compared.differences)
    with applied(found, namespace):
        assert all(jnp.allclose(one, other, rtol=1e-4) for one, other in zip(slopes(), want, strict=True))


@pytest.mark.parametrize(
    "source",
    [
        "def f(v):\n    n = jnp.sqrt(jnp.sum(v**2))\n    big = n > 2\n    if big:\n        v = v / n * big\n    return v\n",
        "def f(v):\n    n = jnp.sqrt(jnp.sum(v**2))\n    if n > 2:\n        v = v / n\n    return v * n\n",
        "def f(v):\n    n = jnp.linalg.norm(v)\n    if n > 2:\n        v = v / n\n    else:\n        v = v + n\n    return v\n",
    ],
)
def test_what_is_read_elsewhere_keeps_its_number(source):
    """There it is no number of one way alone."""
    namespace = define(source)
    want = [namespace["f"](v) for v in (V, V * 0.1)]
    found = propose(namespace["f"], (V,), {})
    assert "filled" not in found.rewrites[0].patterns
    with applied(found, namespace):
        assert all(jnp.allclose(namespace["f"](v), other) for v, other in zip((V, V * 0.1), want, strict=True))


@pytest.mark.parametrize(
    ("source", "given", "edge"),
    [
        ("def f(x):\n    n = jnp.linalg.norm(x)\n    if n == 0:\n        n = 1\n    return x / n\n", (V,), (0 * V,)),
        (
            "def f(x, e):\n    s = x.std()\n    s = 1.0 if s < e else s\n    return (x - x.mean()) / s\n",
            (V, 1e-6),
            (0 * V + 2, 1e-6),
        ),
        (
            "def f(x, e, s=None):\n    if s is None:\n        s = x.std()\n    if s < e:\n        s = 1.0\n    return x / s\n",
            (V, 1e-6),
            (0 * V + 2, 1e-6),
        ),
        (
            "def f(x, e, s=None):\n    if s is None:\n        s = x.std()\n    if s < e:\n        return x\n    return x / s\n",
            (V, 1e-6, 2.0),
            (0 * V + 2, 1e-6),
        ),
    ],
)
def test_a_number_that_is_replaced_where_it_is_too_small_keeps_its_gradient(source, given, edge):
    """`if s == 0: s = 1` before a division, and what is computed only where it is not given."""
    namespace = define(source)
    found = propose(namespace["f"], given, {}, (), (), seconds=30)

    def gradient():
        return jax.grad(lambda x: (namespace["f"](x, *edge[1:]) * jnp.arange(1.0, x.size + 1)).sum())(edge[0])

    want = gradient()
    with applied(found, namespace):
        assert jnp.allclose(gradient(), want) and jnp.isfinite(want).all()
    assert "gradient" not in " ".join(found.rewrites[0].compared.differences)


def test_a_global_of_the_same_name_is_no_parameter():
    """In a notebook the arrays that a function is tried on are usually called as its parameters are."""
    source = (
        "x = s = jnp.array([1.0, 2.0])\n"
        "def f(x, scale=None):\n    s = x.std() if scale is None else scale\n    if s == 0:\n        s = 1.0\n"
        "    return (x - x.mean()) / s\n"
    )
    rows = jnp.array([1.0, -2.0, 0.5])
    found = check(source, (rows,), (rows * 0,), (rows, 2.0), (rows, 0.0), seconds=10.0).rewrites[0]
    assert "filled" in found.patterns and not found.compared.differences


COSINE = """
def f(u, v, eps=None):
    nu = jnp.linalg.norm(u)
    nv = jnp.linalg.norm(v)
    n = nu * nv
    if eps is not None:
        n = n + eps  # softer
    if nu == 0 or nv == 0:
        return 0.0
    return jnp.dot(u, v) / n
"""


@pytest.mark.parametrize("given", [(V, V + 1), (V, V + 1, 1e-3)])
def test_what_is_added_below_a_fact_is_added_again(given):
    """It was not followed through `if eps is not None: n = n + eps`, and the gradient at zero was NaN."""
    found = check(COSINE, given, (V, V * 0), (V * 0, V, 0.1), (V[:1], V[1:]), (V * 0, V * 0), seconds=10.0)
    namespace = define(COSINE)
    edges = [(V, V * 0), (V * 0, V, 0.1), (V * 0, V * 0), (V, -V, 0.0)]
    want = [jax.grad(namespace["f"], (0, 1))(*edge) for edge in edges]
    with applied(found, namespace):
        got = [jax.grad(namespace["f"], (0, 1))(*edge) for edge in edges]
    assert jnp.allclose(jnp.array(got), jnp.array(want)) and jnp.isfinite(jnp.array(got)).all()
    assert found.rewrites[0].source.count("n = n + eps") == 2


_FILTERED = {
    "a sum": "def f(p):\n    return -sum([v * jnp.log(v) for v in p if v > 0])\n",
    "a list in a loop": (
        "def f(p):\n    terms = []\n    for v in p:\n        if v > 0:\n            terms.append(v * jnp.log(v))\n"
        "    return -sum(terms)\n"
    ),
    "an array": "def f(p):\n    return jnp.array([jnp.sqrt(v - 0.1) for v in p if v > 0.1]).sum()\n",
    "of pairs": "def f(p):\n    return jnp.array([jnp.log(v) - w**2 for v, w in zip(p, p[::-1]) if v > 0]).max()\n",
    "divided by what is kept": (
        "def f(p):\n    rates = []\n    for v, w in zip(p * p, p):\n        if w > 0:\n            rates.append(v / w)\n"
        "    return jnp.mean(jnp.array(rates))\n"
    ),
}


@pytest.mark.parametrize("how", _FILTERED)
def test_what_a_comprehension_leaves_out_has_no_part_in_the_gradient(how):
    """`[log(v) for v in p if v > 0]`: what is not kept is computed with, and the slope of a log at 0 times 0 is NaN."""
    namespace = define(_FILTERED[how])
    values = jnp.array([0.2, 0.0, 0.7])

    def slope():
        return jax.grad(lambda p: jnp.sum(namespace["f"](p)))(values)

    found, want = propose(namespace["f"], (jnp.array([0.3, 0.5, 0.2]),), {}), slope()
    assert found.rewrites[0].verified and bool(jnp.isfinite(want).all())
    with applied(found, namespace):
        assert jnp.allclose(slope(), want, rtol=1e-4)


def test_a_test_that_changes_something_is_not_evaluated_once_more():
    namespace = define("""
def f(p, seen):
    def is_new(v):
        seen.append(1)
        return v > 0
    return -sum([jnp.log(v) for v in p if is_new(v)])
""")
    found = propose(namespace["f"], (jnp.array([0.3, 0.5]), []), {})
    assert not any("filled" in rewrite.patterns for rewrite in (*found.rewrites, *found.unverified))
