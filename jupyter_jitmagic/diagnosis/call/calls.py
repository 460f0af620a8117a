"""A call as jit sees it: its arguments' names, leaves and paths, and which of them could be static."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CellType, FunctionType, MethodType
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute, has
from jupyter_jitmagic.sandbox.undo import ABSENT
from jupyter_jitmagic.source.rebuilding import CALLS_ITS_JIT
from jupyter_jitmagic.usercode.held import closure_of, names_in
from jupyter_jitmagic.usercode.origin import unwrapped
from jupyter_jitmagic.usercode.ownership import is_library, is_ours


@dataclass(frozen=True)
class Argument:
    """One argument of the call: `name` is what a static argument would be called ("n", "args[1]"), `key` where it stands."""

    name: str
    value: Any
    key: int | str
    by_number: bool = False

    @functools.cached_property
    def has_array(self) -> bool:
        """Whether an array is among the leaves: then it is data, whatever else it holds."""
        return any(isinstance(leaf, (jax.Array, np.ndarray)) for leaf in jax.tree_util.tree_leaves(self.value))

    @functools.cached_property
    def hashable(self) -> bool:
        if self.has_array:
            return False
        try:
            hash(self.value)
        except Exception:
            return False
        return True

    @functools.cached_property
    def bad_leaves(self) -> list[tuple[str, Any]]:
        """Leaves that jit refuses as traced arguments: (path, value)."""
        return [(self.name + path, leaf) for path, leaf in leaves_of(self.value) if not is_jax_type(leaf)]

    @property
    def is_float(self) -> bool:
        return isinstance(self.value, (float, complex, np.floating, np.complexfloating))

    @property
    def is_flag(self) -> bool:
        return isinstance(self.value, (bool, np.bool_))


_MANY = 5  # values of one argument from which on a habit is seen


@dataclass(frozen=True)
class Call:
    """The function (without jit), the call's arguments by name, and what the user declared static already."""

    fun: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    declared: frozenset[str] = frozenset()
    arguments: tuple[Argument, ...] = field(default=())
    donated: frozenset[str] = frozenset()
    seen: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Of recorded calls, by argument: (different values, calls)."""
    library: frozenset[str] = frozenset()
    """Of `declared`, objects that a library's own jit takes apart, as flax's does with its modules: the user declares none."""
    keeps_options: bool = False
    """Its jit traces arrays alone and keeps every other leaf static, as ``equinox.filter_jit`` does."""
    carried: frozenset[str] = frozenset()
    """Arguments that are or hold objects whose state a library's own jit carries out again, and that JAX can make anew."""
    jit: str = "jax.jit"
    """The jit it is under, as the user spells it."""
    found_out: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    """Answers to questions that take a run or a trace each, and are asked again and again."""

    def argument(self, name: str) -> Argument:
        return next(argument for argument in self.arguments if argument.name == name)

    @property
    def refused(self) -> list[Argument]:
        """Arguments that the jit takes as traced and that hold what is not a JAX type."""
        kept = self.keeps_options
        return [each for each in self.arguments if not kept and each.name not in self.declared and each.bad_leaves]

    def is_kept(self, leaf: Any) -> bool:
        """Whether the jit hands this leaf on as it is."""
        return self.keeps_options and not isinstance(leaf, (jax.Array, np.ndarray, np.generic))

    def changes(self, name: str) -> bool:
        """Whether the argument had another number in nearly every recorded call: then it is data."""
        values, calls = self.seen.get(name, (0, 0))
        argument = self.argument(name)
        number = isinstance(argument.value, (int, float, np.integer, np.floating)) and not argument.is_flag
        return number and values >= _MANY and values >= 0.8 * calls

    @property
    def name(self) -> str:
        return function_name(self.fun)

    def with_values(self, values: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The call's (args, kwargs) with the named arguments replaced."""
        args, kwargs = list(self.args), dict(self.kwargs)
        for argument in self.arguments:
            if argument.name in values:
                if isinstance(argument.key, int):
                    args[argument.key] = values[argument.name]
                else:
                    kwargs[argument.key] = values[argument.name]
        return tuple(args), kwargs

    def jit_options(self, static: Iterable[str]) -> dict[str, Any]:
        """`static_argnames` and, where a name cannot be static (positional-only, ``*args``), `static_argnums`."""
        chosen = [argument for argument in self.arguments if argument.name in set(static)]
        absent = tuple(name for name in static if name not in {argument.name for argument in self.arguments})
        if not any(argument.by_number for argument in chosen):
            names = (*(argument.name for argument in chosen), *(name for name in absent if name.isidentifier()))
            return {"static_argnames": names} if names else {}
        numbers = tuple(argument.key for argument in chosen if isinstance(argument.key, int))
        names = tuple(argument.key for argument in chosen if isinstance(argument.key, str))
        return {"static_argnums": numbers} | ({"static_argnames": names} if names else {})

    def static_names(self, static: frozenset[str] = frozenset()) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """(`static_argnames`, `static_argnums`) of what is declared and `static`, in the signature's order."""
        options = self.jit_options([*sorted(self.declared - static), *sorted(static)])
        order = [argument.name for argument in self.arguments]
        names = sorted(options.get("static_argnames", ()), key=lambda name: order.index(name) if name in order else len(order))
        return tuple(names), tuple(options.get("static_argnums", ()))


def bind(
    fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], declared: frozenset[str] = frozenset()
) -> Call:
    """Name the arguments by `fun`'s signature; positions stand in where it has none."""
    return Call(fun, tuple(args), dict(kwargs), declared, tuple(_arguments(fun, args, kwargs)))


