"""A value of the user's as small plain data: what it looks like, and whether another one is the same to JAX's cache.

JAX compares static arguments (and the metadata of pytree nodes) by type, ``hash`` and ``==``. We must answer the same
question later without keeping the value alive, and show it without trusting its ``__repr__``, which may raise, be
slow or be huge. Nothing here holds a strong reference to what it was given, and arrays are never read.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import functools
import hashlib
import re
import threading
import types
import weakref
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from jupyter_jitmagic._own_work import own_work

TEXT_LIMIT = 80
"""Longest text of one value, in characters."""
_STRING_LIMIT = 40
_ITEMS_SHOWN = 6
_PARTS_SHOWN = 100
_DEPTH = 4
_PARTS_LIMIT = 500
_BIG_INT_BITS = 256
_REPR_SECONDS = 0.05
_SECRET = re.compile(r"passw|secret|token|api_?key|credential|private_?key", re.IGNORECASE)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_TRUSTED_REPRS = (
    "builtins",
    "numpy",
    "jax",
    "jaxlib",
    "ml_dtypes",
    "collections",
    "datetime",
    "pathlib",
    "fractions",
    "decimal",
)
_PLAIN_DATA = (decimal.Decimal, datetime.date, datetime.time, datetime.timedelta, range)
"""Small immutable values that may be equal without looking the same, as Decimal("1.0") and Decimal("1.00")."""
_slow_classes: weakref.WeakSet[type] = weakref.WeakSet()
_OBJECT_HASH: Any = object.__hash__
_OBJECT_EQ: Any = object.__eq__
_OBJECT_REPR: Any = object.__repr__


class Value:
    """One static value or piece of pytree metadata: `text` to show, `==` as JAX's cache would answer it.

    `by_identity` says that some part of it hashes or compares by identity, so an equal-looking object made anew is another one.
    With ``by_equality=True`` the value is compared by ``==`` alone, as JAX compares pytree metadata: it need not be hashable.
    """

    __slots__ = ("__weakref__", "_key", "_looks", "_parts", "_ref", "_type", "by_identity", "is_own_class", "kind", "text")

    def __init__(self, value: Any, *, secret: bool = False, by_equality: bool = False) -> None:
        prints = _Prints(by_equality)
        self.text = "…" if secret and isinstance(value, (str, bytes)) else shown(value)
        self._type = id(type(value))
        self.kind = type(value).__qualname__
        self.is_own_class = type(value).__module__.partition(".")[0] not in _TRUSTED_REPRS and not callable(value)
        self._key = prints.key(value)
        self.by_identity = prints.by_identity
        self._looks = (type(value).__qualname__, Looks().key(value))
        self._ref = _weak(value)
        self._parts = tuple(_part_texts(value)) if isinstance(value, tuple) and "…" in self.text else ()

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
    for part in islice(value, _PARTS_SHOWN):
        if isinstance(part, tuple) and depth < _DEPTH:
            yield from islice(_part_texts(part, depth + 1), _PARTS_SHOWN)
        else:
            yield shown(part, _STRING_LIMIT)


def is_secret_name(name: str) -> bool:
    """Whether a name says that its value should not be shown."""
    return bool(_SECRET.search(name))


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


def instance_fields(value: Any) -> dict[str, Any]:
    """Instance attributes without running any code of the user's."""
    found: dict[str, Any] = {}
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            member = kind.__dict__.get(name)
            if isinstance(member, types.MemberDescriptorType):
                try:
                    found[name] = member.__get__(value)
                except AttributeError:
                    continue
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return found
    if isinstance(attributes, dict):
        found.update((str(name), attribute) for name, attribute in attributes.items())
    return found


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
        if value is None or isinstance(value, (str, bytes)):
            return _plain(value)
        if isinstance(value, (bool, int, float, complex, np.generic)):
            return _number(value)
        if isinstance(value, (tuple, frozenset)) and depth < _DEPTH and len(value) <= self._left:
            parts = [self.key(part, depth + 1) for part in value]
            return ("set", frozenset(parts)) if isinstance(value, frozenset) else ("tuple", *parts)
        if isinstance(value, enum.Enum):
            return ("enum", id(type(value)), value.name)
        if isinstance(value, _PLAIN_DATA):
            return ("plain", value)
        if isinstance(value, types.MethodType):
            self.by_identity = True
            return ("method", id(value.__self__), id(value.__func__))
        if self._by_equality and depth < _DEPTH and type(value) in (list, dict, set) and len(value) <= self._left:
            return self._container(value, depth)
        if hashes_by_identity(type(value)) or isinstance(value, type):
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
        if depth < _DEPTH and _compares_fields(type(value)):
            fields = instance_fields(value)
            names = [field.name for field in dataclasses.fields(value) if field.compare]
            return ("data", id(type(value)), hashed, *(self.key(fields.get(name), depth + 1) for name in names))
        return ("hash", hashed, *Looks().key(value))


