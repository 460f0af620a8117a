"""Functions that are looked up by an option and called at once with a value of unknown length: `REDUCE[how](losses)`.

Each of them leaves out in a way of its own what does not count (`where=` of a mean, NaN of a median), so each gets a line: a
branch for each key, which Python takes while tracing.
"""

from __future__ import annotations

import ast
import itertools
import types
from collections.abc import Iterator

import jax.numpy as jnp

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites.ragged import enclosed
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step, is_traced_value
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, walk

_MOST_FUNCTIONS = 12
_Choice = list[tuple[str, ast.expr | str]]
"""Tests, "" for all that is left, each with the function that is called then, in source or by its name."""


def by_its_key(spot: Spot, call: ast.Call) -> Iterator[Step]:
    """`return REDUCE[how](x)` → `if how == "mean": return jnp.mean(x)`, `elif …`, `else: raise KeyError(how)`; with
    `REDUCE.get(how, jnp.mean)(x)` another function is called there."""
    code, statement, func = spot.code, spot.code.statement(call), call.func
    if isinstance(func, ast.Name):  # `reduce = REDUCE[how]` in a line above
        func = code.bound_above(func.id, func) or func
    simple = isinstance(statement, ast.Return | ast.Assign | ast.AugAssign | ast.Expr) and code.on_own_lines([statement])
    choice, otherwise = _choice(spot, func)
    texts = [(test, _called(spot, call, function)) for test, function in choice]
    if (
        not _is_always_called(spot, call, statement)
        or not simple
        or not choice
        or len(choice) > _MOST_FUNCTIONS
        or any(text is None for _, text in texts)
    ):
        return
    indent, lines, word = code.indent(statement), "", "if"
    for test, text in texts:
        assert text is not None
        lines += f"{indent}{word} {test}:\n" if test else f"{indent}else:\n"
        lines += code.block_text([statement], f"{indent}    ", [(*code.span(call), text)])
        word = "elif"
    if otherwise:
        lines += f"{indent}else:\n{indent}    {otherwise}\n"
    asked = func.func if isinstance(func, ast.Call) else func
    table = asked.value if isinstance(asked, ast.Subscript | ast.Attribute) else asked
    yield spot.step("if", (code.region([statement]), lines), *_not_read(spot, call, table))


def _is_always_called(spot: Spot, call: ast.Call, statement: ast.stmt) -> bool:
    """Whether each run of its statement makes the call, once: `REDUCE[how](x) if how else 0` asks no table for nothing."""
    around = itertools.takewhile(lambda each: each is not statement, spot.code.ancestors(call))
    return not any(isinstance(each, (ast.IfExp, ast.BoolOp, *SCOPES, *COMPREHENSIONS)) for each in around)


def _choice(spot: Spot, func: ast.expr) -> tuple[_Choice, str]:
    """What is called when, and what is done where no test holds; nothing where that is not known."""
    code = spot.code
    match func:
        case ast.IfExp(test=test, body=body, orelse=orelse) if not _is_of_data(spot, test):
            rest = _choice(spot, orelse)[0] if isinstance(orelse, ast.IfExp) else [("", orelse)]
            return ([(code.src(test), body), *rest] if rest else []), ""
        case ast.Subscript(value=table, slice=ast.Name() as key) if not _is_of_data(spot, key):
            entries, rest = list(_entries(spot, table)), []
        case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[ast.Name() as key, default], keywords=[]) if (
            not _is_of_data(spot, key)
        ):
            entries, rest = list(_entries(spot, table)), [("", default)]
        case _:
            return [], ""
    if not entries or not all(each for each, _ in entries):
        return [], ""
    return [
        *((f"{key.id} == {each}", function) for each, function in entries),
        *rest,
    ], "" if rest else f"raise KeyError({key.id})"


def _is_of_data(spot: Spot, node: ast.expr) -> bool:
    return any(isinstance(each, ast.Name) and is_traced_value(spot.value(each)) for each in walk(node))


