"""The object of a list that has the least or the largest key."""

import jax.numpy as jnp
import pytest

from .helpers import check, define, propose

X = jnp.array([1.0, -2.0, 3.0, -0.5, 2.5, 0.25])
CALLS = ((X,), (-X,), (jnp.zeros(6),), (X * 3,), (jnp.arange(6.0),))
CLASSES = """
from dataclasses import dataclass

@dataclass
class Candidate:
    index: int
    value: float

class Server:
    def __init__(self):
        self.free_at = 0.0
        self.served = 0
"""
SERVED = {
    "fields of the best": """
def f(x):
    cands = [Candidate(i, v) for i, v in enumerate(x)]
    best = max(cands, key=lambda c: abs(c.value - 1))
    if best.value > 0:
        return best.index, best.value
    return -best.index, 0.0
""",
    "a field at once": """
def f(x):
    cands = [Candidate(i, v) for i, v in enumerate(x)]
    return min(cands, key=lambda c: c.value).index
""",
    "one that is written to, in each round": """
def f(x):
    servers = [Server(), Server()]
    wait, t = 0.0, 0.0
    for s in x:
        t += 0.5
        server = min(servers, key=lambda s: s.free_at)
        start = max(t, server.free_at)
        wait += start - t
        server.free_at = start + abs(s)
        server.served += 1
    return wait, servers[0].served, servers[1].free_at
""",
}


CARS = """
class Car:
    def __init__(self, speed, start):
        self.speed, self.start, self.asked = speed, start, 0

    def time(self, way):
        return way / self.speed + self.start

    def note(self):
        self.asked += 1

    def noted(self):
        self.note()
        return self.speed

"""


def test_a_method_of_the_best_one_is_asked_of_all() -> None:
    source = "def f(x):\n    cars = [Car(abs(v) + 0.5, i) for i, v in enumerate(x)]\n    way = 3.0\n"
    source += "    best = min(cars, key=lambda c: c.time(way))\n    return best.time(way), best.speed\n"
    assert check(CARS + source, *CALLS).rewrites[0].verified


def test_a_method_that_changes_its_object_is_not() -> None:
    source = "def f(x):\n    cars = [Car(abs(v) + 0.5, i) for i, v in enumerate(x)]\n"
    source += "    best = min(cars, key=lambda c: c.speed)\n    return best.noted(), sum(c.asked for c in cars)\n"
    assert not propose(define(CARS + source)["f"], (X,), {}).rewrites


@pytest.mark.parametrize("how", SERVED)
def test_the_attributes_of_the_best_are_those_at_its_place(how):
    """Nothing was found, or a split; and what stands in the objects is data, which no `np.argmax` takes."""
    found = check(CLASSES + SERVED[how], *CALLS).rewrites[0]
    assert found.verified and "compile-time" not in found.patterns


def test_the_object_itself_is_not_given_on():
    source = "def f(x):\n    cands = [Candidate(i, v) for i, v in enumerate(x)]\n"
    source += "    best = max(cands, key=lambda c: c.value)\n    cands.remove(best)\n    return cands[0].value\n"
    assert not propose(define(CLASSES + source)["f"], (X,), {}).rewrites
