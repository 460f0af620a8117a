"""`new_function` is the cause where a definition ran again, and not where one more function of the same name lives beside."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import jupyter_jitmagic as jm

X = np.ones(3, np.float32)

BESIDE = {
    "a factory": "def make(k):\n  def step(x): return x * k\n  return jit(step)\na, b = make(2), make(3)\na(X); b(X)",
    "a decorator": "def deco(f):\n  def inner(x): return f(x)\n  return jit(inner)\n"
    "@deco\ndef a(x): return x\n@deco\ndef b(x): return x + 1\na(X); b(X)",
    "a loop of definitions": "fs = []\nfor k in range(2):\n  @jit\n  def step(x, k=k): return x * k\n"
    "  fs.append(step)\nfor f in fs: f(X)",
    "a loop of lambdas": "fs = [jit(lambda x, k=k: x * k) for k in range(2)]\nfor f in fs: f(X)",
    "lambdas on one line": "a, b = jit(lambda x: x + 1), jit(lambda x: x * 2)\na(X); b(X)",
    "lambdas on one line, one after the other": "(jit(lambda x: x + 1)(X), jit(lambda x: x * 2)(X))",
    "partials": "def step(k, x): return k * x\na, b = jit(partial(step, 2)), jit(partial(step, 3))\na(X); b(X)",
    "callable objects": "class Model:\n  def __init__(self, k): self.k = k\n  def __call__(self, x): return x * self.k\n"
    "m, n = Model(2), Model(3)\na, b = jit(m), jit(n)\na(X); b(X)",
    "methods": "class Model:\n  def step(self, x): return x\n"
    "m, n = Model(), Model()\na, b = jit(m.step), jit(n.step)\na(X); b(X)",
}
AGAIN = {
    "a loop that drops each": "for k in range(2):\n  def step(x, k=k): return x * k\n  f = jit(step)\n  f(X)\n  del f, step",
    "lambdas in a loop": "for k in range(2): jit(lambda x, k=k: x * k)(X)",
    "a factory that is called again": "def make(k):\n  def step(x): return x * k\n  return jit(step)\n"
    "f = make(2); f(X)\nf = make(3); f(X)",
    "partials that are dropped": "def step(k, x): return k * x\nfor k in range(2): jit(partial(step, k))(X)",
}


_spaces: list[dict[str, Any]] = []


def space() -> dict[str, Any]:
    """A module of its own."""
    _spaces.append({"__name__": f"module_{len(_spaces)}", "X": X, "partial": functools.partial})
    return _spaces[-1]


def causes_under(jit: Callable[..., Any], *cells: str) -> list[str]:
    """Of all compiles, in order, each outermost cause."""
    jm.reset()
    names = {**space(), "jit": jit}
    with jm.watch(quiet=True) as seen:
        for number, cell in enumerate(cells):
            exec(compile(cell, f"<cell {len(_spaces)}.{number}>", "exec"), names)
    return [compile_.causes[0].cause for compile_ in seen.compiles if compile_.module != "jax"]


@pytest.mark.parametrize("jit", [jm.jit, jax.jit])
@pytest.mark.parametrize("situation", BESIDE)
def test_one_more_function_beside_is_a_first_call(situation: str, jit: Any) -> None:
    assert causes_under(jit, BESIDE[situation]) == ["first_call", "first_call"]


def test_functions_that_live_on_are_not_superseded() -> None:
    for situation in BESIDE:
        jm.reset()
        held = {**space(), "jit": jm.jit}
        exec(compile(BESIDE[situation], f"<{situation}>", "exec"), held)
        assert not jm.stats("functions").superseded.any(), situation


@pytest.mark.parametrize("jit", [jm.jit, jax.jit])
@pytest.mark.parametrize("situation", AGAIN)
def test_a_definition_that_ran_again_is_said_to_have(situation: str, jit: Any) -> None:
    assert causes_under(jit, AGAIN[situation]) == ["first_call", "new_function"]


def test_a_cell_that_runs_again_makes_its_functions_again_also_where_the_old_one_is_held() -> None:
    cell = "def step(x): return x + 1\nstep = jit(step)\nstep(X)"
    assert causes_under(jm.jit, cell, "held = step", cell) == ["first_call", "new_function"]
    assert jm.stats("functions").superseded.tolist() == [True, False]


def test_functions_of_one_name_in_two_files_have_nothing_to_do_with_each_other() -> None:
    text = "def step(x): return x + 1\nstep = jit(step)\nstep(X)"
    jm.reset()
    for name in ("one.py", "two.py"):
        exec(compile(text, name, "exec"), {**space(), "__name__": "__main__", "jit": jm.jit})
    assert jm.stats("misses").cause.tolist() == ["first_call", "first_call"]
