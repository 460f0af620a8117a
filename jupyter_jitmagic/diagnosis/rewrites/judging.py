"""Drafts beside plain Python: which are verified, which only trace, which are wrong."""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jaxprs import MANY_EQUATIONS
from jupyter_jitmagic.base.looking import is_a
from jupyter_jitmagic.diagnosis.proof.arguments import ARRAYS_ALONE, MAX_BYTES, Input, JitCall, bytes_of, traced_leaves
from jupyter_jitmagic.diagnosis.proof.beyond import beside_cancelling, beside_large, note_overflows
from jupyter_jitmagic.diagnosis.proof.carrying import changes_what_is_shared
from jupyter_jitmagic.diagnosis.proof.copied import arrays_of_jax, changeable
from jupyter_jitmagic.diagnosis.proof.decimals import IN_DOUBLE, needs_double
from jupyter_jitmagic.diagnosis.proof.differing import CannotRun, Differs, DiffersInSingle, other_floats
from jupyter_jitmagic.diagnosis.proof.forward import lost_ahead
from jupyter_jitmagic.diagnosis.proof.gradients import DiffersAtEdge, DiffersBesideNan
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.moment import drawn_once, read_while_traced
from jupyter_jitmagic.diagnosis.proof.other_calls import OtherCall, other_calls, where_it_fails
from jupyter_jitmagic.diagnosis.proof.own_numbers import beside_negative_powers
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.proof.printed import PRINTS_ONCE, may_print, prints_while_traced
from jupyter_jitmagic.diagnosis.proof.rounding import (
    ANY_ROUND,
    BY_EQUALITY,
    LATER,
    decides_by_equality,
    ends_by_floats,
    may_count_otherwise,
    may_end_elsewhere,
    may_never_end,
)
from jupyter_jitmagic.diagnosis.proof.serving import FAILS, SHORT, Served, Taken, is_optional
from jupyter_jitmagic.diagnosis.proof.two_at_once import two_at_once
from jupyter_jitmagic.diagnosis.proof.verify import (
    AT_TIE,
    BESIDE_NAN,
    beside_infinities,
    by_numpy,
    compare,
    comparison,
    computed,
    depends_on_order,
    in_another_order,
)
from jupyter_jitmagic.diagnosis.rewrites.building import jitted
from jupyter_jitmagic.diagnosis.rewrites.compiled import compiling, may_be_compiled, refuse_endless
from jupyter_jitmagic.diagnosis.rewrites.counted import first_of, gives_counts, number_of_parts, part_of
from jupyter_jitmagic.diagnosis.rewrites.draft_gradients import DraftGradients
from jupyter_jitmagic.diagnosis.rewrites.drafts import Draft, Stuck, Traced
from jupyter_jitmagic.diagnosis.rewrites.other_values import OtherValues
from jupyter_jitmagic.diagnosis.rewrites.rules import ANOTHER_SHAPE, WRITTEN
from jupyter_jitmagic.diagnosis.rewrites.sources import Changed, changed_sources, other_callers, own_name
from jupyter_jitmagic.diagnosis.rewrites.spared import needed
from jupyter_jitmagic.diagnosis.rewrites.whole import Whole
from jupyter_jitmagic.diagnosis.types import Rewrite
from jupyter_jitmagic.diagnosis.uncompiled.shared import ReadLater
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.made import made_since
from jupyter_jitmagic.sandbox.order_of_keys import GOES_BY_KEYS, WHAT_TO_PASS
from jupyter_jitmagic.sandbox.purity import impurity
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.source.units import NoSource, Unit, plain_function

OTHERS_WITHIN = 0.4  # seconds of plain runs on other calls
_NOTHING = "{effect} and returns nothing, and of a compiled function its result is all that comes out: let it return the array"
_SORTED = f"{GOES_BY_KEYS}, in which plain Python gives something else: {WHAT_TO_PASS}"
_BESIDE_NAN = re.compile(r"it differs on an input varied \((nan\)|infinite\): nan instead)")
_OF_EXTREMES = {
    "nan": "NaN, of which max() and min() take account by its place alone",
    "infinite": "infinity of which NaN comes, of which max() and min() take account by its place alone",
}
_KEEPS = "{effect}, and what is kept there would be a tracer; return the value, and keep it where the function is called"


