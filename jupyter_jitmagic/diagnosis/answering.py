"""From a failed trace, its sites and its smallest static set to the answer: the stages, the surest answer first.

Each stage gives an answer, or None where it has nothing to say.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import replace
from time import thread_time as clock  # under load a thread waits: that is no work
from typing import TYPE_CHECKING, Any

import jax

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.jaxprs import MANY_EQUATIONS, SOME_EQUATIONS
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.diagnosis.asked import Asked as Asked
from jupyter_jitmagic.diagnosis.bodies import cured as cured_body
from jupyter_jitmagic.diagnosis.call.calls import Call, reachable_functions, readable
from jupyter_jitmagic.diagnosis.done_once import done_once
from jupyter_jitmagic.diagnosis.inner_jits import static_within, static_without
from jupyter_jitmagic.diagnosis.objects.given import objects_given
from jupyter_jitmagic.diagnosis.other_code import (
    OF_SHAPES,
    as_data,
    beside_static,
    find_pieces,
    proposals,
    rolled_beside,
    with_rewrite,
    with_tuples,
)
from jupyter_jitmagic.diagnosis.proof.moment import asked_of_the_moment
from jupyter_jitmagic.diagnosis.refused import refused
from jupyter_jitmagic.diagnosis.sites.finding import ended_early, failing_site, find_call_sites, one_for_each_line, place_of
from jupyter_jitmagic.diagnosis.sites.keeping import keeping
from jupyter_jitmagic.diagnosis.sites.leaks import Holder, Left, kept_site, leak_site
from jupyter_jitmagic.diagnosis.sites.loops import builds_python
from jupyter_jitmagic.diagnosis.static_fields import with_static_fields
from jupyter_jitmagic.diagnosis.statics.left_out import options_left_out, settings_refused
from jupyter_jitmagic.diagnosis.statics.listed import plain_containers
from jupyter_jitmagic.diagnosis.statics.otherwise import (
    OtherChoice,
    choosing_otherwise,
    counts_of_few_rounds,
    decides_what_comes_out,
    plain_error,
    plain_fails,
)
from jupyter_jitmagic.diagnosis.statics.search import blind_search, call_error, search, sizes_through_jax, trace_call
from jupyter_jitmagic.diagnosis.traced_otherwise import Otherwise, traced_otherwise
from jupyter_jitmagic.diagnosis.types import Diagnosis, Found, Rewrite, Site
from jupyter_jitmagic.diagnosis.words import other_failures, reasons
from jupyter_jitmagic.sandbox.rerun import OutOfTime, limited
from jupyter_jitmagic.usercode.held import may_write

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.objects.finding import Written
    from jupyter_jitmagic.diagnosis.rewrites import Proposals

_SLOW = 0.2  # seconds of a trace from which on time may be why something is not known
_MOST_HELD = 8  # sets of numbers that are tried as static arguments, where no rewrite was found


def answer(asked: Asked) -> Diagnosis:
    """The answer. `asked.so_far` gets what is known of it before other code is looked for, and while it is."""
    written = _written(asked) if asked.with_rewrites else None
    if isinstance(written, Diagnosis):
        return written
    found = _answer(asked)
    if found.kind == "static" and (holder := _left_behind(asked.call, asked.result.static)) is not None:
        found = replace(found, notes=(*found.notes, other_failures.for_left_tracer(asked.call, holder, None)))
    if written and not (found.rewrites or found.splits or found.kind in ("static", "traces")):
        found = replace(found, reason=f"{found.reason} {written}")
    if found.kind in ("rewrite", "static+rewrite") and not found.rewrites:
        found = _with_static_fields(asked, found) or found
    return found


def leaving(asked: Asked, holder: Holder) -> Diagnosis:
    """The answer to a call that traces and leaves a tracer behind; `asked.error` is what a use of that tracer meets."""
    written = _written(asked) if asked.with_rewrites else None
    kept = keeping(asked.error, holder.name)
    sites = (kept_site(kept),) if kept is not None else ()
    if isinstance(written, Diagnosis):
        return replace(written, error="", sites=sites)
    reason = other_failures.for_left_tracer(asked.call, holder, kept)
    return asked.verdict("not_staticness", sites=sites, error="", reason=f"{reason} {written}" if written else reason)


def _with_static_fields(asked: Asked, found: Diagnosis) -> Diagnosis | None:
    """What cures every place, where a registered dataclass has numbers among its leaves that are no data."""
    left = asked.result.left
    named = {path for site in left.sites for path in site.arguments}
    owners = {path.partition(".")[0] for path in named}
    if len(owners) != 1 or not all(path.count(".") == 1 and "[" not in path for path in named):
        return None
    argument = next((each for each in asked.call.arguments if each.name in owners), None)
    if argument is None:
        return None
    fields = tuple(sorted(path.partition(".")[2] for path in named))
    if not all(isinstance(getattr(argument.value, each, None), int) for each in fields):
        return None
    words = other_failures.for_fields(asked.call, argument, fields)
    if not words:
        return None
    held = other_failures.fields_to_hold(asked.call, argument, fields)
    rewrite = with_static_fields(asked.call, argument, held) if held and asked.with_rewrites else None
    return replace(
        found,
        classes=(rewrite,) if rewrite is not None else (),
        reason=reasons.for_fields(left, words),
        runs_plainly=False,
        verified=True,
    )


def _answer(asked: Asked) -> Diagnosis:
    """The answer where no object is in question."""
    call, result = asked.call, asked.result
    if result.refused:
        return _refused(asked)
    if result.cured:
        reason = reasons.for_static(call, result, asked.found)
        sure = not result.extrapolated
        asked.so_far.append(asked.verdict("static", result.static, verified=sure, reason=reason, equations=_unbearable(asked)))
        return _cured(asked)
    if asked.took > _SLOW and (result.bounded or ended_early(asked.found, asked.error, call)):
        return asked.verdict("not_staticness", reason=reasons.for_slow_search(result, asked.took))
    if _is_other(asked):
        return _refused_without_asking(asked) or _other_failure(asked)
    if {site.operation for site in result.left.sites} <= OF_SHAPES:  # no other code takes these as data
        fields = _with_static_fields(asked, asked.verdict("rewrite"))
        if fields is not None and fields.classes:
            return fields
        if (found := with_tuples(asked)) is not None:
            return found
    reason = reasons.for_rewrite(call, result, result.left, True)
    asked.so_far.append(asked.verdict("static+rewrite" if result.static else "rewrite", result.static, reason=reason))
    found = _with_numbers_held(asked, with_rewrite(asked, result, with_split=True))
    if not (found.verified or found.unverified or found.splits or found.runs_plainly) and plain_fails(call):
        return _other_failure(replace(asked, with_rewrites=False))
    return found


def _refused(asked: Asked) -> Diagnosis:
    """The answer where jit takes an argument neither traced nor static: a dict with a text in it, say."""
    found = refused(asked, lambda other: _of_another(other, asked))
    listed = plain_containers(asked.result.refused) if asked.with_rewrites and not (found.classes or found.rewrites) else ()
    split = find_pieces(asked, asked.result.static, listed=listed)[0] if listed else None
    return replace(found, splits=(split,)) if split is not None and split.verified else found


def _with_numbers_held(asked: Asked, found: Diagnosis) -> Diagnosis:
    """Where no rewrite takes a number as data that is only computed with, as it decides what comes out: the number as static,
    and beside it a split that is known."""
    call, numbers = asked.call, sorted(asked.result.floats)
    if found.rewrites:
        return found
    several = (held for count in range(1, len(numbers) + 1) for held in itertools.combinations(numbers, count))
    for held in itertools.islice(several, _MOST_HELD):
        static = asked.result.static | frozenset(held)
        if trace_call(call, static)[0] is not None:
            continue
        if not decides_what_comes_out(call, static, held):
            break
        reason = reasons.for_static(call, replace(asked.result, static=static, cured=True), asked.found)
        reason += reasons.for_numbers_held(held)
        kept = {"unverified": found.unverified, "splits": found.splits}
        return asked.verdict("static", static, verified=True, reason=reason, **kept)
    return _with_numbers_of_the_host(asked, found) or found


def _with_numbers_of_the_host(asked: Asked, found: Diagnosis) -> Diagnosis | None:
    """Numbers as static arguments where a library on the host computes with them, and with nothing else."""
    call, left = asked.call, asked.result.left
    roots = frozenset().union(*left.roots) - call.declared
    if {site.operation for site in left.sites} != {"numpy"} or not all(left.roots):
        return None
    if not all(type(call.argument(name).value) in (int, float) for name in roots):
        return None
    static = asked.result.static | roots
    for name in sorted(roots):
        if trace_call(call, static - {name})[0] is None:
            static -= {name}
    if trace_call(call, static)[0] is not None or _otherwise(replace(asked, result=replace(asked.result, static=static))):
        return None
    reason = reasons.for_static(call, replace(asked.result, static=static, cured=True), asked.found)
    reason += reasons.for_numbers_of_the_host(bool(found.splits))
    kept = {"unverified": found.unverified, "splits": found.splits}
    return asked.verdict("static", static, verified=True, reason=reason, **kept)


def _left_behind(call: Call, static: frozenset[str]) -> Holder | None:
    """What holds a tracer after a trace with these static arguments; None where nothing does."""
    if not any(may_write(each.__code__) for each in reachable_functions(call)):
        return None

    @functools.wraps(call.fun)
    def again(*args: Any, **kwargs: Any) -> Any:  # one that JAX has not traced yet
        return call.fun(*args, **kwargs)

    left = Left(call)
    trace_call(replace(call, fun=again), static, then=left.look)
    return left.holder


def _written(asked: Asked) -> Diagnosis | str:
    """The function of the attributes, where the call writes to an object what it computes under jit; else why there is none."""
    call, result = asked.call, asked.result
    left = max(asked.deadline - clock(), 1.0)

    def find() -> Written | None:
        if not objects_given(call):
            return None
        from jupyter_jitmagic.diagnosis.objects.finding import written_outside

        return written_outside(call, result.static, result.cured, left, lambda inner: _of_another(inner, asked))

    try:
        found = limited(0.8 * options.advice_limit_s, find)
    except OutOfTime:
        return ""
    except Exception as error:
        faults.report("looking for a function of attributes", error)
        return ""
    if found is None:
        return ""
    if found.rewrite is None:
        return reasons.for_not_written(call, found.why_not)
    reason = reasons.for_written(call, found.rewrite)
    sites = asked.sites or tuple(filter(None, (leak_site(asked.error, call),))) or place_of(asked.error, call)
    notes = (found.note,) if found.note else ()
    return asked.verdict("rewrite", sites=sites, splits=(found.rewrite,), reason=reason, runs_plainly=True, notes=notes)


def _of_another(call: Call, asked: Asked, of_a_body: bool = False) -> Diagnosis:
    """The answer to another call, found in the time of the first."""
    begin = clock()
    error, _ = trace_call(call, frozenset(), options.advice_limit_s / 2)
    took = clock() - begin
    if error is None:
        return Diagnosis(call.name, "traces")
    found = find_call_sites(call, frozenset(), seconds=1.0)
    result = search(call, found, seconds=max(1.0, min(4 * took, options.advice_limit_s / 2)))
    deadline = max(asked.deadline, clock() + max(1.0, 6 * took))
    return answer(Asked(call, error, found, result, took, deadline, True, [], asked.of_a_body or of_a_body))


def _cured(asked: Asked) -> Diagnosis:
    """A static set makes it trace; other code comes first where static would serve this call alone, or cost too much."""
    call = asked.call
    if not asked.with_rewrites:
        return _static(asked)
    large = _many_equations(asked)
    if large is not None and large.rewrites:
        return large
    if (few := _few_rounds(asked)) is not None:
        return few
    another, said = choosing_otherwise(call, asked.result, asked.took), ""
    if another is not None:
        left = find_call_sites(another.call, asked.result.static, seconds=0.5)
        said = reasons.for_untraced_choice(another.words, left)
        asked.so_far.append(replace(asked.so_far[-1], reason=asked.so_far[-1].reason + said))
        if (chosen := _chosen_otherwise(asked, another, left)) is not None:
            return chosen
    return _changing(asked) or _static(asked, large.unverified if large is not None else (), said)


def _many_equations(asked: Asked) -> Diagnosis | None:
    """The static set makes a program that takes minutes to compile: its counts as data, whether or not that is proven; but for
    those of a list's elements."""
    call, result = asked.call, asked.result
    rows = zip(asked.found.sites, asked.found.roots, strict=True)
    listed = frozenset().union(*(roots for site, roots in rows if site.operation == "range" and builds_python(site)))
    counts = frozenset(name for name in result.static - call.declared - listed if type(call.argument(name).value) is int)
    if not _unbearable(asked) or not counts:
        return None
    return replace(as_data(asked, counts), reason=reasons.for_many_equations(result, counts))


