"""Arrays that a loop makes longer, one element a round: lists until they are read, which other rules know."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.elements import is_array
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.names import SCOPES, walk_scope

_Edit = tuple[ast.AST | tuple[int, int], str]


def as_list(spot: Spot, around: ast.stmt) -> Iterator[Step]:
    """`tokens = jnp.concatenate([tokens, new[None]])` in a loop → `tokens.append(new)`; it is read as `jnp.array(tokens)`."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef) or not isinstance(around, ast.For | ast.While):
        return
    grown = dict.fromkeys(name for node in walk_scope(around.body) if (name := _grown(spot, node)[0]))
    for name in grown:
        edits = _as_a_list(spot, function, around, name)
        if edits:
            yield spot.step("list", *edits)
            return


def _grown(spot: Spot, node: ast.AST) -> tuple[str, ast.expr | None]:
    """(name, element) of a statement that adds one element to an array of that name."""
    match node:
        case ast.Assign(
            targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(value=owner) as func, args=args) as call
        ):
            pass
        case _:
            return "", None
    if not is_module(spot, owner) or any(each.arg != "axis" or not _is_zero(each.value) for each in call.keywords):
        return "", None
    match func.attr, args:
        case "concatenate" | "hstack", [
            ast.List(elts=[ast.Name(id=first), added]) | ast.Tuple(elts=[ast.Name(id=first), added])
        ]:
            element = _one(spot, added)
        case "append", [ast.Name(id=first), added]:
            fact = spot.fact(added)
            element = added if fact is not None and fact.ndim == 0 else None
        case _:
            return "", None
    return (name, element) if first == name and element is not None else ("", None)


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0


def _one(spot: Spot, added: ast.expr) -> ast.expr | None:
    """The element of an array of one: `v[None]`, `jnp.array([v])`."""
    match added:
        case ast.Subscript(value=value, slice=ast.Constant(value=None)):
            return value
        case ast.Subscript(value=value, slice=ast.Tuple(elts=[ast.Constant(value=None), *rest])) if all(
            isinstance(each, ast.Slice) and each.lower is each.upper is each.step is None for each in rest
        ):
            return value
        case ast.Call(func=ast.Attribute(attr="array" | "asarray", value=owner), args=[ast.List(elts=[value])], keywords=[]):
            return value if is_module(spot, owner) and not isinstance(value, ast.Starred) else None
        case ast.Call(func=ast.Attribute(attr="expand_dims", value=owner), args=[value, axis], keywords=[]):
            return value if is_module(spot, owner) and _is_zero(axis) else None
    return None


def _as_a_list(spot: Spot, function: ast.FunctionDef, around: ast.For | ast.While, name: str) -> list[_Edit]:
    """The edits that make a list of an array; none where it is bound in another way, or what it begins with is not known."""
    code = spot.code
    inner = [n for scope in walk_scope(function.body) if isinstance(scope, SCOPES) for n in ast.walk(scope)]
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    grows = [n for n in ast.walk(around) if _grown(spot, n)[0] == name]
    inside = {part for each in grows for part in ast.walk(each)}
    stores = [node for node in names if isinstance(node.ctx, ast.Store) and node not in inside]
    outer = around
    for at in code.ancestors(around):
        if isinstance(at, SCOPES):
            break
        outer = at if isinstance(at, ast.For | ast.While) else outer
    if any(node in inner for node in names) or len(stores) > 1 or not code.on_own_lines([outer]):
        return []
    listed, edits = name, list[_Edit]()
    if stores:
        begins = _begin(spot, code.statement(stores[0]), grows)
        if begins is None or code.statement(stores[0]) in ast.walk(outer):
            return []
        edits.append(begins)
    else:
        if not is_array(spot, name):
            return []
        listed, start = code.fresh(f"all_{name}", f"{name}_so_far"), code.region([outer], comments=True)[0]
        edits.append(((start, start), f"{code.indent(outer)}{listed} = list({name})\n"))
        names = [node for node in names if node.lineno >= outer.lineno]
    for grow in grows:
        element = _grown(spot, grow)[1]
        assert element is not None
        edits.append((grow, f"{listed}.append({code.expr(element)})"))
        if name in {n.id for n in ast.walk(element) if isinstance(n, ast.Name)}:
            return []
    for node in names:
        if node in inside or node in stores:
            continue
        parent = code.parents[node]
        above = code.parents[parent]
        match parent:
            case ast.Subscript(slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int()))):
                text = listed
            case ast.Call(func=ast.Name(id="len"), args=[_]) if spot.is_builtin("len"):
                text = listed
            case ast.Attribute(attr="shape") if isinstance(above, ast.Subscript) and _is_zero(above.slice):
                edits.append((above, f"len({listed})"))
                continue
            case _:
                text = f"{spot.jnp('array')}({listed})"
        edits.append((node, text))
    return edits


def _begin(spot: Spot, made: ast.stmt, grows: list[ast.AST]) -> _Edit | None:
    """What makes the list in the place of what made the array: `tokens = prompt`, `path = jnp.array([])`, `jnp.array([x0])`."""
    facts = [spot.fact(element) for grow in grows if (element := _grown(spot, grow)[1]) is not None]
    value = made.value if isinstance(made, ast.Assign) and isinstance(made.targets[0], ast.Name) else None
    match value:
        case ast.Name(id=array) if is_array(spot, array):
            return value, f"list({array})"
        case ast.Call(func=ast.Attribute(attr="array", value=owner), args=[ast.List(elts=elements) as items], keywords=[]):
            floats = all(fact is not None and fact.dtype == "f" for fact in facts)
            plain = is_module(spot, owner) and not any(isinstance(each, ast.Starred) for each in elements)
            return (value, spot.code.src(items)) if plain and (elements or floats) else None
    return None
