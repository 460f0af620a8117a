"""One traced leaf as plain data: its aval, and where and how a committed array lives."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic.base import jax_internals
from jupyter_jitmagic.base.looking import attribute, has, is_a
from jupyter_jitmagic.base.value_texts import is_array


class Leaf(NamedTuple):
    """One traced leaf. `typing` is the sharding in its type; `devices`, `sharding` and `layout` tell where and how a committed
    array lives; `layout` is empty for the usual order of axes."""

    path: str
    aval: str
    shape: tuple[Any, ...]
    dtype: str
    weak: bool
    typing: str
    devices: str
    sharding: str
    layout: str = ""

    @property
    def text(self) -> str:
        return f"{'~' if self.weak else ''}{self.aval}"


def as_in_memory(value: Any) -> Any:
    """A NumPy array as JAX takes it on a hit: what properties the user's class of it has is not asked."""
    kind = type(value)
    return np.ndarray.view(value, np.ndarray) if kind is not np.ndarray and issubclass(kind, np.ndarray) else value


def leaf_of(path: str, value: Any, placed: bool = False) -> Leaf:
    """One leaf of a call; a value that JAX cannot take is described by its type. Under an eager transformation it is what the
    transformed function is called with."""
    axes = ""
    if is_a(value, jax.core.Tracer):
        value, axes = jax_internals.value_under(value)
    try:
        aval = jax.typeof(value) if _may_be_array(value) else None
    except Exception:
        aval = value if is_array(value) else None
    if aval is None:
        return _leaf(path, f"<{type(value).__qualname__}>", (), type(value).__qualname__, False, "", "", "", "")
    devices, sharding = ("", "") if placed else placement_of(value)
    short, shape, dtype, weak, typing = _aval_parts(aval)
    if typing and not _is_on_mesh(value):
        typing = ""  # the mesh in context, which is told as such
        short = f"{short.partition('[')[0]}[{','.join(map(str, shape))}]"
    typing = " ".join(filter(None, (typing, axes)))
    return _leaf(path, short, shape, dtype, weak, typing, devices, sharding, layout_of(value))


def _may_be_array(value: Any) -> bool:
    """Whether to ask JAX what it takes this for: it asks the value itself, also a default that no call of its own looks at."""
    if is_a(value, (bool, int, float, complex, np.generic, np.ndarray, jax.Array, jax.core.Tracer)):
        return True
    return has(value, "__jax_array__") or is_array(value)


def _is_on_mesh(value: Any) -> bool:
    """Whether it has a mesh of its own; in the type of anything else stands the mesh in context."""
    return is_a(value, jax.core.Tracer) or is_a(attribute(value, "sharding"), jax.sharding.NamedSharding)


def _aval_parts(aval: Any) -> tuple[str, tuple[Any, ...], str, bool, str]:
    try:
        return _cached_aval_parts(aval)
    except TypeError:  # an aval that does not hash
        return _new_aval_parts(aval)


def _new_aval_parts(aval: Any) -> tuple[str, tuple[Any, ...], str, bool, str]:
    shape, dtype = tuple(getattr(aval, "shape", ())), str(getattr(aval, "dtype", type(aval).__qualname__))
    return _short(aval, shape, dtype), shape, dtype, bool(getattr(aval, "weak_type", False)), _typing_of(aval)


_cached_aval_parts = functools.lru_cache(maxsize=4096)(_new_aval_parts)


def _leaf(path: str, *parts: Any) -> Leaf:
    """Equal leaves share one object: thousands of entries of a large model differ in a few leaves."""
    shared = _shared_leaves(parts)
    found = shared.get(path)
    if found is None:
        if len(shared) >= _SHARED_LIMIT:
            shared.clear()
        found = shared[path] = Leaf(path, *parts)
    return found


_SHARED_LIMIT = 32_768


@functools.lru_cache(maxsize=256)
def _shared_leaves(parts: tuple[Any, ...]) -> dict[str, Leaf]:
    """The leaves that look so, by path."""
    return {}


