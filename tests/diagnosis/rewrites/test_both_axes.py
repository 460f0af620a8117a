"""Tables of which some rows and some columns are selected."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

A = jnp.array([[1.0, 2.0, 3.0], [0.5, 4.0, -1.0], [2.0, -2.0, 5.0]])
X = jnp.array([1.0, -1.0, 2.0])
CALLS = [(A, X), (A.T, -X), (A + 1, jnp.array([1.0, 2.0, 3.0])), (A, jnp.array([-1.0, -2.0, 0.5]))]


@pytest.mark.parametrize(
    "body",
    [
        "k = x > 0\n    return A[k][:, k].sum()",
        "k = x > 0\n    part = A[k, :][:, k]\n    return x[k] @ part @ x[k]",
        "i = jnp.where(x > 0)[0]\n    part = A[jnp.ix_(i, i)]\n    return (part**2).sum() + len(part)",
        "k = x > 0\n    return jnp.linalg.solve(A[k][:, k], x[k]).sum()",
        pytest.param("k = x > 0\n    part = A[:, k][k]\n    return jnp.trace(part) + part.shape[1]", marks=pytest.mark.slow),
        pytest.param("k = x > 0\n    return (A[k][:, x < 2] ** 2).sum(axis=0).sum()", marks=pytest.mark.slow),
        pytest.param("i = jnp.where(x > 0)[0]\n    return A[i[:, None], i].sum()", marks=pytest.mark.slow),
        pytest.param(
            "i = jnp.where(x > 0)[0]\n    part = A[i][:, i]\n    return jnp.abs(part - part.T).sum()", marks=pytest.mark.slow
        ),
        pytest.param(
            "k = x > 0\n    inverse = jnp.linalg.inv(A[k][:, k])\n    return (inverse @ x[k]).sum()", marks=pytest.mark.slow
        ),
        pytest.param("k = x > 0\n    return jnp.linalg.det(A[k][:, k]) + jnp.diag(A[k][:, k]).sum()", marks=pytest.mark.slow),
    ],
)
def test_rows_and_columns_that_are_selected(body):
    assert check(f"def f(A, x):\n    {body}\n", *CALLS).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "r = int((s > t * s[0]).sum())\n    return u[:, :r] @ jnp.diag(s[:r]) @ v[:r]",
        "keep = s > t\n    return v[keep].T @ jnp.diag(1 / s[keep]) @ u[:, keep].T",
    ],
)
def test_a_diagonal_of_what_was_selected(body):
    a = jnp.array([[2.0, 0.5, 0.1], [0.3, 1.0, -0.4], [0.0, 0.2, 0.5]])
    source = f"def f(a, t):\n    u, s, v = jnp.linalg.svd(a, full_matrices=False)\n    {body}\n"
    assert check(source, (a, 0.3), (a, 0.9), (a.T, 0.01), seconds=20.0).rewrites[0].verified


@pytest.mark.parametrize(
    "end", ["(A[jnp.ix_(i, i)] @ x[k]).sum()", "x[k] @ A[jnp.ix_(i, i)] @ x[i]", "x[i] @ x[k] + (A[:, i] @ x[k]).sum()"]
)
def test_places_meet_a_mask_in_a_product(end):
    """What is selected by places stands in front, what a mask selects in its own place: brought to the front as well."""
    source = f"def f(A, x):\n    k = x > 0\n    i = jnp.where(k)[0]\n    return {end}\n"
    assert check(source, *CALLS, seconds=20.0).rewrites[0].verified
    inner = source.replace("def f(A, x)", "def f(x)").replace("\n    ", "\n        ")
    inner = f"def f(A, x):\n    {inner.replace('def f', 'def loss')}    return jax.value_and_grad(loss)(x)\n".replace(
        "\n    def", "\n    def"
    )
    assert check(inner, *CALLS, seconds=20.0).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "v = A[x > 0]\n    return jnp.sqrt(1 + (2 * v @ v.T) ** 2).sum() / len(v)",
        "v = A[x > 0]\n    squares = (v**2).sum(axis=1)\n    far = squares[:, None] + squares - 2 * v.dot(v.T)\n"
        "    return jnp.exp(-far).mean()",
        "v = A[x > 0]\n    k = v @ v.T + 0.5 * jnp.eye(v.shape[0])\n    return jnp.linalg.slogdet(k)[1]",
        "k = x > 0\n    v = A[k]\n    table = jnp.exp(-((v[:, None] - v) ** 2).sum(-1)) + jnp.eye(len(v))\n"
        "    return x[k] @ jnp.linalg.solve(table, v)",
        "v = A[x > 0]\n    low = jnp.linalg.cholesky(v @ v.T + jnp.identity(len(v)))\n    return jnp.log(jnp.diag(low)).sum()",
        "v = x[x > 0]\n    return jnp.triu(v[:, None] * v[None, :], 1).sum() + jnp.tril(jnp.outer(v, v)).max(initial=0)",
        pytest.param("return (A[x > 0] @ A[x < 2].T).sum(axis=1).max(initial=-9.0)", marks=pytest.mark.slow),
    ],
)
def test_tables_of_each_chosen_row_with_each(body):
    """Products of a selection with itself, and what is as large as they are: the unit table, its triangles, its factors."""
    assert check(f"def f(A, x):\n    {body}\n", *CALLS, seconds=20.0).rewrites[0].verified


def test_a_triangle_further_from_the_diagonal_is_not_that_of_the_chosen_ones():
    source = "def f(A, x):\n    v = x[x > -2]\n    return jnp.triu(v[:, None] * v[None, :], 2).sum()\n"
    call = (A, jnp.array([1.0, -3.0, 2.0, 4.0]))
    assert not propose(define(source)["f"], call, {}, seconds=5.0).rewrites


def test_nan_in_an_argument_that_has_none_in_the_call_is_told_and_refuses_nothing():
    """Some data is missing in the call; NaN elsewhere is told, as where the code asks for it and the call has none."""
    source = (
        "def f(x, y, new):\n    known = ~jnp.isnan(y)\n    x, y = x[known], y[known]\n"
        "    table = jnp.exp(-((x[:, None] - x[None, :]) ** 2)) + 0.1 * jnp.eye(len(x))\n"
        "    return jnp.exp(-((new[:, None] - x[None, :]) ** 2)) @ jnp.linalg.solve(table, y)\n"
    )
    y, new = jnp.array([1.0, jnp.nan, 0.5, 2.0]), jnp.array([0.5, 3.0])
    calls = [(jnp.arange(4.0), y, new), (jnp.arange(3.0), y[:3] * jnp.nan, new), (jnp.arange(4.0), new[0] * y, new[:1])]
    found = check(source, *calls, seconds=20.0).rewrites[0]
    assert "its gradient is not finite where data is NaN" in " ".join(found.compared.differences)


PATCH = """
import jax.numpy as jnp
def f(img, mask):
    r = jnp.nonzero(mask.any(axis=1))[0]
    c = jnp.nonzero(mask.any(axis=0))[0]
    patch = img[r[0] : r[-1] + 1, c[0] : c[-1] + 1]
