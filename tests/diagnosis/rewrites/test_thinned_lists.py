"""Lists of numbers of which a loop keeps fewer and fewer are arrays beside a mask."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import check, define, offered, propose

BOXES = """
def overlap(a, b):
    low, high = max(a[0], b[0]), min(a[1], b[1])
    if high <= low:
        return 0.0
    return (high - low) / (max(a[1], b[1]) - min(a[0], b[0]))

def f(boxes, scores, limit=0.5):
    order = jnp.argsort(scores)[::-1].tolist()
    keep = jnp.zeros(len(boxes), dtype=bool)
    while order:
        best = order.pop(0)
        if scores[best] < 0.05:
            break
        keep = keep.at[best].set(True)
        order = [i for i in order if overlap(boxes[best], boxes[i]) < limit]
    return keep
"""
EDGES = jnp.array([[0.0, 4.0], [0.5, 4.5], [6.0, 9.0], [6.0, 8.5], [1.0, 2.0]])
SCORES = jnp.array([0.9, 0.8, 0.3, 0.6, 0.02])


def test_what_overlaps_the_best_is_left_out():
    found = check(BOXES, (EDGES, SCORES), (EDGES, SCORES[::-1]), (EDGES, SCORES * 0), (EDGES[:2], SCORES[:2]), seconds=20.0)
    assert "array" in found.rewrites[0].patterns
    assert "kept & jax.vmap(lambda i: overlap(boxes[best], boxes[i]) < limit)(order)" in found.rewrites[0].source


LOOP = """
def f(x, limit=2.0):
    left = {begins}
    for _ in range(4):
        {first}
        kept = [{item} for {item} in left if {test}]
        if len(kept) == len(left):
            break
        left = kept
    return {gives}
"""
X = jnp.array([1.0, 2.0, 8.0, 2.5, 1.5, 0.5])
CLIPPED = {
    "numbers": ("[v for v in x]", "middle = sum(left) / len(left)", "v", "abs(v - middle) < limit", "sum(left) / len(left)"),
    "as a list": ("list(x)", "middle = max(left) / 2", "v", "v > middle or v < 1", "len(left), max(left)"),
    "of Python's": ("x.tolist()", "middle = left[-1]", "v", "v - middle < limit and v > 0", "len(left), min(left)"),
    "places": ("list(range(len(x)))", "top = left[0]", "i", "x[i] <= x[top] + 1", "sum(x[i] for i in left)"),
    "some places": ("[i for i, v in enumerate(x) if v > 0.6]", "top = left[0]", "i", "x[i] <= x[top] + 1", "len(left)"),
    "whether one is left": ("list(range(len(x)))", "top = left[0]", "i", "x[i] <= x[top] + 1", "2 in left, 4 not in left"),
    "truth of a number": ("list(range(len(x)))", "odd = x[0]", "i", "(i * odd) % 2", "len(left), sum(left)"),
}


@pytest.mark.parametrize("how", CLIPPED)
def test_a_list_that_a_loop_thins_out(how):
    begins, first, item, test, gives = CLIPPED[how]
    source = LOOP.format(begins=begins, first=first, item=item, test=test, gives=gives)
    found = check(source, (X,), (X[::-1],), (X[1:4],), (X, 0.5), seconds=20.0)
    assert "array" in found.rewrites[0].patterns


AUCTION = """
def f(values, units=2):
    price = 0.0
    active = [i for i, v in enumerate(values) if v >= price]
    while len(active) > units:
        price = price + 1.0
        active = [i for i in active if values[i] >= price]
    won = jnp.zeros(len(values))
    for i in active:
        won = won.at[i].set(1.0)
    return won, price * len(active), not active
"""


def test_what_is_left_is_run_over_and_counted():
    found = check(AUCTION, (X,), (X * 0,), (X[:3],), (jnp.ones(6), 5), seconds=20.0)
    assert "array" in found.rewrites[0].patterns and "values[active] >= price" in found.rewrites[0].source


@pytest.mark.parametrize(
    ("more", "is_an_array"),
    [
        ("pass", True),
        ("left.append(0)", False),
        ("seen = left", True),
        ("left.sort()", False),
        ("left = [i + 1 for i in left]", False),
        ("x = x * len(str(left))", False),
        ("left = list(other)", False),
        ("left = list(range(len(left)))", False),
    ],
)
def test_a_list_that_is_asked_for_more_stays_one(more, is_an_array):
    source = f"""
