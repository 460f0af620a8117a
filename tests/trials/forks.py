"""Forks while other threads make calls and read tables: no child hangs, and its tables are those of the moment.

``python -m tests.trials.forks FIRST LAST`` forks once for each number, and prints what is wrong. The children run nothing of
JAX's, which may hang in a forked child.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable

import numpy as np

import jupyter_jitmagic as jm

_LONGEST_S = 10.0


def _child() -> int:
    totals, calls = jm.stats(), jm.stats("calls")
    f = totals[totals.calls > 0]
    return int(not (f.calls.sum() == len(calls) and (f.hits + f.misses == f.calls).all()))


def _ended(child: int) -> int | None:
    until = time.monotonic() + _LONGEST_S
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return None


def forked(run: Callable[[], int]) -> int | None:
    """What a forked child that runs this and nothing else ends with; None where it hangs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "multi-threaded, fork() may deadlock"
        child = os.fork()
    if not child:
        status = 2
        try:
            status = run()
        finally:
            os._exit(status)
    return _ended(child)


def wrong(first: int, last: int) -> dict[int, str]:
    """By number of the fork, what went wrong."""
    f = jm.jit(lambda x: x + 1)
    over = threading.Event()
    jm.reset()

    def call() -> None:
        while not over.is_set():
            for n in (2, 3):
                f(np.ones(n, "f4"))
            f._state.look_closely()
            time.sleep(1e-4)

    def read() -> None:
        while not over.is_set():
            jm.stats(), jm.stats("calls"), jm.stats("entries")

    f(np.ones(2, "f4")), f(np.ones(3, "f4"))
    threads = [threading.Thread(target=target) for target in (call, read, read)]
    for thread in threads:
        thread.start()
    found = {}
    for number in range(first, last):
        time.sleep(random.Random(number).random() * 0.02)
        status = forked(_child)
        if status:
            found[number] = "its tables disagree" if status == 1 else f"it ended with {status}"
        elif status is None:
            found[number] = "it hangs"
    over.set()
    for thread in threads:
        thread.join()
    return found


if __name__ == "__main__":
    for number, text in wrong(int(sys.argv[1]), int(sys.argv[2])).items():
        print(number, text)
