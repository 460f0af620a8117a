"""`%jitstats`: the tables of the records, chosen, shown, kept, or forgotten."""

from __future__ import annotations

import argparse
from typing import Any

from jupyter_jitmagic import _shell
from jupyter_jitmagic._display import _stats
from jupyter_jitmagic._errors import OptionError


def run(shell: Any, given: argparse.Namespace) -> None:
    """Do what the line says.

    Raises:
        OptionError: a name that no recorded function has, an option that is not there yet.
    """
    from jupyter_jitmagic import _tables

    for flag in ("break_even", "plot", "save"):
        if getattr(given, flag):
            raise OptionError(f"--{flag.replace('_', '-')} is not available in this version")
    if given.output is not None and not given.output.isidentifier():
        raise OptionError(f"-o {given.output}: not a name that a variable can have")
    frame = _tables.stats(given.level)
    chosen = [name for group in given.names for name in group]
    if chosen:
        known = set(frame["function"])
        unknown = [name for name in chosen if name not in known]
        if unknown:
            has = ", ".join(sorted(map(str, known))) or "none"
            raise OptionError(f"no recorded function is called {unknown[0]} (there are: {has})")
        frame = frame[frame["function"].isin(chosen)]
    if given.output:
        shell.user_ns[given.output] = frame
    elif not (given.reset and not chosen and given.level == "functions"):
        _shell.show(shell, _document(shell, given.level, frame))
    if given.reset:
        _tables.reset()


def _document(shell: Any, level: str, frame: Any) -> Any:
    rows = frame.to_dict("records")
    for row in rows:
        if row.get("call_site"):
            filename, _, number = row["call_site"].rpartition(":")
            row["call_site"] = _shell.place(shell, filename, int(number)) if number.isdigit() else row["call_site"]
    if level == "functions":
        told = [
            (row, misses)
            for row, misses in zip(rows, _misses_of(frame.index), strict=True)
            if row["calls"] or not row["superseded"]
        ]
        return _stats.functions([row for row, _ in told], [misses for _, misses in told], _how())
    if level == "misses":
        return _stats.grouped_misses(rows)
    return _stats.level(level, rows, list(frame.columns))


def _misses_of(positions: Any) -> list[list[Any]]:
    """The misses of the functions at these rows of the table; a name would not do, since a replaced function may share it."""
    from jupyter_jitmagic._records import log

    found: dict[int, list[Any]] = {}
    with log.lock:
        functions = list(log.functions)
        for miss in log.misses:
            found.setdefault(miss.function, []).append(miss)
    return [found.get(functions[position], []) for position in positions]


def _how() -> str:
    """How the executions were timed whose end was seen."""
    from jupyter_jitmagic._records import EXECUTE_HOW, log

    seen = {EXECUTE_HOW[code] for code in set(log.calls()["execute_how"].tolist())}
    words = {"observed": "observed without blocking", "blocked": "measured by waiting for each result"}
    return " and ".join(words[how] for how in words if how in seen)
