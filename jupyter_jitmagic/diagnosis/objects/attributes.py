"""Objects of the user's classes: what they hold, read without running their code, and copies of them."""

from __future__ import annotations

import inspect
import types
from collections import deque
from collections.abc import Mapping
from typing import Any, TypeAlias

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute, attributes, has, is_a
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.usercode.ownership import is_library_type

Path = tuple[str, ...]
"""How an attribute is reached: ``("self", "opt", "m")``; one step may be an `Item`."""


class Item(str):
    """The step to what stands under a key of an attribute's dict, as it is written: ``history["loss"]``."""

    holder: str
    key: str

    def __new__(cls, holder: str, key: str) -> Item:
        made = super().__new__(cls, f'{holder}["{key}"]')
        made.holder, made.key = holder, key
        return made


Method: TypeAlias = "types.FunctionType | property | staticmethod[..., Any]"
ABSENT: Any = object()


def is_users_object(value: Any) -> bool:
    """Whether a value is an object that keeps plain attributes: of a class of the user's without hooks, and no pytree."""
    kind = type(value)
    if is_a(value, (type, types.FunctionType, types.ModuleType)) or attributes(value) is None:
        return False
    if kind is types.SimpleNamespace:
        return True
    own = [each for each in kind.__mro__ if each is not object]
    if any(is_library_type(each) for each in own) or not jax.tree_util.all_leaves([value]):
        return False
    hooks = any(getattr(kind, name) is not getattr(object, name) for name in ("__setattr__", "__getattribute__", "__new__"))
    return not hooks and not hasattr(kind, "__getattr__") and not any("__slots__" in vars(each) for each in own)


def attribute_at(objects: Mapping[Path, Any], path: Path) -> Any:
    """What stands at a path below one of the objects; ABSENT where nothing does."""
    if path in objects:
        return objects[path]
    if isinstance(step := path[-1], Item):
        table = attribute_at(objects, (*path[:-1], step.holder))
        return table.get(step.key, ABSENT) if type(table) is dict else ABSENT
    owner = attribute_at(objects, path[:-1]) if len(path) > 1 else ABSENT
    if owner is ABSENT:
        return ABSENT
    held = attributes(owner) or {}
    if path[-1] in held:
        return held[path[-1]]
    found = inspect.getattr_static(type(owner), path[-1], ABSENT)
    return ABSENT if hasattr(found, "__get__") else found


def method_at(objects: Mapping[Path, Any], path: Path) -> Method | None:
    """The method or property of the class that an attribute stands for, if it does; a jitted method without its jit."""
    owner = attribute_at(objects, path[:-1])
    if owner is ABSENT or path[-1] in (attributes(owner) or {}):
        return None
    found = inspect.getattr_static(type(owner), path[-1], None)
    while hasattr(found, "lower") and has(found, "__wrapped__"):
        found = found.__wrapped__
    return found if isinstance(found, types.FunctionType | property | staticmethod) else None


def is_born_with(kind: type, name: str) -> bool:
    """Whether every object of a class may have this attribute: its ``__init__``, or a method that this names, speaks of it."""
    if any(name in attribute(each, "__annotations__", {}) for each in kind.__mro__) or kind is types.SimpleNamespace:
        return True
    init = attribute(getattr(kind, "__init__", None), "__code__", None)
    methods = (inspect.getattr_static(kind, each, None) for each in (init.co_names if init is not None else ()))
    named = [init, *(attribute(each, "__code__", None) for each in methods)]
    return any(code is not None and name in code.co_names for code in named)


def put(objects: Mapping[str, Any], path: Path, value: Any) -> None:
    """Put a value where one stands at a path below one of the objects; nothing where none does."""
    owner = objects[path[0]]
    for name in path[1:-1]:
        owner = vars(owner)[name]
    step = path[-1]
    held, name = (vars(owner).get(step.holder), step.key) if isinstance(step, Item) else (vars(owner), step)
    if is_a(held, dict) and name in held:
        held[name] = value


def families(kind: type) -> list[type]:
    """A class and all that are made of it."""
    below: list[type] = kind.__subclasses__()
    return [kind, *(each for one in below for each in families(one))]


def copied(value: Any) -> Any:
    """An object with the same attributes, whose containers and arrays of NumPy are its own, as those of the objects in it."""
    return _copied(value, {})


def _copied(value: Any, done: dict[int, Any]) -> Any:
    if id(value) in done:
        return done[id(value)]
    if not is_users_object(value):
        made = type(value)(value) if type(value) in (set, deque) else fresh(value)
        done[id(value)] = made
        return made
    kind: Any = type(value)
    new = kind.__new__(kind)
    done[id(value)] = new
    vars(new).update({name: _copied(held, done) for name, held in vars(value).items()})
    return new


def is_shared(values: list[Any], changed: list[Any]) -> bool:
    """Whether an object of the user's is reached on two ways, or what is changed in place: what is written on one way would be
    read on the other."""
    todo, seen = list(values), set[int]()
    shared = 0
    while todo:
        value = todo.pop()
        shared += sum(value is each or _overlap(value, each) for each in changed)
        if not is_users_object(value):
            continue
        if id(value) in seen:
            return True
        seen.add(id(value))
        todo += vars(value).values()
    return shared > len(changed)


def _overlap(a: Any, b: Any) -> bool:
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.may_share_memory(a, b)


def attributes_of(value: Any) -> dict[Path, Any]:
    """Every attribute of an object, those of the objects that it holds included."""
    found: dict[Path, Any] = {}
    todo: list[tuple[Path, Any]] = [((), value)]
    seen = {id(value)}
    while todo:
        above, owner = todo.pop()
        for name, held in vars(owner).items():
            if is_users_object(held):
                if id(held) not in seen:
                    seen.add(id(held))
                    todo.append(((*above, name), held))
            else:
                found[*above, name] = held
    return found
