"""A list, tuple, dict or NumPy array indexed by a traced value → a stacked array, `lax.switch`, or a comparison of keys."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base import looking
from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.loop_exits import known_number
from jupyter_jitmagic.diagnosis.rewrites.none_first import told_by_a_flag
from jupyter_jitmagic.diagnosis.rewrites.rules import NoWay, Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves as statements
from jupyter_jitmagic.source.names import loaded, walk_scope
from jupyter_jitmagic.source.nones import asks_for_none

INDEX_ERRORS = (
    "TracerIntegerConversionError",
    "TracerArrayConversionError",
    "TypeError",
    "KeyError",
    "ConcretizationTypeError",
)


def element(spot: Spot) -> Iterator[Step]:
    """`TABLE[n]` → `jnp.asarray(TABLE)[n]`; `FUNCTIONS[n](x)` → `lax.switch(n, FUNCTIONS, x)`."""
    node = spot.node
    if not isinstance(node, ast.Subscript) or type(spot.error).__name__ not in INDEX_ERRORS:
        return
    if not isinstance(node.ctx, ast.Load) or isinstance(node.slice, ast.Slice):
        return
    code, (found, table) = spot.code, _table(spot, node.value)
    index = code.src(node.slice)
    spot.refuse_where_caught(KeyError if isinstance(table, Mapping) else IndexError)
    if isinstance(table, Mapping):
        yield from _of_dict(spot, node, node.value, table, node.slice, None)
        return
    if isinstance(node.slice, ast.Tuple) or not found or not isinstance(table, list | tuple) or not table:
        return
    text = code.src(node.value)
    parent = code.parents[node]
    call = parent if isinstance(parent, ast.Call) and parent.func is node else None
    if all(callable(item) for item in table):
        yield from _switch(spot, node, call, index, text, NEGATIVE)
        return
    pick = position_of(spot, node.slice, index)
    outside = {} if len(table) > 1 and _is_truth(spot, node.slice) else OUTSIDE
    named = _named_tuple(table)
    if named is not None and _numbers(table) and len({type(number) for item in table for number in item}) == 1:
        name = named.__name__
        if spot.globals.get(name) is named:
            yield spot.step("lookup", (node, f"{name}(*{spot.jnp('asarray')}({text})[{pick}])"), excludes=outside)
            return
    if named is None and _stackable(table):
        values = f"{spot.jnp('asarray')}({text})" if _numbers(table) else f"{spot.jnp('stack')}({text})"
        if _stays_a_list(spot, node, table):
            yield spot.step("lookup", (node, f"list({values}[{pick}])"), excludes=outside)
        yield spot.step("lookup", (node, f"{values}[{pick}]"), excludes=outside)
        return
    if isinstance(parent, ast.Subscript) and parent.value is node and len(_shape(table) or ()) > 1:
        yield spot.step("lookup", (node, f"{spot.jnp('asarray')}({text})[{pick}]"), excludes=outside)
        return
    leaves = [jax.tree_util.tree_flatten(item) for item in table]
    if all(tree == leaves[0][1] for _, tree in leaves) and all(
        _stackable([flat[k] for flat, _ in leaves]) for k in range(len(leaves[0][0]))
    ):
        stacked = f"lambda *leaves: {spot.jnp('stack')}([{spot.jnp('asarray')}(leaf) for leaf in leaves])[{pick}]"
        yield spot.step("lookup", (node, f"{spot.jax('tree.map')}({stacked}, *{text})"), excludes=outside)
        return
    if all(isinstance(item, str) for item in table):
        yield from _by_word(spot, node, table, pick)
        raise Obstacle(f"a string cannot leave compiled code: return the index and look it up in `{text}` outside")
    raise Obstacle(f"the elements of `{text}` have different shapes or structures, so a traced index cannot pick one")


def _named_tuple(table: Sequence[Any]) -> Any:
    """The class of its items, where they are named tuples of one; None where not."""
    kinds = {type(item) for item in table}
    kind = kinds.pop() if len(kinds) == 1 else None
    return kind if kind is not None and issubclass(kind, tuple) and hasattr(kind, "_fields") else None


def _by_word(spot: Spot, node: ast.Subscript, words: Sequence[str], pick: str) -> Iterator[Step]:
    """`MOVES[NAMES[k]]` → `jnp.asarray([MOVES[name] for name in NAMES])[k]`: the word itself is no result."""
    code, parent = spot.code, spot.code.parents[node]
    if not isinstance(parent, ast.Subscript) or parent.slice is not node or not isinstance(parent.ctx, ast.Load):
        return
    held = spot.held(parent.value)
    if type(held) is dict and all(name in held for name in words):
        rows = [list(held[name]) if type(held[name]) is tuple else held[name] for name in words]
        kinds = {type(number) for number in jax.tree.leaves(rows)}
        if kinds in ({int}, {float}) and _shape(rows) is not None:
            each, text = code.fresh("name", "word"), code.src(node.value)
            listed = f"[{code.src(parent.value)}[{each}] for {each} in {text}]"
            yield spot.step("lookup", (parent, f"{spot.jnp('asarray')}({listed})[{pick}]"), excludes=OUTSIDE)


def _stays_a_list(spot: Spot, node: ast.Subscript, table: Sequence[Any]) -> bool:
    """Whether a row that is a list is given a name that stands for another list elsewhere: no array can be chosen beside it."""
    function = spot.function
    match spot.code.parents[node]:
        case ast.Assign(targets=[ast.Name(id=name)]) if isinstance(function, ast.FunctionDef):
            given = [each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)]
            stores = (
                each for each in walk_scope(function.body) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
            )
            several = [*given, *(each.id for each in stores)].count(name) > 1
            return several and len(_shape(table) or ()) == 2
    return False


def entry(spot: Spot) -> Iterator[Step]:
    """`TABLE.get(n, default)` → a comparison with the keys."""
    node = spot.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "get":
        return
    _, table = _table(spot, node.func.value)
    if not isinstance(table, Mapping) or not 1 <= len(node.args) <= 2 or node.keywords:
        return
    default = spot.code.src(node.args[1]) if len(node.args) == 2 else "None"
    if default == "None":
        yield from _given_later(spot, node)
        yield from _of_dict(spot, node, node.func.value, table, node.args[0], None, or_none=True)
        raise Obstacle("`get` without a default gives None for a missing key, and no array is None")
    if len(node.args) == 2 and isinstance(node.args[1], ast.Tuple | ast.List):
        default = f"{spot.jnp('asarray')}({default})"
    yield from _of_dict(spot, node, node.func.value, table, node.args[0], default)


def _given_later(spot: Spot, node: ast.Call) -> Iterator[Step]:
    """`rate = RATES.get(k)`, then `if rate is None: rate = 1.0` → `rate = RATES.get(k, 1.0)`."""
    code, statement = spot.code, spot.code.statement(node)
    block = code.block(statement)
    match [statement, *block[block.index(statement) + 1 :][:1]]:
        case [
            ast.Assign(targets=[ast.Name(id=name)], value=whole),
            ast.If(test=test, body=[ast.Assign(targets=[ast.Name(id=same)], value=default)], orelse=[]) as later,
        ] if whole is node and name == same and asks_for_none(test, name) and name not in loaded([default]):
            if code.on_own_lines([statement, later]) and harmless([default]):
                call = f"{code.src(node.func)}({code.src(node.args[0])}, {code.expr(default)})"
                yield spot.step("lookup", (node, call), (code.region([later]), ""))


def word(spot: Spot) -> Iterator[Step]:
    """`return "big" if test else "small"`, `return "big"` in a branch, or a name that is returned: no array holds a string."""
    asked = spot.asked()
    if asked is None or not spot.entry or not isinstance(asked[1], ast.If | ast.IfExp):
        return
    node, statement = asked[1], spot.code.statement(asked[1])
    given: list[ast.expr | None] = []
    if isinstance(node, ast.If):
        given = [each.value for each in statements([node], ast.Return) if isinstance(each, ast.Return)]
        given += _returned_later(spot, node)
    elif isinstance(statement, ast.Return) and statement.value is node:
        given = [node.body, node.orelse]
    if any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in given):
        raise NoWay("a string cannot leave compiled code: return the condition and choose the string outside")
    yield from ()


def _returned_later(spot: Spot, node: ast.If) -> Iterator[ast.expr]:
    """What a branch stores under a name that is a result of the function, or a part of one."""
    names: set[str] = set()
    for each in statements(getattr(spot.function, "body", []), ast.Return):
        value = each.value if isinstance(each, ast.Return) else None
        parts = (
            value.values if isinstance(value, ast.Dict) else value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        )
        names |= {part.id for part in parts if isinstance(part, ast.Name)}
    for each in statements([node], ast.Assign):
        match each:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names:
                yield value


def _of_dict(
    spot: Spot,
    node: ast.expr,
    owner: ast.expr,
    table: Mapping[Any, Any],
    key: ast.expr,
    default: str | None,
    *,
    or_none: bool = False,
) -> Iterator[Step]:
    """`or_none`: it is None where the key is not there, of which a flag tells."""
    code = spot.code
    index, operand = code.src(key), code.operand(key)
    keys = list(table)
    several = (
        bool(keys) and isinstance(keys[0], tuple) and len({len(key) if isinstance(key, tuple) else 0 for key in keys}) == 1
    )
    parts = [part for key in keys for part in (key if several else (key,))]
    if not parts or not all(isinstance(part, bool | int | float | np.integer | np.bool_) for part in parts):
        return
    is_made = isinstance(key, ast.Call) and code.src(key.func) == spot.jnp("asarray") and bool(key.args)
    asked, note = spot.fact(key.args[0] if is_made else key), ""  # type: ignore[attr-defined]
    if any(type(part) is float and float(np.float32(part)) != part for part in parts):
        none = f"none of the keys of `{code.src(owner)}`, which have 64 in Python"
        if asked is not None and asked.sort == "array":
            raise Obstacle(f"a float of 32 bits is {none}")
        note = f"a float of an array has 32 bits and is {none}: compiled, it finds one"
    text, values = code.operand(owner), list(table.values())
    parent = code.parents[node]
    call = parent if isinstance(parent, ast.Call) and parent.func is node else None
    listed = _written(code.src, owner)
    keys_text = listed[0] if listed else f"list({text})"
    values_text = listed[1] if listed else f"list({text}.values())"
    match = f"{spot.jnp('asarray')}({keys_text}) == {operand}"
    if several:
        index = index if index.startswith("(") or "," not in index else f"({index})"
        equal = f"{spot.jnp('asarray')}({keys_text}) == {spot.jnp('asarray')}({index})"
        match = f"{spot.jnp('all')}({equal}, axis=1)"
    place = index if keys == list(range(len(keys))) and default is None else f"{spot.jnp('argmax')}({match})"
    if or_none:
        found = told_by_a_flag(spot, node, f"{spot.jnp('any')}({match})") if _stackable(values) else None
        if found is not None:
            stacked = f"{spot.jnp('asarray' if _numbers(values) else 'stack')}({values_text})[{spot.jnp('argmax')}({match})]"
            begin = code.region([code.statement(node)])[0]
            yield spot.step("lookup", (node, stacked), ((begin, begin), found[0]), *found[1], note=note)
        return
    if all(callable(value) for value in values):
        if default is not None:
            place = f"{spot.jnp('where')}({spot.jnp('any')}({match}), {place}, {len(keys)})"
            values_text = f"[{values_text[1:-1] if listed else f'*{values_text[5:-1]}'}, {default}]"
        yield from _switch(spot, node, call, place, values_text, {})
        return
    if all(isinstance(value, str) for value in values):
        raise Obstacle(f"a string cannot leave compiled code: return the key and look it up in `{text}` outside")
    if not _stackable(values):
        raise Obstacle(f"the values of `{text}` have different shapes or types, so a traced key cannot pick one")
    stacked = f"{spot.jnp('asarray' if _numbers(values) else 'stack')}({values_text})[{place}]"
    if default is not None:
        stacked = f"{spot.jnp('where')}({spot.jnp('any')}({match}), {stacked}, {default})"
    yield spot.step("lookup", (node, stacked), excludes=NO_KEY if default is None else None, note=note)


def _switch(
    spot: Spot, node: ast.expr, call: ast.Call | None, index: str, functions: str, excludes: dict[str, str]
) -> Iterator[Step]:
    if call is None and isinstance(spot.code.parents[node], ast.Assign):  # called later
        at = spot.code.fresh("at", "which", "place")
        made = f"lambda *values, {at}={index}: {spot.lax('switch')}({at}, {functions}, *values)"
        yield spot.step("switch", (node, made), excludes=excludes)
        return
    if call is None:
        raise Obstacle(f"`{spot.code.src(node)}` is a function picked by a traced value; only its call can be rewritten")
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return
    arguments = [spot.code.expr(argument) for argument in call.args]
    if call.keywords:
        if any(keyword.arg is None for keyword in call.keywords):
            return
        given = "".join(f", {k.arg}={spot.code.src(k.value)}" for k in call.keywords)
        functions = f"[lambda *args, f=f: f(*args{given}) for f in {functions}]"
    yield spot.step("switch", (call, f"{spot.lax('switch')}({', '.join([index, functions, *arguments])})"), excludes=excludes)


def position_of(spot: Spot, node: ast.expr, index: str) -> str:
    """The index as an integer: a truth value picks 0 or 1."""
    value = spot.value(node)
    is_truth = isinstance(node, ast.Compare | ast.BoolOp) or getattr(attribute(value, "dtype", None), "kind", "") == "b"
    return f"{spot.jnp('asarray')}({index}, int)" if is_truth else index


def _is_truth(spot: Spot, node: ast.expr) -> bool:
    """Whether an index is 0 or 1 alone: a truth value, or `int()` of one."""
    if isinstance(node, ast.Call) and node.args:
        node = node.args[0]
    fact = spot.fact(node)
    return isinstance(node, ast.Compare | ast.BoolOp) or (fact is not None and fact.dtype == "b")


def _table(spot: Spot, node: ast.expr) -> tuple[bool, Any]:
    """(found, the object that is indexed): a variable's value, or that of a display or attribute of plain things."""
    if isinstance(node, ast.Tuple | ast.List | ast.Dict):
        return _display(spot, node)
    if isinstance(node, ast.Attribute):
        owner = spot.value(node.value)
        attributes = looking.attributes(owner) or {}
        if node.attr in attributes:
            return True, attributes[node.attr]
        for base in type(owner).__mro__:
            if node.attr in vars(base):
                return True, vars(base)[node.attr]
        return False, None
    if isinstance(node, ast.Subscript):
        found, owner = _table(spot, node.value)
        if found and isinstance(owner, dict | list | tuple):
            key: Any = node.slice.value if isinstance(node.slice, ast.Constant) else _known_key(spot, node.slice)
            if key is None and not isinstance(node.slice, ast.Constant):
                return False, None
            try:
                return True, owner[key]
            except (KeyError, IndexError):
                return False, None
    value = spot.value(node)
    return value is not None, value


