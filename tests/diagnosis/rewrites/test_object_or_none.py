"""A variable that holds an object of a few numbers or None."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

X, SIGNAL = jnp.array([1.0, 2.0, 3.0, 2.0, 1.0, 2.5]), jnp.array([1, 0, -1, -1, 1, 1])

POSITION = """
from dataclasses import dataclass
from typing import Optional

@dataclass
class Trade:
    side: int
    price: float
    size: float = 2.0

def f(x, signal):
    trade: Optional[Trade] = None
    gain, closed = 0.0, 0
    for price, way in zip(x, signal):
        if trade is None:
            if way != 0:
                trade = Trade(way, price=price)
        elif way == -trade.side:
            gain += trade.side * (price - trade.price) * trade.size
            closed += 1
            trade = None
    return gain, closed
"""
TRAILED = """
def f(x, signal):
    held, total = None, 0.0
    held = None
    for k in range(1, len(x)):
        if held is None and x[k] > x[k - 1]:
            held = {"entry": x[k], "stop": x[k] * 0.9}
        elif held is not None and x[k] < held["stop"]:
            total += x[k] - held["entry"]
            held = None
        elif held:
            held["stop"] = max(held["stop"], x[k] * 0.9)
    return total + (x[-1] - held["entry"] if held is not None else 0.0)
"""
NEAREST = """
from typing import NamedTuple

class Hit(NamedTuple):
    t: float
    which: int

def f(x, signal):
    best = None
    for k, (v, s) in enumerate(zip(x, signal)):
        if s > 0 and (best is None or v < best.t):
            best = Hit(v, k)
    return (best.t, best.which) if best is not None else (-1.0, -1)
"""


@pytest.mark.parametrize("source", [POSITION, TRAILED.replace("held, total = None, 0.0", "total = 0.0"), NEAREST])
def test_fields_are_variables_and_a_flag_says_whether_there_are_any(source):
    """Nothing was found for an object in a branch."""
    check(source, (X, SIGNAL), (X[::-1], -SIGNAL), (X, SIGNAL * 0), (X[:3], SIGNAL[:3]), seconds=10.0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return gain, closed", "return gain, trade"),
        ("            trade = None", "            last = trade\n            trade = None"),
        ("trade = Trade(way, price=price)", "trade = Trade(way, price=x)"),
        ("trade = Trade(way, price=price)", "trade = Trade(*(way, price))"),
        ("    size: float = 2.0\n", "    size: float = 2.0\n\n    def __post_init__(self):\n        self.price *= 2\n"),
        (
            "@dataclass\nclass Trade:\n    side: int\n    price: float\n    size: float = 2.0\n",
            "@dataclass(init=False)\nclass Trade:\n    side: int\n    price: float\n    size: float = 2.0\n\n"
            "    def __init__(self, side, price):\n        self.side, self.price = side, price * 2\n",
        ),
    ],
)
def test_an_object_of_which_more_is_asked_stays(old, new):
    assert old in POSITION
    assert "fields" not in offered(POSITION.replace(old, new), X, SIGNAL)
