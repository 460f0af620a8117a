"""Arguments that a function may change in a run that is compared: the run gets copies of them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.sandbox.copies import is_rebuilt, is_users_pytree, taken_apart
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.definitions import definition_of
from jupyter_jitmagic.source.names import loaded
from jupyter_jitmagic.source.units import NoSource, plain_function, unit_of


def changeable(fun: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[str]:
    """Parameters whose values a run gets copies of: lists, dicts and the user's pytrees of numbers and JAX's arrays, and arrays
    of NumPy that the function returns (what it does to another is its only result, which no compiled function gives)."""
    copied = [(name, value) for name, value in _named(fun, args, kwargs).items() if is_rebuilt(value)]
    returned = _returned(fun) if any(isinstance(value, np.ndarray) for _, value in copied) else frozenset()
    return [name for name, value in copied if (name in returned if isinstance(value, np.ndarray) else _is_plain(value))]


def arrays_of_jax(fun: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[str]:
    """Parameters whose elements plain Python cannot set: a run that sets them all the same sets those of NumPy's copies."""
    return [name for name, value in _named(fun, args, kwargs).items() if isinstance(value, jax.Array)]


def _named(fun: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return inspect.signature(fun).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return {}


def is_written_to(given: Any, after: Any) -> bool:
    """Whether an array of NumPy in the arguments of a run holds something else after it, by whatever name it was written to."""
    before, now = jax.tree_util.tree_leaves(given), jax.tree_util.tree_leaves(after)
    return len(before) == len(now) and any(map(_is_another, before, now))


def _is_another(old: Any, new: Any) -> bool:
    return type(old) is np.ndarray and type(new) is np.ndarray and old is not new and old.tobytes() != new.tobytes()


def _returned(fun: Callable[..., Any]) -> frozenset[str]:
    """Names that stand in each `return` of the function."""
    function = plain_function(fun)
    try:
        unit = unit_of(function.__code__, function.__globals__) if function is not None else None
    except NoSource:
        return frozenset()
    definition = definition_of(unit, function.__code__) if unit is not None and function is not None else None
    if not isinstance(definition, ast.FunctionDef):
        return frozenset()
    returns = [node for node in leaves(definition.body, ast.Return) if isinstance(node, ast.Return)]
    values = [loaded([node.value]) if node.value is not None else set[str]() for node in returns]
    return frozenset(set.intersection(*values)) if values else frozenset()


def _is_plain(value: Any) -> bool:
    if type(value) in (list, tuple, dict):
        return all(map(_is_plain, value.values() if isinstance(value, dict) else value))
    if is_users_pytree(value):
        return all(map(_is_plain, taken_apart(value)[0]))
    return value is None or isinstance(value, bool | int | float | complex | str | jax.Array)
