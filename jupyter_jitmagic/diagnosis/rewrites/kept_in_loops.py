"""What a comprehension keeps by data: a loop that appends it where a `while` goes through it, so that it is a list with a
length; a test in each round where a `for` does."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.effects import only_gives
from jupyter_jitmagic.diagnosis.rewrites.inlining import helper_of, inlined
from jupyter_jitmagic.diagnosis.rewrites.naming import renamed
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import COMPREHENSIONS, loaded, name_of, stored, target_names, walk


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


def asked_in_each_round(spot: Spot) -> Iterator[Step]:
    """`for v in [w for w in range(n) if near[u, w]]:` of a search that waits for a queue → `for v in range(n):` and
    `if near[u, v]:`, where that stops the trace, or the dict or set of what was met does."""
    code, function, here = spot.code, spot.function, spot.code.statement(spot.node)
    begins = isinstance(here, ast.Assign) and isinstance(here.value, ast.Set | ast.Dict)
    if not isinstance(function, ast.FunctionDef) or not any(isinstance(each, ast.While) for each in walk(function)):
        return
    for loop in [here] if not begins else walk(function):
        match loop:
            case ast.For(target=ast.Name(id=item), iter=ast.ListComp(elt=ast.Name(id=each), generators=[over]), orelse=[]) if (
                isinstance(over.target, ast.Name) and over.target.id == each and over.ifs and not over.is_async
            ):
                pass
            case ast.For(iter=ast.Call() as call) if _gives_what_is_kept(helper_of(spot, call)):
                yield from inlined(spot, call)
                return
            case _:
                continue
        if not _stays(spot, loop, over) or _is_read_elsewhere(spot, function, loop, item) or item in loaded(over.ifs) - {each}:
            continue
        counts = isinstance(over.iter, ast.Call) and name_of(over.iter) == "range"
        if not only_gives(spot, [*([] if counts else [over.iter]), *over.ifs]) or not code.on_own_lines([loop, *loop.body]):
            continue
        tests = [renamed(spot, one, {each: item}) for one in over.ifs]
        test = tests[0] if len(tests) == 1 and "\n" not in tests[0] else " and ".join(f"({one})" for one in tests)
        indent = code.indent(loop)
        body = code.block_text(loop.body, f"{indent}        ")
        lines = f"{indent}for {item} in {code.expr(over.iter)}:\n{indent}    if {test}:\n{body}"
        yield spot.step("for", (code.region([loop]), lines))
        return


def _gives_what_is_kept(helper: ast.AST | None) -> bool:
    """`def near(adj, u): return [v for v in range(len(adj)) if adj[u, v]]`."""
    match helper:
        case ast.FunctionDef(body=[*_, ast.Return(value=ast.ListComp(elt=ast.Name(id=item), generators=[over]))]):
            return bool(over.ifs) and isinstance(over.target, ast.Name) and over.target.id == item
    return False


def _stays(spot: Spot, loop: ast.For, over: ast.comprehension) -> bool:
    """Whether what is gone through and asked is the same in each round as before the first: arrays and numbers that the loop
    does not bind anew."""
    own, bound = {*target_names(over.target)}, {*stored(loop.body)}
    asked = (node for part in (over.iter, *over.ifs) for node in walk(part))
    for node in (each for each in asked if isinstance(each, ast.Name) and each.id not in own):
        fact = spot.fact(node)
        steady = callable(spot.value(node)) or is_module(spot, node) or (fact is not None and fact.sort in ("array", "number"))
        if node.id in bound or not steady:
            return False
    return True


def _is_read_elsewhere(spot: Spot, function: ast.FunctionDef, loop: ast.For, item: str) -> bool:
    """Whether the loop's variable is read behind it: the last that was kept is none of the others."""
    inside = set(walk(loop))
    own = {
        node
        for made in walk(function)
        if isinstance(made, COMPREHENSIONS) and any(item in target_names(each.target) for each in made.generators)
        for node in walk(made)
    }
    reads = [node for node in walk(function) if isinstance(node, ast.Name) and node.id == item and node not in inside | own]
    return item in spot.code.live_after(loop) and any(isinstance(node.ctx, ast.Load) for node in reads)


RULES: list[Rule] = [as_a_loop]
FIRST: list[Rule] = [asked_in_each_round]
"""Before sets of what was met become arrays: they ask which array is asked there."""
