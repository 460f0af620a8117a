"""Loops in which the device waited for Python most of the time: told from the times of their calls, where all are known,
or from how long they took at most."""

from __future__ import annotations

from typing import NamedTuple

from jupyter_jitmagic.records.log import HIT, log

_CALLS = 200
"""A loop has so many calls at least,"""
_ROWS = 100_000
"""and of longer ones these are looked at."""
_TIMED = 20
"""Hits with a time from which an entry's executions are known."""
_PAUSE = 20.0
"""What lasts so many times as long as usual from call to call is a pause of the loop and no part of it."""
_REST = 0.5


class Rest(NamedTuple):
    """A loop of calls, most of them of `function`. Times are seconds, means of the loop."""

    function: int
    share: float
    """Of the loop's time, in which the device had nothing of these functions to do."""
    lost_s: float
    each_s: float
    """From call to call."""
    execute_s: float
    bounded: bool
    """The share and what was lost are this much at least, and an execution takes so long at most."""


def rest_since(since: float) -> Rest | None:
    """How the device rested in the calls since Unix time `since`; None where it did not for most of the time, or where that is
    not known: too few calls since the last compile, executions without a time, work of other jitted functions."""
    import numpy as np

    log.fold()
    with log.lock:
        if any(other.module != "jax" for other in log.others.values()):
            return None
        columns = log.columns.as_numpy(max(len(log.columns) - _ROWS, 0))
        at_most = np.array(log.columns.at_most).reshape(-1, 2)
    rows = {name: column[columns["started"] + log.clock_offset >= since] for name, column in columns.items()}
    others = np.flatnonzero(rows["outcome"] != HIT)
    rows = {name: column[others[-1] + 1 if len(others) else 0 :] for name, column in rows.items()}  # since the last compile
    if len(rows["call"]) < _CALLS:
        return None
    places, which, counts = np.unique(rows["place"], return_inverse=True, return_counts=True)
    timed = np.isfinite(rows["execute_s"])
    known = np.bincount(which[timed], minlength=len(places))
    sums = np.bincount(which[timed], rows["execute_s"][timed], len(places))
    unknown = known < np.minimum(_TIMED, counts)
    if unknown.any():
        at = np.minimum(np.searchsorted(rows["call"], at_most[:, 0]), len(which) - 1)
        here = rows["call"][at] == at_most[:, 0]
        whose = which[at[here]]
        known = np.where(unknown, np.bincount(whose, minlength=len(places)), known)
        sums = np.where(unknown, np.bincount(whose, at_most[here, 1], len(places)), sums)
    if (known < np.minimum(_TIMED, counts)).any():
        return None
    means = sums / known
    gaps = np.diff(rows["started"])
    usual = gaps <= _PAUSE * np.median(gaps)
    whole, busy = float(gaps[usual].sum()), float(means[which[:-1][usual]].sum())
    function = log.owner_of(int(places[counts.argmax()]))
    if function is None or whole <= 0 or busy > (1 - _REST) * whole:
        return None
    calls = int(usual.sum())
    return Rest(function, 1 - busy / whole, whole - busy, whole / calls, busy / calls, bool(unknown.any()))
