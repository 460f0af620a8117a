"""An object, or a row with words, that data chooses of a list: its place first, with which other rules go on.

`band = next(b for b in BANDS if x < b.top)` → `BANDS[next(i for i, b in enumerate(BANDS) if x < b.top)]`, which plain Python
takes as well, and `ok = [b for b in BANDS if x < b.top]` → the places, and `BANDS[i]` where one of them is read.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from jupyter_jitmagic.base.looking import attributes
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import is_tested
from jupyter_jitmagic.source.names import may_change, names_around, uses_of
from jupyter_jitmagic.source.nones import asks_for_none

Edits = list[tuple[ast.AST | tuple[int, int], str]]


def first_of(spot: Spot) -> Iterator[Step]:
    """`next(b for b in BANDS if test)`, also with an item of the list, or None, for where none passes."""
    asked, code = spot.asked(), spot.code
    loop = asked[1] if asked is not None else None
    around = code.parents[loop] if isinstance(loop, ast.comprehension) else None
    call = code.parents[around] if isinstance(around, ast.GeneratorExp) else None
    match around, call:
        case (
            ast.GeneratorExp(
                elt=ast.Name(id=item), generators=[ast.comprehension(target=ast.Name(id=name), iter=listed) as loop]
            ),
            ast.Call(func=ast.Name(id="next"), args=[_, *default]),
        ) if item == name and spot.is_builtin("next") and holds_items(spot, listed):
            pass
        case _:
            return
    place, table = code.fresh("i", "at"), code.expr(listed)
    first = f"{place} for {place}, {name} in enumerate({table}) if {' and '.join(map(code.operand, loop.ifs))}"
    match default:
        case []:
            text = f"{table}[next({first})]"
        case [ast.Subscript(value=of, slice=ast.Constant() | ast.UnaryOp() as chosen)] if code.src(of) == table:
            text = f"{table}[next(({first}), {code.src(chosen)})]"
        case [ast.Constant(value=None)]:
            yield from _or_none(spot, call, f"next(({first}), None)", listed)
            return
        case _:
            return
    yield spot.step("index", (call, text))


def _or_none(spot: Spot, call: ast.Call, place: str, listed: ast.expr) -> Iterator[Step]:
    """`b = next((…), None)`, `if b is None`, `b.rate` → the place, or None, by a name of its own; `BANDS[b_at].rate`."""
    code = spot.code
    bound = _bound_to(spot, call, listed)
    if bound is None:
        return
    statement, name, uses = bound
    at = code.fresh(f"{name}_at", "place")
    edits: Edits = [(statement, f"{at} = {place}")]
    for use in uses:
        asks = isinstance(parent := code.parents[use], ast.Compare)
        if asks and asks_for_none(parent, name) is None:
            return  # of places another thing is asked than of items
        read = f"({at} is not None)" if is_tested(code, use) else at if asks else f"{code.expr(listed)}[{at}]"
        edits.append((use, read))
    yield spot.step("index", *edits)


def _bound_to(spot: Spot, made: ast.expr, listed: ast.expr) -> tuple[ast.Assign, str, list[ast.Name]] | None:
    """The statement that gives what is made a name, the name, and where that is read; None where it, or the list that is to be
    read there, may be bound to something else by then."""
    function, statement = spot.function, spot.code.parents[made]
    match statement:
        case ast.Assign(targets=[ast.Name() as target]) if isinstance(function, ast.FunctionDef):
            uses = uses_of(function, target)
            return None if uses is None or may_change(function, listed) else (statement, target.id, uses)
    return None


def kept_of(spot: Spot) -> Iterator[Step]:
    """`ok = [b for b in BANDS if test]` → `[i for i, b in enumerate(BANDS) if test]`, read as `BANDS[ok[-1]]`."""
    asked, code = spot.asked(), spot.code
    loop = asked[1] if asked is not None else None
    around = code.parents[loop] if isinstance(loop, ast.comprehension) else None
    match around:
        case ast.ListComp(
            elt=ast.Name(id=item), generators=[ast.comprehension(target=ast.Name(id=each), iter=listed) as loop]
        ) if item == each and holds_items(spot, listed):
            bound = _bound_to(spot, around, listed)
        case _:
            return
    if bound is None:
        return
    place, table = code.fresh("i", "at"), code.expr(listed)
    tests = " and ".join(map(code.operand, loop.ifs))
    edits: Edits = [(around, f"[{place} for {place}, {each} in enumerate({table}) if {tests}]")]
    for number, use in enumerate(bound[2]):
        found = _read(spot, use, f"{place}_{number}" if number else place, table)
        if found is None:
            return
        edits += found
    yield spot.step("index", *edits)


def _read(spot: Spot, use: ast.Name, place: str, table: str) -> Edits | None:
    """The edits with which what reads the items reads their places; None where that is not known."""
    code, parent = spot.code, spot.code.parents[use]
    match parent:
        case ast.Subscript(value=value, slice=at, ctx=ast.Load()) if value is use and not isinstance(at, ast.Slice):
            return _around(code.span(parent), table)
        case ast.Call(func=ast.Name(id="len"), args=[_]) | ast.If() | ast.IfExp() | ast.UnaryOp(op=ast.Not()) | ast.BoolOp():
            return []
        case ast.For(target=ast.Name() as target, iter=over, body=body) as loop if over is use:
            return _each_read(body, target, place, table) if target.id not in code.live_after(loop) else None
        case ast.comprehension(target=ast.Name() as target, iter=over, ifs=tests) if over is use:
            made = code.parents[parent]
            if not isinstance(made, ast.ListComp | ast.SetComp | ast.GeneratorExp) or len(made.generators) > 1:
                return None
            return _each_read([made.elt, *tests], target, place, table)
        case ast.Call(
            func=ast.Name(id="min" | "max"),
            args=[of],
            keywords=[ast.keyword(arg="key", value=ast.Lambda(args=ast.arguments(args=[given], defaults=[]), body=body))],
        ) if of is use:
            read = [each for each in names_around(body) if each.id == given.arg]
            return [*_around(code.span(parent), table), *((each, f"{table}[{given.arg}]") for each in read)]
    return None


def _around(span: tuple[int, int], table: str) -> Edits:
    """An item in the place of its place."""
    start, end = span
    return [((start, start), f"{table}["), ((end, end), "]")]


def _each_read(inside: Sequence[ast.AST], target: ast.Name, place: str, table: str) -> Edits | None:
    """What runs over the items, running over their places."""
    read = [each for node in inside for each in names_around(node) if each.id == target.id]
    if not all(isinstance(each.ctx, ast.Load) for each in read):
        return None
    return [(target, place), *((each, f"{table}[{place}]") for each in read)]


def holds_items(spot: Spot, listed: ast.expr) -> bool:
    """Whether a list holds objects, or rows, of which no array is made; a generator does not know what the function around it
    goes through."""
    if not isinstance(listed, ast.Name | ast.Attribute):
        return False
    around = (caller for caller in itertools.islice(spot.callers(), 1) if caller.function is spot.function)
    items: Any = next((held for place in (spot, *around) if (held := place.held(listed)) is not None), None)
    if type(items) not in (list, tuple) or not items:
        return False
    objects = len({type(each) for each in items}) == 1 and all(map(attributes, items))
    return objects or all(isinstance(each, tuple) for each in items)


RULES: list[Rule] = [first_of, kept_of]
