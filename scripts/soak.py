"""What takes long, to be run before a release: the slow tests, every other Python with its newest JAX, other JupyterLabs.

* The slow tests (many restarts, packaging in a fresh environment) in the main environment.
* Each Python from 3.12 on that is found on this machine: an environment of its own in .venv-soak-3.x, the built wheel with the
  newest JAX that pip finds for it, all Python tests. A version that is not found is named.
* The built wheel in JupyterLab 4.2 and 4.4, in Notebook 7 and in marimo, driven by the browser tests.

Ends with a line for each and the sum; the exit status is 1 if anything failed. `--only TEXT` runs the parts whose
name contains it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from run_tests import BIN, ROOT, Counts

PYTHONS = ("3.12", "3.13", "3.14")
HOSTS = {  # what is installed beside the wheel, and the command that serves it
    "JupyterLab 4.2": (["jupyterlab>=4.2,<4.3", "ipykernel>=6.29,<7", "anywidget"], "lab"),
    "JupyterLab 4.4": (["jupyterlab>=4.4,<4.5", "ipykernel>=7.0,<7.1", "anywidget"], "lab"),
    "Notebook 7": (["notebook>=7.5,<8", "ipykernel", "anywidget"], "notebook"),
    "marimo": (["marimo", "anywidget"], "marimo"),
}
SUM = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)


@dataclass(frozen=True)
class Outcome:
    name: str
    counts: Counts
    seconds: float
    note: str = ""


def find_python(version: str) -> Path | None:
    """A Python of that version that runs: on the path, or one of pyenv's or uv's own."""
    home = Path.home()
    roots = [Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions", home / ".local/share/uv/python"]
    found = [shutil.which(f"python{version}")]
    found += [path for root in roots for path in sorted(root.glob(f"*{version}.*/bin/python3"), reverse=True)]
    for candidate in filter(None, found):
        probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([str(candidate), "-c", probe], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip() == version:
            return Path(candidate)
    return None


def environment_of(place: Path, python: Path, packages: list[str], wheel: Path) -> Path:
    """The Python of a fresh environment in `place` with `packages` and the wheel."""
    subprocess.run([str(python), "-m", "venv", "--clear", str(place)], check=True)
    own = place / "bin" / "python"
    install = [str(own), "-m", "pip", "install", "-q", "--upgrade", "--disable-pip-version-check", str(wheel), *packages]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout[-4000:] + done.stderr[-4000:])
        done.check_returncode()
    return own


def build_wheel() -> Path:
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", str(ROOT)], check=True, stdout=subprocess.DEVNULL
    )
    (wheel,) = (ROOT / "dist").glob("*.whl")
    return wheel


def run_suites(*arguments: str, **variables: str) -> Counts:
    """`run_tests.py` with these arguments, its output shown, its last line read."""
    command = [sys.executable, str(ROOT / "scripts" / "run_tests.py"), *arguments]
    done = subprocess.run(command, env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    last = SUM.findall(done.stdout)
    if not last:
        return Counts(failed=1)
    counts = Counts(*map(int, last[-1]))
    return counts if done.returncode == 0 or counts.failed else counts + Counts(failed=1)


def in_python(version: str, wheel: Path) -> tuple[Counts, str]:
    """All Python tests, slow ones too, with that Python and the newest JAX there is for it."""
    python = find_python(version)
    if python is None:
        return Counts(skipped=1), f"skipped: no Python {version} on this machine (uv python install {version})"
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    own = environment_of(ROOT / f".venv-soak-{version}", python, [*tools, "ipykernel"], wheel)
    jax = subprocess.run([str(own), "-c", "import jax; print(jax.__version__)"], capture_output=True, text=True, check=True)
    counts = run_suites("--only", "python", "--python", str(own), "--slow", "all")
    return counts, f"with JAX {jax.stdout.strip()}"


def in_host(name: str, wheel: Path) -> tuple[Counts, str]:
    """The browser tests with the wheel installed in another JupyterLab."""
    packages, app = HOSTS[name]
    place = ROOT / f".venv-soak-{name.replace(' ', '-').lower()}"
    own = environment_of(place, Path(sys.executable), packages, wheel)
    return run_suites(
        "--only",
        "browser",
        JITMAGIC_UI_INSTALLED="1",
        JITMAGIC_UI_APP=app,
        JITMAGIC_UI_RESTARTS="50",
        JITMAGIC_UI_BIN=str(own.parent),
    ), ""


def main() -> int:
    parser = argparse.ArgumentParser(description="Run what takes long.")
    parser.add_argument("--only", default="", help="only the parts whose name contains this text")
    only = parser.parse_args().only.lower()
    os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    parts = {"slow tests": lambda: (run_suites("--only", "python", "--slow", "only"), "")}
    parts |= {f"Python {version}": lambda version=version: in_python(version, wheel) for version in PYTHONS}
    parts |= {name: lambda name=name: in_host(name, wheel) for name in HOSTS}
    wheel = build_wheel()
    outcomes = []
    for name, part in parts.items():
        if only not in name.lower():
            continue
        print(f"── {name}", flush=True)
        began = time.perf_counter()
        try:
            counts, note = part()
        except subprocess.CalledProcessError as error:
            counts, note = Counts(failed=1), f"could not be set up: {error}"
        outcomes.append(Outcome(name, counts, time.perf_counter() - began, note))
    print()
    for outcome in outcomes:
        print(f"{outcome.name:<16}{outcome.counts!s:<40}{outcome.seconds:>6.0f} s  {outcome.note}".rstrip())
    total = sum((outcome.counts for outcome in outcomes), Counts())
    print(f"\n{total}")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    raise SystemExit(main())
