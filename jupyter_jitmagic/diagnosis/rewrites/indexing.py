"""Attributes and subscripts of values of unknown length: `s.size`, `s[1:]`, `s[:, 0]`, `table[s]`."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from jupyter_jitmagic.diagnosis.rewrites.both_axes import gathered
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, Writer, enclosed
from jupyter_jitmagic.diagnosis.rewrites.repeating import ends_of, turned
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE, terms
from jupyter_jitmagic.source.code import words
from jupyter_jitmagic.source.names import bound_to, stored, walk_scope


class Indexing(Writer):
    """What is read of a value of unknown length by its places."""

    excludes: dict[str, str]

    rounds: dict[str, tuple[int, str]]
    """Numbers of rounds of Python's that a selection counts: the first of them, and the mask in front whose places they are."""

    def visit(self, node: ast.expr) -> Ragged | None:
        """The edits of an expression and its `Ragged` (None: its length is known)."""
        raise NotImplementedError

    def as_columns(self, node: ast.expr, parts: list[ast.expr]) -> Ragged | None:
        """Columns side by side; `reshaping.Reshaping` knows them."""
        raise NotImplementedError

    def count_of(self, node: ast.expr) -> Ragged | None:
        """The selection whose length an expression is."""
        raise NotImplementedError

    def plain(self, *nodes: ast.expr) -> None:
        """None of these may be of unknown length."""
        for node in nodes:
            if isinstance(node, ast.Starred):
                node = node.value
            if self.visit(node) is not None:
                self.stop(node)

    def place_alike(self, place: ast.expr, base: Ragged) -> str:
        """The place in the whole array of what was found in a list of the same length; `choosing` knows."""
        raise NotImplementedError

    def ndim(self, node: ast.expr) -> int | None:
        fact = self.spot.fact(node)
        return fact.ndim if fact is not None and fact.sort in ("array", "host", "number") and fact.ndim >= 0 else None

    def _attribute(self, node: ast.Attribute) -> Ragged | None:
        found = self.visit(node.value)
        if found is None or node.attr in ("dtype", "ndim"):
            return None
        if node.attr == "size":
            others = [k for k in range(found.ndim) if k != found.axis and not found.flat]
            if (others and found.grid) or not all(found.grid):
                self.stop(node)
            array, count = self.operand(node.value), self.count(found)
            sizes = "".join(f" * {array}.shape[{k}]" for k in others)
            alone = not sizes or isinstance(self.code.parents[node], ast.stmt)
            self.replace(node, f"{count}{sizes}" if alone else f"({count}{sizes})")
            return None
        if node.attr == "T":
            if found.grid and found.grid != found.grid[::-1]:
                self.stop(node)
            if found.flat:
                return replace(found)
            return replace(found, axis=found.ndim - 1 - found.axis)
        if node.attr in ("real", "imag", "at"):
            return found
        self.stop(node)

    def _subscript(self, node: ast.Subscript) -> Ragged | None:
        value = node.value
        if isinstance(value, ast.Attribute) and value.attr == "shape":
            return self._one_size(node, value)
        index = node.slice
        parts = list(index.elts) if isinstance(index, ast.Tuple) else [index]
        if isinstance(value, ast.Attribute) and value.attr == "c_" and is_module(self.spot, value.value):
            return self.as_columns(node, parts)
        base = self.visit(value)
        if (table := gathered(self, node, base, parts)) is not None:
            return table
        if base is None:
            return self._gathered(node)
        if base.group:
            if self.code.src(index) != base.group:
                self.stop(node)
            self.replace(index, base.mask)
            return None
        if base.flat or base.listed:
            return self._element(node, base, parts) if len(parts) == 1 else self.stop(node)
        if self._in_each_row(node, base, parts):
            return replace(base, ndim=1, direct=False, pad="", source=-1)
        axis, ndim, at = self._counted_axes(node, base, parts)
        if at is None:  # the axis of unknown length is left whole
            return replace(base, axis=axis, ndim=ndim, direct=False)
        if isinstance(parts[at], ast.Slice):
            lone = all(isinstance(part, ast.Slice) and _is_whole(part) for k, part in enumerate(parts) if k != at)
            if not lone:
                self.stop(node)
            return self._sliced(node, base, parts[at], parts)  # type: ignore[arg-type]
        return self._element(node, base, parts, at)

    def _in_each_row(self, node: ast.Subscript, base: Ragged, parts: list[ast.expr]) -> bool:
        """`rows[jnp.arange(len(places)), places]` of rows and places that were selected alike: one element of each row."""
        match parts:
            case [ast.Call(func=ast.Attribute(attr="arange"), args=[length], keywords=[]), places] if base.ndim == 2:
                counted, found = self.count_of(length), self.visit(places)
            case _:
                return False
        if base.axis or counted is None or found is None or not (counted.mask == found.mask == base.mask and not found.behind):
            return False
        self.replace(length, f"{self.operand(node.value)}.shape[0]")
        return True

    def _one_size(self, node: ast.Subscript, shape: ast.Attribute) -> Ragged | None:
        found = self.visit(shape.value)
        if found is None:
            self.plain(node.slice)
            return None
        match node.slice:
            case ast.Constant(value=int() as number):
                place = number % found.ndim
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
                place = -number % found.ndim
            case _:
                self.stop(node)
        if found.grid:
            mask = found.grid[place]
            if mask:
                self.replace(node, self.count(Ragged(mask)))
        elif found.flat or place == found.axis:
            self.replace(node, self.count(found))
        return None

    def _counted_axes(self, node: ast.Subscript, base: Ragged, parts: list[ast.expr]) -> tuple[int, int, int | None]:
        """(the axis of unknown length afterwards, the number of axes, the number of the part that cuts it)."""
        axis = out = 0
        place, cut = -1, None
        for number, part in enumerate(parts):
            value = part.value if isinstance(part, ast.Constant) else part
            if value is None:
                out += 1
                continue
            if value is Ellipsis:
                rest = sum(not (isinstance(p, ast.Constant) and p.value is None) for p in parts[number + 1 :])
                skipped = base.ndim - rest - axis
                if axis <= base.axis < axis + skipped:
                    place = out + base.axis - axis
                axis, out = axis + skipped, out + skipped
                continue
            if axis == base.axis:
                place = out
                if not (isinstance(part, ast.Slice) and _is_whole(part)):
                    cut = number
                out += 1
            elif isinstance(part, ast.Slice):
                self.plain(*(bound for bound in (part.lower, part.upper, part.step) if bound is not None))
                out += 1
            else:
                self.plain(part)
                if (self.ndim(part) or 0) > 0:
                    self.stop(node)
            axis += 1
        if place < 0:
            place = out + base.axis - axis
        return place, out + max(base.ndim - axis, 0), cut

    def _gathered(self, node: ast.Subscript) -> Ragged | None:
        """An array of known length, read by an index that may be of unknown length: it has the index's length."""
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        found: list[Ragged] = []
        place = 0
        for number, part in enumerate(parts):
            if isinstance(part, ast.Slice):
                self.plain(*(bound for bound in (part.lower, part.upper, part.step) if bound is not None))
                continue
            index = self.visit(part)
            if index is not None:
                others = [other for other in parts if other is not part and not isinstance(other, ast.Slice)]
                if index.dtype == "b" or (index.ndim > 1 and (index.flat or index.listed or others)):
                    self.stop(node)
                place = number if not found else place
                found.append(index)
        if not found:
            return None
        if any(not each.like(found[0]) for each in found[1:]):
            self.stop(node)
        ndim = self.ndim(node.value)
        before = sum(isinstance(part, ast.Slice) for part in parts[:place])
        gone = sum(not isinstance(part, ast.Slice) for part in parts)
        total = (ndim if ndim is not None else gone) - gone + found[0].ndim
        fact = self.spot.fact(node)
        dtype = fact.dtype if fact is not None and fact.dtype else "f"
        return replace(found[0], axis=before + found[0].axis, ndim=max(total, 1), pad="", dtype=dtype, direct=False)

    def _element(self, node: ast.Subscript, base: Ragged, parts: list[ast.expr], at: int = 0) -> Ragged | None:
        """One element, or those at given places."""
        part = parts[at]
        number = _integer(part)
        if number is None and not isinstance(part, ast.Slice):
            if len(parts) == 1 and (alike := self.place_alike(part, base)):
                self.replace(part, alike)
                return None
            places = self.visit(part)
            if places is not None and not places.flat and places.ndim == 1 and places.dtype != "b" and len(parts) == 1:
                base = self.ordered(node.value, base)
                return replace(places, ndim=base.ndim, dtype=base.dtype, source=base.source, pad="", direct=False)
            self.plain(part)
        if isinstance(part, ast.Slice):
            return self._sliced(node, base, part, parts)
        if number in (0, -1) and (base.times or not base.front) and not base.flat and not base.listed:
            mask = enclosed(base.mask)
            first = f"{self.jnp('argmax')}({mask})" if number == 0 else f"-1 - {self.jnp('argmax')}({mask}[::-1])"
            self.replace(part, first)
            return None
        if base.times and base.ndim == 1 and len(parts) == 1 and not base.flat and not base.listed:
            ends = ends_of(self, base)
            place = self._nearest(node, part, lambda: f"{ends}[-1]")
            self.replace(part, f"{self.jnp('searchsorted')}({ends}, {place}, side='right')")
            return None
        base = self.ordered(node.value, base)
        if isinstance(part, ast.Name) and self.rounds.get(part.id, (0, ""))[1] == base.mask:
            return None  # one of those that count
        if number != 0:
            self.replace(part, self._nearest(node, part, lambda: self.count(base)))
        return None

    def _nearest(self, node: ast.Subscript, part: ast.expr, count: Callable[[], str]) -> str:
        """Where an index points among as many elements; past them to the nearest, as JAX takes it."""
        number = _integer(part)
        if number == -1:
            return f"{count()} - 1"
        if number is not None and number < 0:  # JAX takes the first where there are fewer
            return f"{self.jnp('maximum')}({count()} - {-number}, 0)"
        if number is None and not (_never_negative(part) or self._is_of_a_round(part)):  # it may count from the end
            text = self.text(part)
            if isinstance(part, ast.List) and self.spot.fact(node) is not None:  # of NumPy's array, which takes one
                text = f"{self.jnp('array')}({text})"
            place, of = self.named(text, "place", "asked"), count()
            front, back = f"{self.jnp('minimum')}({place}, {of} - 1)", f"{self.jnp('maximum')}({of} + {place}, 0)"
            return f"{self.jnp('where')}({place} < 0, {back}, {front})"
        return f"{self.jnp('minimum')}({self.text(part)}, {count()} - 1)"

    def _is_of_a_round(self, part: ast.expr) -> bool:
        """Whether it is the number of a round of Python's, or one before that which is none below 0."""
        match part:
            case ast.Name(id=name):
                return name in self.rounds
            case ast.BinOp(left=ast.Name(id=name), op=ast.Sub(), right=ast.Constant(value=int() as back)):
                return name in self.rounds and self.rounds[name][0] >= back
            case ast.BinOp(left=ast.Name(id=name), op=ast.Add(), right=ast.Constant(value=int() as on)):
                return name in self.rounds and on >= 0
        return False

    def _sliced(self, node: ast.Subscript, base: Ragged, part: ast.Slice, parts: list[ast.expr]) -> Ragged | None:
        """A part of it; lengths that are known cut the front, others the mask."""
        bounds = [None if bound is None else _integer(bound) for bound in (part.lower, part.upper, part.step)]
        given = [bound is not None for bound in (part.lower, part.upper, part.step)]
        lower, upper, step = bounds
        if given == [False, False, True] and step == -1:
            mask = f"{enclosed(base.mask)}[::-1]"
            return turned(self, base, self.named(mask, "kept", "chosen"))
        if base.times:
            self.stop(node)
        if given == [False, True, False] and part.upper is not None and base.least and self._is_at_most(part.upper, base.least):
            base = self.ordered(node.value, base)  # as many as that there are in any case
            return None
        if (shift := self._round_in(node, part)) is not None:
            base = self.ordered(node.value, base)
            return self._masked(base, f"{enclosed(base.mask)}[{shift}:]")
        if any(has and value is None for has, value in zip(given, bounds, strict=True)):
            return self._cut_by_data(node, base, part)
        if given[1] and not given[0] and not given[2] and upper is not None and upper > 0:
            base = self.ordered(node.value, base)
            return self._masked(base, f"{enclosed(base.mask)}[:{upper}]")
        goes_on = self._goes_on_in_its_loop(node) or self._becomes_its_array(node)
        if given == [True, False, False] and lower is not None and lower > 0 and goes_on:
            mask = enclosed(base.mask)  # each round's array is as long as the last one's
            places = (
                f"{self.jnp('arange')}({mask}.size) >= {lower}" if base.front else f"{self.jnp('cumsum')}({mask}) > {lower}"
            )
            self.replace(node, self.text(node.value))
            return self._masked(base, f"{mask} & ({places})", front=False)
        if given[0] and not given[1] and lower is not None and lower >= 0 and (step or 1) > 0:
            base = self.ordered(node.value, base)
            return self._masked(base, f"{enclosed(base.mask)}[{lower}:{f':{step}' if step else ''}]")
        if given == [False, False, True] and step is not None and step > 0:
            base = self.ordered(node.value, base)
            return self._masked(base, f"{enclosed(base.mask)}[::{step}]")
        if given == [False, True, False] and upper is not None and upper < 0 and self._becomes_its_array(node):
            mask = enclosed(base.mask)
            places = (
                f"{self.jnp('arange')}({mask}.size) < {self.counted(base)} - {-upper}"
                if base.front
                else f"{self.jnp('cumsum')}({mask}[::-1])[::-1] > {-upper}"
            )
            self.replace(node, self.text(node.value))
            return self._masked(base, f"{mask} & ({places})", front=base.front)
        if given == [False, True, False] and upper is not None and upper < 0:  # without the last ones
            base = self.ordered(node.value, base)
            return self._masked(base, f"{enclosed(base.mask)}[{-upper}:]")
        if given == [True, False, False] and lower is not None and lower < 0 and len(parts) == 1:  # the last ones
            base = self.ordered(node.value, base)
            places = self.named(f"{self.count(base)} + {self.jnp('arange')}({lower}, 0)", "last", "places")
            self.replace(part, places)
            return self._masked(base, f"{enclosed(places)} >= 0", front=False)
        if given == [True, True, False] and lower is not None and upper is not None and lower >= 0:
            base = self.ordered(node.value, base)
            if upper > lower:
                return self._masked(base, f"{enclosed(base.mask)}[{lower}:{upper}]")
            if upper < 0:
                return self._masked(base, f"{enclosed(base.mask)}[{lower - upper}:]")
        self.stop(node)

    def _round_in(self, node: ast.Subscript, part: ast.Slice) -> str | None:
        """The k of `x[k:]` or `x[:-k]`, the number of a round of Python's from 1 on: both leave out as many."""
        match part:
            case ast.Slice(lower=ast.Name(id=name), upper=None, step=None):
                pass
            case ast.Slice(lower=None, upper=ast.UnaryOp(op=ast.USub(), operand=ast.Name(id=name)), step=None):
                pass
            case _:
                return None
        if self._goes_on_in_its_loop(node):
            return None
        for at in self.code.ancestors(node):
            if isinstance(at, ast.For) and name in stored([at]):
                alone = isinstance(at.target, ast.Name) and at.target.id == name and name not in stored(at.body)
                return name if alone and self._from_one_on(at.iter) else None
        return None

    def _from_one_on(self, rounds: ast.expr) -> bool:
        match rounds:
            case ast.Call(func=ast.Name(id="range"), args=[first, _], keywords=[]) if self.spot.is_builtin("range"):
                return (_integer(first) or 0) > 0
            case ast.Tuple(elts=numbers) | ast.List(elts=numbers):
                return all((_integer(each) or 0) > 0 for each in numbers)
        return False

    def _is_at_most(self, bound: ast.expr, length: str) -> bool:
        """Whether a bound of a slice is no more than a length, whatever its numbers are."""
        one, other = terms(bound, self.text), terms(ast.parse(length, mode="eval").body, ast.unparse)
        if one is None or other is None or (_integer(bound) or 0) < 0:
            return False
        more = Counter(other)
        more.subtract(one)
        left = {atoms: number for atoms, number in more.items() if number}
        return not left or (set(left) == {()} and left[()] > 0)

    def _goes_on_in_its_loop(self, node: ast.Subscript) -> bool:
        """`rest = x[1:]` in a loop in which x is bound anew."""
        statement = self.code.parents[node]
        if not isinstance(statement, ast.Assign) or not isinstance(node.value, ast.Name):
            return False
        loops = (at for at in self.code.ancestors(statement) if isinstance(at, ast.For | ast.While))
        return any(node.value.id in stored(loop.body) for loop in loops)

    def _becomes_its_array(self, node: ast.Subscript) -> bool:
        """`last, rest = x[-1], x[:-1]` in a loop that goes on with `x = rest[mask]`, or with `rest` itself."""
        statement = self.code.statement(node)
        if not isinstance(statement, ast.Assign) or not isinstance(node.value, ast.Name):
            return False
        made = next((name.id for name, value in bound_to(statement) if node in _taken_in_turn(value)), "")
        loop = next((at for at in self.code.ancestors(statement) if isinstance(at, ast.For | ast.While)), None)
        assigned = [each for each in walk_scope(loop.body if loop is not None else []) if isinstance(each, ast.Assign)]
        kept = [_taken_in_turn(value)[-1] for each in assigned for name, value in bound_to(each) if name.id == node.value.id]
        return bool(made) and (made == node.value.id or made in [each.id for each in kept if isinstance(each, ast.Name)])

    def _cut_by_data(self, node: ast.Subscript, base: Ragged, part: ast.Slice) -> Ragged:
        if part.step is not None:
            self.stop(node)
        base = self.ordered(node.value, base)
        places = f"{self.jnp('arange')}({enclosed(base.mask)}.size)"
        tests = [enclosed(base.mask)]
        for bound, sign in ((part.lower, ">="), (part.upper, "<")):
            if bound is not None:
                self.plain(bound)
                tests.append(f"({places} {sign} {self._from_the_front(bound, base)})")
        self.replace(node, self.text(node.value))
        return self._masked(base, " & ".join(tests), front=part.lower is None)

    def _from_the_front(self, bound: ast.expr, base: Ragged) -> str:
        """A bound as a place: `-k` counts from the end, but for 0."""
        if not (isinstance(bound, ast.UnaryOp) and isinstance(bound.op, ast.USub)):
            if not _never_negative(bound):
                self.excludes |= NEGATIVE
            return self.operand(bound)
        back = self.operand(bound.operand)
        return f"{self.jnp('where')}({back} > 0, {self.count(base)} - {back}, -{back})"

    def _masked(self, base: Ragged, mask: str, front: bool = True) -> Ragged:
        """The same with another mask."""
        name = self.named(mask, "kept", "chosen", "valid")
        return replace(base, mask=name, front=front, direct=False, pad="", length="", least="")


def _is_whole(part: ast.Slice) -> bool:
    return part.lower is None and part.upper is None and part.step is None


def _taken_in_turn(node: ast.expr) -> list[ast.expr]:
    """`x[1:][mask]`, `x[1:]` and `x`: what is taken, of what that is taken, and so on."""
    parts = [node]
    while isinstance(parts[-1], ast.Subscript):
        parts.append(parts[-1].value)
    return parts


def _integer(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
            return -number
    return None


_COUNTING = words("argmax argmin argsort searchsorted count_nonzero size len categorical")


def _never_negative(node: ast.expr) -> bool:
    """Whether a place is counted from the front by what it is made of: `len(x) // 2`, `jnp.argmax(x)`."""
    match node:
        case ast.Constant(value=int() as number):
            return number >= 0
        case ast.BinOp(left=left, op=ast.Add() | ast.Mult() | ast.FloorDiv() | ast.Mod(), right=right):
            return _never_negative(left) and _never_negative(right)
        case ast.Subscript(value=ast.Attribute(attr="shape")) | ast.Attribute(attr="size"):
            return True
        case ast.Call(func=ast.Name(id="int"), args=[inner]):
            return _never_negative(inner)
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in _COUNTING
    return False
