"""The object that `jm.jit` returns: behaves as `jax.jit`'s own, and records.

Its call is the closure of `hot_path`, in a slot named `__call__`: Python looks that up in the type and finds the object's own
closure, so a call has no frame between. Unlike a bare closure the object can have the `repr`, pickling and methods of
`jax.jit`'s; unlike a `functools.partial` it is nothing that others take apart.
"""

from __future__ import annotations

import copy
import functools
import inspect
import types
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import jax
from jax import jit as jax_jit  # bound now: someone may put our jit in the place of jax.jit

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.recording.api.auto import Auto
from jupyter_jitmagic.recording.calls import argument_history, functions
from jupyter_jitmagic.recording.calls.function_state import FunctionState
from jupyter_jitmagic.recording.compiles import budgets
from jupyter_jitmagic.recording.guards import asked_once, checking, cures, left_tracers, stale
from jupyter_jitmagic.recording.guards.traces import Traces
from jupyter_jitmagic.recording.recorder import recorder

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
R_co = TypeVar("R_co", covariant=True)

if TYPE_CHECKING:

    class _Callable(Generic[P, R_co]):
        __wrapped__: Callable[..., Any]
        __name__: str
        __qualname__: str

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
else:

    class _Callable:
        __slots__ = ("__call__", "__dict__", "__weakref__")

        def __class_getitem__(cls, item):
            return types.GenericAlias(cls, item)


class JitFunction(_Callable[P, R_co]):
    """What `jm.jit` returns. Everything that `jax.jit`'s object has, this has, with the same meaning."""

    # no part of __dict__: whatever wraps us (as jax.grad does) takes a copy of that along
    __slots__ = ("_made_with", "_state")
    _state: FunctionState
    _made_with: tuple[Callable[..., Any], dict[str, Any], dict[str, Any]]

    @overload
    def __get__(self, instance: None, owner: Any = None) -> JitFunction[P, R_co]: ...
    @overload
    def __get__(self: JitFunction[Concatenate[S, Q], R], instance: S, owner: Any = None) -> Callable[Q, R]: ...
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None and owner is None:
            raise TypeError("__get__(None, None) is invalid")
        return self if instance is None else types.MethodType(self, instance)

    def lower(self, *args: Any, **kwargs: Any) -> jax.stages.Lowered:
        """As ``jax.jit(fun).lower``: trace and lower for these arguments without running. Records no row."""
        self._state.prepare(args, kwargs)
        self._follow(self._state.look_closely)
        return self._state.facts.jitted.lower(*args, **kwargs)

    def trace(self, *args: Any, **kwargs: Any) -> jax.stages.Traced:
        """As ``jax.jit(fun).trace``. Records no row."""
        self._state.prepare(args, kwargs)
        self._follow(self._state.look_closely)
        return self._state.facts.jitted.trace(*args, **kwargs)

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        """As ``jax.jit(fun).eval_shape``. Records no row."""
        self._state.prepare(args, kwargs)
        return self._state.facts.jitted.eval_shape(*args, **kwargs)

    def clear_cache(self) -> None:
        """As ``jax.jit(fun).clear_cache``: the next call compiles again, with the cause "cleared"."""
        self._state.facts.jitted.clear_cache()
        self._follow(self._state.cleared)

    def _follow(self, note: Callable[[], None]) -> None:
        """Take note of something beside the calls; what goes wrong there is ours alone."""
        try:
            note()
        except Exception as error:
            self._state.give_up("following a jitted function", error)

    def _values_seen(self) -> dict[str, tuple[int, int]]:
        """By argument: (different values, calls), where the records tell; `jm.diagnose` asks for it."""
        return argument_history.values_seen(self._state.function)

    def __repr__(self) -> str:
        return repr(self._state.facts.jitted)

    @property
    def __signature__(self) -> inspect.Signature:
        signature: inspect.Signature = self._state.facts.jitted.__signature__
        return signature

    def __getattr__(self, name: str) -> Any:
        if name in JitFunction.__slots__:
            raise AttributeError(name)
        jitted = self._state.facts.jitted
        if name.startswith("__") and hasattr(jitted, name):  # one that was deleted here
            raise AttributeError(name)
        return getattr(jitted, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._state.facts.jitted)})

    def __reduce__(self) -> Any:
        return _made_again, self._made_with

    def __copy__(self) -> Any:
        return _object(self.__call__, self._state, self._made_with, vars(self))

    def __deepcopy__(self, memo: Any) -> Any:
        fun, jit_arguments, own = self._made_with
        copied = copy.deepcopy(fun, memo)
        return self.__copy__() if copied is fun else wrap(copied, jit_arguments, **own)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