def _known_key(spot: Spot, node: ast.expr) -> Any:
    """A number that is known, or a word that a name stands for: `EMIT[state]`, `state` being "sea" there."""
    held = spot.value(node) if isinstance(node, ast.Name) else None
    return held if isinstance(held, str) else known_number(spot, node)


def _display(spot: Spot, node: ast.Tuple | ast.List | ast.Dict) -> tuple[bool, Any]:
    """What a literal tuple, list or dict holds, as far as its shapes tell: what is unknown counts as a number."""
    read: Callable[[ast.expr], Any] = lambda part: _part(spot, part)  # noqa: E731
    if isinstance(node, ast.Dict):
        if any(key is None for key in node.keys):
            return False, None
        return True, {read(key): read(value) for key, value in zip(node.keys, node.values, strict=True) if key is not None}
    if any(isinstance(part, ast.Starred) for part in node.elts):
        return False, None
    return True, [read(part) for part in node.elts]


def _part(spot: Spot, node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Lambda):
        return abs  # any function: it is called, not computed with
    value = spot.value(node)
    if value is not None:
        return value
    fact = spot.fact(node)
    return np.empty(fact.shape) if fact is not None and fact.sort == "array" else 0.0


def _written(src: Callable[[ast.AST], str], node: ast.expr) -> tuple[str, str] | None:
    """The keys and values of a literal dict as lists in source."""
    if not isinstance(node, ast.Dict):
        return None
    keys = ", ".join(src(key) for key in node.keys if key is not None)
    return f"[{keys}]", f"[{', '.join(src(value) for value in node.values)}]"


