"""The shape and dtype of what a container will hold, in names that have a value where it is made."""

from __future__ import annotations

import ast
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.base.looking import attribute, is_a, text_attribute
from jupyter_jitmagic.diagnosis.rewrites.facts import Fact, fact_of
from jupyter_jitmagic.diagnosis.rewrites.operations import FLOATS, MAKES_ARRAYS, PARTIAL, called
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, is_traced_value
from jupyter_jitmagic.source.code import words
from jupyter_jitmagic.source.names import bound_once, bound_to, loaded, stored, target_names, walk_scope

_BY_KIND = (("c", "complex"), ("f", ""), ("i", "int"), ("u", "int"), ("b", "bool"))

_OWN_KIND = words(
    "astype asarray array float32 float64 int32 int64 float int bool argmax argmin argsort size len count_nonzero"
)
"""Operations whose result is not of their arguments' kind."""


def element(spot: Spot, function: ast.FunctionDef, made: ast.stmt, values: list[ast.expr]) -> tuple[str, str]:
    """(its shape as text, "" for a number; its dtype as text, "" for JAX's own float) of all values of a container.

    Raises:
        LookupError: they are not alike, or nothing that is known before tells.
    """
    return _Elements(spot, function, made).of(values)


def kinds_put(spot: Spot, function: ast.FunctionDef, made: ast.stmt, values: list[ast.expr]) -> list[str]:
    """What decides the kind of numbers that are put in a container, in names that have a value where it is made: arrays,
    numbers, `float`; what they take of the container itself tells nothing."""
    elements = _Elements(spot, function, made)
    return list(dict.fromkeys(kind for value in values for kind in elements.kinds(value)))


def listed_numbers(spot: Spot, node: ast.expr) -> Fact | None:
    """What an array of a list's numbers is: of a name that holds traced ones, or of a comprehension; None for other lists."""
    held = spot.value(node)
    if isinstance(held, list) and held and all(is_traced_value(each) and jnp.ndim(each) == 0 for each in held):
        return fact_of(np.empty(len(held), jnp.result_type(*held)))
    each = spot.fact(node.elt) if isinstance(node, ast.ListComp) else None
    return replace(each, sort="array", ndim=1) if each is not None and each.ndim == 0 and _is_number(each) else None


def _stored_before(spot: Spot, made: ast.stmt) -> set[str]:
    """Names that are bound in front of a statement, in its own block and in those around it, the items of loops among them."""
    found: set[str] = set()
    for each in spot.code.ancestors(made):
        if isinstance(each, ast.FunctionDef | ast.Lambda | ast.Module):
            break
        if isinstance(each, ast.stmt):
            block = spot.code.block(each)
            found.update(stored(block[: block.index(each)]))
        if isinstance(each, ast.For):
            found.update(target_names(each.target))
    return found


