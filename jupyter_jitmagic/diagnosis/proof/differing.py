"""How a compiled result differs from plain Python's: structure, shapes, dtypes, values."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.base.looking import attribute, has
from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.sandbox.results import leaf_as_numbers, number_kind, rounding, same_numbers

HOST_SIZE = 1 << 18  # elements above which results are compared on the device
COMPLEX = "infinite among complex numbers"  # of `Step.excludes`: the rewrite has NaN in the place of infinity
INFINITE = "infinite result"  # of `Step.excludes`: the rewrite has the least or largest integer in the place of infinity


class Differs(Exception):
    """A rewrite is not equal to the plain function; the message says on what, and `given` is that input, if it is one."""

    given: Input | None = None


def differs_on(given: Input, message: str) -> Differs:
    """The error of a rewrite that gives something else on an input."""
    error = Differs(message)
    error.given = given
    return error


class DiffersInSingle(Differs):
    """It differs on the call's own input alone because compiled code has numbers of 32 bits."""


class CannotRun(Exception):
    """A program cannot be run on NumPy, or not in time: no word about what it gives."""


def shapes(result: Any) -> list[tuple[int, ...]]:
    """The shape of every leaf."""
    return [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(result)]


def differs(got: Any, want: Any) -> str:
    """How a compiled result differs from the plain one ("" if it does not): structure, shape, dtype, values.

    A Python number in the plain result asks for no particular array type, but for its kind (bool, int, float); for an int a
    float may stand, as a program has one type for all its branches.
    """
    got_leaves, got_tree = jax.tree_util.tree_flatten(got)
    want_leaves, want_tree = jax.tree_util.tree_flatten(want)
    if got_tree != want_tree:
        return f"another structure, {got_tree} instead of {want_tree}"
    for a, b in zip(got_leaves, want_leaves, strict=True):
        reason = _leaf_differs(a, b)
        if reason:
            return reason
    return ""


def parts_that_differ(got: Any, want: Any) -> set[int]:
    """Which leaves of two results differ; -1 stands for their structure."""
    got_leaves, got_tree = jax.tree_util.tree_flatten(got)
    want_leaves, want_tree = jax.tree_util.tree_flatten(want)
    if got_tree != want_tree:
        return {-1}
    return {k for k, (a, b) in enumerate(zip(got_leaves, want_leaves, strict=True)) if _leaf_differs(a, b)}


_STEP = 0.01  # of the largest number: what one step of a whole number makes of floats that are computed of it


def is_one_of_both(got: Any, one: Any, other: Any) -> bool:
    """Whether each number of a result is that of the one or of the other, which are of its shapes and dtypes and no more than a
    step apart: 1 for whole numbers, a hundredth of the largest for floats."""
    trees = [jax.tree_util.tree_leaves(result) for result in (got, one, other)]
    if not all(shapes(got) == shapes(each) and same_dtypes(got, each) for each in (one, other)):
        return False
    for leaves in zip(*trees, strict=True):
        a, b, c = (np.asarray(leaf_as_numbers(leaf)) for leaf in leaves)
        near = rounding(a.dtype)
        if a.size > HOST_SIZE or not np.all(same_numbers(a, b, *near) | same_numbers(a, c, *near)):
            return False
        step = 1 if number_kind(b.dtype) == "i" else _STEP * float(np.max(np.abs(b), initial=0))
        if number_kind(b.dtype) not in "if" or not np.all(np.abs(b.astype(float) - c.astype(float)) <= step):
            return False
    return True


def too_large(result: Any) -> bool:
    """Whether an integer of Python's, or of NumPy's 64 bits, is among the results that no array of JAX's holds."""
    largest = np.iinfo(jax.dtypes.canonicalize_dtype(int)).max
    return any(_largest_of(leaf) > largest for leaf in jax.tree_util.tree_leaves(result))


def outgrows_arrays(arguments: Any) -> bool:
    """Whether an integer of Python's own is among them that no array of JAX's holds."""
    return too_large([leaf for leaf in jax.tree_util.tree_leaves(arguments) if type(leaf) is int])


def _largest_of(leaf: Any) -> int:
    """The size of the largest integer in a leaf of Python's or NumPy's own."""
    if type(leaf) is int:
        return abs(leaf)
    whole = isinstance(leaf, np.ndarray | np.integer) and leaf.dtype.kind in "iu" and leaf.size
    return max(abs(int(leaf.min())), int(leaf.max())) if whole else 0


def with_whole_nan_of(got: Any, want: Any) -> Any:
    """A plain result with the compiled one's numbers where NumPy made a whole number of NaN: the least of 64 bits, which no
    array of JAX's holds; XLA makes another."""
    if shapes(got) != shapes(want) or jax.tree_util.tree_structure(got) != jax.tree_util.tree_structure(want):
        return want
    return jax.tree_util.tree_map(_without_whole_nan, got, want)


