"""Concretization sites in the user's own lines, from what a shadow run met."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import functools
import inspect
import linecache
import os
import re
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType, TracebackType
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic._paths import is_part

from ._call import Call, bind, code_of
from ._places import Position, is_user, position, source_line
from ._types import Found, Site

_run_shadow: Callable[..., Any] | None
try:
    from ._shadow import run_shadow as _run_shadow
except ImportError:  # a JAX without the internals: the search over public API stands in
    _run_shadow = None


def find_sites(
    fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], static: Iterable[str] = (), *, seconds: float = 1.0
) -> Found:
    """Every concretization site of the call, in one pass; see the package's docstring. Never raises.

    Example:
        >>> found = find_sites(lambda x: x if x > 0 else -x, (jnp.float32(2),), {})
        >>> [(site.operation, site.arguments) for site in found.sites]
        [('ternary', ('x',))]
    """
    return find_call_sites(bind(fun, args, kwargs), frozenset(static), seconds=seconds)


def find_call_sites(call: Call, static: frozenset[str], *, seconds: float = 1.0) -> Found:
    """`find_sites` for a call whose arguments are named already."""
    if _run_shadow is None:
        return Found(proven=False)
    outcome, leaves, owners = _run_shadow(call, static, seconds)
    made = [_site(event, leaves) for event in outcome.events]
    roots = [frozenset(owners[leaf] for leaf in event.leaves) for event in outcome.events]
    numbers = [event.number for event in outcome.events]
    observed = [tuple(event.observed) for event in outcome.events]
    told = frozenset().union(*roots) if roots else frozenset()
    bad = {argument.name for argument in call.refused}
    needing = any(not root <= bad for root in roots)
    for site, root in _refused_arguments(call, static, told):
        place = _place_among(site, made, needing)
        made.insert(place, site)
        roots.insert(place, frozenset({root}))
        numbers.insert(place, True)
        observed.insert(place, ())
    return Found(
        tuple(made), tuple(observed), tuple(roots), tuple(numbers), outcome.error, outcome.complete, effect=outcome.effect
    )


def _site(event: Any, leaves: list[tuple[str, Any]]) -> Site:
    code: CodeType = event.frame_code
    if code.co_filename.startswith(_HERE):  # the function is not Python's: it has no line
        paths = tuple(leaves[leaf][0] for leaf in sorted(event.leaves))
        return Site("", 0, "", "numpy" if event.how == "array" else event.how, paths)
    where = _tested(event.how, code, position(code, event.instruction, event.line))
    operation, line = operation_of(event.how, code, where, event.via)
    paths = tuple(leaves[leaf][0] for leaf in sorted(event.leaves))
    return Site(
        filename=code.co_filename,
        line=line,
        code=source_line(code.co_filename, line, event.globals),
        operation=operation,
        arguments=paths,
        detail=_DETAILS.get(operation, ""),
        column=where.column,
        end_line=where.end_line,
        end_column=where.end_column,
        function=code.co_qualname.rsplit("<locals>.", 1)[-1],
        values={path: short(leaves[leaf][1]) for path, leaf in zip(paths, sorted(event.leaves), strict=True)},
    )


def _tested(how: str, code: CodeType, where: Position) -> Position:
    """The place of what is tested: Python 3.11 gives the jump of `if x:` that of the whole statement or comprehension."""
    if how != "bool" or sys.version_info >= (3, 12):
        return where
    node, _ = _node_at(code, where)
    filters = [test for loop in getattr(node, "generators", ()) for test in loop.ifs]
    if isinstance(node, (ast.If, ast.While, ast.Assert, ast.IfExp)):
        test = node.test
    elif len(filters) == 1:
        test = filters[0]
    else:
        return where
    while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test = test.operand
    if test.end_lineno is None or test.end_col_offset is None:
        return where
    lines = linecache.getlines(code.co_filename)
    first = _column(lines, test.lineno, test.col_offset)
    return Position(test.lineno, test.end_lineno, first, _column(lines, test.end_lineno, test.end_col_offset))


_DETAILS = {
    "shape": "decides a shape",
    "static parameter": "is a static parameter of a JAX function",
    "slice": "decides the length of a slice",
    "mask": "decides how many elements are picked",
    "range": "decides how often a Python loop runs",
    "if": "decides which branch Python takes",
    "ternary": "decides which branch Python takes",
    "while": "decides whether a Python loop goes on",
    "assert": "is checked by Python",
    "numpy": "is read by NumPy",
    "math": "is read by a function for Python numbers",
    "format": "is turned into text",
    "invalid argument": "is not a JAX type",
    "in place": "is changed in place",
}


def short(value: Any) -> str:
    """A value in a few characters: "f32[4]" for arrays, else its cut repr."""
    if isinstance(value, (jax.Array, np.ndarray)):
        try:
            return str(jax.typeof(value).str_short(short_dtypes=True))
        except Exception:
            return f"{value.dtype}[{','.join(map(str, value.shape))}]"
    name = getattr(value, "__name__", None)
    text = name if callable(value) and isinstance(name, str) else repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


_HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")


# what Python did at an instruction


def operation_of(how: str, code: CodeType, where: Any, via: tuple[str, ...]) -> tuple[str, int]:
    """(operation, line): what a person sees there, and the line of the expression that needs the value."""
    node, parents = _node_at(code, where)
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
    if how == "bool" and not of_python and (asked := _by_statement(node, parents)):
        return asked
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


def _node_at(code: CodeType, where: Any) -> tuple[ast.AST | None, dict[ast.AST, ast.AST]]:
    """The expression at exactly that position, and every node's parent."""
    tree, parents, by_place = block_of(code)
    if tree is None or where.column is None:
        return None, parents
    return by_place.get((where.line, where.column, where.end_line, where.end_column)), parents


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
            first = _column(lines, parent.lineno, parent.col_offset)
            last = _column(lines, parent.end_lineno, parent.end_col_offset)
            by_place.setdefault((parent.lineno, first, parent.end_lineno, last), parent)
    return tree, parents, by_place


