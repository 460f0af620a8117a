"""Attributes written below a test on data: of objects that the function makes, and of arguments that jit takes apart."""

import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm

from .helpers import check, define

STATE = """
class State:
    def __init__(self, x):
        self.x, self.rounds = x, 0

"""
BALL = """
from dataclasses import dataclass

@jax.tree_util.register_dataclass
@dataclass
class Ball:
    place: object
    speed: object

"""


@pytest.mark.parametrize(
    "body",
    [
        "if s.x > limit:\n        s.x = s.x / 2",
        "if s.x > limit:\n        s.x = s.x / 2\n        s.rounds += 1\n    else:\n        s.rounds = -1",
        "while s.x > limit:\n        s.x = s.x / 2\n        s.rounds += 1",
        "for _ in range(5):\n        s.x = s.x * 0.7\n        if s.x < limit:\n            break\n        s.rounds += 1",
        "if s.x > limit:\n        if s.rounds == 0:\n            s.x = s.x - limit\n        s.rounds = s.rounds + 1",
    ],
)
def test_an_object_that_the_function_makes(body):
    source = f"{STATE}def f(x, limit):\n    s = State(x)\n    {body}\n    return s.x, s.rounds\n"
    check(source, (9.0, 2.0), (1.0, 2.0), (3.5, 1.0))


def test_a_namespace_in_a_loop_that_is_unrolled():
    source = """
from types import SimpleNamespace

def f(x, rate):
    best = SimpleNamespace(value=x, at=0)
    for k in range(4):
        x = x - rate * (x - 1.0)
        if abs(x) < best.value:
            best.value = abs(x)
            best.at = k
    return best.value, best.at
"""
    found = check(source, (3.0, 0.9), (3.0, 2.5))
    assert "compile-time" not in found.rewrites[0].patterns  # what holds traced values is not known while tracing


def test_an_argument_that_jit_takes_apart_stays_as_it_was():
    """The compiled function gives the new one and does not change the caller's: both are said."""
    namespace = define(
        f"{BALL}def f(ball, step):\n    ball.place = ball.place + ball.speed * step\n"
        "    if ball.place < 0:\n        ball.speed = -ball.speed\n    return ball\n"
    )
    ball = namespace["Ball"](jnp.float32(0.1), jnp.float32(-2.0))
    place, speed = ball.place, ball.speed
    found = jm.diagnose(namespace["f"], ball, 0.1)
    assert found.verified and found.rewrites[0].patterns == ("attribute", "where")
    assert "plain Python writes" in " ".join(found.rewrites[0].compared.differences)
    assert ball.place is place and ball.speed is speed


@pytest.mark.parametrize(
    ("source", "obstacle"),
    [
        (
            "class Best:\n    value = 0.0\nbest = Best()\ndef f(x):\n    if x > 1:\n        best.value = x\n    return x\n",
            "best.value",
        ),
        (f"{STATE}s = State(0.0)\ndef f(x):\n    if x > 1:\n        s.x = x\n    return s.x\n", "s.x"),
    ],
)
def test_what_others_see_is_not_always_written(source, obstacle):
    found = jm.diagnose(define(source)["f"], jnp.float32(2.0))
    assert not found.rewrites and not found.unverified
    assert f"one branch writes {obstacle}, a side effect" in found.reason


def test_a_property_is_no_variable():
    source = """
class Angle:
    def __init__(self, v):
        self.held = v
    @property
    def value(self):
        return self.held
    @value.setter
    def value(self, new):
        self.held = new % 360

def f(x):
    angle = Angle(x)
    if x > 1:
        angle.value = x * 400
    return angle.held
"""
    assert not jm.diagnose(define(source)["f"], jnp.float32(2.0)).rewrites


WITH_METHOD = f"{STATE}    def twice(self):\n        return self.x * 2\n\n"
TWICE = "    if x > 1:\n        s.x = s.x + 1\n        y = s.twice()\n    else:\n        y = 0.0\n    return y\n"


def test_a_method_called_in_the_branch_sees_the_new_value():
    check(f"{WITH_METHOD}def f(x):\n    s = State(x)\n{TWICE}", (2.0,), (0.5,))


def test_a_method_of_an_object_that_others_hold_would_see_the_old_value():
    """The branch would write to a variable, and the method read the object."""
    source = f"{WITH_METHOD}made = []\n\ndef f(x):\n    s = State(x)\n    made.append(s)\n{TWICE}"
    assert not jm.diagnose(define(source)["f"], jnp.float32(2.0)).rewrites
