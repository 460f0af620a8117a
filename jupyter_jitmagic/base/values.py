"""A value of the user's as small plain data: what it looks like, and whether another one is the same to JAX's cache.

JAX compares static arguments (and the metadata of pytree nodes) by type, ``hash`` and ``==``. We must answer the same
question later without keeping the value alive. Nothing here holds a strong reference to what it was given, and device
arrays are never read.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import functools
import hashlib
import types
import weakref
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from jupyter_jitmagic.base.looking import attribute, exact, is_a, parts_of
from jupyter_jitmagic.base.own_work import own_work
from jupyter_jitmagic.base.value_texts import (
    ADDRESS,
    BIG_INT_BITS,
    DEPTH,
    STRING_LIMIT,
    has_known_repr,
    instance_fields,
    is_array,
    is_generated,
    is_of_known_library,
    library_name,
    shown,
)

_PARTS_SHOWN = 100
_PARTS_LIMIT = 500
_PLAIN_DATA = (decimal.Decimal, datetime.date, datetime.time, datetime.timedelta, range)
"""Small immutable values that may be equal without looking the same, as Decimal("1.0") and Decimal("1.00")."""
_OBJECT_HASH: Any = object.__hash__
_OBJECT_EQ: Any = object.__eq__


class Value:
    """One static value or piece of pytree metadata: `text` to show, `==` as JAX's cache would answer it.

    `by_identity` says that some part of it hashes or compares by identity, so an equal-looking object made anew is another one.
    With ``by_equality=True`` the value is compared by ``==`` alone, as JAX compares pytree metadata: it need not be hashable.
    """

    __slots__ = ("__weakref__", "_key", "_looks", "_parts", "_ref", "_type", "by_identity", "is_own_class", "kind", "text")

    def __init__(self, value: Any, *, secret: bool = False, by_equality: bool = False) -> None:
        prints = _Prints(by_equality)
        self.text = "…" if secret and is_a(value, (str, bytes)) else shown(value)
        self._type = id(type(value))
        self.kind = type(value).__qualname__
        self.is_own_class = not is_of_known_library(type(value)) and not callable(value)
        self._key = prints.key(value)
        self.by_identity = prints.by_identity
        self._looks = (type(value).__qualname__, Looks().key(value))
        self._ref = _weak(value)
        self._parts = tuple(_part_texts(value)) if is_a(value, tuple) and "…" in self.text else ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value) or self._type != other._type:
            return False
        asked = self._asked(other)
        return self._key == other._key if asked is None else asked

    def __hash__(self) -> int:
        return hash(self._type)

    def __repr__(self) -> str:
        return self.text

    def looks_like(self, other: Value) -> bool:
        """Whether nothing that can be seen tells the two apart (fields, code, closure values)."""
        return self._looks == other._looks

    def part_unlike(self, other: Value) -> str:
        """Of a tuple too long to be shown, the first part unlike the other's, as "(…, 5, …)"; "" if none is found."""
        if len(self._parts) != len(other._parts):
            return ""
        return next((f"(…, {mine}, …)" for mine, theirs in zip(self._parts, other._parts, strict=True) if mine != theirs), "")

    def _asked(self, other: Value) -> bool | None:
        """What the class's own ``==`` says of two objects of equal hash while both live, else None."""
        if self._key[0] != "hash" or self._key[:2] != other._key[:2]:
            return None
        mine, theirs = self._ref(), other._ref()
        if mine is None or theirs is None:
            return None
        try:
            with own_work():
                return mine is theirs or bool(mine == theirs)
        except Exception:
            return None


def _part_texts(value: tuple[Any, ...], depth: int = 0) -> Iterator[str]:
    for part in islice(parts_of(value), _PARTS_SHOWN):
        if is_a(part, tuple) and depth < DEPTH:
            yield from islice(_part_texts(part, depth + 1), _PARTS_SHOWN)
        else:
            yield shown(part, STRING_LIMIT)


