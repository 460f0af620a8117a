"""Recursion that marks what it reaches, and gives nothing: `seen[u] = True`, then a call for each neighbour that is not marked.

What is reached does not depend on the order. So a stack holds what is still to be looked at, each of which is marked when it is
put there: no place comes twice, and `queues` knows how long it gets.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.recursion import Instead, own_calls
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit
from jupyter_jitmagic.source.names import walk

_SIMPLE = (ast.For, ast.If, ast.Assign, ast.Expr, ast.Continue, ast.Pass)


def as_a_stack(spot: Spot) -> Iterator[Step]:
    """The body in a `while` over a stack, in the place of each call a mark and an item."""
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    found = own_calls(spot, function, within=True)
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if found is None or len(body) < 2 or not code.on_own_lines(body):
        return
    _, names, calls = found
    match mark := body[0]:
        case ast.Assign(targets=[ast.Subscript() as place]):
            marks = _owner(place)
        case _:
            return
    given = [dict(zip(names, call.args, strict=False)) for call in calls]
    if any(call.keywords or len(call.args) != len(names) for call in calls) or not _are_statements(spot, body[1:], calls):
        return
    changed = [name for name in names if any(code.src(each[name]) != name for each in given)]
    places = {code.src(call): _in_terms_of(place, changed, each) for call, each in zip(calls, given, strict=True)}
    inside = [node for each in body[1:] for node in ast.walk(each) if isinstance(node, ast.Subscript)]
    read = {ast.unparse(node) for node in inside if _owner(node) == marks and not isinstance(code.parents[node], ast.Subscript)}
    if not changed or not marks or read != set(places.values()) or marks in changed:
        return  # or the order may count
    stack, indent = code.fresh("stack", "to_visit"), code.indent(body[0])
    item = changed[0] if len(changed) == 1 else ", ".join(changed)
    edits: list[Edit] = []
    for call, each in zip(calls, given, strict=True):
        put = ", ".join(code.expr(each[name]) for name in changed)
        put = put if len(changed) == 1 else f"({put})"
        line = f"{_in_terms_of(mark, changed, each)}\n{code.indent(code.statement(call))}{stack}.append({put})"
        edits.append((*code.span(code.statement(call)), line))
    lines = f"{code.block_text(body[:1], indent)}{indent}{stack} = [{item if len(changed) == 1 else f'({item})'}]\n"
    lines += f"{indent}while {stack}:\n{indent}    {item} = {stack}.pop()\n"
    yield spot.step("while", (code.region(body), lines + code.block_text(body[1:], f"{indent}    ", edits)))


def _are_statements(spot: Spot, body: Sequence[ast.stmt], calls: Sequence[ast.Call]) -> bool:
    """Whether each call stands for itself below a test, and nothing else is done that others see."""
    statements = [node for each in body for node in walk(each) if isinstance(node, ast.stmt)]
    effects = [node for node in statements if isinstance(node, ast.Expr) and node.value not in calls]
    assigned = [node for node in statements if isinstance(node, ast.Assign)]
    alone = all(isinstance(spot.code.parents[call], ast.Expr) and _is_below_a_test(spot, call) for call in calls)
    simple = all(isinstance(node, _SIMPLE) for node in statements)
    parts = [part for node in assigned for target in node.targets for part in ast.walk(target)]
    return alone and simple and not effects and not any(isinstance(part, ast.Subscript | ast.Attribute) for part in parts)


def _is_below_a_test(spot: Spot, call: ast.Call) -> bool:
    return any(isinstance(at, ast.If) for at in spot.code.ancestors(call) if at is not spot.function)


def _owner(node: ast.expr) -> str:
    """`seen` of `seen[u]`, `seen[r, c]` and `seen[r][c]`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _in_terms_of(node: ast.AST, changed: Sequence[str], given: dict[str, ast.expr]) -> str:
    """A mark, or its place, with the arguments of a call."""
    return ast.unparse(Instead({name: ast.unparse(given[name]) for name in changed}).visit(copy.deepcopy(node)))


RULES: list[Rule] = [as_a_stack]
