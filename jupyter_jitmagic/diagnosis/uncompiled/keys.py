"""Parts of an array of random keys: taken by NumPy from the numbers that they are made of, as JAX compiles a program for each
place (`for key in jax.random.split(key, n)`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.uncompiled.numpy_ops import reshaped

_OF_DATA: dict[str, Callable[[dict[str, Any], np.ndarray[Any, Any], int], np.ndarray[Any, Any]]] = {
    "slice": lambda params, data, axes: data[_places(params)],
    "squeeze": lambda params, data, axes: np.squeeze(data, tuple(params["dimensions"])),
    "reshape": lambda params, data, axes: reshaped(params, data, inner=axes),
}
"""By the primitive's name: the numbers of the result; `axes`: how many axes the numbers of a single key have."""
OPERATIONS = frozenset(_OF_DATA)


def of_keys(name: str, params: dict[str, Any], keys: jax.Array) -> Sequence[jax.Array]:
    """The results of one of these operations on an array of keys."""
    data = np.asarray(jax.random.key_data(keys))
    part = _OF_DATA[name](params, data, data.ndim - keys.ndim)
    return [jax.random.wrap_key_data(part, impl=jax.random.key_impl(keys))]


def _places(params: dict[str, Any]) -> tuple[slice, ...]:
    steps = params["strides"] or (1,) * len(params["start_indices"])
    return tuple(map(slice, params["start_indices"], params["limit_indices"], steps))
