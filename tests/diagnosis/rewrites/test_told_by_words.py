"""Tables of words, of rows with words and of objects, of which data chooses a place."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

TABLES = """
from dataclasses import dataclass
from typing import NamedTuple
LEVEL = ["####", "#..#", "#.##"]
COST = {"#": 9.0, ".": 1.0}
KINDS = ["soil", "rock", "soil", "ice"]
STAGES = [("emergence", 6.0), ("leaf", 11.0), ("tassel", 12.0), ("maturity", 40.0)]

class Layer(NamedTuple):
    base: float
    temperature: float
    lapse: float

LAYERS = [Layer(0.0, 288.0, -0.5), Layer(11.0, 216.0, 0.0), Layer(20.0, 217.0, 1.0)]

class Counted(NamedTuple):
    number: int
    weight: float

COUNTED = [Counted(1, 0.5), Counted(3, 0.25), Counted(4, 2.0)]

@dataclass(frozen=True)
class Step:
    name: str
    top: float
    rate: float = 0.5

STEPS = [Step("low", 2.0), Step("mid", 5.0, 0.25), Step("high", 9.0, 1.5)]
"""
PLACES = [(jnp.array(1), jnp.array(2)), (jnp.array(0), jnp.array(0)), (jnp.array(2), jnp.array(1))]

SERVED = {
    "a letter of a grid": """
def f(i, j):
    if LEVEL[i][j] == "#":
        return 0.0 * j
    return j * 1.0
""",
    "a letter among others": """
def f(i, j):
    return i if LEVEL[int(i)][int(j)] not in ".x" else j
""",
    "the word that it is asked beside": """
def f(i, j):
    return jnp.where("ice" == KINDS[i], 1.0, 2.0) + j
""",
    "a letter as a key": """
def f(i, j):
    return COST[LEVEL[i][j]] * j
""",
    "a letter of a word": """
def f(i, j):
    return jnp.where("abba"[i] != "a", 1, j)
""",
    "a number beside a word": """
def f(i, j):
    return STAGES[i][1] + j
""",
    "a row taken apart": """
def f(i, j):
    name, need = STAGES[i]
    return need * j
""",
    "a named tuple": """
def f(i, j):
    layer = LAYERS[i]
    return jnp.where(layer.lapse == 0, layer.temperature, layer.temperature + layer.lapse * (j - layer.base))
""",
    "a named tuple of integers and floats": """
def f(i, j):
    item = COUNTED[i]
    return item.number * j, item.weight
""",
    "an object": """
def f(i, j):
    step = STEPS[i]
    return step.top * step.rate + j
""",
    "a field of an object": """
def f(i, j):
    return STEPS[i].rate
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_what_is_asked_of_one_is_asked_of_each(how):
    check(TABLES + SERVED[how], *PLACES)


def test_an_entry_of_a_dict_is_set_by_the_word_of_a_row():
    source = """
def f(t):
    total, stage = 0.0, 0
    reached = {name: -1 for name, _ in STAGES}
    for day in range(len(t)):
        total += t[day]
        while stage < len(STAGES) and total >= STAGES[stage][1]:
            reached[STAGES[stage][0]] = day
            stage += 1
    return total, reached
"""
    check(TABLES + source, (jnp.full(6, 2.0),), (jnp.full(6, 9.0),), (jnp.zeros(3),))


@pytest.mark.parametrize(
    "line",
    [
        "name, need = STAGES[i]\n    return need, name == 'leaf'",  # the word itself is needed
        "step = STEPS[i]\n    return describe(step)",
        "step = STEPS[i]\n    top = step.top\n    step = STEPS[0]\n    return top + step.rate",  # another later
    ],
)
def test_a_row_that_is_needed_itself_is_not_taken_apart(line):
    source = f"""
def describe(step):
    return len(step.name) * step.top

def f(i):
    {line}
"""
    assert "lookup" not in offered(TABLES + source, jnp.array(1))


def test_what_a_handler_catches_is_not_asked_of_each():
    """Compiled code raises nothing for a place past the end."""
    source = """
def f(i):
    try:
        return STAGES[i][1] * 2.0
    except IndexError:
        return -1.0
"""
    assert "lookup" not in offered(TABLES + source, jnp.array(1))
