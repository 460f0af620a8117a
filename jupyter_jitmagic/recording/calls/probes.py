"""The places in which the entries of a function differ, and functions that read them from a call.

A place is an argument and the way down to a node or leaf in it: through exact dicts, lists and tuples by subscript, through
any other container by what its own flattening gives. Every step checks the exact type of what it is about to read, so that
no ``__getitem__``, ``__missing__``, property or ``__getattr__`` of the user's ever runs; what has another type is `Unsure`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.jax_frames import JitOptions
from jupyter_jitmagic.base.jax_internals import AVAL_OF_ARRAY, CONCRETE_ARRAY
from jupyter_jitmagic.base.looking import is_a
from jupyter_jitmagic.base.values import Value
from jupyter_jitmagic.recording.calls.tokens import DIRECT, Unsure, is_of_library, token
from jupyter_jitmagic.recording.causes.leaves import Leaf, as_in_memory, layout_of
from jupyter_jitmagic.recording.causes.signatures import Node, Signature
from jupyter_jitmagic.recording.hot_path import Select

Key = Callable[[tuple[Any, ...], dict[str, Any]], Any]
"""``select(args, kwargs, learned)`` is a hit's entry, None where it is not known."""
_MOST = 8
_CANDIDATES = 16


class Step(NamedTuple):
    """From a node to a child: `within` is dict, list, tuple, or "" for what is flattened by its own class."""

    within: str
    key: Any


class Probe(NamedTuple):
    """One place in which entries may differ: what is looked at, the argument by position or keyword, and the way down."""

    look: str
    argument: int | str = ""
    steps: tuple[Step, ...] = ()


_COUNT, _KEYWORDS, _CONFIG = Probe("count"), Probe("keywords"), Probe("config")
MISSING = object()

_OF_LEAF: dict[str, Callable[[Leaf], Any]] = {
    "shape": lambda leaf: leaf.shape,
    "dtype": lambda leaf: leaf.dtype,
    "aval": lambda leaf: (leaf.shape, leaf.dtype, leaf.weak, leaf.typing),
    "placement": lambda leaf: (leaf.devices, leaf.sharding),
    "layout": lambda leaf: leaf.layout,
}
"""What a leaf's looks hold in a signature; the cheap ones come first."""


# ---- in signatures


class _Visible:
    """A value as far as its token tells: two that look alike and are two to their class alone have the same token."""

    __slots__ = ("_value",)

    def __init__(self, value: Value) -> None:
        self._value = value

    def __hash__(self) -> int:
        return hash(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Visible):
            return False
        mine, theirs = self._value, other._value
        return mine == theirs or (mine.looks_like(theirs) and not mine.by_identity and not theirs.by_identity)


def fact(signature: Signature, probe: Probe) -> Any:
    """What the probe holds for this entry; `MISSING` where it has no such place."""
    if probe.look in ("count", "keywords"):
        places = [*signature.places.traced, *signature.places.static]
        names = frozenset([place for place in places if isinstance(place, str)])
        return names if probe.look == "keywords" else len(places) - len(names)
    if probe.look == "config":
        return signature.config
    if probe.look == "static":
        return _static_values(signature).get(probe.argument, MISSING)
    for place, top, start in _arguments(signature):
        if place == probe.argument:
            return _fact_below(signature, top, start, probe)
    return MISSING


def _fact_below(signature: Signature, node: Node | None, at: int, probe: Probe) -> Any:
    for step in probe.steps:
        i = None if node is None else _index(node, step)
        if node is None or i is None:
            return MISSING
        at += i if node.size == len(node.children) else sum([_size(child) for child in node.children[:i]])
        node = node.children[i]
    if node is not None and node.flat:
        return MISSING
    if probe.look == "node":
        return _alone(node)
    return _OF_LEAF[probe.look](signature.leaves[at]) if node is None else MISSING


def _static_values(signature: Signature) -> dict[int | str, Any]:
    passed = signature.statics[: len(signature.places.static)]  # those left to their defaults come last
    return {place: _Visible(static.value) for place, static in zip(signature.places.static, passed, strict=True)}


def _arguments(signature: Signature) -> Iterator[tuple[int | str, Node | None, int]]:
    """Each traced argument: where it stands, its tree, and the number of its first leaf."""
    at = 0
    for place, (_, node) in zip(signature.places.traced, signature.structure, strict=True):
        yield place, node, at
        at += _size(node)


def _size(node: Node | None) -> int:
    return 1 if node is None else node.size


def _alone(node: Node | None) -> Any:
    """A node without its children."""
    if node is None:
        return None
    return (node.kind, node.type_id, node.keys, tuple([_Visible(part.value) for part in node.metadata]))


def _within(node: Node) -> str:
    plain = node.type_id == 0 and (node.kind in ("list", "tuple") or node.items is not None)
    return node.kind if plain else ""


def _step(node: Node, i: int) -> Step:
    return Step(_within(node), i if node.items is None else node.items[i])


