"""Inputs in which what was in order is so no more: a search among points gives any place there, in plain Python as well. And
ints for floats in the same order: what compares them decides as it did."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.leaves import kind_of

UNORDERED = "unordered"  # of `Step.excludes`: what the function searches is in order on the call


def loses_order(own: Input, given: Input) -> bool:
    """Whether an array that is in order on the call is not on this input, or has equal elements here alone; NaN has no place
    in an order."""
    (before, tree), (after, other) = (jax.tree_util.tree_flatten((each.args, each.kwargs)) for each in (own, given))
    if tree != other:
        return False  # an argument was left out: what stands where is not known
    pairs = zip(before, after, strict=True)
    orders = (np.greater, np.greater_equal)
    return any(
        np.ndim(a) == 1 and kind_of(a) in ("f", "i") and any(_in_order(a, each) and not _in_order(b, each) for each in orders)
        for a, b in pairs
    )


def _in_order(values: object, order: np.ufunc) -> bool:
    array = np.asarray(values)
    return array.ndim == 1 and array.dtype.kind in "iuf" and bool(np.all(order(array[1:], array[:-1])))


def fits_an_int(value: Any) -> bool:
    """Whether a number is finite, and as an int one that jit takes: 1e17 written as an int is refused as an argument."""
    most = float(np.iinfo(jax.dtypes.canonicalize_dtype(np.int64)).max)
    return bool(np.isfinite(np.asarray(value)) and abs(float(np.asarray(value))) < most)


def whole_near(number: Any) -> int:
    """The int next to a number, 0 for 0 alone.

    Example:
        >>> whole_near(0.1), whole_near(-2.7)
        (1, -3)
    """
    value = float(number)
    return round(value) or (int(math.copysign(1, value)) if value else 0)


def stays_beside(number: Any, whole: int, other: Any) -> bool:
    """Whether an int in a number's place compares with another number as it did."""
    a, b = float(number), np.real(other)
    return bool((a < b) == (whole < b) and (a > b) == (whole > b))


def whole_in_order(numbers: Mapping[int, Any]) -> dict[int, int]:
    """Ints in the places of numbers: two that differ still do, and the smaller stays the smaller.

    Example:
        >>> whole_in_order({0: 0.8, 1: 0.1})
        {1: 1, 0: 2}
    """
    found: dict[int, int] = {}
    before: tuple[float, int] | None = None
    for k in sorted(numbers, key=lambda each: float(numbers[each])):
        value, whole = float(numbers[k]), whole_near(numbers[k])
        if before is not None:
            whole = before[1] if value == before[0] else max(whole, before[1] + 1)
        found[k], before = whole, (value, whole)
    return found
