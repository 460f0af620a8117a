"""How many values an argument has had in the recorded calls of a function, where values are known: static ones by cache entry,
plain numbers and strings of calls that failed. What a hit was called with is not looked at: that would cost every hit."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from jupyter_jitmagic.base.looking import is_a
from jupyter_jitmagic.base.value_texts import is_secret_name, shown
from jupyter_jitmagic.records.log import FunctionRecord, log

_CALLS_KEPT = 200
_PLAIN = (bool, int, float, complex, str)


def note_failed(record: FunctionRecord, fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Keep the plain values that a failed call was made with, as short text."""
    values = {
        name: shown(value)
        for name, value in _named(fun, args, kwargs).items()
        if is_a(value, _PLAIN) and not is_secret_name(name)
    }
    record.tried = [*record.tried[1 - _CALLS_KEPT :], values]


def values_seen(function: int) -> dict[str, tuple[int, int]]:
    """By argument: (different values, calls), over every function that was made in this one's place."""
    own = log.known_function(function)
    if own is None:
        return {}
    log.fold()
    values: dict[str, set[str]] = {}
    calls: dict[str, int] = {}
    with log.lock:
        alike = [each for each in log.functions.values() if each.origin == own.origin]
        for record in {each.id: each for each in (*alike, own)}.values():
            rows = [(entry.static, entry.hits + 1) for entry in log.entries_of(record.id)]
            for known, count in [*rows, *((tried, 1) for tried in record.tried)]:
                for name, value in known.items():
                    values.setdefault(name, set()).add(value)
                    calls[name] = calls.get(name, 0) + count
    return {name: (len(values[name]), calls[name]) for name in values}


def _named(fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(fun).parameters.values()
    except (TypeError, ValueError):
        return dict(kwargs)
    names = [each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return {**dict(zip(names, args, strict=False)), **kwargs}
