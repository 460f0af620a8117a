"""What tells the entries of one function apart, in as few words as that takes: `x.shape[0]` 96, 40, 32, not twenty times the
whole signature. Made here for every reader: the panel, `%jitcache`, `%jitstats --level entries`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from jupyter_jitmagic.records.log import EntryRecord

MISSING = "–"
_PLACES_KEPT = 24
"""Of a large tree in which everything changes at once, so many places are looked at."""
_MOST_PARTS = 6


class Leaf(Protocol):
    """One traced leaf of an entry's key."""

    @property
    def path(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def shape(self) -> tuple[Any, ...]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def devices(self) -> str: ...
    @property
    def sharding(self) -> str: ...
    @property
    def layout(self) -> str: ...
    @property
    def typing(self) -> str: ...


class Key(Protocol):
    """What JAX compares of a call, as plain data: what is read here of `recording`'s signatures."""

    @property
    def leaves(self) -> tuple[Any, ...]: ...
    @property
    def passed(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def config(self) -> tuple[tuple[str, str], ...]: ...


class Apart(NamedTuple):
    """Of the entries of one function: the names of what differs, and for each entry, by its id, the values."""

    names: tuple[str, ...]
    values: Mapping[int, tuple[str, ...]]

    def label(self, entry: int) -> str:
        """As "x.shape[0]=96, n=5"; empty for an only entry."""
        pairs = zip(self.names, self.values.get(entry, ()), strict=False)
        return ", ".join(f"{name}={value}" for name, value in pairs)

    def line(self, entry: EntryRecord) -> str:
        """What tells an entry apart, then the rest of it, as "x.shape[0]=96 · x f32[96,64] · params {6}".

        `entryLabel` in `labextension/src/table.ts` writes it alike; `tests/golden/labels.json` holds the two to each other.
        """
        rest = [entry.arguments or entry.avals]
        rest += [f"{name}={value}" for name, value in entry.static.items() if name not in self.names]
        rest += [entry.transformation] if "under" not in self.names else []
        return " · ".join(part for part in (self.label(entry.id), *rest) if part) or "no arguments"


NOTHING = Apart((), {})


def told_apart(entries: Sequence[EntryRecord]) -> Apart:
    """What differs between the entries of one function.

    What has most values comes first, then static arguments, then the others in their order. What follows from something named
    before it is not named. Living entries in which nothing more is seen to differ go by their numbers.

    Example:
        >>> told_apart(log.entries_of(function)).label(12)
        'n=5, x.shape[0]=96'
    """
    return Telling().apart(entries)


class Telling:
    """`told_apart` for one function whose entries come and go: each entry's leaves are looked at once."""

    def __init__(self) -> None:
        self._first: tuple[Any, ...] | None = None
        self._seen: set[int] = set()
        self._varying: dict[str, int] = {}
        """Paths of leaves that are not the same in all entries, with their places in the first."""

    def apart(self, entries: Sequence[EntryRecord]) -> Apart:
        if len(entries) < 2:
            return NOTHING
        names: list[str] = []
        columns: list[list[str]] = []
        groups: list[list[int]] = []
        told = 1
        for name, values in self._columns(entries):
            group = _numbered(values)
            if max(group) == 0 or any(_follows(group, known) for known in groups):
                continue
            names.append(name)
            columns.append(values)
            groups.append(group)
            told = len(set(zip(*groups, strict=True)))
            if len(names) == _MOST_PARTS or told == len(entries):
                break
        living = [place for place, entry in enumerate(entries) if entry.alive and not entry.superseded]
        if told < len(entries) and (not names or len({tuple(g[place] for g in groups) for place in living}) < len(living)):
            names.append("entry")
            columns.append([str(entry.id) for entry in entries])
        # what has most values says most, where there is room for one of them only
        order = sorted(range(len(names)), key=lambda place: -len(set(columns[place])))
        names, columns = [names[place] for place in order], [columns[place] for place in order]
        rows = zip(*columns, strict=True)
        return Apart(tuple(names), {entry.id: row for entry, row in zip(entries, rows, strict=True)})

    def _columns(self, entries: Sequence[EntryRecord]) -> Iterator[tuple[str, list[str]]]:
        """Every place in which entries may differ, with the value of each."""
        yield from _named([entry.static for entry in entries])
        keys: list[Key | None] = [entry.key for entry in entries]
        if all(key is not None for key in keys):
            yield from self._leaves(entries)
            yield from _named([{f"{name} passed": how for name, how in entry.key.passed} for entry in entries])
            yield from _named([dict(entry.key.config) for entry in entries])
        else:
            yield "arguments", [entry.avals or "()" for entry in entries]
        yield "under", [entry.transformation or MISSING for entry in entries]

    def _leaves(self, entries: Sequence[EntryRecord]) -> Iterator[tuple[str, list[str]]]:
        for entry in entries:
            if entry.id not in self._seen:
                self._seen.add(entry.id)
                self._look_at(entry.key.leaves)
        for path, place in sorted(self._varying.items(), key=lambda item: item[1]):
            leaves = [_leaf_at(entry.key.leaves, path, place) for entry in entries]
            there = [leaf for leaf in leaves if leaf is not None]
            if len(there) == len(leaves) and len({(leaf.text[:1] == "~", leaf.dtype, len(leaf.shape)) for leaf in there}) == 1:
                for axis in range(len(there[0].shape)):
                    yield f"{path}.shape[{axis}]", [str(leaf.shape[axis]) for leaf in there]
            else:
                yield path, [leaf.text if leaf is not None else MISSING for leaf in leaves]
            yield f"{path} on", [leaf.devices or "any device" if leaf is not None else MISSING for leaf in leaves]
            for name in ("sharding", "layout", "typing"):
                yield f"{path} {name}", [getattr(leaf, name, "") or MISSING for leaf in leaves]

    def _look_at(self, leaves: tuple[Any, ...]) -> None:
        first = self._first
        if first is None:
            self._first = leaves
        elif leaves is not first and len(self._varying) < _PLACES_KEPT:
            if len(leaves) == len(first) and all(a is b or a.path == b.path for a, b in zip(leaves, first, strict=True)):
                found = [place for place, (a, b) in enumerate(zip(leaves, first, strict=True)) if a is not b and a != b]
                self._note((first[place].path, place) for place in found)
            else:
                mine, known = ({leaf.path: (leaf, place) for place, leaf in enumerate(each)} for each in (leaves, first))
                here = (path for path in known if path not in mine or mine[path][0] != known[path][0])
                self._note((path, known[path][1]) for path in here)
                self._note((path, place) for path, (_, place) in mine.items() if path not in known)

    def _note(self, found: Iterable[tuple[str, int]]) -> None:
        for path, place in found:
            if len(self._varying) < _PLACES_KEPT:
                self._varying.setdefault(path, place)


def _leaf_at(leaves: tuple[Any, ...], path: str, place: int) -> Leaf | None:
    if place < len(leaves) and leaves[place].path == path:
        found: Leaf = leaves[place]
        return found
    return next((leaf for leaf in leaves if leaf.path == path), None)


def _named(each: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, list[str]]]:
    for name in dict.fromkeys(name for values in each for name in values):
        yield name, [values.get(name, MISSING) for values in each]


def _numbered(values: Sequence[str]) -> list[int]:
    """Equal values as equal numbers, from 0."""
    known: dict[str, int] = {}
    return [known.setdefault(value, len(known)) for value in values]


def _follows(group: Sequence[int], known: Sequence[int]) -> bool:
    """Whether the one is told by the other: where `known` is the same, so is `group`."""
    return len(set(zip(known, group, strict=True))) == len(set(known))
