"""What has no value for an empty array and is traced though plain Python never comes there: in a branch, beside a mask."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.operations import called
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step

_SAYS_EMPTY = ("empty sequence", "zero-size array")


def of_nothing(spot: Spot) -> Iterator[Step]:
    """`jnp.argmax(m)` → `jnp.argmax(m) if m.size else 0`; the largest and smallest alike."""
    node = spot.node
    if not isinstance(node, ast.Call) or not any(words in str(spot.error) for words in _SAYS_EMPTY):
        return
    known = called(spot, node)
    if known is None or known.operation.sort not in ("place", "extreme") or known.form == "builtin":
        return
    if len(known.arguments) != 1 or known.keywords or known.name == "ptp":
        return
    array = spot.code.operand(known.arguments[0])
    nothing = "0" if known.operation.sort == "place" else f"{spot.jnp('zeros')}((), {array}.dtype)"
    text = f"{spot.code.src(node)} if {array}.size else {nothing}"
    alone = isinstance(spot.code.parents[node], ast.keyword | ast.stmt)
    yield spot.step("if", (node, text if alone else f"({text})"))


RULES: list[Rule] = [of_nothing]
