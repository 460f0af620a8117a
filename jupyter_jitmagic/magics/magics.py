"""The magics, thin: a line in, a call of another room, a display out. With `loading` and `marked_cell`, the door to IPython."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand

from jupyter_jitmagic.base.errors import OptionError, faults
from jupyter_jitmagic.magics import watched_cell
from jupyter_jitmagic.magics.below_cells import BelowCells
from jupyter_jitmagic.magics.marked_cell import marker, parse
from jupyter_jitmagic.magics.request import (
    Parser,
    cache_parser,
    fix_parser,
    is_for_engines,
    jit_parser,
    lines_parser,
    stats_parser,
)


@magics_class
class JitMagics(Magics):  # type: ignore[misc]
    """`%%jit` and its fellows."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.below = BelowCells(shell)

    @no_var_expand  # type: ignore[untyped-decorator]
    @cell_magic  # type: ignore[untyped-decorator]
    def jit(self, line: str, cell: Any) -> Any:
        """Put `jax.jit` on the functions of a cell.

            %%jit [NAME …] [--static NAMES] [--donate NAMES] [--auto] [--check] [--keep] [--watch] [--lines]
                  [--on-miss allow|warn|raise|eager] [--max-compiles N] [--timing observe|block|dispatch] [--engines] [--quiet]

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
        --lines           tell below the cell where the execution time went, line by line, as `%jitlines` does
        --on-miss WHAT    from the (N + 1)th compile of a function on (N is 1 unless --max-compiles says otherwise): warn with
                          the reason, raise a RecompileError before the compile is paid, or run the plain function (eager)
        --max-compiles N  so many compiles are always allowed; alone it raises after them
        --timing HOW      observe: time executions without blocking (default); block: wait for each result; dispatch: time none
        --engines         run the cell on all engines of ipyparallel, as %%px does; what they show alike is shown once
        --quiet           do not say which functions were taken
        """
        if isinstance(cell, str) and is_for_engines(line):
            from jupyter_jitmagic.magics import engines_cell

            with _one_line("%%jit"):
                return engines_cell.run(self.shell, line, cell)
        if cell is Ellipsis:
            raise UsageError(
                "%%jit: this cell was run in a way that leaves out IPython's syntax-tree transformers, which put jit on it"
            )
        shell = self.shell
        raw = f"%%jit {line}\n{cell}"
        source = shell.transform_cell(f"{marker(line)}\n{cell}")
        name = shell.compile.cache(source, shell.execution_count, raw_code=raw)
        tree = shell.transform_ast(parse(shell, source))
        try:
            return run(shell, tree, name)
        finally:
            watched_cell.end()
            if lines_magic := sys.modules.get("jupyter_jitmagic.magics.lines_magic"):
                lines_magic.end()

    @line_magic  # type: ignore[untyped-decorator]
    def jitstats(self, line: str) -> None:
        """Show what every jitted call cost.

            %jitstats [NAME …] [--level LEVEL | --others] [-o VAR] [--save FILE] [--break-even] [--plot] [--reset]
            %jitstats --engines | --from FOLDER [NAME …] [--level LEVEL] [-o VAR] [--save FILE]
            %jitstats --differ [--from FOLDER]

        The same as

            jupyter_jitmagic.stats(LEVEL)       # a pandas.DataFrame; -o puts it into VAR
            jupyter_jitmagic.reset()            # --reset
            jupyter_jitmagic.open(FOLDER).stats(LEVEL), jupyter_jitmagic.gather(view, LEVEL)

        NAME …          only these functions
        --level LEVEL   functions (default), entries, calls, misses, diagnoses or others
        --others        the same as --level others: what compiled outside jupyter_jitmagic.jit, as plain jax.jit and libraries
        -o VAR          put the whole table into VAR, with times in seconds, and show nothing
        --save FILE     write the table as .csv, .json or .parquet, or as .html a report: all tables, the timeline, versions;
                        a name that ends in -trace.json: phases, cells and causes as a Chrome trace, for ui.perfetto.dev
        --plot          draw every call: what its compile cost, how long it executed
        --break-even    measure after how many calls compiling has paid against plain Python (runs both, some seconds)
        --reset         forget the rows after that; JAX's caches stay
        --engines       the tables of all engines of ipyparallel together, and in what they differ
        --differ        only that: functions of which engines, or the processes of a folder, have compiled other programs
        --from FOLDER   what other processes have recorded to a folder (`jm.record_to`, or JITMAGIC_RECORD in the environment)

        compile     seconds in the compiler, all compiles together
        execute     median of the executions whose end was seen; a dispatch time never stands for it
        """
        from jupyter_jitmagic.magics import stats_magic

        given = _read(stats_parser(), line)
        with _one_line("%jitstats"):
            stats_magic.run(self.shell, given)

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
        from jupyter_jitmagic.magics import cache_magic

        given = _read(cache_parser(), line)
        with _one_line("%jitcache"):
            cache_magic.run(self.shell, given.what, given.names)

    @line_magic  # type: ignore[untyped-decorator]
    def jitfix(self, line: str) -> None:
        """Put the fix for the last failed trace into the cell.

            %jitfix [N]

        After a trace has failed, in a cell of its own:

            %jitfix         this cell becomes the failed cell with the proposed fix in it
            %jitfix 2       the same with the second fix

        Nothing runs: read the cell, then run it. Undo is the editor's. Functions of earlier cells that change stand above; of
        one in a file, and of a method in another cell, the change is shown as a diff. It works after a failed trace under plain
        `jax.jit` as well; then the advice is shown first. After `%jitlines --roll` it puts that loop into the function's cell.
        """
        from jupyter_jitmagic.magics import fix_magic

        given = _read(fix_parser(), line)
        with _one_line("%jitfix"):
            fix_magic.run(self.shell, self.failures, given.number)

    @no_var_expand  # type: ignore[untyped-decorator]
    @line_magic  # type: ignore[untyped-decorator]
    def jitlines(self, line: str) -> None:
        """Show where the time of jitted functions goes, line by line.

            %jitlines [NAME …] STATEMENT      run the statement under JAX's profiler
            %jitlines [NAME …]                what is known without running: equations, XLA's estimates
            %jitlines --engines STATEMENT     run it on all engines of ipyparallel: each line with the one that is slowest
            %jitlines --roll CALL             an unrolled Python loop as one loop of lax: tried, compared, measured

        For example

            %jitlines step for batch in batches[:10]: params = step(params, batch)

        Without names it shows every jitted function that ran, the one that took longest first, with the functions of yours that
        it calls. The same for one call, as a DataFrame:

            jupyter_jitmagic.lines(step, params, batch)

        time         execution of a call on this line itself; ≈ by estimate, where XLA made one operation of several lines,
                     or lost the line
        with calls   with the functions that the line calls
        equations    of the traced program, ×N where a Python loop repeated them N times
        flops, bytes of a call, estimated
        """
        from jupyter_jitmagic.magics import lines_magic

        with _one_line("%jitlines"):
            if line.split()[:1] == ["--engines"]:
                from jupyter_jitmagic.magics import many_processes

                return many_processes.lines(self.shell, line.strip().removeprefix("--engines").strip())
            failed = lines_magic.run(self.shell, line, self.failures)
        if failed is not None:
            raise failed

    @property
    def failures(self) -> Any:
        """What the failed traces of this shell came to; made with the first of them."""
        if self._failures is None:
            from jupyter_jitmagic.magics.failures import Failures

            self._failures = Failures(self.shell)
        return self._failures

    _failures: Any = None

    def cell_ended(self, result: Any) -> None:
        """IPython's `post_run_cell`: nothing to do unless the cell failed with JAX in use, or something was recorded."""
        if not result.success and "jax" in sys.modules:
            with faults.stop("explaining a failed cell"):
                self.failures.cell_ended(result, UsageError)
        self.below.cell_ended(result)


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
        from jupyter_jitmagic.magics.completion import complete

        line = context.text_until_cursor
        match = re.match(r"\s*(%%jit|%jitstats|%jitcache|%jitfix|%jitlines)\s+", line)
        if not match:
            return {"completions": []}
        lines = context.full_text.split("\n")
        body = "\n".join(lines[context.cursor_line + 1 :])
        if match[1] == "%jitlines" and "(" in line:
            return {"completions": []}  # a statement: completed as any other
        parser = _PARSERS[match[1]]()
        names = {} if match[1] == "%%jit" else {"names": _recorded_names()}
        if match[1] == "%jitcache" and len(line.split()) < 3 and not line.split()[-1].startswith("-"):
            names = {"names": ["list", "show", "drop", "clear"]}
        found = complete(parser, line[match.end() :] or " ", body, names)
        completions = [SimpleCompletion(each, type="option" if each.startswith("-") else "name") for each in found]
        return {"completions": completions, "suppress": match[1] != "%jitlines"}

    return jitmagic_matcher


_PARSERS = {
    "%%jit": jit_parser,
    "%jitstats": stats_parser,
    "%jitcache": cache_parser,
    "%jitfix": fix_parser,
    "%jitlines": lines_parser,
}


def _recorded_names() -> list[str]:
    from jupyter_jitmagic.records.log import log

    return [record.name for record in log.functions.values() if not record.superseded]
