"""What JAX's cache key holds for one call, as small plain data that keeps nothing of the user's alive.

Made on the path of a miss only. Two signatures of one jitted function are equal exactly when JAX would take the second call
from its cache; `differences` compares them part by part.

The key (read from ``jax._src.pjit``): the structure of the arguments, the aval of every leaf, where committed arguments live,
static arguments by type, hash and ``==``, which arguments were passed by position, by keyword or not at all, and the
configuration that tracing depends on.
"""

from __future__ import annotations

import functools
import math
import weakref
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic.base import jax_internals
from jupyter_jitmagic.base.looking import has, is_a
from jupyter_jitmagic.base.value_texts import instance_fields, is_secret_name
from jupyter_jitmagic.base.values import Value
from jupyter_jitmagic.base.wording import short_name
from jupyter_jitmagic.recording.causes.binding import Argument, bind, resolve_statics
from jupyter_jitmagic.recording.causes.leaves import Leaf, _leaf, _shared_leaves, as_in_memory, leaf_of
from jupyter_jitmagic.recording.causes.trace_context import config_context

_AVALS_SHOWN = 8
_ARRAYS = (jax.Array, np.ndarray, np.generic, bool, int, float, complex)

POSITIONAL, KEYWORD, DEFAULT = "positional", "keyword", "default"


@dataclass(frozen=True, slots=True)
class Metadata:
    """A part of what a registered node keeps beside its children and JAX compares. `fields` are the attributes (as ".n") that
    it may stand for: those that held this very object."""

    value: Value
    fields: frozenset[str] = field(default=frozenset(), compare=False)


class Node(NamedTuple):
    """One container of an argument. `keys` are the children as the user writes them; a child that is None is a leaf. `size`
    counts the leaves."""

    kind: str
    type_id: int
    keys: tuple[str, ...]
    children: tuple[Node | None, ...]
    metadata: tuple[Metadata, ...] = ()
    size: int = 0
    items: tuple[Any, ...] | None = None
    """Of a dict whose keys are all plain, the keys themselves: texts may be those of other keys."""
    flat: bool = False
    """The children are all the leaves below it."""


class Places(NamedTuple):
    """Where the arguments that were passed stand in the call, by position or keyword, traced and static ones."""

    traced: tuple[int | str, ...] = ()
    static: tuple[int | str, ...] = ()


class Static(NamedTuple):
    """One static argument and its value; `passed` is positional, keyword or default."""

    argument: str
    passed: str
    value: Value


@dataclass(frozen=True, slots=True)
class Signature:
    """Everything that decides whether a call is a cache hit.

    `avals` and `static` are the short texts of the entries table: ``"f32[4,3], {'w': f32[3]}"`` and ``{"n": "5"}``.
    """

    leaves: tuple[Leaf, ...]
    structure: tuple[tuple[str, Node | None], ...]
    statics: tuple[Static, ...]
    passed: tuple[tuple[str, str], ...]
    config: tuple[tuple[str, str], ...]
    transformation: str = ""
    parameters: tuple[str, ...] = field(default=(), compare=False)
    defaults: tuple[tuple[str, Node | None, tuple[Leaf, ...]], ...] = field(default=(), compare=False)
    """What the traced arguments that were left to their defaults would look like if they were passed."""
    places: Places = field(default=Places(), compare=False)
    _hash: int = field(default=0, init=False, compare=False, repr=False)

    def __hash__(self) -> int:
        if not self._hash:  # of thousands of leaves it takes milliseconds
            object.__setattr__(self, "_hash", hash(self._key()) or 1)
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Signature):
            return NotImplemented
        return self is other or (hash(self) == hash(other) and self._key() == other._key())

    def is_among(self, others: Iterable[Signature]) -> bool:
        """Whether one of them is equal: ``in`` would call a method for each of a thousand."""
        mine = hash(self)
        return any(self == other for other in others if (other._hash or hash(other)) == mine)

    def _key(self) -> tuple[Any, ...]:
        return self.leaves, self.structure, self.statics, self.passed, self.config, self.transformation

    @property
    def avals(self) -> str:
        leaves, passed = iter(self.leaves), dict(self.passed)
        budgets = _shared_out([_leaf_count(node) for _, node in self.structure])
        shown: list[str] = []
        for (argument, node), budget in zip(self.structure, budgets, strict=True):
            text = _node_text(node, leaves, budget)
            if text == "…" and shown and shown[-1] == "…":
                continue
            by_keyword = text != "…" and passed.get(argument) == KEYWORD
            shown.append(f"{argument}={text}" if by_keyword else text)
        joined = ", ".join(shown)
        return joined if len(self.leaves) <= _AVALS_SHOWN else f"{joined} ({len(self.leaves)} leaves)"

    @property
    def static(self) -> dict[str, str]:
        return {static.argument: static.value.text for static in self.statics}


