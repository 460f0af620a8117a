"""What an object holds, and how to make it hold that again: containers, attributes, arrays, random generators.

Each answer compares first and writes only where something has changed, so that what nobody touched is not touched for a moment.
"""

from __future__ import annotations

import inspect
import itertools
import pickle
import random
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

import numpy as np

from jupyter_jitmagic.base import looking

Restore = Callable[[], object]
ABSENT: Any = object()
"""Stands for what is not there."""


def same(now: Iterable[Any], before: Iterable[Any]) -> bool:
    """Whether both hold the same objects in the same order."""
    return all(one is other for one, other in itertools.zip_longest(now, before, fillvalue=ABSENT))


def of_list(held: list[Any] | deque[Any]) -> Restore:
    before = tuple(held)

    def restore() -> None:
        if same(held, before):
            return
        if isinstance(held, deque):
            deque.clear(held)
            deque.extend(held, before)
        else:
            list.__setitem__(held, slice(None), before)

    return restore


def of_bytes(held: Any) -> Restore:
    """A bytearray or an `array.array`."""
    before = held[:]

    def restore() -> None:
        if held != before or len(held) != len(before):
            held[:] = before

    return restore


def of_set(held: set[Any]) -> Restore:
    before = set(held)

    def restore() -> None:
        if len(held) != len(before) or not same(sorted(map(id, held)), sorted(map(id, before))):
            set.clear(held)
            set.update(held, before)

    return restore


def of_dict(held: dict[Any, Any]) -> Restore:
    """In place, key by key where it has only grown or changed: other threads may be reading it."""
    keys, values = list(held), list(held.values())
    base: Any = OrderedDict if isinstance(held, OrderedDict) else dict

    def without(new: list[Any]) -> bool:
        """Take these keys out; False where one is not found again: its hash may follow what it stands for."""
        try:
            for key in new:
                base.__delitem__(held, key)
        except Exception:
            return False
        return True

    def restore() -> None:
        if same(held, keys) and same(held.values(), values):
            return
        now = list(held)
        if same(now[: len(keys)], keys) and without(now[len(keys) :]):
            for key, value in zip(keys, values, strict=True):
                if dict.get(held, key, ABSENT) is not value:
                    base.__setitem__(held, key, value)
            return
        base.clear(held)
        for key, value in zip(keys, values, strict=True):
            base.__setitem__(held, key, value)

    return restore


def of_name(names: dict[str, Any], name: str) -> Restore:
    """One name of a namespace, also one that is not there."""
    value = names.get(name, ABSENT)

    def restore() -> None:
        if names.get(name, ABSENT) is value:
            return
        if value is ABSENT:
            del names[name]
        else:
            names[name] = value

    return restore


def of_cell(cell: Any) -> Restore:
    """What a closure variable is bound to."""
    value = content(cell)

    def restore() -> None:
        if content(cell) is value:
            return
        if value is ABSENT:
            del cell.cell_contents
        else:
            cell.cell_contents = value

    return restore


def content(cell: Any) -> Any:
    """What a closure variable is bound to, an object of nobody's if it is not."""
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT


def attributes(value: Any) -> dict[str, Any] | None:
    """The dictionary behind an object's attributes, read without the object's own code; None if it has none."""
    return looking.attributes(value)


def attribute(value: Any, name: str) -> Any:
    """An attribute that is really there, read without the object's own code (`__getattr__`, a property); else ABSENT."""
    found = inspect.getattr_static(value, name, ABSENT)
    if isinstance(found, MemberDescriptorType | GetSetDescriptorType):
        try:
            return found.__get__(value, type(value))
        except (AttributeError, TypeError):  # empty; or a class, in which its objects' own is found
            return ABSENT
    return found


def slots_of(value: Any) -> Iterator[tuple[MemberDescriptorType, Any]]:
    """The slots of an object that are filled or may be, each with what is in it."""
    for kind in type(value).__mro__:
        for member in tuple(vars(kind).values()):
            if isinstance(member, MemberDescriptorType):
                try:
                    yield member, member.__get__(value, type(value))
                except (AttributeError, TypeError):
                    yield member, ABSENT


def of_slots(value: Any) -> Restore:
    before = list(slots_of(value))

    def restore() -> None:
        for (member, old), (_, now) in zip(before, list(slots_of(value)), strict=True):
            if old is now:
                continue
            if old is ABSENT:
                member.__delete__(value)
            else:
                member.__set__(value, old)

    return restore


def of_class(kind: type) -> Restore:
    """The attributes of a class that Python has not made."""

    def own() -> dict[str, Any]:
        return {name: value for name, value in vars(kind).items() if not name.startswith("__")}

    before = own()

    def restore() -> None:
        now = own()
        for name in now.keys() - before.keys():
            type.__delattr__(kind, name)
        for name, value in before.items():
            if name not in now or now[name] is not value:
                type.__setattr__(kind, name, value)

    return restore


def of_attribute(holder: Any, name: str) -> Restore:
    """One attribute of a module or a class, also one that is not there."""
    before = vars(holder).get(name, ABSENT)

    def restore() -> None:
        if vars(holder).get(name, ABSENT) is before:
            return
        if before is ABSENT:
            delattr(holder, name)
        else:
            setattr(holder, name, before)

    return restore


def of_array(value: np.ndarray[Any, Any]) -> Restore:
    before = value.copy()

    def restore() -> None:
        if value.shape != before.shape:
            value.resize(before.shape, refcheck=False)
        if value.tobytes() != before.tobytes():
            value[...] = before

    return restore


def read_only(value: np.ndarray[Any, Any]) -> Restore:
    """For an array too large to be copied: who writes into it meanwhile meets an error."""
    value.flags.writeable = False
    return lambda: value.setflags(write=True)


def of_generator(value: Any) -> Restore | None:
    """The state of a random generator, Python's or NumPy's; None for anything else."""
    if isinstance(value, random.Random):
        if isinstance(value, random.SystemRandom):
            return lambda: None
        return _state(value.getstate, value.setstate)
    if isinstance(value, np.random.RandomState):
        return _state(lambda: value.get_state(legacy=False), value.set_state)
    bits = value.bit_generator if isinstance(value, np.random.Generator) else value
    if isinstance(bits, np.random.BitGenerator):
        return _state(lambda: bits.state, lambda state: setattr(bits, "state", state))
    return None


def _state(get: Callable[[], Any], put: Callable[[Any], object]) -> Restore:
    before = get()
    numbers = pickle.dumps(before)

    def restore() -> None:
        if pickle.dumps(get()) != numbers:
            put(before)

    return restore
