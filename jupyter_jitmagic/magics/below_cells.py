"""What is told below a cell: what recompiled at a cost, what would save it, stale globals, unrolled loops, a resting device.

One display a cell. In a kernel it appears while the cell runs, as soon as there is something to tell, and is updated in place;
in a terminal it comes when the cell has ended. A thread of the cell looks, seldom: nothing is asked of the calls themselves.

Takes the shell as an argument and imports nothing of IPython.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.magics import front_end
from jupyter_jitmagic.records.log import Changed, Event, log

LOOK_EVERY_S = 1.0
"""So long after a cell's start comes the first look, and so long after each the next, where something compiled meanwhile."""
REST_PER_LOOK = 30
"""A look that took long is followed by so many times that of rest: what is told costs a loop 3 % at most."""
LONGEST_QUIET_S = 30.0
"""Where nothing compiles it is looked for stale names and a resting device after 2 seconds, 4, 8 and so on up to this."""


class _Cell:
    """A cell that runs, and the place below it. Made in the thread that runs it."""

    def __init__(self, shell: Any, text: str) -> None:
        self.text = text
        self.request = _request(shell)
        self.publisher = shell.display_pub  # of now: in a cell it may stand for one that only collects
        self.context = copy_context()
        """In which what is published belongs to this cell."""
        self.ended = threading.Event()
        self.compiled = False
        """Whether something did since the last look."""
        self.process = os.getpid()
        self.follower: threading.Thread | None = None
        self.display = ""
        """The name of what stands below the cell; empty while nothing does."""
        self.shown: list[str] = []
        self.programs: list[Any] = []
        """Lines about programs: each is found once."""

    def hear(self, message: Any) -> Any:
        """A hook on what the cell publishes: what it clears away has to be shown again when it ends."""
        if message.get("msg_type") == "clear_output":
            self.display = ""
        return message


class BelowCells:
    """Tells below each cell what it has shown, each thing once."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._loaded_s = time.time()
        self._cell: _Cell | None = None
        self._lock = threading.RLock()
        """Held during a look and until what it found is shown."""
        self._teller: Any = None
        self._program_teller: Any = None
        self._compiled: Any = (0, 0.0)

    def follow(self) -> Callable[[], None]:
        """Hear of what compiles, where that can be told at once; returns what ends that, and whatever goes on."""
        unsubscribe = log.listeners.subscribe(self._hear) if front_end.in_kernel(self._shell) else None

        def end() -> None:
            if unsubscribe:
                unsubscribe()
            cell = self._leave()
            if cell and cell.follower:
                cell.follower.join(timeout=2.0)

        return end

    def cell_began(self, info: Any) -> None:
        """IPython's `pre_run_cell`."""
        with faults.stop("following a cell"):
            if self._cell and self._cell.request == _request(self._shell):
                return  # within another, as `%%capture` runs it
            self._leave()  # one that was cut short
            if front_end.in_kernel(self._shell) and hasattr(self._shell.display_pub, "register_hook"):
                cell = self._cell = _Cell(self._shell, info.raw_cell)
                cell.publisher.register_hook(cell.hear)
                if _something_is_recorded():
                    self._follow(cell)

    def cell_ended(self, result: Any) -> None:
        """IPython's `post_run_cell`."""
        with faults.stop("telling what a cell has shown"):
            if self._cell and self._cell.text != result.info.raw_cell:
                return  # it ran within another
            cell = self._leave()
            if _something_is_recorded():
                with self._lock:
                    lines = [*self._told_of_calls(), *(cell.programs if cell else ()), *self._told_of_programs()]
                    self._show(lines, cell)

    def _leave(self) -> _Cell | None:
        """The cell at hand is one no more."""
        cell, self._cell = self._cell, None
        if cell is not None:
            cell.ended.set()
            cell.publisher.unregister_hook(cell.hear)
        return cell

    def _hear(self, event: Event) -> None:
        """In the thread of whatever compiled."""
        cell = self._cell
        if cell is not None and isinstance(event, Changed) and event.what in ("misses", "others"):
            cell.compiled = True
            # a forked child's output is not the cell's
            if cell.follower is None and cell.process == os.getpid() and _something_is_recorded():
                self._follow(cell)

    def _follow(self, cell: _Cell) -> None:
        cell.follower = threading.Thread(target=self._look_on, args=(cell,), name="jitmagic-below-cell", daemon=True)
        cell.follower.start()

    def _look_on(self, cell: _Cell) -> None:
        pause, quiet = LOOK_EVERY_S, 2 * LOOK_EVERY_S
        last = time.monotonic()
        while not cell.ended.wait(pause):
            began = time.monotonic()
            if not cell.compiled:
                if began - last < quiet:
                    continue
                quiet = min(2 * quiet, LONGEST_QUIET_S)
            cell.compiled, last = False, began
            with faults.stop("telling while a cell runs"), self._lock:
                if cell is not self._cell:
                    return
                cell.programs += self._told_of_programs(running=True)
                lines = [*self._told_of_calls(so_far=True), *cell.programs]
                if lines:
                    cell.context.run(self._show, lines, cell)
            pause = max(LOOK_EVERY_S, REST_PER_LOOK * (time.monotonic() - began))

    def _told_of_calls(self, so_far: bool = False) -> list[Any]:
        if self._teller is None:
            from jupyter_jitmagic.recording.guards.telling import Teller

            self._teller = Teller(partial(front_end.place, self._shell), since=self._loaded_s)
        found: list[Any] = self._teller.so_far() if so_far else self._teller.lines()
        return found

    def _told_of_programs(self, running: bool = False) -> list[Any]:
        """Of what compiled: unrolled loops and large constants. Nothing is imported for it before something has."""
        last_other = max((row.last_s for row in tuple(log.others.values())), default=0.0)
        compiled = (log.misses[-1].id if log.misses else 0, last_other)
        waiting = not running and self._program_teller is not None and self._program_teller.waiting
        if compiled == self._compiled and not waiting:
            return []
        self._compiled = compiled
        if self._program_teller is None:
            from jupyter_jitmagic.by_line.telling import ProgramTeller

            self._program_teller = ProgramTeller(partial(front_end.place, self._shell), since=self._loaded_s)
        found: list[Any] = self._program_teller.lines(running=running)
        return found

    def _show(self, lines: Sequence[Any], cell: _Cell | None) -> None:
        """Below the cell, in the place of what stands there. Of several lines with one link the first has it."""
        from jupyter_jitmagic.display import Shown
        from jupyter_jitmagic.display.model import Document, PanelLink, Paragraph
        from jupyter_jitmagic.magics.miss_advice import panel_link

        stands = cell.display if cell else ""
        if not lines and not stands:
            return
        linked: set[PanelLink | None] = set()
        paragraphs = []
        for line in lines:
            link = panel_link(line.miss, line.cure)
            paragraphs.append(Paragraph(line, link=None if link in linked else link))
            linked.add(link)
        document = Document.of(paragraphs)
        if cell is None:
            front_end.show(self._shell, document)
            return
        if stands and list(lines) == cell.shown:
            return
        name = stands or uuid.uuid4().hex
        cell.display, cell.shown = name, list(lines)
        cell.publisher.publish(Shown(document).bundle(), transient={"display_id": name}, update=bool(stands))


def _something_is_recorded() -> bool:
    return "jupyter_jitmagic.recording.calls.function_state" in sys.modules


def _request(shell: Any) -> str:
    """The front end's request that the shell's kernel is at work on."""
    header = shell.get_parent().get("header", {}) if hasattr(shell, "get_parent") else {}
    return str(header.get("msg_id", ""))
