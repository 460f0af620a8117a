"""The one door to what JAX does not publish. Each function has a public fallback and a contract test."""

from __future__ import annotations

from typing import Any

import jax

_PUBLIC_OPTIONS = (
    "jax_enable_x64",
    "jax_default_matmul_precision",
    "jax_default_device",
    "jax_disable_jit",
    "jax_numpy_dtype_promotion",
    "jax_numpy_rank_promotion",
    "jax_threefry_partitionable",
)


def jit_config() -> list[tuple[str, Any]]:
    """The configuration in JAX's cache key, as (name, value): options, mesh contexts, the axis environment.

    Without the internals: the options that are known to matter, and the abstract mesh.
    """
    try:
        from jax._src import config, mesh

        rows = list(zip(config.trace_context_names(), config.trace_context(), strict=True))
        return [*rows, ("concrete_mesh", mesh.get_concrete_mesh())]
    except Exception:
        rows = [(name, getattr(jax.config, name)) for name in _PUBLIC_OPTIONS if hasattr(jax.config, name)]
        return [*rows, ("abstract_mesh", jax.sharding.get_abstract_mesh())]
