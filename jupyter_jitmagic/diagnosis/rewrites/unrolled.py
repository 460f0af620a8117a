"""A trace that ends well and has unrolled Python's loops: stopped in one of them, so that `rolling` sees the place."""

from __future__ import annotations

import ast
import copy

from jupyter_jitmagic.diagnosis.rewrites.rules import ManyRounds

RAISED = "__jitmagic_many_rounds__"
"""The name of what is raised, in the code that is made."""


def names() -> dict[str, ManyRounds]:
    """What the code that is made needs beside its own names."""
    return {RAISED: ManyRounds("the rounds of this loop are traced one by one")}


def count_loops(text: str) -> int:
    """How many `for` loops stand in no other one."""
    return len(_outermost(ast.parse(text)))


def stopping(made: str | ast.Module, number: int) -> ast.Module:
    """The code, stopped as soon as the loop of this number begins its first round.

    Example:
        >>> print(ast.unparse(stopping("for x in xs:\\n    print(x)", 0)))
        for x in xs:
            raise __jitmagic_many_rounds__
            print(x)
    """
    tree = ast.parse(made) if isinstance(made, str) else copy.deepcopy(made)
    body = _outermost(tree)[number].body
    raised = ast.copy_location(ast.Raise(ast.Name(RAISED, ast.Load())), body[0])  # where the trace then stands
    body.insert(0, ast.fix_missing_locations(raised))
    return tree


def _outermost(tree: ast.AST) -> list[ast.For]:
    found: list[ast.For] = []
    waiting = [tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.For):
                found.append(node)
            else:
                waiting.append(node)
    return sorted(found, key=lambda loop: (loop.lineno, loop.col_offset))
