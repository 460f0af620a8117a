"""Dicts whose keys are places of an array, as `dist = {(0, 0): 0}` of a search through a grid, or `level = {source: 0}` of one
through a graph: a set of these places, and an array of what each holds, which other rules know."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.effects import only_gives
from jupyter_jitmagic.diagnosis.rewrites.inlining import in_another_function
from jupyter_jitmagic.diagnosis.rewrites.own_conditions import is_fact
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.names import bound_once, loaded, target_names, walk

_Edit = tuple[ast.AST | tuple[int, int], str]


def as_set_and_array(spot: Spot) -> Iterator[Step]:
    """`(i, j) not in dist`, `dist[(i, j)] = dist[(r, c)] + 1`, `dist.get((2, 2), -1)`, where `grid[i, j]` is asked as well;
    of numbers, `v not in level`, where `for v in range(n)` counts them."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef) or any(isinstance(each, ast.Try) for each in walk(function)):
        return  # a key that is not there may be handled
    here = spot.code.statement(spot.node)
    for node in walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=[ast.expr() as first], values=[begun]) as made):
                pass
            case _:
                continue
        if node is not here and (spot.kind != BOOL or not _is_filled_by_data(spot, function, name)):
            continue
        if bound_once(function, name) is made and spot.code.on_own_lines([node]):
            edits = _edits(spot, function, node, name, first, begun)
            if edits:
                spot.refuse_where_caught(KeyError)
                yield spot.step("set", *edits)
                return


def _is_filled_by_data(spot: Spot, function: ast.FunctionDef, name: str) -> bool:
    """Whether a test on an array's element decides what is put into a dict: one that Python alone fills stays."""
    for node in walk(function):
        match node:
            case ast.Subscript(value=ast.Name(id=filled), ctx=ast.Store()) if filled == name:
                around = (at for at in spot.code.ancestors(node) if isinstance(at, ast.If | ast.While | ast.For))
                asked = (part for at in around for part in walk(at.iter if isinstance(at, ast.For) else at.test))
                facts = (spot.fact(part) for part in asked if isinstance(part, ast.expr))
                if any(fact is not None and (fact.sort, fact.ndim) == ("array", 0) for fact in facts):
                    return True
    return False


def begun_with(spot: Spot) -> Iterator[Step]:
    """`seen = {source}` of data → `seen = set()` and `seen.add(source)`, which other rules know."""
    statement = spot.code.statement(spot.node)
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Set(elts=items)) if spot.code.on_own_lines([statement]):
            pass
        case _:
            return
    if not spot.is_builtin("set") or any(isinstance(each, ast.Starred) or name in loaded([each]) for each in items):
        return
    indent = spot.code.indent(statement)
    lines = [f"{indent}{name} = set()\n", *(f"{indent}{name}.add({spot.code.expr(each)})\n" for each in items)]
    yield spot.step("set", (spot.code.region([statement]), "".join(lines)))


def _edits(spot: Spot, function: ast.FunctionDef, made: ast.Assign, name: str, first: ast.expr, begun: ast.expr) -> list[_Edit]:
    code = spot.code
    places, values = code.fresh(f"{name}_places", f"places_of_{name}"), code.fresh(f"{name}_values", f"values_of_{name}")
    edits: list[_Edit] = []
    stored: list[ast.expr] = []
    asked: list[tuple[ast.Call, ast.expr, ast.expr]] = []
    given = [begun]
    for use in [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]:
        if in_another_function(code, use, function):
            return []
        match code.parents[use]:
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[over], left=key) if over is use and _alike(key, first):
                edits.append((use, places))
            case ast.Subscript(value=value, slice=key) as item if value is use and _alike(key, first):
                statement = code.statement(item)
                if isinstance(item.ctx, ast.Load):
                    edits.append((use, values))
                elif isinstance(statement, ast.Assign) and statement.targets == [item] and code.on_own_lines([statement]):
                    if not only_gives(spot, [key]):
                        return []  # the key is written twice
                    end = code.region([statement])[1]
                    edits += [((end, end), f"{code.indent(statement)}{places}.add({_hashed(spot, key)})\n"), (use, values)]
                    stored.append(key)
                    given.append(statement.value)
                else:
                    return []
            case ast.Attribute(attr="get") as method:
                match code.parents[method]:
                    case ast.Call(args=[key, default], keywords=[]) as call if _alike(key, first):
                        asked.append((call, key, default))
                    case _:
                        return []
            case ast.Call(func=ast.Name(id="len"), args=[_]):
                edits.append((use, places))
            case _:
                return []
    array, sizes = _sizes(spot, function, stored)
    facts = [spot.fact(each) for each in given]
    if not sizes or not stored or any(fact is None or fact.ndim != 0 for fact in facts):
        return []
    if all(fact is not None and fact.dtype == "b" for fact in facts):
        return []  # a set is written so
    if any(fact is not None and fact.sort != "number" and fact.dtype != "f" for fact in facts):
        return []  # made of an array's integers, which another call may give as floats
    kind = "int" if all(fact is not None and fact.dtype in ("i", "u", "b") for fact in facts) else "float"
    for call, key, default in asked:  # perhaps of a place beyond the array, at which a mask would tell of its last
        index = _key(spot, key)
        inside = " and ".join(_inside(spot, part, size) for part, size in zip(_parts(key), sizes, strict=True))
        held = f"{_hashed(spot, key)} in {places}"
        edits.append((call, f"({values}[{index}] if {inside} and {held} else {code.operand(default)})"))
    kind = f"{array}.dtype" if kind == "float" and array in loaded([begun]) else kind
    indent, index = code.indent(made), _key(spot, first)
    shape = f"{array}.shape" if len(sizes) > 1 else sizes[0]
    lines = f"{indent}{places} = {{{_hashed(spot, first)}}}\n{indent}{values} = {spot.np('zeros')}({shape}, {kind})\n"
    lines += f"{indent}{values}[{index}] = {code.expr(begun)}\n"
    return [(code.region([made]), lines), *edits]


