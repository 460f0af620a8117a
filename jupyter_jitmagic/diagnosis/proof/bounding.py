"""Loops with an end: a rewrite whose `while_loop` finds none must not stop a comparison."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

LOOP_LIMIT = 50_000  # iterations of a while_loop under comparison: a rewrite that never ends must end


def bounded_loops(text: str) -> str:
    """The same source with every `while_loop` bounded, for the comparison only."""
    return re.sub(r"(?<![\w.])(?:\w+\.)*while_loop\(", "__jitmagic_while_loop__(", text)


def bounded_while_loop(cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any) -> Any:
    """`lax.while_loop` that ends after LOOP_LIMIT rounds."""
    return jax.lax.while_loop(
        lambda s: jnp.logical_and(s[1] < LOOP_LIMIT, cond_fun(s[0])), lambda s: (body_fun(s[0]), s[1] + 1), (init_val, 0)
    )[0]
