"""A subshell whose messages come and go without "busy" and "idle" around each. Where that cannot be had, nothing is changed.

ipykernel says "busy" before and "idle" after every message of a front end, a subshell's too. The server sends each of them on
as a small packet, and TCP holds a small packet back while another is on its way unacknowledged (Nagle's algorithm, up to
40 ms): the answer behind the "busy" came late. JupyterLab also takes the "idle" for the main shell's, and shows a kernel at
rest while a cell runs. From 7.4 on ipykernel takes comm messages without those words while the subshell is at work on something
else. So it is given something: its lock is held, by nobody.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any


def hold(kernel: Any, subshell: str) -> Callable[[], None] | None:
    """Let comm messages pass quietly. To be called where a message on that subshell is being handled; returns what ends it."""
    try:
        takes_them = "concurrent" in inspect.signature(kernel.dispatch_shell).parameters
        lock = kernel.shell_channel_thread.manager.get_subshell_asyncio_lock(subshell)
        loop = asyncio.get_running_loop()
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError):  # another ipykernel, or none at all
        return None
    if not takes_them or not isinstance(lock, asyncio.Lock):
        return None
    taking = loop.create_task(lock.acquire())  # once the message at hand is done

    def release() -> None:
        if taking.done() and lock.locked():
            lock.release()
        else:
            taking.cancel()

    def end() -> None:
        try:
            loop.call_soon_threadsafe(release)
        except RuntimeError:  # the subshell is gone, and the lock with it
            return

    return end
