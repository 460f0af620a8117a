"""Loops that take elements off an end of an array, one by one."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import check, check_with_gradients, offered

Z = jnp.array([0.0, 2.0, 0.0, -3.0, 0.5, 0.0, 0.0])
CALLS = [(Z,), (Z[::-1],), (Z + 1,), (jnp.array([0.0, 0.0, 5.0, 0.0, -1.0, 2.0, 7.0]),)]
NOTHING = (Z * 0,)


@pytest.mark.parametrize(
    "loop",
    [
        "while z[-1] == 0:\n        z = z[:-1]",
        "while abs(z[0]) < 0.75:\n        z = z[1:]",
        "while z[-1] <= 0 or z[-1] > 6:\n        z = z[:-1]",
        "while not z[0] > 0.25:\n        z = z[1:]",
        "while not z[-1]:\n        z = z[:-1]",
    ],
)
def test_what_is_left_is_a_selection(loop):
    """No rewrite of the whole was known."""
    check_with_gradients(f"def f(z):\n    {loop}\n    return (z * z).sum() / len(z) + z[-1]\n", *CALLS, seconds=20.0)


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ("len(z) > 1 and", "z[0] + z[-1]"),
        ("z.size and", "z.sum()"),
        ("z.shape[0] >= 4 and", "z.mean()"),
        ("len(z) > 0 and", "len(z)"),
    ],
)
@pytest.mark.parametrize(("place", "rest"), [("-1", ":-1"), ("0", "1:")])
def test_so_it_is_where_some_stay_in_any_case(asked, left, place, rest):
    loop = f"while {asked} z[{place}] == 0:\n        z = z[{rest}]"
    check(f"def f(z):\n    {loop}\n    return {left}\n", *CALLS, NOTHING, seconds=20.0)


def test_both_ends_go_in_a_helper():
    source = "def trimmed(z, t):\n    while len(z) > 0 and z[-1] < t:\n        z = z[:-1]\n"
    source += "    while len(z) > 0 and z[0] < t:\n        z = z[1:]\n    return z\n\n"
    source += "def f(z, t):\n    z = trimmed(z, t)\n    return (z ** 2).sum() * len(z)\n"
    check_with_gradients(source, *((z, 0.25) for (z,) in [*CALLS, NOTHING]), seconds=20.0)


@pytest.mark.parametrize(
    "loop",
    [
        "while z[-1] < z.mean():\n        z = z[:-1]",
        "while z[-1] < z[0]:\n        z = z[:-1]",
        "while z[0] == 0:\n        z = z[:-1]",
        "while z[-1] == 0:\n        z = z[:-2]",
        "while (z[-1] == w[: len(z)]).any():\n        z = z[:-1]",
    ],
)
def test_a_loop_whose_test_asks_for_more_stays(loop):
    assert "cumsum" not in offered(f"def f(z, w):\n    {loop}\n    return z.sum()\n", Z, Z + 1, seconds=3.0)
