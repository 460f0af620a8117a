"""What is kept of a failed trace."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.types import Diagnosis
from jupyter_jitmagic.magics.front_end import TypedCell


@dataclass(frozen=True, slots=True)
class Failure:
    """What the last failed trace came to, as plain text and numbers."""

    diagnosis: Diagnosis
    filename: str
    line: int
    """Where the function is defined."""
    cell: TypedCell
    """The cell that failed."""
    record: int = 0
    """The number of its row in the log."""
