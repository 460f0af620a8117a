"""Exceptions as a way through the code."""

import jax
import jax.numpy as jnp
import pytest

from .helpers import check, define, offered, propose

X = jnp.array([1.0, -2.0, 3.0, -0.5, 2.5, 0.25])

SERVED = {
    "raised and caught in one function": """
def f(x):
    try:
        if x.max() > 2:
            raise ValueError("too large")
        out = x * 2
    except ValueError:
        out = x / 2
    return out
""",
    "raised in a helper, in each round": """
def checked(v):
    if v > 1:
        raise OverflowError("over")
    return v * 2

def f(x):
    total = 0.0
    for v in x:
        try:
            total += checked(v)
        except OverflowError:
            total -= 1.0
    return total
""",
    "a round that is left": """
def checked(v):
    if v < 0:
        raise ValueError("negative")
    return v

def f(x):
    good, total = 0, 0.0
    for v in x:
        try:
            w = checked(v)
        except ValueError:
            continue
        good += 1
        total += w
    return total, good
""",
    "out of a loop, with a finally": """
def f(x):
    total, n = 0.0, 0
    try:
        for v in x:
            if total > 2:
                raise RuntimeError
            total += v
    except RuntimeError:
        total = -total
    finally:
        n += 1
    return total, n
""",
    "several kinds, and else": """
def f(x):
    m = x.mean()
    try:
        if m < 0:
            raise KeyError("low")
        if m > 1:
            raise RuntimeError("high")
    except (KeyError, IndexError):
        out = -1.0
    except RuntimeError:
        out = 1.0
    else:
        out = m
    return out
""",
    "a division by zero": """
def f(x):
    count, total = 0, 0.0
    for v in x:
        if v > 2:
            count += 1
            total += float(v)
    try:
        return total / count
    except ZeroDivisionError:
        return 0.0
""",
    "a key that is missing": """
def f(x):
    total, missing = 0.0, 0
    for v in x:
        try:
            total += {0: 0.5, 1: 2.0}[int(v)] * v
        except KeyError:
            missing += 1
    return total, missing
""",
}
STAYS = {
    "what a function of Python's raises by value": """
def f(x):
    try:
        if x.sum() > 100:
            raise ValueError
        y = math.gamma(x[0])
    except ValueError:
        y = -1.0
    return y
""",
    "what was raised is asked": """
def f(x):
    try:
        if x.max() > 2:
            raise ValueError("big")
        n = 0
    except ValueError as e:
        n = len(repr(e))
    return n
""",
}


SERVED |= {
    "a place that may not be there": """
def f(x):
    flags = [bool(v > 2.75) for v in x]
    try:
        i = flags.index(True)
    except ValueError:
        i = -1
    return i
""",
    "the first of a generator that may be empty": """
def f(x):
    rising = (i for i in range(1, len(x)) if x[i] > x[i - 1] + 2)
    try:
        k = next(rising)
    except StopIteration:
        return -1.0
    return x[k]
""",
    "a number that a function of math refuses": """
def f(x):
    total, bad = 0.0, 0
    for v in x:
        try:
            total += math.log(v + 0.25) + math.sqrt(abs(v))
        except ValueError:
            bad += 1
    return total, bad
""",
    "what a function of Python's raises by value, beside a raise": """
def f(x):
    try:
        if x.sum() > 100:
            raise ValueError
        y = math.sqrt(x[0])
    except ValueError:
        y = -1.0
    return y
""",
    "what is raised beside functions of math that refuse no finite number": """
def across(tas, wind, angle):
    a = math.radians(angle)
    cross = wind * math.sin(a)
    if abs(cross) >= tas:
        raise ValueError("cannot hold course")
    return math.degrees(math.asin(cross / tas)), tas - wind * math.cos(a)

def f(x):
    try:
        turn, speed = across(1.5, x[0], 30.0 + x[1])
    except ValueError:
        return -1.0, 0.0
    return turn, speed
""",
    "what the exception holds": """
class Over(Exception):
    def __init__(self, excess):
        self.excess = excess

def add(total, v):
    if total + v > 2:
        raise Over(total + v - 2)
    return total + v

def f(x):
    total, lost = 0.0, 0.0
    for v in x:
        try:
            total = add(total, v)
        except Over as e:
            lost += e.excess
            total = 2.0
    return total, lost
""",
    "what was given to an exception of Python's": """
def f(x):
    lost = 0.0
    for v in x:
        try:
            if v > 1:
                raise ValueError("over", v - 1)
            lost += 0.5
        except ValueError as e:
            lost += e.args[1]
    return lost
""",
}


