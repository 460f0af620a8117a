"""Run JAX's own tests of jit with `jupyter_jitmagic.jit` in the place of `jax.jit`: what passes bare must pass.

    python benchmarks/jax_own_tests.py FOLDER [pytest arguments]

FOLDER holds ``api_test.py`` of the installed JAX version (from github.com/jax-ml/jax, folder tests; needs absl-py). Prints
every test that passes bare and fails with our jit, and exits with status 1 if there is one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def run(folder: Path, arguments: list[str], plugin: str | None) -> dict[str, str]:
    """Outcome by test, with or without the plugin."""
    place = ["-p", plugin] if plugin else []
    pytest = [sys.executable, "-m", "pytest", "-q", "-rA", "--tb=no", "-p", "no:cacheprovider"]
    paths = os.pathsep.join([str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "JAX_NUM_GENERATED_CASES": "1"}
    result = subprocess.run(
        [*pytest, *place, "api_test.py", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    outcomes = re.findall(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) (\S+)", result.stdout, re.MULTILINE)
    if not outcomes:
        sys.exit(result.stdout[-3000:] + result.stderr[-3000:])
    return {test: outcome for outcome, test in outcomes}


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    folder, arguments = Path(sys.argv[1]), sys.argv[2:]
    bare = run(folder, arguments, None)
    ours = run(folder, arguments, "jit_in_place")
    passed = [test for test, outcome in bare.items() if outcome == "PASSED"]
    lost = [test for test in passed if ours.get(test) != "PASSED"]
    for test in lost:
        print(f"{ours.get(test, 'MISSING')} {test}")
    print(f"{len(passed)} pass bare, {len(passed) - len(lost)} of them with jupyter_jitmagic.jit")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
