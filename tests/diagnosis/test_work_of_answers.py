"""How much an answer runs and compiles, counted: what takes time has no place in it twice."""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.base.jaxprs import written_out
from jupyter_jitmagic.base.own_work import is_own_work
from jupyter_jitmagic.diagnosis.diagnosing import diagnose_call
from jupyter_jitmagic.diagnosis.proof.arguments import trace_key
from jupyter_jitmagic.diagnosis.proof.compiling import compiled_beside
from jupyter_jitmagic.diagnosis.rewrites import compiled as compiled_drafts
from jupyter_jitmagic.diagnosis.rewrites import engine, judging
from jupyter_jitmagic.diagnosis.sites.finding import find_call_sites
from jupyter_jitmagic.diagnosis.statics import search
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.sandbox import clock, limit

LINES, LEAVES = 300, 40
PATIENCE = 60  # seconds


@pytest.fixture
def compiled() -> Iterator[list[str]]:
    """The names of what XLA compiles."""
    names: list[str] = []

    def hear(event: str, duration: float, fun_name: str = "", **_: Any) -> None:
        if "backend_compile" in event:
            names.append(fun_name)

    jax.monitoring.register_event_duration_secs_listener(hear)
    yield names
    jax.monitoring.unregister_event_duration_listener(hear)


def selected(x, limit):
    return x[x > limit].sum()


def passed(x, limit):
    if x.sum() > limit:
        return x * 2
    return x - limit


def asked(fun, *args):
    """The answer to a question that was asked before: what JAX itself compiles once is there."""
    fun(*args)
    diagnose_call(fun, args, {}, seconds=PATIENCE)
    return lambda: diagnose_call(fun, args, {}, seconds=PATIENCE)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """No count ends with the time, on a machine however busy: waiting for a processor is no time."""
    monkeypatch.setattr(clock, "WAITING", 1000)
    monkeypatch.setattr(limit, "_PATIENCE", 1000)
    jm.options.advice_limit_s = 2 * PATIENCE
    yield
    jm.options.reset()


@pytest.mark.parametrize("fun", [selected, passed])
def test_a_program_is_compiled_for_each_rewrite_and_for_nothing_else(fun, compiled):
    """Not for inputs of other shapes, not for gradients, not for a draft that turns out wrong."""
    again = asked(fun, jnp.linspace(-1.0, 2.0, 7), 0.5)
    compiled.clear()
    found = again()
    assert found.rewrites
    assert len(compiled) <= len(found.rewrites), compiled


def mean_of_each(nodes, counts):
    groups = jnp.repeat(jnp.arange(counts.shape[0]), counts)
    return jax.ops.segment_sum(nodes, groups, num_segments=counts.shape[0]) / jnp.maximum(counts, 1)[:, None]


def damped(x, slope):
    x = x.at[x < 0].multiply(slope)
    big = x > 3.0
    return x.at[big].set(3.0 + 0.1 * (x[big] - 3.0))


def root(x):
    total = x @ jnp.arange(11.0)
    if total < 0:
        total = 0.0
    return (x + 1) * jnp.sqrt(total)


@pytest.mark.parametrize(
    ("fun", "args"),
    [
        (mean_of_each, lambda: (jnp.arange(14.0).reshape(7, 2), jnp.array([3, 4]))),
        (damped, lambda: (jnp.array([1.0, -2.0, 7.0, 4.0, -1.0]), 0.1)),
        (root, lambda: (jnp.linspace(-1.0, 3.0, 11),)),
    ],
)
def test_plain_python_compiles_nothing_beyond_the_calls_own_run(fun, args, compiled):
    """Not for what it raises on other data, not for arrays in the place of its own numbers, not for its derivative."""
    asked(selected, jnp.linspace(-1.0, 2.0, 7), 0.5)
    fun(*args())
    compiled.clear()
    found = diagnose_call(fun, args(), {}, seconds=PATIENCE)
    assert found.rewrites
    assert {name for name in compiled if name != "jit(stage)"} <= {f"jit({fun.__name__})"}


