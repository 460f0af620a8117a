"""JAX's operations on NumPy arrays: what `lax` gives, without compiling anything.

Only operations that NumPy has with the same meaning; the others are left to JAX (`operation` gives None).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.uncompiled import matrices

Operation = Callable[..., Any]
Params = Mapping[str, Any]


def operation(name: str) -> Operation | None:
    """``operation("add")(params, x, y)``: NumPy's way to a primitive's result; its dtype may still be a wider one."""
    return _OPERATIONS.get(name)


def converted(values: Any, dtype: Any) -> Any:
    """`values` in another dtype, as XLA converts: a float out of an integer's range becomes the nearest one, NaN becomes 0."""
    values = np.asarray(values)
    if values.dtype == dtype:
        return values
    if values.dtype.kind == "c" and np.dtype(dtype).kind != "c":
        values = values.real
    if np.dtype(dtype).kind in "iu" and values.dtype.kind not in "biu":
        limits = np.iinfo(dtype)
        wide = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=float(limits.max), neginf=float(limits.min))
        within = (wide < float(limits.max)) & (wide > float(limits.min))
        return np.where(within, wide, 0).astype(dtype) + np.where(within, 0, np.where(wide > 0, limits.max, limits.min)).astype(
            dtype
        )
    return values.astype(dtype)


def _elementwise(function: Callable[..., Any]) -> Operation:
    if not isinstance(function, np.ufunc):
        return lambda params, x: function(x)
    return (lambda params, x: function(x)) if function.nin == 1 else lambda params, x, y: function(x, y)


def _reduction(function: Callable[..., Any]) -> Operation:
    return lambda params, x: function(x, axis=tuple(params["axes"]))


def _running(function: Callable[..., Any]) -> Operation:
    def run(params: Params, x: Any) -> Any:
        axis = params["axis"]
        if params["reverse"]:
            return np.flip(function(np.flip(x, axis), axis=axis), axis)
        return function(x, axis=axis)

    return run


