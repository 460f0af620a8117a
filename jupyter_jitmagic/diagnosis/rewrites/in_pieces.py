"""Pieces of an array between places that data says: `laps = jnp.split(x, ends)` → a mask for each piece.

Where their number is known, as `ends` has a fixed length, each is what stands between two places; where they end at gaps
(`jnp.where(jnp.diff(t) > gap)[0] + 1`), what has one label. What each is read for is `selected_by_turn`. With places that are
written one by one it is `cutting.split_at`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.host_sizes import is_jnp
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE
from jupyter_jitmagic.source.names import COMPREHENSIONS, bound_once, loaded, stored, walk


def pieces(spot: Spot) -> Iterator[Step]:
    """A list of selections in its place, which has a name."""
    code, call = spot.code, spot.node
    match call:
        case ast.Call(func=ast.Attribute(attr="split"), args=[whole, ends], keywords=[]) if is_jnp(spot, call.func):
            pass
        case _:
            return
    places, known = spot.fact(ends), spot.fact(whole)
    if places is None or (places.sort, places.ndim, places.dtype) != ("array", 1, "i") or known is None or known.ndim < 1:
        return
    if (standing := _standing(spot, call)) is None:
        return
    statement, name, named = standing
    array, before = (whole.id, "") if isinstance(whole, ast.Name) else (code.fresh("whole", "array"), code.src(whole))
    starts, stops = code.fresh("starts", f"starts_of_{array}"), code.fresh("stops", f"stops_of_{array}")
    place, k = code.fresh("place", f"place_in_{array}"), code.fresh("k", "number")
    given, size, indent = code.operand(ends), f"{array}.shape[0]", code.indent(statement)
    start = code.region([statement], comments=True)[0]
    lines = f"{array} = {before}\n{indent}" if before else ""
    lines += (
        f"{starts}, {stops} = [0, *{given}], [*{given}, {size}]\n{indent}"
        f"{place} = {spot.jnp('arange')}({size})\n{indent}"
        f"{name} = [{array}[({place} >= {starts}[{k}]) & ({place} < {stops}[{k}])] for {k} in range(len({starts}))]"
    )
    if named:
        yield spot.step("split", (statement, lines), excludes=NEGATIVE)
    else:
        yield spot.step("split", ((start, start), f"{indent}{lines}\n"), (call, name), excludes=NEGATIVE)


def _standing(spot: Spot, call: ast.Call) -> tuple[ast.stmt, str, bool] | None:
    """(the statement in which pieces are made, a name for them, whether the statement gives it) where they are made once."""
    code, statement = spot.code, spot.code.statement(call)
    around = [each for each in code.ancestors(call) if isinstance(each, COMPREHENSIONS)]
    if code.function(call) is not spot.function or any(each.generators[0].iter is not call for each in around):
        return None
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is call:
            return statement, name, True
        case ast.For(iter=over) if call not in walk(over):
            return None
        case ast.Assign() | ast.Return() | ast.For():
            return statement, code.fresh("pieces", "parts"), False
    return None


def pieces_between_gaps(spot: Spot) -> Iterator[Step]:
    """`jnp.split(x, jnp.where(jnp.diff(t) > gap)[0] + 1)` → what has one label each, of labels that grow at the gaps."""
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    for call in walk(function):
        match call:
            case ast.Call(func=ast.Attribute(attr="split", value=owner), args=[whole, ends], keywords=[]) if is_module(
                spot, owner
            ):
                pass
            case _:
                continue
        names: list[str] = []
        gaps, standing = _gaps(function, ends, names), _standing(spot, call)
        if gaps is None or standing is None or spot.node not in ast.walk(gaps[0]):
            continue
        known, marks = spot.fact(whole), spot.fact(gaps[1])
        if known is None or marks is None or known.ndim < 1 or (marks.ndim, marks.dtype) != (1, "b"):
            continue
        if marks.length != known.length - 1:
            continue  # where a gap before the first or behind the last would make an empty piece
        statement, name, named = standing
        block, first = code.block(statement), code.statement(gaps[0])
        if first not in block or not code.on_own_lines([statement]):
            continue
        if loaded([whole, gaps[1]]) & {*stored(block[block.index(first) : block.index(statement)])}:
            continue
        yield spot.step("split", *_by_label(spot, function, call, whole, gaps[1], (statement, name, named), names))
        return


_Edits = list[tuple[ast.AST | tuple[int, int], str]]


def _by_label(
    spot: Spot,
    function: ast.FunctionDef,
    call: ast.Call,
    whole: ast.expr,
    marks: ast.expr,
    standing: tuple[ast.stmt, str, bool],
    names: Sequence[str],
) -> _Edits:
    """The edits that make the labels, and the pieces by them."""
    code, (statement, name, named) = spot.code, standing
    part, k = code.fresh("part", "piece_of"), code.fresh("k", "number")
    start, indent = code.region([statement], comments=True)[0], code.indent(statement)
    labels = f"[{spot.jnp('zeros')}(1, int), {spot.jnp('cumsum')}({code.expr(marks)})]"
    lines = f"{part} = {spot.jnp('concatenate')}({labels})\n{indent}"
    array = code.src(whole)
    if not isinstance(whole, ast.Name) or _is_bound_again(function, array):
        array = code.fresh("whole", "array")
        lines = f"{array} = {code.src(whole)}\n{indent}{lines}"
    read = _read_by_label(spot, function, name, array, part) if named else {}
    number = _numbers_of_gaps(spot, function, names, statement)
    edits: _Edits = [*read.items(), *((each, f"{part}[-1]") for each in number)]
    gone = {node for each in (call, *number) for node in ast.walk(each)}
    edits += [(code.region([each]), "") for each in code.unread(names, gone, statement)]
    others = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
    made = f"{name} = [{array}[{part} == {k}] for {k} in {spot.jnp('unique')}({part})]"
    if named:
        all_read = bool(read) and all(any(use in ast.walk(node) for node in read) for use in others)
        return [(statement, lines.rstrip() if all_read else f"{lines}{made}"), *edits]
    return [((start, start), f"{indent}{lines}{made}\n"), (call, name), *edits]


def _is_bound_again(function: ast.FunctionDef, name: str) -> bool:
    """Whether a name is bound several times in the function, in those within it, or by a comprehension."""
    bound = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load)]
    return len(bound) + sum(isinstance(n, ast.arg) and n.arg == name for n in walk(function)) > 1


_READING = ("len", "sum", "max", "min", "map", "enumerate", "zip", "reversed", "sorted", "any", "all")


def _read_by_label(spot: Spot, function: ast.FunctionDef, name: str, whole: str, part: str) -> dict[ast.expr, str]:
    """What stands where the first piece, the last or the longest is asked for; nothing where something else is done with the
    list, which may change it or give it another name."""
    code, found = spot.code, dict[ast.expr, str]()
    uses = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
    if _is_bound_again(function, name):
        return {}
    for use in uses:
        match read := code.parents[use]:
            case ast.Subscript(ctx=ast.Store() | ast.Del()):
                return {}
            case ast.Subscript(value=of, slice=ast.Constant(value=0)) if of is use:
                label = "0"
            case ast.Subscript(value=of, slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))) if of is use:
                label = f"{part}[-1]"
            case ast.Call(func=ast.Name(id="max"), args=[_], keywords=[ast.keyword(arg="key", value=ast.Name(id="len"))]) if (
                spot.is_builtin("max") and spot.is_builtin("len")
            ):
                label = f"{spot.jnp('argmax')}({spot.jnp('bincount')}({part}, length={part}.size))"
            case ast.Call(func=ast.Name(id=asks)) if asks in _READING and spot.is_builtin(asks):
                continue
            case ast.For() | ast.comprehension() if read.iter is use:
                continue
            case ast.Subscript(value=of) if of is use:
                continue
            case _:
                return {}
        found[read] = f"{whole}[{part} == {label}]"
    return found


def _gaps(function: ast.FunctionDef, ends: ast.expr, names: list[str]) -> tuple[ast.expr, ast.expr] | None:
    """(`jnp.where(c)`, c) of `jnp.where(c)[0] + 1`, also by `names` that are bound once."""
    match ends:
        case ast.Name(id=name) if name not in names and (value := bound_once(function, name)) is not None:
            names.append(name)
            return _gaps(function, value, names)
        case (
            ast.BinOp(left=places, op=ast.Add(), right=ast.Constant(value=1))
            | ast.BinOp(left=ast.Constant(value=1), op=ast.Add(), right=places)
        ):
            return _places(function, places, names)
    return None


def _places(function: ast.FunctionDef, places: ast.expr, names: list[str]) -> tuple[ast.expr, ast.expr] | None:
    match places:
        case ast.Name(id=name) if name not in names and (value := bound_once(function, name)) is not None:
            names.append(name)
            return _places(function, value, names)
        case ast.Subscript(
            value=ast.Call(func=ast.Attribute(attr="where" | "nonzero"), args=[test], keywords=[]) as found,
            slice=ast.Constant(value=0),
        ):
            return found, test
        case ast.Call(func=ast.Attribute(attr="flatnonzero"), args=[test], keywords=[]) as found:
            return found, test
    return None


def _numbers_of_gaps(spot: Spot, function: ast.FunctionDef, names: Sequence[str], statement: ast.stmt) -> list[ast.expr]:
    """`len(cuts)` behind the statement that makes the pieces."""
    found: list[ast.expr] = []
    for node in walk(function):
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]) if name in names and spot.is_builtin("len"):
                found += [node] if node.lineno > (statement.end_lineno or 0) else []
    return found


RULES: list[Rule] = [pieces, pieces_between_gaps]
