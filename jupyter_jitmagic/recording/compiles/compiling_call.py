"""Who is about to compile: the jitted call on this thread's stack, seen from one of JAX's monitoring events.

JAX's events carry a name only. They fire below the frames of the call that compiles, and those frames hold the function and
its arguments: a frame of our own call closure for `jm.jit`, JAX's own frame for plain ``jax.jit``. Looked at when something
compiles, never on a hit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple, Protocol

import jax

from jupyter_jitmagic.base import jax_frames
from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.base.looking import attribute, has
from jupyter_jitmagic.recording.causes.signatures import Signature, signature_of
from jupyter_jitmagic.recording.compiles import spans
from jupyter_jitmagic.recording.guards.traces import users
from jupyter_jitmagic.recording.jitted import Jitted
from jupyter_jitmagic.usercode.origin import innermost


class Owner(Protocol):
    """What the call of a function under `jm.jit` has at hand (`calls.function_state`)."""

    facts: Jitted
    function: int
    budget: Any
    """How often it may compile (`budgets.Budget`), or None."""

    @property
    def has_compiled(self) -> bool: ...
    def would_miss(self, signature: Signature) -> tuple[Cause, ...]: ...


class Compiling(NamedTuple):
    """One jitted call that is compiling. `state` is that of a function under `jm.jit`, None for plain ``jax.jit``."""

    fun: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    options: jax_frames.JitOptions
    state: Owner | None

    def signature(self) -> Signature:
        leaves = jax.tree_util.tree_leaves((self.args, self.kwargs))
        transformation = internals.transformations() or internals.transformations_of(leaves)
        if self.state is not None:
            return self.state.facts.signature_of_compiling(self.args, self.kwargs, transformation)
        nums, names = self.options.static_argnums, self.options.static_argnames
        return signature_of(self.fun, self.args, self.kwargs, nums, names, transformation=transformation)


def ours() -> Compiling | None:
    """The innermost call of `jm.jit` on the stack, whatever compiles below it; none that only runs and calls back."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not jax_frames.is_callback(frame.f_code):
        state = spans.owner_of(frame)
        if state is not None:
            seen = frame.f_locals
            return Compiling(state.facts.fun, seen["args"], seen["kwargs"], state.facts.jit_options, state)
        frame = frame.f_back
    return None


def plain() -> Compiling | None:
    """The innermost call of a jitted function on the stack as JAX itself holds it; None where JAX does not show it."""
    found = jax_frames.innermost_jit_call(sys._getframe(1))
    return None if found is None else Compiling(*found._replace(fun=users(found.fun)), None)


def bare_name(event_name: str) -> str:
    """The function's name in an event's: `f` of `jit(f)`."""
    return event_name[4:-1] if event_name.startswith("jit(") and event_name.endswith(")") else event_name


def bears_name(fun: Any, event_name: str) -> bool:
    """Whether JAX's event of this name may be the function's; an object without a name is "unnamed" to JAX."""
    name = bare_name(event_name)
    return name == name_of(fun) or ("unnamed" in name and not has(innermost(fun, "__name__"), "__name__"))


def name_of(fun: Any) -> str:
    """A function's name, or that of its class."""
    fun = innermost(fun, "__name__")
    return str(attribute(fun, "__name__", type(fun).__name__))
