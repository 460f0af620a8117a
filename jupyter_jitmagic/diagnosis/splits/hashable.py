"""A function that makes tuples of the lists and dicts that it is given: its pieces take those as static."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.splits.cutting import CannotCut, Key
from jupyter_jitmagic.diagnosis.splits.program import Place
from jupyter_jitmagic.diagnosis.statics.listed import as_hashable
from jupyter_jitmagic.source.code import apply_edits


def lines_of(call: Call, place: Place, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """(`sizes = tuple(sizes)` for each of these arguments, which stay in plain Python; lines that a piece begins with)."""
    hashable, again = [], []
    for name in names:
        value = call.argument(name).value
        held = place.code.fresh("items", f"items_of_{name}") if isinstance(value, dict) else name
        hashable.append(f"{held} = {as_hashable(name, value)}")
        if isinstance(value, dict):
            again.append(f"{name} = dict({held})")
    return hashable, again


def with_lines(place: Place, lines: Sequence[str]) -> str:
    """The text of the function's statement with these lines first in its body.

    Raises:
        CannotCut: its body stands on the line of its `def`.
    """
    code, body = place.code, place.node.body
    documented = len(body) > 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    first = body[1] if documented else body[0]
    if not code.on_own_lines([first]):
        raise CannotCut("it has no lines of its own")
    start = code.region([first])[0]
    return apply_edits(code.text, [(start, start, "".join(f"{code.indent(first)}{line}\n" for line in lines))])


def keys_of(place: Place, lines: Sequence[str]) -> set[Key]:
    """The statements that these lines are: they stay in plain Python."""
    return {(stmt, 0) for stmt in place.node.body if place.code.src(stmt) in lines}
