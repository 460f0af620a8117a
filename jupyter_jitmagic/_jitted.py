"""The wrapper around `jax.jit`; it records nothing yet."""

from __future__ import annotations

from typing import Any

import jax


def jit(*args: Any, **options: Any) -> Any:
    """`jax.jit`."""
    return jax.jit(*args, **options)