def _few_rounds(asked: Asked) -> Diagnosis | None:
    """The static set counts the rounds of a loop over data."""
    few = counts_of_few_rounds(asked.call, asked.result)
    if not few:
        return None
    found = as_data(asked, few)
    if not found.rewrites:
        found = with_rewrite(asked, replace(asked.result, cured=False))
    return found if found.rewrites else None


def _chosen_otherwise(asked: Asked, another: OtherChoice, left: Found) -> Diagnosis | None:
    """Static for this call; with another value of an option the function needs a rewrite as well, at the sites `left` there."""
    found = with_rewrite(asked, replace(asked.result, cured=False, left=left))
    if not found.rewrites and type(asked.call.argument(another.name).value) in (int, float):  # here it may trace as it is
        found = as_data(asked, frozenset({another.name}))
    return replace(found, reason=reasons.for_another_choice(another.words, found.reason)) if found.rewrites else None


def _changing(asked: Asked) -> Diagnosis | None:
    """What would be static had another value in nearly every recorded call."""
    call, result = asked.call, asked.result
    changing = frozenset(name for name in result.static - call.declared if call.changes(name))
    found = as_data(asked, changing) if changing else None
    if found is None or not found.rewrites:
        return None
    left = find_call_sites(call, result.static - changing, seconds=0.5)
    return replace(found, reason=reasons.for_changing(call, changing, left))


