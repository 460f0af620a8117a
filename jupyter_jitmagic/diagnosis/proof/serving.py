"""Which other calls plain Python takes, and whether a rewrite gives the same there: all computed without compiling."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.diagnosis.proof.arguments import Input, traced_leaves
from jupyter_jitmagic.diagnosis.proof.changed import (
    MANY,
    in_former_kinds,
    with_all_arrays,
    with_arrays,
    with_floats,
    with_former_floats,
    with_numbers,
)
from jupyter_jitmagic.diagnosis.proof.changes import leveled, noise, set_to
from jupyter_jitmagic.diagnosis.proof.differing import (
    ALWAYS_COMPLEX,
    OF_NO_ITEMS,
    REPEATS_NUMBER,
    CannotRun,
    Differs,
    as_promised,
    differ_in_nothing,
    differs,
    is_wider,
    outgrows_arrays,
    repeats_number,
    same_dtypes,
    shapes,
    wider_dtypes,
    wider_words,
    with_even_lists,
    with_whole_nan_of,
)
from jupyter_jitmagic.diagnosis.proof.leaves import in_shape, kind_of
from jupyter_jitmagic.diagnosis.proof.ordering import UNORDERED, loses_order
from jupyter_jitmagic.diagnosis.proof.other_calls import ALL_INTEGERS, ARRAYS_OF_INTEGERS, NOT_EMPTY, OtherCall
from jupyter_jitmagic.diagnosis.proof.own_numbers import (
    OUTSIDE,
    is_outside,
    nan_for_a_number,
    otherwise_as_arrays,
    turns_complex,
)
from jupyter_jitmagic.diagnosis.proof.rounding import NEVER, NUDGES, ends_by_floats, explained_by_rounding
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.proof.plain import Plain

SHORT = 0.1  # seconds for one run of the function, in one way or the other
MOST_TAKEN = 18  # other calls that a rewrite is compared on
MOST_IN_SHORT = 2  # kinds of integers, where there is no time for more
OPTIONAL_WITHIN = 1.0  # seconds of plain runs with optional arguments given and not, beyond those for all other calls
_FEWER_FROM = (200, 1000)  # operations of a run, from which on each call is run with fewer values: more calls tell more

_NUMBERS: tuple[int | tuple[int, ...], ...] = (0, -99, 99, (0, 99))  # the last are a range, where bounds are given
_LEVELS = (0, -99, 99)
_OTHER_VALUES: tuple[tuple[float, ...], ...] = ((99,), (-99,), (0,), (1,), (-99, 99), (99, -99), (float("nan"),))
_ASPECTS = {
    "left out": "optional arguments left out",
    "none": "None",
    "given": "optional arguments given",
    "size": "arrays of other sizes",
    "rank": "arrays with another number of axes",
    "number": "other kinds of numbers",
    "own arrays": "numbers that are arrays of their own",
    "end": "indices at the ends",
    "negative int": "indices at the ends",
}
_OPTIONAL = ("left out", "none", "given")
FAILS = "fails"
_PLACES = ("end", "negative int")


class TooLong(Differs):
    """A rewrite finds no end on a call that plain Python takes."""


@dataclass(frozen=True)
class Taken:
    """Another call that plain Python takes: inputs of one signature with their results."""

    call: OtherCall
    wanted: tuple[tuple[Input, Any], ...]


class Served:
    """The other calls of one failing call, run plainly once for all rewrites.

    Args:
        fun: the user's function.
        plain: it, ready to be run.
        static: its static arguments, by name or position.
        calls: what else a caller may call, most telling first.
        seconds: for all plain runs.
    """

    def __init__(
        self, fun: Callable[..., Any], plain: Plain, static: Sequence[str | int], calls: Sequence[OtherCall], seconds: float
    ) -> None:
        self._fun, self.plain, self._static = fun, plain, static
        self.taken: list[Taken] = []
        self.unsought: list[tuple[OtherCall, Any]] = []
        """What plain Python takes as well, with its result there; a rewrite need not."""
        self.met_another_shape = False  # at the ends of arrays, where the draft gives up another shape
        self.said: dict[str, None] = {}
        """What is to be said of the last rewrite compared, as plain Python's own numbers give something else."""
        self.untried: dict[str, None] = {}
        self.unknown: list[OtherCall] = []
        """Optional arguments given and not, where plain Python takes too long to tell whether it takes them."""
        self._late: list[OtherCall] = []
        self._patience = 10 * SHORT
        self._first: Any = None
        self._moved: dict[int, list[tuple[Any] | None]] = {}
        if not plain.agrees():
            self.untried = dict.fromkeys(_ASPECTS[call.given.kind] for call in calls if not is_optional(call))
            self._late = [call for call in calls if call.sought and is_optional(call)]
            self._take_optional()
            self._take_integers(calls)
            return
        deadline = Deadline(seconds)
        self._changes: list[Callable[[Any], Any]] = []
        own = plain.variations.call()
        first = plain.uncompiled(own, SHORT)
        self._first = first[0] if first is not None else None
        self._usual = [first is not None]
        if any(kind_of(leaf) == "f" for leaf in plain.variations.leaves):
            few = sum(plain.operations > most for most in _FEWER_FROM)
            self._changes = [operator.neg, noise(1), noise(2)][: 3 - few]
        others = itertools.islice(self._with_others(own), 1, None)
        self._usual += [plain.uncompiled(given, SHORT) is not None for given in others]
        left_out = []
        for call in calls:
            if not call.sought or (call.instead and self._takes(call.names)):
                continue
            if deadline.over() or len(self.taken) >= MOST_TAKEN:
                self._no_time_for(call)
                left_out.append(call)
                continue
            wanted = tuple(self._run(call))
            if wanted:
                self.taken.append(Taken(call, wanted))
        self._take_optional()
        self._take_integers(left_out)
        for call in calls:
            if not call.sought and (found := plain.uncompiled(call.given, SHORT)) is not None:
                self.unsought.append((call, found[0]))

    def _take_integers(self, calls: Sequence[OtherCall]) -> None:
        """Integers in the place of floats, once each, where there is no time for more or NumPy cannot run it: a rewrite
        has to trace there (branches of one type)."""
        whole = [call for call in calls if call.given.kind == "number" and "integers" in call.words]
        for call in whole[-MOST_IN_SHORT:]:
            result = self.plain.run(call.given, seconds=5 * SHORT)
            if result is not None:
                self.taken.append(Taken(call, ((call.given, result[0]),)))

    def _take_optional(self) -> None:
        """Optional arguments given and not, once each, where there was no time for more or NumPy cannot run it: a rewrite has
        to trace there. Where plain Python takes longer, it is unknown whether it takes them."""
        deadline = Deadline(OPTIONAL_WITHIN if self.plain.failed is None else 0)
        for call in self._late:
            if any(taken.call.words == call.words for taken in self.taken) or (call.instead and self._takes(call.names)):
                continue
            left = deadline.left()
            result = self.plain.run(call.given, seconds=left) if left else None
            if result is not None:
                self.taken.append(Taken(call, ((call.given, result[0]),)))
            elif not left or self.plain.gave_up(call.given):
                self.not_compared(call)
                self.unknown.append(call)

    def _takes(self, names: Sequence[str]) -> bool:
        """Whether plain Python takes what was given for these arguments."""
        return any(taken.call.given.kind == "given" and taken.call.names == names for taken in self.taken)

    def results_not_empty(self) -> list[Any]:
        """Plain Python's results for arrays with elements, where the call's own have none."""
        return [want for taken in self.taken if taken.call.words == NOT_EMPTY for _, want in taken.wanted]

    def first(self, taken: Taken) -> None:
        """What stopped a rewrite stops most of those that follow: they are compared on it first."""
        self.taken.sort(key=lambda each: each is not taken)

    def not_compared(self, call: OtherCall) -> None:
        """The answer has to say that it was not compared there."""
        self.untried[_ASPECTS[call.given.kind]] = None

    def _no_time_for(self, call: OtherCall, run: Sequence[Any] = ()) -> None:
        """It was not run; another of the same words that was stands for it, and beside other sizes it is named itself. What is
        optional is asked for once more."""
        if is_optional(call) and not run:
            self._late.append(call)
        elif any(taken.call.words == call.words for taken in self.taken):
            return
        elif call.given.kind == "size" and any(taken.call.given.kind == "size" for taken in self.taken):
            self.untried[call.words.removeprefix("on ")] = None
        else:
            self.not_compared(call)

    def _with_others(self, given: Input) -> Iterator[Input]:
        """The input, and the same with other floats, or whole numbers in their places, so that decisions go the other way."""
        yield given
        whole = not any(kind_of(leaf) == "f" for leaf in traced_leaves(self._fun, given, self._static))
        own = self.plain.variations.call()
        for change in self._changes:
            if whole:
                yield with_former_floats(self._fun, given, own, self._static, change)
            else:
                yield with_floats(self._fun, given, self._static, change)

    def _run(self, call: OtherCall) -> list[tuple[Input, Any]]:
        """Inputs like this with their results; none where plain Python fails on one that it takes in the call's own shapes and
        kinds of numbers: the call would depend on which branch is taken."""
        found = []
        for usual, changed in zip(self._usual, self._with_others(call.given), strict=True):
            result = self.plain.uncompiled(changed, SHORT)
            if result is None and changed.kind == "given" and not self.plain.too_slow:
                changed = self._as_first_given(changed, call.given)
                result = self.plain.uncompiled(changed, SHORT)
            if result is not None:
                found.append((changed, result[0]))
            elif self.plain.too_slow:
                self._no_time_for(call, found)
                return found
            elif usual and not (found and call.alone) and not self._values_alone_fail(changed):
                if changed.kind in _PLACES:
                    self.plain.note_what_it_raises(changed, SHORT)  # an index past the end of what is no array of JAX's
                return []
        if found and call.given.kind == "number":
            found += self._run_leveled(call.given)
            if call.words in (ARRAYS_OF_INTEGERS, ALL_INTEGERS):
                found += [each for number in _LEVELS for each in self._run_leveled(call.given, set_to(number))]
        return found

    def _as_first_given(self, changed: Input, given: Input) -> Input:
        """The changed input with the optional arguments as they were given: a number that was chosen for one may be the only
        one that its code takes (`math.log(prior)`), and says nothing about the others."""
        own = self.plain.variations.call()
        args = (*changed.args[: len(own.args)], *given.args[len(own.args) :])
        added = {name: value for name, value in given.kwargs.items() if name not in own.kwargs}
        return replace(changed, args=args, kwargs={**changed.kwargs, **added})

    def _run_leveled(self, given: Input, change: Callable[[Any], Any] = leveled) -> list[tuple[Input, Any]]:
        """Whole numbers in the place of floats, with one number all through each array: a branch that is taken for these alone
        (`if x.max() == x.min()`, `if total <= 0`) may give whole numbers, where all others give floats."""
        level = with_former_floats(self._fun, given, self.plain.variations.call(), self._static, change)
        arrays = any(np.size(leaf) > 1 and kind_of(leaf) == "i" for leaf in traced_leaves(self._fun, level, self._static))
        result = self.plain.uncompiled(level, SHORT) if arrays else None
        return [] if result is None else [(level, result[0])]

    def _values_alone_fail(self, given: Input) -> bool:
        """Whether plain Python fails on these values in the call's own kinds of numbers, too: two ends that lost their change
        of sign say nothing about ints in the place of floats; nor does Python's own number that is divided by 0, as no array
        is."""
        if given.kind not in ("number", "own arrays"):
            return False
        if isinstance(self.plain.failed_by_numpy, ArithmeticError):
            return True
        same = in_former_kinds(self._fun, given, self.plain.variations.call(), self._static)
        return self.plain.uncompiled(same, SHORT) is None and not self.plain.too_slow

    def depends_on_its_values(self, given: Input) -> bool:
        """Whether with other values in the arrays plain Python refuses these sizes, or gives arrays of other shapes, neither of
        which it does in the call's own sizes: in a branch that is not taken here, and compiled code has every branch."""
        own, sizes = self.plain.variations.call(), set()
        for numbers, most in (*((each, MANY) for each in _OTHER_VALUES), ((99,), 1), ((99,), 0)):
            found, there = (
                self.plain.uncompiled(with_all_arrays(self._fun, one, self._static, numbers, most), SHORT)
                for one in (given, own)
            )
            if self.plain.too_slow:
                return False
            if there is None:
                continue
            if found is None:
                return True
            sizes.add((tuple(shapes(found)), tuple(shapes(there))))
        return len({other for other, _ in sizes}) > len({one for _, one in sizes}) == 1

    def takes_by_broadcasting(self, given: Input) -> bool:
        """Whether plain Python takes arrays that have a single element along an axis, and refuses the same with two (with
        three where two are the call's own): the one is stretched to whatever stands beside it."""
        variations, more = self.plain.variations, dict[int, Any]()
        for k, (now, own) in enumerate(zip(variations.of(given).leaves, variations.leaves, strict=True)):
            sizes = zip(np.shape(now), np.shape(own), strict=True)
            shape = tuple((2 if size > 2 else 3) if one == 1 < size else one for one, size in sizes)
            if shape != np.shape(now):
                more[k] = in_shape(own, shape)
        refused = more and self.plain.uncompiled(variations.replaced(more, given.kind), SHORT) is None
        return bool(refused) and not self.plain.too_slow

    def compare(self, taken: Taken, traced: Any, excludes: Collection[str] = (), risky: bool = False) -> None:
        """Compare a rewrite, traced on this call, with plain Python, except on what it gives up (`Step.excludes`): "another
        shape" where plain Python's result is shorter, "size" where arrays have other lengths, "negative int" where other
        floats may make a bound negative. `risky`: it computes what plain Python may not come to, so that a loop without an
        end is no matter of rounding.

        Raises:
            Differs: it gives something else, or finds no end.
            CannotRun: the program cannot be run without compiling.
        """
        if taken.call.given.kind == "size" and "size" in excludes:
            self.not_compared(taken.call)
            return
        for given, want in taken.wanted[:1] if "negative int" in excludes else taken.wanted:
            if (want is None and "nothing" in excludes) or ("beyond" in excludes and _counts_beyond(given)):
                continue
            if UNORDERED in excludes and loses_order(self.plain.variations.call(), given):
                continue
            if OUTSIDE in excludes and is_outside(given, want):
                continue
            if outgrows_arrays((given.args, given.kwargs)):
                continue  # jit refuses it
            try:
                got = self.computed(given, traced)
            except TooLong:
                if self.plain.uncompiled(with_arrays(self._fun, given, self._static), SHORT) is None:
                    self.not_compared(taken.call)  # JAX's numbers for Python's: then plain Python finds no end either
                    self._patience = 2 * SHORT  # there will be more of them
                    return
                if taken.call.given.kind == "number" and ends_by_floats(traced.jaxpr) and not risky:
                    # `while u > total` of a total that gets to 1 in double precision alone
                    if not any(each.endswith(NEVER) for each in self.said):
                        self.said[f"{taken.call.words} it found no end: {NEVER}"] = None
                    self._patience = 2 * SHORT
                    continue
                raise
            want = as_promised(got, want, excludes)
            if {"another shape", "overlap"} & set(excludes) and shapes(got) != shapes(want):
                self.met_another_shape |= taken.call.given.kind == "end"
                continue
            difference = differs(got, with_whole_nan_of(got, want))
            if difference and repeats_number(got, want):
                is_single = taken.call.given.kind == "rank"
                self.said[
                    f"{taken.call.words} it gives {REPEATS_NUMBER}" if is_single else f"{REPEATS_NUMBER}{OF_NO_ITEMS}"
                ] = None
                continue
            if difference and self._of_either_kind(taken, got, want):
                self._say_wider(taken.call, got, want)
            elif difference:
                if turns_complex(self._first, got, want) or self._rounding_decides(given, got, want):
                    self.said |= {said: None} if (said := nan_for_a_number(self.plain, self._first, got, want)) else {}
                    continue
                arrays = functools.partial(with_arrays, self._fun, static=self._static)
                if said := otherwise_as_arrays(self.plain, given, got, want, arrays):
                    self.said[said] = None
                    continue
                raise Differs(f"it differs {taken.call.words}: {difference}")

    def otherwise(self, taken: Taken, traced: Any, excludes: Collection[str]) -> str:
        """What a rewrite does there that plain Python does not, in words; "" where both give the same."""
        try:
            self.compare(taken, traced, excludes)
            return ""
        except (CannotRun, TooLong):
            return FAILS
        except Differs:
            pass  # in what?
        try:
            pairs = [(self.computed(given, traced), want) for given, want in taken.wanted]
        except (CannotRun, TooLong):  # on an input that was not come to
            return "gives something else"
        if all(not differs(got, want) or is_wider(got, want) for got, want in pairs):
            return next((f"gives {words}" for got, want in pairs if (words := wider_dtypes(got, want))), "")
        return "gives something else"

    def gives_otherwise(self, taken: Taken, traced: Any) -> bool:
        """Whether a rewrite is seen to give something else on a call on which it promises nothing."""
        try:
            self.compare(taken, traced)
        except CannotRun:
            return False
        except Differs:
            return True
        return False

    def computed(self, given: Input, traced: Any) -> Any:
        """What the program gives on an input."""
        leaves = traced_leaves(self._fun, given, self._static)
        try:
            return rerun(lambda: uncompiled.evaluate(traced, leaves, Deadline(self._patience)))
        except (OutOfTime, Effect) as error:
            raise TooLong(f"it takes too long to compare ({type(error).__name__})") from None
        except Exception as error:
            raise CannotRun(f"{type(error).__name__}: {error}") from None

    def _say_wider(self, call: OtherCall, got: Any, want: Any) -> None:
        """Arrays of other numbers than plain Python's are said; an int of its own may always be a float."""
        words = wider_words(got, want)
        of_kinds = call.given.kind == "number" and words != ALWAYS_COMPLEX  # which depends on values
        self.said[f"{call.words} it gives {words}" if of_kinds else words] = None

    def _of_either_kind(self, taken: Taken, got: Any, want: Any) -> bool:
        """Whether plain Python gives integers here, and floats for other values of the same arguments: compiled code can give
        only the wider."""
        if not is_wider(got, want):
            return False
        of_nothing = differ_in_nothing(got, want)  # which has other shapes than the call's own result
        own = self._first is not None and same_dtypes(got, with_even_lists(self._first))
        if own and self._of_own_kinds(taken.call.given, in_any_shape=of_nothing):
            return True
        if any(same_dtypes(got, with_even_lists(result)) for result in self._with_numbers(taken.wanted[0][0])):
            return True
        return any(same_dtypes(got, with_even_lists(other)) for _, other in taken.wanted)

    def _of_own_kinds(self, given: Input, in_any_shape: bool) -> bool:
        """Whether an input has the call's own kinds of numbers and shapes: it is one of other values."""
        own, other = (
            [(kind_of(leaf), () if in_any_shape else np.shape(leaf)) for leaf in each.leaves]
            for each in (self.plain.variations, self.plain.variations.of(given))
        )
        return own == other

    def _with_numbers(self, given: Input) -> Iterator[Any]:
        """Plain Python's results for other values of the same arguments; each is computed once for all rewrites."""
        ways = list(itertools.product((False, True), _NUMBERS, ("i", "f", "fi")))
        known = self._moved.setdefault(id(given), [])
        for k, (arrays, numbers, kinds) in enumerate(ways):
            if k == len(known):
                moved = with_numbers(self._fun, given, self._static, numbers, kinds, arrays)
                known.append(self.plain.uncompiled(moved, SHORT))
            if (found := known[k]) is not None:
                yield found[0]

    def _rounding_decides(self, given: Input, got: Any, want: Any) -> bool:
        """Whether plain Python's own result changes with the last digits of its input, or with JAX's numbers for Python's."""
        nudges = [functools.partial(operator.mul, factor) for factor in NUDGES]
        nudged = [with_floats(self._fun, given, self._static, nudge) for nudge in nudges]
        arrays = [] if self.plain.asks_for_kinds else [with_arrays(self._fun, given, self._static)]

        def run(each: Input) -> Any:
            return self.plain.uncompiled(each, self.plain.for_another())

        return explained_by_rounding(run, lambda _: self.plain.too_slow, arrays, nudged, got, want)


def is_optional(call: OtherCall) -> bool:
    """Whether it is the call with an optional argument given, or not."""
    return call.given.kind in _OPTIONAL


def _counts_beyond(given: Input) -> bool:
    """Whether a count among the arguments is larger than any array is long."""
    leaves = [leaf for leaf in jax.tree_util.tree_leaves((given.args, given.kwargs)) if kind_of(leaf) in ("f", "i", "b")]
    longest = max((jnp.shape(leaf)[0] for leaf in leaves if jnp.ndim(leaf)), default=0)
    return any(not jnp.ndim(leaf) and kind_of(leaf) == "i" and int(leaf) > longest for leaf in leaves)
