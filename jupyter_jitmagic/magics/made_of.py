"""What other cells made of a definition that a fix changes, and still holds the old one: a library's object around a function,
an instance of a class. It has to be made again. No IPython."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_jitmagic.magics.cell_names import module_level
from jupyter_jitmagic.magics.fixed_cells import without_magics
from jupyter_jitmagic.magics.front_end import TypedCell
from jupyter_jitmagic.source.names import names_held, top_name
from jupyter_jitmagic.usercode.held import holds


@dataclass(frozen=True, slots=True)
class Made:
    """A name, what it was made of, and the cell that made it."""

    name: str
    of: str
    cell: int


def made_of(names: Collection[str], cells: Iterable[TypedCell], namespace: Mapping[str, Any]) -> list[Made]:
    """What the cells (the first ones first) assigned to or defined as names that still hold one of the definitions `names`."""
    found: dict[str, Made] = {}
    roots = {name: namespace[name] for name in names if name in namespace}
    made = dict.fromkeys(roots)
    for cell in cells:
        for name, used in _assigned(cell.text):
            found.pop(name, None)
            origin = next((each for each in made if each in used), "")
            if origin and name not in roots and _is_made_of(namespace.get(name), roots.values()):
                found[name] = Made(name, origin, cell.number or 0)
                made[name] = None
    return list(found.values())


def _assigned(text: str) -> Iterator[tuple[str, set[str]]]:
    """Each name that a cell assigns or defines at its top, with the names that the value is made of there and then."""
    try:
        tree = ast.parse(without_magics(text))
    except SyntaxError:
        return
    for statement in module_level(tree.body):
        if name := top_name(statement):
            yield name, names_held(statement)


def _is_made_of(value: Any, roots: Collection[Any]) -> bool:
    return holds(value, lambda each: any(each is root or type(each) is root for root in roots))
