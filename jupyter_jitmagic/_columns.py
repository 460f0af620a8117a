"""The calls as columns: 34 bytes a call. A leaf: it imports nothing of ours and knows nothing of JAX."""

from __future__ import annotations

import math
from array import array
from typing import Any

NO_ENTRY = -1
_NAN = array("d", [math.nan]).tobytes()
_WIDTH = 3


class Columns:
    """Growing columns of calls, the oldest of which may be dropped.

    A call's number is ``first + row``; numbers begin at 1, in the order in which calls ended. Its place is an entry's id, or
    ``-1 - function`` for a call that has no entry.
    """

    __slots__ = ("_calls", "execute_how", "execute_s", "first", "outcome", "phases")

    def __init__(self, first: int = 1) -> None:
        self.first = first
        self._calls = array("d")
        """Start, end and place of one call after the other, as the path of a hit wrote them: converting them costs too much."""
        self.outcome = array("b")
        self.execute_s = array("d")
        self.execute_how = array("b")
        self.phases: dict[int, tuple[float, float, float]] = {}
        """Trace, lower and compile seconds by call number, for calls that are no plain hit."""

    def __len__(self) -> int:
        return len(self.outcome)

    def extend(self, calls: list[Any]) -> None:
        """Append hits, given as start, end and place in turn: their outcome is code 0, their execution unobserved (code 0)."""
        count = len(calls) // _WIDTH
        self._calls.extend(array("d", calls))
        self.outcome.frombytes(bytes(count))
        self.execute_s.frombytes(_NAN * count)
        self.execute_how.frombytes(bytes(count))

    def place(self, row: int) -> int:
        return int(self._calls[_WIDTH * row + 2])

    def change(self, row: int, place: int, outcome: int) -> None:
        """Say of a row that it is no plain hit."""
        self._calls[_WIDTH * row + 2] = place
        self.outcome[row] = outcome

    def drop_oldest(self, count: int) -> None:
        del self._calls[: _WIDTH * count]
        for name in ("outcome", "execute_s", "execute_how"):
            del getattr(self, name)[:count]
        self.first += count
        if self.phases:
            self.phases = {call: phases for call, phases in self.phases.items() if call >= self.first}

    def as_numpy(self, since: int = 0) -> dict[str, Any]:
        """The columns from row `since` on as NumPy copies: call started ended place outcome execute_s execute_how."""
        import numpy as np

        calls = np.array(memoryview(self._calls)[_WIDTH * since :], dtype="d").reshape(-1, _WIDTH)
        rest = {"outcome": "b", "execute_s": "d", "execute_how": "b"}
        return {
            "call": np.arange(self.first + since, self.first + len(self)),
            "started": calls[:, 0].copy(),
            "ended": calls[:, 1].copy(),
            "place": calls[:, 2].astype("i8"),
            **{name: np.array(memoryview(getattr(self, name))[since:], dtype=kind) for name, kind in rest.items()},
        }

    def phase_columns(self) -> dict[str, Any]:
        """trace_s, lower_s and compile_s of every row as NumPy columns."""
        import numpy as np

        columns = np.full((3, len(self)), math.nan)
        for call, phases in self.phases.items():
            columns[:, call - self.first] = phases
        return dict(zip(("trace_s", "lower_s", "compile_s"), columns, strict=True))
