"""Dicts among the arguments whose items are not in the order of their keys: JAX takes them apart, and sorts the keys.

So a jitted function goes over the items in another order than plain Python, and may give something else.
"""

from __future__ import annotations

from typing import Any

import jax

GOES_BY_KEYS = "jit hands over a dict's items in the order of their keys"
WHAT_TO_PASS = "go over a list of the keys, or pass a list of the values"


def is_in_another_order(value: Any) -> bool:
    """Whether it is, or holds in containers of Python's, a dict that is not in the order of its keys."""
    if type(value) is dict:
        made = jax.tree_util.tree_map(lambda part: part, value, is_leaf=lambda part: part is not value)
        return [*made] != [*value] or any(map(is_in_another_order, value.values()))
    return type(value) in (list, tuple) and any(map(is_in_another_order, value))


def in_order_of(old: Any, new: Any) -> Any:
    """The same containers, with the items of dicts in the order of a value of the same structure.

    Example:
        >>> in_order_of({"w": 1, "b": 2}, {"b": 4, "w": 3})
        {'w': 3, 'b': 4}
    """
    if type(old) is dict and type(new) is dict and old.keys() == new.keys():
        return {key: in_order_of(each, new[key]) for key, each in old.items()}
    if type(old) is type(new) and type(old) in (list, tuple) and len(old) == len(new):
        return type(old)(map(in_order_of, old, new))
    return new


def in_order_of_keys(value: Any) -> Any:
    """The value as a jitted function gets it."""
    return jax.tree_util.tree_map(lambda part: part, value)


def turned_round(value: Any) -> Any:
    """The same containers with the items of dicts from the last to the first."""
    if type(value) is dict:
        return {key: turned_round(value[key]) for key in reversed(value)}
    return type(value)(map(turned_round, value)) if type(value) in (list, tuple) else value
