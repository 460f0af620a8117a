"""A branch that appends to a list and does more: `if t: basis.append(v); volume *= n`, of a list that its loop goes through.

The appends get a branch of their own, which other rules follow; what else the branch does, another one with the same test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.lists import appended_by
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, stored


def in_a_branch_of_their_own(spot: Spot) -> Iterator[Step]:
    """`if t: out.append(v); s += v` → `pred = t`, `if pred: out.append(v)`, `if pred: s += v`."""
    asked, code = spot.asked(), spot.code
    if asked is None or not isinstance(asked[1], ast.If) or asked[1].orelse or code.is_elif(asked[1]):
        return
    node = asked[1]
    appends = [each for each in node.body if appended_by(spot, each) is not None]
    others = [each for each in node.body if each not in appends]
    if not appends or not others or not code.on_own_lines([node, *node.body]):
        return
    lists = {found[0] for each in appends if (found := appended_by(spot, each)) is not None}
    if not all(map(_binds_names, others)) or lists & {*loaded(others), *stored(others)}:
        return
    for each in appends:  # they come first from now on
        if loaded([each]) & set(stored(node.body[: node.body.index(each)])):
            return
    indent, pred = code.indent(node), code.fresh("chosen", "pred", "is_chosen")
    inner = indent + "    "
    parts = [f"{indent}if {pred}:\n{code.block_text(block, inner)}" for block in (appends, others)]
    yield spot.step("apart", (code.region([node]), f"{indent}{pred} = {code.expr(node.test)}\n{''.join(parts)}"))


def _binds_names(statement: ast.stmt) -> bool:
    """Whether it does nothing but to bind names: what is set in an object may be read by what is appended."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    targets = [statement.target] if isinstance(statement, ast.AugAssign) else targets
    parts = [part for each in targets for part in (each.elts if isinstance(each, ast.Tuple) else [each])]
    return bool(parts) and all(isinstance(part, ast.Name) for part in parts)


RULES: list[Rule] = [in_a_branch_of_their_own]
