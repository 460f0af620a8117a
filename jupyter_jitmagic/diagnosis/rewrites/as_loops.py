"""A comprehension as the loop that it stands for: `[f(v) for v in xs if c]` → `for v in xs:`, `if c:`, `items.append(f(v))`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.inlining import evaluated_once
from jupyter_jitmagic.diagnosis.rewrites.mapping import Comprehension
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.names import SCOPES, loaded, read_first, stored, walk, walk_scope


def looped(spot: Spot, made: Comprehension, name: str, empty: str = "[]") -> list[str] | None:
    """The lines that put the items of a comprehension into `name`, to stand above the statement that holds it; None where a
    name of the loop is read elsewhere: a comprehension's names are its own."""
    code, function, statement = spot.code, spot.function, spot.code.statement(made)
    if not isinstance(function, ast.FunctionDef) or len(made.generators) > 1 or made.generators[0].is_async:
        return None
    bound = made.generators[0]
    block = code.block(statement)
    behind = block[block.index(statement) + 1 :]
    elsewhere = read_first(behind) if block is function.body else {*stored(function.body), *loaded(function.body)}
    inner = [node for scope in walk_scope(function.body) if isinstance(scope, SCOPES) for node in walk(scope)]
    elsewhere |= {node.id for node in inner if isinstance(node, ast.Name)}  # what they read may have been bound since
    if not elsewhere.isdisjoint(stored([bound.target])) or not code.on_own_lines([statement]):
        return None
    test = " and ".join(map(code.operand, bound.ifs)) if len(bound.ifs) > 1 else "".join(map(code.expr, bound.ifs))
    tested = [f"    if {test}:"] if test else []
    item = f"{'    ' * (1 + len(tested))}{name}.append({code.expr(made.elt)})"
    return [f"{name} = {empty}", f"for {code.src(bound.target)} in {code.expr(bound.iter)}:", *tested, item]


def as_a_loop(spot: Spot, made: Comprehension) -> Iterator[Step]:
    """Its loop above the statement that holds it: what stands in it may need lines of its own."""
    code, statement = spot.code, spot.code.statement(made)
    if not evaluated_once(code, made.generators[0].iter, statement) or code.is_elif(statement):
        return
    indent, start = code.indent(statement), code.region([statement])[0]
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is made and name not in loaded([made]):
            lines, above = looped(spot, made, name), False
        case _:
            name = code.fresh("items", "listed")
            lines, above = looped(spot, made, name), True
    if lines is None:
        return
    text = f"\n{indent}".join(lines)
    items = f"({name})" if code.src(made).startswith("(") else name  # `sum(f(v) for v in xs)` has the parentheses of both
    yield spot.step("for", *([((start, start), f"{indent}{text}\n"), (made, items)] if above else [(statement, text)]))
