"""Items that a test on data keeps of a number that is known: all of them, each beside whether it is kept.

`ones = [(i, j) for i in range(8) for j in range(8) if b[i, j] == 1]` → `[((i, j), b[i, j] == 1) for …]`, and
where the list is run over, `for (i, j), kept in ones: if kept: …`. Plain Python does the same with it, and what the rest
asks of `kept` is for other rules.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.effects import refuse_skipped_effects
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.over_items import tests_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit, is_tested
from jupyter_jitmagic.source.names import target_names, uses_of


def of_a_comprehension(spot: Spot) -> Iterator[Step]:
    """The list with its flags, where it is bound once, and run over, counted, or asked whether it is empty."""
    asked, code = spot.asked(), spot.code
    loop = asked[1] if asked is not None else None
    made = code.parents[loop] if isinstance(loop, ast.comprehension) else None
    match code.parents.get(made) if isinstance(made, ast.ListComp) else None:
        case ast.Assign(targets=[ast.Name(id=name) as target]):
            uses = uses_of(spot.function, target)
        case _:
            return
    if uses is None or not isinstance(loop, ast.comprehension) or not isinstance(made, ast.ListComp):
        return
    refuse_skipped_effects(spot, [made])
    found = _read_all(spot, uses, code.fresh("kept", f"{name}_kept"))
    if found is None:
        return
    test, tests = tests_of(spot, loop)
    edits: list[Edit] = [(*code.span(made.elt), f"({code.expr(made.elt)}, {test})"), (*tests, ""), *found]
    steps = (((start, end), text) for start, end, text in edits)
    yield spot.step("kept", *steps, risky=not harmless([made.elt]))


def _read_all(spot: Spot, uses: Sequence[ast.Name], kept: str) -> list[Edit] | None:
    """The edits where the list is read; None where it is read in another way. A loop in a loop has a flag of its own."""
    code, edits, left = spot.code, list[Edit](), [*uses]
    while left:
        use = left.pop(0)
        match code.parents[use]:
            case ast.For(target=target, iter=over, body=body) as loop if over is use and code.on_own_lines(body):
                begin, end = code.region(body)
                inside = [each for each in left if begin <= code.span(each)[0] < end]
                left = [each for each in left if each not in inside]
                inner = _read_all(spot, inside, f"{kept}_inside")
                if inner is None or code.live_after(loop) & {*target_names(target)}:
                    return None
                indent = code.indent(body[0])
                edits.append((*code.span(target), f"{_grouped(spot, target)}, {kept}"))
                edits.append((begin, end, f"{indent}if {kept}:\n{code.block_text(body, f'{indent}    ', inner)}"))
            case _:
                found = _read(spot, use, kept)
                if found is None:
                    return None
                edits += found
    return edits


def _read(spot: Spot, use: ast.Name, kept: str) -> list[Edit] | None:
    """The same of an expression."""
    code, parent = spot.code, spot.code.parents[use]
    match parent:
        case ast.comprehension(target=target, iter=over) if over is use:
            end = code.span(over)[1]
            return [(*code.span(target), f"{_grouped(spot, target)}, {kept}"), (end, end, f" if {kept}")]
        case ast.Call(func=ast.Name(id="len"), args=[_]) if spot.is_builtin("len"):
            return [(*code.span(parent), f"sum({kept} for _, {kept} in {use.id})")]
        case ast.Call(func=ast.Name(id="sum"), args=[_], keywords=[]) if spot.is_builtin("sum"):
            item = code.fresh("item", "each")
            return [(*code.span(use), f"{item} for {item}, {kept} in {use.id} if {kept}")]
        case ast.Compare(left=one, ops=[ast.Eq() | ast.NotEq() as how], comparators=[ast.List(elts=[])]) if one is use:
            denied = "not " if isinstance(how, ast.Eq) else ""
            return [(*code.span(parent), f"{denied}any({kept} for _, {kept} in {use.id})")]
    if is_tested(code, use):
        return [(*code.span(use), f"any({kept} for _, {kept} in {use.id})")]
    return None


def _grouped(spot: Spot, target: ast.expr) -> str:
    """The target as one of two."""
    code = spot.code
    return f"({code.src(target)})" if isinstance(target, ast.Tuple) and not code.is_enclosed(target) else code.src(target)


RULES: list[Rule] = [of_a_comprehension]
