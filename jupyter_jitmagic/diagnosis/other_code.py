"""The answers that change the code: rewrites beside a static set, and the function in pieces where there is none."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import thread_time as clock  # under load a thread waits: that is no work
from typing import TYPE_CHECKING

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.options import options as limits
from jupyter_jitmagic.diagnosis.asked import Asked
from jupyter_jitmagic.diagnosis.call.calls import Call, readable
from jupyter_jitmagic.diagnosis.proof.arguments import JitCall
from jupyter_jitmagic.diagnosis.proof.moment import asked_of_the_moment
from jupyter_jitmagic.diagnosis.proof.other_calls import ALL_INTEGERS, AS_A_FLOAT, AS_INTEGERS
from jupyter_jitmagic.diagnosis.proof.results import of_lengths_by_data, of_text
from jupyter_jitmagic.diagnosis.sites.finding import find_call_sites
from jupyter_jitmagic.diagnosis.smaller import LONG_S, smaller_call
from jupyter_jitmagic.diagnosis.statics import returned
from jupyter_jitmagic.diagnosis.statics.declared_arrays import as_settings
from jupyter_jitmagic.diagnosis.statics.left_out import may_be_words, options_left_out, settings_refused
from jupyter_jitmagic.diagnosis.statics.listed import lists_of_numbers
from jupyter_jitmagic.diagnosis.statics.numbers import numbers_as_data
from jupyter_jitmagic.diagnosis.statics.otherwise import numbers_asked_for_kinds
from jupyter_jitmagic.diagnosis.statics.search import StaticSet, counts_beside_data, numbers_of_groups, sizes_through_jax
from jupyter_jitmagic.diagnosis.statics.worked_out import sizes_worked_out
from jupyter_jitmagic.diagnosis.types import Diagnosis, Kind, Rewrite, Site
from jupyter_jitmagic.diagnosis.words import reasons
from jupyter_jitmagic.sandbox.limit import OutOfTime, Overdue, limited

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites import Proposals

OF_SHAPES = frozenset({"shape", "static parameter"})
"""Operations of sites that no other code takes as data."""
MOST_UNROLLED = 400  # equations; from here on a loop of lax is looked for beside a static set
_LONG_TRACE_S = 0.2  # of a trace; from here on Python's loops of many rounds are not traced again and again
_SMALLER_S = 0.5  # for a plain run of a call with fewer rounds, whose operations are compiled for it
_ROLLING_S = 2.0  # for that, at least
_PART_S = 0.5  # for plain runs beside edits that cure a part, at least
_SIZES_S = 0.5  # for a plain run that shows which sizes the function works out


def with_rewrite(asked: Asked, result: StaticSet, *, with_split: bool = False) -> Diagnosis:
    """The answer whose static arguments are those of `result` at least, and whose other sites a rewrite cures, if one is found;
    else, with `with_split`, the function in pieces."""
    call = asked.call
    proposed: list[Rewrite] = []
    unverified: list[Rewrite] = []
    partly: list[Callable[[], tuple[Rewrite, ...]]] = []
    static, why_not, cut_off = result.static, "", False
    if asked.with_rewrites:
        through_jax = sizes_through_jax(call, result.left)
        counts = result.static | counts_beside_data(call, result.left)
        kinds = result.static | numbers_asked_for_kinds(call)
        groups = result.static | numbers_of_groups(call, result.left)
        candidates = [*dict.fromkeys((result.static | through_jax, result.static, result.wider, counts, kinds, groups))]
        for candidate in candidates:
            left = result.left if candidate == result.static else find_call_sites(call, candidate, seconds=0.5)
            in_time = asked
            if candidate != candidates[-1]:  # each leaves time for those behind it
                in_time = replace(asked, deadline=clock() + (asked.deadline - clock()) / 2)
            outcome = proposals(in_time, left.sites, candidate)
            asked.keep(outcome.rewrites, outcome.unverified, candidate)  # looking for pieces may take all the time that is left
            proposed = list(outcome.rewrites)
            unverified += outcome.unverified
            partly.append(outcome.partly)
            why_not, cut_off = why_not or outcome.why_not, cut_off or outcome.cut_off
            if proposed:
                static = candidate - _spared(call, candidate, proposed[0])
                if static != candidate:
                    left = find_call_sites(call, static, seconds=0.5) if static else asked.found
                result = replace(result, static=static, left=left)
                break
    if not proposed and any(site.operation in ("slice", "shape") for site in result.left.sites):
        static = result.wider
    kind: Kind = "static+rewrite" if static else "rewrite"
    sized = {site.operation for site in asked.result.left.sites} <= OF_SHAPES  # then it has been tried
    if with_split and not (proposed or sized) and (found := with_tuples(asked)) is not None:
        return replace(found, unverified=each_once(unverified))
    split, runs = find_pieces(asked, static) if with_split and asked.with_rewrites and not proposed else (None, False)
    padded = any(each.padded for each in unverified)
    for_none = any(each.for_none for each in unverified)
    why_not = reasons.NO_ARRAY if padded else reasons.for_unproven(unverified, split) if unverified else why_not
    why_not = (returned.why_not(call.fun) or why_not) if for_none and not padded else why_not
    if not proposed and asked.with_rewrites and (once := asked_of_the_moment(call.fun, call.args, call.kwargs)):
        why_not = once
    if not (proposed or why_not) and asked.with_rewrites:
        of_source = returned.why_not(call.fun)
        why_not = of_source or (reasons.OUT_OF_TIME if cut_off else "")
        numbers = {argument.name for argument in call.arguments if type(argument.value) in (int, float, bool)}
        # a length that a number decides has a static argument
        given = JitCall(call.fun, call.args, dict(call.kwargs), tuple(sorted(static | numbers)))
        asks = runs and split is None and not of_source  # without what is returned in one case, lengths differ as well
        if asks and of_text(given, _SIZES_S):
            why_not = reasons.TEXT
        elif asks and of_lengths_by_data(given, _SIZES_S):
            why_not = reasons.LENGTH_IS_DATA
            partly.clear()  # what a part of the edits leaves no other edit cures
    told = None if (padded or for_none) and split is not None and split.slight else split
    reason = reasons.for_rewrite(call, result, result.left, bool(proposed), why_not, told)
    if proposed and (options := _that_may_be_given(proposed[0]) - static - call.declared):
        none = [argument.name for argument in call.arguments if argument.value is None]
        reason = f"{reason} {reasons.for_options_left_out(options, none)}"
    if proposed:
        reason += reasons.for_settings_left_out(settings_refused(call))
    if proposed and (words := may_be_words(call, static)):
        reason = f"{reason} {reasons.for_words(words)}"
    if not proposed and asked.with_rewrites:
        settings = as_settings(call, frozenset().union(*result.left.roots) - static - call.declared, static)
        reason = f"{reason} {settings}".rstrip()
    sizes = () if proposed or not asked.with_rewrites else sizes_worked_out(call, static, _SIZES_S)
    return asked.verdict(
        kind,
        static,
        sizes_to_give=sizes,
        rewrites=tuple(proposed),
        unverified=each_once(unverified),
        splits=(split,) if split else (),
        partial=() if proposed or unverified or split else _part_of_it(asked, partly),
        runs_plainly=runs,
        verified=bool(proposed),
        reason=reason,
    )


def _spared(call: Call, static: frozenset[str], rewrite: Rewrite) -> frozenset[str]:
    """The static integers without which the function does not trace, and the rewrite does."""
    return frozenset(name for name in static - {*rewrite.static_argnames} if type(call.argument(name).value) is int)


def _part_of_it(asked: Asked, partly: list[Callable[[], tuple[Rewrite, ...]]]) -> tuple[Rewrite, ...]:
    """Edits that cure some of the places, where nothing else was found: the first that there are."""
    for find in partly:
        try:
            if found := limited(3 * max(asked.deadline - clock(), _PART_S), find):
                return found
        except OutOfTime:
            continue
        except Exception as error:
            faults.report("looking for a part of a rewrite", error)
    return ()


def each_once(found: list[Rewrite]) -> tuple[Rewrite, ...]:
    """Each code once, with the fewest static arguments with which it was found."""
    fewest: dict[tuple[tuple[str, str], ...], Rewrite] = {}
    for each in found:
        key = tuple(each.sources.items())
        if key not in fewest or len(each.static_argnames) < len(fewest[key].static_argnames):
            fewest[key] = each
    return tuple(fewest.values())


def as_data(asked: Asked, data: frozenset[str]) -> Diagnosis:
    """The answer with a rewrite that takes these arguments as data, where static arguments would do as well, but better not."""
    kept = asked.result.static - data
    left = find_call_sites(asked.call, kept, seconds=0.5)
    return with_rewrite(asked, replace(asked.result, static=kept, cured=False, wider=kept, left=left))


def beside_static(asked: Asked) -> tuple[tuple[Rewrite, ...], frozenset[str]]:
    """Rewrites beside a proven static set, where some of its arguments may well be data that changes from call to call; the
    others stay static. Where there is none because a loop has no reverse mode: those arguments."""
    data = numbers_as_data(asked.call, asked.result, asked.found) if asked.with_rewrites else frozenset()
    kept = asked.result.static - data
    names, numbers = asked.call.static_names(kept)
    if not data or (kept and numbers):
        return (), frozenset()
    sooner = replace(asked, deadline=min(asked.deadline, clock() + 0.6))
    left = find_call_sites(asked.call, kept, seconds=0.5) if kept else asked.found
    found = proposals(sooner, left.sites, kept)
    both = (replace(each, static_argnames=tuple(dict.fromkeys((*names, *each.static_argnames)))) for each in found.rewrites)
    return tuple(both), data if found.loses_gradient and not found.rewrites else frozenset()


def rolled_beside(asked: Asked) -> tuple[Rewrite, ...]:
    """The function with the same static arguments, and with loops of lax for those of Python's that make its program large."""
    in_a_loop = any(site.operation == "range" for site in asked.found.sites)
    if not (asked.with_rewrites and in_a_loop) or asked.result.equations <= MOST_UNROLLED:
        return ()
    names, numbers = asked.call.static_names(asked.result.static)
    in_time = replace(asked, deadline=max(asked.deadline, clock() + _ROLLING_S))
    found = () if numbers else proposals(in_time, asked.sites, asked.result.static, rolls=True).rewrites
    return tuple(replace(each, static_argnames=tuple(dict.fromkeys((*names, *each.static_argnames)))) for each in found)


