"""Compiling a rewrite that runs on a few inputs, to compare it: soon compiled is better than fast, and beside other work."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jaxprs import longest_chain, written_out
from jupyter_jitmagic.base.own_work import own_work
from jupyter_jitmagic.diagnosis.proof.rounding import ends_by_floats
from jupyter_jitmagic.sandbox.limit import unhurried
from jupyter_jitmagic.sandbox.unchecked import unchecked

_LEAST = {"xla_backend_optimization_level": 0, "xla_cpu_parallel_codegen_split_count": 1}  # a part a thread costs more
_LESS_EFFORT: tuple[Mapping[str, Any], ...] = (_LEAST, {"xla_backend_optimization_level": 0})
_QUICKEST: Mapping[str, Any] = {**_LEAST, "xla_cpu_use_fusion_emitters": False}  # newer XLA has one way to emit code
_SMALL = 20_000  # operations, written out: above, the quickest way takes seconds, and then all memory that there is
_SHORT = 800  # operations in turn: that way goes from each to the next on the stack, and four thousand end the process


def soon(jaxpr: Any = None) -> dict[str, Any]:
    """XLA's options for a program that need not be fast; none where this XLA knows none of them, nor off the CPU.

    Args:
        jaxpr: the program, closed, where it is known: small ones are compiled twice as quickly, by XLA's older code generator.
            It computes a value anew for each of its uses in a loop, so that `x = x + x[::-1]` doubles the code at each round.

    Example:
        >>> jax.jit(fun, compiler_options=soon())
    """
    is_small = jaxpr is not None and written_out(jaxpr) <= _SMALL and longest_chain(jaxpr) <= _SHORT
    return dict(_known_here(is_small))


@functools.cache
def _known_here(is_small: bool) -> Mapping[str, Any]:
    """The first of the options that this XLA knows."""
    if jax.default_backend() == "cpu":
        for options in (_QUICKEST, *_LESS_EFFORT) if is_small else _LESS_EFFORT:
            try:
                jax.jit(lambda x: x, compiler_options=dict(options)).lower(np.float32(0)).compile()
            except Exception:
                continue
            return options
    return {}


def compiled_beside(traced: Any) -> Callable[[], Any]:
    """Compiles a program (``jax.jit(f).trace(…)``) in a thread of its own, where XLA holds up no Python; gives what waits for
    it. Nothing of the user's runs in that thread. Where rounding decides how a loop ends, it is compiled as the user's jit
    does, which rounds otherwise than what is compiled soon.

    Example:
        >>> compiled = compiled_beside(traced)
        >>> compare_gradients()
        >>> compiled()(x)
    """
    made: list[Any] = []
    failed: list[BaseException] = []
    lowered, options = traced.lower(), {} if ends_by_floats(traced.jaxpr) else soon(traced.jaxpr)

    def work() -> None:
        try:
            with own_work(), unchecked():
                made.append(lowered.compile(compiler_options=options))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="jitmagic-compile")
    unhurried(thread.start)  # stopped in there, it would wait for ever, and the interpreter's end for it

    def wait() -> Any:
        thread.join()
        if failed:
            raise failed[0]
        return made[0]

    return wait
