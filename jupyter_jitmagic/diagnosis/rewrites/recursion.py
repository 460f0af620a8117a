"""Recursion whose end depends on a traced value: a function that ends in calls of itself is a loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ._code import always_returns
from ._rules import BOOL, Obstacle, Rule, Spot, Step


def tail_calls(spot: Spot) -> Iterator[Step]:
    """`if b == 0: return a` / `return gcd(b, a % b)` → the same in `while True`, with `a, b = b, a % b` for the call."""
    function = spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef) or function not in spot.code.tree.body:
        return
    code, name = spot.code, function.name
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and code.src(n.func) == name]
    if not calls:
        return
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    tails = [code.parents[c] for c in calls]
    plain = not (arguments.vararg or arguments.kwarg or arguments.kwonlyargs) and all(
        isinstance(t, ast.Return) and code.function(t) is function for t in tails
    )
    if not plain or any(len(c.args) > len(names) or any(k.arg not in names for k in c.keywords) for c in calls):
        raise Obstacle(f"{name} calls itself until a traced value says stop; only a loop can be compiled")
    if not always_returns(function.body):
        return
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    indent = code.indent(body[0])
    edits = []
    for call, tail in zip(calls, tails, strict=True):
        given = {n: code.expr(a) for n, a in zip(names, call.args, strict=False)}
        given |= {k.arg: code.expr(k.value) for k in call.keywords if k.arg}
        changed = {n: v for n, v in given.items() if n != v}
        missing = [n for n in names if n not in given]
        if missing:
            raise Obstacle(f"{name} calls itself without {missing[0]}; write it as a loop")
        inner = code.indent(tail) if isinstance(tail, ast.stmt) else indent
        text = f"{', '.join(changed)} = {', '.join(changed.values())}\n{inner}continue" if changed else "continue"
        edits.append((*code.span(tail), text))
    region = code.region(body, comments=True)
    yield spot.step("while", (region, f"{indent}while True:\n{code.block_text(body, indent + '    ', edits)}"))


RULES: list[Rule] = [tail_calls]
