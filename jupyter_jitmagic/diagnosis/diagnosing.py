"""`diagnose`: from a call to its diagnosis."""

from __future__ import annotations

import functools
import inspect
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from time import thread_time as clock  # under load a thread waits: that is no work
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.jax_internals import escaped_tracer_error, keep_trace
from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.base.own_work import own_work
from jupyter_jitmagic.diagnosis.answering import Asked, answer, leaving
from jupyter_jitmagic.diagnosis.call.calls import Call, bind, innermost
from jupyter_jitmagic.diagnosis.call.left_globals import before_the_failed_trace
from jupyter_jitmagic.diagnosis.call.stand_ins import with_values
from jupyter_jitmagic.diagnosis.call.unwrapping import unwrapped
from jupyter_jitmagic.diagnosis.objects.given import STALE, before_the_trace
from jupyter_jitmagic.diagnosis.proof.moment import asked_of_the_moment
from jupyter_jitmagic.diagnosis.sites.buffers import deleted_array
from jupyter_jitmagic.diagnosis.sites.finding import (
    clear_caches,
    ended_early,
    find_call_sites,
    one_for_each_line,
    place_of,
    refused_at,
)
from jupyter_jitmagic.diagnosis.sites.leaks import Left
from jupyter_jitmagic.diagnosis.statics.declared_arrays import declared_arrays, with_them_traced
from jupyter_jitmagic.diagnosis.statics.search import StaticSet, TraceTooLong, search, trace_call
from jupyter_jitmagic.diagnosis.traced_otherwise import traced_otherwise
from jupyter_jitmagic.diagnosis.types import Diagnosis, Found, Rewrite
from jupyter_jitmagic.diagnosis.words import other_failures, reasons
from jupyter_jitmagic.diagnosis.words.foreign import for_foreign
from jupyter_jitmagic.sandbox.collecting import seldom_collected
from jupyter_jitmagic.sandbox.lapack import silent_lapack
from jupyter_jitmagic.sandbox.own_caches import OwnCaches
from jupyter_jitmagic.sandbox.recursing import not_deeper, recursion_limit_put_back
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, Reach, limited, undoing
from jupyter_jitmagic.sandbox.streams import kept_up
from jupyter_jitmagic.sandbox.unchecked import unchecked

_TRACES = 6  # of a large function, at least, for which there is time when other code is looked for
_RUNS = 5  # likewise plain runs of a slow one
_SEARCH_S, _SEARCH = 2.0, 2 / 5  # for other code at least, and as a share of the time for an answer


