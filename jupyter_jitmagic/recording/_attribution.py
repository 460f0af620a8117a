"""Which cache entry a call used, at next to no cost on a hit.

An entry is known by its signature, which is made when JAX did something new. On a hit it is recognised: one live entry needs no
look at the arguments, several need only the few places in which their signatures differ (`probes`). What those places hold is
learned from calls: a value never seen sends that one call to its signature, which is exact.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax

from jupyter_jitmagic import _jax_internals as internals
from jupyter_jitmagic._jax_internals import JitOptions
from jupyter_jitmagic.recording._signatures import DEFAULT, POSITIONAL, Signature, layout_of

Select = Callable[[tuple[Any, ...], dict[str, Any], dict[Any, int]], int | None]
"""``select(args, kwargs, learned)`` is a hit's entry, None where it is not known."""
_LEARNED_LIMIT = 20_000


class Probe(NamedTuple):
    """One place in which entries may differ: what is looked at, and the argument path."""

    kind: str
    where: str = ""


_LOOKS = {
    "count": "len(args)",
    "keywords": "frozenset(kwargs)",
    "config": "config()",
    "shape": "{}.shape",
    "static": "({0}.__class__, {0})",
    "dtype": "{}.dtype",
    "aval": "aval({})",
    "placement": "placement({})",
    "layout": "layout({})",
    "structure": "structure({})",
}
"""How a call is looked at, as Python expressions over ``args`` and ``kwargs``."""


def facts(signature: Signature) -> dict[Probe, Any]:
    """What each possible probe holds for this entry; cheap looks come first."""
    passed = [how for _, how in signature.passed]
    keywords = tuple(name for name, how in signature.passed if how not in (POSITIONAL, DEFAULT))
    found: dict[Probe, Any] = {Probe("count"): passed.count(POSITIONAL), Probe("keywords"): keywords}
    for leaf in signature.leaves:
        found[Probe("shape", leaf.path)] = leaf.shape
    for static in signature.statics:
        if static.passed != DEFAULT:
            found[Probe("static", static.argument)] = static.value
    for leaf in signature.leaves:
        found[Probe("dtype", leaf.path)] = leaf.dtype
        found[Probe("aval", leaf.path)] = (leaf.shape, leaf.dtype, leaf.weak, leaf.typing)
        found[Probe("placement", leaf.path)] = (leaf.devices, leaf.sharding)
        found[Probe("layout", leaf.path)] = leaf.layout
    for argument, node in signature.structure:
        found[Probe("structure", argument)] = node
    found[Probe("config")] = signature.config
    return found


_QUICK_LOOKS = {"shape": "{}.aval.shape", "dtype": "{}.aval.dtype"}
"""The same of a `jax.Array` in half the time; other arrays have no aval."""


def _look(probe: Probe, places: Mapping[str, str], quick: bool) -> str | None:
    """The expression that reads `probe` from a call; None where none is known to be safe."""
    if not probe.where:
        return _LOOKS[probe.kind]
    looks = _LOOKS | _QUICK_LOOKS if quick else _LOOKS
    path = _expression(places, probe.where)
    return looks[probe.kind].format(path) if path else None


def _places(signature: Signature) -> dict[str, str]:
    """How a call's ``args`` and ``kwargs`` spell each argument."""
    places: dict[str, str] = {}
    position = 0
    for name, how in signature.passed:
        if how == POSITIONAL:
            places[name] = f"args[{position}]"
            position += 1
        elif how != DEFAULT:
            plain = name if name.isidentifier() else name[name.find("[") + 1 : -1].strip("'\"")
            places[name] = f"kwargs[{plain!r}]"
    return places


def _expression(places: Mapping[str, str], path: str) -> str:
    """The expression that reads `path`, or "" where none is known to be safe and cheap."""
    argument = max((name for name in places if path.startswith(name)), key=len, default=None)
    if argument is None:
        return ""
    text = places[argument] + path[len(argument) :]
    try:
        node: ast.AST = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return ""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute) or (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)):
            node = node.value
        else:
            return ""
    return text


def _aval(value: Any) -> Any:
    return jax.typeof(value)


def _placement(value: Any) -> Any:
    return value.sharding if isinstance(value, jax.Array) and getattr(value, "committed", False) else None


def _config() -> Any:
    return tuple(value for _, value in internals.jit_config())


def _whole(args: tuple[Any, ...], kwargs: dict[str, Any], options: JitOptions) -> Any:
    """Everything that may decide about a call's entry: static arguments by value, traced ones by aval and placement."""
    places = [*enumerate(args), *kwargs.items()]
    statics = {*options.static_argnums, *options.static_argnames}
    traced = {str(place): value for place, value in places if place not in statics}
    leaves, tree = jax.tree_util.tree_flatten(traced)
    static = frozenset([(place, type(value), value) for place, value in places if place in statics])
    return tree, tuple([_whole_leaf(leaf) for leaf in leaves]), static, _config()


def _whole_leaf(value: Any) -> Any:
    return type(value), jax.typeof(value), _placement(value), layout_of(value)


