"""What `jupyter_jitmagic.jit` costs, against bare `jax.jit` and `eqx.filter_jit`.

`make bench`, or `python -m benchmarks.overhead`.

Every figure is a ratio to bare ``jax.jit``. The candidates are timed in turns of 20 milliseconds, so that a busy machine
slows all of them; each figure is the median of the turns' ratios, and "bare again" shows how much of it is noise.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import jaxlib

import jupyter_jitmagic as jm

try:
    import equinox as eqx
except ImportError:
    eqx = None

Run = Callable[[], Any]
_TURN_S = 2e-2


def machine() -> str:
    """CPU model, cores, versions: what the figures hold for."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    device = jax.devices()[0]
    return (
        f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {platform.system()}, "
        f"Python {platform.python_version()}, jax {jax.__version__}, jaxlib {jaxlib.__version__}, "
        f"device {device.device_kind} ({device.platform})"
    )


def ratios(candidates: dict[str, Run], seconds: float) -> tuple[float, dict[str, float]]:
    """(seconds of one call of the first candidate, each candidate's time over the first's), in turns."""
    first = next(iter(candidates.values()))
    quickest = 1e9
    for _ in range(5):
        begin = time.perf_counter()
        first()
        quickest = min(quickest, time.perf_counter() - begin)
    number = max(1, int(_TURN_S / quickest))
    times: dict[str, list[float]] = {name: [] for name in candidates}
    until = time.perf_counter() + seconds
    gc.collect()
    while time.perf_counter() < until or len(times[next(iter(times))]) < 11:
        for name, run in candidates.items():
            begin = time.perf_counter()
            for _ in range(number):
                run()
            times[name].append((time.perf_counter() - begin) / number)
    bare = times[next(iter(times))]
    return median(bare), {name: median([t / b for t, b in zip(own, bare, strict=True)]) for name, own in times.items()}


def jits(**arguments: Any) -> dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]]:
    found: dict[str, Any] = {
        "bare": lambda f: jax.jit(f, **arguments),
        "ours": lambda f: jm.jit(f, **arguments),
        "bare again": lambda f: jax.jit(f, **arguments),
    }
    if eqx is not None and not arguments:
        found["eqx.filter_jit"] = eqx.filter_jit
    return found


def made(make: Callable[[], Callable[..., Any]], use: Callable[[Callable[..., Any]], Run], warm: int = 3) -> dict[str, Run]:
    """A run for each jit, of its own fresh function, warmed up."""
    runs = {}
    for name, jit in jits().items():
        runs[name] = use(jit(make()))
        for _ in range(warm):
            runs[name]()
    return runs


def _add() -> Callable[..., Any]:
    def add(x):  # type: ignore[no-untyped-def]
        return x + 1

    return add


def _sum_all() -> Callable[..., Any]:
    def sum_all(tree):  # type: ignore[no-untyped-def]
        return sum(leaf[0] for leaf in tree)

    return sum_all


def _product() -> Callable[..., Any]:
    def product(x):  # type: ignore[no-untyped-def]
        return x @ x

    return product


def _steps(count: int) -> Callable[[], Callable[..., Any]]:
    def make() -> Callable[..., Any]:
        def step(x):  # type: ignore[no-untyped-def]
            for _ in range(count):
                x = jnp.tanh(x @ x)
            return x

        return step

    return make


def small_array() -> dict[str, Run]:
    x = jnp.ones(4)

    def use(f: Callable[..., Any]) -> Run:
        def run() -> None:
            for _ in range(100):
                f(x)

        return run

    return made(_add, use)


def live_entries() -> dict[str, Run]:
    xs = [jnp.ones(n + 1) for n in range(37)]

    def use(f: Callable[..., Any]) -> Run:
        def run() -> None:
            for x in xs:
                f(x)

        return run

    return made(_add, use)


def many_leaves() -> dict[str, Run]:
    tree = [jnp.ones(3) for _ in range(400)]
    return made(_sum_all, lambda f: lambda: f(tree))


