"""Concretization sites in the user's own lines, from what a shadow run met."""

from __future__ import annotations

import ast
import dataclasses
import dis
import inspect
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType, TracebackType
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute, is_a
from jupyter_jitmagic.base.paths import is_part
from jupyter_jitmagic.base.value_texts import shown
from jupyter_jitmagic.diagnosis.call.calls import Call, bind, code_of, innermost, is_user
from jupyter_jitmagic.diagnosis.sites.operations import block_of, of_comparison, operation_of, whole_tree
from jupyter_jitmagic.diagnosis.types import Found, Site
from jupyter_jitmagic.usercode.ownership import is_ours
from jupyter_jitmagic.usercode.places import Position, in_characters, position, source_line, tested_at

_run_shadow: Callable[..., Any] | None
try:
    from jupyter_jitmagic.diagnosis.sites.shadow_run import run_shadow as _run_shadow
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
    named_already = frozenset().union(*roots) if roots else frozenset()
    bad = {argument.name for argument in call.refused}
    needing = any(not root <= bad for root in roots)
    for site, root in _refused_arguments(call, static, named_already):
        place = _place_among(site, made, needing)
        made.insert(place, site)
        roots.insert(place, frozenset({root}))
        numbers.insert(place, True)
        observed.insert(place, ())
    return Found(
        tuple(made),
        tuple(observed),
        tuple(roots),
        tuple(numbers),
        outcome.error,
        outcome.complete,
        effect=outcome.effect,
        shapes=outcome.shapes,
    )


def _site(event: Any, leaves: list[tuple[str, Any]]) -> Site:
    code: CodeType = event.frame_code
    if is_ours(code.co_filename):  # the function is not Python's: it has no line
        paths = tuple(leaves[leaf][0] for leaf in sorted(event.leaves))
        return Site("", 0, "", "numpy" if event.how == "array" else event.how, paths)
    where = _asked_at(event.how, code, event.instruction, event.line)
    operation, line = operation_of(event.how, code, where, event.via)
    shown = in_characters(where, code.co_filename)
    paths = tuple(leaves[leaf][0] for leaf in sorted(event.leaves))
    return Site(
        filename=code.co_filename,
        line=line,
        code=source_line(code.co_filename, line, event.globals),
        operation=operation,
        arguments=paths,
        detail=_DETAILS.get(operation, ""),
        column=shown.column,
        end_line=shown.end_line,
        end_column=shown.end_column,
        function=code.co_qualname.rsplit("<locals>.", 1)[-1],
        values={path: short(leaves[leaf][1]) for path, leaf in zip(paths, sorted(event.leaves), strict=True)},
    )


def _asked_at(how: str, code: CodeType, instruction: int, line: int) -> Position:
    """The place of the expression whose value was asked for."""
    if how != "bool":
        return position(code, instruction, line)
    return of_comparison(code, position(code, tested_at(code, instruction), line))


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
    "flags": "decides flags that are subtracted, which JAX refuses",
}


_LONGEST = 40


def short(value: Any) -> str:
    """A value in a few characters: "f32[4]" for arrays, else as it is shown everywhere, its own `__repr__` not believed."""
    if is_a(value, (jax.Array, np.ndarray)):
        try:
            return str(jax.typeof(value).str_short(short_dtypes=True))
        except Exception:
            return f"{value.dtype}[{','.join(map(str, value.shape))}]"
    name = attribute(value, "__name__", None)
    return _cut(name) if callable(value) and isinstance(name, str) else shown(value, _LONGEST)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "…"


# arguments that jit refuses: where they are used


def _refused_arguments(call: Call, static: frozenset[str], named_already: frozenset[str]) -> Iterator[tuple[Site, str]]:
    """A site for each argument that is not a JAX type and told nothing of its use: the first line that reads it."""
    for argument in call.refused:
        if argument.name in static or argument.name in named_already:
            continue
        path, value = argument.bad_leaves[0]
        found = first_use(call, argument.name)
        if found is None:
            continue
        code, line = found
        operation = "call" if callable(value) and not is_a(value, type) else "invalid argument"
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
    fun = innermost(call.fun)
    fun = attribute(fun, "__func__", fun)
    code = code_of(fun)
    if code is None:
        return None
    argument = call.argument(name)
    parameter = name.split("[")[0]
    own = code.co_argcount + code.co_kwonlyargcount
    if isinstance(argument.key, str) and parameter not in code.co_varnames[:own] and code.co_flags & inspect.CO_VARKEYWORDS:
        parameter = code.co_varnames[own + bool(code.co_flags & inspect.CO_VARARGS)]
    return _use_in(code, parameter, attribute(fun, "__globals__", {}), 0)


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


def ended_early(found: Found, error: BaseException, call: Call) -> bool:
    """Whether the run was stopped before it came to the line at which JAX gave up, by an error of our tracers, too: a library
    may look closely at what it is given, and JAX's trace went on there."""
    if found.complete or not found.proven:
        return False
    refused = isinstance(error, (jax.errors.JAXTypeError, jax.errors.JAXIndexError))
    if found.error is not None and (found.sites or not refused or isinstance(error, jax.errors.UnexpectedTracerError)):
        return False
    place = failing_site(error, call)
    return place is not None and (place.filename, place.line) not in {(site.filename, site.line) for site in found.sites}


def place_of(error: BaseException, call: Call) -> tuple[Site, ...]:
    """`failing_site`, if there is one."""
    site = failing_site(error, call)
    return (site,) if site else ()


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
    where = in_characters(position(code, found.tb_lasti, found.tb_lineno or code.co_firstlineno), code.co_filename)
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


def raised_by_user(error: BaseException, call: Call) -> bool:
    """Whether a `raise` of the user's raised it, whose words may speak of anything."""
    steps = list(_steps(error))
    if not steps or not is_user(code := steps[-1].tb_frame.f_code, call):
        return False
    return code.co_code[steps[-1].tb_lasti] == dis.opmap["RAISE_VARARGS"]


def refused_at(error: BaseException, call: Call) -> Site | None:
    """The site at which JAX's own error stopped a trace, with the arguments that its text names; nothing runs for it."""
    place = failing_site(error, call)
    if place is None:
        return None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    last = max(number for number, frame in enumerate(frames) if is_user(frame.f_code, call))
    via = tuple(f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_name}" for frame in frames[last + 1 :])
    code = frames[last].f_code
    found = next(tb for tb in reversed(list(_steps(error))) if tb.tb_frame is frames[last])
    via, operation_asked = _before_the_tracer(via)
    how = next((how for kind, how in _ASKED_BY.items() if isinstance(error, kind)), operation_asked)
    operation, line = operation_of(how, code, _asked_at(how, code, found.tb_lasti, place.line), via)
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
    """Forget the user's source and code objects, and what was drawn from their keys."""
    from jupyter_jitmagic.diagnosis.uncompiled import drawn
    from jupyter_jitmagic.usercode import places

    drawn.forget()

    block_of.cache_clear()
    whole_tree.cache_clear()
    places.clear_caches()
