"""Keys that data chooses: `limiting = min(rates, key=rates.get)`, `rates[limiting]`; `name = NAMES[i]`, `TABLE[name]`.

No array holds strings. Which keys there are is known, so the place of one among them stands for it, and what is asked by it is
asked for all keys and taken from that place. A key that is returned, or told, stays.
"""

from __future__ import annotations

import ast
import enum
import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
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
_AMONG = "its place among the keys, and look it up outside"
_BY_NAME = "of equal values it is the first by its name, in whose order places are counted: jit sorts the keys of a dict"
_MOST_STEPS = 4  # from a dict to the one whose keys it has
_WHOLE = 2**24  # whole numbers that are exact as floats
_READS = ("get", "items", "keys", "values", "copy", "index", "count", "__getitem__")
_READERS = (
    "len",
    "list",
    "tuple",
    "dict",
    "set",
    "sorted",
    "sum",
    "min",
    "max",
    "any",
    "all",
    "enumerate",
    "zip",
    "map",
    "iter",
)
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
        fixed: they are those of a tuple, which nothing changes.
    """

    names: tuple[Any, ...]
    text: str
    table: str = ""
    fixed: bool = False

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
        return cls(tuple(held), text, text if isinstance(held, dict) else "", isinstance(held, tuple))


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
            _refuse_in_a_helper(spot, taken)
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
            table = _Table(spot, function, statement, keys, uses)
            if any(_is_returned(spot, use) for use in uses):
                _refuse_in_a_helper(spot, taken)
            for values in (plain, code.fresh("values", "all_values")):
                asked = _Asked(spot, keys, name, values, uses)
                edits = asked.edits(uses)
                compares = not isinstance(chosen, str) and chosen.is_plain()
                if asked.reads + compares + (second is not None) < 2 or not table.stays():
                    break
            if table.moves():
                return
            line = f"{name} = {place(values)}"
            above = f"{values} = {plain}\n{code.indent(statement)}" if values != plain else ""
            below = f"\n{code.indent(statement)}{second.id} = {values}[{name}]" if second is not None else ""
            edits.insert(0, (statement, above + line + below))
    except _Handed as given:
        yield from inlined(spot, given.call)
        return
    except _Refused:
        return
    note = _BY_NAME if _is_given(spot, keys) else ""
    which = "lookup" if isinstance(chosen, str) else "argmax" if chosen.turned else "argmin"
    negative = NEGATIVE if asked.numbers and isinstance(chosen, str) else {}
    yield spot.step(which, *edits, excludes={**excludes, **negative}, note=note, risky=asked.calls)


def _is_given(spot: Spot, keys: _Keys) -> bool:
    """Whether the order of keys may be that of a dict in the call, which is not that of plain Python: unless they are written
    in the function, or in its module."""
    if not _are_strings(keys.names) or list(keys.names) != sorted(keys.names) or keys.text.startswith("sorted("):
        return False
    if not isinstance(spot.function, ast.FunctionDef):
        return True
    if not keys.table and any(isinstance(node, ast.arg) and node.arg == keys.text for node in walk(spot.function)):
        return False  # a list that is given keeps its order
    return _has_given_order(spot.function, _source(keys.text), _MOST_STEPS)


def _has_given_order(function: ast.FunctionDef, source: ast.expr, steps: int) -> bool:
    if not steps:
        return True
    match source:
        case ast.Dict() | ast.Tuple() | ast.List():
            return not _is_written(function, source)
        case ast.DictComp(generators=parts) | ast.ListComp(elt=ast.Name(), generators=parts):
            return any(_has_given_order(function, _source(ast.unparse(part.iter)), steps - 1) for part in parts)
        case ast.Call(func=ast.Name(id="dict"), args=[only], keywords=[]):
            return _has_given_order(function, _source(ast.unparse(only)), steps - 1)
    base = _base(source)
    if base and _is_of_the_module(function, base):
        return False
    made = bound_once(function, base) if isinstance(source, ast.Name) else None
    if isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id == "sorted":
        return False
    return made is None or _has_given_order(function, _source(ast.unparse(made)), steps - 1)


def _uses(function: ast.FunctionDef, name: str) -> list[ast.Name]:
    """Where a key is asked that is bound once."""
    named = [node for node in walk(function) if isinstance(node, ast.Name) and node.id == name]
    given = any(each.arg == name for each in walk(function) if isinstance(each, ast.arg))
    uses = [node for node in named if isinstance(node.ctx, ast.Load)]
    if given or len(named) != len(uses) + 1:
        raise _Refused
    return uses


@dataclass
class _Table:
    """How a function goes on with the dict or the list whose keys are asked for behind the statement that chooses one.

    Where anything but reading is done with it, or it goes by another name as well, nothing is known: better no rewrite.

    Attributes:
        statement: the one that chooses a key.
        uses: where that key is asked for something.
    """

    spot: Spot
    function: ast.FunctionDef
    statement: ast.stmt
    keys: _Keys
    uses: Sequence[ast.Name]

    def moves(self) -> bool:
        """Whether its keys may have other places where they are asked for."""
        return not self._is_followed(self._is_behind, sets=True)

    def stays(self) -> bool:
        """Whether it holds the same values there, which may then have a name."""
        made = bound_once(self.function, self.keys.table) if self.keys.table.isidentifier() else None
        return isinstance(made, ast.Dict | ast.DictComp) and self._is_followed(self._is_behind, sets=False)

    def is_written(self) -> bool:
        """Whether its keys are written in the function, or in its module: those of all calls."""
        source = _source(self.keys.text)
        return _is_written(self.function, source) and self._is_followed(lambda node: not isinstance(node, ast.Name), sets=True)

    def _is_followed(self, concerns: Callable[[ast.AST], bool], sets: bool) -> bool:
        """Whether it is just read, but for what does not concern and, with `sets`, what is set at keys that are there."""
        source, alias = _source(self.keys.text), None
        for _ in range(_MOST_STEPS):
            if isinstance(source, ast.Tuple | ast.List):
                return True
            base = _base(source)
            if not base or _is_bound_within(self.function, base):
                return False
            named = [node for node in walk(self.function) if isinstance(node, ast.Name) and node.id == base]
            if not all(self._is_fine(node, source, alias, concerns, sets) for node in named):
                return False
            alias = bound_once(self.function, base)
            if not isinstance(alias, ast.Name | ast.Subscript | ast.Attribute):
                parts = alias.values if isinstance(alias, ast.Dict) else []
                is_part = not isinstance(source, ast.Name)  # it may have a name of its own
                return alias is None or not is_part or not (any(map(_base, parts)) or not parts)
            source = alias
        return False

    def _is_fine(
        self, node: ast.Name, source: ast.expr, alias: ast.expr | None, concerns: Callable[[ast.AST], bool], sets: bool
    ) -> bool:
        parents, path = self.spot.code.parents, ast.unparse(source)
        if not isinstance(node.ctx, ast.Load):
            return not concerns(node) or (sets and self._keeps_keys(node))
        if self.keys.fixed:
            return True
        whole: ast.expr = node
        while ast.unparse(whole) != path:
            match parents[whole]:
                case ast.Subscript(value=owner, slice=ast.Constant()) | ast.Attribute(value=owner) as part if owner is whole:
                    if not path.startswith(ast.unparse(part)):  # another entry
                        return isinstance(part.ctx, ast.Load) and not isinstance(parents[part], ast.Call)
                    whole = part
                case _:
                    return False
        if whole is alias:
            return True
        match parents[whole]:
            case ast.Subscript(value=owner, ctx=ast.Load()) as part if owner is whole:
                return sets or self._is_just_loaded(part) or not concerns(part)
            case ast.Subscript(value=owner, ctx=ast.Store()) as part if owner is whole:
                return not concerns(part) or (sets and self._is_there(part, path))
            case ast.Subscript(value=owner) as part if owner is whole:
                return not concerns(part)
            case ast.Attribute(attr=attr) as part:
                return attr in _READS or not concerns(part)
        return self._is_read_whole(whole)

    def _is_just_loaded(self, part: ast.expr) -> bool:
        """Whether nothing is set within an entry: `rates["a"]`, and not `rates["a"][0] = x`."""
        parents = self.spot.code.parents
        while isinstance(above := parents[part], ast.Subscript | ast.Attribute) and above.value is part:
            if not isinstance(above.ctx, ast.Load):
                return False
            part = above
        return True

    def _is_there(self, part: ast.Subscript, path: str) -> bool:
        """Whether something is set at a key of a dict that is there: the chosen one, or one of a loop over all."""
        if not isinstance(self.spot.held(part.value), dict):
            return False
        match part.slice:
            case ast.Constant(value=value):
                return value in self.keys.names and "sorted(" not in self.keys.text
            case ast.Name(id=name) as asked:
                loops = [at for at in self.spot.code.ancestors(part) if isinstance(at, ast.For)]
                return asked in self.uses or any(
                    name in _first(at.target) and ast.unparse(_source(ast.unparse(at.iter))) == path for at in loops
                )
        return False

    def _keeps_keys(self, node: ast.Name) -> bool:
        """Whether it is bound to a dict with the same keys: `rates = {n: 2 * v for n, v in rates.items()}`."""
        match self.spot.code.parents[node]:
            case ast.Assign(targets=[ast.Name()], value=ast.Dict(keys=keys)):
                return [getattr(key, "value", None) for key in keys] == [*self.keys.names]
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.DictComp(key=ast.Name(id=each), generators=[one])):
                over = _source(ast.unparse(one.iter))
                return not one.ifs and [each] == _first(one.target) and isinstance(over, ast.Name) and over.id == name
        return False

    def _is_read_whole(self, whole: ast.expr) -> bool:
        """Whether it is read as a whole, or copied, or given back at the end."""
        code = self.spot.code
        match parent := code.parents[whole]:
            case ast.For(iter=over) | ast.comprehension(iter=over):
                return over is whole
            case ast.Call(func=ast.Name(id=called), args=args) if whole in args and called in _READERS:
                return self.spot.is_builtin(called)
            case ast.Call(func=ast.Attribute() as func, args=args) if whole in args:
                module = in_class(self.spot.value(func), "__module__", None) or getattr(self.spot.value(func), "__module__", "")
                return isinstance(module, str) and module.split(".")[0] == "jax"
            case ast.Compare() | ast.BinOp():
                return True
            case ast.Dict(keys=keys, values=values) if keys[values.index(whole)] is None:
                return True
        while isinstance(parent, ast.Tuple | ast.List | ast.Dict):
            parent = code.parents[parent]
        return isinstance(parent, ast.Return) and not self._is_in_a_function(parent)

    def _is_in_a_function(self, node: ast.AST) -> bool:
        """Whether a node is in a function within this one, which may be called anywhere."""
        inner = itertools.takewhile(lambda at: at is not self.function, self.spot.code.ancestors(node))
        return any(isinstance(at, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) for at in inner)

    def _is_behind(self, node: ast.AST) -> bool:
        """Whether what is done at a node may be done between the choice of a key and a use of it."""
        if self._is_in_a_function(node):
            return True
        code = self.spot.code
        parent = code.parents[self.statement]
        blocks = [block for name in ("body", "orelse", "finalbody") if isinstance(block := getattr(parent, name, None), list)]
        block = next(block for block in blocks if self.statement in block)
        below = {each for line in block[block.index(self.statement) + 1 :] for each in walk(line)}
        if all(use in below and not self._is_in_a_function(use) for use in self.uses):
            return node in below
        loops = [at for at in code.ancestors(self.statement) if isinstance(at, ast.For | ast.While)]
        return node.lineno > self.statement.lineno or any(node in walk(loop) for loop in loops)  # type: ignore[attr-defined]


def _source(text: str) -> ast.expr:
    """The dict, or the list, of `list(rates)`, `sorted(rates.keys())`."""
    node = ast.parse(text.strip(), mode="eval").body
    while True:
        match node:
            case ast.Call(func=ast.Name(id="list" | "tuple" | "sorted"), args=[only]):
                node = only
            case ast.Call(func=ast.Attribute(value=owner, attr="keys" | "items"), args=[]):
                node = owner
            case _:
                return node


def _base(node: ast.expr) -> str:
    """`state` of `state["rates"]`."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _first(target: ast.expr) -> list[str]:
    """The name of a key in a loop: `n` of `for n in …` and of `for n, v in …`."""
    each = target.elts[0] if isinstance(target, ast.Tuple) else target
    return [each.id] if isinstance(each, ast.Name) else []