def _size_for(seconds: float, chained: bool = False) -> Any:
    """A square matrix whose product takes about `seconds`, dispatch included; `chained`: as a step of an asynchronous loop."""

    def step_s(f: Callable[..., Any], x: Any) -> float:
        begin, y = time.perf_counter(), x
        for _ in range(10):
            y = f(y if chained else x)
            if not chained:
                y.block_until_ready()
        y.block_until_ready()
        return (time.perf_counter() - begin) / 10

    n = 64
    while True:
        x = jnp.ones((n, n)) / n
        f = jax.jit(lambda x: x @ x)
        f(x).block_until_ready()
        if min(step_s(f, x) for _ in range(5)) >= seconds or n > 4096:
            return x
        n = int(n * 1.3)


def blocked_half_millisecond() -> dict[str, Run]:
    x = _size_for(5e-4)
    return made(_product, lambda f: lambda: f(x).block_until_ready())


def async_loop(seconds: float, steps: int) -> Callable[[], dict[str, Run]]:
    def runs() -> dict[str, Run]:
        x = _size_for(seconds, chained=True)

        def use(f: Callable[..., Any]) -> Run:
            def run() -> None:
                y = x
                for _ in range(steps):
                    y = f(y)
                y.block_until_ready()

            return run

        return made(_product, use)

    return runs


def first_miss(rounds: int) -> tuple[float, dict[str, float]]:
    """A first call, traced, lowered and compiled: fresh functions in turns."""
    x = jnp.ones((16, 16))
    times: dict[str, list[float]] = {name: [] for name in jits() if name != "eqx.filter_jit"}
    for _ in range(rounds):
        for name, jit in jits().items():
            if name in times:
                f = jit(_steps(20)())
                begin = time.perf_counter()
                f(x)
                times[name].append(time.perf_counter() - begin)
    bare = times["bare"]
    return median(bare), {name: median([t / b for t, b in zip(own, bare, strict=True)]) for name, own in times.items()}


def misses_of_a_large_tree(rounds: int) -> tuple[float, dict[str, float]]:
    """Calls that compile anew because one array beside 10,000 others has another shape."""
    tree = [{f"w{i}": jnp.ones(3) for i in range(10)} for _ in range(1000)]

    def make() -> Callable[..., Any]:
        def scale(tree, x):  # type: ignore[no-untyped-def]
            return x * tree[0]["w0"][0]

        return scale

    runs = {name: jit(make()) for name, jit in jits().items() if name != "eqx.filter_jit"}
    return _misses(runs, rounds, lambda f, n: f(tree, jnp.ones(n + 1)))


def misses_among_shapes(rounds: int, before: int) -> tuple[float, dict[str, float]]:
    """A call with a new shape after `before` others, which are compiled first."""
    runs = {name: jit(_add()) for name, jit in jits().items() if name == "ours"}
    for n in range(before):
        runs["ours"](jnp.zeros(n + 1))
    runs = {"bare": jax.jit(_add()), **runs, "bare again": jax.jit(_add())}
    return _misses(runs, rounds, lambda f, n: f(jnp.zeros(before + n + 1)))


