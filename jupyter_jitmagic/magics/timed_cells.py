"""Cells that ``%%time`` runs: it compiles all of them under one file name, of which Python knows no text.

Knows nothing of IPython.
"""

from __future__ import annotations

import linecache
from typing import Any

TIMED = "<timed exec>"
"""What ``%%time`` calls the file of the cell that it runs."""
_KEPT = 20

_texts: list[str] = []
"""What it ran, the latest last."""


def remember(cell: str) -> None:
    """A cell is about to run: where ``%%time`` runs it, its text is shown for that file name, as IPython does for others."""
    text = _below_time(cell)
    if text is not None:
        _texts.append(text)
        del _texts[:-_KEPT]
        _show(text)


def show_for(fun: Any) -> None:
    """Show the text that `fun` came from, or none where it is not known any more: a later cell has lines of its own."""
    from jupyter_jitmagic.source.units import NoSource, plain_function, unit_of

    function = plain_function(fun)
    if function is None or function.__code__.co_filename != TIMED:
        return
    for text in reversed(_texts):
        _show(text)
        try:
            unit_of(function.__code__, function.__globals__)
        except NoSource:
            continue
        return
    linecache.cache.pop(TIMED, None)


def forget() -> None:
    """Nothing is shown or known any more."""
    _texts.clear()
    linecache.cache.pop(TIMED, None)


def is_shown(cell: str) -> bool:
    """Whether the text that is shown is this cell's."""
    text = _below_time(cell)
    return text is not None and text.rstrip() == "".join(linecache.getlines(TIMED)).rstrip()


def _show(text: str) -> None:
    linecache.cache[TIMED] = (len(text), None, text.splitlines(keepends=True), TIMED)


def _below_time(cell: str) -> str | None:
    """What ``%%time`` runs of a cell; None where the cell is not its."""
    first, _, body = cell.lstrip("\n").partition("\n")
    return body if first.split()[:1] == ["%%time"] else None
