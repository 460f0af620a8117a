"""`diagnose`: from a call to its diagnosis."""

from __future__ import annotations

import functools
import inspect
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import thread_time as clock  # under load a thread waits: that is no work
from typing import TYPE_CHECKING, Any

import jax

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.jaxprs import MANY_EQUATIONS
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.base.own_work import own_work
from jupyter_jitmagic.diagnosis.call.calls import Call, innermost, readable
from jupyter_jitmagic.diagnosis.call.unwrapping import unwrapped
from jupyter_jitmagic.diagnosis.sites.buffers import deleted_array
from jupyter_jitmagic.diagnosis.sites.finding import clear_caches, failing_site, find_call_sites, one_for_each_line, refused_at
from jupyter_jitmagic.diagnosis.sites.leaks import leak_site
from jupyter_jitmagic.diagnosis.statics.numbers import may_be_data
from jupyter_jitmagic.diagnosis.statics.otherwise import choosing_otherwise, counts_of_few_rounds, plain_error, plain_fails
from jupyter_jitmagic.diagnosis.statics.search import (
    StaticSet,
    TraceTooLong,
    blind_search,
    call_error,
    counts_beside_data,
    search,
    sizes_through_jax,
    trace_call,
)
from jupyter_jitmagic.diagnosis.types import Diagnosis, Found, Kind, Rewrite, Site
from jupyter_jitmagic.diagnosis.words import other_failures, reasons
from jupyter_jitmagic.sandbox.own_caches import OwnCaches
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, Reach, limited, undoing

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites import Proposals


