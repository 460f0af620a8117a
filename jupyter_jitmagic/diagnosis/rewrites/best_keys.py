"""Keys that data chooses: `limiting = min(rates, key=rates.get)`, `rates[limiting]`; `name = NAMES[i]`, `TABLE[name]`.

No array holds strings. Which keys there are is known, so the place of one among them stands for it, and what is asked by it is
asked for all keys and taken from that place. A key that is returned, or told, stays.
"""

from __future__ import annotations

import ast
import enum
import itertools
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import in_class, own_attribute
from jupyter_jitmagic.diagnosis.rewrites.inlining import helper_of, inlined
from jupyter_jitmagic.diagnosis.rewrites.lookups import INDEX_ERRORS, NEGATIVE, OUTSIDE
from jupyter_jitmagic.diagnosis.rewrites.over_items import ranks_of
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, NoWay, Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.names import bound_once, walk

_NAN = {"nan": "the place that max() and min() give to NaN"}
_BY_NAME = "of equal values it is the first by its name, in whose order places are counted: jit sorts the keys of a dict"
_MOST_STEPS = 4  # from a dict to the one whose keys it has
_MOVES = ("pop", "popitem", "clear", "remove", "insert", "sort", "reverse")
_WHOLE = 2**24  # whole numbers that are exact as floats
_READS = ("get", "items", "keys", "values", "copy")
_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """A key is asked for something else than what stands by it."""


class _Handed(Exception):
    """A key is given to a helper, whose lines say what is asked by it."""

    def __init__(self, call: ast.Call) -> None:
        super().__init__()
        self.call = call


@dataclass(frozen=True)
class _Keys:
    """Keys of which data chooses one.

    Attributes:
        names: the keys in their order.
        text: what gives them in that order, as text.
        table: the dict whose keys they are, "" where they are those of a list.
    """

    names: tuple[Any, ...]
    text: str
    table: str = ""

    @classmethod
    def of(cls, spot: Spot, node: ast.expr) -> _Keys | None:
        """Those of a dict or a list of names, `list(rates)`, `rates.keys()` or `("a", "b")`."""
        text = spot.code.expr(node)
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="keys" | "items"), args=[], keywords=[]):
                found = cls.of(spot, owner)
                return found if found is not None and found.table else None
            case ast.Call(func=ast.Name(id="list" | "tuple" as called), args=[only], keywords=[]) if spot.is_builtin(called):
                return cls.of(spot, only)
            case ast.Call(func=ast.Name(id="sorted" as called), args=[only], keywords=[]) if spot.is_builtin(called):
                found = cls.of(spot, only)
                return cls(tuple(sorted(found.names)), text) if found is not None and _are_strings(found.names) else None
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                held: Any = [part.value if isinstance(part, ast.Constant) else None for part in elts]
            case _:
                held = spot.held(node)
        if not isinstance(held, dict | list | tuple) or not held or not all(isinstance(each, str | enum.Enum) for each in held):
            return None
        if len({*held}) < len(held):
            return None  # the first of two that are one has the place of both
        return cls(tuple(held), text, text if isinstance(held, dict) else "")


def _are_strings(names: Sequence[Any]) -> bool:
    return all(isinstance(each, str) for each in names)


def best_key(spot: Spot) -> Iterator[Step]:
    """`min(rates, key=rates.get)` → `jnp.argmin(jnp.array(list(rates.values())))`, and what is asked by it at that place."""
    node = spot.call("min", "max")
    match node:
        case ast.Call(func=ast.Name(id=which), args=[items], keywords=[ast.keyword(arg="key", value=key)]) if spot.kind == BOOL:
            keys = _Keys.of(spot, items)
        case _:
            return
    assert node is not None
    if keys is None:
        return
    pairs = isinstance(items, ast.Call) and isinstance(items.func, ast.Attribute) and items.func.attr == "items"
    compared = _ItsKey(spot, keys, key, pairs, turned=which == "max")
    yield from _steps(spot, node, keys, compared, pairs, _NAN)


