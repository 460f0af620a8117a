"""What code may write beyond its own variables, and where a value of some kind stands within one of the user's."""

from __future__ import annotations

import contextlib
import dis
import functools
import itertools
import types
from collections.abc import Callable, Iterator
from typing import Any

from jupyter_jitmagic.base.looking import attribute, attributes, is_a, parts_of

_DEPTH = 3
_ITEMS = 100  # of one container that are looked at
_HELD = 300  # values that `holds` looks at
_WRITES = frozenset({"STORE_ATTR", "STORE_GLOBAL", "STORE_SUBSCR", "STORE_DEREF"})
_METHODS = frozenset({"add", "append", "appendleft", "extend", "insert", "put", "setattr", "setdefault", "update"})


@functools.lru_cache(maxsize=1024)
def may_write(code: types.CodeType) -> bool:
    """Whether the code stores something beyond its own variables, or names what may.

    Example:
        >>> may_write((lambda x: x + 1).__code__), may_write((lambda x: log.append(x)).__code__)
        (False, True)
    """
    if not _METHODS.isdisjoint(code.co_names) or any(op.opname in _WRITES for op in dis.get_instructions(code)):
        return True
    return any(map(may_write, codes_in(code)))


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """All code objects within one."""
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield part
            yield from codes_in(part)


def names_in(function: types.FunctionType) -> dict[str, None]:
    """The globals and attributes that a function and those within it name, in the order of its code."""
    return dict.fromkeys(name for code in (function.__code__, *codes_in(function.__code__)) for name in code.co_names)


def paths_to(value: Any, wanted: Callable[[Any], bool], depth: int = 0) -> Iterator[str]:
    """The places in `value` of what is `wanted`, as they are written: "" for itself, ".total", "[0]['loss']".

    Three levels and a hundred items of each are looked at.

    Example:
        >>> list(paths_to({"a": [1, "x"]}, lambda each: each == "x"))
        ["['a'][1]"]
    """
    if wanted(value):
        yield ""
    elif depth < _DEPTH:
        for key, item in _items(value):
            for path in paths_to(item, wanted, depth + 1):  # a key is written only where something is found
                yield f"{key if type(key) is _Attribute else f'[{key!r}]'}{path}"


class _Attribute(str):
    """An attribute's name behind its dot, which no key of a dictionary is taken for."""


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    kind = type(value)  # of the type alone: what a value says of itself may be code of the user's
    if issubclass(kind, dict):
        yield from itertools.islice(list(parts_of(value)), _ITEMS)
    elif issubclass(kind, (list, tuple)):
        yield from itertools.islice(enumerate(parts_of(value)), _ITEMS)
    elif not issubclass(kind, (type, types.ModuleType)):
        held = list(parts_of(attributes(value) or {}))
        yield from ((_Attribute(f".{name}"), item) for name, item in itertools.islice(held, _ITEMS))


def closure_of(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function closes over, by name; what has no value yet is left out."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):
            yield name, cell.cell_contents


def defaults_of(function: types.FunctionType) -> tuple[Any, ...]:
    """The values that stand for arguments left out.

    Example:
        >>> defaults_of(lambda a, b=2, *, c=3: a)
        (2, 3)
    """
    return (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())


def holds(value: Any, wanted: Callable[[Any], bool]) -> bool:
    """Whether a value is what is `wanted` or has it within: in a container, a partial, an attribute, a closure, a default, what
    a wrapper wraps. The nearest few hundred are looked at; what a bound method's class holds is looked up there, and is none of
    it.

    Example:
        >>> holds(functools.partial(pow, 2), lambda each: each is pow)
        True
    """
    seen: dict[int, Any] = {}
    queue = [value]
    while queue and len(seen) < _HELD:
        each = queue.pop(0)
        if id(each) in seen:
            continue
        seen[id(each)] = each
        if wanted(each):
            return True
        queue.extend(_within(each))
    return False


def _within(value: Any) -> Iterator[Any]:
    if is_a(value, types.MethodType):
        yield value.__self__
        return
    if is_a(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    if is_a(value, types.FunctionType):
        yield from (each for _, each in closure_of(value))
        yield from defaults_of(value)
    wrapped = attribute(value, "__wrapped__") if callable(value) and not is_a(value, type) else None
    if wrapped is not None:
        yield wrapped
    yield from (item for _, item in _items(value))