def _numbers(values: Any) -> bool:
    return all(isinstance(value, bool | int | float | complex | np.generic) for value in values) or all(
        isinstance(value, list | tuple) and _numbers(value) for value in values
    )


def _stackable(values: Any) -> bool:
    """Whether all are numbers or arrays of one shape."""
    plain = all(
        isinstance(value, bool | int | float | complex | np.generic | np.ndarray | jax.Array)
        or (isinstance(value, list | tuple) and _numbers(value))
        for value in values
    )
    try:
        return plain and len({np.shape(value) for value in values}) == 1
    except ValueError:  # lists of several lengths
        return False


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of the array that lists of lists of numbers make, computed ones too; None where they make none."""
    if not isinstance(value, list):
        is_one = isinstance(value, bool | int | float | complex | np.generic | np.ndarray | jax.Array) and not np.shape(value)
        return () if is_one else None
    shapes = {_shape(each) for each in value}
    inner = shapes.pop() if len(shapes) == 1 else None
    return None if inner is None else (len(value), *inner)


NEGATIVE = {"negative int": "a negative index, which counts from the end in Python"}
OUTSIDE = {"outside": "an index past the ends, for which Python raises IndexError: compiled, it is the nearest element"}
NO_ROW = {"outside": "an index past the ends, for which Python raises IndexError: compiled, nothing is set", **NEGATIVE}
NO_KEY = {"outside": "a key that is not there, for which Python raises KeyError: compiled, it is some other key's value"}
RULES: list[Rule] = [element, entry, word]
