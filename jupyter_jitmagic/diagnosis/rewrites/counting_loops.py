"""A loop of `lax` whose counter decides a shape: Python's loop in its place, which counts with numbers while it is traced."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import free_names, stored, walk_scope

_FORI = ("lower", "upper", "body_fun", "init_val")
_SCAN = ("f", "init", "xs")
_UNLESS = ast.IfExp | ast.BoolOp | ast.Lambda | ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp
_ASKS = re.compile(r"Tracer\b|[Tt]raced |concrete|must be static|must have static")
NOTE = "the rounds of that loop are traced one by one, so a longer loop takes longer to compile"


def counted_by_python(spot: Spot) -> Iterator[Step]:
    """`x = lax.fori_loop(0, n, body, x)` → `for i in range(n): x = body(i, x)`; a scan of `jnp.arange(n)`, too."""
    call, code = spot.node, spot.code
    loop = spot.value(call.func) if isinstance(call, ast.Call) else None
    if not isinstance(call, ast.Call) or loop not in (jax.lax.fori_loop, jax.lax.scan) or not _ASKS.search(str(spot.error)):
        return
    given = _given(call, _FORI if loop is jax.lax.fori_loop else _SCAN)
    statement, around = code.statement(call), code.function(call)
    if given is None or not isinstance(around, ast.FunctionDef) or not code.on_own_lines([statement]):
        return
    if not isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.Expr):
        return
    if any(isinstance(at, _UNLESS) for at in code.ancestors(call) if at is not statement):
        return
    if loop is jax.lax.fori_loop:
        bounds = [given[each] for each in ("lower", "upper") if code.src(given[each]) != "0" or each == "upper"]
        body, init = given["body_fun"], given["init_val"]
    else:
        xs = given["xs"]
        if not (isinstance(xs, ast.Call) and spot.value(xs.func) in (jnp.arange, np.arange) and not xs.keywords):
            return
        bounds, body, init = xs.args, given["f"], given["init"]
    counter = _counter(spot, body, around)
    step = code.src(body) if isinstance(body, ast.Name | ast.Attribute) else code.operand(body)
    indent = code.indent(statement)
    head = f"for {counter} in range({', '.join(map(code.src, bounds))}):"
    if loop is jax.lax.scan:
        carry, each, found = code.fresh("carry", "state"), code.fresh("made", "each_made"), code.fresh("found", "collected")
        lines = [f"{carry} = {code.src(init)}", f"{found} = []", head]
        lines += [f"    {carry}, {each} = {step}({carry}, {counter})", f"    {found}.append({each})"]
        result = f"({carry}, {spot.jnp('stack')}({found}))"
        if _second_is_unused(statement, call):
            del lines[1], lines[-1]
            result = f"({carry}, None)"
        yield spot.step("for", *_placed(spot, statement, call, lines, indent, result), note=NOTE)
        return
    own = _own_target(spot, statement, call, body)
    carry = own or code.fresh("carry", "state")
    lines = [f"{carry} = {code.src(init)}", head, f"    {carry} = {step}({counter}, {carry})"]
    if lines[0] == f"{carry} = {carry}":
        del lines[0]
    if own:
        text = "".join(f"{indent}{line}\n" for line in lines)
        yield spot.step("for", (code.region([statement]), text), note=NOTE)
    else:
        yield spot.step("for", *_placed(spot, statement, call, lines, indent, carry), note=NOTE)


def _given(call: ast.Call, names: tuple[str, ...]) -> Mapping[str, ast.expr] | None:
    """The arguments by name; None where one is missing, or another one decides what the loop does."""
    if any(isinstance(arg, ast.Starred) for arg in call.args) or len(call.args) > len(names):
        return None
    given = dict(zip(names, call.args, strict=False)) | {each.arg: each.value for each in call.keywords if each.arg}
    others = set(given) - {*names, "unroll"}
    return None if others or not set(names) <= set(given) or any(each.arg is None for each in call.keywords) else given


def _counter(spot: Spot, body: ast.expr, around: ast.FunctionDef) -> str:
    """The body's own name for the counter, where the function around it has no other use for that name."""
    used = {n.id for n in walk_scope(around.body) if isinstance(n, ast.Name)} | {
        each.arg for each in ast.walk(around.args) if isinstance(each, ast.arg)
    }
    names = [
        each.args.args
        for each in spot.code.below(around)
        if isinstance(each, ast.FunctionDef) and isinstance(body, ast.Name) and each.name == body.id
    ]
    if isinstance(body, ast.Lambda):
        names = [body.args.args]
    place = 0 if spot.value(spot.node.func) is jax.lax.fori_loop else 1  # type: ignore[attr-defined]
    wanted = names[0][place].arg if names and len(names[0]) > place else "i"
    return wanted if wanted not in used and wanted != "_" else spot.code.fresh("i", "k", "number")


def _own_target(spot: Spot, statement: ast.stmt, call: ast.Call, body: ast.expr) -> str:
    """The name that the loop's result is bound to, where the body does not read that name from around it."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is call:
            functions = [n for n in spot.code.below(spot.code.tree) if isinstance(n, ast.FunctionDef | ast.Lambda)]
            return "" if any(name in free_names(each) for each in functions) or stored([body]) else name
    return ""


def _second_is_unused(statement: ast.stmt, call: ast.Call) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=[_, ast.Name(id="_")])], value=value):
            return value is call
    return any(
        isinstance(n, ast.Subscript) and n.value is call and isinstance(n.slice, ast.Constant) and n.slice.value == 0
        for n in ast.walk(statement)
    )


def _placed(
    spot: Spot, statement: ast.stmt, call: ast.Call, lines: list[str], indent: str, result: str
) -> list[tuple[ast.AST | tuple[int, int], str]]:
    start = spot.code.region([statement])[0]
    return [((start, start), "".join(f"{indent}{line}\n" for line in lines)), (call, result)]


OUTWARD: list[Rule] = [counted_by_python]
