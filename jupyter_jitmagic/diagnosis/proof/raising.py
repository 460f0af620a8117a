"""What plain Python raises on inputs of the call's own shapes, where compiled code goes on with some number."""

from __future__ import annotations

import re
import textwrap
import traceback
import types
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jax

from jupyter_jitmagic.base.jax_frames import is_jax_frame
from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime
from jupyter_jitmagic.source.units import Unit
from jupyter_jitmagic.usercode.ownership import is_library

MOST_TOLD = 2
_OF_VALUES = (ValueError, IndexError, KeyError, ZeroDivisionError, OverflowError, AssertionError)
_NEVER_TOLD = (jax.errors.JAXTypeError, jax.errors.JAXIndexError, RecursionError, MemoryError, NotImplementedError)


@dataclass(frozen=True)
class Raised:
    """An exception of plain Python's.

    Attributes:
        kind: its type's name.
        line: the last of the user's lines that it passed; 0 where it passed none.
        text: what it says, in short, where it is not the user who says it.
        own: a `raise` or `assert` of the user's raised it.
    """

    kind: str
    line: int
    text: str
    own: bool


def raised(error: Exception, units: Sequence[Unit]) -> Raised | None:
    """The exception as it is told of; None for one that says nothing about the user's code.

    Args:
        error: it, from a run of code that was made of `units`, each text by itself.
        units: the user's.
    """
    if isinstance(error, _NEVER_TOLD) or type(error).__module__.partition(".")[0] == __name__.partition(".")[0]:
        return None  # what a run of ours does not know is no word of plain Python's
    places = [place for frame, line in traceback.walk_tb(error.__traceback__) if (place := _place(units, frame.f_code, line))]
    line, text = places[-1] if places else (0, "")
    said = str(error).splitlines()
    own = text.startswith(("raise", "assert"))
    return Raised(type(error).__name__, line, textwrap.shorten(said[0], 80, placeholder=" …") if said and not own else "", own)


def is_of_any_arrays(error: Exception) -> bool:
    """Whether an exception of a run by NumPy is one of JAX's arrays as well: the user's own code or a check of JAX's raised it,
    of shapes, say, which are the same; not the run, which may not know something."""
    if type(error) not in _OF_VALUES or "racer" in str(error):
        return False
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    filename = frame.f_code.co_filename
    return is_jax_frame(filename) or not is_library(filename)


def _place(units: Sequence[Unit], code: types.CodeType, line: int) -> tuple[int, str] | None:
    """A line of the user's, and its text, by its number in the text of a unit."""
    name = code.co_qualname.partition(".")[0]
    defines = re.compile(rf"^(def|class) {re.escape(name)}\b", re.MULTILINE)
    unit = next((u for u in units if u.filename == code.co_filename and defines.search(u.text)), None)
    lines = unit.text.splitlines() if unit is not None else []
    return (unit.first_line + line - 1, lines[line - 1].strip()) if unit is not None and line <= len(lines) else None


def words(found: Iterable[Raised], said: Collection[str]) -> list[str]:
    """Sentences on them, without those of which the answer speaks already.

    Args:
        found: what was raised.
        said: what the answer says so far.
    """
    told = " ".join(said)
    new = {(each.kind, each.line): each for each in found if not _is_said(each, told)}
    return [_sentence(each) for each in new.values()][:MOST_TOLD]


def _is_said(each: Raised, told: str) -> bool:
    converted = each.text.startswith("cannot convert float") and "int() raises" in told
    return each.kind in told or converted or (each.own and "cannot raise" in told)


def _sentence(each: Raised) -> str:
    where = f" in line {each.line}" if each.line else ""
    about = f" ({each.text})" if each.text else ""
    return f"where plain Python raises {each.kind}{where}{about}, compiled code goes on"


def goes_on(run: Callable[[Input], Any], given: Input) -> bool:
    """Whether a function gives something on an input."""
    try:
        run(given)
    except (Exception, OutOfTime, Effect):
        return False
    return True
