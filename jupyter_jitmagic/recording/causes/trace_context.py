"""The configuration that tracing depends on, as rows of name and value."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import jax

from jupyter_jitmagic.base import jax_internals
from jupyter_jitmagic.base.value_texts import shown
from jupyter_jitmagic.recording.causes.leaves import mesh_text

_latest_config: tuple[list[tuple[str, Any]], tuple[tuple[str, str], ...]] = ([], ())


def config_context() -> tuple[tuple[str, str], ...]:
    """The configuration that JAX's cache key holds, by option name as ``jax.config`` knows it; a mesh in context is "mesh"."""
    global _latest_config
    values = jax_internals.jit_config()
    before, rows = _latest_config
    if len(before) != len(values) or any(a[1] is not b[1] for a, b in zip(before, values, strict=True)):
        rows = _shared(tuple(_config_rows(values)))
        _latest_config = values, rows
    return rows


@functools.lru_cache(maxsize=256)
def _shared(rows: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """One object for equal rows: nearly every signature has the same."""
    return rows


def _config_rows(values: list[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    meshes = []
    for name, value in values:
        if "mesh" in name and not name.startswith("jax_"):
            meshes.append(_mesh_context_text(value))
        elif name == "axis_env_state":
            yield "axis_env", str(dict(getattr(value, "axis_sizes", {})))
        else:
            yield _CONTEXT_NAMES.get(name, name), _config_text(value)
    yield "mesh", max(meshes, key=len, default="") or "None"


_CONTEXT_NAMES = {
    "compute_on_context_manager": "compute_on",
    "xla_metadata_context_manager": "xla_metadata",
    "pallas_tpu_interpret_mode_context_manager": "pallas_tpu_interpret_mode",
}


def _mesh_context_text(value: Any) -> str:
    """Meshes in context: none, one, or a stack of them (``with mesh:`` keeps a tuple)."""
    meshes = value if isinstance(value, tuple) else (value,)
    return ", ".join(text for mesh in meshes if (text := _one_mesh_text(mesh)))


def _one_mesh_text(mesh: Any) -> str:
    if mesh is None or getattr(mesh, "empty", False) or not hasattr(mesh, "shape"):
        return ""
    if not isinstance(mesh, jax.sharding.Mesh):
        return mesh_text(mesh)
    return f"{mesh_text(mesh)} on {','.join(str(device.id) for device in mesh.devices.flat)}"


def _config_text(value: Any) -> str:
    if value is None or type(value) in (bool, int):
        return repr(value)
    if isinstance(value, jax.Device):
        return f"{value.platform}:{value.id}"
    kind = getattr(value, "value", value) if hasattr(value, "name") and hasattr(type(value), "__members__") else value
    return kind if isinstance(kind, str) else shown(kind)
