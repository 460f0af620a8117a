"""Arguments for one more run: the same leaves in new containers, so that what a run does to one is not done to the user's."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute, is_a
from jupyter_jitmagic.usercode.ownership import is_library_type

LARGEST_COPY = 1 << 22
"""Bytes of an array of NumPy that is copied for each run."""


_STAYS = frozenset({bool, int, float, complex, str, type(None)})


def fresh(values: Any) -> Any:
    """The same leaves in new containers: what a function does to a dict, to a pytree of a class, or to an array of NumPy, is
    not the user's own."""
    if type(values) is tuple:
        return tuple(fresh(v) for v in values)
    if type(values) is list:
        return [fresh(v) for v in values]
    if type(values) is dict:
        return {k: fresh(v) for k, v in values.items()}
    if type(values) in _STAYS or issubclass(type(values), jax.Array):
        return values
    if is_users_pytree(values) or changes_in_place(values) or (is_a(values, tuple) and not jax.tree_util.all_leaves([values])):
        held, tree = taken_apart(values)
        return jax.tree_util.tree_unflatten(tree, [fresh(v) for v in held])
    return values.copy() if is_rebuilt(values) else values


def is_rebuilt(value: Any) -> bool:
    """Whether `fresh` makes another object that holds the same."""
    if type(value) is np.ndarray:
        return bool(value.nbytes <= LARGEST_COPY)
    return type(value) in (list, dict) or is_users_pytree(value)


def is_users_pytree(value: Any) -> bool:
    """Whether JAX takes an object of a class of the user's apart, and makes it anew."""
    return not is_a(value, tuple) and not is_library_type(type(value)) and not jax.tree_util.all_leaves([value])


def changes_in_place(value: Any) -> bool:
    """Whether a pytree is an object whose attributes a call may set, as flax's modules count their draws, or whose one array,
    as its variables."""
    if value is None or type(value) in (list, dict):
        return False
    frozen = getattr(attribute(type(value), "__dataclass_params__", None), "frozen", False)
    may_be_set = not frozen and not is_a(value, (tuple, jax.Array))
    return may_be_set and not jax.tree_util.all_leaves([value])


def taken_apart(value: Any) -> tuple[list[Any], Any]:
    """What a pytree itself consists of, and how it is made of that."""
    held, tree = jax.tree_util.tree_flatten(value, is_leaf=lambda part: part is not value)
    return held, tree
