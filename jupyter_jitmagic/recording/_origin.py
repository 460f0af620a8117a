"""Where a function was defined: what makes one "the same function, created again"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Origin(NamedTuple):
    """Two functions of one origin are the same definition that ran twice. `name` tells what wraps it, too: ``jax.grad(loss)``
    bears the name of `loss` and is another function. Lambdas are told apart by where they stand."""

    module: str
    name: str
    filename: str = ""
    line: int = 0

    @property
    def is_local(self) -> bool:
        """Defined within a function, so that several may rightly live at once."""
        return "<locals>" in self.name


def origin_of(fun: Callable[..., Any]) -> Origin:
    """The origin of a plain, wrapped, partial or callable function."""
    name = " of ".join([*_wrappers(fun), qualname_of(fun)])
    origin = Origin(str(getattr(fun, "__module__", "") or ""), name)
    if "<lambda>" in name or getattr(fun, "__code__", None) is None:
        origin = origin._replace(line=line_of(fun))
    return origin._replace(filename=file_of(fun)) if "<lambda>" in name else origin


def qualname_of(fun: Any) -> str:
    """The qualified name; of a partial that of the function in it."""
    while hasattr(fun, "func") and not hasattr(fun, "__qualname__"):
        fun = fun.func
    return str(getattr(fun, "__qualname__", None) or getattr(fun, "__name__", None) or type(fun).__qualname__)


def file_of(fun: Any) -> str:
    return str(getattr(getattr(fun, "__code__", None), "co_filename", ""))


def line_of(fun: Any) -> int:
    return int(getattr(getattr(fun, "__code__", None), "co_firstlineno", 0))


def _wrappers(fun: Any) -> Iterator[str]:
    while (inner := getattr(fun, "__wrapped__", None)) is not None:
        code = getattr(fun, "__code__", None)
        yield type(fun).__qualname__ if code is None else f"{fun.__globals__.get('__name__', '')}.{code.co_qualname}"
        fun = inner