def _arguments(fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Argument]:
    named, rest = _positional_names(fun)
    found = []
    for number, value in enumerate(args):
        if number < len(named):
            name, by_number = named[number]
        else:
            name, by_number = f"{rest}[{number - len(named)}]", True
        found.append(Argument(name, value, number, by_number))
    return found + [Argument(name, value, name) for name, value in kwargs.items()]


def _positional_names(fun: Callable[..., Any]) -> tuple[list[tuple[str, bool]], str]:
    """([(name, can only be static by number)], the name of ``*args``)."""
    try:
        parameters = inspect.signature(fun).parameters.values()
    except (TypeError, ValueError):
        return [], "args"
    named = [
        (parameter.name, parameter.kind is parameter.POSITIONAL_ONLY)
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    rest = next((parameter.name for parameter in parameters if parameter.kind is parameter.VAR_POSITIONAL), "args")
    return named, rest


def leaves_of(value: Any) -> list[tuple[str, Any]]:
    """[(path below the argument as text, leaf)]."""
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_flatten_with_path(value)[0]]


def is_jax_type(leaf: Any) -> bool:
    """Whether jit takes `leaf` as a traced argument."""
    if isinstance(leaf, (jax.Array, bool, float, complex)):
        return True
    if isinstance(leaf, int):
        return fits(leaf)
    try:
        jax.eval_shape(lambda value: value, leaf)
    except Exception:
        return False
    return True


def fits(number: int) -> bool:
    bits = 63 if jax.config.jax_enable_x64 else 31
    return bool(-(2**bits) <= number < 2**bits)


MOST_BYTES = 2**27  # a larger array is not computed with in passing


def is_readable(leaf: Any) -> bool:
    """Whether a run may compute with this leaf's value: no huge array, no deleted one."""
    if isinstance(leaf, jax.core.Tracer) or not isinstance(leaf, (jax.Array, np.ndarray)):
        return not isinstance(leaf, jax.core.Tracer)
    return leaf.nbytes <= MOST_BYTES and not (isinstance(leaf, jax.Array) and leaf.is_deleted())


def readable(call: Call) -> bool:
    """Whether the function may be run on the call's own values."""
    return all(is_readable(leaf) for argument in call.arguments for _, leaf in leaves_of(argument.value))


