"""Lists that loops fill at the front: `out.insert(0, v)` → `out.append(v)`, and what reads the list turns it round."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.code import is_returned, words
from jupyter_jitmagic.source.names import bound_to, loaded, walk_scope

_ARRAYS = words("array asarray stack concatenate vstack")
_Edit = tuple[ast.AST | tuple[int, int], str]


def inserted_first(node: ast.AST) -> str:
    """The list of `out.insert(0, v)`; "" for anything else."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=name), attr="insert"), args=[ast.Constant(value=0), item], keywords=[]
        ) if not isinstance(item, ast.Starred):
            return name
    return ""


def appended_instead(spot: Spot, around: ast.stmt) -> Iterator[Step]:
    """`out.insert(0, v)` in a loop or branch → `out.append(v)`, for rules that know lists which grow at their end."""
    function = spot.function
    names = dict.fromkeys(name for node in walk_scope([around]) if (name := inserted_first(node)))
    for name in names if isinstance(function, ast.FunctionDef) else ():
        assert isinstance(function, ast.FunctionDef)
        edits = _turned(spot, function, around, name)
        if edits:
            yield spot.step("append", *edits)
            return


def _turned(spot: Spot, function: ast.FunctionDef, around: ast.stmt, name: str) -> list[_Edit]:
    """The edits that turn a list round; none where something in the function needs it in its own order."""
    code = spot.code
    inside = set(ast.walk(around))
    edits: list[_Edit] = []
    for node in ast.walk(function):
        if not isinstance(node, ast.Name) or node.id != name:
            continue
        parent = code.parents[node]
        made = isinstance(node.ctx, ast.Store) and node not in inside
        match parent:
            case ast.Assign(targets=[ast.Name()], value=ast.List(elts=first)) if made and not any(
                isinstance(each, ast.Starred) for each in first
            ):
                if len(first) > 1:
                    edits.append((parent.value, f"[{', '.join(map(code.src, first[::-1]))}]"))
            case ast.Tuple() if made and _made_with_others(code.parents[parent], node):
                pass
            case ast.Attribute(attr="insert") if inserted_first(code.parents[parent]) == name and node in inside:
                call = code.parents[parent]
                assert isinstance(call, ast.Call)
                edits.append(((code.span(node)[1], code.span(call.args[1])[0]), ".append("))  # what is added may read the list
            case ast.Call(func=ast.Name(id="len"), args=[_]) if spot.is_builtin("len"):
                pass
            case ast.Subscript(slice=ast.Constant(value=int() as place)):
                edits.append((parent.slice, str(-place - 1)))
            case ast.Subscript(slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as back))):
                edits.append((parent.slice, str(back - 1)))
            case _ if node in inside or isinstance(node.ctx, ast.Store):
                return []
            case ast.Call(func=ast.Attribute(attr=attr), args=[_], keywords=[]) if attr in _ARRAYS and node in parent.args:
                end = code.span(parent)[1]
                edits.append(((end, end), "[::-1]"))
            case ast.Attribute():
                return []  # a method that changes it, or finds a place in it
            case _ if isinstance(parent, ast.Call | ast.For | ast.comprehension) or is_returned(code, node):
                edits.append((node, f"{name}[::-1]"))
            case _:
                return []
    return edits


def _made_with_others(statement: ast.AST, name: ast.Name) -> bool:
    """Whether it is made, empty, beside others: `total, out = 0.0, []`."""
    made = dict(bound_to(statement)) if isinstance(statement, ast.Assign) else {}
    return isinstance(value := made.get(name), ast.List) and not value.elts


def is_taken_in_front(call: ast.Call) -> bool:
    """Whether a call is `q.popleft()` or `q.pop(0)`."""
    match call:
        case ast.Call(func=ast.Attribute(attr="popleft"), args=[], keywords=[]):
            return True
        case ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Constant(value=0)], keywords=[]):
            return True
    return False


def last_items_set(spot: Spot, function: ast.FunctionDef, name: str) -> Step | None:
    """`level[-2:] = [merged]` → `level.pop()`, `level[-1] = merged`."""
    code = spot.code
    for node in walk_scope(function.body):
        if not isinstance(node, ast.Assign) or set_at_its_end(node) != name or not code.on_own_lines([node]):
            continue
        assert isinstance(node.value, ast.List) and isinstance(node.targets[0], ast.Subscript)
        items, last = node.value.elts, _how_many_last(node.targets[0].slice)
        if any(isinstance(each, ast.Starred) for each in items) or (len(items) > 1 and name in loaded(items)):
            return None
        lines = [f"{name}.pop()"] * (last - len(items))
        texts = [code.expr(each) for each in items]
        if name in loaded(items) and lines:
            fresh = code.fresh("item", f"last_of_{name}")
            lines, texts = [f"{fresh} = {texts[0]}", *lines], [fresh]
        lines += [f"{name}[-{len(texts) - place}] = {text}" for place, text in enumerate(texts)]
        return spot.step("list", (node, f"\n{code.indent(node)}".join(lines)))
    return None


def set_at_its_end(node: ast.AST) -> str:
    """The list of `level[-2:] = [v]`; "" for anything else."""
    match node:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=places)], value=ast.List(elts=items)):
            return name if 0 < len(items) <= _how_many_last(places) <= _MOST_LAST else ""
    return ""


def _how_many_last(places: ast.expr) -> int:
    """The 2 of `[-2:]`; 0 for other places."""
    match places:
        case ast.Slice(lower=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as last)), upper=None, step=None):
            return last
    return 0


_MOST_LAST = 4
"""Items that are taken from the end of a list one by one."""
