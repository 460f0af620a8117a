"""Slices with traced bounds that are put together to a whole."""

import jax.numpy as jnp
import pytest

from .helpers import check

X = jnp.array([3.0, 1.0, 4.0, 1.5, 9.0])
M = jnp.arange(10.0).reshape(5, 2)


def _calls(array, *numbers):
    return [(array, jnp.array(number)) for number in numbers]


@pytest.mark.parametrize(
    ("body", "calls", "text"),
    [
        ("jnp.concatenate([jnp.zeros(k), x[: len(x) - k]])", _calls(X, 1, 0, 5), "jnp.roll(x, k)"),
        ("jnp.concatenate([jnp.full((k, 2), jnp.nan), x[:-k]])", _calls(M, 1, 4), "[:, None] < k"),
        ("jnp.hstack([x[k:], jnp.full(k, x[-1])])", _calls(X, 2, 0, 5), "jnp.roll(x, -k)"),
        ("jnp.pad(x[:-k], (k, 0)) * x", _calls(X, 2, 4), "jnp.roll(x, k)"),
        ("jnp.concatenate([jnp.zeros_like(x[:k]), x[k:]])", _calls(X, 1, 0, 5, 9), "jnp.zeros_like(x), x)"),
        ("jnp.concatenate([jnp.zeros(k), jnp.ones(len(x) - k)]) * x", _calls(X, 1, 0, 5), "jnp.ones(len(x))"),
        ("jnp.concatenate([x[:k], x[k : k + 2][::-1], x[k + 2 :]])", _calls(X, 1, 0, 3, 4, 9), "x[::-1]"),
        ("jnp.concatenate([jnp.ones(k, int), x[:k], x[2 * k :]])", _calls(X, 1, 2, 0), "jnp.roll(x, k)"),
    ],
)
def test_pieces_that_make_a_whole_are_moved_to_their_places(body, calls, text):
    assert text in check(f"def f(x, k):\n    return {body}\n", *calls).rewrites[0].source


@pytest.mark.parametrize("pieces", ["x[k:], x[:k]", "x[-k:], x[:-k]"])
def test_a_rotation_is_one_whose_bounds_python_limits(pieces):
    found = check(f"def f(x, k):\n    return jnp.concatenate([{pieces}])\n", *_calls(X, 1, 0, 4, 5, 7, -2, -9))
    assert "where" not in found.rewrites[0].source


def test_each_piece_may_be_of_another_array():
    source = "def f(a, b, k):\n    return jnp.concatenate([a[:k], b[k:]]), jnp.append(b[:k], a[k:])\n"
    numbers = jnp.arange(5)
    assert check(source, *((X, numbers, jnp.array(k)) for k in (2, 0, 5, 8))).rewrites[0].verified


def test_pieces_in_another_order_begin_where_python_limits_them():
    source = "def f(x, i, j):\n    return jnp.concatenate([x[:i], x[j:], x[i:j]])\n"
    places = [(1, 3), (0, 5), (2, 9), (2, 2)]
    assert check(source, *((X, jnp.array(i), jnp.array(j)) for i, j in places)).rewrites[0].verified
