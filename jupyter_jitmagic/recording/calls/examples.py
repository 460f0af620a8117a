"""What a call of an entry looks like, without its arrays: enough to lower the same program again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.base.jax_frames import JitOptions
from jupyter_jitmagic.base.jax_internals import CONCRETE_ARRAY, in_config, jit_config
from jupyter_jitmagic.base.looking import is_a


class Example(NamedTuple):
    """Arguments in whose traced places stand `jax.ShapeDtypeStruct`; static arguments are themselves, as in JAX's cache."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    config: list[tuple[str, Any]]
    """The configuration of the call, as JAX's cache key holds it."""

    @property
    def types(self) -> list[tuple[tuple[int, ...], Any]]:
        """Shape and dtype of each array."""
        leaves = jax.tree_util.tree_leaves((self.args, self.kwargs))
        return [(leaf.shape, leaf.dtype) for leaf in leaves if is_a(leaf, jax.ShapeDtypeStruct)]


class _NoArray(Exception):
    """A traced argument holds a token, or a type of the user's own: nothing but itself can stand in its place."""


def example_of(options: JitOptions, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Example | None:
    """The call ``f(*args, **kwargs)`` without its arrays; None where it cannot do without them."""
    nums = {num % len(args) for num in options.static_argnums if -len(args) <= num < len(args)}
    abstract = _Types().of
    try:
        return Example(
            tuple([arg if i in nums else abstract(arg) for i, arg in enumerate(args)]),
            {name: arg if name in options.static_argnames else abstract(arg) for name, arg in kwargs.items()},
            jit_config(),
        )
    except Exception:  # a `_NoArray`, or a container of the user's own that refuses to hold types in the place of arrays
        return None


@contextlib.contextmanager
def as_it_was(entry: int, example: Example) -> Iterator[None]:
    """In the block this thread has the configuration that the entry was made under.

    Raises:
        OptionError: one line, where that cannot be had.
    """
    with in_config(example.config) as is_so:
        if not is_so:
            raise OptionError(f"entry {entry} was made under another configuration, which cannot be brought back")
        yield


class _Types:
    """The types that stand in the places of arrays; in a large tree most arrays share one."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Any, Any]] = {}
        """By the identity of an aval, which is held meanwhile: of arrays that are uncommitted."""

    def of(self, tree: Any) -> Any:
        return jax.tree_util.tree_map(self._of_leaf, tree)

    def _of_leaf(self, leaf: Any) -> Any:
        kind = type(leaf)
        if kind is not CONCRETE_ARRAY or leaf.committed:
            return _abstract_leaf(leaf)
        aval = leaf.aval
        seen = self._seen.get(id(aval))
        if seen is None:
            seen = self._seen[id(aval)] = aval, _abstract_leaf(leaf)
        return seen[1]


def _abstract_leaf(leaf: Any) -> Any:
    aval = jax.typeof(leaf)
    if not (hasattr(aval, "shape") and hasattr(aval, "dtype")):
        raise _NoArray
    committed = is_a(leaf, jax.Array) and getattr(leaf, "committed", False)
    return jax.ShapeDtypeStruct(
        aval.shape, aval.dtype, weak_type=getattr(aval, "weak_type", False), sharding=leaf.sharding if committed else None
    )
