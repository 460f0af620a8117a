"""Lists that a helper makes and of which its caller asks whether they have items."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import check

EPISODES = """
def episodes(rewards, dones):
    out, total = [], 0.0
    for r, d in zip(rewards, dones):
        total = total + r
        if d:
            out.append(total)
            total = 0.0
    return out

"""
REWARDS = jnp.array([1.0, 2.0, 3.0, 4.0])
DONES, ENDLESS = jnp.array([False, True, False, True]), jnp.array([False, False, False, False])


@pytest.mark.parametrize(
    "rest",
    [
        "    if not found:\n        return 0.0\n    return sum(found) / len(found)\n",
        "    return max(found) if found else 0.0\n",
        "    if found and least > 0:\n        return found[0] + least\n    return least * 2\n",
    ],
)
def test_a_helpers_list_is_asked_for_its_length(rest):
    check(
        f"{EPISODES}def f(rewards, dones, least):\n    found = episodes(rewards, dones)\n{rest}",
        (REWARDS, DONES, 1.0),
        (REWARDS, ENDLESS, 1.0),
        (REWARDS, DONES, -1.0),
    )


def test_a_list_that_becomes_an_array_behind_the_question():
    check(
        f"{EPISODES}def f(rewards, dones):\n    found = episodes(rewards, dones)\n"
        "    if not found:\n        return {'mean': 0.0, 'n': 0}\n    found = jnp.array(found)\n"
        "    return {'mean': found.mean(), 'n': len(found)}\n",
        (REWARDS, DONES),
        (REWARDS, ENDLESS),
    )


def test_what_is_no_list_by_then_is_not_asked_for_its_length():
    found = check(
        "def marks(x):\n    out = [v > 0 for v in x]\n    return out\n\n"
        "def f(x):\n    found = marks(x)\n    found = found[0] & found[1]\n    if found:\n        return x * 2\n    return x\n",
        (REWARDS,),
        (-REWARDS,),
    )
    assert "len(found)" not in found.rewrites[0].source