def f(x, other=(1, 2)):
    left = list(range(len(x)))
    while len(left) > 2:
        {more}
        top = left[0]
        left = [i for i in left if x[i] < x[top] + 1 and i != top]
    return len(left)
"""
    assert ("array" in offered(source, X)) is is_an_array


def test_what_a_loop_over_the_list_takes_out_of_it_stays():
    source = """
def f(x):
    left = list(range(len(x)))
    while len(left) > 2:
        top = left[0]
        left = [i for i in left if x[i] < x[top] + 1]
        {loop}
    return len(left)
"""
    beside = "last = left.pop()"
    assert "array" in offered(source.format(loop=beside), X)
    assert "array" not in offered(source.format(loop=f"for i in left:\n            {beside}"), X)


@pytest.mark.parametrize(
    ("kind", "asked", "is_an_array"),
    [
        (jnp.int32, "len(left)", True),
        (jnp.int32, "wanted in left", True),
        (jnp.float32, "len(left)", True),
        (jnp.float32, "wanted in left", False),
        (bool, "len(left)", False),
    ],
)
def test_what_python_holds_in_other_bits_stays_a_list(kind, asked, is_an_array):
    """0.1 of Python's is none of 32 bits, and flags add up to whole numbers."""
    source = f"""
def f(x, wanted):
    left = x.tolist()
    for _ in range(3):
        top = left[0]
        left = [v for v in left if v > wanted or v == top]
    return {asked}
"""
    assert ("array" in offered(source, X.astype(kind), 2)) is is_an_array


def test_a_list_that_is_returned_has_no_fixed_length():
    source = LOOP.format(begins="list(range(len(x)))", first="top = left[0]", item="i", test="x[i] <= x[top] + 1", gives="left")
    found = propose(define(source)["f"], (X,), {}, seconds=5.0)
    assert not found.rewrites and any("depend on data" in each or "depends on data" in each for each in found.obstacles), found


FILTERED = """
def weight(i):
    return 2 * (i % 2)

def f(x, rows):
    left = list(range(len(x)))
    while len(left) > 2:
        top = left[0]
        left = [i for i in left if {test}]
    return {gives}
"""


@pytest.mark.parametrize(
    ("test", "gives", "is_an_array"),
    [
        ("i > top and weight(i + x[i] * 0)", "len(left)", True),
        ("i > top and (2 if x[i] > 1 else 0)", "len(left), sum(left)", True),
        ("((i - top + x[i] * 0) * 2)", "len(left), sum(left)", True),
        ("(((i - top) * 2) and (x[i] > 0))", "len(left), sum(left)", True),
        ("i > top and x[i] > 0", "sum(x[i] for i in left)", True),
        ("i > top and x[i] > 0", "sum(rows[i] for i in left)", False),  # a row
        ("i > top and x[i] > 0", "max(x[i] for i in left) if left else 0.0", True),
    ],
)
def test_what_is_asked_of_each_number_that_is_left(test, gives, is_an_array):
    """A number whose truth is asked is no place to go to; rows add up to a row."""
    source = FILTERED.format(test=test, gives=gives)
    calls = [(x, jnp.stack([x, x], axis=1)) for x in (X, X[::-1], X * 2)]
    assert ("array" in offered(source, *calls[0])) is is_an_array
    if is_an_array:
        check(source, *calls, seconds=20.0)


def test_nan_beside_the_largest_number_is_told_of():
    """Python's max() goes by the place of NaN, that of JAX does not."""
    begins, first, item, test, gives = CLIPPED["as a list"]
    found = check(LOOP.format(begins=begins, first=first, item=item, test=test, gives=gives), (X,), seconds=20.0)
    assert "array" in found.rewrites[0].patterns
    assert any("NaN" in each for each in found.rewrites[0].compared.differences)


@pytest.mark.parametrize("inner", ["", "def last():\n        "])
def test_a_list_of_which_another_function_takes_something_stays(inner):
    """A name that is given there would be the other function's own."""
    source = f"""
def f(x):
    left = list(range(len(x)))
    while len(left) > 2:
        top = left[0]
        left = [i for i in left if x[i] < x[top] + 1 and i > top]
    {inner}v = left.pop(0)
    return len(left)
"""
    assert ("array" in offered(source, X)) is (not inner)
