"""A call in which a transformation of JAX met a branch on data, where nothing is under jit: ``lax.scan`` and ``vmap`` trace
their functions as jit does, and what cures one cures the other."""

from __future__ import annotations

import dis
import traceback
from types import CodeType, FrameType, FunctionType

import jax

from jupyter_jitmagic.recording.guards.failed_calls import FailedCall
from jupyter_jitmagic.usercode.origin import unwrapped
from jupyter_jitmagic.usercode.ownership import is_library, is_users_text


def eager_call(error: BaseException) -> FailedCall | None:
    """The call of the user's function that handed another one to JAX or a library, or of that one where a cell's own line did
    so; None where its arguments are not known any more."""
    asks = isinstance(error, (jax.errors.JAXTypeError, jax.errors.JAXIndexError))
    if not asks or isinstance(error, jax.errors.UnexpectedTracerError):
        return None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    places = [number for number, frame in enumerate(frames) if is_users_text(frame.f_code.co_filename)]
    handing = [n for n in places if n + 1 < len(frames) and is_library(frames[n + 1].f_code.co_filename)]
    functions = [n for n in places if frames[n].f_code.co_name != "<module>" and (not handing or n >= handing[0])]
    return _call_of(frames[functions[0]]) if functions else None


def _call_of(frame: FrameType) -> FailedCall | None:
    code = frame.f_code
    fun = unwrapped(frame.f_globals.get(code.co_name))
    if not isinstance(fun, FunctionType) or fun.__code__ is not code or code.co_flags & 12 or _binds_anew(code):
        return None
    seen, positional = frame.f_locals, code.co_argcount
    names = code.co_varnames[: positional + code.co_kwonlyargcount]
    if not all(name in seen for name in names):
        return None
    keywords = {name: seen[name] for name in names[positional:]}
    return FailedCall(fun, tuple(seen[name] for name in names[:positional]), keywords, {})


def _binds_anew(code: CodeType) -> bool:
    """Whether a parameter is given another value within: what the call was given is not known then."""
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    stored = ("STORE_FAST", "STORE_DEREF", "DELETE_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST")
    for each in dis.get_instructions(code):
        if each.opname in stored:
            values = each.argval if isinstance(each.argval, tuple) else (each.argval,)
            values = values[:1] if each.opname.endswith("LOAD_FAST") else values
            if not set(names).isdisjoint(values):
                return True
    return False
