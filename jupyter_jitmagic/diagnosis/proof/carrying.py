"""Objects that a function changes in place, and whose state its jit carries out again, as flax's does: part of its result."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from typing import Any

import jax

from jupyter_jitmagic.sandbox.copies import fresh


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
