"""Python loops that tracing has unrolled: how much of a program they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from typing import NamedTuple

from jupyter_jitmagic.by_line.equations import usual
from jupyter_jitmagic.by_line.hlo import Place
from jupyter_jitmagic.by_line.sources import Source


class Made(NamedTuple):
    """One operation of a program: the user's places that led to it, innermost first, and what repeats have in common."""

    stack: tuple[Place, ...]
    maker: Hashable


class Unrolled(NamedTuple):
    """A Python loop that repeats `rounds` times in a program: `operations` of its `whole` come from it."""

    file: str
    line: int
    function: str
    rounds: int
    operations: int
    whole: int


ROUNDS = 20
"""Fewer are no burden."""


def largest_loop(operations: Iterable[Made]) -> Unrolled | None:
    """The innermost Python loop that most of a program comes from; None where no loop makes up half of it.

    Args:
        operations: every operation of the program.
    """
    every = list(operations)
    sources: dict[str, Source] = {}
    inside: dict[tuple[str, int, int], list[Made]] = defaultdict(list)
    functions: dict[tuple[str, int, int], str] = {}
    for each in every:
        around: dict[tuple[str, int, int], str] = {}
        for place in each.stack:
            if place.file not in sources:
                sources[place.file] = Source(place.file)
            for first, last in sources[place.file].loops:
                if first <= place.line <= last:
                    around[place.file, first, last] = place.function
        for loop in around:  # a comprehension is a place of its own on its line: once all the same
            inside[loop].append(each)
        functions |= around
    for loop in sorted(inside, key=lambda loop: (-len(inside[loop]), loop[2] - loop[1])):
        made = inside[loop]
        rounds = usual(list(Counter(each.maker for each in made if each.maker).values()))
        if 2 * len(made) >= len(every) and rounds >= ROUNDS:
            return Unrolled(loop[0], loop[1], functions[loop], rounds, len(made), len(every))
    return None
