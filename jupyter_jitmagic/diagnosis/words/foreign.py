"""Arguments that jit does not take, as data of other libraries or streams: what to pass instead."""

from __future__ import annotations

import array
import io
import random
from collections.abc import Iterator
from types import GeneratorType
from typing import Any

import numpy as np

from jupyter_jitmagic.base.looking import has, is_a
from jupyter_jitmagic.diagnosis.call.calls import Call, is_jax_type, leaves_of

# By the library that defines it and the class: what it is, and what is passed in its place ("{}": the argument)
_FOREIGN: dict[tuple[str, str], tuple[str, str]] = {
    ("pandas", "DataFrame"): ("a pandas DataFrame", '`{}["column"].to_numpy()` for each column, or `{}.to_numpy()`'),
    ("pandas", "Series"): ("a pandas Series", "`{}.to_numpy()`"),
    ("pandas", "Index"): ("a pandas Index", "`{}.to_numpy()`"),
    ("polars", "DataFrame"): ("a polars DataFrame", '`{}["column"].to_numpy()` for each column, or `{}.to_numpy()`'),
    ("polars", "Series"): ("a polars Series", "`{}.to_numpy()`"),
    ("xarray", "DataArray"): ("an xarray DataArray", "`{}.values`"),
    ("xarray", "Dataset"): ("an xarray Dataset", '`{}["name"].values` for each variable'),
    ("torch", "Tensor"): ("a torch Tensor", "`jnp.asarray({})`"),
    ("tensorflow", "Tensor"): ("a TensorFlow Tensor", "`{}.numpy()`"),
    ("PIL", "Image"): ("a PIL Image", "`np.asarray({})`"),
    ("scipy", "_spbase"): (
        "a sparse matrix of SciPy's",
        "`{}.toarray()`, or `jax.experimental.sparse.BCOO.from_scipy_sparse({})`",
    ),
    ("numpy", "MaskedArray"): ("a masked array of NumPy's", "`{}.filled(0)`, and its mask as another array"),
}
_DRAWN = "a key (`jax.random.key(seed)`), by which jax.random draws, or the numbers that were drawn"
# By Python's own and NumPy's classes, the first that fits
_OF_PYTHON: tuple[tuple[type, str, str], ...] = (
    (io.IOBase, "an open stream", "what was read from it, as numbers"),
    (GeneratorType, "a generator", "`list({})`, or in each call one of its items (`next({})`)"),
    (Iterator, "an iterator", "`list({})`, or in each call one of its items (`next({})`)"),
    (memoryview, "a memoryview", "`np.asarray({})`"),
    (array.array, "an array of Python's module array", "`np.asarray({})`"),
    (bytearray, "a bytearray", "`np.frombuffer({}, np.uint8)`"),
    (np.random.Generator, "a generator of random numbers of NumPy's", _DRAWN),
    (np.random.RandomState, "a generator of random numbers of NumPy's", _DRAWN),
    (random.Random, "a generator of random numbers of Python's", _DRAWN),
)


def for_foreign(call: Call) -> str:
    """A sentence where an argument is, or holds, what is data and no JAX type; "" where none is."""
    for argument in call.arguments:
        if argument.name in call.declared:
            continue
        for place, leaf in leaves_of(argument.value):
            if found := _instead(leaf):
                (what, instead), path = found, argument.name + place
                return f"{path} is {what}, which jit does not take: pass {instead.replace('{}', path)}."
    return ""


def _instead(leaf: Any) -> tuple[str, str] | None:
    """What it is, and what is passed in its place."""
    for kind in type(leaf).__mro__:
        found = _FOREIGN.get((kind.__module__.partition(".")[0], kind.__name__))
        if found is not None:
            return found
    of_python = next(((what, instead) for kind, what, instead in _OF_PYTHON if is_a(leaf, kind)), None)
    if of_python is not None:
        return of_python
    is_like_array = not is_a(leaf, (np.ndarray, np.generic, type)) and has(type(leaf), "__array__")
    if is_like_array and not is_jax_type(leaf):
        kind_name = type(leaf).__name__
        return f"{'an' if kind_name[:1] in 'AEIOU' else 'a'} {kind_name} with `__array__`", "`np.asarray({})`"
    return None
