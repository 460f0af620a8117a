"""`if v > t: out.append(v)`, `n = 0; out = []`: each statement on a line of its own, as the other rules need them.

Asked last: what other rules can do, they do to the text as it was typed. What is no expression but for its form comes first.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import walk


def on_lines_of_their_own(spot: Spot) -> Iterator[Step]:
    """The statements of the function in which the trace stopped."""
    function = spot.function
    if isinstance(function, ast.FunctionDef):
        edits = broken(spot.code, function)
        if edits:
            yield spot.step("layout", *edits)


def broken(code: Code, function: ast.FunctionDef) -> list[tuple[tuple[int, int], str]]:
    """The line breaks that a function lacks."""
    return [edit for node in walk(function) for edit in _broken(code, node)]


def as_a_statement(spot: Spot) -> Iterator[Step]:
    """`out.append(v) if c else None`, `c and out.append(v)`, of which nobody takes the value → `if c: out.append(v)`."""
    asked, code = spot.asked(), spot.code
    statement = code.parents.get(asked[1]) if asked is not None else None
    if asked is None or not isinstance(statement, ast.Expr) or not code.on_own_lines([statement]):
        return
    match asked[1]:
        case ast.IfExp(test=test, body=body, orelse=orelse):
            chosen, sides = code.expr(test), [body, orelse]
        case ast.BoolOp(op=ast.And(), values=[test, body]):
            chosen, sides = code.expr(test), [body]
        case ast.BoolOp(op=ast.Or(), values=[test, body]):
            chosen, sides = f"not {code.operand(test)}", [body]
        case _:
            return
    indent = code.indent(statement)
    lines = [f"{indent}if {chosen}:\n{indent}    {code.expr(sides[0])}\n"]
    lines += [f"{indent}else:\n{indent}    {code.expr(each)}\n" for each in sides[1:] if not isinstance(each, ast.Constant)]
    yield spot.step("if", (code.region([statement]), "".join(lines)))


def _broken(code: Code, node: ast.AST) -> Iterator[tuple[tuple[int, int], str]]:
    """Line breaks between what stands on one line: a header and its block, and the statements of a block."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if not isinstance(block, list) or not block:
            continue
        indent = code.indent(block[0])
        if not _starts_its_line(code, block[0]) and not code.is_elif(block[0]):
            if not isinstance(node, ast.stmt):
                continue  # `except E: pass`, `case 1: pass`
            indent = code.indent(node) + "    "
            start, _ = code.span(block[0])
            yield (start - _blanks_before(code.text[:start]), start), f"\n{indent}"
        for earlier, later in itertools.pairwise(block):
            if earlier.end_lineno == later.lineno:
                yield (code.span(earlier)[1], code.span(later)[0]), f"\n{indent}"


def _starts_its_line(code: Code, stmt: ast.stmt) -> bool:
    return not code.lines[stmt.lineno - 1].encode()[: stmt.col_offset].strip()


def _blanks_before(text: str) -> int:
    return len(text) - len(text.rstrip(" \t"))


STATEMENTS: list[Rule] = [as_a_statement]
RULES: list[Rule] = [on_lines_of_their_own]