def _weak(value: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(value)
    except TypeError:
        return _gone


def _gone() -> None:
    return None


def hashes_by_identity(kind: type) -> bool:
    """Either will do: objects are the same to a cache if both their hashes and they themselves are equal."""
    return kind.__hash__ is _OBJECT_HASH or kind.__eq__ is _OBJECT_EQ


def digest(data: bytes) -> bytes:
    """Sixteen bytes that stand for `data`."""
    return hashlib.blake2b(data, digest_size=16).digest()


class _Prints:
    """Fingerprints under which two values are equal exactly when JAX's cache takes them for the same."""

    def __init__(self, by_equality: bool = False) -> None:
        self.by_identity = False
        self._by_equality = by_equality
        self._left = _PARTS_LIMIT

    def key(self, value: Any, depth: int = 0) -> tuple[Any, ...]:
        self._left -= 1
        if value is None or is_a(value, (str, bytes)):
            return _plain(value)
        if is_a(value, (bool, int, float, complex, np.generic)):
            return _number(value)
        if is_a(value, (tuple, frozenset)) and depth < DEPTH and len(held := tuple(parts_of(value))) <= self._left:
            parts = [self.key(part, depth + 1) for part in held]
            return ("set", frozenset(parts)) if is_a(value, frozenset) else ("tuple", *parts)
        if is_a(value, enum.Enum):
            return ("enum", id(type(value)), attribute(value, "_name_"))
        if is_a(value, _PLAIN_DATA):
            return ("plain", value)
        if is_a(value, types.MethodType):
            self.by_identity = True
            return ("method", id(value.__self__), id(value.__func__))
        kind: Any = type(value)
        if self._by_equality and depth < DEPTH and (kind is list or kind is dict or kind is set) and len(value) <= self._left:
            return self._container(value, depth)
        if hashes_by_identity(type(value)) or is_a(value, type):
            self.by_identity = True
            return ("id", id(value))
        return self._by_value(value, depth)

    def _container(self, value: Any, depth: int) -> tuple[Any, ...]:
        if type(value) is list:
            return ("list", *(self.key(part, depth + 1) for part in value))
        if type(value) is set:
            return ("set", frozenset(self.key(part, depth + 1) for part in value))
        return ("dict", frozenset((self.key(name, depth + 1), self.key(part, depth + 1)) for name, part in value.items()))

    def _by_value(self, value: Any, depth: int) -> tuple[Any, ...]:
        try:
            with own_work():
                hashed = hash(value)
        except Exception:
            if self._by_equality:
                return ("hash", 0, *Looks().key(value))
            self.by_identity = True
            return ("id", id(value))
        if depth < DEPTH and _compares_fields(type(value)):
            fields = instance_fields(value)
            names = [field.name for field in dataclasses.fields(value) if field.compare]
            return ("data", id(type(value)), hashed, *(self.key(fields.get(name), depth + 1) for name in names))
        return ("hash", hashed, *Looks().key(value))


def _compares_fields(kind: type) -> bool:
    """Whether `==` of a dataclass is the generated one."""
    parameters = attribute(kind, "__dataclass_params__")
    equal = kind.__dict__.get("__eq__")
    return bool(parameters is not None and parameters.eq and equal is not None and is_generated(equal))


def _plain(value: Any) -> tuple[Any, ...]:
    """Strings by digest: what is kept tells nothing of a secret."""
    if value is None:
        return ("none",)
    value = exact(value)
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return ("text", isinstance(value, str), len(value), digest(data))


def _number(value: Any) -> tuple[Any, ...]:
    value = exact(value)
    if isinstance(value, np.generic):
        try:
            value = value.item()
        except Exception:
            return ("number", str(type(value)), digest(bytes(value.tobytes())))
    if isinstance(value, int) and value.bit_length() > BIG_INT_BITS:
        return ("big", value.bit_length(), hash(value), int(value) & (2**128 - 1))
    if not isinstance(value, (bool, int, float, complex)):
        return ("number", repr(value))
    return ("number", value)


class Looks:
    """What can be seen of a value, to tell equal-looking objects from different ones; `arrays` fingerprints an array: last
    comes what was seen of its numbers, bytes or an object that says whether it is `exact`.

    `exact` turns False when a key leaves something out: equal keys are then no proof that the values are equal.
    """

    def __init__(self, arrays: Callable[[Any], tuple[Any, ...]] | None = None, parts: int = _PARTS_LIMIT) -> None:
        self._left = parts
        self._arrays = arrays or _array_key
        self.exact = True

    def key(self, value: Any, depth: int = 0) -> tuple[Any, ...]:
        self._left -= 1
        if self._left <= 0 or depth > DEPTH:
            self.exact = False
            return ("…",)
        if value is None or is_a(value, (str, bytes)):
            return _plain(value)
        if is_a(value, (bool, int, float, complex, np.generic)):
            return _looks_of_number(value)
        if is_a(value, enum.Enum):
            return ("enum", attribute(value, "_name_"), self.key(attribute(value, "_value_"), depth + 1))
        if named := library_name(value):
            return ("library", named)
        if is_a(value, type):
            self.exact = self.exact and is_of_known_library(value)
            return ("class", value.__module__, value.__qualname__)
        if is_array(value):
            described = self._arrays(value)
            self.exact = self.exact and (isinstance(described[-1], bytes) or attribute(described[-1], "exact", False))
            return ("array", *described)
        if is_a(value, types.CodeType):
            return ("code", *_code_looks(value), *(self.key(part, depth) for part in value.co_consts))
        for kind, parts in _PARTS:
            if is_a(value, kind):
                self.exact = self.exact and not (depth and is_a(value, _RUNNABLE))
                return (kind.__name__, *(self.key(part, depth + 1) for part in islice(parts(value), max(self._left, 0))))
        if is_a(value, types.BuiltinFunctionType):
            return ("builtin", value.__qualname__)
        fields = instance_fields(value)
        self.exact = False  # what its methods do is not looked at
        if not fields and has_known_repr(value):
            return (type(value).__qualname__, digest(ADDRESS.sub("", repr(value)).encode()))
        return (
            type(value).__qualname__,
            *((name, self.key(field, depth + 1)) for name, field in islice(fields.items(), max(self._left, 0))),
        )


def _looks_of_number(value: Any) -> tuple[Any, ...]:
    """1, 1.0 and True look different, 0.0 and -0.0 too; one nan looks as another."""
    plain = exact(value)
    if isinstance(plain, int) and plain.bit_length() > BIG_INT_BITS:
        return _number(plain)
    return ("number", type(value).__name__, repr(plain))


def _code_looks(code: types.CodeType) -> tuple[Any, ...]:
    """All of a code object that decides what it does and how it is called, without its constants."""
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    parts = (code.co_code, code.co_exceptiontable)
    return (*map(digest, parts), counts, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)


def _code_parts(function: types.FunctionType) -> Iterator[Any]:
    """Where the code stands does not matter: a definition that ran again is the same to look at."""
    yield from (function.__module__, function.__qualname__, function.__code__)
    yield function.__defaults__
    yield function.__kwdefaults__
    yield {name: value for name, value in vars(function).items() if not name.startswith("_")} or None
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            yield "empty cell"


_RUNNABLE = (types.FunctionType, types.MethodType, functools.partial)
"""Their keys tell their own code and not what that reads."""

_PARTS: tuple[tuple[type, Callable[[Any], Iterator[Any]]], ...] = (
    (types.FunctionType, _code_parts),
    (types.MethodType, lambda method: iter((method.__func__, method.__self__))),
    (functools.partial, lambda partial: (attribute(partial, name) for name in ("func", "args", "keywords"))),
    (dict, lambda mapping: (part for item in parts_of(mapping) for part in item)),
    (tuple, tuple.__iter__),
    (list, list.__iter__),
    (frozenset, lambda members: iter(sorted(map(_looks_text, parts_of(members))))),
    (set, lambda members: iter(sorted(map(_looks_text, parts_of(members))))),
)


def _looks_text(value: Any) -> str:
    return repr(Looks().key(value))


def _array_key(value: Any) -> tuple[Any, ...]:
    """Shape, dtype and, of a small NumPy array, its bytes; a device array is not read, it tells its identity."""
    try:
        described: tuple[Any, ...] = (tuple(value.shape), str(value.dtype))
    except Exception:
        return (id(value),)
    if is_a(value, np.ndarray) and value.nbytes <= 65536 and not value.dtype.hasobject:
        return (*described, digest(value.tobytes()))
    return (*described, id(value))
