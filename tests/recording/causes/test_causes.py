"""Every cause that the design names, single and combined, each against what JAX really did on the call."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.recording.causes.differences import causes_of
from jupyter_jitmagic.recording.causes.signatures import signature_of
from tests.jax_oracle import call, causes, last

X = jnp.ones(4)
Y = jnp.ones((2, 3))


def scale(x: Any, n: Any = 3) -> Any:
    return x


def first(x: Any, *rest: Any, flag: Any = True, **options: Any) -> Any:
    return jax.tree.leaves(x)[0]


def optional(x: Any, mask: Any = None, s: Any = 2.0) -> Any:
    return x


class Scaler:
    __name__ = "scaler"

    def __call__(self, x: Any, n: Any = 3) -> Any:
        return x


class Pair(NamedTuple):
    w: Any
    b: Any


@jax.tree_util.register_pytree_with_keys_class
class Layer:
    def __init__(self, w: Any, name: str) -> None:
        self.w, self.name = w, name

    def tree_flatten_with_keys(self) -> Any:
        return [(jax.tree_util.GetAttrKey("w"), self.w)], self.name

    @classmethod
    def tree_unflatten(cls, name: str, children: Any) -> Any:
        return cls(children[0], name)


@functools.partial(jax.tree_util.register_dataclass, data_fields=["w"], meta_fields=["act"])
@dataclasses.dataclass
class Model:
    w: Any
    act: str


@dataclasses.dataclass(frozen=True)
class Config:
    n: int
    act: Any = None


class Plain:
    def __init__(self, n: int) -> None:
        self.n = n

    def act(self, x: Any) -> Any:
        return x


class HashOnly(Plain):
    """Equality stays that of objects."""

    def __hash__(self) -> int:
        return hash(self.n)


@jax.tree_util.register_pytree_node_class
class Keyless:
    """Registered without keys; what it keeps beside its child cannot be hashed."""

    def __init__(self, w: Any, options: Any) -> None:
        self.w, self.options = w, options

    def tree_flatten(self) -> Any:
        return (self.w,), self.options

    @classmethod
    def tree_unflatten(cls, options: Any, children: Any) -> Any:
        return cls(children[0], options)


@jax.tree_util.register_pytree_node_class
class Childless:
    """A node with metadata alone."""

    def __init__(self, name: Any) -> None:
        self.name = name

    def tree_flatten(self) -> Any:
        return (), self.name

    @classmethod
    def tree_unflatten(cls, name: Any, children: Any) -> Any:
        return cls(name)


class Mode(enum.Enum):
    TRAIN = 1
    EVAL = 2


def made_anew() -> Any:
    def act(x: Any) -> Any:
        return x

    return act


def closure_over(alpha: float) -> Any:
    def act(x: Any) -> Any:
        return x * alpha

    return act


S: dict[str, Any] = {"static_argnames": "n"}

MISSES: dict[str, tuple[Any, set[tuple[str, str]]]] = {
    "static that compares by identity": ((scale, call(X, HashOnly(1)), call(X, HashOnly(1)), S), {("static_identity", "n")}),
    "static of **options": (
        (first, call(X, depth=1), call(X, depth=2), {"static_argnames": "depth"}),
        {("static_value", "options['depth']")},
    ),
    "static of *args": ((first, call(X, 1), call(X, 2), {"static_argnums": 1}), {("static_value", "rest[0]")}),
    "static tree structure": (
        (scale, call(X, jax.tree.structure({"a": 1})), call(X, jax.tree.structure({"b": 1})), S),
        {("static_value", "n")},
    ),
    "keyless node's leaf": ((scale, call(Keyless(X, {"k": [1]})), call(Keyless(Y, {"k": [1]}))), {("shape", "x.w")}),
    "keyless node's options": (
        (scale, call(Keyless(X, {"k": [1]})), call(Keyless(X, {"k": [2]}))),
        {("pytree_structure", "x.options")},
    ),
    "array for a default of None": ((optional, call(X), call(X, X)), {("pytree_structure", "mask")}),
    "another kind of number than the default": ((optional, call(X), call(X, s=jnp.float32(2))), {("weak_type", "s")}),
    "another number than the default": ((optional, call(X), call(X, s=3.0)), {("calling_convention", "s")}),
    "None given for a default of None": ((optional, call(X), call(X, None)), {("calling_convention", "mask")}),
    "keyless node's options to None": (
        (scale, call(Keyless(X, 1)), call(Keyless(X, None))),
        {("pytree_structure", "x.options")},
    ),
    "a node without children": (
        (first, call([X, Childless("a")]), call([X, Childless("b")])),
        {("pytree_structure", "x[1].name")},
    ),
    "factory of an empty defaultdict": (
        (first, call([X, collections.defaultdict(int)]), call([X, collections.defaultdict(list)])),
        {("pytree_structure", "x[1]")},
    ),
    "key data for a key": (
        (scale, call(jax.random.key(0)), call(jax.random.PRNGKey(0))),
        {("dtype", "x"), ("shape", "x")},
    ),
    "donated": ((scale, call(X + 1), call(Y + 1), {"donate_argnums": 0}), {("shape", "x")}),
    "first call": ((scale, call(X)), {("first_call", "")}),
    "shape": ((scale, call(X), call(jnp.ones(5))), {("shape", "x")}),
    "rank": ((scale, call(X), call(Y)), {("shape", "x")}),
    "zero size": ((scale, call(X), call(jnp.ones(0))), {("shape", "x")}),
    "dtype": ((scale, call(X), call(jnp.ones(4, jnp.int32))), {("dtype", "x")}),
    "bool to int scalar": ((scale, call(X, True), call(X, 1)), {("dtype", "n"), ("weak_type", "n")}),
    "int to float scalar": ((scale, call(1), call(1.0)), {("dtype", "x")}),
    "shape and dtype of one leaf": ((scale, call(X), call(jnp.ones(5, jnp.int32))), {("shape", "x"), ("dtype", "x")}),
    "shapes of two arguments": ((scale, call(X, X), call(Y, Y)), {("shape", "x"), ("shape", "n")}),
    "key types": ((scale, call(jax.random.key(0)), call(jax.random.key(0, impl="rbg"))), {("dtype", "x")}),
    "old key for new key": (
        (first, call(jax.random.PRNGKey(0)), call({"k": jax.random.PRNGKey(0)})),
        {("pytree_structure", "x")},
    ),
    "weak type": ((scale, call(X, 3), call(X, jnp.int32(3))), {("weak_type", "n")}),
    "python float for np.float32": ((scale, call(1.0), call(np.float32(1))), {("weak_type", "x")}),
    "weak array": ((scale, call(jnp.asarray(1.0)), call(jnp.float32(1.0))), {("weak_type", "x")}),
    "static value": ((scale, call(X, 3), call(X, 4), S), {("static_value", "n")}),
    "static type": ((scale, call(X, 1), call(X, 1.0), S), {("static_value", "n")}),
    "static bool for int": ((scale, call(X, 1), call(X, True), S), {("static_value", "n")}),
    "static -1 and -2 (one hash)": ((scale, call(X, -1), call(X, -2), S), {("static_value", "n")}),
    "static numpy int": ((scale, call(X, 3), call(X, np.int64(3)), S), {("static_value", "n")}),
    "static nan": ((scale, call(X, float("nan")), call(X, float("nan")), S), {("static_value", "n")}),
    "static string": ((scale, call(X, "relu"), call(X, "tanh"), S), {("static_value", "n")}),
    "static long strings that end otherwise": (
        (scale, call(X, "a" * 99 + "b"), call(X, "a" * 99 + "c"), S),
        {("static_value", "n")},
    ),
    "static tuple": ((scale, call(X, (1, 2)), call(X, (1, 3)), S), {("static_value", "n")}),
    "static None": ((scale, call(X, None), call(X, 3), S), {("static_value", "n")}),
    "static enum": ((scale, call(X, Mode.TRAIN), call(X, Mode.EVAL), S), {("static_value", "n")}),
    "static frozen dataclass": ((scale, call(X, Config(1)), call(X, Config(2)), S), {("static_value", "n")}),
    "static dtype": ((scale, call(X, jnp.float32), call(X, jnp.int32), S), {("static_value", "n")}),
    "static function, another": ((scale, call(X, jnp.sin), call(X, jnp.cos), S), {("static_value", "n")}),
    "static by number": ((scale, call(X, 3), call(X, 4), {"static_argnums": 1}), {("static_value", "n")}),
    "static by negative number": ((scale, call(X, 3), call(X, 4), {"static_argnums": -1}), {("static_value", "n")}),
    "static lambda made anew": (
        (scale, call(X, made_anew()), call(X, made_anew()), S),
        {("static_identity", "n")},
    ),
    "static closure over another value": (
        (scale, call(X, closure_over(1.0)), call(X, closure_over(2.0)), S),
        {("static_value", "n")},
    ),
    "static partial made anew": (
        (scale, call(X, functools.partial(max, 1)), call(X, functools.partial(max, 1)), S),
        {("static_identity", "n")},
    ),
    "static partial, another value": (
        (scale, call(X, functools.partial(max, 1)), call(X, functools.partial(max, 2)), S),
        {("static_value", "n")},
    ),
    "static object made anew": ((scale, call(X, Plain(1)), call(X, Plain(1)), S), {("static_identity", "n")}),
    "static object, another value": ((scale, call(X, Plain(1)), call(X, Plain(2)), S), {("static_value", "n")}),
    "static dataclass holding a lambda made anew": (
        (scale, call(X, Config(1, made_anew())), call(X, Config(1, made_anew())), S),
        {("static_identity", "n")},
    ),
    "static bound method of an object made anew": (
        (scale, call(X, Plain(1).act), call(X, Plain(1).act), S),
        {("static_identity", "n")},
    ),
    "dict key": ((scale, call({"a": X}), call({"a": X, "b": X})), {("pytree_structure", "x")}),
    "list length": ((scale, call([X]), call([X, X])), {("pytree_structure", "x")}),
    "list for tuple": ((scale, call([X]), call((X,))), {("pytree_structure", "x")}),
    "None for array": ((scale, call({"a": X, "m": None}), call({"a": X, "m": X})), {("pytree_structure", "x['m']")}),
    "nested": (
        (scale, call({"a": [X, (X, {"w": X})]}), call({"a": [X, (X, {"v": X})]})),
        {("pytree_structure", "x['a'][1][1]")},
    ),
    "namedtuple for tuple": ((scale, call((X, X)), call(Pair(X, X))), {("pytree_structure", "x")}),
    "namedtuple field": ((scale, call(Pair(X, X)), call(Pair(X, jnp.ones(5)))), {("shape", "x.b")}),
    "custom node's leaf": ((scale, call([Layer(X, "a")]), call([Layer(Y, "a")])), {("shape", "x[0].w")}),
    "custom node's metadata": ((scale, call([Layer(X, "a")]), call([Layer(X, "b")])), {("pytree_structure", "x[0].name")}),
    "dataclass node's metadata": (
        (scale, call(Model(X, "relu")), call(Model(X, "tanh"))),
        {("pytree_structure", "x.act")},
    ),
    "OrderedDict order": (
        (scale, call(collections.OrderedDict(a=X, b=X)), call(collections.OrderedDict(b=X, a=X))),
        {("pytree_structure", "x")},
    ),
    "dict for OrderedDict": ((scale, call({"a": X}), call(collections.OrderedDict(a=X))), {("pytree_structure", "x")}),
    "defaultdict factory": (
        (scale, call(collections.defaultdict(int, a=X)), call(collections.defaultdict(float, a=X))),
        {("pytree_structure", "x")},
    ),
    "one more of *args": ((first, call(X, X), call(X, X, X)), {("pytree_structure", "rest[1]")}),
    "shape in *args": ((first, call(X, X, X), call(X, X, Y)), {("shape", "rest[1]")}),
    "shape in **options": ((first, call(X, beta=X), call(X, beta=Y)), {("shape", "options['beta']")}),
    "one more of **options": ((first, call(X), call(X, beta=Y)), {("pytree_structure", "options['beta']")}),
    "leaf in a dict": ((scale, call({"w": X}), call({"w": Y})), {("shape", "x['w']")}),
    "list element": ((scale, call([X, X]), call([X, Y])), {("shape", "x[1]")}),
    "keyword for position": ((scale, call(X, 3), call(X, n=3)), {("calling_convention", "n")}),
    "static keyword for position": ((scale, call(X, 3), call(X, n=3), S), {("calling_convention", "n")}),
    "keyword for default": ((scale, call(X), call(X, n=3)), {("calling_convention", "n")}),
    "static keyword for default": ((scale, call(X), call(X, n=3), S), {("calling_convention", "n")}),
    "static other value than the default": ((scale, call(X), call(X, n=4), S), {("static_value", "n")}),
    "keyword-only, given for default": ((first, call(X), call(X, flag=True)), {("calling_convention", "flag")}),
    "static value and convention": (
        (scale, call(X, 3), call(X, n=4), S),
        {("static_value", "n"), ("calling_convention", "n")},
    ),
    "shape and static value": ((scale, call(X, 3), call(Y, 4), S), {("shape", "x"), ("static_value", "n")}),
    "the nearest, not the last": (
        (scale, call(X, 3), call(jnp.ones((7, 7), jnp.int32), 9), call(X, 4), S),
        {("static_value", "n")},
    ),
    "of equally near ones": ((scale, call(X, 3), call(X, 4), call(X, 5), S), {("static_value", "n")}),
}

HITS: dict[str, Any] = {
    "the same": (scale, call(X), call(jnp.zeros(4))),
    "NumPy for jax array": (scale, call(X), call(np.ones(4, np.float32))),
    "NumPy float64 without x64": (scale, call(X), call(np.ones(4))),
    "np.int64 for np.int32 without x64": (scale, call(np.int32(1)), call(np.int64(1))),
    "NumPy scalar for an array": (scale, call(np.float32(1)), call(jnp.float32(1))),
    "keyword order": (scale, call(x=X, n=3), call(n=3, x=X)),
    "dict order": (scale, call({"a": X, "b": X}), call({"b": X, "a": X})),
    "equal static": (scale, call(X, (1, 2)), call(X, (1, 2)), S),
    "equal static of nested number types": (scale, call(X, (1, 2)), call(X, (1.0, True + 1)), S),
    "static 0.0 and -0.0": (scale, call(X, 0.0), call(X, -0.0), S),
    "equal frozen dataclass": (scale, call(X, Config(1, jnp.sin)), call(X, Config(1, jnp.sin)), S),
    "the same static function": (scale, call(X, jnp.sin), call(X, jnp.sin), S),
    "equal long string": (scale, call(X, "a" * 100), call(X, "".join(["a"] * 100)), S),
    "scalar value": (scale, call(X, 3), call(X, 4)),
    "weak array for a python scalar": (scale, call(1.0), call(jnp.asarray(2.0))),
    "equal metadata": (scale, call(Model(X, "relu")), call(Model(X + 1, "relu"))),
    "key": (scale, call(jax.random.key(0)), call(jax.random.key(1))),
    "equal options of a keyless node": (scale, call(Keyless(X, {"k": [1]})), call(Keyless(X, {"k": [1]}))),
    "equal tree structures": (scale, call(X, jax.tree.structure([1])), call(X, jax.tree.structure([1])), S),
    "a NumPy view": (scale, call(np.ones((2, 2), np.float32)), call(np.ones((4, 4), np.float32)[::2, ::2])),
    "an earlier entry": (scale, call(X), call(Y), call(X)),
}


def split(case: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    fun, *calls = case
    options = calls.pop() if isinstance(calls[-1], dict) else {}
    return fun, tuple(calls), options


@pytest.mark.parametrize("name", MISSES)
def test_a_miss_has_exactly_its_causes(name: str) -> None:
    case, expected = MISSES[name]
    fun, calls, options = split(case)
    assert causes(fun, *calls, **options) == expected


@pytest.mark.parametrize("name", HITS)
def test_what_jax_takes_from_its_cache_is_no_miss_to_us(name: str) -> None:
    fun, calls, options = split(HITS[name])
    assert causes(fun, *calls, **options) == set()


def test_texts_are_short_avals_and_values_before_and_now() -> None:
    assert last(scale, call(X), call(jnp.ones(5))) == (Cause("shape", "x", "f32[4]", "f32[5]"),)
    assert last(scale, call(X, 3), call(X, 8), **S) == (Cause("static_value", "n", "3", "8"),)
    assert last(scale, call(X), call(X, n=8), **S) == (Cause("static_value", "n", "3 (default)", "8"),)
    assert last(scale, call(X, 3), call(X, jnp.int32(3))) == (
        Cause("weak_type", "n", "i32[]{weak_type=True}", "i32[]{weak_type=False}"),
    )
    assert last(scale, call({"a": X}), call({"a": X, "b": X})) == (Cause("pytree_structure", "x", "{'a'}", "{'a', 'b'}"),)
    assert last(scale, call(X, 3), call(X, n=3)) == (Cause("calling_convention", "n", "positional", "keyword"),)
    assert last(scale, call({"a": None}), call({"a": X}))[0].now == "f32[4]"


def test_of_a_long_static_tuple_the_part_that_differs_is_told() -> None:
    config = (tuple(range(20)), "adam", ("relu",) * 20)
    other = (*config[:2], (*config[2][:-1], "tanh"))
    assert last(scale, call(X, config), call(X, other), **S) == (
        Cause("static_value", "n", "(…, 'relu', …)", "(…, 'tanh', …)"),
    )


def test_callable_objects_and_partials_name_their_arguments() -> None:
    assert causes(Scaler(), call(X, 1), call(X, 2), **S) == {("static_value", "n")}
    assert causes(functools.partial(scale, n=2), call(X), call(Y)) == {("shape", "x")}


def test_every_differing_leaf_has_its_row() -> None:
    many = [jnp.ones(i + 1) for i in range(30)]
    found = last(scale, call(many), call([leaf[None] for leaf in many]))
    assert [cause.argument for cause in found] == [f"x[{i}]" for i in range(30)]
    assert {cause.cause for cause in found} == {"shape"}


@pytest.mark.parametrize(
    ("context", "name"),
    [
        (lambda: jax.default_matmul_precision("float32"), "jax_default_matmul_precision"),
        (lambda: jax.numpy_dtype_promotion("strict"), "jax_numpy_dtype_promotion"),
        (lambda: jax.numpy_rank_promotion("raise"), "jax_numpy_rank_promotion"),
        (lambda: jax.enable_x64(True), "jax_enable_x64"),
        (lambda: jax.threefry_partitionable(False), "jax_threefry_partitionable"),
        (lambda: jax.default_device(jax.devices()[0]), "jax_default_device"),
    ],
)
def test_configuration_is_named_by_its_option(context: Any, name: str) -> None:
    from tests.jax_oracle import Watched

    watched = Watched(scale)
    watched(X)
    with context():
        missed, found = watched(X)
    assert missed
    assert [(cause.cause, cause.argument) for cause in found] == [("config", name)]
    assert found[0].before != found[0].now


def test_x64_changes_the_option_and_the_dtype_of_numpy_input() -> None:
    from tests.jax_oracle import Watched

    watched = Watched(scale)
    watched(np.ones(3))
    with jax.enable_x64(True):
        _, found = watched(np.ones(3))
    assert {(cause.cause, cause.argument) for cause in found} == {("config", "jax_enable_x64"), ("dtype", "x")}


@pytest.mark.parametrize("context", [lambda: jax.debug_nans(True), lambda: jax.log_compiles(False), jax.checking_leaks])
def test_options_outside_the_key_are_no_difference(context: Any) -> None:
    before = signature_of(scale, (X,), {})
    with context():
        assert signature_of(scale, (X,), {}) == before


def test_a_function_created_again_is_told_with_what_else_is_new() -> None:
    old, new = signature_of(scale, (X,), {}), signature_of(scale, (Y,), {})
    assert causes_of(old, [], remade=[old]) == (Cause("new_function"),)
    assert {cause.cause for cause in causes_of(new, [], remade=[old])} == {"new_function", "shape"}
    assert causes_of(new, [], remade=[]) == (Cause("new_function"),)


def test_a_function_created_again_with_other_parameters_is_only_new() -> None:
    old = signature_of(lambda x, y: x, (X, X), {})
    assert causes_of(signature_of(scale, (Y,), {}), [], remade=[old]) == (Cause("new_function"),)


def test_nothing_differs_means_cleared_only_with_evidence() -> None:
    now = signature_of(scale, (X,), {})
    assert causes_of(now, [now], cleared=True) == (Cause("cleared"),)
    assert causes_of(now, [now]) == (Cause("unknown"),)


def test_a_new_shape_after_clearing_is_the_shape() -> None:
    old, new = signature_of(scale, (X,), {}), signature_of(scale, (Y,), {})
    assert {cause.cause for cause in causes_of(new, [old], cleared=True)} == {"shape"}


def test_the_first_call_under_a_transformation_is_its_own_first_call() -> None:
    plain = signature_of(scale, (X,), {})
    under = signature_of(scale, (X,), {}, transformation="grad")
    assert causes_of(under, [plain]) == (Cause("first_call", now="under grad"),)
    assert causes_of(signature_of(scale, (Y,), {}, transformation="grad"), [plain, under])[0].cause == "shape"


def test_passing_a_static_value_in_another_way_is_nearer_to_that_value_than_to_many_later_ones() -> None:
    earlier = [signature_of(scale, (X, n), {}, static_argnames="n") for n in range(20)]
    now = signature_of(scale, (X,), {"n": 2}, static_argnames="n")
    assert causes_of(now, earlier) == (Cause("calling_convention", "n", "positional", "keyword"),)


def test_a_thousand_earlier_entries_of_a_large_model_are_searched_quickly() -> None:
    params = {f"layer{i}": {"w": np.ones((2, 3), np.float32), "b": np.ones(3, np.float32)} for i in range(50)}
    earlier = [signature_of(scale, (params, i), {}, static_argnames="n") for i in range(200)]
    found = causes_of(signature_of(scale, (params, 999), {}, static_argnames="n"), earlier)
    assert found == (Cause("static_value", "n", "199", "999"),)
