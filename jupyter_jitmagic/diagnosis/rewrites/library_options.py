"""Functions of JAX's that ask for values unless an option says that they need not."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import jax.numpy as jnp

from jupyter_jitmagic.diagnosis.proof.verify import OVERLAP
from jupyter_jitmagic.diagnosis.rewrites.host_functions import host_names
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import walk

_FEWER = "a first coefficient of 0, for which plain Python gives fewer roots, and this one NaN in their place"
_OPTIONS: dict[str, tuple[int, str, str]] = {
    "roots": (1, "strip_zeros=False", _FEWER),
    "choose": (2, 'mode="clip"', ""),
    "ravel_multi_index": (2, 'mode="clip"', ""),
}
"""By function: how many arguments stand before the option, it, and where another shape comes of it. (Where `mode` is "raise",
plain Python raises for what is clipped.)"""


def given_the_option(spot: Spot) -> Iterator[Step]:
    """`jnp.roots(p)` → `jnp.roots(p, strip_zeros=False)`, `jnp.choose(i, xs)` → `jnp.choose(i, xs, mode="clip")`."""
    node = spot.node
    if not isinstance(node, ast.Call) or any(isinstance(each, ast.Starred) for each in node.args):
        return
    function = spot.value(node.func)
    for name, (before, option, fewer) in _OPTIONS.items():
        keyword = option.partition("=")[0]
        given = len(node.args) > before or any(each.arg in (None, keyword) for each in node.keywords)
        if function is not getattr(jnp, name) or given:
            continue
        text = f"{spot.code.src(node)[:-1].rstrip().removesuffix(',')}, {option})"
        yield spot.step(f"{keyword}=", (node, text), excludes={OVERLAP: fewer} if fewer else {})


def all_places_stored(spot: Spot) -> Iterator[Step]:
    """`sparse.BCOO.fromdense(a)` → `sparse.BCOO.fromdense(a, nse=a.size)`: as many places as there may be others than 0."""
    node, sparse = spot.node, sys.modules.get("jax.experimental.sparse")
    if sparse is None or not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
        return
    array, function = node.args[0], node.func
    if not isinstance(array, ast.Name):
        return
    owner = spot.value(function.value) if isinstance(function, ast.Attribute) and function.attr == "fromdense" else None
    if owner is sparse.BCOO or owner is sparse.BCSR or spot.value(function) is sparse.bcoo_fromdense:
        yield spot.step("nse=", (node, f"{spot.code.src(function)}({array.id}, nse={array.id}.size)"))


_THIN = "no more columns are taken than there are singular values"


def thin_factors(spot: Spot) -> Iterator[Step]:
    """`U, s, Vt = jnp.linalg.svd(x)`, of which `U[:, :r]`, `s[:r]` and `Vt[:r]` alone are read → `full_matrices=False`:
    there are no more columns than singular values then; of a count above those, which plain Python may take, that is said."""
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    for node in walk(function):
        match node:
            case ast.Assign(
                targets=[ast.Tuple(elts=[ast.Name(id=left), ast.Name(id=values), ast.Name(id=right)])],
                value=ast.Call(func=func, args=[_], keywords=[]) as call,
            ) if "numpy.linalg.svd" in host_names(spot, func) or code.src(func) == spot.jnp("linalg.svd"):
                pass
            case _:
                continue
        reads = {name: [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
                 for name in (left, values, right)}  # fmt: skip
        counts = [_first_so_many(code.parents[use], name == left) for name in (left, right) for use in reads[name]]
        counted = {_first_so_many(code.parents[use], False) for use in reads[values]} - {""}
        if counts and set(counts) <= counted and len(counted) == 1:
            yield spot.step("full_matrices=", (call, f"{code.src(call)[:-1]}, full_matrices=False)"), note=_THIN)
            return


def _first_so_many(node: ast.AST, columns: bool) -> str:
    """r of `U[:, :r]`, or of `s[:r]` and `Vt[:r, :]`; "" where more is read."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
        return ""
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    at = 1 if columns else 0
    others = [part for place, part in enumerate(parts) if place != at]
    if len(parts) <= at or any(ast.unparse(part) != ":" for part in others):
        return ""
    match parts[at]:
        case ast.Slice(lower=None, upper=ast.Name(id=count), step=None):
            return count
    return ""


RULES: list[Rule] = [given_the_option, all_places_stored, thin_factors]
