"""Attributes written below a test on data: of objects that the function makes, and of arguments that jit takes apart."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm

from .helpers import applied, check, define, propose

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


CELL = """
class Cell:
    def __init__(self, v):
        self.v = v
        self.hits = 0

    def over(self, limit):
        return self.v > limit

    def hit(self, k):
        self.v += k
        self.hits += 1

    def meet(self, v):
        if v > self.v:
            self.v = self.v * 0.5 + v
            self.hits += 1

"""
LISTS = {
    "attributes of each": """
    cells = [Cell(v) for v in x]
    for c in cells:
        if c.v > 0.5:
            c.v -= 0.5
            c.hits += 1
    return jnp.array([c.v for c in cells]), sum(c.hits for c in cells)
""",
    "a method called in a branch": """
    cells = [Cell(v) for v in x]
    for k, c in enumerate(cells):
        if c.over(0.5):
            c.hit(k)
        elif c.v < 0:
            c.hit(-1)
    return sum(c.v for c in cells)
""",
    "two lists": """
    ones, others = [Cell(v) for v in x], [Cell(v) for v in x[::-1]]
    for a, b in zip(ones, others):
        if a.v > b.v:
            a.hits += 1
        else:
            b.v = a.v
    first = others[0]
    if first.v > 1:
        first.v = 0.0
    return sum(c.hits for c in ones), sum(c.v for c in others)
""",
}


@pytest.mark.parametrize("how", LISTS)
def test_objects_in_a_list_that_the_function_makes(how):
    """Nothing was found: one branch writes c.v, or calls c.hit for its effect."""
    x = jnp.array([1.0, -2.0, 0.5, 3.0])
    assert check(f"{CELL}def f(x):{LISTS[how]}", (x,), (-x,), (jnp.zeros(4),), (x * 3,)).rewrites[0].verified


def test_a_method_with_a_test_of_its_own():
    source = f"""{CELL}def f(x):
    cells = [Cell(x[0]), Cell(x[1])]
    for v in x:
        for c in cells:
            c.meet(v)
    return cells[0].v, cells[1].hits
"""
    namespace = define(source)
    x = jnp.array([1.0, -2.0, 0.5, 3.0])
    calls = (x, -x, jnp.zeros(4), x * 3)
    wanted = [namespace["f"](each) for each in calls]
    (name, text), *others = propose(namespace["f"], (x,), {}, (), ()).rewrites[0].sources.items()
    assert name == "Cell.meet" and not others
    exec(text, namespace)
    namespace["Cell"].meet = namespace["meet"]
    for each, want in zip(calls, wanted, strict=True):
        assert jax.tree.all(jax.tree.map(jnp.allclose, jax.jit(namespace["f"])(each), want))


def test_two_names_that_may_stand_for_one_object():
    """The second write would undo the first where both are the same."""
    source = f"""{CELL}def f(x):
    cells = [Cell(v) for v in x]
    for a in cells:
        for b in cells:
            if a.v >= b.v:
                a.v = a.v - 0.5
                b.v = b.v + 1.0
    return sum(c.v for c in cells)
"""
    assert not propose(define(source)["f"], (jnp.array([1.0, -2.0, 0.5]),), {}, (), ()).rewrites


def test_objects_of_the_callers_are_not_changed_in_a_branch():
    source = """
class Cell:
    def __init__(self, v):
        self.v = v

CELLS = [Cell(1.0), Cell(2.0)]

def f(x):
    for c in CELLS:
        if x > c.v:
            c.v = 0.0
    return x
"""
    assert not propose(define(source)["f"], (1.5,), {}, (), ()).rewrites


def test_an_object_at_a_place_of_a_list():
    """Nothing was found."""
    source = """
class Bin:
    def __init__(self):
        self.total = 0.0
        self.count = 0

    def put(self, v):
        if v > 0:
            self.total += v
            self.count += 1

def f(x):
    bins = [Bin() for _ in range(3)]
    for i, v in enumerate(x):
        bins[i % 3].put(v - 0.5)
    return [b.total for b in bins], bins[1].count
"""
    x = jnp.array([1.5, -2.0, 3.0, -0.5, 2.5, 0.25])
    check(source, (x,), (-x,), (x * 0,), (x[:2],))


VARIABLE = """
class Variable:
    def __init__(self, value):
        self.held = value

    @property
    def value(self):
        return self.held

    @value.setter
    def value(self, new):
        self.held = new

    def __getitem__(self, at):
        return self.held

    def __setitem__(self, at, new):
        self.held = new

