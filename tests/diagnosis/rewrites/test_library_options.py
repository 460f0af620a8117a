"""Functions of JAX's whose option makes them trace are given it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define, offered

A, B = jnp.array([1.0, 2.0, 3.0]), jnp.array([5.0, 6.0, 7.0])


@pytest.mark.parametrize(
    ("source", "args", "option"),
    [
        (
            "def f(c):\n    return jnp.abs(jnp.roots(jnp.concatenate([jnp.ones(1), -c]))).max()\n",
            (jnp.array([0.5, 0.2]),),
            "strip_zeros=False",
        ),
        (
            "def f(i, j, x):\n    k = jnp.ravel_multi_index((i, j), x.shape)\n    return x.ravel()[k] * 2\n",
            (jnp.array([0, 1]), jnp.array([1, 2]), jnp.arange(12.0).reshape(3, 4)),
            'mode="clip"',
        ),
        ("def f(i, a, b):\n    return jnp.choose(i, [a, b])\n", (jnp.array([0, 1, 0]), A, B), 'mode="clip"'),
    ],
)
def test_an_option_makes_it_trace(source, args, option):
    first = check(source, args).rewrites[0]
    assert option in first.source


def test_that_an_index_is_clipped_where_plain_python_raises_is_said():
    source = "def f(i, a, b):\n    return jnp.choose(i, [a, b])\n"
    first = propose(define(source)["f"], (jnp.array([0, 1, 0]), A, B), {}).rewrites[0]
    assert any("raises ValueError" in said for said in first.compared.differences)


def test_roots_that_plain_python_does_not_have_are_nan_which_is_said():
    namespace = define("def f(c):\n    return jnp.roots(c)\n")
    found = propose(namespace["f"], (jnp.array([1.0, -0.5, -0.2]),), {})
    assert any("fewer roots" in said for said in found.rewrites[0].compared.differences)
    with applied(found, namespace):
        assert jnp.isnan(jax.jit(namespace["f"])(jnp.array([0.0, 1.0, -0.5]))).sum() == 1


@pytest.mark.parametrize("made", ["BCOO.fromdense(a)", "bcoo_fromdense(a)"])
def test_a_sparse_matrix_made_of_data_has_room_for_all_of_it(made):
    """Its own operations are computed by the code that JAX writes them with: nothing compiles for each of the other calls."""
    namespace = define(
        "from jax.experimental import sparse\n"
        "def f(a, limit, v):\n"
        "    a = jnp.where(a > limit, a, 0.0)\n"
        f"    s = sparse.{made}\n"
        "    return (s @ v).sum()\n"
    )
    found = propose(namespace["f"], (jnp.arange(6.0).reshape(2, 3) % 4, 1.0, A), {}, seconds=30)
    assert f"{made[:-1]}, nse=a.size)" in found.rewrites[0].source
    with applied(found, namespace):
        assert jax.jit(namespace["f"])(jnp.eye(3), 0.5, A) == A.sum()


@pytest.mark.parametrize("product", ["U[:, :r] @ jnp.diag(s[:r]) @ Vt[:r]", "(U[:, :r] * s[:r]) @ Vt[:r, :]"])
def test_of_the_largest_singular_values_thin_factors_are_enough(product):
    """All columns of U met as many singular values: of a matrix that is not square nothing was found."""
    source = f"def f(x, least):\n    U, s, Vt = jnp.linalg.svd(x)\n    r = int((s > least).sum())\n    return {product}\n"
    x = jnp.outer(jnp.arange(5.0), jnp.array([1.0, 2.0, -1.0])) + jnp.eye(5, 3) * 2
    check(source, *((m, jnp.array(least)) for m in (x, x.T, x[:3]) for least in (0.5, 3.0, 0.0)), seconds=10.0)


@pytest.mark.parametrize("product", ["U @ U[:, :r].sum(1) + s[:r].sum()", "U[:, :r].sum() + Vt[:r].sum()"])
def test_where_more_of_the_factors_is_read_they_are_whole(product):
    source = f"def f(x, r):\n    U, s, Vt = jnp.linalg.svd(x)\n    return {product}\n"
    assert "full_matrices=" not in offered(source, jnp.ones((4, 3)), jnp.array(2))
