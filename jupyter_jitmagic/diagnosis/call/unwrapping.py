"""From what the user calls to the call of the plain function, with what its jit declares: JAX's, or a library's own."""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MethodType
from typing import Any

import jax

from jupyter_jitmagic.diagnosis.call.calls import Argument, Call, bind, calling_itself
from jupyter_jitmagic.sandbox.copies import changes_in_place


def unwrapped(fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """The call of the plain function, with what its jit (also equinox's or nnx's) declares.

    The self of a jitted method is an argument of the jit.
    """
    declared: set[str] = set()
    donated: set[str] = set()
    arrays_alone = of_library = of_jax = False
    other_jit: Any = None
    for _ in range(10):
        fun, args = _with_self(fun, args)
        given = getattr(fun, "_jit_info", None) or getattr(getattr(fun, "jitted_fn", None), "_jit_info", None)
        inner = getattr(fun, "__wrapped__", None)
        if inner is None or (given is None and not hasattr(fun, "lower")):
            break
        library = type(fun).__module__.partition(".")[0]
        arrays_alone = arrays_alone or library == "equinox"
        of_jax = of_jax or library in ("jax", "jaxlib", "jupyter_jitmagic")
        if library not in ("jax", "jaxlib", "equinox", "jupyter_jitmagic"):
            of_library, other_jit = True, fun
        if given is not None:
            named = bind(inner, args, kwargs).arguments
            declared |= _chosen(named, len(args), given, "static")
            donated |= _chosen(named, len(args), given, "donate")
        fun = inner
    fun = fun if of_jax else _as_method(fun)
    call = bind(calling_itself(fun), args, kwargs, frozenset(declared))
    if of_library and (objects := frozenset(each.name for each in call.refused if _is_taken_apart(each))):
        call = replace(call, declared=call.declared | objects, library=objects)
    if getattr(type(other_jit), "__module__", "").partition(".")[0] == "flax":
        call = replace(call, carried=carried([(each.name, each.value) for each in call.arguments]))
    jit = call.jit if other_jit is None else _spelled(type(other_jit).__module__, getattr(call.fun, "__globals__", {}))
    return replace(call, donated=frozenset(donated), keeps_options=arrays_alone, jit=jit)


def carried(arguments: Sequence[tuple[str, Any]]) -> frozenset[str]:
    """Which of these arguments (name, value) are objects of a state that JAX takes apart and makes again, or hold some."""
    return frozenset(name for name, value in arguments if name.isidentifier() and _holds_state(value))


def _holds_state(value: Any) -> bool:
    return any(map(changes_in_place, jax.tree_util.tree_leaves(value, is_leaf=changes_in_place)))


def _spelled(module: str, names: Mapping[str, Any]) -> str:
    """How the jit of a library's is spelled among a function's globals; `jit`, where it is not found there."""
    library = module.partition(".")[0]
    for name, value in names.items():
        if isinstance(value, types.ModuleType):
            if module.startswith(f"{value.__name__}.") and callable(getattr(value, "jit", None)):
                return f"{name}.jit"
        elif getattr(value, "__name__", "") == "jit" and str(getattr(value, "__module__", "")).partition(".")[0] == library:
            return name
    return "jit"


def _with_self(fun: Any, args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The jitted function of a method, or of a callable object whose ``__call__`` is jitted, and its arguments."""
    if isinstance(fun, MethodType) and hasattr(fun.__func__, "lower"):
        return fun.__func__, (fun.__self__, *args)
    inner = getattr(fun, "func", None)  # equinox binds a method as a partial
    if hasattr(inner, "lower") and type(fun).__module__.partition(".")[0] == "equinox":
        return inner, (*getattr(fun, "args", ()), *args)
    method = getattr(type(fun), "__call__", None)  # noqa: B004
    if not hasattr(fun, "lower") and hasattr(method, "lower") and hasattr(method, "__wrapped__"):
        return method, (fun, *args)
    return fun, args


def _as_method(fun: Any) -> Any:
    """An object without a hash by its ``__call__``: an equinox module, which is compared by its arrays. Its own library's jit
    takes it, `jax.jit` does not."""
    method = getattr(type(fun), "__call__", None)  # noqa: B004
    if isinstance(fun, MethodType) or not isinstance(method, types.FunctionType):
        return fun
    try:
        hash(fun)
    except TypeError:
        return MethodType(method, fun)
    return fun


def _chosen(named: tuple[Argument, ...], count: int, given: Any, what: str) -> set[str]:
    """The names that a jit's `static_…` or `donate_…` options mean in this call: where numbers and names are both given, JAX
    looks for an argument passed by position among the numbers alone (else it concludes the ones from the others)."""
    places = _as_tuple(getattr(given, f"{what}_argnums", ()))
    numbers = {number % max(count, 1) if number < 0 else number for number in places}
    by_position = {each.name for each in named if isinstance(each.key, int)}
    names = set(_as_tuple(getattr(given, f"{what}_argnames", ())))
    return (names - by_position) | {each.name for each in named if each.key in numbers}


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return () if value is None else (value,) if isinstance(value, (int, str)) else tuple(value)


def _is_taken_apart(argument: Argument) -> bool:
    """Whether a library may handle an argument that JAX refuses: an object with a state of its own."""
    value = argument.value
    plain = (types.FunctionType, types.ModuleType, type, enum.Enum, str, bytes)
    return argument.hashable and hasattr(value, "__dict__") and not isinstance(value, plain)
