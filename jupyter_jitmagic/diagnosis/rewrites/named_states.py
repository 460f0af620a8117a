"""Variables that stand for one of a few names: `state = "open"`, `if state == "open"` → numbers with these names."""

from __future__ import annotations

import ast
import enum
import itertools
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from jupyter_jitmagic.diagnosis.rewrites.as_loops import as_a_loop
from jupyter_jitmagic.diagnosis.rewrites.inlining import helper_of, inlined_by_ways
from jupyter_jitmagic.diagnosis.rewrites.lookups import NO_KEY
from jupyter_jitmagic.diagnosis.rewrites.name_tables import NameTable, table_around
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, NoWay, Rule, Spot, Step
from jupyter_jitmagic.source.code import first_line
from jupyter_jitmagic.source.names import SCOPES, stored, walk

_ASKED = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)


def as_numbers(spot: Spot) -> Iterator[Step]:
    """`state = "open"` … `state == "open"` → `OPEN, SHUT = 0, 1`, `state = OPEN`, `state == OPEN`."""
    function = spot.function
    code = spot.code
    asks = spot.kind == BOOL or isinstance(spot.node, ast.Subscript) or isinstance(code.statement(spot.node), ast.For)
    if not isinstance(function, ast.FunctionDef) or not asks:
        return
    around = next((at for at in code.ancestors(spot.node) if at in function.body), None)
    if not isinstance(around, ast.stmt) or any(isinstance(at, SCOPES) for at in walk(function) if at is not function):
        return
    changed = set(stored([around]))
    names = set(stored(function.body))
    while names:
        tables: dict[ast.expr, NameTable] = {}
        found = {name: _tokens(spot, function, name, names, tables) for name in sorted(names)}
        if None not in found.values():
            break
        names = {name for name, tokens in found.items() if tokens is not None}
    if not names & changed:
        return
    tokens = {node: text for each in found.values() for node, text in each or ()}
    said = [word for table in tables.values() for word in (*_asked_by_name(table), *table.words)]
    named = dict.fromkeys([*tokens.values(), *said])
    if len(named) < 2 or set(named) == {"None"}:
        return
    before, known = _numbered_before(function, named)
    by_word = known or constant_names(spot, named)
    edits: list[tuple[ast.AST | tuple[int, int], str]] = [(node, by_word[text]) for node, text in tokens.items()]
    edits += [edit for name in sorted(names) for edit in by_equality(spot, function, name)]
    valued = [
        node
        for node in walk(function)
        if isinstance(node, ast.Attribute)
        and node.attr == "value"
        and isinstance(node.value, ast.Name)
        and node.value.id in names
    ]
    values = _values(spot, tokens, named) if valued else ""
    if valued and not values:
        return
    edits += [(node, f"{values}[{code.src(node.value)}]") for node in valued]
    first = function.body[ast.get_docstring(function, clean=False) is not None]
    start = code.region([before])[1] if before is not None else code.offset(first_line(first), 0)
    lines = [f"{', '.join(by_word.values())} = {', '.join(map(str, range(len(by_word))))}"] if not known else []
    arrays: dict[str, str] = {}
    for node, table in tables.items():
        replace(spot, node=node).refuse_where_caught(KeyError)
        text = table.array(by_word, names)
        if text is None:
            return
        if text not in arrays:
            wanted = f"{table.root.id.lower()}_table" if isinstance(table.root, ast.Name) else "table"
            arrays[text] = code.fresh(f"{wanted}_{len(arrays) + 1}" if wanted in arrays.values() else wanted)
            lines.append(f"{arrays[text]} = {spot.jnp('array')}({text})")
        edits.append((node, f"{arrays[text]}[{table.index(spot)}]"))
    above = "".join(f"{code.indent(first)}{line}\n" for line in lines)
    yield spot.step("numbers", *edits, ((start, start), above), excludes=NO_KEY if tables else None)


def _values(spot: Spot, tokens: dict[ast.expr, str], named: dict[str, None]) -> str:
    """The values of an enumeration's members, in the order of their numbers, as an array; "" where one is no number."""
    held: dict[str, object] = {}
    for node, text in tokens.items():
        kind = spot.value(node.value) if isinstance(node, ast.Attribute) else None
        if isinstance(kind, enum.EnumMeta):
            held[text] = kind.__members__[text].value
    if held.keys() != named.keys() or not all(type(each) in (int, float) and math.isfinite(each) for each in held.values()):  # type: ignore[arg-type]
        return ""
    return f"{spot.jnp('array')}([{', '.join(repr(held[text]) for text in named)}])"


