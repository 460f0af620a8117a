"""What goes wrong, as types, and the one boundary at which our own faults stop. Imports nothing of ours."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class JitMagicError(Exception):
    """Base of every error that jupyter_jitmagic raises on purpose."""


class OptionError(JitMagicError, ValueError):
    """An option or a name that the user gave is wrong; the message is one line that says what to do."""


class MissingPackageError(JitMagicError, ImportError):
    """Something needs a package that is not installed; the message is one line that says which, and all that IPython shows."""

    def _render_traceback_(self) -> list[str]:
        return [f"UsageError: {self}"]


class RecompileError(JitMagicError):
    """A call would compile again although the user asked for no more compiles (``on_miss="raise"``)."""


class RecompileWarning(UserWarning):
    """A function compiled more often than its `max_compiles` (``on_miss="warn"``)."""


class ProcessesDifferError(JitMagicError):
    """The processes of this program are about to run different programs (``jm.options.differ = "raise"``)."""


class CheckWarning(UserWarning):
    """A jitted function computes something other than plain Python does (``check=True``)."""


class Faults:
    """Our own faults: the user's call goes on, the first fault of each place is told once, the details stay here.

    Example:
        >>> faults.report("recording", error)   # never raises
        >>> print(faults.details())
    """

    def __init__(self) -> None:
        self._tracebacks: dict[str, str] = {}
        self.show: Callable[[str], None] = lambda text: warnings.warn(text, RuntimeWarning, stacklevel=4)

    def report(self, place: str, error: BaseException, so: str = "your code goes on without it") -> None:
        """Keep `error`'s traceback under `place` and show one short notice the first time; `so` says what follows from it."""
        first = place not in self._tracebacks
        self._tracebacks[place] = "".join(traceback.format_exception(error))
        if first:
            message = (
                f"jupyter_jitmagic: {place} failed ({type(error).__name__}); {so}. Details: jupyter_jitmagic.faults.details()"
            )
            try:
                self.show(message)
            except Warning:  # the user's filters make warnings errors: ours is none of theirs
                print(message, file=sys.stderr)

    @contextmanager
    def stop(self, place: str, so: str = "your code goes on without it") -> Iterator[None]:
        """What goes wrong of ours in the block is reported and goes no further. What we raise on purpose does, and so does a
        warning of which the user's filters made an error."""
        try:
            yield
        except (JitMagicError, Warning):
            raise
        except Exception as error:
            self.report(place, error, so)

    def details(self) -> str:
        """Every fault so far with its traceback; empty if there was none."""
        return "\n".join(f"{place}\n{text}" for place, text in self._tracebacks.items())

    def clear(self) -> None:
        self._tracebacks.clear()


faults = Faults()