def _compares_fields(kind: type) -> bool:
    """Whether `==` of a dataclass is the generated one."""
    parameters = getattr(kind, "__dataclass_params__", None)
    equal = kind.__dict__.get("__eq__")
    return bool(parameters is not None and parameters.eq and equal is not None and _is_generated(equal))


def _is_generated(method: Any) -> bool:
    code = getattr(method, "__code__", None)
    inner = getattr(getattr(method, "__wrapped__", None), "__code__", None)
    return any(found is not None and found.co_filename == "<string>" for found in (code, inner))


def _plain(value: Any) -> tuple[Any, ...]:
    """Strings by digest: what is kept tells nothing of a secret."""
    if value is None:
        return ("none",)
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(value)
    return ("text", isinstance(value, str), len(value), digest(data))


def _number(value: Any) -> tuple[Any, ...]:
    if isinstance(value, np.generic):
        try:
            value = value.item()
        except Exception:
            return ("number", str(type(value)), digest(bytes(value.tobytes())))
    if isinstance(value, int) and value.bit_length() > _BIG_INT_BITS:
        return ("big", value.bit_length(), hash(value), int(value) & (2**128 - 1))
    if not isinstance(value, (bool, int, float, complex)):
        return ("number", repr(value))
    return ("number", value)


class Looks:
    """What can be seen of a value, to tell equal-looking objects from different ones; `arrays` fingerprints an array.

    `exact` turns False when a key leaves something out: equal keys are then no proof that the values are equal.
    """

    def __init__(self, arrays: Callable[[Any], tuple[Any, ...]] | None = None, parts: int = _PARTS_LIMIT) -> None:
        self._left = parts
        self._arrays = arrays or _array_key
        self.exact = True

    def key(self, value: Any, depth: int = 0) -> tuple[Any, ...]:
        self._left -= 1
        if self._left <= 0 or depth > _DEPTH:
            self.exact = False
            return ("…",)
        if value is None or isinstance(value, (str, bytes)):
            return _plain(value)
        if isinstance(value, (bool, int, float, complex, np.generic)):
            return _looks_of_number(value)
        if isinstance(value, enum.Enum):
            return ("enum", value.name, self.key(value.value, depth + 1))
        if named := library_name(value):
            return ("library", named)
        if isinstance(value, type):
            self.exact = self.exact and value.__module__.partition(".")[0] in _TRUSTED_REPRS
            return ("class", value.__module__, value.__qualname__)
        if _is_array(value):
            described = self._arrays(value)
            self.exact = self.exact and isinstance(described[-1], bytes)
            return ("array", *described)
        if isinstance(value, types.CodeType):
            return ("code", *_code_looks(value), *(self.key(part, depth) for part in value.co_consts))
        for kind, parts in _PARTS:
            if isinstance(value, kind):
                self.exact = self.exact and not (depth and isinstance(value, _RUNNABLE))
                return (kind.__name__, *(self.key(part, depth + 1) for part in islice(parts(value), max(self._left, 0))))
        if isinstance(value, types.BuiltinFunctionType):
            return ("builtin", value.__qualname__)
        fields = instance_fields(value)
        self.exact = False  # what its methods do is not looked at
        if not fields and _trusted(value):
            return (type(value).__qualname__, digest(_ADDRESS.sub("", repr(value)).encode()))
        return (
            type(value).__qualname__,
            *((name, self.key(field, depth + 1)) for name, field in islice(fields.items(), max(self._left, 0))),
        )


