"""Methods of changed classes, looked up anew at each call: objects are of the user's classes, which stay as they are.

An argument, or an object that the function makes, finds its methods on its class. So in the code that is made again every
`thing.name` becomes a question to `Rebuilt`, for names of methods that were changed.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import Any

LOOK_UP = "__jitmagic_look_up__"
"""The name under which the code finds who is asked."""


class _LookedUp(ast.NodeTransformer):
    def __init__(self, names: Collection[str]) -> None:
        self.names = names

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        self.generic_visit(node)
        if node.attr not in self.names or not isinstance(node.ctx, ast.Load):
            return node
        asked = ast.Call(ast.Name(LOOK_UP, ast.Load()), [node.value, ast.Constant(node.attr)], [])
        return ast.fix_missing_locations(ast.copy_location(asked, node))


def looking_up(tree: ast.Module, names: Collection[str]) -> ast.Module:
    """A tree in which these attributes are looked up by `LOOK_UP`."""
    made: ast.Module = _LookedUp(names).visit(tree) if names else tree
    return made


def names_of_methods(text: str) -> frozenset[str]:
    """Names of the methods of the class that a statement defines."""
    statement = ast.parse(text).body[-1]
    if not isinstance(statement, ast.ClassDef):
        return frozenset()
    return frozenset(each.name for each in statement.body if isinstance(each, ast.FunctionDef) and not _is_special(each.name))


def _is_special(name: str) -> bool:
    return name.startswith("__")