def diagnose(fun: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Diagnosis:
    """Why does this call of `fun` not trace under jit, and what cures it?

    The answer's static arguments were re-traced, its rewrites run and compared with the plain function. Never raises for a
    function that fails, and leaves nothing behind: what the function prints is swallowed, what it changes is put back, and
    where it is about to do what cannot be put back (write a file, start a process, advance an iterator) it goes no further, and
    the answer says so. It ends within ``jm.options.advice_limit_s`` seconds.

    Args:
        fun: plain or jitted; what its jit declares static is then part of the answer.
        args, kwargs: the arguments of the call that fails.

    Returns:
        The answer, which `print` shows as text; `.kind` says of which sort it is.

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
    seconds: float | None = None,
    rewrites: bool = True,
    seen: Mapping[str, tuple[int, int]] | None = None,
    failed: BaseException | None = None,
) -> Diagnosis:
    """`diagnose` with its bounds: `seconds` for rewrites (None: a share of the time for an answer), `rewrites=False` to leave
    the source alone.

    `seen`: of recorded calls, by argument, how many different values in how many calls. `failed`: what the user's own call
    raised; it is what can be said where the function cannot be traced again without a trace of it.
    """
    started = time.perf_counter()
    if seconds is None:  # an answer that ends with its time says that raising the limit helps
        seconds = max(_SEARCH_S, _SEARCH * options.advice_limit_s)
    call, note, stale = Call(fun, args, kwargs), "", ""
    putting_back = ExitStack()
    try:
        args, kwargs, note = with_values(args, kwargs)
        call = replace(unwrapped(fun, args, kwargs), seen=seen or {})
        names, numbers = call.static_names()
        of_a_failed_trace = failed is not None and not isinstance(failed, jax.errors.UnexpectedTracerError)
        left = putting_back.enter_context(before_the_failed_trace(call)) if of_a_failed_trace else ""

        caches = OwnCaches()
        own = replace(call, fun=caches.of(call.fun))
        if of_a_failed_trace:
            earlier = before_the_trace(own)  # what the trace that failed wrote first is not why it failed
            own, stale = earlier or own, STALE if earlier is not None else ""

        so_far: list[Diagnosis] = []

        def work() -> Diagnosis:
            try:
                # numbers that overflow where they are varied are nothing to be warned of
                with np.errstate(all="ignore"), undoing(Reach(own.fun, _handed_on(own), caches.made)):
                    return _diagnose(own, seconds, rewrites, so_far)
            except Effect as met:
                return _from_one_run(call, failed, str(met))

        foreign = for_foreign(call)
        if foreign:  # what it holds may be nothing that a run could be undone with
            error = "" if failed is None else f"{type(failed).__name__}: {failed}"
            return Diagnosis(call.name, "not_staticness", names, numbers, error=error, reason=foreign, jit=call.jit)
        with own_work(), keep_trace(), kept_up(), seldom_collected(), recursion_limit_put_back(), unchecked(), silent_lapack():
            try:
                diagnosis = limited(float("inf"), work, wall=options.advice_limit_s)
            except OutOfTime:
                diagnosis = _out_of_time(call, failed, time.perf_counter() - started, so_far)
        diagnosis = replace(diagnosis, declared_argnames=names, declared_argnums=numbers, jit=call.jit)
        if call.library:
            diagnosis = _without(diagnosis, call.library)
        if more := tuple(each for each in (note, stale, left) if each and each not in diagnosis.notes):
            diagnosis = replace(diagnosis, notes=(*diagnosis.notes, *more))
    except Exception as error:
        diagnosis = _failed(call, error)
    finally:
        putting_back.close()
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
    owner = attribute(innermost(call.fun), "__self__", None)
    static = [(argument.name, argument.value) for argument in call.arguments if argument.name in call.declared]
    leaves = [found for argument in call.arguments for found in argument.bad_leaves]
    return [("self", owner), *static, *leaves]


def _from_one_run(call: Call, failed: BaseException | None, effect: str) -> Diagnosis:
    """What the user's own run tells, where there must be no second one."""
    verdict = functools.partial(Diagnosis, call.name, "not_staticness", *call.static_names())
    if failed is None:
        return verdict(reason=reasons.for_effect(call, None, effect))
    error = f"{type(failed).__name__}: {failed}"
    if isinstance(failed, other_failures.CONCRETIZATIONS) or re.search(r"[Tt]racer|traced|concrete", str(failed)):
        site = refused_at(failed, call)
        return verdict((site,) if site else (), error=error, reason=reasons.for_effect(call, site, effect))
    sentence = other_failures.for_other_failure(call, failed, None)
    return verdict(place_of(failed, call), error=error, reason=f"{sentence} Not traced again: {effect}.")


def _out_of_time(call: Call, failed: BaseException | None, waited: float, so_far: Sequence[Diagnosis] = ()) -> Diagnosis:
    """The answer of a search that was stopped: what it knew by then."""
    if so_far and so_far[-1].rewrites:
        return so_far[-1]
    if so_far:
        reason = f"{so_far[-1].reason} {reasons.for_stopped_rewrites(waited)}"
        return replace(so_far[-1], reason=reason, stopped=True)
    error = "" if failed is None else f"{type(failed).__name__}: {failed}"
    site = None if failed is None else refused_at(failed, call)
    sites = (site,) if site else ()
    return Diagnosis(
        call.name,
        "not_staticness",
        *call.static_names(),
        sites,
        error=error,
        reason=reasons.for_stopped(waited),
        stopped=True,
    )


def _diagnose(call: Call, seconds: float, with_rewrites: bool, so_far: list[Diagnosis]) -> Diagnosis:
    begin, started = clock(), time.perf_counter()
    if inspect.iscoroutinefunction(call.fun) or inspect.isasyncgenfunction(call.fun):
        return Diagnosis(call.name, "not_staticness", *call.static_names(), reason=other_failures.ASYNC)
    left = Left(call)
    error, traced = trace_call(call, frozenset(), options.advice_limit_s / 2, then=left.look)
    took = clock() - begin
    if error is None and (gone := deleted_array(call, traced)):
        reading = (gone.site,) if gone.site else ()
        return Diagnosis(
            call.name, "not_staticness", *call.static_names(), reading, reason=other_failures.for_deleted(call, gone)
        )
    if error is None and left.holder is not None and (escaped := escaped_tracer_error(left.tracer)):
        deadline = begin + max(seconds, min(_TRACES * took, options.advice_limit_s / 3))
        unfailing = StaticSet(frozenset(), cured=True)
        not_deeper()
        return leaving(Asked(call, escaped, Found(), unfailing, took, deadline, with_rewrites, so_far), left.holder)
    if error is None:
        otherwise = traced_otherwise(call, traced)
        said = asked_of_the_moment(call.fun, call.args, call.kwargs) or (otherwise.said if otherwise is not None else "")
        return Diagnosis(call.name, "traces", *call.static_names(), verified=True, reason=reasons.for_traces(call, said))
    verdict = functools.partial(Diagnosis, call.name, error=f"{type(error).__name__}: {error}")
    if arrays := declared_arrays(call):
        traced_ones = with_them_traced(call, arrays, lambda inner: _diagnose(inner, seconds, False, []))
        return replace(traced_ones, error=f"{type(error).__name__}: {error}")
    unhashable = other_failures.for_unhashable_function(call) or other_failures.for_unhashable_static(call)
    if unhashable:
        return verdict("not_staticness", *call.static_names(), reason=unhashable)
    waited = time.perf_counter() - started
    if isinstance(error, TraceTooLong) or waited > 2 * options.advice_limit_s:
        return verdict("not_staticness", *call.static_names(), reason=reasons.for_slow_trace(waited))
    run_begin = clock()
    found = _sites(call, error, max(1.0, min(3 * took, options.advice_limit_s / 2)))
    ran = clock() - run_begin
    needed = max(_TRACES * took, _RUNS * ran)
    sites = one_for_each_line(found.sites)
    try:
        if found.effect:
            raise Effect(found.effect)
        result = search(call, found, seconds=max(1.0, min(4 * took, options.advice_limit_s - 2 * took)))
        deadline = max(begin + seconds, clock() + max(seconds / 4, min(needed, options.advice_limit_s / 3)))
        not_deeper()  # up to here all ran with the call's own values, as in the user's own call
        return answer(Asked(call, error, found, result, took, deadline, with_rewrites, so_far, ran=ran))
    except Effect as met:
        if not sites:
            return _from_one_run(call, error, str(met))
        reason = reasons.for_effect(call, sites[0], str(met))
        return verdict("not_staticness", *call.static_names(), sites, reason=reason)


def _sites(call: Call, error: BaseException, seconds: float) -> Found:
    """All sites by running the function; the one that JAX's error names where that cannot be, or came to none in its time."""
    found = find_call_sites(call, frozenset(), seconds=seconds)
    if found.proven and (found.sites or found.effect or not ended_early(found, error, call)):
        return found
    place = refused_at(error, call)
    sites = (replace(place, proven=False),) if place else ()
    return Found(sites, ((),) * len(sites), (frozenset(),) * len(sites), (False,) * len(sites), proven=False)


def _refused_by_jax(call: Call, error: BaseException) -> Diagnosis | None:
    """What is said of arguments that JAX cannot take apart, and so nobody can."""
    reason = other_failures.for_keys_without_order(call if call.arguments else bind(call.fun, call.args, call.kwargs))
    if reason is None:
        return None
    return Diagnosis(call.name, "not_staticness", error=f"{type(error).__name__}: {error}", reason=reason)


def _failed(call: Call, error: BaseException) -> Diagnosis:
    """The answer where looking for one failed: what JAX cannot take apart, or that it is unknown. It raises nothing."""
    try:
        refused = _refused_by_jax(call, error)
    except Exception as second:  # what is asked of the arguments may be code of the user's
        faults.report("saying what JAX refuses", second)
        refused = None
    return refused or _unknown(call, error)


def _unknown(call: Call, error: BaseException) -> Diagnosis:
    faults.report("diagnosis", error)
    return Diagnosis(
        call.name, "not_staticness", reason="Unknown: the diagnosis itself failed (jupyter_jitmagic.faults.details())."
    )
