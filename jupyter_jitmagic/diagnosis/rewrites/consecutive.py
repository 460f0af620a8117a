"""Neighbours where data says how many there are, in the one form that is followed.

In a list: `zip(h, h[1:])` → `zip(h[:-1], h[1:])`. In an array from a place on: `zip(x[i:-1], x[i + 1:])` → `zip(x[:-1][i:],
x[1:][i:])`, of parts that are equally long, each cut in the same place.
"""

from __future__ import annotations

import ast
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.slices import NEGATIVE, Polynomial, cut_at, polynomial, traced, written
from jupyter_jitmagic.source.names import loaded, stored, walk

_Edits = list[tuple[ast.AST | tuple[int, int], str]]


def neighbours(spot: Spot) -> Iterator[Step]:
    """Also `itertools.pairwise(h)`, and `h[i + 1] - h[i] for i in range(len(h) - 1)`."""
    if not isinstance(spot.function, ast.FunctionDef):
        return
    made = _of_data(spot)
    edits: _Edits = []
    for node in walk(spot.function) if made else ():
        match node:
            case ast.Call(
                args=[
                    ast.Name(id=first) as whole,
                    ast.Subscript(
                        value=ast.Name(id=second),
                        slice=ast.Slice(lower=ast.Constant(value=int(by)), upper=None, step=None),
                    ),
                ],
                keywords=[],
            ) if first == second and by > 0 and spot.code.src(node.func) == "zip" and spot.is_builtin("zip"):
                edits += [(whole, f"{first}[:-{by}]")] if first in made else []
            case ast.Call(func=function, args=[ast.Name(id=name)], keywords=[]) if spot.value(function) is itertools.pairwise:
                edits += [(node, f"zip({name}[:-1], {name}[1:])")] if name in made else []
            case ast.ListComp() | ast.GeneratorExp():
                edits += _by_place(spot, node, made)
    if edits:
        yield spot.step("list", *edits)


def _of_data(spot: Spot) -> set[str]:
    """What the statement makes or appends to at which the trace stopped."""
    statement = spot.code.statement(spot.node)
    names = set(stored([statement])) if isinstance(statement, ast.Assign) else set()
    for node in walk(statement):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append")):
                names.add(name)
    return names


def _by_place(spot: Spot, made: ast.ListComp | ast.GeneratorExp, names: set[str]) -> _Edits:
    """`h[i + 1] - h[i] for i in range(len(h) - 1)` → `after - before for before, after in zip(h[:-1], h[1:])`."""
    code = spot.code
    match made.generators:
        case [ast.comprehension(target=ast.Name(id=place) as target, iter=rounds, ifs=[])]:
            pass
        case _:
            return []
    for name in sorted(names & loaded([rounds])):
        first = {f"range(len({name}) - 1)": 0, f"range(0, len({name}) - 1)": 0, f"range(1, len({name}))": -1}.get(
            ast.unparse(rounds)
        )
        if first is None or not spot.is_builtin("range"):
            continue
        which = {f"{name}[{place}{by}]": add - first for by, add in ((" - 1", -1), ("", 0), (" + 1", 1))}
        reads = [each for each in walk(made.elt) if isinstance(each, ast.Subscript) and which.get(ast.unparse(each)) in (0, 1)]
        inside = {part for each in reads for part in walk(each)}
        others = [each for each in walk(made.elt) if isinstance(each, ast.Name) and each.id in (place, name)]
        if not reads or any(each not in inside for each in others):
            continue
        own = code.fresh("before", "one"), code.fresh("after", "next_one")
        edits: _Edits = [(each, own[which[ast.unparse(each)]]) for each in reads]
        return [(target, ", ".join(own)), (rounds, f"zip({name}[:-1], {name}[1:])"), *edits]
    return []


