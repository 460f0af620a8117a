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

from jupyter_jitmagic.recording._captured import Captured


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
        ("def step(x):\n  return step if x is None else x", "pass"),
        ("act = jax.nn.relu\ndef step(x): return act(x)", "act = jax.nn.relu"),
        ("act = jax.jit(lambda x: x)\ndef step(x): return act(x)", "act = jax.jit(lambda x: x)"),
    ],
)
def test_no_alarm_for_what_means_the_same(before: str, after: str) -> None:
    assert changes(before, after) == []


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


def test_a_callable_without_code_reads_nothing() -> None:
    assert Captured.of(jnp.sin).changes() == ()
    assert Captured.of(types.SimpleNamespace).changes() == ()
