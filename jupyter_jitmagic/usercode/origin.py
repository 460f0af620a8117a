"""Where a function was defined: what makes one "the same function, created again"."""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from jupyter_jitmagic.base.looking import attribute, has, in_class, text_attribute

WRAPPED_LIMIT = 100
"""An object may wrap itself, or something new each time that it is asked."""


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
    origin = Origin(text_attribute(fun, "__module__"), name)
    if "<lambda>" in name or attribute(fun, "__code__") is None:
        origin = origin._replace(line=line_of(fun), column=_column_of(fun))
    return origin._replace(filename=file_of(fun)) if "<lambda>" in name else origin


class Earlier:
    """A function that was put under jit, not kept alive: tells whether a later one of its origin came in its place."""

    def __init__(self, fun: Any) -> None:
        plain = _plain(fun)
        self._code = attribute(plain, "__code__")
        self._space, self._file = id(attribute(plain, "__globals__")), file_of(plain)
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
        if self.is_of(fun) or (self._space != id(attribute(plain, "__globals__")) and self._file != file_of(plain)):
            return False
        return alive is None or not (origin.is_local or self._code is attribute(plain, "__code__"))


def _plain(fun: Any) -> Any:
    """The function in a partial."""
    return innermost(fun, "__code__")


def _column_of(fun: Any) -> int:
    """Where on its line the body of a lambda begins; lambdas that begin alike are told apart by it."""
    code = getattr(_plain(fun), "__code__", None)
    columns = [place[2] for place in code.co_positions() if place[2]] if code is not None else []
    return min(columns, default=0)


def qualname_of(fun: Any) -> str:
    """The qualified name; of a partial that of the function in it."""
    fun = innermost(fun, "__qualname__")
    names = (attribute(fun, name) for name in ("__qualname__", "__name__"))
    return next((name for name in names if name and type(name) is str), type(fun).__qualname__)


def unwrapped(fun: Any) -> Any:
    """As ``inspect.unwrap``, also of an object that wraps itself."""
    for _ in range(WRAPPED_LIMIT):
        inner = attribute(fun, "__wrapped__")
        if inner is None:
            break
        fun = inner
    return fun


def innermost(fun: Any, name: str) -> Any:
    """What is within partials and what wraps as they do, down to the first that has an attribute of this name."""
    for _ in range(WRAPPED_LIMIT):
        inner = attribute(fun, "func")
        if inner is None or has(fun, name):
            break
        fun = inner
    return fun


def function_named(path: Sequence[str], namespace: Mapping[str, Any]) -> types.FunctionType | None:
    """The function of the user's that runs where this dotted name is called; None if it is under jit already, or not known.

    Example:
        >>> function_named(("net", "apply"), {"net": net}).__code__.co_name
        'apply_fn'
    """
    value = namespace.get(path[0]) if path else None
    for name in path[1:]:
        value = None if value is None else attribute(value, name)
    value = innermost(value, "__code__")
    if isinstance(value, types.MethodType):
        value = value.__func__
    elif not isinstance(value, types.FunctionType):
        value = in_class(value, "__call__")
    plain = unwrapped(value) if isinstance(value, types.FunctionType) else None
    return plain if isinstance(plain, types.FunctionType) else None


def file_of(fun: Any) -> str:
    return code.co_filename if isinstance(code := attribute(fun, "__code__"), types.CodeType) else ""


def line_of(fun: Any) -> int:
    return code.co_firstlineno if isinstance(code := attribute(fun, "__code__"), types.CodeType) else 0


def _wrappers(fun: Any) -> Iterator[str]:
    for _ in range(WRAPPED_LIMIT):
        inner, code = attribute(fun, "__wrapped__"), attribute(fun, "__code__")
        if inner is None:
            return
        plain = isinstance(code, types.CodeType) and isinstance(fun, types.FunctionType)
        yield f"{fun.__globals__.get('__name__', '')}.{code.co_qualname}" if plain else type(fun).__qualname__
        fun = inner