def cut_alike(spot: Spot) -> Iterator[Step]:
    """`zip(x[i:-1], x[i + 1:])` with a traced i → `zip(x[:-1][i:], x[1:][i:])`; also `itertools.pairwise(x[i:])`."""
    code = spot.code
    if cut_at(spot) is None or not isinstance(spot.node, ast.expr):
        return
    match code.parents[spot.node]:
        case ast.Call(func=ast.Name(id="zip"), args=[_, _, *_] as given, keywords=[]) as around if spot.is_builtin("zip"):
            cuts = [_cut(spot, each) for each in given]
        case ast.Call(func=function, args=[only], keywords=[]) as around if spot.value(function) is itertools.pairwise:
            cuts = [_cut(spot, only), _cut(spot, only, later=1)]
        case _:
            return
    known = [each for each in cuts if each is not None]
    alike = _of_equal_length(spot, known) if len(known) == len(cuts) else []
    text = f"zip({', '.join(alike)})"
    if alike and text != code.src(around):
        yield spot.step("list", (around, text), excludes=NEGATIVE)


@dataclass(frozen=True)
class _Cut:
    """A slice of the first axis, or an array as it is.

    Attributes:
        array: the array's text.
        begins, ends: where the slice does, `ends` being None where it goes on to the end.
        left: how many elements it leaves out at the end.
        by_data: its end is traced.
    """

    array: str
    begins: Polynomial
    ends: Polynomial | None = None
    left: int = 0
    by_data: bool = False


def _cut(spot: Spot, node: ast.expr, later: int = 0) -> _Cut | None:
    """What is known of a slice, or of the slice of what follows its first elements (`later`)."""
    match node:
        case ast.Subscript(value=array, slice=ast.Slice(lower=lower, upper=upper, step=None)):
            begins = polynomial(spot, lower) if lower is not None else Counter()
        case _:
            array, upper, begins = node, None, Counter()
    fact = spot.fact(array)
    if fact is None or fact.sort not in ("array", "host") or fact.length < 0 or begins is None:
        return None
    cut = _Cut(spot.code.operand(array), _and(begins, later))
    match upper:
        case None:
            return cut
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as left)):
            return replace(cut, left=left)
        case ast.UnaryOp(op=ast.USub()):
            return None  # as far from the end as data says
    ends = polynomial(spot, upper)
    return None if ends is None else replace(cut, ends=ends, by_data=traced(spot, upper))


def _of_equal_length(spot: Spot, cuts: Sequence[_Cut]) -> list[str]:
    """The texts of slices with the same bounds, of parts that are equally long; [] where they begin or end apart by data."""
    if len({each.array for each in cuts}) > 1:
        return []  # another call's need not be equally long
    distances = [_distance(each.begins, cuts[0].begins) for each in cuts]
    known = [each for each in distances if each is not None]
    ended = [each.ends for each in cuts if each.ends is not None]
    if len(known) < len(cuts) or any(_distance(each, ended[0]) is None for each in ended):
        return []
    first = cuts[known.index(min(known))].begins
    by_number = set(first) <= {()}
    skipped = [each - min(known) + (first[()] if by_number else 0) for each in known]
    if min(skipped) < 0:
        return []
    most = max(each.left + skip for each, skip in zip(cuts, skipped, strict=True))
    bounds = f"[{'' if by_number else written(first)}:{_end(spot, cuts, skipped) if ended else ''}]"
    texts = []
    for each, skip in zip(cuts, skipped, strict=True):
        left = most - skip
        part = f"[{skip or ''}:{-left or ''}]" if skip or left else ""
        texts.append(f"{each.array}{part}{bounds}")
    return texts


def _end(spot: Spot, cuts: Sequence[_Cut], skipped: Sequence[int]) -> str:
    """Where the slice that ends first does, in its part. One less than what the code says may be below 0, and is 0 then."""
    ends = [_and(each.ends, -skip) for each, skip in zip(cuts, skipped, strict=True) if each.ends is not None]
    least = min(ends, key=lambda each: each[()])
    if any(_distance(least, each.ends) == 0 for each in cuts if each.ends is not None):
        return written(least)
    most = spot.jnp("maximum") if any(each.by_data for each in cuts) else "max"
    return f"{most}({written(least)}, 0)"


def _and(one: Polynomial, more: int) -> Polynomial:
    """A sum and a number."""
    return Counter({**one, (): one[()] + more})


def _distance(one: Polynomial, other: Polynomial) -> int | None:
    """How much larger a sum is than another, where that is known."""
    apart = Counter(one)
    apart.subtract(other)
    return apart[()] if all(not number for atoms, number in apart.items() if atoms) else None


RULES: list[Rule] = [neighbours, cut_alike]
