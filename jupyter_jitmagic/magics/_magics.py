"""The magics, thin: a line in, a call of another room, a display out. With `_load`, the only door to IPython.

A cell that begins with ``%%jit`` is not run by the magic. An input transformer puts a marker on its first line, and a
syntax-tree transformer takes the marker out and puts jit on the functions; IPython then runs the cell as if the magic were
not there. So the last expression, top-level ``await``, other magics, tracebacks and ``inspect.getsource`` need nothing from
us. The magic itself runs only where code calls ``run_cell_magic("jit", …)``.
"""

from __future__ import annotations

import ast
import linecache
import pickle
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand

from jupyter_jitmagic._errors import OptionError, faults
from jupyter_jitmagic.magics import _cell, _watched_cell
from jupyter_jitmagic.magics._request import Parser, cache_parser, fix_parser, jit_parser, read_jit_line, stats_parser

MARKED = re.compile(r"get_ipython\(\)\.run_cell_magic\('jit', ")


def decide(line: str, tree: ast.Module, namespace: Mapping[str, Any]) -> tuple[_cell.Request, _cell.Plan]:
    """What ``%%jit line`` does to a cell; every way in goes through here.

    Raises:
        UsageError: one line that says what is wrong.
    """
    try:
        request = read_jit_line(line)
        _refuse_what_jit_lacks(request)
        return request, _cell.plan(tree, request, namespace)
    except OptionError as error:
        raise UsageError(f"%%jit: {error}") from None


def _refuse_what_jit_lacks(request: _cell.Request) -> None:
    import inspect

    from jupyter_jitmagic.recording._jitted import jit

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


def apply(shell: Any, tree: ast.Module, request: _cell.Request, plan: _cell.Plan) -> None:
    """Put jit on the functions, in place, and a statement first that says which were taken."""
    _cell.wrap(tree, plan, request.options, shell.user_ns)
    if request.watch:
        _cell.first(tree, "jupyter_jitmagic.magics._watched_cell", "begin")
    if plan.taken and not request.quiet:
        if _is_read_by_a_magic():
            say(_said(plan))  # once, and in no time that is measured: %%timeit runs every statement many times
        else:
            _cell.first(tree, __name__, "say", _said(plan))


def say(line: str) -> None:
    """The quiet line of a wrapped cell."""
    print(line)


def refuse(line: str) -> None:
    """Stops a cell of which something turned out wrong only when it was about to run."""
    raise UsageError(line)


def _said(plan: _cell.Plan) -> str:
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
                raise UsageError(f"%%jit: %%{first[1]} does not run the cell as IPython does, so there is no %%jit in it")
            return lines
        if second and second[1] == "jit":
            raise UsageError("%%jit: the magic stands twice over this cell")
        if second and second[1] in _RUN_ELSEWHERE | _RUN_NOTHING:
            raise UsageError(f"%%jit: %%{second[1]} below it does not run the cell as IPython does; leave out one of the two")
        if second:
            # another cell magic runs the rest of the cell: it stays outside, and finds ours on the first line of what it runs
            return [lines[below], *["\n"] * (below - 1), lines[blank], *lines[below + 1 :]]
        if _is_read_by_a_magic():
            return lines  # which may run it in any way: IPython makes a call of our magic out of it
        indent = lines[blank][: first.start(1) - 2]
        return [f"{indent}{_marker(first[2] or '')}\n", *["\n"] * blank, *lines[blank + 1 :]]


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


def _marker(line: str) -> str:
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
        if found is None or not _is_read_by_a_magic():
            return tree
        line, cell = found
        try:
            return parse(self._shell, self._shell.transform_cell(f"{_marker(line)}\n{cell}"))
        except UsageError:
            return tree

    def _wrapped(self, tree: ast.Module, line: str) -> ast.AST:
        try:
            request, plan = decide(self._shell.var_expand(line, depth=0), tree, self._shell.user_ns)
        except UsageError as error:
            tree.body.clear()
            _cell.first(tree, __name__, "refuse", str(error))
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
        if lines and lines[0].strip() == _marker(line):
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


