"""Values as they travel: numbers that are finite, texts that are not endless."""

from __future__ import annotations

import math

from jupyter_jitmagic.live.protocol import TEXT_LIMIT


def number_of(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def text_of(value: str) -> str:
    return value if len(value) <= TEXT_LIMIT else value[: TEXT_LIMIT - 1] + "…"
