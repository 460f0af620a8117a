"""The search: trace, see where it stops, let a rule cure that place, trace again, until nothing is left to cure.

Rules give alternatives, best first; the search follows the first and comes back to the others when a trace or a comparison
rejects it. Every step is a text, so what rules make of a text is met again by other rules: a loop that breaks becomes a loop
with a flag, whose `if` becomes `where`, whose `while` becomes `while_loop`.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import thread_time
from typing import Any

import jax

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.jax_internals import captured_tracer_error
from jupyter_jitmagic.base.jaxprs import MANY_EQUATIONS, SOME_EQUATIONS, count_equations, not_compilable
from jupyter_jitmagic.base.outputs import WHAT_TO_RETURN, refused_output, who_returns
from jupyter_jitmagic.diagnosis.proof.arguments import JitCall, trace_key
from jupyter_jitmagic.diagnosis.proof.other_calls import OtherCall
from jupyter_jitmagic.diagnosis.rewrites import empties, never_equal, unrolled
from jupyter_jitmagic.diagnosis.rewrites.building import jitted, made_for
from jupyter_jitmagic.diagnosis.rewrites.drafted import Drafted, Stopped
from jupyter_jitmagic.diagnosis.rewrites.drafts import Draft, Stuck, Traced, line_of
from jupyter_jitmagic.diagnosis.rewrites.own_flags import OwnFlags
from jupyter_jitmagic.diagnosis.rewrites.rules import (
    ANOTHER_SHAPE,
    NO_SIZES,
    NOT_SQUARE,
    ManyRounds,
    NoWay,
    Obstacle,
    Rule,
    Spot,
    Step,
    TracerPrinted,
)
from jupyter_jitmagic.diagnosis.rewrites.tidying import tidied
from jupyter_jitmagic.diagnosis.types import Change
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.recursing import LEVELS, is_lowered
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.source.units import NoSource, Unit

MAX_TRACES = 80
OTHER_TRACES = 12  # for another way, once there is an answer
PAIRED = frozenset({"maximum", "minimum", "max", "min"})
CHOSEN = "no pairs"
"""What `prefer` is where the same choice is to be made at every place: `jnp.where` in the place of `jnp.maximum` (or `max`)."""
FILLED = "filled"
"""What it is where a gradient was lost at the edge of a test."""
BRANCHED = "branched"
"""What it is where a gradient was lost in what is not chosen: `lax.cond` at every place."""
EXACT = "exact"
"""What it is where a draft gave something else for NaN: what keeps to plain Python there (`Step.exact`) at every place."""
AT_EVERY_PLACE = frozenset({CHOSEN, FILLED, BRANCHED, EXACT})
"""Of these the same answer is looked for in another order, and not another way."""
_LOOPS = frozenset({"while_loop", "fori_loop", "scan"})
"""Patterns of steps that differ in the types with which a loop of lax begins."""
MAX_STEPS = 45
MAX_FAILURES = 6  # of drafts that trace on the call, but not on one that is not promised: it is given up then
MAX_CALLERS = 3  # calls around the place where a trace stopped that a rule may change
WHOLE_ARRAYS = "the caller gets whole arrays, with plain Python's elements in front, and their counts"
SHORTEST_TRACE = 0.1  # seconds that a trace on another call may take at least
LONG_TRACE = 1.0  # seconds; a trace that takes longer is stopped until it is known that the draft's loops are not why
SLOW_TRACE = 0.1  # seconds; one that fails after them has traced many rounds, and would do so again for each step
NO_REVERSE_MODE = "Reverse-mode differentiation does not work for lax.while_loop"  # JAX's words


class Search:
    """One function, one call: drafts that trace, best first.

    Args:
        call: the failing one, of the user's function itself (not of its jit).
        rules: alternatives in order of preference.
        rolls: the trace is known to be long: loops come first.
        unrolled: loops stay as they are, however large the program.
        sizes: what sizes that are smaller in this call are in the user's own, whose program is not to be too large.
        runnable: the user's functions that are reached, where plain Python may be run for what it tells of their expressions.
        outward: rules that are asked about the calls around the place, where none knew an answer at the place itself.
        rolling: rules that make a Python loop one of lax, asked where a program is too large without.
        deadline: when the search ends.
        others: gives other calls that plain Python takes; a draft has to trace on them too. It is asked when the first draft
            traces on the call itself: finding them means many plain runs.
    """

    def __init__(
        self,
        call: JitCall,
        rules: Sequence[Rule],
        deadline: Deadline,
        others: Callable[[], Sequence[OtherCall]] = tuple,
        outward: Sequence[Rule] = (),
        rolling: Sequence[Rule] = (),
        runnable: Callable[[], Sequence[Unit]] = tuple,
        rolls: bool = False,
        unrolled: bool = False,
        sizes: Mapping[int, int] = NO_SIZES,
        drafted: Drafted | None = None,
    ) -> None:
        self.call, self.rules, self.deadline = call, rules, deadline
        self.deadlines = [deadline]
        """Those that finding the other calls takes nothing of."""
        self.in_hand: Callable[[Draft], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
        """Around the plain runs that find the other calls: they may take all the time that there is."""
        self._until = deadline
        self._others, self.outward, self.rolling = others, outward, rolling
        self._asked = tuple(rules), tuple(outward), tuple(rolling), unrolled
        self._key = trace_key(call.fun, call.args, call.kwargs, call.static)
        self._in_turn: list[tuple[OtherCall, Any]] | None = None
        """What stopped a draft comes first: it stops most of those that follow, before the rest is traced for nothing."""
        self.runnable, self._rolls, self._rolled_first = runnable, rolls, rolls
        self._unrolled, self.has_rolled, self._sizes = unrolled, False, sizes
        """Loops of Python's stay as they are; some were made loops of lax, as the program was large."""
        self._slow = SLOW_TRACE
        self.traces = 0
        self._limit = MAX_TRACES
        self._aside = 0  # traces of the order that minds NaN: they leave as many for the usual one
        self.obstacles: dict[str, None] = {}
        self.why_not = ""
        self.loses_gradient = False
        """A draft of a loop was met that has no reverse mode, of which the function takes a gradient."""
        self.fails: dict[str, str] = {}
        self._failures = 0
        self._led: dict[str, None] = {}
        """Words of calls on which nothing is promised, and that a draft was changed for."""
        self.furthest: Stuck | None = None
        self.drafted = drafted or Drafted(call, runnable)
        self._own_flags = OwnFlags(call, runnable)
        self._seen: set[tuple[frozenset[tuple[int, str]], frozenset[str]]] = set()
        self._known: dict[Any, Traced | list[tuple[Unit, Step]]] = {}
        self._dead: tuple[Unit, str] | None = None
        """A line that a draft brought in and that no rule can cure: what is changed beside it helps least."""
        self._one_way = False
        """A gradient that the function takes came to a loop without a reverse mode: what has one of these helps least."""
        self._put_off: list[tuple[Draft, int]] = []
        self._ends: list[str | None] = []
        """What became of the drafts, in turn: `Stopped.hopeless`, None for all others."""
        self._under_jit: tuple[Callable[..., Any], Any] | None = None
        self._endless: set[tuple[tuple[str, int], ...]] = set()
        """`Draft.evaluated_tests` of drafts that call themselves without end."""

    def drafts(self, prefer: str = "", until: Deadline | None = None) -> Iterator[Traced]:
        """Drafts that trace; rules' steps whose pattern is `prefer` are tried first, within fewer traces. `until`: when this
        search ends at the latest."""
        self._seen, self._until = set(), until or self.deadline
        begin, self._limit = self.traces, MAX_TRACES + self._aside
        if prefer:
            self._limit = begin + (MAX_STEPS if prefer == EXACT else OTHER_TRACES)
        self._dead, self._put_off = None, []
        try:
            yield from self._all_from(Draft(), prefer)
        finally:
            self._aside += self.traces - begin if prefer == EXACT else 0
        if self._rolls and not prefer:  # none of them was accepted: its loops as they are, then
            self._rolls, self._seen, self._known = False, set(), {}
            yield from self._all_from(Draft(), prefer)

    def offered(self) -> set[str]:
        """The patterns of all steps that were proposed somewhere."""
        return {step.pattern for known in self._known.values() if isinstance(known, list) for _, step in known}

    def offers_exact(self) -> bool:
        """Whether an alternative was proposed somewhere that keeps to plain Python where another does not."""
        return any(step.exact for known in self._known.values() if isinstance(known, list) for _, step in known)

    def led_astray(self, refused: str) -> bool:
        """Whether drafts were changed for calls on which nothing is promised, which are said to fail then; `refused`: why what
        came of it gives something else on the call itself."""
        for words in self._led:
            self.fails.setdefault(words, refused)
        return bool(self._led)

    def _all_from(self, draft: Draft, prefer: str) -> Iterator[Traced]:
        yield from self._follow(draft, prefer, 0)
        while self._put_off:
            self._dead, self._one_way = None, False
            yield from self._follow(self._put_off[0][0], prefer, self._put_off.pop(0)[1])

    def _follow(self, draft: Draft, prefer: str, depth: int) -> Iterator[Traced]:
        key = draft.promise
        if key in self._seen or depth > MAX_STEPS or self._failures >= MAX_FAILURES or _goes_round(draft):
            self._ends.append(None)
            return
        self._seen.add(key)
        if self.traces >= self._limit or self.deadline.over():
            self.obstacles["the search for a rewrite ran out of time"] = None
            self._ends.append(None)
            return
        if self._until.over():
            self._ends.append(None)
            return
        self.traces += 1
        if key not in self._known:
            self._known[key] = self._looked_at(draft)
        known = self._known[key]
        if isinstance(known, Traced):
            texts = known.draft.texts
            left = any(any(empties.with_one_less(text, unit.text)) for unit, text in texts.items())
            changes = draft.changes if left else tuple(each for each in draft.changes if each.pattern != empties.GUARD)
            self._ends.append(None)
            yield replace(known, draft=replace(draft, texts=texts, changes=changes))
            return
        if not known:
            stopped = self.drafted.stopped.get(self._stop_key(draft))
            self._ends.append(stopped.hopeless if stopped is not None else None)
        ends: dict[str, list[str | None]] = {}
        for unit, step in sorted(known, key=lambda placed: _comes_late(placed[1], prefer)):
            following = self._with(draft, unit, step)
            stopped_at = ends.get(step.pattern) if step.pattern in _LOOPS else None
            if stopped_at and all(end in _lines(following.texts[unit]) for end in stopped_at):
                continue  # another start of the same loop comes to the same place
            dead = self._dead is not None and self._dead[1] in _lines(draft.texts.get(self._dead[0], ""))
            if dead or (self._one_way and any(change.pattern == "while_loop" for change in following.changes)):
                self._put_off.append((following, depth + 1))
                self._ends.append(None)
                continue
            self._dead, before = None, len(self._ends)
            yield from self._follow(following, prefer, depth + 1)
            ends.setdefault(step.pattern, []).extend(self._ends[before:])

    def _looked_at(self, draft: Draft) -> Traced | list[tuple[Unit, Step]]:
        """What the draft's traces tell; a search before this one may know it, where the call itself stops it."""
        key = self._stop_key(draft)
        if (known := self.drafted.stopped.get(key)) is None:
            known = Stopped()
            looked_at = self._traced(draft, known)
            if known.by_the_call and isinstance(looked_at, list):
                known.steps = looked_at
                self.drafted.stopped[key] = known
            self._note(draft, known)
            return looked_at
        self._note(draft, known)
        return known.steps

    def _stop_key(self, draft: Draft) -> Hashable:
        """On what it depends which steps are proposed where the call itself stops a draft."""
        return draft.promise, self._asked, self._rolls

    def _note(self, draft: Draft, stopped: Stopped) -> None:
        """What stopped a draft, for what is told in the end and for the drafts that follow."""
        self.obstacles |= stopped.obstacles
        self.why_not = self.why_not or stopped.why_not
        self._one_way |= stopped.loses_gradient
        self.loses_gradient |= stopped.loses_gradient
        self._dead = stopped.dead or self._dead
        if stopped.is_endless:
            self._endless.add(draft.evaluated_tests)
        most = len(self.furthest.draft.changes) if self.furthest is not None else 0
        if stopped.stuck is not None and len(draft.changes) > most:
            self.furthest = stopped.stuck

    def _traced(self, draft: Draft, stopped: Stopped) -> Traced | list[tuple[Unit, Step]]:
        """The draft's traces, where it traces on the call and on the others; else what the rules propose where it stops, of
        which more is noted in `stopped`."""
        try:
            function = self.drafted.build(draft)
        except (NoSource, SyntaxError) as error:
            stopped.obstacles[str(error)] = None
            return []
        if self._rolls and (steps := self._of_its_loops(draft)):
            return steps  # before a trace that is known to be long
        if draft.evaluated_tests in self._endless:
            return []
        begin = thread_time()
        may_roll = bool(self.rolling) and self._slow < float("inf") and not (self._rolls or self._unrolled)
        outcome = self.trace(function, self.call.args, self.call.kwargs, LONG_TRACE if may_roll else float("inf"))
        took = thread_time() - begin
        patience = max(SHORTEST_TRACE, 5 * took)
        failed = isinstance(outcome, BaseException)
        equations = 0 if isinstance(outcome, BaseException) else count_equations(outcome.jaxpr)
        cut_short = may_roll and isinstance(outcome, TimeoutError)
        large = (cut_short or took > self._slow) if failed else equations > SOME_EQUATIONS or bool(self._sizes)
        if self._rolled_first and not draft.changes and not isinstance(outcome, BaseException):
            return []  # nothing was to be cured but its loops
        if large and not (self._rolls or self._unrolled):
            if steps := self._of_its_loops(draft, equations > MANY_EQUATIONS):
                self._rolls = self.has_rolled = True
                return steps
            self._slow = float("inf") if failed else self._slow  # what takes long are no loops
            if cut_short:
                return self._traced(draft, stopped)  # whole, from now on
        on_others: list[tuple[OtherCall, Any]] = []
        too_short: dict[str, None] = {}
        failing = ""
        programs = {self._key: outcome}
        programs.pop(None, None)
        in_turn = self._other_calls(draft) if not isinstance(outcome, BaseException) else []
        for call, key in in_turn:
            if self.deadline.over() and call.given.kind != "static value" and key not in programs:
                continue  # the judge says what was not compared
            other = programs.get(key) or self.trace(function, call.given.args, call.given.kwargs, patience)
            if not isinstance(other, BaseException):
                on_others.append((call, other))
                if key is not None:
                    programs[key] = other
            elif call.given.kind == "size" and (
                _stacks_nothing(other) or (_reads_nothing(other) and not self._known_steps(other, draft))
            ):
                too_short[call.words] = None  # a compiled loop is traced even where it has no rounds
            elif self._matters(other, draft, call):  # its sites are cured by the same rules
                outcome, failing = other, call.words
                in_turn.sort(key=lambda each: each[0] is not call)
                break
            elif call.given.kind == "size" and not isinstance(other, TimeoutError):
                too_short[call.words] = None
            elif (
                call.given.kind == "static value"
                and not isinstance(other, TimeoutError)
                and not {ANOTHER_SHAPE, "static value"} & draft.excludes.keys()
            ):
                too_short[call.value or call.words] = None
        if not isinstance(outcome, BaseException):
            traced = Traced(draft, function, outcome, equations, tuple(on_others), tuple(too_short))
            if not draft.changes:
                return []
            return self._own_flags.steps(draft.texts, outcome) or self._tidied(traced)
        if draft.changes and (refused := refused_output(outcome)) is not None:
            says = f"{who_returns(outcome)} {refused}, which cannot leave compiled code: {WHAT_TO_RETURN}"
            stopped.why_not = stopped.why_not or says
        if str(outcome).startswith(NO_REVERSE_MODE):
            stopped.loses_gradient = True
        if isinstance(outcome, RecursionError) and not failing and draft.evaluated_tests:
            stopped.is_endless = True
        stopped.by_the_call = not failing
        try:
            spot, steps = self._next(outcome, draft)
            if not steps:
                line = spot.code.lines[spot.line - 1].strip()
                stopped.dead = (spot.unit, line) if line not in _lines(spot.unit.text) else None
            if failing and not steps:
                self.fails.setdefault(failing, first_words(outcome))
                self._failures += not call.promised
            elif failing and not call.promised:
                self._led[failing] = None
        except (NoSource, Obstacle) as error:
            stopped.obstacles[str(error)] = None
            if failing:
                self.fails.setdefault(failing, first_words(outcome))
                self._failures += not call.promised
                return []
            if isinstance(error, Obstacle):
                if self._is_of_the_users(str(error)):
                    stopped.why_not = stopped.why_not or str(error)
                spot = next(self.drafted.spots(outcome, draft))
                stopped.stuck = _stands_at(spot, draft)
                stopped.hopeless = spot.code.lines[spot.line - 1].strip()
            return []
        finally:
            del outcome
        if not steps:
            code, number = spot.code.lines[spot.line - 1].strip(), line_of(draft, spot.unit, spot.line)
            stopped.obstacles[f"no known rewrite for line {number}: `{code}` ({first_words(spot.error)})"] = None
        if not failing:
            stopped.stuck = _stands_at(spot, draft)
        return steps

    def _tidied(self, traced: Traced) -> Traced:
        """The same as a person would have left it, where that traces as well."""
        texts = {unit: tidied(text, unit.text) for unit, text in traced.draft.texts.items()}
        found = self._looked_at(replace(traced.draft, texts=texts)) if texts != traced.draft.texts else None
        return found if isinstance(found, Traced) else self._with_fewer_guards(traced)

    def _with_fewer_guards(self, traced: Traced) -> Traced:
        """The same without what is asked of empty arrays, where it traces on as many calls."""
        for unit, text in traced.draft.texts.items():
            for fewer in empties.with_one_less(text, unit.text):
                draft = replace(traced.draft, texts={**traced.draft.texts, unit: fewer})
                with contextlib.suppress(NoSource, SyntaxError):
                    function = self.drafted.build(draft)
                    empty_first = sorted(traced.others, key=lambda each: "empty" not in each[0].words)
                    others = [(call, self.trace(function, call.given.args, call.given.kwargs)) for call, _ in empty_first]
                    if self.deadline.over():
                        return traced
                    if not any(isinstance(other, BaseException) for _, other in others):
                        program = self.trace(function, self.call.args, self.call.kwargs)
                        if isinstance(program, BaseException):
                            continue
                        found = replace(traced, draft=draft, function=function, program=program, others=tuple(others))
                        return self._with_fewer_guards(found)
        return traced

    def _of_its_loops(self, draft: Draft, huge: bool = False) -> list[tuple[Unit, Step]]:
        """What rolls the first of the draft's loops whose rounds are traced one by one."""
        for unit in dict.fromkeys((*draft.texts, *self.runnable())):
            text = draft.texts.get(unit, unit.text)
            for number in range(unrolled.count_loops(text)):

                def compiled(each: Unit, made: str | ast.Module, own: str, at: Unit = unit, loop: int = number) -> Any:
                    return (
                        self.drafted.made(each, unrolled.stopping(made, loop), own)
                        if each is at
                        else self.drafted.compiled(each, made, own)
                    )

                texts = {**draft.texts, unit: text}
                outcome = self.trace(
                    made_for(self.call, texts, compiled, {**never_equal.names(), **unrolled.names(huge, self._sizes)}),
                    self.call.args,
                    self.call.kwargs,
                )
                if not isinstance(outcome, ManyRounds):
                    continue
                with contextlib.suppress(NoSource, Obstacle):
                    spot = next(self.drafted.spots(outcome, draft))
                    if steps := [(spot.unit, step) for step in self._steps(spot, self.rolling)]:
                        return steps
        return []

    def _other_calls(self, draft: Draft) -> list[tuple[OtherCall, Any]]:
        """The other calls in turn, each with what its trace depends on; `draft` traces on the call itself."""
        if self._in_turn is None:
            with contextlib.ExitStack() as stack:
                stack.enter_context(self.in_hand(draft) if draft.changes else contextlib.nullcontext())
                for each in self.deadlines:
                    stack.enter_context(each.stopped())
                calls = self._others()
                self._in_turn = [
                    (call, trace_key(self.call.fun, call.given.args, call.given.kwargs, self.call.static)) for call in calls
                ]
        return self._in_turn

    def _is_of_the_users(self, sentence: str) -> bool:
        """Whether the code that a sentence quotes is the user's own and not a draft's."""
        texts = ["".join(unit.text.split()) for unit in self.drafted.units]
        return all(any("".join(quoted.split()) in text for text in texts) for quoted in sentence.split("`")[1::2])

    def _next(self, outcome: BaseException, draft: Draft) -> tuple[Spot, list[tuple[Unit, Step]]]:
        """Where the trace stopped, and what the rules propose there, or at a call that led there."""
        if isinstance(outcome, RecursionError):
            deep = f", or goes deeper than {LEVELS} calls, where no other code is tried" if is_lowered() else ""
            raise Obstacle(f"the recursion never ends under trace{deep}: its end depends on data; write it as a loop")
        spots = self.drafted.spots(outcome, draft)
        spot = replace(next(spots), callers=functools.partial(self._callers, outcome, draft))
        steps: list[tuple[Unit, Step]] = []
        reason: Obstacle | None = None
        try:
            steps = [(spot.unit, step) for step in self._steps(spot, self.rules)]
        except Obstacle as error:
            reason = error
        if self.outward and all(step.pattern in ("inline", "layout") for _, step in steps):
            with contextlib.suppress(NoSource, Obstacle):
                for caller in itertools.islice(spots, MAX_CALLERS):
                    found = [(caller.unit, step) for step in self._steps(caller, self.outward)]
                    if found:
                        steps = [*found, *steps]
                        break
        if not steps and reason is not None:
            raise reason
        return spot, steps

    def _callers(self, outcome: BaseException, draft: Draft) -> Iterator[Spot]:
        """The places of the calls that led to where the trace stopped, as far as they are known."""
        with contextlib.suppress(NoSource, Obstacle):
            yield from itertools.islice(self.drafted.spots(outcome, draft), 1, None)

    def _matters(self, error: BaseException, draft: Draft, call: OtherCall) -> bool:
        """Whether a failure on another call is the draft's; with another static value only one of the code's own sites is: an
        empty array's, say, is none."""
        if isinstance(error, TimeoutError) or call.given.kind in draft.excludes:
            return False
        if NOT_SQUARE in draft.excludes and call.given.kind == "size" and NOT_SQUARE in call.words:
            return False
        asks_for_data = isinstance(error, (jax.errors.JAXTypeError, jax.errors.JAXIndexError))
        if ANOTHER_SHAPE in draft.excludes and call.given.kind in ("size", "end"):
            return asks_for_data and call.given.kind == "size"  # another shape is given up, and no site
        if call.given.kind != "static value" or asks_for_data:
            return True
        if ANOTHER_SHAPE in draft.excludes:
            return False  # sizes past an end, which the draft says
        try:
            return bool(self._next(error, draft)[1])
        except Obstacle:
            return True  # a rule knows the place, and why nothing can be done there
        except NoSource:
            return False

    def _known_steps(self, error: BaseException, draft: Draft) -> list[tuple[Unit, Step]]:
        """What the rules propose where a trace stopped; nothing where they know that there is nothing."""
        with contextlib.suppress(NoSource, Obstacle):
            return self._next(error, draft)[1]
        return []

    def _steps(self, spot: Spot, rules: Sequence[Rule]) -> Iterator[Step]:
        reasons = []
        found = False
        for rule in rules:
            rolls = rule in self.rolling
            if rolls and self._unrolled:
                continue
            try:
                for step in rule(spot):
                    found = True
                    self.has_rolled |= rolls
                    yield step
            except NoWay:
                raise
            except Obstacle as error:
                reasons.append(error)
            except NoSource:
                raise
            except Exception as fault:  # of this rule: the others may know a way
                faults.report(f"a rule for rewrites ({rule.__module__.rpartition('.')[2]}.{rule.__name__})", fault)
        if reasons and not found:
            raise reasons[0]

    def _with(self, draft: Draft, unit: Unit, step: Step) -> Draft:
        texts = {**draft.texts, unit: step.text}
        changes = draft.changes
        if step.drops is not None and step.drops != unit and texts.pop(step.drops, None) is not None:
            own = range(step.drops.first_line, step.drops.last_line + 1)
            changes = tuple(each for each in changes if each.filename != step.drops.filename or each.line not in own)
        change = Change(unit.filename, line_of(draft, unit, step.line), step.pattern)
        notes = (*draft.notes, step.note) if step.note and step.note not in draft.notes else draft.notes
        excludes = {**draft.excludes, **step.excludes}
        cuts = (*draft.cuts, *step.cuts)
        returns = WHOLE_ARRAYS if draft.cuts and step.cuts else draft.returns or step.returns
        return Draft(texts, (*changes, change), excludes, notes, draft.risky or step.risky, returns, cuts)

    # -- tracing -------------------------------------------------------------------------------------

    def trace(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], seconds: float = float("inf")
    ) -> Any:
        """What ``jax.jit(function).trace(…)`` gives, or the error. Output is swallowed."""
        try:
            left = min(seconds, max(0.5, self.deadline.left()))
            traced = rerun(lambda: self._jitted(function).trace(*args, **kwargs), left, sink=_no_tracer)
        except OutOfTime:
            return TimeoutError("tracing it takes too long")
        except Effect as met:
            self.why_not = self.why_not or f"not traced further: {met}"
            return RuntimeError(str(met))
        except Exception as error:
            return error
        return captured_tracer_error(traced) or not_compilable(traced.jaxpr) or traced

    def _jitted(self, function: Callable[..., Any]) -> Any:
        """It under jit, once for all of its calls."""
        if self._under_jit is None or self._under_jit[0] is not function:
            self._under_jit = function, jitted(function, self.call.static)
        return self._under_jit[1]


