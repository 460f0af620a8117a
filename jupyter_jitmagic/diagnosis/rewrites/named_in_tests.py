"""Names that a test binds by `:=`, bound on lines of their own: what cures the test need not know of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import loaded, read_first

Edits = list[tuple[ast.AST | tuple[int, int], str]]


def that_last(spot: Spot, loop: ast.While) -> list[ast.NamedExpr]:
    """Those in a loop's test whose names are read elsewhere: in its rounds, behind it, or by its next test (`n := n + 1`)."""
    read = read_first(loop.body) | spot.code.live_after(loop)
    named = [n for n in ast.walk(loop.test) if isinstance(n, ast.NamedExpr)]
    return [n for n in named if n.target.id in read | loaded([n.value])]


def before_a_loop(spot: Spot, loop: ast.While, named: list[ast.NamedExpr]) -> Iterator[Step]:
    """`while (err := f(x)) > tol` → `err = f(x)` before the loop and at the end of each round; at the beginning of each round,
    with a `break` behind it, where a round may be left by `continue`.
    """
    code = spot.code
    if any(not _always_evaluated(spot, n, loop.test) for n in named):
        if (step := _behind_a_guard(spot, loop)) is not None:
            yield step
            return
        raise Obstacle("a name is bound by `:=` in a part of the loop's test that is not always evaluated")
    lines, edits = _bound(spot, named)
    if not code.on_own_lines(loop.body):
        return
    start, end = code.region([loop])[0], code.region([loop.body[-1]])[1]
    indent, inner = code.indent(loop), code.indent(loop.body[0])
    if leaves(loop.body, ast.Continue):
        if loop.orelse:
            raise Obstacle("`continue` in a loop with `else` whose test binds a name by `:=`")
        first, last = code.span(loop.test)
        test = code.edited(first, last, [(*(at if isinstance(at, tuple) else code.span(at)), text) for at, text in edits])
        ends = [*lines, f"if not ({test}):", "    break"]
        body = code.offset(loop.body[0].lineno, 0)
        yield spot.step("while", ((first, last), "True"), ((body, body), "".join(f"{inner}{line}\n" for line in ends)))
        return
    edits.insert(0, ((start, start), "".join(f"{indent}{line}\n" for line in lines)))
    edits.append(((end, end), "".join(f"{inner}{line}\n" for line in lines)))
    yield spot.step("while", *edits)


def _behind_a_guard(spot: Spot, loop: ast.While) -> Step | None:
    """`while i < n and (y := f(x)) < t:` → `while i < n:`, with `y = f(x)` and `if not (y < t): break` as a round begins."""
    code, test = spot.code, loop.test
    if not isinstance(test, ast.BoolOp) or not isinstance(test.op, ast.And) or loop.orelse or not code.on_own_lines(loop.body):
        return None
    parts = [(part, [n for n in ast.walk(part) if isinstance(n, ast.NamedExpr)]) for part in test.values]
    first = next(k for k, (_, bound) in enumerate(parts) if bound)
    every = [(n, part) for part, bound in parts for n in bound]
    if first == 0 or not all(_always_evaluated(spot, n, part) for n, part in every):
        return None
    lines: list[str] = []
    asked: list[str] = []
    for part, bound in parts[first:]:
        if bound and asked:  # what it binds is not computed where an earlier part says no
            lines += [f"if not ({' and '.join(asked)}):", "    break"]
            asked = []
        binding, edits = _bound(spot, bound)
        lines += binding
        spans = [(*(at if isinstance(at, tuple) else code.span(at)), text) for at, text in edits]
        start, end = code.span(part)
        asked.append(code.edited(min([start, *(each[0] for each in spans)]), max([end, *(each[1] for each in spans)]), spans))
    lines += [f"if not ({' and '.join(asked)}):", "    break"]
    inner, body = code.indent(loop.body[0]), code.offset(loop.body[0].lineno, 0)
    goes_on = " and ".join(code.operand(part) if isinstance(part, ast.BoolOp) else code.expr(part) for part, _ in parts[:first])
    return spot.step("while", (test, goes_on), ((body, body), "".join(f"{inner}{line}\n" for line in lines)))


def before_a_selection(spot: Spot) -> Iterator[Step]:
    """`if not (m := x != 0).all(): x = x[m]` → `m = x != 0` before it."""
    code = spot.code
    choice = code.statement(spot.node)
    if not isinstance(choice, ast.If) or code.is_elif(choice) or not code.on_own_lines([choice]):
        return
    named = [n for n in ast.walk(choice.test) if isinstance(n, ast.NamedExpr)]
    selects = {
        n.id
        for part in choice.body
        for at in ast.walk(part)
        if isinstance(at, ast.Subscript)
        for n in ast.walk(at.slice)
        if isinstance(n, ast.Name)
    }
    if not any(n.target.id in selects for n in named) or not all(_always_evaluated(spot, n, choice.test) for n in named):
        return
    lines, edits = _bound(spot, named)
    start, indent = code.region([choice])[0], code.indent(choice)
    yield spot.step("where", ((start, start), "".join(f"{indent}{line}\n" for line in lines)), *edits)


def _bound(spot: Spot, named: list[ast.NamedExpr]) -> tuple[list[str], Edits]:
    """(lines that bind the names in their order, edits that read them in the test)."""
    code, lines = spot.code, []
    edits: Edits = []
    for n in sorted(named, key=lambda n: (n.lineno, n.col_offset)):
        lines.append(f"{n.target.id} = {code.expr(n.value)}")
        start, end = code.span(n)
        given = isinstance(around_it := code.parents[n], ast.Call) and n in around_it.args
        around = not given and code.text[start - 1 : start] == "(" and code.text[end : end + 1] == ")"
        edits.append(((start - 1, end + 1) if around else (start, end), n.target.id))
    return lines, edits


def _always_evaluated(spot: Spot, node: ast.expr, test: ast.expr) -> bool:
    at: ast.AST = node
    while at is not test:
        parent = spot.code.parents[at]
        if isinstance(parent, ast.BoolOp) and at is not parent.values[0]:
            return False
        if isinstance(parent, ast.Compare) and at in parent.comparators[1:]:
            return False
        if isinstance(parent, ast.IfExp | ast.Lambda | ast.NamedExpr | ast.comprehension):
            return False
        at = parent
    return True


RULES: list[Rule] = [before_a_selection]