@magics_class
class JitMagics(Magics):  # type: ignore[misc]
    """`%%jit` and its fellows."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._loaded_s = time.time()

    @no_var_expand  # type: ignore[untyped-decorator]
    @cell_magic  # type: ignore[untyped-decorator]
    def jit(self, line: str, cell: Any) -> Any:
        """Put `jax.jit` on the functions of a cell.

            %%jit [NAME …] [--static NAMES] [--donate NAMES] [--auto] [--check] [--keep] [--watch]
                  [--on-miss allow|warn|raise|eager] [--max-compiles N] [--timing observe|block|dispatch] [--quiet]

        The cell

            %%jit --static n
            def padded(x, n):
                return jnp.zeros(n, x.dtype).at[: x.size].set(x)

            padded(x, 8)

        runs as if it were

            @jit(static_argnames=("n",))
            def padded(x, n):
                return jnp.zeros(n, x.dtype).at[: x.size].set(x)

            padded(x, 8)

        where `jit` is `jupyter_jitmagic.jit`: `jax.jit` with a record of every call (`%jitstats`) and, when a trace fails,
        with a proven answer below the error (`%jitfix` puts it into the cell).

        Without names it takes every function at the top level of the cell that no other function of the cell refers to.
        Generators, coroutines, classes, and functions under other compilers (equinox, flax, numba) are left alone. jit goes
        outside all decorators, or where `jax.jit` stood, whose options it keeps.

        NAME …            take these functions only; names are separated by commas or blanks
        --static NAMES    arguments whose value the trace may use, as `n` (every taken function that has it) or `f.n`.
                          Each new value compiles again.
        --donate NAMES    arguments whose memory the call may reuse (`donate_argnames`)
        --auto            where a trace fails and static arguments are proven to cure it, make them static, say so once, go on
        --check           run plain Python too on the first call of each cache entry, and warn if it computes something else
        --keep            a cell that runs again and means the same goes on with what it compiled before
        --watch           tell below the cell what compiled while it ran, of any function, and why; the cell need define none
        --on-miss WHAT    from the (N + 1)th compile of a function on (N is 1 unless --max-compiles says otherwise): warn with
                          the reason, raise a RecompileError before the compile is paid, or run the plain function (eager)
        --max-compiles N  so many compiles are always allowed; alone it raises after them
        --timing HOW      observe: time executions without blocking (default); block: wait for each result; dispatch: time none
        --quiet           do not say which functions were taken
        """
        if cell is Ellipsis:
            raise UsageError(
                "%%jit: this cell was run in a way that leaves out IPython's syntax-tree transformers, which put jit on it"
            )
        shell = self.shell
        raw = f"%%jit {line}\n{cell}"
        source = shell.transform_cell(f"{_marker(line)}\n{cell}")
        name = shell.compile.cache(source, shell.execution_count, raw_code=raw)
        tree = shell.transform_ast(parse(shell, source))
        try:
            return run(shell, tree, name)
        finally:
            _watched_cell.end()

    @line_magic  # type: ignore[untyped-decorator]
    def jitstats(self, line: str) -> None:
        """Show what every jitted call cost.

            %jitstats [NAME …] [--level LEVEL | --others] [-o VAR] [--save FILE] [--break-even] [--plot] [--reset]

        The same as

            jupyter_jitmagic.stats(LEVEL)       # a pandas.DataFrame; -o puts it into VAR
            jupyter_jitmagic.reset()            # --reset

        NAME …          only these functions
        --level LEVEL   functions (default), entries, calls, misses, diagnoses or others
        --others        the same as --level others: what compiled outside jupyter_jitmagic.jit, as plain jax.jit and libraries
        -o VAR          put the whole table into VAR, with times in seconds, and show nothing
        --save FILE     write the table as .csv, .json or .parquet, or as .html a report of its own: every table but calls
        --plot          draw every call: what its compile cost, how long it executed
        --break-even    measure after how many calls compiling has paid against plain Python (runs both, some seconds)
        --reset         forget the rows after that; JAX's caches stay

        compile     seconds in the compiler, all compiles together
        execute     median of the executions whose end was seen; a dispatch time never stands for it
        """
        from jupyter_jitmagic.magics import _stats_magic

        given = _read(stats_parser(), line)
        with _one_line("%jitstats"):
            _stats_magic.run(self.shell, given)

    @line_magic  # type: ignore[untyped-decorator]
    def jitcache(self, line: str) -> None:
        """Show and clear the jit caches of this kernel: the panel as text.

            %jitcache [list [NAME …]]        the cache entries of every jitted function
            %jitcache show ENTRY             one entry: argument types, static values, times, memory
            %jitcache show ENTRY PROGRAM     its jaxpr, stablehlo, hlo (optimised), memory, or cost (XLA's estimates)
            %jitcache drop ENTRY             forget one entry, where JAX can
            %jitcache clear [NAME …]         empty the caches of these functions, or of all that jitmagic knows

        ENTRY is its number, as `list` and the tables show it.
        """
        from jupyter_jitmagic.magics import _cache_magic

        given = _read(cache_parser(), line)
        with _one_line("%jitcache"):
            _cache_magic.run(self.shell, given.what, given.names)

    @line_magic  # type: ignore[untyped-decorator]
    def jitfix(self, line: str) -> None:
        """Put the fix for the last failed trace into the cell.

            %jitfix [N]

        After a trace has failed, in a cell of its own:

            %jitfix         this cell becomes the failed cell with the proposed fix in it
            %jitfix 2       the same with the second fix

        Nothing runs: read the cell, then run it. Undo is the editor's. Of a function in another cell or in a file the change is
        shown as a diff. It works after a failed trace under plain `jax.jit` as well; then the advice is shown first.
        """
        from jupyter_jitmagic.magics import _fix_magic

        given = _read(fix_parser(), line)
        with _one_line("%jitfix"):
            _fix_magic.run(self.shell, self.failures, given.number)

    @property
    def failures(self) -> Any:
        """What the failed traces of this shell came to; made with the first of them."""
        if self._failures is None:
            from jupyter_jitmagic.magics._failures import Failures

            self._failures = Failures(self.shell)
        return self._failures

    _failures: Any = None

    def cell_ended(self, result: Any) -> None:
        """IPython's `post_run_cell`: nothing to do unless the cell failed with JAX in use, or something was recorded."""
        if not result.success and "jax" in sys.modules:
            with faults.stop("explaining a failed cell"):
                self.failures.cell_ended(result, UsageError)
        if "jupyter_jitmagic.recording._recording" in sys.modules:
            with faults.stop("telling what a cell has shown"):
                self._tell()

    def _tell(self) -> None:
        """The lines below a cell: what recompiled at a cost, what would save it, which globals are stale."""
        if self._teller is None:
            from functools import partial

            from jupyter_jitmagic.magics import _shell
            from jupyter_jitmagic.recording._telling import Teller

            self._teller = Teller(partial(_shell.place, self.shell), since=self._loaded_s)
        lines = self._teller.lines()
        if lines:
            from jupyter_jitmagic._display._model import Document, Paragraph
            from jupyter_jitmagic.magics import _shell
            from jupyter_jitmagic.magics._miss_advice import panel_link

            _shell.show(self.shell, Document.of([Paragraph(line, link=panel_link(line.miss, line.cure)) for line in lines]))

    _teller: Any = None


def _read(parser: Parser, line: str) -> Any:
    with _one_line(parser.prog):
        return parser.read(line)


@contextmanager
def _one_line(magic: str) -> Iterator[None]:
    """What the user got wrong, as one line."""
    try:
        yield
    except OptionError as error:
        raise UsageError(f"{magic}: {error}") from None


def run(shell: Any, tree: ast.Module, filename: str) -> Any:
    """Run a tree in the user's namespace; the value of a last expression is returned, as a cell would show it."""
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
    exec(shell.compile(tree, filename, "exec"), shell.user_ns)
    if not isinstance(last, ast.Expr):
        return None
    return eval(shell.compile(ast.Expression(last.value), filename, "eval"), shell.user_ns)  # noqa: S307 (the user's own cell)


def completer(shell: Any) -> Any:
    """A matcher for the lines of our magics: options and their choices, functions and arguments of the cell, recorded names."""

    @context_matcher()  # type: ignore[untyped-decorator]
    def jitmagic_matcher(context: CompletionContext) -> SimpleMatcherResult:
        from jupyter_jitmagic.magics._completion import complete

        line = context.text_until_cursor
        match = re.match(r"\s*(%%jit|%jitstats|%jitcache|%jitfix)\s+", line)
        if not match:
            return {"completions": []}
        lines = context.full_text.split("\n")
        body = "\n".join(lines[context.cursor_line + 1 :])
        parser = {"%%jit": jit_parser, "%jitstats": stats_parser, "%jitcache": cache_parser, "%jitfix": fix_parser}[match[1]]()
        names = {} if match[1] == "%%jit" else {"names": _recorded_names()}
        if match[1] == "%jitcache" and len(line.split()) < 3 and not line.split()[-1].startswith("-"):
            names = {"names": ["list", "show", "drop", "clear"]}
        found = complete(parser, line[match.end() :] or " ", body, names)
        return {"completions": [SimpleCompletion(each) for each in found], "suppress": True}

    return jitmagic_matcher


def _recorded_names() -> list[str]:
    from jupyter_jitmagic._records import log

    return [record.name for record in log.functions.values() if not record.superseded]
