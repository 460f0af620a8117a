"""What Python did at an instruction that needed a value, and the line a person sees it on."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import linecache
import textwrap
from types import CodeType
from typing import Any

from jupyter_jitmagic.usercode.places import Position, compared

# what Python did at an instruction


def operation_of(how: str, code: CodeType, where: Any, via: tuple[str, ...]) -> tuple[str, int]:
    """(operation, line): what a person sees there, and the line of the expression that needs the value."""
    node, parents = node_at(code, where)
    line = where.line
    if isinstance(node, ast.Subscript) and how in ("hash", "index", "compare"):
        line = _real_line(code, node.slice)
    if how == "setitem":
        return "in place", line
    by_jax = _by_jax(via)
    if by_jax:
        return by_jax, line
    if any(name.startswith("numpy.") for name in via):
        return "numpy", line
    return _by_syntax(how, node, parents), line


def _by_jax(via: tuple[str, ...]) -> str:
    functions = [name for name in via if name.startswith(("jax.", "jax_", "jaxlib."))]
    if not functions:
        return ""
    names = [name.rsplit(".", 1)[-1] for name in functions]
    if any("expand_bool_indices" in name for name in names):
        return "mask"
    if any("rewriting_take" in name or "_is_slice_element" in name for name in names):
        return "slice"
    if "canonicalize_shape" in names:
        return "shape"
    return "static parameter"


_HOW = {"array": "numpy", "tolist": "item", "tobytes": "item", "value": "static parameter", "text": "format"}


def _by_syntax(how: str, node: ast.AST | None, parents: dict[ast.AST, ast.AST]) -> str:
    if node is None:
        return _HOW.get(how, how)
    callee = _callee(node) if isinstance(node, ast.Call) else ""
    of_python = callee in _BUILTINS or callee.split(".")[0] in ("math", "np", "numpy")
    if how == "bool" and not of_python and (operation_asked := _by_statement(node, parents)):
        return operation_asked
    if isinstance(node, ast.Subscript):
        stored = isinstance(node.ctx, ast.Store)
        return "numpy" if stored else "slice" if isinstance(node.slice, ast.Slice) else "index"
    if callee:
        first = callee.split(".")[0]
        if callee in _BUILTINS:
            return callee
        if first in ("math", "np", "numpy"):
            return "numpy" if first != "math" else "math"
        if how in ("format", "item", "tolist", "hash"):
            return _HOW.get(how, how)
        return callee.rsplit(".", 1)[-1] if hasattr(builtins, callee) else _HOW.get(how, how)
    if isinstance(node, (ast.FormattedValue, ast.JoinedStr)) or how == "format":
        return "format"
    if isinstance(node, ast.Compare) and any(isinstance(operator, (ast.In, ast.NotIn)) for operator in node.ops):
        return "in"
    if how == "bool" or how == "compare":
        return _by_statement(node, parents) or ("compare" if how == "compare" else "bool")
    if how == "index" and isinstance(node, ast.BinOp):
        return "index"
    return _HOW.get(how, how)


_SHORTENING = ("round", "len", "max", "min", "sum", "any", "all", "sorted", "abs", "list", "tuple", "enumerate")
_BUILTINS = frozenset(("range", "int", "float", "bool", "complex", "bin", "hex", "oct", "chr", "divmod", "pow", *_SHORTENING))


def _by_statement(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    """The statement or expression whose test the node is part of."""
    while node in parents:
        parent = parents[node]
        for kind, name in (
            (ast.If, "if"),
            (ast.While, "while"),
            (ast.Assert, "assert"),
            (ast.IfExp, "ternary"),
        ):
            if isinstance(parent, kind):
                return name if parent.test is node else ""
        if isinstance(parent, ast.comprehension):
            return "if" if node in parent.ifs else ""
        if isinstance(parent, (ast.Match, ast.match_case, ast.pattern)):
            return "match"
        if not isinstance(parent, (ast.BoolOp, ast.UnaryOp, ast.Compare, ast.NamedExpr)):
            if isinstance(node, ast.BoolOp):
                return "and" if isinstance(node.op, ast.And) else "or"
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
                return "not"
            return ""
        node = parent
    return ""


def _callee(node: ast.Call) -> str:
    return ast.unparse(node.func) if isinstance(node.func, (ast.Name, ast.Attribute)) else ""


def node_at(code: CodeType, where: Any) -> tuple[ast.AST | None, dict[ast.AST, ast.AST]]:
    """The expression at exactly that position, and every node's parent."""
    tree, parents, by_place = block_of(code)
    if tree is None or where.column is None:
        return None, parents
    return by_place.get((where.line, where.column, where.end_line, where.end_column)), parents


def of_comparison(code: CodeType, where: Position) -> Position:
    """The place of the comparison alone where it is that of `not a > b`, at which Python 3.13 places it."""
    node = node_at(code, where)[0]
    comparison = compared(node)
    if comparison is node or not isinstance(comparison, ast.Compare):
        return where
    return Position(comparison.lineno, comparison.end_lineno, comparison.col_offset, comparison.end_col_offset)


_Block = tuple[ast.AST | None, dict[ast.AST, ast.AST], dict[tuple[int, int, int, int], ast.AST]]


@functools.lru_cache(maxsize=64)
def block_of(code: CodeType) -> _Block:
    """The function's own source as a tree (line numbers as in the file), parents, and expressions by position."""
    lines = linecache.getlines(code.co_filename)
    tree = _parse_block(lines, code.co_firstlineno)
    parents: dict[ast.AST, ast.AST] = {}
    by_place: dict[tuple[int, int, int, int], ast.AST] = {}
    if tree is None:
        return None, parents, by_place
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            parents[child] = parent
        if isinstance(parent, (ast.expr, ast.stmt)) and parent.end_lineno is not None and parent.end_col_offset is not None:
            by_place.setdefault((parent.lineno, parent.col_offset, parent.end_lineno, parent.end_col_offset), parent)
    return tree, parents, by_place


def _parse_block(lines: list[str], first: int) -> ast.AST | None:
    """The block that starts on line `first`: quick for a long file; the whole file where the block alone is no syntax."""
    if not 0 < first <= len(lines):
        return None
    try:
        block = inspect.getblock(lines[first - 1 :])
        text = textwrap.dedent("".join(block))
        indent = len(block[0]) - len(block[0].lstrip())
        if text.lstrip().startswith(("def ", "@", "async ")) and "\n" in text:
            tree = ast.parse(text)
            return _moved(tree, first - 1, indent)
    except (SyntaxError, ValueError, IndexError):
        pass
    return whole_tree("".join(lines))


@functools.lru_cache(maxsize=8)
def whole_tree(text: str) -> ast.AST | None:
    """A file's syntax tree, parsed once; None where it is no Python."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def _moved(tree: ast.AST, lines: int, columns: int) -> ast.AST:
    for node in ast.walk(tree):
        if isinstance(node, (ast.expr, ast.stmt, ast.arg, ast.keyword, ast.excepthandler)):
            node.lineno += lines
            node.col_offset += columns
            if node.end_lineno is not None and node.end_col_offset is not None:
                node.end_lineno += lines
                node.end_col_offset += columns
    return tree


def _real_line(code: CodeType, node: ast.AST) -> int:
    return int(getattr(node, "lineno", code.co_firstlineno))