def _is_bound_within(function: ast.FunctionDef, name: str) -> bool:
    """Whether a name is also one of an inner function, or of a comprehension: there it is something else."""
    own = {*walk(function.args)}
    for node in walk(function):
        match node:
            case ast.arg(arg=bound) if bound == name and node not in own:
                return True
            case ast.comprehension(target=target):
                if any(isinstance(each, ast.Name) and each.id == name for each in walk(target)):
                    return True
    return False


def _is_of_the_module(function: ast.AST, name: str) -> bool:
    """Whether a name is none that the function binds."""
    given = any(isinstance(node, ast.arg) and node.arg == name for node in walk(function))
    return not given and not any(
        isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load) for node in walk(function)
    )


def _is_written(function: ast.AST, source: ast.expr) -> bool:
    """Whether a dict or a list is a literal of the function, or of the module."""
    base = _base(source)
    if base and _is_of_the_module(function, base):
        return True
    if isinstance(source, ast.Name) and isinstance(function, ast.FunctionDef):
        source = bound_once(function, base) or source
    match source:
        case ast.Dict(keys=keys):
            return all(isinstance(key, ast.Constant) for key in keys)
        case ast.Tuple(elts=elts) | ast.List(elts=elts):
            return all(isinstance(each, ast.Constant) for each in elts)
    return False


