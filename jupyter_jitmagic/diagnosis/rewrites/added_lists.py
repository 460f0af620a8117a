"""Lists of arrays that are added, as for a count of what both hold: `x.tolist() + y.tolist()`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step


def of_both(spot: Spot) -> Iterator[Step]:
    """`x.tolist() + y.tolist()` → `jnp.concatenate([x, y]).tolist()`, of rows of numbers."""
    code, whole = spot.code, spot.code.parents.get(spot.node)
    if not isinstance(whole, ast.BinOp):
        return
    while isinstance(around := code.parents[whole], ast.BinOp) and _arrays(around):
        whole = around
    arrays = _arrays(whole)
    facts = [spot.fact(each) for each in arrays]
    if len(arrays) < 2 or any(fact is None or (fact.sort, fact.ndim) != ("array", 1) for fact in facts):
        return
    if len({fact.dtype for fact in facts if fact is not None}) == 1:
        text = f"{spot.jnp('concatenate')}([{', '.join(map(code.src, arrays))}]).tolist()"
        yield spot.step("list", (whole, text))


def _arrays(node: ast.expr) -> list[ast.expr]:
    """x and y of a sum of their lists; nothing for other expressions."""
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, other = _arrays(left), _arrays(right)
            return [*one, *other] if one and other else []
        case ast.Call(func=ast.Attribute(value=array, attr="tolist"), args=[], keywords=[]):
            return [array]
    return []


RULES: list[Rule] = [of_both]
