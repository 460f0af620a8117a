"""An entry's unrolled loop as one of `lax`, tried without the user's arrays: with made-up ones of the entry's types."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.by_line.equations import equations
from jupyter_jitmagic.by_line.programs import traced
from jupyter_jitmagic.by_line.rolling import Rolled, rolled
from jupyter_jitmagic.by_line.unrolled import Made, Unrolled, largest_loop
from jupyter_jitmagic.recording.calls import functions
from jupyter_jitmagic.recording.calls.examples import as_it_was
from jupyter_jitmagic.records.log import EntryRecord
from jupyter_jitmagic.usercode.ownership import is_users


def loop_of(entry: EntryRecord) -> Unrolled | None:
    """The Python loop that most of an entry's program comes from; None where there is none, or no program."""
    jaxpr = traced(entry)
    return jaxpr and largest_loop(Made(each.stack, each.maker) for each in equations(jaxpr, is_users))


def rolled_entry(entry: EntryRecord) -> Rolled:
    """That loop as one: compiled and run beside the loop as it is, with made-up arrays.

    Raises:
        OptionError: one line: no such loop, none that is equal, or a program that must not run with what is made up.

    Example:
        >>> found = rolled_entry(log.entries[3])
        >>> found.pattern, found.rolled.compile_s < found.unrolled.compile_s
        ('fori_loop', True)
    """
    state = functions.state_of(entry.function)
    example = state.entries.examples.get(entry.id) if state is not None else None
    jaxpr = traced(entry)
    if state is None or example is None or jaxpr is None:
        raise OptionError("JAX no longer holds this entry's program")
    if jaxpr.effects:
        raise OptionError(f"{state.name} does more than compute (it prints or calls back): it is not run with made-up ones")
    if any(each.primitive == "while" for each in equations(jaxpr, is_users)):
        # how long that runs is for the arguments to say
        raise OptionError(f"{state.name} has a while loop: give it your own arguments, %jitlines --roll {state.name}(…)")
    facts = state.facts
    donates = facts.jit_options.donate_argnums or facts.jit_options.donate_argnames
    phases = (entry.trace_s, entry.lower_s, entry.compile_s)
    is_known = None not in phases and entry.outcome != "disk_hit" and not donates
    with as_it_was(entry.id, example):
        args, kwargs = jax.tree_util.tree_map(_made_up, (example.args, example.kwargs))
        return rolled(facts.jitted, args, kwargs, sum(filter(None, phases)) if is_known else None)


def _made_up(leaf: Any) -> Any:
    """An array in the place of a type: numbers about one, for which most functions are defined."""
    if not isinstance(leaf, jax.ShapeDtypeStruct):
        return leaf
    if not jax.dtypes.issubdtype(leaf.dtype, np.number) and leaf.dtype != np.bool_:
        raise OptionError(f"arguments of type {leaf.dtype} cannot be made up: give your own, %jitlines --roll f(…)")
    random = np.random.default_rng(0)
    if leaf.dtype == np.bool_:
        values: Any = random.random(leaf.shape) < 0.5
    elif jax.dtypes.issubdtype(leaf.dtype, np.integer):
        values = random.integers(1, 3, leaf.shape)
    else:
        values = random.uniform(0.5, 1.5, leaf.shape)
    array = np.asarray(values).astype(leaf.dtype)
    if getattr(leaf, "weak_type", False) and leaf.shape == ():
        return array.item()
    return jax.device_put(array, leaf.sharding)
