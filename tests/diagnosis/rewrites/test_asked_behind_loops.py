"""A selection that each round makes anew, and of which is asked behind the loop."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

D = jnp.array([1.0, 1.2, 0.9, 1.1, 9.0, jnp.nan, 1.05])
CLIPPED = """
def f(d, n=2.0):
    keep = jnp.isfinite(d)
    rounds = 0
    while True:
        x = d[keep]
        new = keep & (jnp.abs(d - x.mean()) <= n * x.std())
        if new.sum() == keep.sum() or new.sum() < 3:
            break
        keep = new
        rounds += 1
    return {}
"""
ENDS = {"its length": "rounds / jnp.sqrt(len(x)), len(x)", "its sum beside its mask": "x.sum(), keep.sum(), len(x)"}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_clipping_until_nothing_is_left_out(end):
    found = check(CLIPPED.format(end), (D,), (D[:4],), (D * 3 - 1,), (D, 1.2), (jnp.array([1.0, 1.0, 2.0, 50.0, -40.0]), 1.0))
    assert ("length" if end == ENDS["its length"] else "first") in found.rewrites[0].patterns


def test_the_length_of_one_of_two_that_are_selected_alike():
    """A mask of its own parted the one whose length is asked from the other one."""
    source = """
def f(d, e, n=2.0):
    keep = jnp.isfinite(d)
    while True:
        x, w = d[keep], 1 / e[keep] ** 2
        mean = (w * x).sum() / w.sum()
        new = keep & (jnp.abs(d - mean) <= n * x.std())
        if new.sum() == keep.sum() or new.sum() < 3:
            break
        keep = new
    return mean, 1 / len(x), keep
"""
    e = jnp.array([0.02, 0.03, 0.01, 0.05, 0.02, 0.02, 0.04])
    found = check(source, (D, e), (D[:4], e[:4]), (D * 3 - 1, e), (D, e, 1.2))
    assert "length" in found.rewrites[0].patterns


def test_the_length_of_what_a_round_cuts_again_is_another_one():
    # of two values in a round the last one is asked behind the loop
    source = CLIPPED.replace("        new =", "        x = x[x > 0]\n        new =").format("len(x), rounds")
    assert "length" not in offered(source, D)


def test_a_mask_of_what_the_loop_counts_is_another_one_in_each_round():
    """`d > k` had one name in all rounds, as it stands before the loop as well."""
    source = """
def f(d):
    k = 0
    while True:
        x = d[d > k]
        if x.sum() < 5 or k > 10:
            break
        k += 1
    return k, x.sum() / max(len(x), 1)
"""
    check(source, (jnp.array([1.0, 2.0, 5.0, 3.0]),), (jnp.array([9.0, 9.0, 1.0]),), (jnp.array([0.5]),), (jnp.arange(6),))


@pytest.mark.parametrize("before", ["", "    x = d * 2\n", "    if steps < 9:\n        x = d * 2\n"])
def test_what_has_a_value_before_a_loop_of_no_rounds_keeps_it(before):
    # bound once more before the loop, x would be another one where no round runs
    loop = "    for _ in range(steps):\n        x = d[d > 1]\n    return x.sum() / len(x)\n"
    given = "d, x, steps=2" if not before else "d, steps=2"
    d = jnp.array([1.0, 2.0, 5.0])
    assert "first" not in offered(f"def f({given}):\n{before}{loop}", *([d, d + 1] if not before else [d]))
    assert "first" in offered(f"def f(d, steps=2):\n{loop}", d)


def test_what_a_round_has_changed_before_is_not_selected_by():
    # before the loop k is another one
    source = CLIPPED.replace("        x = d[keep]\n", "        d = d * 1.01\n        x = d[keep]\n").format("len(x), rounds")
    assert "first" not in offered(source, D)
