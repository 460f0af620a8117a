"""A decision on a traced value whose error the user's own code catches: under jit the handler runs, whatever the value is."""

from __future__ import annotations

import functools
import sys
from collections.abc import Collection
from dataclasses import replace
from types import FrameType
from typing import Any

import jax

from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.statics.search import trace_call


def decisions_caught(call: Call, files: Collection[str]) -> list[int]:
    """The lines of these files at which a call that traces asked for a truth of a traced value, in the order of the trace.

    Example:
        >>> def f(x):
        ...     try:
        ...         return x if x > 0 else -x
        ...     except Exception:
        ...         return x
        >>> decisions_caught(bind(f, (jnp.float32(2),), {}), {__file__})
        [3]
    """
    lines: list[int] = []
    raised = jax.errors.TracerBoolConversionError.__init__.__code__

    def look(frame: FrameType, event: str, _: object) -> None:
        if event != "call" or frame.f_code is not raised:
            return
        around = frame.f_back
        while around is not None and around.f_code.co_filename not in files:
            around = around.f_back
        if around is not None:
            lines.append(around.f_lineno)

    @functools.wraps(call.fun)  # another function than JAX has traced already
    def watched(*args: Any, **kwargs: Any) -> Any:
        before = sys.getprofile()
        sys.setprofile(look)
        try:
            return call.fun(*args, **kwargs)
        finally:
            sys.setprofile(before)

    error, _ = trace_call(replace(call, fun=watched), frozenset())
    return list(dict.fromkeys(lines)) if error is None else []
