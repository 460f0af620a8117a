"""Variables that hold a tuple of numbers, which a set or list is asked for, are a variable for each number."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import check, offered

TURNS = jnp.array([0, 1, 1, 2, 3, 3])
ROUND = jnp.array([0, 1, 2, 3, 0, 0])

WALK = """
MOVES = ((1, 0), (0, 1), (-1, 0), (0, -1))

def f(turns):
    here = (0, 0)
    met = {begins}
    for turn in turns:
        dx, dy = MOVES[turn]
        here = (here[0] + dx, here[1] + dy)
        if here in met:
            break
        met.{add}(here)
    return {gives}
"""


@pytest.mark.parametrize(
    ("begins", "add", "gives"),
    [
        ("{here}", "add", "len(met), here[0] ** 2 + here[1] ** 2"),
        ("{(0, 0), (1, 1)}", "add", "here"),
        ("[here]", "append", "here[1]"),
    ],
)
def test_a_walk_that_ends_where_it_has_been(begins, add, gives):
    """The places are the rows of an array."""
    source = WALK.replace("{begins}", begins).replace("{add}", add).replace("{gives}", gives)
    text = check(source, (TURNS,), (ROUND,), (TURNS[:1],), (TURNS * 0,)).rewrites[0].source
    assert "here_0, here_1" in text


def test_places_that_are_put_into_a_set_are_counted_once():
    source = """
def f(turns):
    seen = set()
    here = (0, 0)
    for turn in turns:
        if turn == 0:
            here = (here[0] + 1, here[1])
        else:
            here = (here[0], here[1] - 1)
        seen.add(here)
    return len(seen)
"""
    check(source, (TURNS,), (ROUND,), (TURNS[:1],))


@pytest.mark.parametrize(
    "changed",
    [
        "here = (here[0] + 1, here[1], turn)",  # of another length
        "here = here + (turn,)",
        "here = turn, *here[1:]",
        "here = [turn, 1]",
        "here = (here[0] + len(f'{here}'), 0)",
    ],
)
def test_what_is_no_pair_at_all_times_stays_whole(changed):
    source = f"""
def f(turns):
    here = (0, 0)
    seen = []
    for turn in turns:
        if turn > 1:
            {changed}
        seen.append(here)
    return len(seen)
"""
    assert "parts" not in offered(source, TURNS)


def test_a_list_whose_length_is_asked_is_no_set():
    """It holds a place as often as it was met."""
    source = WALK.replace("{begins}", "[here]").replace("{add}", "append").replace("{gives}", "len(met)")
    source = source.replace(
        "        if here in met:\n            break\n", "        here = (here[0] * (here not in met), here[1])\n"
    )
    assert "keys" not in offered(source, TURNS)


def test_keys_that_are_whole_numbers_in_this_call_are_said_to_be():
    """A float in its place, as a start of 0.5, would be cut off."""
    source = WALK.replace("{begins}", "{here}").replace("{add}", "add").replace("{gives}", "len(met)")
    found = check(source, (TURNS,))
    assert any("keys of met are whole numbers" in each for each in found.rewrites[0].compared.differences)