def _column(lines: list[str], line: int, offset: int) -> int:
    text = lines[line - 1] if line <= len(lines) else ""
    return offset if text.isascii() else len(text.encode()[:offset].decode(errors="ignore"))


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


# arguments that jit refuses: where they are used


def _refused_arguments(call: Call, static: frozenset[str], told: frozenset[str]) -> Iterator[tuple[Site, str]]:
    """A site for each argument that is not a JAX type and told nothing of its use: the first line that reads it."""
    for argument in call.refused:
        if argument.name in static or argument.name in told:
            continue
        path, value = argument.bad_leaves[0]
        found = first_use(call, argument.name)
        if found is None:
            continue
        code, line = found
        operation = "call" if callable(value) and not isinstance(value, type) else "invalid argument"
        text = source_line(code.co_filename, line)
        yield (
            Site(
                code.co_filename,
                line,
                text,
                operation,
                (path,),
                "is not a JAX type",
                function=code.co_name,
                values={path: short(value)},
            ),
            argument.name,
        )


def _place_among(site: Site, sites: list[Site], needing: bool) -> int:
    """Where its line stands. A function is only called, which needs no value: after the sites that need one, if any do."""
    if site.operation == "call" and needing:
        return len(sites)
    for number, other in enumerate(sites):
        if other.filename == site.filename and other.line > site.line:
            return number
    return len(sites)


def first_use(call: Call, name: str) -> tuple[CodeType, int] | None:
    """The user's line that reads the argument first, followed into helpers that it is handed on to."""
    fun = call.fun
    while hasattr(fun, "func") and not isinstance(fun, FunctionType):
        fun = fun.func
    fun = getattr(fun, "__func__", fun)
    code = code_of(fun)
    if code is None:
        return None
    argument = call.argument(name)
    parameter = name.split("[")[0]
    own = code.co_argcount + code.co_kwonlyargcount
    if isinstance(argument.key, str) and parameter not in code.co_varnames[:own] and code.co_flags & inspect.CO_VARKEYWORDS:
        parameter = code.co_varnames[own + bool(code.co_flags & inspect.CO_VARARGS)]
    return _use_in(code, parameter, getattr(fun, "__globals__", {}), 0)