class _Elements:
    def __init__(self, spot: Spot, function: ast.FunctionDef, made: ast.stmt) -> None:
        self.spot, self.function = spot, function
        arguments = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
        self.made = made
        self.before = arguments | _stored_before(spot, made)

    def of(self, values: list[ast.expr]) -> tuple[str, str]:
        rows = [_row(self.spot, value) for value in values]
        items = [item for row in rows for item in row]
        if items and all(len(row) == len(rows[0]) for row in rows):
            facts = [self.spot.fact(item) for item in items]
            columns = [facts[place :: len(rows[0])] for place in range(len(rows[0]))]  # a row may stand where no call came yet
            if not all(map(any, columns)) or any(fact is not None and (not _is_number(fact) or fact.ndim) for fact in facts):
                raise LookupError
            return str(len(rows[0])), self._dtype(items, facts)
        facts = [self.spot.fact(value) for value in values]
        known = [fact for fact in facts if fact is not None and _is_number(fact)]
        if not known or len({fact.ndim for fact in known}) > 1:
            raise LookupError
        if known[0].ndim == 0:
            return "", self._dtype(values, facts)
        if row := next((text for value in values if (text := self._zeros(value))), ""):
            return row, self._dtype(values, facts)
        told = (text for find in (self._shape, self._shape_of_axes) for value in values if (text := find(value)))
        shape = next(told, "")
        if not shape:
            raise LookupError
        return f"*{shape}", self._dtype(values, facts)

    def _dtype(self, values: list[ast.expr], facts: list[Fact | None]) -> str:
        found = [self._carrier(value) for value in values]
        if all(name for name, _ in found) and all(fact is None or fact.dtype for fact in facts):
            names = list(dict.fromkeys(found))
            others = [each for value in values if isinstance(value, ast.Name) for each in self._promoting(value.id)]
            kinds = list(dict.fromkeys([*(name for name, _ in names), *others]))
            if self.spot.jnp("float_") in kinds:
                kinds = [kind for kind in kinds if kind != "float"]
            if len(kinds) == 1 and names[0][1]:
                return f"{names[0][0]}.dtype"
            return f"{self.spot.jnp('result_type')}({', '.join(kinds)})"
        seen = {fact.dtype for fact in facts if fact is not None}
        kind, dtype = next(((kind, dtype) for kind, dtype in _BY_KIND if kind in seen), ("", ""))
        exactly = {fact.exactly for fact in facts if fact is not None and fact.sort != "number" and fact.dtype == kind}
        return self._of_dtype(exactly.pop(), values) or dtype if len(exactly) == 1 else dtype

    def _of_dtype(self, name: str, values: list[ast.expr]) -> str:
        """Of which dtype numbers are that JAX does not give by itself: that of an array known before, best of one that they
        are computed from; "" for JAX's own."""
        if not name or name in (jax.dtypes.canonicalize_dtype(kind).name for kind in (float, int, complex)):
            return ""
        inside = {node.id for value in values for node in ast.walk(value) if isinstance(node, ast.Name)}
        for each in sorted(self.before, key=lambda each: (each not in inside, each)):
            if is_array(self.spot, each) and self.spot.locals[each].dtype.name == name:
                return f"{each}.dtype"
        return f"{self.spot.jnp(name)}" if hasattr(jnp, name) else ""

    def _carrier(self, value: ast.expr) -> tuple[str, bool]:
        """(name of an array or number that is known before and of whose dtype a value is, whether it is surely an array)."""
        fact = self.spot.fact(value)
        if (inner := _beside_whole_numbers(value)) is not value:
            of_inner = self.spot.fact(inner)
            alike = fact is None or of_inner is None or fact.dtype == of_inner.dtype
            return self._carrier(inner) if alike else ("", False)
        match value:
            case ast.Name(id=name) if name in self.before and self._keeps_kind(name, fact):
                return name, fact is not None and fact.sort == "array" and not self._was_number(name)
            case ast.Name(id=name):
                array = self._iterated(name)
                return array, bool(array)
            case ast.Subscript(value=ast.Name(id=name) as owner) if name in self.before:
                of_owner = self.spot.fact(owner)
                if of_owner is not None and of_owner.sort in ("array", "host"):
                    return name, True
            case ast.Subscript(value=ast.Subscript() as owner):
                return self._carrier(owner)
        return "", False

    def _keeps_kind(self, name: str, fact: Fact | None) -> bool:
        """Whether all that the function gives a name is of the kind that it has from the start."""
        kinds = set()
        for node in ast.walk(self.function):
            if not (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)):
                continue
            match self.spot.code.statement(node):
                case ast.Assign(targets=[ast.Name()], value=value):
                    told = self.spot.fact(value)
                    kinds.add(told.dtype if told is not None else "")
                case _:
                    return False
        return fact is not None and bool(fact.dtype) and kinds <= {fact.dtype}

    def _promoting(self, name: str, within: frozenset[str] = frozenset()) -> list[str]:
        """What else decides the kind of a name's numbers: `x = x * rate`, `x = x / 2` make floats of an int x.

        within: names of which that is asked already."""
        within |= {name}
        stores = [node for node in ast.walk(self.function) if isinstance(node, ast.Name) and node.id == name]
        statements = [self.spot.code.statement(node) for node in stores if isinstance(node.ctx, ast.Store)]
        values = [each.value for each in statements if isinstance(each, ast.AugAssign)]
        for each in statements:
            if isinstance(each, ast.Assign):
                values += [value for bound, value in bound_to(each) if bound.id == name] or [each.value]
        divided = any(isinstance(each, ast.AugAssign) and isinstance(each.op, ast.Div) for each in statements)
        found = [kind for value in values for kind in self.kinds(value, within)]
        return [kind for kind in dict.fromkeys([*found, *(["float"] if divided else [])]) if kind != name]

    def kinds(self, value: ast.expr, within: frozenset[str] = frozenset()) -> list[str]:
        """The names and types of whose kind a value is: an array's `dtype` promotes over them."""
        match value:
            case ast.Constant(value=float()):
                return ["float"]
            case ast.Name(id=name) if name not in self.before and name not in stored(self.function.body):
                held = self.spot.value(value)  # of the module
                return ["float"] if type(held) is float else [name] if is_a(held, (jax.Array, np.ndarray, np.generic)) else []
            case ast.Name(id=name) if name not in self.before:
                if array := self._iterated(name):
                    return [f"{array}.dtype"]
                return [] if name in within else self._promoting(name, within)
            case ast.Name(id=name):
                fact = self.spot.fact(value)
                return [name] if fact is not None and fact.dtype in ("i", "u", "f", "c") else []
            case ast.Subscript(value=ast.Name(id=name) as owner) if name in self.before:
                fact = self.spot.fact(owner)
                return (
                    [f"{name}.dtype"]
                    if fact is not None and fact.sort == "array" and fact.dtype in ("i", "u", "f", "c")
                    else []
                )
            case ast.BinOp(left=left, op=op, right=right):
                return [
                    *self.kinds(left, within),
                    *self.kinds(right, within),
                    *(["float"] if isinstance(op, ast.Div) else []),
                ]
            case ast.UnaryOp(operand=operand) if not isinstance(value.op, ast.Not):
                return self.kinds(operand, within)
            case ast.IfExp(body=body, orelse=orelse):
                return [*self.kinds(body, within), *self.kinds(orelse, within)]
            case ast.Call() if (known := called(self.spot, value)) is not None and known.name not in _OWN_KIND:
                inner = [kind for each in known.arguments[known.name == "where" :] for kind in self.kinds(each, within)]
                floats = known.name in FLOATS or (known.operation.safety == PARTIAL and known.name != "power")
                return [*inner, *(["float"] if floats else [])]
            case ast.Call(func=func) if is_drawn(self.spot, func):
                fact = self.spot.fact(value)
                if fact is None or fact.dtype != "f":
                    return []
                own = fact.exactly == jax.dtypes.canonicalize_dtype(float).name
                return [self.spot.jnp("float_") if own else "float"]  # a draw is no number of Python's, which takes any dtype
        return []

    def _was_number(self, name: str) -> bool:
        """Whether a name may stand for a number of Python's when the container is made."""
        for node in ast.walk(self.function):
            match node:
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                    fact = self.spot.fact(value)
                    if fact is None or fact.sort != "array":
                        return True
        return False

    def _iterated(self, name: str) -> str:
        """The array over which a loop's variable runs, or a part of which it runs over."""
        for node in ast.walk(self.function):
            match node:
                case (
                    ast.For(target=ast.Name(id=target), iter=ast.Name(id=array))
                    | ast.For(target=ast.Name(id=target), iter=ast.Subscript(value=ast.Name(id=array), slice=ast.Slice()))
                ) if target == name and array in self.before:
                    if is_array(self.spot, array):
                        return array
        return self._taken_from(name)

    def _taken_from(self, name: str) -> str:
        """The array of which a variable is an element: `t = y[i]`, or `for x, t in zip(X, y)`, and nothing else anywhere."""
        nodes = [*ast.walk(self.function)]
        inner = {n for each in nodes if isinstance(each, ast.comprehension) for n in ast.walk(each.target)}  # of its own scope
        bound = [n for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n not in inner]
        stores = [node for node in bound if node.id == name]
        if len(stores) != 1:
            return ""
        array: ast.expr | None = None
        match self.spot.code.statement(stores[0]):
            case ast.Assign(targets=[ast.Name()], value=ast.Subscript(value=array)):
                pass
            case ast.For(target=ast.Tuple(elts=names), iter=pairs) if arrays := self._zipped(pairs):
                array = dict(zip(names, arrays, strict=False)).get(stores[0])
            case ast.For(
                target=ast.Tuple(elts=[_, ast.Tuple(elts=names)]), iter=ast.Call(func=ast.Name(id="enumerate"), args=[each])
            ):
                array = dict(zip(names, self._zipped(each), strict=False)).get(stores[0])
            case ast.For(target=ast.Tuple(elts=[_, each]), iter=ast.Call(func=ast.Name(id="enumerate"), args=[over])):
                array = over if each is stores[0] else None
        while isinstance(array, ast.Subscript):
            array = array.value
        if not isinstance(array, ast.Name) or self._is_bound_later(array.id, bound):
            return ""
        return array.id if array.id in self.before and is_array(self.spot, array.id) else ""

    def _zipped(self, pairs: ast.expr) -> list[ast.expr]:
        """a and b of `zip(a, b)`, and of a name that stands for `list(zip(a, b))`."""
        match bound_once(self.function, pairs.id) if isinstance(pairs, ast.Name) else pairs:
            case ast.Call(func=ast.Name(id="list"), args=[ast.Call(func=ast.Name(id="zip"), args=arrays)]):
                return arrays
            case ast.Call(func=ast.Name(id="zip"), args=arrays):
                return arrays
        return []

    def _is_bound_later(self, name: str, bound: list[ast.Name]) -> bool:
        """Whether a name may stand for another value than where the container is made."""
        lines = [node.lineno for node in bound if node.id == name]
        return len(lines) > 1 and max(lines) >= self.made.lineno

    def _zeros(self, value: ast.expr) -> str:
        """The lengths of a row that was made as `row = jnp.zeros(n)`, of names that are known before."""
        if not isinstance(value, ast.Name) or value.id in self.before:
            return ""
        made = [
            each.value
            for each in walk_scope(self.function.body)
            if isinstance(each, ast.Assign) and [*map(self.spot.code.src, each.targets)] == [value.id]
        ]
        for each in made:
            match each:
                case ast.Call(func=ast.Attribute(attr="zeros"), args=[lengths, *_]) if loaded([lengths]) <= self.before | {
                    name for name in loaded([lengths]) if name in self.spot.globals and self.spot.code.is_global(name, lengths)
                }:
                    text = self.spot.code.src(lengths)
                    return text[1:-1].rstrip(", ") if isinstance(lengths, ast.Tuple) else text
        return ""

    def _shape(self, value: ast.expr) -> str:
        match value:
            case ast.Name(id=name) if name in self.before and is_array(self.spot, name):
                return f"{name}.shape"
            case ast.Name(id=name) if array := self._iterated(name):
                return f"{array}.shape[1:]"
            case ast.Subscript(value=ast.Name(id=array), slice=index) if array in self.before and is_array(self.spot, array):
                return "" if isinstance(index, ast.Slice | ast.Tuple) else f"{array}.shape[1:]"
            case ast.Name(id=name):
                shape = attribute(self.spot.locals.get(name), "shape", None)
                same = [each for each in sorted(self.before) if attribute(self.spot.locals.get(each), "shape", ()) == shape]
                return f"{same[0]}.shape" if shape and same else ""
        return self._shape_of_another(value)

    def _shape_of_another(self, value: ast.expr) -> str:
        """The shape of an array that is known before and was as large: best of one that the value is computed from."""
        fact = self.spot.fact(value)
        if fact is None or not fact.shape:
            return ""
        inside = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
        for name in sorted(self.before, key=lambda each: (each not in inside, each)):
            if attribute(self.spot.locals.get(name), "shape", ()) == fact.shape:
                return f"{name}.shape"
        for name in sorted(inside):
            array = self._iterated(name)
            if array and attribute(self.spot.locals.get(array), "shape", ())[1:] == fact.shape:
                return f"{array}.shape[1:]"
        return ""

    def _shape_of_axes(self, value: ast.expr) -> str:
        """The first or last lengths of an array that is known before and from which the value is computed: `x.shape[:1]` of
        what has one number for each row of x."""
        fact = self.spot.fact(value)
        if fact is None or not fact.shape or min(fact.shape) < 2:
            return ""
        count = len(fact.shape)
        for name in sorted(self._computed_from(value) & self.before):
            own = attribute(self.spot.locals.get(name), "shape", ())
            if own[:count] == own[-count:]:
                continue  # of a square nobody knows which of the two
            if count < len(own) and own[:count] == fact.shape:
                return f"{name}.shape[:{count}]"
            if count < len(own) and own[-count:] == fact.shape:
                return f"{name}.shape[-{count}:]"
        return ""

    def _computed_from(self, value: ast.expr) -> set[str]:
        """The names that a value depends on, also through others that are assigned in the function."""
        given = [node for node in walk_scope(self.function.body) if isinstance(node, ast.Assign)]
        found: set[str] = set()
        new = loaded([value])
        while new:
            found |= new
            new = {name for node in given if new & {*stored([node])} for name in loaded([node.value])} - found
        return found