def proposals(
    asked: Asked, sites: tuple[Site, ...], static: frozenset[str], *, anyway: bool = False, rolls: bool = False
) -> Proposals:
    """What was found of rewrites with these static arguments; where no site is known only if they are looked for `anyway`."""
    from jupyter_jitmagic.diagnosis.rewrites import ARRAYS_ALONE, Proposals, propose
    from jupyter_jitmagic.diagnosis.rewrites.whole import Own

    if not sites and not anyway:
        return Proposals()
    call, left = asked.call, max(asked.deadline - clock(), 0.2)
    so_far: list[Proposals] = []
    try:
        options, run = options_left_out(call, static), readable(call)
        smaller = smaller_call(call, max(asked.ran / 2, _SMALLER_S)) if run and asked.ran > LONG_S else None
        rolls = rolls or asked.took > _LONG_TRACE_S

        def found(every: frozenset[str], noted: list[Proposals]) -> Proposals:
            names = (*sorted(every), *((ARRAYS_ALONE,) if call.keeps_options else ()))
            given = functools.partial(propose, seconds=left, run=run, rolls=rolls, so_far=noted, carried=call.carried)
            if smaller is None:
                return given(call.fun, call.args, call.kwargs, sites, names)
            names = (*names, *sorted(smaller.given - set(names)))
            less, own = smaller.call, Own(call.fun, call.args, call.kwargs, smaller.sizes)
            return given(less.fun, less.args, less.kwargs, sites, names, whole=own)

        def found_with_options() -> Proposals:
            every = static | call.declared | options.static
            first = found(every, so_far)
            failing = _given_otherwise(first, options.beside_data | options.others)
            if not (first.rewrites or any(each.padded for each in first.unverified)):
                failing = options.beside_data  # `x[i - k : i + k]` is of one length only where k is static
            noted: list[Proposals] = so_far
            if first.rewrites:  # an answer, if the time is up before there is a better one
                so_far[:], noted = [first], []
            again = found(every | failing, noted) if failing else first
            if first.rewrites and _given_otherwise(again, failing):
                return first  # static does not cure it, and an array could not be given any more
            return again if again.rewrites or (again.unverified and not first.rewrites) else first

        return limited(3 * left + 1.0, found_with_options)
    except OutOfTime:
        return so_far[-1] if so_far else Proposals()
    except Overdue:
        for each in so_far:
            asked.keep(each.rewrites, each.unverified, static)
        raise
    except Exception as error:
        faults.report("looking for rewrites", error)
        return Proposals()