def _index(node: Node, step: Step) -> int | None:
    """Which child of `node` the step leads to."""
    if node.flat or step.within != _within(node):
        return None
    if node.items is not None:
        return node.items.index(step.key) if step.key in node.items else None
    return step.key if step.key < len(node.children) else None


def differing(now: Signature, before: Signature) -> Iterator[Probe]:
    """Places in which the two entries differ, but not those below a node that differs itself."""
    yield from (probe for probe in (_COUNT, _KEYWORDS) if fact(now, probe) != fact(before, probe))
    statics, earlier_statics = _static_values(now), _static_values(before)
    for place in statics.keys() & earlier_statics.keys():
        if statics[place] != earlier_statics[place]:
            yield Probe("static", place)
    earlier = {place: (node, at) for place, node, at in _arguments(before)}
    for place, node, at in _arguments(now):
        if place in earlier:
            yield from _differing_below(Probe("node", place), (now, node, at), (before, *earlier[place]))
    if now.config != before.config:
        yield _CONFIG


_Side = tuple[Signature, Node | None, int]


def _differing_below(probe: Probe, now: _Side, before: _Side) -> Iterator[Probe]:
    (signature, new, at), (earlier, old, was_at) = now, before
    if _alone(new) != _alone(old):
        yield probe
    elif new is None or old is None:
        leaf, was = signature.leaves[at], earlier.leaves[was_at]
        if leaf is not was:
            yield from (probe._replace(look=look) for look, of in _OF_LEAF.items() if of(leaf) != of(was))
    else:
        leaves, were = signature.leaves, earlier.leaves
        for i, (child, former) in enumerate(zip(new.children, old.children, strict=True)):
            if child is None and former is None and leaves[at] is were[was_at]:
                at, was_at = at + 1, was_at + 1
                continue
            below = probe if new.flat else probe._replace(steps=(*probe.steps, _step(new, i)))
            yield from _differing_below(below, (signature, child, at), (earlier, former, was_at))
            at, was_at = at + _size(child), was_at + _size(former)


def fewest_probes(signatures: Sequence[Signature]) -> tuple[Probe, ...] | None:
    """Greedily, probes that together differ for every two signatures and that all have; None if few do not do.

    Raises:
        Unsure: two signatures differ in nothing that may be looked at.
    """
    facts: dict[Probe, list[Any]] = {}
    chosen: list[Probe] = []
    groups = [list(range(len(signatures)))]
    while group := next((group for group in groups if len(group) > 1), None):
        candidates = list(islice(differing(signatures[group[-1]], signatures[group[0]]), _CANDIDATES))
        if not candidates:
            raise Unsure
        for probe in candidates:
            if probe not in facts:
                facts[probe] = [fact(signature, probe) for signature in signatures]
        usable = [probe for probe, found in facts.items() if MISSING not in found and probe not in chosen]
        splits = {probe: [part for each in groups for part in _parted(each, facts[probe])] for probe in usable}
        best = max(usable, key=lambda probe: (len(splits[probe]), _ease(probe)), default=None)
        if best is None or len(splits[best]) == len(groups) or len(chosen) == _MOST:
            return None
        chosen.append(best)
        groups = splits[best]
    return tuple(sorted(chosen, key=lambda probe: probe.look != "count"))


def _parted(group: list[int], facts: list[Any]) -> list[list[int]]:
    parts: dict[Any, list[int]] = {}
    for i in group:
        parts.setdefault(facts[i], []).append(i)
    return list(parts.values())


def _ease(probe: Probe) -> tuple[int, int]:
    """How little it takes to read, roughly: flattening by the user's own class takes the most."""
    looks = ("config", "node", "layout", "placement", "aval", "keywords", "static", "dtype", "shape", "count")
    return -sum([step.within == "" for step in probe.steps]), looks.index(probe.look)


# ---- in calls


def reader(probes: Sequence[Probe], quick: bool) -> tuple[Key, Select]:
    """Functions that read these probes from a call, and that look up its entry by them; ``quick``: of JAX's own arrays only."""
    source = _Source(quick and AVAL_OF_ARRAY is not None)
    found = [source.look(probe) for probe in probes]
    key = found[0] if len(found) == 1 else f"({', '.join(found)})"
    return source.function("args, kwargs", key), source.function("args, kwargs, learned", f"learned[{key}]")


def argument_of_shape(probes: Sequence[Probe]) -> int | None:
    """Where the shape of one positional argument is all that is looked at, that argument."""
    if AVAL_OF_ARRAY is None or len(probes) != 1:
        return None
    (probe,) = probes
    return probe.argument if probe.look == "shape" and not probe.steps and isinstance(probe.argument, int) else None


