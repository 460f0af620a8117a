"""Telling entries apart changes nothing: a hit runs no code of the user's that bare ``jax.jit`` does not run, and is right."""

from __future__ import annotations

import collections
import dataclasses
import functools
import typing
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.calls.tokens import token

X, Y, Z = jnp.ones(3), jnp.ones(4), jnp.ones(5)
Jit = Callable[..., Any]


@pytest.fixture(autouse=True)
def _nothing_recorded() -> None:
    jm.reset()


def entries() -> list[int]:
    """Of every call so far."""
    return [int(entry) for entry in jm.stats("calls").entry]


def test_a_defaultdict_gets_no_key_by_being_looked_at() -> None:
    def shapes(jit: Jit) -> list[tuple[int, ...]]:
        f = jit(lambda d: jnp.stack([value.sum() for value in d.values()]))
        made = [collections.defaultdict(lambda: jnp.zeros(1), {key: value}) for key, value in (("a", X), ("a", Y), ("b", X))]
        for each in made:
            each.default_factory = made[0].default_factory
        return [f(each).shape for each in (*made, made[2], made[2])]

    assert shapes(jm.jit) == shapes(jax.jit)


class Counted:
    """A static value that counts how often it is hashed and compared."""

    ran = 0

    def __init__(self, n: int) -> None:
        self.n = n

    def __hash__(self) -> int:
        Counted.ran += 1
        return hash(self.n)

    def __eq__(self, other: object) -> bool:
        Counted.ran += 1
        return isinstance(other, Counted) and self.n == other.n


def runs_of_hits(jit: Jit, make: Callable[[int], Any], **options: Any) -> list[int]:
    """How often the user's methods ran in each of some hits, after each entry was met twice."""
    f = jit(lambda x, c: x + 1, **options)
    made = [make(1), make(2)]
    for given in (*made, *made):
        f(X, given)
    found = []
    for given in (*made, make(2), make(1), *made):
        Counted.ran = 0
        f(X, given)
        found.append(Counted.ran)
    return found


class Plain(typing.NamedTuple):
    first: Any
    second: int = 0


@pytest.mark.parametrize(
    "make",
    [Counted, lambda n: (Counted(n), "a"), lambda n: Plain(Counted(n)), lambda n: frozenset({("a", Counted(n))})],
    ids=["itself", "in a tuple", "in a named tuple", "in a frozenset"],
)
def test_a_static_value_is_hashed_and_compared_by_jax_alone(make: Callable[[int], Any]) -> None:
    ours = runs_of_hits(jm.jit, make, static_argnums=1)
    assert len(set(entries())) == 2
    assert ours == runs_of_hits(jax.jit, make, static_argnums=1)


@jax.tree_util.register_pytree_with_keys_class
class Box:
    """A node that counts every look at it but its own flattening."""

    def __init__(self, u: Any, meta: Any = None) -> None:
        self.__dict__.update(kept=u, meta=meta)

    @property
    def u(self) -> Any:
        Counted.ran += 1
        return self.__dict__["kept"]

    def __getattribute__(self, name: str) -> Any:
        if name in ("aval", "shape", "dtype", "sharding", "__class__"):
            Counted.ran += 1
        return object.__getattribute__(self, name)

    def __getitem__(self, key: Any) -> Any:
        Counted.ran += 1
        return self.__dict__["kept"]

    def tree_flatten_with_keys(self) -> Any:
        return ((jax.tree_util.GetAttrKey("u"), self.__dict__["kept"]),), self.__dict__["meta"]

    def tree_flatten(self) -> Any:
        return (self.__dict__["kept"],), self.__dict__["meta"]

    @classmethod
    def tree_unflatten(cls, meta: Any, children: Any) -> Any:
        return cls(*children, meta)


class Sly(typing.NamedTuple("Sly", [("u", Any)])):
    def __getitem__(self, key: Any) -> Any:
        Counted.ran += 1
        return tuple.__getitem__(self, key)