PjitFunction = JitFunction
JitFunction.__name__ = JitFunction.__qualname__ = "PjitFunction"
"""As JAX calls the type of its own: by that name libraries (chex) know what is jitted, and errors and help speak of it."""


def _made_again(fun: Callable[..., Any], jit_arguments: dict[str, Any], own: dict[str, Any]) -> Any:
    return wrap(fun, jit_arguments, **own)


_calls: weakref.WeakKeyDictionary[Any, dict[Any, weakref.ref[Callable[..., Any]]]] = weakref.WeakKeyDictionary()


def wrap(
    fun: Callable[..., Any],
    jit_arguments: dict[str, Any],
    jitted: Any = None,
    *,
    timing: str | None = None,
    on_miss: str | None = None,
    max_compiles: int | None = None,
    auto: bool = False,
    check: bool = False,
    traces: Traces | None = None,
    not_kept: str = "",
) -> JitFunction[..., Any]:
    """`fun` under ``jax.jit(fun, **jit_arguments)``, which is `jitted`, recorded. The same function with the same arguments
    shares its record. With `keep` `traces` tells what those of `jitted` read, `not_kept` why no earlier one goes on."""
    if jitted is None:
        jitted = jax_jit(fun, **jit_arguments)
    own = {"timing": timing, "on_miss": on_miss, "max_compiles": max_compiles, "auto": auto, "check": check}
    made: Any = jitted
    with faults.stop("putting a function under jm.jit", "it runs as plain jax.jit"):
        made = _recorded(fun, jitted, jit_arguments, own)
        if made._state.facts.jitted is jitted:
            made._state.traces, made._state.entries.not_kept = traces, not_kept
    return made  # type: ignore[no-any-return]


def _recorded(fun: Any, jitted: Any, jit_arguments: dict[str, Any], own: dict[str, Any]) -> JitFunction[..., Any]:
    recorder.start()
    call = _call_of(fun, jitted, jit_arguments, own)
    looks: dict[str, Any] = {name: getattr(jitted, name) for name in functools.WRAPPER_ASSIGNMENTS if hasattr(jitted, name)}
    looks.update({name: value for name, value in vars(jitted).items() if name not in ("_fun", "_jit_info")})
    looks["__wrapped__"] = fun
    return _object(call, call.__dict__["_jitmagic_state"], (fun, jit_arguments, own), looks)


def _object(call: Callable[..., Any], state: FunctionState, made_with: Any, looks: dict[str, Any]) -> JitFunction[..., Any]:
    made: Any = JitFunction()
    made.__call__, made._state, made._made_with = call, state, made_with
    made.__dict__.update(looks)
    return made  # type: ignore[no-any-return]


def _call_of(fun: Any, jitted: Any, jit_arguments: dict[str, Any], own: dict[str, Any]) -> Callable[..., Any]:
    """The recording closure; one for equal ways of putting one function under jit, as they share JAX's caches."""
    call: Callable[..., Any] | None
    try:
        key: Any = (*own.values(), *sorted((name, _frozen(value)) for name, value in jit_arguments.items()))
        calls = _calls.setdefault(fun, {}) if isinstance(fun, types.FunctionType) else {}
        call = calls[key]() if key in calls else None
    except TypeError:
        key, calls, call = None, {}, None
    if call is not None:
        return call
    state = functions.register(fun, jitted, jit_arguments, own["timing"])
    if own["on_miss"] is not None or own["max_compiles"] is not None:
        state.budget = budgets.Budget(own["on_miss"], own["max_compiles"])
    if own["auto"]:
        state.auto = Auto()
    observers = [stale.note_miss, cures.note_miss, left_tracers.note_miss, asked_once.note_miss]
    if state.budget is not None:
        observers.append(state.budget.note_miss)
    if own["check"]:
        observers.append(checking.note_miss)
    state.observers = observers
    call = state.build()
    functools.update_wrapper(call, jitted if hasattr(jitted, "__name__") else fun)
    call.__doc__ = type(call).__call__.__doc__  # IPython shows another one beside the function's own
    call.__dict__["_jitmagic_state"] = state
    weakref.finalize(call, functions.ended, state.function).atexit = False
    if key is not None:
        calls[key] = weakref.ref(call)
    return call


def _frozen(value: Any) -> Any:
    """An argument of ``jax.jit`` as part of a key: lists count as the tuples that JAX makes of them."""
    frozen = tuple(value) if isinstance(value, list | set) else value
    hash(frozen)
    return frozen if not isinstance(frozen, dict) else id(frozen)


internals.hide_frames(__file__)
