"""An array's or a number's values at the edges at which gradients are compared: equal, zero in part, NaN, infinite."""

from __future__ import annotations

from typing import Any

import numpy as np

from jupyter_jitmagic.base.jaxprs import kinds_of_equations

STEEP = frozenset(("sqrt", "rsqrt", "cbrt", "log", "log1p", "pow", "acos", "asin", "acosh", "atanh", "atan2", "erf_inv", "div"))
"""Operations whose slope may be infinite."""
_ENDING_AT_ONE = frozenset(("acos", "asin", "acosh", "atanh", "erf_inv"))


OUTGROWING = frozenset(("exp", "exp2", "expm1", "cosh", "sinh"))
"""Operations whose value and slope are infinite from some hundreds on."""
_FAR = 3000.0
_MOST_LIMITS = 3


def is_steep(program: Any) -> bool:
    """Whether a traced program has one of them."""
    return any(each.primitive.name in STEEP for each in kinds_of_equations(program.jaxpr))


def outgrows(program: Any) -> bool:
    """Whether a traced program has an operation whose result is soon infinite."""
    return any(each.primitive.name in OUTGROWING for each in kinds_of_equations(program.jaxpr))


def is_steep_at_one(program: Any) -> bool:
    """Whether a traced program may have an infinite slope where a number is 1: it has an operation that ends there, or takes 1
    and another from each other."""
    return any(each.primitive.name in _ENDING_AT_ONE or _leaves_of_one(each) for each in kinds_of_equations(program.jaxpr))


def _leaves_of_one(equation: Any) -> bool:
    literals = [each.val for each in equation.invars if hasattr(each, "val")]
    return equation.primitive.name == "sub" and any(np.ndim(value) == 0 and value == 1 for value in literals)


def limits_of(program: Any) -> list[float]:
    """The numbers that a traced program itself takes a minimum or a maximum with, the first few."""
    extrema = (each for each in kinds_of_equations(program.jaxpr) if each.primitive.name in ("max", "min", "clamp"))
    literals = (each.val for equation in extrema for each in equation.invars if hasattr(each, "val"))
    known = (float(value) for value in literals if np.ndim(value) == 0)
    return list(dict.fromkeys(value for value in known if np.isfinite(value)))[:_MOST_LIMITS]


def first_at(number: float, values: Any) -> Any:
    """An array of zeros after a number, so that a sum meets it as well as its first element; a single number as it is."""
    return np.where(np.arange(values.size).reshape(values.shape) > 0, 0, number) if values.ndim else values


def flat(values: Any) -> Any:
    """An array of its largest number; a single number as it is."""
    return np.full_like(values, np.nanmax(values)) if values.ndim and values.size and not np.isnan(values).all() else values


def first_zero(values: Any) -> Any:
    """An array with 0 in the place of its first element; a single number as it is."""
    return np.where(np.arange(values.size).reshape(values.shape) > 0, values, 0) if values.ndim else values


def arrays_zero(values: Any) -> Any:
    """An array of zeros; a single number as it is, as a limit below which a length counts as none."""
    return np.zeros_like(values) if values.ndim else values


def numbers_alike(values: Any) -> Any:
    """A single number 2, as all others are; an array as it is."""
    return values if values.ndim else np.full_like(values, 2)


def first_row_zero(values: Any) -> Any:
    """A matrix with zeros in the place of its first row; what has no rows as it is."""
    return np.concatenate([values[:1] * 0, values[1:]]) if values.ndim > 1 else values


def far_below(values: Any) -> Any:
    """A single number below what arrays beside it are likely to hold; an array as it is."""
    return values if values.ndim else values * 0 - np.abs(values) - 3


def far_apart(sign: int, values: Any) -> Any:
    """Numbers as far apart as logarithms of probabilities may be, those of a matrix row by row."""
    return sign * (values + _FAR * np.where(second_of_two(values), -1, 1)) if values.ndim else np.full_like(values, sign * _FAR)


def second_of_two(values: Any) -> Any:
    """Whether a row, or an element, is the second of two."""
    return np.broadcast_to((np.arange(len(values)) % 2 == 1).reshape(-1, *[1] * (values.ndim - 1)), values.shape)


def first_alone(values: Any) -> Any:
    """A mask that lets one element through: a deviation of one is 0, and with a degree of freedom less it has no value."""
    return (np.arange(values.size) == 0).reshape(values.shape)


def far_off(sign: int, values: Any) -> Any:
    """Numbers that all are as far from 0."""
    return sign * (_FAR + np.abs(values))


def nan_last(values: Any) -> Any:
    return np.where(np.arange(values.size).reshape(values.shape) == values.size - 1, np.nan, values) if values.ndim else values


def one_infinite(sign: int, values: Any) -> Any:
    middle = np.arange(values.size).reshape(values.shape) == values.size // 2
    return np.where(middle, sign * np.inf, values).astype(values.dtype) if values.ndim else values


@np.errstate(invalid="ignore")
def one_infinite_alone(values: Any) -> Any:
    return one_infinite(1, values * 0 - np.abs(values) - 3) if values.ndim else values


def all_limits(sign: int, values: Any) -> Any:
    """A single number infinite; an array as it is."""
    return values if values.ndim else np.full_like(values, sign * np.inf)


def nan_in_turn(values: Any) -> Any:
    return np.where(np.arange(values.size).reshape(values.shape) % 2 == 1, np.nan, values) if values.ndim else values


def nan_everywhere(values: Any) -> Any:
    return np.full_like(values, np.nan) if values.ndim else values


def in_pairs(values: Any) -> Any:
    """Every other number of an array in the place of the next one as well, so that the largest is there twice, and others are
    not the same."""
    array = np.asarray(values)
    if array.size < 3:
        return array
    places = np.arange(array.size)
    return array.ravel()[np.minimum(places - places % 2, array.size - 2 - array.size % 2)].reshape(array.shape)


def in_turn(values: Any) -> Any:
    """The numbers of an array one after the other, as often as each other."""
    every = np.unique(values)
    return np.resize(every, values.shape)