class _Budget:
    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self) -> bool:
        self.left -= 1
        return self.left >= 0


def _shared_out(counts: Sequence[int]) -> list[_Budget]:
    """How many of each argument's leaves are shown: the smallest argument's first, so that a batch stands beside its model."""
    left, budgets = _AVALS_SHOWN, [_Budget(0) for _ in counts]
    for waiting, place in enumerate(sorted(range(len(counts)), key=lambda place: counts[place])):
        budgets[place].left = min(counts[place], math.ceil(left / (len(counts) - waiting)))
        left -= budgets[place].left
    return budgets


def _leaf_count(node: Node | None) -> int:
    return 1 if node is None else node.size


def _node_text(node: Node | None, leaves: Iterator[Leaf], budget: _Budget) -> str:
    """The node with an aval in each leaf's place; leaves past the budget are one "…"."""
    if node is None:
        leaf = next(leaves)
        return leaf.text if budget.spend() else "…"
    if node.kind == "None":
        return "None"
    parts: list[str] = []
    for key, child in zip(node.keys, node.children, strict=True):
        cut = bool(parts) and parts[-1] == "…"
        if child is None and cut and budget.left <= 0:
            next(leaves)
            continue
        text = _node_text(child, leaves, budget)
        if text == "…" and cut:
            continue
        parts.append("…" if text == "…" else _with_key(node.kind, key, text))
    if parts == ["…"]:
        return "…"
    left, right = _BRACKETS.get(node.kind, (f"{node.kind}(", ")"))
    comma = "," if node.kind == "tuple" and len(parts) == 1 else ""
    return f"{left}{', '.join(parts)}{comma}{right}"


_BRACKETS = {"dict": ("{", "}"), "list": ("[", "]"), "tuple": ("(", ")")}


def _with_key(kind: str, key: str, text: str) -> str:
    if kind in ("list", "tuple"):
        return text
    return f"{key[1:-1]}: {text}" if kind == "dict" else f"{key.lstrip('.')}={text}"


def signature_of(
    fun: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    static_argnums: int | Iterable[int] | None = None,
    static_argnames: str | Iterable[str] | None = None,
    *,
    placed: Any = False,
    transformation: str = "",
) -> Signature:
    """The signature of the call ``fun(*args, **kwargs)``.

    Args:
        fun: the plain function under jit.
        static_argnums, static_argnames: as given to ``jax.jit``.
        placed: where arguments live is not in the key of those that ``jax.jit`` places itself: True for all (``device`` or
            ``backend`` was given), or the ``in_shardings`` it was given.
        transformation: what the call runs under, as "grad"; "" for a plain call.

    Example:
        >>> signature_of(lambda x, n: x[:n], (jnp.ones(4), 2), {}, static_argnames="n").avals
        'f32[4]'
    """
    bound = bind(fun, args, kwargs)
    nums, names = resolve_statics(bound.parameters, static_argnums, static_argnames, len(args))
    builder = _Builder(placed)
    for argument in bound.arguments:
        is_static = argument.index in nums if argument.index is not None else argument.keyword in names
        builder.add(argument, is_static)
    for name, default in bound.defaults.items():
        builder.add_default(name, default, name in names or bound.names.index(name) in nums)
    return Signature(
        leaves=tuple(builder.leaves),
        structure=tuple(builder.structure),
        statics=tuple(builder.statics),
        passed=tuple(builder.passed),
        config=config_context(),
        transformation=transformation,
        parameters=bound.names,
        defaults=tuple(builder.defaults),
        places=Places(tuple(builder.traced), tuple(builder.static)),
    )


