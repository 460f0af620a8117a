"""What a comprehension keeps by data and a `while` goes through: a loop that appends it, so that it is a list with a length."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.effects import only_gives
from jupyter_jitmagic.diagnosis.rewrites.inlining import helper_of, inlined
from jupyter_jitmagic.diagnosis.rewrites.naming import renamed
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, stored, target_names, walk, walk_scope


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
    `if near[u, v]:`, as what is near is looked for in one place then."""
    code, function = spot.code, spot.function
    if not isinstance(function, ast.FunctionDef) or not any(isinstance(each, ast.While) for each in walk(function)):
        return
    for loop in walk(function):
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
        asked = loaded(over.ifs) - {each}
        if item in asked | code.live_after(loop) or asked & _changed(loop.body) or not only_gives(spot, over.ifs):
            continue
        if not code.on_own_lines([loop, *loop.body]):
            continue
        test = " and ".join(renamed(spot, one, {each: item}) for one in over.ifs)
        indent = code.indent(loop)
        body = code.block_text(loop.body, f"{indent}        ")
        lines = f"{indent}for {item} in {code.src(over.iter)}:\n{indent}    if {test}:\n{body}"
        yield spot.step("for", (code.region([loop]), lines))
        return


def _gives_what_is_kept(helper: ast.AST | None) -> bool:
    """`def near(adj, u): return [v for v in range(len(adj)) if adj[u, v]]`."""
    match helper:
        case ast.FunctionDef(body=[*_, ast.Return(value=ast.ListComp(elt=ast.Name(id=item), generators=[over]))]):
            return bool(over.ifs) and isinstance(over.target, ast.Name) and over.target.id == item
    return False


def _changed(body: list[ast.stmt]) -> set[str]:
    """Names that statements bind, and those of the objects into which they put something."""
    found = set(stored(body))
    for node in walk_scope(body):
        match node:
            case (
                ast.Subscript(ctx=ast.Store() | ast.Del(), value=owner)
                | ast.Attribute(ctx=ast.Store() | ast.Del(), value=owner)
            ):
                found |= loaded([owner])
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner))):
                found |= loaded([owner])
    return found


RULES: list[Rule] = [as_a_loop]
FIRST: list[Rule] = [asked_in_each_round]
