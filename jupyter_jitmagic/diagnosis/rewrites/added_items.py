"""Items that are added to a list otherwise than by `append`, as appends: the rules for lists that grow know those."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import words
from jupyter_jitmagic.source.names import stored, walk, walk_scope

MOST = 4
"""Items that are added at once, at most."""
_KEEPS_NONE = (ast.Subscript, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.If, ast.IfExp, ast.While, ast.Return)
_GIVES_ANEW = words("len sum min max sorted list tuple any all print")


def as_appends(spot: Spot) -> Iterator[Step]:
    """`out += [v]`, `out.extend([v])`, `out = out + [v]` in a loop or branch → `out.append(v)`."""
    asked, function, code = spot.asked(), spot.function, spot.code
    if asked is None or not isinstance(asked[1], ast.stmt) or not isinstance(function, ast.FunctionDef):
        return
    loops = [each for each in code.ancestors(asked[1]) if isinstance(each, ast.For | ast.While)]
    edits = []
    around = loops[-1] if loops else asked[1]
    for statement in walk_scope([around]):
        if not isinstance(statement, ast.stmt):
            continue
        name, items, anew = _added(statement)
        if not name or type(spot.locals.get(name)) is not list or not code.on_own_lines([statement]):
            continue
        if anew and not _has_one_name(spot, function, name, around):
            continue  # the list before stays what it was
        if len(items) > 1 and any(isinstance(each, ast.Name) and each.id == name for item in items for each in walk(item)):
            continue
        appends = [f"{name}.append({code.expr(item)})" for item in items]
        edits.append((statement, f"\n{code.indent(statement)}".join(appends)))
    if edits:
        yield spot.step("append", *edits)


def _added(statement: ast.stmt) -> tuple[str, list[ast.expr], bool]:
    """(list, the items that it gets at its end, whether it is made anew); "" of any other statement."""
    anew = False
    match statement:
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=ast.List(elts=items)):
            pass
        case ast.Expr(
            ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="extend"),
                args=[ast.List(elts=items) | ast.Tuple(elts=items)],
                keywords=[],
            )
        ):
            pass
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.BinOp(left=ast.Name(id=of), op=ast.Add(), right=ast.List(elts=items)),
        ) if of == name:
            anew = True
        case _:
            return "", [], False
    fits = 0 < len(items) <= MOST and not any(isinstance(each, ast.Starred) for each in items)
    return (name, items, anew) if fits else ("", [], False)


def _has_one_name(spot: Spot, function: ast.FunctionDef, name: str, grows: ast.stmt) -> bool:
    """Whether a list is made in the function, and nothing else holds it before it is returned or its name is an array's."""
    stores = 0
    later = (each for each in function.body if isinstance(each, ast.Assign) and each.lineno > (grows.end_lineno or 0))
    arrays = [each.value for each in later if _is_array_of(spot, each, name)]
    behind = arrays[0].end_lineno if arrays else None
    for node in walk(function):
        if behind is not None and getattr(node, "lineno", 0) > behind:
            continue  # another value has its name there
        if isinstance(node, ast.arg) and node.arg == name:
            return False
        if not isinstance(node, ast.Name) or node.id != name:
            continue
        parent = spot.code.parents[node]
        if isinstance(node.ctx, ast.Store):
            if isinstance(parent, ast.Assign) and parent.value in arrays[:1]:
                continue
            stores += 1
            match parent:
                case ast.Assign(targets=[_], value=ast.List()):
                    continue
        elif isinstance(parent, ast.For):
            if name not in stored([parent]):
                continue
        elif isinstance(parent, _KEEPS_NONE) or _gives_something_new(spot, parent):
            continue
        statement = spot.code.statement(node)
        if not (isinstance(statement, ast.stmt) and _added(statement)[0] == name):
            return False
    return stores > 0


def _is_array_of(spot: Spot, statement: ast.Assign, name: str) -> bool:
    """`rows = jnp.array(rows)`: from then on it is no list."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)], value=ast.Call(func=ast.Attribute()) as made) if target == name:
            return _gives_something_new(spot, made) and any(isinstance(n, ast.Name) and n.id == name for n in walk(made))
    return False


def _gives_something_new(spot: Spot, node: ast.AST) -> bool:
    """Whether it is a call that keeps no list which it is given."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in _GIVES_ANEW and spot.is_builtin(node.func.id)
    module = getattr(spot.value(node.func), "__module__", None) or ""
    return isinstance(module, str) and module.startswith(("jax", "numpy"))


RULES: list[Rule] = [as_appends]
