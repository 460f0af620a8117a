"""What a traced program consists of."""

from __future__ import annotations

from typing import Any

MANY_EQUATIONS = 4000
"""From here on compiling a program takes XLA minutes rather than seconds."""


def count_equations(jaxpr: Any) -> int:
    """Equations of a closed jaxpr, those inside loops and branches counted once."""
    total = 0
    stack = [getattr(jaxpr, "jaxpr", jaxpr)]
    while stack:
        inner = stack.pop()
        total += len(inner.eqns)
        for equation in inner.eqns:
            for value in equation.params.values():
                for item in value if isinstance(value, tuple | list) else (value,):
                    item = getattr(item, "jaxpr", item)
                    if hasattr(item, "eqns"):
                        stack.append(item)
    return total
