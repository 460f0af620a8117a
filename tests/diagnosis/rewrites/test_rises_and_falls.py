"""Where flags begin to hold and where they end: as many places of the one as of the other."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, check_with_gradients, define

X = jnp.array([0.5, 2.0, 3.0, -1.0, 1.5, 4.0, 1.2, 0.0])
CALLS = [(X,), (X[::-1],), (jnp.abs(X) + 2,), (jnp.array([2.0, 0, 3, 0, 4, 0, 5, 0]),)]
ENDS = "starts = jnp.where(d == 1)[0]\n    ends = jnp.where(d == -1)[0]\n    "
DIFFERENCES = [
    "d = jnp.diff(jnp.pad((x > 1).astype(int), 1))\n    ",
    "d = jnp.diff(jnp.concatenate([jnp.array([0]), jnp.where(x > 1, 1, 0), jnp.zeros(1, int)]))\n    ",
    "above = x > 1\n    d = jnp.diff(above.astype(jnp.int32), prepend=0, append=0)\n    ",
    "flags = (x > 1) * 1\n    padded = jnp.pad(flags, (1, 1))\n    d = jnp.diff(padded)\n    ",
]


@pytest.mark.parametrize("made", DIFFERENCES)
def test_a_run_is_as_long_as_from_its_begin_to_its_end(made):
    """It was said to need a value of a length that depends on data."""
    check(f"def f(x):\n    {made}{ENDS}return (ends - starts).max()\n", *CALLS, seconds=20.0)


@pytest.mark.parametrize(
    "body",
    [
        "lengths = ends - starts\n    return lengths.sum() / len(lengths), jnp.median(lengths), (lengths > 1).sum()",
        "longest = jnp.argmax(ends - starts)\n    return starts[longest], ends[longest]",
        "if len(starts) == 0:\n        return 0\n    return jnp.max(ends - starts) + starts.size",
    ],
)
def test_what_is_asked_of_the_runs(body):
    check(f"def f(x):\n    {DIFFERENCES[0]}{ENDS}{body}\n", *CALLS, seconds=20.0)


def test_flags_that_are_compared_with_the_next_ones():
    source = "def f(x):\n    p = jnp.concatenate([jnp.array([False]), x > 1, jnp.array([False])])\n"
    source += "    begins = jnp.flatnonzero(p[1:] & ~p[:-1])\n    ends = jnp.flatnonzero(~p[1:] & p[:-1])\n"
    source += "    return jnp.mean((ends - begins) ** 2)\n"
    check(source, *CALLS, seconds=20.0)


def test_the_gradient_of_what_the_runs_weigh():
    weighed = "x.sum() * (ends - starts).max() + (x[starts] ** 2 * (ends - starts)).sum()"
    source = f"def f(x):\n    {DIFFERENCES[0]}{ENDS}return {weighed}\n"
    check_with_gradients(source, *CALLS, seconds=20.0)


@pytest.mark.parametrize(
    "made",
    [
        "d = jnp.diff((x > 1).astype(int))\n    ",
        "d = jnp.diff(jnp.pad((x > 1).astype(int), (0, 1)))\n    ",
        "d = jnp.diff(jnp.pad(x.astype(int), 1))\n    ",
        "d = jnp.diff(jnp.concatenate([jnp.array([1]), (x > 1).astype(int), jnp.array([0])]))\n    ",
        "d = jnp.diff(jnp.pad((x > 1).astype(int), 1))\n    d = d.at[0].set(1)\n    ",
    ],
)
def test_where_they_need_not_be_equally_many_nothing_is_proposed(made):
    """A single one would be repeated beside the others in plain Python."""
    found = propose(define(f"def f(x):\n    {made}{ENDS}return (ends - starts).sum()\n")["f"], CALLS[0], {}, seconds=5.0)
    assert not found.rewrites
