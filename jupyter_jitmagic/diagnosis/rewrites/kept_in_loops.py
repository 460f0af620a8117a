"""What a comprehension keeps by data and a `while` goes through: a loop that appends it, so that it is a list with a length."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, target_names, walk


def as_a_loop(spot: Spot) -> Iterator[Step]:
    """`kept = [v for v in x if v > 0]` before `while i < len(kept):` → `for v in x:`, `if v > 0:`, `kept.append(v)`.

    As a selection each of its elements would be looked for anew in every round."""
    code, function = spot.code, spot.function
    made = next((each for each in code.ancestors(spot.node) if isinstance(each, ast.ListComp)), None)
    if made is None or not isinstance(function, ast.FunctionDef):
        return
    match code.parents[made], made.generators:
        case ast.Assign(targets=[ast.Name(id=name)]) as statement, [ast.comprehension(ifs=[*tests], is_async=0) as over] if (
            tests
        ):
            pass
        case _:
            return
    bound = target_names(over.target)
    inside = set(walk(made))
    elsewhere = {node.id for node in walk(function) if isinstance(node, ast.Name) and node not in inside}
    waits = any(isinstance(each, ast.While) and name in loaded([each.test]) for each in walk(function))
    if not waits or elsewhere.intersection(bound) or name in loaded([made]) or not code.on_own_lines([statement]):
        return
    outer = code.indent(statement)
    test = code.expr(tests[0]) if len(tests) == 1 else " and ".join(map(code.operand, tests))
    lines = (
        f"{name} = []",
        f"for {code.src(over.target)} in {code.src(over.iter)}:",
        f"    if {test}:",
        f"        {name}.append({code.expr(made.elt)})",
    )
    yield spot.step("list", (code.region([statement]), "".join(f"{outer}{line}\n" for line in lines)))


RULES: list[Rule] = [as_a_loop]
