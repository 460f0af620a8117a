"""The example notebook of many processes does what it says, with two engines in one program."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from checkout import ROOT

EXAMPLE = ROOT / "examples" / "many_processes.ipynb"


def test_the_example_does_what_it_says() -> None:
    """Tables of both engines as one, and a difference between them by its name."""
    for needed in ("ipyparallel", "nbclient", "ipykernel"):
        pytest.importorskip(needed, reason="in the environment of `make test`")
    command = [sys.executable, str(ROOT / "scripts" / "run_lesson.py"), str(EXAMPLE)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_the_example_is_committed_without_outputs() -> None:
    cells = [cell for cell in json.loads(EXAMPLE.read_text())["cells"] if cell["cell_type"] == "code"]
    assert not [cell["id"] for cell in cells if cell["outputs"] or cell["execution_count"] is not None]
