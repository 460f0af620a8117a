"""Parts of an array of random keys: taken by NumPy from the numbers that they are made of, as JAX compiles a program for each
place (`for key in jax.random.split(key, n)`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

_OF_DATA: dict[str, Callable[[dict[str, Any], np.ndarray[Any, Any], int], np.ndarray[Any, Any]]] = {
    "slice": lambda params, data, axes: data[_places(params)],
    "squeeze": lambda params, data, axes: np.squeeze(data, tuple(params["dimensions"])),
    "reshape": lambda params, data, axes: _reshaped(params, data, axes),
}
"""By the primitive's name: the numbers of the result; `axes`: how many axes the numbers of a single key have."""
OPERATIONS = frozenset(_OF_DATA)


def of_keys(name: str, params: dict[str, Any], keys: jax.Array) -> Sequence[jax.Array]:
    """The results of one of these operations on an array of keys."""
    data = np.asarray(jax.random.key_data(keys))
    part = _OF_DATA[name](params, data, data.ndim - keys.ndim)
    return [jax.random.wrap_key_data(part, impl=jax.random.key_impl(keys))]


def _reshaped(params: dict[str, Any], data: np.ndarray[Any, Any], axes: int) -> np.ndarray[Any, Any]:
    own = data.ndim - axes
    if params["dimensions"] is not None:
        data = np.transpose(data, (*params["dimensions"], *range(own, data.ndim)))
    return data.reshape((*params["new_sizes"], *data.shape[own:]))


def _places(params: dict[str, Any]) -> tuple[slice, ...]:
    steps = params["strides"] or (1,) * len(params["start_indices"])
    return tuple(map(slice, params["start_indices"], params["limit_indices"], steps))
