"""Lists of tuples of a place and a value: a stack, a queue."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

X = jnp.array([1.0, 3.0, 2.0, 2.0, 5.0, 4.0])
SERVED = {
    "a stack": """
def f(x):
    stack = []
    wait = jnp.zeros(len(x), int)
    for i, v in enumerate(x):
        while stack and stack[-1][1] < v:
            j, _ = stack.pop()
            wait = wait.at[j].set(i - j)
        stack.append((i, v))
    return wait
""",
    "a queue": """
def f(x):
    lots = []
    gain, left = 0.0, jnp.zeros(len(x), bool)
    for i in range(len(x)):
        if x[i] > 1.5:
            lots.append([i, x[i]])
        elif lots:
            j, c = lots.pop(0)
            gain += (x[i] - c) * (i - j)
            left = left.at[j].set(True)
    return gain, left, len(lots)
""",
    "an item changed": """
def f(x):
    runs = []
    first = jnp.zeros(len(x), int)
    for i, v in enumerate(x):
        if not runs or v < runs[-1][1]:
            runs.append((i, v))
        else:
            runs[-1] = (i, v)
        first = first.at[runs[-1][0]].add(1)
    return first, len(runs)
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_places_stay_whole_numbers_beside_values(how):
    """One array of both holds floats, by which nothing can be indexed; a split was said."""
    check(SERVED[how], (X,), (X[::-1],), (-X,), (X * 0 + 1,), seconds=10.0)


def test_how_many_there_are_is_asked_before_one_is_put_there():
    """Two lists have that length, one after the other."""
    source = SERVED["a stack"].replace("stack.append((i, v))", "stack.append((len(stack), v))")
    check(source, (X,), (X[::-1],), (-X,), (X * 0 + 1,), seconds=10.0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return wait", "return wait, stack[:1]"),
        ("j, _ = stack.pop()", "j = stack.pop()[0]"),
        ("return wait", "return wait, max(stack)"),
    ],
)
def test_a_list_that_is_used_as_one_stays_one(old, new):
    """What asks for the tuples themselves gets no part of them."""
    assert "lists" not in offered(SERVED["a stack"].replace(old, new), X, seconds=2.0)
