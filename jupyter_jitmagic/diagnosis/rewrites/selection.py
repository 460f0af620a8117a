"""A selection of unknown length, as `selecting` and `grouping` find it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites.flow import Flow


@dataclass(frozen=True)
class Selection:
    """A selection's text as the whole array, and what counts in it.

    Attributes:
        array: the new text.
        ragged: what is known of it.
        pattern: of the step.
        fills: what does not count may be replaced by something safe.
        several: of an expression that gives a tuple: each of its parts (None: of known length).
        excludes: as in `Step`.
    """

    array: str
    ragged: Ragged
    pattern: str = "where"
    fills: bool = False
    several: tuple[Ragged | None, ...] = ()
    excludes: dict[str, str] = field(default_factory=dict)


def owner_of(node: ast.Call) -> ast.expr:
    """What the called function is looked up on."""
    return node.func.value if isinstance(node.func, ast.Attribute) else node.func


def dtype_of(flow: Flow, node: ast.expr) -> str:
    """The kind of an expression's numbers, "f" where it is not known."""
    fact = flow.spot.fact(node)
    return fact.dtype if fact is not None and fact.dtype else "f"
