"""Run JAX's own tests twice, under `jax.jit` and with `jm.jit` in its place, and say which pass only under the first.

    git clone --depth 1 -b jax-v0.10.2 https://github.com/jax-ml/jax ../jax     # the tag of the installed version
    python scripts/jax_tests.py ../jax/tests/api_test.py ../jax/tests/pjit_test.py [-- -k jit]

One difference is known: `TracebackTest::test_jit_traceback` counts the Python frames of a trace, and the recorder is
one of them. Tests that ask for the very type of `jax.jit`'s object, as `jax.eval_shape` does, see another one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

OURS = "JITMAGIC_IN_JAX_TESTS"
ROOT = Path(__file__).resolve().parents[1]
_outcomes: dict[str, str] = {}

if OURS in os.environ:  # this file is loaded as a pytest plugin, before any test file
    import jax

    if os.environ[OURS] == "1":
        import jupyter_jitmagic

        jax.jit = jupyter_jitmagic.jit


def pytest_runtest_logreport(report: Any) -> None:
    if report.when == "call" or report.outcome != "passed":
        _outcomes[report.nodeid.partition("::")[2]] = report.outcome


def pytest_sessionfinish() -> None:
    faults = sys.modules["jupyter_jitmagic"].faults.details() if os.environ[OURS] == "1" else ""
    Path(os.environ["JITMAGIC_OUTCOMES"]).write_text(json.dumps([_outcomes, faults]), encoding="utf-8")


def outcomes(file: Path, more: list[str], *, ours: bool) -> tuple[dict[str, str], str]:
    """Each test's outcome, and what went wrong in our part."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "outcomes.json"
        paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
        environment = {**os.environ, OURS: str(int(ours)), "JITMAGIC_OUTCOMES": str(out), "PYTHONPATH": paths}
        options = ["-q", "-p", Path(__file__).stem, "-p", "no:cacheprovider", "-p", "no:warnings"]
        command = [sys.executable, "-m", "pytest", *options, str(file.resolve()), *more]
        said = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=file.resolve().parents[1], check=False
        )
        if not out.exists():
            raise SystemExit(f"{file}: {said.stdout[-2000:]}{said.stderr[-2000:]}")
        found, faults = json.loads(out.read_text(encoding="utf-8"))
        return found, faults


def main(arguments: list[str]) -> int:
    files, _, more = " ".join(arguments).partition(" -- ")
    different = 0
    for file in map(Path, files.split()):
        bare, _ = outcomes(file, more.split(), ours=False)
        ours, faults = outcomes(file, more.split(), ours=True)
        passed = [test for test, outcome in bare.items() if outcome == "passed"]
        lost = [test for test in passed if ours.get(test) != "passed"]
        different += len(lost) + bool(faults)
        print(f"{file.name}: {len(passed) - len(lost)} of the {len(passed)} that pass under jax.jit")
        print(*(f"    {test}" for test in lost), faults, sep="\n" if lost or faults else "", end="")
    return int(different > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
