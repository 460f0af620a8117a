"""Sets of the places at which a mask holds: `seen |= set(np.flatnonzero(site > 0).tolist())`, `len(a & b)` → the masks,
of which `&`, `|` and `-` ask the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.host_functions import host_names
from jupyter_jitmagic.diagnosis.rewrites.inlining import in_another_function
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, stored, walk

_PLACES = {"numpy.flatnonzero", "numpy.where", "numpy.nonzero"}
_OPS: dict[type[ast.operator], str] = {ast.BitAnd: "& ", ast.BitOr: "| ", ast.BitXor: "^ ", ast.Sub: "& ~"}
_METHODS = {"union": "| ", "intersection": "& ", "difference": "& ~", "symmetric_difference": "^ "}
_UPDATES = {"update": "| ", "intersection_update": "& ", "difference_update": "& ~"}
_BELOW = {"negative int": "numbers below zero, which are in no set of places"}
SET_ORDER = "the elements of the set come in order, which a set of Python's need not keep"
_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """More is asked of a set of places than a mask answers."""


def as_masks(spot: Spot) -> Iterator[Step]:
    """All sets of places of the function, and all that is asked of them."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    made = [node for node in walk(function) if isinstance(node, ast.expr) and mask_of(spot, node) is not None]
    if not made:
        return
    try:
        sets = _Sets(spot, function, made)
        edits = sets.edits()
        yield spot.step("mask", *edits, excludes=_BELOW, note=SET_ORDER if sets.in_any_order else "")
    except _Refused:
        return


def mask_of(spot: Spot, node: ast.expr) -> ast.expr | None:
    """The mask of `set(np.flatnonzero(m).tolist())`, `set(np.where(m)[0])`."""
    match node:
        case ast.Call(func=ast.Name(id="set"), args=[inner], keywords=[]) if spot.is_builtin("set"):
            pass
        case _:
            return None
    match inner:
        case ast.Call(func=ast.Attribute(value=inner, attr="tolist"), args=[], keywords=[]):
            pass
    match inner:
        case ast.Subscript(value=ast.Call(func=func, args=[mask], keywords=[]), slice=ast.Constant(value=0)):
            wanted = {"where", "nonzero"}
        case ast.Call(func=func, args=[mask], keywords=[]):
            wanted = {"flatnonzero"}
        case _:
            return None
    known = {*host_names(spot, func)} & _PLACES or {spot.code.src(func)} & {spot.jnp(name) for name in wanted}
    fact = spot.fact(mask)
    named = spot.code.src(func).rpartition(".")[2] in wanted
    return mask if known and named and fact is not None and fact.ndim == 1 else None