_TOOLS = {
    "aval": _aval,
    "placement": _placement,
    "layout": layout_of,
    "structure": jax.tree_util.tree_structure,
    "config": _config,
}


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
        self.learned: dict[Any, int] = {}
        self._variants: set[tuple[Any, ...]] = set()
        self._probes: tuple[Probe, ...] = ()
        self._told_apart: set[tuple[Any, ...]] = set()
        self._key: Callable[[tuple[Any, ...], dict[str, Any]], Any] | None = None
        self._wide = False
        self._quick = True
        """Every call looked at so far had JAX's own arrays where it matters."""

    def find(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
        """The entry of a hit, as far as a look at the telling places knows it."""
        if self.select is None:
            return self.only or None
        try:
            return self.select(args, kwargs, self.learned)
        except Exception:  # this call lacks a place in which others differ
            return None

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
            if told not in self._told_apart:
                self._told_apart.add(told)
                return
        if not self._wide:
            self._rebuild()

    def retire(self, count: int) -> list[int]:
        """Let the `count` entries go that were added first; what tells entries apart stays as it is."""
        gone = {signature: self.entries[signature] for signature in list(self.entries)[:count]}
        entries = set(gone.values())
        for signature in gone:
            del self.entries[signature]
        self.learned = {key: entry for key, entry in self.learned.items() if entry not in entries}
        self._variants = {kinds for kinds in self._variants if kinds[0] not in entries}
        return list(entries)

    def note_call(self, entry: int, args: tuple[Any, ...], kwargs: dict[str, Any], size: int | None, compiled: bool) -> None:
        """Account for one call that was looked at closely: what JAX's cache holds, and what explains it."""
        if size is not None:
            kinds = (entry, *map(type, jax.tree_util.tree_leaves((args, kwargs))))
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
        if self._quick and self._key is not None and not self._fits(args, kwargs):
            self._quick = False
            if not self._wide:
                self._rebuild()
        key = self._key
        if key is None:
            return
        try:
            found = key(args, kwargs)
            if len(self.learned) > _LEARNED_LIMIT:
                self.learned.clear()
            known = self.learned.setdefault(found, entry)
        except Exception:  # a look that does not fit this call, as `.shape` of a float: look at everything instead
            known = None
        if known != entry and not self._wide:
            self._use_whole()
            self.learned[_whole(args, kwargs, self.options)] = entry

    def _fits(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        try:
            self._key(args, kwargs)  # type: ignore[misc]
        except Exception:
            return False
        return True

    def _rebuild(self) -> None:
        """Find the fewest probes that tell all live entries apart."""
        self.learned = {}
        self._told_apart = set()
        self._probes = ()
        signatures = [signature for signature in self.entries if not signature.transformation]
        if self._wide:
            self._use_whole()
        elif len(signatures) <= 1:
            self.only = self.entries[signatures[0]] if signatures else 0
            self.select = self._key = None
        else:
            probes = _fewest_probes(signatures)
            places = _places(signatures[-1])
            looks = [_look(probe, places, self._quick) for probe in probes or ()]
            if not looks or None in looks:
                self._use_whole()
            else:
                self._probes = probes or ()
                self._told_apart = {self._read(signature) for signature in signatures}
                self._compile([look for look in looks if look])

    def _use_whole(self) -> None:
        self.learned = {}
        self._probes = ()
        options = self.options
        self._key = lambda args, kwargs: _whole(args, kwargs, options)
        self.select = lambda args, kwargs, learned: learned.get(_whole(args, kwargs, options))

    def _compile(self, looks: Sequence[str]) -> None:
        key = looks[0] if len(looks) == 1 else f"({', '.join(looks)})"
        self._key = eval(f"lambda args, kwargs: {key}", dict(_TOOLS))  # noqa: S307 (built from checked paths only)
        self.select = eval(f"lambda args, kwargs, learned: learned[{key}]", dict(_TOOLS))  # noqa: S307

    def _read(self, signature: Signature) -> tuple[Any, ...]:
        found = facts(signature)
        return tuple([found.get(probe) for probe in self._probes])


def _fewest_probes(signatures: Iterable[Signature]) -> tuple[Probe, ...] | None:
    """Greedily, probes that together differ for every two signatures; None if no set of them does."""
    groups = [[facts(signature) for signature in signatures]]
    rows = groups[0]
    everywhere = [probe for probe in rows[0] if all(probe in row for row in rows)]
    differing = [probe for probe in everywhere if len({_hashable(row[probe]) for row in rows}) > 1]
    chosen: list[Probe] = []
    while any(len(group) > 1 for group in groups):
        best, split = None, groups
        for probe in differing:
            parts = [part for group in groups for part in _parted(group, probe)]
            if len(parts) > len(split):
                best, split = probe, parts
        if best is None:
            return None
        chosen.append(best)
        groups = split
    return tuple(sorted(chosen, key=lambda probe: probe.kind != "count"))


def _parted(group: list[dict[Probe, Any]], probe: Probe) -> list[list[dict[Probe, Any]]]:
    parts: dict[Any, list[dict[Probe, Any]]] = {}
    for row in group:
        parts.setdefault(_hashable(row.get(probe)), []).append(row)
    return list(parts.values())


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except Exception:
        return id(value)
    return value