def _without_whole_nan(got: Any, want: Any) -> Any:
    if not (isinstance(want, np.ndarray | np.integer) and want.dtype == np.int64):
        return want
    of_nan = want == np.iinfo(np.int64).min
    return np.where(of_nan, np.asarray(got), want) if of_nan.any() else want  # else a float beside it would make it one


def as_promised(got: Any, want: Any, excludes: Container[str]) -> Any:
    """A plain result with what a rewrite that says so (`Step.excludes`) has in the place of infinity."""
    if INFINITE in excludes:
        want = with_integers_for_infinity(got, want)
    return with_nan_for_infinity(got, want) if COMPLEX in excludes else want


def with_nan_for_infinity(got: Any, want: Any) -> Any:
    """A plain result with NaN where it has infinity and the compiled one NaN, as complex numbers have for `1 / 0`."""
    if shapes(got) != shapes(want) or jax.tree_util.tree_structure(got) != jax.tree_util.tree_structure(want):
        return want
    return jax.tree_util.tree_map(_nan_for_infinity, got, want)


def _nan_for_infinity(got: Any, want: Any) -> Any:
    if not all(has(each, "dtype") and number_kind(each.dtype) in "fc" for each in (got, want)):
        return want
    a, b = np.asarray(got), np.asarray(want)
    lost = np.isnan(a) & ~np.isfinite(b)
    return np.where(lost, a, b) if lost.any() else want


def with_integers_for_infinity(got: Any, want: Any) -> Any:
    """A plain result with the least or largest integer where it has infinity and the compiled one that integer."""
    if jax.tree_util.tree_structure(got) != jax.tree_util.tree_structure(want):
        return want
    return jax.tree_util.tree_map(lambda a, b: a if _is_outermost(a, b) else b, got, want)


def _is_outermost(got: Any, want: Any) -> bool:
    if np.shape(got) or np.shape(want) or not (has(got, "dtype") and number_kind(got.dtype) == "i"):
        return False
    limits = np.iinfo(got.dtype)
    return bool((want == np.inf and got == limits.max) or (want == -np.inf and got == limits.min))


def with_empties_of(got: Any, want: Any) -> Any:
    """A result with those of another's arrays that are empty as its own are: of which shape and dtype the elements are, an
    array made of an empty list (`jnp.array([])`) does not tell."""
    if jax.tree_util.tree_structure(got) != jax.tree_util.tree_structure(want):
        return got
    return jax.tree_util.tree_map(lambda a, b: b if _are_empty(a, b) else a, got, want)


def _are_empty(got: Any, want: Any) -> bool:
    shape = np.shape(got)
    return np.size(want) == 0 and (shape == np.shape(want) or (shape[:1] == np.shape(want) == (0,)))


def is_wider(got: Any, want: Any) -> bool:
    """Whether a compiled result is the plain one with floats in the place of integers, complex numbers in that of either, or
    floats of more bits; or of JAX's own floats, which an array of nothing (`jnp.array([])`) is of, whatever it would be of
    otherwise."""
    got_leaves, got_tree = jax.tree_util.tree_flatten(got)
    want_leaves, want_tree = jax.tree_util.tree_flatten(want)
    if got_tree != want_tree:
        return False
    return not any(_leaf_differs(*_of_one_type(a, b)) for a, b in zip(got_leaves, want_leaves, strict=True))


def _of_one_type(got: Any, want: Any) -> tuple[Any, Any]:
    """Two leaves, of which one is made what the other is where the first may be the wider: as exact as the second. What may
    come of nothing is a number that either of them holds."""
    if not (has(want, "dtype") and has(got, "dtype")):
        return got, want
    if number_kind(want.dtype) == "i":
        made = want.astype(got.dtype)
        if number_kind(got.dtype) == "i":  # of fewer bits others wrap around; NumPy's 64 bits may do so here
            fewer = got.dtype.itemsize < jax.dtypes.canonicalize_dtype(want.dtype).itemsize
            return got, want if fewer or not np.array_equal(made, want) else made
        return got, made
    wanted, kind = number_kind(want.dtype), number_kind(got.dtype)
    if wanted == "f" and kind == "c":
        return got, want.astype(got.dtype)
    if wanted == kind == "f" and want.dtype.itemsize < got.dtype.itemsize:
        return got.astype(want.dtype), want
    return (got.astype(want.dtype), want) if _of_nothing(got, want) else (got, want)


