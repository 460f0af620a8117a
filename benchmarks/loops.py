"""Execution times in the loops that people write, against the truth.

``python -m benchmarks.loops [--only TEXT] [--repeats N]``. Each loop runs plain and under `jm.jit`, in turns. Its truth is wall
time over steps, where it waits for each step the median of theirs. Printed are the share of hits with a time, the medians of
the calls and of the functions table over the truth, how these times were come by, and the speed against plain ``jax.jit`` with
that of plain ``jax.jit`` against itself.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import os
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from types import FunctionType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jupyter_jitmagic as jm
from jupyter_jitmagic.by_line.profiling import Profiler, Ran


def parameters(width: int) -> dict[str, jax.Array]:
    keys = jax.random.split(jax.random.key(0), 3)
    shapes = {"w1": (width, 4 * width), "w2": (4 * width, 4 * width), "w3": (4 * width, 10)}
    return {name: jax.random.normal(key, shape) * 0.05 for key, (name, shape) in zip(keys, shapes.items(), strict=True)}


def loss_of(params: dict[str, jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
    hidden = jnp.tanh(jnp.tanh(x @ params["w1"]) @ params["w2"])
    return jnp.mean((hidden @ params["w3"] - y) ** 2)


def step(params: dict[str, jax.Array], x: jax.Array, y: jax.Array) -> tuple[dict[str, jax.Array], jax.Array]:
    loss, grads = jax.value_and_grad(loss_of)(params, x, y)
    return jax.tree.map(lambda p, g: p - 1e-3 * g, params, grads), loss


def own(function: FunctionType) -> FunctionType:
    """A function of its own: jits of one function share JAX's caches, and `jm.jit` has to find out what others put there."""
    return FunctionType(function.__code__, function.__globals__, function.__name__)


class Sizes(NamedTuple):
    width: int
    rows: int


@functools.cache
def sizes_of(step_s: float) -> Sizes:
    """Of a step that takes about so long here."""
    sizes = Sizes(48 if step_s < 1e-3 else 128, 16)
    while (seconds := _seconds_of(sizes)) < 0.75 * step_s:
        sizes = sizes._replace(rows=max(sizes.rows + 8, int(sizes.rows * min(step_s / seconds, 2))))
    return sizes


def _seconds_of(sizes: Sizes) -> float:
    f, params, (x, y) = jax.jit(step), parameters(sizes.width), batch(sizes)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        for _ in range(20):
            params, loss = f(params, x, y)
        jax.block_until_ready((params, loss))
        times.append((time.perf_counter() - start) / 20)
    return min(times)


def batch(sizes: Sizes, rows: int | None = None) -> tuple[jax.Array, jax.Array]:
    rows = rows or sizes.rows
    return jnp.ones((rows, sizes.width)), jnp.ones((rows, 10))


SHORT, LONG = 4e-4, 6e-3

Loop = Callable[[Callable[..., Any]], tuple[float, dict[str, float]]]
"""Of a `jit`: seconds of wall time, and by function its true seconds per execution."""


def never_waits(
    step_s: float,
    steps: int,
    donate: bool = False,
    wait_every: int = 0,
    read_every: int = 0,
    makes_batches: bool = False,
    deletes: bool = False,
) -> Loop:
    def run(jit: Callable[..., Any]) -> tuple[float, dict[str, float]]:
        f, sizes = jit(own(step), donate_argnums=0) if donate else jit(own(step)), sizes_of(step_s)
        params, (x, y) = parameters(sizes.width), batch(sizes)
        for _ in range(2):
            params, loss = f(params, x, y)
        jax.block_until_ready((params, loss))
        chance = np.random.default_rng(0)
        start = time.perf_counter()
        times = [start]
        for i in range(steps):
            if makes_batches:
                x = jnp.asarray(chance.random(x.shape, np.float32))
            params, loss = f(params, x, y)
            if deletes:
                loss.delete()
            if read_every and i % read_every == read_every - 1:
                float(loss)
            if wait_every and i % wait_every == wait_every - 1:
                jax.block_until_ready(params)
                times.append(time.perf_counter())
        jax.block_until_ready(params)
        seconds = time.perf_counter() - start
        if wait_every == 1:  # then each step's own time is known, and a median is held against a median
            return seconds, {"step": float(np.median(np.diff(times)))}
        return seconds, {"step": seconds / steps}

    return run


