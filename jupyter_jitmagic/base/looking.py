"""What a value of the user's is and has, looked up without asking it: no code of its class runs.

``getattr(value, "__name__", None)`` runs its `__getattr__`, which may raise anything (KeyError, of a dictionary read by
attribute), answer to every name (a mock), or load a module; ``isinstance`` asks for its `__class__`. What stands in its own
dictionary, in a slot and in its classes can be read without either.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

ABSENT: Any = object()
"""Stands for what is not there."""
_LIBRARIES = frozenset({"equinox", "flax", "haiku", "jax", "jaxlib", "jupyter_jitmagic"})
"""Their own classes may be asked: what they put under jit has its attributes from several places."""
_STORED = (types.MemberDescriptorType, types.GetSetDescriptorType)
"""What C keeps in an object: slots, and what the interpreter itself knows of it."""
_METHODS = (
    types.FunctionType,
    classmethod,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.BuiltinFunctionType,
    type,
)
_mro: Any = type.__dict__["__mro__"].__get__
_space: Any = type.__dict__["__dict__"].__get__
_module: Any = type.__dict__["__module__"].__get__


def is_a(value: Any, kinds: type | tuple[type, ...]) -> bool:
    """As ``isinstance``, by the type alone: a `__class__` that lies or raises is not asked."""
    kind = type(value)
    try:
        return issubclass(kind, kinds) or (_is_known(kind) and isinstance(value, kinds))  # JAX takes its tracers for arrays
    except Exception:  # an abstract class keeps what it was asked about, and not every metaclass lets its classes be hashed
        wanted = kinds if type(kinds) is tuple else (kinds,)
        return any(each is kind for each in _mro(type(value)) for kind in wanted)


def in_class(value: Any, name: str, default: Any = None) -> Any:
    """What an object's class or one of its bases holds under a name, as it stands there (a property is the property)."""
    return _found(type(value), name, default)


def _found(kind: type, name: str, default: Any) -> Any:
    for each in _mro(kind):
        space = _space(each)
        if name in space:
            return space[name]
    return default


def attributes(value: Any) -> dict[str, Any] | None:
    """The dictionary behind an object's attributes; None if it has none.

    It may itself be of a class of the user's (``self.__dict__ = self``): ask it as ``dict.get(found, name)``.
    """
    kept = _found(type(value), "__dict__", None)
    if not is_a(kept, _STORED):  # none, or a property of the user's
        return None
    found = kept.__get__(value)
    return found if is_a(found, dict) else None


def attribute(value: Any, name: str, default: Any = None) -> Any:
    """An attribute that is really there: in the object, in a slot, or in a class of its; not what code would answer.

    Example:
        >>> class Box(dict):
        ...     def __getattr__(self, name): return self[name]
        >>> attribute(Box(rate=0.1), "rate", "nothing"), attribute(Box, "__name__")
        ('nothing', 'Box')
    """
    kind = type(value)
    if kind is types.FunctionType or kind is types.BuiltinFunctionType or _is_known(kind):
        return getattr(value, name, default)
    found = _found(kind, name, ABSENT)
    if is_a(found, _STORED):
        try:
            return found.__get__(value, kind)
        except Exception:  # an empty slot, or what C cannot say
            return default
    if is_a(value, type):
        own = _found(value, name, ABSENT)
        return _read(own if own is not ABSENT else found, default)
    held = attributes(value)
    if held is not None and in_class(found, "__set__") is None and dict.__contains__(held, name):
        return dict.__getitem__(held, name)
    if found is ABSENT and kind is types.MethodType:
        return attribute(value.__func__, name, default)
    return _read(found, default)


def text_attribute(value: Any, name: str) -> str:
    """As `attribute`, of a name or place; "" where there is none, or something else than a text."""
    found = attribute(value, name)
    return str.__str__(found) if is_a(found, str) else ""


def own_attribute(value: Any, name: str) -> Any:
    """What stands in the object's own dictionary under a name; None if nothing does."""
    return dict.get(attributes(value) or {}, name)


def has(value: Any, name: str) -> bool:
    """Whether there is such an attribute, be it a property; what only `__getattr__` knows of is not there."""
    return attribute(value, name, ABSENT) is not ABSENT or in_class(value, name, ABSENT) is not ABSENT


def _read(found: Any, default: Any) -> Any:
    """What a class holds, as far as it is known without asking a descriptor."""
    kind = type(found)
    if kind is staticmethod:
        return found.__func__
    plain = is_a(found, _METHODS) or _found(kind, "__get__", None) is None
    return found if found is not ABSENT and plain else default


def _is_known(kind: type) -> bool:
    module = _module(kind)
    return type(module) is str and module.partition(".")[0] in _LIBRARIES


def parts_of(container: Any) -> Iterable[Any]:
    """What a list, tuple, set or frozenset of any class holds; of a dictionary its items. Its class has no say."""
    return next(read(container) for kind, read in _PARTS if is_a(container, kind))


def exact(value: Any) -> Any:
    """A string or number of a class of the user's as Python's own."""
    return next((read(value) for kind, read in _EXACT if is_a(value, kind)), value)


_PARTS: tuple[tuple[type, Callable[[Any], Iterable[Any]]], ...] = (
    (dict, dict.items),
    (list, list.__iter__),
    (tuple, tuple.__iter__),
    (set, set.__iter__),
    (frozenset, frozenset.__iter__),
)
_EXACT: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (bool, lambda value: value),
    (np.generic, lambda value: value),
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
    (int, int.__int__),
    (float, float.__float__),
    (complex, complex.__complex__),
)
