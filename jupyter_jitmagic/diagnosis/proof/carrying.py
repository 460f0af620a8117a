"""Objects that a function changes in place, and whose state its jit carries out again, as flax's does: part of its result."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Collection
from typing import Any

import jax

from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun


def carrying(fun: Callable[..., Any], names: Collection[str]) -> Callable[..., Any]:
    """The function with the state of these arguments after it beside its result; it runs on copies of them."""
    if not names:
        return fun
    signature = inspect.signature(fun)

    @functools.wraps(fun)
    def also(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = fresh((args, kwargs))
        result = fun(*args, **kwargs)
        bound = signature.bind(*args, **kwargs).arguments
        return result, {name: jax.tree_util.tree_leaves(bound[name]) for name in sorted(names) if name in bound}

    return also


def changes_what_is_shared(
    fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], names: Collection[str], seconds: float
) -> str:
    """Why no run on copies of these arguments tells what a call does ("" where it does): two of their places hold one array,
    which a copy has twice, and a call changes them, or it is not known whether it does."""
    bound = inspect.signature(fun).bind(*args, **kwargs).arguments
    before = {name: jax.tree_util.tree_leaves(bound[name]) for name in sorted(names) if name in bound}
    arrays = [id(leaf) for leaves in before.values() for leaf in leaves if isinstance(leaf, jax.Array)]
    if len({*arrays}) == len(arrays):
        return ""
    with contextlib.suppress(Exception, OutOfTime, Effect):
        after = rerun(lambda: carrying(fun, names)(*args, **kwargs)[1], seconds)
        if [*map(id, jax.tree_util.tree_leaves(after))] == [*map(id, jax.tree_util.tree_leaves(before))]:
            return ""
    return "it changes objects of which two hold one array"
