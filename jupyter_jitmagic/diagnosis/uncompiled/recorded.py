"""Runs of plain Python that need not be run again: what was computed between Python's questions for a value (is it true? which
number is it?) is a program, and after each question comes, for each answer met so far, another.

On other arrays of the same shapes such a program gives what Python would, as long as every question is answered as before; with
another answer Python runs. Numbers of Python's are no arrays: they have to be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jax_internals import trace_parts
from jupyter_jitmagic.diagnosis.uncompiled.programs import Operation, Watch

MOST_STEPS = 30_000  # operations and questions that are kept, for one function
MOST_NEW = 4  # runs from one beginning that went as never before, until the next are not written down any more
MOST_BYTES = 1 << 16  # of a value that Python asks for, or of an array of NumPy's among the arguments
_NUMBERS = (bool, int, float, complex, str, bytes, type(None))
_parts: Any = trace_parts()


@dataclass
class Stretch:
    """A run up to Python's next question, or to its end.

    Attributes:
        steps: operations with the places of their operands, in order; (None, value) is a constant. A value's place is its
            number among all values of the run, the arrays given coming first.
        asked: the place of the value that Python asks for; only for its truth, where `truth` is set.
        following: by answer, how the run goes on.
        end: what the run gives.
        known: whether a run went through to the question or the end.
    """

    steps: list[tuple[Operation | None, Any]] = field(default_factory=list)
    asked: int = -1
    truth: bool = False
    following: dict[Hashable, Stretch] = field(default_factory=dict)
    end: End | None = None
    known: bool = False


@dataclass(frozen=True)
class End:
    """What a run gives: a tree whose leaves are places of values (`is_place`) or plain values; and what else was seen of it."""

    tree: Any
    leaves: tuple[Any, ...]
    is_place: tuple[bool, ...]
    seen: Any


@dataclass
class Start:
    """Where runs on arguments of one kind begin, and how many of them went as one before, or as none."""

    first: Stretch = field(default_factory=Stretch)
    known: int = 0
    new: int = 0


@dataclass
class Tape:
    """One run that was run again.

    Attributes:
        values: all of it, those given first.
        steps: what computed them, with the places of operands and of results.
        result: the place of what it gives; -1 where that is no value of it.
        known: whether it was run again.
    """

    values: list[Any] = field(default_factory=list)
    steps: list[tuple[Operation, Sequence[int], Sequence[int]]] = field(default_factory=list)
    result: int = -1
    known: bool = False


class Recordings:
    """The runs of one function that are known.

    Args:
        seen: what else is to be known of a run that has just ended.
        show: is given that again when the run is not run again.
    """

    def __init__(self, seen: Callable[[], Any], show: Callable[[Any], None]) -> None:
        self.seen, self._show = seen, show
        self._starts: dict[Hashable, Start] = {}
        self.left = MOST_STEPS
        self._given_up = False

    def give_up(self) -> None:
        """The function does not go by its arguments: nothing is known of it any more."""
        self._given_up = True

    def start(self, same: Hashable, given: Any) -> Start | None:
        """Where runs on such arguments begin; None where they cannot be told apart, or hardly one goes as another did, as with
        the rounds of loops over data. `same` tells functions apart."""
        like = None if self._given_up else likeness(given, arrays_by_shape=True)
        try:
            found = None if like is None else self._starts.setdefault((same, like), Start())
        except TypeError:
            return None  # a container's own data cannot be hashed
        return None if found is None or found.new - found.known >= MOST_NEW else found

    def again(self, start: Start, arrays: Sequence[Any], watch: Watch, tape: Tape | None = None) -> tuple[Any] | None:
        """(what the run gives on these arrays,), or None where Python has to run. `tape` gets what was computed.

        Raises:
            OutOfTime: the watch's deadline is over.
        """
        start.new += 1  # unless it ends, which may be by its time
        try:
            found = self._again(start.first, list(arrays), watch, tape)
        except Exception:
            return None  # Python fails there as well, and says how
        if found is not None:
            start.new, start.known = start.new - 1, start.known + 1
        return found

    def tell(self, start: Start, arrays: Sequence[Any], watch: Watch, tape: Tape) -> None:
        """Write to the tape what a run that has just been made computed."""
        self._again(start.first, list(arrays), watch, tape)

    def empty(self) -> Recordings:
        """Others of the same function, of which none is known."""
        return Recordings(self.seen, self._show)

    def _again(self, at: Stretch, values: list[Any], watch: Watch, tape: Tape | None) -> tuple[Any] | None:
        steps: list[Any] = []
        while at.known:
            for compute, operands in at.steps:
                if compute is None:
                    values.append(operands)
                else:
                    watch.tick()
                    found = compute([values[k] for k in operands], watch)
                    if tape is not None:
                        steps.append((compute, operands, range(len(values), len(values) + len(found))))
                    values.extend(found)
            if at.end is not None:
                self._show(at.end.seen)
                if tape is not None:
                    result = at.end.leaves[0] if len(at.end.leaves) == 1 and at.end.is_place[0] else -1
                    tape.values, tape.steps, tape.result, tape.known = values, steps, result, True
                leaves = [values[v] if is_place else v for v, is_place in zip(at.end.leaves, at.end.is_place, strict=True)]
                return (jax.tree_util.tree_unflatten(at.end.tree, leaves),)
            at = at.following.get(_answer(values[at.asked], at.truth), _UNKNOWN)
        return None


_UNKNOWN = Stretch()


class Recorder:
    """Writes down one run, from where it leaves those that are known.

    Attributes:
        over: it is given up: the run depends on what cannot be told.
    """

    def __init__(self, recordings: Recordings, start: Start, arrays: int) -> None:
        self._recordings, self._count = recordings, arrays
        self.over = recordings.left <= 0
        self._enter(start.first)

    def _enter(self, stretch: Stretch) -> None:
        self._at, self._writing = stretch, not stretch.known
        if self._writing:
            stretch.steps.clear()  # of a run that was stopped in it

    def _keep(self, step: tuple[Operation | None, Any]) -> None:
        self._recordings.left -= 1
        self._at.steps.append(step)
        self.over |= self._recordings.left <= 0

    def constant(self, value: Any) -> int:
        """The place of a value that no operation of the run gave."""
        if self._writing:
            self._keep((None, np.array(value) if type(value) is np.ndarray else value))  # whose owner may write to it later
        self._count += 1
        return self._count - 1

    def step(self, compute: Operation, operands: Sequence[int], results: int) -> int:
        """The place of an operation's first result."""
        if self._writing:
            self._keep((compute, operands))
        self._count += results
        return self._count - results

    def asks(self, place: int, value: Any, *, truth: bool = False) -> None:
        """Python asks for a value, or only for its truth."""
        if self.over:
            return
        at = self._at
        if self._writing:
            at.asked, at.truth, at.known = place, truth, True
            self._recordings.left -= 1
        try:
            answer = _answer(value, truth)
        except ValueError:
            self.over = True
            return
        if (at.asked, at.truth) != (place, truth):  # another run asked for something else here: it does not go by its arguments
            self.over = True
            self._recordings.give_up()
            return
        self._enter(at.following.setdefault(answer, Stretch()))

    def ends(self, result: Any, place_of: Callable[[Any], int | None]) -> None:
        """The run gave a result; `place_of` a leaf of it is None where that is no value of the run."""
        if self.over or not self._writing:
            return
        leaves, tree = jax.tree_util.tree_flatten(result)
        places = [place_of(leaf) for leaf in leaves]
        kept = [leaf if place is None else place for leaf, place in zip(leaves, places, strict=True)]
        if any(place is None and not _is_fixed(leaf) for leaf, place in zip(leaves, places, strict=True)):
            return
        self._at.end = End(tree, tuple(kept), tuple(place is not None for place in places), self._recordings.seen())
        self._at.known = True


