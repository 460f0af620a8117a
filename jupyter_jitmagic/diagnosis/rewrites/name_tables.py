"""Dictionaries that are asked by a name and say a name: `heading = LEFT[heading]`, `state = MOVES[state][int(e)]` → arrays of
these names' numbers."""

from __future__ import annotations

import ast
import enum
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_jitmagic.diagnosis.rewrites.lookups import position_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.names import walk


@dataclass(frozen=True)
class NameTable:
    """A place at which a dictionary is asked.

    Attributes:
        node: the whole expression, `MOVES[state][int(e)]`.
        root: what is asked, `MOVES`.
        asked: the keys in source, `state` and `int(e)`; one for each level, or for each part of a tuple.
        entries: what it says for which keys.
        places: how the number of an entry is asked for (`MOVES["up"][0]`) where the table is the module's, which may change.
    """

    node: ast.Subscript
    root: ast.expr
    asked: tuple[ast.expr, ...]
    entries: Mapping[tuple[Any, ...], Any]
    places: Mapping[tuple[Any, ...], str]

    def keys(self, axis: int) -> list[Any]:
        """All that can be asked at one level."""
        return list(dict.fromkeys(key[axis] for key in self.entries))

    @property
    def words(self) -> list[str]:
        """The names that it says; none where it says numbers."""
        return list(dict.fromkeys(said for said in self.entries.values() if isinstance(said, str)))

    def by_name(self, axis: int) -> bool:
        return all(isinstance(key, str) for key in self.keys(axis))

    def array(self, numbers: Mapping[str, str], known: Collection[str]) -> str | None:
        """The array as source; `numbers`: names of numbers by the user's own, in order; `known`: variables that are such
        numbers by now. None where a level is asked by something else."""
        axes: list[list[Any]] = []
        for axis, asked in enumerate(self.asked):
            if self.by_name(axis):
                if not (isinstance(asked, ast.Name) and asked.id in known):
                    return None
                axes.append(list(numbers))
            else:
                axes.append(_in_order(self.keys(axis)))
        some = next(iter(self.entries))

        def written(before: tuple[Any, ...], left: Sequence[list[Any]]) -> str:
            if left:
                return f"[{', '.join(written((*before, key), left[1:]) for key in left[0])}]"
            key = before if before in self.entries else some
            said = self.entries[key]
            return numbers[said] if isinstance(said, str) else self.places.get(key, repr(said))

        return written((), axes)

    def index(self, spot: Spot) -> str:
        """What stands in the brackets behind the array."""
        parts = []
        for axis, asked in enumerate(self.asked):
            text = spot.code.src(asked)
            if self.by_name(axis):
                parts.append(text)
                continue
            keys = _in_order(self.keys(axis))
            if keys == list(range(len(keys))):
                parts.append(position_of(spot, asked, text))
            else:
                parts.append(f"{spot.jnp('argmax')}({spot.jnp('asarray')}({keys}) == {spot.code.operand(asked)})")
        return ", ".join(parts)


def table_around(spot: Spot, node: ast.AST, function: ast.FunctionDef) -> NameTable | None:
    """The table that is asked by (or is) an expression."""
    code = spot.code
    together = code.parents.get(node)
    if isinstance(together, ast.Tuple) and isinstance(code.parents.get(together), ast.Subscript):
        node = together
    inside: ast.AST | None = node if isinstance(node, ast.Subscript) else code.parents.get(node)
    if not isinstance(inside, ast.Subscript) or inside.value is node:
        return None
    asked: list[ast.expr] = []
    root: ast.expr = inside
    while isinstance(root, ast.Subscript):
        root = root.value
    held, of_module = _held(spot, root, function)
    root, held = _below_constants(code.parents, root, held)
    found = list(_entries(held)) if isinstance(held, dict) else []
    of_module = of_module and all(spot.globals.get(kind.__name__) is kind for kind in _enumerations(held))
    entries = {key: said for key, said, _ in found}
    places = {key: code.src(root) + place for key, _, place in found} if of_module else {}
    depths = {len(key) for key in entries}
    if len(depths) != 1:
        return None
    depth = depths.pop()
    for at in _upwards(code.parents, root):
        if not isinstance(at, ast.Subscript) or not isinstance(at.ctx, ast.Load):
            return None
        asked += at.slice.elts if isinstance(at.slice, ast.Tuple) else [at.slice]
        if len(asked) >= depth:
            table = NameTable(at, root, tuple(asked), entries, places)
            return table if len(asked) == depth and _is_regular(table) else None
    return None


