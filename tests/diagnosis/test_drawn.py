"""What is drawn from a key, or computed of a matrix, is computed once for an answer, and kept no longer."""

from __future__ import annotations

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic import diagnose
from jupyter_jitmagic.diagnosis.uncompiled import drawn
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.sandbox.clock import Deadline

A = jnp.array([[3.0, 1.0], [1.0, 2.0]])
b = jnp.array([1.0, -2.0])


@pytest.fixture(autouse=True)
def _nothing_known():
    drawn.forget()
    yield
    drawn.forget()


@pytest.mark.parametrize("make", [jax.random.PRNGKey, jax.random.key], ids=["raw", "new style"])
def test_a_chain_of_keys_draws_the_same_numbers_each_time(make):
    def fun(key, n):
        drawn_ones = []
        for _ in range(n):
            key, sub = jax.random.split(key)
            drawn_ones += [jax.random.normal(sub, (2,)), jax.random.uniform(key), jax.random.randint(sub, (), 0, 9)]
        return drawn_ones

    for _ in range(2):
        for seed in (0, 1, 0):
            for got, want in zip(uncompiled.run(fun, (make(seed), 3), {}, Deadline(20)), fun(make(seed), 3), strict=True):
                np.testing.assert_allclose(got, want, rtol=2e-6)
                assert got.dtype == want.dtype


@pytest.mark.parametrize(
    "fun", [jnp.linalg.solve, lambda A, b: jnp.linalg.inv(A) @ b, lambda A, b: jnp.linalg.eigh(A)[0] * b, jnp.linalg.cholesky]
)
def test_matrices_give_what_they_give_in_jax(fun):
    given = (A, b) if fun is not jnp.linalg.cholesky else (A,)
    for each in (given, (A + jnp.eye(2), *given[1:]), given):
        np.testing.assert_allclose(uncompiled.run(fun, each, {}, Deadline(20)), fun(*each), rtol=2e-6)
        program = jax.jit(fun).trace(*each)
        np.testing.assert_allclose(uncompiled.evaluate(program, each, Deadline(20)), fun(*each), rtol=2e-6)


def test_an_operation_runs_once_for_the_same_operands_and_settings():
    runs = []

    def run(args, watch):
        runs.append(args)
        return [np.asarray(args[0]) + 1]

    lower = drawn.remembered("cholesky", {"lower": True}, run, always=False)
    upper = drawn.remembered("cholesky", {"lower": False}, run, always=False)
    small, same, other = np.ones(3, np.float32), np.ones(3, np.float32), np.ones(3, np.int32)
    for operation, operand in [(lower, small), (lower, same), (upper, small), (lower, other), (lower, small)]:
        np.testing.assert_array_equal(operation([operand], None)[0], operand + 1)
    assert len(runs) == 3
    for _ in range(2):
        lower([np.ones(drawn.MOST_BYTES)], None)  # too large to be kept
    assert len(runs) == 5


def test_other_operations_run_each_time():
    runs = []
    plain = drawn.remembered("pure_callback", {}, lambda args, watch: runs.append(args) or [], always=False)
    for _ in range(2):
        plain([np.ones(2)], None)
    assert len(runs) == 2


def test_an_answer_keeps_no_key():
    def sampler(key, x):
        key, sub = jax.random.split(key)
        if jax.random.uniform(sub) < 0.5 + x:
            return x
        return -x

    key = jax.random.key(3)
    assert diagnose(sampler, key, jnp.array(0.1)).rewrites
    gone = weakref.ref(key)
    del key
    gc.collect()
    assert gone() is None
