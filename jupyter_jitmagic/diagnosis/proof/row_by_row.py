"""`jax.vmap` and `jax.checkpoint` as plain Python: a loop over the rows, and nothing.

They trace their bodies, so below them nothing has a value. In a run of plain Python these take their place: the numbers are the
same, and the body's branches are Python's.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import types
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jupyter_jitmagic.source.names import bound_in, imported, walk_scope

_BY_ROWS, _AS_IT_IS = "__jitmagic_by_rows__", "__jitmagic_as_it_is__"


_MANY_ROWS = 16
"""With more, it is tried whether JAX's own `vmap` takes the body: where that asks for no value, no row needs its own run."""


def by_rows(fun: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0, axis_name: Any = None) -> Any:
    """`jax.vmap(fun, …)` as a loop over the rows; as itself where the rows speak to each other."""
    if axis_name is not None:
        return jax.vmap(fun, in_axes, out_axes, axis_name)

    def mapped(*args: Any, **kwargs: Any) -> Any:
        axes = tuple(in_axes) if isinstance(in_axes, list) else in_axes
        leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
        places = [*_of_leaves(axes, args), *_of_leaves(0, kwargs)]
        sizes = [jnp.shape(leaf)[axis] for leaf, axis in zip(leaves, places, strict=True) if axis is not None]
        count = sizes[0] if sizes else 0
        if not count or any(size != count for size in sizes):
            raise ValueError("vmap: no rows, or sizes that differ")
        if count > _MANY_ROWS:
            with contextlib.suppress(Exception):  # what it fails at, some row has an answer to, or fails at as well
                return jax.vmap(fun, in_axes, out_axes)(*args, **kwargs)
        results = []
        for number in range(count):
            row = [
                leaf if axis is None else jnp.take(jnp.asarray(leaf), number, axis)
                for leaf, axis in zip(leaves, places, strict=True)
            ]
            given, named = jax.tree_util.tree_unflatten(tree, row)
            results.append(fun(*given, **named))
        outs = _of_leaves(tuple(out_axes) if isinstance(out_axes, list) else out_axes, results[0])
        rows = [jax.tree_util.tree_leaves(result) for result in results]
        stacked = [
            parts[0] if axis is None else jnp.stack([jnp.asarray(part) for part in parts], axis)
            for axis, parts in zip(outs, zip(*rows, strict=True), strict=True)
        ]
        return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(results[0]), stacked)

    return mapped


def as_it_is(fun: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """`jax.checkpoint(fun)`, which changes when things are computed and not what."""
    return fun


def _of_leaves(axes: Any, tree: Any) -> list[Any]:
    """The axis of each leaf, from a tree of axes that may end earlier than the tree."""
    found: list[Any] = []

    def spread(axis: Any, part: Any) -> None:
        found.extend([axis] * len(jax.tree_util.tree_leaves(part)))

    if axes is None or isinstance(axes, int):
        spread(axes, tree)
    else:
        jax.tree_util.tree_map(spread, axes, tree, is_leaf=lambda axis: axis is None)
    return found


INSTEAD: Mapping[str, Any] = types.MappingProxyType({_BY_ROWS: by_rows, _AS_IT_IS: as_it_is})
"""What the changed text calls, by name."""


def row_by_row(tree: ast.Module, names: Mapping[str, Any], others: Mapping[str, Any] | None = None) -> ast.Module:
    """The text with these in place of JAX's own; `names` are the globals in which it runs. `others`: of JAX's functions, what
    else is called by another name."""
    changed: ast.Module = _Instead(names, others or {}).visit(tree)
    return changed


def wrapping(fun: types.FunctionType) -> Callable[[Any], Any] | None:
    """What makes of a function what `jax.vmap` or `jax.checkpoint` made of it beforehand (a decorator, a global), as above."""
    made = below_the_boundary(fun)
    if made.__code__ is _CHECKPOINTED:
        return as_it_is
    if made.__code__ is not _MAPPED:
        return None
    held = closure(made)
    if not held.keys() >= {"in_axes", "out_axes", "axis_name"} or held["axis_name"] is not _UNNAMED:
        return None
    return functools.partial(by_rows, in_axes=held["in_axes"], out_axes=held["out_axes"])


def below_the_boundary(fun: types.FunctionType) -> types.FunctionType:
    """The function itself, below what JAX puts around all of its own to filter tracebacks."""
    inner = closure(fun).get("fun") if fun.__code__ is _BOUNDARY else None
    return inner if isinstance(inner, types.FunctionType) else fun


def closure(fun: types.FunctionType) -> dict[str, Any]:
    """What it holds of the functions around it, by name."""
    return {name: cell.cell_contents for name, cell in zip(fun.__code__.co_freevars, fun.__closure__ or (), strict=True)}


_BOUNDARY = jax.vmap(len).__code__
_UNNAMED = closure(below_the_boundary(jax.vmap(len))).get("axis_name")
_MAPPED, _CHECKPOINTED = (below_the_boundary(each(len)).__code__ for each in (jax.vmap, jax.checkpoint))


class _Instead(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, Any], others: Mapping[str, Any]) -> None:
        self.names, self.others = names, others
        self.bound: list[set[str]] = []
        """The names of the functions that it is in: what they stand for is no global."""

    def visit(self, node: ast.AST) -> Any:
        if not (own := bound_in(node)):
            return super().visit(node)
        for each in walk_scope(node.body) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else ():
            if isinstance(each, ast.Import | ast.ImportFrom):
                own -= {name for name, found in imported(each) if found is not None and found is self.names.get(name)}
        self.bound.append(own)
        try:
            return super().visit(node)
        finally:
            self.bound.pop()

    def _global(self, name: str) -> Any:
        return None if any(name in bound for bound in self.bound) else self.names.get(name)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._replaced(node, self._global(node.id)) if isinstance(node.ctx, ast.Load) else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        owner = self._global(node.value.id) if isinstance(node.value, ast.Name) else None
        found = getattr(owner, node.attr, None) if isinstance(owner, types.ModuleType) else None
        replaced = self._replaced(node, found)
        return replaced if replaced is not node else self.generic_visit(node)

    def _replaced(self, node: ast.expr, value: Any) -> ast.AST:
        name = _BY_ROWS if value is jax.vmap else _AS_IT_IS if value is jax.checkpoint or value is jax.remat else ""
        name = name or next((other for other, each in self.others.items() if value is each), "")
        return ast.copy_location(ast.Name(name, ast.Load()), node) if name else node
