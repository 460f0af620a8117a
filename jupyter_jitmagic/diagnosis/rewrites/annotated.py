"""Containers that are bound with an annotation, `kept: list[float] = []`: bound without, as what follows reads assignments."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, walk_scope

_MADE_BY = ("list", "dict", "set", "deque", "defaultdict", "Counter", "OrderedDict", "Queue", "LifoQueue", "SimpleQueue")


def unannotated(spot: Spot) -> Iterator[Step]:
    """`kept: list[float] = []` → `kept = []`, where the statement that stops the trace, or one behind it, speaks of `kept`."""
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    around = [spot.node, *code.ancestors(spot.node)]
    begins = next((k for k, statement in enumerate(function.body) if statement in around), None)
    if begins is None:
        return
    named = loaded(function.body[begins:])
    edits: list[tuple[tuple[int, int], str]] = []
    for node in walk_scope(function.body):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name) as target, value=ast.expr() as value) if name in named:
                if _is_container(spot, value):
                    edits.append(((code.span(target)[1], code.span(value)[0]), " = "))
    if edits:
        yield spot.step("list", *edits)


def _is_container(spot: Spot, value: ast.expr) -> bool:
    match value:
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.BinOp(left=ast.List()) | ast.BinOp(right=ast.List()):
            return True
        case ast.Call(func=func):
            return spot.code.src(func).rpartition(".")[2] in _MADE_BY
    return False


RULES: list[Rule] = [unannotated]