class _Sets:
    """The sets of places of a function.

    Attributes:
        names: variables that hold such sets.
        in_any_order: a loop goes through one as Python keeps it, which is in no order.
    """

    def __init__(self, spot: Spot, function: ast.FunctionDef, made: list[ast.expr]) -> None:
        self.spot, self.code, self.function, self.made = spot, spot.code, function, made
        self.names: set[str] = set()
        self.in_any_order = False
        while new := {name for name in self._bound() if name not in self.names}:
            self.names |= new

    def _bound(self) -> Iterator[str]:
        """Variables that are bound to what is such a set, as far as it is known."""
        for node in walk(self.function):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if self._is_set(value):
                    yield name
                case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
                    yield from (
                        t.id for t, v in zip(targets, values, strict=True) if isinstance(t, ast.Name) and self._is_set(v)
                    )
                case ast.AugAssign(target=ast.Name(id=name), value=value) if self._is_set(value):
                    yield name
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr), args=[value]) if attr in _UPDATES:
                    if self._is_set(value):
                        yield name

    def _is_set(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self.names
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPS:
                return self._is_set(left) and self._is_set(right)
            case ast.Call(func=ast.Attribute(value=owner, attr=attr), args=[other], keywords=[]) if attr in _METHODS:
                return self._is_set(owner) and self._is_set(other)
        return node in self.made

    def edits(self) -> list[_Edit]:
        """What stands in their place.

        Raises:
            _Refused: there is another use of one.
        """
        edits = list[_Edit]()
        done: set[ast.AST] = set()
        for node in walk(self.function):
            if not isinstance(node, ast.expr) or node in done or not self._is_set(node):
                continue
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                edits += self._begun(node)
                continue
            whole: ast.expr = node
            while isinstance(parent := self.code.parents[whole], ast.expr) and self._is_set(parent):
                whole = parent
            if (
                isinstance(parent, ast.Attribute)
                and isinstance(outer := self.code.parents[parent], ast.Call)
                and self._is_set(outer)
            ):
                continue  # of `a.union(b)`, which is asked as a whole
            done |= set(ast.walk(whole))
            edits += self._asked(whole)
        return edits

    def _asked(self, whole: ast.expr) -> Iterator[_Edit]:
        code, spot, mask = self.code, self.spot, self._text(whole)
        parent = code.parents[whole]
        if in_another_function(self.code, whole, self.function):
            raise _Refused
        if isinstance(whole, ast.Name) and isinstance(parent, ast.Assign | ast.Tuple):
            raise _Refused  # another name for the same set, which both may change
        match parent:
            case ast.Call(func=ast.Name(id="sorted"), args=[_], keywords=[]) as call if spot.is_builtin("sorted"):
                yield from self._each(call, whole, mask)
            case ast.For() | ast.comprehension():
                self.in_any_order = True
                yield from self._each(whole, whole, mask)
            case ast.Call(func=ast.Name(id="min" | "max" | "sum" as of), args=[_], keywords=[]) if spot.is_builtin(of):
                yield whole, f"{spot.jnp('flatnonzero')}({mask})"
            case ast.Call(func=ast.Name(id="len"), args=[_]) as call if spot.is_builtin("len"):
                yield call, f"{spot.jnp('sum')}({mask})"
            case ast.Compare(left=item, ops=[ast.In() | ast.NotIn() as op], comparators=[over]) as asked if over is whole:
                fact = spot.fact(item)
                if fact is None or fact.ndim != 0:
                    raise _Refused
                held = mask if mask.isidentifier() else f"({mask})"  # beyond its end there is none
                there = f'{held}.at[{code.expr(item)}].get(mode="fill", fill_value=False)'
                yield asked, there if isinstance(op, ast.In) else f"~{there}"
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if test is whole:
                yield whole, f"{spot.jnp('any')}({mask})"
            case ast.UnaryOp(op=ast.Not()):
                yield whole, f"{spot.jnp('any')}({mask})"
            case ast.Assign(value=value) if value is whole:
                yield whole, mask
            case ast.Tuple() as values if (
                isinstance(statement := code.parents[values], ast.Assign) and statement.value is values
            ):
                yield whole, mask
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value) as update if value is whole and type(op) in _OPS:
                yield update, f"{name} = {name} {_OPS[type(op)]}{self._operand(mask)}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr), args=[_]) as call if attr in _UPDATES:
                if not isinstance(code.parents[call], ast.Expr):
                    raise _Refused
                yield call, f"{name} = {name} {_UPDATES[attr]}{self._operand(mask)}"
            case ast.Attribute(attr=attr) as method if attr in _UPDATES:
                updated = code.parents[method]
                given = updated.args if isinstance(updated, ast.Call) else []
                if len(given) != 1 or not self._is_set(given[0]) or not isinstance(code.parents[updated], ast.Expr):
                    raise _Refused
            case _:
                raise _Refused

    def _each(self, items: ast.expr, whole: ast.expr, mask: str) -> Iterator[_Edit]:
        """`for v in sorted(seen):` → all places, of which those that are in it."""
        code, held = self.code, mask if mask.isidentifier() else f"({mask})"
        over = f"range({held}.shape[0])"
        if not self.spot.is_builtin("range"):
            raise _Refused
        match code.parents[items]:
            case ast.For(target=ast.Name(id=name), iter=each, body=[first, *_], orelse=[]) as loop if (
                each is items and code.on_own_lines([first])
            ):
                changed = {*stored(loop.body)} | {owner for node in walk(loop) if (owner := _updated(node))}
                if loaded([whole]) & changed or name in code.live_after(loop):
                    raise _Refused  # Python goes through the set as it was when the loop began
                yield code.with_parentheses(items), over
                start, indent = code.region([first])[0], code.indent(first)
                yield (start, start), f"{indent}if not {held}[{name}]:\n{indent}    continue\n"
            case ast.comprehension(target=ast.Name(id=name), iter=each) if each is items:
                yield code.with_parentheses(items), f"{over} if {held}[{name}]"
            case _:
                raise _Refused

    def _begun(self, target: ast.Name) -> Iterator[_Edit]:
        """`seen = set()` → a mask of nothing."""
        match self.code.parents[target]:
            case ast.Assign(value=value) | ast.AugAssign(value=value) if self._is_set(value):
                return
            case ast.Assign(targets=[only], value=ast.Call(func=ast.Name(id="set"), args=[]) as empty) if only is target:
                yield empty, self._empty()
            case ast.Tuple(elts=targets) as names if isinstance(statement := self.code.parents[names], ast.Assign):
                values = statement.value.elts if isinstance(statement.value, ast.Tuple) else []
                if len(values) != len(targets):
                    raise _Refused
                match values[targets.index(target)]:
                    case ast.Call(func=ast.Name(id="set"), args=[]) as empty:
                        yield empty, self._empty()
                    case value if not self._is_set(value):
                        raise _Refused
            case _:
                raise _Refused

    def _empty(self) -> str:
        """A mask of nothing, as long as the others: the array of which they are, or its rows, are known before."""
        parameters = {each.arg for each in ast.walk(self.function.args) if isinstance(each, ast.arg)}
        for node in self.made:
            mask = mask_of(self.spot, node)
            for part in ast.walk(mask) if mask is not None else ():
                fact = self.spot.fact(part) if isinstance(part, ast.Name) else None
                if not isinstance(part, ast.Name) or fact is None or fact.ndim != 1:
                    continue
                if part.id in parameters:
                    return f"{self.spot.jnp('zeros')}({part.id}.shape[0], bool)"
                for loop in walk(self.function):
                    match loop:
                        case ast.For(target=ast.Name(id=row), iter=ast.Name(id=table)) if (
                            row == part.id and table in parameters
                        ):
                            return f"{self.spot.jnp('zeros')}({table}.shape[1], bool)"
        raise _Refused

    def _text(self, node: ast.expr) -> str:
        """The mask of a set."""
        match node:
            case ast.Name(id=name):
                return name
            case ast.BinOp(left=left, op=op, right=right):
                return f"{self._operand(self._text(left))} {_OPS[type(op)]}{self._operand(self._text(right))}"
            case ast.Call(func=ast.Attribute(value=owner, attr=attr), args=[other]) if attr in _METHODS:
                return f"{self._operand(self._text(owner))} {_METHODS[attr]}{self._operand(self._text(other))}"
        mask = mask_of(self.spot, node)
        assert mask is not None
        fact = self.spot.fact(mask)
        test = "" if fact is not None and fact.dtype == "b" else " != 0"
        if fact is not None and fact.sort == "array":
            return f"{self.code.operand(mask)}{test}" if test else self.code.expr(mask)
        return f"{self.spot.jnp('asarray')}({self.code.expr(mask)}){test}"

    def _operand(self, text: str) -> str:
        """A mask's text as one side of an operator."""
        alone = isinstance(ast.parse(text, mode="eval").body, ast.Name | ast.Call | ast.Subscript | ast.Attribute)
        return text if alone else f"({text})"


def _updated(node: ast.AST) -> str:
    """The variable of which a method changes the set, `seen.update(…)`, or ""."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if attr in _UPDATES:
            return name
    return ""


RULES: list[Rule] = [as_masks]