def function_name(fun: Any) -> str:
    """As a person would call it: "f", "Model.step", "<lambda>"."""
    while isinstance(fun, functools.partial):
        fun = fun.func
    name = attribute(fun, "__qualname__", None) or attribute(fun, "__name__", None) or type(fun).__qualname__
    return str(name).rsplit("<locals>.", 1)[-1]


def code_of(fun: Any) -> Any:
    """The code object that runs first when `fun` is called, or None."""
    seen = 0
    while seen < 20:
        seen += 1
        if isinstance(fun, functools.partial):
            fun = fun.func
        elif inspect.ismethod(fun):
            fun = fun.__func__
        elif has(fun, "__code__"):
            return fun.__code__
        elif has(fun, "__wrapped__"):
            fun = fun.__wrapped__
        elif not isinstance(fun, type) and inspect.isfunction(getattr(type(fun), "__call__", None)):  # noqa: B004
            fun = type(fun).__call__
        else:
            return None
    return None


def reachable_functions(call: Call) -> Iterator[FunctionType]:
    """The function and the user's functions that it names, nearest first."""
    start = innermost(call.fun)
    queue: list[Any] = [attribute(start, "__func__", start) if not has(start, "__wrapped__") else start.__wrapped__]
    owner = attribute(start, "__self__", None)
    seen: set[int] = set()
    while queue and len(seen) < 50:
        fun = unwrapped(queue.pop(0))
        if not isinstance(fun, FunctionType) or id(fun) in seen:
            continue
        seen.add(id(fun))
        yield fun
        for name in fun.__code__.co_names:
            found = fun.__globals__.get(name)
            method = getattr(type(owner), name, None) if owner is not None else None
            queue.extend(value for value in (found, method) if isinstance(value, (FunctionType, MethodType)) or _wraps(value))
        queue.extend(value for _, value in closure_of(fun) if isinstance(value, FunctionType) or _wraps(value))


def _wraps(value: Any) -> bool:
    return callable(value) and not isinstance(value, type) and isinstance(attribute(value, "__wrapped__"), FunctionType)


def calling_itself(fun: Any) -> Any:
    """A function whose name stands for its own jit, calling itself in that jit's place: what is static there is static in each
    of its calls. Any other function as it is."""
    if not isinstance(fun, FunctionType):
        return fun
    own = [name for name in names_in(fun) if _is_jit_of(fun.__globals__.get(name), fun)]
    cells = {name for name, value in closure_of(fun) if _is_jit_of(value, fun)}
    if not own and not cells:
        return fun
    space = dict(fun.__globals__)
    closure = tuple(
        CellType() if name in cells else cell
        for name, cell in zip(fun.__code__.co_freevars, fun.__closure__ or (), strict=True)
    )
    made = FunctionType(fun.__code__, space, fun.__name__, fun.__defaults__, closure or None)
    made.__kwdefaults__, made.__qualname__, made.__module__ = fun.__kwdefaults__, fun.__qualname__, fun.__module__
    space.update(dict.fromkeys(own, made))
    setattr(made, CALLS_ITS_JIT, tuple(own))
    for name, cell in zip(fun.__code__.co_freevars, closure, strict=True):
        if name in cells:
            cell.cell_contents = made
    return made


def _is_jit_of(value: Any, fun: FunctionType) -> bool:
    while attribute(value, "lower", ABSENT) is not ABSENT:
        value = attribute(value, "__wrapped__")
        if value is fun:
            return True
    return False


def innermost(fun: Callable[..., Any]) -> Any:
    """The function below partials."""
    while isinstance(fun, functools.partial):
        fun = attribute(fun, "func")
    return fun


def is_user(code: types.CodeType, call: Call) -> bool:
    """Whether the code is the user's: not a library's, except the library that the function itself comes from."""
    filename = code.co_filename
    if filename == "<string>" and code.co_name.startswith("__") and code is not code_of(call.fun):
        return False  # dataclasses and namedtuples write such methods
    if not is_library(filename):
        return True
    own = code_of(call.fun)
    return own is not None and own.co_filename == filename and not is_ours(filename)