def shapes_in_turn(step_s: float, steps: int) -> Loop:
    def run(jit: Callable[..., Any]) -> tuple[float, dict[str, float]]:
        f, sizes = jit(own(step)), sizes_of(step_s)
        params = parameters(sizes.width)
        batches = [batch(sizes, rows) for rows in (sizes.rows, sizes.rows // 2, sizes.rows * 3 // 4)]
        for x, y in batches * 2:
            params, loss = f(params, x, y)
        jax.block_until_ready((params, loss))
        start = time.perf_counter()
        for i in range(steps):
            params, loss = f(params, *batches[i % 3])
        jax.block_until_ready((params, loss))
        seconds = time.perf_counter() - start
        return seconds, {"step": seconds / steps}

    return run


def two_functions(step_s: float, steps: int, evaluate_every: int) -> Loop:
    def evaluate(params: Any, x: Any, y: Any) -> Any:
        return loss_of(params, x, y)

    def run(jit: Callable[..., Any]) -> tuple[float, dict[str, float]]:
        f, g, sizes = jit(own(step)), jit(own(evaluate)), sizes_of(step_s)
        params, (x, y) = parameters(sizes.width), batch(sizes)

        def loop(f: Any, g: Any, steps: int) -> float:
            mine, begin = params, time.perf_counter()
            for i in range(steps):
                mine, loss = f(mine, x, y)
                if i % evaluate_every == evaluate_every - 1:
                    loss = g(mine, x, y)
            jax.block_until_ready((mine, loss))
            return time.perf_counter() - begin

        return by_turns(loop, f, g, steps, {"step": steps, "evaluate": steps // evaluate_every})

    return run


def calls_two_functions(step_s: float, steps: int) -> Loop:
    """A step that calls one function for the gradients, and with these another."""

    def gradients(params: Any, x: Any, y: Any) -> Any:
        return jax.value_and_grad(loss_of)(params, x, y)

    def measured(params: Any, grads: Any, x: Any, y: Any) -> Any:
        params = jax.tree.map(lambda p, g: p - 1e-3 * g, params, grads)
        return params, loss_of(params, x, y)

    def run(jit: Callable[..., Any]) -> tuple[float, dict[str, float]]:
        f, g, sizes = jit(own(gradients)), jit(own(measured)), sizes_of(step_s)
        params, (x, y) = parameters(sizes.width), batch(sizes)

        def loop(f: Any, g: Any, steps: int) -> float:
            mine, begin = params, time.perf_counter()
            for _ in range(steps):
                _, grads = f(mine, x, y)
                mine, loss = g(mine, grads, x, y)
            jax.block_until_ready((mine, loss))
            return time.perf_counter() - begin

        return by_turns(loop, f, g, steps, {"gradients": steps, "measured": steps})

    return run


def by_turns(
    loop: Callable[[Any, Any, int], float], f: Any, g: Any, steps: int, calls: dict[str, int]
) -> tuple[float, dict[str, float]]:
    """A loop of two functions. The truth of each is its part of the loop: as long as the median of its executions that JAX's
    profiler sees in a loop of plain ``jax.jit``. (What one of them adds to a loop without it is another thing: each finds
    other data in the caches.)"""
    plain_f, plain_g = _plain(f), _plain(g)
    for _ in range(2):
        loop(f, g, 10)
        loop(plain_f, plain_g, 10)
    profiler = Profiler()
    profiler.start()
    loop(plain_f, plain_g, min(steps, 150))
    alone = from_end_to_end(profiler.stop().events, set(calls))
    seconds = loop(f, g, steps)
    per = seconds / sum(count * alone[name] for name, count in calls.items())
    return seconds, {name: per * alone[name] for name in calls}


def from_end_to_end(events: list[Ran], functions: set[str]) -> dict[str, float]:
    """Of each function, the median time from the end of the execution before it to its own."""
    ends: dict[tuple[Any, ...], float] = defaultdict(float)
    for event in events:
        if (name := event.module.removeprefix("jit_")) in functions:
            ends[(name, *event.run)] = max(ends[(name, *event.run)], event.end)
    in_order = sorted(ends.items(), key=lambda item: item[1])
    taken: dict[str, list[float]] = defaultdict(list)
    for (_, before), ((name, *_), end) in itertools.pairwise(in_order):
        taken[name].append(end - before)
    return {name: statistics.median(times) for name, times in taken.items()}


def in_epochs(step_s: float, steps: int, epochs: int, away_s: float) -> Loop:
    """Epochs of so many steps, each of which ends with its loss read; between them the caller does something else."""

    def run(jit: Callable[..., Any]) -> tuple[float, dict[str, float]]:
        f, sizes = jit(own(step)), sizes_of(step_s)
        start, (x, y) = parameters(sizes.width), batch(sizes)
        jax.block_until_ready([f(start, x, y) for _ in range(2)])

        def epoch(params: Any) -> tuple[Any, float]:
            for _ in range(steps):
                params, loss = f(params, x, y)
            return params, float(loss)

        params, seconds = start, 0.0
        for _ in range(epochs):
            begin = time.perf_counter()
            params, _ = epoch(params)
            seconds += time.perf_counter() - begin
            time.sleep(away_s)
        return seconds, {"step": seconds / (steps * epochs)}

    return run


def drops_its_outputs(step_s: float, steps: int) -> Loop:
    def run(jit: Callable[..., Any]) -> tuple[float, dict[str, float]]:
        f, sizes = jit(own(step)), sizes_of(step_s)
        params, (x, y) = parameters(sizes.width), batch(sizes)
        jax.block_until_ready([f(params, x, y) for _ in range(2)])
        start = time.perf_counter()
        for _ in range(steps):
            f(params, x, y)
        jax.block_until_ready(f(params, x, y))
        seconds = time.perf_counter() - start
        return seconds, {"step": seconds / (steps + 1)}

    return run


def has_large_outputs_only(steps: int) -> Loop:
    def spread(x: jax.Array) -> jax.Array:
        return jax.lax.fori_loop(0, 4, lambda _, x: jnp.tanh(x * 1.01), x)

    def run(jit: Callable[..., Any]) -> tuple[float, dict[str, float]]:
        f, x = jit(own(spread)), jnp.ones((1024, 512))
        x = f(f(x)).block_until_ready()
        start = time.perf_counter()
        for _ in range(steps):
            x = f(x)
        x.block_until_ready()
        seconds = time.perf_counter() - start
        return seconds, {"spread": seconds / steps}

    return run


def on_devices_in_turn(step_s: float, steps: int) -> Loop:
    """Each has parameters of its own and is a line of work of its own."""

    def run(jit: Callable[..., Any]) -> tuple[float, dict[str, float]]:
        f, sizes = jit(own(step)), sizes_of(step_s)
        given = [jax.device_put((parameters(sizes.width), *batch(sizes)), device) for device in jax.devices()[:2]]
        params = [f(*of_device)[0] for of_device in given]
        jax.block_until_ready([f(*of_device) for of_device in given])
        start = time.perf_counter()
        for _ in range(steps):
            params = [f(p, x, y)[0] for p, (_, x, y) in zip(params, given, strict=True)]
        jax.block_until_ready(params)
        seconds = time.perf_counter() - start
        return seconds, {"step": seconds / steps}

    return run


def in_threads(step_s: float, steps: int) -> Loop:
    def run(jit: Callable[..., Any]) -> tuple[float, dict[str, float]]:
        f, sizes = jit(own(step)), sizes_of(step_s)
        params, (x, y) = parameters(sizes.width), batch(sizes)
        jax.block_until_ready([f(params, x, y) for _ in range(2)])

        def work() -> None:
            mine = params
            for _ in range(steps):
                mine, _ = f(mine, x, y)
            jax.block_until_ready(mine)

        threads = [threading.Thread(target=work) for _ in range(2)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - start
        return seconds, {"step": seconds / (2 * steps)}

    return run


def _plain(f: Any) -> Any:
    """Plain ``jax.jit`` of the same function, with a cache of its own."""
    return jax.jit(own(f.__wrapped__))


LOOPS: dict[str, Loop] = {
    "never waits, 0.4 ms": never_waits(SHORT, 3000),
    "never waits, 6 ms": never_waits(LONG, 400),
    "donates its parameters, 6 ms": never_waits(LONG, 400, donate=True),
    "donates its parameters, 0.4 ms": never_waits(SHORT, 3000, donate=True),
    "float(loss) each tenth step, 6 ms": never_waits(LONG, 400, read_every=10),
    "float(loss) each tenth step, 0.4 ms": never_waits(SHORT, 3000, read_every=10),
    "block_until_ready each 100 steps, 6 ms": never_waits(LONG, 400, wait_every=100),
    "thirty steps, 6 ms": never_waits(LONG, 30),
    "epochs of 40 steps, 6 ms, 50 ms between": in_epochs(LONG, 40, 10, 0.05),
    "epochs of 40 steps, 0.4 ms, 5 ms between": in_epochs(SHORT, 40, 60, 0.005),
    "epochs of 40 steps, 0.4 ms, 50 ms between": in_epochs(SHORT, 40, 60, 0.05),
    "epochs of 100 steps, 0.4 ms, 50 ms between": in_epochs(SHORT, 100, 30, 0.05),
    "three batch shapes in turn, 6 ms": shapes_in_turn(LONG, 400),
    "train and evaluate by turns, 6 ms": two_functions(LONG, 300, 1),
    "evaluate each tenth step, 6 ms": two_functions(LONG, 300, 10),
    "calls two functions a step, 6 ms": calls_two_functions(LONG, 300),
    "makes its batches, 6 ms": never_waits(LONG, 300, makes_batches=True),
    "drops its outputs, 6 ms": drops_its_outputs(LONG, 300),
    "deletes each loss, 6 ms": never_waits(LONG, 300, deletes=True),
    "large outputs only": has_large_outputs_only(400),
    "two threads, 6 ms": in_threads(LONG, 200),
    "waits each time, 6 ms": never_waits(LONG, 200, wait_every=1),
    "waits each time, 2 ms": never_waits(2e-3, 400, wait_every=1),
}
OF_TWO_DEVICES: dict[str, Loop] = {"two devices in turn, 6 ms": on_devices_in_turn(LONG, 400)}
"""In a process of their own."""


class Seen(NamedTuple):
    timed: float
    calls: float
    table: float
    speed: float
    bare: float
    """Of plain ``jax.jit`` against itself: the noise."""
    how: str


def measure(loop: Loop) -> Seen:
    bare, _ = loop(jax.jit)
    jm.reset()
    first = time.time()
    seconds, truth = loop(jm.jit)
    again, _ = loop(jax.jit)
    time.sleep(0.1)
    calls = jm.stats("calls")
    functions = jm.stats()
    functions = functions[functions.calls > 5]
    hits = calls[(calls.outcome == "hit") & (calls.started_s >= first)]
    ratios = [
        float(hits[hits.function == name].execute_s.median()) / truth[name.split("#")[0]]
        for name in functions.function.tolist()
    ]
    table = [row.execute_median_s / truth[row.function.split("#")[0]] for row in functions.itertuples()]
    worst = max(ratios, key=lambda ratio: abs(ratio - 1)) if ratios else float("nan")
    worst_table = max(table, key=lambda ratio: abs(ratio - 1)) if table else float("nan")
    how = ", ".join(f"{name} {count}" for name, count in Counter(hits.execute_how.tolist()).most_common())
    return Seen(float(hits.execute_s.notna().mean()), worst, worst_table, (bare + again) / 2 / seconds, bare / again, how)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--two-devices", action="store_true", help="only the loops of two devices, in this process")
    given = parser.parse_args()
    if not given.two_devices:
        print(
            f"{'loop':42} {'hits timed':>10} {'calls/truth':>11} {'table/truth':>11} {'speed':>6} {'bare':>6}  how (last)",
            flush=True,
        )
    for name, loop in (OF_TWO_DEVICES if given.two_devices else LOOPS).items():
        if given.only in name:
            seen = [measure(loop) for _ in range(given.repeats)]
            columns = list(zip(*seen, strict=True))[:5]
            timed, calls, table, speed, bare = (statistics.median(values) for values in columns)
            print(f"{name:42} {timed:10.0%} {calls:11.2f} {table:11.2f} {speed:6.3f} {bare:6.3f}  {seen[-1].how}", flush=True)
    if not given.two_devices and any(given.only in name for name in OF_TWO_DEVICES):
        flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
        again = [sys.executable, "-m", "benchmarks.loops", "--two-devices", *sys.argv[1:]]
        subprocess.run(again, env={**os.environ, "XLA_FLAGS": flags}, check=True)


if __name__ == "__main__":
    main()