def _below_constants(parents: Mapping[ast.AST, ast.AST], root: ast.expr, held: Any) -> tuple[ast.expr, Any]:
    """(`POINTS["age"]`, what it holds) of `POINTS["age"][band]`."""
    for at in _upwards(parents, root):
        match at:
            case ast.Subscript(slice=ast.Constant(value=key)) if isinstance(held, dict) and isinstance(held.get(key), dict):
                root, held = at, held[key]
            case _:
                break
    return root, held


def _upwards(parents: Mapping[ast.AST, ast.AST], root: ast.AST) -> Iterator[ast.AST]:
    at = root
    while (parent := parents.get(at)) is not None and getattr(parent, "value", None) is at:
        yield parent
        at = parent


def _is_regular(table: NameTable) -> bool:
    said = list(table.entries.values())
    words = all(isinstance(each, str) for each in said)
    numbers = all(_is_number(each) for each in said)
    rows = all(isinstance(each, tuple | list) and each and all(map(_is_number, each)) for each in said)
    same = rows and len({len(each) for each in said}) == 1
    levels = [table.keys(axis) for axis in range(len(table.asked))]
    alike = all(all(isinstance(key, str) for key in level) or all(_is_whole(key) for key in level) for level in levels)
    return (words or numbers or same) and alike and any(isinstance(level[0], str) for level in levels)


def _is_whole(value: Any) -> bool:
    return isinstance(value, bool | int)


def _is_number(value: Any) -> bool:
    return type(value) in (bool, int, float)


def _in_order(keys: Sequence[Any]) -> list[Any]:
    return sorted(map(int, keys))


def _entries(value: Any) -> Iterator[tuple[tuple[Any, ...], Any, str]]:
    """(keys, what is said for them, the subscripts that ask for it); members of an enumeration by their names."""
    if not isinstance(value, dict):
        yield (), _word(value), ""
        return
    for key, below in value.items():
        parts = key if isinstance(key, tuple) else (key,)
        for rest, said, place in _entries(below):
            inside = ", ".join(map(_written, parts)) + "," * (isinstance(key, tuple) and len(key) == 1)
            yield (*map(_word, parts), *rest), said, f"[{inside}]{place}"


def is_word(value: Any) -> bool:
    """Whether it is a member of an enumeration whose name alone is asked for."""
    return isinstance(value, enum.Enum) and not isinstance(value, int)


def _word(value: Any) -> Any:
    return value.name if is_word(value) else value


def _enumerations(value: Any) -> set[type]:
    """The classes of the members by which a table is asked."""
    if not isinstance(value, dict):
        return set()
    below = [kind for each in value.values() for kind in _enumerations(each)]
    parts = [part for key in value for part in (key if isinstance(key, tuple) else (key,))]
    return {type(part) for part in parts if is_word(part)} | set(below)


def _written(key: Any) -> str:
    if is_word(key):
        return f"{type(key).__name__}.{key.name}"
    return f'"{key}"' if isinstance(key, str) and key.isidentifier() else repr(key)


def _held(spot: Spot, root: ast.expr, function: ast.FunctionDef) -> tuple[Any, bool]:
    """The dictionary that stands there, and whether it is the module's: else one that the function writes down and leaves
    alone."""
    if isinstance(root, ast.Name):
        named = [node for node in walk(function) if isinstance(node, ast.Name) and node.id == root.id]
        made = [
            node.value
            for node in walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == root.id
        ]
        if not all(_is_asked(spot, node) for node in named if isinstance(node.ctx, ast.Load)):
            return None, False
        if not made:
            return (spot.value(root), True) if not any(isinstance(node.ctx, ast.Store) for node in named) else (None, False)
        if len(made) != 1:
            return None, False
        root = made[0]
    try:
        return ast.literal_eval(root) if isinstance(root, ast.Dict) else None, False
    except ValueError:
        return None, False


def _is_asked(spot: Spot, name: ast.Name) -> bool:
    """Whether nothing is done at a name but asking what it holds."""
    around = spot.code.parents[name]
    return isinstance(around, ast.Subscript) and around.value is name and isinstance(around.ctx, ast.Load)
