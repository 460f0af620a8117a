"""`match` on a traced value → the `if` chain that it stands for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Obstacle, Rule, Spot, Step


def match_statement(spot: Spot) -> Iterator[Step]:
    """`match a: case 0: …` → `if a == 0: …`, which other rules go on with."""
    if spot.kind != BOOL:
        return
    node = next(
        (at for at in spot.code.ancestors(spot.node) if isinstance(at, ast.Match | ast.If | ast.While | ast.FunctionDef)), None
    )
    if not isinstance(node, ast.Match) or isinstance(spot.code.parents[spot.node], ast.IfExp | ast.BoolOp):
        return
    code, indent = spot.code, spot.code.indent(node)
    subject, lines = code.operand(node.subject), ""
    if not isinstance(node.subject, ast.Name):
        subject = code.fresh("subject", "matched")
        lines = f"{indent}{subject} = {code.expr(node.subject)}\n"
    word = "if"
    for case in node.cases:
        test, captured = _test(spot, case.pattern, subject)
        edits = [
            (*code.span(n), subject)
            for root in (*case.body, *filter(None, [case.guard]))
            for n in ast.walk(root)
            if isinstance(n, ast.Name) and n.id == captured
        ]
        if case.guard is not None:
            guard = code.edited(*code.span(case.guard), edits)
            test = f"({test}) and ({guard})" if test else guard
        head = f"{indent}{word} {test}:\n" if test else f"{indent}else:\n" if word == "elif" else f"{indent}if True:\n"
        lines += head + code.block_text(case.body, indent + "    ", edits)
        if not test:
            break
        word = "elif"
    yield spot.step("if", (code.region([node]), lines))


def _test(spot: Spot, pattern: ast.pattern, subject: str) -> tuple[str, str]:
    """(the condition as text, "" if it always holds; the name that the pattern captures)."""
    if isinstance(pattern, ast.MatchValue):
        return f"{subject} == {spot.code.operand(pattern.value)}", ""
    if isinstance(pattern, ast.MatchOr):
        tests = [_test(spot, p, subject)[0] for p in pattern.patterns]
        return " or ".join(tests), ""
    if isinstance(pattern, ast.MatchAs):
        if pattern.pattern is None:
            return "", pattern.name or ""
        return _test(spot, pattern.pattern, subject)[0], pattern.name or ""
    raise Obstacle("`match` on the structure of a traced value")


RULES: list[Rule] = [match_statement]
