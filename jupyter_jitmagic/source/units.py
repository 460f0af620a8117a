"""From a function to the source it came from: the whole top-level statement."""

from __future__ import annotations
import __future__

import ast
import dis
import functools
import linecache
import re
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from jupyter_jitmagic.base.looking import has
from jupyter_jitmagic.usercode.ownership import is_users_text

_ANNOTATIONS = __future__.annotations.compiler_flag
"""The one ``from __future__ import …`` that still changes what is compiled. Code bears it, and a shell hands it on to later
cells."""


class NoSource(Exception):
    """Why a function's source cannot be used; the message is said to the user."""


@dataclass(frozen=True, eq=False)
class Unit:
    """One top-level statement of a user's module or cell: what a rewrite replaces.

    Attributes:
        filename, first_line: where its text starts (decorators included), as tracebacks count.
        text: its whole lines (with what else stands on them).
        globals: the namespace in which it ran (the user's own; never written to).
        flags: what the compiler was told of the ``__future__``.
    """

    filename: str
    first_line: int
    text: str
    globals: dict[str, Any] = field(repr=False)
    flags: int = 0

    @property
    def last_line(self) -> int:
        return self.first_line + len(self.text.splitlines()) - 1

    def holds(self, code: types.CodeType) -> bool:
        return code.co_filename == self.filename and self.first_line <= code.co_firstlineno <= self.last_line

    def compiled(self, text: str | ast.Module, filename: str) -> types.CodeType:
        """A text (or tree) in the place of the unit's own, compiled as that was."""
        return _compile(text, filename, self.flags)


def plain_function(fun: Any) -> types.FunctionType | None:
    """The Python function inside jitted, partial, bound-method, decorated and callable objects, or None."""
    for layer in layers(fun):
        if isinstance(layer, types.FunctionType):
            return layer
    return None


def layers(fun: Any) -> Iterator[Any]:
    """`fun` and what it wraps, outside in, up to the first plain Python function whose source is the user's."""
    seen: set[int] = set()
    while fun is not None and id(fun) not in seen:
        seen.add(id(fun))
        yield fun
        if isinstance(fun, functools.partial):
            fun = fun.func
        elif isinstance(fun, types.MethodType):
            fun = fun.__func__
        elif isinstance(fun, types.FunctionType):
            return
        elif has(fun, "__wrapped__"):
            fun = fun.__wrapped__
        else:
            call = vars(type(fun)).get("__call__")
            fun = call if isinstance(call, types.FunctionType) else None


@functools.lru_cache(maxsize=64)
def parsed(text: str) -> ast.Module:
    """The tree of a text; it is shared, and not to be changed."""
    return ast.parse(text)


@functools.lru_cache(maxsize=64)
def _codes_of(filename: str, text: str, flags: int, first: int, last: int) -> tuple[types.CodeType, ...]:
    """All code objects of a module's statements `first` to `last`, compiled together; none where they cannot have run so."""
    body = parsed(text).body[first : last + 1]
    try:
        return tuple(codes(_compile(ast.Module(body, []), filename, flags)))
    except SyntaxError:  # a `return` in a cell stops nothing above it
        return ()


def _compile(source: str | ast.Module, filename: str, flags: int) -> types.CodeType:
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # as in a cell; it changes nothing inside a function
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # Python has told of the user's text, and a draft is no user's
        code: types.CodeType = compile(source, filename, "exec", flags, dont_inherit=True)
    return code


def module_text(filename: str, module_globals: dict[str, Any] | None = None) -> str:
    """The text of a cell or file as Python sees it: IPython's magics and shell lines blanked, line numbers kept."""
    linecache.checkcache(filename)
    lines = linecache.getlines(filename, module_globals)
    if not lines:
        raise NoSource(f"the source of {filename} is not available")
    text = "".join(lines)
    if not text.endswith("\n"):
        text += "\n"
    try:
        parsed(text)
    except SyntaxError:
        text = re.sub(r"^[ \t]*(%|!|\?).*$|^.*\?\??[ \t]*$", "", text, flags=re.MULTILINE)
        try:
            parsed(text)
        except SyntaxError:
            raise NoSource(f"the source of {filename} cannot be parsed") from None
    return text


def unit_of(code: types.CodeType, module_globals: dict[str, Any]) -> Unit:
    """The top-level statement that defines `code`.

    Raises:
        NoSource: it has no source, or the source has changed since the function was defined.
    """
    if not is_users_text(code.co_filename):
        raise NoSource(f"{code.co_qualname} is not the user's own code ({code.co_filename})")
    text = module_text(code.co_filename, module_globals)
    flags = code.co_flags & _ANNOTATIONS
    body = parsed(text).body
    for start, end, first, last in _blocks(body):
        if first <= code.co_firstlineno <= last:
            # A shell compiles each statement of a cell alone, an import compiles the module as a whole, and the compiler makes
            # other code of `jnp.abs(x)` where it has seen `import jax.numpy as jnp`. Equal in either form is equal.
            forms = [(number, number) for number in range(start, end + 1)] + [(0, len(body) - 1)]
            now = (made for form in forms for made in _codes_of(code.co_filename, text, flags, *form))
            if any(made.co_qualname == code.co_qualname and made == code for made in now):
                lines = text.splitlines(keepends=True)
                return Unit(code.co_filename, first, "".join(lines[first - 1 : last]), module_globals, flags)
    raise NoSource(f"the source of {code.co_qualname} has changed since it was defined")


def _blocks(body: list[ast.stmt]) -> Iterator[tuple[int, int, int, int]]:
    """Statements that share no line with others: their first and last number, their first and last line."""
    blocks: list[tuple[int, int, int, int]] = []
    for number, stmt in enumerate(body):
        first = min([stmt.lineno, *(d.lineno for d in getattr(stmt, "decorator_list", []))])
        last = stmt.end_lineno or stmt.lineno
        if blocks and first <= blocks[-1][3]:  # after a semicolon
            start, _, first, _ = blocks.pop()
            blocks.append((start, number, first, last))
        else:
            blocks.append((number, number, first, last))
    yield from blocks


def attributes_set(code: types.CodeType) -> Iterator[str]:
    """Names of the attributes that code writes."""
    return (op.argval for op in dis.get_instructions(code) if op.opname == "STORE_ATTR")


def codes(module: types.CodeType) -> Iterator[types.CodeType]:
    """All code objects inside, in source order."""
    for const in module.co_consts:
        if isinstance(const, types.CodeType):
            yield const
            yield from codes(const)