def test_what_compiles_beside_other_work_is_ours_and_its_error_comes_to_whom_waits():
    """No row, no budget of the user's hears of it; nothing is lost in the thread."""

    class Lowered:
        def compile(self, compiler_options):
            heard.append((is_own_work(), threading.current_thread() is threading.main_thread()))
            return traced.lower().compile(compiler_options)

    class Refused:
        def compile(self, compiler_options):
            raise ValueError("XLA refuses it")

    @dataclass
    class Program:
        lowered: Any
        jaxpr: Any

        def lower(self):
            return self.lowered

    heard = []
    traced = jax.jit(lambda x: x + 1).trace(1.0)
    program = compiled_beside(Program(Lowered(), traced.jaxpr))
    assert program()(jnp.asarray(1.0)) == 2.0 and program() is program()
    assert heard == [(True, False)]
    refused = compiled_beside(Program(Refused(), traced.jaxpr))
    with pytest.raises(ValueError, match="refuses"):
        refused()


def test_values_that_are_used_twice_round_after_round_do_not_explode():
    """XLA's older code generator doubles the code at each round: 24 of them took minutes and gigabytes, in a thread that
    nothing stops."""

    def smoothed(x, a):
        for _ in range(24):
            x = x + a * (x[::-1] - x)
        if x.sum() > 0:
            return x
        return -x

    found = diagnose_call(smoothed, (jnp.linspace(-1.0, 2.0, 8), 0.1), {}, seconds=PATIENCE)
    assert found.rewrites and found.rewrites[0].verified and found.seconds < PATIENCE


@pytest.mark.parametrize("rounds", [2, 30])
def test_what_a_program_takes_where_nothing_is_kept_doubles_with_each_use(rounds):
    """Through calls of other programs as well; what a loop gives is kept."""

    def reversed_twice(x):
        for _ in range(rounds):
            x = jax.jit(lambda x: x + x[::-1])(x)
        return jax.lax.fori_loop(0, 3, lambda _, x: x + 1.0, x) + 1.0

    size = written_out(jax.make_jaxpr(reversed_twice)(jnp.ones(4)))
    assert 2**rounds <= size <= 4 * 2**rounds


@pytest.fixture
def judged(monkeypatch) -> list[Any]:
    """The drafts that are compared with plain Python."""
    drafts: list[Any] = []
    judge = judging.Judge.judge

    def noting(self, traced):
        drafts.append(traced.draft)
        return judge(self, traced)

    monkeypatch.setattr(judging.Judge, "judge", noting)
    return drafts


def smoothed(losses, beta):
    level = None
    out = []
    for v in losses:
        if not jnp.isnan(v):
            level = v if level is None else (1 - beta) * level + beta * v
        out.append(level if level is not None else jnp.nan)
    return jnp.array(out)


def test_a_call_that_need_not_be_served_ends_no_search_draft_by_draft(judged):
    """Of integers plain Python gives integers where the first is kept, and floats else: no draft does. And where a gradient is
    lost in what is not chosen, what branches everywhere comes before all that is mixed. Of 28 drafts none was right."""
    losses = jnp.array([1.25, jnp.nan, 2.0, 1.25, 3.0, 0.5])
    found = diagnose_call(smoothed, (losses, 0.1), {}, seconds=PATIENCE)
    first = found.rewrites[0]
    assert len(judged) <= 8
    assert first.verified and "all numbers are integers" in str(first.compared.differences)
    assert "tree.map" not in first.source and "jnp.where" not in first.source


def kept(x, best):
    if x.sum() > best:
        best = x.sum()
    return best if best > 0 else -best


def chosen(x, a, b):
    return a if x.sum() > 0 else b


def test_numbers_are_not_chosen_a_second_time_leaf_by_leaf(judged):
    """`jax.tree.map` of a single number does what `jnp.where` does; of a dict it is another thing."""

    diagnose_call(kept, (jnp.arange(3.0), 0.5), {}, seconds=PATIENCE)
    assert judged and not any("tree.map" in text for draft in judged for text in draft.texts.values())
    judged.clear()
    found = diagnose_call(chosen, (jnp.arange(3.0), {"w": jnp.ones(2)}, {"w": jnp.zeros(2)}), {}, seconds=PATIENCE)
    assert found.rewrites and any("tree.map" in text for draft in judged for text in draft.texts.values())


