"""Signatures: equal exactly when JAX's key is, short in every text, and holding nothing of the user's."""

from __future__ import annotations

import dataclasses
import functools
import gc
import itertools
import time
import weakref
from typing import Any

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from jupyter_jitmagic.base import jax_internals
from jupyter_jitmagic.base.value_texts import TEXT_LIMIT, shown
from jupyter_jitmagic.base.values import Value
from jupyter_jitmagic.recording.causes.signatures import signature_of
from jupyter_jitmagic.recording.causes.trace_context import config_context
from tests.jax_oracle import Watched

X = jnp.ones(4)


def same(x: Any, n: Any = 3, *rest: Any, k: Any = None) -> Any:
    return x


# ---- the property that everything rests on


@dataclasses.dataclass(frozen=True)
class Setting:
    n: int


_numbers = st.sampled_from([0, 1, 1.0, True, 0.0, -0.0, -1, -2, 2.5, 1j, np.int64(1), np.float32(1)])
_static_values = st.one_of(
    _numbers,
    st.sampled_from(["a", "b", "", None, (), (1,), (1.0,), (True, "a"), frozenset({1}), frozenset({1.0}), ("a", ("b", 1))]),
    st.builds(Setting, st.integers(0, 2)),
)
_scalars = st.sampled_from([1, 2, 1.0, True, np.int32(1), np.float64(1), 2j])
_arrays = st.builds(
    lambda shape, dtype, numpy: (np if numpy else jnp).ones(shape, dtype),
    st.sampled_from([(), (2,), (3,), (2, 2), (0,)]),
    st.sampled_from(["float32", "int32", "bool"]),
    st.booleans(),
)
_leaves = st.one_of(_scalars, _arrays, st.sampled_from([np.ones(2), jnp.asarray(1.0), None]))
_trees = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    ),
    max_leaves=4,
)


@st.composite
def random_calls(draw: st.DrawFn) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """x always; n (static) by position, by keyword or not at all; k by keyword or not."""
    args: tuple[Any, ...] = (draw(_trees),)
    kwargs: dict[str, Any] = {}
    how = draw(st.sampled_from(["position", "keyword", "default"]))
    if how == "position":
        args += (draw(_static_values), *draw(st.lists(_leaves, max_size=1)))
    elif how == "keyword":
        kwargs["n"] = draw(_static_values)
    if draw(st.booleans()):
        kwargs["k"] = draw(_trees)
    return args, kwargs


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(random_calls(), min_size=2, max_size=5), st.data())
def test_we_say_same_exactly_when_jax_neither_traces_nor_lowers_nor_compiles(calls: list[Any], data: st.DataObject) -> None:
    watched = Watched(same, static_argnames="n")
    repeated = [*calls, *data.draw(st.lists(st.sampled_from(calls), max_size=3))]
    for args, kwargs in repeated:
        missed, causes = watched(*args, **kwargs)
        assert missed is not watched.same, (args, kwargs, causes)
        assert not any(cause.cause == "unknown" for cause in causes), causes
        assert bool(causes) is missed


# ---- names and texts


def test_arguments_are_named_as_the_user_writes_them() -> None:
    def step(params: Any, *batches: Any, lr: Any, **more: Any) -> Any:
        return params

    found = signature_of(step, ([{"w": X}], X, {"y": X}), {"lr": 0.1, "extra": X})
    assert [leaf.path for leaf in found.leaves] == ["params[0]['w']", "batches[0]", "batches[1]['y']", "more['extra']", "lr"]


def test_avals_are_jax_short_forms_with_weak_types_marked() -> None:
    found = signature_of(same, (jnp.ones((4, 3)), 2), {"k": {"w": X, "b": None}}, static_argnames="n")
    assert found.avals == "f32[4,3], k={'b': None, 'w': f32[4]}"
    assert found.static == {"n": "2"}
    assert signature_of(same, (1.0, (X,)), {}).avals == "~f32[], (f32[4],)"
    assert signature_of(same, (jax.random.key(0),), {}).avals == "key<fry>[]"


def test_avals_of_a_large_model_stay_short() -> None:
    params = {f"layer{i:03}": {"w": X, "b": X} for i in range(200)}
    text = signature_of(same, (params,), {}).avals
    assert text.endswith("(400 leaves)")
    assert len(text) < 250


def test_the_batch_is_shown_beside_a_large_model() -> None:
    model, batch = {"w": [X] * 9, "b": X}, jnp.ones((32, 2))
    shown = signature_of(same, (model, batch), {}).avals
    assert shown == "{'b': f32[4], 'w': [f32[4], f32[4], f32[4], f32[4], f32[4], f32[4], …]}, f32[32,2] (11 leaves)"
    assert signature_of(same, (X,) * 9, {}).avals == f"{', '.join(['f32[4]'] * 8)}, … (9 leaves)"


def test_static_numbers_and_names_infer_each_other_as_in_jax() -> None:
    for options in ({"static_argnames": "n"}, {"static_argnums": 1}, {"static_argnums": (-1,)}):
        fun = (lambda x, n: x) if options == {"static_argnums": (-1,)} else same
        assert signature_of(fun, (X, 5), {}, **options).static["n"] == "5"
        assert signature_of(fun, (X,), {"n": 5}, **options).static["n"] == "5"


