"""Parameters of helpers that only ever hold what a caller made itself: `buf = np.zeros(4)`, `push(buf, v)`.

What a helper does to such a thing is not noticed outside of the run: nobody else has it.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Collection, Iterator, Sequence

Reached = tuple[types.FunctionType, ast.AST]
"""A function and its def or lambda."""


def of_own_making(
    reached: Sequence[Reached],
    own: Callable[[Reached], Collection[str]],
    value: Callable[[ast.expr, types.FunctionType], object],
    methods: Collection[types.FunctionType] = (),
) -> dict[types.CodeType, frozenset[str]]:
    """By code, the parameters that in every call among these functions hold a name of the caller's own making.

    Args:
        reached: the functions of a run, the one that is run first.
        own: the names that a function binds to something of its own making.
        value: what a name stands for in a function.
        methods: those of them that objects have which they make; any object's may be meant where one is called by its name.
    """
    codes = {function.__code__ for function, _ in reached[1:]}
    held = {code: frozenset(_parameters(code)) for code in codes}
    calls: list[tuple[Reached, ast.Call, types.CodeType, tuple[str, ...]]] = []
    for each in reached:
        called = set()
        for node in ast.walk(each[1]):
            if isinstance(node, ast.Call):
                called.add(node.func)
                for code, after_self in _meant(node.func, value(node.func, each[0]), methods):
                    calls.append((each, node, code, _parameters(code)[after_self:]))
        for node in ast.walk(each[1]):  # what is handed on may be called by anyone
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load) and node not in called:
                held |= {code: frozenset() for code, _ in _meant(node, value(node, each[0]), methods) if code in held}
    owned = {function.__code__: frozenset(own((function, definition))) for function, definition in reached}
    changed = True
    while changed:
        changed = False
        for (caller, _), call, code, parameters in calls:
            if code in held:
                names = owned[caller.__code__] | held.get(caller.__code__, frozenset())
                kept = held[code] & _holding(call, parameters, names)
                changed, held[code] = changed or kept != held[code], kept
    return {code: names for code, names in held.items() if any(code is called for _, _, called, _ in calls)}


def _meant(func: ast.expr, known: object, methods: Collection[types.FunctionType]) -> Iterator[tuple[types.CodeType, int]]:
    """(code, parameters before those of the call) of what an expression may name."""
    if isinstance(known, types.FunctionType):
        yield known.__code__, 0
    elif known is None and isinstance(func, ast.Attribute):
        yield from ((each.__code__, 1) for each in methods if each.__name__ == func.attr)


def of_inner_functions(definition: ast.AST, own: Collection[str]) -> set[str]:
    """The same of functions that are defined within one: their parameters' names."""
    found: set[str] = set()
    for inner in ast.walk(definition):
        if not isinstance(inner, ast.FunctionDef) or inner is definition:
            continue
        named = [n for n in ast.walk(definition) if isinstance(n, ast.Name) and n.id == inner.name]
        calls = [n for n in ast.walk(definition) if isinstance(n, ast.Call) and n.func in named]
        parameters = tuple(each.arg for each in (*inner.args.posonlyargs, *inner.args.args))
        if calls and len(calls) == len(named):
            found |= set(parameters).intersection(*(_holding(call, parameters, frozenset(own)) for call in calls))
    return found


def _parameters(code: types.CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount]


def _holding(call: ast.Call, parameters: Sequence[str], names: frozenset[str]) -> frozenset[str]:
    """The parameters to which a call gives one of these names, or a part of what it holds (`push(table[k], v)`)."""

    def given() -> Iterator[tuple[str | None, ast.expr]]:
        if not any(isinstance(each, ast.Starred) for each in call.args):
            yield from zip(parameters, call.args, strict=False)
        yield from ((each.arg, each.value) for each in call.keywords)

    whole = ((name, value.value if isinstance(value, ast.Subscript) else value) for name, value in given())
    return frozenset(name for name, value in whole if name and isinstance(value, ast.Name) and value.id in names)
