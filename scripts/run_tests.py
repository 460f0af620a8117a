"""Run every suite and end with the counts: linters and types, pytest, vitest, and a browser that drives a real JupyterLab.

The Python and the TypeScript suites run side by side; the browser runs alone afterwards, since it watches a live page. Each
suite's output is shown as it ends. The last line is the sum: "N passed, N failed, N skipped"; the exit status is 1 if anything
failed or did not run to its end. Called by `make test` and `make lint` after the set-up.

Kernels, browsers, threads and a real device share the machine with whatever else it does: a test that fails is run again, twice
at most (a browser test once), and each such test is named. One that fails each time has failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    again: int = 0
    """Those of the passed that had failed and were run again."""

    def __add__(self, other: Counts) -> Counts:
        mine, theirs = astuple(self), astuple(other)
        return Counts(*(one + two for one, two in zip(mine, theirs, strict=True)))

    def __str__(self) -> str:
        again = f" ({self.again} of the passed only when run again, named above)" if self.again else ""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped{again}"


@dataclass(frozen=True)
class Suite:
    """One command and how to count what it did: from the report it wrote, or, without one, as a single check."""

    name: str
    group: str
    command: list[str]
    report: Path | None = None
    count: Callable[[Path], Counts] | None = None
    limit_s: float = 300
    env: dict[str, str] = field(default_factory=dict)


def count_junit(report: Path) -> Counts:
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    total = Counts()
    for suite in suites:
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        total += Counts(int(suite.get("tests", 0)) - failed - skipped, failed, skipped)
    return total


def count_vitest(report: Path) -> Counts:
    found = json.loads(report.read_text())
    return Counts(found["numPassedTests"], found["numFailedTests"], found["numPendingTests"] + found["numTodoTests"])


def count_playwright(report: Path) -> Counts:
    stats = json.loads(report.read_text())["stats"]
    return Counts(stats["expected"] + stats["flaky"], stats["unexpected"], stats["skipped"], stats["flaky"])


def chromium() -> str | None:
    names = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else ["chromium", "chromium-browser", "google-chrome"]
    return next((path for path in map(shutil.which, names) if path), None)


AGAIN = ["--reruns=2", "--reruns-delay=1", "--rerun-show-tracebacks", "-raR"]
SLOW = {"no": [], "only": ["-m", "slow"], "all": ["-m", ""]}


def python_suites(reports: Path, slow: str, python: str) -> list[Suite]:
    run = [python, "-m"]
    junit = reports / "pytest.xml"
    return [
        Suite("ruff check", "lint", [*run, "ruff", "check", "."]),
        Suite("ruff format", "lint", [*run, "ruff", "format", "--check", "."]),
        Suite("mypy", "lint", [*run, "mypy"]),
        Suite("docs", "lint", [python, str(ROOT / "scripts" / "write_docs.py"), "--check"]),
        Suite(
            "pytest",
            "python",
            [*run, "pytest", "-n", "auto", "--maxprocesses=4", "--dist=loadfile", f"--junitxml={junit}", *SLOW[slow], *AGAIN],
            junit,
            count_junit,
            limit_s=4200 if slow == "no" else 7200,
        ),
    ]


def node_suites(reports: Path) -> list[Suite]:
    vitest = reports / "vitest.json"
    run = [str(BIN / "jlpm"), "run"]
    return [
        Suite("tsc", "lint", [*run, "typecheck"]),
        Suite("prettier, eslint, stylelint", "lint", [*run, "lint:check"]),
        Suite(
            "vitest",
            "typescript",
            [*run, "test", "--reporter=default", "--reporter=json", f"--outputFile.json={vitest}"],
            vitest,
            count_vitest,
        ),
    ]


def browser_suite(reports: Path) -> Suite:
    report = reports / "playwright.json"
    return Suite(
        "playwright",
        "browser",
        [str(BIN / "jlpm"), "run", "test:ui", "--reporter=list,json", "--retries=1"],
        report,
        count_playwright,
        limit_s=480 + 15 * int(os.environ.get("JITMAGIC_UI_RESTARTS", 0)),
        env={
            "PLAYWRIGHT_JSON_OUTPUT_NAME": str(report),
            "CHROMIUM": chromium() or "chromium: not found; apt install chromium, or set CHROMIUM",
            # `make soak` runs the same tests on the JupyterLab of another environment
            "PATH": os.pathsep.join(filter(None, [os.environ.get("JITMAGIC_UI_BIN"), str(BIN), os.environ["PATH"]])),
        },
    )


class Runner:
    """Runs suites, prints the output of each when it ends, keeps the counts."""

    def __init__(self) -> None:
        self.results: list[tuple[Suite, Counts, float]] = []
        self._print = Lock()

    def run(self, suite: Suite) -> None:
        began = time.perf_counter()
        status, output = self._execute(suite)
        counts = self._count(suite, status, output)
        took = time.perf_counter() - began
        with self._print:
            self.results.append((suite, counts, took))
            if suite.report or counts.failed:
                print(f"── {suite.name} {'─' * (100 - len(suite.name))}\n{output.strip()}\n")
            print(f"{suite.name}: {'ok' if not counts.failed else 'FAILED'} ({took:.1f} s)", flush=True)

    @staticmethod
    def _execute(suite: Suite) -> tuple[int, str]:
        environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1", **suite.env}
        environment["JUPYTER_PREFER_ENV_PATH"] = "1"  # this environment's kernel, also where the user has one of the same name
        environment.pop("FORCE_COLOR", None)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the tests start many processes, kernels among them
        process = subprocess.Popen(
            suite.command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=suite.limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return 1, f"{output}\n{suite.name} was stopped: it had not ended after {suite.limit_s:.0f} s"
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
        return process.returncode, output

    @staticmethod
    def _count(suite: Suite, status: int, output: str) -> Counts:
        """What the report says; a suite that fails without saying what failed counts as one failure."""
        if suite.report is None or suite.count is None:
            return Counts(passed=int(status == 0), failed=int(status != 0))
        counts = suite.count(suite.report) if suite.report.exists() else Counts()
        if suite.name == "pytest":  # the report does not say who was run again
            again, broken = (set(re.findall(rf"^{word} (\S+)", output, re.M)) for word in ("RERUN", "(?:FAILED|ERROR)"))
            counts = replace(counts, again=len(again - broken))
        if status != 0 and counts.failed == 0:
            counts += Counts(failed=1)
        return counts

    def summary(self) -> Counts:
        groups: dict[str, list[tuple[Suite, Counts, float]]] = {}
        for result in self.results:
            groups.setdefault(result[0].group, []).append(result)
        print("\nsuite                                                  passed  failed  skipped    time")
        for group in ("lint", "python", "typescript", "browser"):
            if found := groups.get(group):
                names = f"{group} ({', '.join(suite.name for suite, _, _ in found)})"
                counts = sum((counts for _, counts, _ in found), Counts())
                took = sum(seconds for _, _, seconds in found)
                print(f"{names:<53}{counts.passed:>8}{counts.failed:>8}{counts.skipped:>9}{took:>6.0f} s")
        return sum((counts for _, counts, _ in self.results), Counts())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", choices=["lint", "python", "typescript", "browser"], help="one group of suites only")
    parser.add_argument("--slow", choices=list(SLOW), default="no", help="slow Python tests: none, no others, or all")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs the Python suites")
    options = parser.parse_args()

    def wanted(suites: list[Suite]) -> list[Suite]:
        return [suite for suite in suites if options.only in (None, suite.group)]

    runner = Runner()
    with tempfile.TemporaryDirectory(prefix="jitmagic-test-") as folder:
        reports = Path(folder)
        lanes = [
            wanted(python_suites(reports, options.slow, options.python)),
            wanted(node_suites(reports)),
        ]
        with ThreadPoolExecutor(len(lanes)) as pool:
            list(pool.map(lambda lane: [runner.run(suite) for suite in lane], lanes))
        for suite in wanted([browser_suite(reports)]):
            runner.run(suite)
        total = runner.summary()
    print(f"\n{total}", flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    raise SystemExit(main())
