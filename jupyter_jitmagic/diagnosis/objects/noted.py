"""What the functions that are written again do with the attributes of their objects, as it is noted for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_jitmagic.diagnosis.objects.attributes import (
    Item,
    Path,
    attribute_at,
)
from jupyter_jitmagic.diagnosis.objects.keyed import CannotLift, Keyed


class Noted:
    """Attributes by the path at which they are reached, and what is done with them.

    Args:
        objects: the objects by their paths, as ``("self",)``.
        globals_: of the function, whose names are taken.

    Attributes:
        collected: lists that are only appended to: they are made anew, and the caller's grow by what is in them.
        asked_last: those of which the last element is asked for.
        methods: what was called of the objects, as their classes hold it.
        in_rounds: attributes that are not there before, and are written in each round of a loop.
        in_place: arrays of NumPy and dicts that are changed in place.
    """

    def __init__(self, objects: Mapping[Path, Any], globals_: dict[str, Any]) -> None:
        self.objects, self.globals = objects, globals_
        self.collected: dict[Path, None] = {}
        self.in_place: dict[Path, None] = {}
        self.asked_last: dict[Path, None] = {}
        self.in_rounds: dict[Path, None] = {}
        self.methods: dict[Path, Any] = {}
        self.rebound: set[Path] = set()
        self.keyed = Keyed()
        self._uses: dict[Path, int] = {}
        self._appends: dict[Path, int] = {}
        self._names: dict[Path, str] = {}
        self.taken: set[str] = set(globals_)

    def value(self, path: Path) -> Any:
        return attribute_at(self.objects, path)

    def name_of(self, path: Path, avoid: set[str]) -> str:
        """The name of an attribute's variable: its own, where nothing else is called so."""
        if path not in self._names:
            taken = avoid | self.taken | set(self._names.values())
            plain = [f"{each.holder}_{each.key}" if isinstance(each, Item) else each for each in path]
            last = path[-1].key if isinstance(path[-1], Item) else path[-1]
            wanted = (last, "_".join(plain[1:]), "_".join(plain))
            free = (name for name in wanted if name not in taken and name.isidentifier())
            name = next(free, None)
            if name is None:
                raise CannotLift(f"{'.'.join(path)} has no name of its own")
            self._names[path] = name
        elif self._names[path] in avoid:
            raise CannotLift(f"{'.'.join(path)} has no name of its own")
        return self._names[path]

    def seen(self, path: Path, appended: bool, last: bool = False) -> None:
        self._uses[path] = self._uses.get(path, 0) + (not last)
        self._appends[path] = self._appends.get(path, 0) + appended
        if last:
            self.asked_last[path] = None

    def only_grows(self, path: Path) -> bool:
        """Whether everything that is done with a list is to append to it, and to ask for what came last."""
        return type(self.value(path)) is list and self._uses.get(path) == self._appends.get(path)
