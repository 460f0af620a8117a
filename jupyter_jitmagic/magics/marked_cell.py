"""How a cell that begins with ``%%jit`` comes to be run with jit on its functions.

It is not run by the magic. An input transformer puts a marker on its first line, and a syntax-tree transformer takes the
marker out and puts jit on the functions; IPython then runs the cell as if the magic were not there. So the last expression,
top-level ``await``, other magics, tracebacks and ``inspect.getsource`` need nothing from us. The magic itself runs only where
code calls ``run_cell_magic("jit", …)``.
"""

from __future__ import annotations

import ast
import linecache
import pickle
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from jupyter_jitmagic.base.errors import OptionError, faults
from jupyter_jitmagic.magics import cell_tree, wrapping
from jupyter_jitmagic.magics.request import is_for_engines, read_jit_line

MARKED = re.compile(r"get_ipython\(\)\.run_cell_magic\('jit', ")


def decide(line: str, tree: ast.Module, namespace: Mapping[str, Any]) -> tuple[cell_tree.Request, cell_tree.Plan]:
    """What ``%%jit line`` does to a cell; every way in goes through here.

    Raises:
        UsageError: one line that says what is wrong.
    """
    try:
        request = read_jit_line(line)
        _refuse_what_jit_lacks(request)
        return request, cell_tree.plan(tree, request, namespace)
    except OptionError as error:
        raise UsageError(f"%%jit: {error}") from None


def _refuse_what_jit_lacks(request: cell_tree.Request) -> None:
    import inspect

    from jupyter_jitmagic.recording.api.jitting import jit

    has = inspect.signature(jit).parameters
    for name in request.options:
        if name not in has:
            raise OptionError(f"--{name.replace('_', '-')} is not available in this version")


def parse(shell: Any, source: str) -> ast.Module:
    """A cell's tree.

    Raises:
        UsageError: a syntax error, in one line with its line number.
    """
    try:
        tree: ast.Module = shell.compile.ast_parse(source)
    except SyntaxError as error:
        code = (error.text or "").strip()
        raise UsageError(f"%%jit: line {error.lineno}: {error.msg}{': ' if code else ''}{code}") from None
    except (ValueError, OverflowError, MemoryError) as error:
        raise UsageError(f"%%jit: the cell cannot be parsed: {error}") from None
    return tree


def apply(shell: Any, tree: ast.Module, request: cell_tree.Request, plan: cell_tree.Plan) -> None:
    """Put jit on the functions, in place, and a statement first that says which were taken."""
    wrapping.wrap(tree, plan, request.options, shell.user_ns)
    if request.watch:
        wrapping.first(tree, "jupyter_jitmagic.magics.watched_cell", "begin")
    if request.lines:
        wrapping.first(tree, "jupyter_jitmagic.magics.lines_magic", "begin")
    if plan.taken and not request.quiet:
        if _is_read_by_a_magic():
            say(taken_words(plan))  # once, and in no time that is measured: %%timeit runs every statement many times
        else:
            wrapping.first(tree, __name__, "say", taken_words(plan))


def say(line: str) -> None:
    """The quiet line of a wrapped cell."""
    print(line)


def refuse(line: str) -> None:
    """Stops a cell of which something turned out wrong only when it was about to run."""
    raise UsageError(line)


def taken_words(plan: cell_tree.Plan) -> str:
    taken = ", ".join(taken.name for taken in plan.taken)
    left = ", ".join(f"{name} ({reason})" for name, reason in plan.left.items())
    return f"%%jit takes {taken}" + (f"; leaves alone {left}" if left else "")


class Marker:
    """The input transformer that turns a first line ``%%jit …`` into a marker that the tree transformer finds.

    It keeps the number of lines: blank lines above the magic, which IPython would drop, go below the marker.
    """

    has_side_effects = True
    """So `check_complete` leaves it out, and a terminal goes on asking for lines as after any cell magic."""

    def __call__(self, lines: list[str]) -> list[str]:
        read = lines
        with _ours_stops():
            read = self._marked(lines)
        return read

    def _marked(self, lines: list[str]) -> list[str]:
        blank = next((index for index, line in enumerate(lines) if line.strip()), 0)
        if not lines:
            return lines
        first = _MAGIC.match(lines[blank])
        if not first:
            return lines
        below = next((index for index in range(blank + 1, len(lines)) if lines[index].strip()), blank)
        second = _MAGIC.match(lines[below]) if below > blank else None
        if first[1] != "jit":
            if second and second[1] == "jit" and first[1] in _RUN_ELSEWHERE:
                raise UsageError(f"%%jit: %%{first[1]} does not run the cell as IPython does, so %%jit cannot work in it")
            return lines
        if second and second[1] == "jit":
            raise UsageError("%%jit: the magic stands twice above this cell")
        if second and second[1] in _RUN_ELSEWHERE | _RUN_NOTHING:
            raise UsageError(f"%%jit: %%{second[1]} below it does not run the cell as IPython does; leave out one of the two")
        if second:
            # another cell magic runs the rest of the cell: it stays outside, and finds ours on the first line of what it runs
            return [lines[below], *["\n"] * (below - 1), lines[blank], *lines[below + 1 :]]
        if _is_read_by_a_magic() or is_for_engines(first[2] or ""):
            return lines  # a magic may run it in any way, engines run it elsewhere: IPython makes a call of our magic out of it
        indent = lines[blank][: first.start(1) - 2]
        return [f"{indent}{marker(first[2] or '')}\n", *["\n"] * blank, *lines[blank + 1 :]]


