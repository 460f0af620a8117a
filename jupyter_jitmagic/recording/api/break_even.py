"""After how many calls compiling has paid: measured when asked, on made-up arrays of an entry's shapes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.base.own_work import own_work
from jupyter_jitmagic.recording.calls import functions
from jupyter_jitmagic.recording.calls.examples import as_it_was
from jupyter_jitmagic.records.log import EntryRecord, FunctionRecord, log

_MOST_RUNS = 30


def break_even(function: int, seconds: float = 2.0) -> int | None:
    """After how many calls the compile of the function's most used entry has paid against running the plain function.

    Runs the plain function and the compiled one on arrays of ones for at most about `seconds` each (one run is always made) and
    writes the result into the function's row. With ``plain`` and ``jitted`` the medians of both and ``cost`` the entry's trace,
    lower and compile seconds it is the smallest n with ``cost + n * jitted <= n * plain``.

    Returns:
        The number of calls; None if compiling never pays.

    Raises:
        OptionError: one line that says why it cannot be measured.
    """
    log.fold()
    record, entry = _most_used(function)
    state = functions.state_of(function)
    example = state.entries.examples.get(entry.id) if state is not None else None
    if state is None or example is None:
        raise OptionError(f"{record.name} has no live entry to measure")
    fun, jitted = state.facts.fun, state.facts.jitted

    def made() -> tuple[Any, Any]:
        return jax.tree_util.tree_map(_ones, tuple(example.args)), jax.tree_util.tree_map(_ones, dict(example.kwargs))

    with own_work(), as_it_was(entry.id, example):
        try:
            compiled_s = _median_time(jitted, made, seconds)
            plain_s = _median_time(fun, made, seconds)
        except Exception as error:
            raise OptionError(f"{record.name} does not run on arrays of ones: {type(error).__name__}") from error
    cost = (entry.trace_s or 0.0) + (entry.lower_s or 0.0) + (entry.compile_s or 0.0)
    saved = plain_s - compiled_s
    record.break_even_calls = math.ceil(cost / saved) if saved > 0 else None
    return record.break_even_calls


def _most_used(function: int) -> tuple[FunctionRecord, EntryRecord]:
    record = log.known_function(function)
    entries = [
        entry for entry in log.entries_of(function) if entry.alive and not entry.transformation and entry.outcome != "hit"
    ]
    if record is None or not entries:
        raise OptionError(f"{record.name if record else function} has compiled nothing that is still there")
    return record, max(entries, key=lambda entry: entry.hits)


def _ones(leaf: Any) -> Any:
    if not isinstance(leaf, jax.ShapeDtypeStruct):
        return leaf
    ones = jnp.ones(leaf.shape, leaf.dtype)
    return ones if leaf.sharding is None else jax.device_put(ones, leaf.sharding)


def _median_time(fun: Callable[..., Any], made: Callable[[], tuple[Any, Any]], seconds: float) -> float:
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < _MOST_RUNS and (not times or time.perf_counter() < until):
        args, kwargs = jax.block_until_ready(made())
        begin = time.perf_counter()
        jax.block_until_ready(fun(*args, **kwargs))
        times.append(time.perf_counter() - begin)
    return median(times[1:] or times)
