"""From when instructions ran to how long each took itself: what ran inside another counts once."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from jupyter_jitmagic.by_line.hlo import CONTROL_FLOW, Program
from jupyter_jitmagic.by_line.profiling import Ran


class Executed(NamedTuple):
    """What the profiler saw of one program on one device."""

    calls: int
    own_s: Mapping[str, float]
    """By instruction: seconds over all calls, without what ran inside it."""
    times: Mapping[str, int]
    """By instruction: how often it ran in all calls."""


NOT_RUN = Executed(0, {}, {})


def executed(events: Iterable[Ran], program: Program) -> dict[str, Executed]:
    """For each device, what it did for this program.

    A loop's own event lasts as long as its body's events, which may run on other threads; so of an instruction of control flow
    only what none of the instructions inside it covers is its own. Any other's is what no event within it on its lane covers.
    """
    by_device: dict[str, list[Ran]] = defaultdict(list)
    for event in events:
        by_device[event.device].append(event)
    return {
        device: Executed(len({each.run for each in ran}), _own(ran, program), Counter(each.instruction for each in ran))
        for device, ran in by_device.items()
    }


def _own(events: list[Ran], program: Program) -> dict[str, float]:
    own: dict[str, float] = defaultdict(float)
    lanes: dict[tuple[str, str], list[Ran]] = defaultdict(list)
    runs: dict[object, list[Ran]] = defaultdict(list)
    for event in events:
        lanes[event.lane].append(event)
        runs[event.run].append(event)
    for ran in runs.values():
        ran.sort(key=lambda each: each.start)
    begins = {run: [each.start for each in ran] for run, ran in runs.items()}
    inside: dict[str, set[str]] = {}
    for lane in lanes.values():
        for event, nested in _nested(lane):
            instruction = program.instructions.get(event.instruction)
            covered = nested
            if instruction is not None and instruction.opcode in CONTROL_FLOW:
                names = inside.get(event.instruction)
                if names is None:
                    names = inside[event.instruction] = {part.name for part in program.within(instruction)}
                first, end = bisect_left(begins[event.run], event.start), bisect_left(begins[event.run], event.end)
                covered = _covered(event, [other for other in runs[event.run][first:end] if other.instruction in names])
            own[event.instruction] += max(event.end - event.start - covered, 0.0) / 1e9
    return dict(own)


def _nested(lane: list[Ran]) -> Iterable[tuple[Ran, float]]:
    """Each event of a lane, and how much of it the events directly within it cover."""
    open_: list[tuple[Ran, list[float]]] = []
    done: list[tuple[Ran, list[float]]] = []
    for event in sorted(lane, key=lambda each: (each.start, -each.end)):
        while open_ and open_[-1][0].end <= event.start:
            done.append(open_.pop())
        if open_ and event.end <= open_[-1][0].end:
            open_[-1][1].append(event.end - event.start)
        open_.append((event, []))
    return [(event, sum(nested)) for event, nested in [*done, *open_]]


def _covered(whole: Ran, parts: list[Ran]) -> float:
    """How much of one event the union of the others covers, which are in the order in which they began."""
    total, reached = 0.0, whole.start
    for part in parts:
        start, end = max(part.start, reached), min(part.end, whole.end)
        if end > start:
            total += end - start
            reached = end
    return total
