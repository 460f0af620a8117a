"""Methods of changed classes, looked up anew at each call: objects are of the user's classes, which stay as they are.

An argument, or an object that the function makes, finds its methods on its class. So in the code that is made again every
`thing.name` becomes a question to `Rebuilt`, for names of methods that were changed; and every `thing(…)`, where a `__call__`
was, and every `a * b`, where a `__mul__` was. `Thing(…)`, of a class of the user's, asks in any case: its `__init__` may call
such a method.
"""

from __future__ import annotations

import ast
import builtins
import operator
import types
from collections.abc import Callable, Collection, Mapping
from typing import Any

from jupyter_jitmagic.base.looking import attribute, in_class
from jupyter_jitmagic.source.names import name_of
from jupyter_jitmagic.usercode.origin import unwrapped
from jupyter_jitmagic.usercode.ownership import is_users_text

LOOK_UP = "__jitmagic_look_up__"
"""The name under which the code finds who is asked."""


OPERATE = "__jitmagic_operate__"
"""The name under which it finds who computes with an operator."""
CALL = "__call__"
BINARY: dict[str, tuple[type[ast.AST], str, Callable[[Any, Any], Any]]] = {
    "__add__": (ast.Add, "__radd__", operator.add),
    "__sub__": (ast.Sub, "__rsub__", operator.sub),
    "__mul__": (ast.Mult, "__rmul__", operator.mul),
    "__truediv__": (ast.Div, "__rtruediv__", operator.truediv),
    "__floordiv__": (ast.FloorDiv, "__rfloordiv__", operator.floordiv),
    "__mod__": (ast.Mod, "__rmod__", operator.mod),
    "__pow__": (ast.Pow, "__rpow__", operator.pow),
    "__matmul__": (ast.MatMult, "__rmatmul__", operator.matmul),
    "__and__": (ast.BitAnd, "__rand__", operator.and_),
    "__or__": (ast.BitOr, "__ror__", operator.or_),
    "__lt__": (ast.Lt, "__gt__", operator.lt),
    "__gt__": (ast.Gt, "__lt__", operator.gt),
    "__le__": (ast.LtE, "__ge__", operator.le),
    "__ge__": (ast.GtE, "__le__", operator.ge),
    "__eq__": (ast.Eq, "__eq__", operator.eq),
    "__ne__": (ast.NotEq, "__ne__", operator.ne),
}
"""By the method: the operator in the tree, the method of the right side that is asked after it, and what computes it."""
CONTAINS = "__contains__"
"""The method that `v in thing` asks, of the right side alone."""
OPERATORS = frozenset(BINARY) | {reflected for _, reflected, _ in BINARY.values()} | {CONTAINS}
_CALL_WHAT_THEY_ARE_GIVEN = ("vmap", "checkpoint", "remat")
"""Functions of JAX whose first argument is called as it is, though the text does not call it."""


class _LookedUp(ast.NodeTransformer):
    def __init__(self, names: Collection[str], space: Mapping[str, Any]) -> None:
        self.names, self.space = names, space

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        self.generic_visit(node)
        if node.attr not in self.names or not isinstance(node.ctx, ast.Load):
            return node
        return _asked(node, node.value, node.attr)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        return self._operated(node, node.left, node.op, node.right)

    def visit_Compare(self, node: ast.Compare) -> Any:
        self.generic_visit(node)
        return self._operated(node, node.left, node.ops[0], node.comparators[0]) if len(node.ops) == 1 else node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        made = self._operated(node, ast.Name(node.target.id, ast.Load()), node.op, node.value, ast.Constant(True))
        return node if made is node else ast.fix_missing_locations(ast.copy_location(ast.Assign([node.target], made), node))

    def _operated(self, node: ast.AST, left: ast.expr, op: ast.AST, right: ast.expr, *in_place: ast.expr) -> Any:
        """`OPERATE("__mul__", left, right)` in the place of `left * right`, where a changed class may say what that is."""
        if isinstance(op, ast.In | ast.NotIn) and CONTAINS in self.names:
            asked: ast.expr = ast.Call(ast.Name(OPERATE, ast.Load()), [ast.Constant(CONTAINS), left, right], [])
            asked = ast.UnaryOp(ast.Not(), asked) if isinstance(op, ast.NotIn) else asked
            return ast.fix_missing_locations(ast.copy_location(asked, node))
        for name, (kind, reflected, _) in BINARY.items():
            if isinstance(op, kind) and {name, reflected} & set(self.names):
                made = ast.Call(ast.Name(OPERATE, ast.Load()), [ast.Constant(name), left, right, *in_place], [])
                return ast.fix_missing_locations(ast.copy_location(made, node))
        return node

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if CALL in self.names and _may_be_an_object(node.func):
            name = name_of(node)
            if name in _CALL_WHAT_THEY_ARE_GIVEN and node.args and isinstance(node.args[0], ast.Name | ast.Attribute):
                node.args[0] = _asked(node.args[0], node.args[0], CALL)
            node.func = _asked(node.func, node.func, CALL)
        elif isinstance(node.func, ast.Name) and is_users_class(self.space.get(node.func.id)):
            node.func = _asked(node.func, node.func, CALL)
        return node


