"""What is drawn from a key, or computed of a matrix, is computed once for an answer, and kept no longer."""

from __future__ import annotations

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic import diagnose
from jupyter_jitmagic.diagnosis.uncompiled import drawn, threefry
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


@pytest.mark.parametrize("shape", [(), (0,), (5,), (3, 4)])
@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_bits_and_keys_are_those_of_jax(seed, shape):
    """To the last bit, of each width; keys split into several and folded with a number, too."""
    key = jax.random.key(seed)
    for width in (8, 16, 32):
        got = threefry.drawn_from("random_bits", {"shape": shape, "bit_width": width}, key)
        want = np.asarray(jax.random.bits(key, shape, f"uint{width}"))
        np.testing.assert_array_equal(got, want)
        assert type(got) is np.ndarray and got.dtype == want.dtype and got.shape == want.shape
    split = threefry.drawn_from("random_split", {"shape": (*shape, 2)}, key)
    np.testing.assert_array_equal(jax.random.key_data(split), jax.random.key_data(jax.random.split(key, (*shape, 2))))
    for number in (0, 7, 2**32 - 1):
        folded = threefry.drawn_from("random_fold_in", {}, key, np.uint32(number))
        np.testing.assert_array_equal(jax.random.key_data(folded), jax.random.key_data(jax.random.fold_in(key, number)))


def test_numbers_drawn_in_another_shape_compile_nothing():
    compiled = []

    def hear(event, duration, **_):
        if "backend_compile" in event:
            compiled.append(event)

    def noisy(key, x):
        key, sub = jax.random.split(key)
        return x + jax.random.uniform(sub, x.shape) + jax.random.normal(jax.random.fold_in(key, 3), x.shape)

    few, many = ((jax.random.PRNGKey(4), jnp.asarray(np.arange(size, dtype=np.float32))) for size in (3, 19))
    uncompiled.run(noisy, few, {}, Deadline(20))
    jax.monitoring.register_event_duration_secs_listener(hear)
    try:
        got = uncompiled.run(noisy, many, {}, Deadline(20))
    finally:
        jax.monitoring.unregister_event_duration_listener(hear)
    assert compiled == []
    np.testing.assert_allclose(got, noisy(*many), rtol=2e-6)


def test_keys_of_another_kind_are_left_to_jax():
    key = jax.random.key(2, impl="rbg")
    got = uncompiled.run(lambda key: jax.random.uniform(key, (3,)), (key,), {}, Deadline(20))
    np.testing.assert_array_equal(got, jax.random.uniform(key, (3,)))


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
