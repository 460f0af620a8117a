"""Tables of words, of rows with words, or of objects, of which data chooses a place: what is asked of one is asked of each.

`LEVEL[r][c] == "#"` → `jnp.asarray([[each == "#" for each in row] for row in LEVEL])[r, c]`, `PRICE[KINDS[i]]` →
`jnp.asarray([PRICE[each] for each in KINDS])[i]`, `STAGES[i][1]`, the words standing in another column →
`jnp.asarray([each[1] for each in STAGES])[i]`, and `reached[STAGES[i][0]] = day` → an update of each entry.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jupyter_jitmagic.base.looking import attributes, in_class, own_attribute
from jupyter_jitmagic.diagnosis.rewrites.lookups import INDEX_ERRORS, NO_ROW, OUTSIDE, position_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, may_change, uses_of, walk


@dataclass(frozen=True)
class _Chosen:
    """A place of a table that data chooses.

    Attributes:
        table: what it is chosen of, as text.
        node: the outermost expression of the choice.
        index: the places, as text: one for each axis.
        items: what may be chosen.
        each: what one of them is called, as text; `words` are all of them, with `hole` in the place of what is asked of each.
    """

    table: str
    node: ast.expr
    index: list[str]
    items: list[Any]
    each: str
    words: str

    def picked(self, spot: Spot, asked: str) -> str:
        return f"{spot.jnp('asarray')}({self.words.replace(_HOLE, asked)})[{', '.join(self.index)}]"


_HOLE = "\0"
_HOW: dict[type, str] = {ast.Eq: "==", ast.NotEq: "!=", ast.In: "in", ast.NotIn: "not in"}


def asked_of_words(spot: Spot) -> Iterator[Step]:
    """A comparison, or a dict of numbers, that a chosen word is asked with."""
    chosen = _chosen(spot)
    if chosen is None or not all(isinstance(each, str) for each in chosen.items):
        return
    code, parent = spot.code, spot.code.parents[chosen.node]
    match parent:
        case ast.Compare(left=left, ops=[how], comparators=[other]) if left is chosen.node and type(how) in _HOW:
            asked = f"{chosen.each} {_HOW[type(how)]} {code.operand(other)}" if _is_plain(spot, other) else ""
        case ast.Compare(left=other, ops=[ast.Eq() | ast.NotEq() as how], comparators=[right]) if right is chosen.node:
            asked = f"{chosen.each} {_HOW[type(how)]} {code.operand(other)}" if _is_plain(spot, other) else ""
        case ast.Subscript(value=owner, slice=place, ctx=ast.Load()) if place is chosen.node and _has_numbers(
            spot.held(owner), chosen.items
        ):
            spot.refuse_where_caught(KeyError)
            asked = f"{code.src(owner)}[{chosen.each}]"
        case _:
            return
    if not asked:
        return
    note = _said(spot, chosen)
    if isinstance(parent, ast.Subscript) and not _is_global(spot, parent.value):
        note = f"each word of `{chosen.table}` is looked up in `{code.src(parent.value)}`, not the chosen one alone"
    yield spot.step("lookup", (parent, chosen.picked(spot, asked)), excludes=OUTSIDE, note=note)


def column(spot: Spot) -> Iterator[Step]:
    """`STAGES[i][1]`, `LAYERS[i].base` of rows that hold words as well, or of objects."""
    chosen = _chosen(spot, rows=True)
    if chosen is None:
        return
    read = _read_of(chosen.node, spot.code.parents[chosen.node])
    if read is None:
        return
    node, own, part = read
    items = _parts(chosen.items, part)
    if _of_one_kind(items):
        step = node, chosen.picked(spot, f"{chosen.each}{own}")
        yield spot.step("lookup", step, excludes=OUTSIDE, note=_said(spot, chosen, items))
    elif items and all(isinstance(each, str) for each in items):
        yield from _entry_set(spot, chosen, node, own)


def named_row(spot: Spot) -> Iterator[Step]:
    """`layer = LAYERS[i]`, then `layer.base`, `layer.rate` → the place by name, and each of them from its own column."""
    chosen, code, function = _chosen(spot, rows=True), spot.code, spot.function
    if chosen is None or not isinstance(function, ast.FunctionDef):
        return
    statement = code.parents[chosen.node]
    match statement:
        case ast.Assign(targets=[ast.Name(id=name) as target]):
            uses = uses_of(function, target)
        case _:
            return
    if uses is None or may_change(function, ast.parse(chosen.table, mode="eval")):
        return
    at = code.fresh(f"{name}_at", "place")
    there = replace(chosen, index=[at])
    edits: list[tuple[ast.AST, str]] = [(statement, f"{at} = {chosen.index[0]}")]
    notes: dict[str, None] = {}
    for use in uses:
        read = _read_of(use, code.parents[use])
        if read is None or not _of_one_kind(_parts(chosen.items, read[2])):
            return
        edits.append((read[0], there.picked(spot, f"{chosen.each}{read[1]}")))
        notes[_said(spot, chosen, _parts(chosen.items, read[2]))] = None
    yield spot.step("lookup", *edits, excludes=OUTSIDE, note=max(notes, key=len, default=""))


def unpacked_row(spot: Spot) -> Iterator[Step]:
    """`name, top, rate = BRACKETS[i]`, the name being read nowhere → `top`, `rate`, each from its own column."""
    chosen, code = _chosen(spot, rows=True), spot.code
    statement = code.parents[chosen.node] if chosen is not None else None
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)]) if chosen is not None and code.on_own_lines([statement]):
            if not all(isinstance(each, ast.Name) for each in targets) or any(len(row) != len(targets) for row in chosen.items):
                return
        case _:
            return
    live, lines, notes = code.live_after(statement), [], {""}
    for place, target in enumerate(targets):
        name = code.src(target)
        if name not in live:
            continue
        if not _of_one_kind(_parts(chosen.items, place)) or name in loaded([chosen.node]):
            return
        lines.append(f"{code.indent(statement)}{name} = {chosen.picked(spot, f'{chosen.each}[{place}]')}\n")
        notes.add(_said(spot, chosen, _parts(chosen.items, place)))
    if lines:
        yield spot.step("lookup", (code.region([statement]), "".join(lines)), excludes=OUTSIDE, note=max(notes, key=len))


def _read_of(value: ast.expr, parent: ast.AST) -> tuple[ast.expr, str, int | str] | None:
    """(the expression, its text behind the row, the part) of a part of a row that is read."""
    match parent:
        case ast.Subscript(value=of, slice=ast.Constant(value=int() as place), ctx=ast.Load()) if of is value:
            return parent, f"[{place}]", place
        case ast.Attribute(value=of, attr=name, ctx=ast.Load()) if of is value:
            return parent, f".{name}", name
    return None


def _parts(rows: list[Any], part: int | str) -> list[Any]:
    """One part of each row; [] where one has none."""
    found = []
    for row in rows:
        if isinstance(part, int):
            if not isinstance(row, tuple) or not -len(row) <= part < len(row):
                return []
            found.append(row[part])
        elif part in in_class(row, "_fields", ()):
            found.append(row[in_class(row, "_fields", ()).index(part)])
        else:
            found.append(own_attribute(row, part))
    return found


def _of_one_kind(items: list[Any]) -> bool:
    return {type(each) for each in items} in ({int}, {float}, {bool}, {int, float})


def _said(spot: Spot, chosen: _Chosen, items: Sequence[Any] = ()) -> str:
    """What is given up: whole numbers beside floats, and what a table that is an argument may hold on another call."""
    given = not _is_global(spot, ast.parse(chosen.table, mode="eval").body)
    said = [f"each row of `{chosen.table}` is asked, not the chosen one alone"] if given else []
    return "; ".join(
        [*said, *(["whole numbers of a column that has floats as well are floats"] if len({*map(type, items)}) > 1 else [])]
    )


def _entry_set(spot: Spot, chosen: _Chosen, key: ast.expr, own: str) -> Iterator[Step]:
    """`reached[STAGES[i][0]] = day`: each entry of the dict, where its row is the one."""
    code, place = spot.code, spot.code.parents[key]
    statement = code.statement(key)
    match statement:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name)) as target], value=value) if (
            target is place and code.on_own_lines([statement])
        ):
            held = spot.locals.get(name)
        case _:
            return
    if type(held) is not dict or len(chosen.index) != 1 or name in _given(spot):
        return  # one that is given may have no entry for a row
    indent, row, at = code.indent(statement), code.fresh("row", "each_row"), code.fresh("at", "place")
    index, entry = chosen.index[0], f"{name}[{row}{own}]"
    text = f"{indent}for {at}, {row} in enumerate({chosen.table}):\n"
    text += f"{indent}    {entry} = {spot.jnp('where')}({index} == {at}, {code.expr(value)}, {entry})\n"
    yield spot.step("where", (code.region([statement]), text), excludes=NO_ROW)


def _is_global(spot: Spot, node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return not isinstance(node, ast.Name) or spot.code.is_global(node.id, spot.node)


def _given(spot: Spot) -> set[str]:
    return set() if spot.function is None else {each.arg for each in walk(spot.function.args) if isinstance(each, ast.arg)}


def _chosen(spot: Spot, rows: bool = False) -> _Chosen | None:
    """The choice at which the trace stopped, of a list of words, of one of strings of one length by two places, or of rows."""
    node, code = spot.node, spot.code
    if not isinstance(node, ast.Subscript) or type(spot.error).__name__ not in INDEX_ERRORS:
        return None
    if not isinstance(node.ctx, ast.Load) or isinstance(node.slice, ast.Slice | ast.Tuple):
        return None
    table: Any = node.value.value if isinstance(node.value, ast.Constant) else spot.held(node.value)
    text = code.src(node.value)
    index = [position_of(spot, node.slice, code.src(node.slice))]
    each = code.fresh("each", "item")
    if type(table) not in (list, tuple, str) or not table or (rows and isinstance(table, str)):
        return None
    spot.refuse_where_caught(IndexError)
    if isinstance(table, str):
        return _Chosen(text, node, index, [*table], each, f"[{_HOLE} for {each} in {text}]")
    if rows:
        tuples = all(isinstance(row, tuple) for row in table) and any(isinstance(part, str) for row in table for part in row)
        objects = len({type(row) for row in table}) == 1 and all(map(attributes, table)) and not isinstance(table[0], tuple)
        if not tuples and not objects:
            return None
        return _Chosen(text, node, index, [*table], each, f"[{_HOLE} for {each} in {text}]")
    if not all(isinstance(item, str) for item in table):
        return None
    parent = code.parents[node]
    if isinstance(parent, ast.Subscript) and parent.value is node and not isinstance(parent.slice, ast.Slice | ast.Tuple):
        if len({len(item) for item in table}) != 1:
            return None
        row = code.fresh("row", "line")
        index.append(position_of(spot, parent.slice, code.src(parent.slice)))
        words = f"[[{_HOLE} for {each} in {row}] for {row} in {text}]"
        return _Chosen(text, parent, index, [letter for item in table for letter in item], each, words)
    return _Chosen(text, node, index, [*table], each, f"[{_HOLE} for {each} in {text}]")


def _is_plain(spot: Spot, node: ast.expr) -> bool:
    """A word, or several, that stand there or that a name stands for."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in node.elts)
    value = node.value if isinstance(node, ast.Constant) else spot.held(node)
    if isinstance(value, tuple | list | set | frozenset):
        return all(isinstance(each, str) for each in value)
    return isinstance(value, str)


def _has_numbers(held: Any, words: list[str]) -> bool:
    """Whether a dict has a number of one kind for each word."""
    if type(held) is not dict or not all(word in held for word in words):
        return False
    return {type(held[word]) for word in words} in ({int}, {float}, {bool})


RULES: list[Rule] = [asked_of_words, column, named_row, unpacked_row]
