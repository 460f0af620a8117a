"""What tells entries apart, kept up to date while entries come and go: which rows read otherwise now."""

from __future__ import annotations

from collections.abc import Iterable

from jupyter_jitmagic.records.apart import NOTHING, Apart, Telling
from jupyter_jitmagic.records.log import EntryRecord, Log


class Labels:
    """By function, what tells its entries apart, as it was told last. The log's lock is held by whoever calls."""

    def __init__(self) -> None:
        self._tellings: dict[int, Telling] = {}
        self._apart: dict[int, Apart] = {}

    def of(self, function: int) -> Apart:
        return self._apart.get(function, NOTHING)

    def values(self, record: EntryRecord) -> tuple[str, ...]:
        return tuple(self.of(record.function).values.get(record.id, ()))

    def tell_all(self, log: Log) -> None:
        self._tell(log, log.functions.keys())

    def retell(self, log: Log, new: Iterable[int], some_gone: bool) -> tuple[set[int], set[int]]:
        """After entries came (`new`) or went: the functions whose names, and the entries whose values are others now."""
        touched = {log.entries[id_].function for id_ in new if id_ in log.entries}
        if some_gone:
            touched |= self._apart.keys()
        for id_ in self._apart.keys() - log.functions.keys():
            del self._apart[id_]
            self._tellings.pop(id_, None)
        before = {id_: self.of(id_) for id_ in touched}
        self._tell(log, touched)
        functions = {id_ for id_, old in before.items() if old.names != self.of(id_).names}
        entries = {
            entry
            for id_, old in before.items()
            for entry, values in self.of(id_).values.items()
            if old.values.get(entry) != values
        }
        return functions, entries

    def clear(self) -> None:
        self._tellings.clear()
        self._apart.clear()

    def _tell(self, log: Log, functions: Iterable[int]) -> None:
        entries: dict[int, list[EntryRecord]] = {id_: [] for id_ in functions}
        if entries:
            for entry in log.entries.values():
                if entry.function in entries:
                    entries[entry.function].append(entry)
        for id_, own in entries.items():
            self._apart[id_] = self._tellings.setdefault(id_, Telling()).apart(own)
