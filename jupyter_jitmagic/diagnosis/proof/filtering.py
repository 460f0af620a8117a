"""`jax.jit` of arrays alone: every other leaf of arguments and results stays as it is, as under ``equinox.filter_jit``."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np


def is_array(leaf: Any) -> bool:
    return isinstance(leaf, (jax.Array, np.ndarray, np.generic))


class _Kept:
    """A leaf of a result that is no array; what a tree is made of again with it has the leaf itself there."""

    def __init__(self, value: Any) -> None:
        self.value = value


jax.tree_util.register_pytree_node(_Kept, lambda kept: ((), kept), lambda kept, _: kept.value)


@dataclass(frozen=True)
class Traced:
    """A program of arrays: its jaxpr, and the result's shapes and dtypes, with the leaves in it that are no arrays."""

    jaxpr: Any
    out_info: Any


def _aval(leaf: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)


class ArraysAlone:
    """A function under such a jit, with `trace` and the call.

    Args:
        function: the function.
        options: of `jax.jit`.

    Example:
        >>> ArraysAlone(lambda model, x: model["act"](x), {})({"act": jnp.tanh}, x)
    """

    def __init__(self, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
        self._function, self._options = function, options
        self._made: dict[Hashable, Any] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's result, compiled; once for each combination of the leaves that are no arrays."""
        leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
        kept = tuple(None if is_array(leaf) else (type(leaf), leaf) for leaf in leaves)
        arrays = [leaf for leaf in leaves if is_array(leaf)]
        try:
            program = self._made.get((tree, kept))
            if program is None:
                program = self._made[tree, kept] = self._jitted(leaves, tree, [])
        except TypeError:  # a leaf that is not hashable
            program = self._jitted(leaves, tree, [])
        return program(arrays)

    def trace(self, *args: Any, **kwargs: Any) -> Traced:
        """What ``jax.jit(…).trace(…)`` gives; its inputs are the arrays."""
        leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
        shown: list[Any] = []
        program = self._jitted(leaves, tree, shown)
        return Traced(program.trace([leaf for leaf in leaves if is_array(leaf)]).jaxpr, shown[-1])

    def _jitted(self, leaves: list[Any], tree: Any, shown: list[Any]) -> Any:
        """`shown` gets `Traced.out_info` when it is traced."""

        def run(given: list[Any]) -> Any:
            new = iter(given)
            args, kwargs = jax.tree_util.tree_unflatten(tree, [next(new) if is_array(leaf) else leaf for leaf in leaves])
            out = self._function(*args, **kwargs)
            shown.append(jax.tree_util.tree_map(lambda leaf: _aval(leaf) if is_array(leaf) else _Kept(leaf), out))
            return jax.tree_util.tree_map(lambda leaf: leaf if is_array(leaf) else _Kept(leaf), out)

        return jax.jit(run, **self._options)