def key_at_a_place(spot: Spot) -> Iterator[Step]:
    """`name = NAMES[i]`, `TABLE[name]` → `name = i`, `jnp.array([TABLE[each] for each in NAMES])[name]`."""
    node = spot.node
    match node:
        case ast.Subscript(value=listed, slice=index, ctx=ast.Load()) if type(spot.error).__name__ in INDEX_ERRORS:
            keys = _Keys.of(spot, listed)
        case _:
            return
    is_dict = keys is not None and isinstance(spot.held(listed), dict)
    if keys is None or is_dict or isinstance(index, ast.Slice | ast.Tuple):
        return
    spot.refuse_where_caught(IndexError)
    yield from _steps(spot, node, keys, spot.code.expr(index), False, OUTSIDE)


@dataclass
class _ItsKey:
    """What `min` and `max` compare, as an expression of the place of the best."""

    spot: Spot
    keys: _Keys
    key: ast.expr
    pairs: bool
    turned: bool

    def place(self, values: str) -> str:
        """`values`: the array of the dict's values, as text."""
        name = self.spot.jnp("argmax" if self.turned else "argmin")
        if self.is_plain():
            return f"{name}({values})"
        over = f"{self.keys.text}.items()" if self.pairs else self.keys.text
        ranks = ranks_of(self.spot, self.key, over, self.turned)
        return f"{ranks}[0]" if ranks else f"{name}({self.spot.jnp('array')}([{self._body(over)}]))"

    def is_plain(self) -> bool:
        """Whether the dict's values themselves are compared: `rates.get`, `lambda k: rates[k]`, `lambda pair: pair[1]`."""
        src = self.spot.code.src
        match self.key:
            case ast.Attribute(value=owner, attr="get" | "__getitem__") if not self.pairs:
                return src(owner) == self.keys.table
            case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=each)], defaults=[]), body=body):
                match body:
                    case ast.Subscript(value=owner, slice=ast.Name(id=asked)) if not self.pairs:
                        return src(owner) == self.keys.table and asked == each
                    case ast.Subscript(value=ast.Name(id=pair), slice=ast.Constant(value=1)) if self.pairs:
                        return pair == each
            case ast.Call(func=func, args=[ast.Constant(value=1)], keywords=[]) if self.pairs:
                return self.spot.value(func) is operator.itemgetter
        return False

    def _body(self, over: str) -> str:
        match self.key:
            case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=each)], defaults=[]), body=body):
                return f"{self.spot.code.expr(body)} for {each} in {over}"
        each = self.spot.code.fresh("name", "each")
        return f"{self.spot.code.operand(self.key)}({each}) for {each} in {over}"


def _steps(
    spot: Spot, node: ast.expr, keys: _Keys, chosen: _ItsKey | str, pairs: bool, excludes: Mapping[str, str]
) -> Iterator[Step]:
    """The key as a place where it is chosen, and what is asked by it, under a name or at once."""
    code, function = spot.code, spot.function
    statement = code.statement(node)
    plain = f"{spot.jnp('array')}(list({keys.table}.values()))"

    def place(values: str) -> str:
        return chosen if isinstance(chosen, str) else chosen.place(values)

    name = ""
    second: ast.Name | None = None
    taken: ast.expr = node
    match code.parents[node]:
        case ast.Subscript(value=whole, slice=ast.Constant(value=0)) as taken if pairs and whole is node:
            pass
        case ast.Subscript(value=whole, slice=ast.Constant(value=1)) as part if pairs and whole is node:
            yield spot.step("argmin", (part, f"{plain}[{place(plain)}]"), excludes=excludes)
            return
        case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id=name), ast.Name() as second])]) if pairs:
            pass
        case _ if pairs:
            return
    match code.parents[taken]:
        case ast.Assign(targets=[ast.Name(id=name)]):
            pass
        case ast.Return():
            _refuse_in_a_helper(spot)
            return
    if name and not (isinstance(function, ast.FunctionDef) and code.on_own_lines([statement])):
        return
    try:
        if not name:
            asked = _Asked(spot, keys, place(plain), plain)
            edits: list[_Edit] = [asked.edit(taken)]
        else:
            assert isinstance(function, ast.FunctionDef)
            uses = _uses(function, name)
            if _moves(spot, function, statement, keys.text):
                return
            if any(_is_returned(spot, use) for use in uses):
                _refuse_in_a_helper(spot)
            for values in (plain, code.fresh("values", "all_values")):
                asked = _Asked(spot, keys, name, values)
                edits = asked.edits(uses)
                compares = not isinstance(chosen, str) and chosen.is_plain()
                if asked.reads + compares + (second is not None) < 2 or not _stays(spot, function, statement, keys.table):
                    break
            line = f"{name} = {place(values)}"
            above = f"{values} = {plain}\n{code.indent(statement)}" if values != plain else ""
            below = f"\n{code.indent(statement)}{second.id} = {values}[{name}]" if second is not None else ""
            edits.insert(0, (statement, above + line + below))
    except _Handed as given:
        yield from inlined(spot, given.call)
        return
    except _Refused:
        return
    note = _BY_NAME if keys.table and _is_given(spot, keys) else ""
    which = "lookup" if isinstance(chosen, str) else "argmax" if chosen.turned else "argmin"
    negative = NEGATIVE if asked.numbers and isinstance(chosen, str) else {}
    yield spot.step(which, *edits, excludes={**excludes, **negative}, note=note, risky=asked.calls)