def _stands_at(spot: Spot, draft: Draft) -> Stuck | None:
    """A draft that cures something and ends at a line that it did not change."""
    line = line_of(draft, spot.unit, spot.line)
    cured = {change.line for change in draft.changes}
    code = spot.unit.text.splitlines()[line - spot.unit.first_line].strip()
    is_own = line not in cured and code == spot.code.lines[spot.line - 1].strip()
    return Stuck(draft, line, code) if is_own else None


def _goes_round(draft: Draft) -> bool:
    """Whether a line became NumPy's and jnp's by turns, or a loop of lax's Python's own and lax's again; or a size is asked for
    behind a question whether there is anything, where all that is empty looks known."""
    last = draft.changes[-_TURNS:]
    patterns = [each.pattern for each in last]
    if empties.GUARD in patterns[:-1] and patterns[-1] in ("np", "compile-time"):
        return True
    if patterns[:3] == patterns[3:] and set(patterns) == {"for", "inline", "fori_loop"}:
        return True
    one_place = len({(each.filename, each.line) for each in last}) == 1
    return one_place and set(patterns) == {"np", "jnp"} and min(patterns.count("np"), patterns.count("jnp")) > 1


_TURNS = 6


def _comes_late(step: Step, prefer: str) -> bool:
    if prefer == EXACT:
        return not step.exact
    if prefer in _LATE:
        return step.pattern in _LATE[prefer]
    return bool(prefer) and step.pattern != prefer


_LATE = {CHOSEN: PAIRED, BRANCHED: frozenset({"where"})}


def _lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines()}


def first_words(error: BaseException) -> str:
    """The error's type and first line, short."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:120]}" if lines else type(error).__name__


def _reads_nothing(error: BaseException) -> bool:
    """Whether an element of an empty array was read."""
    return isinstance(error, IndexError) and "with size 0" in str(error)


def _stacks_nothing(error: BaseException) -> bool:
    """Whether an array was to be made of an empty list: it has no shape, and nothing that is written otherwise would."""
    return isinstance(error, ValueError) and "at least one array" in str(error)


def _no_tracer(text: str) -> None:
    """A text printed while tracing: one that shows a tracer stops the trace where it is printed, for `printing` to cure."""
    if _TRACER.search(text):
        raise TracerPrinted(text)


_TRACER = re.compile(r"\b(?:JitTracer|DynamicJaxprTracer)\b|\bTraced<")
