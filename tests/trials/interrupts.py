"""Ctrl-C, and calls made by finalizers and signal handlers, at every place of ours at which Python lets them in.

CPython looks for signals after a call, at a loop's end and where a function begins; a finalizer may run there as well. A trial
does some work, and at one such place in our code it raises KeyboardInterrupt, or calls jitted functions. Whatever place it
was: the totals are the truth, the rows agree with them, and later calls are recorded.

``python -m tests.trials.interrupts FIRST LAST`` tries these seeds, and prints what is wrong.
"""

from __future__ import annotations

import collections
import dis
import functools
import math
import random
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

import numpy as np

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.calls import functions
from jupyter_jitmagic.records.log import log

_ROOMS = (
    "log.py", "columns.py", "hot_path.py", "functions.py", "function_state.py", "entries.py", "attribution.py",
    "observation.py", "hit_watching.py",
)  # fmt: skip
_X = [np.ones(n, "f4") for n in range(1, 9)]


@functools.cache
def _after(code: CodeType) -> frozenset[int]:
    """The instructions before which CPython may have let a signal in: by what comes before."""
    found, lets_in = set(), False
    for instruction in dis.get_instructions(code):
        if lets_in:
            found.add(instruction.offset)
        name = instruction.opname
        lets_in = name == "RESUME" or (name.startswith("CALL") and not name.startswith("CALL_INTRINSIC"))
        if name == "JUMP_BACKWARD":
            found.add(instruction.argval)
    return frozenset(found)


class Places:
    """Counts the places that are passed, and does `act` at the one with number `at`."""

    def __init__(self, at: int, act: Callable[[], None]) -> None:
        self.passed, self._at, self._act = 0, at, act
        self.where = ""

    def __enter__(self) -> Places:
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.endswith(_ROOMS) or "jupyter_jitmagic" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode" and frame.f_lasti in _after(frame.f_code):
            self.passed += 1
            if self.passed == self._at:
                self.where = f"{frame.f_code.co_qualname}:{frame.f_lineno}"
                self._act()
        return self._trace


class Work:
    """Functions to be called, and how often each call of them returned."""

    def __init__(self) -> None:
        self.f: Any = jm.jit(_plus)
        self.g: Any = jm.jit(_times)
        for x in _X[:3]:
            self.f(x), self.g(x)
        jm.reset()
        self.begun: collections.Counter[str] = collections.Counter()
        self.returned: collections.Counter[str] = collections.Counter()
        self.interrupted = False
        self.safe = ["f", "g"]
        """What may be called in the middle: JAX refuses a function that it is just compiling."""

    def call(self, name: str, size: int) -> None:
        self.begun[name] += 1
        getattr(self, name)(_X[size])
        self.returned[name] += 1

    def loop(self, count: int = 4) -> None:
        for i in range(count):
            self.call("f", i % 3)
            self.call("g", i % 2)

    def closely(self) -> None:
        self.f._state.look_closely()
        self.g._state.look_closely()

    def nested(self) -> None:
        """What a finalizer or a signal handler does."""
        self.closely()
        for size in (0, 1, 2):
            for name in self.safe:
                self.call(name, size)
        log.fold()


def _plus(x: Any) -> Any:
    return x + 1


def _times(x: Any) -> Any:
    return x * 2


def _fold(work: Work) -> None:
    work.loop()
    work.closely()
    work.loop(4)
    log.fold()


def _drop(work: Work) -> None:
    _fold(work)
    log.drop_oldest(min(9, len(log.columns)))
    work.loop(3)
    log.fold()


def _reset(work: Work) -> None:
    _fold(work)
    jm.reset()
    work.loop(3)


def _minus(x: Any) -> Any:
    return x - 1


def _misses(work: Work) -> None:
    work.safe = ["g"]
    work.f.clear_cache()
    work.closely()
    work.call("f", 0)
    work.call("f", 3)
    work.loop(2)


