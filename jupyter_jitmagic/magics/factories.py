"""Functions that give functions, which jit cannot: what they make is what a cell puts under jit, or hands to a library."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

_OF_A_FUNCTION = {"jit", "grad", "value_and_grad", "vmap", "partial", "checkpoint", "remat"}
"""What gives a function, by the last part of its name, of the function that it is given first."""


def gives_functions(function: ast.FunctionDef) -> bool:
    """Whether each `return` gives a function that is defined within, a tuple of such, or an object of a class made of some.

    Example:
        >>> gives_functions(ast.parse("def scaled(k):\\n    return lambda x: k * x").body[0])
        True
    """
    inner = {node.name for node in ast.walk(function) if isinstance(node, ast.FunctionDef) and node is not function}
    returns = list(_returns(function.body))
    return bool(returns) and all(node.value is not None and _is_function(node.value, inner) for node in returns)


def _returns(body: list[ast.stmt]) -> Iterator[ast.Return]:
    waiting: list[ast.AST] = [*body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _is_function(value: ast.expr, inner: Collection[str]) -> bool:
    match value:
        case ast.Name(id=name):
            return name in inner
        case ast.Lambda():
            return True
        case ast.Tuple(elts=parts):
            return any(_is_function(part, inner) for part in parts)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=keywords):
            given = [*args, *(each.value for each in keywords)]
            if name in _OF_A_FUNCTION:
                return _is_function(given[0], inner) if given else False
            is_class = name[:1].isupper()  # `optax.GradientTransformation(init_fn, update_fn)`
            return is_class and any(_is_function(each, inner) for each in given)
    return False
