"""Slices with traced bounds that are put together to a whole again: `jnp.concatenate([jnp.zeros(k), x[: n - k]])` →
`jnp.where(jnp.arange(n) < k, jnp.zeros(n), jnp.roll(x, k, axis=0))`.

A lag, a rotation, a crossover, a reversed part, a row whose tokens go to its end: each piece is its array, moved to where the
piece stands, up to where the next one begins. What is put together otherwise is followed as values of unknown length
(`reshaping`).
"""

from __future__ import annotations

import ast
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import jax

from jupyter_jitmagic.diagnosis.proof.verify import OVERLAP
from jupyter_jitmagic.diagnosis.rewrites.effects import only_gives
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE, Polynomial, is_read_as_it_is, terms, traced, written
from jupyter_jitmagic.source.names import loaded, walk

_MADE = ("zeros", "ones", "full")
_LIKE = ("zeros_like", "ones_like", "full_like")
_TURNED = ("flip", "flipud")
APART = "pieces that overlap or leave a gap, which make a longer or shorter array"


@dataclass(frozen=True)
class _Piece:
    """A piece of a whole.

    Attributes:
        array: what it is cut from, or None where it is made.
        text: the source text of the whole array; `{}` stands for its length where it is made.
        start, length: where it begins in its array, and how long it is.
        backwards: it is turned round.
        counts: it is `jnp.arange(…)`, which is moved by a number that is taken away, and begins with `start`.
    """

    array: ast.expr | None
    text: str
    start: Polynomial
    length: Polynomial
    backwards: bool = False
    counts: bool = False


def rejoined(spot: Spot) -> Iterator[Step]:
    """Pieces of which the known bounds say that they make a whole."""
    for node in _calls_around(spot):
        if (parts := _parts(spot, node)) is not None:
            named = [_by_name(spot, part) for part in parts]
            text = _Whole(spot).text(node, [part if held is None else held for part, held in zip(parts, named, strict=True)])
            if text is not None:
                gone = [(spot.code.region([spot.code.statement(held)]), "") for held in named if held is not None]
                yield spot.step("where", (node, text), *gone, excludes={**NEGATIVE, OVERLAP: APART})
            return


_Part = ast.expr | tuple[ast.expr, str]


def _calls_around(spot: Spot) -> Iterator[ast.Call]:
    """Calls in which the place stands; of `tail = x[k:]` that in which the name is read."""
    if not isinstance(spot.node, ast.expr):
        return
    at: ast.expr = spot.node
    read = at
    statement, function = spot.code.statement(at), spot.function
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if at in ast.walk(value) and function is not None:
            reads = [each for each in walk(function) if isinstance(each, ast.Name) and each.id == name and each is not at]
            read = next((each for each in reads if _by_name(spot, each) is value), at)
    for place in dict.fromkeys((read, at)):
        around = itertools.takewhile(lambda node: not isinstance(node, ast.stmt), (place, *spot.code.ancestors(place)))
        yield from (node for node in around if isinstance(node, ast.Call))


def _by_name(spot: Spot, part: _Part) -> ast.expr | None:
    """The piece that a name stands for, where nothing else reads it."""
    if not isinstance(part, ast.Name) or spot.function is None:
        return None
    value = spot.code.bound_above(part.id, part)
    reads = [each for each in walk(spot.function) if isinstance(each, ast.Name) and each.id == part.id]
    if value is None or len(reads) > 2 or not spot.code.on_own_lines([statement := spot.code.statement(value)]):
        return None
    return value if isinstance(statement, ast.Assign) and statement.value is value else None


def _parts(spot: Spot, node: ast.Call) -> list[_Part] | None:
    """What a call puts together along the first axis; of `jnp.pad`, how many of which constant."""
    if not isinstance(node.func, ast.Attribute) or not is_module(spot, node.func.value):
        return None
    match node.func.attr, node.args, node.keywords:
        case "concatenate" | "hstack", [ast.List(elts=parts) | ast.Tuple(elts=parts)], []:
            return list(parts) if not any(isinstance(part, ast.Starred) for part in parts) else None
        case "concatenate", [ast.List(elts=parts) | ast.Tuple(elts=parts)], [
            ast.keyword(arg="axis", value=ast.Constant(value=0))
        ]:
            return list(parts)
        case "append", [one, two], []:
            return [one, two]
        case "pad", [array, ast.Tuple(elts=widths), *mode], options:
            return _padding(spot, array, widths, mode, {each.arg: each.value for each in options})
    return None