def _static(asked: Asked, unsure: tuple[Rewrite, ...] = (), said: str = "") -> Diagnosis:
    """The static set alone, with rewrites beside it; `said`: of another value with which it does not suffice."""
    call, result = asked.call, asked.result
    beside, no_gradient = beside_static(asked)
    beside = beside or rolled_beside(asked)
    is_rolled = any(each.is_rolled for each in beside)
    left_out = options_left_out(call, result.static)
    options = left_out.static | left_out.in_place_of_none | left_out.asked_for
    otherwise = _otherwise(asked)
    alike = frozenset({otherwise.alike} if otherwise is not None and otherwise.alike and not otherwise.of_numbers else ())
    return asked.verdict(
        "static",
        result.static | alike,
        sites=asked.sites or place_of(asked.error, call),
        rewrites=beside,
        unverified=unsure,
        verified=not result.extrapolated and (otherwise is None or otherwise.of_numbers or bool(alike)),
        reason=reasons.for_static(call, result, asked.found, is_rolled=is_rolled)
        + (reasons.for_static_otherwise(call, result, otherwise.said) if otherwise is not None else "")
        + said
        + reasons.for_counters(call, result, beside)
        + reasons.for_lost_gradient(no_gradient)
        + reasons.for_options_to_hold(options, [each.name for each in call.arguments if each.value is None])
        + reasons.for_settings_left_out(settings_refused(call))
        + (f" In {call.name}, {asked_of_it}" if (asked_of_it := asked_of_the_moment(call.fun, call.args, call.kwargs)) else "")
        + "".join(f" {sentence}" for sentence in done_once(call, result.static)),
        equations=result.equations if is_rolled and result.equations > SOME_EQUATIONS else _unbearable(asked),
    )