def test_functions_that_do_not_tell_their_parameters_are_named_by_position() -> None:
    assert next(leaf.path for leaf in signature_of(print, (X,), {"z": X}).leaves) == "args[0]"
    assert signature_of(jnp.add, (X, X), {}).avals == "f32[4], f32[4]"


# ---- nothing of the user's lives on


class Held:
    def __init__(self) -> None:
        self.data = np.ones(10)


def test_no_array_static_or_metadata_is_kept_alive() -> None:
    held, array = Held(), jnp.ones(1000)
    ends = [weakref.ref(held), weakref.ref(array), weakref.ref(function := (lambda y: y))]
    found = signature_of(same, ({"w": array}, held), {"k": X}, static_argnames="n")
    other = signature_of(same, (X, function), {}, static_argnames="n")
    del held, array, function
    gc.collect()
    assert [end() for end in ends] == [None] * 3
    assert found.static["n"].startswith("Held(") and "function" not in other.static["n"]


def test_leaves_and_configuration_are_shared_between_signatures() -> None:
    one, two = (signature_of(same, ({"w": X, "v": X}, i), {}, static_argnames="n") for i in range(2))
    assert one.config is two.config
    assert all(a is b for a, b in zip(one.leaves, two.leaves, strict=True))


# ---- hostile values


class Hostile:
    """`==` and `repr` raise; the hash is its own."""

    def __hash__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Unhashable:
    __hash__ = None  # type: ignore[assignment]


class SlowRepr:
    def __repr__(self) -> str:
        time.sleep(1)
        return "late"


class OneHash:
    """All hash alike; equality decides."""

    def __init__(self, n: int, note: str = "") -> None:
        self.n, self.note = n, note

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OneHash) and self.n == other.n


@dataclasses.dataclass(frozen=True)
class Login:
    user: str
    api_token: str


def test_values_that_raise_still_have_a_text_and_a_fingerprint() -> None:
    one, two = Hostile(), Hostile()
    assert Value(one).text == "Hostile()"
    assert Value(one) == Value(two)  # nothing that may be asked tells them apart
    assert Value(Unhashable()).by_identity


def test_a_slow_repr_is_given_up_once_and_not_asked_again() -> None:
    started = time.perf_counter()
    assert [shown(SlowRepr()) for _ in range(20)] == ["SlowRepr()"] * 20
    assert time.perf_counter() - started < 0.9


def test_texts_are_cut() -> None:
    giants = ["x" * 10**6, b"y" * 10**6, tuple(range(10**5)), {i: i for i in range(10**4)}, 10**5000, Held(), [[[[[[1]]]]]]]
    for giant in giants:
        assert len(shown(giant)) <= TEXT_LIMIT


def test_arrays_in_statics_are_told_by_type_and_never_printed() -> None:
    assert shown(np.arange(5.0)) == "<ndarray float64[5]>"
    assert "1." not in shown(Held())


def test_secrets_are_not_shown() -> None:
    assert "hunter2" not in shown(Login("me", "hunter2"))
    assert "hunter2" not in shown({"password": "hunter2"})
    found = signature_of(lambda x, api_key: x, (X, "hunter2"), {}, static_argnames="api_key")
    assert "hunter2" not in repr(found)


def test_own_equality_decides_while_the_objects_live() -> None:
    one, twin, other = OneHash(1, "a"), OneHash(1, "b"), OneHash(2, "a")
    assert Value(one) == Value(twin)
    assert Value(one) != Value(other)


def test_equal_looking_is_told_from_different_looking() -> None:
    def make(n: int) -> Any:
        return lambda x: x * n

    assert Value(make(1)).looks_like(Value(make(1)))
    assert not Value(make(1)).looks_like(Value(make(2)))
    assert Value(functools.partial(make, 1)).looks_like(Value(functools.partial(make, 1)))
    assert Value(make(1)) != Value(make(1))


def test_fingerprints_agree_with_equality_of_plain_values() -> None:
    values = [0, 0.0, False, 1, True, 1.0, -1, -2, "1", b"1", None, (1,), (1.0,), (2,), "a" * 50, "a" * 50 + "b", 10**100]
    for a, b in itertools.product(values, values):
        assert (Value(a) == Value(b)) is (type(a) is type(b) and a == b), (a, b)


# ---- the door to JAX


def test_the_configuration_in_jax_key_can_still_be_read() -> None:
    """Contract: JAX names each part of its tracing context."""
    names = {name for name, _ in jax_internals.jit_config()}
    assert {"jax_enable_x64", "jax_default_matmul_precision", "jax_default_device", "concrete_mesh"} <= names


def test_without_the_internals_public_options_still_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    from jax._src import config

    monkeypatch.setattr(config, "trace_context_names", None)
    before = config_context()
    with jax.enable_x64(True):
        assert dict(config_context())["jax_enable_x64"] == "True"
    assert dict(before)["jax_enable_x64"] == "False"
