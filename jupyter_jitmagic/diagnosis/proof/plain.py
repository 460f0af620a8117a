"""The plain function, run on the call's own input and on varied ones, by NumPy where that gives what JAX gives.

It runs as a copy with probes at the branches and loops in question, which also stop a run when its time is up.
"""

from __future__ import annotations

import ast
import contextlib
import io
import itertools
import re
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.refused import is_refused
from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.carrying import carrying
from jupyter_jitmagic.diagnosis.proof.copied import is_written_to
from jupyter_jitmagic.diagnosis.proof.decimals import computes_in_double, decimals, makes_whole, own_decimals
from jupyter_jitmagic.diagnosis.proof.derived import TRANSFORMS, Derived, is_derived, takes_gradients
from jupyter_jitmagic.diagnosis.proof.differing import (
    differs,
)
from jupyter_jitmagic.diagnosis.proof.in_place import INSTEAD as BY_SETTING
from jupyter_jitmagic.diagnosis.proof.in_place import Setting
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.kinds import asks_for_kinds
from jupyter_jitmagic.diagnosis.proof.probes import PROBES, Coverage, Instrument, Probes
from jupyter_jitmagic.diagnosis.proof.raising import Raised, is_of_any_arrays, raised
from jupyter_jitmagic.diagnosis.proof.room import MAKERS, Room, in_room
from jupyter_jitmagic.diagnosis.proof.row_by_row import INSTEAD, row_by_row, wrapping
from jupyter_jitmagic.diagnosis.uncompiled import backward
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.diagnosis.uncompiled.backward_rules import NotKnown, Refused
from jupyter_jitmagic.diagnosis.uncompiled.programs import Watch
from jupyter_jitmagic.diagnosis.uncompiled.recorded import Recordings, Tape
from jupyter_jitmagic.diagnosis.uncompiled.shared import ReadLater, Shared
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun, time_left
from jupyter_jitmagic.source.compared import compared_numbers
from jupyter_jitmagic.source.held_functions import made_again
from jupyter_jitmagic.source.methods import looking_up, names_of_methods
from jupyter_jitmagic.source.units import Unit

SHORT, MANY = 0.06, 10  # a varied input may take this many seconds, or so many times as long as the call's own
LONG = 0.3  # seconds that a rewrite may take by NumPy at least
MOST_OPERATIONS, MANY_MORE = 2000, 20  # of a varied input's run, at least; and so many times those of the call's own
MOST_ELEMENTS = 2**22  # of an array that a varied input's run makes, at least; as many times those of the call's own, too
MAX_INPUTS = 40  # plain runs, at most
PATIENCE = 0.2  # seconds of plain runs after which fewer inputs are enough, if they reached everything
_TRACER = re.compile(r"\w*Tracer\b")


