"""Matrices taken apart and convolutions by SciPy and NumPy: the routines of LAPACK that JAX calls on a CPU, nothing compiled.

What is beyond them (many matrices at once, dilated windows) raises `NotImplementedError`: it is left to JAX.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Params = Mapping[str, Any]


def _lu(params: Params, matrix: Any) -> list[Any]:
    """The factors, what was swapped in turn, and the rows' order after it."""
    _only_one(matrix)
    factors, swapped, _ = _routine("lapack", "getrf", matrix)(matrix)
    order = np.arange(matrix.shape[0], dtype=np.int32)
    for row, other in enumerate(swapped):
        order[[row, other]] = order[[other, row]]
    return [np.ascontiguousarray(factors), swapped.astype(np.int32), order]


def _cholesky(params: Params, matrix: Any) -> Any:
    _only_one(matrix)
    factor, failed = _routine("lapack", "potrf", matrix)(matrix, lower=True, clean=False)
    return np.full_like(matrix, np.nan) if failed else np.ascontiguousarray(factor)


def _triangular_solve(params: Params, matrix: Any, others: Any) -> Any:
    _only_one(matrix)
    _only_one(others)
    transposed = (2 if params["conjugate_a"] else 1) if params["transpose_a"] else 0
    if params["conjugate_a"] and not transposed:
        raise NotImplementedError
    settings = {"side": not params["left_side"], "lower": params["lower"], "diag": params["unit_diagonal"]}
    return np.ascontiguousarray(_routine("blas", "trsm", matrix)(1.0, matrix, others, trans_a=transposed, **settings))


def _convolved(params: Params, given: Any, kernel: Any) -> Any:
    dilated = {*params["lhs_dilation"], *params["rhs_dilation"], params["batch_group_count"], params["feature_group_count"]}
    if dilated - {1} or any(width < 0 for pair in params["padding"] for width in pair):
        raise NotImplementedError
    order = params["dimension_numbers"]
    given, kernel = np.transpose(given, order.lhs_spec), np.transpose(kernel, order.rhs_spec)
    axes = tuple(range(2, given.ndim))
    padded = np.pad(given, ((0, 0), (0, 0), *params["padding"]))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[2:], axis=axes)
    windows = windows[(slice(None), slice(None), *(slice(None, None, step) for step in params["window_strides"]))]
    within = tuple(range(given.ndim, windows.ndim))
    summed = np.tensordot(windows, kernel, axes=((1, *within), (1, *axes)))
    return np.transpose(np.moveaxis(summed, -1, 1), np.argsort(order.out_spec))


def _only_one(matrix: Any) -> None:
    if matrix.ndim != 2 or not math.prod(matrix.shape) or matrix.dtype.kind not in "fc":
        raise NotImplementedError


def _routine(library: str, name: str, matrix: Any) -> Any:
    """A routine for this dtype."""
    import scipy.linalg  # loaded by JAX with its own first use of LAPACK

    kinds = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}
    if matrix.dtype.name not in kinds:
        raise NotImplementedError
    return getattr(getattr(scipy.linalg, library), kinds[matrix.dtype.name] + name)


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "lu": _lu,
    "cholesky": _cholesky,
    "triangular_solve": _triangular_solve,
    "conv_general_dilated": _convolved,
}
