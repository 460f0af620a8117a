"""What a value is to a table of entries, told without running any code of the user's.

A hit must not run ``==``, ``__hash__``, properties or ``__getitem__`` of the user's once more than JAX does: they may count,
log, or insert what is missing. So plain data is looked up by value, containers and objects that are no more than their fields
part by part, and what compares by identity as the very object. Equal tokens mean one cache entry; equal values may have
several tokens (each is learned by itself). For anything else there is no token, and the call is looked at closely.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import types
import weakref
from collections.abc import Callable
from typing import Any

import jax

from jupyter_jitmagic.base.values import hashes_by_identity

_PLAIN = frozenset(
    {bool, int, float, complex, str, bytes, type(None), type(...), range, datetime.date, datetime.timedelta, decimal.Decimal}
)
DIRECT = _PLAIN | {types.FunctionType, types.BuiltinFunctionType, type}
"""Exact types of static arguments whose own hash and ``==`` are Python's: JAX's cache holds such a value as we do."""
_LIBRARIES = ("jax", "jaxlib", "ml_dtypes", "numpy")
_DEPTH = 8
_POINTER = tuple.__itemsize__
_BARE: Any = object
_EXACT: dict[type, Callable[[Any], Any]] = {str: str.__str__, int: int.__int__, float: float.__float__}
_TUPLE: Any = tuple


class Unsure(Exception):
    """It cannot be told without running code of the user's."""


class Itself:
    """One object, by identity; equal to nothing once the object is gone."""

    __slots__ = ("_number", "_of")

    def __init__(self, value: Any) -> None:
        self._number = id(value)
        self._of = weakref.ref(value)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Itself) and self._number == other._number and self._of() is other._of() is not None


def token(value: Any, depth: int = 0) -> Any:
    """What stands for `value` in a table of entries.

    Raises:
        Unsure, TypeError: nothing can stand for it.
    """
    kind = type(value)
    if kind in _PLAIN:
        return kind, value
    if depth > _DEPTH:
        raise Unsure
    if kind is tuple or kind is list:
        return kind, *[token(part, depth + 1) for part in value]
    if kind is dict:
        return kind, *[(token(key, depth + 1), token(part, depth + 1)) for key, part in value.items()]
    if kind is frozenset or kind is set:
        return kind, frozenset([token(part, depth + 1) for part in value])
    if kind is types.MethodType:
        return kind, Itself(value.__self__), Itself(value.__func__)
    tell = _tellers.get(kind)
    if tell is None:
        tell = _tellers[kind] = _teller(kind)
    return tell(value, depth)


def is_of_library(kind: type) -> bool:
    """Whether a class is JAX's or NumPy's: what its values do runs no code of the user's."""
    return str(kind.__module__).partition(".")[0] in _LIBRARIES


Teller = Callable[[Any, int], Any]
_tellers: weakref.WeakKeyDictionary[type, Teller] = weakref.WeakKeyDictionary()


def _teller(kind: type) -> Teller:
    """How values of this class are told, decided once."""
    number, bases = id(kind), kind.__mro__
    if enum.Enum in bases:
        return lambda value, depth: (number, object.__getattribute__(value, "_name_"), _member(value, depth))
    if hashes_by_identity(kind):
        return lambda value, depth: Itself(value)
    if is_of_library(kind) and kind is not jax.tree_util.PyTreeDef:  # that one compares metadata of the user's
        return lambda value, depth: (number, value)
    if kind.__eq__ is _TUPLE.__eq__ and kind.__hash__ is _TUPLE.__hash__:
        return lambda value, depth: (number, *[token(part, depth + 1) for part in tuple.__iter__(value)])
    for base, exact in _EXACT.items():
        if kind.__eq__ is base.__eq__ and kind.__hash__ is base.__hash__:
            return lambda value, depth, exact=exact: (number, exact(value))  # type: ignore[misc]
    members = _all_members(kind)
    if members is None:
        return _untold
    return lambda value, depth: (number, *_fields(value, members, depth))


def _member(value: Any, depth: int) -> Any:
    return token(object.__getattribute__(value, "_value_"), depth + 1)


def _untold(value: Any, depth: int) -> Any:
    raise Unsure


def _all_members(kind: type) -> list[Any] | None:
    """The slots of a class whose objects are their slots and their ``__dict__``; None where C code may keep more in them."""
    members = [
        member
        for base in kind.__mro__
        for member in base.__dict__.values()
        if isinstance(member, types.MemberDescriptorType) and base is not object
    ]
    pointers = len(members) + (kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0)
    known = _BARE.__basicsize__ + pointers * _POINTER
    dicts = [base.__dict__["__dict__"] for base in kind.__mro__ if "__dict__" in base.__dict__]
    plain = all(isinstance(found, types.GetSetDescriptorType) for found in dicts)
    return members if plain and not kind.__itemsize__ and kind.__basicsize__ <= known else None


def _fields(value: Any, members: list[Any], depth: int) -> list[Any]:
    """What the slots and the ``__dict__`` hold."""
    found: list[Any] = []
    for member in members:
        try:
            held = member.__get__(value)
        except AttributeError:  # never set
            found.append(None)
        else:
            found.append(token(held, depth + 1))
    try:
        named = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return found
    return [*found, *[(name, token(part, depth + 1)) for name, part in named.items()]]
