"""The answer outside notebooks, as text: what ``print`` of a diagnosis shows."""

from __future__ import annotations

from jupyter_jitmagic.diagnosis import diagnose as diagnose
from jupyter_jitmagic.diagnosis import types
from jupyter_jitmagic.diagnosis.types import Diagnosis


def _as_text(diagnosis: Diagnosis) -> str:
    from jupyter_jitmagic.display import to_text
    from jupyter_jitmagic.display.advice import Context, advice

    return to_text(advice(diagnosis, Context(jitfix="")))


types.as_text = _as_text
