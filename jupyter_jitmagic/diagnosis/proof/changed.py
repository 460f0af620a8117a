"""An input with its numbers changed in one respect, whatever its structure is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.proof.arguments import Input, is_traced, static_split, traced_leaves
from jupyter_jitmagic.diagnosis.proof.leaves import as_array, kind_of, like, wide
from jupyter_jitmagic.sandbox.order_of_keys import in_order_of

MANY = 1000  # more arrays than an input has


def with_floats(fun: Callable[..., Any], given: Input, static: Sequence[str | int], change: Callable[[Any], Any]) -> Input:
    """The same input, of whatever structure, with every float that is traced changed."""

    def new(leaf: Any) -> Any:
        return like(leaf, change(np.asarray(leaf, wide(leaf)))) if kind_of(leaf) == "f" else leaf

    return _with_leaves(fun, given, static, new)


def with_masks(fun: Callable[..., Any], given: Input, static: Sequence[str | int], change: Callable[[Any], Any]) -> Input:
    """The same input with every array of flags that is traced changed."""

    def new(leaf: Any) -> Any:
        return like(leaf, change(np.asarray(leaf))) if kind_of(leaf) == "b" and np.ndim(leaf) else leaf

    return _with_leaves(fun, given, static, new)


def with_one_array(
    fun: Callable[..., Any], given: Input, static: Sequence[str | int], which: int, change: Callable[[Any], Any]
) -> Input:
    """The same input with one of its arrays of floats changed, counted from 0."""
    number = itertools.count()

    def new(leaf: Any) -> Any:
        wanted = kind_of(leaf) == "f" and np.ndim(leaf) and next(number) == which
        return like(leaf, change(np.asarray(leaf, wide(leaf)))) if wanted else leaf

    return _with_leaves(fun, given, static, new)


def with_former_floats(
    fun: Callable[..., Any], given: Input, own: Input, static: Sequence[str | int], change: Callable[[Any], Any]
) -> Input:
    """The same input with every integer changed that stands in the place of a float of `own`: no index, no label."""
    before = iter([kind_of(leaf) for leaf in traced_leaves(fun, own, static)])

    def new(leaf: Any) -> Any:
        was_float = next(before, "") == "f" and kind_of(leaf) == "i"
        return like(leaf, change(np.asarray(leaf, wide(leaf)))) if was_float else leaf

    return _with_leaves(fun, given, static, new)


def in_former_kinds(fun: Callable[..., Any], given: Input, own: Input, static: Sequence[str | int]) -> Input:
    """The same values as the kinds of numbers that `own` has: an int in the place of its float as a float again."""
    before = iter(traced_leaves(fun, own, static))

    def new(leaf: Any) -> Any:
        was: Any = next(before, None)
        if kind_of(was) == "f" and kind_of(leaf) == "i" and np.shape(was) == np.shape(leaf):
            return like(was, np.asarray(leaf, wide(was)))
        return leaf

    return _with_leaves(fun, given, static, new)


def in_floats(fun: Callable[..., Any], given: Input, static: Sequence[str | int]) -> Input:
    """The same values with Python's own integers as floats, and of complex numbers their real parts; an array of integers is
    meant to be one."""

    def new(leaf: Any) -> Any:
        if type(leaf) is int:
            return float(leaf)
        return leaf.real if np.iscomplexobj(leaf) else leaf

    return _with_leaves(fun, given, static, new)


def with_whole_arrays(
    fun: Callable[..., Any], given: Input, static: Sequence[str | int], change: Callable[[Any], Any]
) -> Input:
    """The same input with every array of integers that is traced changed."""

    def new(leaf: Any) -> Any:
        return like(leaf, change(np.asarray(leaf))) if kind_of(leaf) == "i" and np.size(leaf) > 1 else leaf

    return _with_leaves(fun, given, static, new)


def with_numbers(
    fun: Callable[..., Any],
    given: Input,
    static: Sequence[str | int],
    numbers: int | tuple[int, ...],
    kinds: str = "fi",
    arrays: bool = False,
) -> Input:
    """The same input with every single number of these kinds that is traced set to this one, or to these in turn; in arrays,
    too, if asked."""
    in_turn = itertools.cycle(numbers if isinstance(numbers, tuple) else (numbers,))

    def new(leaf: Any) -> Any:
        if kind_of(leaf) not in tuple(kinds) or (np.ndim(leaf) and not arrays):
            return leaf
        return like(leaf, np.full(np.shape(leaf), next(in_turn)))

    return _with_leaves(fun, given, static, new)


def with_all_arrays(
    fun: Callable[..., Any], given: Input, static: Sequence[str | int], numbers: Sequence[float], most: int = MANY
) -> Input:
    """The same input with every array of numbers that is traced full of these, one after the other (NaN in floats alone);
    `most`: so many of the arrays, the first ones."""
    kinds = ("f",) if np.isnan(numbers).any() else ("f", "i")
    left = most

    def new(leaf: Any) -> Any:
        nonlocal left
        if not left or kind_of(leaf) not in kinds or not np.ndim(leaf):
            return leaf
        left -= 1
        return like(leaf, np.resize(numbers, np.shape(leaf)))

    return _with_leaves(fun, given, static, new)


def with_level_arrays(fun: Callable[..., Any], given: Input, static: Sequence[str | int]) -> Input:
    """The same input with every array that is traced of its largest number all through: several are the first then."""

    def new(leaf: Any) -> Any:
        if kind_of(leaf) not in ("f", "i") or not np.size(leaf):
            return leaf
        return like(leaf, np.full(np.shape(leaf), np.fmax.reduce(np.ravel(leaf))))

    return _with_leaves(fun, given, static, new)


def with_arrays(fun: Callable[..., Any], given: Input, static: Sequence[str | int]) -> Input:
    """The same input with Python's numbers as the arrays that `jax.jit` makes of them."""
    return _with_leaves(fun, given, static, as_array)


def _with_leaves(fun: Callable[..., Any], given: Input, static: Sequence[str | int], new: Callable[[Any], Any]) -> Input:
    fixed = static_split(fun, given.args, given.kwargs, static)

    def changed(leaf: Any) -> Any:
        return new(leaf) if is_traced(leaf, static) else leaf

    def made(value: Any) -> Any:
        return in_order_of(value, jax.tree_util.tree_map(changed, value))

    args = tuple(a if k in fixed else made(a) for k, a in enumerate(given.args))
    kwargs = {k: v if k in fixed else made(v) for k, v in given.kwargs.items()}
    return Input(args, kwargs, given.kind)
