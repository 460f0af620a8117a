"""Compiling a rewrite that runs on a few inputs, to compare it: soon compiled is better than fast, and beside other work."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.own_work import own_work
from jupyter_jitmagic.sandbox.unchecked import unchecked

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


def compiled_beside(lowered: Any) -> Callable[[], Any]:
    """Compiles a lowered program (``jax.jit(f).trace(…).lower()``) in a thread of its own, where XLA holds up no Python; gives
    what waits for it. Nothing of the user's runs in that thread.

    Example:
        >>> compiled = compiled_beside(traced.lower())
        >>> compare_gradients()
        >>> compiled()(x)
    """
    made: list[Any] = []
    failed: list[BaseException] = []
    options = soon()

    def work() -> None:
        try:
            with own_work(), unchecked():
                made.append(lowered.compile(compiler_options=options))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="jitmagic-compile")
    thread.start()

    def wait() -> Any:
        thread.join()
        if failed:
            raise failed[0]
        return made[0]

    return wait
