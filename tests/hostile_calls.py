"""Calls with arguments that count, insert and mislead when they are looked at, made at random: beside bare ``jax.jit``, each on
equal arguments of its own.

``python -m tests.hostile_calls FIRST LAST`` tries these seeds and prints what is wrong.
"""

from __future__ import annotations

import collections
import random
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jupyter_jitmagic as jm

ran: collections.Counter[str] = collections.Counter()
"""How often methods of the classes below ran."""


class Filling(dict[str, Any]):
    def __missing__(self, key: str) -> Any:
        ran["__missing__"] += 1
        self[key] = jnp.zeros(1)
        return self[key]


class Misleading(dict[str, Any]):
    def __getitem__(self, key: str) -> Any:
        ran["__getitem__"] += 1
        return dict.__getitem__(self, key)


class Watching:
    """Counts every look at its attributes but those that its flattening needs."""

    def __init__(self, kept: Any, meta: Any) -> None:
        self.__dict__.update(_kept=kept, _meta=meta)

    def __getattr__(self, name: str) -> Any:
        ran["__getattr__"] += 1
        raise AttributeError(name)

    def __getitem__(self, key: Any) -> Any:
        ran["__getitem__"] += 1
        return self._kept

    @property
    def kept(self) -> Any:
        ran["property"] += 1
        return self._kept

    shape = dtype = aval = weak_type = sharding = kept


class Sly(NamedTuple("Sly", [("u", Any), ("v", Any)])):
    def __getitem__(self, key: Any) -> Any:
        ran["__getitem__"] += 1
        return tuple.__getitem__(self, key)


class Counting:
    """A static value or a part of a node's metadata."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __hash__(self) -> int:
        ran["__hash__"] += 1
        return hash(self.n)

    def __eq__(self, other: object) -> bool:
        ran["__eq__"] += 1
        return isinstance(other, Counting) and self.n == other.n


class Array(np.ndarray):
    def __getattribute__(self, name: str) -> Any:
        ran[f".{name}"] += 1
        return np.ndarray.__getattribute__(self, name)

    @property
    def shape(self) -> Any:
        return np.ndarray.shape.__get__(self)  # type: ignore[attr-defined]

    @property
    def dtype(self) -> Any:
        return np.ndarray.dtype.__get__(self)  # type: ignore[attr-defined]


def _by_key(kind: Callable[[Any], Any]) -> Any:
    flatten = (lambda node: (tuple(node.values()), tuple(node.keys())), lambda keys, parts: kind(zip(keys, parts, strict=True)))
    jax.tree_util.register_pytree_node(kind, *flatten)


_by_key(Filling)
_by_key(Misleading)
jax.tree_util.register_pytree_node(
    Watching, lambda node: ((node._kept,), node._meta), lambda meta, parts: Watching(*parts, meta)
)


def _deep(leaf: Any) -> Any:
    for depth in range(60):
        leaf = [leaf] if depth % 2 else {"a": leaf}
    return leaf


QUOTED = ["a", "a'", 'a"', 'a"]', "a']['b", "\n"]
ZEROS = [lambda: jnp.zeros(1), lambda: jnp.ones(1)]
PLAIN: list[Callable[[int], Any]] = [
    lambda n: jnp.ones(n + 1),
    lambda n: jnp.ones(3, ("int32", "float32", "bool")[n]),
    lambda n: np.ones(n + 1, "float32"),
    lambda n: np.ones((n, 2), "float32").view(Array),
    lambda n: np.ones(2, ("int32", "float32", "bool")[n]).view(Array),
]
AROUND: list[Callable[[Any, int], Any]] = [
    lambda part, n: collections.defaultdict(ZEROS[n % 2], {"ab"[n % 2]: part}),
    lambda part, n: Filling({"abc"[n]: part}),
    lambda part, n: Misleading(a=part, b=1.0),
    lambda part, n: Watching(part, None),
    lambda part, n: Watching(part, Counting(n)),
    lambda part, n: Watching(part, ("a", [Counting(n)])),
    lambda part, n: Sly(part, 1.0),
    lambda part, n: {key: part if i == n else 1.0 for i, key in enumerate(QUOTED)},
    lambda part, n: _deep(part),
    lambda part, n: [1.0, part] if n else Watching(part, "a"),
]
STATIC: list[Callable[[int], Any]] = [
    Counting,
    lambda n: (Counting(n), "a"),
    lambda n: Sly(Counting(n), n),
    lambda n: frozenset({("a", Counting(n))}),
    lambda n: n,
]


class Maker:
    """Of one seed: what its arguments are made of; `call` makes them anew each time."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.parts = [(draw.choice(PLAIN), draw.sample(AROUND, draw.randrange(3))) for _ in range(draw.choice([1, 1, 2]))]
        self.static = draw.choice(STATIC)
        seen = [[draw.randrange(3) for _ in range(3)] for _ in range(draw.choice([2, 3, 5]))]
        self.calls = [*seen, *seen, *seen, *(draw.choice(seen) for _ in range(6))]
        self.settled = 3 * len(seen)

    def call(self, numbers: list[int]) -> tuple[Any, ...]:
        of_static, *of_parts = numbers
        args = [self.static(of_static)]
        for (leaf, around), n in zip(self.parts, of_parts, strict=False):
            made = leaf(n)
            for wrap in around:
                made = wrap(made, n)
            args.append(made)
        return tuple(args)


