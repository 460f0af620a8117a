"""A cut function as text and as functions: the statement that replaces the user's, and what it defines."""

from __future__ import annotations

import ast
import difflib
import functools
import itertools
import linecache
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from jupyter_jitmagic.diagnosis.splits.cutting import CannotCut, Cut, Key, Piece
from jupyter_jitmagic.diagnosis.splits.jits import Jits
from jupyter_jitmagic.diagnosis.types import Rewrite
from jupyter_jitmagic.source.code import Code, first_line, reindent
from jupyter_jitmagic.source.layout import folded
from jupyter_jitmagic.source.units import NoSource, Unit, codes

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Rewritten:
    """A piece that a rewrite cured: its definition, and the patterns by which."""

    text: str
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """The user's function in its source.

    Attributes:
        unit, code: the top-level statement that holds it.
        node: the function.
        around: the class or function in which it stands, None at module level.
        typed: the statement as the user typed it; `unit` has another text where plain Python does not run that.
    """

    unit: Unit
    code: Code
    node: ast.FunctionDef
    around: ast.ClassDef | ast.FunctionDef | None
    typed: Unit

    @classmethod
    def of(cls, unit: Unit, function: types.FunctionType, text: str | None = None) -> Place:
        """Where a function stands, in its statement or in that statement with another text.

        Raises:
            CannotCut: it is a lambda, or stands where no function can be put beside it.
        """
        typed, unit = unit, unit if text is None else replace(unit, text=text)
        code = Code(unit.text)
        line = function.__code__.co_firstlineno - unit.first_line + 1
        for node in ast.walk(code.tree):
            if isinstance(node, ast.FunctionDef) and node.name == function.__name__ and first_line(node) == line:
                around = code.parents[node]
                if isinstance(around, ast.Module):
                    return cls(unit, code, node, None, typed)
                outermost = isinstance(around, ast.ClassDef) and isinstance(code.parents[around], ast.Module)
                if outermost or isinstance(around, ast.FunctionDef):
                    assert isinstance(around, ast.ClassDef | ast.FunctionDef)
                    return cls(unit, code, node, around, typed)
        raise CannotCut("it is no function of its own lines")


