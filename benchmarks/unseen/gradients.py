"""Gradients of an answer beside those of plain Python, run eagerly: there values are concrete and branches are Python's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.advice import quiet

from .compare import leaf_difference

NO_REVERSE = "has no reverse mode, and does not say so"
UNSTABLE = re.compile(r"median\(|quantile\(|percentile\(")
"""What JAX sorts without keeping the order of equal elements: which of them takes the gradient is left to chance."""


def gradient_difference(jitted: Any, plain: Any, args: tuple, kwargs: dict, unordered: bool = False) -> str | None:
    """ "" where they are the same; None where plain Python's value or its gradient is not there or not finite.

    `unordered`: any of equal elements may take the gradient.
    """
    leaves, rebuild = float_leaves(args, kwargs)
    if not leaves:
        return None
    try:
        with quiet():
            value, wanted = jax.value_and_grad(scalar(plain, rebuild))(leaves)
    except Exception:  # not differentiable as it stands
        return None
    if not np.isfinite(value) or not all(np.isfinite(np.asarray(each)).all() for each in wanted):
        return None
    try:
        with quiet():
            found = jax.grad(scalar(jitted, rebuild))(leaves)
    except Exception as error:
        refused = "Reverse-mode differentiation does not work" in str(error)
        return NO_REVERSE if refused else f"raises {type(error).__name__}: {error}"
    for one, other, leaf in zip(found, wanted, leaves, strict=True):
        if wrong := leaf_difference(one, other):
            if unordered and not leaf_difference(_of_equal(one, leaf), _of_equal(other, leaf)):
                continue
            return f"gradient {wrong}"
    return ""


def forward_difference(jitted: Any, plain: Any, args: tuple, kwargs: dict) -> str:
    """How `jax.jvp` of an answer is not finite where that of plain Python is; "" elsewhere."""
    leaves, rebuild = float_leaves(args, kwargs)
    ways = [1 + jnp.arange(leaf.size, dtype=leaf.dtype).reshape(leaf.shape) for leaf in leaves]
    try:
        with quiet():
            value, wanted = jax.jvp(scalar(plain, rebuild), (leaves,), (ways,))
    except Exception:  # not differentiable as it stands
        return ""
    if not (leaves and np.isfinite(value) and np.isfinite(wanted)):
        return ""
    try:
        with quiet():
            found = jax.jvp(scalar(jitted, rebuild), (leaves,), (ways,))[1]
    except Exception as error:
        return f"forward mode raises {type(error).__name__}: {error}"
    return "" if np.isfinite(found) else f"forward mode gives {found}, not {wanted}"


def _of_equal(gradient: Any, leaf: Any) -> np.ndarray:
    """The gradient with respect to equal elements, summed."""
    _, which = np.unique(np.asarray(leaf, np.float32), return_inverse=True)
    return np.bincount(which.ravel(), np.asarray(gradient, np.float32).ravel()).astype(np.float32)


def float_leaves(args: tuple, kwargs: dict) -> tuple[list[Any], Callable[[list[Any]], tuple[tuple, dict]]]:
    """The arguments' float arrays, and what puts others into their places. Python numbers stay: they may be static."""
    leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
    places = [
        number for number, leaf in enumerate(leaves) if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jnp.floating)
    ]

    def rebuild(values: list[Any]) -> tuple[tuple, dict]:
        filled = list(leaves)
        for place, value in zip(places, values, strict=True):
            filled[place] = value
        rebuilt: tuple[tuple, dict] = jax.tree_util.tree_unflatten(tree, filled)
        return rebuilt

    return [leaves[place] for place in places], rebuild


def scalar(fun: Any, rebuild: Callable[[list[Any]], tuple[tuple, dict]]) -> Callable[[list[Any]], Any]:
    """The sum of all floats that `fun` gives, each weighed by its place so that none stands for another."""

    def summed(values: list[Any]) -> Any:
        args, kwargs = rebuild(values)
        total = jnp.zeros(())
        for number, leaf in enumerate(jax.tree_util.tree_leaves(fun(*args, **kwargs))):
            array = jnp.asarray(leaf)
            if jnp.issubdtype(array.dtype, jnp.floating):
                weights = 1.0 + number + jnp.arange(array.size, dtype=array.dtype).reshape(array.shape) / 8
                total = total + jnp.sum(array * weights)
        return total

    return summed
