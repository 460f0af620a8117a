"""Methods of changed classes, looked up anew at each call: objects are of the user's classes, which stay as they are.

An argument, or an object that the function makes, finds its methods on its class. So in the code that is made again every
`thing.name` becomes a question to `Rebuilt`, for names of methods that were changed; and every `thing(…)`, where a `__call__`
was.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection
from typing import Any

LOOK_UP = "__jitmagic_look_up__"
"""The name under which the code finds who is asked."""


CALL = "__call__"
_CALL_WHAT_THEY_ARE_GIVEN = ("vmap", "checkpoint", "remat")
"""Functions of JAX whose first argument is called as it is, though the text does not call it."""


class _LookedUp(ast.NodeTransformer):
    def __init__(self, names: Collection[str]) -> None:
        self.names = names

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        self.generic_visit(node)
        if node.attr not in self.names or not isinstance(node.ctx, ast.Load):
            return node
        return _asked(node, node.value, node.attr)

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if CALL in self.names and _may_be_an_object(node.func):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _CALL_WHAT_THEY_ARE_GIVEN and node.args and isinstance(node.args[0], ast.Name | ast.Attribute):
                node.args[0] = _asked(node.args[0], node.args[0], CALL)
            node.func = _asked(node.func, node.func, CALL)
        return node


def _asked(node: ast.expr, owner: ast.expr, name: str) -> ast.expr:
    asked = ast.Call(ast.Name(LOOK_UP, ast.Load()), [owner, ast.Constant(name)], [])
    return ast.fix_missing_locations(ast.copy_location(asked, node))


def _may_be_an_object(called: ast.expr) -> bool:
    return not (isinstance(called, ast.Lambda) or (isinstance(called, ast.Name) and hasattr(builtins, called.id)))


def looking_up(tree: ast.Module, names: Collection[str]) -> ast.Module:
    """A tree in which these attributes are looked up by `LOOK_UP`."""
    made: ast.Module = _LookedUp(names).visit(tree) if names else tree
    return made


def names_of_methods(text: str) -> frozenset[str]:
    """Names of the methods of the class that a statement defines."""
    if "class" not in text:
        return frozenset()
    statement = ast.parse(text).body[-1]
    if not isinstance(statement, ast.ClassDef):
        return frozenset()
    return frozenset(each.name for each in statement.body if isinstance(each, ast.FunctionDef) and not _is_special(each.name))


def _is_special(name: str) -> bool:
    return name.startswith("__") and name != CALL