def _of_nothing(got: Any, want: Any) -> bool:
    """Whether the second may come of an array of nothing (`jnp.array([])`), which is of JAX's own floats whatever would be in
    it; as integers it is the sum or product of that."""
    if want.dtype != jax.dtypes.canonicalize_dtype(float) or got.dtype == want.dtype:
        return False
    kind = number_kind(got.dtype)
    return kind == "f" or (kind == "i" and np.size(want) <= 1 and bool(np.all(np.isin(np.asarray(want), (0, 1)))))


def differ_in_nothing(got: Any, want: Any) -> bool:
    """Whether two results differ in dtypes, and no elements stand wherever they do: `jnp.array([])` is of floats whatever would
    be in it."""
    leaves = zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want), strict=True)
    sizes = [np.size(b) for a, b in leaves if not _same_dtype(a, b)]
    return bool(sizes) and not any(sizes)


REPEATS_NUMBER = "an array of one number, where plain Python gives that number alone"
OF_NO_ITEMS = ", as where it adds up no items"


def repeats_number(got: Any, want: Any) -> bool:
    """Whether a compiled result has arrays of one number where plain Python has that number: what `sum` made of a list without
    arrays, or was computed from it."""
    got_leaves, got_tree = jax.tree_util.tree_flatten(got)
    want_leaves, want_tree = jax.tree_util.tree_flatten(want)
    return got_tree == want_tree and all(
        not _leaf_differs(a, b) or _repeats(a, b) for a, b in zip(got_leaves, want_leaves, strict=True)
    )


def _repeats(got: Any, want: Any) -> bool:
    """Whether each element of an array is the number of a plain result that is no array."""
    if np.ndim(want) or not np.size(got) or not np.ndim(got) or isinstance(want, str) or not has(got, "dtype"):
        return False
    numbers = np.asarray(got)
    same = not np.any(numbers != numbers.flat[0])
    return same and (not (numbers.flat[0] or want) or not _leaf_differs(numbers.flat[0], want))


ALWAYS_COMPLEX = "always complex, where plain Python's branches give real or complex numbers"


def wider_words(got: Any, want: Any) -> str:
    """What a result that `is_wider` always is, and what plain Python's is on some inputs."""
    for a, b in zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want), strict=True):
        if not (has(b, "dtype") and has(a, "dtype")) or a.dtype == b.dtype:
            continue
        if number_kind(a.dtype) == "c" != number_kind(b.dtype):
            return ALWAYS_COMPLEX
        if number_kind(b.dtype) == "f":
            if number_kind(a.dtype) == "i":
                return f"always {a.dtype}, where an empty list makes {b.dtype} in plain Python"
            if _of_nothing(a, b):
                return f"always {a.dtype}, where plain Python gives {b.dtype} (in a branch, or for an empty list) or {a.dtype}"
            return f"always {a.dtype}, where plain Python's branches give {b.dtype} or {a.dtype}"
        if number_kind(a.dtype) == "i" and a.dtype != jax.dtypes.canonicalize_dtype(b.dtype):
            return f"always {a.dtype}, where plain Python's branches give {b.dtype} or {a.dtype}"
    return "always floats, where plain Python's branches give integers or floats"


def wider_dtypes(got: Any, want: Any) -> str:
    """The dtypes of a compiled result that `is_wider` and of plain Python's, as "float32, plain Python int32"."""
    for a, b in zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want), strict=True):
        if has(a, "dtype") and not _same_dtype(a, b):
            wanted = jax.dtypes.canonicalize_dtype(b.dtype) if has(b, "dtype") else type(b).__name__
            return f"{a.dtype}, plain Python {wanted}"
    return ""


def other_floats(got: Any, want: Any, arguments: Any) -> str:
    """Which floats a compiled result has in the place of plain Python's of more or fewer bits, as "float32, plain Python
    float16"; "" where none are, or floats of several kinds are among the arguments."""
    given = {leaf.dtype for leaf in jax.tree_util.tree_leaves(arguments) if has(leaf, "dtype")}
    if sum(number_kind(dtype) == "f" for dtype in given) > 1:
        return ""
    for a, b in zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want), strict=False):
        if not (has(a, "dtype") and has(b, "dtype")) or {number_kind(a.dtype), number_kind(b.dtype)} != {"f"}:
            continue
        if jax.dtypes.issubdtype(b.dtype, jax.dtypes.extended):
            continue  # a random key
        if a.dtype != (wanted := jax.dtypes.canonicalize_dtype(b.dtype)):
            return f"{a.dtype}, plain Python {wanted}"
    return ""


def never_whole(got: Any, wanted: Sequence[Any]) -> bool:
    """Whether a compiled result has a float where plain Python's results have each an int of Python's."""
    given, *others = map(jax.tree_util.tree_leaves, (got, *wanted))
    if any(len(each) != len(given) for each in others):
        return False
    floats = (k for k, leaf in enumerate(given) if has(leaf, "dtype") and number_kind(leaf.dtype) == "f")
    return any(all(type(each[k]) is int for each in others) for k in floats)