def test_nothing_is_compiled_where_no_time_is_left_for_it(compiled, monkeypatch):
    """XLA cannot be stopped. The comparison operation by operation is one, too."""
    again = asked(passed, jnp.linspace(-1.0, 2.0, 7), 0.5)
    compiled.clear()
    monkeypatch.setattr(compiled_drafts, "time_left", lambda: 0.0)
    found = again()
    assert found.rewrites and found.rewrites[0].verified and found.rewrites[0].compared.inputs > 5
    assert compiled == []


def test_plain_python_is_run_on_other_calls_only_for_a_draft_that_traces(compiled, monkeypatch):
    """A misspelt name, say, has no rewrite: nothing is run, nothing compiled to find where one would have to serve."""

    def misspelt(x, y):
        return jnp.stack([x, jnp.tanh(y)]).sum() + residual  # noqa: F821

    met = []
    find = judging.Judge.other_calls
    monkeypatch.setattr(judging.Judge, "other_calls", lambda self: met.append(self) or find(self))
    x, y = jnp.linspace(-1.0, 2.0, 11), jnp.linspace(0.0, 1.0, 11)
    with pytest.raises(NameError):
        misspelt(x, y)
    compiled.clear()
    assert "residual" in diagnose_call(misspelt, (x, y), {}, seconds=PATIENCE).reason
    assert met == [] and compiled == []
    assert diagnose_call(passed, (x, 0.5), {}, seconds=PATIENCE).rewrites
    assert met


def test_what_can_only_be_compiled_is_not_compared_where_no_time_is_left(compiled, monkeypatch):
    again = asked(passed, jnp.linspace(-1.0, 2.0, 7), 0.5)
    compiled.clear()
    monkeypatch.setattr(compiled_drafts, "time_left", lambda: 0.0)
    monkeypatch.setattr(uncompiled, "evaluate", lambda *_: (_ for _ in ()).throw(ValueError("no such operation")))
    found = again()
    assert not found.rewrites and "advice_limit_s" in found.unverified[0].reason
    assert "jit(passed)" not in compiled


def test_a_draft_is_traced_once_for_each_signature(monkeypatch):
    """Other indices are data, their program is the same; another way that begins as the first one did is not traced again."""

    def picked(x, i):
        if x[i] > 0:
            return x[i] * 2
        return x.sum()

    kinds, traces, searches = set(), [], []
    trace = engine.Search.trace

    def counted(self, function, args, kwargs, *more):
        searches.append(self)
        kinds.add(trace_key(function, args, kwargs, ()))
        traces.append((id(self), function.__code__.co_filename, trace_key(function, args, kwargs, ())))
        return trace(self, function, args, kwargs, *more)

    monkeypatch.setattr(engine.Search, "trace", counted)
    found = diagnose_call(picked, (jnp.linspace(-1.0, 2.0, 7), 3), {}, seconds=PATIENCE)
    assert [rewrite.patterns for rewrite in found.rewrites] == [("where",), ("cond",)]
    assert len(traces) == len(set(traces)) and len(kinds) > 3


