"""Elements of an array, read and written by NumPy where its rules are JAX's: at numbers within bounds, slices and masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.uncompiled.programs import Values, Watch


def is_simple(part: Any) -> bool:
    """Whether an index that is no array of a run, or a part of one, is taken by NumPy as by JAX."""
    if type(part) is slice:
        return all(end is None or type(end) is int for end in (part.start, part.stop, part.step))
    return type(part) is int or part is None or part is Ellipsis


def is_number(aval: Any, value: Any) -> bool:
    """Whether an array of a run is a single index."""
    return aval.shape == () and type(value) is np.ndarray and value.dtype.kind in "iu"


class Place:
    """An index; those of its parts that are arrays of a run are given with each run.

    Args:
        parts: the index as a tuple.
        is_array: whether a part is an array of a run.

    Raises:
        IndexError: (of its methods) a number is out of bounds, for which JAX has rules of its own.
    """

    def __init__(self, parts: Sequence[Any], is_array: Callable[[Any], bool]) -> None:
        if not any(part is Ellipsis for part in parts):
            parts = (*parts, Ellipsis)  # so that NumPy gives an array of a single number, too
        self._parts = [None if is_array(part) else (part,) for part in parts]

    def index(self, numbers: Values) -> tuple[Any, ...]:
        """The index that NumPy takes, with these numbers in it."""
        given = iter(numbers)
        return tuple(part[0] if part is not None else int(next(given)) for part in self._parts)

    def read(self, args: Values, watch: Watch | None = None) -> Values:
        """The elements, of (array, numbers…)."""
        return [args[0][self.index(args[1:])]]

    def written(self, args: Values, watch: Watch | None = None) -> Values:
        """The array with other elements, of (array, numbers…, elements).

        Raises:
            ValueError: they have other shapes.
        """
        made, elements = args[0].copy(), args[-1]
        index = self.index(args[1:-1])
        _refuse_more_axes(elements, made[index])
        made[index] = elements
        return [made]

    def added(self, args: Values, watch: Watch | None = None) -> Values:
        """Likewise, with their sum."""
        made, elements = args[0].copy(), args[-1]
        index = self.index(args[1:-1])
        _refuse_more_axes(elements, made[index])
        made[index] += elements
        return [made]


def _refuse_more_axes(elements: Any, place: Any) -> None:
    if elements.ndim > place.ndim:
        raise ValueError("more axes than the place has")


def fits_into(aval: Any, other: Any) -> bool:
    """Whether elements of the one kind are written into an array of the other (`other`: a number of Python's, or an aval) with
    nothing but the one conversion that NumPy makes."""
    dtype = aval.dtype
    if not isinstance(dtype, np.dtype) or dtype.kind not in "biuf" or dtype.itemsize == 2:
        return False
    if isinstance(other, bool):
        return dtype.kind == "b"
    if isinstance(other, int):
        low, high = (0, 0) if dtype.kind == "b" else (-(2**24), 2**24) if dtype.kind == "f" else _range(dtype)
        return dtype.kind != "b" and low <= other <= high
    if isinstance(other, float):
        return dtype.kind == "f"
    return bool(other.dtype == dtype)


def _range(dtype: Any) -> tuple[int, int]:
    return int(jax.numpy.iinfo(dtype).min), int(jax.numpy.iinfo(dtype).max)
