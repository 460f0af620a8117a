"""Dicts in which a loop adds up by keys that are data: `sums[int(g)] = sums.get(int(g), 0.0) + v`.

How many keys there are is data, but no more than there are labels: each has its place in an array, where it stands first among
the labels, so that the values come in the dict's own order.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import walk_scope

_ASKED = ("max", "min", "sum")
_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """Something else is done with the dict, or with its keys."""


@dataclass
class _Update:
    """A statement `d[key] = d.get(key, 0) + value`, or `d[key] += value` of a `defaultdict`."""

    statement: ast.stmt
    keys: list[ast.expr]
    value: ast.expr
    starts: float


def added_up(spot: Spot) -> Iterator[Step]:
    """The dict as an array with a place for each of the labels that occur."""
    function, code = spot.function, spot.code
    loop = next((at for at in code.ancestors(spot.node) if isinstance(at, ast.For)), None)
    if not isinstance(function, ast.FunctionDef) or loop is None or loop.orelse:
        return
    for statement in walk_scope(function.body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=made) if isinstance(spot.locals.get(name), dict):
                if _is_empty(made) and statement in code.block(loop) and code.on_own_lines([statement, loop]):
                    try:
                        yield _Keyed(spot, function, statement, name, loop).step()
                    except _Refused:
                        continue
                    return


def _is_empty(made: ast.expr) -> bool:
    match made:
        case ast.Dict(keys=[]) | ast.Call(func=ast.Name(id="dict"), args=[], keywords=[]):
            return True
        case ast.Call(func=ast.Name(id="defaultdict") | ast.Attribute(attr="defaultdict"), args=[ast.Name(id="int" | "float")]):
            return True
    return False


class _Keyed:
    def __init__(self, spot: Spot, function: ast.FunctionDef, made: ast.Assign, name: str, loop: ast.For) -> None:
        self.spot, self.code, self.function = spot, spot.code, function
        self.made, self.name, self.loop = made, name, loop
        self.edits: list[_Edit] = []
        self.whole = False  # the keys are made whole numbers of on the way

    def step(self) -> Step:
        spot, code, name = self.spot, self.code, self.name
        updates = [each for statement in walk_scope(self.loop.body) if (each := self._update(statement)) is not None]
        held = {id(n) for each in updates for n in ast.walk(each.statement)}
        uses = [n for n in ast.walk(self.function) if isinstance(n, ast.Name) and n.id == name and id(n) not in held]
        if len(updates) != 1 or sum(not isinstance(n.ctx, ast.Load) for n in uses) != 1:
            raise _Refused
        update = updates[0]
        always = code.parents[update.statement] is self.loop and not leaves([self.loop], (ast.Break, ast.Continue, ast.Return))
        if not always or not code.on_own_lines([update.statement]):
            raise _Refused
        group, found = code.fresh("group", "group_number"), code.fresh("found", "occurs", "present")
        labels = self._labels(update.keys, group)
        size = f"{labels}.size"
        for use in uses:
            if isinstance(use.ctx, ast.Load):
                self._asked(use, found)
        key = self._key_text(update.keys[0], group)
        self.edits.append((update.statement, f"{name} = {name}.at[{key}].add({code.expr(update.value)})"))
        indent = code.indent(self.made)
        unique, first, inverse = spot.jnp("unique"), code.fresh("first"), code.fresh("inverse")
        labels = f"{labels}.astype(int)" if _unwrapped(update.keys[0]) is not update.keys[0] or self.whole else labels
        numbered = f"_, {first}, {inverse} = {unique}({labels}, return_index=True, return_inverse=True, size={size})"
        place = f"{group} = {first}[{inverse}]  # where each label stands first: the dict's own order"
        dtype = self._dtype(update)
        zeros = f"{name} = {spot.jnp('zeros')}({size}{', ' + dtype if dtype else ''})"
        self.edits.append((self.made, f"{numbered}\n{indent}{place}\n{indent}{zeros}"))
        end = code.region([self.loop])[1]
        after = f"{indent}{found} = {group} == {spot.jnp('arange')}({size})\n"
        self.edits.append(((end, end), after))
        return spot.step("at", *self.edits)

    def _update(self, statement: ast.AST) -> _Update | None:
        match statement:
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Name(id=name), slice=key)],
                value=ast.BinOp(
                    left=ast.Call(
                        func=ast.Attribute(value=ast.Name(id=same), attr="get"),
                        args=[other, ast.Constant(value=int() | float() as start)],
                        keywords=[],
                    ),
                    op=ast.Add(),
                    right=value,
                ),
            ) if name == same == self.name and start == 0 and ast.dump(key) == ast.dump(other).replace("Store", "Load"):
                return _Update(statement, [key, other], value, start)
            case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=name), slice=key), op=ast.Add(), value=value) if (
                name == self.name and isinstance(self.made.value, ast.Call) and self.made.value.args
            ):
                return _Update(statement, [key], value, 0.0 if self.code.src(self.made.value.args[0]) == "float" else 0)
        return None

    # -- keys ---------------------------------------------------------------------------------------------

    def _labels(self, keys: list[ast.expr], group: str) -> str:
        """The array whose elements are the keys, of which the new numbers are read from now on."""
        key = _unwrapped(keys[0])
        if isinstance(key, ast.Name) and key.id not in self._targets():
            bound = self._bound(key.id, len(keys))
            self.edits.append((bound.value, self._key_text(bound.value, group)))
            key = _unwrapped(bound.value)
            self.whole = key is not bound.value
            several = 1
        else:
            several = len(keys)
        match key:
            case ast.Name(id=name):
                return self._iterated(name, several, group)
            case ast.Subscript(value=ast.Name() as array, slice=ast.Name(id=index)) if index in self._targets():
                return self._array(array)
        raise _Refused

    def _key_text(self, key: ast.expr, group: str) -> str:
        inner = _unwrapped(key)
        if isinstance(inner, ast.Subscript):
            return f"{group}[{self.code.src(inner.slice)}]"
        return self.code.src(inner)

    def _targets(self) -> set[str]:
        return {n.id for n in ast.walk(self.loop.target) if isinstance(n, ast.Name)}

    def _bound(self, name: str, reads: int) -> ast.Assign:
        """`key = int(g)` in the loop, read by the update alone."""
        loads = [n for n in ast.walk(self.function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
        bound = [s for s in self.loop.body if isinstance(s, ast.Assign) and [*map(self.code.src, s.targets)] == [name]]
        if len(bound) != 1 or len(loads) != reads or name in self.code.live_after(self.loop):
            raise _Refused
        return bound[0]

    def _iterated(self, name: str, reads: int, group: str) -> str:
        """The array over which a variable of the loop runs; its new numbers stand in its place."""
        loads = [n for n in ast.walk(self.function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
        if len(loads) != reads or name in self.code.live_after(self.loop):
            raise _Refused
        match self.loop.target, self.loop.iter:
            case ast.Name(), array:
                pass
            case ast.Tuple(elts=targets), ast.Call(func=ast.Name(id="zip"), args=arrays, keywords=[]) if self.spot.is_builtin(
                "zip"
            ) and len(targets) == len(arrays):
                places = [k for k, target in enumerate(targets) if isinstance(target, ast.Name) and target.id == name]
                if len(places) != 1:
                    raise _Refused
                array = arrays[places[0]]
            case _:
                raise _Refused
        text = self._array(array)
        self.edits.append((array, group))
        return text

    def _array(self, node: ast.expr) -> str:
        fact = self.spot.fact(node)
        if not isinstance(node, ast.Name | ast.Attribute) or fact is None or fact.ndim != 1 or fact.dtype not in ("i", "u"):
            raise _Refused
        return self.code.src(node)

    # -- values -------------------------------------------------------------------------------------------

    def _dtype(self, update: _Update) -> str:
        """Of the array that is the dict's values."""
        value = update.value
        start = "0" if update.starts == 0 and type(update.starts) is int else "0.0"
        fact = self.spot.fact(value)
        if fact is None or fact.ndim != 0 or fact.dtype not in ("f", "i"):
            raise _Refused
        if isinstance(value, ast.Name) and fact.sort == "array" and isinstance(self.loop.iter, ast.Call):
            match self.loop.target, self.loop.iter:
                case ast.Tuple(elts=targets), ast.Call(func=ast.Name(id="zip"), args=arrays):
                    for target, array in zip(targets, arrays, strict=False):
                        if isinstance(target, ast.Name) and target.id == value.id and isinstance(array, ast.Name):
                            return f"{self.spot.jnp('result_type')}({array.id}, {start})"
        floats = any(isinstance(n, ast.Constant) and isinstance(n.value, float) for n in ast.walk(self.code.statement(value)))
        return "int" if fact.dtype == "i" and not floats and "float" not in self.code.src(self.made.value) else ""

    def _asked(self, use: ast.Name, found: str) -> None:
        code, name = self.code, self.name
        parent = code.parents[use]
        if use.lineno <= (self.loop.end_lineno or 0):
            raise _Refused
        match parent:
            case ast.Call(func=ast.Name(id="len"), args=[_]) if self.spot.is_builtin("len"):
                self.edits.append((parent, f"{self.spot.jnp('sum')}({found})"))
                return
            case ast.Attribute(attr="values"):
                call = code.parents[parent]
                asked = code.parents[call]
                match asked:
                    case ast.Call(func=ast.Name(id=of), args=[_], keywords=[]) if of in _ASKED and self.spot.is_builtin(of):
                        self.edits.append((call, f"{name}[{found}]"))
                        return
                    case ast.Call(func=ast.Name(id="list"), args=[_]):
                        around = code.parents[asked]
                        if isinstance(around, ast.Call) and self._reduces(around):
                            self.edits.append((asked, f"{name}[{found}]"))
                            return
        raise _Refused

    def _reduces(self, array: ast.Call) -> bool:
        """`jnp.array(list(d.values())).mean()`."""
        reduced = self.code.parents[array]
        made = isinstance(array.func, ast.Attribute) and array.func.attr in ("array", "asarray")
        return made and isinstance(reduced, ast.Attribute) and reduced.attr in ("max", "min", "sum", "mean", "std", "var")


def _unwrapped(key: ast.expr) -> ast.expr:
    match key:
        case ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[]):
            return inner
        case ast.Call(func=ast.Attribute(value=inner, attr="item"), args=[], keywords=[]):
            return inner
    return key


def key_from_data(spot: Spot) -> Iterator[Step]:
    """`out[int(label)] = v`: which keys a dict has is part of what is compiled."""
    if isinstance(spot.error, TypeError) and "unhashable" in str(spot.error) and "Tracer" in str(spot.error):
        for node in ast.walk(spot.code.statement(spot.node)):
            match node:
                case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()) if isinstance(spot.locals.get(name), dict):
                    raise Obstacle(
                        f"compiled, a dictionary has the same keys in every call, and those of {name} come from data; arrays "
                        "of keys and values can come out, of which plain Python makes the dictionary"
                    )
    yield from ()


ADDED_UP: list[Rule] = [added_up]
RULES: list[Rule] = [key_from_data]
