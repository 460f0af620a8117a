"""Changes of the numbers of an array: what makes another input of one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

LARGE_APART = 97


def set_to(number: float) -> Callable[[Any], Any]:
    return lambda values: values * 0 + number


def scaled(factor: float) -> Callable[[Any], Any]:
    return lambda values: values * factor


def apart(share: float) -> Callable[[Any], Any]:
    """A change of each number by such a share at most, equal ones alike, others each by another. Short ones stay, as with them
    sums and products are exact."""

    def change(values: Any) -> Any:
        short = ~np.isfinite(values) | (values * _SHORT == np.round(values * _SHORT))
        return values * (1 + share * np.where(short, 0, np.cos(_STEEP * np.where(short, 0, np.abs(values)))))

    return change


_SHORT, _STEEP = 1 << 10, 997


def with_one(number: float) -> Callable[[Any], Any]:
    """A change of the element in the middle to a number."""

    def change(values: Any) -> Any:
        (values := np.array(values)).reshape(-1)[values.size // 2] = number
        return values

    return change


def unit(values: Any) -> Any:
    """A single number 1, an array 1 in its first place and 0 in all others: of length 1, as an axis is."""
    (made := np.zeros_like(values)).reshape(-1)[:1] = 1
    return made


def below_zero(values: Any) -> Any:
    return values if np.iscomplexobj(values) else -np.abs(values) - 0.5


def above_zero(values: Any) -> Any:
    return values if np.iscomplexobj(values) else np.abs(values) + 1


def with_nan(values: Any) -> Any:
    values = np.array(values)
    values.reshape(-1)[values.size // 2] = np.nan
    return values


def with_two_nan(values: Any) -> Any:
    """They are not equal, and are one to some functions, as `unique`."""
    values = np.array(values)
    values.reshape(-1)[values.size // 2 :][:2] = np.nan
    return values


def with_infinities(first: int, last: int, values: Any) -> Any:
    (values := np.array(values)).reshape(-1)[[0, -1]] = first * np.inf, last * np.inf
    return values


def infinite_and_zero(values: Any) -> Any:
    (values := with_infinities(1, 1, values)).reshape(-1)[1::2][: values.size // 2 - 1] = 0
    return values


def with_nan_first(values: Any) -> Any:
    values = np.array(values)
    values.reshape(-1)[0] = np.nan
    return values


def with_nan_last(values: Any) -> Any:
    values = np.array(values)
    values.reshape(-1)[-1] = np.nan
    return values


def lone(values: Any) -> Any:
    """Numbers of an array's own, of which one stands alone, at the end, and the others are alike."""
    alike = np.full_like(values, values.min())
    alike.reshape(-1)[-1] = values.max()
    return alike


def counted_back(values: Any) -> Any:
    """Numbers below 0 of the same sizes; -1 for 0."""
    return -np.abs(values) - (values == 0)


def first_largest(values: Any) -> Any:
    """The largest of an array's numbers at its first place."""
    return _first(values, np.nanmax(values) + 1)


def first_smallest(values: Any) -> Any:
    """The smallest of an array's numbers at its first place."""
    return _first(values, np.nanmin(values) - 1)


def _first(values: Any, number: Any) -> Any:
    changed = np.array(values)
    changed.reshape(-1)[0] = number
    return changed


def doubled(values: Any) -> Any:
    """The first half of an array's numbers, each of them twice: equal ones stand apart, and most limits let some pass."""
    return np.resize(values.reshape(-1)[: (values.size + 1) // 2], values.shape) if values.ndim else values


def doubled_above(values: Any) -> Any:
    """The same beside single numbers that are below all of them, as a limit that lets everything pass."""
    return doubled(values) if values.ndim else -np.abs(values) - 1e3


def leveled(values: Any) -> Any:
    """Its first number all through."""
    return np.full_like(values, values.reshape(-1)[0]) if values.size else values


def every_second_zero(values: Any) -> Any:
    return values * (np.arange(values.size).reshape(values.shape) % 2)


def large(scale: int) -> Callable[[Any], Any]:
    """A change to numbers about `scale`, all different, which keep their signs."""

    def change(values: Any) -> Any:
        apart = 1 + np.arange(np.size(values)).reshape(np.shape(values)) % LARGE_APART
        return np.where(values < 0, -apart, apart) * scale

    return change


def near_the_end(values: Any) -> Any:
    """The largest numbers of 32 bits, all different: hardly anything can be added to one."""
    return 2**31 - 1 - np.arange(np.size(values)).reshape(np.shape(values)) % LARGE_APART


def cancelling(values: Any) -> Any:
    """Floats of which the large ones cancel each other: 32 bits lose those between them."""
    return np.resize((1e8, 1.0, -1e8), np.shape(values))


def _around(start: int, values: Any) -> Any:
    return np.roll(np.resize((1.0, 0.0, 2.0, -1.0), np.shape(values)), start)


def _alike(number: int, values: Any) -> Any:
    return np.full(np.shape(values), float(number))


AT_LIMITS = tuple(functools.partial(change, k) for change, k in ((_around, 1), (_around, -1), (_alike, 2), (_alike, 0)))
"""Changes that put floats at 0 and 1 and past them, as probabilities are not meant to be."""


QUARTER_TURNS = (90.0, 180.0, -90.0)


def _spread(values: Any) -> Any:
    """`np.nanstd`, in a fifth of the time that it takes for a few numbers."""
    missing = np.isnan(values)
    if not missing.any():
        apart = values - np.add.reduce(values, axis=None) / np.size(values)
        return np.sqrt(np.add.reduce((apart * np.conjugate(apart)).real, axis=None) / np.size(values))
    return np.nanstd(values) if not missing.all() else np.nan


def noise(seed: int) -> Callable[[Any], Any]:
    """A change that adds noise of the values' own size."""
    generator = np.random.default_rng(seed)

    def change(values: Any) -> Any:
        with np.errstate(all="ignore"):
            scale = (_spread(values) or np.nanmax(np.abs(values)) or 1.0) if np.size(values) else 1.0
        return values + generator.normal(size=np.shape(values)) * (scale if np.isfinite(scale) else 1.0)

    return change