@functools.partial(jax.tree_util.register_dataclass, data_fields=["u"], meta_fields=["meta"])
@dataclasses.dataclass
class Model:
    u: Any
    meta: Any = None


SIZED = {1: X, 2: Y}
LOOKED_AT: dict[str, Callable[[int], Any]] = {
    "a node of the user's": lambda n: Box(SIZED[n]),
    "in plain containers": lambda n: {"a": [X, (Box(SIZED[n]),)]},
    "a named tuple with its own subscript": lambda n: Sly(SIZED[n]),
    "a leaf that changes its depth": lambda n: X if n == 1 else Box(X),
    "a container that changes its kind": lambda n: [X] if n == 1 else Box(X),
    "metadata": lambda n: Box(X, Counted(n)),
    "metadata in a list": lambda n: Box(X, [Counted(n), {"a": 1}]),
    "a dataclass": lambda n: Model(SIZED[n], Counted(3)),
    "a dataclass's metadata": lambda n: Model(X, Counted(n)),
}


@pytest.mark.parametrize("make", LOOKED_AT.values(), ids=LOOKED_AT)
def test_a_hit_runs_no_method_of_a_container(make: Callable[[int], Any]) -> None:
    ours = runs_of_hits(jm.jit, make)
    assert len(set(entries())) == 2
    assert ours == runs_of_hits(jax.jit, make)


class Shaped(np.ndarray):
    """A NumPy array that counts every look at it."""

    def __getattribute__(self, name: str) -> Any:
        Counted.ran += 1
        return np.ndarray.__getattribute__(self, name)

    @property
    def shape(self) -> Any:
        Counted.ran += 1
        return np.ndarray.shape.__get__(self)  # type: ignore[attr-defined]


@pytest.mark.parametrize("make", [lambda n: SIZED[n], lambda n: [SIZED[n], X]], ids=["itself", "in a list"])
def test_a_users_numpy_array_is_looked_at_in_memory_alone(make: Callable[[int], Any]) -> None:
    def shaped(n: int) -> Any:
        return jax.tree.map(lambda x: np.array(x).view(Shaped), make(n))

    ours = runs_of_hits(jm.jit, shaped)
    assert len(set(entries())) == 2
    assert ours == runs_of_hits(jax.jit, shaped)


def test_keys_with_quotes_are_the_keys_that_they_are() -> None:
    keys = ["a", "a'", 'a"', "a']['b", "b", "['a']", "a\\", "\n"]
    f = jm.jit(lambda d: sum(leaf.sum() for leaf in jax.tree.leaves(d)))
    calls = [{key: Y if key == grown else X for key in keys} for grown in keys]
    for given in (*calls, *calls, *calls):
        f(given)
    assert entries() == 3 * entries()[: len(keys)] and len(set(entries())) == len(keys)


def test_keywords_with_quotes_are_the_keywords_that_they_are() -> None:
    names = ["a", "a'", "'a'", "x[0]", "x]"]
    f = jm.jit(lambda x, **given: sum(leaf.sum() for leaf in jax.tree.leaves((x, given))))
    calls = [{name: Y if name == grown else X for name in names} for grown in names]
    for given in (*calls, *calls, *calls):
        f(X, **given)
    assert entries() == 3 * entries()[: len(names)] and len(set(entries())) == len(names)


def test_keys_of_a_users_class_that_look_like_others_are_told_apart() -> None:
    @functools.total_ordering
    class Key:
        def __init__(self, n: int) -> None:
            self.n = n

        def __hash__(self) -> int:
            return hash(self.n)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Key) and self.n == other.n

        def __lt__(self, other: Key) -> bool:
            return self.n < other.n

        def __repr__(self) -> str:
            return "'a'"

    f = jm.jit(lambda d: sum(value.sum() for value in d.values()))
    calls = [{Key(1): X, Key(2): X}, {Key(1): X, Key(2): Y}, {Key(1): Y, Key(2): X}]
    for given in (*calls, *calls, *calls):
        f(given)
    assert entries() == 3 * entries()[:3] and len(set(entries())) == 3


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    n: int


