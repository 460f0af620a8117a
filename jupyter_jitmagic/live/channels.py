"""Ways to front ends, and the panels that listen on them. With `comms` the only module that imports `comm`."""

from __future__ import annotations

import time
from typing import Any, Protocol

from jupyter_jitmagic.live.protocol import COMM


class Channel(Protocol):
    """A way to the panels of one kind of front end."""

    def to(self, panel: str) -> Any:
        """What is sent on this reaches the panel of that name alone."""

    def send(self, message: Any) -> None:
        """To all of its panels."""


class Marks:
    """JupyterLab's panels: each hears a comm of its own name, and all of them the first of the marks."""

    def __init__(self, marks: list[Any]) -> None:
        self._marks = marks

    def to(self, panel: str) -> Any:
        return silent_comm(panel)

    def send(self, message: Any) -> None:
        if self._marks:
            self._marks[0].send(message)


class Panel:
    """One panel that listens."""

    def __init__(self, channel: Channel, name: str, leased: bool) -> None:
        self.channel = channel
        self.comm = channel.to(name)
        self.counts = False
        """Whether it wants the counts of a status bar only."""
        self.leased = leased
        """Whether it can answer while a cell runs. One that cannot is never given up for its silence."""
        self.seen = time.monotonic()

    def silent_s(self) -> float:
        return time.monotonic() - self.seen if self.leased else 0.0


def silent_comm(comm_id: str) -> Any:
    """A comm that was not opened towards any front end, and whose end tells none."""
    import comm

    made = comm.create_comm(target_name=COMM, comm_id=comm_id, primary=False)
    made._closed = True  # else its end sends a comm_close, which JupyterLab logs as an error
    return made
