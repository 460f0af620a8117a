"""The diagnosis of a call that failed, as its error's traceback or a script's error keeps it."""

from __future__ import annotations

import jax

from jupyter_jitmagic.diagnosis import Diagnosis, diagnose_call
from jupyter_jitmagic.recording.calls.argument_history import values_seen
from jupyter_jitmagic.recording.guards.failed_calls import FailedCall


def diagnosis_of(call: FailedCall, error: BaseException) -> Diagnosis:
    """Why this call raised `error`; what its function's recorded calls were given counts as well."""
    jitted = call.fun if hasattr(call.fun, "lower") else jax.jit(call.fun, **call.options)
    return diagnose_call(jitted, call.args, call.kwargs, seen=values_seen(call.function), failed=error)
