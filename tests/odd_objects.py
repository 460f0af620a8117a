"""Objects that answer oddly when they are looked at (configurations, proxies, mocks), and which of their code ran."""

from __future__ import annotations

import collections
import types
import weakref
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

ran: collections.Counter[str] = collections.Counter()
"""Which methods of the classes below ran, and what they were asked for."""


class Ordinary:
    """The look-alike of the others."""

    def __init__(self, rate: float) -> None:
        self.rate = rate


class AttributeItems(dict[str, Any]):
    """A dictionary read by attribute, whose missing names are missing keys."""

    def __getattr__(self, name: str) -> Any:
        ran[name] += 1
        return self[name]


class AnythingItems(dict[str, Any]):
    """The same with None for what is missing."""

    def __getattr__(self, name: str) -> Any:
        ran[name] += 1
        return self.get(name)


class Slotted:
    __slots__ = ("_held",)

    def __init__(self, rate: float) -> None:
        self._held = {"rate": rate}

    def __getattr__(self, name: str) -> Any:
        ran[name] += 1
        return self._held[name]


class ItselfAlways(Ordinary):
    def __getattr__(self, name: str) -> Any:
        ran[name] += 1
        return self


class Lying(Ordinary):
    @property
    def __class__(self) -> Any:
        ran["__class__"] += 1
        return dict

    @__class__.setter
    def __class__(self, kind: Any) -> None:
        raise TypeError


class Classless(Ordinary):
    @property
    def __class__(self) -> Any:
        ran["__class__"] += 1
        raise RuntimeError("no class")

    @__class__.setter
    def __class__(self, kind: Any) -> None:
        raise TypeError


class Noticing(Ordinary):
    """Properties that do something, under names that one may want to ask for."""

    def _noticed(self) -> Any:
        ran["a property"] += 1
        raise RuntimeError("asked")

    shape = dtype = aval = nbytes = total = property(_noticed)
    __wrapped__ = __code__ = __name__ = func = property(_noticed)


class Unlike(Ordinary):
    __hash__ = Ordinary.__hash__

    def _no(self, *_: Any) -> Any:
        ran["an operator"] += 1
        raise TypeError("no")

    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = _no  # type: ignore[assignment]


class Untold(Ordinary):
    def __repr__(self) -> str:
        raise RuntimeError("no text")

    __str__ = __repr__


class RaisingItems(dict[str, Any]):
    def _no(self, *_: Any) -> Any:
        ran["an own method"] += 1
        raise RuntimeError("no")

    items = keys = values = __iter__ = __len__ = __contains__ = get = _no  # type: ignore[assignment]


class Loading(types.ModuleType):
    """A module that is imported at the first look."""

    def __init__(self, rate: float) -> None:
        super().__init__("odd_and_lazy")
        self.__dict__["_rate"] = rate

    def __getattr__(self, name: str) -> Any:
        ran[f"loaded for {name}"] += 1
        if name != "rate":
            raise AttributeError(name)
        return self._rate


class Calling(Ordinary):
    def __call__(self, x: Any) -> Any:
        return x * self.rate

    def __getattr__(self, name: str) -> Any:
        ran[name] += 1
        raise KeyError(name)


_targets: list[Any] = []


def _proxy(rate: float) -> Any:
    _targets.append(Ordinary(rate))
    return weakref.proxy(_targets[-1])


def _array(held: Any) -> Any:
    array = np.empty(2, dtype=object)
    array[0] = held
    return array


ODD: dict[str, Callable[[float], Any]] = {
    "items by attribute": lambda rate: AttributeItems(rate=rate),
    "items by attribute, or None": lambda rate: AnythingItems(rate=rate),
    "slots": Slotted,
    "itself always": ItselfAlways,
    "a mock": lambda rate: mock.MagicMock(rate=rate),
    "a class that lies": Lying,
    "no class": Classless,
    "properties that notice": Noticing,
    "operators that raise": Unlike,
    "no text": Untold,
    "a dictionary that raises": lambda rate: RaisingItems(rate=rate),
    "a lazy module": Loading,
    "a callable": Calling,
    "a proxy": _proxy,
    "an array of objects": lambda rate: _array(Slotted(rate)),
}
READ = {"a dictionary that raises": "dict.__getitem__(obj, 'rate')", "an array of objects": "obj[0].rate"}
"""How a function reads the number, where not as `obj.rate`."""
