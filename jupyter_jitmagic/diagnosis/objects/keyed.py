"""Dicts of an object that a function changes by keys that are written there: each key is as an attribute of its own."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from jupyter_jitmagic.diagnosis.objects.attributes import Item, Path
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import walk

GROWING = ("append", "extend")


class CannotLift(Exception):
    """The function does with an object what no function of its attributes can do; the message says what."""


class Keyed:
    """Which dicts are taken key by key, and which as a whole; one of them cannot be both."""

    def __init__(self) -> None:
        self._by_key: set[Path] = set()
        self._whole: set[Path] = set()

    def item(
        self, code: Code, body: Sequence[ast.stmt], at: ast.expr, path: Path, held: dict[Any, Any]
    ) -> tuple[ast.Subscript, Path] | None:
        """Of the dict `held`, which stands for the expression `at`: the expression around it for what stands under a key, and
        the path to that; None where the dict is taken as a whole.

        Raises:
            CannotLift: it is taken in both ways.
        """
        found = _subscript(code, at, held) if _changes_keys(code, body, path[-1]) else None
        (self._whole if found is None else self._by_key).add(path)
        both = self._by_key & self._whole
        if both:
            raise CannotLift(f"it changes {'.'.join(min(both))} in place")
        return None if found is None else (found[0], (*path[:-1], Item(path[-1], found[1])))


def _subscript(code: Code, at: ast.expr, held: dict[Any, Any]) -> tuple[ast.Subscript, str] | None:
    match code.parents[at]:
        case ast.Subscript(value=owner, slice=ast.Constant(str(key))) as item if owner is at and key.isidentifier():
            return (item, key) if key in held or isinstance(item.ctx, ast.Store) else None
    return None


def _changes_keys(code: Code, body: Sequence[ast.stmt], name: str) -> bool:
    """Whether the code sets what stands in the dict of this name, or makes a list in it grow."""
    for at in [each for stmt in body for each in walk(stmt) if isinstance(each, ast.Attribute) and each.attr == name]:
        match code.parents[at]:
            case ast.Subscript(value=owner) as item if owner is at:
                above = code.parents[item]
                if isinstance(item.ctx, ast.Store) or (isinstance(above, ast.Attribute) and above.attr in GROWING):
                    return True
    return False
