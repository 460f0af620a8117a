"""`%jitstats --from`: the tables of other processes in a real shell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from shells import Shell

import jupyter_jitmagic as jm
from jupyter_jitmagic.processes.recording import Writer
from jupyter_jitmagic.recording.compiles import agreeing
from jupyter_jitmagic.records.programs import Differing


@pytest.fixture
def folder(shell: Shell, tmp_path: Path) -> Path:
    """What two processes of one run have kept; the second compiled once more."""
    jm.reset()
    shell.ok("%%jit\ndef double(x):\n    return x * 2\n\ndouble(jnp.ones(3))\ndouble(jnp.ones(3))")
    Writer(tmp_path, "run", 5.0, 10**9).write(last=True)
    shell.ok("double(jnp.ones(4))")
    Writer(tmp_path, "run", 5.0, 10**9).write(last=True)
    jm.reset()
    return tmp_path


def test_functions_of_a_folder_together_and_each_by_itself(shell: Shell, folder: Path) -> None:
    text = shell.ok(f"%jitstats --from {folder}").text
    lines = text.strip().splitlines()
    assert lines[1].split()[:4] == ["double", "5", "2", "3"] and lines[1].endswith("x f32[3], f32[4] (shape)")
    assert "All 2 processes together; execute is the slowest one's median." in text
    each = [line.split()[:6] for line in lines if line.split()[:1] == ["run"]][1:]
    assert each == [["run", "0", "double", "2", "1", "1"], ["run", "1", "double", "3", "1", "2"]]


@pytest.mark.parametrize("level", ["entries", "calls", "misses", "diagnoses", "others"])
def test_every_level_of_a_folder_shows(shell: Shell, folder: Path, level: str) -> None:
    text = shell.ok(f"%jitstats --from {folder} --level {level}").text
    assert "3 misses" in text if level == "misses" else "double" in text or level in ("diagnoses", "others")


def test_a_folder_goes_into_a_variable(shell: Shell, folder: Path) -> None:
    assert shell.ok(f"%jitstats --from {folder} double --level misses -o found").text == ""
    assert shell.names["found"]["process"].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "line, said",
    [
        ("--from nowhere", "%jitstats: nowhere cannot be opened: no such file or directory"),
        ("--from {folder} nothing", "%jitstats: no recorded function is called nothing (there are: double)"),
        ("--from {folder} --reset", "%jitstats: --reset is about this kernel alone: leave it out"),
    ],
)
def test_bad_input_is_one_line(shell: Shell, folder: Path, line: str, said: str) -> None:
    assert str(shell.run(f"%jitstats {line.format(folder=folder)}").error) == said


def test_what_cannot_be_read_stands_below(shell: Shell, folder: Path) -> None:
    (folder / "half").mkdir()
    (folder / "half" / "process.json").write_text("{")
    text = shell.ok(f"%jitstats --from {folder}").text
    assert "half/process.json cannot be read (JSONDecodeError): its tables are left out" in text and "double" in text


def test_what_was_told_before_a_hang_stands_above_the_table(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "process 1 is about to run double for f32[3], process 0 for f32[4]: x"
    monkeypatch.setattr(agreeing.agreement, "found", [Differing("double", line, "process 1", call_site="/jobs/train.py:41")])
    shell.ok("%%jit --quiet\ndef double(x):\n    return x * 2\n\ndouble(jnp.ones(3))")
    assert " ".join(shell.ok("%jitstats").text.split()).startswith(f"{line} (train.py, line 41) function calls")
    assert shell.ok("%jitstats -o table").text == ""
    jm.reset()


def test_a_kernel_that_only_asks_others_and_imports_no_jax_itself_hears_of_no_fault() -> None:
    """Ours imports it then, and what compiles in later cells is followed all the same."""
    script = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("%load_ext jupyter_jitmagic")
shell.run_cell("import jupyter_jitmagic as jm")
try:
    shell.user_ns["jm"].gather(3)
except shell.user_ns["jm"].OptionError as error:
    print(error)
shell.run_cell("import jax")
shell.run_cell("def seen(x): return x + 1")
shell.run_cell("_ = jax.jit(seen)(1.0)")
print("seen" in list(shell.user_ns["jm"].stats("others")["function"]))
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["give a client or a view of ipyparallel, not int", "True"], done.stdout + done.stderr
