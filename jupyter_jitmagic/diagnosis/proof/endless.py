"""Loops of plain Python that never end, told before their time is up: everything that they go by is as it was some rounds ago.

A varied input often makes a loop endless (a residual that stays NaN or infinite, a value that does not change any more), and
waiting for the end of its time costs more than all other runs of a comparison.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.uncompiled.running import value_of

EVERY, LONGEST = 16, 8  # each so many-th round is kept, and as many after it are compared with it
MOST_BYTES = 1 << 16  # of all arrays of a loop
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_STATELESS = (types.ModuleType, type)


class CannotTell(Exception):
    """A loop goes by what cannot be compared: an object, an iterator, a large array."""


@dataclass
class _Loop:
    frame: int
    rounds: int = 0
    lengths: tuple[int, ...] | None = None
    """Of its lists and dicts, where a state was to be kept last."""
    were_again: bool = False
    """Whether they had these lengths once more since: a list that grows in every round repeats nothing."""
    kept: Hashable = None


class Rounds:
    """The loops of one run, by their place."""

    def __init__(self) -> None:
        self._loops: dict[tuple[str, int], _Loop] = {}

    def begin(self, place: tuple[str, int], frame: types.FrameType) -> None:
        """A loop at this place begins, in this frame."""
        self._loops[place] = _Loop(id(frame))

    def repeats(
        self, place: tuple[str, int], frame: types.FrameType, names: tuple[str, ...], counters: tuple[str, ...]
    ) -> bool:
        """Whether the round that begins is one that the loop was in before: `names` are all that it reads and sets, `counters`
        those of them that it only adds to and never reads."""
        loop = self._loops.get(place)
        if loop is None or loop.frame != id(frame):
            loop = self._loops[place] = _Loop(id(frame))
        loop.rounds += 1
        after = loop.rounds % EVERY
        if loop.rounds < EVERY or after > LONGEST:
            return False
        lengths = _lengths(frame, names)
        if after:
            if lengths != loop.lengths:
                return False
            loop.were_again = True
            return loop.kept is not None and _state(frame, names, counters) == loop.kept
        loop.kept = _state(frame, names, counters) if loop.were_again or not lengths else None
        loop.lengths, loop.were_again = lengths, False
        return False


def read_and_counted(loop: ast.While) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Every name in a loop, and those that it only adds to (``n += 1``) and never reads; None for a loop whose rounds are asked
    for one by one (a generator's)."""
    nodes = list(ast.walk(loop))
    if any(isinstance(node, ast.Yield | ast.YieldFrom | ast.Await) for node in nodes):
        return None
    targets = [node.target for node in nodes if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)]
    added_to = {target.id for target in targets}
    others = {node.id for node in nodes if isinstance(node, ast.Name) and not any(node is target for target in targets)}
    return tuple(sorted(others | added_to)), tuple(sorted(added_to - others))


def _lengths(frame: types.FrameType, names: tuple[str, ...]) -> tuple[int, ...]:
    values = frame.f_locals
    return tuple(len(values[name]) for name in names if type(values.get(name)) in (list, dict))


def _state(frame: types.FrameType, names: tuple[str, ...], counters: tuple[str, ...]) -> Hashable:
    """What the loop goes by; None where that cannot be told."""
    shared = {*frame.f_code.co_cellvars, *frame.f_code.co_freevars}  # read by functions that the loop may call
    values = frame.f_locals
    left = [MOST_BYTES]
    try:
        return tuple(_kept(values[name], left) for name in names if name in values and (name not in counters or name in shared))
    except CannotTell:
        return None


def _kept(value: Any, left: list[int], depth: int = 4) -> Hashable:
    """What can be compared of a value later, whatever is done to it.

    Raises:
        CannotTell: it cannot be told.
    """
    kind = type(value)
    if kind in _PLAIN:
        return kind, repr(value)
    if kind in (tuple, list, dict) and depth:
        parts = [*value.keys(), *value.values()] if kind is dict else value
        left[0] -= 8 * len(parts)
        if left[0] < 0:
            raise CannotTell
        return kind, tuple(_kept(part, left, depth - 1) for part in parts)
    if kind is types.FunctionType and depth:
        try:
            inside = [cell.cell_contents for cell in value.__closure__ or ()]
        except ValueError:
            raise CannotTell from None  # not set yet
        return id(value.__code__), tuple(_kept(each, left, depth - 1) for each in inside)
    if isinstance(value, _STATELESS):
        return id(value)
    if kind is types.BuiltinFunctionType and isinstance(value.__self__, types.ModuleType):  # else a list's `pop`, say
        return id(value)
    array = value_of(value)
    if array is None and isinstance(value, jax.Array | np.ndarray | np.generic) and not isinstance(value, jax.core.Tracer):
        array = np.asarray(value) if jax.dtypes.issubdtype(value.dtype, np.number) or value.dtype == bool else None
    if not isinstance(array, np.ndarray | np.generic) or array.dtype.hasobject:
        raise CannotTell
    left[0] -= array.nbytes
    if left[0] < 0:
        raise CannotTell
    return kind, array.dtype, array.shape, array.tobytes()