def _looks_of_number(value: Any) -> tuple[Any, ...]:
    """1, 1.0 and True look different, 0.0 and -0.0 too; one nan looks as another."""
    if isinstance(value, int) and value.bit_length() > _BIG_INT_BITS:
        return _number(value)
    return ("number", type(value).__name__, repr(value))


def _code_looks(code: types.CodeType) -> tuple[Any, ...]:
    """All of a code object that decides what it does and how it is called, without its constants."""
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    parts = (code.co_code, code.co_exceptiontable)
    return (*map(digest, parts), counts, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)


def library_name(value: Any) -> str:
    """Where a function of JAX, NumPy or Python itself stands, as "jax.numpy.sin"; it is no other for being imported again."""
    if isinstance(value, (type, types.MethodType)) or type(value).__module__.partition(".")[0] not in _TRUSTED_REPRS:
        return ""
    if not callable(value):
        return ""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    known = isinstance(module, str) and isinstance(name, str) and "<" not in name
    return f"{module}.{name}" if known and str(module).partition(".")[0] in _TRUSTED_REPRS else ""


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
    (functools.partial, lambda partial: iter((partial.func, partial.args, partial.keywords))),
    (dict, lambda mapping: (part for item in mapping.items() for part in item)),
    (tuple, iter),
    (list, iter),
    (frozenset, lambda members: iter(sorted(map(_looks_text, members)))),
    (set, lambda members: iter(sorted(map(_looks_text, members)))),
)


def _looks_text(value: Any) -> str:
    return repr(Looks().key(value))


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (hasattr(type(value), "shape") and hasattr(type(value), "dtype"))


def _array_key(value: Any) -> tuple[Any, ...]:
    """Shape, dtype and, of a small NumPy array, its bytes; a device array is not read, it tells its identity."""
    try:
        described: tuple[Any, ...] = (tuple(value.shape), str(value.dtype))
    except Exception:
        return (id(value),)
    if isinstance(value, np.ndarray) and value.nbytes <= 65536 and not value.dtype.hasobject:
        return (*described, digest(value.tobytes()))
    return (*described, id(value))


def shown(value: Any, limit: int = TEXT_LIMIT) -> str:
    """A short text of any value: never raises, never long, runs no slow code of the user's twice.

    Example:
        >>> shown((1, "a" * 100))
        "(1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…')"
    """
    try:
        return _cut(_text(value, 0), limit)
    except Exception:
        return f"<{type(value).__qualname__}>"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _text(value: Any, depth: int) -> str:
    for accepts, text in _TEXTS:
        if accepts(value):
            return text(value, depth)
    return _object_text(value, depth)


def _string_text(value: Any, depth: int) -> str:
    if len(value) <= _STRING_LIMIT:
        return repr(value)
    start = repr(value[:_STRING_LIMIT])
    return f"{start[:-1]}…{start[-1]}"


def _number_text(value: Any, depth: int) -> str:
    if isinstance(value, int) and value.bit_length() > _BIG_INT_BITS:
        return f"<int of {value.bit_length()} bits>"
    return repr(value)


def _array_text(value: Any, depth: int) -> str:
    return f"<{type(value).__name__} {value.dtype}[{','.join(map(str, value.shape))}]>"


def _function_text(value: Any, depth: int) -> str:
    if isinstance(value, types.MethodType):
        return f"{_text(value.__self__, depth + 1)}.{value.__func__.__name__}"
    name = getattr(value, "__qualname__", type(value).__name__)
    code = getattr(value, "__code__", None)
    if code is not None and "<lambda>" in name:
        name = f"<lambda> of line {code.co_firstlineno}"
    names = getattr(code, "co_freevars", ())
    cells = getattr(value, "__closure__", None) or ()
    held = [f"{free}={_cell_text(free, cell, depth)}" for free, cell in zip(names, cells, strict=False)]
    return f"{name} ({', '.join(held[:_ITEMS_SHOWN])})" if held and depth < _DEPTH else name


def _cell_text(name: str, cell: Any, depth: int) -> str:
    try:
        return _field_text(name, cell.cell_contents, depth)
    except ValueError:
        return "…"


