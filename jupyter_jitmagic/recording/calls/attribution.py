"""Which cache entry a call used, at next to no cost on a hit.

An entry is known by its signature, which is made when JAX did something new. On a hit it is recognised: one live entry needs no
look at the arguments, several need only the few places in which their signatures differ (`probes`). What those places hold is
learned from calls: a value never seen sends that one call to its signature, which is exact. So does a call whose places cannot
be looked at without running code of the user's (`probes`, `tokens`): the right entry comes before a cheap one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from jupyter_jitmagic.base.jax_frames import JitOptions
from jupyter_jitmagic.recording.calls.probes import MISSING, Key, Probe, argument_of_shape, fact, fewest_probes, reader, whole
from jupyter_jitmagic.recording.calls.tokens import Unsure
from jupyter_jitmagic.recording.causes.signatures import Signature
from jupyter_jitmagic.recording.hot_path import Select

_LEARNED_LIMIT = 20_000


class Attribution:
    """The live entries of one jitted function, and how a hit finds its own.

    `known` is the number of keys in JAX's C++ cache when last looked; while more keys are there than this function's calls
    explain (another ``jax.jit`` of the same function made them), the whole call is looked at.
    """

    def __init__(self, options: JitOptions) -> None:
        self.options = options
        self.entries: dict[Signature, int] = {}
        self.known = -1
        self.explained = 0
        self.select: Select | None = None
        self.only: int = 0
        self.learned: dict[Any, float] = {}
        """Entries by what was found in the telling places; floats, as a hit's row is packed in half the time then."""
        self._variants: set[tuple[int, int]] = set()
        self._probes: tuple[Probe, ...] = ()
        self._told_apart: set[tuple[Any, ...]] = set()
        self._key: Key | None = None
        self._wide = False
        self._untold = False
        """No few places tell all entries apart, or what they hold does not: everything is looked at from now on."""
        self._quick = True
        """Every call looked at so far had JAX's own arrays where it matters."""

    @property
    def shape_of(self) -> int | None:
        """The positional argument, an array of JAX's own, whose shape is all that `select` looks at; None where it is more."""
        return argument_of_shape(self._probes) if self._quick else None

    def find(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
        """The entry of a hit, as far as a look at the telling places knows it."""
        if self.select is None:
            return self.only or None
        try:
            entry = self.select(args, kwargs, self.learned)
        except Exception:  # a value that was never seen, or a place that cannot be looked at
            return None
        return None if entry is None else int(entry)

    def clear(self) -> None:
        """JAX's cache was cleared: no entry is live."""
        self.__init__(self.options)  # type: ignore[misc]

    def doubt(self, known: Callable[[int], bool]) -> None:
        """A change of this was cut short: of the entries those count that are `known`, and nothing that was concluded."""
        self.entries = {signature: entry for signature, entry in self.entries.items() if known(entry)}
        self._variants = set()
        self.explained, self.known = 0, -1
        self._rebuild()

    def add(self, signature: Signature, entry: int) -> None:
        """A new live entry."""
        self.entries[signature] = entry
        if signature.transformation:  # such calls are looked at closely every time: they are slow anyway
            return
        if self._probes:
            told = self._read(signature)
            if told not in self._told_apart and MISSING not in told:
                self._told_apart.add(told)
                return
        if not self._wide and not self._untold:
            self._rebuild()

    def drop(self, signature: Signature) -> int | None:
        """Let the entry go that JAX has evicted and compiles again; its number."""
        entry = self.entries.pop(signature, None)
        if entry is not None:
            self._unlearn({entry})
        return entry

    def retire(self, count: int) -> list[int]:
        """Let the `count` entries go that were added first; what tells entries apart stays as it is."""
        gone = {signature: self.entries[signature] for signature in list(self.entries)[:count]}
        entries = set(gone.values())
        for signature in gone:
            del self.entries[signature]
        self._unlearn(entries)
        self._variants = {kinds for kinds in self._variants if kinds[0] not in entries}
        return list(entries)

    def _unlearn(self, entries: set[int]) -> None:
        self.learned = {key: entry for key, entry in self.learned.items() if entry not in entries}

    def note_call(self, entry: int, args: tuple[Any, ...], kwargs: dict[str, Any], size: int | None, compiled: bool) -> None:
        """Account for one call that was looked at closely: what JAX's cache holds, and what explains it."""
        if size is not None:
            kinds = (entry, hash(tuple(map(id, map(type, jax.tree_util.tree_leaves((args, kwargs)))))))
            if (compiled and size > self.known) or kinds not in self._variants:
                self.explained += 1
            self._variants.add(kinds)
            self.explained = min(self.explained, size)
            self.known = size
            wide = size > self.explained
            if wide != self._wide:
                self._wide = wide
                self._rebuild()
        if self._key is not None:
            self._learn(entry, args, kwargs)

    def _learn(self, entry: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        found = self._told(args, kwargs)
        if found is None and self._quick and not self._wide and not self._untold:
            self._quick = False  # not all that matters is in JAX's own arrays
            self._rebuild()
            found = self._told(args, kwargs)
        if found is None:
            return
        if len(self.learned) > _LEARNED_LIMIT:
            self.learned.clear()
        if self.learned.setdefault(found, float(entry)) == entry:
            return
        if self._untold or self._wide:
            self._look_closely_always()
        else:
            self._use_whole()
            self._untold = True
            self._learn(entry, args, kwargs)

    def _told(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the telling places of this call hold, never None; None where no look is safe."""
        if self._key is None:
            return None
        try:
            found = self._key(args, kwargs)
            hash(found)
        except Exception:
            return None
        return found

    def _rebuild(self) -> None:
        """Find the fewest probes that tell all live entries apart."""
        if self.select is _unknown:
            return
        self.learned = {}
        self._told_apart = set()
        self._probes = ()
        signatures = [signature for signature in self.entries if not signature.transformation]
        if self._wide or self._untold:
            self._use_whole()
        elif len(signatures) <= 1:
            self.only = self.entries[signatures[0]] if signatures else 0
            self.select = self._key = None
        else:
            try:
                probes = fewest_probes(signatures)
            except Unsure:
                self._look_closely_always()
                return
            if probes is None:
                self._use_whole()
                self._untold = True
            else:
                self._probes = probes
                self._told_apart = {self._read(signature) for signature in signatures}
                self._key, self.select = reader(probes, self._quick)

    def _use_whole(self) -> None:
        self.learned = {}
        self._probes = ()
        options = self.options
        self._key = lambda args, kwargs: whole(args, kwargs, options)
        self.select = lambda args, kwargs, learned: learned[whole(args, kwargs, options)]

    def _look_closely_always(self) -> None:
        """Two entries look the same in every place that may be looked at, and are two to the user's own ``==``."""
        self._untold = True
        self.learned = {}
        self._probes = ()
        self._key, self.select = None, _unknown

    def _read(self, signature: Signature) -> tuple[Any, ...]:
        return tuple([fact(signature, probe) for probe in self._probes])


def _unknown(args: tuple[Any, ...], kwargs: dict[str, Any], learned: dict[Any, float]) -> float | None:
    raise Unsure