def _padding(
    spot: Spot, array: ast.expr, widths: list[ast.expr], mode: list[ast.expr], options: dict[str | None, ast.expr]
) -> list[_Part] | None:
    """The pieces of `jnp.pad(x[:n], (k, 0), constant_values=v)`, `jnp.pad(x[:n], ((k, 0), (0, 0)))`."""
    match widths:
        case [ast.Tuple(elts=[before, after]), *others] if all(ast.unparse(each) == "(0, 0)" for each in others):
            pass
        case [before, after] if not isinstance(before, ast.Tuple):
            pass
        case _:
            return None
    value = options.pop("constant_values", None)
    constant = [*mode, *([options.pop("mode")] if "mode" in options else [])]
    if options or any(ast.unparse(each) != "'constant'" for each in constant):
        return None
    filler = _filler(spot, array, value)
    around = [(each, filler) if not _is_zero(each) else None for each in (before, after)]
    return [each for each in (around[0], array, around[1]) if each is not None] if filler else None


def _filler(spot: Spot, array: ast.expr, value: ast.expr | None) -> str:
    """The number with which an array is padded, of the array's dtype; "" where that is not known."""
    if value is None:
        return "0"
    fact, given = spot.fact(array), spot.fact(value)
    if fact is None or given is None or given.ndim != 0:
        return ""
    text = spot.code.src(value).replace("{", "{{").replace("}", "}}")
    alike = given.dtype == fact.dtype or (given.dtype, fact.dtype) == ("i", "f")
    literal = isinstance(value.operand if isinstance(value, ast.UnaryOp) else value, ast.Constant)
    kept = literal and given.sort == "number" and alike  # what is given may be of any kind
    return text if kept else f"{spot.jnp('asarray')}({text}, {spot.code.operand(array)}.dtype)"


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0


