"""What was defined anew since a trace failed: a fix of the old one would put it back. No IPython."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from jupyter_jitmagic.magics.cell_names import Function, module_level
from jupyter_jitmagic.magics.fixed_cells import without_magics
from jupyter_jitmagic.magics.front_end import TypedCell


@dataclass(frozen=True, slots=True)
class Since:
    """A function or method, and the cell that defines it otherwise now."""

    name: str
    cell: int


def defined_since(names: Collection[str], offered: Iterable[str], cells: Iterable[TypedCell], failed: int) -> Since | None:
    """The first of these names that a cell after the failed one defines otherwise than all cells up to it did.

    Args:
        names: functions, and methods as "Class.method".
        offered: the sources of all fixes: a cell with one of these in it is no other one.
        cells: the session's, the latest first.
        failed: the number of the cell that failed.
    """
    known = {(name, text) for source in offered for name, text in _defined(source)}
    for cell in reversed([*cells]):
        for name, text in _defined(cell.text):
            if name in names and (cell.number or 0) > failed and (name, text) not in known:
                return Since(name, cell.number or 0)
            known.add((name, text))
    return None


def _defined(text: str) -> Iterator[tuple[str, str]]:
    """(name, what it does) of each function and method at the top of a cell; decorators are the cell's own matter."""
    try:
        tree = ast.parse(without_magics(text))
    except SyntaxError:
        return
    for statement in module_level(tree.body):
        if isinstance(statement, Function):
            yield statement.name, _text(statement)
        elif isinstance(statement, ast.ClassDef):
            for part in statement.body:
                if isinstance(part, Function):
                    yield f"{statement.name}.{part.name}", _text(part)


def _text(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return "\n".join(map(ast.dump, (function.args, *function.body)))
