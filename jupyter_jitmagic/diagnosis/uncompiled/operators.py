"""Programs of Python's operators on arrays, made ready once for each kind of operands."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jax_internals import trace_parts
from jupyter_jitmagic.diagnosis.uncompiled.programs import Operation, Watch, by_element, inner_program

_parts: Any = trace_parts()


def operator_for(name: str, avals: Sequence[Any]) -> tuple[Operation, Sequence[Any]]:
    """The program of single numbers where it serves arrays of every shape, else the one of these shapes."""
    shape = _common_shape(avals)
    found = None
    if shape is not None and name != "__matmul__":
        found = _operator_of_numbers(name, tuple(map(_as_number, avals)), *settings())
    if shape is None or found is None:
        return _operator(name, tuple(avals), *settings())
    of_numbers, number, closed = found
    made: Any = _of_shape(of_numbers, shape)
    made.numbers = closed
    return made, [number.update(shape=shape)]


@functools.lru_cache(maxsize=2048)
def _operator(name: str, avals: tuple[Any, ...], *_: Any) -> tuple[Operation, list[Any]]:
    closed = _traced(lambda array, *others: getattr(array, name)(*others), avals)
    return _of_program(closed), closed.out_avals


@functools.lru_cache(maxsize=1024)
def power_of(aval: Any, exponent: float, *_: Any) -> tuple[Operation, list[Any]]:
    closed = _traced(lambda array: array**exponent, (aval,))
    return _of_program(closed), closed.out_avals


def _of_program(closed: Any) -> Operation:
    made: Any = inner_program(closed)
    made.program = closed
    return made  # type: ignore[no-any-return]


@functools.lru_cache(maxsize=1024)
def _operator_of_numbers(name: str, avals: tuple[Any, ...], *_: Any) -> tuple[Operation, Any, Any] | None:
    """What computes the operator's program for single numbers, the result, and the program, if it is one for the elements of
    arrays as well."""
    closed = _traced(lambda array, *others: getattr(array, name)(*others), avals)
    run = by_element(closed.jaxpr) if not closed.consts else None
    return None if run is None else (run, closed.out_avals[0], closed)


def _traced(fun: Callable[..., Any], avals: Sequence[Any]) -> Any:
    with _parts.eval_context():
        given = [jax.ShapeDtypeStruct(aval.shape, aval.dtype, weak_type=aval.weak_type) for aval in avals]
        closed = jax.make_jaxpr(fun)(*given)
    if len(closed.out_avals) != 1:
        raise NotImplementedError(fun)
    return closed


def _as_number(aval: Any) -> Any:
    return aval if aval.shape == () else aval.update(shape=())


def _common_shape(avals: Sequence[Any]) -> tuple[int, ...] | None:
    """The shape that these arrays have together, beside single numbers; None where JAX has to say."""
    shapes = {aval.shape for aval in avals if aval.shape != ()}
    if len(shapes) < 2:
        return next(iter(shapes), ())
    if len(set(map(len, shapes))) > 1 and jax.config.jax_numpy_rank_promotion != "allow":
        return None
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def _of_shape(of_numbers: Operation, shape: tuple[int, ...]) -> Operation:
    def run(args: Sequence[Any], watch: Watch) -> Sequence[Any]:
        (value,) = of_numbers(args, watch)
        return [value if value.shape == shape else np.broadcast_to(value, shape)]

    return run


def settings() -> tuple[Any, ...]:
    """What else JAX makes a program by."""
    config = jax.config
    return config.jax_enable_x64, config.jax_numpy_dtype_promotion, config.jax_numpy_rank_promotion
