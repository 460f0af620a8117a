"""Compiling a rewrite that runs on a few inputs, to compare it: soon compiled is better than fast."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jax
import numpy as np

_LEAST = {"xla_backend_optimization_level": 0, "xla_cpu_parallel_codegen_split_count": 1}  # a part a thread costs more
_LESS_EFFORT: tuple[Mapping[str, Any], ...] = (
    MappingProxyType({**_LEAST, "xla_cpu_use_fusion_emitters": False}),
    MappingProxyType(_LEAST),  # newer XLA has one way to emit code
    MappingProxyType({"xla_backend_optimization_level": 0}),
)


@functools.cache
def soon() -> dict[str, Any]:
    """XLA's options for a program that need not be fast; none where this XLA knows none of them, nor off the CPU.

    Example:
        >>> jax.jit(fun, compiler_options=soon())
    """
    if jax.default_backend() == "cpu":
        for options in _LESS_EFFORT:
            try:
                jax.jit(lambda x: x, compiler_options=dict(options)).lower(np.float32(0)).compile()
            except Exception:
                continue
            return dict(options)
    return {}
