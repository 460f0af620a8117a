"""Arrays that cannot be used any more (tracers that outlived their trace, deleted arrays): what holds them, and the user's line
that reads them again."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any, NamedTuple

import jax

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.call.calls import Call, innermost, reachable_functions
from jupyter_jitmagic.diagnosis.sites.finding import definition_of
from jupyter_jitmagic.diagnosis.sites.keeping import Keeping, keeping
from jupyter_jitmagic.diagnosis.sites.operations import block_of
from jupyter_jitmagic.diagnosis.types import Site
from jupyter_jitmagic.usercode.held import closure_of, names_in, paths_to
from jupyter_jitmagic.usercode.places import source_line


class Holder(NamedTuple):
    """What holds such an array, in words and as the name or attribute that source lines read."""

    text: str
    name: str


def leaks(call: Call) -> Iterator[Holder]:
    """Globals, closure variables, attributes of self and arguments, reachable from the function, that hold a tracer."""
    return holders(call, lambda value: isinstance(value, jax.core.Tracer))


def holders(call: Call, wanted: Callable[[Any], bool]) -> Iterator[Holder]:
    """The same for any kind of value."""
    for fun in reachable_functions(call):
        for name in names_in(fun):
            if name in fun.__globals__:
                yield from (Holder(f"the global {name}{path}", name) for path in paths_to(fun.__globals__[name], wanted))
        for name, value in closure_of(fun):
            yield from (Holder(f"the closure variable {name}{path}", name) for path in paths_to(value, wanted))
    owner = attribute(innermost(call.fun), "__self__", None)
    yield from (Holder(f"self{path}", path.lstrip(".").split("[")[0].split(".")[0]) for path in paths_to(owner, wanted))
    for argument in call.arguments:
        yield from (Holder(f"{argument.name}{path}", argument.name) for path in paths_to(argument.value, wanted))


class Left:
    """What a trace leaves behind: made before it, asked after it.

    Attributes:
        tracer: one that was not there before, None if there is none.
        holder: what holds it.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._before: list[Any] = []
        for _ in holders(call, self._note):
            pass
        self.tracer: Any = None
        self.holder: Holder | None = None

    def look(self) -> None:
        """The trace has ended, and what it changed is not put back yet."""
        self.holder = next(holders(self._call, self._is_new), None)

    def _note(self, value: Any) -> bool:
        if isinstance(value, jax.core.Tracer):
            self._before.append(value)
        return False

    def _is_new(self, value: Any) -> bool:
        if not isinstance(value, jax.core.Tracer) or any(value is each for each in self._before):
            return False
        self.tracer = value
        return True


def leak_site(error: BaseException, call: Call) -> Site | None:
    """The first line that reads the holder of a leaked tracer: the function's own first, then its helpers'; where nothing is
    left that holds it, the line that kept it."""
    if not isinstance(error, jax.errors.UnexpectedTracerError):
        return None
    leak = next(leaks(call), None)
    if leak is not None:
        return reading_site(call, leak, "leaked tracer", "reads a tracer of an ended trace")
    kept = keeping(error)
    if kept is None:
        return None
    return kept_site(kept)


def kept_site(kept: Keeping) -> Site:
    """The line that keeps a tracer."""
    return Site(kept.filename, kept.line, kept.code, "leaked tracer", (), "keeps a tracer of its trace", function=kept.function)


def reading_site(call: Call, holder: Holder, operation: str, detail: str) -> Site | None:
    """The first line that reads what the holder holds: the function's own first, then its helpers'."""
    for fun in reachable_functions(call):
        code = fun.__code__
        line = _reading_line(code, holder.name)
        if line:
            text = source_line(code.co_filename, line, fun.__globals__)
            return Site(code.co_filename, line, text, operation, (), detail, function=code.co_name)
    return None


def _reading_line(code: CodeType, name: str) -> int | None:
    tree, parents, _ = block_of(code)
    own = definition_of(tree, code) if tree is not None else None
    if own is None:
        return None
    for node in sorted(ast.walk(own), key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))):
        named = (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name)
        if named and isinstance(node.ctx, ast.Load) and not _only_adds(node, parents):  # type: ignore[attr-defined]
            return int(node.lineno)  # type: ignore[attr-defined]
    return None


def _only_adds(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether the holder is only written to there: ``kept.append(x)`` as a statement, ``kept["x"] = …``."""
    parent = parents.get(node)
    if isinstance(parent, ast.Subscript):
        return isinstance(parent.ctx, ast.Store)
    call = parents.get(parent) if isinstance(parent, ast.Attribute) else None
    return isinstance(call, ast.Call) and isinstance(parents.get(call), ast.Expr)