"""
IMAGE = jnp.arange(42.0).reshape(6, 7) * 0.1
INSIDE = jnp.zeros((6, 7), bool).at[2, 3].set(True).at[4, 5].set(True)


@pytest.mark.parametrize(
    "rest",
    [
        "    h, w = patch.shape\n    return patch.sum() / (h * w), h - w",
        "    yy, xx = jnp.indices(patch.shape)\n    return (yy * patch).sum() / patch.sum(), (xx**2).sum(), yy.max()",
        "    patch = patch - patch.min()\n    yy, xx = jnp.indices(patch.shape)\n"
        "    return r[0] + (yy * patch).sum() / patch.sum(), jnp.sum(xx, axis=1)[0]",
    ],
)
def test_how_large_a_patch_is_and_where_its_elements_stand(rest):
    """A patch cut out where data says was reduced; its shape had no rewrite."""
    calls = [(IMAGE, INSIDE), (IMAGE, INSIDE.at[0, 6].set(True)), (IMAGE.T, INSIDE.T), (IMAGE[:5], INSIDE[:5])]
    check(f"{PATCH}{rest}\n", *calls, seconds=8.0)


def test_indices_of_something_else_are_its_own():
    source = f"{PATCH}    first, last = grid.indices(patch.shape)\n    return patch.sum() + first + last\n"
    grid = "import types\ngrid = types.SimpleNamespace(indices=lambda shape: (1.0, 2.0))\n"
    assert not propose(define(grid + source)["f"], (IMAGE, INSIDE), {}).rewrites
