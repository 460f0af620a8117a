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

from jupyter_jitmagic.base.looking import attribute, attributes, exact, in_class, is_a, own_attribute, parts_of
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
    value = exact(value)
    if len(value) <= STRING_LIMIT:
        return repr(value)
    start = repr(value[:STRING_LIMIT])
    return f"{start[:-1]}…{start[-1]}"


def _number_text(value: Any, depth: int) -> str:
    value = exact(value)
    if isinstance(value, int) and value.bit_length() > BIG_INT_BITS:
        return f"<int of {value.bit_length()} bits>"
    return repr(value)


def _array_text(value: Any, depth: int) -> str:
    return f"<{type(value).__name__} {value.dtype}[{','.join(map(str, value.shape))}]>"


def _function_text(value: Any, depth: int) -> str:
    if is_a(value, types.MethodType):
        return f"{_text(value.__self__, depth + 1)}.{attribute(value.__func__, '__name__', type(value.__func__).__name__)}"
    name = attribute(value, "__qualname__", type(value).__name__)
    code = attribute(value, "__code__")
    if code is not None and "<lambda>" in name:
        name = f"<lambda> of line {code.co_firstlineno}"
    names = getattr(code, "co_freevars", ())
    cells = attribute(value, "__closure__") or ()
    held = [f"{free}={_cell_text(free, cell, depth)}" for free, cell in zip(names, cells, strict=False)]
    return f"{name} ({', '.join(held[:_ITEMS_SHOWN])})" if held and depth < DEPTH else name


def _cell_text(name: str, cell: Any, depth: int) -> str:
    try:
        return _field_text(name, cell.cell_contents, depth)
    except ValueError:
        return "…"


def _partial_text(value: Any, depth: int) -> str:
    func, args, keywords = (attribute(value, name) for name in ("func", "args", "keywords"))
    parts = [_text(func, depth + 1), *(_text(part, depth + 1) for part in args[:_ITEMS_SHOWN])]
    parts += [f"{name}={_field_text(name, part, depth)}" for name, part in islice(parts_of(keywords), _ITEMS_SHOWN)]
    return f"partial({', '.join(parts)})"


def _mapping_text(value: Any, depth: int) -> str:
    if depth >= DEPTH:
        return "{…}"
    items = list(islice(parts_of(value), _ITEMS_SHOWN + 1))
    shown_items = [f"{_text(key, depth + 1)}: {_field_text(key, item, depth)}" for key, item in items[:_ITEMS_SHOWN]]
    return "{" + ", ".join(shown_items + ["…"] * (len(items) > _ITEMS_SHOWN)) + "}"


def _sequence_text(value: Any, depth: int) -> str:
    if depth >= DEPTH:
        return "(…)"
    items = list(islice(parts_of(value), _ITEMS_SHOWN + 1))
    parts = [_text(part, depth + 1) for part in items[:_ITEMS_SHOWN]] + ["…"] * (len(items) > _ITEMS_SHOWN)
    if is_a(value, tuple) and is_a(fields := in_class(value, "_fields"), tuple):
        named = [f"{name}={part}" for name, part in zip(fields, parts, strict=False)]
        return f"{type(value).__qualname__}({', '.join(named)})"
    if is_a(value, tuple):
        return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
    if is_a(value, list):
        return f"[{', '.join(parts)}]"
    return f"{type(value).__name__}({{{', '.join(parts)}}})" if is_a(value, frozenset) else f"{{{', '.join(parts)}}}"


def _is_default_repr(kind: Any) -> bool:
    return kind.__repr__ is _OBJECT_REPR


def has_known_repr(value: Any) -> bool:
    kind = type(value)
    return not _is_default_repr(kind) and is_of_known_library(kind)


def is_of_known_library(kind: type) -> bool:
    """Whether a class is one of Python's, NumPy's or JAX's."""
    return str(kind.__module__).partition(".")[0] in KNOWN_LIBRARIES


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
    found.update((str(name), held) for name, held in parts_of(attributes(value) or {}))
    return found


def is_generated(method: Any) -> bool:
    codes = (attribute(method, "__code__"), attribute(attribute(method, "__wrapped__"), "__code__"))
    return any(is_a(code, types.CodeType) and code.co_filename == "<string>" for code in codes)


def library_name(value: Any) -> str:
    """Where a function of JAX, NumPy or Python itself stands, as "jax.numpy.sin"; it is no other for being imported again."""
    if is_a(value, (type, types.MethodType)) or not is_of_known_library(type(value)):
        return ""
    if not callable(value):
        return ""
    module, name = attribute(value, "__module__"), attribute(value, "__qualname__") or attribute(value, "__name__")
    known = isinstance(module, str) and isinstance(name, str) and "<" not in name
    return f"{module}.{name}" if known and str(module).partition(".")[0] in KNOWN_LIBRARIES else ""


def is_array(value: Any) -> bool:
    """NumPy's, JAX's, and what C keeps as such (torch's); properties of a class of the user's are not asked."""
    if is_a(value, np.ndarray):
        return True
    of_class = [in_class(value, name) for name in ("shape", "dtype")]
    stored = is_of_known_library(type(value)) or all(is_a(each, types.GetSetDescriptorType) for each in of_class)
    return stored and None not in of_class


_TEXTS: tuple[tuple[Callable[[Any], bool], Callable[[Any, int], str]], ...] = (
    (lambda value: is_a(value, enum.Enum), lambda value, depth: f"{type(value).__qualname__}.{attribute(value, '_name_')}"),
    (lambda value: is_a(value, (str, bytes)), _string_text),
    (lambda value: value is None or is_a(value, (bool, int, float, complex, np.generic)), _number_text),
    (lambda value: is_a(value, types.ModuleType), lambda value, depth: _module_text(value)),
    (lambda value: is_a(value, type), lambda value, depth: value.__qualname__),
    (lambda value: is_a(value, functools.partial), _partial_text),
    (lambda value: is_a(value, (types.FunctionType, types.MethodType, types.BuiltinFunctionType)), _function_text),
    (lambda value: bool(library_name(value)), lambda value, depth: library_name(value).rpartition(".")[2]),
    (is_array, _array_text),
    (lambda value: is_a(value, dict), _mapping_text),
    (lambda value: is_a(value, (tuple, list, set, frozenset)), _sequence_text),
    (has_known_repr, lambda value, depth: ADDRESS.sub("", " ".join(repr(value).split()))),
)


def _module_text(value: Any) -> str:
    """As Python writes it, which would load a module that loads itself at the first look."""
    name, file = (own_attribute(value, name) for name in ("__name__", "__file__"))
    return f"<module {name!r} from {file!r}>" if file else f"<module {name!r}>"


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
    if is_a(value, Mapping) or depth >= DEPTH:
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
