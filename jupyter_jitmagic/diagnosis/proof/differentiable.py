"""The leaves of an input that may be differentiated, apart from its others."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Container, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.base.jax_internals import as_jax
from jupyter_jitmagic.base.looking import has
from jupyter_jitmagic.diagnosis.proof.arguments import Input, is_traced, static_split
from jupyter_jitmagic.diagnosis.proof.leaves import as_weak, kind_of
from jupyter_jitmagic.diagnosis.uncompiled import backward
from jupyter_jitmagic.diagnosis.uncompiled.recorded import likeness


@dataclass(frozen=True)
class Leaves:
    """The leaves of an input that may be differentiated, its others, and the input with new ones in their place; `fixed` is
    what of it stays."""

    values: list[Any]
    others: list[Any]
    rebuild: Callable[[list[Any], list[Any]], Any]
    tree: Any
    fixed: Any
    places: Sequence[int]
    """Where among all of a program's arguments those stand that may be differentiated."""

    def in_order(self) -> list[Any]:
        """All that are traced, as a program's arguments."""
        values, others = iter(self.values), iter(self.others)
        return [next(values if k in self.places else others) for k in range(len(self.values) + len(self.others))]

    def one_by_one(self) -> list[Any]:
        """Those that may be differentiated before the others."""
        return [*self.values, *self.others]

    def same(self, what: str) -> Hashable:
        """Equal for inputs that differ in their leaves alone; None where that cannot be told."""
        like = likeness(self.fixed, arrays_by_shape=False)
        return None if like is None else (what, self.tree, like)


def leaves_of(fun: Callable[..., Any], given: Input, static: Sequence[str | int]) -> Leaves:
    fixed = static_split(fun, given.args, given.kwargs, static)
    dynamic = (
        [None if k in fixed else a for k, a in enumerate(given.args)],
        {k: v for k, v in given.kwargs.items() if k not in fixed},
    )
    leaves, tree = jax.tree_util.tree_flatten(dynamic)
    traced = [k for k, v in enumerate(leaves) if is_traced(v, static)]
    where = [k for k in traced if kind_of(leaves[k]) == "f" and not _is_complex(leaves[k])]
    rest = [k for k in traced if k not in where]

    def rebuild(values: list[Any], others: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        new = list(leaves)
        for k, v in zip([*where, *rest], [*values, *others], strict=True):
            new[k] = v
        positional, keywords = jax.tree_util.tree_unflatten(tree, new)
        args = tuple(a if k in fixed else positional[k] for k, a in enumerate(given.args))
        return args, {k: v if k in fixed else keywords[k] for k, v in given.kwargs.items()}

    stays = [leaf for k, leaf in enumerate(leaves) if k not in traced]
    apart = [a for k, a in enumerate(given.args) if k in fixed], {k: v for k, v in given.kwargs.items() if k in fixed}
    places = [number for number, k in enumerate(traced) if k in where]
    values, others = [_as_array(leaves[k]) for k in where], [leaves[k] for k in rest]
    return Leaves(values, others, rebuild, tree, (where, rest, stays, apart), places)


def _is_complex(leaf: Any) -> bool:
    dtype = leaf.dtype if isinstance(leaf, jax.Array) else np.asarray(leaf).dtype
    return bool(dtype.kind == "c")


def _as_array(leaf: Any) -> jax.Array:
    if isinstance(leaf, jax.Array):
        return leaf
    return as_weak(leaf) if np.ndim(leaf) == 0 else as_jax(leaf)


def total_of(fun: Callable[..., Any], leaves: Leaves, floats: Container[int] = ()) -> Callable[..., Any]:
    """The weighted sum (`backward.weights`) of everything real that `fun` gives, of the leaves that may be differentiated and
    the others. `floats`: which of its results are floats elsewhere; a number of Python's own counts there, as in
    `return 1 if x > 1 else x`."""

    def total(values: list[Any], others: list[Any] = leaves.others) -> Any:
        args, kwargs = leaves.rebuild(values, others)
        out = jax.tree_util.tree_leaves(fun(*args, **kwargs))
        out = [np.float32(v) if k in floats and type(v) in (int, float) else v for k, v in enumerate(out)]
        starts = itertools.accumulate((v.size if has(v, "dtype") else 1 for v in out), initial=0)
        parts = [_weighted(v, first) for v, first in zip(out, starts, strict=False) if is_real(v)]
        return functools.reduce(operator.add, parts) if parts else 0.0  # what is not computed is not differentiated

    return total


def _weighted(value: Any, first: int) -> Any:
    """The weighted sum of a result, of which `first` elements come before."""
    factors = backward.weights(value.shape, first).astype(value.dtype)
    if first or value.size > 1:
        value = value * factors
    return value if isinstance(value, jax.Array) and value.ndim == 0 else jnp.sum(value)


def is_real(leaf: Any) -> bool:
    """Whether it is an array of real floats."""
    return has(leaf, "dtype") and bool(jax.dtypes.issubdtype(leaf.dtype, np.floating))
