"""What a function asks of the moment, for which no run stands: random numbers of the host, the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jupyter_jitmagic.base.wording import asked_once
from jupyter_jitmagic.sandbox.purity import once, read_once


def asked_of_the_moment(fun: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """A sentence on what `fun` asks of the moment, and jit but once; "" where nothing is known of it."""
    found = read_once(fun, args, kwargs)
    return asked_once(found.what, found.line) if found is not None else ""


def drawn_once(fun: Callable[..., Any], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> str:
    """That sentence where `fun` draws random numbers of the host: under jit they are the same ones in every call."""
    found = read_once(fun, args, kwargs)
    return asked_once(found.what, found.line) if found is not None and found.what == "host randomness" else ""


def read_while_traced(effect: str) -> str:
    """Half a sentence where the one `impurity` of a function is that it reads the time: under jit that happens once."""
    what, line = once(effect) or ("", 0)
    return f"line {line} reads the time once, while it is traced" if what == "the time" else ""
