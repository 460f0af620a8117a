"""Whether a source asks of what kind its numbers are."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from jupyter_jitmagic.source.names import name_of

_KINDS = frozenset({"isinstance", "issubclass", "type", "hasattr", "isscalar"})
_ARITHMETIC = frozenset({"ZeroDivisionError", "OverflowError", "ArithmeticError", "ValueError", "Exception", "BaseException"})


def asks_for_kinds(tree: ast.AST) -> bool:
    """Whether what a source does may depend on whether a number is Python's or an array: it asks for its type, or catches
    what Python's arithmetic raises. An array in its place then gives something else, and not for its rounding."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if name_of(node) in _KINDS:
                return True
        elif isinstance(node, ast.ExceptHandler):
            named = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)} if node.type else _ARITHMETIC
            if named & _ARITHMETIC:
                return True
    return False


def kinds_asked_for(trees: Iterable[ast.AST]) -> dict[str, set[str]]:
    """Of which kind a source asks its names to be, by `isinstance(x, (int, float))`: {"x": {"int", "float"}}."""
    asked: dict[str, set[str]] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kinds]):
                each_of = (part for part in ast.walk(kinds) if isinstance(part, ast.Name | ast.Attribute))
                asked.setdefault(name, set()).update(ast.unparse(part).rpartition(".")[2] for part in each_of)
    return asked


def asks_for_flags(tree: ast.AST) -> bool:
    """Whether it asks for `bool` among the kinds; that an array is made of flags (`jnp.zeros(n, bool)`) asks nothing."""
    nodes = list(ast.walk(tree))
    inner = [part for node in nodes if isinstance(node, ast.Call) and name_of(node) in _KINDS for part in node.args]
    inner += [part for node in nodes if isinstance(node, ast.Compare) for part in node.comparators]
    return any(isinstance(each, ast.Name) and each.id == "bool" for part in inner for each in ast.walk(part))


def asks_for_rank(tree: ast.AST) -> bool:
    """Whether it asks how many axes its arrays have, or takes the one to work along as an argument."""
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg="axis") | ast.Attribute(attr="ndim"):
                return True
            case ast.Subscript(value=ast.Attribute(attr="shape"), slice=ast.Slice()):
                return True  # `h, w = img.shape[:2]`, with channels or without
            case ast.Call(func=ast.Name(id="len"), args=[ast.Attribute(attr="shape")]):
                return True
    return False


def takes_boxes(tree: ast.AST) -> bool:
    """Whether it cuts two axes at once, as `img[a:b, c:d]`: an image may have channels."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            cut = [each for each in node.slice.elts if isinstance(each, ast.Slice) and (each.lower or each.upper)]
            if len(cut) > 1:
                return True
    return False