def _parts(key: ast.expr) -> Sequence[ast.expr]:
    return key.elts if isinstance(key, ast.Tuple) else [key]


def _alike(key: ast.expr, first: ast.expr) -> bool:
    """Whether a key has as many parts as the first, and none is a slice or starred."""
    same = isinstance(key, ast.Tuple) == isinstance(first, ast.Tuple) and len(_parts(key)) == len(_parts(first))
    return same and not any(isinstance(part, ast.Slice | ast.Starred) for part in _parts(key))


def _inside(spot: Spot, part: ast.expr, size: str) -> str:
    known = isinstance(part, ast.Constant) and isinstance(part.value, int) and part.value >= 0
    return f"{spot.code.operand(part)} < {size}" if known else f"0 <= {spot.code.operand(part)} < {size}"


def _key(spot: Spot, key: ast.expr) -> str:
    return ", ".join(map(spot.code.expr, _parts(key)))


def _hashed(spot: Spot, key: ast.expr) -> str:
    """The key as it stands in a set."""
    return f"({_key(spot, key)})" if isinstance(key, ast.Tuple) else _key(spot, key)


def _sizes(spot: Spot, function: ast.FunctionDef, stored: list[ast.expr]) -> tuple[str, list[str]]:
    """(an array that is asked at a stored place as well, "" where a range counts the places; how many places there are along
    each axis, none where that is not known)."""
    if all(isinstance(key, ast.Tuple) for key in stored):
        return _of_grid(spot, function, {ast.unparse(key).strip("()") for key in stored})
    found = set[str]()
    for key in stored:
        if not isinstance(key, ast.Name):
            return "", []
        match _binder(spot, key):
            case ast.For(iter=ast.Call(func=ast.Name(id="range"), args=[size], keywords=[])) if spot.is_builtin("range"):
                if not is_fact(spot, size):
                    return "", []
                found.add(spot.code.operand(size))
            case _:
                return "", []
    return ("", list(found)) if len(found) == 1 else ("", [])


def _binder(spot: Spot, key: ast.Name) -> ast.AST | None:
    """The innermost loop around a name that binds it."""
    around = (at for at in spot.code.ancestors(key) if isinstance(at, ast.For))
    return next((at for at in around if key.id in target_names(at.target)), None)


def _of_grid(spot: Spot, function: ast.FunctionDef, wanted: set[str]) -> tuple[str, list[str]]:
    for node in walk(function):
        match node:
            case ast.Subscript(value=ast.Name(id=array) as held, slice=ast.Tuple() as index, ctx=ast.Load()):
                fact = spot.fact(held)
                alike = fact is not None and fact.sort in ("array", "host") and fact.ndim == len(index.elts)
                if alike and ast.unparse(index).strip("()") in wanted:
                    return array, [f"{array}.shape[{k}]" for k in range(len(index.elts))]
    return "", []


RULES: list[Rule] = [as_set_and_array, begun_with]
