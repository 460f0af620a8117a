"""Listeners of ours to `jax.monitoring`, which anyone may clear (`jax.monitoring.clear_event_listeners`): they listen again."""

from __future__ import annotations

import atexit
import contextlib
import functools
import weakref
from collections.abc import Callable
from typing import Any, Literal

import jax

Kind = Literal["event_time_span", "scalar", "event"]


class Hearing:
    """One listener and whether it listens.

    Args:
        kind: what it hears, as JAX's functions that register listeners are called.
        listener: is called with what JAX tells.
    """

    def __init__(self, kind: Kind, listener: Callable[..., Any]) -> None:
        self._kind, self._listener = kind, listener
        self._ear: weakref.ref[Any] | None = None
        atexit.register(self._let_go)  # what Python clears when it ends, nobody has cleared

    def begin(self) -> None:
        ear = functools.partial(self._listener)  # JAX alone holds it: when it goes, someone has cleared the listeners
        self._ear = weakref.ref(ear, self._cleared)
        getattr(jax.monitoring, f"register_{self._kind}_listener")(ear)

    def end(self) -> None:
        ear, self._ear = self._ear and self._ear(), None
        if ear is not None:
            with contextlib.suppress(AssertionError, ValueError):  # cleared just now
                getattr(jax.monitoring, f"unregister_{self._kind}_listener")(ear)

    def _cleared(self, ear: weakref.ref[Any]) -> None:
        if self._ear is ear:
            self.begin()

    def _let_go(self) -> None:
        self._ear = None
