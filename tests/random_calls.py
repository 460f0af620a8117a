"""Calls made at random and changed in ways whose causes are known: JAX decides about hit or miss, the change about why.

``python -m tests.random_calls FIRST LAST`` tries these seeds; with four devices, set XLA_FLAGS before. Prints what is wrong.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import dataclasses
import enum
import functools
import random
import sys
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import jupyter_jitmagic as jm
from tests.jax_oracle import events

Labels = set[tuple[str, str]]
DEVICES = jax.devices()
MESH = Mesh(np.array(DEVICES), ("i",))


class Pair(NamedTuple):
    u: Any
    v: Any


@functools.partial(jax.tree_util.register_dataclass, data_fields=["u", "v"], meta_fields=["meta"])
@dataclasses.dataclass
class Model:
    u: Any
    v: Any
    meta: Any = "a"


@jax.tree_util.register_pytree_node_class
class Keyless:
    def __init__(self, u: Any, v: Any, meta: Any = "a") -> None:
        self.u, self.v, self.meta = u, v, meta

    def tree_flatten(self) -> Any:
        return (self.u, self.v), self.meta

    @classmethod
    def tree_unflatten(cls, meta: Any, children: Any) -> Any:
        return cls(*children, meta)


@dataclasses.dataclass(frozen=True)
class Config:
    n: int = 1


class Mode(enum.Enum):
    TRAIN = 1
    EVAL = 2


NAN = float("nan")
STATICS = [0, 1, -1, -2, 1.0, True, 0.5, NAN, "a", "", (1, 2), (1, 3), (), None, Mode.TRAIN, Mode.EVAL, Config(1), Config(2)]
STATICS += [jnp.sin, jnp.cos, np.dtype("float32"), np.dtype("int32"), jnp.int32, np.int64(1), 1j, b"a", range(3), 10**30]
STATICS += [frozenset({1}), "x" * 199 + "y", "x" * 200, (*range(20), 1), (*range(20), 2)]
METADATA = ["a", "b", 3, ("t", 1), None]
CONTEXTS: list[tuple[Any, str]] = [
    (lambda: jax.default_matmul_precision("float32"), "jax_default_matmul_precision"),
    (lambda: jax.numpy_dtype_promotion("strict"), "jax_numpy_dtype_promotion"),
    (lambda: jax.numpy_rank_promotion("warn"), "jax_numpy_rank_promotion"),
    (lambda: jax.default_device(DEVICES[-1]), "jax_default_device"),
    (lambda: jax.set_mesh(MESH), "mesh"),
    (lambda: jax.debug_nans(True), ""),
    (lambda: jax.default_prng_impl("rbg"), ""),
]
SHAPES = [(), (4,), (8,), (4, 4), (0,), (1,)]
DTYPES = ["float32", "int32", "bool", "complex64", "bfloat16", "uint8"]
PYTHON = {"bool": True, "int": 7, "float": 1.5, "complex": 1j}
KINDS = ["dict", "list", "tuple", "OrderedDict", "Pair", "Model", "Keyless"]


@dataclasses.dataclass
class Leaf:
    """`kind`: a Python number's type, "None", "key", "weak", "numpy" or "jax"; `place`: a device's number, a spec or None."""

    kind: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    place: Any = None

    def look(self) -> tuple[Any, ...]:
        if self.kind in PYTHON:
            return (), str(jnp.asarray(PYTHON[self.kind]).dtype), self.kind != "bool"
        return self.shape, self.dtype, self.kind == "weak"

    def build(self) -> Any:
        if self.kind in PYTHON or self.kind == "None":
            return PYTHON.get(self.kind)
        if self.kind == "key":
            return jax.random.split(jax.random.key(0, impl=self.dtype), self.shape)
        if self.kind == "weak":
            return jnp.broadcast_to(jnp.asarray(1.0), self.shape)
        if self.kind == "numpy" and self.place is None:
            return np.ones(self.shape, jnp.dtype(self.dtype))
        made = jnp.ones(self.shape, self.dtype)
        if self.place is None:
            return made
        return jax.device_put(made, DEVICES[self.place] if isinstance(self.place, int) else NamedSharding(MESH, self.place))


@dataclasses.dataclass
class Node:
    kind: str
    children: dict[Any, Leaf | Node]
    meta: Any = None

    def build(self) -> Any:
        parts = {key: child.build() for key, child in self.children.items()}
        if self.kind in ("dict", "OrderedDict"):
            return dict(reversed(parts.items())) if self.kind == "dict" else collections.OrderedDict(parts)
        if self.kind in ("list", "tuple"):
            return list(parts.values()) if self.kind == "list" else tuple(parts.values())
        return (
            Pair(**parts) if self.kind == "Pair" else {"Model": Model, "Keyless": Keyless}[self.kind](**parts, meta=self.meta)
        )

    def below(self, path: str, key: Any) -> str:
        return f"{path}[{key!r}]" if self.kind in ("dict", "OrderedDict", "list", "tuple") else f"{path}.{key}"


@dataclasses.dataclass
class Call:
    """``f(x, p, n, *rest, k=, mode=)``; an argument that is missing is left to its default."""

    traced: dict[str, Leaf | Node]
    statics: dict[str, Any]
    keywords: frozenset[str]
    rest: list[Leaf | Node]
    context: tuple[Any, str] | None = None

    def build(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        given = {**{name: tree.build() for name, tree in self.traced.items()}, **_copies(self.statics)}
        positional = [name for name in ("x", "p", "n") if name in given and name not in self.keywords]
        return (*(given.pop(name) for name in positional), *(tree.build() for tree in self.rest)), given

    def settle(self) -> None:
        """What Python allows: after an argument by keyword or left out none goes by position."""
        if self.rest:
            self.keywords = frozenset(["k", "mode"])
            return
        names = ["x", "p", "n"]
        for i, name in enumerate(names):
            if name in self.keywords or name not in (*self.traced, *self.statics):
                self.keywords = self.keywords | frozenset(names[i:])


def _copies(statics: dict[str, Any]) -> dict[str, Any]:
    """Equal objects, others where that is possible; nan and functions are equal to no copy of themselves."""
    return {name: value if value is NAN or callable(value) else copy.deepcopy(value) for name, value in statics.items()}


class Maker:
    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def leaf(self) -> Leaf:
        kind = self.draw.choice([*PYTHON, "None", "key", "weak", "numpy", "numpy", "jax", "jax", "jax"])
        if kind == "key":
            return Leaf(kind, (2,), self.draw.choice(["threefry2x32", "rbg"]))
        if kind == "weak":
            return Leaf(kind, self.draw.choice([(), (4,)]), "float32")
        return Leaf(kind, self.draw.choice(SHAPES), self.draw.choice(DTYPES)) if kind in ("numpy", "jax") else Leaf(kind)

    def tree(self, depth: int = 0) -> Leaf | Node:
        if depth > 2 or self.draw.random() < 0.5:
            return self.leaf()
        kind = self.draw.choice(KINDS)
        keys: list[Any] = ["u", "v"] if kind in KINDS[4:] else list("uvw")[: self.draw.randrange(4)]
        keys = list(range(len(keys))) if kind in ("list", "tuple") else keys
        return Node(kind, {key: self.tree(depth + 1) for key in keys}, self.draw.choice(METADATA))

    def call(self) -> Call:
        traced = {name: self.tree() for name in ("x", "p", "k") if name == "x" or self.draw.random() < 0.5}
        statics = {name: self.draw.choice(STATICS) for name in ("n", "mode") if self.draw.random() < 0.6}
        rest = [self.tree(2) for _ in range(self.draw.choice([0, 0, 1, 2]))] if {"p"} <= {*traced} and "n" in statics else []
        made = Call(traced, statics, frozenset(["k", "mode", *self.draw.sample(["x", "p", "n"], self.draw.randrange(3))]), rest)
        made.settle()
        return made

    def changed(self, call: Call) -> tuple[Call, Labels]:
        """The call with up to three changes of different arguments, and their causes."""
        new, labels = copy.deepcopy(call), set[tuple[str, str]]()
        new.statics = dict(call.statics)
        free = ["x", "p", "k", "n", "mode", "rest", "passed", "context"]
        for what in self.draw.sample(free, self.draw.choice([0, 1, 1, 2, 3])):
            labels |= self._change(new, what)
        return new, labels

    def _change(self, call: Call, what: str) -> Labels:
        if what == "context":
            if any(_is_placed(tree) for tree in _trees(call)):
                return set()
            call.context = self.draw.choice(CONTEXTS)
            return {("config", call.context[1])} if call.context[1] else set()
        if what == "passed":
            before = call.keywords
            call.keywords = before ^ frozenset(self.draw.sample(["x", "p", "n"], 1))
            call.settle()
            given = {*call.traced, *call.statics}
            return {("calling_convention", name) for name in (before ^ call.keywords) & given}
        if what in ("n", "mode"):
            return self._change_static(call, what)
        if what == "rest":
            if not call.rest:
                return set()
            if self.draw.random() < 0.5:
                call.rest.append(self.leaf())
                return {("pytree_structure", f"rest[{len(call.rest) - 1}]")}
            return self._change_tree(call, call.rest, 0, "rest[0]")
        return self._change_tree(call, call.traced, what, what) if what in call.traced else set()

    def _change_static(self, call: Call, name: str) -> Labels:
        if name not in call.statics:
            return set()
        old, call.statics[name] = call.statics[name], self.draw.choice(STATICS)
        same = old is call.statics[name] or (type(old) is type(call.statics[name]) and old == call.statics[name])
        return set() if same else {("static_value", name)}

    def _change_tree(self, call: Call, holder: Any, key: Any, path: str) -> Labels:
        """Change the leaf or node there, or something below it."""
        found = holder[key]
        while isinstance(found, Node) and found.children and self.draw.random() < 0.6:
            holder, key = found.children, self.draw.choice(list(found.children))
            path, found = found.below(path, key), holder[key]
        if isinstance(found, Leaf):
            return self._change_leaf(call, holder, key, path)
        if found.kind in ("Model", "Keyless") and self.draw.random() < 0.5:
            old, found.meta = found.meta, self.draw.choice(METADATA)
            return {("pytree_structure", f"{path}.meta")} if old != found.meta else set()
        if found.kind == "dict":
            found.children["z"] = self.leaf()
        else:
            found.kind = {"list": "tuple", "tuple": "list", "OrderedDict": "dict", "Pair": "Model"}.get(found.kind, "Pair")
        return {("pytree_structure", path)}

    def _change_leaf(self, call: Call, holder: Any, key: Any, path: str) -> Labels:
        old = holder[key]
        alone = call.context is None and not any(_is_placed(tree) for tree in _trees(call))
        if old.kind == "jax" and alone and self.draw.random() < 0.5:
            spread = len(DEVICES) == 4 and old.shape in ((4,), (8,)) and self.draw.random() < 0.5
            place = PartitionSpec("i") if spread else self.draw.randrange(len(DEVICES))
            holder[key] = dataclasses.replace(old, place=place)
            return {("sharding" if spread else "device", path)}
        holder[key] = new = self.leaf()
        if "None" in (old.kind, new.kind):
            return {("pytree_structure", path)} if old.kind != new.kind else set()
        causes = ("shape", "dtype", "weak_type")
        return {(cause, path) for cause, one, other in zip(causes, old.look(), new.look(), strict=True) if one != other}


def _trees(call: Call) -> list[Leaf | Node]:
    return [*call.traced.values(), *call.rest]


def _is_placed(tree: Leaf | Node) -> bool:
    return tree.place is not None if isinstance(tree, Leaf) else any(map(_is_placed, tree.children.values()))


def wrong(seed: int) -> str:
    """What is wrong in a few calls of one function made from this seed; "" if nothing is."""
    maker, runs = Maker(seed), [0]

    def f(x: Any, p: Any = 1.5, n: Any = 3, *rest: Any, k: Any = 2.0, mode: Any = "m") -> Any:
        runs[0] += 1
        return jax.tree.leaves((x, p, rest, k))

    jitted = jm.jit(f, static_argnames=("n", "mode"), keep_unused=maker.draw.random() < 0.5)

    def called(call: Call) -> tuple[bool, list[tuple[str, str, str, str]]]:
        """Whether JAX traced, lowered or compiled; the rows of its miss."""
        args, kwargs = call.build()
        known, ran = len(jm.stats("misses")), runs[0]
        with call.context[0]() if call.context else contextlib.nullcontext(), events() as seen:
            jitted(*args, **kwargs)
        names = {name.removeprefix("jit(").removesuffix(")") for name in seen[1::2]}
        rows = jm.stats("misses").iloc[known:][["cause", "argument", "before", "now"]].fillna("")
        return runs[0] > ran or "f" in names, [tuple(row) for row in rows.values.tolist()]

    base = maker.call()
    called(base)
    history = [base]
    entries: dict[int, int] = {}
    for step in range(3):
        call, labels = maker.changed(base)
        missed, rows = called(call)
        told = {(cause, argument) for cause, argument, _, _ in rows}
        history.append(call)
        if missed is not bool(rows):
            return f"JAX missed: {missed}, told: {rows}, changed: {labels}, from {base} to {call}"
        if ("unknown", "") in told or any(before == now for cause, _, before, now in rows if cause != "first_call"):
            return f"told: {rows}, changed: {labels}, from {base} to {call}"
        if (told != labels) if step == 0 and missed else len(told) > len(labels):
            return f"told: {rows}, changed: {labels}, from {base} to {call}"
    for place in [*range(len(history)), *(maker.draw.randrange(len(history)) for _ in range(4))]:
        missed, rows = called(history[place])
        used = int(jm.stats("calls").entry.iloc[-1])
        if missed is not bool(rows) or entries.setdefault(place, used) != used:
            return f"again: JAX missed: {missed}, told: {rows}, entry {used} after {entries}: {history[place]}"
    return ""


if __name__ == "__main__":
    for number in range(int(sys.argv[1]), int(sys.argv[2])):
        problem = wrong(number)
        if problem:
            print(number, problem, flush=True)
        jm.reset()
