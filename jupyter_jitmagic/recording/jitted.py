"""A function under jit as plain facts, and what a miss of it was: what every room around a call may know of it."""

from __future__ import annotations

from collections.abc import Callable
from threading import get_ident
from typing import Any, NamedTuple

from jupyter_jitmagic.base import jax_frames
from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.recording.causes.signatures import Signature, placed_by, signature_of
from jupyter_jitmagic.records.log import FunctionRecord
from jupyter_jitmagic.usercode.origin import Origin


class Jitted:
    """One function and how it was put under jit.

    Args:
        fun: the user's function.
        jitted: what ``jax.jit`` made of it.
        jit_arguments: the arguments of ``jax.jit``, by name.
        record: its row.
        origin: where it was defined.
    """

    def __init__(
        self, fun: Callable[..., Any], jitted: Any, jit_arguments: dict[str, Any], record: FunctionRecord, origin: Origin
    ) -> None:
        self.fun = fun
        self.record = record
        self.function = record.id
        self.origin = origin
        self.placed = placed_by(jit_arguments)
        self._made: dict[int, tuple[Any, Any, Signature]] = {}
        """By thread, of a call that is compiling: its arguments, and the signature that was wanted before it returned."""
        self.put_under(jitted, jit_arguments)

    def put_under(self, jitted: Any, jit_arguments: dict[str, Any]) -> None:
        """From now on `jitted` stands for it, the same function with other arguments of ``jax.jit``."""
        self.jitted = jitted
        self.jit_arguments = jit_arguments
        self.jit_options = jax_frames.jit_options(jitted, jit_arguments)

    @property
    def name(self) -> str:
        return self.record.name

    def signature(self, args: tuple[Any, ...], kwargs: dict[str, Any], transformation: str) -> Signature:
        """JAX's cache key of a call, as plain data."""
        given = self.jit_options
        return signature_of(
            self.fun,
            args,
            kwargs,
            given.static_argnums,
            given.static_argnames,
            placed=self.placed,
            transformation=transformation,
        )

    def signature_of_compiling(self, args: tuple[Any, ...], kwargs: dict[str, Any], transformation: str) -> Signature:
        """The signature of a call that is on this thread's stack; kept until `take_signature`, as it takes long to make."""
        signature = self.signature(args, kwargs, transformation)
        self._made[get_ident()] = args, kwargs, signature
        return signature

    def take_signature(self, args: Any = None, kwargs: Any = None) -> Signature | None:
        """What was made of this very call while it compiled. The call has ended: it is kept no longer."""
        if not self._made:
            return None
        made_args, made_kwargs, signature = self._made.pop(get_ident(), (None, None, None))
        return signature if made_args is args and made_kwargs is kwargs else None


class Missed(NamedTuple):
    """A call that compiled, while its arguments are at hand. Nobody may keep it."""

    signature: Signature
    causes: tuple[Cause, ...]
    entry: int
    call_site: str
    trace_s: float | None
    cost_s: float
    """Trace, lower and compile together."""
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    out: Any


Observer = Callable[[Jitted, Missed], None]
"""Told of each miss after it has its row. Handles its own faults; a warning that the user's filters made an error of passes."""
