"""A draft as statements that replace the user's own, and what differs between them."""

from __future__ import annotations

import ast
import difflib
import functools
import operator
import textwrap
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_jitmagic.base.looking import attribute, is_a, text_attribute
from jupyter_jitmagic.source.code import Code, first_line
from jupyter_jitmagic.source.layout import folded
from jupyter_jitmagic.source.names import names_held, top_name
from jupyter_jitmagic.source.units import Unit, codes, layers, module_text, plain_function
from jupyter_jitmagic.usercode.held import holds


@dataclass(frozen=True)
class Changed:
    """A draft as text: whole new statements by name, the file of each, and what differs."""

    sources: dict[str, str]
    filenames: dict[str, str]
    diff: str


def changed_sources(texts: Mapping[Unit, str]) -> Changed:
    """What the units' new texts are as statements that replace the user's."""
    sources: dict[str, str] = {}
    filenames: dict[str, str] = {}
    diffs = []
    for unit, long in texts.items():
        text = folded(long, unit.text)
        for name, old, new in changed_statements(unit.text, text):
            sources[name] = new
            filenames[name] = unit.filename
            lines = difflib.unified_diff(
                old.splitlines(), new.splitlines(), f"{name} (now)", f"{name} (fixed)", lineterm="", n=3
            )
            diffs.append("\n".join(lines))
    for unit in texts:
        for name, text in holders(unit):
            sources[name] = sources.pop(name, text)  # run after what it holds
            filenames.setdefault(name, unit.filename)
    return Changed(sources, filenames, "\n".join(diffs))


def own_name(fun: Any) -> str:
    inner = list(layers(fun))[-1]
    qualname: str = text_attribute(inner, "__qualname__")
    return qualname.split(".<locals>")[0]


def holders(unit: Unit) -> Iterator[tuple[str, str]]:
    """(name, statement) of what holds on to a function of `unit`: assignments as `g = partial(f, 2)`, `g = jax.vmap(f)`, a
    table of functions, or what a library makes of one; functions and methods of which it is a
    default; and those that hold on to these."""
    unit_name = top_name(ast.parse(unit.text).body[-1])
    held = {
        name
        for name, value in unit.globals.items()
        if not isinstance(value, types.ModuleType | type)
        and holds(value, lambda each: _is_of(each, unit))
        and name != unit_name
    }
    classes = any(
        isinstance(value, type) and value.__module__ == unit.globals.get("__name__") for value in unit.globals.values()
    )
    if not (held or classes):
        return
    text = module_text(unit.filename, unit.globals)
    lines = text.splitlines(keepends=True)
    made = {unit_name}
    for stmt in ast.parse(text).body:
        name = top_name(stmt)
        if stmt.lineno <= unit.first_line:
            continue
        if name in held and not made.isdisjoint(names_held(stmt)):
            made.add(name)
            yield name, "".join(lines[first_line(stmt) - 1 : stmt.end_lineno])
        for method in stmt.body if isinstance(stmt, ast.ClassDef) else ():
            if isinstance(method, ast.FunctionDef) and not made.isdisjoint(names_held(method)):
                yield f"{name}.{method.name}", textwrap.dedent("".join(lines[first_line(method) - 1 : method.end_lineno]))


def other_callers(texts: Mapping[Unit, str], reached: Sequence[Unit], fun: Any) -> list[str]:
    """In words, the user's functions that call a changed helper and that the call in question does not reach: with other kinds
    of arguments, perhaps, as the int of a size."""
    known = [*reached, *texts]
    own = plain_function(fun)
    found = []
    for unit in texts:
        name = top_name(ast.parse(unit.text).body[-1])
        if not name or (own is not None and unit.holds(own.__code__)):
            continue
        functions = [(each, plain_function(value)) for each, value in unit.globals.items() if _may_call(value)]
        found += [
            f"{each}, which calls {name} as well"
            for each, function in functions
            if function is not None
            and function.__globals__ is unit.globals
            and not any(one.holds(function.__code__) for one in known)
            and not holds(fun, functools.partial(operator.is_, function))  # `jax.grad(f)` is a call of f
            and any(name in code.co_names for code in (function.__code__, *codes(function.__code__)))
        ]
    return found


def _may_call(value: object) -> bool:
    inner = attribute(value, "__wrapped__", None) if callable(value) and not isinstance(value, type) else None
    return isinstance(value, types.FunctionType) or isinstance(inner, types.FunctionType)


def _is_of(value: object, unit: Unit) -> bool:
    return is_a(value, types.FunctionType) and unit.holds(value.__code__)  # type: ignore[attr-defined]


def changed_statements(old: str, new: str) -> Iterator[tuple[str, str, str]]:
    """(name at module or class level, its text before, its text now) for what differs between two texts of one statement."""
    before, after = Code(old), Code(new)
    old_stmt, new_stmt = before.tree.body[-1], after.tree.body[-1]
    if isinstance(old_stmt, ast.ClassDef) and isinstance(new_stmt, ast.ClassDef):
        olds = dict(_members(before, old_stmt))
        for name, text in _members(after, new_stmt):
            if olds.get(name) != text:
                yield f"{old_stmt.name}.{name}", olds.get(name, ""), text
        return
    yield top_name(old_stmt), old, new


def _members(code: Code, cls: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for stmt in cls.body:
        name = top_name(stmt)
        if name:
            start, end = code.offset(first_line(stmt), 0), code.region([stmt])[1]
            yield name, textwrap.dedent(code.text[start:end])
