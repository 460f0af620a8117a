"""What stands in the `else` of a loop over what data selects or fills."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis import diagnose

from .helpers import check, define

FIRST_FIT = """def f(sizes, capacity):
    free = []
    slot = [-1] * len(sizes)
    for i in range(len(sizes)):
        n = int(sizes[i])
        if n > capacity:
            continue
        for b, room in enumerate(free):
            if n <= room:
                free[b] -= n
                slot[i] = b
                break
        else:
            free.append(capacity - n)
            slot[i] = len(free) - 1
    return jnp.array(slot), len(free)
"""


def test_what_finds_no_place_is_put_behind_the_others():
    """`for b, room in enumerate(free): … break`, `else: free.append(…)`: each round of the outer loop adds one at most."""
    sizes = jnp.array([5, 3, 7, 2, 4, 1])
    check(FIRST_FIT, (sizes, 8), (sizes[::-1], 7), (jnp.array([4, 4, 4, 4]), 8), (jnp.array([9, 12]), 8), seconds=20)


BEHIND = [
    ("r = v * 2\n            break", "r = s.sum()"),
    ("r = v\n            break\n        r = -v", "r = s.size + 0.0"),
]


@pytest.mark.parametrize(("found", "else_"), BEHIND)
def test_what_stands_behind_a_loop_over_a_selection_that_was_not_left(found, else_):
    source = f"def f(x, t):\n    s = x[x > 0]\n    r = 0.0\n    for v in s:\n        if v > t:\n            {found}\n    else:\n        {else_}\n    return r\n"  # noqa: E501
    x = jnp.array([1.0, -2.0, 3.0, 5.0, -1.0])
    check(source, (x, 2.0), (x, 9.0), (-x, 0.5), (-x * x, 1.0))


def test_a_selection_that_is_shortened_there_alone_is_left():
    """Behind a `break` it is as long as it was."""
    loop = "for v in s:\n        if v > t:\n            break\n    else:\n        {}\n"
    source = f"def f(x, t):\n    s = x[x > 0]\n    {loop}    return s.sum()\n"
    x = jnp.array([1.0, -2.0, 3.0, 5.0, -1.0])
    assert diagnose(define(source.format("t = t + 1"))["f"], x, 2.0).rewrites
    assert not diagnose(define(source.format("s = s[s < 4]"))["f"], x, 2.0).rewrites
    assert not diagnose(define(source.format("t = v").replace("s.sum()", "t"))["f"], x, 9.0).rewrites
