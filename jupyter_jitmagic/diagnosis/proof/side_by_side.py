"""A rewrite and plain Python on the same inputs, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.differing import CannotRun
from jupyter_jitmagic.sandbox.clock import Deadline


def side_by_side(
    run: Callable[[Input, float], tuple[Any] | None],
    rewrite: Callable[[Input], Any],
    inputs: Iterable[Input],
    most: float,
    deadline: Deadline,
) -> Iterator[tuple[Input, Any, Any]]:
    """(input, what the rewrite gives, what plain Python gives), until the time is over or the rewrite cannot be run.

    Args:
        run: plain Python's result in a tuple, within so many seconds; inputs for which it gives None are left out.
        most: seconds for one such run.
    """
    for given in inputs:
        found = run(given, min(most, deadline.left()))
        if deadline.over():
            return
        if found is None:
            continue
        try:
            got = rewrite(given)
        except CannotRun:
            return
        yield given, got, found[0]
