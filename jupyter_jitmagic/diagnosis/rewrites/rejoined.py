"""Slices with traced bounds that are put together to a whole again: `jnp.concatenate([jnp.zeros(k), x[: n - k]])` →
`jnp.where(jnp.arange(n) < k, jnp.zeros(n), jnp.roll(x, k))`.

A lag, a rotation, a crossover, a reversed part: each piece is its array, moved to where the piece stands, up to where the next
one begins. What is put together otherwise is followed as values of unknown length (`reshaping`).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.proof.verify import OVERLAP
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE, Polynomial, is_read_as_it_is, terms, traced, written

_MADE = ("zeros", "ones", "full")
_LIKE = ("zeros_like", "ones_like", "full_like")
APART = "pieces that overlap or leave a gap, which make a longer or shorter array"


@dataclass(frozen=True)
class _Piece:
    """A piece of a whole.

    Attributes:
        array: what it is cut from, or None where it is made.
        text: the source text of the whole array; `{}` stands for its length where it is made.
        start, length: where it begins in its array, and how long it is.
        backwards: it is turned round.
    """

    array: ast.expr | None
    text: str
    start: Polynomial
    length: Polynomial
    backwards: bool = False


def rejoined(spot: Spot) -> Iterator[Step]:
    """Pieces of which the known bounds say that they make a whole."""
    if not isinstance(spot.node, ast.expr):
        return
    for node in (spot.node, *spot.code.ancestors(spot.node)):
        if isinstance(node, ast.stmt):
            return
        if isinstance(node, ast.Call) and (parts := _parts(spot, node)) is not None:
            text = _Whole(spot).text(node, parts)
            if text is not None:
                yield spot.step("where", (node, text), excludes={**NEGATIVE, OVERLAP: APART})
            return


def _parts(spot: Spot, node: ast.Call) -> list[ast.expr | tuple[ast.expr, str]] | None:
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
        case "pad", [array, ast.Tuple(elts=[before, after])], [] if not isinstance(before, ast.Tuple):
            around = [(each, "0") if not _is_zero(each) else None for each in (before, after)]
            return [each for each in (around[0], array, around[1]) if each is not None]
    return None


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0


class _Whole:
    """The text of a whole, made of its pieces."""

    def __init__(self, spot: Spot) -> None:
        self.spot, self.code = spot, spot.code
        self.size = ""  # the text of its length
        self.number = -1  # and its length here
        self.atoms: dict[str, ast.expr] = {}
        self.limited: set[str] = set()  # bounds that Python limits to the length
        self.sized = False  # pieces are made, whose sizes say what the bounds of the others are
        self.turned = False  # two pieces change places
        self.bounds: set[str] = set()  # atoms of data in those bounds

    def text(self, node: ast.Call, parts: list[ast.expr | tuple[ast.expr, str]]) -> str | None:
        first = next((array for part in parts if (array := _array_of(part)) is not None), None)
        fact = self.spot.fact(node if first is None else first)
        if fact is None or fact.sort != "array" or fact.ndim < 1 or fact.length < 0:
            return None
        if first is not None:
            self.number, self.size = fact.length, f"len({self.code.src(first)})"
            if self.size not in self.code.src(node):
                self.size = f"{self.code.operand(first)}.shape[0]"
        self.sized = any(_array_of(part) is None for part in parts)
        pieces = [self._piece(part) for part in parts]
        if self.sized and len(self.bounds) > 1:  # one of them may be beyond the end, and the whole as long nevertheless
            return None
        if any(piece is None for piece in pieces) or (fact.ndim > 1 and not self.code.src(node.func).endswith("concatenate")):
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
        elif total != {(self.size,): 1}:
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
                limit = written(end if sum(map(bool, end.values())) == 1 else self._limited(end))
                out = f"{self.spot.jnp('where')}({places} < {limit or '0'}, {value}, {out})"
        return out

    def _is_data(self, atom: str) -> bool:
        return any(traced(self.spot, each) for each in ast.walk(self.atoms[atom]) if isinstance(each, ast.Name))

    def _moved(self, piece: _Piece, begin: Polynomial, ndim: int) -> str:
        """The whole array of a piece, so far moved that the piece stands at its place; all round, it is where it was."""
        text = piece.text.format(self.size)
        if piece.array is None:
            return text
        end = _plus(piece.start, piece.length)
        steps = _plus(begin, end) if piece.backwards else _plus(begin, piece.start, -1)
        steps[self.size,] = 0
        by = written(self._limited(steps))
        return f"{self.spot.jnp('roll')}({text}, {by}{', axis=0' if ndim > 1 else ''})" if by else text

    def _limited(self, steps: Polynomial) -> Polynomial:
        """The same with bounds as Python takes them: not beyond the length, and where nothing is left out, not before it."""
        least = f"{self.spot.jnp('minimum')}({{}}, {self.size})"
        if self.turned:
            least = f"{self.spot.jnp('clip')}({{}}, -{self.size}, {self.size})"
        limited = {text: least.format(text[1:-1] if text.startswith("(") else text) for text in self.limited}
        return Counter({tuple(limited.get(atom, atom) for atom in atoms): number for atoms, number in steps.items()})

    # -- pieces -------------------------------------------------------------------------------------------

    def _piece(self, part: ast.expr | tuple[ast.expr, str]) -> _Piece | None:
        match part:
            case tuple():
                length = self._terms(part[0])
                return None if length is None else _Piece(None, part[1], Counter(), length)
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
                value=ast.Subscript() as inner,
                slice=ast.Slice(lower=None, upper=None, step=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))),
            ):
                turned = self._piece(inner)
                if turned is None or turned.array is None or turned.backwards:
                    return None
                return _Piece(turned.array, f"{turned.text}[::-1]", turned.start, turned.length, backwards=True)
            case ast.Subscript(value=array, slice=ast.Slice(lower=lower, upper=upper, step=None)) if is_read_as_it_is(array):
                begin, stop = self._bound(lower, Counter()), self._bound(upper, Counter({(self.size,): 1}))
                if begin is None or stop is None:
                    return None
                return _Piece(array, self.code.operand(array), begin, _plus(stop, begin, -1))
        return None

    def _made(self, node: ast.Call, size: ast.expr) -> _Piece | None:
        """`jnp.zeros(k)`, `jnp.full((k, 3), v)`: as many as the whole has."""
        rows = size.elts[0] if isinstance(size, ast.Tuple) and size.elts else size
        length = self._terms(rows)
        if length is None:
            return None
        start, end = self.code.span(rows)
        before, behind = (self.code.text[a:b].replace("{", "{{").replace("}", "}}") for a, b in self._around(node, start, end))
        return _Piece(None, f"{before}{{}}{behind}", Counter(), length)

    def _around(self, node: ast.expr, start: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
        first, last = self.code.span(node)
        return (first, start), (end, last)

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
        return terms(node, self._atom)

    def _atom(self, node: ast.expr) -> str:
        """What has the whole's length, by one text."""
        self.atoms[self.code.operand(node)] = node
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[array]) | ast.Attribute(value=array, attr="size"):
                pass
            case ast.Subscript(value=ast.Attribute(value=array, attr="shape"), slice=ast.Constant(value=0)):
                pass
            case ast.Name() if not traced(self.spot, node) and self.spot.value(node) == self.number:
                return self.size
            case _:
                return self.code.operand(node)
        fact = self.spot.fact(array)
        same = fact is not None and (fact.sort, fact.length) == ("array", self.number)
        return self.size if same and (fact.ndim == 1 or not isinstance(node, ast.Attribute)) else self.code.operand(node)  # type: ignore[union-attr]


def _array_of(part: ast.expr | tuple[ast.expr, str]) -> ast.expr | None:
    """What a piece is cut from."""
    match part:
        case ast.Call(args=[inner, *_], func=ast.Attribute(attr=name)) if name in _LIKE:
            return _array_of(inner)
        case ast.Subscript(value=ast.Subscript() as inner, slice=ast.Slice(lower=None, upper=None)):
            return _array_of(inner)
        case ast.Subscript(value=array, slice=ast.Slice(step=None)):
            return array
    return None


def _plus(one: Polynomial, two: Polynomial, sign: int = 1) -> Polynomial:
    out = Counter(one)
    for atoms, number in two.items():
        out[atoms] += sign * number
    return out


RULES: list[Rule] = [rejoined]
