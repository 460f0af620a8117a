"""A case pasted whole into one cell of a real IPython shell: its imports, its definitions, its truth, and the call."""

from __future__ import annotations

import ast
import builtins
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import jax.numpy as jnp
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from jupyter_jitmagic.diagnosis import Diagnosis

CELL_FORMS = ("diagnose", "jax.jit", "%%jit")
"""Who finds the answer: `jm.diagnose` in the cell; below a cell with `jax.jit`, and below one with ``%%jit``, `%jitfix`."""


@dataclass
class Pasted:
    """What came of a cell: the answer, and the outcome of the cell that `%jitfix` made, if it made one."""

    answer: Diagnosis
    fixed: ExecutionResult | None = None


class Notebook:
    """One shell; each cell that is pasted begins in a namespace of its own."""

    def __init__(self, shell: InteractiveShell | None = None) -> None:
        self.shell = shell or InteractiveShell.instance(config=Config({"HistoryManager": {"hist_file": ":memory:"}}))
        if "jupyter_jitmagic" not in self.shell.extension_manager.loaded:
            self.shell.run_line_magic("load_ext", "jupyter_jitmagic")

    def fresh(self) -> ModuleType:
        module = ModuleType("__main__")
        self.shell.user_module, self.shell.user_ns = module, vars(module)
        sys.modules["__main__"] = module  # as IPython does it: dataclasses look there
        self.shell.init_user_ns()
        return module

    def run(self, cell: str) -> ExecutionResult:
        """The outcome of a cell, nothing of it shown."""
        with capture_output(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.shell.run_cell(cell, store_history=True)

    def load(self, path: Path, *, beside: bool = False) -> ModuleType:
        """The case as a cell that was run, without its call and its magic; `beside` what other cells have left."""
        module, text = self.fresh(), path.read_text(encoding="utf-8")
        if beside:
            vars(module).update(left_by_other_cells(text))
        self.run(text).raise_error()
        return module

    def answered(self, path: Path, form: str) -> Pasted:
        """The answer to the first call of a case, asked in the case's own cell."""
        text = path.read_text(encoding="utf-8")
        self.fresh()
        ran = self.run(cell_of(text, form))
        if form == "diagnose":
            ran.raise_error()
            return Pasted(ran.result)
        error = error_of(ran)
        if error is None:
            return Pasted(Diagnosis(name_of(text), "traces"))
        diagnosis, fixed = self.jitfix(), self.shell.rl_next_input
        if fixed:
            self.fresh()
        return Pasted(diagnosis, self.run(fixed) if fixed else None)

    def jitfix(self) -> Diagnosis:
        """What `%jitfix` finds after a failed cell; the cell that it makes is the shell's next input."""
        from jupyter_jitmagic.magics.magics import JitMagics

        self.shell.rl_next_input = None
        asked = self.run("%jitfix")
        magics = next(each for each in self.shell.magics_manager.registry.values() if isinstance(each, JitMagics))
        if magics.failures.last is None:
            raise AssertionError(f"%jitfix found no failed trace: {error_of(asked)}")
        found: Diagnosis = magics.failures.last.diagnosis
        return found


def left_by_other_cells(text: str) -> dict[str, Any]:
    """Arrays under the names of a cell's functions' own variables, as a notebook usually holds them."""
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    inside = [node for function in functions for node in ast.walk(function)]
    own = {node.arg for node in inside if isinstance(node, ast.arg)}
    own |= {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return {name: jnp.array([0.5, 2.0, -1.0]) for name in own - set(dir(builtins))}


def error_of(ran: ExecutionResult) -> BaseException | None:
    return ran.error_before_exec or ran.error_in_exec


def name_of(text: str) -> str:
    """FUNCTION of a case."""
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "FUNCTION":
            return str(ast.literal_eval(statement.value))
    raise ValueError("no FUNCTION")


def takes(text: str, form: str) -> bool:
    """Whether a case can be asked so: ``%%jit`` takes functions by name."""
    name = name_of(text)
    return form != "%%jit" or any(isinstance(node, ast.FunctionDef) and node.name == name for node in ast.parse(text).body)


def cell_of(text: str, form: str) -> str:
    """The case and its first call as one cell."""
    name, given = name_of(text), "*CALLS[0][0], **CALLS[0][1]"
    if form == "diagnose":
        return f"{text}\nimport jupyter_jitmagic\njupyter_jitmagic.diagnose({name}, {given})"
    if form == "jax.jit":
        return f"{text}\nimport jax\njax.jit({name})({given})"
    return f"%%jit {name}\n{text}\n{name}({given})"
