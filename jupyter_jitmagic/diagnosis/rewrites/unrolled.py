"""A trace that ends well and has unrolled Python's loops: stopped in one of them, so that `rolling` sees the place."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping
from typing import NoReturn

from jupyter_jitmagic.diagnosis.rewrites.rules import NO_SIZES, ManyRounds

STOPS = "__jitmagic_many_rounds__"
"""The name of what stops the trace, in the code that is made."""


def names(huge: bool = False, sizes: Mapping[int, int] = NO_SIZES) -> dict[str, Callable[[], NoReturn]]:
    """What the code that is made needs beside its own names. `huge`, `sizes`: see `ManyRounds`."""

    def stops() -> NoReturn:
        raise ManyRounds("the rounds of this loop are traced one by one", huge, sizes)

    return {STOPS: stops}


def count_loops(text: str) -> int:
    """How many loops and comprehensions stand in no other one."""
    return len(_outermost(ast.parse(text)))


def stopping(made: str | ast.Module, number: int) -> ast.Module:
    """The code, stopped as soon as the loop of this number begins its first round.

    Example:
        >>> print(ast.unparse(stopping("for x in xs:\\n    print(x)", 0)))
        for x in xs:
            __jitmagic_many_rounds__()
            print(x)
    """
    tree = ast.parse(made) if isinstance(made, str) else copy.deepcopy(made)
    loop = _outermost(tree)[number]
    first = loop.body[0] if isinstance(loop, ast.For | ast.While) else loop.elt  # where the trace then stands
    call = ast.copy_location(ast.Call(ast.Name(STOPS, ast.Load()), [], []), first)
    ast.fix_missing_locations(call)
    if isinstance(loop, ast.For | ast.While):
        loop.body.insert(0, ast.copy_location(ast.Expr(call), first))
    else:
        loop.elt = call
    return tree


def _outermost(tree: ast.AST) -> list[ast.For | ast.While | ast.ListComp | ast.GeneratorExp]:
    found: list[ast.For | ast.While | ast.ListComp | ast.GeneratorExp] = []
    waiting = [tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.For | ast.While | ast.ListComp | ast.GeneratorExp):
                found.append(node)
            else:
                waiting.append(node)
    return sorted(found, key=lambda loop: (loop.lineno, loop.col_offset))