def _otherwise(asked: Asked) -> Otherwise | None:
    """How the call gives something else than plain Python with the static set; None where it does not."""
    call, static = asked.call, asked.result.static
    if asked.result.extrapolated or asked_of_the_moment(call.fun, call.args, call.kwargs):
        return None
    error, traced = trace_call(call, static)
    return traced_otherwise(replace(call, declared=call.declared | static), traced) if error is None else None


def _unbearable(asked: Asked) -> int:
    """The equations of the program with the static set, where they are so many that compiling may take minutes; else 0."""
    return asked.result.equations if asked.result.equations > MANY_EQUATIONS else 0


def _is_other(asked: Asked) -> bool:
    """Whether the failure is no matter of static or traced values: no site, or plain Python fails on this call too."""
    call, left = asked.call, asked.result.left
    if not asked.found.proven:
        return plain_fails(call)
    if not any(site.operation not in ("call", "invalid argument", "in place") for site in left.sites):
        return True
    if any(site.operation == "in place" for site in left.sites):
        return plain_fails(call)
    if left.complete or asked.found.complete or left.error is None:
        return False
    return plain_fails(call)


def _refused_without_asking(asked: Asked) -> Diagnosis | None:
    """A static set for a call without sites that plain Python can do."""
    call, found = asked.call, asked.found
    if isinstance(asked.error, TimeoutError) or found.complete or not found.proven:
        return None
    blind = blind_search(call, found, min(1.0, max(asked.deadline - clock(), 0.1)))
    if not blind.cured or plain_fails(call):
        return None
    asked.so_far.append(asked.verdict("static", blind.static, verified=True, reason=reasons.for_static(call, blind, Found())))
    return _cured(replace(asked, found=Found(), result=blind))


