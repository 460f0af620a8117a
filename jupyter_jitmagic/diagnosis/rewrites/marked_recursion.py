"""Recursion that marks what it reaches, and gives nothing: `seen[u] = True`, then a call for each neighbour that is not marked.

What is reached does not depend on the order. So a stack holds what is still to be looked at, each of which is marked when it is
put there: no place comes twice, and `queues` knows how long it gets.
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence

from jupyter_jitmagic.diagnosis.rewrites.operations import called, is_module
from jupyter_jitmagic.diagnosis.rewrites.recursion import Instead, own_calls
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code, Edit
from jupyter_jitmagic.source.names import loaded, stored, walk

_SIMPLE = (ast.For, ast.If, ast.Assign, ast.Expr, ast.Continue, ast.Pass)


def as_a_stack(spot: Spot) -> Iterator[Step]:
    """The body in a `while` over a stack, in the place of each call a mark and an item."""
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    found = own_calls(spot, function, within=True)
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if found is None or len(body) < 2 or not code.on_own_lines(body) or not _is_called_alike(function, found[1], found[2]):
        return
    _, names, calls = found
    match mark := body[0]:
        case ast.Assign(targets=[ast.Subscript() as place], value=value):
            marks = _owner(place)
        case _:
            return
    given = [dict(zip(names, call.args, strict=True)) for call in calls]
    changed = [name for name in names if any(code.src(each[name]) != name for each in given)]
    # one mark for a place whoever comes there first, and nothing else that comes with it
    if not marks or not changed or not set(changed) <= loaded([place]) or loaded([value]) & {marks, *changed}:
        return
    if (set(names) - set(changed)) & set(stored(body)) or not _are_statements(spot, function, body[1:], calls):
        return
    if not all(_gives_a_value(spot, each) for each in walk(mark) if isinstance(each, ast.Call)):
        return
    places = {call: _in_terms_of(place, changed, each) for call, each in zip(calls, given, strict=True)}
    if not _are_asked(spot, function, marks, places, body[1:]):
        return
    stack, indent = code.fresh("stack", "to_visit"), code.indent(body[0])
    item = changed[0] if len(changed) == 1 else ", ".join(changed)
    edits: list[Edit] = []
    for call, each in zip(calls, given, strict=True):
        put, statement = ", ".join(code.expr(each[name]) for name in changed), code.statement(call)
        put = put if len(changed) == 1 else f"({put})"
        joined = f"\n{code.indent(statement)}" if code.on_own_lines([statement]) else "; "
        edits.append((*code.span(statement), f"{_in_terms_of(mark, changed, each)}{joined}{stack}.append({put})"))
    lines = f"{code.block_text(body[:1], indent)}{indent}{stack} = [{item if len(changed) == 1 else f'({item})'}]\n"
    lines += f"{indent}while {stack}:\n{indent}    {item} = {stack}.pop()\n"
    yield spot.step("while", (code.region(body), lines + code.block_text(body[1:], f"{indent}    ", edits)))


def _is_called_alike(function: ast.FunctionDef, names: Sequence[str], calls: Sequence[ast.Call]) -> bool:
    """Whether each call gives every parameter by its place."""
    arguments = function.args
    plain = not (arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults)
    starred = any(isinstance(each, ast.Starred) for call in calls for each in call.args)
    return plain and not starred and not any(call.keywords or len(call.args) != len(names) for call in calls)


def _are_asked(
    spot: Spot, function: ast.FunctionDef, marks: str, places: Mapping[ast.Call, str], body: Sequence[ast.stmt]
) -> bool:
    """Whether the marks are read where a call's own place is asked for, in a test around it, and nowhere else but for their
    shape."""
    code, asked = spot.code, set[ast.AST]()
    for call, place in places.items():
        around = itertools.takewhile(lambda at: at is not function, code.ancestors(call))
        tests = [at.test for at in around if isinstance(at, ast.If)]
        reads = {
            whole for test in tests for use in _loads(test, marks) if isinstance(whole := _whole(code, use), ast.Subscript)
        }
        if not reads or {ast.unparse(each) for each in reads} != {place}:
            return False
        asked |= reads
    uses = [use for each in body for use in _loads(each, marks)]
    return all(_whole(code, use) in asked or spot.asks_shape(use) or _is_handed_on(spot, use) for use in uses)


def _loads(node: ast.AST, name: str) -> list[ast.Name]:
    return [each for each in walk(node) if isinstance(each, ast.Name) and each.id == name]


def _whole(code: Code, use: ast.Name) -> ast.AST:
    """`seen[r][c]` of its `seen`."""
    whole: ast.AST = use
    while isinstance(around := code.parents[whole], ast.Subscript) and around.value is whole:
        whole = around
    return whole


def _is_handed_on(spot: Spot, use: ast.Name) -> bool:
    """Whether a name is an argument of a call of the function's own."""
    match spot.code.parents[use], spot.function:
        case ast.Call(func=ast.Name(id=name), args=args), ast.FunctionDef(name=own):
            return name == own and use in args
    return False


