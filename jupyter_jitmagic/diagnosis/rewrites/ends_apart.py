"""Branches that leave something of another length each: `if s[-1] - s[-2] > q: s = s[:-1]`, then `return s.mean()`.

No array of one shape holds both, but what is computed of them may be of one: what follows stands in each branch.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.copied_lists import is_new_list
from jupyter_jitmagic.diagnosis.rewrites.naming import renamed_block
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import Code, always_returns, leaves
from jupyter_jitmagic.source.names import SCOPES, bound_to, stored, walk

_MOST_STATEMENTS, _MOST_LINES = 6, 12  # of what follows, and of that in all branches
_CUTS = frozenset({"append", "concatenate", "hstack", "vstack", "delete", "insert", "pad", "repeat", "tile"})
_Edit = tuple[ast.AST | tuple[int, int], str]


def shortened(spot: Spot) -> Iterator[Step]:
    """`if …: s.pop(0)` of a list of the function's own → `s = s[1:]`, of which branches know."""
    asked, code, function = spot.asked(), spot.code, spot.function
    if asked is None or not isinstance(asked[1], ast.If) or not isinstance(function, ast.FunctionDef):
        return
    whole = _first_of(spot, asked[1])
    if whole not in function.body or any(isinstance(node, SCOPES) for node in walk(function) if node is not function):
        return
    edits: list[_Edit] = []
    for node in walk(whole):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="pop"), args=args, keywords=[])) if (
                _is_own_list(spot, function, name)
            ):
                match args:
                    case [] | [ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))]:
                        edits.append((node, f"{name} = {name}[:-1]"))
                    case [ast.Constant(value=0)]:
                        edits.append((node, f"{name} = {name}[1:]"))
                    case _:
                        return
    if edits and all(code.on_own_lines([node]) for node, _ in edits if isinstance(node, ast.stmt)):
        yield spot.step("slice", *edits)


def _is_own_list(spot: Spot, function: ast.FunctionDef, name: str) -> bool:
    """Whether a variable is bound to new lists alone, of which no other name knows."""
    made = [value for node in walk(function) if isinstance(node, ast.Assign) for one, value in bound_to(node) if one.id == name]
    stores = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load)]
    if not isinstance(spot.locals.get(name), list):
        return False  # a dict has `.copy()` and `.pop()` as well
    return len(made) == len(stores) > 0 and all(map(is_new_list, made)) and not _is_handed_on(spot.code, function, name)


def _is_handed_on(code: Code, function: ast.FunctionDef, name: str) -> bool:
    """Whether something else may hold the list itself: `kept = s`, `rows.append(s)`, `pairs = zip(s, w)`."""
    return not all(
        _looks_only(code, node)
        for node in walk(function)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    )


def _looks_only(code: Code, use: ast.Name) -> bool:
    parent = code.parents[use]
    match parent:
        case ast.Subscript(value=value):
            return value is use
        case ast.Call(func=ast.Name(id="len" | "sum" | "min" | "max" | "sorted" | "any" | "all")):
            return True
        case ast.Call(func=ast.Attribute(attr="array" | "asarray" | "stack" | "mean" | "median" | "std")):
            return True
        case ast.For(iter=over) | ast.comprehension(iter=over):
            return over is use
        case ast.If(test=test) | ast.While(test=test):
            return test is use
        case ast.Attribute(attr="pop"):
            return isinstance(code.parents[code.parents[parent]], ast.Expr)
    return isinstance(parent, ast.Compare | ast.Return) or (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not))


def in_each_branch(spot: Spot) -> Iterator[Step]:
    """What follows an `if` in each of its branches, where one of them makes something longer or shorter that is read there."""
    asked, function = spot.asked(), spot.function
    if asked is None or not isinstance(asked[1], ast.If) or not isinstance(function, ast.FunctionDef):
        return
    first = _first_of(spot, asked[1])
    if first in function.body and _cut_in(_ways(first)) & spot.code.live_after(first):
        yield from _apart(spot, function, first, "")