def _partial_text(value: Any, depth: int) -> str:
    parts = [_text(value.func, depth + 1), *(_text(part, depth + 1) for part in value.args[:_ITEMS_SHOWN])]
    parts += [f"{name}={_field_text(name, part, depth)}" for name, part in islice(value.keywords.items(), _ITEMS_SHOWN)]
    return f"partial({', '.join(parts)})"


def _mapping_text(value: Any, depth: int) -> str:
    if depth >= _DEPTH:
        return "{…}"
    shown_items = [
        f"{_text(key, depth + 1)}: {_field_text(key, item, depth)}" for key, item in islice(value.items(), _ITEMS_SHOWN)
    ]
    return "{" + ", ".join(shown_items + ["…"] * (len(value) > _ITEMS_SHOWN)) + "}"


def _sequence_text(value: Any, depth: int) -> str:
    if depth >= _DEPTH:
        return "(…)"
    parts = [_text(part, depth + 1) for part in islice(value, _ITEMS_SHOWN)] + ["…"] * (len(value) > _ITEMS_SHOWN)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        named = [f"{name}={part}" for name, part in zip(value._fields, parts, strict=False)]
        return f"{type(value).__qualname__}({', '.join(named)})"
    if isinstance(value, tuple):
        return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
    if isinstance(value, list):
        return f"[{', '.join(parts)}]"
    return f"{type(value).__name__}({{{', '.join(parts)}}})" if isinstance(value, frozenset) else f"{{{', '.join(parts)}}}"


def _is_default_repr(kind: Any) -> bool:
    return kind.__repr__ is _OBJECT_REPR


def _trusted(value: Any) -> bool:
    kind = type(value)
    return not _is_default_repr(kind) and kind.__module__.partition(".")[0] in _TRUSTED_REPRS


_TEXTS: tuple[tuple[Callable[[Any], bool], Callable[[Any, int], str]], ...] = (
    (lambda value: isinstance(value, enum.Enum), lambda value, depth: f"{type(value).__qualname__}.{value.name}"),
    (lambda value: isinstance(value, (str, bytes)), _string_text),
    (lambda value: value is None or isinstance(value, (bool, int, float, complex, np.generic)), _number_text),
    (lambda value: isinstance(value, type), lambda value, depth: value.__qualname__),
    (lambda value: isinstance(value, functools.partial), _partial_text),
    (lambda value: isinstance(value, (types.FunctionType, types.MethodType, types.BuiltinFunctionType)), _function_text),
    (lambda value: bool(library_name(value)), lambda value, depth: library_name(value).rpartition(".")[2]),
    (_is_array, _array_text),
    (lambda value: isinstance(value, dict), _mapping_text),
    (lambda value: isinstance(value, (tuple, list, set, frozenset)), _sequence_text),
    (_trusted, lambda value, depth: _ADDRESS.sub("", " ".join(repr(value).split()))),
)


def _field_text(name: Any, value: Any, depth: int) -> str:
    if isinstance(name, str) and is_secret_name(name):
        return "…"
    return _text(value, depth + 1)


def _object_text(value: Any, depth: int) -> str:
    kind = type(value)
    if not _is_default_repr(kind) and not _is_generated(kind.__repr__):
        written = _guarded_repr(value)
        if written is not None:
            return written
    fields = instance_fields(value)
    if isinstance(value, Mapping) or depth >= _DEPTH:
        return f"{kind.__qualname__}(…)"
    parts = [f"{name}={_field_text(name, field, depth)}" for name, field in islice(fields.items(), _ITEMS_SHOWN)]
    return f"{kind.__qualname__}({', '.join(parts + ['…'] * (len(fields) > _ITEMS_SHOWN))})"


def _guarded_repr(value: Any) -> str | None:
    """The user's own repr, given a moment; None if it raised or took longer, and then its class is not asked again."""
    kind = type(value)
    if kind in _slow_classes:
        return None
    answer: list[str] = []

    def ask() -> None:
        try:
            with own_work():
                written = " ".join(str(repr(value))[:4096].split())
            answer.append(_ADDRESS.sub("", "".join(mark if mark.isprintable() else "·" for mark in written)))
        except BaseException:
            return

    asking = threading.Thread(target=ask, daemon=True, name="jitmagic-repr")
    asking.start()
    asking.join(_REPR_SECONDS)
    if asking.is_alive():
        _slow_classes.add(kind)
    return answer[0] if answer else None
