"""``jm.jit(keep=True)``: a definition that ran again and means the same goes on with what was compiled.

JAX's caches go by the function object, so a cell that is run again compiles everything again. With `keep` the earlier function
stands in for the new one if their code, defaults and options are the same, and if everything that the earlier traces read from
outside has the same value now, and still has it when each of them is used again: a new function would read it only then.
Wherever one of this cannot be known for sure, the new function compiles as always.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jupyter_jitmagic import _jax_internals as internals
from jupyter_jitmagic._errors import faults
from jupyter_jitmagic._values import Looks
from jupyter_jitmagic.recording._captured import Captured

if TYPE_CHECKING:
    from jupyter_jitmagic.recording._recording import FunctionState
    from jupyter_jitmagic.recording._wrapper import JitFunction

_KEPT_LIMIT = 500

_kept: dict[tuple[Any, ...], JitFunction[..., Any]] = {}
"""The latest function of each place and way of jitting. It lives on here with what it compiled, until another comes."""


def earlier(fun: Callable[..., Any], options: dict[str, Any]) -> JitFunction[..., Any] | None:
    """The jitted function that `fun` would only repeat, None if there is none or it cannot be known."""
    try:
        key = _key(fun, options)
        wrapper = _kept.get(key) if key is not None else None
        if wrapper is None or not _means_the_same(wrapper, fun):
            return None
        _guard_first_uses(wrapper._state)
        return wrapper
    except Exception as error:
        faults.report("comparing a definition with its earlier one", error)
        return None


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


def _means_the_same(wrapper: JitFunction[..., Any], fun: Any) -> bool:
    before = wrapper.__wrapped__
    looks = Looks(), Looks()
    if fun.__closure__ or looks[0].key(before) != looks[1].key(fun) or not (looks[0].exact and looks[1].exact):
        return False
    state = wrapper._state
    live = state.attribution.entries.values()
    read = [state.captured.get(entry) for entry in live]
    now = Captured.of(fun)
    return bool(read) and all(captured is not None and captured.agrees(now) for captured in read)


def _guard_first_uses(state: FunctionState) -> None:
    """Compare once more just before the first call that would use an entry again; the path of later hits is as always."""
    pending = {signature: state.captured[entry] for signature, entry in state.attribution.entries.items()}

    def guard(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not pending:
            return
        inside = internals.TRACE.value is not internals.IDLE
        signature = None if inside else state.signature(args, kwargs, "")
        if not inside and signature not in pending:
            return
        now = Captured.of(state.fun)
        if all(captured.agrees(now) for captured in pending.values()):
            pending.pop(signature, None)  # type: ignore[arg-type]
        else:
            pending.clear()
            state.created_again()
        if not pending:
            state.guard_with(None)

    state.guard_with(guard)
