"""Run a lesson notebook from start to end in a real kernel, show what it prints, and check that it did what it says.

What a cell must do stands in its own metadata, under "expect":

* `"error": "TypeError"`: it fails with that error (such a cell is tagged raises-exception). Every other cell must not fail.
* `"says": [regex, …]`: each is found in what the cell shows.
* `"prints": "text"`: exactly what it writes to stdout, but for the line in which %%jit says what it took.
* `"stats": {function: {column: number}}`: the functions table, read from the kernel after the cell, says so.
* `"misses": {function: {cause: number}}`: so does the table of misses: how many of each cause.

The exit status is 0 only if everything held. The committed notebook is left as it is; `--output FILE` keeps the executed one.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parents[1]
LESSON = ROOT / "examples" / "static_vs_traced.ipynb"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
BOLD, RED, DIM, PLAIN = ("\x1b[1m", "\x1b[31m", "\x1b[2m", "\x1b[0m") if sys.stdout.isatty() else ("", "", "", "")

# Evaluated in the lesson's kernel; the answer is JSON, so nothing is guessed from a printed table.
TABLES = """__import__("json").dumps({
    level: __import__("json").loads(__import__("jupyter_jitmagic").stats(level).to_json(orient="records"))
    for level in ("functions", "misses")
})"""


def text_of(output: nbformat.NotebookNode) -> str:
    """What a terminal would show of one output."""
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return "\n".join(output.traceback) + "\n"
    text = output.get("data", {}).get("text/plain", "")
    return f"{text.rstrip()}\n" if text.strip() else ""


def shown(output: nbformat.NotebookNode) -> str:
    """The same, with JAX's long traceback cut down to its last line, so that the advice below it is in view."""
    if output.output_type != "error":
        return text_of(output)
    return f"{RED}{output.ename}{PLAIN}: {str(output.evalue).splitlines()[0] if output.evalue else ''}\n"


def missing(
    cell: nbformat.NotebookNode, expect: dict[str, Any], tables: dict[str, list[dict[str, Any]]] | None
) -> Iterator[str]:
    """Each expectation that the executed cell does not meet, in a line."""
    errors = [output.ename for output in cell.outputs if output.output_type == "error"]
    text = ANSI.sub("", "".join(map(text_of, cell.outputs)))
    stdout = "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout")
    printed = "".join(line for line in stdout.splitlines(keepends=True) if not line.startswith("%%jit takes "))
    wanted = expect.get("error")
    if errors != ([wanted] if wanted else []):
        yield f"should end with {wanted or 'no error'}, and ended with {', '.join(errors) or 'none'}"
    for pattern in expect.get("says", []):
        if not re.search(pattern, text):
            yield f"does not say {pattern!r}"
    if "prints" in expect and printed != expect["prints"]:
        yield f"should print {expect['prints']!r}, and printed {printed!r}"
    if tables is None:
        return
    for function, columns in expect.get("stats", {}).items():
        rows = [row for row in tables["functions"] if row["function"] == function and row["calls"]]
        found = {column: row.get(column) for row in rows[-1:] for column in columns}
        if found != columns:
            yield f"the table should have {columns} for {function}, and has {found or 'no row'}"
    for function, causes in expect.get("misses", {}).items():
        names = [row["cause"] for row in tables["misses"] if row["function"] == function]
        found = {name: names.count(name) for name in dict.fromkeys(names)}
        if found != causes:
            yield f"the misses of {function} should be {causes}, and are {found}"


class LessonClient(NotebookClient):
    """nbclient, and the tables read from the kernel after each cell that makes a claim about them."""

    def __init__(self, notebook: nbformat.NotebookNode, **options: Any) -> None:
        super().__init__(notebook, **options)
        self._folder = tempfile.TemporaryDirectory(prefix="lesson-")
        manager = self.create_kernel_manager()
        if os.name == "posix":
            manager.transport = "ipc"  # over TCP, the kernel warns that others on the machine could listen
            manager.ip = str(Path(self._folder.name) / "kernel")
        self.tables: dict[str, dict[str, list[dict[str, Any]]]] = {}

    async def async_execute_cell(self, cell: nbformat.NotebookNode, cell_index: int, *args: Any, **kwargs: Any) -> Any:
        cell = await super().async_execute_cell(cell, cell_index, *args, **kwargs)
        expect = cell.metadata.get("expect", {})
        if "stats" in expect or "misses" in expect:
            self.tables[cell.id] = await self._read_tables()
        return cell

    async def _read_tables(self) -> dict[str, list[dict[str, Any]]]:
        assert self.kc is not None
        answer = await self.kc.execute("", silent=True, user_expressions={"tables": TABLES}, reply=True, timeout=60)
        tables = answer["content"]["user_expressions"]["tables"]
        if tables["status"] != "ok":
            raise RuntimeError(f"jm.stats() failed in the lesson's kernel: {tables['ename']}: {tables['evalue']}")
        return json.loads(ast.literal_eval(tables["data"]["text/plain"]))


def show_cell(cell: nbformat.NotebookNode) -> None:
    for number, line in enumerate(cell.source.rstrip().splitlines()):
        print(f"{BOLD}{'>>>' if not number else '...'}{PLAIN} {line}".rstrip())
    for output in cell.outputs:
        print(shown(output), end="")
    print(flush=True)


def run(path: Path, output: Path | None) -> int:
    notebook = nbformat.read(path, as_version=4)
    client = LessonClient(notebook, kernel_name="python3", timeout=120, resources={"metadata": {"path": str(path.parent)}})
    stopped = ""
    try:
        client.execute()
    except CellExecutionError as error:
        stopped = f"the notebook stopped: {error.ename}: {error.evalue}"
    except (CellTimeoutError, DeadKernelError, RuntimeError) as error:
        stopped = f"the notebook stopped: {error}"
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, output)

    problems, checked = [stopped] if stopped else [], 0
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        if cell.execution_count is None:
            continue
        show_cell(cell)
        expect = cell.metadata.get("expect", {})
        checked += 1 + sum(len(value) if isinstance(value, (list, dict)) else 1 for value in expect.values())
        problems += [f"cell [{number}] {problem}" for problem in missing(cell, expect, client.tables.get(cell.id))]
    for problem in problems:
        print(f"{RED}{problem}{PLAIN}")
    verdict = "did not do what it says" if problems else f"did what it says ({checked} checks)"
    print(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path} {verdict}")
    return 1 if problems else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a lesson notebook and check that it does what it says.")
    parser.add_argument("notebook", nargs="?", type=Path, default=LESSON)
    parser.add_argument("--output", type=Path, help="keep the executed notebook here")
    options = parser.parse_args()
    os.environ.setdefault(
        "JUPYTER_PREFER_ENV_PATH", "1"
    )  # this environment's kernel, also where the user has one of the same name
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # or ipykernel's debugger writes a warning into the output
    return run(options.notebook.resolve(), options.output)


if __name__ == "__main__":
    raise SystemExit(main())
