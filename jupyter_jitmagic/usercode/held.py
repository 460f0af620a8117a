"""What code may write beyond its own variables, and where a value of some kind stands within one of the user's."""

from __future__ import annotations

import dis
import functools
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

_DEPTH = 3
_ITEMS = 100  # of one container that are looked at
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


def paths_to(value: Any, wanted: Callable[[Any], bool], depth: int = 0) -> Iterator[str]:
    """The places in `value` of what is `wanted`, as they are written: "" for itself, ".total", "[0]['loss']".

    Three levels and a hundred items of each are looked at; nothing of the user's is called.

    Example:
        >>> list(paths_to({"a": [1, "x"]}, lambda each: each == "x"))
        ["['a'][1]"]
    """
    if wanted(value):
        yield ""
    elif depth < _DEPTH:
        for step, item in _items(value):
            yield from (f"{step}{path}" for path in paths_to(item, wanted, depth + 1))


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((f"[{key!r}]", item) for key, item in list(value.items())[:_ITEMS])
    elif isinstance(value, (list, tuple)):
        yield from ((f"[{number}]", item) for number, item in enumerate(value[:_ITEMS]))
    elif (
        hasattr(value, "__dict__")
        and not isinstance(value, type)
        and not inspect.ismodule(value)
        and not inspect.isroutine(value)
    ):
        yield from ((f".{name}", item) for name, item in list(vars(value).items())[:_ITEMS])
