"""Whether two results of a function of the user's hold the same numbers, up to rounding: for proofs and for `check=`."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute

Array = np.ndarray[Any, Any]


def leaf_as_numbers(leaf: Any) -> Any:
    """The numbers of a random key; anything else as it is."""
    dtype = attribute(leaf, "dtype", None)
    is_key = not (dtype is None or isinstance(dtype, np.dtype)) and jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key)
    return jax.random.key_data(leaf) if is_key else leaf


def number_kind(dtype: Any) -> str:
    """ "b", "i", "f" or "c", also for JAX's own short floats, which NumPy does not know as such."""
    if isinstance(dtype, np.dtype) and dtype.kind in "biufc":
        return "i" if dtype.kind == "u" else dtype.kind
    if jax.dtypes.issubdtype(dtype, np.bool_):
        return "b"
    if jax.dtypes.issubdtype(dtype, np.integer):
        return "i"
    return "c" if jax.dtypes.issubdtype(dtype, np.complexfloating) else "f"


def rounding(dtype: Any) -> tuple[float, float]:
    """How far results of this type may be apart for the order of their operations: relative and absolute."""
    is_short = dtype.itemsize < 4 and number_kind(dtype) in "fc"
    return (2e-2, 1e-2) if is_short else (1e-4, 1e-5)


def widened(got: Array, want: Array) -> tuple[Array, Array]:
    """Both in double precision, in which differences can be taken."""
    wide = np.complex128 if "c" in number_kind(got.dtype) + number_kind(want.dtype) else np.float64
    return got.astype(wide), want.astype(wide)


def same_numbers(got: Array, want: Array, relative: float, absolute: float) -> Any:
    """Where two arrays of one shape are the same: whole numbers exactly, others as near as asked; NaN is NaN."""
    if number_kind(got.dtype) in "bi" and number_kind(want.dtype) in "bi":
        return got == want
    one, other = widened(got, want)
    same = one == other
    if same.all():
        return same
    with np.errstate(invalid="ignore"):  # `np.isclose`, which takes several times as long for a few numbers
        near = (np.abs(one - other) <= absolute + relative * np.abs(other)) & np.isfinite(other)
    return same | near | (np.isnan(one) & np.isnan(other))