class _Builder:
    """Collects the parts of a signature, argument by argument."""

    def __init__(self, placed: Any) -> None:
        self._placed = placed
        self.leaves: list[Leaf] = []
        self.structure: list[tuple[str, Node | None]] = []
        self.statics: list[Static] = []
        self.passed: list[tuple[str, str]] = []
        self.defaults: list[tuple[str, Node | None, tuple[Leaf, ...]]] = []
        self.traced: list[int | str] = []
        self.static: list[int | str] = []
        self._seen: dict[int, tuple[Any, tuple[Any, ...], dict[str, Leaf]]] = {}
        """By the identity of an aval, which is held meanwhile."""

    def add(self, argument: Argument, static: bool) -> None:
        how = KEYWORD if argument.index is None else POSITIONAL
        self.passed.append((argument.name, how))
        (self.static if static else self.traced).append(argument.keyword if argument.index is None else argument.index)
        if static:
            self.statics.append(Static(argument.name, how, Value(argument.value, secret=is_secret_name(argument.name))))
        else:
            self.structure.append(
                (argument.name, self._walk(argument.name, argument.value, self._placed_argument(), self.leaves))
            )

    def _placed_argument(self) -> Any:
        """What was given for the next traced argument: ``in_shardings`` counts without the static ones."""
        placed, place = self._placed, len(self.traced) - 1
        if not is_a(placed, (tuple, list)) or has(placed, "_fields"):
            return placed
        return placed[place] if place < len(placed) else None

    def add_default(self, name: str, default: Any, static: bool) -> None:
        self.passed.append((name, DEFAULT))
        if static:
            self.statics.append(Static(name, DEFAULT, Value(default, secret=is_secret_name(name))))
        else:
            leaves: list[Leaf] = []
            self.defaults.append((name, self._walk(name, default, False, leaves), tuple(leaves)))

    def _leaf(self, path: str, value: Any, placed: bool) -> Leaf:
        """As `leaf_of`; of the many uncommitted arrays of one type in a large tree only the first is looked at closely."""
        kind = type(value)
        if kind is not jax_internals.CONCRETE_ARRAY or value.committed:
            return leaf_of(path, value, placed)
        aval = value.aval
        seen = self._seen.get(id(aval))
        if seen is None:
            leaf = leaf_of(path, value, placed)
            if not leaf.typing:
                self._seen[id(aval)] = aval, leaf[1:], _shared_leaves(leaf[1:])
            return leaf
        _, parts, shared = seen
        return shared.get(path) or _leaf(path, *parts)

    def _walk(self, path: str, value: Any, placed: Any, leaves: list[Leaf], depth: int = 0) -> Node | None:
        value = as_in_memory(value)
        children = None if is_a(value, _ARRAYS) or value is None else _children(value, flat=depth == _DEEPEST)
        if children is None:
            if value is None:
                return _NONE
            leaves.append(leaf_of(path, value, _is_placed(placed)))
            return None
        keys, parts = children
        below = _placed_children(placed, len(parts))
        array, nodes = jax_internals.CONCRETE_ARRAY, list[Node | None]()
        for key, part, place in zip(keys, parts, below, strict=True):
            if type(part) is array:
                leaves.append(self._leaf(path + key, part, _is_placed(place)))
                nodes.append(None)
            else:
                nodes.append(self._walk(path + key, part, place, leaves, depth + 1))
        kind = type(value)
        if depth == _DEEPEST:
            rest = Value(jax.tree_util.tree_structure(value), by_equality=True)
            return Node(short_name(kind.__qualname__), id(kind), keys, tuple(nodes), (Metadata(rest),), len(nodes), flat=True)
        plain = kind is dict or kind is list or kind is tuple
        return Node(
            short_name(kind.__qualname__),
            0 if plain else id(kind),
            keys,
            tuple(nodes),
            () if plain else _metadata(value, keys),
            sum([1 if node is None else node.size for node in nodes]),
            _plain_keys(value) if kind is dict else None,
        )


_DEEPEST = 50
"""What lies deeper in a tree is one node with all its leaves: Python compares nested tuples by recursion."""
_NONE = Node("None", 0, (), ())


def _plain_keys(value: dict[Any, Any]) -> tuple[Any, ...] | None:
    """The keys in JAX's order where looking them up runs no code of the user's."""
    return tuple(sorted(value)) if {*map(type, value)} in ({str}, {int}) else None


def placed_by(jit_arguments: Mapping[str, Any]) -> Any:
    """What ``jax.jit`` places itself by these arguments: True for everything, or its ``in_shardings``."""
    everywhere = any(jit_arguments.get(name) is not None for name in ("device", "backend"))
    return True if everywhere else jit_arguments.get("in_shardings")


