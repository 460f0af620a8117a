"""Variables that always hold a tuple of as many numbers, as `here = (here[0] + dx, here[1] + dy)`, for which a set or list is
asked: a variable for each part, which other rules go on with."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import SCOPES, shared, walk_scope

_ADDING = frozenset({"add", "append", "discard", "remove"})
_MOST_PARTS = 4
_Edit = tuple[ast.AST, str]


def part_by_part(spot: Spot) -> Iterator[Step]:
    """`here = (0, 0)` … `here in seen` → `here_0, here_1 = 0, 0` … `(here_0, here_1) in seen`."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    for name in dict.fromkeys(map(_looked_for, walk_scope(function.body))):
        if name and (edits := _apart(spot, function, name)):
            yield spot.step("parts", *edits)
            return


def _looked_for(node: ast.AST) -> str:
    """The name that is looked for in a set or list, or put into one; "" for anything else."""
    match node:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.In() | ast.NotIn()], comparators=[ast.Name()]):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr=attr), args=[ast.Name(id=name)]) if attr in _ADDING:
            return name
    return ""


def _apart(spot: Spot, function: ast.FunctionDef, name: str) -> list[_Edit]:
    """The edits for one variable; none where it is more than tuples that stand there."""
    code = spot.code
    uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    inner = {part for node in walk_scope(function.body) if isinstance(node, SCOPES) for part in ast.walk(node)}
    if name in {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)} or inner & set(uses):
        return []
    if name in shared(function.body) or any(isinstance(at, ast.JoinedStr) for use in uses for at in code.ancestors(use)):
        return []
    edits: list[_Edit] = []
    lengths: set[int] = set()
    parts = [code.fresh(f"{name}_{place}") for place in range(_MOST_PARTS)]
    whole: list[ast.AST] = []
    places: list[tuple[ast.AST, int]] = []
    for use in uses:
        match code.parents[use]:
            case ast.Assign(targets=[target], value=ast.Tuple(elts=items)) if target is use:
                lengths.add(0 if any(isinstance(each, ast.Starred) for each in items) else len(items))
                edits.append((use, ", ".join(parts[: len(items)])))
            case ast.Subscript(slice=ast.Constant(value=int(place)), ctx=ast.Load()) as item:
                places.append((item, place))
            case _ if isinstance(use.ctx, ast.Load):
                whole.append(use)
            case _:
                return []
    length = lengths.pop() if len(lengths) == 1 else 0
    if not 1 < length <= _MOST_PARTS or any(place >= length for _, place in places):
        return []
    edits += [(item, parts[place]) for item, place in places]
    return [*edits, *((use, f"({', '.join(parts[:length])})") for use in whole)]


RULES: list[Rule] = [part_by_part]