class _Whole:
    """The text of a whole, made of its pieces."""

    def __init__(self, spot: Spot) -> None:
        self.spot, self.code = spot, spot.code
        self.size = ""  # the text of its length
        self.number = -1  # and its length here
        self.arrays: set[str] = set()  # the texts of those that pieces are cut from
        self.atoms: dict[str, ast.expr] = {}
        self.limited: set[str] = set()  # bounds that Python limits to the length
        self.sized = False  # pieces are made, whose sizes say what the bounds of the others are
        self.turned = False  # two pieces change places
        self.bounds: set[str] = set()  # atoms of data in those bounds
        self.named: dict[frozenset[tuple[tuple[str, ...], int]], str] = {}  # sums and differences that have a name

    def text(self, node: ast.Call, parts: list[_Part]) -> str | None:
        first = next((array for part in parts if (array := _array_of(part)) is not None), None)
        fact = self.spot.fact(node if first is None else first)
        if fact is None or fact.sort != "array" or fact.ndim < 1 or fact.length < 0:
            return None
        if first is not None:
            self.number, self.size = fact.length, f"len({self.code.src(first)})"
            if self.size not in self.code.src(node):
                self.size = f"{self.code.operand(first)}.shape[0]"
        self.arrays = {self.code.src(array) for part in parts if (array := _array_of(part)) is not None}
        self.sized = any(_array_of(part) is None for part in parts)
        pieces = [self._piece(part) for part in parts]
        if self.sized and len(self.bounds) > 1:  # one of them may be beyond the end, and the whole as long nevertheless
            return None
        if any(piece is None for piece in pieces) or (
            fact.ndim > 1 and not self.code.src(node.func).endswith(("concatenate", "pad"))
        ):
            return None
        return self._together([piece for piece in pieces if piece is not None], fact.ndim)

    def _together(self, pieces: list[_Piece], ndim: int) -> str | None:
        """Each piece up to where the next one begins."""
        begins: list[Polynomial] = [Counter()]
        for piece in pieces:
            begins.append(_plus(begins[-1], piece.length))
        total = {atoms: number for atoms, number in begins[-1].items() if number}
        if not self.size and not any(self._is_data(atom) for atoms in total for atom in atoms):
            self.size = written(Counter(total))
        elif not self.size or (
            total != {(self.size,): 1} and not all(self._is_made_with(each.array, total) for each in pieces if each.array)
        ):
            return None
        facts = [self.spot.fact(piece.array) for piece in pieces if piece.array is not None]
        if any(fact is None or (fact.sort, fact.length, fact.ndim) != ("array", self.number, ndim) for fact in facts):
            return None
        self.turned = len(pieces) == 2 and len({(piece.text, piece.backwards) for piece in pieces}) == 1
        moved = [self._moved(piece, begin, ndim) for piece, begin in zip(pieces, begins, strict=False)]
        places = f"{self.spot.jnp('arange')}({self.size})"
        places = f"{places}[:{', None' * (ndim - 1)}]" if ndim > 1 else places
        out = moved[-1]
        for value, end in zip(moved[-2::-1], begins[-2:0:-1], strict=True):
            if value != out:
                limit = self._name_of(end) or written(end if sum(map(bool, end.values())) == 1 else self._limited(end))
                out = f"{self.spot.jnp('where')}({places} < {limit or '0'}, {value}, {out})"
        return out

    def _is_made_with(self, array: ast.expr, length: Mapping[tuple[str, ...], int]) -> bool:
        """Whether the array of a piece begins as one of a length that the code tells, `dp = jnp.zeros(capacity + 1)`, and the
        bounds are compared with something (`if w > capacity: continue`): beyond the length Python counts them from the end."""
        asked = loaded([node for node in walk(self.spot.function or self.code.tree) if isinstance(node, ast.Compare)])
        if not {atom for atom in self.atoms if self._is_data(atom)} <= asked:
            return False
        for node in walk(self.spot.function) if self.spot.function is not None else ():
            match node:
                case ast.Assign(
                    targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(value=owner, attr=made), args=[size, *_])
                ) if made in _MADE and isinstance(array, ast.Name) and name == array.id and is_module(self.spot, owner):
                    told = self._terms(size) or Counter()
                    if {atoms: number for atoms, number in told.items() if number} == length:
                        return not any(self._is_data(atom) for atoms in length for atom in atoms)
        return False

    def _is_data(self, atom: str) -> bool:
        return any(traced(self.spot, each) for each in ast.walk(self.atoms[atom]) if isinstance(each, ast.Name))

    def _moved(self, piece: _Piece, begin: Polynomial, ndim: int) -> str:
        """The whole array of a piece, so far moved that the piece stands at its place; all round, it is where it was."""
        text = piece.text.format(self.size)
        if piece.counts:
            back = _plus(begin, piece.start, -1)
            if all(number <= 0 for number in back.values()):
                sign, back = "+", _plus(Counter(), back, -1)
            else:
                sign = "-"
            by = self._name_of(back) or written(back)
            return f"{text} {sign} {by if by.isidentifier() or by.isdigit() else f'({by})'}" if by else text
        if piece.array is None:
            return text
        end = _plus(piece.start, piece.length)
        steps = _plus(begin, end) if piece.backwards else _plus(begin, piece.start, -1)
        by = self._name_of(steps)
        steps[self.size,] = 0
        by = by or written(self._limited(steps))
        return f"{self.spot.jnp('roll')}({text}, {by}, axis=0)" if by else text  # as a table of rows may come as well

    def _limited(self, steps: Polynomial) -> Polynomial:
        """The same with bounds as Python takes them: not beyond the length, and where nothing is left out, not before it."""
        least = f"{self.spot.jnp('minimum')}({{}}, {self.size})"
        if self.turned:
            least = f"{self.spot.jnp('clip')}({{}}, -{self.size}, {self.size})"
        limited = {text: least.format(text[1:-1] if text.startswith("(") else text) for text in self.limited}
        return Counter({tuple(limited.get(atom, atom) for atom in atoms): number for atoms, number in steps.items()})

    # -- pieces -------------------------------------------------------------------------------------------

    def _piece(self, part: _Part) -> _Piece | None:
        match part:
            case tuple():
                length = self._terms(part[0])
                return None if length is None else _Piece(None, part[1], Counter(), length)
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=[ast.Subscript() as cut, *_]) if name in _TURNED:
                return self._turned(cut) if is_module(self.spot, owner) and self._turns_rows(part, cut) else None
            case ast.Call(func=ast.Attribute(value=owner, attr="arange"), args=[size], keywords=[]) if is_module(
                self.spot, owner
            ):
                made = self._made(part, size)
                return None if made is None or not self._is_whole(size) else replace(made, counts=True)
            case ast.Call(func=ast.Attribute(value=owner, attr="arange") as function, args=[lower, upper], keywords=[]) if (
                is_module(self.spot, owner)
            ):
                begin, stop = self._terms(lower), self._terms(upper)
                if begin is None or stop is None or not (self._is_whole(lower) and self._is_whole(upper)):
                    return None
                text = f"{self.code.src(function)}({{}})"
                return _Piece(None, text, begin, _plus(stop, begin, -1), counts=True)
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=[size, *_]) if is_module(self.spot, owner):
                if name in _MADE:
                    return self._made(part, size)
                inner = self._piece(size) if name in _LIKE else None
                if inner is None or inner.array is None:
                    return None
                start, end = self.code.span(size)
                whole = self.code.edited(*self.code.span(part), [(start, end, inner.text)])
                return _Piece(inner.array, whole, inner.start, inner.length, inner.backwards)
            case ast.Subscript(
                value=ast.Subscript() as cut,
                slice=ast.Slice(lower=None, upper=None, step=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))),
            ):
                return self._turned(cut)
            case ast.Subscript(value=array, slice=ast.Slice(lower=lower, upper=upper, step=None)) if is_read_as_it_is(array):
                begin, stop = self._bound(lower, Counter()), self._bound(upper, Counter({(self.size,): 1}))
                if begin is None or stop is None:
                    return None
                return _Piece(array, self.code.operand(array), begin, _plus(stop, begin, -1))
            case ast.BinOp() | ast.UnaryOp() if (of := _cut_within(part)) is not None:
                others = [each for each in (getattr(part, "left", of), getattr(part, "right", of)) if each is not of]
                facts = [self.spot.fact(other) for other in others]
                inner = self._piece(of)
                if inner is None or any(fact is None or fact.ndim != 0 for fact in facts) or not only_gives(self.spot, others):
                    return None
                before, behind = self._texts_around(part, *self.code.span(of))
                return replace(inner, text=f"{before}{inner.text}{behind}")
        return None

    def _turned(self, cut: ast.Subscript) -> _Piece | None:
        """A piece the other way round."""
        piece = self._piece(cut)
        if piece is None or piece.array is None or piece.backwards:
            return None
        return replace(piece, text=f"{piece.text}[::-1]", backwards=True)

    def _turns_rows(self, call: ast.Call, cut: ast.Subscript) -> bool:
        """Whether `jnp.flip(x[:k], axis=0)` turns the first axis round and no other."""
        axes = [*map(self.code.src, call.args[1:]), *(self.code.src(each.value) for each in call.keywords)]
        fact = self.spot.fact(cut.value)
        alone = (fact is not None and fact.ndim == 1) or self.code.src(call.func).endswith("flipud")
        return axes == ["0"] or (alone and not axes)

    def _is_whole(self, bound: ast.expr) -> bool:
        """Whether a bound is an integer of JAX's own kind, of which what is counted is, too."""
        fact = self.spot.fact(bound)
        return fact is None or fact.exactly in ("", jax.dtypes.canonicalize_dtype(int).name)

    def _made(self, node: ast.Call, size: ast.expr) -> _Piece | None:
        """`jnp.zeros(k)`, `jnp.full((k, 3), v)`: as many as the whole has."""
        rows = size.elts[0] if isinstance(size, ast.Tuple) and size.elts else size
        length = self._terms(rows)
        if length is None:
            return None
        before, behind = self._texts_around(node, *self.code.span(rows))
        return _Piece(None, f"{before}{{}}{behind}", Counter(), length)

    def _texts_around(self, node: ast.expr, start: int, end: int) -> tuple[str, str]:
        """The text of an expression before and behind a part of it, for `format`."""
        first, last = self.code.span(node)
        before, behind = self.code.text[first:start], self.code.text[end:last]
        return before.replace("{", "{{").replace("}", "}}"), behind.replace("{", "{{").replace("}", "}}")

    def _bound(self, bound: ast.expr | None, otherwise: Polynomial) -> Polynomial | None:
        """Where a slice begins or ends; `-k` is counted from the end. Python limits it to the length; with what is made beside
        a slice, the whole would be of another length then."""
        if bound is None:
            return otherwise
        back = isinstance(bound, ast.UnaryOp) and isinstance(bound.op, ast.USub)
        asked = bound.operand if isinstance(bound, ast.UnaryOp) and back else bound
        if self.sized or not traced(self.spot, asked):
            found = self._terms(asked)
            self.bounds |= {atom for atoms in found or () for atom in atoms if atom != self.size and self._is_data(atom)}
        else:
            found = Counter({(self.code.operand(asked),): 1})
            self.limited.add(self.code.operand(asked))
        return _plus(Counter({(self.size,): 1}), found, -1) if found is not None and back else found

    def _terms(self, node: ast.expr) -> Polynomial | None:
        """A length or bound; in the place of `gap` what it is bound to: `len(row) - n`."""
        found = terms(node, self._atom, lambda name: self._sum(name, node))
        if found is not None and isinstance(node, ast.Name) and self._sum(node.id, node) is not None:
            self.named[_key(found)] = node.id
        return found

    def _sum(self, name: str, at: ast.expr) -> ast.expr | None:
        """The sum or difference that a name stands for."""
        value = self.code.bound_above(name, at)
        return value if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub) else None

    def _name_of(self, number: Polynomial) -> str:
        return "" if self.limited else self.named.get(_key(number), "")

    def _atom(self, node: ast.expr) -> str:
        """What has the whole's length, by one text."""
        self.atoms[self.code.operand(node)] = node
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[array]) | ast.Attribute(value=array, attr="size"):
                pass
            case ast.Subscript(value=ast.Attribute(value=array, attr="shape"), slice=ast.Constant(value=0)):
                pass
            case ast.Name() if not traced(self.spot, node) and self._is_bound_to_it(node):
                return self.size
            case _:
                return self.code.operand(node)
        if self.arrays and self.code.src(array) not in self.arrays:  # one that is as long in this call
            return self.code.operand(node)
        fact = self.spot.fact(array)
        same = fact is not None and (fact.sort, fact.length) == ("array", self.number)
        return self.size if same and (fact.ndim == 1 or not isinstance(node, ast.Attribute)) else self.code.operand(node)  # type: ignore[union-attr]

    def _is_bound_to_it(self, name: ast.Name) -> bool:
        """Whether the function binds a name to the length of the array; an option that is as large is so by chance."""
        value = self.code.bound_above(name.id, name)
        if value is not None:
            return self._atom(value) == self.size
        function = self.spot.function
        for node in walk(function) if function is not None else ():
            match node:
                case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id=first), *_])], value=ast.Attribute(attr="shape")):
                    if first == name.id:
                        return bool(self.spot.value(name) == self.number)
        return False


