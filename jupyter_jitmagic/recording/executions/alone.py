"""Of which entries that come by turns calls are to be seen alone: each such look takes something from the caller."""

from __future__ import annotations

_MORE = 2
"""By so many more calls may be seen of one entry than of another: of some only those can be seen that follow certain others."""
_KNOWN, _AT_TIMES = 64, 32
"""Where so many calls of each were seen alone, they are for so many calls and not for as many."""
_TRIES = 64
"""After so many looks, most of them too late, no more will be known of an entry."""

well_known: dict[int, float] = {}
"""Entries that need not be seen alone again soon, and how long their calls take."""


def are_known(entries: list[int]) -> bool:
    """Whether it is known well what calls of each take."""
    return well_known.keys() >= set(entries)


class Alone:
    """How often calls of each entry were looked at."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        """By entry, how many of its calls were seen alone, or are about to be."""
        self.tried: dict[int, int] = {}
        """The same, those included that were looked at too late."""

    def looks_at(self, entry: int) -> None:
        """A call of it is to be seen alone."""
        self._seen[entry] = self._seen.get(entry, 0) + 1
        self.tried[entry] = self.tried.get(entry, 0) + 1

    def missed(self, entry: int) -> None:
        """It was looked too late."""
        self._seen[entry] = max(self._seen.get(entry, 0) - 1, 0)

    def wants(self, entry: int, here: list[int], calls: int, also_known: bool) -> bool:
        """Whether a call of this entry, one of those that are `here`, is to be seen alone: it is one of which least is known.

        Args:
            calls: how many there were of all so far.
            also_known: whether those are looked at as well of which enough is known.
        """
        if all(self._seen.get(other, 0) >= _KNOWN for other in here) and calls // _AT_TIMES % 2:
            return False
        if not also_known:
            here = [other for other in here if not self._is_enough(other)]
        least = min((self._seen.get(other, 0) for other in here), default=0)
        return entry in here and self._seen.get(entry, 0) <= least + _MORE

    def drop(self, entry: int) -> None:
        """An entry is no more."""
        for known in (self._seen, self.tried, well_known):
            known.pop(entry, None)

    def _is_enough(self, entry: int) -> bool:
        """Whether enough is known of it, or no more will be known."""
        tried = self.tried.get(entry, 0)
        return entry in well_known or (tried >= _TRIES and 2 * self._seen.get(entry, 0) < tried)
