"""Selections of unknown length that stand in a list or dict, one for each of unknown many values, and are read one by one.

`groups = [x[labels == g] for g in ids]`, later `sum(len(h) for h in groups)` → `sum(len(x[labels == g]) for g in ids)`:
no array holds such a list, and nobody needs it.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.selected_by_turn import Made, Reads, Refused, made_by
from jupyter_jitmagic.source.names import stored, walk


def read_one_by_one(spot: Spot) -> Iterator[Step]:
    """The selection where each item of the list is read, the values it was made for where the list is run over."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef) or not isinstance(spot.node, ast.expr):
        return
    given = set(stored([spot.code.statement(spot.node)]))
    for statement in walk(function):
        made = made_by(spot, statement)
        if made is None or not _is_masked(spot, made):
            continue
        if spot.node in walk(made.over) or (isinstance(made.over, ast.Name) and made.over.id in given):
            with contextlib.suppress(Refused):
                yield spot.step("mask", *Reads(spot, function, made, by_data=True).edits())
            return


def _is_masked(spot: Spot, made: Made) -> bool:
    """Whether what stands in it is selected by a mask."""
    mask = spot.fact(made.item.slice) if isinstance(made.item, ast.Subscript) else None
    return mask is not None and (mask.dtype, mask.ndim) == ("b", 1)


RULES: list[Rule] = [read_one_by_one]