def likeness(values: Any, *, arrays_by_shape: bool) -> Hashable | None:
    """What values have in common with those that compare equal: everything, or all but the numbers in JAX's arrays."""
    leaves, tree = jax.tree_util.tree_flatten(values)
    found: list[Hashable] = [tree]
    for leaf in leaves:
        if isinstance(leaf, jax.Array):
            found.append(_parts.typeof(leaf) if arrays_by_shape else Same(leaf))
        elif type(leaf) in _NUMBERS:
            found.append((type(leaf), repr(leaf)))
        elif isinstance(leaf, np.ndarray | np.generic):
            if leaf.nbytes > MOST_BYTES or leaf.dtype.hasobject:
                return None
            found.append((type(leaf), leaf.dtype, leaf.shape, leaf.tobytes()))
        else:
            found.append(Same(leaf))
    return tuple(found)


class Same:
    """Equal to itself alone; keeps the object, so that no other gets its number."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __hash__(self) -> int:
        return id(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other._value is self._value


def _is_fixed(leaf: Any) -> bool:
    """Whether nobody can change it."""
    is_array = isinstance(leaf, jax.Array) and not _parts.is_foreign(leaf)
    return type(leaf) in _NUMBERS or isinstance(leaf, np.generic) or is_array


def _answer(value: Any, truth: bool) -> Hashable:
    """The answer to Python's question, as it has to be met again.

    Raises:
        ValueError: it cannot be told, or is too large to be kept.
    """
    if truth:
        return bool(value)
    if not isinstance(value, np.ndarray | np.generic) or value.nbytes > MOST_BYTES or value.dtype.hasobject:
        raise ValueError("no answer that could be compared")
    return value.tobytes()