def _beside_whole_numbers(value: ast.expr) -> ast.expr:
    """v of `2 * v`, `v - 1`, `-v`: of the same dtype, unless v is a flag."""
    match value:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _beside_whole_numbers(operand)
        case (
            ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult(), left=ast.Constant(value=int() as number), right=inner)
            | ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult(), left=inner, right=ast.Constant(value=int() as number))
        ) if not isinstance(number, bool):
            return _beside_whole_numbers(inner)
    return value


def _row(spot: Spot, value: ast.expr) -> list[ast.expr]:
    """What stands in `jnp.array([a, b])` or `[a, b]`; nothing for other values."""
    match value:
        case ast.Call(func=func, args=[ast.List(elts=items) | ast.Tuple(elts=items)], keywords=[]) if is_of(spot, func):
            pass
        case ast.List(elts=items) | ast.Tuple(elts=items):
            pass
        case _:
            return []
    return [] if any(isinstance(item, ast.Starred) for item in items) else items


def _is_number(fact: Fact) -> bool:
    return (fact.sort in ("array", "host", "number") or bool(fact.dtype)) and fact.ndim >= 0


def is_array(spot: Spot, name: str) -> bool:
    """Whether a name stands for an array (or a traced number)."""
    held = spot.globals.get(name) if spot.code.is_global(name, spot.node) else None
    return isinstance(spot.locals.get(name, held), jax.Array | np.ndarray)


