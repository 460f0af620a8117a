"""JAX's usual random bits by NumPy: to the bit what `jax.random` draws, and nothing is compiled for a shape that is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jax_internals import as_jax

LARGE = 1 << 14  # numbers; from here on a compiled program draws them sooner
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)
_AS_THEY_ARE = frozenset({"random_wrap", "random_unwrap", "random_clone"})
"""What JAX itself does with keys without compiling anything."""


def needs_no_compiling(name: str) -> bool:
    """Whether what this operation makes of keys is made without a compiled program."""
    return name in _AS_THEY_ARE or name in OPERATIONS


def _bits(params: Mapping[str, Any], key: Any) -> Any:
    shape, width = tuple(params["shape"]), params["bit_width"]
    if math.prod(shape) > LARGE or width not in (8, 16, 32):
        return None
    first, second = _counted(key, shape)
    return np.asarray(first ^ second, f"uint{width}")  # of single elements NumPy makes its own numbers


def _split(params: Mapping[str, Any], key: Any) -> Any:
    return _as_key(np.stack(_counted(key, tuple(params["shape"])), axis=-1))


def _fold_in(params: Mapping[str, Any], key: Any, number: Any) -> Any:
    if np.ndim(number) != 0:
        return None
    return _as_key(np.concatenate(_hashed(_words_of(key), np.zeros(1, np.uint32), np.full(1, number, np.uint32))))


OPERATIONS: Mapping[str, Callable[..., Any]] = {"random_bits": _bits, "random_split": _split, "random_fold_in": _fold_in}


def drawn_from(name: str, params: Mapping[str, Any], key: Any, *others: Any) -> Any:
    """What an operation of `OPERATIONS` makes of a single key; None where JAX has to tell: for keys of another kind, for many
    at once, for large arrays.

    Example:
        >>> drawn_from("random_bits", {"shape": (2,), "bit_width": 32}, jax.random.key(0))
    """
    if not isinstance(key, jax.Array) or key.ndim or not jax.config.jax_threefry_partitionable:
        return None
    if str(jax.random.key_impl(key)) not in _NAMES:
        return None
    return OPERATIONS[name](params, key, *others)


_NAMES = ("threefry2x32", "fry")


def _words_of(key: Any) -> Any:
    return np.asarray(jax.random.key_data(key))


def _as_key(words: Any) -> Any:
    return jax.random.wrap_key_data(as_jax(words), impl="threefry2x32")


def _counted(key: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Two words of random bits for each place of an array."""
    places = np.arange(math.prod(shape), dtype=np.uint64)
    found = _hashed(_words_of(key), (places >> np.uint64(32)).astype(np.uint32), places.astype(np.uint32))
    return found[0].reshape(shape), found[1].reshape(shape)


def _hashed(key: Any, first: Any, second: Any) -> tuple[Any, Any]:
    """Threefry of 2 × 32 bits, in twenty rounds."""
    words = (key[0], key[1], key[0] ^ key[1] ^ _PARITY)
    first, second = first + words[0], second + words[1]
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            first = first + second
            second = first ^ ((second << np.uint32(rotation)) | (second >> np.uint32(32 - rotation)))
        first = first + words[(group + 1) % 3]
        second = second + words[(group + 2) % 3] + np.uint32(group + 1)
    return first, second
