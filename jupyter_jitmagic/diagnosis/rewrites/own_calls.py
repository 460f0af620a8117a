"""What calls a method of an object without saying so: properties, `len(stack)`, `grid[i]`, `grid[i] = v`, `super().step(v)`.

Each becomes a call that names its method, whose lines can stand in its place (`own_objects`).
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.branches import expanded_elif
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import COMPREHENSIONS, loaded, target_names

_Edit = tuple[ast.AST | tuple[int, int], str]


def held_by(kind: type, attribute: str) -> object:
    """What a class or one of its bases holds under a name; None where none does."""
    return next((vars(each)[attribute] for each in kind.__mro__ if attribute in vars(each)), None)


def spelled_out(code: Code, function: ast.FunctionDef, name: str, kind: type) -> str | None:
    """The text with one of these calls of an object's methods as a call by name; None where there is none left."""
    for node in reversed(list(ast.walk(function))):
        edit = next(_edits(code, node, name, kind), None)
        if edit is not None:
            return code.replace(edit)
    return None


def calls_by_itself(code: Code, use: ast.Name, kind: type) -> bool:
    """Whether a place where an object stands by its name alone calls a method of its class."""
    parent = code.parents[use]
    return any(True for node in (parent, code.parents[parent]) for _ in _edits(code, node, use.id, kind))


def _edits(code: Code, node: ast.AST, name: str, kind: type) -> Iterator[_Edit]:
    match node:
        case ast.Attribute(value=ast.Name(id=each), attr=attr, ctx=ast.Load()) if each == name:
            called = isinstance(code.parents[node], ast.Call) and code.parents[node].func is node  # type: ignore[attr-defined]
            if isinstance(held_by(kind, attr), property) and not called:
                yield node, f"{name}.{attr}()"
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=each)], keywords=[]) if each == name:
            if held_by(kind, "__len__") is not None:
                yield node, f"{name}.__len__()"
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=each), slice=index)], value=value) if each == name:
            if held_by(kind, "__setitem__") is not None and code.on_own_lines([node]):
                yield node, f"{name}.__setitem__({code.expr(index)}, {code.expr(value)})"
        case ast.Subscript(value=ast.Name(id=each), slice=index, ctx=ast.Load()) if each == name:
            if held_by(kind, "__getitem__") is not None and not isinstance(index, ast.Slice):
                yield node, f"{name}.__getitem__({code.expr(index)})"


def on_its_own(spot: Spot, call: ast.Call) -> str | None:
    """The text with a call behind `elif` in an `if` of its own, one in a comprehension in a loop; None where it stands well."""
    code, statement = spot.code, spot.code.statement(call)
    if isinstance(statement, ast.If) and code.is_elif(statement) and call in ast.walk(statement.test):
        return expanded_elif(spot, statement).text
    around = next((at for at in code.ancestors(call) if isinstance(at, COMPREHENSIONS)), None)
    match around:
        case ast.ListComp(elt=element, generators=[ast.comprehension(ifs=[], is_async=0) as rounds]):
            pass
        case ast.GeneratorExp(elt=element, generators=[ast.comprehension(ifs=[], is_async=0) as rounds]):
            if not _takes_every_item(spot, code.parents[around]):
                return None
        case _:
            return None
    if call not in ast.walk(element) or not code.on_own_lines([statement]) or not _comes_first(code, around, statement):
        return None
    inside = set(ast.walk(around))
    outside = {n.id for n in ast.walk(code.tree) if isinstance(n, ast.Name) and n not in inside}
    if outside & set(target_names(rounds.target)):
        return None
    match statement:
        case ast.Assign(targets=[ast.Name(id=made)], value=value) if value is around:
            if made in loaded([around]):
                return None
            last = ""
        case _:
            made = code.fresh("items", "values", "all_items")
            last = code.edited(*code.region([statement]), [(*_whole(code, around), made)])
    indent = code.indent(statement)
    head = f"{indent}for {code.src(rounds.target)} in {code.src(rounds.iter)}:\n"
    text = f"{indent}{made} = []\n{head}{indent}    {made}.append({code.src(element)})\n"
    return code.replace((code.region([statement]), text + last))


def _whole(code: Code, around: ast.expr) -> tuple[int, int]:
    """Where a comprehension stands, without the parentheses of a call whose only argument it is."""
    start, end = code.span(around)
    parent = code.parents[around]
    shared = isinstance(around, ast.GeneratorExp) and isinstance(parent, ast.Call) and code.span(parent)[1] == end
    return (start + 1, end - 1) if shared else (start, end)


def _takes_every_item(spot: Spot, parent: ast.AST) -> bool:
    """Whether what a generator is given to goes through it to its end, at once."""
    match parent:
        case ast.Call(func=ast.Name(id="sum" | "list" | "tuple" | "max" | "min" | "sorted" as name), args=[_, *_]):
            return spot.is_builtin(name)
    return False


def _comes_first(code: Code, around: ast.expr, statement: ast.stmt) -> bool:
    """Whether a comprehension is evaluated once, and before all that its statement calls beside it."""
    if not isinstance(statement, ast.Assign | ast.AugAssign | ast.Return | ast.Expr):
        return False
    parents = [at for at in itertools.takewhile(lambda at: at is not statement, code.ancestors(around)) if at is not around]
    inside = {*ast.walk(around), *parents}
    called = any(isinstance(node, ast.Call | ast.NamedExpr) and node not in inside for node in ast.walk(statement))
    return not called and all(isinstance(at, _EVALUATED_ONCE) for at in parents)


_EVALUATED_ONCE = (ast.Call, ast.BinOp, ast.UnaryOp, ast.Tuple, ast.List, ast.Attribute, ast.Subscript, ast.keyword)


def supers_named(text: str, method: ast.FunctionDef, source: Code, owner: type) -> str:
    """A class's text with `super(Owner, self)` for `super()` in one of its methods."""
    if not method.args.args:
        return text
    own = method.args.args[0].arg
    edits = [
        (node, f"super({owner.__name__}, {own})")
        for node in ast.walk(method)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args
    ]
    return source.replace(*edits) if edits else text


def behind_super(call: ast.Call, name: str, kind: type) -> tuple[str, tuple[type, ...]] | None:
    """(method, the classes in which it is looked for) of `super(Owner, name).method(…)`; None for other calls."""
    match call.func:
        case ast.Attribute(
            value=ast.Call(func=ast.Name(id="super"), args=[ast.Name(id=owner), ast.Name(id=each)]), attr=method
        ) if each == name:
            places = [number for number, base in enumerate(kind.__mro__) if base.__name__ == owner]
            return (method, kind.__mro__[places[0] + 1 :]) if len(places) == 1 else None
    return None
