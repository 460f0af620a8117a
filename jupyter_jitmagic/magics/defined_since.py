"""What was defined anew since a trace failed: a fix of the old one would put it back, and one that calls the old one was never
compared with the new. No IPython."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
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


def reached(sources: Mapping[str, str], cells: Iterable[TypedCell], failed: int) -> set[str]:
    """The functions and methods that a fix changes (`sources`, by name), and those of the cells up to the failed one that these
    call, and so on; of a method its name, or its class's, is known."""
    bodies: dict[str, list[ast.AST]] = {}
    for text in (*sources.values(), *(cell.text for cell in cells if (cell.number or 0) <= failed)):
        for name, function in _functions(text):
            bodies.setdefault(name, []).append(function)
    found, left = {*sources}, [*sources]
    while left:
        named = {each for function in bodies.get(left.pop(), ()) for each in _named(function)}
        new = {name for name in bodies.keys() - found if not named.isdisjoint(_called_as(name))}
        found |= new
        left += new
    return found


def _called_as(name: str) -> tuple[str, ...]:
    of, _, method = name.partition(".")
    return (of, f".{method}") if method else (of,)


def _named(function: ast.AST) -> set[str]:
    """The names of others in a function, and with a point those of attributes."""
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    own = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    own |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    attributes = {f".{node.attr}" for node in ast.walk(function) if isinstance(node, ast.Attribute)}
    return ({node.id for node in names} - own) | attributes


def _defined(text: str) -> Iterator[tuple[str, str]]:
    """(name, what it does) of each function and method at the top of a cell; decorators are the cell's own matter."""
    for name, function in _functions(text):
        yield name, "\n".join(map(ast.dump, (function.args, *function.body)))


def _functions(text: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    try:
        tree = ast.parse(without_magics(text))
    except SyntaxError:
        return
    for statement in module_level(tree.body):
        if isinstance(statement, Function):
            yield statement.name, statement
        elif isinstance(statement, ast.ClassDef):
            for part in statement.body:
                if isinstance(part, Function):
                    yield f"{statement.name}.{part.name}", part
