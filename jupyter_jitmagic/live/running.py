"""What is being traced, lowered or compiled at this moment."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from jupyter_jitmagic.live.protocol import DonePhase, NowRow
from jupyter_jitmagic.live.texts import number_of, text_of
from jupyter_jitmagic.records.log import PhaseEvent

AFTER_COMPILE_S = 0.2
"""So long what has been compiled is shown, where no call takes it away."""
BETWEEN_PHASES_S = 0.5
"""A function with no running phase for so long is no longer shown as compiling."""
OUTSIDE_S = 0.25
"""What is compiled outside `jm.jit` (single operations, libraries) is shown as "now" from this age on."""


@dataclass(slots=True)
class _Work:
    """One thread's work on one function. Phases nest (a trace traces and compiles what it calls): the outermost counts."""

    name: str
    open: list[tuple[str, float]] = field(default_factory=list)
    """The phases that run, outermost first, each with the moment of its start."""
    done: list[DonePhase] = field(default_factory=list)
    ended_s: float = 0.0

    def lingers_s(self) -> float:
        """How long it is shown after its last phase. After the compile a recorded call ends within a blink and takes it
        away itself; an unrecorded one does not."""
        compiled = bool(self.done) and self.done[-1]["phase"] == "compile"
        return AFTER_COMPILE_S if compiled else BETWEEN_PHASES_S


class RunningPhases:
    """What is being traced, lowered or compiled, kept from `PhaseEvent`s."""

    def __init__(self) -> None:
        self._work: dict[tuple[int, int], _Work] = {}
        self._lock = threading.RLock()

    def hear(self, event: PhaseEvent) -> None:
        key = (event.thread, event.function)
        with self._lock:
            work = self._work.setdefault(key, _Work(event.name))
            if event.duration_s is None:
                if not work.open:
                    if any(done["phase"] == event.phase for done in work.done):  # the next call
                        work.done = []
                    work.name = event.name
                work.open.append((event.phase, event.started_s))
            elif work.open:
                phase, _ = work.open.pop()
                if not work.open:
                    work.done.append(DonePhase(phase=phase, duration_s=number_of(event.duration_s)))
                    work.ended_s = time.time()

    def finished(self, function: int) -> None:
        """The call is over: what is not running any more need not be shown."""
        with self._lock:
            for key in [key for key, work in self._work.items() if key[1] == function and not work.open]:
                del self._work[key]

    def over(self, thread: int) -> None:
        """Nothing runs in that thread any more, whatever was said of it."""
        with self._lock:
            for key in [key for key in self._work if key[0] == thread]:
                del self._work[key]

    def __len__(self) -> int:
        return len(self._work)

    def rows(self) -> list[NowRow]:
        """The rows at this moment, without what ended a while ago; what is not under our jit only once it takes long."""
        moment = time.time()
        with self._lock:
            for key, work in list(self._work.items()):
                if not work.open and moment - work.ended_s > work.lingers_s():
                    del self._work[key]
            rows = []
            for (thread, function), work in self._work.items():
                phase, since = work.open[0] if work.open else ("", work.ended_s)
                elapsed = max(0.0, moment - since)
                if function or (phase and elapsed > OUTSIDE_S):
                    done = list(work.done) if function else []
                    row = NowRow(
                        function=function, name=text_of(work.name), phase=phase, elapsed_s=elapsed, done=done, thread=thread
                    )
                    rows.append(row)
            return rows