def diagnose(fun: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Diagnosis:
    """Why does this call of `fun` not trace under jit, and what cures it?

    `fun` may be plain or jitted (what its jit declares static is then part of the answer). The answer's static arguments were
    re-traced, its rewrites run and compared with the plain function. Never raises for a function that fails, and leaves nothing
    behind: what the function prints is swallowed, what it changes is put back, and where it is about to do what cannot be put
    back (write a file, start a process, advance an iterator) it goes no further, and the answer says so.

    Example:
        >>> def padded(x, n):
        ...     return jnp.zeros(n).at[: x.shape[0]].set(x)
        >>> jm.diagnose(padded, jnp.arange(3.0), 5).static_argnames
        ('n',)
    """
    seen = getattr(fun, "_values_seen", None)  # a function under jm.jit has a history
    return diagnose_call(fun, args, kwargs, seen=seen() if callable(seen) else {})


def diagnose_call(
    fun: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    seconds: float = 2.0,
    rewrites: bool = True,
    seen: Mapping[str, tuple[int, int]] | None = None,
    failed: BaseException | None = None,
) -> Diagnosis:
    """`diagnose` with its bounds: `seconds` for rewrites, `rewrites=False` to leave the source alone.

    `seen`: of recorded calls, by argument, how many different values in how many calls. `failed`: what the user's own call
    raised; it is what can be said where the function cannot be traced again without a trace of it.
    """
    started = time.perf_counter()
    call = Call(fun, args, kwargs)
    try:
        call = replace(unwrapped(fun, args, kwargs), seen=seen or {})
        names, numbers = _declared(call)

        caches = OwnCaches()
        own = replace(call, fun=caches.of(call.fun))

        so_far: list[Diagnosis] = []

        def work() -> Diagnosis:
            try:
                with undoing(Reach(own.fun, _handed_on(own), caches.made)):
                    return _diagnose(own, seconds, rewrites, so_far)
            except Effect as met:
                return _from_one_run(call, failed, str(met))

        with own_work():
            try:
                diagnosis = limited(float("inf"), work, wall=options.advice_limit_s)
            except OutOfTime:
                diagnosis = _out_of_time(call, failed, time.perf_counter() - started, so_far)
        diagnosis = replace(diagnosis, declared_argnames=names, declared_argnums=numbers)
        if call.library:
            diagnosis = _without(diagnosis, call.library)
    except Exception as error:
        faults.report("diagnosis", error)
        diagnosis = _unknown(call, error)
    finally:
        clear_caches()
    return replace(diagnosis, seconds=time.perf_counter() - started)


def _without(diagnosis: Diagnosis, names: frozenset[str]) -> Diagnosis:
    """The answer without arguments that the user has not declared static, but a library handles."""

    def other(given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in given if name not in names)

    def told(rewrites: tuple[Rewrite, ...]) -> tuple[Rewrite, ...]:
        return tuple(replace(each, static_argnames=other(each.static_argnames)) for each in rewrites)

    return replace(
        diagnosis,
        static_argnames=other(diagnosis.static_argnames),
        declared_argnames=other(diagnosis.declared_argnames),
        rewrites=told(diagnosis.rewrites),
        unverified=told(diagnosis.unverified),
    )


def _handed_on(call: Call) -> list[tuple[str, Any]]:
    """Objects that every run gets as they are and could change, by name: self, static arguments, leaves that are no arrays."""
    owner = getattr(innermost(call.fun), "__self__", None)
    static = [(argument.name, argument.value) for argument in call.arguments if argument.name in call.declared]
    leaves = [found for argument in call.arguments for found in argument.bad_leaves]
    return [("self", owner), *static, *leaves]


def _from_one_run(call: Call, failed: BaseException | None, effect: str) -> Diagnosis:
    """What the user's own run tells, where there must be no second one."""
    verdict = functools.partial(Diagnosis, call.name, "not_staticness", *_declared(call))
    if failed is None:
        return verdict(reason=reasons.for_effect(call, None, effect))
    error = f"{type(failed).__name__}: {failed}"
    if isinstance(failed, other_failures.CONCRETIZATIONS) or re.search(r"[Tt]racer|traced|concrete", str(failed)):
        site = refused_at(failed, call)
        return verdict((site,) if site else (), error=error, reason=reasons.for_effect(call, site, effect))
    sentence = other_failures.for_other_failure(call, failed, None)
    return verdict(_fallback(failed, call), error=error, reason=f"{sentence} Not traced again: {effect}.")


def _out_of_time(call: Call, failed: BaseException | None, waited: float, so_far: Sequence[Diagnosis] = ()) -> Diagnosis:
    """The answer of a search that was stopped: what it knew by then."""
    if so_far:
        reason = f"{so_far[-1].reason} {reasons.for_stopped_rewrites(waited)}"
        return replace(so_far[-1], reason=reason, stopped=True)
    error = "" if failed is None else f"{type(failed).__name__}: {failed}"
    site = None if failed is None else refused_at(failed, call)
    sites = (site,) if site else ()
    return Diagnosis(
        call.name,
        "not_staticness",
        *_declared(call),
        sites,
        error=error,
        reason=reasons.for_stopped(waited),
        stopped=True,
    )


def _diagnose(call: Call, seconds: float, with_rewrites: bool, so_far: list[Diagnosis]) -> Diagnosis:
    begin, started = clock(), time.perf_counter()
    if inspect.iscoroutinefunction(call.fun) or inspect.isasyncgenfunction(call.fun):
        return Diagnosis(call.name, "not_staticness", *_declared(call), reason=other_failures.ASYNC)
    error, traced = trace_call(call, frozenset(), options.advice_limit_s / 2)
    took = clock() - begin
    if error is None and (gone := deleted_array(call, traced)):
        reading = (gone.site,) if gone.site else ()
        return Diagnosis(call.name, "not_staticness", *_declared(call), reading, reason=other_failures.for_deleted(call, gone))
    if error is None:
        return Diagnosis(call.name, "traces", *_declared(call), verified=True, reason=reasons.for_traces(call))
    verdict = functools.partial(Diagnosis, call.name, error=f"{type(error).__name__}: {error}")
    unhashable = other_failures.for_unhashable_static(call)
    if unhashable:
        return verdict("not_staticness", *_declared(call), reason=unhashable)
    waited = time.perf_counter() - started
    if isinstance(error, TraceTooLong) or waited > 2 * options.advice_limit_s:
        return verdict("not_staticness", *_declared(call), reason=reasons.for_slow_trace(waited))
    found = _sites(call, error, max(1.0, min(3 * took, options.advice_limit_s / 2)))
    sites = one_for_each_line(found.sites)
    try:
        if found.effect:
            raise Effect(found.effect)
        return _concluded(call, seconds, with_rewrites, error, found, took, begin, so_far)
    except Effect as met:
        if not sites:
            return _from_one_run(call, error, str(met))
        reason = reasons.for_effect(call, sites[0], str(met))
        return verdict("not_staticness", *_declared(call), sites, reason=reason)


def _concluded(
    call: Call,
    seconds: float,
    with_rewrites: bool,
    error: BaseException,
    found: Found,
    took: float,
    begin: float,
    so_far: list[Diagnosis],
) -> Diagnosis:
    """The answer, from the trace's error and what the run over the function found. `so_far` gets what is known of it before
    other code is looked for."""
    verdict = functools.partial(Diagnosis, call.name, error=f"{type(error).__name__}: {error}")
    sites = one_for_each_line(found.sites)
    result = search(call, found, seconds=max(1.0, min(4 * took, options.advice_limit_s - 2 * took)))
    deadline = max(begin + seconds, clock() + seconds / 4)
    if result.refused:
        return verdict("not_staticness", sites=sites, reason=other_failures.for_refused(call, result.refused))
    if not result.cured and took > _SLOW and (result.bounded or _ended_early(found, error, call)):
        return verdict("not_staticness", *_declared(call), sites, reason=reasons.for_slow_search(result, took))
    names, numbers = _names(call, result.static)
    known = functools.partial(verdict, static_argnames=names, static_argnums=numbers, sites=sites)
    if result.cured:
        so_far.append(known("static", verified=True, reason=reasons.for_static(call, result, found)))
        changing = frozenset(name for name in result.static - call.declared if call.changes(name))
        unbearable = result.equations > MANY_EQUATIONS
        unsure: tuple[Rewrite, ...] = ()
        if unbearable and with_rewrites:
            counts = frozenset(name for name in result.static - call.declared if type(call.argument(name).value) is int)
            answer = _as_data(call, verdict, sites, result, counts, deadline) if counts else None
            if answer is not None and answer.rewrites:
                return replace(answer, reason=reasons.for_many_equations(call, result, counts))
            unsure = answer.unverified if answer is not None else ()
        if with_rewrites and (few := counts_of_few_rounds(call, result)):
            answer = _as_data(call, verdict, sites, result, few, deadline)
            if not answer.rewrites:
                answer = _rewritten(call, verdict, sites, replace(result, cured=False), deadline, True)
            if answer.rewrites:
                return answer
        if with_rewrites and (another := choosing_otherwise(call, result)):
            left = find_call_sites(another.call, result.static, seconds=0.5)
            answer = _rewritten(call, verdict, sites, replace(result, cured=False, left=left), deadline, True)
            if answer.rewrites:
                return replace(answer, reason=reasons.for_another_choice(another.words, answer.reason))
        if changing and with_rewrites:
            answer = _as_data(call, verdict, sites, result, changing, deadline)
            if answer.rewrites:
                left = find_call_sites(call, result.static - changing, seconds=0.5)
                return replace(answer, reason=reasons.for_changing(call, changing, left))
        reason = reasons.for_static(call, result, found)
        others = _alternatives(call, result, found, deadline) if with_rewrites else ()
        return verdict(
            "static",
            names,
            numbers,
            sites or _fallback(error, call),
            others,
            unsure,
            verified=True,
            reason=reason,
            equations=result.equations if unbearable else 0,
        )
    if _is_other(call, found, result):
        blind = _refused_without_asking(call, found, error, deadline)
        if blind is not None:
            names, numbers = _names(call, blind.static)
            reason = reasons.for_static(call, blind, Found())
            return verdict("static", names, numbers, _fallback(error, call), verified=True, reason=reason)
        plain = plain_error(call)
        other = _other_error(call, error, found, result, plain)
        place = leak_site(other, call) or failing_site(other, call)
        in_place = tuple(site for site in sites if site.operation == "in place")
        if not in_place or not place or in_place[0].line != place.line:
            sites = (*_met_before(place, sites, error, call), *((place,) if place else ()))
        else:
            sites = in_place
        names, numbers = _declared(call)
        reason = other_failures.for_other_failure(call, other, plain or (None if readable(call) else found.error))
        # what the user's code refuses needs no other code, unless plain Python passes the check
        own = place is not None and place.code.startswith("raise") and plain is not None
        rewritable = with_rewrites and not own
        proposed, unverified = _propose(call, sites if rewritable else (), result.static, deadline)
        return verdict(
            "not_staticness", names, numbers, sites, tuple(proposed), tuple(unverified), verified=bool(proposed), reason=reason
        )
    kind: Kind = "static+rewrite" if result.static else "rewrite"
    so_far.append(known(kind, reason=reasons.for_rewrite(call, result, result.left, True)))
    return _rewritten(call, verdict, sites, result, deadline, with_rewrites, with_split=with_rewrites)


_Verdict = Callable[..., Diagnosis]
_SLOW = 0.2  # seconds of a trace from which on time may be why something is not known


def _ended_early(found: Found, error: BaseException, call: Call) -> bool:
    """Whether the run was stopped before it came to the line at which JAX gave up."""
    if found.complete or found.error is not None or not found.proven:
        return False
    place = failing_site(error, call)
    return place is not None and (place.filename, place.line) not in {(site.filename, site.line) for site in found.sites}


def _as_data(
    call: Call, verdict: _Verdict, sites: tuple[Site, ...], cured: StaticSet, changing: frozenset[str], deadline: float
) -> Diagnosis:
    """The answer with a rewrite that takes these arguments as data, where static arguments would do as well, but better not."""
    kept = cured.static - changing
    left = find_call_sites(call, kept, seconds=0.5)
    return _rewritten(call, verdict, sites, replace(cured, static=kept, cured=False, wider=kept, left=left), deadline, True)


def _met_before(place: Site | None, sites: tuple[Site, ...], error: BaseException, call: Call) -> tuple[Site, ...]:
    """The line at which JAX gave up, where plain Python gets further before it fails as well."""
    first = failing_site(error, call)
    if first is None or place is None or (first.filename, first.line) == (place.filename, place.line):
        return ()
    return tuple(site for site in sites if (site.filename, site.line) == (first.filename, first.line))


def _alternatives(call: Call, result: StaticSet, found: Found, deadline: float) -> tuple[Rewrite, ...]:
    """Rewrites beside a proven static set, where its arguments may well be data that changes from call to call."""
    if not may_be_data(call, result, found):
        return ()
    return _propose(call, found.sites, frozenset(), min(deadline, clock() + 0.6)).rewrites


def _rewritten(
    call: Call,
    verdict: _Verdict,
    sites: tuple[Site, ...],
    result: StaticSet,
    deadline: float,
    with_rewrites: bool,
    with_split: bool = False,
) -> Diagnosis:
    proposed: list[Rewrite] = []
    unverified: list[Rewrite] = []
    partial: tuple[Rewrite, ...] = ()
    static, why_not = result.static, ""
    if with_rewrites:
        sizes = sizes_through_jax(call, result.left)
        counts = result.static | counts_beside_data(call, result.left)
        for candidate in dict.fromkeys((result.static | sizes, result.static, result.wider, counts)):
            left = result.left if candidate == result.static else find_call_sites(call, candidate, seconds=0.5)
            outcome = _propose(call, left.sites, candidate, deadline)
            proposed = list(outcome.rewrites)
            unverified += outcome.unverified
            partial = partial or outcome.partial
            why_not = why_not or outcome.why_not
            if proposed:
                static = candidate
                result = replace(result, static=static, left=left)
                break
    if not proposed and any(site.operation in ("slice", "shape") for site in result.left.sites):
        static = result.wider
    kind: Kind = "static+rewrite" if static else "rewrite"
    names, numbers = _names(call, static)
    split, runs = _split(call, static, deadline) if with_split and not proposed else (None, False)
    reason = reasons.for_rewrite(call, result, result.left, bool(proposed), "" if unverified else why_not, split)
    return verdict(
        kind,
        names,
        numbers,
        sites,
        tuple(proposed),
        tuple(unverified),
        (split,) if split else (),
        partial=() if proposed or unverified or split else partial,
        runs_plainly=runs,
        verified=bool(proposed),
        reason=reason,
    )


def _split(call: Call, static: frozenset[str], deadline: float) -> tuple[Rewrite | None, bool]:
    """The function in pieces, where nothing else cures it; and whether plain Python runs the call."""
    from jupyter_jitmagic.diagnosis.splits import find_split

    left = max(deadline - clock(), 1.0)
    try:
        found = limited(3 * left + 1.0, lambda: find_split(call, static, left))
        return found.rewrite, found.runs
    except OutOfTime:
        pass  # not known then
    except Exception as error:
        faults.report("looking for a split", error)
    return None, False


def _is_other(call: Call, found: Found, result: StaticSet) -> bool:
    """Whether the failure is no matter of static or traced values: no site, or plain Python fails on this call too."""
    if not found.proven:
        return plain_fails(call)
    if not any(site.operation not in ("call", "invalid argument", "in place") for site in result.left.sites):
        return True
    if any(site.operation == "in place" for site in result.left.sites):
        return plain_fails(call)
    if result.left.complete or found.complete:
        return False
    if result.left.error is None:
        return False
    return plain_fails(call)


def _other_error(
    call: Call, error: BaseException, found: Found, result: StaticSet, plain: BaseException | None
) -> BaseException:
    """The error that is the reason, where the trace's own may only be the first of several."""
    leaked = isinstance(error, jax.errors.UnexpectedTracerError)
    met = None if leaked else result.left.error or found.error or plain
    return met or (call_error(call, result.wider) if result.wider and not leaked else None) or error


def _sites(call: Call, error: BaseException, seconds: float) -> Found:
    """All sites by running the function; the one that JAX's error names where that cannot be, or came to none in its time."""
    found = find_call_sites(call, frozenset(), seconds=seconds)
    if found.proven and (found.sites or found.effect or not _ended_early(found, error, call)):
        return found
    place = refused_at(error, call)
    sites = (replace(place, proven=False),) if place else ()
    return Found(sites, ((),) * len(sites), (frozenset(),) * len(sites), (False,) * len(sites), proven=False)


def _refused_without_asking(call: Call, found: Found, error: BaseException, deadline: float) -> StaticSet | None:
    """A static set for a call without sites that plain Python can do."""
    if isinstance(error, (NameError, TimeoutError)) or found.complete or not found.proven:
        return None
    blind = blind_search(call, found, min(1.0, max(deadline - clock(), 0.1)))
    return blind if blind.cured and not plain_fails(call) else None


def _propose(call: Call, sites: tuple[Site, ...], static: frozenset[str], deadline: float) -> Proposals:
    """What was found of rewrites with these static arguments."""
    from jupyter_jitmagic.diagnosis.rewrites import ARRAYS_ALONE, Proposals, propose

    if not sites:
        return Proposals()
    left = max(deadline - clock(), 0.2)
    names, run = (*sorted(static | call.declared), *((ARRAYS_ALONE,) if call.keeps_options else ())), readable(call)
    try:
        return limited(3 * left + 1.0, lambda: propose(call.fun, call.args, call.kwargs, sites, names, seconds=left, run=run))
    except OutOfTime:
        return Proposals()
    except Exception as error:
        faults.report("looking for rewrites", error)
        return Proposals()


def _names(call: Call, static: frozenset[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    options = call.jit_options([*sorted(call.declared - static), *sorted(static)])
    order = [argument.name for argument in call.arguments]
    names = sorted(options.get("static_argnames", ()), key=lambda name: order.index(name) if name in order else len(order))
    return tuple(names), tuple(options.get("static_argnums", ()))


def _declared(call: Call) -> tuple[tuple[str, ...], tuple[int, ...]]:
    return _names(call, frozenset())


def _fallback(error: BaseException, call: Call) -> tuple[Site, ...]:
    site = failing_site(error, call)
    return (site,) if site else ()


def _unknown(call: Call, error: BaseException) -> Diagnosis:
    return Diagnosis(
        call.name, "not_staticness", reason="Unknown: the diagnosis itself failed (jupyter_jitmagic.faults.details())."
    )