def _asked(node: ast.expr, owner: ast.expr, name: str) -> ast.expr:
    asked = ast.Call(ast.Name(LOOK_UP, ast.Load()), [owner, ast.Constant(name)], [])
    return ast.fix_missing_locations(ast.copy_location(asked, node))


def _may_be_an_object(called: ast.expr) -> bool:
    return not (isinstance(called, ast.Lambda) or (isinstance(called, ast.Name) and hasattr(builtins, called.id)))


def operated(
    look_up: Callable[[Any, str], Any],
    is_changed: Callable[[Any, str], bool],
    name: str,
    left: Any,
    right: Any,
    in_place: bool = False,
) -> Any:
    """`left * right`, say, or `left *= right`, where either may be of a changed class. As Python does, the right side is asked
    where the left declines, and first where it is of a class made of the left one's; whether it is `in` the right one, that
    alone."""
    if name == CONTAINS:
        return bool(look_up(right, name)(left)) if is_changed(right, name) else left in right
    _, reflected, plainly = BINARY[name]
    own = f"__i{name[2:]}"
    if in_place and in_class(left, own) is not None:
        return getattr(operator, own)(left, right)
    if is_changed(left, name) or is_changed(right, reflected):
        ways = [(name, left, right), (reflected, right, left)]
        if type(right) is not type(left) and issubclass(type(right), type(left)):
            ways.reverse()
        for way, one, other in ways:
            found = look_up(one, way)(other) if in_class(one, way) is not None else NotImplemented
            if found is not NotImplemented:
                return found
    return plainly(left, right)


def looking_up(tree: ast.Module, names: Collection[str], space: Mapping[str, Any]) -> ast.Module:
    """A tree in which these attributes are looked up by `LOOK_UP`, and the user's classes in `space`, where they are called."""
    made: ast.Module = _LookedUp(names, space).visit(tree)
    return made


def asked_in(tree: ast.AST) -> frozenset[str]:
    """What a tree looks up by `LOOK_UP`, and the operators that it asks for."""
    return frozenset(
        ast.unparse(node.args[1 if node.func.id == LOOK_UP else 0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in (LOOK_UP, OPERATE)
    )


def is_users_class(value: Any) -> bool:
    """Whether it is an ordinary class that the user wrote (by its first method, which a library may have wrapped), of
    which another can be made without code of its own that would notice."""
    if type(value) is not type:
        return False
    noticed = (function_in(vars(each).get("__init_subclass__")) for each in value.__mro__[:-1])
    if any(map(_is_users, noticed)):
        return False
    return _is_users(
        next((each for each in map(function_in, vars(value).values()) if isinstance(each, types.FunctionType)), None)
    )


def _is_users(function: Any) -> bool:
    code = attribute(unwrapped(function), "__code__") if isinstance(function, types.FunctionType) else None
    return code is not None and is_users_text(code.co_filename)


def function_in(method: Any) -> Any:
    """The function of a method as its class holds it."""
    return method.__func__ if isinstance(method, staticmethod | classmethod) else method


def names_of_methods(text: str) -> frozenset[str]:
    """Names of the methods of the class that a statement defines."""
    if "class" not in text:
        return frozenset()
    statement = ast.parse(text).body[-1]
    if not isinstance(statement, ast.ClassDef):
        return frozenset()
    return frozenset(each.name for each in statement.body if isinstance(each, ast.FunctionDef) and not _is_special(each.name))


def _is_special(name: str) -> bool:
    return name.startswith("__") and name != CALL and name not in OPERATORS
