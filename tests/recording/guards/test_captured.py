"""The stale-global guard: what a trace froze and what has changed since, without a false alarm."""

from __future__ import annotations

import gc
import math
import types
import weakref
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.guards import array_looks, stale
from jupyter_jitmagic.recording.guards.captured import Captured
from jupyter_jitmagic.recording.guards.telling import stale_text


def notebook(code: str) -> dict[str, Any]:
    """A namespace as a notebook's, after a cell with `code`."""
    space: dict[str, Any] = {"__name__": "__main__", "jnp": jnp, "np": np, "jax": jax, "math": math}
    run(space, code)
    return space


def run(space: dict[str, Any], code: str) -> None:
    exec(compile(code, "<cell>", "exec"), space)


def changes(before: str, after: str, function: str = "step") -> list[tuple[str, str, str]]:
    space = notebook(before)
    captured = Captured.of(space[function])
    run(space, after)
    return [(change.name, change.before, change.now) for change in captured.changes()]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("rate = 0.1\ndef step(x): return x * rate", "rate = 0.2", [("rate", "0.1", "0.2")]),
        ("rate = 0.1\ndef step(x): return x * rate", "del rate", [("rate", "0.1", "deleted")]),
        ("w = np.ones(3)\ndef step(x): return x * w", "w[1] = 5", [("w", "<ndarray float64[3]>", "<ndarray float64[3]>")]),
        ("cfg = {'n': 2}\ndef step(x): return x * cfg['n']", "cfg['n'] = 3", [("cfg['n']", "2", "3")]),
        ("cfg = {'n': 2}\ndef step(x): return x * sum(cfg.values())", "cfg['n'] = 3", [("cfg", "{'n': 2}", "{'n': 3}")]),
        ("import types\nmine = types.ModuleType('mine')\nmine.k = 2\ndef step(x): return x * mine.k", "mine.k = 3",
         [("mine.k", "2", "3")]),
        ("def make(a):\n  def step(x): return [x * a['k'] for _ in x]\n  return step\nheld = {'k': 1}\nstep = make(held)",
         "held['k'] = 2", [("a['k']", "1", "2")]),
        ("xs = [1]\ndef step(x): return x * len(xs)", "xs.append(2)", [("xs", "[1]", "[1, 2]")]),
        (
            "class Cfg:\n  n = 1\ncfg = Cfg()\ncfg.n = 2\ndef step(x): return x * cfg.n",
            "cfg.n = 3",
            [("cfg.n", "2", "3")],
        ),
        ("def act(x): return x\ndef step(x): return act(x)", "def act(x): return x * 2", [("act", "act", "act")]),
        ("k = 1\ndef act(x): return x * k\ndef step(x): return act(x)", "k = 2", [("k", "1", "2")]),
        ("k = 1\ndef step(x): return jax.tree.map(lambda v: v * k, x)", "k = 2", [("k", "1", "2")]),
        ("k = 1\ndef step(x): return [v * k for v in x]", "k = 2", [("k", "1", "2")]),
        ("k = 1\n@jax.jit\ndef step(x): return x * k", "k = 2", [("k", "1", "2")]),
        ("k = 1\n@jax.jit\ndef act(x): return x * k\ndef step(x): return act(x)", "k = 2", [("k", "1", "2")]),
        ("def make(a):\n  def step(x): return x * a\n  def put(v):\n    nonlocal a\n    a = v\n"
         "  return step, put\nstep, put = make(1)",
         "put(2)", [("a", "1", "2")]),
        ("w = jnp.ones(3)\ndef step(x): return x * w", "w = jnp.zeros(3)",
         [("w", "<ArrayImpl float32[3]>", "<ArrayImpl float32[3]>")]),
        ("n = 3\ndef step(x): return x[:n]", "n = 3.0", [("n", "3", "3.0")]),
        ("t = (1, 2)\ndef step(x): return x * t[1]", "t = (1, 3)", [("t[1]", "2", "3")]),
        ("cfg = {'a': {'b': 1}}\ndef step(x): return x * cfg['a']['b']", "cfg['a']['b'] = 2", [("cfg['a']['b']", "1", "2")]),
        ("class C: pass\no = C()\no.p = C()\no.p.k = 1\ndef step(x): return x * o.p.k", "o.p.k = 2", [("o.p.k", "1", "2")]),
        ("class C:\n  rate = 1\ndef step(x): return x * C.rate", "C.rate = 2", [("C.rate", "1", "2")]),
        ("class C:\n  rate = 1\no = C()\ndef step(x): return x * o.rate", "C.rate = 2", [("o.rate", "1", "2")]),
        ("class C:\n  def act(self, x): return x\no = C()\ndef step(x): return o.act(x)", "C.act = lambda self, x: 2 * x",
         [("o.act", "C.act", "<lambda> of line 1")]),
        ("class C:\n  k = 1\n  def act(self, x): return self.inner(x)\n  def inner(self, x): return x * self.k\n"
         "o = C()\ndef step(x): return o.act(x)", "o.k = 2", [("o.k", "1", "2")]),
        ("class C:\n  _k = 1\n  @property\n  def k(self): return self._k\no = C()\ndef step(x): return x * o.k", "o._k = 2",
         [("o._k", "1", "2")]),
        ("class C:\n  __slots__ = ('k',)\no = C()\no.k = 1\ndef step(x): return x * o.k", "o.k = 2", [("o.k", "1", "2")]),
        ("act = jnp.sin\ndef step(x): return act(x)", "act = jnp.cos",
         [("act", "sin", "cos")]),
        ("from operator import add as op\ndef step(x): return op(x, x)", "from operator import mul as op",
         [("op", "add", "mul")]),
        ("import functools\nact = functools.partial(jnp.add, 1)\ndef step(x): return act(x)",
         "act = functools.partial(jnp.add, 2)", [("act", "partial(add, 1)", "partial(add, 2)")]),
        ("ks = [1]\ndef step(x, k=ks): return x * k[0]", "ks[0] = 2", [("k", "[1]", "[2]")]),
        ("def act(x): return x * act.k\nact.k = 1\ndef step(x): return act(x)", "act.k = 2",
         [("act", "act", "act"), ("act.k", "1", "2")]),
    ],
)  # fmt: skip
def test_a_value_that_was_rebound_or_mutated_is_told(before: str, after: str, expected: Any) -> None:
    assert changes(before, after) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rate = 0.1\ndef step(x): return x * rate", "rate = 0.1"),
        ("rate = 0.1\ndef step(x): return x * rate", "other = 3"),
        ("w = np.ones(3)\ndef step(x): return x * w", "w = np.ones(3)"),
        ("w = jnp.ones(3)\ndef step(x): return x * w", "w = jnp.ones(3)"),
        ("w = jnp.ones((300, 300))\ndef step(x): return x * w", "w = jnp.ones((300, 300))"),
        ("def act(x): return x\ndef step(x): return act(x)", "\n\ndef act(x): return x"),
        ("def step(x): return jnp.sin(x)", "import jax.numpy as jnp"),
        ("def step(x): return x * math.pi", "import math"),
        ("from functools import partial\ndef step(x): return partial(jnp.add, 1)(x)", "from functools import partial"),
        ("k = 1\ndef step(x): return x", "k = 2"),
        ("class C:\n  rate = 1\ndef step(x): return x.rate", "rate = 2"),
        ("cfg = {'n': 2}\ndef step(x): return x * cfg['n']", "cfg = {'n': 2}"),
        ("class C: pass\ncfg = C()\ncfg.rate = 1\ndef step(x): return x * cfg.rate", "cfg.epoch = 2"),
        ("cfg = {'rate': 1}\ndef step(x): return x * cfg['rate']", "cfg['epoch'] = 2"),
        ("x = 1\ndef step(x): return x", "x = 2"),
        ("t = [1, 2]\ndef step(x): return x * t[0]", "t[1] = 5\nt.append(6)"),
        ("cfg = {'a': {'b': 1, 'c': 1}}\ndef step(x): return x * cfg['a']['b']", "cfg['a']['c'] = 2"),
        ("class C:\n  a = b = 1\n  def act(self, x): return x * self.a\no = C()\ndef step(x): return o.act(x)", "o.b = 2"),
        ("class C:\n  a = b = 1\n  @property\n  def k(self): return self.a\no = C()\ndef step(x): return o.k", "o.b = 2"),
        ("import types\nns = types.SimpleNamespace(a=1, b=1)\ndef step(x): return x * ns.a", "ns.b = 2"),
        ("g = float('nan')\ndef step(x): return x * g", "g = float('nan')"),
        ("k = jax.random.key(0)\ndef step(x): return x, k", "k = jax.random.key(0)"),
        ("class C:\n  def __getattr__(self, name): return {'k': 1}[name]\no = C()\ndef step(x): return x * o.k", "y = 1"),
        ("def step(x):\n  return step if x is None else x", "pass"),
        ("act = jax.nn.relu\ndef step(x): return act(x)", "act = jax.nn.relu"),
        ("act = jax.jit(lambda x: x)\ndef step(x): return act(x)", "act = jax.jit(lambda x: x)"),
    ],
)
def test_no_alarm_for_what_means_the_same(before: str, after: str) -> None:
    assert changes(before, after) == []