def _is_placed(given: Any) -> bool:
    return given is not None and given is not False and type(given).__name__ != "UnspecifiedValue"


def _placed_children(given: Any, count: int) -> Sequence[Any]:
    """A prefix of the argument's tree, one level down."""
    children = None if is_a(given, (bool, jax.sharding.Sharding)) or given is None else _children(given)
    return children[1] if children is not None and len(children[1]) == count else [given] * count


def _children(value: Any, flat: bool = False) -> tuple[tuple[str, ...], Sequence[Any]] | None:
    """The children of one pytree node with their keys as the user writes them, or None for a leaf; `flat`: all its leaves, by
    number."""
    kind = type(value)
    if flat:
        leaves = jax.tree_util.tree_leaves(value)
        return None if leaves and leaves[0] is value else (tuple(f"[…{i}]" for i in range(len(leaves))), leaves)
    if kind is dict:
        try:
            ordered = sorted(value)
        except TypeError:
            return _registered_children(value)
        return tuple([f"[{key!r}]" for key in ordered]), [value[key] for key in ordered]
    if kind is list or kind is tuple:
        return _numbered(len(value)), value
    return _registered_children(value)


@functools.lru_cache(maxsize=64)
def _numbered(count: int) -> tuple[str, ...]:
    return tuple([f"[{i}]" for i in range(count)])


def _registered_children(value: Any) -> tuple[tuple[str, ...], Sequence[Any]] | None:
    found, _ = jax.tree_util.tree_flatten_with_path(value, is_leaf=lambda part: part is not value)
    if len(found) == 1 and found[0][1] is value:
        return None
    parts = [part for _, part in found]
    if found and all(len(path) == 1 and isinstance(path[0], jax.tree_util.FlattenedIndexKey) for path, _ in found):
        named = _attributes_of_children(value, parts)
        if named:
            return named, parts
    return tuple(jax.tree_util.keystr(path) for path, _ in found), parts


_children_named: weakref.WeakKeyDictionary[type, dict[int, tuple[str, ...]]] = weakref.WeakKeyDictionary()
"""By class and number of children, the attributes that hold them; empty where that was not plain at the first look."""


def _attributes_of_children(value: Any, parts: Sequence[Any]) -> tuple[str, ...]:
    """A class registered without keys, its children by the attributes that hold them, as ".w". Decided once, so that a path
    never changes its name."""
    known = _children_named.setdefault(type(value), {})
    if len(parts) not in known:
        names = [_held_by(value, part) for part in parts]
        known[len(parts)] = tuple(min(found) for found in names) if all(len(found) == 1 for found in names) else ()
    return known[len(parts)]


def _held_by(value: Any, part: Any) -> frozenset[str]:
    """The attributes of `value` that are this very object, as ".name"."""
    return frozenset(f".{name}" for name, held in instance_fields(value).items() if held is part)


def _metadata(value: Any, keys: tuple[str, ...]) -> tuple[Metadata, ...]:
    """What a registered node keeps beside its children and JAX compares, part by part."""
    tree = jax.tree_util.tree_structure(value, is_leaf=lambda part: part is not value)
    data = tree.node_data()
    if data is None or is_a(value, OrderedDict) or (is_a(value, tuple) and has(value, "_fields")):
        return ()  # no more than the keys, or the class
    aux = data[1]
    if is_a(value, defaultdict):
        factory = Value(value.default_factory, by_equality=True)
        factory.text = f"defaultdict({factory.text})"
        return (Metadata(factory),)
    if is_dataclass(value):
        names = [f".{f.name}" for f in fields(value) if f".{f.name}" not in keys and hasattr(value, f.name)]
        if names and isinstance(aux, tuple):
            return tuple(_named_metadata(name, getattr(value, name[1:])) for name in names)
    whole = _held_by(value, aux)
    parts = aux if type(aux) is tuple else aux.values() if type(aux) is dict else ()
    held = [] if whole else [(part, _held_by(value, part)) for part in parts]
    if not any(names for _, names in held):
        return (Metadata(_value_named(whole, aux), whole),)
    return tuple(Metadata(_value_named(names, part), names) for part, names in held)


def _named_metadata(name: str, part: Any) -> Metadata:
    return Metadata(_value_named([name], part), frozenset([name]))


def _value_named(names: Iterable[str], part: Any) -> Value:
    return Value(part, secret=any(map(is_secret_name, names)), by_equality=True)
