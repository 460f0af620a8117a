"""How much longer a list can get than it was when a loop began, where each round takes from it what it adds."""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jupyter_jitmagic.source.code import leaves

_NEVER = -math.inf


class Ways(NamedTuple):
    """Of all ways through some statements, how many items more a list has than before, at most.

    Attributes:
        peak: at any time.
        through: behind the last of them.
        left: where a way leaves them, by `continue` or otherwise.
    """

    peak: float = 0
    through: float = 0
    left: float = _NEVER


@dataclass(frozen=True)
class Changes:
    """The calls that add an item to a list, and those that take one."""

    adding: Collection[ast.AST]
    taking: Collection[ast.AST]

    def most_room(self, loop: ast.While) -> int | None:
        """How many items more than when the loop began there are at any time, at most; None where rounds may add up.

        Example:
            >>> loop = ast.parse('''
            ... while free:
            ...     m = free.pop()
            ...     if a > b:
            ...         free.append(m)
            ...         continue
            ...     free.append(k)
            ... ''').body[0]
            >>> calls = [n for n in ast.walk(loop) if isinstance(n, ast.Call)]
            >>> Changes(calls[1:], calls[:1]).most_room(loop)
            0
        """
        ways = self._ways(loop.body)
        steady = max(ways.through, ways.left) <= 0
        return int(max(ways.peak, 0)) if steady and math.isfinite(ways.peak) else None

    def takes_once(self, loop: ast.While) -> bool:
        """Whether no round takes more than one item: it is there, since the loop asked."""
        return Changes(self.taking, ())._ways(loop.body).peak <= 1

    def _ways(self, stmts: Sequence[ast.stmt]) -> Ways:
        if not stmts:
            return Ways()
        first, rest = stmts[0], self._ways(stmts[1:])
        if isinstance(first, ast.Return | ast.Raise | ast.Break | ast.Continue):
            return Ways(0, _NEVER, 0)
        if isinstance(first, ast.If):
            one, other = self._ways(first.body), self._ways(first.orelse)
            now = Ways(*map(max, one, other))
        else:
            change = self._change(first)
            is_left = leaves([first], (ast.Return, ast.Break, ast.Continue))
            now = Ways(max(change, 0), change, max(change, 0) if is_left else _NEVER)
        return Ways(max(now.peak, now.through + rest.peak), now.through + rest.through, max(now.left, now.through + rest.left))

    def _change(self, statement: ast.stmt) -> float:
        """Of one statement; where a loop within adds any it may add without end, and what it takes is not counted on."""
        nodes = list(ast.walk(statement))
        adds, takes = (sum(node in calls for node in nodes) for calls in (self.adding, self.taking))
        if isinstance(statement, ast.Expr | ast.Assign | ast.AugAssign):
            return adds - takes
        return math.inf if adds else 0
