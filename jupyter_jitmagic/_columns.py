"""The calls as columns: 34 bytes a call. A leaf: it imports nothing of ours and knows nothing of JAX."""

from __future__ import annotations

import math
import struct
from array import array
from typing import Any

NO_ENTRY = -1
_NAN = array("d", [math.nan]).tobytes()
WIDTH = 3
"""Start, end and place of a call, as they are kept."""
_ROW_BYTES = 8 * WIDTH


def packed(values: tuple[float, ...]) -> bytes:
    """Start, end and place of one call after the other as doubles."""
    return struct.pack(f"{len(values)}d", *values)


def find_place(calls: bytes, place: int, start: int) -> int | None:
    """The first row at or after row `start` of packed calls that has this place."""
    wanted = struct.pack("d", place)
    found = calls.find(wanted, _ROW_BYTES * start)
    while found >= 0 and found % _ROW_BYTES != _ROW_BYTES - 8:
        found = calls.find(wanted, found + 1)
    return found // _ROW_BYTES if found >= 0 else None


class Columns:
    """Growing columns of calls, the oldest of which may be dropped.

    A call's number is ``first + row``; numbers begin at 1, in the order in which calls ended. Its place is an entry's id, or
    ``-1 - function`` for a call that has no entry.
    """

    __slots__ = ("_calls", "execute_how", "execute_s", "first", "outcome", "phases")

    def __init__(self, first: int = 1) -> None:
        self.first = first
        self._calls = array("d")
        """Start, end and place of one call after the other, as the path of a hit packed them."""
        self.outcome = array("b")
        self.execute_s = array("d")
        self.execute_how = array("b")
        self.phases: dict[int, tuple[float, float, float]] = {}
        """Trace, lower and compile seconds by call number, for calls that are no plain hit."""

    def __len__(self) -> int:
        return len(self.outcome)

    def extend(self, calls: bytes) -> None:
        """Append packed hits: their outcome is code 0, their execution unobserved (code 0)."""
        count = len(calls) // _ROW_BYTES
        self._calls.frombytes(calls)
        self.outcome.frombytes(bytes(count))
        self.execute_s.frombytes(_NAN * count)
        self.execute_how.frombytes(bytes(count))

    def place(self, row: int) -> int:
        return int(self._calls[WIDTH * row + 2])

    def change(self, row: int, place: int, outcome: int) -> None:
        """Say of a row that it is no plain hit."""
        self._calls[WIDTH * row + 2] = place
        self.outcome[row] = outcome

    def move(self, places: dict[int, int]) -> None:
        """Give every call at one of these places another."""
        import numpy as np

        if not places or not self._calls:
            return
        old = np.array(sorted(places), "d")
        new = np.array([places[int(place)] for place in old], "d")
        column = np.frombuffer(self._calls, "d")[2::WIDTH]
        found = np.minimum(np.searchsorted(old, column), len(old) - 1)
        rows = np.flatnonzero(old[found] == column)
        column[rows] = new[found[rows]]

    def drop_oldest(self, count: int) -> None:
        del self._calls[: WIDTH * count]
        for name in ("outcome", "execute_s", "execute_how"):
            del getattr(self, name)[:count]
        self.first += count
        if self.phases:
            self.phases = {call: phases for call, phases in self.phases.items() if call >= self.first}

    def as_numpy(self, since: int = 0, until: int | None = None) -> dict[str, Any]:
        """The columns of rows `since` to `until` as NumPy copies: call started ended place outcome execute_s execute_how."""
        import numpy as np

        until = len(self) if until is None else until
        calls = np.array(memoryview(self._calls)[WIDTH * since : WIDTH * until], dtype="d").reshape(-1, WIDTH)
        rest = {"outcome": "b", "execute_s": "d", "execute_how": "b"}
        return {
            "call": np.arange(self.first + since, self.first + until),
            "started": calls[:, 0].copy(),
            "ended": calls[:, 1].copy(),
            "place": calls[:, 2].astype("i8"),
            **{name: np.array(memoryview(getattr(self, name))[since:until], dtype=kind) for name, kind in rest.items()},
        }

    def to_count(self, since: int, until: int) -> tuple[Any, Any, Any, Any]:
        """Of rows `since` to `until` what totals are made of: started, ended, place and outcome as NumPy arrays."""
        import numpy as np

        calls = np.array(memoryview(self._calls)[WIDTH * since : WIDTH * until], dtype="d").reshape(-1, WIDTH)
        outcome = np.array(memoryview(self.outcome)[since:until], dtype="b")
        return calls[:, 0], calls[:, 1], calls[:, 2].astype("i8"), outcome

    def phase_columns(self) -> dict[str, Any]:
        """trace_s, lower_s and compile_s of every row as NumPy columns."""
        import numpy as np

        columns = np.full((3, len(self)), math.nan)
        for call, phases in self.phases.items():
            columns[:, call - self.first] = phases
        return dict(zip(("trace_s", "lower_s", "compile_s"), columns, strict=True))