def _entries(spot: Spot, table: ast.expr) -> Iterator[tuple[str, ast.expr | str]]:
    """The keys as text, each with its function in source, or with its name."""
    made = spot.code.bound_above(table.id, table) if isinstance(table, ast.Name) else table
    if isinstance(made, ast.Dict):
        if isinstance(table, ast.Name) and not _is_only_asked(spot, table.id):
            return
        for key, value in zip(made.keys, made.values, strict=True):
            yield spot.code.src(key) if isinstance(key, ast.Constant) else "", value
        return
    held = spot.value(table)
    given = {each.arg for each in walk(spot.function.args) if isinstance(each, ast.arg)} if spot.function is not None else set()
    known = type(held) in (dict, types.MappingProxyType)  # another may have an answer for what it does not hold
    for key, value in held.items() if known and not (isinstance(table, ast.Name) and table.id in given) else ():
        plain = isinstance(key, str) and key.isprintable() and not set(key) & {'"', "\\"}
        yield f'"{key}"' if plain else repr(key) if isinstance(key, str | int) else "", _name_of(spot, value)


def _is_only_asked(spot: Spot, name: str) -> bool:
    """Whether a table that is made here stays as it is made."""
    for each in walk(spot.function or spot.code.tree):
        if not isinstance(each, ast.Name) or each.id != name or isinstance(each.ctx, ast.Store):
            continue
        match spot.code.parents[each]:
            case ast.Subscript(ctx=ast.Load()) | ast.Compare() | ast.Attribute(attr="get" | "keys"):
                pass
            case _:
                return False
    return True


def _name_of(spot: Spot, function: object) -> str:
    """How a function is spelled here, "" where it has no name here."""
    name = attribute(function, "__name__", "")
    if isinstance(name, str) and name and getattr(jnp, name, None) is function:
        return spot.jnp(name)
    return next((each for each, value in spot.globals.items() if value is function and each.isidentifier()), "")


def _called(spot: Spot, call: ast.Call, function: ast.expr | str) -> str | None:
    """The call of one of the functions, as text; of `lambda v: v.mean()` what it computes."""
    code = spot.code
    given = code.text[code.span(call.func)[1] : code.span(call)[1]]
    match function:
        case str():
            return f"{function}{given}" if function else None
        case ast.Name() | ast.Attribute():
            return f"{code.src(function)}{given}"
        case ast.Lambda(
            args=ast.arguments(posonlyargs=[], args=[ast.arg(arg=name)], vararg=None, kwonlyargs=[], kwarg=None), body=body
        ):
            pass
        case _:
            return None
    scopes = (*SCOPES, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.NamedExpr)
    match call:
        case ast.Call(args=[ast.Name() as argument], keywords=[]) if not any(isinstance(each, scopes) for each in walk(body)):
            reads = [each for each in walk(body) if isinstance(each, ast.Name) and each.id == name]
            text = code.edited(*code.span(body), [(*code.span(each), argument.id) for each in reads])
            return text if isinstance(code.parents[call], ast.stmt) else enclosed(text)
    return None


def _not_read(spot: Spot, call: ast.Call, table: ast.expr) -> Iterator[tuple[tuple[int, int], str]]:
    """The lines that bound what was looked up and the table itself, which nothing reads any more."""
    code, gone = spot.code, {*walk(call)}
    for name in (call.func, table):
        value = code.bound_above(name.id, name) if isinstance(name, ast.Name) else None
        if value is None or not isinstance(name, ast.Name):
            continue
        statement, function = code.statement(value), spot.function or code.tree
        reads = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name.id and isinstance(n.ctx, ast.Load)]
        is_alone = isinstance(statement, ast.Assign) and statement.value is value and code.on_own_lines([statement])
        if is_alone and gone.issuperset(reads):
            gone |= {*walk(statement)}
            yield code.region([statement]), ""
