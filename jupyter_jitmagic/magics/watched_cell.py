"""`%%jit --watch`: what compiled while a cell ran, shown below it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

_open: list[Callable[[Any], None]] = []


def begin() -> None:
    """The first statement of a watched cell: watch until the cell has ended."""
    import builtins

    from jupyter_jitmagic.recording.api.watching import Watch, watch

    shell = builtins.get_ipython()  # type: ignore[attr-defined]
    watching = ExitStack()
    seen: list[Watch] = []

    def ended(result: Any) -> None:
        shell.events.unregister("post_run_cell", ended)
        if ended in _open:
            _open.remove(ended)
        watching.close()
        for each in seen:
            _show(shell, each.compiles)

    # Ctrl-C may come anywhere: what ends the watch is there before it begins
    shell.events.register("post_run_cell", ended)
    _open.append(ended)
    seen.append(watching.enter_context(watch(quiet=True)))


def end() -> None:
    """Ends what is still open, where no cell will: the magic was called from code."""
    for ended in tuple(_open):
        ended(None)


def _show(shell: Any, compiles: list[Any]) -> None:
    from jupyter_jitmagic.display import stats
    from jupyter_jitmagic.magics import front_end

    rows = []
    for each in compiles:
        filename, _, line = each.call_site.rpartition(":")
        place = front_end.place(shell, filename, int(line)) if line.isdigit() else each.call_site
        rows.append(stats.Compiled(each.function, each.module, place, each.why, each.cost_s))
    front_end.show(shell, stats.watched(rows))
