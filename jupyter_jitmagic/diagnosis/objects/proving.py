"""The proof that a function writes the same to its objects as before: both are run on copies, twice in a row."""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.objects.attributes import attributes_of, copied, put
from jupyter_jitmagic.diagnosis.objects.lifted_text import Lifted
from jupyter_jitmagic.diagnosis.objects.lifting import Lifting
from jupyter_jitmagic.diagnosis.proof.arguments import Input, static_split
from jupyter_jitmagic.diagnosis.proof.differing import differs
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun

MOST_INPUTS = 8
FEWEST_INPUTS = 2
ROUNDS = 2  # the second call sees what the first has written

_OBJECT = "the object itself"


@dataclass(frozen=True)
class Beside:
    """The user's function, its objects (of which each run gets copies), and what stands for it."""

    call: Call
    function: types.FunctionType
    objects: Mapping[str, Any]
    main: Lifted
    lifting: Lifting

    def run(self, function: types.FunctionType, given: Input) -> list[Any]:
        """(result, attributes) after each of the calls of a function with an input of the function of the attributes."""
        objects = _copies(self.objects)
        for (path, _), value in zip(self.main.inputs.items(), given.args, strict=False):
            put(objects, path, fresh(value))
        names = dict(zip(self.main.parameters, given.args[len(self.main.inputs) :], strict=False))
        found = []
        for _ in range(ROUNDS):
            result = function(**objects, **fresh(names), **fresh(given.kwargs))
            result = _OBJECT if any(result is each for each in objects.values()) else result
            held = {(name, *path): value for name, each in objects.items() for path, value in attributes_of(each).items()}
            found.append((jax.block_until_ready(result), {path: _kept(value) for path, value in held.items()}))
        return found


def compared(
    beside: Beside,
    inner: Call,
    static: tuple[str, ...],
    plainly: types.FunctionType,
    compiled: types.FunctionType,
    seconds: float,
    *,
    everywhere: bool,
) -> int | None:
    """On how many inputs the objects hold the same afterwards; None where they do not.

    Args:
        beside: the user's function.
        inner: the call of the function of the attributes; `static`: its static arguments.
        plainly: the new function, nothing of it compiled or rewritten: compared on varied inputs.
        compiled: the new function as it is proposed: compared on the call's own input, or `everywhere`.
        seconds: for all of it.
    """
    variations = Variations(inner.args, inner.kwargs, static_split(inner.fun, inner.args, inner.kwargs, static))
    time = Deadline(seconds)
    count = 0
    for given in variations.core():
        own = count == 0
        try:
            want = rerun(functools.partial(beside.run, beside.function, given), float("inf") if own else max(time.left(), 0.1))
        except (Exception, OutOfTime, Effect):
            if own:
                return None
            continue
        for new in (plainly, compiled) if own or everywhere else (plainly,):
            try:
                got = rerun(functools.partial(beside.run, new, given))
            except (Exception, OutOfTime, Effect):
                return None
            if not _same(got, want):
                return None
        count += 1
        if count >= MOST_INPUTS or (time.over() and count >= FEWEST_INPUTS):
            break
    return count or None


def _copies(objects: Mapping[str, Any]) -> dict[str, Any]:
    return {name: copied(each) for name, each in objects.items()}


def _kept(value: Any) -> Any:
    """A value as it is now."""
    return fresh(list(value) if type(value) is list else value)


def _same(got: list[Any], want: list[Any]) -> bool:
    for (a, held), (b, wanted) in zip(got, want, strict=True):
        if differs(_exact(a), _exact(b)) or held.keys() != wanted.keys():
            return False
        for path, value in wanted.items():
            if held[path] is not value and differs(_exact(held[path]), _exact(value)):
                return False
    return True


def _exact(value: Any) -> Any:
    """A result with the dtypes that JAX has."""

    def of(leaf: Any) -> Any:
        return leaf.astype(jax.dtypes.canonicalize_dtype(leaf.dtype)) if isinstance(leaf, np.ndarray) else leaf

    return jax.tree_util.tree_map(of, value)
