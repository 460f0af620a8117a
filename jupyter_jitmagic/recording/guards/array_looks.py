"""What can be seen of an array that a trace has read, without keeping it alive or waiting for it for long."""

from __future__ import annotations

import time
import weakref
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.arrays import is_ready
from jupyter_jitmagic.base.looking import attribute, is_a
from jupyter_jitmagic.base.values import digest

_SAMPLE = 4096
"""Elements that are looked at."""
_DIGESTED = 4_000_000
"""Bytes of a NumPy array, which may change in place, that are all looked at (some 4 ms)."""
_FETCHED = 1 << 20
"""Bytes of an array on an accelerator that are fetched for a comparison (some tenths of a millisecond)."""
_SOON = 1e-3  # seconds to wait for an array that was computed just now


class Numbers:
    """The numbers of one array as they were seen.

    Equal are those of one array of JAX's, which never changes, and those that look the same. An array whose computation goes on
    (`pending`) is taken as equal: nothing is said that is not known. One that was not looked at is equal to itself alone.

    Attributes:
        exact: all of it was looked at, so that equal means equal.
        unseen: nothing of it was.
    """

    __slots__ = ("_pending", "_ref", "_sample", "exact")

    def __init__(self, value: Any, sample: bytes | None = None, exact: bool = False, pending: bool = False) -> None:
        self._ref = weakref.ref(value) if is_a(value, jax.Array) else None
        self._sample, self.exact, self._pending = sample, exact, pending

    @property
    def unseen(self) -> bool:
        return self._sample is None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Numbers):
            return False
        mine, theirs = self._ref and self._ref(), other._ref and other._ref()
        if (mine is not None and mine is theirs) or self._pending or other._pending:
            return True
        return self._sample is not None and self._sample == other._sample

    def __hash__(self) -> int:
        return 0  # pending ones are equal to all


def array_looks(value: Any) -> tuple[Any, ...]:
    """An array by up to 4096 elements where the host can read them soon, else as itself."""
    described: tuple[Any, ...] = (tuple(value.shape), str(value.dtype), type(value).__name__)
    if is_a(value, jax.core.Tracer):  # left behind by a trace that has ended
        return (*described, id(value))
    if is_a(value, jax.Array):
        described = (*described, getattr(value, "weak_type", False), str(value.sharding), getattr(value, "committed", True))
    try:
        return (*described, _numbers(value))
    except Exception:
        return (*described, id(value))


def _numbers(value: Any) -> Numbers:
    if is_a(value, np.ndarray):
        return Numbers(value) if value.dtype.hasobject else _sampled(value, np.ndarray.view(value, np.ndarray))
    numbers = jax.random.key_data(value) if jax.dtypes.issubdtype(value.dtype, jax.dtypes.extended) else value
    if not _is_near(numbers) or (ready := _is_ready_soon(numbers)) is None:
        return Numbers(value)
    return _sampled(value, np.asarray(numbers)) if ready else Numbers(value, pending=True)


def _is_near(array: Any) -> bool:
    return bool({device.platform for device in array.devices()} == {"cpu"} or array.nbytes <= _FETCHED)


def _is_ready_soon(array: Any) -> bool | None:
    end = time.perf_counter() + _SOON
    while not (ready := is_ready(array)) and ready is not None and time.perf_counter() < end:
        time.sleep(_SOON / 10)
    return ready


def _sampled(value: Any, seen: np.ndarray[Any, Any]) -> Numbers:
    whole = seen.size <= _SAMPLE or (is_a(value, np.ndarray) and seen.nbytes <= _DIGESTED)
    step = 1 if whole else -(-seen.size // _SAMPLE)
    return Numbers(value, digest(np.ascontiguousarray(seen.reshape(-1)[::step]).tobytes()), exact=whole)


def differ_unseen(one: Any, other: Any) -> bool:
    """Whether two fingerprints that are not equal differ in arrays alone of which the numbers were not seen."""
    if isinstance(one, Numbers) and isinstance(other, Numbers):
        return one == other or one.unseen or other.unseen
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(differ_unseen, one, other))
    return bool(attribute(one, "__class__") is attribute(other, "__class__") and one == other)
