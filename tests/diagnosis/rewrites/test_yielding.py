"""Generator functions whose items a loop takes one by one."""

import jax.numpy as jnp
import pytest

from .helpers import check, define, propose

X = jnp.array([1.0, -2.0, 3.0, -0.5, 2.5, 0.25])
CALLS = ((X, 0.5), (-X, 0.25), (jnp.zeros(6), 1.0), (X * 3, 2.0), (jnp.arange(6.0), 3.0))
HALVINGS = "def halvings(v, t):\n    while v > t:\n        yield v\n        v = v / 2\n\n"
SERVED = {
    "the first, or a default": """
def crossings(x, t):
    above = False
    for i in range(len(x)):
        if x[i] > t and not above:
            above = True
            yield i
        elif x[i] <= t:
            above = False

def f(x, t):
    return next(crossings(x, t), -1)
""",
    "as many as data says": HALVINGS
    + """
def f(x, t):
    total = 0.0
    for h in halvings(abs(x).sum(), t):
        total += h * h
    return total
""",
    "added up, with a test": HALVINGS
    + """
def f(x, t):
    return sum(h * 2 for h in halvings(abs(x).sum(), t) if h < 4)
""",
    "some of what a loop goes over, added up": """
def kept(values, t):
    for i, v in enumerate(values):
        if v > t:
            yield i, v

def f(x, t):
    return sum(i * v for i, v in kept(x, t))
""",
    "left early, rounds passed over": """
def steps(x, t):
    level = 0.0
    for i, v in enumerate(x):
        level = level * 0.5 + v
        yield i, level

def f(x, t):
    n = 0
    for i, level in steps(x, t):
        if level < 0:
            continue
        if level > t:
            break
        n += i
    return n
""",
    "names of the generator that are the caller's, too": """
def steps(total, t):
    while total > t:
        yield total
        total = total - 1.5

def f(x, t):
    total = 0.0
    for v in steps(abs(x).sum(), t):
        total += v
    return total
""",
}
STAYS = {
    "break, with lines behind the generator's loop": """
def steps(x, t):
    v = x.sum()
    while v > t:
        yield v
        v = v - 1
    yield t

def f(x, t):
    total = 0.0
    for v in steps(x, t):
        if v < 2:
            break
        total += v
    return total
""",
    "continue, with lines behind the yield": """
def steps(x, t):
    v = x.sum()
    while v > t:
        yield v
        v = v - 1

def f(x, t):
    total = 0.0
    for v in steps(x, t):
        if v < 2:
            continue
        total += v
    return total
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_a_generators_lines_stand_in_the_place_of_the_loop(how):
    """Nothing was found."""
    found = check(SERVED[how], *CALLS)
    assert found.rewrites[0].verified and "yield" not in found.rewrites[0].source


@pytest.mark.parametrize("why", STAYS)
def test_a_loop_is_not_moved_where_leaving_it_means_something_else(why):
    found = propose(define(STAYS[why])["f"], (X, 0.5), {})
    assert all("inline" not in [change.pattern for change in each.changes] for each in found.rewrites)


def test_what_the_loop_over_a_generator_changes_is_read_by_it_in_turn():
    """Made beforehand, all items would go by the limit as it was first; no input that is compared tells."""
    source = """
def f(x, t):
    last = t
    def items():
        run = 0.0
        for v in x:
            if v > 1e9 and last < 1e9:
                run = run + v
            yield run
    n = 0
    for g in items():
        if g > 0:
            n += 1
        last = g
    return n, last
"""
    x = jnp.array([0.5, 2.0, -1.0])
    check(source, (x, 0.25), (x * 1e10, 0.25), (-x * 1e10, 0.0))
