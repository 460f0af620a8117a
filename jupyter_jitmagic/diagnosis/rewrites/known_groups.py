"""Groups whose number the code knows, and JAX is not told: `jnp.bincount(y)` → `jnp.bincount(y, length=n_classes)`."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.proof.verify import OVERLAP
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import words
from jupyter_jitmagic.source.names import bound_once, loaded

_SEGMENTS = words("segment_sum segment_prod segment_max segment_min")
_MOST = 3  # numbers that are tried
_OTHER_COUNTS = re.compile(
    r"iter|step|epoch|seed|axis|depth|degree|order|lag|window|round|patience|rank|batch|repeat|trial|fold"
)
"""What is called so counts something else, and is as large by chance."""
_OF_LABELS = ("count", "moved", "doubled", "lone", "static value", "another shape", OVERLAP)
"""Kinds of inputs in which the largest label may be another."""


def exactly(spot: Spot) -> Iterator[Step]:
    """Where nothing is different: the counts meet arrays of that length, are read by their labels, or zeros add nothing."""
    yield from _steps(spot, (OVERLAP,))


def as_many(spot: Spot) -> Iterator[Step]:
    """Where the largest label decides how many groups plain Python makes, in what is computed of them as well."""
    yield from _steps(spot, _OF_LABELS)


def _steps(spot: Spot, kinds: tuple[str, ...]) -> Iterator[Step]:
    for node, keyword, number, bounded in _given(spot):
        text = f"{spot.code.src(node)[:-1].rstrip().removesuffix(',')}, {keyword}={number})"
        other = f"labels of which the largest is not {number} - 1, for which plain Python makes more or fewer groups"
        yield spot.step(f"{keyword}=", (node, text), excludes={} if bounded else dict.fromkeys(kinds, other))


def _given(spot: Spot) -> Iterator[tuple[ast.Call, str, str, bool]]:
    """(call, keyword, number, whether no label is as large) for what may be the number of groups."""
    node = spot.node
    match node:
        case ast.Call(func=ast.Attribute(attr="bincount", value=owner), args=[_, *rest], keywords=given) if len(rest) < 2:
            keyword = "length"
            if any(each.arg not in ("weights",) for each in given) or not is_module(spot, owner):
                return
        case ast.Call(func=ast.Attribute() | ast.Name() as func, args=[_, _], keywords=given):
            keyword = "num_segments"
            value = spot.value(func)
            if any(each.arg in (None, keyword) for each in given) or getattr(value, "__name__", "") not in _SEGMENTS:
                return
            if value is not getattr(jax.ops, value.__name__, None):
                return
        case _:
            return
    labels = node.args[0] if keyword == "length" else node.args[1]
    if number := _remainder_of(spot, labels):
        # what is summed up may be less than the sum of a group of none
        yield node, keyword, number, keyword == "length" and len(node.args) == 1 and not node.keywords
        return
    fact = spot.fact(node)
    if fact is not None and fact.sort == "array" and fact.length > 0:
        for number in itertools.islice(_numbers(spot, node, fact.length), _MOST):
            yield node, keyword, number, False


def _remainder_of(spot: Spot, labels: ast.expr) -> str:
    """ "12" of labels `notes % 12`, which are all below it, else ""."""
    if isinstance(labels, ast.Name):
        labels = spot.code.bound_above(labels.id, labels) or labels
    match labels:
        case ast.BinOp(op=ast.Mod(), right=ast.Constant() | ast.Name() | ast.Attribute() as number):
            value = number.value if isinstance(number, ast.Constant) else spot.held(number)
            return spot.code.src(number) if type(value) is int and value > 0 else ""
    return ""


def _numbers(spot: Spot, node: ast.Call, wanted: int) -> Iterator[str]:
    """What is that number here: one that has a name, or the length of an array."""
    read = set(loaded([spot.function])) if spot.function is not None else set()
    named = {**{name: spot.globals.get(name) for name in sorted(read)}, **spot.locals}
    yield from (
        name
        for name, value in named.items()
        if type(value) is int and value == wanted and not _OTHER_COUNTS.search(name.lower())
    )
    grouped = _computed_from(spot, node) & set(spot.locals)
    if any(wanted in np.shape(spot.locals[name]) for name in grouped):
        return  # as many groups as labels, by chance: other arrays are as long as these
    for name, value in spot.locals.items():
        if not isinstance(value, jax.Array | np.ndarray) or name in grouped:
            continue
        for axis, length in enumerate(np.shape(value)):
            if length == wanted:
                yield f"{name}.shape[{axis}]"


def _computed_from(spot: Spot, node: ast.Call) -> set[str]:
    """The names that the labels, and what is summed up, are computed from: `edges` of `ids = jnp.concatenate(edges)`."""
    function, found, new = spot.function, set[str](), loaded(node.args)
    while new:
        found |= new
        made = [bound_once(function, name) for name in new] if isinstance(function, ast.FunctionDef) else []
        new = loaded([each for each in made if each is not None]) - found
    return found


RULES: list[Rule] = [exactly]
LAST: list[Rule] = [as_many]