def _is_returned(spot: Spot, use: ast.expr) -> bool:
    return isinstance(spot.code.parents[use], ast.Return)


def _refuse_in_a_helper(spot: Spot, key: ast.expr) -> None:
    """Stop in a helper that gives the key to its caller, in whose lines it may be followed."""
    caller = next(iter(spot.callers()), None) if not spot.entry else None
    if caller is not None and any(from_a_helper(caller)):
        raise NoWay("a key is returned, which no array holds")
    by_index = isinstance(key, ast.Subscript) and not isinstance(key.slice, ast.Constant)
    where = f"the index and look it up in `{spot.code.src(key.value)}` outside" if by_index else _AMONG  # type: ignore[attr-defined]
    raise Obstacle(f"a string cannot leave compiled code: return {where}")


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
        uses: where the key is asked, if it has a name.
        reads: how often it is read.
        numbers: the place itself is compared, or given.
        calls: what is called by a key is called for all.
    """

    spot: Spot
    keys: _Keys
    place: str
    values: str
    uses: Sequence[ast.Name] = ()
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
            raise Obstacle(f"a string cannot leave compiled code: return {_AMONG}")
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
        """`list(rates)`, of which the place is asked, in each call."""
        found = _Keys.of(self.spot, listed)
        if found is None or found.names != self.keys.names:
            return False
        alike = bool(found.table) and found.table == self.keys.table  # of a list, two names may be one in another call
        return alike or (self._are_written(found) and self._are_written(self.keys))

    def _are_written(self, keys: _Keys) -> bool:
        """Whether the keys are the same in all calls."""
        function, statement = self.spot.function, self.spot.code.statement(self.spot.node)
        return isinstance(function, ast.FunctionDef) and _Table(self.spot, function, statement, keys, self.uses).is_written()

    def _is_one_of_them(self, other: ast.expr) -> bool:
        """Whether an expression is a key in all calls, so that it has a place: one that is written, or of a loop over them."""
        if not self._are_written(self.keys):
            return False
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
        if listed is None or not set(listed.names) <= set(self.keys.names) or not self._are_written(listed):
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