def _asked_by_name(table: NameTable) -> list[str]:
    return [key for axis in range(len(table.asked)) if table.by_name(axis) for key in table.keys(axis)]


def _tokens(
    spot: Spot, function: ast.FunctionDef, name: str, others: set[str], tables: dict[ast.expr, NameTable]
) -> list[tuple[ast.expr, str]] | None:
    """Every name that the variable is given, or compared with, beside what these `others` are, and what `tables` say, which it
    adds to; None where it is anything else, or asked for otherwise."""
    code = spot.code
    found: list[tuple[ast.expr, str]] = []
    for node in walk(function):
        if isinstance(node, ast.arg) and node.arg == name:
            return None
        if not (isinstance(node, ast.Name) and node.id == name):
            continue
        parent = code.parents[node]
        match parent:
            case ast.Assign(value=value) if isinstance(node.ctx, ast.Store):
                given = [value]
            case ast.Tuple() if isinstance(node.ctx, ast.Store):
                given = _value_beside(code.parents[parent], parent, node)
            case ast.Compare(left=left, ops=[op], comparators=[other]) if isinstance(op, _ASKED):
                given = [other if left is node else left]
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[ast.Tuple(elts=given)]) if left is node:
                pass
            case ast.Assign(value=value, targets=[ast.Name(id=other)]) if value is node and other in others:
                continue
            case ast.Tuple() if _target_beside(code.parents[parent], parent, node) in others:
                continue
            case ast.Attribute(attr="value") if isinstance(node.ctx, ast.Load):
                continue  # of a member: `_values` knows
            case ast.Subscript(value=ast.Name(id=own), slice=index) if index is node and _keys(function, own):
                given = _keys(function, own)
            case ast.Subscript() | ast.Tuple() if (table := table_around(spot, node, function)) and node in table.asked:
                tables[table.node] = table
                continue
            case _:
                return None
        if not given:
            return None
        for value in given:
            for side in sides(value):
                if isinstance(side, ast.Name) and side.id in others:
                    continue
                table = table_around(spot, side, function) if isinstance(side, ast.Subscript) else None
                if table is not None and table.node is side and table.words and others >= _variables(table):
                    tables[side] = table
                    continue
                text = token(spot, side)
                if text is None:
                    return None
                found.append((side, text))
    return found


def sides(value: ast.expr) -> list[ast.expr]:
    """What a value is one of: `a if x else b if y else c` is `a`, `b` or `c`."""
    return [*sides(value.body), *sides(value.orelse)] if isinstance(value, ast.IfExp) else [value]


def _variables(table: NameTable) -> set[str]:
    """The variables by which a table is asked for a name."""
    asked = [each for axis, each in enumerate(table.asked) if table.by_name(axis)]
    return {each.id if isinstance(each, ast.Name) else "" for each in asked}


def _value_beside(statement: ast.AST, target: ast.Tuple, node: ast.Name) -> list[ast.expr]:
    """What a name of a tuple is given."""
    match statement:
        case ast.Assign(targets=[only], value=ast.Tuple(elts=values)) if only is target and len(values) == len(target.elts):
            return [value for part, value in zip(target.elts, values, strict=True) if part is node]
    return []


