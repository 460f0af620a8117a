"""What JAX itself does on a call: what traced, lowered or compiled? The truth that our words are held to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
from jax import monitoring

from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.recording.causes.differences import causes_of
from jupyter_jitmagic.recording.causes.signatures import Signature, placed_by, signature_of

_PHASES = ("jaxpr_trace", "jaxpr_to_mlir", "backend_compile")
_seen: list[str] = []
monitoring.register_event_duration_secs_listener(
    lambda name, seconds, **rest: _seen.append(name) if any(phase in name for phase in _PHASES) else None
)


def call(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


class Watched:
    """A function under plain `jax.jit` whose every call tells the signature, the causes and whether JAX really missed."""

    def __init__(self, fun: Callable[..., Any], **options: Any) -> None:
        self.runs = 0

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.runs += 1
            return fun(*args, **kwargs)

        counted.__signature__ = inspect.signature(fun)  # type: ignore[attr-defined]
        counted.__name__ = counted.__qualname__ = getattr(fun, "__name__", "fun")
        self.fun = counted
        self.jitted = jax.jit(counted, **options)
        self.statics = {name: options[name] for name in ("static_argnums", "static_argnames") if name in options}
        self.placed = placed_by(options)
        self.earlier: list[Signature] = []

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[bool, tuple[Cause, ...]]:
        """(JAX missed, our causes if it did)."""
        now = signature_of(self.fun, args, kwargs, **self.statics, placed=self.placed)
        _seen.clear()
        runs = self.runs
        jax.block_until_ready(self.jitted(*args, **kwargs))
        missed = self.runs > runs or bool(_seen)
        causes = causes_of(now, self.earlier) if missed else ()
        self.same = now in self.earlier
        if missed:
            self.earlier.append(now)
        return missed, causes


def causes(fun: Callable[..., Any], *calls: Any, **options: Any) -> set[tuple[str, str]]:
    """(cause, argument) of the last call after the others; empty if JAX took it from its cache."""
    return {(cause.cause, cause.argument) for cause in last(fun, *calls, **options)}


def last(fun: Callable[..., Any], *calls: Any, **options: Any) -> tuple[Cause, ...]:
    watched = Watched(fun, **options)
    found: tuple[Cause, ...] = ()
    for args, kwargs in calls:
        missed, found = watched(*args, **kwargs)
        assert missed is not watched.same, f"JAX missed: {missed}, our signature is an earlier one: {watched.same}"
    return found


@contextmanager
def events() -> Iterator[list[str]]:
    """The names of JAX's phases that end in the block, with that of their function, as "/jax/…/backend_compile_duration"."""
    seen: list[str] = []

    def listen(name: str, seconds: float, **rest: Any) -> None:
        if any(phase in name for phase in _PHASES):
            seen.extend([name, str(rest.get("fun_name", ""))])

    monitoring.register_event_duration_secs_listener(listen)
    try:
        yield seen
    finally:
        monitoring.unregister_event_duration_listener(listen)