NEVER_WHOLE = "it gives a float where plain Python gives an int"


def lost_to_nan(got: Any, want: Any, values_too: bool = False) -> bool:
    """Whether two results are the same but for numbers that are NaN in the first and none in the second; of several results
    the first, which may be the value beside its gradient, has to be the same, or with `values_too` may be lost as well."""
    got_leaves, want_leaves = jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want)
    if not same_dtypes(got, want) or shapes(got) != shapes(want):
        return False
    if not values_too and len(got_leaves) > 1 and differs(got_leaves[0], want_leaves[0]):
        return False
    pairs = [(np.asarray(a), np.asarray(b)) for a, b in zip(got_leaves, want_leaves, strict=True)]
    filled = [np.where(np.isnan(a), b, a) if number_kind(a.dtype) == "f" else a for a, b in pairs]
    return not differs(filled, [b for _, b in pairs])


def same_dtypes(got: Any, want: Any) -> bool:
    """Whether two results are of the same structure and dtypes; of a number of Python's own the kind counts."""
    got_leaves, got_tree = jax.tree_util.tree_flatten(got)
    want_leaves, want_tree = jax.tree_util.tree_flatten(want)
    return got_tree == want_tree and all(map(_same_dtype, got_leaves, want_leaves))


def with_even_lists(result: Any) -> Any:
    """A result whose lists hold numbers of one dtype each, as arrays do: integers beside floats become floats."""

    def even(part: Any) -> Any:
        numbers = jax.Array | np.ndarray | np.generic | int | float
        if not isinstance(part, list) or not all(isinstance(item, numbers) and not isinstance(item, bool) for item in part):
            return part
        mixed = len({jnp.result_type(item) for item in part}) > 1
        return [jnp.asarray(item, jnp.result_type(*part)) for item in part] if mixed else part

    return jax.tree_util.tree_map(even, result, is_leaf=lambda part: isinstance(part, list))


def _same_dtype(got: Any, want: Any) -> bool:
    if isinstance(want, bool | int | float | complex) and has(got, "dtype"):
        return number_kind(got.dtype) == number_kind(np.asarray(want).dtype)
    return not has(want, "dtype") or attribute(got, "dtype", None) == want.dtype


def _leaf_differs(got: Any, want: Any) -> str:
    if isinstance(want, str) or isinstance(got, str):
        return "" if got == want else f"{got!r} instead of {want!r}"
    got, want = leaf_as_numbers(got), leaf_as_numbers(want)
    python = isinstance(want, bool | int | float | complex)
    if not python and not has(want, "dtype"):
        return "" if got is want or got == want else f"{type(want).__name__} cannot be compared"
    a, b = np.asarray(got), np.asarray(want)
    if a.shape != b.shape:
        return f"shape {a.shape} instead of {b.shape}"
    if python:
        kind, wanted = number_kind(a.dtype), number_kind(b.dtype)
        if kind != wanted and not (kind == "f" and wanted == "i") and not (kind == "c" and wanted in "if"):
            return f"{a.dtype} instead of Python's {type(want).__name__}"
    elif a.dtype != (wanted := jax.dtypes.canonicalize_dtype(b.dtype)) and a.dtype != b.dtype:
        return f"dtype {a.dtype} instead of {wanted}"
    if a.dtype == b.dtype and a.size <= HOST_SIZE and a.tobytes() == b.tobytes():
        return ""  # most results are the very same numbers: it costs a fifth to see that
    relative, absolute = rounding(a.dtype)
    if a.size > HOST_SIZE:  # compared where it is; nothing huge is copied or widened
        return "" if bool(_close(got, want, relative, absolute)) else "other values"
    return "" if np.all(same_numbers(a, b, relative, absolute)) else f"{_short(a)} instead of {_short(b)}"


def _close(got: Any, want: Any, rtol: float, atol: float) -> Any:
    return jax.jit(_all_close)(got, want, rtol, atol)


def _all_close(got: Any, want: Any, rtol: float, atol: float) -> Any:
    return jnp.all(jnp.isclose(got, want, rtol=rtol, atol=atol, equal_nan=True))


def _short(values: Any) -> str:
    return np.array2string(values, threshold=6, edgeitems=2, precision=5).replace("\n", " ")[:80]


def weak_type_note(got: Any, want: Any) -> str:
    pairs = zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want), strict=True)
    other = [
        b for a, b in pairs if isinstance(b, jax.Array) and attribute(a, "weak_type", False) != attribute(b, "weak_type", False)
    ]
    return "the result's weak type is another" if other else ""
