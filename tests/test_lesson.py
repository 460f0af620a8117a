"""The lesson notebook does what it says, in a real kernel; and the check that says so can fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT

pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

LESSON = ROOT / "examples" / "static_vs_traced.ipynb"


def run_lesson(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "run_lesson.py"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL)


def test_the_lesson_does_what_it_says() -> None:
    """Every claim in the notebook about advice, results, hits and misses holds, and the run shows them as a terminal would."""
    done = run_lesson()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "jnp.where(x > threshold, x * 2, x)" in done.stdout
    assert "did what it says" in done.stdout


def test_the_lesson_is_committed_without_outputs() -> None:
    cells = [cell for cell in json.loads(LESSON.read_text())["cells"] if cell["cell_type"] == "code"]
    assert not [cell["id"] for cell in cells if cell["outputs"] or cell["execution_count"] is not None]


def test_a_lesson_that_does_something_else_is_found_out(tmp_path: Path) -> None:
    """A wrong claim of each kind fails the run, and each is named: what would pass for anything would prove nothing."""
    notebook = json.loads(LESSON.read_text())
    load = next(cell for cell in notebook["cells"] if cell["id"] == "load")

    def code(name: str, source: str, expect: dict[str, object]) -> dict[str, object]:
        return {
            "cell_type": "code",
            "id": name,
            "metadata": {"expect": expect},
            "outputs": [],
            "execution_count": None,
            "source": source,
        }

    notebook["cells"] = [
        load,
        code("error", "1 + 1", {"error": "TypeError"}),
        code("says", "print('two')", {"says": ["three"]}),
        code("prints", "print('two')", {"prints": "three\n"}),
        code(
            "stats", "%%jit\ndef f(x):\n    return x\n\nf(1.0)", {"stats": {"f": {"calls": 2}}, "misses": {"f": {"shape": 1}}}
        ),
        code("stops", "1 / 0", {}),
        code("after", "print('never')", {}),
    ]
    (tmp_path / "wrong.ipynb").write_text(json.dumps(notebook))
    done = run_lesson(str(tmp_path / "wrong.ipynb"))
    assert done.returncode == 1
    for problem in (
        "should end with TypeError",
        "does not say 'three'",
        "should print 'three",
        "'calls': 2",
        "'shape': 1",
        "ZeroDivisionError",
    ):
        assert problem in done.stdout
    assert "never" not in done.stdout