def _short(aval: Any, shape: tuple[Any, ...], dtype: str) -> str:
    """JAX's short form, as f32[4,3]."""
    try:
        return str(aval.str_short(True))
    except Exception:
        return f"{dtype}[{','.join(map(str, shape))}]"


def _typing_of(aval: Any) -> str:
    """The mesh and spec that are part of the type itself; empty without a mesh."""
    sharding = getattr(aval, "sharding", None)
    mesh = getattr(sharding, "mesh", None)
    if mesh is None or getattr(mesh, "empty", True):
        return ""
    if all(getattr(kind, "name", "Auto") == "Auto" for kind in getattr(mesh, "axis_types", None) or ()):
        return mesh_text(mesh)  # automatic axes are in no type
    return f"{mesh_text(mesh)} {spec_text(getattr(sharding, 'spec', ()))}"


def layout_of(value: Any) -> str:
    """The order of axes in memory of a committed array, as "(1, 0)"; empty for the usual one and for anything uncommitted."""
    if not is_a(value, jax.Array) or is_a(value, jax.core.Tracer) or value.ndim < 2:
        return ""
    try:
        order = value.format.layout.major_to_minor if getattr(value, "committed", False) else None
    except Exception:  # not every backend tells
        return ""
    return "" if order is None or tuple(order) == tuple(range(value.ndim)) else str(tuple(order))


def placement_of(value: Any) -> tuple[str, str]:
    """Where a committed array lives, as (devices, sharding); both empty for anything uncommitted: JAX is then free to choose.

    Two shardings that place the same pieces are one: ``P('i')`` and ``P('i', None)``.
    """
    if not is_a(value, jax.Array) or is_a(value, jax.core.Tracer):
        return "", ""
    try:
        if not getattr(value, "committed", False):
            return "", ""
        sharding = value.sharding
        return _placement_text(sharding)
    except Exception:
        return "", ""


@functools.lru_cache(maxsize=1024)
def _placement_text(sharding: Any) -> tuple[str, str]:
    mesh, spec = getattr(sharding, "mesh", None), getattr(sharding, "spec", None)
    ordered = (
        list(mesh.devices.flat) if mesh is not None and not mesh.empty else sorted(sharding.device_set, key=lambda d: d.id)
    )
    devices = ",".join(f"{device.platform}:{device.id}" for device in ordered)
    memory = getattr(sharding, "memory_kind", None)
    kept = f" in {memory}" if memory not in (None, _default_memory(ordered[0])) else ""
    if mesh is not None and spec is not None:
        return devices, f"{mesh_text(mesh)} {spec_text(spec)}{kept}"
    if len(ordered) == 1:
        return devices, f"one device{kept}"
    return devices, f"{' '.join(str(sharding).split())}{kept}"


def _default_memory(device: Any) -> str | None:
    try:
        return str(device.default_memory().kind)
    except Exception:
        return None


def mesh_text(mesh: Any) -> str:
    """A mesh by its axes, as Mesh('i': 4); axis types only where they are not automatic."""
    types = getattr(mesh, "axis_types", None) or ()
    shown = []
    for i, (name, size) in enumerate(dict(mesh.shape).items()):
        kind = getattr(types[i], "name", str(types[i])) if i < len(types) else "Auto"
        shown.append(f"{name!r}: {size}" + ("" if kind == "Auto" else f" {kind}"))
    return f"Mesh({', '.join(shown)})"


def spec_text(spec: Iterable[Any]) -> str:
    """A partition spec as P('i', None) without what changes nothing: trailing None, tuples of one."""
    # a spec with unreduced axes refuses to be iterated over
    partitions = getattr(spec, "partitions", spec)
    parts = [part[0] if isinstance(part, tuple) and len(part) == 1 else part for part in partitions]
    while parts and parts[-1] in (None, ()):
        parts.pop()
    extra = [f"{name}={set(axes)!r}" for name in ("unreduced", "reduced") if (axes := getattr(spec, name, None))]
    return f"P({', '.join([*map(repr, parts), *extra])})"
