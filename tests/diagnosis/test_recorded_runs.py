"""Runs of plain Python that are known are not run again, and give on other arrays what Python would."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.uncompiled import recorded
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.diagnosis.uncompiled.recorded import Recordings
from jupyter_jitmagic.sandbox.clock import Deadline

X = jnp.array([0.5, -1.5, 2.0, 3.25])
GLOBAL = jnp.array([1.0, 2.0, 3.0, 4.0])
TABLE = np.zeros(4, np.float32)


def branches(x, k):
    total = x.sum() * k
    if total > 1:
        return jnp.where(x > 0, x, -x) / total, "large"
    return {"small": x + GLOBAL, "steps": 3}


def rounds(x, k):
    steps = 0
    while jnp.abs(x).max() > 1 and steps < 6:
        x, steps = x * 0.5 - 0.1 * k, steps + 1
    return x, steps


def numbers(x, k):
    first, count = float(x[0]), int((x > 0).sum())
    return jnp.zeros(count) + first * k, [v.item() for v in x if v > 0], f"{x[1]:.1f}"


def lengths(x, k):
    return x[x > k * 0.1].cumsum(), jnp.unique(jnp.round(x)), np.asarray(x).tolist()


def buffers(x, k):
    """The array is made of the buffer before that is written to again."""
    buffer = np.arange(4, dtype=np.float32)
    start = x + buffer
    buffer[:] = -1
    TABLE[:] = float(x[2])
    return start * k + buffer, jnp.asarray(TABLE) + x


def failing(x, k):
    if x[0] < 0:
        raise ValueError("no negative ones")
    return x * k


def looped(x, k):
    out = jax.lax.scan(lambda c, v: (c + v * k, c), 0.0, x)
    return out if x.mean() > 0 else jax.lax.cond(x[0] > 0, lambda: out, lambda: (out[0] * 2, out[1]))


def inputs():
    generator = np.random.default_rng(1)
    yield from ((X, 1), (-X, 1), (X * 3, 1), (X.at[0].set(jnp.nan), 1), (X, 2), (X, 1.0), (X, True), (X[:3], 1), (-0.0 * X, 1))
    yield from ((jnp.asarray(generator.normal(size=4).round(1).astype(np.float32)), k % 2) for k in range(12))
    yield from ((X.astype(jnp.float16), 1), (jnp.arange(4), 1), (X, jnp.float32(1)), (X, jnp.float32(2)))


def same(got, want):
    if isinstance(want, BaseException) or isinstance(got, BaseException):
        return type(got) is type(want)
    if jax.tree.structure(got) != jax.tree.structure(want):
        return False
    pairs = zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True)
    return all(
        getattr(a, "dtype", type(a)) == getattr(b, "dtype", type(b))
        and repr(np.asarray(a).tolist()) == repr(np.asarray(b).tolist())
        for a, b in pairs
    )


def outcome(fun, given, recordings=None):
    try:
        return uncompiled.run(fun, given, {}, Deadline(60), None, recordings, "it")
    except Exception as error:
        return error


def quiet():
    return Recordings(lambda: None, lambda seen: None)


@pytest.mark.parametrize("fun", [branches, rounds, numbers, lengths, buffers, failing, looped])
def test_a_run_that_is_known_gives_what_python_gives(fun):
    recordings = quiet()
    for given in itertools.chain(inputs(), inputs()):
        assert same(outcome(fun, given, recordings), outcome(fun, given)), given


@pytest.mark.parametrize("fun", [branches, rounds, looped])
def test_gradients_that_are_known_are_those_that_python_gives(fun):
    def total(values, others):
        leaves = jax.tree.leaves(fun(values, others))
        return sum(jnp.sum(v) for v in leaves if hasattr(v, "dtype") and v.dtype == jnp.float32) + 0.0

    recordings = quiet()
    for given in itertools.chain(inputs(), inputs()):
        if given[0].dtype == jnp.float32:
            assert same(outcome(jax.value_and_grad(total), given, recordings), outcome(jax.value_and_grad(total), given)), given


def test_python_runs_only_where_a_question_is_answered_as_never_before():
    ran, shown = [], []

    def plain(x):
        ran.append("once")
        return x * 2 if x.sum() > 1 else x - 1

    recordings = Recordings(lambda: len(ran), shown.append)
    for number in (1.0, 2.0, 3.0, -1.0, -2.0, 5.0):
        outcome(plain, (jnp.full(3, number),), recordings)
    assert len(ran) == 2 and shown == [1, 1, 2, 1]


def test_a_function_that_does_not_go_by_its_arguments_is_run_each_time():
    turns = itertools.count()

    def plain(x):
        turn = next(turns)
        return turn, bool(x.sum() > 100) if turn % 2 else float(x[0])

    recordings = quiet()
    given = [jnp.asarray(np.random.default_rng(seed).normal(size=3)) for seed in range(8)]
    found = [outcome(plain, (x,), recordings) for x in given]
    assert [turn for turn, _ in found] == list(range(8))


def test_no_more_is_kept_than_a_bound(monkeypatch):
    monkeypatch.setattr(recorded, "MOST_STEPS", 20)
    recordings = quiet()
    for given in inputs():
        assert same(outcome(rounds, given, recordings), outcome(rounds, given)), given


def test_a_tape_comes_of_each_run_also_where_no_more_are_written_down():
    """A run is written down once for its gradient, whichever way it goes; one that cannot be written down has none."""
    times = []

    def counted(x, k):
        times.append(k)
        return sum(x[i] * k for i in range(int(jnp.abs(x).sum() * 7) % 11)) + x.sum()

    recordings = Recordings(lambda: None, lambda _: None)
    for scale in range(1, 12):
        tape = recorded.Tape()
        uncompiled.run(counted, (X * scale, 2), {}, Deadline(10), None, recordings, "counted", tape=tape)
        assert tape.known
        np.testing.assert_allclose(tape.values[tape.result], counted(X * scale, 2), rtol=1e-5)
    assert len(times) <= 2 * 11
    tape = recorded.Tape()
    uncompiled.run(lambda x: x + jnp.asarray(TABLE), (X,), {}, Deadline(10), None, None, "no", tape=tape)
    assert not tape.known