def test_an_array_that_is_not_there_yet_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows its numbers; nor is one a change of itself that is there now and was not when it was read."""
    space = notebook("w = jnp.ones(3)\ndef step(x): return x * w")
    monkeypatch.setattr(array_looks, "is_ready", lambda array: False)
    early = Captured.of(space["step"])
    monkeypatch.undo()
    assert early.changes() == ()
    captured = Captured.of(space["step"])
    run(space, "w = jnp.zeros(3)")
    assert [change.name for change in captured.changes()] == ["w"]
    monkeypatch.setattr(array_looks, "is_ready", lambda array: False)
    assert captured.changes() == ()


def test_a_large_array_on_an_accelerator_is_told_by_which_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers are not fetched, and are not said to have changed."""
    monkeypatch.setattr(array_looks, "_is_near", lambda array: False)
    space = notebook("w = jnp.ones(3)\ndef step(x): return x * w")
    captured = Captured.of(space["step"])
    assert captured.changes() == ()
    run(space, "w = jnp.ones(3)")
    (change,) = captured.changes()
    assert change.name == "w" and not change.seen
    run(space, "w = jnp.ones(4)")
    (change,) = captured.changes()
    assert change.seen


def test_one_element_of_a_large_numpy_array_is_seen_and_a_key_too() -> None:
    assert changes("w = np.ones(100_000)\ndef step(x): return x * w.sum()", "w[77_777] = 5")
    assert changes("k = jax.random.key(0)\ndef step(x): return x, k", "k = jax.random.key(1)")


