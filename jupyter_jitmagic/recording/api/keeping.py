"""``jm.jit(keep=True)``: a definition that ran again and means the same goes on with what was compiled.

JAX's caches go by the function object, so a cell that is run again compiles everything again. With `keep` the earlier function
stands in for the new one if their code, defaults and options are the same, and if everything that the earlier traces read from
outside has the same value now, and still has it when each of them is used again: a new function would read it only then.
Wherever one of this cannot be known for sure, the new function compiles as always, and the cause of its miss says why.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.values import Looks
from jupyter_jitmagic.recording.guards.traces import Snapshot, Traces, followed

if TYPE_CHECKING:
    from jupyter_jitmagic.recording.api.jit_function import JitFunction
    from jupyter_jitmagic.recording.calls.function_state import FunctionState
    from jupyter_jitmagic.recording.causes.signatures import Signature

_KEPT_LIMIT = 500

_kept: dict[tuple[Any, ...], JitFunction[..., Any]] = {}
"""The latest function of each place and way of jitting. It lives on here with what it compiled, until another comes."""


def earlier(fun: Callable[..., Any], options: dict[str, Any]) -> tuple[JitFunction[..., Any] | None, str]:
    """The jitted function that `fun` would only repeat; else None and, if there is one of its place, why that cannot go on."""
    try:
        key = _key(fun, options)
        wrapper = _kept.get(key) if key is not None else None
        if wrapper is None:
            return None, ""
        why_not = _why_not(wrapper, fun)
        if why_not:
            return None, why_not
        _guard_first_uses(wrapper._state)
        return wrapper, ""
    except Exception as error:
        faults.report("comparing a definition with its earlier one", error)
        return None, ""


def to_follow(fun: Callable[..., Any]) -> tuple[Callable[..., Any], Traces | None]:
    """What to put under ``jax.jit`` for a function that may be kept, and what its traces read; of any other itself."""
    if not isinstance(fun, types.FunctionType) or hasattr(fun, "__wrapped__") or fun.__closure__:
        return fun, None
    return followed(fun)


def keep(wrapper: JitFunction[..., Any], options: dict[str, Any]) -> None:
    """From now on `wrapper` stands for its definition."""
    key = _key(wrapper.__wrapped__, options)
    if key is None:
        return
    _kept.pop(key, None)
    if len(_kept) >= _KEPT_LIMIT:
        del _kept[next(iter(_kept))]
    _kept[key] = wrapper


def _key(fun: Callable[..., Any], options: dict[str, Any]) -> tuple[Any, ...] | None:
    if not isinstance(fun, types.FunctionType) or hasattr(fun, "__wrapped__"):
        return None
    looks = Looks()
    given = looks.key(options)
    return (id(fun.__globals__), fun.__module__, fun.__qualname__, given) if looks.exact else None


def _why_not(wrapper: JitFunction[..., Any], fun: Any) -> str:
    """Why what was compiled for `wrapper` may not be what `fun` would compile; "" if it is."""
    traces = wrapper._state.traces
    if fun.__closure__ or traces is None:
        return "it reads variables of the function around it" if fun.__closure__ else "its traces were not seen"
    looks = Looks(), Looks()
    if looks[0].key(wrapper.__wrapped__) != looks[1].key(fun):
        return "its code or its defaults differ"
    if not (looks[0].exact and looks[1].exact):
        return "it cannot be known for sure what its defaults are"
    if traces.read is None or traces.why_not:
        return traces.why_not or "it was not traced before"
    now = Snapshot.of(fun)
    changed = traces.read.difference(now, around=False)  # a call may well stand in a `with` that sets something
    return f"changed since: {changed}" if changed else now.unknown and f"it cannot be known for sure {now.unknown}"


def _guard_first_uses(state: FunctionState) -> None:
    """Compare once more just before the first call that would use an entry again; the path of later hits is as always."""
    pending: set[Signature | None] = set(state.entries.attribution.entries)
    traces = state.traces

    def guard(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not pending:
            return
        inside = internals.TRACE.value is not internals.IDLE
        signature = None if inside else state.facts.signature(args, kwargs, "")
        if not inside and signature not in pending:
            return
        read = traces.read if traces is not None else None
        now = Snapshot.of(state.facts.fun)
        changed = "what it reads" if read is None else read.difference(now)
        if not changed and not now.unknown:
            pending.discard(signature)
        else:
            pending.clear()
            state.created_again(f"changed since: {changed}" if changed else f"it cannot be known for sure {now.unknown}")
        if not pending:
            state.guard_with(None)

    state.guard_with(guard)
