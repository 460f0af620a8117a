"""The lines as a DataFrame that can show itself."""

from __future__ import annotations

import builtins
from functools import partial
from typing import Any

import pandas as pd

from jupyter_jitmagic.by_line import measuring
from jupyter_jitmagic.by_line.attribution import Figures
from jupyter_jitmagic.by_line.measuring import Line, Report
from jupyter_jitmagic.display import to_text
from jupyter_jitmagic.display.lines import document
from jupyter_jitmagic.magics import front_end

COLUMNS = {
    "function": "the function that the line belongs to, by its qualified name",
    "line": "its number in the file or cell; missing for what has no line",
    "code": "its text",
    "equations": "equations of the traced program that this line made, those inside loops once",
    "repeats": "how often a Python loop repeated them while tracing",
    "flops": "floating point operations of a call, estimated by XLA's rules",
    "bytes": "bytes read and written in a call, estimated likewise",
    "execute_s": "seconds that a call executes this line itself; missing where nothing was run",
    "share": "its part of all execution",
    "compile_share": "its part of the compiled program's instructions",
    "within_s": "seconds with the functions that this line calls",
    "backward_s": "how much of execute_s is the backward pass of a gradient",
    "approximate": "part of the time is by estimate: XLA fused several lines, or lost the line",
}


class LinesTable(pd.DataFrame):  # type: ignore[misc]
    """What `lines` returns: a `pandas.DataFrame` of `COLUMNS` that keeps the report it was made from."""

    _metadata = ["report"]  # noqa: RUF012 (pandas asks for it so)
    report: Report

    def show(self) -> None:
        """Show the lines with their heat: HTML in a notebook, text elsewhere."""
        shell = getattr(builtins, "get_ipython", lambda: None)()
        if shell is None:
            print(to_text(document(self.report)))
        else:
            front_end.show(shell, document(self.report, partial(front_end.place, shell)))


def table_of(report: Report) -> LinesTable:
    """A report as a table."""
    whole = sum(line.figures.execute_s for line in report.lines if line.figures)
    instructions = sum(line.figures.instructions for line in report.lines if line.figures)
    rows = [_row(line, report.measured, whole, instructions) for line in report.lines]
    table = LinesTable(rows, columns=list(COLUMNS))
    for name, kind in {"line": "Int64", "equations": "Int64", "repeats": "Int64", "approximate": "bool"}.items():
        table[name] = table[name].astype(kind)
    table.report = report
    return table


def _row(line: Line, measured: bool, whole: float, instructions: float) -> tuple[Any, ...]:
    figures = line.figures or Figures()
    seconds = figures.execute_s if measured else float("nan")
    return (
        line.function,
        line.line,
        line.code,
        line.equations,
        line.repeats,
        figures.flops,
        figures.bytes,
        seconds,
        seconds / whole if whole else float("nan"),
        figures.instructions / instructions if instructions else float("nan"),
        figures.within_s if measured else float("nan"),
        figures.backward_s if measured else float("nan"),
        figures.approximate,
    )


def lines(fun: Any, *args: Any, **kwargs: Any) -> LinesTable:
    """Where a function's time goes, line by line.

    The function runs some times with these arguments under JAX's profiler; donated arguments are copied for each call.

    Args:
        fun: a function, jitted or plain (it is put under `jax.jit` then).
        args: its arguments.
        kwargs: its keyword arguments.

    Returns:
        A `pandas.DataFrame` with a row for each line of the function and of the user's functions that it calls, and one for
        what has no line ("not attributed"); the columns are those of `COLUMNS`. Times are seconds. The `execute_s` of all rows
        sum to what the device was busy. ``.show()`` draws it on the source.

    Raises:
        OptionError: one line: `fun` is no function, or a profile is being taken already.
        Exception: whatever the function raises.

    Example:
        >>> jm.lines(step, params, batch).nlargest(3, "execute_s")[["line", "code", "share"]]
        >>> jm.lines(step, params, batch).show()
    """
    return table_of(measuring.of_call(fun, args, kwargs))