Variable.__module__ = "flax.core.scope"

def variable(value):
    return Variable(value)

"""


@pytest.mark.parametrize(
    "body",
    [
        "if count < 3:\n        mean.value = x\n    else:\n        mean.value = 0.5 * mean.value + 0.5 * x",
        "if x > 1:\n        mean.value += x\n        if count < 3:\n            mean.value = 0.0",
    ],
)
def test_a_librarys_variable_that_one_side_writes(body):
    """As flax's `self.variable(...)` gives them: the value is chosen, and the variable written behind the choice."""
    found = check(
        f"{VARIABLE}def f(x, count):\n    mean = Variable(2.0 * x)\n    {body}\n    return mean.value * 2\n",
        (1.5, 1),
        (1.5, 4),
        (-2.0, 3),
        (0.5, 0),
    )
    assert "mean.value = mean_value" in found.rewrites[0].source


def test_a_librarys_variable_that_is_written_by_an_ellipsis():
    """As nnx has it."""
    source = (
        f"{VARIABLE}def f(x):\n    mean = variable(2.0 * x)\n    if x > 1:\n        mean[...] += x\n    return mean[...] * 2\n"
    )
    found = propose(define(source)["f"], (2.0,), {})
    assert "mean[...] = mean_value" in (*found.rewrites, *found.unverified)[0].source


@pytest.mark.parametrize(
    "body",
    [
        "same = mean\n    if x > 1:\n        mean.value = x\n        y = same.value",
        "if x > 1:\n        mean.value = x\n        y = of(mean)",
        "if x > 1:\n        mean.value = x\n        y = mean[...]",
    ],
)
def test_a_variable_that_is_seen_otherwise_stays_where_it_is_written(body):
    """By another name, by who is given it, by its other spelling: what is read there would be the old value."""
    helper = "def of(v):\n    return v.value\n"
    source = f"{VARIABLE}{helper}def f(x):\n    y = x\n    mean = Variable(2.0 * x)\n    {body}\n    return y\n"
    found = propose(define(source)["f"], (2.0,), {})
    assert not found.rewrites, [each.source for each in found.rewrites]


def test_a_field_that_its_class_declares_an_array_is_no_number_of_pythons():
    """What tells arrays from numbers (as `eqx.is_array` does) may fail for an int there, which no caller gives."""
    source = """
from dataclasses import dataclass

@jax.tree_util.register_dataclass
@dataclass
class Net:
    w: jax.Array
    scale: jax.Array

def f(net, x):
    y = (net.w * x).sum()
    if y > 0:
        y = -y
    step = jax.tree.map(lambda p: y if jnp.issubdtype(jnp.result_type(p), jnp.inexact) else None, net)
    return jax.tree.map(lambda p, q: p - q if getattr(p, "size", 0) else p, net, step).scale
"""
    namespace = define(source)
    net = namespace["Net"](jnp.ones(2), jnp.array(1.0))
    assert jm.diagnose(namespace["f"], net, jnp.array([1.0, 2.0])).verified


def test_what_both_branches_set_of_an_object_made_for_one_call_is_chosen():
    """`Model(n).fit(X)` has no name whose object could be followed; what is set on both sides is not read before."""
    source = """
class Model:
    def __init__(self, k):
        self.k, self.coef, self.n = k, None, 0

    def fit(self, X, y):
        A = X.T @ X
        if jnp.linalg.det(A) == 0:
            self.coef = jnp.zeros(X.shape[1])
            self.n += 1
        else:
            self.coef = jnp.linalg.solve(A, X.T @ y)
        return self

    def predict(self, X):
        return X @ self.coef * self.k + self.n


def f(X, y):
    return Model(2.0).fit(X, y).predict(X)
"""
    X, y = jnp.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), jnp.array([1.0, 2.0, 3.0])
    namespace = define(source)
    found = propose(namespace["f"], (X, y), {}, (), seconds=20)
    assert found.rewrites and "= self.n" in found.rewrites[0].source and "= self.coef" not in found.rewrites[0].source
    wanted = [namespace["f"](*args) for args in ((X, y), (X * 0, y))]
    with applied(found, namespace):
        for args, want in zip(((X, y), (X * 0, y)), wanted, strict=True):
            np.testing.assert_allclose(jax.jit(namespace["f"])(*args), want, rtol=1e-5)
