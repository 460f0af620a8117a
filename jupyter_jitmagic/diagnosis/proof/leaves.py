"""One number or array of a call: its kind, wider for computing with it, and made again like the one that it stands for."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.base.jax_internals import as_jax, placed, placed_like
from jupyter_jitmagic.base.looking import attribute

_LARGEST = 3e38  # of 32 bits; not that of infinity

_OF_PYTHON = (bool, np.bool_, int, float, complex)


def kind_of(value: Any) -> str:
    """ "f", "i", "b", "key", or "" for what is left alone."""
    if isinstance(value, _OF_PYTHON):
        return "b" if isinstance(value, (bool, np.bool_)) else "i" if isinstance(value, int) else "f"
    dtype = attribute(value, "dtype", None)
    if dtype is None:
        return ""
    if isinstance(dtype, np.dtype) and dtype.kind in "fcib":
        return "f" if dtype.kind in "fc" else dtype.kind
    if jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key):
        return "key"
    if dtype == np.uint32 and np.shape(value)[-1:] == (2,):
        return "key"
    if jax.dtypes.issubdtype(dtype, np.bool_):
        return "b"
    if jax.dtypes.issubdtype(dtype, np.integer):
        return "i"
    return "f" if jax.dtypes.issubdtype(dtype, np.inexact) else ""


def wide(value: Any) -> Any:
    kind = kind_of(value)
    if kind == "f":
        complex_ = isinstance(value, complex) or np.issubdtype(attribute(value, "dtype", np.dtype(float)), np.complexfloating)
        return np.complex128 if complex_ else np.float64
    return {"i": np.int64, "b": np.bool_}.get(kind)


def like(old: Any, new: Any) -> Any:
    """`new`, a NumPy array, as the same kind of thing as `old`: number or array, dtype, weak type, placement."""
    if isinstance(old, bool | int | float | complex):
        own = next(kind for kind in (bool, int, float, complex) if isinstance(old, kind))  # an IntEnum has not every number
        return own(new.item() if own is complex else new)
    new = np.asarray(new)
    if isinstance(old, np.generic | np.ndarray):
        return new.astype(old.dtype).reshape(np.shape(old)) if isinstance(old, np.ndarray) else old.dtype.type(new)
    if attribute(old, "weak_type", False):
        made: Any = as_weak(new.item()) if new.size == 1 else old
        if not (made.weak_type and made.dtype == old.dtype):
            return old
        return made if made.shape == old.shape else made.reshape(old.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        values = new.astype(old.dtype)
    made = placed_like(old, values)
    if made is not None:
        return made
    made = as_jax(values)
    return jax.device_put(made, old.sharding) if getattr(old, "committed", False) else made


def other_key(key: Any, number: int = 1) -> Any:
    """Another key for each number."""
    if jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
        return jax.random.fold_in(key, number) if key.ndim == 0 else key
    return key + number


def as_array(leaf: Any) -> Any:
    """A number of Python's as the array that `jax.jit` makes of it."""
    return as_weak(leaf) if isinstance(leaf, bool | int | float | complex) else leaf


def as_weak(number: Any) -> jax.Array:
    """A number of Python's as `jnp.asarray` gives it."""
    small = type(number) is float and abs(number) < _LARGEST and not jax.config.jax_enable_x64
    made = placed(np.asarray(number, np.float32), True) if small else None
    return jnp.asarray(number) if made is None else made


def in_shape(leaf: Any, shape: tuple[int, ...]) -> Any:
    """The array in another shape: cut off, or its values once more from the beginning; what was in order stays so. Of none, 0
    and 1 in turn."""
    values = np.asarray(leaf)
    if 0 in values.shape:
        made = (np.arange(math.prod(shape)) % 2).reshape(shape).astype(values.dtype)
    else:
        made = values[np.ix_(*(np.arange(size) % old for size, old in zip(shape, values.shape, strict=True)))]
    if values.ndim == 1 and values.size > 1 and bool(np.all(values[1:] >= values[:-1])):
        made = np.sort(made)
    return _in_its_place(leaf, made)


def in_rank(leaf: Any, axes: int) -> Any:
    """The array with an axis more, its values once more the other way round (of floats twice as large: the columns have
    something of their own), or without its last one: the first of each."""
    values = np.asarray(leaf)
    if axes < values.ndim:
        return _in_its_place(leaf, values[..., 0])
    beside = values[::-1] * 2 if values.dtype.kind == "f" else values[::-1]
    return _in_its_place(leaf, np.stack([values, beside], -1))


def _in_its_place(leaf: Any, made: np.ndarray[Any, Any]) -> Any:
    if not isinstance(leaf, jax.Array):
        return made
    new = as_jax(made)
    return jax.device_put(new, _sharding_of(leaf, made.shape)) if getattr(leaf, "committed", False) else new


def _sharding_of(leaf: jax.Array, shape: tuple[int, ...]) -> jax.sharding.Sharding:
    """An array's sharding for another shape: where a mesh cannot divide that, whole on each of its devices."""
    sharding = leaf.sharding
    if not isinstance(sharding, jax.sharding.NamedSharding):
        return sharding
    whole = jax.sharding.NamedSharding(sharding.mesh, jax.sharding.PartitionSpec())
    if len(shape) < len(sharding.spec):
        return whole
    parts = dict(sharding.mesh.shape)
    for size, names in zip(shape, sharding.spec, strict=False):
        over = names if isinstance(names, tuple) else (names,)
        if size % math.prod(parts.get(name, 1) for name in over):
            return whole
    return sharding


def rounded(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Whole numbers near these, of the same signs."""
    values = np.clip(np.nan_to_num(values), -(2**31), 2**31 - 1)
    return np.where(values == 0, 0, np.sign(values) * np.maximum(np.rint(np.abs(values)), 1)).astype(int)


def as_integers(value: Any) -> Any:
    """Whole numbers in the place of floats; what is 0 stays it."""
    if type(value) is float and np.isfinite(value):
        return int(np.rint(value)) or int(value != 0)
    if isinstance(value, jax.Array | np.ndarray) and kind_of(value) == "f" and not np.iscomplexobj(value):
        return as_jax(rounded(np.asarray(value, np.float64)))
    return value
