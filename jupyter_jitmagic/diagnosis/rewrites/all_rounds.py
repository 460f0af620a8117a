"""A loop of few rounds that returns from one of them, whose variables have another shape each round, so that no compiled loop
holds them: all rounds run, and the first that returns is chosen in the end."""

from __future__ import annotations

import ast

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.code import Code, leaves
from jupyter_jitmagic.source.names import walk_scope


def chosen_in_the_end(spot: Spot, loop: ast.For) -> Step | None:
    """`for k in range(3): …; if t: return v` / `return w` → what each round asks and would return in lists, of which the first
    that was asked for is taken; None where it is left otherwise."""
    code, function = spot.code, spot.code.function(loop)
    exits = leaves(loop.body, (ast.Return, ast.Break, ast.Continue))
    if not isinstance(function, ast.FunctionDef) or len(exits) != 1 or loop.orelse or _does_more(loop):
        return None
    choice, end = code.parents[exits[0]], function.body[-1]
    match choice, end:
        case ast.If(test=test, body=[ast.Return(value=ast.expr() as value)], orelse=[]), ast.Return(value=ast.expr() as last):
            pass
        case _:
            return None
    if loop not in function.body or choice not in loop.body:
        return None
    if leaves(function.body[function.body.index(loop) + 1 : -1], ast.Return):
        return None
    asked, found = code.fresh("asked", "are_asked"), code.fresh("found", "results")
    indent, inner, jnp = code.indent(loop), code.indent(choice), spot.jnp
    start = code.region([loop], comments=True)[0]
    taken = f"{spot.jax('tree.map')}(lambda *each: {jnp('stack')}(each)[{jnp('argmax')}({jnp('array')}({asked}))], *{found})"
    return spot.step(
        "argmax",
        ((start, start), f"{indent}{asked}, {found} = [], []\n"),
        (code.region([choice]), f"{inner}{asked}.append({code.src(test)})\n{inner}{found}.append({_one(code, value)})\n"),
        (
            code.region([end]),
            f"{indent}{asked}.append(True)\n{indent}{found}.append({_one(code, last)})\n{indent}return {taken}\n",
        ),
    )


def _one(code: Code, value: ast.expr) -> str:
    """One argument: a tuple that is returned may stand without parentheses."""
    text = code.src(value)
    return f"({text})" if isinstance(value, ast.Tuple) and not text.startswith("(") else text


def _does_more(loop: ast.For) -> bool:
    """Whether a round that plain Python does not come to would be noticed: it prints, say. What it adds to a list is not."""
    for node in walk_scope(loop.body):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(), attr="append" | "extend" | "insert"))):
                pass
            case ast.Expr(value=ast.Call()) | ast.Yield() | ast.Raise() | ast.Assert() | ast.Nonlocal() | ast.Global():
                return True
    return False
