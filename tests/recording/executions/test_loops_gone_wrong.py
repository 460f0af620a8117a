"""Loops that run ahead and do not end as they began: nothing hangs, nothing of ours fails, and no time is made up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.executions.waiter import waiter
from jupyter_jitmagic.recording.recorder import recorder


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    recorder.start()
    jm.reset()
    jm.faults.clear()
    yield
    assert jm.faults.details() == ""


def jitted() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Two functions that no other test has compiled."""
    return jm.jit(lambda p, x: step(p, x)), jm.jit(lambda p, x: score(p, x))


def step(p: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    p = jax.lax.fori_loop(0, 40, lambda _, p: jnp.tanh(p @ x), p)
    return p, p.mean()


def score(p: jax.Array, x: jax.Array) -> jax.Array:
    return jnp.tanh(p @ x).sum()


X = jnp.ones((96, 96)) / 96


def by_turns(f: Callable[..., Any], g: Callable[..., Any], steps: int, each: Callable[[int], None] = lambda i: None) -> None:
    p = jnp.ones((96, 96))
    for i in range(steps):
        p, loss = f(p, X)
        g(p, X)
        each(i)
    jax.block_until_ready((p, loss))


def checked(began: float) -> Any:
    """The table of calls since then; what is said of executions on one device has room in the time that passed."""
    time.sleep(0.1)
    calls = jm.stats("calls")
    passed = time.perf_counter() - began
    assert waiter._thread is not None and waiter._thread.is_alive()
    assert not (calls.execute_s <= 0).any()
    assert calls.execute_s[calls.execute_how == "averaged"].sum() <= 1.3 * passed
    assert calls.execute_s[calls.execute_how == "unobserved"].isna().all()
    return calls


@pytest.fixture(autouse=True)
def ctrl_c_interrupts() -> Iterator[None]:
    """Also where the tests were started in the background, for which a shell turns it off."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_error_on_the_device_is_the_users_and_ends_no_other_time() -> None:
    def check(p: np.ndarray, i: np.ndarray) -> np.ndarray:
        if i == 60:
            raise ValueError("the sixtieth")
        return p

    def checking(p: jax.Array, i: jax.Array) -> jax.Array:
        p = jax.lax.fori_loop(0, 40, lambda _, p: jnp.tanh(p @ X), p)
        return jax.pure_callback(check, jax.ShapeDtypeStruct(p.shape, p.dtype), p, i)

    f, began = jm.jit(checking), time.perf_counter()
    with pytest.raises(Exception, match="the sixtieth"):
        for i in range(100):
            f(X, i).mean().block_until_ready() if i == 60 else f(X, i)
    jm.reset()
    by_turns(*jitted(), 60)
    assert len(checked(began)) == 120


def test_ctrl_c_in_the_middle_of_a_loop_leaves_it_to_be_begun_again() -> None:
    began, (f, g) = time.perf_counter(), jitted()
    by_turns(f, g, 3)

    def interrupt(i: int) -> None:
        if i == 40:
            signal.raise_signal(signal.SIGINT)

    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            by_turns(f, g, 60, interrupt)
    by_turns(f, g, 60)
    calls = checked(began)
    assert len(calls) == 2 * (3 + 5 * 41 + 60)


def test_ctrl_c_at_any_moment_of_a_loop_ends_it_and_no_more() -> None:
    began, (f, g) = time.perf_counter(), jitted()
    by_turns(f, g, 3)
    for after_s in (0.001, 0.003, 0.007, 0.012, 0.02):
        sent = threading.Event()

        def interrupt(sent: threading.Event = sent) -> None:
            signal.raise_signal(signal.SIGINT)
            sent.set()

        timer = threading.Timer(after_s, interrupt)
        with contextlib.suppress(KeyboardInterrupt):  # Python drops one that meets a finalizer
            timer.start()
            while not sent.is_set():
                by_turns(f, g, 10)
            time.sleep(0.1)
        timer.join()
    jm.reset()
    by_turns(f, g, 60)
    assert len(checked(began)) == 120


def test_a_loop_goes_on_when_jaxs_caches_are_cleared_in_its_middle() -> None:
    began, (f, g) = time.perf_counter(), jitted()
    by_turns(f, g, 90, lambda i: jax.clear_caches() if i == 45 else None)
    calls = checked(began)
    assert (calls.outcome == "miss").sum() == 4
    assert (calls.outcome == "hit").sum() == 176


def test_a_loop_whose_arrays_are_deleted_all_along_goes_on() -> None:
    began, (f, _) = time.perf_counter(), jitted()
    for i in range(200):
        p, loss = f(X, X)
        loss.delete()
        if i % 3 == 0:
            p.delete()
    jax.block_until_ready(f(X, X))
    assert len(checked(began)) == 201


def run(script: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("last", ["", "float(loss)", "recorder.stop()", "jax.clear_caches()", "del p, loss; gc.collect()"])
def test_a_process_that_ends_in_the_middle_of_turns_ends_well(last: str) -> None:
    said = run(
        f"""
        import gc, jax, jax.numpy as jnp, jupyter_jitmagic as jm
        from jupyter_jitmagic.recording.recorder import recorder
        x = jnp.ones((128, 128)) / 128
        f = jm.jit(lambda p, x: (jax.lax.fori_loop(0, 40, lambda _, p: jnp.tanh(p @ x), p), p.mean()), donate_argnums=0)
        g = jm.jit(lambda p, x: jnp.tanh(p @ x).sum())
        p = x + 0
        for _ in range(60):
            p, loss = f(p, x)
            g(p, x)
        {last}
        print("ends")
        """
    )
    assert said == "ends\n"


def test_each_of_two_devices_has_its_own_times_and_no_call_is_lost() -> None:
    """In a process of its own, because a process has so many devices as it began with."""
    said = run(
        """
        import time, jax, jax.numpy as jnp, jupyter_jitmagic as jm
        devices = jax.devices()
        x = jnp.ones((96, 96)) / 96
        f = jm.jit(lambda p, x: (jax.lax.fori_loop(0, 40, lambda _, p: jnp.tanh(p @ x), p), p.mean()))
        given = [jax.device_put(x, device) for device in devices]
        began, params = time.perf_counter(), list(given)
        for _ in range(200):
            params = [f(p, x)[0] for p, x in zip(params, given)]
        jax.block_until_ready(params)
        time.sleep(0.1)
        passed = time.perf_counter() - began
        calls = jm.stats("calls")
        averaged = calls[calls.execute_how == "averaged"]
        each = averaged.groupby("entry").execute_s.sum()
        print(len(devices), len(calls), calls.entry.nunique(), bool((each <= 1.3 * passed).all()), repr(jm.faults.details()))
        """,
        XLA_FLAGS="--xla_force_host_platform_device_count=2",
    )
    assert said == "2 400 2 True ''\n"