def _other_failure(asked: Asked) -> Diagnosis:
    """What fails in plain Python, too, or what jit alone forbids: said as it is, with the rewrite where there is one."""
    call = asked.call
    plain = plain_error(call)
    other = _other_error(asked, plain)
    place = leak_site(other, call) or failing_site(other, call)
    in_place = tuple(site for site in asked.found.sites if site.operation == "in place")
    sites = one_for_each_line(in_place)
    if not sites or not place or sites[0].line != place.line:
        sites = (*_met_before(asked, place), *((place,) if place else ()))
    reason = other_failures.for_other_failure(call, other, plain or (None if readable(call) else asked.found.error))
    # what the user's code refuses needs no other code, unless plain Python passes the check
    own = place is not None and place.code.startswith("raise") and plain is not None
    leaked = isinstance(other, jax.errors.UnexpectedTracerError)  # what keeps a tracer may be known to no line
    wanted = asked.with_rewrites and not own
    needed = asked.result.static - call.declared
    if wanted:
        by_then = other_failures.without_static(reason) if needed else reason
        asked.so_far.append(asked.verdict("not_staticness", sites=sites, reason=by_then))
    body = _of_a_body(asked, plain) if wanted else None
    if body is not None and body.rewrites:
        return _by_its_body(asked, body, reason)
    static, outcome = _with_sizes_held(asked, sites if wanted else (), anyway=wanted and leaked)
    if wanted and body is None and not outcome.rewrites:
        body = _of_a_body(asked, plain, of_jax=True)
        if body is not None and body.rewrites:
            return _by_its_body(asked, body, reason)
    within = static_within(call, max(1.0, 4 * asked.took)) if wanted and not leaked and not outcome.rewrites else None
    if within is not None:
        reason = reasons.for_inner_jits(call, within)
        return asked.verdict("not_staticness", sites=sites, rewrites=(within,), verified=True, reason=reason)
    held = static - call.declared if outcome.rewrites else frozenset()
    if outcome.rewrites:
        reason = reason.replace(f" {other_failures.REWRITE_THAT_BODY}", "")
    if held:
        reason = other_failures.with_static(reason, call, held)
    elif any(each.static_argnames for each in outcome.rewrites[:1]):  # an option that the call leaves out
        reason = other_failures.without_static(reason)
    if body is not None and not (outcome.rewrites or outcome.unverified):
        facts = {"unverified": body.unverified, "notes": body.notes}
        return asked.verdict("not_staticness", sites=body.sites, reason=reason, **facts)
    split = _in_pieces(asked) if wanted and not (outcome.rewrites or outcome.unverified) else None
    if not (outcome.rewrites or outcome.unverified) and (also := _needed_beside(asked, outcome.why_not, split)):
        sites, reason = asked.sites, f"{other_failures.without_static(reason)} {also}"
    elif needed and not outcome.rewrites:
        reason = other_failures.with_static(reason, call, needed)
    return asked.verdict(
        "not_staticness",
        held,
        sites=sites,
        rewrites=outcome.rewrites,
        unverified=outcome.unverified,
        splits=(split,) if split is not None else (),
        verified=bool(outcome.rewrites),
        reason=reason,
    )


