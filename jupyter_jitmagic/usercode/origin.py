"""Where a function was defined: what makes one "the same function, created again"."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Origin(NamedTuple):
    """Two functions of one origin are the same definition that ran twice. `name` tells what wraps it, too: ``jax.grad(loss)``
    bears the name of `loss` and is another function. Lambdas are told apart by where they stand."""

    module: str
    name: str
    filename: str = ""
    line: int = 0
    column: int = 0
    """Of a lambda: several may stand on one line."""

    @property
    def is_local(self) -> bool:
        """Defined within a function, so that several may rightly live at once."""
        return "<locals>" in self.name


def origin_of(fun: Callable[..., Any]) -> Origin:
    """The origin of a plain, wrapped, partial or callable function."""
    name = " of ".join([*_wrappers(fun), qualname_of(fun)])
    origin = Origin(str(getattr(fun, "__module__", "") or ""), name)
    if "<lambda>" in name or getattr(fun, "__code__", None) is None:
        origin = origin._replace(line=line_of(fun), column=_column_of(fun))
    return origin._replace(filename=file_of(fun)) if "<lambda>" in name else origin


class Earlier:
    """A function that was put under jit, not kept alive: tells whether a later one of its origin came in its place."""

    def __init__(self, fun: Any) -> None:
        plain = _plain(fun)
        self._code = getattr(plain, "__code__", None)
        self._space, self._file = id(getattr(plain, "__globals__", None)), file_of(plain)
        try:
            self._alive: Callable[[], Any] | None = weakref.ref(fun)
        except TypeError:
            self._alive = None

    def is_of(self, fun: Any) -> bool:
        return self._alive is not None and self._alive() is fun

    def is_made_again_as(self, fun: Any, origin: Origin) -> bool:
        """Whether `fun` is this definition run again, and not one more function beside it: what lives on was not replaced,
        unless a definition at module level, whose name means the new one now, ran anew."""
        alive = self._alive() if self._alive is not None else None
        plain = _plain(fun)
        if self.is_of(fun) or (self._space != id(getattr(plain, "__globals__", None)) and self._file != file_of(plain)):
            return False
        return alive is None or not (origin.is_local or self._code is getattr(plain, "__code__", None))


def _plain(fun: Any) -> Any:
    """The function in a partial."""
    while hasattr(fun, "func") and not hasattr(fun, "__code__"):
        fun = fun.func
    return fun


def _column_of(fun: Any) -> int:
    """Where on its line the body of a lambda begins; lambdas that begin alike are told apart by it."""
    code = getattr(_plain(fun), "__code__", None)
    columns = [place[2] for place in code.co_positions() if place[2]] if code is not None else []
    return min(columns, default=0)


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
