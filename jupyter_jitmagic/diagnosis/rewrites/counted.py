"""What a draft that gives whole arrays and counts gives of plain Python's result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.plain import Plain


def gives_counts(program: Any, cuts: Sequence[tuple[int, int]]) -> bool:
    """Whether a traced program gives whole arrays and their counts, and not (on this call) what plain Python gives."""
    given = program.out_info
    return type(given) is tuple and len(given) > max(count for _, count in cuts)


def first_of(padded: Callable[[Input], Any], cuts: Sequence[tuple[int, int]], plain: Plain) -> Callable[[Input], Any]:
    """What plain Python gives, from what gives whole arrays and counts."""

    def call(given: Input) -> Any:
        length = number_of_parts(plain.first, cuts)
        parts = list(padded(given))
        for array, count in cuts:
            if type(parts[array]) is tuple:  # the columns of a list of tuples
                parts[array] = list(zip(*(each[: int(parts[count])] for each in parts[array]), strict=True))
                continue
            elements = parts[array][: int(parts[count])]
            parts[array] = list(elements) if isinstance(part_of(plain.first, array, length), list) else elements
        return parts[0] if length == 1 else tuple(parts[:length])

    return call


def number_of_parts(result: Any, cuts: Sequence[tuple[int, int]]) -> int:
    """How many of the values that come out are plain Python's, whose result has its own counts among them or has none."""
    first = min(count for _, count in cuts)
    return len(result) if type(result) is tuple and len(result) > first else first


def part_of(result: Any, number: int, of: int) -> Any:
    return result if of == 1 else result[number]
