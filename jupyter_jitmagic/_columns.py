"""The calls as columns: 30 bytes a call. A leaf: it imports nothing of ours and knows nothing of JAX."""

from __future__ import annotations

import math
from array import array
from typing import Any

NO_ENTRY = -1
_NAN = array("d", [math.nan]).tobytes()


class Columns:
    """Growing columns of calls, the oldest of which may be dropped.

    `place` is an entry's id, or ``-1 - function`` for a call that has no entry. A call's number is ``first + row``; numbers
    begin at 1, in the order in which calls ended.
    """

    __slots__ = ("dispatch_s", "execute_how", "execute_s", "first", "outcome", "phases", "place", "started")

    def __init__(self, first: int = 1) -> None:
        self.first = first
        self.started = array("d")
        self.dispatch_s = array("d")
        self.place = array("i")
        self.outcome = array("b")
        self.execute_s = array("d")
        self.execute_how = array("b")
        self.phases: dict[int, tuple[float, float, float]] = {}
        """Trace, lower and compile seconds by call number, for calls that are no plain hit."""

    def __len__(self) -> int:
        return len(self.started)

    def extend(self, started: list[float], ended: list[float], place: list[int]) -> None:
        """Append hits: their outcome is code 0, their execution unobserved (code 0)."""
        count = len(started)
        self.started.extend(started)
        self.dispatch_s.extend([end - start for start, end in zip(started, ended, strict=True)])
        self.place.extend(place)
        self.outcome.frombytes(bytes(count))
        self.execute_s.frombytes(_NAN * count)
        self.execute_how.frombytes(bytes(count))

    def drop_oldest(self, count: int) -> None:
        for name in ("started", "dispatch_s", "place", "outcome", "execute_s", "execute_how"):
            del getattr(self, name)[:count]
        self.first += count
        if self.phases:
            self.phases = {call: phases for call, phases in self.phases.items() if call >= self.first}

    def as_numpy(self) -> dict[str, Any]:
        """Every column as a NumPy copy, with `call`."""
        import numpy as np

        kinds = {"started": "d", "dispatch_s": "d", "place": "i", "outcome": "b", "execute_s": "d", "execute_how": "b"}
        columns = {name: np.array(memoryview(getattr(self, name)), dtype=kind) for name, kind in kinds.items()}
        columns["call"] = np.arange(self.first, self.first + len(self))
        for i, name in enumerate(("trace_s", "lower_s", "compile_s")):
            column = np.full(len(self), math.nan)
            for call, phases in self.phases.items():
                column[call - self.first] = phases[i]
            columns[name] = column
        return columns
