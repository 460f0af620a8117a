"""Processes of one program that go different ways, again and again: each is told in time, and none where all is well.

``python -m tests.trials.differences [--tries N] [--healthy N] [--processes N] [--only KIND]`` makes each kind of difference so
many times, in processes of ``jax.distributed`` that wait for each other, and prints how long after the last of them had come
there every one was told. A try takes some four seconds; a figure holds for a machine with a core for each process.
"""

from __future__ import annotations

import argparse
import os
import re
import runpy
import signal
import socket
import statistics
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import NamedTuple

import jax.experimental.multihost_utils  # for the children: they are forked
import jax.numpy  # noqa: F401

SCRIPT = Path(__file__).parents[1] / "processes" / "two_processes.py"
KINDS = ["shape", "dtype", "static_value", "order", "behind", "missing", "config", "weak_type", "donation", "sharding"]
_LONGEST_S = 120
_SOON_S = 2.0
_TIMES = re.compile(r"^began ([\d.]+) told ([\d.]+)$", re.MULTILINE)


class Try(NamedTuple):
    """What the processes of one try said: the lines, by process, and the seconds until the last was told, if all were. Of one
    that its broken collective ended after it was told there is no time."""

    lines: list[list[str]]
    told_s: float | None
    wrong: str


def attempt(kind: str, processes: int) -> Try:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="differences-") as folder:
        files = [(Path(folder, f"{me}.out"), Path(folder, f"{me}.err")) for me in range(processes)]
        started = [_begun([str(port), str(me), str(processes), kind, "warn"], *files[me]) for me in range(processes)]
        ended = _have_ended(started)
        if ended is None:
            return Try([], None, "a process did not end")
        said = [(out.read_text(), error.read_text()) for out, error in files]
    errors = [error for _, error in said]
    lines = [[line for line in error.splitlines() if line.startswith("jupyter_jitmagic: ")] for error in errors]
    times = [match.groups() for error in errors if (match := _TIMES.search(error))]
    wrong = "; ".join(out for out, _ in said if "Traceback" in out)
    if kind == "healthy":
        done = all(out.rstrip().endswith("[]") for out, _ in said)
        return Try(lines, None, wrong or ("a false alarm" if any(lines) else "" if done else f"failed: {errors}"))
    if not all(lines) or not times:
        return Try(lines, None, wrong or f"told in {sum(map(bool, lines))} of {processes}, which ended with {ended}: {errors}")
    return Try(lines, max(float(told) for _, told in times) - max(float(began) for began, _ in times), wrong)


def _begun(arguments: list[str], out: Path, error: Path) -> int:
    """A forked child that runs the script: most of a start is importing JAX, and that is done, and nothing of it begun."""
    pid = os.fork()
    if pid == 0:
        try:
            for stream, file in ((1, out), (2, error)):
                os.dup2(os.open(file, os.O_CREAT | os.O_WRONLY), stream)
            sys.argv = [str(SCRIPT), *arguments]
            runpy.run_path(str(SCRIPT), run_name="__main__")
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return pid


def _have_ended(pids: list[int]) -> list[int] | None:
    """How each ended (3: it was told nothing in time; below 0: by that signal); None if one had to be killed."""
    until, codes = time.monotonic() + _LONGEST_S, dict[int, int]()
    while len(codes) < len(pids) and time.monotonic() < until:
        for pid in set(pids) - set(codes):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                codes[pid] = os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    left = set(pids) - set(codes)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return None if left else [codes[pid] for pid in pids]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tries", type=int, default=20, help="of each kind")
    parser.add_argument("--healthy", type=int, default=100, help="runs in which nothing differs")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--only", default="", choices=["", *KINDS])
    given = parser.parse_args()
    failed = 0
    for kind in KINDS:
        if given.only in ("", kind) and given.tries:
            tries = [attempt(kind, given.processes) for _ in range(given.tries)]
            times = sorted(each.told_s for each in tries if each.told_s is not None)
            wrong = [each.wrong for each in tries if each.told_s is None]
            failed += len(wrong)
            figures = f"median {statistics.median(times):.2f} s, longest {times[-1]:.2f} s" if times else "never"
            said = next((line for each in tries for lines in each.lines for line in lines), "")
            soon = sum(seconds <= _SOON_S for seconds in times)
            counts = f"{len(times)} of {len(tries)} told, {soon} within {_SOON_S:g} s"
            print(f"{kind:13} {counts}, {figures}  {said[18:110]} {wrong or ''}", flush=True)
    if given.only == "" and given.healthy:
        runs = [attempt("healthy", given.processes) for _ in range(given.healthy)]
        wrong = [f"{each.wrong} {each.lines}" for each in runs if each.wrong]
        failed += len(wrong)
        print(f"healthy       {len(runs) - len(wrong)} of {len(runs)} without a line {wrong or ''}", flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