def _target_beside(statement: ast.AST, values: ast.Tuple, node: ast.Name) -> str:
    """The variable that is given this one, `level, why = high, trail`; "" where it goes elsewhere."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=only) if only is values and len(values.elts) == len(targets):
            target = targets[values.elts.index(node)]
            return target.id if isinstance(target, ast.Name) else ""
    return ""


def _keys(function: ast.FunctionDef, table: str) -> list[ast.expr]:
    """The keys of a dictionary that the function writes down, and of which it asks for items by a variable alone."""
    named = [node for node in walk(function) if isinstance(node, ast.Name) and node.id == table]
    made = [node.value for node in walk(function) if isinstance(node, ast.Assign) and node.targets[0] in named]
    asked = [node for node in walk(function) if isinstance(node, ast.Subscript) and node.value in named]
    by_name = all(isinstance(node.slice, ast.Name) and isinstance(node.ctx, ast.Load) for node in asked)
    match made:
        case [ast.Dict(keys=keys)] if by_name and len(named) == len(asked) + 1:
            return [key for key in keys if key is not None]
    return []


def token(spot: Spot, node: ast.expr) -> str | None:
    """What a string (a module's name for one, too), None, or a member of an enumeration is called."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Constant(value=None):
            return "None"
        case ast.Name(id=name) as at if spot.code.is_global(name, at) and isinstance(spot.globals.get(name), str):
            return str(spot.globals[name])
        case ast.Attribute(value=owner, attr=text):
            kind = spot.value(owner)
            member = isinstance(kind, enum.EnumMeta) and text in kind.__members__ and not issubclass(kind, int)
            return text if member else None
    return None


def _numbered_before(function: ast.FunctionDef, named: Iterable[str]) -> tuple[ast.stmt | None, dict[str, str]]:
    """The line in which these states have numbers already, in this order and by these names, and the names; None where there is
    none: an earlier step has given some to another variable's."""
    for statement in function.body[ast.get_docstring(function, clean=False) is not None :]:
        match statement:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                names = [each.id for each in targets if isinstance(each, ast.Name)]
                numbers = [each.value for each in values if isinstance(each, ast.Constant) and type(each.value) is int]
                meant = [each.removesuffix("_STATE") for each in names]
                once = sum(each in names for each in stored(function.body)) == len(names)
                if once and numbers == [*range(len(targets))] and meant == [*map(_meant, named)] and len(names) == len(targets):
                    return statement, dict(zip(named, names, strict=True))
            case _:
                break
    return None, {}


def _meant(text: str) -> str:
    name = re.sub(r"\W+", "_", text).strip("_").upper() or "EMPTY"
    return f"STATE_{name}" if name[0].isdigit() or name in ("NONE", "TRUE", "FALSE") else name


def constant_names(spot: Spot, texts: Iterable[str]) -> dict[str, str]:
    """The names of the numbers, of which no two are one: `"low"` and `"LOW"` would be."""
    names: dict[str, str] = {}
    for text in texts:
        taken, name = {*spot.code.names, *spot.globals, *names.values()}, _meant(text)
        wanted = itertools.chain((name, f"{name}_STATE"), (f"{name}_{number}" for number in itertools.count(2)))
        names[text] = next(each for each in wanted if each not in taken)
    return names


def by_equality(spot: Spot, function: ast.FunctionDef, name: str) -> Iterator[tuple[tuple[int, int], str]]:
    """`state is None` → `state == …`."""
    for node in walk(function):
        match node:
            case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as op], comparators=[other]) if name in (
                getattr(left, "id", ""),
                getattr(other, "id", ""),
            ):
                between = spot.code.span(left)[1], spot.code.span(other)[0]
                yield between, " == " if isinstance(op, ast.Is) else " != "


def given_by_a_helper(spot: Spot) -> Iterator[Step]:
    """`counts[kind(v)] += 1`, where `kind` returns one of a few names, or members of an enumeration → its ways in the place of
    the call."""
    call, code = spot.node, spot.code
    if not isinstance(call, ast.Call) or isinstance(code.parents[call], ast.Return | ast.Expr):
        return
    helper = helper_of(spot, call)
    returned = [node.value for node in walk(helper) if isinstance(node, ast.Return)] if helper is not None else []
    named = [token(spot, side) for node in returned if node is not None for side in sides(node)]
    if len(set(named)) > 1 and None not in [*returned, *named]:
        comprehension = next((at for at in code.ancestors(call) if isinstance(at, ast.ListComp | ast.GeneratorExp)), None)
        yield from inlined_by_ways(spot, call) if comprehension is None else as_a_loop(spot, comprehension)


def within_a_helper(spot: Spot) -> Iterator[Step]:
    """A place in a helper that returns one of a few names.

    Raises:
        NoWay: its ways can stand in the place of its call: nothing else makes numbers of the names.
    """
    caller = next(iter(spot.callers()), None) if not spot.entry else None
    if caller is not None and any(given_by_a_helper(caller)):
        raise NoWay("a name is returned, which is no number")
    yield from ()


RULES: list[Rule] = [within_a_helper, as_numbers]
OUTWARD: list[Rule] = [given_by_a_helper]
