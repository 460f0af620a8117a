"""What a program is like that XLA's compiler does not survive, and that none such is compiled for us."""

from __future__ import annotations

import functools
import sys

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.base.jaxprs import NotCompiled, count_equations, longest_chain, not_compilable
from jupyter_jitmagic.diagnosis.proof import compiling

X = jnp.ones(3)


def nested(kind, times):
    def within(left, x):
        if left == 0:
            return x * 2
        if kind == "jit":
            return jax.jit(lambda x: within(left - 1, x + 1))(x)
        if kind == "cond":
            return jax.lax.cond(x[0] > left, lambda x: within(left - 1, x + 1), lambda x: x, x)
        return jax.lax.fori_loop(0, 2, lambda _, x: within(left - 1, x + 1), x)

    return jax.jit(lambda x: within(times, x)).trace(X).jaxpr


@pytest.mark.parametrize("kind, few, many", [("jit", 60, 170), ("cond", 60, 220), ("loop", 40, 90)])
def test_programs_within_programs_without_end_are_not_compiled(kind, few, many):
    """XLA reads them by recursion in a thread of its own; they come to be where Python's limit was raised."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    try:
        short, long = nested(kind, few), nested(kind, many)
    finally:
        sys.setrecursionlimit(before)
    assert not_compilable(short) is None
    assert isinstance(not_compilable(long), NotCompiled)


def test_a_program_that_is_called_twice_at_each_level_is_asked_once():
    """A recursion as of Fibonacci's numbers: its calls double with each level, and would be asked for years."""

    @functools.partial(jax.jit, static_argnums=1)
    def twice(x, left):
        return twice(x, left - 1) * twice(x, left - 1) if left else x + 1

    program = jax.jit(lambda x: twice(x, 40)).trace(X).jaxpr
    count, refused = count_equations(program), not_compilable(program)  # pytest would write the program out
    assert count == 1 + (4 * 2**40 - 3)  # its own call; two calls and a product at each level, an addition at the last
    assert refused is None


def chain(times):
    def fun(x):
        for _ in range(times):
            x = jnp.sin(x) + 1
        return x

    return jax.jit(fun).trace(X)


def test_many_operations_in_turn_are_not_compiled_in_the_quickest_way():
    """Four thousand rounds of these ended the process in it, and take XLA's usual way."""
    assert longest_chain(chain(50).jaxpr) == 100
    assert compiling.soon(chain(50).jaxpr) == dict(compiling._known_here(True))
    assert compiling.soon(chain(1000).jaxpr) == dict(compiling._known_here(False))


def test_values_used_again_make_no_chain_longer():
    def fun(x):
        for _ in range(40):
            x = x + x[::-1]
        return x

    assert longest_chain(jax.jit(fun).trace(X).jaxpr) == 80
