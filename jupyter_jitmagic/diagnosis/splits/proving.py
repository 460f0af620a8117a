"""The proof of a split: run beside plain Python on varied inputs, and on the other calls that an answer has to serve."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import jax

from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.proof.arguments import ARRAYS_ALONE, Input, JitCall, other_statics, static_split
from jupyter_jitmagic.diagnosis.proof.carrying import carrying, changes_what_is_shared
from jupyter_jitmagic.diagnosis.proof.changed import with_level_arrays
from jupyter_jitmagic.diagnosis.proof.decimals import IN_DOUBLE, needs_double
from jupyter_jitmagic.diagnosis.proof.differing import Differs, differs, is_wider, wider_dtypes
from jupyter_jitmagic.diagnosis.proof.gradients import DiffersAtEdge, DiffersBesideNan, Gradients
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.leaves import as_array
from jupyter_jitmagic.diagnosis.proof.other_calls import OtherCall, other_calls, where_it_fails
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.proof.verify import compare, comparison, computed
from jupyter_jitmagic.diagnosis.splits.mending import Lines
from jupyter_jitmagic.diagnosis.types import Comparison
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.purity import impurity
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime
from jupyter_jitmagic.source.compared import compared_words
from jupyter_jitmagic.source.units import NoSource, Unit, plain_function

MOST_KEPT = 1000  # items of a container that is compared
MOST_WORDS = 6  # other names and flags that are tried, behind this many other calls
MOST_BEFORE_WORDS = 4
WRITTEN = object()
"""Stands for what a global name holds after a call that writes it."""

WithoutJit = Callable[[], AbstractContextManager[None]]


class Proof:
    """What a split of a call's function is compared with.

    Args:
        call: the failing call.
        static: arguments that are static.
        unit: the statement that is split.
        seconds: time for each comparison.
        refused: lines at which plain Python sets elements of JAX's arrays, which change nothing.
    """

    def __init__(self, call: Call, static: frozenset[str], unit: Unit, seconds: float, refused: Lines = ()) -> None:
        self.call, self.static, self.unit, self.seconds, self.refused = call, static, unit, seconds, refused

    @property
    def _static(self) -> tuple[str, ...]:
        return (*sorted(self.static), *((ARRAYS_ALONE,) if self.call.keeps_options else ()))

    @functools.cached_property
    def _variations(self) -> Variations:
        given = self.call.args, self.call.kwargs
        return Variations(*given, static_split(self.call.fun, *given, self._static))

    @functools.cached_property
    def _trees(self) -> list[ast.AST]:
        return [ast.parse(self.unit.text)]

    @functools.cached_property
    def _other_calls(self) -> list[OtherCall]:
        return list(other_calls(self.call.fun, self._variations.call(), self._variations, self._trees))

    @functools.cached_property
    def others(self) -> list[Input]:
        """Calls that an answer has to serve as well: options left out or given, other sizes."""
        served = [each for each in self._other_calls if _is_served(each)]
        given = [each.given for each in served]
        otherwise = [one for each in served if each.given.kind == "given" for one in self._given_otherwise(each)]
        return [*given[:MOST_BEFORE_WORDS], *self._of_other_words(self._trees), *given[MOST_BEFORE_WORDS:], *otherwise]

    def _given_otherwise(self, call: OtherCall) -> Iterator[Input]:
        """What is given as the arrays that it may be as well, which no piece can have static; and beside arrays in
        which several are the largest."""
        given, own = call.given, self._variations.call()
        if not any(name in self._static for name in call.names):
            args = (*given.args[: len(own.args)], *jax.tree.map(as_array, given.args[len(own.args) :]))
            added = {name: value for name, value in given.kwargs.items() if name not in own.kwargs}
            given = replace(given, args=args, kwargs={**given.kwargs, **jax.tree.map(as_array, added)})
            yield given
        yield with_level_arrays(self.call.fun, given, self._static)

    def _of_other_words(self, trees: Sequence[ast.AST]) -> Iterator[Input]:
        """The call with other names and flags, which no piece can trace: those with which the code compares them, and one that
        an `else` stands for."""
        names = tuple(argument.name for argument in self.call.arguments if isinstance(argument.value, str | bool))
        words = [word for tree in trees for word in compared_words(tree, self.unit.globals)]
        call = JitCall(self.call.fun, self.call.args, dict(self.call.kwargs), names)
        for args, kwargs in itertools.islice(other_statics(call, words), MOST_WORDS):
            yield Input(args, kwargs, "static value")

    def compared(
        self, fun: Any, own_sizes_done: Callable[[], None] = lambda: None, without_jit: WithoutJit | None = None
    ) -> Comparison | str | None:
        """How it was compared; the reason why it was not; None where it gives something else.

        Args:
            fun: the split function.
            own_sizes_done: called when the inputs of the call's own sizes are through.
            without_jit: while it lasts the pieces are under no jit; given where a loop of one may have no reverse mode.
        """
        given, carried = (self.call.fun, self.call.args, self.call.kwargs), self.call.carried
        kept: dict[str, Any] = {}
        while True:
            why_not, units = impurity(*given, carried | frozenset(kept), self.refused, carried)
            found = self._changed_global(why_not)
            if found is None or found[0] in kept:
                break
            kept |= [found]
        if why_not := why_not or changes_what_is_shared(*given, carried, self.seconds):
            return f"not compared: {why_not}"
        fun = carrying(with_kept(fun, kept), carried)
        try:
            own = with_kept(self.call.fun, kept)
            units = _with(units, self.unit)
            plain = Plain(own, units, {}, self._variations, self.seconds, carried=carried)
            count, notes, inputs = compare(
                plain,
                lambda given: computed(fun, given),
                {},
                Deadline(self.seconds),
                uncompiled_rewrite=functools.partial(_uncompiled, fun),
            )
            own_sizes_done()
            serves = self._serves_others(plain, fun)
        except (NoSource, Differs):
            return None
        if not serves:
            return None
        notes = (*notes, *self._differences(plain, fun))
        try:
            notes = tuple(filter(None, (*notes, self._gradients_compared(plain, fun, inputs, without_jit))))
        except Differs as error:
            return f"its values are right, but {error}"
        if IN_DOUBLE not in notes and any(needs_double(unit.text) for unit in units):
            notes += (IN_DOUBLE,)
        return comparison(plain, count, notes, {}, lambda given: computed(fun, given))

    def _gradients_compared(self, plain: Plain, fun: Any, inputs: Sequence[Input], without_jit: WithoutJit | None) -> str:
        """Half a sentence where JAX has no gradient, or it is lost to NaN or at edges alone.

        Raises:
            Differs: it is another.
        """
        gradients = Gradients(self.call.fun, plain, self._static, plain.minds_nan)
        try:
            if without_jit is not None and inputs:
                with without_jit():
                    lost = gradients.one_way(fun, inputs[0], self.seconds)
                if lost:
                    return lost
            return gradients.compare(fun, inputs, self.seconds / 4, traces=False)
        except (DiffersAtEdge, DiffersBesideNan) as error:
            return str(error)

    def _changed_global(self, why_not: str) -> tuple[str, Any] | None:
        """The list (dict, …) of numbers and arrays, with its name among the globals, of which it is said that it is changed;
        `WRITTEN` for a global that is written, if it holds such things.
        """
        said = re.match(r"it (changes|writes the global) (\w+) ", why_not)
        function = plain_function(self.call.fun)
        if said is None or function is None or said[2] in (*function.__code__.co_varnames, *function.__code__.co_freevars):
            return None
        held: Any = function.__globals__.get(said[2])
        contains = type(held) in (list, dict, set, deque)
        if len(held) > MOST_KEPT if contains else said[1] == "changes":
            return None
        items = jax.tree_util.tree_leaves(_copy(held))
        simple = all(isinstance(item, int | float | complex | str | jax.Array) for item in items)
        return (said[2], held if said[1] == "changes" else WRITTEN) if simple else None

    def _serves_others(self, plain: Plain, fun: Any) -> bool:
        """Whether the split gives plain Python's results on the other calls, as many as there is time for."""
        time = Deadline(self.seconds)
        for given in self.others:
            want = None if time.over() else plain.run(given)
            if want is None:
                continue
            try:
                if differs(computed(fun, given), want[0]):
                    return False
            except (Exception, OutOfTime, Effect):
                return False
        return True

    def _differences(self, plain: Plain, fun: Any) -> Iterator[str]:
        """Half a sentence for each call with numbers of another kind on which it fails or gives something else."""
        time, fails = Deadline(self.seconds / 4), []
        for call in self._other_calls:
            want = None if _is_served(call) or time.over() else plain.run(call.given)
            if want is None:
                continue
            try:
                got = computed(fun, call.given)
            except (Exception, OutOfTime, Effect):
                fails.append(call.words)
                continue
            if differs(got, want[0]):
                wider = wider_dtypes(got, want[0]) if is_wider(got, want[0]) else ""
                yield f"{call.words} it gives {wider or 'something else'}"
        if fails:
            yield where_it_fails(fails)