def _use_in(code: CodeType, name: str, names: dict[str, Any], depth: int) -> tuple[CodeType, int] | None:
    tree, parents, _ = block_of(code)
    if tree is None:
        return (code, code.co_firstlineno)
    loads = [
        node
        for node in ast.walk(definition_of(tree, code) or tree)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
    loads.sort(key=lambda node: (node.lineno, node.col_offset))
    for node in loads:
        parent = parents.get(node)
        if _asks_only_what_it_is(node, parent):
            continue
        keyword = parent if isinstance(parent, ast.keyword) else None
        outer = parents.get(keyword) if keyword is not None else parent
        if isinstance(outer, ast.Call) and outer.func is not node and isinstance(outer.func, ast.Name) and depth < 5:
            helper = names.get(outer.func.id)
            if isinstance(helper, FunctionType) and helper.__globals__ is names:
                parameter = keyword.arg if keyword is not None else _parameter(helper, outer, node)
                deeper = _use_in(helper.__code__, parameter, names, depth + 1) if parameter else None
                if deeper is not None:
                    return deeper
        return code, node.lineno
    return None


def _asks_only_what_it_is(node: ast.AST, parent: ast.AST | None) -> bool:
    """``f is None``, ``isinstance(f, …)``, ``callable(f)``: answered without its value."""
    if isinstance(parent, ast.Compare):
        nothing = [side for side in (parent.left, *parent.comparators) if isinstance(side, ast.Constant) and side.value is None]
        return bool(nothing) and all(isinstance(operator, (ast.Is, ast.IsNot)) for operator in parent.ops)
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and node in parent.args:
        return parent.func.id in ("isinstance", "callable", "type", "hasattr", "print", "id")
    return False


def definition_of(tree: ast.AST, code: CodeType) -> ast.AST | None:
    """The function's own node: a parse of a whole file holds others as well."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == code.co_name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if first == code.co_firstlineno:
                return node
        if isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and node.lineno == code.co_firstlineno:
            return node
    return None


def _parameter(helper: FunctionType, call: ast.Call, node: ast.AST) -> str | None:
    if node not in call.args:
        return None
    number = call.args.index(node)
    return helper.__code__.co_varnames[number] if number < helper.__code__.co_argcount else None


def one_for_each_line(sites: Iterable[Site]) -> tuple[Site, ...]:
    """Sites of one line put together, as a person reads them."""
    from dataclasses import replace

    lines: dict[tuple[str, int], Site] = {}
    for site in sites:
        key = (site.filename, site.line)
        known = lines.get(key)
        if known is None:
            lines[key] = site
        else:
            arguments = tuple(dict.fromkeys((*known.arguments, *site.arguments)))
            lines[key] = replace(known, arguments=arguments, values=known.values | site.values)
    return tuple(lines.values())


def failing_site(error: BaseException, call: Call) -> Site | None:
    """The user's innermost line in an error's traceback, for failures that are no concretization."""
    found: TracebackType | None = None
    traceback = error.__traceback__
    while traceback is not None:
        if is_user(traceback.tb_frame.f_code, call):
            found = traceback
        traceback = traceback.tb_next
    if found is None:
        return None
    code = found.tb_frame.f_code
    where = position(code, found.tb_lasti, found.tb_lineno or code.co_firstlineno)
    text = source_line(code.co_filename, where.line, found.tb_frame.f_globals)
    return Site(
        code.co_filename,
        where.line,
        text,
        "error",
        (),
        "fails here",
        where.column,
        where.end_line,
        where.end_column,
        code.co_qualname.rsplit("<locals>.", 1)[-1],
    )


_ASKED_BY = {
    jax.errors.TracerBoolConversionError: "bool",
    jax.errors.TracerIntegerConversionError: "index",
    jax.errors.TracerArrayConversionError: "array",
    jax.errors.NonConcreteBooleanIndexError: "mask",
}
_DEPENDS = re.compile(r"depends on the values? of the arguments? (.+?)(?:\.?\s*(?:\n|$))")


def refused_at(error: BaseException, call: Call) -> Site | None:
    """The site at which JAX's own error stopped a trace, with the arguments that its text names; nothing runs for it."""
    place = failing_site(error, call)
    if place is None:
        return None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    last = max(number for number, frame in enumerate(frames) if is_user(frame.f_code, call))
    via = tuple(f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_name}" for frame in frames[last + 1 :])
    found = next(tb for tb in reversed(list(_steps(error))) if tb.tb_frame is frames[last])
    where = position(frames[last].f_code, found.tb_lasti, place.line)
    via, asked = _before_the_tracer(via)
    how = next((how for kind, how in _ASKED_BY.items() if isinstance(error, kind)), asked)
    operation, line = operation_of(how, frames[last].f_code, _tested(how, frames[last].f_code, where), via)
    named = _DEPENDS.search(str(error))
    paths = re.split(r", and | and |, ", named[1]) if named else []
    known = {argument.name: argument.value for argument in call.arguments}
    own = place.function.rpartition(".")[2] == call.name.rpartition(".")[2]
    arguments = tuple(path for path in paths if own and any(is_part(path, name) for name in known))
    return dataclasses.replace(
        place,
        line=line,
        code=source_line(place.filename, line, frames[last].f_globals),
        operation=operation,
        arguments=arguments,
        detail=_DETAILS.get(operation, ""),
        proven=False,
        values={path: short(known[path]) for path in arguments if path in known},
    )


def _before_the_tracer(via: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """(what of JAX stood between the user's line and the tracer that was asked, how it was asked).

    A notebook's traceback, unlike that of a script, has the tracer's own frames.
    """
    for number, name in enumerate(via):
        module, _, function = name.rpartition(".")
        if function == "meth" and via[number + 1 : number + 2] == (f"{module}._item",):
            return via[:number], "item"
        if module.endswith(".core") and (function.startswith("__") or function == "tolist"):
            return via[:number], "tolist" if function == "tolist" else "value"
    return via, "value"


def _steps(error: BaseException) -> Iterator[TracebackType]:
    step = error.__traceback__
    while step is not None:
        yield step
        step = step.tb_next


def clear_caches() -> None:
    """Forget the user's source and code objects."""
    from . import _places

    block_of.cache_clear()
    whole_tree.cache_clear()
    _places.clear_caches()
