"""From a failing call to rewrites that were run and compared, and to those that only trace."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.looking import has
from jupyter_jitmagic.diagnosis.proof.arguments import JitCall
from jupyter_jitmagic.diagnosis.proof.bounding import ENDLESS
from jupyter_jitmagic.diagnosis.proof.gradients import NO_REVERSE
from jupyter_jitmagic.diagnosis.proof.other_calls import OF_INTEGERS, OtherCall
from jupyter_jitmagic.diagnosis.rewrites import settling
from jupyter_jitmagic.diagnosis.rewrites.drafted import Drafted
from jupyter_jitmagic.diagnosis.rewrites.drafts import Draft, Stuck
from jupyter_jitmagic.diagnosis.rewrites.engine import AT_EVERY_PLACE, BRANCHED, CHOSEN, EXACT, FILLED, PAIRED, Search
from jupyter_jitmagic.diagnosis.rewrites.judging import Judge
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule
from jupyter_jitmagic.diagnosis.rewrites.whole import Own, Whole
from jupyter_jitmagic.diagnosis.types import Rewrite, Site
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.limit import under_one_clock
from jupyter_jitmagic.sandbox.rerun import Effect, Reach, is_undoing, undoing
from jupyter_jitmagic.source.units import plain_function

OTHER_WAYS = ("cond", "where")
MOST_SEARCHES = 6  # with less and less promised
_TOGETHER = 1.5  # of the time for one of them, for all
_SHORTEST_SEARCH = 0.3  # seconds
_RUNS_S = 2.0  # of the time for the search, for plain runs; of more than that half
MOST_WIDER = 3  # drafts, with each way once, that give floats for integers on a call that is given up then
_WIDER = re.compile(r"dtype float\d+ instead of u?int\d+$")  # the branch that a single row takes
_OF_TYPES = "must have equal output types"  # JAX's words of the branches of a `lax.cond`
_NEEDS_A_VALUE = re.compile(r"Tracer\w+ConversionError|ConcretizationTypeError|NonConcrete")
_WIDER_ON_ITS_OWN = re.compile(r"differs on the call's own input: dtype float\d+ instead of u?int\d+$")
FOR_GRADIENTS = "fori_loop"  # the way that is looked for beside a loop without a reverse mode
_NOT_FINITE = "its gradient is not finite on the call's own input"
# seconds of work; an answer that took longer comes alone, but for one that can be differentiated beside one that cannot
OTHER_WAYS_WITHIN, FOR_GRADIENTS_WITHIN = 0.3, 2.5
OTHER_WAYS_UNTIL = 0.45  # what was begun within that time
WHOLE_S = 4.0  # for a plain run of a call of which all others had fewer rounds


@dataclass(frozen=True)
class Proposals:
    """What was found. Unpacks as `rewrites, unverified`.

    Attributes:
        rewrites: run and compared, best first.
        unverified: those that only trace; `.reason` says why they were not compared.
        obstacles: sentences on what stands in the way, where no rewrite was found.
        why_not: the one of them that a rule knows to be in the way of any rewrite ("" where none does).
        partly: gives, where there is none, edits that cure some of the places and give plain Python's results; `.reason` says
            which line is left. It runs plain Python, so it is asked last.
        loses_gradient: whether a loop was tried that has no reverse mode, of which the function takes a gradient.
        cut_off: whether the search ended because its time was up.
    """

    rewrites: tuple[Rewrite, ...] = ()
    unverified: tuple[Rewrite, ...] = ()
    obstacles: tuple[str, ...] = ()
    why_not: str = ""
    partly: Callable[[], tuple[Rewrite, ...]] = tuple
    loses_gradient: bool = False
    cut_off: bool = False

    def __iter__(self) -> Iterator[tuple[Rewrite, ...]]:
        return iter((self.rewrites, self.unverified))


def propose(
    fun: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    sites: Sequence[Site] = (),
    static: Sequence[str | int] = (),
    *,
    run: bool = True,
    seconds: float = 2.0,
    rules: Sequence[Rule] | None = None,
    rolls: bool = False,
    so_far: list[Proposals] | None = None,
    carried: frozenset[str] = frozenset(),
    whole: Own | None = None,
) -> Proposals:
    """Rewrites of `fun` (and of the user's helpers) that trace on this call and give plain Python's results.

    Args:
        fun: the user's function, plain or jitted.
        args, kwargs: the failing call.
        sites: the concretization sites, where known; the search finds its own way. Those "in place" change nothing, as JAX's
            arrays refuse it.
        static: names or positions that are static beside the rewrite.
        run: False: nothing is run; what traces is `unverified`.
        seconds: time for the search, and for plain runs as much, or half of it where it is long.
        rolls: Python's loops of many rounds become loops of lax, whether or not they can be traced.
        carried: objects whose state the jit carries out again, so that it is part of the result.
        so_far: gets what is in hand while more is looked for, for a caller who stops the search.
        whole: the user's own call, where this one has fewer rounds: what is found is traced there, and compared once.

    Returns:
        the rewrites, best first: one, and another way (`cond` beside `where`) where there is one. No rewrite is returned that
        gave another result on any input.

    Example:
        >>> propose(conditional_double, (x, 0.0), {}).rewrites[0].patterns
        ('where',)
    """
    from jupyter_jitmagic.diagnosis.rewrites import OUTWARD, ROLLING, RULES

    asked = (RULES, OUTWARD, ROLLING) if rules is None else (rules, (), ())
    fun = undecorated(fun)
    whole = whole._replace(fun=undecorated(whole.fun)) if whole is not None else None
    refused = frozenset((site.filename, site.line) for site in sites if site.operation == "in place")
    if plain_function(fun) is None:
        return Proposals(obstacles=("it is no function of Python's",))
    try:
        with contextlib.nullcontext() if is_undoing() else undoing(Reach(fun)):
            kept = [] if so_far is None else so_far
            call = JitCall(fun, args, dict(kwargs), tuple(static), carried)
            places = frozenset((site.filename, site.line) for site in sites)
            return under_one_clock(lambda: _propose(call, asked, run, seconds, rolls, kept, refused, places, whole))
    except Effect as met:
        return Proposals(obstacles=(f"it was not traced, because {met}",))
    except Exception as error:
        faults.report("looking for a rewrite", error)
        return Proposals(obstacles=("looking for a rewrite failed; jupyter_jitmagic.faults.details() has the traceback",))


def _propose(
    call: JitCall,
    rules: tuple[Sequence[Rule], Sequence[Rule], Sequence[Rule]],
    run: bool,
    seconds: float,
    rolls: bool,
    so_far: list[Proposals],
    refused: frozenset[tuple[str, int]],
    places: frozenset[tuple[str, int]],
    whole: Own | None,
) -> Proposals:
    at_places, outward, rolling = rules
    for_runs = min(seconds, max(seconds / 2, _RUNS_S))
    judge = Judge(call, run, for_runs, refused, places, Whole(call, whole, WHOLE_S) if whole is not None else None)
    searching = functools.partial(
        Search,
        call,
        outward=outward,
        rolling=rolling,
        runnable=judge.runnable,
        rolls=rolls,
        sizes=whole.sizes if whole is not None else {},
        drafted=Drafted(call, judge.runnable),  # what is told about a draft is told once
    )
    together = Deadline(_TOGETHER * seconds)  # of all searches, so that there is time for the function in pieces
    again = functools.partial(_at_most, together)
    search = searching(at_places, Deadline(seconds), judge.other_calls)
    first = found = _found(search, judge, so_far)
    if not found.rewrites and any(each.reason == ENDLESS for each in found.unverified):
        ends = _found(searching((*settling.RULES, *at_places), Deadline(seconds), judge.other_calls), judge, so_far)
        return ends if ends.rewrites else found  # no other way to write the loop meets its tolerance
    promising_less = functools.partial(_promising_less, judge, so_far, lambda: again(seconds / 2))
    search, found = promising_less(functools.partial(searching, at_places), search, found)
    if found.rewrites and found.rewrites[0] is judge.at_edge:
        found = _keeping_gradients(search, judge, found, lambda others: searching(at_places, again(seconds / 2), others))
    if not found.rewrites and search.has_rolled and not rolls:  # a large program is better than none
        as_it_is = functools.partial(searching, at_places, unrolled=True)
        large = as_it_is(again(seconds), functools.partial(list, judge.others) if judge.others else judge.other_calls)
        _, whole_loops = promising_less(as_it_is, large, _found(large, judge, so_far))
        found = whole_loops if whole_loops.rewrites else found
    if not found.rewrites and judge.beside_nan is not None:
        return Proposals((judge.beside_nan,), found.unverified)
    if not found.rewrites and (right := judge.but_for_nan()) is not None:
        return Proposals((right,), found.unverified)
    if not found.rewrites and first.unverified:
        found = first  # what promises less and is not verified either is no better answer
    why = _fails_elsewhere({**search.fails, **judge.fails})
    if not (found.rewrites or found.unverified) and why:  # one that serves this call only is no proven answer
        narrow = searching(at_places, again(seconds / 2))
        judge.fails_elsewhere = why
        return replace(found, unverified=_found(narrow, judge, so_far).unverified[:1])
    if not (found.rewrites or found.unverified) and search.furthest is not None:
        return replace(found, partly=functools.partial(_part, judge, search, search.furthest))
    return found


def _promising_less(
    judge: Judge,
    so_far: list[Proposals],
    again: Callable[[], Deadline],
    searching: Callable[[Deadline, Callable[[], Sequence[OtherCall]]], Search],
    search: Search,
    found: Proposals,
) -> tuple[Search, Proposals]:
    """Where nothing serves all other calls: what serves fewer of them, and says where it fails. `search` is what `found` came
    of; a further one is made by `searching`, with the time that `again` gives."""
    said: list[OtherCall] = []
    for _ in range(MOST_SEARCHES):
        fails = {**search.fails, **judge.fails}
        failing = [call for call in judge.others if call.words in fails and not any(call is one for one in said)]
        given_up = [
            call
            for call in failing
            if not call.promised
            or _is_broadcast(call, fails[call.words])
            or (call.given.kind == "size" and _WIDER.search(fails[call.words]))
            or judge.depends_on_its_values(call)
        ]
        others = [call for call in judge.others if not call.promised and not any(call is one for one in (*given_up, *said))]
        given_up += [call for call in others if _needs_as_much(call, given_up, fails) or _is_of_ints(call, given_up, fails)]
        # what the code itself says may be missing is given up last
        given_up = [call for call in given_up if call.given.kind not in ("left out", "none")] or given_up
        otherwise = [each for each in found.obstacles if each not in search.obstacles and _NOT_FINITE not in each]
        if not (given_up or said or found.rewrites) and otherwise:
            # a float in the place of an integer makes floats of all: what was found may be wrong by that alone
            given_up = [call for call in judge.others if call.given.kind == "number" and not call.promised]
        padded = any(each.padded for each in found.unverified)
        if not (given_up or found.rewrites or padded) and search.led_astray("its edits are none for the call itself"):
            given_up = [call for call in judge.others if call.words in search.fails and not call.promised]
        if found.rewrites or not given_up or (padded and not judge.fails):
            break  # one with as many elements as plain Python's may have been right but for what is given up
        said += given_up
        kept = [call for call in judge.others if not any(call is one for one in said)]
        search = searching(again(), functools.partial(list, kept))
        judge.say_where_it_fails(said)
        found = _found(search, judge, so_far)
    return search, found


def _at_most(together: Deadline, seconds: float) -> Deadline:
    """So long, and no longer than there is for all."""
    return Deadline(max(min(seconds, together.left()), _SHORTEST_SEARCH))


def _part(judge: Judge, search: Search, stuck: Stuck) -> tuple[Rewrite, ...]:
    """The edits that got furthest, if plain Python's results are theirs."""
    with contextlib.nullcontext() if is_undoing() else undoing(Reach(judge.call.fun)):
        return under_one_clock(lambda: judge.part(stuck, search.drafted.build(stuck.draft)))


def _keeping_gradients(
    search: Search, judge: Judge, found: Proposals, searching: Callable[[Callable[[], Sequence[OtherCall]]], Search]
) -> Proposals:
    """What was found lost a gradient at an edge. What keeps it may fail where an optional argument is given as it need not be
    (`lax.cond` of a number and of an array), or for another kind of numbers: that is given up for it, and said."""
    fails = {**search.fails, **judge.fails}
    given_up = [
        call for call in judge.others if call.words in fails and call.given.kind in ("given", "number") and not call.promised
    ]
    if not given_up:
        return found
    lost, judge.at_edge = judge.at_edge, None
    judge.say_where_it_fails(given_up)
    kept = [call for call in judge.others if not any(call is one for one in given_up)]
    again = _found(searching(functools.partial(list, kept)), judge, [])
    if again.rewrites and again.rewrites[0] is not judge.at_edge:
        return again
    judge.at_edge = lost
    return found


def _needs_as_much(call: OtherCall, given_up: Sequence[OtherCall], fails: Mapping[str, str]) -> bool:
    """Whether a call gives what another one gives as well, with which a trace needs a value: it would be the next to fail."""
    needing = [each.names for each in given_up if each.names and _NEEDS_A_VALUE.match(fails[each.words])]
    alike = (set(names) <= set(call.names) for names in needing)
    return call.given.kind == "given" and any(alike)


def _is_of_ints(call: OtherCall, given_up: Sequence[OtherCall], fails: Mapping[str, str]) -> bool:
    """Whether a call has integers in the place of floats, as one whose branches are of two types for nothing else has: it would
    be the next to fail."""
    failed = any(OF_INTEGERS.search(each.words) and _OF_TYPES in fails[each.words] for each in given_up if each.words in fails)
    return failed and bool(OF_INTEGERS.search(call.words))


def _is_broadcast(call: OtherCall, error: str) -> bool:
    """Whether an array of one element has another shape than what it is chosen beside: plain Python's result is of the one
    shape or of the other then, as data decides. Or rows of one element are repeated beside longer ones."""
    if "single" not in call.words or call.given.kind != "size":
        return False
    repeated = "rows of a single element" in call.words and error.startswith("it differs")
    return repeated or "shape (" in error or "shapes=[(" in error


def _fails_elsewhere(fails: Mapping[str, str]) -> str:
    for words, error in fails.items():
        return error if error.startswith("it differs") else f"{words} it fails ({error}), where plain Python does not"
    return ""


def _found(search: Search, judge: Judge, so_far: list[Proposals]) -> Proposals:
    verified: list[Rewrite] = []
    unverified: list[Rewrite] = []
    obstacles: dict[str, None] = {}
    for_gradients, for_others = Deadline(FOR_GRADIENTS_WITHIN), Deadline(OTHER_WAYS_WITHIN)
    others_until = Deadline(OTHER_WAYS_UNTIL)
    judge.met = search.drafted.units
    search.deadlines += [for_gradients, for_others, others_until]

    def note(draft: Draft) -> None:
        if not verified and judge.may_run():  # what has effects may keep tracers, which is not known yet
            told = _at_edge(judge)
            so_far[:] = [Proposals(told, () if told else (*unverified, judge.not_yet(draft)))]

    @contextlib.contextmanager
    def in_hand(draft: Draft) -> Iterator[None]:
        before = so_far[:]
        note(draft)
        yield  # where the time is up, it stays noted
        so_far[:] = before  # whether it serves the others is known soon

    search.in_hand = in_hand
    passes = ["", FOR_GRADIENTS, *OTHER_WAYS]
    alike = unfilled = unbranched = inexact = True
    wider, tried = 0, set[str]()
    judged: set[Any] = set()
    while passes:
        prefer = passes.pop(0)
        another = prefer not in ("", *AT_EVERY_PLACE)
        if another != bool(verified or unverified):
            continue
        if another and (for_gradients if prefer == FOR_GRADIENTS else for_others).over():
            continue
        if prefer == FOR_GRADIENTS and not (verified and _is_one_way(verified[0])):
            continue
        if verified and prefer in verified[0].patterns:
            continue
        if prefer in OTHER_WAYS and not any(p in OTHER_WAYS for r in (*verified, *unverified) for p in r.patterns):
            break
        for traced in search.drafts(prefer, others_until if prefer in OTHER_WAYS else None):
            patterns = {change.pattern for change in traced.draft.changes}
            if another and prefer not in patterns:
                break
            if verified and traced.draft.risky:
                break  # an answer that evaluates less is there already
            if traced.draft.promise in judged:
                continue
            judged |= set() if another else {traced.draft.promise}
            note(traced.draft)
            outcome = judge.judge(traced)
            if isinstance(outcome, Rewrite):
                (verified if outcome.verified else unverified).append(outcome)
                so_far[:] = [Proposals(tuple(verified), tuple(unverified))]
                break
            so_far[:] = [Proposals(tuple(verified) or _at_edge(judge), tuple(unverified))]
            obstacles[outcome] = None
            if search.deadline.over() or outcome == judge.why_useless:
                break
            if _is_wider_where_nothing_is_promised(judge):
                wider, tried = wider + 1, tried | patterns
                if wider >= MOST_WIDER and search.offered() <= tried:
                    passes = []
                    break
            elif _WIDER_ON_ITS_OWN.search(outcome) and search.led_astray(outcome):
                wider += 1
                if wider >= MOST_WIDER:
                    passes = []
                    break
            if unfilled and judge.at_edge is not None and FILLED in search.offered():
                unfilled = False
                passes[:0] = [FILLED, ""]
                break
            lost = judge.second is not None or (judge.beside_nan is not None and _NOT_FINITE in outcome)
            if unbranched and lost and "where" in patterns and "cond" in search.offered():
                unbranched = False
                passes[:0] = [BRANCHED, ""]
                break
            if inexact and _ON_NAN in outcome and search.offers_exact():
                inexact = False
                passes[:0] = [EXACT, ""]
                break
            if alike and patterns & PAIRED:  # the same choice at every place, before all that are mixed
                alike = False
                passes[:0] = [CHOSEN, ""]
                break
    if not verified and judge.at_edge is not None:
        verified.append(judge.at_edge)
    if not verified and not unverified and judge.second is not None:
        unverified.append(judge.second)
    if not verified and not unverified:
        obstacles = {**search.obstacles, **obstacles}
    why_not = "" if verified or unverified else search.why_not or judge.why_useless
    return Proposals(
        tuple(verified),
        tuple(_different(unverified)),
        tuple(obstacles),
        why_not,
        loses_gradient=search.loses_gradient,
        cut_off=search.deadline.over(),
    )


_ON_NAN = "it differs on an input varied (nan)"


def _is_wider_where_nothing_is_promised(judge: Judge) -> bool:
    """Whether the last draft gives floats for plain Python's integers on a call that it need not serve, as those that follow
    do: a program has one dtype, where plain Python's goes by which branch is taken."""
    return judge.refused_on is not None and not judge.refused_on[0].promised and bool(_WIDER.search(judge.refused_on[1]))


def _at_edge(judge: Judge) -> tuple[Rewrite, ...]:
    """What was found whose gradient is lost at an edge, as it says: an answer where there is no time for a better one."""
    return () if judge.at_edge is None else (judge.at_edge,)


def _is_one_way(rewrite: Rewrite) -> bool:
    """Whether the answer says that it cannot be differentiated backwards."""
    return rewrite.compared is not None and NO_REVERSE in rewrite.compared.differences


def undecorated(fun: Any) -> Any:
    """The function under `jax.jit` or `jm.jit`; other wrappers stay."""
    while hasattr(fun, "lower") and has(fun, "__wrapped__"):
        fun = fun.__wrapped__
    return fun


def _different(rewrites: Sequence[Rewrite]) -> list[Rewrite]:
    return list({tuple(r.sources.items()): r for r in rewrites}.values())
