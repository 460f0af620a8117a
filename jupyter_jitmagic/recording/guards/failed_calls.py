"""The call of a failed trace, for whoever explains it: in a notebook its traceback has it, in a script the error itself.

A script has no advice below its cells. Its first failed trace is pointed out in one line on stderr; the error stays as it is.
"""

from __future__ import annotations

import re
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from jupyter_jitmagic.base.looking import attribute

_ATTRIBUTE = "_jitmagic_call"


@dataclass(frozen=True, slots=True)
class FailedCall:
    """The call whose trace failed: what was called with what, and how it was put under jit.

    `options` are the arguments given to ``jax.jit``; for a function under plain ``jax.jit`` its static and donated arguments as
    JAX resolved them. `function` is the row of the log, 0 for plain ``jax.jit``.
    """

    fun: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    options: dict[str, Any]
    function: int = 0

    def __reduce__(self) -> Any:
        """An error that is pickled or copied takes nothing of the call along: it may not be picklable."""
        return bool, ()


_last: weakref.ref[BaseException] | None = None
_pointed_out = False


def keep(error: BaseException, call: FailedCall) -> None:
    """Keep the call as long as its error lives, and no longer; and say once in a process how to have it explained."""
    global _last
    with suppress(AttributeError, TypeError):  # an error of C that takes none
        setattr(error, _ATTRIBUTE, call)
    _last = None
    with suppress(TypeError):  # Python's own errors take no weak reference
        _last = weakref.ref(error)
    _point_out(error, call)


def kept_on(error: BaseException) -> FailedCall | None:
    """The call that was kept on this error, if one was."""
    call = getattr(error, _ATTRIBUTE, None)
    return call if isinstance(call, FailedCall) else None


def last_errors() -> list[BaseException]:
    """The errors that may be meant: the one being handled, the one that the prompt showed last, the last failed trace."""
    found = (sys.exc_info()[1], getattr(sys, "last_exc", None), getattr(sys, "last_value", None), _last() if _last else None)
    return list(dict.fromkeys(error for error in found if isinstance(error, BaseException)))


def _point_out(error: BaseException, call: FailedCall) -> None:
    global _pointed_out
    if _pointed_out or not _asks_for_a_value(error):
        return
    _pointed_out = True
    name = str(attribute(call.fun, "__qualname__", type(call.fun).__qualname__)).rpartition("<locals>.")[2]
    print(
        f"jupyter_jitmagic: {name} cannot be traced as it is. jupyter_jitmagic.explain_last() says why, and what cures it: "
        "in an except block, in a debugger, or at the prompt of `python -i`",
        file=sys.stderr,
    )


def _asks_for_a_value(error: BaseException) -> bool:
    """Whether JAX gave up the trace for want of a value; some of these are Python's plain `TypeError`, told by their words."""
    kind = type(error)
    if kind.__module__.startswith("jax"):
        return not kind.__name__.endswith("RuntimeError")
    return kind is TypeError and re.search(r"[Tt]racer|traced|concrete", str(error)) is not None
