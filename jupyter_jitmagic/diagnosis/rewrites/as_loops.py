"""A comprehension as the loop that it stands for: `[f(v) for v in xs if c]` → `for v in xs:`, `if c:`, `items.append(f(v))`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.inlining import evaluated_once
from jupyter_jitmagic.diagnosis.rewrites.mapping import Comprehension
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.code import words
from jupyter_jitmagic.source.names import SCOPES, free_names, loaded, names_around, stored, walk, walk_scope

_TAKES_A_LIST = words("sum any all max min list tuple set dict sorted zip enumerate")


def looped(spot: Spot, made: Comprehension, name: str, empty: str = "[]") -> list[str] | None:
    """The lines that put the items of a comprehension into `name`, to stand above the statement that holds it; None where that
    is not to be written so. A comprehension's names are its own: one that the function has as well gets another."""
    code, function, statement = spot.code, spot.function, spot.code.statement(made)
    if not isinstance(function, ast.FunctionDef) or len(made.generators) > 1 or made.generators[0].is_async:
        return None
    if not code.on_own_lines([statement]):
        return None
    bound = made.generators[0]
    inside = {*walk(made)} - {*walk(bound.iter)}
    beside = [node for node in walk(statement) if node not in inside]
    scopes = [each for each in walk_scope(function.body) if isinstance(each, SCOPES) and each not in inside]
    elsewhere = code.live_after(statement).union(*map(free_names, scopes), (n.id for n in beside if isinstance(n, ast.Name)))
    new = {each: code.fresh(each) for each in stored([bound.target]) if each in elsewhere}
    own = [n for part in (made.elt, *bound.ifs) for n in names_around(part)]
    own += [n for n in walk(bound.target) if isinstance(n, ast.Name)]
    edits = [(*code.span(n), new[n.id]) for n in own if n.id in new]

    def text(part: ast.expr) -> str:
        return code.edited(*code.span(part), edits)

    several = len(bound.ifs) > 1
    tests = [f"({text(each)})" if several and not isinstance(each, ast.Compare) else text(each) for each in bound.ifs]
    tested = [f"    if {' and '.join(tests)}:"] if tests else []
    item = f"{'    ' * (1 + len(tested))}{name}.append({text(made.elt)})"
    return [f"{name} = {empty}", f"for {text(bound.target)} in {code.expr(bound.iter)}:", *tested, item]


def as_a_loop(spot: Spot, made: Comprehension) -> Iterator[Step]:
    """Its loop above the statement that holds it: what stands in it may need lines of its own."""
    code, statement = spot.code, spot.code.statement(made)
    if not evaluated_once(code, made.generators[0].iter, statement) or code.is_elif(statement):
        return
    if isinstance(made, ast.GeneratorExp) and not _is_run_through(spot, made):
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


def _is_run_through(spot: Spot, made: ast.GeneratorExp) -> bool:
    """Whether a list serves in a generator's place: `next` takes none."""
    match spot.code.parents[made]:
        case ast.Call(func=ast.Name(id=name)):
            return name in _TAKES_A_LIST and spot.is_builtin(name)
        case ast.For() | ast.comprehension():
            return True
    return False
