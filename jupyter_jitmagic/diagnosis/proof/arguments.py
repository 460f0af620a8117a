"""The arguments of a run: which are static, what its trace depends on, and the call with other values of the static ones."""

from __future__ import annotations

import enum
import inspect
import itertools
import types
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.base.looking import attribute, attributes, in_class
from jupyter_jitmagic.diagnosis.proof.filtering import is_array

ARRAYS_ALONE = "<arrays alone>"
"""Among `static`: the jit traces arrays alone and keeps every other leaf, as ``equinox.filter_jit`` does."""

MAX_BYTES = 64 << 20
"""Of arguments; above, nothing is run."""


def bytes_of(arguments: Any) -> int:
    """How many bytes its arrays have together."""
    sizes = (attribute(leaf, "nbytes", 0) for leaf in jax.tree_util.tree_leaves(arguments))
    return sum(size for size in sizes if type(size) is int)


def is_traced(leaf: Any, static: Collection[Any]) -> bool:
    """Whether a leaf of an argument that is not static is traced."""
    return ARRAYS_ALONE not in static or is_array(leaf)


@dataclass(frozen=True)
class Input:
    """Arguments of one run; `kind` says how they differ from the call's own ("call": they do not)."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    kind: str


@dataclass(frozen=True, eq=False)
class JitCall:
    """A function, the arguments of one call of it, and which of them jit holds static, by name or position."""

    fun: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    static: tuple[str | int, ...] = ()
    carried: frozenset[str] = frozenset()
    """Objects whose state the jit carries out again (`proof.carrying`)."""

    @property
    def fixed(self) -> set[Any]:
        """See `static_split`."""
        return static_split(self.fun, self.args, self.kwargs, self.static)


def static_split(
    fun: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], static: Sequence[str | int]
) -> set[Any]:
    """Positions and keywords of the call's arguments that are static; ARRAYS_ALONE with them."""
    if not static:
        return set()
    fixed: set[Any] = {s for s in static if isinstance(s, int) or s in kwargs or s == ARRAYS_ALONE}
    names = _names_known(fun) if type(fun) is types.FunctionType else _names_of(fun)
    fixed.update(position for position, name in enumerate(names[: len(args)]) if name in static)
    return fixed


def _names_of(fun: Callable[..., Any]) -> tuple[str | None, ...]:
    """The names of its parameters in order, None for one that takes all that are left; nothing where they cannot be told."""
    try:
        parameters = inspect.signature(fun).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(None if each.kind is inspect.Parameter.VAR_POSITIONAL else each.name for each in parameters)


_known: weakref.WeakKeyDictionary[types.FunctionType, tuple[str | None, ...]] = weakref.WeakKeyDictionary()


def _names_known(fun: types.FunctionType) -> tuple[str | None, ...]:
    """`_names_of`, read once: each input that is made asks for them, and reading a signature takes longer than making it."""
    if fun not in _known:
        _known[fun] = _names_of(fun)
    return _known[fun]


_MOST_FOR_NONE = 3


