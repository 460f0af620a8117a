"""Which of an entry's outputs tells when its call has ended: the smallest that is not donated or deleted before."""

from __future__ import annotations

from collections import deque
from typing import Any

import jax

from jupyter_jitmagic.base.jax_internals import CONCRETE_ARRAY, told_by
from jupyter_jitmagic.recording.executions.waiter import can_be_looked_at

_LOST = 3
"""After so many in a row that were gone too early another of the outputs is looked at."""


class Outputs:
    """Of all entries whose callers run ahead. Nothing is held."""

    def __init__(self) -> None:
        self._places: dict[int, deque[int]] = {}
        """By entry, which of its outputs may be looked at, the smallest first."""
        self._nbytes: dict[tuple[int, int], int] = {}
        """By entry and place, how large that output is: the array takes long to tell."""
        self._lost: dict[int, int] = {}
        """By entry, how many outputs in a row were gone before they were there."""

    def to_look_at(self, out: Any, entry: int) -> tuple[Any | None, int]:
        """The smallest that tells when it is there, or another where that one is lost; and which of the outputs it is."""
        places = self._places.get(entry)
        leaves = [out] if type(out) is CONCRETE_ARRAY else jax.tree_util.tree_leaves(out)
        if places is None:
            arrays = [told_by(leaf) for leaf in leaves]
            looked = [place for place, array in enumerate(arrays) if can_be_looked_at(array)]
            places = self._places[entry] = deque(sorted(looked, key=lambda place: arrays[place].size))
        place = places[0] if places and self._lost.get(entry, 0) < _LOST * len(places) else len(leaves)
        return (told_by(leaves[place]), place) if place < len(leaves) else (None, place)

    def nbytes_of(self, array: Any, entry: int, place: int) -> int:
        nbytes = self._nbytes.get((entry, place))
        if nbytes is None:
            nbytes = self._nbytes[entry, place] = int(array.nbytes)
        return nbytes

    def lost(self, entry: int, place: int) -> None:
        """One was deleted or donated before it was there: where all are, another one is to be looked at."""
        places = self._places.get(entry)
        if places is None or place != places[0]:
            return
        lost = self._lost[entry] = self._lost.get(entry, 0) + 1
        if lost % _LOST == 0:
            places.rotate(-1)

    def kept(self, entry: int) -> None:
        """One was there in time."""
        self._lost.pop(entry, None)

    def drop(self, entry: int) -> None:
        """An entry is no more."""
        self._lost.pop(entry, None)
        for place in self._places.pop(entry, ()):
            self._nbytes.pop((entry, place), None)