def _are_statements(spot: Spot, function: ast.FunctionDef, body: Sequence[ast.stmt], calls: Sequence[ast.Call]) -> bool:
    """Whether each call stands for itself below a test, and nothing else is done that others see."""
    nodes = [node for each in body for node in walk(each)]
    statements = [node for node in nodes if isinstance(node, ast.stmt)]
    effects = [node for node in statements if isinstance(node, ast.Expr) and node.value not in calls]
    parts = [part for node in statements if isinstance(node, ast.Assign) for each in node.targets for part in ast.walk(each)]
    others = [node for node in nodes if isinstance(node, ast.Call) and node not in calls]
    counting = any(isinstance(node, ast.Assign) and set(stored([node])) & _carried(spot, function, node) for node in statements)
    below = (itertools.takewhile(lambda at: at is not function, spot.code.ancestors(call)) for call in calls)
    return (
        all(isinstance(spot.code.parents[call], ast.Expr) for call in calls)
        and all(any(isinstance(at, ast.If) for at in each) for each in below)
        and all(isinstance(node, _SIMPLE) for node in statements)
        and not effects
        and not counting
        and not any(isinstance(part, ast.Subscript | ast.Attribute) for part in parts)
        and not any(isinstance(node, ast.NamedExpr | ast.Lambda | ast.Await) for node in nodes)
        and all(_gives_a_value(spot, call) for call in others)
    )


def _carried(spot: Spot, function: ast.FunctionDef, statement: ast.Assign) -> set[str]:
    """The names that what stands before a statement in its own round reads, or the statement itself: what a call leaves between
    two rounds may be another then."""
    around = itertools.takewhile(lambda at: at is not function, spot.code.ancestors(statement))
    outer = [at for at in around if isinstance(at, ast.For | ast.If)]
    if any(isinstance(at, ast.If) for at in outer):
        return set(stored([statement]))
    block = spot.code.block(statement)
    heads = [at.target for at in outer if isinstance(at, ast.For)] + [at.iter for at in outer if isinstance(at, ast.For)]
    return loaded([statement.value, *heads, *block[: block.index(statement)]])


def _gives_a_value(spot: Spot, call: ast.Call) -> bool:
    """Whether a call does nothing but give a value: a function of JAX's or NumPy's, a builtin, a method of arrays."""
    match call.func:
        case ast.Name(id=name) if spot.is_builtin(name):
            return name in ("len", "range", "enumerate", "zip", "abs", "min", "max", "int", "float", "bool", "reversed")
        case ast.Attribute(value=owner, attr=attr) if not is_module(spot, owner):
            return attr in ("tolist", "item", "any", "all", "sum", "min", "max")
    return called(spot, call) is not None


def _owner(node: ast.expr) -> str:
    """`seen` of `seen[u]`, `seen[r, c]` and `seen[r][c]`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _in_terms_of(node: ast.AST, changed: Sequence[str], given: dict[str, ast.expr]) -> str:
    """A mark, or its place, with the arguments of a call."""
    return ast.unparse(Instead({name: ast.unparse(given[name]) for name in changed}).visit(copy.deepcopy(node)))


RULES: list[Rule] = [as_a_stack]