_MAGIC = re.compile(r"\s*%%(\w+)(?:[ \t]+(.*?))?\s*$")
_RUN_ELSEWHERE = frozenset(
    (
        "bash",
        "cmd",
        "code_wrap",
        "debug",
        "perl",
        "pypy",
        "python",
        "python2",
        "python3",
        "ruby",
        "script",
        "sh",
        "sx",
        "system",
    )
)
"""IPython's cell magics that give the text to something that knows no magics."""
_RUN_NOTHING = frozenset(("file", "html", "javascript", "js", "latex", "markdown", "svg", "writefile"))
"""Those that show or keep it."""


def marker(line: str) -> str:
    return f"get_ipython().run_cell_magic('jit', {line!r}, ...)"


def _is_read_by_a_magic() -> bool:
    """Is a cell magic reading text that it will run itself? Not all ask the syntax-tree transformers (``%%prun`` does not)."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code not in _RUN_CELL:
        if frame.f_code is _RUN_CELL_MAGIC:
            return True
        frame = frame.f_back
    return False


_RUN_CELL = (InteractiveShell.run_cell.__code__, InteractiveShell.run_cell_async.__code__)
_RUN_CELL_MAGIC = InteractiveShell.run_cell_magic.__code__


class Check:
    """The input transformer that refuses a wrong ``%%jit`` cell before anything of it runs."""

    has_side_effects = True

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def __call__(self, lines: list[str]) -> list[str]:
        if lines and MARKED.match(lines[0]):
            with _ours_stops():
                self._refuse(lines)
        return lines

    def _refuse(self, lines: list[str]) -> None:
        source = "".join(self._shell.input_transformer_manager.do_token_transforms(list(lines)))
        try:
            tree = self._shell.compile.ast_parse(source)
        except (SyntaxError, ValueError, OverflowError, MemoryError):
            return  # IPython tells it best, with the place marked
        line = marked(tree)
        if line is not None:
            del tree.body[0]
            decide(self._shell.var_expand(line, depth=0), tree, self._shell.user_ns)


class Wrapper:
    """The syntax-tree transformer that takes the marker out of a cell and puts jit on its functions.

    A fault of ours leaves the cell as plain Python. IPython would take a transformer that raises out for good.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def visit(self, tree: ast.AST) -> ast.AST:
        plain: ast.AST = tree
        done: ast.AST | None = None
        with _ours_stops():
            plain = tree = self._inlined(tree)
            line = marked(tree)
            if line is None or not isinstance(tree, ast.Module):
                return tree
            del tree.body[0]
            plain = pickle.loads(pickle.dumps(tree))  # a copy, ten times as quick as copy.deepcopy
            _unmark_source(line)
            done = self._wrapped(tree, line)
        return done or plain

    def _inlined(self, tree: ast.AST) -> ast.AST:
        """A call of ours that is all that another magic runs, as a marked cell; where the cell is wrong, the call tells it."""
        found = _called(tree)
        if found is None or is_for_engines(found[0]) or not _is_read_by_a_magic():
            return tree
        line, cell = found
        try:
            return parse(self._shell, self._shell.transform_cell(f"{marker(line)}\n{cell}"))
        except UsageError:
            return tree

    def _wrapped(self, tree: ast.Module, line: str) -> ast.AST:
        try:
            request, plan = decide(self._shell.var_expand(line, depth=0), tree, self._shell.user_ns)
        except UsageError as error:
            tree.body.clear()
            wrapping.first(tree, __name__, "refuse", str(error))
        else:
            apply(self._shell, tree, request, plan)
        return tree


@contextmanager
def _ours_stops() -> Iterator[None]:
    """What goes wrong of ours is told once and stops no cell; what the user got wrong is raised."""
    refused: UsageError | None = None
    with faults.stop("putting jit on a cell's functions", "the cell runs without jit"):
        try:
            yield
        except UsageError as error:
            refused = error
    if refused is not None:
        raise refused


def _unmark_source(line: str) -> None:
    """Tracebacks show the magic on line 1 and not the marker; as a comment, since the source has to stay Python."""
    for entry in list(linecache.cache.values()):
        lines = entry[2] if len(entry) == 4 else ()
        if lines and lines[0].strip() == marker(line):
            lines[0] = f"# %%jit {line}".rstrip() + "\n"


def marked(tree: ast.AST) -> str | None:
    """The options on a marked cell's first line, None if it is not marked."""
    match tree:
        case ast.Module(body=[ast.Expr(value=call), *_]):
            line, cell = _arguments(call)
            return line if cell is Ellipsis else None
    return None


def _called(tree: ast.AST) -> tuple[str, str] | None:
    """Options and text of a cell that is a call of our magic and nothing else."""
    match tree:
        case ast.Module(body=[ast.Expr(value=call)]):
            line, cell = _arguments(call)
            return (line, cell) if line is not None and isinstance(cell, str) else None
    return None


def _arguments(call: ast.expr) -> tuple[str | None, Any]:
    """What a call of our magic, as IPython writes it, is given."""
    match call:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name("get_ipython")), attr="run_cell_magic"),
            args=[ast.Constant("jit"), ast.Constant(str() as line), ast.Constant(cell)],
        ):
            return line, cell
    return None, None