def _misses(
    runs: dict[str, Callable[..., Any]], rounds: int, call: Callable[[Callable[..., Any], int], Any]
) -> tuple[float, dict[str, float]]:
    """Misses in turns, each time in another order."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for n in range(rounds):
        for name in sorted(runs, key=lambda name: (list(runs).index(name) + n) % len(runs)):
            begin = time.perf_counter()
            call(runs[name], n)
            times[name].append(time.perf_counter() - begin)
    bare = times["bare"]
    return median(bare), {name: median([t / b for t, b in zip(own, bare, strict=True)]) for name, own in times.items()}


def memory_and_tables(calls: int) -> list[str]:
    """Bytes a call, and how long the tables take."""
    f = jm.jit(_add())
    x = jnp.ones(4)
    f(x)
    jm.stats("calls")
    before = _resident()
    for _ in range(calls):
        f(x)
    begin = time.perf_counter()
    jm.stats("functions")
    functions_s = time.perf_counter() - begin
    size = (_resident() - before) / calls
    begin = time.perf_counter()
    jm.stats("calls")
    calls_s = time.perf_counter() - begin
    jm.reset()
    return [
        f"{calls:,} calls: {size:.0f} bytes a call (goal 64)",
        f"  functions table {functions_s:.2f} s (goal 0.3), calls table {calls_s:.2f} s (goal 2)",
    ]


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def observation(blocks: int) -> list[str]:
    """How many of the calls whose caller blocks or sleeps were seen to end, and how near the truth."""
    lines = []
    for seconds in (5e-4, 2e-3, 1e-2):
        x = _size_for(seconds)
        for how in ("blocks", "sleeps"):
            f = jm.jit(_product())
            f(x).block_until_ready()
            jm.reset()
            truth = []
            for _ in range(blocks):
                begin = time.perf_counter()
                y = f(x)
                if how == "sleeps":
                    time.sleep(3 * seconds + 2e-3)
                else:
                    y.block_until_ready()
                    truth.append(time.perf_counter() - begin)
            time.sleep(0.05)
            table = jm.stats("calls")
            seen = table.execute_s.dropna()
            text = f"{len(seen) / len(table):.0%} of {len(table)} calls observed"
            if truth and len(seen):
                same = (table.execute_s / truth).median()
                text += (
                    f", median {same:.3f} of the time that the same call blocked, {seen.median() / median(truth):.3f} of all"
                )
            lines.append(f"  calls of {seconds * 1e3:g} ms, caller {how}: {text}")
    return ["observed executions (goals: 80 % of calls above 1 ms, within 5 % of the blocked time)", *lines]


CASES: list[tuple[str, str, Callable[[], dict[str, Run]]]] = [
    ("one small array", "≤ 1.20", small_array),
    ("the same, 37 live entries", "≤ 1.25", live_entries),
    ("400 leaves", "≤ 1.05", many_leaves),
    ("0.5 ms, caller blocks", "≤ 1.05", blocked_half_millisecond),
    ("asynchronous loop, 0.4 ms steps", "≤ 1.03", async_loop(4e-4, 40)),
    ("asynchronous loop, 50 µs steps", "≤ 1.05", async_loop(5e-5, 100)),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each case")
    parser.add_argument("--calls", type=int, default=1_000_000, help="for the memory figure")
    parser.add_argument("--shapes", type=int, default=500, help="for the last miss; each is compiled (4000 take minutes)")
    given = parser.parse_args()
    print(machine())
    print(f"\n{'time over bare jax.jit':34}{'goal':>8}{'bare':>12}{'ours':>8}{'noise':>8}{'eqx.filter_jit':>16}")
    for title, goal, case in CASES:
        bare, found = ratios(case(), given.seconds)
        shown = bare / {"one small array": 100, "the same, 37 live entries": 37}.get(title, 1)
        _line(title, goal, shown, found)
    bare, found = first_miss(15)
    _line("a first miss", "≤ 1.03", bare, found)
    bare, found = misses_of_a_large_tree(9)
    _line("a miss, 10,000 leaves", "≤ 1.10", bare, found)
    bare, found = misses_among_shapes(99, given.shapes)
    _line(f"a miss among {given.shapes:,} shapes", "≤ 1.05", bare, found)
    print()
    # in a process of its own: here there is memory that was given back and would count as none
    code = f"import benchmarks.overhead as o; print(*o.memory_and_tables({given.calls}), sep='\\n')"
    print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    for line in observation(300):
        print(line)
    return 0


def _line(title: str, goal: str, bare: float, found: dict[str, float]) -> None:
    unit = f"{bare * 1e6:.2f} µs" if bare < 1e-3 else f"{bare * 1e3:.2f} ms"
    other = f"{found['eqx.filter_jit']:.2f}" if "eqx.filter_jit" in found else "–"
    print(f"{title:34}{goal:>8}{unit:>12}{found['ours']:>8.3f}{found['bare again']:>8.3f}{other:>16}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