def _is_given(spot: Spot, keys: _Keys) -> bool:
    """Whether a dict may be an argument of the call, or made of one: the order of its keys is not that of plain Python's."""
    function, name = spot.function, keys.table.split(".")[0].split("[")[0]
    if not isinstance(function, ast.FunctionDef) or not _are_strings(keys.names) or list(keys.names) != sorted(keys.names):
        return False
    for _ in range(_MOST_STEPS):
        match bound_once(function, name):
            case ast.DictComp(generators=[ast.comprehension(iter=over)]):
                name = next((each.id for each in walk(over) if isinstance(each, ast.Name)), "")
            case _:
                break
    return any(each.arg == name for each in walk(function.args) if isinstance(each, ast.arg))


def _uses(function: ast.FunctionDef, name: str) -> list[ast.Name]:
    """Where a key is asked that is bound once."""
    named = [node for node in walk(function) if isinstance(node, ast.Name) and node.id == name]
    given = any(each.arg == name for each in walk(function) if isinstance(each, ast.arg))
    uses = [node for node in named if isinstance(node.ctx, ast.Load)]
    if given or len(named) != len(uses) + 1:
        raise _Refused
    return uses


def _moves(spot: Spot, function: ast.FunctionDef, statement: ast.stmt, listed: str) -> bool:
    """Whether keys have other places behind a statement than there."""
    for node in walk(function):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name == listed and attr in _MOVES:
                pass
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Del()) if name == listed:
                pass
            case _:
                continue
        if node.lineno > statement.lineno or _is_in_a_loop(spot, statement, node):
            return True
    return False


def _stays(spot: Spot, function: ast.FunctionDef, statement: ast.stmt, table: str) -> bool:
    """Whether a dict holds the same behind a statement as there: its values may then have a name."""
    if not table.isidentifier():
        return False
    for node in walk(function):
        if not isinstance(node, ast.Name) or node.id != table:
            continue
        parent = spot.code.parents[node]
        match parent:
            case ast.Subscript(value=owner, ctx=ctx) if owner is node and not isinstance(ctx, ast.Load):
                is_read = False
            case ast.Attribute(attr=attr):
                is_read = attr in _READS
            case _:
                is_read = isinstance(node.ctx, ast.Load)
        if not is_read and (parent.lineno > statement.lineno or _is_in_a_loop(spot, statement, parent)):  # type: ignore[attr-defined]
            return False
    return True


def _is_in_a_loop(spot: Spot, statement: ast.stmt, other: ast.AST) -> bool:
    """Whether a loop around the statement holds the other one, which then comes behind it as well, but for one that makes the
    dict anew in each round."""
    loops = [at for at in spot.code.ancestors(statement) if isinstance(at, ast.For | ast.While)]
    makes = isinstance(other, ast.Assign) and isinstance(other.targets[0], ast.Name)
    return not makes and any(other in walk(loop) for loop in loops)


def _is_returned(spot: Spot, use: ast.expr) -> bool:
    return isinstance(spot.code.parents[use], ast.Return)


