"""Forward mode (`jax.jvp`, `jax.hessian`) of a rewrite: a fixed number that was chosen has no derivative in plain Python
and one of 0 in compiled code, of which an infinite slope behind it (`sqrt` at 0) makes NaN. Reverse mode is right there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.differentiable import Leaves, leaves_of, total_of
from jupyter_jitmagic.diagnosis.proof.edges import STEEP
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun

LOST_AHEAD = "in forward mode (jax.jvp, jax.hessian) its derivative may be NaN where a fixed number is chosen"
MOST_INPUTS = 12
SHORT = 0.15  # seconds for one derivative
_LIMITS = frozenset(("max", "min", "clamp"))

Flags = list[tuple[bool, bool]]
"""Of values: whether a float argument takes part in it; whether it may be a fixed number in its place."""


def lost_ahead(
    plain: Plain,
    rewrite: Callable[..., Any],
    program: Any,
    inputs: Sequence[Input],
    static: Sequence[str | int],
    seconds: float,
) -> str:
    """LOST_AHEAD where the derivative of a rewrite is not finite on one of these inputs, and plain Python's is; else "".
    `program` is its trace."""
    leaves = leaves_of(plain.function, inputs[0], static) if inputs else None
    if leaves is None or not leaves.values or not uncompiled.can_run():
        return ""
    if not meets_a_slope(program.jaxpr.jaxpr, [(k in leaves.places, False) for k in range(len(program.jaxpr.jaxpr.invars))]):
        return ""
    deadline = Deadline(seconds)
    try:
        ahead = rerun(lambda: jax.jit(_derivative(rewrite, leaves)).trace(leaves.values, leaves.others), seconds)
    except (Exception, OutOfTime, Effect):
        return ""  # what has no forward mode is told of as having no derivative
    for given in inputs[:MOST_INPUTS]:
        each = leaves_of(plain.function, given, static)
        try:
            got = rerun(lambda: uncompiled.evaluate(ahead, each.one_by_one(), Deadline(SHORT)))  # noqa: B023
            if not np.isfinite(got) and np.isfinite(_of_plain(plain, each)):
                return LOST_AHEAD
        except (Exception, OutOfTime, Effect):
            continue
        if deadline.over():
            break
    return ""


def _of_plain(plain: Plain, leaves: Leaves) -> Any:
    """Plain Python's derivative, by NumPy, or by JAX where that cannot tell."""
    derivative = _derivative(plain.function, leaves)
    if plain.agrees():
        same = leaves.same("plain derivative")
        found = plain.computed(lambda each: derivative(*each), [leaves.values, leaves.others], SHORT, same)
        if found is not None:
            return found
    return rerun(lambda: derivative(leaves.values), SHORT * 4)


def _derivative(fun: Callable[..., Any], leaves: Leaves) -> Callable[..., Any]:
    """The derivative of all that `fun` gives, along a way that is different in each element."""
    total = total_of(fun, leaves)

    def derivative(values: list[Any], others: list[Any] = leaves.others) -> Any:
        ways = [jnp.asarray(1 + np.arange(np.size(value)).reshape(np.shape(value)), value.dtype) for value in values]
        return jax.jvp(lambda each: total(each, others), (values,), (ways,))[1]

    return derivative


def meets_a_slope(jaxpr: Any, given: Flags) -> bool:
    """Whether a fixed number that may be chosen meets a slope that may be infinite."""
    return _through(jaxpr, given)[0]


def _through(jaxpr: Any, given: Flags) -> tuple[bool, Flags]:
    """The same, and the flags of a program's results."""
    known = dict(zip(jaxpr.invars, given, strict=True))

    def flags(atom: Any) -> tuple[bool, bool]:
        return (False, False) if hasattr(atom, "val") else known.get(atom, (False, False))

    for equation in jaxpr.eqns:
        name, params = equation.primitive.name, equation.params
        operands = list(map(flags, equation.invars))
        active, chosen = any(a for a, _ in operands), any(c for _, c in operands)
        inner = params.get("jaxpr", params.get("call_jaxpr"))
        results = [(active, chosen)] * len(equation.outvars)
        if name == "cond":
            found = [_through(branch.jaxpr, operands[1:]) for branch in params["branches"]]
            if any(meets for meets, _ in found):
                return True, []
            results = [_one_of(list(ways)) for ways in zip(*(out for _, out in found), strict=True)]
        elif inner is not None and len(getattr(inner, "jaxpr", inner).invars) == len(operands):
            meets, results = _through(getattr(inner, "jaxpr", inner), operands)
            if meets:
                return True, []
            if name == "scan":
                results = [(a or active, c or chosen) for a, c in results]
        elif name == "select_n":
            results = [_one_of(operands[1:])]
        elif name in _LIMITS:
            results = [_one_of(operands)]
        elif name in STEEP and (operands[-1][1] if name == "div" else chosen):
            return True, []
        known.update(zip(equation.outvars, results, strict=True))
    return False, list(map(flags, jaxpr.outvars))


def _one_of(ways: Flags) -> tuple[bool, bool]:
    """The flags of what is one of these."""
    active = any(a for a, _ in ways)
    return active, any(c for _, c in ways) or (active and not all(a for a, _ in ways))
