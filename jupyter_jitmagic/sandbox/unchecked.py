"""Runs for us are made without the checks and logs that the user has switched on in JAX: varied numbers make NaN, and a check
that stops there would be taken for what the function does; what compiles for us is none of the user's programs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import jax


@contextlib.contextmanager
def unchecked() -> Iterator[None]:
    """In this thread nothing of JAX's looks for NaN, infinities, leaked tracers or transfers, or logs compiles; jit is jit."""
    switches = (jax.debug_nans, jax.debug_infs, jax.check_tracer_leaks, jax.log_compiles, jax.explain_cache_misses)
    with contextlib.ExitStack() as switched:
        for switch in switches:
            switched.enter_context(switch(False))
        switched.enter_context(jax.disable_jit(False))
        switched.enter_context(jax.transfer_guard("allow"))
        yield