def state(value: Any) -> Any:
    """What an argument is, told by Python's own methods alone."""
    if isinstance(value, dict):
        return type(value), [(key, state(part)) for key, part in dict.items(value)]
    if isinstance(value, (list, tuple)):
        return type(value), [state(part) for part in type(value).__iter__(value)]
    if type(value) in (Watching, Counting):
        return type(value), [(name, state(part)) for name, part in value.__dict__.items()]
    if isinstance(value, (np.ndarray, jax.Array)):
        plain = np.array(value, subok=False)
        return type(value), plain.shape, str(plain.dtype), plain.tobytes()
    return value if not isinstance(value, frozenset) else len(value)


def seen_of(jit: Callable[..., Any], maker: Maker) -> list[tuple[Any, Any, bool, int]]:
    """Of each call its result, its arguments afterwards, whether it was traced, and how often the user's methods ran."""
    traced = [0]

    def f(static: Any, *parts: Any) -> Any:
        traced[0] += 1
        return [leaf + 1 for leaf in jax.tree.leaves(parts)]

    jitted, found = jit(f, static_argnums=0), []
    for numbers in maker.calls:
        args, before = maker.call(numbers), traced[0]
        ran.clear()
        out = jitted(*args)
        count = ran.total()
        found.append((state(out), state(args), traced[0] > before, count))
    return found


def wrong(seed: int) -> str:
    """What is wrong in the calls of one function made from this seed; "" if nothing is."""
    maker = Maker(seed)
    bare, known = seen_of(jax.jit, maker), len(jm.stats("calls"))
    ours = seen_of(jm.jit, maker)
    rows = jm.stats("calls").iloc[known:]
    entries: dict[str, int] = {}
    for i, (theirs, mine) in enumerate(zip(bare, ours, strict=True)):
        call, entry, outcome = f"call {i} of {maker.calls}", int(rows.entry.iloc[i]), rows.outcome.iloc[i]
        if mine[:3] != theirs[:3]:
            return f"{call}: {mine} in place of {theirs}"
        if (outcome == "hit") is theirs[2] or entries.setdefault(str(maker.calls[i]), entry) != entry:
            return f"{call}: told {outcome}, entry {entry}, JAX traced: {theirs[2]}, {entries}"
        if i >= maker.settled and mine[3] > theirs[3]:
            return f"{call}: methods of the user's ran {mine[3]} times, {theirs[3]} under bare jax.jit"
    return ""


if __name__ == "__main__":
    for number in range(int(sys.argv[1]), int(sys.argv[2])):
        problem = wrong(number)
        if problem:
            print(number, problem, flush=True)
        jm.reset()