def another_choice(spot: Spot) -> Iterator[Step]:
    """`kept = x[x > t]`, then `if kept.size < 2: kept = jnp.sort(x)[-2:]`: what follows in the branch, of another name."""
    code, function = spot.code, spot.function
    if spot.kind == BOOL:
        return  # nothing was selected there
    match statement := code.statement(spot.node):
        case ast.Assign(targets=[ast.Name(id=name)]) if isinstance(function, ast.FunctionDef) and statement in function.body:
            pass
        case _:
            return
    for first in function.body[function.body.index(statement) + 1 :]:
        if name in stored([first]):
            if isinstance(first, ast.If) and not first.orelse and any(_binds(each, name) for each in first.body):
                yield from _apart(spot, function, first, name)
            return


def _binds(statement: ast.stmt, name: str) -> bool:
    return isinstance(statement, ast.Assign) and any(one.id == name for one, _ in bound_to(statement))


def _apart(spot: Spot, function: ast.FunctionDef, first: ast.If, name: str) -> Iterator[Step]:
    """What follows in each branch; with a `name`, what the branch binds it to has another."""
    code, ways = spot.code, _ways(first)
    rest = function.body[function.body.index(first) + 1 :]
    if not rest or not always_returns(rest) or leaves([first], (ast.Return, ast.Raise)):
        return
    lines = sum((each.end_lineno or 0) - each.lineno + 1 for each in rest)
    if len(rest) > _MOST_STATEMENTS or lines * len(ways) > _MOST_LINES:
        return
    if any(isinstance(node, (*SCOPES, ast.For, ast.While, ast.With, ast.Try)) for each in rest for node in walk(each)):
        return
    if not code.on_own_lines([first, *rest]) or not all(code.on_own_lines(arm) for arm in ways) or name in stored(rest):
        return
    edits: list[_Edit] = []
    for arm in ways:
        start, end = code.region(arm)
        indent = code.indent(arm[0])
        if name:
            own = code.fresh(f"other_{name}", f"own_{name}")
            reads = [node for each in rest for node in walk(each) if isinstance(node, ast.Name) and node.id == name]
            behind = code.block_text(rest, indent, [(*code.span(node), own) for node in reads])
            edits.append(((start, end), renamed_block(spot, arm, indent, {name: own}) + behind))
        else:
            edits.append(((end, end), code.block_text(rest, indent)))
    yield spot.step("branches", *edits)


def _first_of(spot: Spot, node: ast.If) -> ast.If:
    """The `if` of which it is an `elif`."""
    while isinstance(above := spot.code.parents[node], ast.If) and above.orelse == [node]:
        node = above
    return node


def _ways(node: ast.If) -> list[list[ast.stmt]]:
    """What is done in each branch that is written down."""
    ways = [node.body]
    while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        node = node.orelse[0]
        ways.append(node.body)
    return [*ways, node.orelse] if node.orelse else ways


def _cut_in(arms: list[list[ast.stmt]]) -> set[str]:
    """The variables that a branch binds to what has been made longer or shorter there."""
    found = set[str]()
    for statement in (each for arm in arms for each in arm if isinstance(each, ast.Assign)):
        found |= {name.id for name, value in bound_to(statement) if _is_cut(value)}
    return found


def _is_cut(value: ast.expr) -> bool:
    for node in walk(value):
        match node:
            case ast.Subscript(slice=ast.Slice() | ast.Compare()):
                return True
            case ast.Call(func=ast.Attribute(attr=name)) if name in _CUTS:
                return True
            case ast.BinOp(op=ast.Add(), left=ast.List()) | ast.BinOp(op=ast.Add(), right=ast.List()):
                return True
    return False


SHORTER: list[Rule] = [shortened]
SELECTED: list[Rule] = [another_choice]
RULES: list[Rule] = [in_each_branch]