class _Source:
    """The lines of a function that goes to each place once. Keys are constants of it and never text."""

    def __init__(self, quick: bool) -> None:
        self._quick = quick
        self._lines: list[str] = []
        self._names: dict[str, Any] = dict(_TOOLS)
        self._known: dict[Any, str] = {}

    def look(self, probe: Probe) -> str:
        """The expression that reads `probe`, after the lines so far."""
        if probe.look in _OF_CALL:
            return _OF_CALL[probe.look]
        place = self._place(probe.argument, probe.steps)
        if self._quick and probe.look in ("shape", "dtype"):
            return f"{self._assigned(('aval', place), f'aval_of_array({place})')}.{probe.look}"
        if probe.look == "static":
            return f"(type({place}), {place}) if type({place}) in DIRECT else token({place})"
        return f"{probe.look}({place})"

    def function(self, parameters: str, result: str) -> Any:
        body = "\n    ".join([*self._lines, f"return {result}"])
        names = dict(self._names)
        exec(f"def read({parameters}):\n    {body}", names)
        return names["read"]

    def _place(self, argument: int | str, steps: tuple[Step, ...]) -> str:
        known = self._known.get((argument, steps))
        if known is not None:
            return known
        if not steps:
            line = f"args[{argument}]" if isinstance(argument, int) else f"kwargs[{self._constant(argument)}]"
        else:
            *above, step = steps
            place = self._place(argument, tuple(above))
            if step.within:
                self._check(place, step.within)
                line = f"{place}[{self._constant(step.key)}]"
            else:
                line = f"child({place}, {step.key})"
        return self._assigned((argument, steps), line)

    def _assigned(self, what: tuple[Any, ...], expression: str) -> str:
        """The name of what `expression` gives, which is evaluated once."""
        name = self._known.get(what)
        if name is None:
            name = self._known[what] = f"v{len(self._known)}"
            self._lines.append(f"{name} = {expression}")
        return name

    def _check(self, place: str, kind: str) -> None:
        line = f"if type({place}) is not {kind}: raise Unsure"
        if line not in self._lines:
            self._lines.append(line)

    def _constant(self, value: Any) -> str:
        name = f"c{len(self._names)}"
        self._names[name] = value
        return name


_OF_CALL = {"count": "len(args)", "keywords": "frozenset(kwargs)", "config": "config()"}

_leaf_kinds: set[type] = {bool, int, float, complex, np.ndarray}


def _checked(value: Any) -> Any:
    """`value`, a leaf, so that its looks run no code of the user's."""
    value = as_in_memory(value)
    kind = type(value)
    if kind not in _leaf_kinds:
        if not is_of_library(kind):
            raise Unsure
        _leaf_kinds.add(kind)
    return value


def _aval(value: Any) -> Any:
    return jax.typeof(_checked(value))


def _shape(value: Any) -> Any:
    kind = type(value)
    return value.shape if kind is CONCRETE_ARRAY or kind is np.ndarray else _aval(value).shape


def _dtype(value: Any) -> Any:
    kind = type(value)
    return value.dtype if kind is CONCRETE_ARRAY else _aval(value).dtype


def _placement(value: Any) -> Any:
    value = _checked(value)
    return value.sharding if is_a(value, jax.Array) and getattr(value, "committed", False) else None


def _layout(value: Any) -> Any:
    return layout_of(_checked(value))


def _config() -> Any:
    return tuple(value for _, value in internals.jit_config())


def _one_level(value: Any) -> Any:
    """(children, metadata) of a node as its own class flattens it; None for a leaf."""
    return jax.tree_util.default_registry.flatten_one_level(value)


def _child(value: Any, i: int) -> Any:
    return tuple(_one_level(value)[0])[i]


def _node(value: Any) -> Any:
    """A node without its children."""
    kind = type(value)
    if kind is CONCRETE_ARRAY or kind in _leaf_kinds:
        return "leaf"
    if kind is list or kind is tuple:
        return kind, len(value)
    if kind is dict:
        return kind, *[token(key) for key in value]
    found = _one_level(value)
    if found is None:
        _checked(value)
        return "leaf"
    return id(kind), len(tuple(found[0])), token(found[1])


_TOOLS: dict[str, Any] = {
    "DIRECT": DIRECT,
    "Unsure": Unsure,
    "aval": _aval,
    "aval_of_array": AVAL_OF_ARRAY,
    "child": _child,
    "config": _config,
    "dtype": _dtype,
    "layout": _layout,
    "node": _node,
    "placement": _placement,
    "shape": _shape,
    "token": token,
}


def whole(args: tuple[Any, ...], kwargs: dict[str, Any], options: JitOptions) -> Any:
    """Everything that may decide about a call's entry."""
    statics = {*options.static_argnums, *options.static_argnames}
    found: list[Any] = [_config()]
    for place, value in [*enumerate(args), *kwargs.items()]:
        found.append(place)
        if place in statics:
            found.append(token(value))
        else:
            _add_whole(value, found)
    return tuple(found)


def _add_whole(value: Any, found: list[Any]) -> None:
    node = _node(value)
    found.append(node)
    if node == "leaf":
        found.append((_aval(value), _placement(value), _layout(value)))
        return
    kind = type(value)
    children = value.values() if kind is dict else value if kind in (list, tuple) else _one_level(value)[0]
    for child in children:
        _add_whole(child, found)
