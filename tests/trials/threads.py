"""Eight threads that call, read tables, reset, unload and load at the same time: what is counted is exact.

``python -m tests.trials.threads FIRST LAST`` tries these seeds, and prints what is wrong.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.recorder import recorder
from jupyter_jitmagic.records.log import log

_THREADS, _CALLS, _SIZES = 8, 1500, 3


def _run(targets: list[Callable[[], None]]) -> list[str]:
    failed: list[str] = []

    def guarded(target: Callable[[], None]) -> None:
        try:
            target()
        except Exception as error:
            failed.append(repr(error))

    threads = [threading.Thread(target=guarded, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def _disagreements() -> Iterator[str]:
    """Where totals are not what the rows say."""
    totals, calls, entries = jm.stats(), jm.stats("calls"), jm.stats("entries")
    for row in totals.itertuples():
        mine = calls[calls.function == row.function]
        seen = len(mine), int((mine.outcome == "hit").sum()), int(mine.outcome.isin(["miss", "disk_hit"]).sum())
        if seen != (row.calls, row.hits, row.misses):
            yield f"{row.function} has {seen} rows, {(row.calls, row.hits, row.misses)} in all"
        hits = int(entries[entries.function == row.function].hits.sum())
        if hits != row.hits:
            yield f"{row.function}'s entries have {hits} hits, the function {row.hits}"
    if len(calls) and not (np.diff(calls.call.to_numpy()) == 1).all():
        yield "the calls' numbers have gaps"


def wrong(seed: int, calls: int = _CALLS) -> list[str]:
    """What does not hold after a trial: first calls and readers alone, which lose nothing, then with all else beside them."""
    f, g = jm.jit(lambda x: x + 1), jm.jit(lambda x: x * 2)
    xs = [np.ones(n, "f4") for n in range(1, 1 + _SIZES)]
    for x in xs:
        f(x), g(x)
    jm.reset()
    chance = random.Random(seed)
    over = threading.Event()

    def call(start: int) -> Callable[[], None]:
        def run() -> None:
            for i in range(calls):
                f(xs[(start + i) % _SIZES])
                g(xs[i % 2])

        return run

    def now_and_then(act: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            while not over.wait(chance.random() * 0.01):
                act()

        return run

    def load_again() -> None:
        recorder.stop()
        recorder.start()

    def beside(*acts: Callable[[], object]) -> list[str]:
        over.clear()
        callers = [threading.Thread(target=call(i)) for i in range(_THREADS)]
        ender = threading.Thread(target=lambda: ([caller.join() for caller in callers], over.set()))
        for thread in (*callers, ender):
            thread.start()
        failed = _run([now_and_then(act) for act in acts])
        ender.join()
        return failed

    found = beside(jm.stats, log.fold)
    if jm.stats().calls.tolist() != [_THREADS * calls] * 2:
        found.append(f"{jm.stats().calls.tolist()} calls of {_THREADS * calls}")
    found += _disagreements()
    found += beside(jm.stats, jm.reset, load_again)
    recorder.start()
    found += _disagreements()
    jm.reset()
    found += beside(log.fold)
    if jm.stats().calls.tolist() != [_THREADS * calls] * 2:
        found.append(f"afterwards {jm.stats().calls.tolist()} calls of {_THREADS * calls}")
    return found


def main(first: int, last: int) -> None:
    for seed in range(first, last):
        for text in wrong(seed):
            print(seed, text, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