def long_function(folder: Path) -> Any:
    """A function of 300 lines with branches on data, and 40 arrays in its arguments."""
    lines = ["def step(params, state, batch, rate):", "    x, y = batch", "    loss, scale = 0.0, jnp.float32(1.0)"]
    layer = 0
    while len(lines) < LINES - 6:
        kind, number = ("params", layer % LEAVES) if layer % LEAVES < LEAVES // 2 else ("state", layer % LEAVES - LEAVES // 2)
        lines += [
            f"    h{layer} = jnp.tanh(x * {kind}['w{number}'])",
            f"    loss = loss + (h{layer} - y).sum() * scale",
            f"    x = x + 0.01 * h{layer}",
        ]
        if layer in (10, 40, 70):
            lines += [f"    if loss > {layer}.5:", "        scale = scale * 0.5", "    else:", "        scale = scale * 1.1"]
        layer += 1
    lines += [
        "    if loss > 3.0:",
        "        rate = 0.0",
        "    new = {name: value - rate * loss for name, value in params.items()}",
    ]
    lines += ["    return new, loss"]
    path = folder / "a_long_one.py"
    path.write_text("import jax.numpy as jnp\n\n\n" + "\n".join(lines) + "\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module.step


def test_a_function_of_300_lines_and_40_leaves(tmp_path, compiled, monkeypatch):
    """One compile; a trace for each branch and each kind of other call; some forty plain runs and their kinds' gradients."""
    step = long_function(tmp_path)
    leaves = [{f"w{k}": jnp.full(8, sign * k / LEAVES) for k in range(LEAVES // 2)} for sign in (1, -1)]
    again = asked(step, *leaves, (jnp.linspace(-2.0, 2.0, 8), jnp.linspace(2.0, -2.0, 8)), 0.1)
    runs, traces = [], []
    run, trace = uncompiled.run, engine.Search.trace
    monkeypatch.setattr(uncompiled, "run", lambda *given: (runs.append(1), run(*given))[1])
    monkeypatch.setattr(engine.Search, "trace", lambda *given: (traces.append(1), trace(*given))[1])
    compiled.clear()
    found = again()
    assert found.kind == "rewrite" and found.rewrites[0].verified
    assert len(compiled) <= len(found.rewrites), compiled
    print(len(traces), len(runs))
    assert len(traces) <= 40, len(traces)
    assert len(runs) <= 100, len(runs)
    sys.modules.pop("a_long_one")


def best_lag(x, y, most):
    best, at = -1.0, 0
    for k in range(most + 1):
        r = ((x if k == 0 else x[:-k]) * y[k:]).mean()
        if r > best:
            best, at = r, k
    return best, at


def test_a_part_of_a_rewrite_is_looked_at_where_there_is_no_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `most` as data no draft traces, and only static it is cured whole: plain Python is not run for the part before."""
    parts: list[Any] = []
    searches: list[Any] = []
    find = engine.Search.drafts
    monkeypatch.setattr(judging.Judge, "part", lambda *given: parts.append(given) or ())
    monkeypatch.setattr(engine.Search, "drafts", lambda self, *given: searches.append(self) or find(self, *given))
    found = jm.diagnose(best_lag, jnp.sin(jnp.arange(8.0)), jnp.cos(jnp.arange(8.0)), 2)
    assert found.rewrites and found.static_argnames == ("most",), found
    assert any(search.furthest is not None for search in searches) and not parts


def test_an_answer_without_other_code_loads_none_of_the_rules_for_it(tmp_path: Path) -> None:
    """They are two thirds of what the first answer of a session loads."""
    program = """
import sys
import jax.numpy as jnp
import jupyter_jitmagic as jm
from functions import padded
found = jm.diagnose(padded, jnp.arange(3.0), 5)
assert found.static_argnames == ("n",), found
print([name for name in sys.modules if ".diagnosis.rewrites" in name or ".diagnosis.splits" in name])
"""
    (tmp_path / "functions.py").write_text(
        "import jax.numpy as jnp\n\n\ndef padded(x, n):\n    return jnp.zeros(n).at[: x.shape[0]].set(x)\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=200)
    assert run.stdout.strip() == "[]", run.stdout + run.stderr


def test_another_number_is_tried_once_for_all_places_that_ask_for_it(monkeypatch):
    """Each place ran the function twice more, which of a loop until convergence took most of the time for an answer."""

    def scaled(x, rate):
        steps = int(rate * 2) + round(rate) + math.floor(rate + 1)
        if x.sum() > 0:
            return x * steps
        return x

    tried = []

    def counted(call, *args, **kwargs):
        if call.argument("rate").value != 1.5:
            tried.append(call.argument("rate").value)
        return find_call_sites(call, *args, **kwargs)

    monkeypatch.setattr(search, "find_call_sites", counted)
    assert diagnose_call(scaled, (jnp.linspace(-1.0, 2.0, 8), 1.5), {}, seconds=PATIENCE).rewrites
    assert sorted(tried) == sorted({*tried}) and tried
