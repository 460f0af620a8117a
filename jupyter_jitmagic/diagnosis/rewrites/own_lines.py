"""`if v > t: out.append(v)`, `n = 0; out = []`: each statement on a line of its own, as the other rules need them.

Asked last: what other rules can do, they do to the text as it was typed.
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
        edits = [edit for node in walk(function) for edit in _broken(spot.code, node)]
        if edits:
            yield spot.step("layout", *edits)


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


RULES: list[Rule] = [on_lines_of_their_own]
