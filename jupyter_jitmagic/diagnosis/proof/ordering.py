"""Inputs in which what was in order is so no more: a search among points gives any place there, in plain Python as well."""

from __future__ import annotations

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
