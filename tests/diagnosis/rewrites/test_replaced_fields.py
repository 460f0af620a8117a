"""Dataclasses that are replaced by changed ones."""

import jax.numpy as jnp
import pytest

from .helpers import check, define, propose

HEAD = """
from dataclasses import dataclass, replace

@dataclass(frozen=True)
class State:
    w: float
    best: float = 0.0
    bad: int = 0

"""
X = jnp.array([1.0, -2.0, 3.0, -0.5, 2.5, 0.25])
SERVED = {
    "a loop that is left": """
def f(x):
    s = State(0.0, float("inf"))
    for v in x:
        loss = (s.w - v) ** 2
        if loss < s.best:
            s = replace(s, best=loss, bad=0)
        else:
            s = replace(s, bad=s.bad + 1)
        s = replace(s, w=s.w + 0.1 * v)
        if s.bad >= 2:
            break
    return s.w, s.best
""",
    "fields that change places": """
def f(x):
    s = State(x[0], best=x[1])
    for v in x:
        if v > s.w:
            s = replace(s, w=s.best, best=s.w)
    return s.w, s.best, s.bad
""",
    "the best one kept": """
def f(x):
    s = State(0.0)
    kept = s
    for v in x:
        s = State(s.w + v, v)
        if s.w > kept.w:
            kept = s
    return kept.w, kept.best
""",
}
STAYS = {
    "it is given to a function": """
def f(x):
    s = State(0.0)
    for v in x:
        if v > 0:
            s = replace(s, w=v)
    return len(repr(s)) + s.w
""",
    "its fields are written": """
def f(x):
    s = Mutable(0.0)
    kept = s
    for v in x:
        if v > 0:
            s.w = v
            kept = s
    return kept.w
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_each_field_is_a_variable(how):
    """Nothing was found."""
    found = check(HEAD + SERVED[how], (X,), (-X,), (X[::-1] * 2,), (jnp.zeros(6),))
    assert found.rewrites[0].verified and "replace" not in found.rewrites[0].source


@pytest.mark.parametrize("why", STAYS)
def test_what_is_asked_as_a_whole_stays(why):
    head = HEAD + "@dataclass\nclass Mutable:\n    w: float\n\n"
    assert not propose(define(head + STAYS[why])["f"], (X,), {}, (), ()).rewrites


def test_a_replaced_object_is_chosen_where_no_input_takes_that_side():
    """JAX takes none of it apart: what is no array and differs is not passed over by a map over its leaves."""
    source = HEAD + (
        "def f(x):\n    s = State(x[0], x[1])\n    if s.w >= 1e9:\n"
        "        s = replace(s, w=s.w * 0.5, bad=s.bad + 1)\n    return s.w, s.best, s.bad\n"
    )
    check(source, (X,), (X * 1e10,), (-X * 1e10,))
