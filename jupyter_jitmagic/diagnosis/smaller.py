"""A call with fewer rounds and shorter arrays than the user's: where plain Python takes too long to be run often it is run
there, and on the call itself once (`rewrites.whole`)."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import thread_time as clock
from types import FunctionType
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.call.calls import Call, bind
from jupyter_jitmagic.diagnosis.proof.arguments import MAX_BYTES, bytes_of
from jupyter_jitmagic.diagnosis.proof.leaves import in_shape
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.usercode.held import names_in

LONG_S = 0.3
"""Of a run over the function; from here on a call with fewer rounds is looked for."""
_MANY, _MOST = 50, 10_000_000
"""What may be a number of rounds, or of elements along an axis."""
_FEW, _APART = (40, 12), 4
"""So many are left of the smallest of them, and of each other a few more: what was different stays so."""
_SHORT_S = 0.15
"""Of a run with these, else fewer are tried: there may be a loop within another."""
_NEAR = 2
"""`n` and `n - 1` go together."""


@dataclass(frozen=True)
class Smaller:
    """`given`: arguments that the call leaves out, which are given here; `sizes`: what its sizes are in the user's own."""

    call: Call
    given: frozenset[str]
    sizes: dict[int, int]


def smaller_call(call: Call, seconds: float) -> Smaller | None:
    """The call with fewer rounds that plain Python takes; None where none is found.

    Args:
        seconds: what a run of it may take.

    Example:
        >>> smaller_call(bind(simulate, (jnp.ones(4000),), {}), 0.5).call.args[0].shape
        (40,)
    """
    if bytes_of((call.args, call.kwargs)) > MAX_BYTES:
        return None  # it would not be run once
    found = None
    for arrays, counts in ((True, True), (False, True), (True, False)):
        for few in _FEW:
            try:
                smaller = _with(call, arrays, counts, few)
                if smaller is None:
                    break
                begin = clock()
                rerun(functools.partial(_run, smaller.call), seconds)
            except OutOfTime:  # still too many rounds
                continue
            except (Exception, Effect):  # sizes that hang together in another way
                break
            if clock() - begin < _SHORT_S:
                return smaller
            found = smaller
        if found is not None:
            return found
    return None


def _run(call: Call) -> None:
    jax.block_until_ready(call.fun(*fresh(call.args), **fresh(call.kwargs)))


def _with(call: Call, arrays: bool, counts: bool, few: int) -> Smaller | None:
    """The call with shorter arrays, smaller counts, or both; None if it has nothing large of the kind."""
    left_out, outside = (_counts_left_out(call), _counts_outside(call)) if counts else ({}, {})
    sizes = _sizes(call, arrays, {**left_out, **outside}, counts, few)
    if not sizes:
        return None
    made = functools.partial(_made, sizes=sizes, arrays=arrays, counts=counts)
    args, kwargs = jax.tree_util.tree_map(made, (call.args, call.kwargs))
    given = {name: sizes[number] for name, number in left_out.items()}
    named = bind(call.fun, args, {**kwargs, **given}, call.declared)
    fun = _beside(call.fun, {name: sizes[number] for name, number in outside.items()})
    less = replace(call, fun=fun, args=args, kwargs={**kwargs, **given}, arguments=named.arguments)
    return Smaller(less, frozenset(given), {each: size for size, each in sizes.items()})


def _counts_left_out(call: Call) -> dict[str, int]:
    """Parameters whose default may be a number of rounds, and that the call leaves to it."""
    try:
        parameters = inspect.signature(call.fun).parameters
    except (TypeError, ValueError):
        return {}
    named = {argument.name for argument in call.arguments}
    by_name = (each for each in parameters.values() if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY))
    return {each.name: each.default for each in by_name if each.name not in named and _is_count(each.default)}


def _counts_outside(call: Call) -> dict[str, int]:
    """Globals that the function reads itself and that may be a number of rounds, as the constants of a notebook."""
    if type(call.fun) is not FunctionType:
        return {}
    held = call.fun.__globals__
    return {name: held[name] for name in names_in(call.fun) if _is_count(held.get(name))}


def _beside(fun: Callable[..., Any], values: Mapping[str, int]) -> Callable[..., Any]:
    """The function with globals of its own, in which these have other values."""
    if not values or not isinstance(fun, FunctionType):
        return fun
    made = FunctionType(fun.__code__, {**fun.__globals__, **values}, fun.__name__, fun.__defaults__, fun.__closure__)
    for name in (*functools.WRAPPER_ASSIGNMENTS, "__kwdefaults__"):
        setattr(made, name, getattr(fun, name))
    return made


def _is_count(value: Any) -> bool:
    return type(value) is int and _MANY <= value <= _MOST


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray) and leaf.ndim > 0


def _sizes(call: Call, arrays: bool, left_out: Mapping[str, int], counts: bool, few: int) -> dict[int, int]:
    """What each large number becomes, the smallest first."""
    found = set(left_out.values())
    for leaf in jax.tree_util.tree_leaves((call.args, call.kwargs)):
        if arrays and _is_array(leaf):
            found |= {size for size in leaf.shape if size >= _MANY}
        elif counts and _is_count(leaf):
            found.add(leaf)
    sizes: dict[int, int] = {}
    last = -_MOST
    few -= _APART
    for size in sorted(found):
        few += size - last if size - last <= _NEAR else _APART
        sizes[size] = few
        last = size
    return sizes


def _made(leaf: Any, sizes: Mapping[int, int], arrays: bool, counts: bool) -> Any:
    if arrays and _is_array(leaf):
        shape = tuple(sizes.get(size, size) for size in leaf.shape)
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.extended):
            return leaf[tuple(map(slice, shape))]  # random keys
        return in_shape(leaf, shape) if shape != leaf.shape else leaf
    return sizes.get(leaf, leaf) if counts and type(leaf) is int else leaf