class Mutable:
    def __init__(self, n: int) -> None:
        self.n = n

    def __hash__(self) -> int:
        return hash(self.n)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mutable) and self.n == other.n


def test_a_static_value_that_changes_uses_the_entry_of_what_it_is_now() -> None:
    f = jm.jit(lambda x, c: x + c.n, static_argnums=1)
    config = Mutable(1)
    f(X, config)
    f(X, Mutable(2))
    f(X, config)
    config.n = 2
    f(X, config)
    assert entries()[3] == entries()[1] != entries()[0]


class ByIdentity:
    """Equal to itself alone, by its own methods: what it holds does not tell."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        return self is other


def test_values_that_only_their_class_can_tell_apart_have_their_own_entries() -> None:
    f = jm.jit(lambda x, c: x + c.n, static_argnums=1)
    values = [ByIdentity(1), ByIdentity(1), ByIdentity(2)]
    for value in (*values, *values, *values):
        f(X, value)
    assert entries() == 3 * entries()[:3] and len(set(entries())) == 3


@pytest.mark.parametrize(
    "make",
    [
        Config,
        lambda n: Plain(n),
        lambda n: (n, float(n), None),
        lambda n: np.dtype(("int32", "float32")[n - 1]),
        lambda n: (jnp.sin, jnp.cos)[n - 1],
        lambda n: (X.sum, Y.sum)[n - 1].__name__ * n,
        lambda n: functools.partial(max, n),
        lambda n: jax.sharding.PartitionSpec(None, "i" * n),
        lambda n: (sum, lambda: 3)[n - 1],
    ],
    ids=["dataclass", "namedtuple", "tuple", "dtype", "function", "text", "partial", "spec", "either"],
)
def test_entries_of_static_values_of_many_kinds(make: Callable[[int], Any]) -> None:
    f = jm.jit(lambda x, c: x + 1, static_argnums=1)
    values = [make(1), make(2)]
    for value in (*values, *values, *values):
        f(X, value)
    assert entries() == 3 * entries()[:2] and len(set(entries())) == 2


def test_arrays_of_other_types_share_the_entries() -> None:
    calls = [(X, Y), (Y, Y), (np.ones(3, "float32"), Y), (np.ones(4), Y), (X, np.ones(4)), (X, 1.0), (2.0, Y)]
    f = jm.jit(lambda x, y: jnp.sum(x) + jnp.sum(y))
    for call in (*calls, *calls, *calls):
        f(*call)
    used = entries()
    assert used == 3 * used[: len(calls)] and len(set(used)) == 4
    assert used[0] == used[2] == used[4] and used[1] == used[3]


def test_where_one_shape_tells_entries_apart_calls_of_other_forms_have_their_own_entries() -> None:
    f = jm.jit(lambda x, y=1.0: jnp.sum(x) * y)
    for _ in range(3):
        for x in (X, Y, Z):
            f(x)
    assert f._state.entries.attribution.shape_of == 0
    plain = entries()
    assert plain == 3 * plain[:3] and len(set(plain)) == 3
    jm.reset()
    forms = [((X,), {}), ((np.ones(4, "float32"),), {}), ((), {"x": Y}), ((X, 2.0), {}), ((2.0,), {}), ((Z,), {"y": 2.0})]
    for args, kwargs in (*forms, *forms, *forms):
        f(*args, **kwargs)
    used = entries()
    assert used == 3 * used[: len(forms)]
    assert used[:2] == plain[:2], "a NumPy array uses the entry of JAX's"
    assert len({*used[2:], *plain}) == 7, "a keyword, an option given and a Python number each have an entry of their own"


def test_what_stands_for_an_object_that_is_gone_stands_for_no_other() -> None:
    """Another object may have its address by then."""
    kept, gone = Box(X), Box(Y)
    tokens = [token(kept), token(kept), token(gone), token(gone)]
    assert tokens[0] == tokens[1] and tokens[2] == tokens[3] and tokens[0] != tokens[2]
    del gone
    assert tokens[0] == tokens[1] and tokens[2] != tokens[3]
