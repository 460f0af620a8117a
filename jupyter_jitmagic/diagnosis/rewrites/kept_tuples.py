"""`kept = [(i, v) for i, v in enumerate(x) if v > t]`, `kept.append((i, v))`: a list for each part of its tuples, which other
rules go on with."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.columns import OtherUse, Reads
from jupyter_jitmagic.diagnosis.rewrites.inlining import inlined
from jupyter_jitmagic.diagnosis.rewrites.rules import NoWay, Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import SLICE_ERRORS
from jupyter_jitmagic.source.code import is_returned
from jupyter_jitmagic.source.names import loaded, walk_scope


def in_lists(spot: Spot) -> Iterator[Step]:
    """`for i, v in kept` → `for i, v in zip(kept_i, kept_v)`, `len(kept)` → `len(kept_i)`; one that is returned at once →
    `list(zip([…], […]))`."""
    comprehension = _comprehension(spot)
    if comprehension is None or not isinstance(spot.function, ast.FunctionDef):
        return
    code, made = spot.code, spot.code.parents[comprehension]
    statement = code.parents[made]
    match statement, made:
        case ast.Return(), ast.ListComp(elt=ast.Tuple(elts=[_, _, *_] as parts)):
            columns = [_column(spot, made, part) for part in parts if not isinstance(part, ast.Starred)]
            if len(columns) == len(parts):
                yield spot.step("list", (made, f"list(zip({', '.join(columns)}))"))
            return
        case ast.Assign(targets=[ast.Name(id=name)]), ast.ListComp(elt=ast.Tuple(elts=[_, _, *_] as parts)):
            pass
        case _:
            return
    uses = [n for n in ast.walk(spot.function) if isinstance(n, ast.Name) and n.id == name]
    inner = {n for s in walk_scope(spot.function.body) if isinstance(s, ast.FunctionDef | ast.Lambda) for n in ast.walk(s)}
    starred = any(isinstance(part, ast.Starred) for part in parts)
    if sum(not isinstance(n.ctx, ast.Load) for n in uses) > 1 or not inner.isdisjoint(uses) or starred:
        return
    if not code.on_own_lines([statement]):
        return
    columns = _names_of_columns(spot, name, parts)
    reads = Reads(spot, statement, name, columns, len(parts), heap=False)
    try:
        for node in uses:
            if isinstance(node.ctx, ast.Load):
                reads.read(node)
    except OtherUse:
        return
    indent = code.indent(statement)
    lines = [
        f"{indent}{column} = {_column(spot, made, part)}\n"
        for column, part in zip(columns, parts, strict=True)
        if column in reads.used
    ]
    edits = (((at, to), new) for at, to, new in reads.edits)
    yield spot.step("list", (code.region([statement]), "".join(lines)), *edits, excludes=reads.excludes)


def _column(spot: Spot, made: ast.ListComp, part: ast.expr) -> str:
    """The same comprehension of a part of its tuples alone."""
    code = spot.code
    (start, end), (first, last) = code.span(made.elt), code.span(made)
    return f"{code.text[first:start]}{code.expr(part)}{code.text[end:last]}"


def _comprehension(spot: Spot) -> ast.comprehension | None:
    """That of which a test on data was asked, or which runs over a part of an array, as long as data says."""
    asked = spot.asked()
    if asked is not None:
        return asked[1] if isinstance(asked[1], ast.comprehension) else None
    if type(spot.error).__name__ not in SLICE_ERRORS:
        return None
    inside = itertools.takewhile(lambda at: not isinstance(at, ast.stmt), spot.code.ancestors(spot.node))
    return next((at for at in inside if isinstance(at, ast.comprehension)), None)


def _names_of_columns(spot: Spot, name: str, parts: Sequence[ast.expr]) -> list[str]:
    """A name for each part of a list's tuples."""
    words = [part.id if isinstance(part, ast.Name) else str(place) for place, part in enumerate(parts)]
    words = words if len(set(words)) == len(words) else list(map(str, range(len(words))))
    return [spot.code.fresh(f"{name}_{word}", f"{name}_of_{word}") for word in words]


def a_list_for_each_part(spot: Spot, function: ast.FunctionDef, name: str) -> Step | None:
    """`runs.append((v, i, j - i))` in a loop → `runs_0.append(v)`, `runs_i.append(i)`, `runs_2.append(j - i)`, where the list
    is made empty before the loop and read behind it."""
    code = spot.code
    uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
    stores = [code.statement(n) for n in uses if not isinstance(n.ctx, ast.Load)]
    inner = {n for s in walk_scope(function.body) if isinstance(s, ast.FunctionDef | ast.Lambda) for n in ast.walk(s)}
    match stores:
        case [ast.Assign(targets=[ast.Name()], value=ast.List(elts=[])) as made] if inner.isdisjoint(uses):
            pass
        case _:
            return None
    appends: list[tuple[ast.Expr, ast.Tuple]] = []
    for node in uses:
        match code.statement(node):
            case (
                ast.Expr(
                    value=ast.Call(
                        func=ast.Attribute(value=ast.Name(id=held), attr="append"), args=[ast.Tuple(elts=[_, _, *_]) as item]
                    )
                ) as statement
            ) if held == name and name not in loaded([item]):
                appends.append((statement, item))
    alike = len({len(item.elts) for _, item in appends}) == 1
    numbers = [spot.fact(part) for _, item in appends for part in item.elts]
    if not alike or any(isinstance(part, ast.Starred) for _, item in appends for part in item.elts):
        return None
    if any(fact is not None and (fact.ndim or fact.dtype not in ("b", "i", "u", "f")) for fact in numbers):
        return None
    columns = _names_of_columns(spot, name, appends[0][1].elts)
    block, statements = code.block(made), [statement for statement, _ in appends]
    around = [each for each in block if not {*ast.walk(each)}.isdisjoint(statements)]
    if not around or not code.on_own_lines([made, *statements]):
        return None
    _refuse_where_a_caller_reads_it(spot, [n for n in uses if is_returned(code, n)])
    reads = Reads(spot, around[-1], name, columns, len(columns), heap=False)
    adding = {n for statement in statements for n in ast.walk(statement)}
    try:
        for node in uses:
            if isinstance(node.ctx, ast.Load) and node not in adding:
                reads.read(node)
    except OtherUse:
        return None
    kept = [(place, column) for place, column in enumerate(columns) if column in reads.used]
    edits = [(code.region([made]), "".join(f"{code.indent(made)}{column} = []\n" for _, column in kept))]
    for statement, item in appends:
        lines = (f"{code.indent(statement)}{column}.append({code.expr(item.elts[place])})\n" for place, column in kept)
        edits.append((code.region([statement]), "".join(lines)))
    edits += [((start, end), new) for start, end, new in reads.edits]
    return spot.step("list", *edits, excludes=reads.excludes) if kept else None


def _refuse_where_a_caller_reads_it(spot: Spot, returned: Sequence[ast.Name]) -> None:
    """Stop where a helper hands on such a list, and its lines can stand in its caller, who reads it.

    Raises:
        NoWay: that is so; then the rules that look at calls put them there.
    """
    caller = next(iter(spot.callers()), None) if returned and not spot.entry else None
    if caller is not None and isinstance(caller.node, ast.Call) and next(inlined(caller, caller.node), None) is not None:
        raise NoWay(f"the length of {returned[0].id} would depend on the number of rounds; its caller reads it")


RULES: list[Rule] = [in_lists]
