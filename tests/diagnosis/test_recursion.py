"""A function that calls itself by a name that stands for its own jit: what is static there is static in each of its calls."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest

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
