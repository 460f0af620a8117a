"""The answer outside notebooks, as text: what ``print`` of a diagnosis shows, and the last failed trace explained."""

from __future__ import annotations

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.diagnosis import diagnose as diagnose
from jupyter_jitmagic.diagnosis import types
from jupyter_jitmagic.diagnosis.types import Diagnosis


def explain_last() -> None:
    """Print why the last trace of a function under `jm.jit` failed, and what cures it, as ``print(jm.diagnose(…))`` does.

    Asks for the error that an ``except`` block handles, that the prompt or a debugger shows, or else for the last one of a
    failed trace that is still alive. In a notebook the answer stands below the cell already.

    Raises:
        OptionError: there is no such error, or its call is not known, as outside notebooks that of plain ``jax.jit`` is not.

    Example:
        >>> try:
        ...     step(params, batch)
        ... except Exception:
        ...     jm.explain_last()
        ...     raise
    """
    from jupyter_jitmagic.recording.api.failing import diagnosis_of
    from jupyter_jitmagic.recording.api.jitting import failed_call
    from jupyter_jitmagic.recording.guards.failed_calls import kept_on, last_errors

    errors = last_errors()
    for error in errors:
        call = kept_on(error) or failed_call(error.__traceback__)
        if call is not None:
            print(diagnosis_of(call, error))
            return
    if not errors:
        raise OptionError("no trace has failed")
    raise OptionError(
        f"the call that raised {type(errors[0]).__name__} is not known; ask for it: print(jm.diagnose(function, *arguments))"
    )


def _as_text(diagnosis: Diagnosis) -> str:
    from jupyter_jitmagic.display import to_text
    from jupyter_jitmagic.display.advice import Context, advice

    return to_text(advice(diagnosis, Context(jitfix="")))


types.as_text = _as_text