def _in_pieces(asked: Asked) -> Rewrite | None:
    """The function in pieces, where it sets elements of JAX's arrays in place beside what no rewrite cures."""
    in_place = frozenset((site.filename, site.line) for site in asked.found.sites if site.operation == "in place")
    return find_pieces(asked, asked.result.static, in_place)[0] if in_place else None


def _needed_beside(asked: Asked, why_not: str, split: Rewrite | None) -> str:
    """What else stands in the way where elements are set in place; "" where nothing does."""
    left = asked.result.left
    rows = [*zip(left.sites, left.observed, left.roots, left.numbers, strict=True)]
    others = [row for row in rows if row[0].operation not in ("in place", "call", "invalid argument")]
    if len(others) == len(rows) or not others:
        return ""
    sites, observed, roots, numbers = zip(*others, strict=True)
    found = replace(left, sites=sites, observed=observed, roots=roots, numbers=numbers)
    return reasons.for_rewrite(asked.call, asked.result, found, False, why_not, split)


def _with_sizes_held(asked: Asked, sites: tuple[Site, ...], *, anyway: bool) -> tuple[frozenset[str], Proposals]:
    """What other code was found beside a static set, and that set: where there is none, beside the numbers, too, that sizes are
    made of (`jnp.zeros(int(end / step))`), by jnp as well."""
    static = asked.result.static
    outcome = proposals(asked, sites, static, anyway=anyway)
    if not sites or outcome.rewrites or outcome.unverified:
        return static, outcome
    tried: list[frozenset[str]] = []
    for find in _MORE_HELD:
        held = static | find(asked)
        if held in tried:
            continue
        tried.append(held)
        again = proposals(asked, sites, held) if held > static else outcome
        if again.rewrites:
            return held, again
    return static, outcome


_MORE_HELD: tuple[Callable[[Asked], frozenset[str]], ...] = (
    lambda asked: sizes_through_jax(asked.call, asked.result.left),
    lambda asked: asked.result.wider,
    lambda asked: static_without(asked.call, max(1.0, 4 * asked.took)),  # the jit of a helper stopped the search
)


def _by_its_body(asked: Asked, body: Diagnosis, reason: str) -> Diagnosis:
    """The answer where what a library calls is cured."""
    facts = {"rewrites": body.rewrites, "notes": body.notes, "verified": True}
    reason = reason.replace(f" {other_failures.REWRITE_THAT_BODY}", "")
    return asked.verdict("not_staticness", sites=body.sites, reason=reason, **facts)


def _of_a_body(asked: Asked, plain: BaseException | None, *, of_jax: bool = False) -> Diagnosis | None:
    """The answer to what a library's loop calls of the user's, where the trace stopped in there, and so does plain Python."""
    refused = other_failures.CONCRETIZATIONS
    if asked.of_a_body or not isinstance(asked.error, refused) or not isinstance(plain, (*refused, type(None))):
        return None
    try:
        limit = 0.5 * options.advice_limit_s
        ask = functools.partial(_of_another, asked=asked, of_a_body=True)
        return limited(limit, lambda: cured_body(asked.call, asked.error, ask, of_jax=of_jax))
    except OutOfTime:
        return None
    except Exception as error:
        faults.report("looking into what a library's loop calls", error)
        return None


def _other_error(asked: Asked, plain: BaseException | None) -> BaseException:
    """The error that is the reason, where the trace's own may only be the first of several."""
    leaked = isinstance(asked.error, jax.errors.UnexpectedTracerError)
    met = None if leaked else plain or asked.result.left.error or asked.found.error  # a run for sites hands tracers to NumPy
    wider = asked.result.wider
    return met or (call_error(asked.call, wider) if wider and not leaked else None) or asked.error


def _met_before(asked: Asked, place: Site | None) -> tuple[Site, ...]:
    """The line at which JAX gave up, where plain Python gets further before it fails as well."""
    first = failing_site(asked.error, asked.call)
    if first is None or place is None or (first.filename, first.line) == (place.filename, place.line):
        return ()
    return tuple(site for site in asked.sites if (site.filename, site.line) == (first.filename, first.line))
