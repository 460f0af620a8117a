"""`jm.jit` and what other rooms ask about its functions: the failed call in a traceback, an entry's programs and sizes."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, ParamSpec, TypeVar, overload

from jax import jit as jax_jit

from jupyter_jitmagic.base import jax_frames
from jupyter_jitmagic.base.errors import OptionError, faults
from jupyter_jitmagic.base.looking import attribute, has, in_class
from jupyter_jitmagic.base.options import TIMING, OnMiss, Timing, options
from jupyter_jitmagic.base.own_work import is_own_work
from jupyter_jitmagic.recording.api import keeping
from jupyter_jitmagic.recording.api.break_even import break_even as break_even
from jupyter_jitmagic.recording.api.comparing import entry_difference as entry_difference
from jupyter_jitmagic.recording.api.jit_function import JitFunction, wrap
from jupyter_jitmagic.recording.api.programs import entry_detail as entry_detail
from jupyter_jitmagic.recording.calls import functions
from jupyter_jitmagic.recording.compiles.budgets import check_budget
from jupyter_jitmagic.recording.guards.failed_calls import FailedCall as FailedCall
from jupyter_jitmagic.recording.hot_path import is_call
from jupyter_jitmagic.usercode.origin import unwrapped
from jupyter_jitmagic.usercode.ownership import is_library

P = ParamSpec("P")
R = TypeVar("R")
_OMITTED: Any = object()


@overload
def jit(
    fun: Callable[P, R],
    /,
    *,
    timing: Timing | None = None,
    on_miss: OnMiss | None = None,
    max_compiles: int | None = None,
    auto: bool = False,
    check: bool = False,
    keep: bool = False,
    **jit_arguments: Any,
) -> JitFunction[P, R]: ...
@overload
def jit(
    *,
    timing: Timing | None = None,
    on_miss: OnMiss | None = None,
    max_compiles: int | None = None,
    auto: bool = False,
    check: bool = False,
    keep: bool = False,
    **jit_arguments: Any,
) -> Callable[[Callable[P, R]], JitFunction[P, R]]: ...
def jit(
    fun: Any = _OMITTED,
    /,
    *,
    timing: Timing | None = None,
    on_miss: OnMiss | None = None,
    max_compiles: int | None = None,
    auto: bool = False,
    check: bool = False,
    keep: bool = False,
    **jit_arguments: Any,
) -> Any:
    """``jax.jit`` with a record of every call.

    Takes every argument of ``jax.jit`` with the same meaning, also as a decorator with or without arguments, and returns a
    function that behaves as ``jax.jit``'s does: results, errors, transformations, threads, pickling, caches.

    Args:
        fun: the function to compile.
        timing: how executions are timed: "observe" (never blocks the caller), "block" (waits for each result) or "dispatch"
            (not at all). By default what ``jm.options.timing`` says at each call.
        on_miss: what happens from the (`max_compiles` + 1)th compile on: "allow", "warn" (tell why), "raise" (a
            `RecompileError` that says why, before the compile is paid) or "eager" (run the plain function in its place). By
            default "raise" if `max_compiles` is given, else "allow".
        max_compiles: compiles that are always allowed, by default 1: a first call is never refused.
        check: on the first call of each entry run plain Python as well, for at most ``jm.options.check_limit_s``, and warn
            (`CheckWarning`) if it computes something else, prints, or changes something outside the function.
        auto: on a failing trace find the smallest set of arguments that makes it trace when static, apply it, say so once, and
            go on with the call. Where no such set is proven the error stays as it is.
        keep: if this definition ran before and means the same (code, defaults, options, and everything that its traces read
            from outside), go on with what was compiled then. Where that cannot be known, compile.

    Raises:
        OptionError: an option that does not exist or a value that it cannot have.
        RecompileError: at a call that would compile once too often, with ``on_miss="raise"``.

    Example:
        >>> @jm.jit(static_argnames="n")
        ... def first(x, n):
        ...     return x[:n]
        >>> first(jnp.arange(4), n=2)
        Array([0, 1], dtype=int32)
        >>> jm.stats("calls").outcome.tolist()
        ['miss']
    """
    _check(timing)
    check_budget(on_miss, max_compiles)
    if fun is _OMITTED:
        if not jit_arguments.keys() <= _SIGNATURE.parameters.keys():
            jax_jit(_check, **jit_arguments)  # raises what JAX says of an argument that it does not know
        return functools.partial(
            jit,
            timing=timing,
            on_miss=on_miss,
            max_compiles=max_compiles,
            auto=auto,
            check=check,
            keep=keep,
            **jit_arguments,
        )
    traces = None
    traced = fun
    if keep and not (options.off or is_own_work()):
        traced, traces = keeping.to_follow(fun)
    if _WARNED.isdisjoint(jit_arguments):
        jitted = jax_jit(traced, **jit_arguments)  # here, so that what JAX refuses has one frame of ours above it
    else:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            jitted = jax_jit(traced, **jit_arguments)
        for warning in warned:  # at the line that called us, as else Python would not show them
            warnings.warn(warning.message, stacklevel=2)
    if options.off or is_own_work():
        return jitted
    own: dict[str, Any] = {"timing": timing, "on_miss": on_miss, "max_compiles": max_compiles, "auto": auto, "check": check}
    if not keep:
        return wrap(fun, jit_arguments, jitted, **own)
    given = {**jit_arguments, **own}
    earlier, why_not = keeping.earlier(fun, given)
    if earlier is not None:
        return earlier
    made = wrap(fun, jit_arguments, jitted, traces=traces, not_kept=why_not, **own)
    with faults.stop("keeping a definition"):
        keeping.keep(made, given)
    return made


_WARNED = frozenset(("backend", "device"))
"""Arguments of which JAX says, at the line that calls `jax.jit`, that they are deprecated."""


def _signature() -> inspect.Signature:
    """That of this JAX's own `jit` with our arguments among the keywords: what ``?`` and Tab show."""
    theirs, ours = inspect.signature(jax_jit), inspect.signature(jit)
    known = theirs.parameters
    own = [found for name, found in ours.parameters.items() if found.kind is found.KEYWORD_ONLY and name not in known]
    open_ended = [found for found in known.values() if found.kind is found.VAR_KEYWORD]
    return ours.replace(parameters=[*(found for found in known.values() if found not in open_ended), *own, *open_ended])


