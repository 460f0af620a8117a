"""What is computed for each place of a window whose length is data."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define, offered

X = jnp.arange(9.0) ** 2
BETWEEN = [(X, jnp.array(i), jnp.array(j)) for i, j in ((2, 5), (1, 8), (3, 4), (4, 4))]


def test_steps_between_two_ends_fill_a_gap():
    source = """
def f(x, i, j):
    left, right = x[i - 1], x[j]
    steps = jnp.arange(1, j - i + 1) / (j - i + 1)
    return x.at[i:j].set(left + (right - left) * steps)
"""
    assert "jnp.arange(x.shape[0]) - i + 1" in check(source, *BETWEEN).rewrites[0].source


@pytest.mark.parametrize("ends", ["0.0, 1.0", "0, x[j]", "x[i], 2 * x[j]"])
def test_equal_steps_to_the_last_of_them(ends):
    check(f"def f(x, i, j):\n    return x.at[i:j].add(jnp.linspace({ends}, j - i))\n", *BETWEEN)


def test_a_ramp_at_the_begin():
    source = "def f(x, n):\n    return x.at[:n].multiply(jnp.sin(jnp.arange(n) * 0.3))\n"
    check(source, *[(X, jnp.array(n)) for n in (4, 1, 9, 0)])


def test_gaps_are_filled_one_after_the_other():
    """Two loops that look for the ends of a gap, and a window of numpy's array that is set in place."""
    source = """
def f(x, most=2):
    filled = np.array(x)
    i = 1
    while i < len(x):
        j = i
        while j < len(x) - 1 and jnp.isnan(x[j]):
            j += 1
        if j > i and j - i <= most:
            filled[i:j] = x[i - 1] + (x[j] - x[i - 1]) * jnp.arange(1, j - i + 1) / (j - i + 1)
        i = max(j, i) + 1
    return jnp.asarray(filled)
"""
    nan = jnp.nan
    x = jnp.array([1.0, nan, 2.0, nan, nan, 5.0, nan, nan, nan, 3.0])
    check(source, (x,), (x[::-1],), (jnp.nan_to_num(x),), (x, 3), seconds=20)


def test_what_goes_by_another_length_or_order_or_is_read_elsewhere_is_not_counted_so():
    for body in (
        "return x.at[i:j].set(jnp.arange(j - i + 1))",
        "return x.at[i:j].set(jnp.arange(j - i)[::-1])",
        "steps = jnp.arange(j - i)\n    return x.at[i:j].set(steps), steps.sum()",
        "return x.at[i:j].set(jnp.cumsum(jnp.arange(j - i)))",
    ):
        assert "where" not in offered(f"def f(x, i, j):\n    {body}\n", X, jnp.array(2), jnp.array(5)), body


MASKS = """
def f(x, lengths):
    mask = np.zeros((x.shape[0], x.shape[1], x.shape[1]), dtype=np.float32)
    for b, n in enumerate(lengths):
        mask[b, :n, :n] = {made}
    return jnp.asarray(mask) @ x
"""


@pytest.mark.parametrize(
    "made",
    [
        "np.tril(np.ones((n, n)))",
        "2.0 * np.eye(n)",
        "np.arange(n)",
        "1 - np.tri(n)",
        "np.full((n, n), 0.5) - np.triu(np.ones((n, n)), 1)",
    ],
)
def test_what_is_made_for_a_box_from_the_first_place_on_is_made_for_all_places(made):
    x = jnp.arange(24.0).reshape(3, 4, 2)
    check(MASKS.format(made=made), *((x, jnp.array(lengths)) for lengths in ([4, 2, 1], [0, 4, 3], [1, 1, 1])), seconds=20.0)


@pytest.mark.parametrize(
    ("box", "made"),
    [
        ("1:n + 1, :n", "np.eye(n)"),
        (":n, :n", "np.ones((n, n)) @ np.ones((n, n))"),
        (":n, :n", "np.eye(n, M=n)"),
        (":n, :n", "np.full((n, n), np.arange(n) - n)"),
    ],
)
def test_what_another_box_is_made_for_is_not(box, made):
    """`np.eye(n)` put one place further is no part of a larger one, nor is a product, whose elements depend on n."""
    source = MASKS.replace("mask[b, :n, :n]", f"mask[b, {box}]").format(made=made)
    x = jnp.arange(24.0).reshape(3, 4, 2)
    assert "where" not in offered(source, x, jnp.array([3, 2, 1]))


CUT_OUT = """def f(x, t):
    lo = jnp.argmax(x > t)
    hi = len(x) - jnp.argmax(x[::-1] > t)
    part = x[lo:hi]
    END
"""
PEAKS = [
    (jnp.array(row), 1.0) for row in ([0.0, 2.0, 5.0, 1.5, 0.5], [3.0, 0.0, 0.0, 4.0], [0.0, 0.5, 2.0], [1.5, 0.0, 0.0, 0.0])
]


@pytest.mark.parametrize(
    "end",
    [
        "return (jnp.arange(lo, hi) * part).sum() / part.sum()",
        "at = np.arange(lo, hi)\n    centre = (at * part).sum() / part.sum()\n    return ((at - centre) ** 2 * part).sum()",
        "return jnp.arange(lo, hi, dtype=float).mean(), part.max()",
        "if part.sum() < 2:\n        return 0.0\n    return (jnp.arange(int(lo), int(hi)) * part).sum()",
    ],
)
def test_the_places_of_a_slice_are_counted_beside_it(end):
    """A centroid of what is cut out: `jnp.arange(lo, hi) * x[lo:hi]`."""
    check(CUT_OUT.replace("END", end), *PEAKS)


def test_places_of_other_bounds_than_a_slice_has_are_not_its():
    """The name was bound again in between."""
    end = "lo = jnp.minimum(lo + 1, hi - 1)\n    return jnp.arange(lo, hi).sum() + part.sum()"
    assert "where" in offered(CUT_OUT.replace("END", end.replace("lo = jnp.minimum(lo + 1, hi - 1)\n    ", "")), *PEAKS[0])
    found = propose(define(CUT_OUT.replace("END", end))["f"], PEAKS[0], {})
    assert not found.rewrites and not any("rejected" in each for each in found.obstacles)


@pytest.mark.parametrize("bounds", ["lo, hi, step=2", "lo * 1.0, hi * 1.0"])
def test_places_that_are_no_whole_numbers_in_a_row_are_not_the_slices(bounds):
    """A range of floats holds floats, which no count of places is."""
    source = CUT_OUT.replace("END", f"return jnp.arange({bounds}).sum() + part.sum()")
    source = source.replace("part = x[lo:hi]", "part = x[int(lo * 1.0):int(hi * 1.0)]") if "1.0" in bounds else source
    found = propose(define(source)["f"], PEAKS[0], {})
    assert not found.rewrites and not any("rejected" in each for each in found.obstacles)
