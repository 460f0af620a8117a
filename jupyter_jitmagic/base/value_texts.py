"""Any value of the user's as a short text, without trusting its ``__repr__``, which may raise, be slow or be huge."""

from __future__ import annotations

import enum
import functools
import re
import threading
import types
import weakref
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import numpy as np

from jupyter_jitmagic.base.own_work import own_work

TEXT_LIMIT = 80
"""Longest text of one value, in characters."""
STRING_LIMIT = 40
_ITEMS_SHOWN = 6
DEPTH = 4
BIG_INT_BITS = 256
_REPR_SECONDS = 0.05
_SECRET = re.compile(r"passw|secret|token|api_?key|credential|private_?key", re.IGNORECASE)
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
KNOWN_LIBRARIES = (
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
_slow_classes: weakref.WeakSet[type] = weakref.WeakSet()
_OBJECT_REPR: Any = object.__repr__


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
    if len(value) <= STRING_LIMIT:
        return repr(value)
    start = repr(value[:STRING_LIMIT])
    return f"{start[:-1]}…{start[-1]}"


def _number_text(value: Any, depth: int) -> str:
    if isinstance(value, int) and value.bit_length() > BIG_INT_BITS:
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
    return f"{name} ({', '.join(held[:_ITEMS_SHOWN])})" if held and depth < DEPTH else name


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
    if depth >= DEPTH:
        return "{…}"
    shown_items = [
        f"{_text(key, depth + 1)}: {_field_text(key, item, depth)}" for key, item in islice(value.items(), _ITEMS_SHOWN)
    ]
    return "{" + ", ".join(shown_items + ["…"] * (len(value) > _ITEMS_SHOWN)) + "}"


def _sequence_text(value: Any, depth: int) -> str:
    if depth >= DEPTH:
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


def has_known_repr(value: Any) -> bool:
    kind = type(value)
    return not _is_default_repr(kind) and kind.__module__.partition(".")[0] in KNOWN_LIBRARIES


def is_secret_name(name: str) -> bool:
    """Whether a name says that its value should not be shown."""
    return bool(_SECRET.search(name))


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


def is_generated(method: Any) -> bool:
    code = getattr(method, "__code__", None)
    inner = getattr(getattr(method, "__wrapped__", None), "__code__", None)
    return any(found is not None and found.co_filename == "<string>" for found in (code, inner))


def library_name(value: Any) -> str:
    """Where a function of JAX, NumPy or Python itself stands, as "jax.numpy.sin"; it is no other for being imported again."""
    if isinstance(value, (type, types.MethodType)) or type(value).__module__.partition(".")[0] not in KNOWN_LIBRARIES:
        return ""
    if not callable(value):
        return ""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    known = isinstance(module, str) and isinstance(name, str) and "<" not in name
    return f"{module}.{name}" if known and str(module).partition(".")[0] in KNOWN_LIBRARIES else ""


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (hasattr(type(value), "shape") and hasattr(type(value), "dtype"))


_TEXTS: tuple[tuple[Callable[[Any], bool], Callable[[Any, int], str]], ...] = (
    (lambda value: isinstance(value, enum.Enum), lambda value, depth: f"{type(value).__qualname__}.{value.name}"),
    (lambda value: isinstance(value, (str, bytes)), _string_text),
    (lambda value: value is None or isinstance(value, (bool, int, float, complex, np.generic)), _number_text),
    (lambda value: isinstance(value, type), lambda value, depth: value.__qualname__),
    (lambda value: isinstance(value, functools.partial), _partial_text),
    (lambda value: isinstance(value, (types.FunctionType, types.MethodType, types.BuiltinFunctionType)), _function_text),
    (lambda value: bool(library_name(value)), lambda value, depth: library_name(value).rpartition(".")[2]),
    (is_array, _array_text),
    (lambda value: isinstance(value, dict), _mapping_text),
    (lambda value: isinstance(value, (tuple, list, set, frozenset)), _sequence_text),
    (has_known_repr, lambda value, depth: ADDRESS.sub("", " ".join(repr(value).split()))),
)


def _field_text(name: Any, value: Any, depth: int) -> str:
    if isinstance(name, str) and is_secret_name(name):
        return "…"
    return _text(value, depth + 1)


def _object_text(value: Any, depth: int) -> str:
    kind = type(value)
    if not _is_default_repr(kind) and not is_generated(kind.__repr__):
        written = _guarded_repr(value)
        if written is not None:
            return written
    fields = instance_fields(value)
    if isinstance(value, Mapping) or depth >= DEPTH:
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
            answer.append(ADDRESS.sub("", "".join(mark if mark.isprintable() else "·" for mark in written)))
        except BaseException:
            return

    asking = threading.Thread(target=ask, daemon=True, name="jitmagic-repr")
    asking.start()
    asking.join(_REPR_SECONDS)
    if asking.is_alive():
        _slow_classes.add(kind)
    return answer[0] if answer else None