CALLS = ((X,), (-X,), (jnp.zeros(6),), (X * 3,), (jnp.arange(6.0),))


@pytest.mark.parametrize("how", SERVED)
def test_what_is_raised_and_caught_becomes_a_choice(how):
    """Nothing was found."""
    found = check(SERVED[how], *CALLS)
    assert found.rewrites[0].verified and "except" not in found.rewrites[0].source


@pytest.mark.parametrize("why", STAYS)
def test_a_try_stays_where_nobody_sees_what_is_raised(why):
    assert not propose(define("import math\n" + STAYS[why])["f"], (X,), {}, (), ()).rewrites


def test_a_check_whose_error_a_caller_catches_is_no_nan():
    source = """
def checked(x):
    if x.sum() > 3:
        raise ValueError("over")
    return x * 2

def f(x):
    try:
        return checked(x)
    except ValueError:
        pass
    return x * 0
"""
    found = check(source, *CALLS)
    assert not any("nan" in each.source for each in [*found.rewrites, *found.unverified])


@pytest.mark.parametrize("shown", ['print("stopped:", e)', 'print(f"stopped: {e}")', "print(str(e))"])
def test_a_handler_shows_what_was_raised_in_a_loop(shown, capsys):
    """It is printed as plain Python does, where it is raised alone."""
    source = "def f(x):\n    total = 0.0\n    try:\n        for v in x:\n            if v > 2.5:\n"
    source += "                raise ValueError('too large')\n            total += v\n    except ValueError as e:\n"
    source += f"        {shown}\n        return -1.0\n    return total\n"
    found = check(source, *CALLS)
    assert found.rewrites[0].verified and "too large" in found.rewrites[0].source
    made = define(found.rewrites[0].source)["f"]
    capsys.readouterr()
    for x in (X * 0, X * 0 + 3):
        jax.block_until_ready(jax.jit(made)(x))
        jax.effects_barrier()
    assert capsys.readouterr().out.count("too large") == 1


CAUGHT = "    except ValueError:\n"
OF_NOTHING = {
    "a place in what is listed there": f"    try:\n        return x.tolist().index(4)\n{CAUGHT}        return -1\n",
    "of a generator": "    try:\n        low = min(v for v in x if v > 3)\n" + CAUGHT + "        low = 0\n    return low * 2\n",
    "of a list": "    kept = [v for v in x if v > 3]\n    try:\n        top = max(kept)\n" + CAUGHT + "        top = -1\n"
    "    return top, x[0]\n",
    "of a list made there": "    try:\n        top = max([v * 2 for v in x if v > 3])\n" + CAUGHT + "        return 0\n"
    "    return top + 1\n",
    "by a key": "    try:\n        at = min((i for i in range(len(x)) if x[i] > 3), key=lambda i: -x[i])\n"
    + CAUGHT
    + "        return -1\n    return at\n",
}


@pytest.mark.parametrize("how", OF_NOTHING)
def test_what_is_raised_of_nothing_is_asked_for(how):
    """`min()` and `max()` of what is empty, and the place of what is not there: a handler catches it."""
    x = jnp.array([3, 1, 4, 4, 9])
    check(f"def f(x):\n{OF_NOTHING[how]}", (x,), (x * 0,), (x[:2],), (x[::-1],), seconds=20.0)


def test_what_may_be_raised_otherwise_keeps_its_handler():
    """A list that is no list's own name, and a generator of a function that may raise as well."""
    source = "def f(x):\n    try:\n        low = min({})\n    except ValueError:\n        low = 0\n    return low\n"
    x = jnp.array([3, 1, 4])
    assert "if" in offered(source.format("v for v in x if v > 3"), x)
    assert "if" not in offered(source.format("reversed([v for v in x if v > 3])"), x)
    raising = "def cost(v):\n    if v > 8:\n        raise ValueError\n    return v\n\n\n"
    assert "if" not in offered(raising + source.format("(v for v in x if v > 3), key=cost"), x)
    assert not propose(define(source.format("math.sqrt(v) for v in x if v > 3"))["f"], (x,), {}, seconds=5.0).rewrites