def _refuse_in_a_helper(spot: Spot) -> None:
    """Stop in a helper that gives the key to its caller, in whose lines it may be followed."""
    caller = next(iter(spot.callers()), None) if not spot.entry else None
    if caller is not None and any(from_a_helper(caller)):
        raise NoWay("a key is returned, which no array holds")
    raise Obstacle("a string cannot leave compiled code: return its place among the keys, and look it up outside")


def from_a_helper(spot: Spot) -> Iterator[Step]:
    """`which = scarcest(stock)` of a helper that returns `min(stock, key=stock.get)` → its lines in the place of the call."""
    call = spot.node
    helper = helper_of(spot, call) if isinstance(call, ast.Call) else None
    if not isinstance(call, ast.Call) or not isinstance(helper, ast.FunctionDef):
        return
    returned = [node.value for node in walk(helper) if isinstance(node, ast.Return)]
    made = [bound_once(helper, each.id) if isinstance(each, ast.Name) else each for each in returned]
    if any(_chooses(spot, each) for each in made):
        yield from inlined(spot, call)


def _chooses(spot: Spot, node: ast.expr | None) -> bool:
    """Whether it is `min(…, key=…)`, or one of a module's names."""
    match node:
        case ast.Call(func=ast.Name(id="min" | "max"), args=[_], keywords=[ast.keyword(arg="key")]):
            return True
        case ast.Subscript(value=ast.Name(id=name)):
            held = spot.globals.get(name)
            return isinstance(held, list | tuple) and bool(held) and _are_strings(held)
    return False


