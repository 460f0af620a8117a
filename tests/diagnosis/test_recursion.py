"""A function that calls itself by a name that stands for its own jit: what is static there is static in each of its calls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from checkout import ROOT

import jupyter_jitmagic as jm


@jm.jit
def factorial(n: Any) -> Any:
    return 1 if n <= 1 else n * factorial(n - 1)


@jax.jit
def fibonacci(n: Any) -> Any:
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


@jax.jit
def power(x: Any, n: Any) -> Any:
    if n == 0:
        return jnp.ones_like(x)
    half = power(x, n // 2)
    return half * half * x if n % 2 else half * half


@jm.jit
def gcd(a: Any, b: Any) -> Any:
    if b == 0:
        return a
    return gcd(b, a % b)


@pytest.mark.parametrize(
    "fun, args, want", [(factorial, (5,), 120), (fibonacci, (6,), 8), (power, (jnp.arange(3.0), 5), [0, 1, 32])]
)
def test_the_static_set_is_what_jit_takes(fun: Any, args: Any, want: Any) -> None:
    found = jm.diagnose(fun, *args)
    assert (found.kind, found.static_argnames) == ("static", ("n",))
    space = {**fun.__wrapped__.__globals__}
    cured = type(fun.__wrapped__)(fun.__wrapped__.__code__, space)
    space[fun.__name__] = jax.jit(cured, static_argnames="n")
    assert jnp.array_equal(space[fun.__name__](*args), jnp.asarray(want))


def test_a_closure_that_calls_its_own_jit() -> None:
    @jm.jit
    def count(n: Any) -> Any:
        return 0 if n == 0 else 1 + count(n - 1)

    assert jm.diagnose(count, 4).static_argnames == ("n",)
    assert count.__wrapped__.__closure__[0].cell_contents is count  # the user's own is as it was


def test_recursion_over_data_is_a_loop() -> None:
    found = jm.diagnose(gcd, jnp.asarray(12), jnp.asarray(18))
    assert found.kind == "rewrite" and found.verified and "while_loop" in found.rewrites[0].source
    assert gcd.__wrapped__.__globals__["gcd"] is gcd


RAISED = """
import functools, sys
import jax.numpy as jnp
import jupyter_jitmagic as jm

sys.setrecursionlimit(10**6)

def halves(x, n):
    if n == 0:
        return x
    return halves(x * 0.5, n - 1)

@functools.lru_cache(None)
def binomial(n, k):
    return 1 if k in (0, n) else binomial(n - 1, k - 1) + binomial(n - 1, k)

def term(x, n):
    return x * binomial(n, 2) if x.sum() > 0 else -x

def walk(x, n):
    return x if n == 0 else sorted([0], key=lambda _: walk(x, n - 1).sum()) and x + 1

for fun, args in ((halves, (jnp.array(2.0), jnp.array(3))), (term, (jnp.ones(3), 5)), (walk, (jnp.ones(3), jnp.array(2)))):
    print(jm.diagnose(fun, *args).kind, sys.getrecursionlimit())
"""


def test_where_python_s_limit_was_raised_recursion_without_end_does_not_end_the_process(tmp_path: Path) -> None:
    """A branch compiled both ways and other values of `n` make it endless, and a thread's stack is not."""
    (tmp_path / "raised.py").write_text(RAISED)
    told = subprocess.run(
        [sys.executable, "raised.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr[-2000:]
    assert told.stdout.split("\n")[:3] == ["rewrite 1000000", "static+rewrite 1000000", "rewrite 1000000"]
