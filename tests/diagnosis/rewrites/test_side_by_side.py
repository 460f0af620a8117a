"""Columns beside what was selected: of a design matrix, of powers, of parts that are joined along the other axis."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose
from tests.diagnosis.rewrites.helpers import check, check_with_gradients, define, offered

X = jnp.array([[1.0, 2.0], [2.0, -1.0], [3.0, 0.5], [4.0, 1.0], [5.0, -2.0]])
Y = jnp.array([2.1, 3.9, 6.0, -8.2, 9.7])


@pytest.mark.parametrize(
    "joined",
    [
        "jnp.column_stack([jnp.ones(Xs.shape[0]), Xs])",
        "jnp.column_stack((Xs[:, 0], Xs, ys))",
        "jnp.c_[jnp.ones(len(ys)), Xs]",
        "jnp.hstack([jnp.ones((Xs.shape[0], 1)), Xs])",
        "jnp.hstack((Xs, Xs**2))",
        "jnp.concatenate([Xs, jnp.full((len(ys), 2), 0.5)], axis=1)",
        "jnp.concatenate((jnp.zeros((keep.sum(), 1)), Xs), axis=-1)",
        "jnp.append(Xs, ys[:, None], axis=1)",
        "jnp.vander(ys, 3)",
        "jnp.vander(ys, N=3, increasing=True)",
    ],
)
def test_a_design_matrix_of_what_was_selected(joined):
    """Its products, its mean and its first row: a row that does not count takes no part."""
    source = (
        "def f(X, y, t):\n    keep = y > t\n    Xs, ys = X[keep], y[keep]\n"
        f"    A = {joined}\n    return A.T @ A, A.T @ ys, A.mean(axis=0), A.max()\n"
    )
    check(source, (X, Y, 0.0), (X, Y, -9.0), (X, Y, 7.0), (X[:3], Y[:3], 3.0), seconds=20.0)


@pytest.mark.parametrize("joined", ["jnp.column_stack([jnp.ones(Xs.shape[0]), Xs])", "jnp.hstack([Xs, Xs * ys[:, None]])"])
def test_a_fit_to_a_design_matrix_keeps_its_gradient(joined):
    source = (
        "def f(X, y, t):\n    keep = y > t\n    Xs, ys = X[keep], y[keep]\n"
        f"    A = {joined}\n    b = jnp.linalg.solve(A.T @ A + jnp.eye(A.shape[1]), A.T @ ys)\n"
        "    return jnp.sum((ys - A @ b) ** 2)\n"
    )
    check_with_gradients(source, (X, Y, 0.0), (X, Y, -9.0), (X, Y, 7.0), seconds=20.0)


def test_a_pseudo_inverse_of_rows_that_were_selected():
    source = (
        "def f(X, y, t):\n    keep = y > t\n    Xs, ys = X[keep], y[keep]\n    P = jnp.linalg.pinv(Xs)\n"
        "    return P @ ys, P.shape[0]\n"
    )
    found = check(source, (X, Y, 0.0), (X, Y, -9.0), (X[:4], Y[:4], 3.0), seconds=20.0)
    assert "few of very many rows" in " ".join(found.rewrites[0].compared.not_reached)
    across = "def f(X, y, t):\n    return jnp.linalg.pinv(X[:, y[:2] > t]).sum()\n"
    check_with_gradients(across, (X, Y, 3.0), (X, Y, -9.0), seconds=20.0)


def test_rows_of_two_selections_do_not_stand_side_by_side():
    """They are as many in plain Python where the masks happen to hold as often: at other places."""
    source = "def f(X, y, t):\n    A = jnp.column_stack([X[y > t], X[y {}]])\n    return A.sum(axis=0) + A[0]\n"
    y = jnp.array([2.0, -2.0, 3.0, -3.0, 0.0])
    check(source.format("> t"), (X, y, 1.0), (X, y, -9.0), seconds=20.0)
    assert define(source.format("< -t"))["f"](X, y, 1.0).shape == (4,)
    assert not propose(define(source.format("< -t"))["f"], (X, y, 1.0), {}, seconds=20.0).rewrites


def test_columns_of_powers_as_many_as_there_are_rows():
    """`jnp.vander(s)` is square: of unknown width."""
    source = "def f(X, y, t):\n    s = y[y > t]\n    return jnp.vander(s{}).sum()\n"
    assert "where" in offered(source.format(", 3"), X, Y, 0.0)
    for given in ("", ", increasing=True"):
        assert "where" not in offered(source.format(given), X, Y, 0.0)


def test_columns_of_a_fixed_width_beside_columns_that_were_selected():
    """Along the axis of unknown length: three more, and not as many as there are rows."""
    source = (
        "def f(X, y, t):\n    keep = X[0] > t\n    A = jnp.hstack([X[:, keep], jnp.ones((X.shape[0], 3))])\n"
        "    return A.sum(), A.max()\n"
    )
    check(source, (X, Y, 1.5), (X, Y, -9.0), (X[:2], Y, 1.5), seconds=20.0)