@dataclass
class _Asked:
    """The edits for what is asked by a key whose place is known.

    Attributes:
        place: the place, as text.
        values: the array of all values of the dict whose keys they are, as text.
        reads: how often it is read.
        numbers: the place itself is compared, or given.
        calls: what is called by a key is called for all.
    """

    spot: Spot
    keys: _Keys
    place: str
    values: str
    reads: int = 0
    numbers: bool = False
    calls: bool = False
    _done: set[ast.AST] = field(default_factory=set)

    def edits(self, uses: Sequence[ast.Name]) -> list[_Edit]:
        """What is read by the key, and what is set at it, once each."""
        sets = [target for use in uses if (target := self._target(use)) is not None]
        inside = {node: statement for statement in map(self.spot.code.statement, sets) for node in walk(statement)}
        targets = {target.slice for target in sets}
        read = [(self.edit(use), use) for use in uses if use not in targets]
        found: list[_Edit] = [edit for edit, use in read if use not in inside]
        for target in sets:
            statement = self.spot.code.statement(target)
            within = [edit for edit, use in read if inside.get(use) is statement]
            found.append((self.spot.code.region([statement]), self._set(statement, target, within)))
        spans = sorted(where if isinstance(where, tuple) else self.spot.code.span(where) for where, _ in found)
        if any(one[1] > other[0] for one, other in itertools.pairwise(spans)):
            raise _Refused
        return found

    def edit(self, use: ast.expr) -> _Edit:
        """The expression around a key that asks something by it, and what stands there."""
        code, parent = self.spot.code, self.spot.code.parents[use]
        match parent:
            case ast.Call(func=ast.Attribute(value=listed, attr="index"), args=[only], keywords=[]) if only is use:
                self.numbers = True
                return parent, self._number() if self._is_of_keys(listed) else self._taken(self._table(parent, use))
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as op], comparators=[right]):
                other = right if left is use else left
                if self._is_one_of_them(other):
                    self.numbers = True
                    sign = "==" if isinstance(op, ast.Eq) else "!="
                    among = f"list({self.keys.text})" if self.keys.table else self.keys.text
                    return parent, f"{self._number()} {sign} {among}.index({code.expr(other)})"
                return parent, self._taken(self._table(parent, use))
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()]) if left is use:
                return parent, self._taken(self._table(parent, use))
        return self._entry(use)

    def _entry(self, use: ast.expr) -> _Edit:
        """`TABLE[name]`, `TABLE[name]["low"]`, `TABLE[name].low`, and `FUNCTIONS[name](x)`."""
        code, (whole, values) = self.spot.code, self._read(use)
        call = code.parents[whole]
        if values is not None and all(isinstance(each, str | enum.Enum) for each in values):
            raise Obstacle("a string cannot leave compiled code: return its place among the keys, and look it up outside")
        if values is not None and all(callable(each) for each in values):
            if not isinstance(call, ast.Call) or call.func is not whole or call.keywords:
                raise _Refused
            self.calls = self.numbers = True  # a place from the end is none there
            given = ", ".join([self.place, self._table(whole, use), *map(code.expr, call.args)])
            return call, f"{self.spot.lax('switch')}({given})"
        match whole:
            case ast.Subscript(value=table, slice=asked) if asked is use and code.src(table) == self.keys.table:
                plain = values is None or not isinstance(values[0], dict | list | tuple)
                if plain:
                    self.reads += 1
                    return whole, f"{self.values}[{self.place}]"
        text = self._table(whole, use)
        if values is not None and isinstance(values[0], dict | list | tuple):
            leaves = f"lambda *leaves: {self.spot.jnp('array')}(leaves)[{self.place}]"
            return whole, f"{self.spot.jax('tree.map')}({leaves}, *{text})"
        return whole, self._taken(text)

    def _read(self, use: ast.expr) -> tuple[ast.expr, list[Any] | None]:
        """(all of what is read by a key, what it is for each key as far as that is known)."""
        code = self.spot.code
        whole: ast.expr = use
        values: list[Any] | None = list(self.keys.names)
        while True:
            match parent := code.parents[whole]:
                case ast.Subscript(value=table, slice=index, ctx=ast.Load()) if index is whole:
                    values = self._entries(table, values)
                case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[asked, *default], keywords=[]) if (
                    asked is whole and isinstance(held := self._held(table), dict)
                ):
                    known = not default or all(key in held for key in values or [])
                    values = self._entries(table, values) if known else None
                case ast.Subscript(value=entry, slice=ast.Constant(value=str() as key), ctx=ast.Load()) if (
                    entry is whole and values is not None and all(isinstance(each, dict) and key in each for each in values)
                ):
                    values = [each[key] for each in values]
                case ast.Attribute(value=entry, attr=attr, ctx=ast.Load()) if (
                    entry is whole and whole is not use and values is not None and not any(map(_is_plain, values))
                ):
                    values = [_field(each, attr) for each in values]
                    if any(each is None for each in values):
                        raise _Refused
                case _:
                    break
            assert isinstance(parent, ast.expr)
            whole = parent
        if whole is use:
            if isinstance(parent, ast.Call) and helper_of(self.spot, parent) is not None:
                raise _Handed(parent)
            raise _Refused
        return whole, values

    def _entries(self, table: ast.expr, keys: list[Any] | None) -> list[Any] | None:
        held = self._held(table)
        if held is None or keys is None:
            return None
        if not isinstance(held, dict) or not all(key in held for key in keys):
            raise _Refused
        entries = [held[key] for key in keys]
        if any(each is None for each in entries):
            return None
        if len({isinstance(each, bool) for each in entries}) > 1:
            raise _Refused  # a truth value among numbers is none of them
        if any(isinstance(each, float) for each in entries) and any(
            isinstance(each, int) and abs(each) > _WHOLE for each in entries
        ):
            raise _Refused
        return entries

    def _held(self, table: ast.expr) -> Any:
        """What a table is, one that is written there as well, with None in the place of what is computed."""
        if not isinstance(table, ast.Dict):
            return self.spot.held(table)
        if not all(isinstance(key, ast.Constant) for key in table.keys):
            raise _Refused
        items = zip(table.keys, table.values, strict=True)
        return {
            key.value: value.value if isinstance(value, ast.Constant) else None
            for key, value in items
            if isinstance(key, ast.Constant)
        }

    def _table(self, whole: ast.expr, use: ast.expr) -> str:
        """The list of what an expression is for each key."""
        code = self.spot.code
        each = code.fresh("name", "each")
        text = code.edited(*code.span(whole), [(*code.span(use), each)])
        return f"[{text} for {each} in {self.keys.text}]"

    def _number(self) -> str:
        """The place beside an operator."""
        plain = isinstance(ast.parse(self.place, mode="eval").body, ast.Name | ast.Call | ast.Subscript)
        return self.place if plain else f"({self.place})"

    def _taken(self, table: str) -> str:
        return f"{self.spot.jnp('array')}({table})[{self.place}]"

    def _is_of_keys(self, listed: ast.expr) -> bool:
        """`list(rates)`, of which the place is asked."""
        found = _Keys.of(self.spot, listed)
        return found is not None and found.names == self.keys.names

    def _is_one_of_them(self, other: ast.expr) -> bool:
        """Whether an expression is a key, so that it has a place: one that is written, or that of a loop over the keys."""
        match other:
            case ast.Constant(value=value):
                return value in self.keys.names
            case ast.Name(id=name):
                return any(self._runs_over_keys(at, name) for at in self._loops_around(other))
        return False

    def _loops_around(self, node: ast.AST) -> Iterator[ast.For | ast.comprehension]:
        for at in self.spot.code.ancestors(node):
            if isinstance(at, ast.For):
                yield at
            elif isinstance(at, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
                yield from at.generators

    def _runs_over_keys(self, loop: ast.For | ast.comprehension, name: str) -> bool:
        listed = _Keys.of(self.spot, loop.iter)
        if listed is None or not set(listed.names) <= set(self.keys.names):
            return False
        of_pairs = isinstance(loop.iter, ast.Call) and getattr(loop.iter.func, "attr", "") == "items"
        match loop.target:
            case ast.Name(id=bound):
                return bound == name and not of_pairs
            case ast.Tuple(elts=[ast.Name(id=bound), _]):
                return bound == name and of_pairs
        return False

    def _target(self, use: ast.Name) -> ast.Subscript | None:
        """`counts[name]` of `counts[name] += 1`."""
        parent = self.spot.code.parents[use]
        if not isinstance(parent, ast.Subscript) or parent.slice is not use or isinstance(parent.ctx, ast.Load):
            return None
        match self.spot.code.parents[parent]:
            case ast.Assign(targets=[only]) | ast.AugAssign(target=only) if only is parent and isinstance(
                parent.value, ast.Name
            ):
                return parent
        raise _Refused

    def _set(self, statement: ast.stmt, target: ast.Subscript, reads: list[_Edit]) -> str:
        """`counts[name] += 1` → the same of the entry at its place, and of none of the others."""
        code, indent = self.spot.code, self.spot.code.indent(statement)
        if not code.on_own_lines([statement]) or not isinstance(statement, ast.Assign | ast.AugAssign):
            raise _Refused
        table, within = (
            code.src(target.value),
            [(*code.span(where), text) for where, text in reads if isinstance(where, ast.AST)],
        )
        value = code.edited(*code.span(statement.value), within)
        number, each = code.fresh("place", "number"), code.fresh("name", "each")
        lines, item = [], f"{table}[{each}]"
        if isinstance(statement, ast.AugAssign):
            begin, end = code.span(target)[1], code.span(statement.value)[0]
            sign = code.text[begin:end].strip().removesuffix("=")
            simple = isinstance(statement.value, ast.Constant | ast.Name)
            if not simple:
                change = code.fresh("change", "by")
                lines, value = [f"{change} = {value}"], change
            value = f"{item} {sign} {value}"
        elif not isinstance(statement.value, ast.Constant | ast.Name):
            new = code.fresh("new", f"new_{table}")
            lines, value = [f"{new} = {value}"], new
        chosen = f"{self.spot.jnp('where')}({self._number()} == {number}, {value}, {item})"
        lines += [f"for {number}, {each} in enumerate({self.keys.text}):", f"    {item} = {chosen}"]
        self.numbers = True
        return "".join(f"{indent}{line}\n" for line in lines)


def _field(value: Any, name: str) -> Any:
    """What an object or a named tuple holds by that name, None where it holds nothing."""
    return getattr(value, name) if name in in_class(value, "_fields", ()) else own_attribute(value, name)


def _is_plain(value: Any) -> bool:
    """Whether it is a number or an array, whose attributes are not asked for each key."""
    return isinstance(value, bool | int | float | complex | np.ndarray | np.generic | jax.Array)


RULES: list[Rule] = [best_key, key_at_a_place]
OUTWARD: list[Rule] = [from_a_helper]
