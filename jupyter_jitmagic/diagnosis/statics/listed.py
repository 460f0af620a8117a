"""Sizes that a caller gives in lists, sets and dicts: as tuples they could be static."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from jupyter_jitmagic.diagnosis.call.calls import Argument, Call
from jupyter_jitmagic.diagnosis.types import Found

_PLAIN = bool | int | float | complex | str | None


def lists_of_numbers(call: Call, left: Found) -> tuple[str, ...]:
    """The arguments whose elements are needed at all sites that are left, where they are lists, sets or dicts of plain numbers
    and texts."""
    roots = frozenset().union(*left.roots)
    held = [argument for argument in call.arguments if argument.name in roots]
    return plain_containers(held) if all(left.numbers) else ()


def plain_containers(arguments: Sequence[Argument]) -> tuple[str, ...]:
    """The names of these arguments, where all are lists, sets or dicts of plain numbers and texts; else none."""
    return tuple(each.name for each in arguments) if all(_is_listed(each.value) for each in arguments) else ()


def as_hashable(name: str, value: Any) -> str:
    """Python that makes of such a container what is hashable, and has the same elements in the same order."""
    if isinstance(value, dict):
        return f"tuple({name}.items())"
    if isinstance(value, set):
        return f"frozenset({name})"
    return f"tuple(map(tuple, {name}))" if value and all(type(each) is list for each in value) else f"tuple({name})"


def _is_listed(value: Any) -> bool:
    if type(value) is dict:
        return _are_plain([*value, *value.values()])
    if type(value) not in (list, set):
        return False
    nested = type(value) is list and value and all(type(each) is list for each in value)
    return _are_plain([item for each in value for item in each]) if nested else _are_plain(value)


def _are_plain(values: Collection[Any]) -> bool:
    return all(isinstance(each, _PLAIN) or (isinstance(each, tuple) and _are_plain(each)) for each in values)