def _cut_within(part: ast.BinOp | ast.UnaryOp) -> ast.Subscript | None:
    """The slice to each element of which a number is added, or by which it is multiplied: `x[:k] + v`, `-x[k:]`."""
    match part:
        case (
            ast.BinOp(left=ast.Subscript(slice=ast.Slice()) as cut, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div())
            | ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult(), right=ast.Subscript(slice=ast.Slice()) as cut)
            | ast.UnaryOp(op=ast.USub(), operand=ast.Subscript(slice=ast.Slice()) as cut)
        ):
            return cut
    return None


def _array_of(part: _Part) -> ast.expr | None:
    """What a piece is cut from."""
    match part:
        case ast.BinOp() | ast.UnaryOp():
            return None if (cut := _cut_within(part)) is None else _array_of(cut)
        case ast.Call(args=[inner, *_], func=ast.Attribute(attr=name)) if name in (*_LIKE, *_TURNED):
            return _array_of(inner)
        case ast.Subscript(value=ast.Subscript() as inner, slice=ast.Slice(lower=None, upper=None)):
            return _array_of(inner)
        case ast.Subscript(value=array, slice=ast.Slice(step=None)):
            return array
    return None


def _key(number: Polynomial) -> frozenset[tuple[tuple[str, ...], int]]:
    return frozenset((atoms, times) for atoms, times in number.items() if times)


def _plus(one: Polynomial, two: Polynomial, sign: int = 1) -> Polynomial:
    out = Counter(one)
    for atoms, number in two.items():
        out[atoms] += sign * number
    return out


RULES: list[Rule] = [rejoined]