@dataclass(frozen=True, eq=False)
class _Alike:
    """A draft whose results are plain Python's."""

    count: int
    notes: tuple[str, ...]
    inputs: Sequence[Input]
    """On which it was compared."""
    failing: Sequence[str]
    """What other calls it does not serve."""
    limits: Sequence[str]
    """What is to be said of infinities and the like; "" for nothing."""
    gradients: tuple[Sequence[Input], str | Differs]
    """What was found of its gradients by now, and on which inputs."""


class Judge:
    """Compares drafts with the plain function, whose results are shared by all of them."""

    def __init__(
        self,
        call: JitCall,
        run: bool,
        seconds: float,
        refused: frozenset[tuple[str, int]] = frozenset(),
        places: Collection[tuple[str, int]] = (),
        whole: Whole | None = None,
    ) -> None:
        numpys = any(isinstance(leaf, np.ndarray) for leaf in jax.tree_util.tree_leaves((call.args, call.kwargs)))
        self._refused = refused if not numpys else frozenset()
        """Where elements of JAX's arrays are set, which changes nothing; under jit NumPy's are those, too."""
        self.call, self.seconds, self._whole = call, seconds, whole
        self._plain: Plain | None = None
        self._why_not = "" if run else "running was switched off"
        self._checked = not run
        self._units: list[Unit] = []
        self.met: Sequence[Unit] = ()
        """Those in which a trace stopped: a method's lines may stand elsewhere in a draft."""
        self._lines: set[tuple[str, int]] = {*places}
        """Whose branches are to be reached: those where Python needs data, also where a change moves them elsewhere."""
        self._seen: set[frozenset[tuple[int, str]]] = set()
        self.others: Sequence[OtherCall] = ()
        """What `other_calls` gave last."""
        self._values = OtherValues(call)
        self._served: Served | None = None
        self._said: Sequence[OtherCall] = ()
        self._note = self._time = ""
        self._met: set[str] = set()
        """Kinds of other calls that the last draft gives up, and gives something else on."""
        self._alike_on: list[Input] = []
        """Inputs with other options on which the last draft gives what plain Python gives."""
        self._gradients = DraftGradients(call, seconds, self._values)
        self.at_edge: Rewrite | None = None
        self.beside_nan: Rewrite | None = None
        self._refused_beside_nan: Traced | None = None
        self.second: Rewrite | None = None
        self.fails: dict[str, str] = {}
        self.fails_elsewhere = ""
        self.refused_on: tuple[OtherCall, str] | None = None
        """The other call that refused the last draft, and how it differs there."""
        self._sources: dict[frozenset[tuple[int, str]], Changed] = {}
        self.why_useless = ""
        """A draft would keep tracers beyond their trace: what is to be done in its place."""

    def other_calls(self) -> Sequence[OtherCall]:
        """Other calls that plain Python takes: with other static values, and those of `proof.other_calls`."""
        self.others = self._find_other_calls()
        return self.others

    def _find_other_calls(self) -> list[OtherCall]:
        if not self.may_run():
            return []
        variations = Variations.of_call(self.call)
        seconds, trees = min(OTHERS_WITHIN, self.seconds / 4), [ast.parse(unit.text) for unit in self._units]
        try:
            plain = Plain(self.call.fun, self._units, {}, variations, seconds, patience=self.seconds, carried=self.call.carried)
        except NoSource:
            return []
        static = self._values.find(plain, self._units, trees)
        own = variations.call()
        run = functools.cache(lambda: plain.uncompiled(own, SHORT))
        calls = other_calls(self.call.fun, own, variations, trees, self.call.static, run)
        calls += two_at_once(static, calls, variations)
        self._served = Served(self.call.fun, plain, self.call.static, calls, seconds)
        return [*static, *(taken.call for taken in self._served.taken)]

    def say_where_it_fails(self, calls: Sequence[OtherCall]) -> None:
        """What fails on these calls is said of a rewrite, and does not refuse it."""
        self._said, self.fails = calls, {}

    def depends_on_its_values(self, call: OtherCall) -> bool:
        """Whether plain Python takes a call of other sizes only as long as no other branch is taken, or by broadcasting."""
        if call.given.kind != "size" or self._served is None:
            return False
        return self._served.depends_on_its_values(call.given) or self._served.takes_by_broadcasting(call.given)

    def may_run(self) -> bool:
        """Whether the plain function may be run."""
        if not self._checked:
            self._check()
        return not self._why_not

    def runnable(self) -> Sequence[Unit]:
        """The user's functions that are reached, if they may be run."""
        return self._units if self.may_run() else ()

    def judge(self, traced: Traced) -> Rewrite | str:
        """The rewrite, verified or not; or the sentence that says why it is wrong."""
        found = self._judged(traced)
        return self._whole.compared(traced, found) if isinstance(found, Rewrite) and self._whole is not None else found

    def _judged(self, traced: Traced) -> Rewrite | str:
        draft, self.refused_on = traced.draft, None
        known = self._without_a_run(traced)
        if known is not None:
            return known
        try:
            plain = self._plain_for(draft)
            if self._goes_by_keys:
                self.why_useless = _SORTED
                return _SORTED
            found = self._compared(plain, traced)
        except NoSource as error:
            return self._rewrite(draft, reason=f"traced, not compared: {error}")
        except DiffersInSingle as error:
            return self._rewrite(draft, reason=str(error))
        except Differs as error:
            if self._plain is not None and isinstance(self._plain.failed, ReadLater):
                return _rejected(draft, str(error))
            if self._plain is not None and self._plain.failed is not None:
                self._why_not = str(error)
                return self._rewrite(draft, reason=f"traced, not compared: {error}")
            if self._refused_beside_nan is None and _BESIDE_NAN.match(str(error)) and not {*_OF_EXTREMES} & {*draft.excludes}:
                self._refused_beside_nan = traced if any(_takes_extremes(unit.text) for unit in self._units) else None
            if error.given is not None and depends_on_order(self.call.fun, error.given, self.seconds):
                self.why_useless = _SORTED
                return _SORTED
            patterns = ", ".join(dict.fromkeys(change.pattern for change in draft.changes))
            return f"a rewrite by {patterns} was tried and rejected: {error}"
        return found if isinstance(found, Rewrite | str) else self._by_gradients(plain, traced, found)

    def but_for_nan(self) -> Rewrite | None:
        """The first draft that was refused for an extreme of NaN alone, if it is right for numbers."""
        traced = self._refused_beside_nan
        if traced is None:
            return None
        for kinds in (("nan",), ("nan", "infinite")):
            excludes = {**traced.draft.excludes, **{kind: _OF_EXTREMES[kind] for kind in kinds}}
            found = self.judge(replace(traced, draft=replace(traced.draft, excludes=excludes)))
            if isinstance(found, Rewrite) and found.verified:
                return found
        return None

    @functools.cached_property
    def _goes_by_keys(self) -> bool:
        """Whether the order of a dict's items, in which jit does not hand them over, matters on the call itself."""
        return depends_on_order(self.call.fun, Input(self.call.args, self.call.kwargs, "call"), self.seconds)

    @functools.cached_property
    def _may_go_by_keys(self) -> str:
        """Half a sentence where it may on another call."""
        return in_another_order(self.call.fun, Input(self.call.args, self.call.kwargs, "call"), self.seconds / 8)

    def _without_a_run(self, traced: Traced) -> Rewrite | str | None:
        """What is said of a draft that nothing is run for; None where it is to be run."""
        draft = traced.draft
        self.may_run()
        if traced.program.out_info is None and " in place" in (effect := self._effect()):
            self.why_useless = self.why_useless or _NOTHING.format(effect=effect)
            return self.why_useless
        if self._why_not:
            if self._keeps_tracers(traced):
                self.why_useless = self.why_useless or _KEEPS.format(effect=self._why_not)
                return self.why_useless
            self.why_useless = (once := drawn_once(self.call.fun, self.call.args, self.call.kwargs)) or self.why_useless
            return once or self._rewrite(draft, reason=f"traced, not compared: {self._why_not}")
        if traced.equations > MANY_EQUATIONS:
            return self._rewrite(
                draft, reason=f"traced, not compared: {traced.equations} equations are too many to compile for it"
            )
        if draft.returns and not gives_counts(traced.program, draft.cuts):
            words = next((c.words for c, other in traced.others if gives_counts(other, draft.cuts)), "on another call")
            self.fails[words] = "no array of a fixed shape holds its result"
            return f"a rewrite was tried and rejected: {words} {draft.returns}"
        return None

    def _compared(self, plain: Plain, traced: Traced) -> _Alike | Rewrite | str:
        """What a draft gives beside plain Python: operation by operation first, then compiled.

        Raises:
            Differs: it gives something else.
            NoSource: a copy of it cannot be made.
        """
        draft, call, seconds, cut = traced.draft, self.call, self.seconds, bool(traced.draft.returns)
        exactly = by_numpy(call.fun, traced.program, call.static, seconds) if draft.loops else None
        filled = self._served.results_not_empty() if self._served is not None else []
        given: dict[str, Any] = {"cut": cut, "elsewhere": filled}
        given["at_any_round"] = exactly is not None and ends_by_floats(traced.program.jaxpr)
        found = None
        with contextlib.suppress(CannotRun):  # most that are wrong are so on an early input: nothing is compiled for them
            run = by_numpy(call.fun, traced.program, call.static, min(seconds / 4, plain.long()))
            run = first_of(run, draft.cuts, plain) if draft.returns else run
            found = compare(plain, run, draft.excludes, Deadline(seconds), exactly, **given)
        failing: list[str] = []
        if found is None and plain.failed is None and may_be_compiled(traced):
            refuse_endless(call, traced, compiling(call, traced))  # before it is run on all others
        if not (draft.returns or self.fails_elsewhere):
            inputs = found[2] if found is not None else ()
            failing = [*self._values.compare(plain, traced, seconds / 4, inputs), *self._compare_served(traced)]
        gradients: tuple[Sequence[Input], str | Differs] = (), ""
        first = (self._beside_bits, self._where_loops_end) if found is None and draft.loops else ()
        limits = [ask(plain, traced) for ask in first]
        if may_be_compiled(traced):
            compiled = compiling(call, traced)
            if found is not None and not (draft.returns or self.fails_elsewhere or ANOTHER_SHAPE in draft.excludes):
                gradients = found[2], self._gradients.compared(plain, traced, found[2], self._served)
                if self._is_met(gradients[1]):
                    return _rejected(draft, str(gradients[1]))
                limits = list(self._at_limits(plain, traced, found[2], loops=exactly is not None))
            run = first_of(compiled(), draft.cuts, plain) if draft.returns else compiled()
            with_and_without = exactly, self._uncompiled(traced)
            try:
                alone = not (draft.loops or draft.returns)  # where loops end is another matter, and may take long
                by_turn = by_numpy(call.fun, traced.program, call.static, seconds / 8) if alone else None
                before = found[1] if found is not None else ()
                found = compare(plain, run, draft.excludes, Deadline(seconds), *with_and_without, **given, stepwise=by_turn)
                if ANY_ROUND in before and not any(note.startswith((LATER, ANY_ROUND)) for note in found[1]):
                    found = found[0], (*found[1], ANY_ROUND), found[2]  # what NumPy's rounding does, XLA's may do
            except Differs:
                refuse_endless(call, traced, lambda: run)
                raise
        elif found is None:
            return self._rewrite(draft, reason=f"traced, not compared: {_too_long(traced.equations)}")
        count, notes, inputs = found
        if exactly is not None and not any(note.startswith((LATER, ANY_ROUND)) for note in notes):
            leaves = traced_leaves(call.fun, plain.variations.call(), call.static)
            notes += tuple(filter(None, [may_end_elsewhere(plain, traced.program, leaves)]))
        if decides_by_equality(traced.program.jaxpr.jaxpr):
            notes += (BY_EQUALITY,)
        if IN_DOUBLE not in notes and any(needs_double(unit.text) for unit in self._units):
            notes += (IN_DOUBLE,)
        notes += tuple(filter(None, [self._may_go_by_keys]))
        if draft.returns:
            length = number_of_parts(plain.first, draft.cuts)
            listed = any(isinstance(part_of(plain.first, array, length), list) for array, _ in draft.cuts)
            returns = f"{draft.returns}, in the place of a list" if listed else draft.returns
            return replace(self._rewrite(draft, reason=f"its values are right, but {returns}"), padded=True)
        if WRITTEN in draft.excludes:
            return replace(self._rewrite(draft, reason=f"its values are right, but {draft.excludes[WRITTEN]}"), for_none=True)
        if self.fails_elsewhere:
            return self._rewrite(draft, reason=f"right on this call, but {self.fails_elsewhere}")
        if ANOTHER_SHAPE in draft.excludes and self._met_another_shape(plain):
            return self._rewrite(draft, reason=f"right on this call, but it does not serve {draft.excludes[ANOTHER_SHAPE]}")
        return _Alike(count, notes, inputs, failing, limits, gradients)

    def _at_limits(self, plain: Plain, traced: Traced, inputs: Sequence[Input], loops: bool) -> Iterator[str]:
        """What is to be said of infinities, of large and negative numbers, and of loops that may end elsewhere or never."""
        call, most = self.call, self.seconds / 8
        yield lost_ahead(plain, traced.function, traced.program, inputs, call.static, most)
        run = by_numpy(call.fun, traced.program, call.static, most)
        yield beside_infinities(plain, run, traced.draft.excludes, most)
        texts = [unit.text for unit in self._units]
        beyond = beside_negative_powers(plain, run, texts, most)
        yield beyond or beside_large(plain, run, traced.draft.excludes, texts, most)
        yield self._beside_bits(plain, traced)
        yield self._where_loops_end(plain, traced) if loops else ""
        note_overflows(plain, texts)

    def _beside_bits(self, plain: Plain, traced: Traced) -> str:
        run = by_numpy(self.call.fun, traced.program, self.call.static, self.seconds / 8)
        around = getattr(plain_function(self.call.fun), "__globals__", {})
        texts = [unit.text for unit in self._units]
        return beside_cancelling(plain, run, traced.draft.excludes, texts, around, self.seconds / 8)

    def _where_loops_end(self, plain: Plain, traced: Traced) -> str:
        """What is to be said of loops that may end elsewhere, or never."""
        run = functools.partial(by_numpy, self.call.fun, traced.program, self.call.static)
        asked = (ask(plain, traced.program, run, self.seconds / 8) for ask in (may_never_end, may_count_otherwise))
        return next(filter(None, asked), "")

    def _by_gradients(self, plain: Plain, traced: Traced, found: _Alike) -> Rewrite | str:
        """The rewrite whose results are plain Python's, if its gradients are; else the sentence that says why not."""
        plain.met |= self._met
        try:
            inputs, gradient = found.gradients
            if list(map(id, inputs)) != list(map(id, found.inputs)):
                gradient = self._gradients.compared(plain, traced, found.inputs, self._served)
            if isinstance(gradient, Differs):
                raise gradient
            if AT_TIE in found.notes:
                self.at_edge = self.at_edge or self._told(plain, traced, found, gradient)
                return _rejected(traced.draft, AT_TIE)
            if BESIDE_NAN in found.notes and plain.is_gradient:
                self.beside_nan = self.beside_nan or self._told(plain, traced, found, gradient)
                return _rejected(traced.draft, BESIDE_NAN)
            return self._told(plain, traced, found, gradient)
        except DiffersAtEdge as error:
            self.at_edge = self.at_edge or self._told(plain, traced, found, str(error), error.beside)
            reason = str(error)
        except DiffersBesideNan as error:
            self.beside_nan = self.beside_nan or self._told(plain, traced, found, str(error))
            reason = str(error)
        except Differs as error:
            self.second = self.second or self._rewrite(traced.draft, reason=f"its values are right, but {error}")
            reason = str(error)
        return _rejected(traced.draft, reason)

    def _told(self, plain: Plain, traced: Traced, found: _Alike, *gradient: str) -> Rewrite:
        """The rewrite with all that is to be said of it; `gradient`: of its gradients."""
        draft = traced.draft
        every = (*draft.notes, *found.failing, self._note, self._time, *gradient, *found.limits, *found.notes)
        said = tuple(dict.fromkeys(filter(None, every)))
        callers = {f"caller {each}": each for each in other_callers(draft.texts, self._units, self.call.fun)}
        said += (PRINTS_ONCE,) if self._prints_once(traced) else ()
        self._note_reached_elsewhere(plain)
        compared = comparison(plain, found.count, said, {**draft.excludes, **self._untried(), **callers})
        return self._rewrite(draft, compared, static=needed(self.call, traced, self._values.served, self.seconds / 8))

    def _note_reached_elsewhere(self, plain: Plain) -> None:
        """Count what calls with other options reached: the draft was compared on them as well, though not compiled."""
        for given in (*self._alike_on, *self._values.compared) if plain.agrees() else ():
            if not plain.coverage.missing():
                return
            plain.reach(given, self.seconds / 8)

    def _prints_once(self, traced: Traced) -> bool:
        """Whether something is still printed while it is traced, and not in each call."""
        texts = [traced.draft.texts.get(unit, unit.text) for unit in self._units]
        under_jit = functools.partial(jitted, static=self.call.static)
        return any(map(may_print, texts)) and prints_while_traced(traced.function, under_jit, self.call.args, self.call.kwargs)

    def not_yet(self, draft: Draft) -> Rewrite:
        """The rewrite as it stands until it has been compared."""
        return self._rewrite(draft, reason="traced, not compared: the time was up")

    def part(self, stuck: Stuck, function: Callable[..., Any]) -> tuple[Rewrite, ...]:
        """Edits that do not suffice, if plain Python runs them and gives what it gives without them."""
        if not self.may_run():
            return ()
        excludes = stuck.draft.excludes
        self._plain = None  # whose time went on with the search

        def run(given: Input) -> Any:
            values = [given.args, given.kwargs]
            found = plain.computed(lambda each: function(*each[0], **each[1]), values, self.seconds / 4)
            return computed(function, given) if found is None else found

        try:
            plain = self._plain_for(stuck.draft)
            count, notes, _ = compare(plain, run, excludes, Deadline(self.seconds / 2))
        except (NoSource, Differs):
            return ()
        proven = comparison(plain, count, (*stuck.draft.notes, *notes), excludes)
        made = self._rewrite(stuck.draft, proven, f"line {stuck.line} is left: `{stuck.code}`")
        return (replace(made, verified=False),)

    def _effect(self) -> str:
        """What the function does to the caller's arguments or beyond them, JAX's arrays taken for NumPy's; "" for nothing."""
        return impurity(self.call.fun, self.call.args, self.call.kwargs, self.call.carried, (), self.call.carried)[0]

    def _check(self) -> None:
        given, carried = (self.call.fun, self.call.args, self.call.kwargs), self.call.carried
        own = carried | frozenset(arrays_of_jax(*given))
        changed = own
        self._why_not, self._units = impurity(*given, own, self._refused, carried, tells_time=True)
        copied = carried | frozenset(changeable(*given)) if self._why_not else frozenset()
        if copied:
            changes = self._why_not
            changed = copied
            self._why_not, self._units = impurity(*given, copied, self._refused, carried, tells_time=True)
            if not self._why_not:
                self._note = f"plain Python {changes.removeprefix('it ')}, the compiled function does not"
        if not self._why_not and any("time" in unit.text for unit in self._units):
            self._time = read_while_traced(impurity(*given, changed, self._refused, carried)[0])
        self._why_not = self._why_not or changes_what_is_shared(*given, carried, self.seconds)
        leaves = jax.tree_util.tree_leaves((self.call.args, self.call.kwargs))
        size = bytes_of((self.call.args, self.call.kwargs))
        if any(is_a(leaf, jax.Array) and leaf.is_deleted() for leaf in leaves):
            self._why_not = "an argument was donated or deleted"
        elif size > MAX_BYTES:
            self._why_not = f"the arguments are too large to run it several times ({size >> 20} MB)"
        self._checked = True

    def _plain_for(self, draft: Draft) -> Plain:
        lines = {(change.filename, change.line) for change in draft.changes}
        if self._plain is None or not lines <= self._lines:
            self._lines |= lines
            units = {(u.filename, u.first_line): u for u in (*self._units, *self.met, *draft.texts)}
            by_file: dict[str, set[int]] = {}
            for filename, line in self._lines:
                by_file.setdefault(filename, set()).add(line)
            known = self._served.plain if self._served is not None else None
            self._plain = Plain(
                self.call.fun,
                list(units.values()),
                by_file,
                Variations.of_call(self.call),
                self.seconds,
                known,
                carried=self.call.carried,
            )
        return self._plain

    def _met_another_shape(self, plain: Plain) -> bool:
        return ANOTHER_SHAPE in plain.met or (self._served is not None and self._served.met_another_shape)

    def _compare_served(self, traced: Traced) -> list[str]:
        """Compare on the other calls; gives what is to be said of those on which it may fail."""
        if self._served is None:
            return []
        self._met, self._alike_on = set(), []
        self._served.said.clear()
        known = {id(taken.call): taken for taken in self._served.taken}
        programs = {id(call): program for call, program in traced.others}
        late: list[str] = []
        for key, taken in known.items():
            kind = taken.call.given.kind
            if kind in traced.draft.excludes and key in programs and kind not in self._met:
                self._met |= {kind} if self._served.gives_otherwise(taken, programs[key]) else set()
            if kind in traced.draft.excludes or any(taken.call is call for call in self._said):
                continue
            if key not in programs:
                if (
                    is_optional(taken.call) and self._trace_of(traced, taken.call.given) is None
                ):  # the search had no time for it
                    late.append(taken.call.words)
                elif taken.call.words not in traced.fails:
                    self._served.not_compared(taken.call)
                continue
            try:
                self._served.compare(taken, programs[key], traced.draft.excludes, traced.draft.risky)
                self._alike_on += [given for given, _ in taken.wanted if is_optional(taken.call)]
            except CannotRun:
                self._served.not_compared(taken.call)
            except Differs as error:
                self.fails[taken.call.words] = str(error)
                self.refused_on = taken.call, str(error)
                self._served.first(taken)
                raise
        found = [(call.words, self._otherwise(traced, call, known.get(id(call)))) for call in self._said]
        for call, want in self._served.unsought:
            if call.given.kind in traced.draft.excludes:
                continue  # what a draft gives up is said
            program = self._trace_of(traced, call.given)
            floats = program and other_floats(program.out_info, want, (call.given.args, call.given.kwargs))
            what = FAILS if program is None else f"gives {floats}" if floats else ""
            if call.by_value and not what:
                what = self._served.otherwise(Taken(call, ((call.given, want),)), program, traced.draft.excludes)
            found.append((call.words, what))
        failing = [*traced.fails, *late, *(words for words, what in found if what == FAILS)]
        fails = [where_it_fails(failing)] if failing else []
        otherwise = [f"{words} it {what}" for words, what in found if what not in ("", FAILS)]
        return [*fails, *dict.fromkeys(otherwise), *self._not_traced(traced), *self._served.said]

    def _not_traced(self, traced: Traced) -> list[str]:
        """What is to be said of optional arguments for which plain Python took too long: where nothing like them traces."""
        unknown = self._served.unknown if self._served is not None else []
        found: dict[str, list[bool]] = {}
        for call in unknown:
            found.setdefault(call.words.partition(" as ")[0], []).append(self._trace_of(traced, call.given) is None)
        failing = [words for words, fails in found.items() if all(fails)]
        return (
            [f"it may fail {', '.join(failing)}: it does not trace there, and plain Python takes too long"] if failing else []
        )

    def _is_met(self, gradient: str | Differs) -> bool:
        """Whether another draft that is kept for want of a better one was refused for such a gradient before."""
        if isinstance(gradient, DiffersAtEdge):
            return self.at_edge is not None
        if isinstance(gradient, DiffersBesideNan):
            return self.beside_nan is not None
        return isinstance(gradient, Differs) and self.second is not None

    def _otherwise(self, traced: Traced, call: OtherCall, taken: Taken | None) -> str:
        """What a rewrite does in the place of plain Python's result on a call that none serves, in words."""
        if self._served is None:
            return ""
        program = self._trace_of(traced, call.given)
        if program is None:
            return FAILS
        return "" if taken is None else self._served.otherwise(taken, program, traced.draft.excludes)

    def _trace_of(self, traced: Traced, given: Input) -> Any:
        """The rewrite's trace on another call; None where it does not trace."""
        try:
            return rerun(lambda: jitted(traced.function, self.call.static).trace(*given.args, **given.kwargs))
        except (Exception, OutOfTime, Effect):
            return None

    def _keeps_tracers(self, traced: Traced) -> bool:
        """Whether a trace leaves tracers behind, in what the function changes outside itself: nobody can use them there.

        (`jax.checking_leaks` collects garbage after each inner trace, which takes seconds where a large model is loaded.)
        """

        @functools.wraps(traced.function)
        def again(*args: Any, **kwargs: Any) -> Any:  # one that JAX has not traced yet
            return traced.function(*args, **kwargs)

        def leaves_some() -> bool:
            with made_since() as made:
                jitted(again, self.call.static).trace(*self.call.args, **self.call.kwargs)
                return any(issubclass(type(each), jax.core.Tracer) for each in made())

        try:
            return rerun(leaves_some)
        except (Exception, OutOfTime, Effect):
            return False

    def _untried(self) -> dict[str, str]:
        untried = [*self._served.untried] if self._served is not None else []
        untried += [f"options in **{name}" for name in self._unread_options()]
        if self._gradients.cut:
            untried.append(f"{self._gradients.cut}, for want of time")
        return {f"untried {what}": what for what in untried}

    def _unread_options(self) -> list[str]:
        """`kw` of a `**kw` of which the call gives nothing: which options there are nobody says."""
        parameters = inspect.signature(self.call.fun).parameters
        rest = [name for name, each in parameters.items() if each.kind is inspect.Parameter.VAR_KEYWORD]
        return [] if self.call.kwargs.keys() - parameters.keys() else rest

    def _uncompiled(self, traced: Traced) -> Callable[[Input], Any] | None:
        """What runs the rewrite as JAX does without jit; None where that may take long."""

        def run(given: Input) -> Any:
            with jax.disable_jit():
                return computed(traced.function, given)

        return None if traced.draft.loops or traced.draft.returns else run

    def _rewrite(
        self, draft: Draft, compared: Any = None, reason: str = "", static: Sequence[str | int] | None = None
    ) -> Rewrite:
        if draft.key not in self._sources:
            self._sources[draft.key] = changed_sources(draft.texts)
        made = self._sources[draft.key]
        source = made.sources.get(own_name(self.call.fun)) or next(iter(made.sources.values()), "")
        names = tuple(s for s in (self.call.static if static is None else static) if isinstance(s, str) and s != ARRAYS_ALONE)
        verified = compared is not None
        return Rewrite(made.sources, source, draft.changes, made.diff, compared, verified, reason, names, made.filenames)


def _takes_extremes(text: str) -> bool:
    calls = (each.func for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Call))
    return any(isinstance(func, ast.Name) and func.id in ("min", "max") for func in calls)


def _rejected(draft: Draft, reason: str) -> str:
    return f"a rewrite by {', '.join(dict.fromkeys(change.pattern for change in draft.changes))} was rejected: {reason}"


def _too_long(equations: int) -> str:
    return f"compiling its {equations} equations may take longer than jupyter_jitmagic.options.advice_limit_s leaves"
