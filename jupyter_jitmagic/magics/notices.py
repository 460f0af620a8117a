"""How our own errors and warnings look in a notebook: no frame of ours below the user's line, one line for a warning.

Takes the shell as an argument and imports nothing of IPython.
"""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from jupyter_jitmagic.base.errors import CheckWarning, RecompileError, RecompileWarning

_RENDER = "_render_traceback_"
"""What IPython asks an exception for before it formats the traceback itself."""


def hook(shell: Any, hooks: ExitStack) -> None:
    """Begin to show them so; `hooks` takes it back."""
    _end_tracebacks_at_the_users_line(shell, hooks)
    _show_warnings(shell, hooks)


def _end_tracebacks_at_the_users_line(shell: Any, hooks: ExitStack) -> None:
    def rendered(error: RecompileError) -> list[str]:
        lines: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, users_part(error.__traceback__))
        return lines

    setattr(RecompileError, _RENDER, rendered)

    def take_out() -> None:
        if RecompileError.__dict__.get(_RENDER) is rendered:
            delattr(RecompileError, _RENDER)

    hooks.callback(take_out)


def users_part(traceback: TracebackType | None) -> TracebackType | None:
    """The traceback up to the last line that is the user's; all of it if none is."""
    from jupyter_jitmagic.usercode.ownership import is_users

    steps: list[TracebackType] = []
    while traceback is not None:
        steps.append(traceback)
        traceback = traceback.tb_next
    last = max((i for i, step in enumerate(steps) if is_users(step.tb_frame.f_code.co_filename)), default=len(steps) - 1)
    rest: TracebackType | None = None
    for step in reversed(steps[: last + 1]):
        rest = TracebackType(rest, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return rest


def _show_warnings(shell: Any, hooks: ExitStack) -> None:
    before = warnings.showwarning

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: str | None = None
    ) -> None:
        if file is None and issubclass(category, (CheckWarning, RecompileWarning)):
            _show_line(shell, str(message), filename, lineno)
        else:
            before(message, category, filename, lineno, file, line)

    warnings.showwarning = show

    def take_out() -> None:
        if warnings.showwarning is show:
            warnings.showwarning = before

    hooks.callback(take_out)


def _show_line(shell: Any, text: str, filename: str, line: int) -> None:
    from jupyter_jitmagic.display.model import Document, Paragraph
    from jupyter_jitmagic.magics import front_end

    front_end.show(shell, Document.of([Paragraph(f"{front_end.place(shell, filename, line)}: {text}")]))