def test_a_tracer_that_a_trace_left_behind_is_no_fault() -> None:
    space = notebook("left = []\ndef step(x):\n  left.append(x)\n  return x")
    jax.jit(space["step"])(1.0)
    captured = Captured.of(space["step"])
    assert captured.changes() == ()


def test_nothing_is_kept_alive_and_a_function_that_is_gone_has_no_changes() -> None:
    space = notebook("class Big: pass\nbig = Big()\ndef step(x): return big")
    ends = [weakref.ref(space["big"]), weakref.ref(space["step"])]
    captured = Captured.of(space["step"])
    space.clear()
    gc.collect()
    assert [end() for end in ends] == [None, None]
    assert captured.changes() == ()


def test_secrets_are_not_shown() -> None:
    space = notebook("api_key = 'hunter2'\ndef step(x): return x, api_key")
    captured = Captured.of(space["step"])
    run(space, "api_key = 'hunter3'")
    assert "hunter" not in repr(captured.changes()) + repr(captured)


def test_a_tracer_that_a_function_left_behind_is_no_fault() -> None:
    space = notebook("left = []\ndef step(x):\n    left.append(x)\n    return x")
    jax.jit(space["step"])(1.0)
    captured = Captured.of(space["step"])
    assert list(captured.changes()) == []


def test_a_callable_without_code_reads_nothing() -> None:
    assert Captured.of(jnp.sin).changes() == ()
    assert Captured.of(types.SimpleNamespace).changes() == ()


class Settings:
    def __init__(self) -> None:
        self.rate, self.epoch = 2.0, 0

    def scaled(self, x: float) -> float:
        return x * self.rate

    def step(self, x: float) -> float:
        return self.scaled(x)


def test_attributes_of_static_objects_that_hash_by_identity() -> None:
    def step(x: float, settings: Settings) -> float:
        return x * settings.rate

    for fun, name in ((step, "settings"), (Settings.step, "self"), (Settings().step, "")):
        settings = Settings() if name else fun.__self__  # type: ignore[attr-defined]
        captured = Captured.of(fun, {name: settings} if name else {})
        settings.epoch += 1
        assert not captured.changes()
        settings.rate = 3.0
        assert [change.name for change in captured.changes()] == [f"{name or 'self'}.rate"]


def test_static_objects_are_not_kept_alive() -> None:
    settings = Settings()
    captured, end = Captured.of(Settings.step, {"self": settings}), weakref.ref(settings)
    del settings
    gc.collect()
    assert end() is None and not captured.changes()


def test_what_was_not_looked_at_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_looks, "_is_near", lambda array: False)
    space = notebook("w = jnp.ones(3)\ndef step(x): return x * w")
    step = space["step"] = jm.jit(space["step"])
    step(1.0)
    run(space, "w = jnp.ones(3)")
    (found,) = [each for each in stale.stale(0.0) if each.change.name == "w"]
    assert "w is another array now (whether of other numbers was not looked at) than when step was traced" in stale_text(
        found.function, found.change
    )