def _divided(params: Params, x: Any, y: Any) -> Any:
    if x.dtype.kind not in "iu":
        return np.divide(x, y)
    safe = np.where(y == 0, 1, y)
    whole = np.where((x % safe != 0) & ((x < 0) != (safe < 0)), x // safe + 1, x // safe)  # towards zero
    return np.where(y == 0, np.asarray(-1).astype(x.dtype), whole)


def _remainder(params: Params, x: Any, y: Any) -> Any:
    if x.dtype.kind not in "iu":
        return np.fmod(x, y)
    return np.where(y == 0, x, np.fmod(x, np.where(y == 0, 1, y)))


def _power(params: Params, x: Any, y: Any) -> Any:
    if x.dtype.kind in "iu" and y.dtype.kind in "iu":
        return np.where(y < 0, np.where(x == 1, 1, 0), np.power(x, np.maximum(y, 0)))
    return np.power(x, y)


def _whole_power(params: Params, x: Any) -> Any:
    exponent = params["y"]
    return np.power(x, x.dtype.type(exponent)) if exponent >= 0 else np.divide(x.dtype.type(1), x ** x.dtype.type(-exponent))


def _rounded(params: Params, x: Any) -> Any:
    if int(params["rounding_method"]) == 1:
        return np.rint(x)
    return np.copysign(np.floor(np.abs(x) + x.dtype.type(0.5)), x)


def _negated(params: Params, x: Any) -> Any:
    return np.logical_not(x) if x.dtype == np.bool_ else np.invert(x)


def _reduced_extreme(function: Callable[..., Any], worst: Callable[[Any], Any]) -> Operation:
    """Over nothing, JAX's maximum is the smallest value of the dtype."""

    def run(params: Params, x: Any) -> Any:
        return function(x, axis=tuple(params["axes"]), initial=worst(x.dtype)) if x.size == 0 else _over(function, params, x)

    return run


def _over(function: Callable[..., Any], params: Params, x: Any) -> Any:
    return function(x, axis=tuple(params["axes"]))


def _lowest(dtype: Any) -> Any:
    return False if dtype == np.bool_ else np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def _highest(dtype: Any) -> Any:
    return True if dtype == np.bool_ else np.iinfo(dtype).max if dtype.kind in "iu" else np.inf


def _argument(function: Callable[..., Any]) -> Operation:
    return lambda params, x: function(x, axis=params["axes"][0])


def _selected(params: Params, which: Any, *cases: Any) -> Any:
    if which.dtype == np.bool_:
        return np.where(which, cases[1], cases[0]) if len(cases) > 1 else cases[0]
    return np.choose(np.clip(which, 0, len(cases) - 1), cases)


def reshaped(params: Params, x: Any, *_: Any, inner: int = 0) -> Any:
    """An array of other axes; the `inner` last ones are of each element, as the numbers of a random key."""
    own, order = x.ndim - inner, params["dimensions"]  # which axis is read first: of `order="F"` the last
    if order is not None:
        x = np.transpose(x, (*order, *range(own, x.ndim)))
    return x.reshape((*params["new_sizes"], *x.shape[own:]))


def _broadcast(params: Params, x: Any, *_: Any) -> Any:
    shape, places = params["shape"], params["broadcast_dimensions"]
    sizes = [1] * len(shape)
    for place, size in zip(places, x.shape, strict=True):
        sizes[place] = size
    if math.prod(shape) > _FEW:
        return np.broadcast_to(x.reshape(sizes), shape)
    filled = np.empty(shape, x.dtype)  # to write a few numbers takes less than to make a view of them
    filled[...] = x.reshape(sizes)
    return filled


_FEW = 1024


def _sliced(params: Params, x: Any) -> Any:
    strides = params["strides"] or (1,) * x.ndim
    return x[tuple(map(slice, params["start_indices"], params["limit_indices"], strides))]


def _window(x: Any, starts: Sequence[Any], sizes: Sequence[int]) -> tuple[slice, ...]:
    begins = [min(max(int(start), 0), size - wanted) for start, size, wanted in zip(starts, x.shape, sizes, strict=True)]
    return tuple(slice(begin, begin + wanted) for begin, wanted in zip(begins, sizes, strict=True))


def _dynamic_slice(params: Params, x: Any, *starts: Any) -> Any:
    return x[_window(x, starts, params["slice_sizes"])]


def _dynamic_update(params: Params, x: Any, new: Any, *starts: Any) -> Any:
    out = np.array(x)
    out[_window(x, starts, new.shape)] = new
    return out


def _iota(params: Params) -> Any:
    shape, along = params["shape"], params["dimension"]
    sizes = [size if k == along else 1 for k, size in enumerate(shape)]
    return np.broadcast_to(np.arange(shape[along]).reshape(sizes), shape)


def _padded(params: Params, x: Any, value: Any) -> Any:
    config = params["padding_config"]
    full = [low + size + max(size - 1, 0) * between + high for size, (low, high, between) in zip(x.shape, config, strict=True)]
    if any(low < 0 or high < 0 for low, high, _ in config):  # cut off what is too much
        wide = [(max(low, 0), max(high, 0), between) for low, high, between in config]
        cut = tuple(slice(max(-low, 0), max(-low, 0) + size) for size, (low, _, _) in zip(full, config, strict=True))
        return _padded({"padding_config": wide}, x, value)[cut]
    out = np.full(full, value, x.dtype)
    places = [slice(low, low + max((size - 1) * (between + 1) + 1, 0), between + 1) for size, (low, _, between) in zip(
        x.shape, config, strict=True)]  # fmt: skip
    if x.size:
        out[tuple(places)] = x
    return out


def _unstacked(params: Params, x: Any) -> Any:
    return list(np.moveaxis(x, params["axis"], 0))


def _split(params: Params, x: Any) -> Any:
    return np.split(x, np.cumsum(params["sizes"])[:-1], params["axis"])


def _empty(params: Params) -> Any:
    return np.zeros(params.get("shape", ()), params["dtype"])


def _in_total_order(compared: Callable[..., Any]) -> Operation:
    """Of floats, the zeros are two numbers, and NaN comes at the ends."""

    def place(x: Any) -> Any:
        if x.dtype.kind != "f":
            return x
        bits = x.view(f"i{x.dtype.itemsize}")
        return np.where(bits < 0, bits ^ np.iinfo(bits.dtype).max, bits)

    return lambda params, x, y: compared(place(x), place(y))


def _product(params: Params, a: Any, b: Any) -> Any:
    (over_a, over_b), (batch_a, batch_b) = params["dimension_numbers"]
    wanted = params.get("preferred_element_type")
    if wanted is not None:
        wide = np.float32 if wanted == jax.numpy.bfloat16 else wanted
        a, b = a.astype(wide), b.astype(wide)
    names = iter(range(52))
    left, right = [-1] * a.ndim, [-1] * b.ndim
    for k, m in [*zip(batch_a, batch_b, strict=True), *zip(over_a, over_b, strict=True)]:
        left[k] = right[m] = next(names)
    left = [name if name >= 0 else next(names) for name in left]
    right = [name if name >= 0 else next(names) for name in right]
    kept = [left[k] for k in batch_a] + [left[k] for k in range(a.ndim) if k not in (*batch_a, *over_a)]
    kept += [right[k] for k in range(b.ndim) if k not in (*batch_b, *over_b)]
    return np.einsum(a, left, b, right, kept)


def _of_parts(real: Any, imaginary: Any) -> Any:
    """A complex number of its parts; `x + 1j * y` makes NaN of infinities."""
    made = np.empty(real.shape, np.result_type(real.dtype, np.complex64))
    made.real, made.imag = real, imaginary
    return made


def _sorted(params: Params, *operands: Any) -> Any:
    axis, keys = params["dimension"], operands[: params["num_keys"]]
    if any(key.dtype.kind == "c" for key in keys):
        raise NotImplementedError("sorted by complex numbers")
    order = np.argsort(keys[0], axis=axis, kind="stable") if len(keys) == 1 else np.lexsort(keys[::-1], axis=axis)
    return [np.take_along_axis(operand, order, axis) for operand in operands]


def _full_indices(shape: Any, indices: Any, sizes: Any, over: Any, own_batch: Any, index_batch: Any) -> Any:
    """(an index array for every dimension of the operand, whether the window begins in bounds; both with windows behind)."""
    batch = indices.shape[:-1]
    around = (...,) + (None,) * len(shape)
    inside: Any = np.ones(batch, bool)
    out = []
    for dimension, size in enumerate(shape):
        if dimension in over:
            start = indices[..., over.index(dimension)].astype(np.int64)
        elif dimension in own_batch:
            along = index_batch[own_batch.index(dimension)]
            start = np.broadcast_to(np.arange(size).reshape([-1 if k == along else 1 for k in range(len(batch))]), batch)
        else:
            start = np.zeros(batch, np.int64)
        last = size - sizes[dimension]
        inside = inside & (start >= 0) & (start <= last)
        steps = np.arange(sizes[dimension]).reshape([-1 if k == dimension else 1 for k in range(len(shape))])
        out.append(np.minimum(np.maximum(start, 0), max(last, 0))[around] + steps)
    return out, inside


def _gathered(params: Params, x: Any, indices: Any) -> Any:
    numbers, sizes = params["dimension_numbers"], params["slice_sizes"]
    own_batch = tuple(getattr(numbers, "operand_batching_dims", ()))
    index_batch = tuple(getattr(numbers, "start_indices_batching_dims", ()))
    at, inside = _full_indices(x.shape, indices, sizes, tuple(numbers.start_index_map), own_batch, index_batch)
    if any(wanted > size for wanted, size in zip(sizes, x.shape, strict=True)):
        raise NotImplementedError("a window larger than the array")
    batch = indices.ndim - 1
    found = x[tuple(np.broadcast_arrays(*at))] if at else np.broadcast_to(x, indices.shape[:-1])
    if "FILL" in str(params["mode"]):
        fill = params["fill_value"]
        if fill is None:
            kind = x.dtype.kind
            fill = (
                np.nan
                if kind in "fcV"
                else True
                if kind == "b"
                else np.iinfo(x.dtype).min
                if kind == "i"
                else np.iinfo(x.dtype).max
            )
        found = np.where(inside[(...,) + (None,) * x.ndim], found, np.asarray(fill, x.dtype))
    gone = (*numbers.collapsed_slice_dims, *own_batch)
    found = found.reshape([*found.shape[:batch], *(size for k, size in enumerate(sizes) if k not in gone)])
    windows = numbers.offset_dims
    order, batches, offsets = [], iter(range(batch)), iter(range(batch, found.ndim))
    for k in range(found.ndim):
        order.append(next(offsets) if k in windows else next(batches))
    return found.transpose(order)


def _scattered(put: Callable[[Any, Any, Any], None]) -> Operation:
    def run(params: Params, x: Any, indices: Any, updates: Any) -> Any:
        numbers = params["dimension_numbers"]
        own_batch = tuple(getattr(numbers, "operand_batching_dims", ()))
        index_batch = tuple(getattr(numbers, "scatter_indices_batching_dims", ()))
        windows = numbers.update_window_dims
        gone = (*numbers.inserted_window_dims, *own_batch)
        lengths = iter([updates.shape[k] for k in windows])
        sizes = [1 if k in gone else next(lengths) for k in range(x.ndim)]
        over = tuple(numbers.scatter_dims_to_operand_dims)
        at, inside = _full_indices(x.shape, indices, sizes, over, own_batch, index_batch)
        batches = [k for k in range(updates.ndim) if k not in windows]
        new = updates.transpose([*batches, *windows]).reshape([*indices.shape[:-1], *sizes])
        out = np.array(x)
        if "CLIP" not in str(params["mode"]):
            at = [np.broadcast_to(one, new.shape)[inside] for one in at]
            new = new[inside]
        put(out, tuple(at) if at else (), new)
        return out

    return run


def _put(out: Any, at: Any, new: Any) -> None:
    out[at] = new


def _bits(params: Params, x: Any) -> Any:
    if x.dtype.itemsize != np.dtype(params["new_dtype"]).itemsize:
        raise NotImplementedError("another width")
    return np.ascontiguousarray(x).view(params["new_dtype"]).reshape(x.shape)


def _largest(params: Params, x: Any) -> list[Any]:
    """By XLA's order of all floats: NaN above infinity or below minus infinity as its sign is, 0.0 above -0.0."""
    order = x
    if x.dtype.kind == "f":
        bits = np.ascontiguousarray(x).view(f"i{x.dtype.itemsize}")
        order = np.where(bits < 0, bits ^ np.iinfo(bits.dtype).max, bits)
    axis = params.get("axis", x.ndim - 1)
    places = np.argsort(~order, axis=axis, kind="stable")  # of equal ones the first comes first
    places = np.take(places, np.arange(params["k"]), axis=axis)
    return [np.take_along_axis(x, places, axis), places]


def _shifted(function: Callable[..., Any], unsigned: bool = False) -> Operation:
    def run(params: Params, x: Any, by: Any) -> Any:
        bits = x.dtype.itemsize * 8
        kind = "u" if unsigned else "i" if function is np.right_shift else x.dtype.kind
        given = x.view(f"{kind}{x.dtype.itemsize}")  # an arithmetic shift takes the first bit for a sign
        within = (by >= 0) & (by < bits)
        moved = function(given, np.where(within, by, 0).astype(given.dtype)).astype(x.dtype)
        all_out = np.where(given < 0, -1, 0).astype(x.dtype) if function is np.right_shift else 0
        return np.where(within, moved, all_out)

    return run


def _of_precision(params: Params, x: Any) -> Any:
    """What has no more bits than that already; the others are JAX's."""
    limits = jax.numpy.finfo(x.dtype)
    if params["exponent_bits"] < limits.nexp or params["mantissa_bits"] < limits.nmant:
        raise NotImplementedError
    return x


def _logistic(params: Params, x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


_ELEMENTWISE: dict[str, Operation] = {
    "add": np.add, "add_any": np.add, "sub": np.subtract, "mul": np.multiply, "neg": np.negative, "abs": np.abs,
    "sign": np.sign, "max": np.maximum, "min": np.minimum, "exp": np.exp, "exp2": np.exp2, "log": np.log, "log1p": np.log1p,
    "expm1": np.expm1, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "atan2": np.arctan2, "sqrt": np.sqrt, "cbrt": np.cbrt, "square": np.square, "floor": np.floor, "ceil": np.ceil,
    "is_finite": np.isfinite, "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "real": np.real,
    "imag": np.imag, "conj": np.conj, "nextafter": np.nextafter,
    "copy": np.asarray, "copy_p": np.asarray, "stop_gradient": np.asarray, "optimization_barrier": np.asarray,
}  # fmt: skip
_OPERATIONS: dict[str, Operation] = {
    **{name: _elementwise(function) for name, function in _ELEMENTWISE.items()},
    "div": _divided,
    "rem": _remainder,
    "pow": _power,
    "integer_pow": _whole_power,
    "rsqrt": lambda params, x: 1 / np.sqrt(x),
    "logistic": _logistic,
    "round": _rounded,
    "not": _negated,
    "clamp": lambda params, low, x, high: np.minimum(np.maximum(x, low), high),
    "select_n": _selected,
    "complex": lambda params, x, y: _of_parts(x, y),
    "convert_element_type": lambda params, x: converted(x, params["new_dtype"]),
    "reduce_precision": _of_precision,
    "bitcast_convert_type": _bits,
    "shift_left": _shifted(np.left_shift),
    "shift_right_logical": _shifted(np.right_shift, unsigned=True),
    "shift_right_arithmetic": _shifted(np.right_shift),
    "broadcast_in_dim": _broadcast,
    "reshape": reshaped,
    "squeeze": lambda params, x: np.squeeze(x, tuple(params["dimensions"])),
    "expand_dims": lambda params, x: np.expand_dims(x, tuple(params["dimensions"])),
    "transpose": lambda params, x: np.transpose(x, params["permutation"]),
    "rev": lambda params, x: np.flip(x, tuple(params["dimensions"])),
    "concatenate": lambda params, *parts: np.concatenate(parts, params["dimension"]),
    "pad": _padded,
    "stack": lambda params, *parts: np.stack(parts, params["axis"]),
    "unstack": _unstacked,
    "split": _split,
    "empty": _empty,
    "empty2": _empty,
    "le_to": _in_total_order(np.less_equal),
    "lt_to": _in_total_order(np.less),
    "slice": _sliced,
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update,
    "iota": _iota,
    "reduce_sum": _reduction(np.sum),
    "reduce_prod": _reduction(np.prod),
    "reduce_max": _reduced_extreme(np.max, _lowest),
    "reduce_min": _reduced_extreme(np.min, _highest),
    "reduce_and": _reduction(np.all),
    "reduce_or": _reduction(np.any),
    "argmax": _argument(np.argmax),
    "argmin": _argument(np.argmin),
    "cumsum": _running(np.cumsum),
    "cumprod": _running(np.cumprod),
    "cummax": _running(np.maximum.accumulate),
    "cummin": _running(np.minimum.accumulate),
    "dot_general": _product,
    "sort": _sorted,
    "top_k": _largest,
    "gather": _gathered,
    "scatter": _scattered(_put),
    "scatter-add": _scattered(np.add.at),
    "scatter_add": _scattered(np.add.at),
    "scatter-mul": _scattered(np.multiply.at),
    "scatter_mul": _scattered(np.multiply.at),
    "scatter_max": _scattered(np.maximum.at),
    "scatter-max": _scattered(np.maximum.at),
    "scatter_min": _scattered(np.minimum.at),
    "scatter-min": _scattered(np.minimum.at),
    **matrices.OPERATIONS,
}


_OF_ELEMENTS = frozenset(
    {*_ELEMENTWISE, "div", "rem", "pow", "integer_pow", "rsqrt", "logistic", "round", "not", "select_n", "convert_element_type"}
)


def element_operation(name: str) -> Operation | None:
    """`operation`, where it takes each element alone, with the same parameters for arrays of every shape."""
    return _OPERATIONS[name] if name in _OF_ELEMENTS else None


_OF_BITS = frozenset({"bitcast_convert_type", "nextafter", "reduce_precision", "le_to", "lt_to"})


def in_single(name: str, avals: Sequence[Any]) -> Operation | None:
    """`operation` for results of bfloat16, computed with 32 bits and rounded once, as XLA does; None where that is not the
    same, or nothing is of that dtype."""
    if name in _OF_BITS or not all(fits(aval) or _is_short(aval) for aval in avals) or all(map(fits, avals)):
        return None
    function = _OPERATIONS.get(name)
    if function is None:
        return None
    return lambda params, *args: function(params, *map(_widened, args))


def _widened(value: Any) -> Any:
    return value.astype(np.float32) if value.dtype == jax.numpy.bfloat16 else value


def _is_short(aval: Any) -> bool:
    return bool(getattr(aval, "dtype", None) == jax.numpy.bfloat16)


def fits(aval: Any) -> bool:
    """Whether NumPy has the dtype (JAX's typed keys and small floats are left to JAX)."""
    dtype = getattr(aval, "dtype", None)
    return dtype is not None and not jax.dtypes.issubdtype(dtype, jax.dtypes.extended) and np.dtype(dtype).kind in "biufc"