def is_of(spot: Spot, func: ast.expr) -> bool:
    """Whether it makes an array of what it is given, one by one."""
    return text_attribute(spot.value(func), "__name__") in MAKES_ARRAYS


def is_drawn(spot: Spot, func: ast.expr) -> bool:
    """Whether it is one of `jax.random`'s functions."""
    return text_attribute(spot.value(func), "__module__").startswith(("jax.random", "jax._src.random"))


def copied_array(spot: Spot, value: ast.expr) -> ast.expr | None:
    """The array of `list(x)`; None for other expressions."""
    match value:
        case ast.Call(func=ast.Name(id="list"), args=[ast.Name(id=name) as array], keywords=[]) if spot.is_builtin("list"):
            return array if is_array(spot, name) else None
    return None


def each_of_an_array(spot: Spot, value: ast.expr) -> ast.Name | None:
    """The array of `list(x)`, or of `[v for v in x]`; None for other expressions."""
    match value:
        case ast.ListComp(
            elt=ast.Name(id=each), generators=[ast.comprehension(target=ast.Name(id=target), iter=ast.Name() as array, ifs=[])]
        ) if each == target:
            return array if is_array(spot, array.id) else None
    copied = copied_array(spot, value)
    return copied if isinstance(copied, ast.Name) else None


def listed_row(spot: Spot, item: ast.expr) -> ast.expr:
    """`x[0]` of the item `list(x[0])`, a row of its own: as an array it is one anyway; any other item is itself."""
    match item:
        case ast.Call(func=ast.Name(id="list"), args=[row], keywords=[]) if spot.is_builtin("list"):
            fact = spot.fact(row)
            return row if fact is not None and fact.sort == "array" and fact.ndim > 0 else item
    return item
