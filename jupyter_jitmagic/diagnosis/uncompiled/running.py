"""Running the user's function without compiling, operation by operation on NumPy.

An operation that JAX runs by itself is compiled first, for every shape anew, which takes longer than a whole trace. So that a
rewrite can be compared on many inputs, arrays of other sizes and by its gradients, both sides are computed with NumPy where it
has the operation (`programs`), and by JAX where it has not. Python gets every value that it asks for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.uncompiled.programs import (
    Values,
    Watch,
    as_operand,
    evaluate,
    plain_value,
    program_of,
)
from jupyter_jitmagic.diagnosis.uncompiled.recorded import Recorder, Recordings, Tape
from jupyter_jitmagic.diagnosis.uncompiled.shared import Shared, chooses, set_element
from jupyter_jitmagic.diagnosis.uncompiled.tracing import PARTS, Trace, Tracer
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.order_of_keys import in_order_of


def can_run() -> bool:
    return PARTS is not None


def run(
    fun: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    deadline: Deadline,
    watch: Watch | None = None,
    recordings: Recordings | None = None,
    same: Hashable = None,
    shared: Shared | None = None,
    tape: Tape | None = None,
) -> Any:
    """What plain Python gives for `fun(*args, **kwargs)`: its arrays become NumPy's, and come back as those. `watch`, on that
    deadline, counts the operations. With `recordings` it is not run where a run that is known tells; functions for which `same`
    is equal do the same. With `shared`, elements of arrays can be set (`set_in_place`). `tape`
    gets what was computed, if that could be written down.

    Raises:
        OutOfTime: the deadline is over.
    """
    warned = set(np.geterr().values()) <= {"ignore", "warn"}
    trace = Trace(watch or Watch(deadline), warned, shared)
    leaves, tree = jax.tree_util.tree_flatten((tuple(args), dict(kwargs)))
    arrays = {k: plain_value(leaf) for k, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)}
    start = recordings.start(same, (tuple(args), dict(kwargs))) if recordings is not None else None
    if recordings is not None and start is None and tape is not None:
        recordings = recordings.empty()
        start = recordings.start(same, (tuple(args), dict(kwargs)))
    if recordings is not None and start is not None:
        with np.errstate(all="ignore"):
            found = recordings.again(start, list(arrays.values()), trace.watch, tape)
        if found is not None:
            return found[0]
        trace.record = Recorder(recordings, start, len(arrays))
    for place, (k, value) in enumerate(arrays.items()):
        leaves[k] = Tracer(trace, PARTS.typeof(leaves[k]), value, place)
    if shared is not None:
        shared.given([leaves[k] for k in arrays])
    given_args, given_kwargs = in_order_of((tuple(args), dict(kwargs)), jax.tree_util.tree_unflatten(tree, leaves))
    try:
        with PARTS.set_current_trace(trace), _unwarned(warned):
            out = fun(*given_args, **given_kwargs)
        if trace.record is not None:
            trace.record.ends(out, lambda leaf: leaf.place if type(leaf) is Tracer and leaf._trace is trace else None)
    finally:
        if trace.record is not None:
            trace.record.over = True  # whoever still holds an array of this run asks no question of it
    if tape is not None and recordings is not None and start is not None:
        with np.errstate(all="ignore"), contextlib.suppress(Exception):
            recordings.tell(start, list(arrays.values()), trace.watch, tape)
    return jax.tree_util.tree_map(lambda leaf: leaf.value if isinstance(leaf, Tracer) else leaf, out)


def value_of(leaf: Any) -> Any:
    """What an array of a run holds, for those who watch it: nothing is asked for, so nothing of it is written down. None for
    what is no array of a run."""
    return leaf.value if can_run() and type(leaf) is Tracer else None


def run_of(leaf: Any) -> Any:
    """The run of which something is an array, or None."""
    return leaf._trace if can_run() and type(leaf) is Tracer else None


def set_in_place(array: Any, index: Any, value: Any) -> Any:
    """`array[index] = value`, of an array of a run whose arrays are changed as NumPy's are; gives what holds it. Where the run
    is differentiated, that is another array."""
    if type(array) is not Tracer or any(
        isinstance(leaf, jax.core.Tracer) and type(leaf) is not Tracer for leaf in jax.tree_util.tree_leaves(value)
    ):
        return array.at[index].set(value)
    if array._trace.shared is None:
        array[index] = value  # as JAX refuses it
    array._trace.watch.tick()
    set_element(array, index, value)
    array._trace.shared.changed(array)
    return array


def part_apart(array: Any, index: Any) -> Any:
    """`array[index]`, of which `put_back` tells the array what has become of it."""
    shared = array._trace.shared if type(array) is Tracer else None
    if shared is None:
        return array[index]
    with shared.copying():
        return array[index]


def put_back(array: Any, part: Any, index: Any) -> Any:
    """The array with what was changed of a part of it, where NumPy gives a part of the array itself for such an index."""
    if type(array) is not Tracer or type(part) is not Tracer or array._trace.shared is None or chooses(index):
        return array
    is_same = np.array_equal(part_apart(array, index).value, part.value, equal_nan=array.dtype.kind in "fc")
    return array if is_same else set_in_place(array, index, part)


def replaced_in_place(array: Any) -> None:
    """An array of such a run was changed as a whole, and another holds it now."""
    if can_run() and type(array) is Tracer and array._trace.shared is not None and array.ndim:
        array._trace.shared.changed(array, itself=True)


def through(run: Any, program: Any, given: Sequence[Any], consts: Sequence[Any]) -> list[Any]:
    """What a closed jaxpr gives for arrays of a run, as those; its constants, given apart, may be arrays of that run, too."""
    of_program, count = program_of(program.jaxpr), len(consts)

    def compute(values: Values, watch: Watch) -> Values:
        return of_program(values[:count], values[count:], watch)

    made: Any = compute
    made.open_program = program.jaxpr
    operands = [*consts, *given]
    variables = (*program.jaxpr.constvars, *program.jaxpr.invars)
    values = [
        each.value if type(each) is Tracer else as_operand(each, variable.aval)
        for each, variable in zip(operands, variables, strict=True)
    ]
    return list(run.computed(compute, operands, values, program.out_avals))


def _unwarned(once: bool) -> contextlib.AbstractContextManager[Any]:
    """NumPy's warnings of what JAX does without a word, off; they are off `once` for a whole run, but where the user has made
    errors of them for code of NumPy's own."""
    return np.errstate(all="ignore") if once else contextlib.nullcontext()


__all__ = [
    "can_run",
    "evaluate",
    "part_apart",
    "put_back",
    "replaced_in_place",
    "run",
    "run_of",
    "set_in_place",
    "through",
    "value_of",
]