class Plain:
    """The plain function's results on the call's inputs and on varied ones; each is computed once for all rewrites.

    Args:
        fun: the user's function, unjitted.
        units: the units of the user's functions that it reaches.
        lines: per file, the lines whose branches and loop counts must be reached.
        variations: the inputs.
        seconds: time for all plain runs together.
        patience: seconds that the run of the call's own input may take where it is looked at whether NumPy agrees; they are
            none of those.
        known: the same function and call, looked at before.
        carried: arguments whose state after a run is part of its result.

    Attributes:
        minds_nan: its code asks for NaN, so that what is left out because of one must not come back in a gradient.
        takes_gradients: it takes a gradient itself, so that infinite data is among the inputs, if there is time.
        is_gradient: it is one itself, made by `jax.grad` or its kin.
        gives_gradients: it takes one, and does not ask for NaN.
        asks_for_kinds: what it does may depend on whether a number is Python's or an array.
        on_numpy: it sets elements of JAX's arrays, which plain Python refuses: it is run as the same code on NumPy's arrays.
        changes_given: a run changed an array of the caller's.

    Raises:
        NoSource: a copy of the function cannot be made.
        Differs: the plain function fails or is too slow on the call's own input.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        units: Sequence[Unit],
        lines: Mapping[str, set[int]],
        variations: Variations,
        seconds: float,
        known: Plain | None = None,
        patience: float = 0.0,
        carried: Collection[str] = (),
    ) -> None:
        self.coverage = Coverage()
        self.variations = variations
        self._probes = Probes(self.coverage)
        self._recordings = Recordings(self._probes.seen, self._probes.show)
        self._deadline = Deadline(seconds)
        self._patience = patience
        self._spent = 0.0
        self.minds_nan = any(word in unit.text for unit in units for word in ("isnan", "isfinite", "nan_to_num"))
        self.is_gradient = is_derived(fun)
        self.takes_powers = any(word in unit.text for unit in units for word in ("**", "pow"))
        self.takes_gradients = self.is_gradient or takes_gradients(units)
        self.gives_gradients = self.takes_gradients and not self.minds_nan
        self._in_double = any(computes_in_double(unit.text) for unit in units)
        self._makes_whole = any(makes_whole(unit.text) for unit in units)
        self.asks_for_kinds = self._cuts = False
        self._literals: dict[float, None] = {}
        for unit in units:
            original = ast.parse(unit.text)
            self._literals |= dict.fromkeys(compared_numbers(original, unit.globals))
            self.asks_for_kinds |= asks_for_kinds(original)
            self._cuts |= any(isinstance(node, ast.Slice) and _is_computed(node) for node in ast.walk(original))
        self.on_numpy: bool = getattr(known, "on_numpy", False)
        self.changes_given: bool = getattr(known, "changes_given", False)
        self._original, self._lines, self._carried = fun, lines, carried
        self._numpys = Room()
        self._fun = self._made(units)
        self._runs: list[tuple[Input, Any]] = []
        self._inputs = self._wanted()
        self.failed: BaseException | None = None
        self.raised: list[tuple[Input, Raised]] = [*known.raised] if known is not None else []
        self._error: Exception | None = None
        self._units = units
        self._interpreted = False
        self._first = 0.0
        self._endless: set[str] = set()
        self._below: list[tuple[Any] | None] = []
        self._agrees: bool | None = None
        self._own: tuple[Any] | None = None
        if known is not None and known._agrees:
            self._agrees, self._own, self._first, self._interpreted = True, known._own, known._first, known._interpreted
            self._most, self._room = known._most, known._room

    def _made(self, units: Sequence[Unit]) -> Any:
        """The function with its probes."""
        compiled = {}
        methods = frozenset(name for unit in units for name in names_of_methods(unit.text))
        for unit in units:
            rows = row_by_row(ast.parse(unit.text), unit.globals, {**TRANSFORMS, **MAKERS})
            rows = in_room(Setting().visit(rows) if self.on_numpy else rows, unit.globals)
            tree = looking_up(
                Instrument(unit, self._lines.get(unit.filename, set()), self.coverage).visit(rows), methods, unit.globals
            )
            compiled[unit] = unit.compiled(ast.fix_missing_locations(tree), unit.filename)
        derived = Derived()
        extra = {PROBES: self._probes, **INSTEAD, **BY_SETTING, **derived.instead(), **self._numpys.instead()}
        wraps = {"extra": extra, "wrapping": lambda made: derived.wrapping(made) or wrapping(made)}
        made = made_again(self._original, compiled, arguments=self.variations.arguments, **wraps)
        return carrying(made, self._carried)

    @property
    def first(self) -> Any:
        """The result on the call's own input, after `runs` has given it."""
        return self._runs[0][1]

    def runs(self) -> Iterator[tuple[Input, Any]]:
        """(input, plain result), those already computed first; ends when everything was reached or the time is up."""
        yield from list(self._runs)
        for given in self._inputs:
            begin = time.thread_time()
            self._error = None
            done = self.run(given, first=not self._runs)
            self._spent += time.thread_time() - begin
            if done is None:
                self._keep_error(given)
                continue
            new = self._probes.keep()
            if given.kind in self._extra and not new and self._counted >= 8:
                continue
            self._counted += 1
            self._runs.append((given, done[0]))
            yield self._runs[-1]

    def below_zero(self) -> Iterator[tuple[Input, Any]]:
        """(input, plain result) where integers, and what is counted back from places, are below 0."""
        for k, given in enumerate(self.variations.below_zero() if self._cuts else ()):
            if k == len(self._below):
                if self._late():
                    return
                self._below.append(self.elsewhere(given, SHORT))
            if (found := self._below[k]) is not None:
                yield given, found[0]

    def _keep_error(self, given: Input) -> None:
        """An exception of plain Python's on an input is what compiled code does not raise."""
        if self._error is not None and self.failed is None:
            found = raised(self._error, self._units)
            self.raised += [(given, found)] if found is not None else []

    def note_what_it_raises(self, given: Input, seconds: float) -> None:
        """Keep the exception of an input of the call's own shapes that plain Python does not take, if it is such a one."""
        self._error = None
        if self.run(given, seconds=seconds) is None:
            self._keep_error(given)

    def long(self) -> float:
        """Seconds that are many for a run of a rewrite by NumPy beside the call's own run."""
        return max(LONG, MANY * MANY * self._first)

    def for_another(self) -> float:
        """Seconds that a run of a varied input may take."""
        return max(SHORT, MANY * self._first)

    _extra: frozenset[str] = frozenset()
    _most: float = float("inf")
    _room: float = float("inf")
    """Operations by NumPy that a varied input's run may take: one with more has hardly an end."""
    _counted = 0
    met: set[str] | frozenset[str] = frozenset()
    """On which inputs that it promises nothing for the last rewrite compared gave something else: kinds of `Step.excludes`."""

    def _wanted(self) -> Iterator[Input]:
        tried = 0
        for given in self.variations.core():
            yield given
            tried += 1
            if tried == 1 and self.takes_gradients:  # whose runs may be slow: others are left out then
                yield from self.variations.nan_in_one()
                yield from itertools.islice(self.variations.infinite(), 1)
            if self._late() or (self._slow() and self._counted >= 6 and not self.coverage.missing()):
                return
        if self.takes_gradients:
            yield from self.variations.tied()
            yield from itertools.islice(self.variations.infinite(), 1, None)
            self.ran_infinite = True
        if self._in_double:
            yield from decimals(self.variations, list(self._literals))
        if self._makes_whole:
            yield from own_decimals(self.variations)
        self._extra = frozenset(
            {"negated", "zero", "larger", "smaller", "noise", "reversed", "nan", "count", "negative int", "moved"}
        )
        for given in self.variations.more(list(self._literals)):
            if self._late() or tried > MAX_INPUTS or (not self.coverage.missing() and self._counted >= 6):
                return
            yield given
            tried += 1

    def _slow(self) -> bool:
        """Whether the plain runs took so long that a few inputs must do, once everything was reached."""
        return self._spent > PATIENCE

    def _late(self) -> bool:
        return self._deadline.over()

    def gave_up(self, given: Input) -> bool:
        """Whether an input of this kind was stopped by its time, so that no other one is run."""
        return given.kind in self._endless

    def was_stopped(self, given: Input) -> bool:
        """Whether the last run, of this input, gave nothing for want of time: no word about what plain Python gives."""
        return self.too_slow or self.gave_up(given)

    def run(self, given: Input, first: bool = False, seconds: float = 0.0) -> tuple[Any] | None:
        """(result,), or None where plain Python fails on this input or takes too long: longer than `seconds`, if given."""
        # a varied input may make a loop endless; the call's own input may take all the time there is
        if given.kind in self._endless:
            return None  # what made one loop endless makes the next one so
        seconds = seconds or min(self._deadline.left(), self.for_another())
        if first and self._own is not None and self.uncompiled(given, self._deadline.left()) is not None:
            return self._own
        if not first and self.agrees():
            found = self.uncompiled(given, seconds)
            if found is not None:
                return found
            if self.too_slow:
                self._endless.add(given.kind)
                return None
            failed = self.failed_by_numpy
            if isinstance(failed, Exception) and is_of_any_arrays(failed):
                self._error = failed  # asked again, JAX would compile all that comes before it
                return None
        if self.on_numpy:
            return self._on_numpy(given, first, seconds)
        own = Deadline(self._patience) if self._patience > self._deadline.left() else self._deadline
        self._probes.start(own if first else Deadline(seconds), own=first)
        begin = time.thread_time()

        try:
            with contextlib.nullcontext() if first else self._numpys.of(self._room):
                result = rerun(lambda: self._plainly(given))
            if first:
                self._first = time.thread_time() - begin
                self._own = (result,)
            return (result,)
        except (OutOfTime, Effect) as error:
            if first:
                self.failed = error
            else:
                self._endless.add(given.kind)
        except Exception as error:
            if first and not self._interpreted and _is_of_a_trace(error):
                self._interpreted = (
                    True  # a helper is jitted itself, or a body is JAX's to trace: plain Python has values there
                )
                return self.run(given, first)
            if first and is_refused(error) and uncompiled.can_run():
                self.on_numpy, self._agrees = True, True
                self._fun = self._made(self._units)
                return self.run(given, first)
            if first:
                self.failed = error
            self._error = error
        return None

    def _on_numpy(self, given: Input, first: bool, seconds: float) -> tuple[Any] | None:
        """`run` of what JAX's arrays refuse."""
        begin = time.thread_time()
        found = self.uncompiled(given, self._deadline.left() if first else seconds)
        if first and found is None:
            self.failed = self.failed_by_numpy or OutOfTime()
            if not self._interpreted and _is_of_a_trace(self.failed):
                self._interpreted, self.failed = True, None
                return self._on_numpy(given, first, seconds)
        elif first:
            self._first, self._own = time.thread_time() - begin, found
            self._learn_bounds()
        if found is None and isinstance(self.failed_by_numpy, Exception):
            self._error = self.failed_by_numpy
        return found

    failed_by_numpy: BaseException | None = None

    def _plainly(self, given: Input) -> Any:
        with jax.disable_jit(self._interpreted):
            args, kwargs = fresh((given.args, given.kwargs))
            result = self._fun(*args, **kwargs)
            self.changes_given |= is_written_to((given.args, given.kwargs), (args, kwargs))
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree_util.tree_leaves(result)):
            raise jax.errors.UnexpectedTracerError("the result holds what the body of one of JAX's loops kept")
        return jax.block_until_ready(result)

    def reach(self, given: Input, seconds: float) -> None:
        """Count what an input reaches on which a rewrite was compared by other means than `runs`."""
        if self.uncompiled(given, seconds) is not None:
            self._probes.keep()

    def gives(self, got: Any, given: Input) -> bool:
        """Whether plain Python gives this by JAX itself, whose largest of a thousand numbers leaves NaN out on CPUs."""
        self._probes.start(Deadline(self.for_another()))
        try:
            with self._numpys.of(self._room):
                return not differs(got, rerun(lambda: self._plainly(given)))
        except (Exception, OutOfTime, Effect):
            return False

    def casts_nan(self, given: Input) -> bool:
        """Whether NumPy itself makes a whole number of NaN there, which is whatever the processor gives."""
        self._probes.start(Deadline(self.for_another()))
        said = io.StringIO()
        notes = np.errstate(invalid="log", call=said)
        with contextlib.suppress(Exception, OutOfTime, Effect), notes, self._numpys.of(self._room):
            rerun(lambda: self._plainly(given))
        return "invalid value encountered in cast" in said.getvalue()

    def agrees(self) -> bool:
        """Whether the call's own input gives by NumPy what JAX gives: then varied inputs are run by NumPy,
        which compiles nothing for the shapes that they lead to."""
        if self._agrees is None:
            self._agrees = False
            given = self.variations.call()
            with self._deadline.stopped() if self._patience else contextlib.nullcontext():
                own = self._own or self.run(given, first=True)
                if own is None and self._patience and isinstance(self.failed, OutOfTime):
                    own = self._run_again_if_it_compiles(given)
            if own is not None and uncompiled.can_run():
                got = self.uncompiled(given, SHORT * 20)
                self._learn_bounds()
                self._agrees = got is not None and not differs(got[0], own[0])
        return self._agrees

    def _run_again_if_it_compiles(self, given: Input) -> tuple[Any] | None:
        """The run of the call's own input once more, where NumPy ends it soon: then JAX took long for what it compiles (slices
        of other sizes in each round), which it need not do again."""
        if not uncompiled.can_run() or self.uncompiled(given, SHORT * 20) is None:
            return None
        self._patience, self.failed = max(self._patience, time_left() / 3), None
        return self.run(given, first=True)

    def _learn_bounds(self) -> None:
        """What a varied input's run may take, from what the call's own took."""
        self._most = max(MOST_OPERATIONS, MANY_MORE * self.operations)
        self._room = max(MOST_ELEMENTS, MANY_MORE * max(self._largest, self._numpys.largest))

    @property
    def function(self) -> Callable[..., Any]:
        """The plain function with its probes."""
        fun: Callable[..., Any] = self._fun
        return fun

    def uncompiled(self, given: Input, seconds: float) -> tuple[Any] | None:
        """`run` by NumPy, nothing compiled for new shapes: (result,), or None where plain Python does not take it."""
        bounds = () if given.kind == "call" else (self._most, self._room)
        return self._by_numpy(self._fun, given.args, given.kwargs, seconds, "plain", bounds)

    def elsewhere(self, given: Input, seconds: float) -> tuple[Any] | None:
        """(result,) by NumPy, or by JAX where the two do not agree (NumPy's own numbers of 64 bits); None where it fails."""
        return self.uncompiled(given, seconds) if self.agrees() else self.run(given, seconds=seconds)

    def computed(self, fun: Callable[..., Any], values: list[Any], seconds: float, same: Hashable = None) -> Any:
        """What a function of plain Python's (its gradient, say) gives for these arrays, by NumPy; None where it fails.
        Functions with an equal `same`, which is not None, do the same."""
        found = self._by_numpy(fun, (values,), {}, seconds, same, (self._most, self._room))
        return None if found is None else found[0]

    def gradient(
        self, total: Callable[[Any], Any], values: list[Any], others: list[Any], seconds: float, same: Hashable
    ) -> Any:
        """(a function's one number, its gradient in these values), by NumPy; None where it fails.

        Raises:
            NotKnown: JAX has to tell.
        """
        if same is None or self.on_numpy:
            raise NotKnown("it may not go by its arguments")
        tape = Tape()
        found = self._by_numpy(total, ([values, others],), {}, seconds, same, (self._most, self._room), tape)
        if found is None:
            return None
        if not tape.known:
            raise NotKnown("it does not go by its arguments")
        try:
            return found[0], backward.of_tape(tape, len(values), Watch(Deadline(seconds)))
        except Refused:
            return None
        except OutOfTime:
            self.too_slow = True
            return None

    def _by_numpy(
        self,
        fun: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        seconds: float,
        same: Hashable,
        bounds: tuple[float, ...] = (),
        tape: Tape | None = None,
    ) -> tuple[Any] | None:
        recordings = None if same is None or self.on_numpy else self._recordings
        deadline = Deadline(seconds)
        watch = Watch(deadline, *bounds)
        self._probes.start(deadline)

        shared = Shared() if self.on_numpy else None
        used = fresh(args), fresh(kwargs)

        def plainly() -> Any:
            with jax.disable_jit(self._interpreted):
                known = same, self._interpreted
                return uncompiled.run(fun, used[0], used[1], deadline, watch, recordings, known, shared, tape)

        self.too_slow, self.failed_by_numpy = False, None
        try:
            with self._numpys.of(bounds[1] if bounds else float("inf")):
                found = (rerun(plainly),)
            self.changes_given |= is_written_to((args, kwargs), used)
            self.changes_given |= shared is not None and shared.changes_given
            return found
        except OutOfTime:
            self.too_slow = True
            return None
        except (Exception, Effect) as error:
            self.failed_by_numpy = ReadLater() if shared is not None and shared.is_missed(error) else error
            return None  # plain Python does not take it: nothing to compare with
        finally:
            self.operations, self._largest = watch.operations, watch.largest

    operations = 0
    """How many the last run by NumPy took."""
    _largest = 0
    """How many elements its largest array had."""
    ran_infinite = False
    """Whether `runs` has come to all inputs with infinities."""
    too_slow = False
    """Whether the last run by NumPy was stopped by its time."""


def _is_computed(part: ast.Slice) -> bool:
    """Whether a bound of a slice is no number that is written there."""
    return any(isinstance(node, ast.Name) for bound in (part.lower, part.upper) if bound for node in ast.walk(bound))


def _is_of_a_trace(error: BaseException) -> bool:
    """Whether something had no value because it was traced."""
    return isinstance(error, jax.errors.JAXTypeError | jax.errors.JAXIndexError) or bool(_TRACER.search(str(error)))


def why_it_failed(error: BaseException) -> str:
    """What is said where the call's own input gives nothing."""
    if isinstance(error, OutOfTime):
        return "the function runs too long to compare"
    if isinstance(error, ReadLater):
        return "it reads an array by another name than that by which it is changed in place: NumPy's may be the same"
    if isinstance(error, Effect):
        return f"plain Python was not run: {error}"
    if _is_of_a_trace(error):
        return "plain Python cannot run it either: vmap, checkpoint or the like traces its body"
    return f"plain Python fails: {(str(error) or type(error).__name__).splitlines()[0][:120]}"