class Program:
    """The statement with the pieces in it, and the functions that it defines.

    Args:
        place: the user's function in its source.
        function: the function itself, whose globals and closure the new ones take.
        cut: where it is cut.
        jits: how jit is spelled there.
        static: by piece, the static arguments.
        rewritten: pieces with another text.

    Raises:
        NoSource: a piece needs a variable that is gone.
    """

    def __init__(
        self,
        place: Place,
        function: types.FunctionType,
        cut: Cut,
        jits: Jits,
        static: Mapping[tuple[Key, ...], tuple[str, ...]],
        rewritten: Mapping[tuple[Key, ...], Rewritten],
    ) -> None:
        self.place, self.function, self.cut, self.jits = place, function, cut, jits
        self.pieces: list[Piece] = cut.pieces
        self.static, self.rewritten = static, rewritten
        self.text = self._text()
        self.code = Code(self.text)
        self.filename = f"<jitmagic split {next(_numbers)}>"
        self.functions = self._functions()

    # -- the text -------------------------------------------------------------------------------------

    def _text(self) -> str:
        place, code = self.place, self.place.code
        indent = code.indent(place.node) if isinstance(place.around, ast.FunctionDef) else ""
        gap = "\n" if indent else "\n\n"
        imports: dict[str, None] = {}
        definitions = []
        for piece in self.pieces:
            own, text = self._definition(piece)
            imports |= dict.fromkeys(own)
            definitions.append(reindent(text, "", indent) + gap)
        if self.pieces and self.jits.needed_import:
            imports[self.jits.needed_import] = None
        lines = "".join(f"{indent}{line}\n" for line in imports)
        before = lines + (gap if lines else "") + "".join(definitions)
        start = code.offset(first_line(place.around if isinstance(place.around, ast.ClassDef) else place.node), 0)
        end = code.region([place.node])[1]
        head = code.text[start : code.offset(place.node.lineno, 0)]
        for line in self.jits.decorator_lines(code, place.node):
            head = head.replace(line, "", 1)
        return code.text[:start] + before + head + self.cut.function_text() + code.text[end:]

    def _definition(self, piece: Piece) -> tuple[list[str], str]:
        """(import lines that it needs, its text)."""
        decorator = self.jits.decorator(self.static.get(piece.key, ()))
        if piece.key not in self.rewritten:
            return [], self.cut.piece_text(piece, decorator)
        text = self.rewritten[piece.key].text
        body = ast.parse(text).body
        imports = [ast.unparse(node) for node in body[:-1]]
        lines = text.splitlines(keepends=True)[body[-1].lineno - 1 :]
        name = body[-1].name  # type: ignore[attr-defined]
        return imports, f"{decorator}\n" + "".join(lines).replace(f"def {name}(", f"def {piece.name}(", 1)

    def whole(self) -> str:
        """The text as it is shown and put into a cell: long lines folded."""
        return folded(self.text, self.place.unit.text)

    # -- the functions --------------------------------------------------------------------------------

    def _functions(self) -> dict[str, types.FunctionType]:
        """The pieces and the function, made of code alone; those that the function calls are put in by `run_with`."""
        place, function = self.place, self.function
        module = place.unit.compiled(self.text, self.filename)
        made = {code.co_qualname: code for code in codes(module)}
        above = f"{function.__qualname__.rpartition('.')[0]}." if isinstance(place.around, ast.FunctionDef) else ""
        space = dict(function.__globals__)
        for node in ast.parse(self.text).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                exec(compile(ast.Module([node], []), self.filename, "exec"), space)
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        self._space, self._cells = space, {piece.name: types.CellType() for piece in self.pieces}
        found = {}
        for name in [*(piece.name for piece in self.pieces), function.__name__]:
            own = name == function.__name__
            code = made.get(function.__qualname__ if own else above + name)
            if code is None:
                raise NoSource(f"{name} is not in the new source")
            missing = [free for free in code.co_freevars if free not in cells and free not in self._cells]
            if missing:
                raise NoSource(f"{name} needs {missing[0]} from a function that has returned")
            closure = tuple(self._cells.get(free) or cells[free] for free in code.co_freevars)
            found[name] = types.FunctionType(code, space, name, function.__defaults__ if own else None, closure or None)
            if own:
                found[name].__kwdefaults__ = function.__kwdefaults__
                found[name].__module__, found[name].__qualname__ = function.__module__, function.__qualname__
        if function.__name__ in function.__code__.co_names and place.around is None:
            space[function.__name__] = found[function.__name__]
        return found

    def run_with(self, callables: Mapping[str, Callable[..., Any]]) -> types.FunctionType:
        """The function, calling these in the pieces' places."""
        for name, value in callables.items():
            self._space[name] = value
            self._cells[name].cell_contents = value
        return self.functions[self.function.__name__]

    @contextmanager
    def without_jit(self) -> Iterator[None]:
        """While this lasts the pieces are called as they are: JAX takes no gradient of what has options of the compiler's."""
        jitted = {piece.name: self._space[piece.name] for piece in self.pieces}
        self.run_with({name: self.functions[name] for name in jitted})
        try:
            yield
        finally:
            self.run_with(jitted)

    @contextmanager
    def readable(self) -> Iterator[None]:
        """While this lasts the text can be read as that of a file: rules and runs look their lines up there."""
        lines = self.text.splitlines(keepends=True)
        linecache.cache[self.filename] = (len(self.text), None, lines, self.filename)
        try:
            yield
        finally:
            linecache.cache.pop(self.filename, None)

    def definition_of(self, piece: Piece) -> ast.FunctionDef:
        return next(node for node in ast.walk(self.code.tree) if isinstance(node, ast.FunctionDef) and node.name == piece.name)


@dataclass(frozen=True)
class Split:
    """What was found.

    Attributes:
        rewrite: the function in pieces, run and compared; None where there is none.
        runs: plain Python runs the call as it is.
        function: the function in pieces, where it was compared.
        work: how many operations compute something in its pieces.
    """

    rewrite: Rewrite | None = None
    runs: bool = False
    function: Any = None
    work: int = 0


def difference(name: str, old: str, new: str) -> str:
    """What differs between a statement and what replaces it."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"{name} (now)", f"{name} (fixed)", lineterm="", n=3)
    return "\n".join(lines)


def with_static(piece: Piece, names: frozenset[str]) -> tuple[str, ...]:
    """The static arguments of a piece, in the order of its parameters."""
    return tuple(name for name in piece.inputs if name in names)


def in_place_of(fun: Any, new: types.FunctionType) -> Any:
    """`fun` (a function, a method, a partial, a callable object) with `new` for the function inside."""
    if isinstance(fun, types.FunctionType):
        return new
    if isinstance(fun, functools.partial):
        return functools.partial(in_place_of(fun.func, new), *fun.args, **fun.keywords)
    if isinstance(fun, types.MethodType):
        return types.MethodType(in_place_of(fun.__func__, new), fun.__self__)
    if isinstance(vars(type(fun)).get("__call__"), types.FunctionType):
        return types.MethodType(new, fun)
    raise CannotCut("it is wrapped in a way that is not followed")
