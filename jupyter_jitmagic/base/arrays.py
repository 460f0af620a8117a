"""Asking an array of JAX's whether it is there, also where someone may delete it meanwhile; where callbacks have theirs."""

from __future__ import annotations

from operator import call
from typing import Any


def is_ready(array: Any) -> bool | None:
    """Whether its computation has ended; None if it was deleted or donated, and nobody can tell any more. Never waits.

    ``array.is_ready()`` of an array after ``array.delete()`` ends the process (JAX 0.10.2), and another thread may delete it at
    any instruction. So both questions are asked from C, between which no other thread has its turn.

    Example:
        >>> is_ready(jnp.ones(3).block_until_ready())
        True
    """
    ready = any(map(call, (array.is_deleted, array.is_ready)))
    return None if ready and array.is_deleted() else ready


def can_call_back() -> bool:
    """Whether compiled code can call Python, as ``jax.debug.print`` does: what it is given comes to a CPU device, which
    ``JAX_PLATFORMS=cuda`` leaves out.

    Example:
        >>> can_call_back()
        True
    """
    import jax

    try:
        return bool(jax.local_devices(backend="cpu"))
    except RuntimeError:
        return False