_SIGNATURE = _signature()
jit.__signature__ = _SIGNATURE  # type: ignore[attr-defined]


def _check(timing: str | None) -> None:
    if timing is not None and timing not in TIMING:
        raise OptionError(f"timing={timing!r}: choose one of {', '.join(TIMING)}")


def failed_call(traceback: TracebackType | None) -> FailedCall | None:
    """The outermost jitted call in an exception's traceback, ours or plain ``jax.jit``'s, of a function of the user's where
    there is one: a library's own jit may be all there is; None if there is none.

    Example:
        >>> try:
        ...     f(x)
        ... except Exception as error:
        ...     failed_call(error.__traceback__).fun.__name__
        'f'
    """
    calls = list(_failed_calls(traceback))
    return next((each for each in calls if not _is_librarys(each.fun)), calls[0] if calls else None)


def _failed_calls(traceback: TracebackType | None) -> Iterator[FailedCall]:
    """The jitted calls in a traceback, outermost first."""
    while traceback is not None:
        frame = traceback.tb_frame
        if _is_other_jit(frame):
            seen = frame.f_locals
            yield FailedCall(seen["self"], seen["args"], seen["kwargs"], {})
        elif is_call(frame.f_code):
            seen = frame.f_locals
            state = seen["state"]
            yield FailedCall(state.facts.fun, seen["args"], seen["kwargs"], dict(state.facts.jit_arguments), state.function)
        elif (plain := jax_frames.failed_plain_call(frame)) is not None:
            given = {name: value for name, value in plain.options._asdict().items() if value}
            yield FailedCall(plain.fun, plain.args, plain.kwargs, given)
        traceback = traceback.tb_next


def _is_librarys(fun: Any) -> bool:
    code = attribute(unwrapped(fun), "__code__")
    return code is not None and is_library(code.co_filename)


def _is_other_jit(frame: FrameType) -> bool:
    """Whether this is the call of another library's jitted function (equinox, nnx), which behaves as ``jax.jit``'s does."""
    if frame.f_code.co_name != "__call__" or jax_frames.is_jax_frame(frame.f_code.co_filename):
        return False
    seen = frame.f_locals
    own = seen.get("self")
    like_jit = all(in_class(own, name) is not None for name in ("lower", "__call__")) and has(own, "__wrapped__")
    return like_jit and isinstance(seen.get("args"), tuple) and isinstance(seen.get("kwargs"), dict)


def clear_cache(function: int) -> bool:
    """Empty the caches of the function with this number, as its `clear_cache` does; False if it is not alive."""
    state = functions.state_of(function)
    if state is None:
        return False
    state.facts.jitted.clear_cache()
    state.cleared()
    return True
