"""One place of an array given anew by what stands before and behind it."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

X, T, PLACES = jnp.arange(6.0), jnp.array([7.0, 8.0]), [jnp.array(n) for n in (2, 0, 4)]


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ("jnp.concatenate([x[:i], jnp.array([t[0]]), x[i + 1:]])", ".at[i].set(t[0])"),
        ("jnp.concatenate([x[:i], t, x[i + len(t):]])", ".at[i + jnp.arange(len(t))].set(t)"),
        ("jnp.hstack((x[:i], t, x[t.shape[0] + i:]))", ".at[i + jnp.arange(t.shape[0])].set(t)"),
        ("jnp.concatenate([x[:i], jnp.asarray([t[1]]), x[i:]])", "jnp.insert("),
        ("jnp.concatenate([x[:i], t, x[i:]])", ", i, t)"),
        ("jnp.concatenate([x[:i], x[i + 1:]])", "jnp.delete(x, i, "),
    ],
)
def test_what_stands_before_and_behind_a_place_is_the_array(body, written):
    """Masks of pieces and their order were written where one call does it."""
    found = check(f"def f(x, t, i):\n    return {body}\n", *((X, T, i) for i in PLACES), seconds=10.0)
    assert written in found.rewrites[0].source


def test_integers_beside_floats_become_floats():
    source = "def f(x, t, i):\n    return jnp.concatenate([x[:i], jnp.array([t[0]]), x[i + 1:]])\n"
    check(source, *((jnp.arange(6), T, i) for i in PLACES), seconds=10.0)


@pytest.mark.parametrize("body", ["jnp.concatenate([x[:i], t, x[i + len(t):]])", "jnp.concatenate([x[:i], t, x[i:]])"])
def test_floats_that_another_call_puts_among_integers_keep_their_fractions(body):
    """The call's own arrays are both of floats: with integers for one of them 0.5 was 0, and nothing said so."""
    source = f"def f(x, t, i):\n    return {body}\n"
    check(
        source,
        (X, T, PLACES[0]),
        (jnp.arange(6), jnp.array([0.5, 1.5]), PLACES[1]),
        (X, jnp.array([7, 8]), PLACES[0]),
        seconds=10.0,
    )


@pytest.mark.parametrize(
    "body",
    [
        "jnp.concatenate([x[:i], t, x[i + 1:]])",
        "jnp.concatenate([x[:i], t, y[i + len(t):]])",
        "jnp.concatenate([x[:i], x[i + 2:]])",
    ],
)
def test_pieces_that_leave_other_places_out_are_joined_otherwise(body):
    assert "splice" not in offered(f"def f(x, t, i):\n    y = x * 2\n    return {body}\n", X, T, PLACES[0])