def _dead(work: Work) -> None:
    for _ in range(2):
        state = functions.register(_minus, work.f._state.facts.jitted, {}, None)
        functions.ended(state.function)
    for entry in log.entries_of(work.g._state.function)[:1]:
        entry.alive = False
    work.loop(2)
    log._look_for_dead_above = 0
    log.drop_dead_entries(1)


KINDS = {"fold": _fold, "drop": _drop, "reset": _reset, "misses": _misses, "dead": _dead}


@functools.cache
def places(kind: str) -> int:
    """How many places this kind of work passes."""
    with Places(0, lambda: None) as seen:
        KINDS[kind](Work())
    return seen.passed


def _interrupt() -> None:
    raise KeyboardInterrupt


def wrong(kind: str, at: int, nested: bool) -> str:
    """What does not hold where this work is interrupted, or something else is called, at place `at`; empty if all does."""
    work = Work()
    with Places(at, work.nested if nested else _interrupt) as seen:
        try:
            KINDS[kind](work)
        except KeyboardInterrupt:
            work.interrupted = True
        except Exception as error:
            return f"{kind} at {at} ({seen.where}): {error!r}"
    if seen.where and not nested and not work.interrupted:
        return f"{kind} at {at} ({seen.where}): Ctrl-C was swallowed"
    middle = work.begun.copy()
    work.loop(3)
    found = list(_disagreements(work, kind, middle, nested))
    if jm.faults.details():
        found.append(jm.faults.details())
        jm.faults.clear()
    for state in (work.f._state, work.g._state):
        if not state.recording:
            found.append(f"{state.name} is not recorded any more")
    return f"{kind} at {at} ({seen.where}): {'; '.join(found)}" if found else ""


def _disagreements(work: Work, kind: str, middle: collections.Counter[str], nested: bool) -> Iterator[str]:
    totals, calls, entries = jm.stats(), jm.stats("calls"), jm.stats("entries")
    for name in ("f", "g"):
        function = getattr(work, name)._state.name
        total = totals[totals.function == function]
        rows = calls[calls.function == function]
        if not len(total):
            yield f"{name} has no row"
            continue
        if kind != "drop":
            by_outcome = (len(rows), (rows.outcome == "hit").sum(), (rows.outcome == "miss").sum())
            if tuple(int(n) for n in by_outcome) != (total.calls.iloc[0], total.hits.iloc[0], total.misses.iloc[0]):
                yield f"{name} has {by_outcome} in calls, {total[['calls', 'hits', 'misses']].iloc[0].tolist()} in totals"
            if not math.isclose(rows.dispatch_s.sum(), total.dispatch_s.iloc[0], rel_tol=1e-6):
                yield f"{name} took {rows.dispatch_s.sum()} s by its rows, {total.dispatch_s.iloc[0]} s in all"
        least, most = work.returned[name], work.begun[name]
        if kind == "reset":
            least = work.begun[name] - middle[name]
        if not least <= total.calls.iloc[0] <= most:
            yield f"{name} has {total.calls.iloc[0]} calls, but {least} to {most} were made"
        if kind not in ("drop", "reset", "dead"):
            hits = entries[entries.function == function].hits.sum()
            if hits != total.hits.iloc[0]:
                yield f"{name}'s entries have {hits} hits, the function {total.hits.iloc[0]}"
    right = {f"f32[{n}]" for n in range(1, 9)}
    for entry, avals in zip(entries.entry, entries.avals, strict=True):
        if avals not in right:
            yield f"entry {entry} is {avals}"
    if not (np.diff(calls.call.to_numpy()) == 1).all():
        yield "the calls' numbers have gaps"


def wrong_by(seed: int) -> str:
    """The trial of a seed: see `wrong`."""
    chance = random.Random(seed)
    kind, nested = chance.choice(list(KINDS)), chance.random() < 0.5
    text = wrong(kind, chance.randint(1, places(kind)), nested)
    return f"{'nested' if nested else 'interrupt'} in {text}" if text else ""


def main(first: int, last: int) -> None:
    for seed in range(first, last):
        text = wrong_by(seed)
        if text:
            print(seed, text, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
