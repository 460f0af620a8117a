"""What has no value for an empty array and is traced though plain Python never comes there: in a branch, beside a mask."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites.operations import called
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code

GUARD = ".size"  # the pattern of what is asked
_SAYS_EMPTY = ("empty sequence", "zero-size array")


def else_at_once(spot: Spot) -> Iterator[Step]:
    """`jnp.where(m.any(), x[jnp.argmax(m)], d)` → `… if m.size else d`; `lax.cond` of two lambdas alike."""
    if not isinstance(spot.node, ast.Call) or not any(words in str(spot.error) for words in _SAYS_EMPTY):
        return
    code = spot.code
    inside: ast.AST = spot.node
    for around in code.ancestors(spot.node):
        match around:
            case ast.Call(
                args=[_, ast.Lambda(body=body) as way, ast.Lambda(args=ast.arguments(args=[]), body=last) as end]
            ) if inside in (way, end) and is_called(spot, around, "cond"):
                chosen, other = (body, last) if inside is way else (last, body)
            case ast.Call(args=[_, body, last]) if inside in (body, last) and is_called(spot, around, "where"):
                chosen, other = (body, last) if inside is body else (last, body)
            case ast.stmt():
                return
            case _:
                inside = around
                continue
        empty = [each for each in ast.walk(chosen) if isinstance(each, ast.Name) and is_empty(spot.locals.get(each.id))]
        if empty and isinstance(around, ast.expr):
            text = f"{code.src(around)} if {empty[0].id}.size else {code.expr(other)}"
            alone = isinstance(code.parents[around], ast.keyword | ast.stmt)
            yield spot.step(GUARD, (around, text if alone else f"({text})"))
        return


def is_called(spot: Spot, node: ast.Call, name: str) -> bool:
    """Whether this is JAX's function of that name."""
    function = spot.value(node.func)
    return getattr(function, "__name__", "") == name and str(getattr(function, "__module__", "")).startswith("jax")


def is_empty(value: object) -> bool:
    """Whether it is an array of nothing."""
    shape = attribute(value, "shape")  # of a module a function
    return isinstance(shape, tuple) and 0 in shape


def of_nothing(spot: Spot) -> Iterator[Step]:
    """`jnp.argmax(m)` → `jnp.argmax(m) if m.size else 0`; the largest and smallest alike."""
    node = spot.node
    if not isinstance(node, ast.Call) or not any(words in str(spot.error) for words in _SAYS_EMPTY):
        return
    known = called(spot, node)
    if known is None or known.operation.sort not in ("place", "extreme") or known.form == "builtin":
        return
    if len(known.arguments) != 1 or known.keywords or known.name == "ptp":
        return
    array = spot.code.operand(known.arguments[0])
    chosen = known.arguments[0]
    mask = chosen.args[0] if isinstance(chosen, ast.Call) and is_called(spot, chosen, "where") else None
    asked = array
    if isinstance(mask, ast.Name) and is_empty(spot.locals.get(mask.id)):
        asked = mask.id  # as empty as what is chosen by it, and shorter
    nothing = "0" if known.operation.sort == "place" else f"{spot.jnp('zeros')}((), {array}.dtype)"
    text = f"{spot.code.src(node)} if {asked}.size else {nothing}"
    fills = _fills(spot, node)
    if fills is not None:
        yield spot.step(GUARD, (fills, f"{spot.code.src(fills)} if {asked}.size else 0"))
        return
    match spot.code.parents[node]:
        case ast.keyword() | ast.stmt() | ast.Lambda():
            alone = True
        case ast.Subscript(slice=inside):
            alone = inside is node
        case ast.Call(args=given):
            alone = node in given
        case _:
            alone = False
    yield spot.step(GUARD, (node, text if alone else f"({text})"))


def _fills(spot: Spot, node: ast.Call) -> ast.Subscript | None:
    """The element `x[jnp.argmax(m)]` that fills what is not chosen, of an empty array as well."""
    match spot.code.parents[node]:
        case ast.Subscript(value=ast.Name(id=name), slice=inside) as element if inside is node:
            around = spot.code.parents[element]
            if is_empty(spot.locals.get(name)) and isinstance(around, ast.Call) and is_called(spot, around, "where"):
                return element
    return None


def with_one_less(text: str, before: str) -> Iterator[str]:
    """`text` without one of its `… if m.size else …`, which stood not in `before`: another way of writing the rest may have
    made it needless.

    Example:
        >>> list(with_one_less("y = -(jnp.max(x) if x.size else 0)", ""))
        ['y = -jnp.max(x)']
    """
    code = Code(text)
    for node in code.of_kind(code.tree, ast.IfExp):
        if isinstance(node.test, ast.Attribute) and node.test.attr == "size" and code.src(node) not in before:
            alone = isinstance(code.parents[node], ast.keyword | ast.stmt)
            yield code.replace((code.with_parentheses(node), code.src(node.body) if alone else code.operand(node.body)))


RULES: list[Rule] = [else_at_once, of_nothing]