def other_statics(call: JitCall, words: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The call with other values of its static arguments: each switched, counted differently, or by another name of `words`,
    which may stand in the place of None as well."""
    args, kwargs, calls = call.args, call.kwargs, []
    for key in sorted(call.fixed - {ARRAYS_ALONE}, key=str):
        value = kwargs[key] if isinstance(key, str) else args[key] if key < len(args) else None
        others = list(dict.fromkeys(words))[:_MOST_FOR_NONE] if value is None else _other_values(value, words)
        calls.append([(key, other) for other in others])
    in_turn = itertools.chain.from_iterable(itertools.zip_longest(*calls))
    for key, other in (change for change in in_turn if change is not None):
        if isinstance(key, str):
            yield args, {**kwargs, key: other}
        else:
            yield (*args[:key], other, *args[key + 1 :]), dict(kwargs)


def other_options(
    call: JitCall, words: Sequence[str], compared: Callable[[str], Sequence[int | str]] = lambda name: ()
) -> Iterator[dict[str, Any]]:
    """Static arguments that the call leaves out, each by itself with another value than its default; of what the code compares
    an option with (`compared`, by its name), then one that it does not name: an `else` stands for that."""
    try:
        signature = inspect.signature(call.fun)
        bound = signature.bind(*call.args, **call.kwargs).arguments
    except (TypeError, ValueError):
        return
    for name in call.static:
        if isinstance(name, str) and name in signature.parameters and name not in bound:
            default = signature.parameters[name].default
            kind = str if default is None else type(default)
            named = [value for value in compared(name) if type(value) is kind]
            others = [default + 1, 2, 0] if type(default) is int else _other_values(default, words)
            beyond = [_not_among([default, *named])] if named and default is not None else []
            yield from ({name: other} for other in dict.fromkeys([*named[:3], *beyond, *others]) if other != default)


def _not_among(values: Sequence[Any]) -> Any:
    """A value like these that is none of them."""
    return "other" + "_" * ("other" in values) if isinstance(values[0], str) else max(values) + 1


def _other_values(value: Any, words: Sequence[str]) -> list[Any]:
    if isinstance(value, bool | np.bool_):
        return [type(value)(not value)]
    if isinstance(value, enum.Enum):
        return [member for member in type(value) if member is not value][:4]
    if isinstance(value, int | np.integer):
        return [type(value)(n) for n in dict.fromkeys((0, 1, value + 1, 2, value - 1, 5, -1)) if n != value]
    if isinstance(value, str):
        beyond = [_not_among([value, *words])] if value in words else []  # an `else` stands for it
        return [*[word for word in dict.fromkeys(words) if word != value][:4], *beyond]
    if any(value is each for each in _REDUCING):
        return [other for other in (jnp.max, jnp.median) if other is not value]
    return list(itertools.islice(_with_other_choices(value, words), _MOST_CHOICES))


_MOST_CHOICES = 4
_REDUCING = (jnp.mean, jnp.sum, jnp.std, jnp.var, jnp.prod, jnp.max, jnp.min, jnp.median)
"""Functions in the place of which callers give another: not all of them take the same options."""


def _with_other_choices(value: Any, words: Sequence[str]) -> Iterator[Any]:
    """Settings in an object of the user's (`config.kind is Kind.ROUND`), each switched by itself, in a copy that no code of its
    class has made."""
    fields = attributes(value)
    if not fields or in_class(value, "__slots__") or isinstance(value, type | types.FunctionType | types.ModuleType):
        return
    for name, held in dict(fields).items():
        for other in _other_values(held, words) if isinstance(held, bool | enum.Enum | str) else ():
            try:
                made = object.__new__(type(value))
            except TypeError:
                return  # what C made
            own = attributes(made)
            if own is None:
                return
            own.update(fields)
            own[name] = other
            yield made


def traced_leaves(fun: Callable[..., Any], given: Input, static: Sequence[str | int]) -> list[Any]:
    """The leaves of an input's arguments that are not static, in the order in which `jax.jit` traces them."""
    return [leaf for leaf in jax.tree_util.tree_leaves(without_static(fun, given, static)) if is_traced(leaf, static)]


def without_static(
    fun: Callable[..., Any], given: Input, static: Sequence[str | int]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of an input that are not static, as a compiled program takes them."""
    fixed = static_split(fun, given.args, given.kwargs, static)
    args = tuple(a for k, a in enumerate(given.args) if k not in fixed)
    return args, {k: v for k, v in given.kwargs.items() if k not in fixed}


def trace_key(fun: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], static: Sequence[str | int]) -> Any:
    """What decides how `jax.jit` traces a call; equal for two calls that have one trace. None where it cannot be told.

    Example:
        >>> trace_key(f, (x, 1), {}, ()) == trace_key(f, (x, 2), {}, ())
        True
    """
    if ARRAYS_ALONE in static:
        return None  # every leaf that is no array decides as well
    fixed = static_split(fun, args, kwargs, static)
    static_values = [(str(k), type(v), v) for k, v in (*enumerate(args), *kwargs.items()) if k in fixed]
    traced = [None if k in fixed else v for k, v in enumerate(args)], {k: v for k, v in kwargs.items() if k not in fixed}
    leaves, tree = jax.tree_util.tree_flatten(traced)
    try:
        key = tree, tuple(map(jax.typeof, leaves)), tuple(static_values)
        hash(key)
    except Exception:
        return None  # a leaf that jit refuses, or a static value without a hash: JAX says so
    return key
