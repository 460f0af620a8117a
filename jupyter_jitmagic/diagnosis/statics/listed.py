"""Sizes that a caller gives in lists and sets: as tuples they could be static."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.types import Found

_PLAIN = bool | int | float | complex | str


def lists_of_numbers(call: Call, left: Found) -> tuple[str, ...]:
    """The arguments whose elements are needed at all sites that are left, where they are lists or sets of plain numbers."""
    roots = frozenset().union(*left.roots)
    held = [argument for argument in call.arguments if argument.name in roots]
    if not all(left.numbers) or not all(_is_listed(argument.value) for argument in held):
        return ()
    return tuple(argument.name for argument in held)


def as_hashable(name: str, value: Any) -> str:
    """Python that makes of such a list or set what is hashable, and has the same elements in the same order."""
    if isinstance(value, set):
        return f"frozenset({name})"
    return f"tuple(map(tuple, {name}))" if value and all(type(each) is list for each in value) else f"tuple({name})"


def _is_listed(value: Any) -> bool:
    if type(value) not in (list, set):
        return False
    nested = type(value) is list and value and all(type(each) is list for each in value)
    return _are_plain([item for each in value for item in each]) if nested else _are_plain(value)


def _are_plain(values: Collection[Any]) -> bool:
    return all(isinstance(each, _PLAIN) or (isinstance(each, tuple) and _are_plain(each)) for each in values)
