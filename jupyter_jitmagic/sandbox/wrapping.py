"""`__array_wrap__` for tracers of ours: NumPy finds it in their class, where it would ask JAX's `__getattr__` for it.

An error that arrives in there (an interrupt, the end of a limit) ends the process: NumPy 2 then frees what it has not found.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np


def wrapped_by_others(tracer: Any, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
    """What NumPy makes of a ufunc's result where an operand has no `__array_wrap__`, as JAX's arrays have none: of the other
    operands' it takes that of the highest priority, for one a masked array's.

    Example:
        >>> class Tracer(jax.core.Tracer):
        ...     __array_wrap__ = wrapped_by_others
    """
    operands = () if context is None else context[1][: context[0].nin]
    others = [
        each for each in operands if not isinstance(each, (jax.core.Tracer, np.generic)) and hasattr(each, "__array_wrap__")
    ]
    chosen = max(others, key=_priority, default=_PLAIN)
    return chosen.__array_wrap__(array, context, return_scalar)


def _priority(operand: Any) -> tuple[float, bool]:
    return getattr(operand, "__array_priority__", 0.0), type(operand) is not np.ndarray


_PLAIN = np.empty(0)
