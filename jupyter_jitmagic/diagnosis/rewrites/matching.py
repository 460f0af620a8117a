"""`match` on a traced value → the `if` chain that it stands for."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

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
    yield _as_choices(spot, node)


def match_of_parts(spot: Spot) -> Iterator[Step]:
    """`match (on, bool(t < low)): case (False, True): …` → `if not on and part: …`: no pattern takes a tracer for True."""
    for at in spot.code.ancestors(spot.node) if spot.kind == BOOL else ():
        if isinstance(at, ast.Match) and isinstance(at.subject, ast.Tuple) and spot.node in ast.walk(at.subject):
            yield _as_choices(spot, at)


def _as_choices(spot: Spot, node: ast.Match) -> Step:
    code, indent = spot.code, spot.code.indent(node)
    lines, subject = "", code.operand(node.subject)
    parts: list[str] = []
    if isinstance(node.subject, ast.Tuple) and not any(isinstance(part, ast.Starred) for part in node.subject.elts):
        for number, part in enumerate(node.subject.elts, 1):
            parts.append(code.src(part) if isinstance(part, ast.Name) else code.fresh(f"part_{number}", f"subject_{number}"))
            lines += "" if isinstance(part, ast.Name) else f"{indent}{parts[-1]} = {code.expr(part)}\n"
    elif not isinstance(node.subject, ast.Name):
        subject = code.fresh("subject", "matched")
        lines = f"{indent}{subject} = {code.expr(node.subject)}\n"
    word = "if"
    for case in node.cases:
        test, captured = _test(spot, case.pattern, subject, parts)
        edits = [
            (*code.span(n), captured[n.id])
            for root in (*case.body, *filter(None, [case.guard]))
            for n in ast.walk(root)
            if isinstance(n, ast.Name) and n.id in captured
        ]
        if case.guard is not None:
            guard = code.edited(*code.span(case.guard), edits)
            test = f"({test}) and ({guard})" if test else guard
        head = f"{indent}{word} {test}:\n" if test else f"{indent}else:\n" if word == "elif" else f"{indent}if True:\n"
        lines += head + code.block_text(case.body, indent + "    ", edits)
        if not test:
            break
        word = "elif"
    return spot.step("if", (code.region([node]), lines))


def _test(spot: Spot, pattern: ast.pattern, subject: str, parts: Sequence[str] = ()) -> tuple[str, dict[str, str]]:
    """(the condition as text, "" if it always holds; what the names that the pattern captures stand for)."""
    match pattern:
        case ast.MatchValue(value=value):
            return f"{subject} == {spot.code.operand(value)}", {}
        case ast.MatchSingleton(value=bool() as flag) if not parts:
            return subject if flag else f"not {subject}", {}
        case ast.MatchOr(patterns=patterns) if not parts:
            return " or ".join(_test(spot, each, subject)[0] for each in patterns), {}
        case ast.MatchAs(pattern=None, name=name):
            if name and parts:
                raise Obstacle("`match` gives a name to the whole of what it takes apart")
            return "", {name: subject} if name else {}
        case ast.MatchAs(pattern=inner, name=name) if inner is not None and not parts:
            return _test(spot, inner, subject)[0], {name: subject} if name else {}
        case ast.MatchSequence(patterns=patterns) if len(patterns) == len(parts):
            found = [_test(spot, each, part) for each, part in zip(patterns, parts, strict=True)]
            tests = [f"({test})" if " or " in test else test for test, _ in found if test]
            return " and ".join(tests), {name: text for _, captured in found for name, text in captured.items()}
    raise Obstacle("`match` on the structure of a traced value")


BEFORE_CONVERSIONS: list[Rule] = [match_of_parts]
RULES: list[Rule] = [match_statement]
