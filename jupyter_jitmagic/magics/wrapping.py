"""Jit put on the functions of a cell, and what stands there at run time. Knows nothing of IPython: trees in, trees out.

Nothing is spliced into text, so every line keeps the number that the editor shows. The wrapped function gets one decorator
more, outside all others, or in the place of `jax.jit` where that stood; everything else of the cell is left as it was.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

from jupyter_jitmagic.magics.cell_names import Names, module_level
from jupyter_jitmagic.magics.cell_tree import Plan, Taken, functions_of, why_not


def wrap(tree: ast.Module, decided: Plan, options: Mapping[str, Any], namespace: Mapping[str, Any]) -> None:
    """Put jit on the functions of `decided`, in place. `options` (plain constants) goes to `jm.jit` as well."""
    names = Names(tree, namespace)
    found = functions_of(tree)
    by_name = {taken.name: taken for taken in decided.taken}
    for node in module_level(tree.body):
        if isinstance(node, ast.FunctionDef) and node.name in by_name and not why_not(node, names):
            _decorate(node, by_name[node.name], options, names)
        elif isinstance(node, ast.Assign) and any(found.get(name) is node for name in by_name):
            assert isinstance(node.targets[0], ast.Name)
            place = node.value
            call = ast.Call(_taker(by_name[node.targets[0].id], options), [place], [])
            node.value = _placed(call, place)


def _decorate(node: ast.FunctionDef, taken: Taken, options: Mapping[str, Any], names: Names) -> None:
    jit = _taker(taken, options)
    for place, decorator in enumerate(node.decorator_list):
        if names.is_jit(decorator):
            node.decorator_list[place] = _placed(jit, decorator)
            return
        if isinstance(decorator, ast.Call) and names.is_jit(decorator.func):
            decorator.func = _placed(jit, decorator.func)
            return
        if isinstance(decorator, ast.Call) and decorator.args and names.is_partial(decorator.func):
            wrapped = decorator.args[0]
            if names.is_jit(wrapped):
                decorator.args[0] = _placed(jit, wrapped)
                return
    # the first decorator's line is where Python says that the function begins, so ours stands on the line that was first
    first: ast.AST = node.decorator_list[0] if node.decorator_list else node
    node.decorator_list.insert(0, _placed(jit, first))


def _taker(taken: Taken, options: Mapping[str, Any]) -> ast.expr:
    """The expression for jit with these options. It needs no name in the user's namespace and leaves none there."""
    arguments = [ast.keyword("static", _constant(taken.static)), ast.keyword("donate", _constant(taken.donate))]
    arguments += [ast.keyword(name, _constant(value)) for name, value in options.items()]
    return ast.Call(function_of(__name__, "take"), [], arguments)


def first(tree: ast.Module, module: str, name: str, *values: Any) -> None:
    """Put the statement `module.name(*values)` before all others of the cell (after its `__future__` imports), in place."""
    call = ast.Expr(ast.Call(function_of(module, name), [_constant(value) for value in values], []))
    place = 0
    while place < len(tree.body) and isinstance(node := tree.body[place], ast.ImportFrom) and node.module == "__future__":
        place += 1
    tree.body.insert(place, ast.fix_missing_locations(call))


def function_of(module: str, name: str) -> ast.expr:
    """The expression for a function, whatever the user's names are; it leaves none there."""
    imported = ast.Call(
        ast.Name("__import__", ast.Load()), [ast.Constant(module)], [ast.keyword("fromlist", _constant((name,)))]
    )
    return ast.Attribute(imported, name, ast.Load())


def _constant(value: Any) -> ast.expr:
    if isinstance(value, tuple):
        return ast.Tuple([_constant(item) for item in value], ast.Load())
    return ast.Constant(value)


def _placed(node: ast.expr, place: ast.AST) -> ast.expr:
    """`node` and all below it that has no place yet, at the first line of `place`."""
    line, column = getattr(place, "lineno", 1), getattr(place, "col_offset", 0)
    for part in ast.walk(node):
        if isinstance(part, (ast.expr, ast.keyword)) and not hasattr(part, "lineno"):
            part.lineno = part.end_lineno = line
            part.col_offset = part.end_col_offset = column
    return node


# ---------------------------------------------------------------------------------------------------- at run time


def take(*, static: tuple[str, ...] = (), donate: tuple[str, ...] = (), **options: Any) -> Callable[..., Any]:
    """What stands in a wrapped cell in the place of `jax.jit`: `jm.jit` with what the magic line adds to the options there."""
    from jupyter_jitmagic.recording.api.jitting import jit

    def stand_in(*functions: Callable[..., Any], **own: Any) -> Any:
        if not functions:
            return partial(stand_in, **own)
        (function,) = functions
        merged = {**own, **options}
        if static:
            merged.update(_joined(function, "static", static, own))
        if donate:
            merged.update(_joined(function, "donate", donate, own))
        return jit(function, **merged)

    return wraps(jit)(stand_in)


def _joined(function: Callable[..., Any], kind: str, added: tuple[str, ...], own: Mapping[str, Any]) -> dict[str, Any]:
    """`static_argnames`/`static_argnums` (or donate's) with the names added.

    JAX infers numbers from names only if no numbers are given, so where there are any, both are spelled out. A positional-only
    parameter has no name that JAX takes; it goes by number.
    """
    names, numbers = f"{kind}_argnames", f"{kind}_argnums"
    parameters = _signature(function)
    named, numbered = _tuple(own.get(names)), _tuple(own.get(numbers))
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    positions = {name: place for place, (name, p) in enumerate(parameters.items()) if p.kind in by_place}
    unnameable = {name for name, p in parameters.items() if p.kind is p.POSITIONAL_ONLY}
    every = tuple(dict.fromkeys((*named, *added)))
    if not numbered and not unnameable.intersection(every):
        return {names: every}
    by_position = {position: name for name, position in positions.items()}
    every = tuple(dict.fromkeys((*every, *(by_position[n] for n in numbered if n in by_position))))
    return {
        names: tuple(name for name in every if name not in unnameable),
        numbers: tuple(dict.fromkeys((*numbered, *(positions[name] for name in every if name in positions)))),
    }


def _signature(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def _tuple(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, (str, int)) else tuple(value)
