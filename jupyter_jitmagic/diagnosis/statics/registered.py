"""A dataclass that JAX does not know: whether the call traces once it is registered as a pytree, or frozen and static."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import sys
import types
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute, attributes, has
from jupyter_jitmagic.diagnosis.call.calls import Argument, Call, bind, is_jax_type
from jupyter_jitmagic.diagnosis.statics.search import call_error
from jupyter_jitmagic.usercode.ownership import is_library_type


@dataclasses.dataclass(frozen=True)
class Registered:
    """`fixed`: fields that would have to be static; `traces`: a trace with the other fields traced came to its end."""

    fixed: tuple[str, ...]
    traces: bool


def registered(call: Call, argument: Argument, held: tuple[str, ...] = ()) -> Registered | None:
    """What registering the argument's class would do, with the fields `held` as static ones, too; None for what is no dataclass
    with arrays.

    The class itself stays as it is: its fields are handed over as a dict, and the object is made again inside the trace.
    """
    value = argument.value
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return None
    fields = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    traced = {
        name: each
        for name, each in fields.items()
        if name not in held and all(map(is_jax_type, jax.tree_util.tree_leaves(each)))
    }
    fixed = tuple(name for name in fields if name not in traced)
    if not any(isinstance(leaf, (jax.Array, np.ndarray)) for leaf in jax.tree_util.tree_leaves(traced)):
        return None
    if not all(is_hashable(fields[name]) for name in fixed):
        return None
    if not _keeps_its_fields(value):
        return Registered(fixed, False)

    @functools.wraps(call.fun)
    def with_object(*args: Any, **kwargs: Any) -> Any:
        inside = bind(call.fun, args, kwargs, call.declared)
        made = copy.copy(value)
        for name, each in inside.argument(argument.name).value.items():
            object.__setattr__(made, name, each)
        args, kwargs = inside.with_values({argument.name: made})
        return _taken_apart(call.fun(*args, **kwargs), {type(value): fixed})

    args, kwargs = call.with_values({argument.name: traced})
    return Registered(fixed, call_error(bind(with_object, args, kwargs, call.declared), frozenset(), 2.0) is None)


def registered_results(call: Call) -> dict[type, tuple[str, ...]]:
    """The dataclasses whose objects the call returns, with the fields that would have to be static; {} where it does not trace
    with these as pytrees, or they cannot be made again of their fields alone, as JAX does."""
    fixed: dict[type, tuple[str, ...]] = {}

    @functools.wraps(call.fun)
    def with_results(*args: Any, **kwargs: Any) -> Any:
        result = call.fun(*args, **kwargs)
        for leaf in jax.tree_util.tree_leaves(result):
            if dataclasses.is_dataclass(type(leaf)) and not is_library_type(type(leaf)):
                fixed[type(leaf)] = tuple(dict.fromkeys((*fixed.get(type(leaf), ()), *_without_arrays(leaf))))
        return _taken_apart(result, fixed)

    error = call_error(bind(with_results, call.args, call.kwargs, call.declared), frozenset(), 2.0)
    return fixed if error is None else {}


def _without_arrays(value: Any) -> list[str]:
    """The fields of an object that would have to be static.

    Raises:
        TypeError: JAX could not make the object again: one of these holds what is traced, or what is not hashable, or the
            class does more than to keep what it is given.
    """
    if not _keeps_its_fields(value):
        raise TypeError("it is more than its fields")
    fields = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    found = [name for name, each in fields.items() if not all(map(is_jax_type, jax.tree_util.tree_leaves(each)))]
    for name in found:
        leaves = jax.tree_util.tree_leaves(fields[name])
        if not is_hashable(fields[name]) or any(
            isinstance(leaf, jax.Array) or dataclasses.is_dataclass(leaf) for leaf in leaves
        ):
            raise TypeError(f"{name} holds arrays beside what is none")
    return found


def _keeps_its_fields(value: Any) -> bool:
    """Whether an object is made of its fields, each as it is given: nothing is computed when it is made again."""
    kind, names = type(value), [field.name for field in dataclasses.fields(value)]
    if has(value, "__post_init__") or "__init__" not in vars(kind) or not attribute(kind, "__dataclass_params__").init:
        return False
    code = attribute(vars(kind)["__init__"], "__code__")
    generated = code is not None and code.co_filename == "<string>"  # by dataclasses itself
    return generated and [*inspect.signature(kind).parameters] == names


def _taken_apart(result: Any, fixed: Mapping[type, tuple[str, ...]]) -> Any:
    """A result with the objects of these classes as dicts of their fields, those without that would be static."""

    def fields_of(leaf: Any) -> Any:
        if type(leaf) not in fixed:
            return leaf
        held = [getattr(leaf, name, None) for name in fixed[type(leaf)]]
        if any(isinstance(each, jax.core.Tracer) for each in jax.tree_util.tree_leaves(held)):
            raise TypeError("a field that would be static is traced")
        names = [field.name for field in dataclasses.fields(leaf) if field.name not in fixed[type(leaf)]]
        return {name: _taken_apart(getattr(leaf, name, None), fixed) for name in names}

    return jax.tree_util.tree_map(fields_of, result)


def traces_frozen(call: Call, argument: Argument) -> bool:
    """Whether the call traces with the argument's dataclass as a frozen one, and static: nothing sets its fields, its own code
    neither when it is made nor in the call. The class itself stays as it is: a copy is handed to the function."""
    value, kind = argument.value, type(argument.value)
    made_by_others = any(dataclasses.is_dataclass(base) for base in kind.__mro__[1:]) or is_library_type(kind)
    if not dataclasses.is_dataclass(value) or isinstance(value, type) or made_by_others or has(value, "__post_init__"):
        return False
    fields = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    options = attribute(kind, "__dataclass_params__")
    if not options.init or not all(map(is_hashable, fields.values())) or set(attributes(value) or {}) - set(fields):
        return False
    made = copy.copy(value)
    return _traces_with(call, argument, made) and all(getattr(made, name, None) is each for name, each in fields.items())


def traces_bound(call: Call, argument: Argument) -> bool:
    """Whether the call traces with the argument bound beforehand (`functools.partial(f, cfg=cfg)`): nothing of it is traced."""
    return _traces_with(call, argument, argument.value)


def _traces_with(call: Call, argument: Argument, value: Any) -> bool:
    """Whether the call traces where the function gets this value, of which jit sees nothing."""

    @functools.wraps(call.fun)
    def with_it(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = bind(call.fun, args, kwargs, call.declared).with_values({argument.name: value})
        return call.fun(*args, **kwargs)

    args, kwargs = call.with_values({argument.name: None})  # of which nothing is traced
    return call_error(bind(with_it, args, kwargs, call.declared), frozenset(), 2.0) is None


def traces_arrays_alone(call: Call) -> bool:
    """Whether the call traces where arrays alone are traced, and every other leaf is as it is (`equinox.filter_jit`)."""
    leaves, tree = jax.tree_util.tree_flatten((call.args, call.kwargs))
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, (jax.Array, np.ndarray, np.generic))]

    @functools.wraps(call.fun)
    def of_arrays(arrays: list[Any]) -> Any:
        given = dict(zip(places, arrays, strict=True))
        args, kwargs = tree.unflatten([given.get(place, leaf) for place, leaf in enumerate(leaves)])
        return call.fun(*args, **kwargs)

    del of_arrays.__wrapped__  # it has another signature
    return call_error(bind(of_arrays, ([leaves[place] for place in places],), {}), frozenset(), 2.0) is None


def is_known(value: object) -> bool:
    """Whether JAX takes a dataclass apart: its class is registered."""
    return dataclasses.is_dataclass(value) and not jax.tree_util.all_leaves([value])


def library_of_fields(kind: type) -> str:
    """The library with whose word a dataclass tells its static fields; "" where that is JAX's metadata."""
    if any(each.__module__.partition(".")[0] == "equinox" for each in kind.__mro__):
        return "equinox"
    return "flax" if attribute(kind, "_flax_dataclass", False) else ""


def is_of_a_library(kind: type) -> bool:
    """Whether nobody here changes the class."""
    return is_library_type(kind)


def is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def is_fixed(value: Any) -> bool:
    """Whether a value that jit does not take can be static: hashable by what it is, no object that may change behind its hash,
    and no function made in each call anew."""
    if isinstance(value, types.FunctionType):
        wrapped = "<locals>" in value.__code__.co_qualname  # its name is that of another, as with `jax.grad(f)`
        found = getattr(sys.modules.get(value.__module__), value.__name__, None) is value
        return "<locals>" not in value.__qualname__ and (found or not wrapped)
    if isinstance(value, types.MethodType):
        return is_fixed(value.__self__)
    hashing: Any = type(value).__hash__
    keeps = callable(value) and (isinstance(value, type) or is_library_type(type(value)))
    return is_hashable(value) and (keeps or hashing is not object.__hash__)
