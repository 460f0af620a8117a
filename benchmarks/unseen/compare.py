"""Whether two results are the same, at tolerances by dtype; what differs, in a word and in numbers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

TOLERANCES = {2: 1e-2, 4: 1e-4, 8: 1e-6}
"""Relative, by the bytes of a float; absolute ones are ten times smaller, beside the largest number."""
MOST_CHANGED = 125
"""Calls with changed numbers, at most."""


def difference(got: Any, want: Any, may_be_float: bool = False) -> str:
    """ "" where both are the same: structure, shape, kind of dtype and values, NaN beside NaN.

    `may_be_float`: plain Python gives an integer here and floats on other calls of these types; a program has one dtype.
    """
    got_leaves, got_tree = jax.tree_util.tree_flatten(got)
    want_leaves, want_tree = jax.tree_util.tree_flatten(want)
    if got_tree != want_tree:
        return f"structure {got_tree}, not {want_tree}"
    for one, other in zip(got_leaves, want_leaves, strict=True):
        if found := leaf_difference(one, other, may_be_float):
            return found
    return ""


def leaf_difference(got: Any, want: Any, may_be_float: bool = False) -> str:
    if isinstance(want, str) or isinstance(got, str):
        return "" if got == want else f"{got!r}, not {want!r}"
    one, other = np.asarray(got), np.asarray(want)
    if one.shape != other.shape:
        return f"shape {one.shape}, not {other.shape}"
    if _kind(one) != _kind(other) and not (_kind(one) == "f" and _kind(other) == "i" and (may_be_float or type(want) is int)):
        return f"dtype {one.dtype}, not {other.dtype}"
    if _kind(other) != "f" and _kind(one) != "f":
        return "" if np.array_equal(one, other) else f"{_short(one)}, not {_short(other)}"
    size = min(array.dtype.itemsize for array in (one, other) if _kind(array) == "f")
    tolerance = TOLERANCES.get(size, 1e-4)
    finite = np.abs(other[np.isfinite(other)])
    scale = max(1.0, float(finite.max())) if finite.size else 1.0
    same = np.allclose(one, other, rtol=tolerance, atol=tolerance / 10 * scale, equal_nan=True)
    return "" if same else f"{_short(one)}, not {_short(other)}"


def _kind(array: np.ndarray) -> str:
    return {"V": "f", "u": "i"}.get(array.dtype.kind, array.dtype.kind)


def signature(args: tuple, kwargs: dict) -> tuple[Any, ...]:
    """The types of a call's arguments."""
    leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
    return str(tree), *((type(leaf).__name__, getattr(leaf, "dtype", None), np.shape(leaf)) for leaf in leaves)


def changed_numbers(args: tuple, kwargs: dict) -> list[tuple[tuple, dict]]:
    """Calls of the same types with other numbers, some of them changed in one way and the others in another: to take other
    branches."""
    leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
    numbers = [number for number, leaf in enumerate(leaves) if _kind(np.asarray(leaf)) in "if"]
    changes: list[Callable[[Any], Any]] = [lambda v: v, lambda v: -v, lambda v: v * 0, lambda v: v + 100, lambda v: v - 100]
    found = []
    for chosen in itertools.islice(itertools.product(changes, repeat=len(numbers)), 1, MOST_CHANGED):
        changed = list(leaves)
        for number, change in zip(numbers, chosen, strict=True):
            changed[number] = change(changed[number])
        found.append(jax.tree_util.tree_unflatten(tree, changed))
    return found


def has_floats(result: Any) -> bool:
    return any(_kind(np.asarray(leaf)) == "f" for leaf in jax.tree_util.tree_leaves(result))


def _short(array: np.ndarray) -> str:
    return " ".join(np.array2string(array, precision=5, threshold=12).split())