def _is_served(call: OtherCall) -> bool:
    """Whether a split is none that does not serve it."""
    return call.promised or call.given.kind in ("left out", "none", "given", "rank")


def with_kept(fun: Any, kept: Mapping[str, Any]) -> Any:
    """A function that gives what these containers and written globals hold after it, too: what it writes there has to be plain
    Python's as well. Each run begins with what the globals hold now.
    """
    if not kept:
        return fun
    names = plain_function(fun).__globals__  # type: ignore[union-attr]
    before = {name: names[name] for name, held in kept.items() if held is WRITTEN and name in names}

    def run(*args: Any, **kwargs: Any) -> Any:
        names = plain_function(fun).__globals__  # type: ignore[union-attr]
        names.update((name, _copy(held)) for name, held in before.items())
        result = fun(*args, **kwargs)
        return result, [_copy(names.get(name) if held is WRITTEN else held) for name, held in kept.items()]

    return run


def _copy(held: Any) -> Any:
    if isinstance(held, list | deque):
        return list(held)
    return dict(held) if isinstance(held, dict) else sorted(held, key=repr) if isinstance(held, set) else held


def _uncompiled(fun: Any, given: Input) -> Any:
    """What the split gives where JAX compiles nothing of its pieces."""
    with jax.disable_jit():
        return computed(fun, given)


def _with(units: Sequence[Unit], own: Unit) -> list[Unit]:
    found = {(unit.filename, unit.first_line): unit for unit in (own, *units)}
    return list(found.values())