def _that_may_be_given(rewrite: Rewrite) -> frozenset[str]:
    """Its static arguments, without those of which it says that it fails with another value than 0, whatever stands beside
    it: where nothing is counted, an array has no place for anything."""
    differences = rewrite.compared.differences if rewrite.compared is not None else ()
    said = next((each for each in differences if each.startswith("it fails ")), "")
    ends = rf"=(?!0(?:[ ,;]|$))[^ ,;]+(?![^ ,;])(?! {ALL_INTEGERS})"
    return frozenset(
        each for each in rewrite.static_argnames if not re.search(rf"with (?:\S+ and )*{re.escape(each)}{ends}", said)
    )


def _given_otherwise(found: Proposals, options: frozenset[str]) -> frozenset[str]:
    """Those options with which the first rewrite does something else than plain Python, once they are given; not where it does
    for the integers beside them or for a float alone, which no static argument cures."""
    compared = found.rewrites[0].compared if found.rewrites else None
    differences = compared.differences if compared else ()
    said = " ".join(each for each in differences if "gradient" not in each)  # that no static argument gives back
    return frozenset(
        name for name in options if re.search(rf"where {re.escape(name)} is given(?!{AS_INTEGERS}|{AS_A_FLOAT})", said)
    )


def with_tuples(asked: Asked) -> Diagnosis | None:
    """The answer whose pieces take as tuples, and static, the lists of numbers that decide every site."""
    call, result = asked.call, asked.result
    listed = lists_of_numbers(call, result.left)
    if not listed or not asked.with_rewrites:
        return None
    split, _ = find_pieces(asked, result.static, listed=listed)
    if split is None or not split.verified:
        return None
    reason = reasons.for_rewrite(call, result, result.left, False)
    kind: Kind = "static+rewrite" if result.static else "rewrite"
    return asked.verdict(kind, result.static, splits=(split,), reason=reason, runs_plainly=True)


def find_pieces(
    asked: Asked, static: frozenset[str], refused: frozenset[tuple[str, int]] = frozenset(), listed: Sequence[str] = ()
) -> tuple[Rewrite | None, bool]:
    """The function in pieces, where nothing else cures it; and whether plain Python runs the call. At the `refused` lines it
    sets elements of JAX's arrays in place; of `listed` lists tuples are made."""
    from jupyter_jitmagic.diagnosis.splits import find_split

    left = max(asked.deadline - clock(), 1.0, limits.advice_limit_s / 4)  # nothing else was found to be told
    try:
        found = limited(3 * left + 1.0, lambda: find_split(asked.call, static, left, refused, listed))
        return found.rewrite, found.runs
    except OutOfTime:
        pass  # not known then
    except Exception as error:
        faults.report("looking for a split", error)
    return None, False
