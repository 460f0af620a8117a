"""Random numbers of the host and the time are asked for once under jit: said below the cell and by the diagnosis."""

from __future__ import annotations

import random
import time
from datetime import datetime
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.guards.telling import Teller

X = jnp.ones(3)
normal = np.random.normal
GENERATOR = np.random.default_rng(0)
now = datetime.now


def numpys(x: Any) -> Any:
    return x + np.random.normal(size=3)


def pythons(x: Any) -> Any:
    return x * random.random()


def a_generator(x: Any) -> Any:
    return x * GENERATOR.normal()


def in_a_helper(x: Any) -> Any:
    return pythons(x) + 1


def by_its_own_name(x: Any) -> Any:
    return x * normal()


def the_time(x: Any) -> Any:
    begin = time.time()
    return x * 2, begin


def by_a_bound_method(x: Any) -> Any:
    return x * now().year


def seeded(x: Any) -> Any:
    return x + np.random.default_rng(0).normal(size=3)


def of_a_key(x: Any, key: Any) -> Any:
    return x + jax.random.normal(key, (3,))


ASKING = [numpys, pythons, a_generator, by_its_own_name, in_a_helper, the_time, by_a_bound_method]


@pytest.mark.parametrize("fun", ASKING, ids=lambda each: each.__name__)
def test_what_is_asked_once_is_said_once(fun: Any) -> None:
    """The line is named, below the cell of the first call and no more, and in the answer."""
    teller = Teller()
    jitted = jm.jit(fun)
    jitted(X)
    (line,) = teller.lines()
    assert "reads the time" in line if fun in (the_time, by_a_bound_method) else "random numbers of the host" in line
    jitted(jnp.ones((2, 3)))
    assert not any("under jit that happens once" in line for line in teller.lines())
    found = jm.diagnose(fun, X)
    assert found.kind == "traces" and "under jit that happens once" in found.reason


@pytest.mark.parametrize("fun", [seeded, of_a_key], ids=lambda each: each.__name__)
def test_what_plain_python_gives_each_time_is_not_told(fun: Any) -> None:
    """A generator that is made from a seed there, and JAX's own numbers."""
    args = (X, jax.random.key(0)) if fun is of_a_key else (X,)
    teller = Teller()
    jm.jit(fun)(*args)
    assert teller.lines() == []
    assert jm.diagnose(fun, *args).reason.endswith("nothing is wrong with this call.")


def test_beside_a_static_set_it_is_said_too() -> None:
    """The set makes it trace; the numbers are drawn once all the same."""

    def thrown(n: int, x: Any) -> Any:
        for _ in range(n):
            x = x * random.random()
        return x

    found = jm.diagnose(thrown, 3, X)
    assert found.kind == "static" and "In thrown, line" in found.reason


class Odd:
    """As configuration objects do, it takes every name for a key of its own."""

    def __init__(self) -> None:
        self.table = jnp.arange(3.0)

    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)

    def __len__(self) -> int:
        raise KeyError


odd = Odd()


def looks_up(x: Any) -> Any:
    odd.table = odd.table * 1
    return x * odd.table


def test_no_code_of_a_captured_object_runs_where_modules_and_tracers_are_looked_for() -> None:
    """What says of itself where it comes from may raise, or count; the boundary of the tests holds that nothing did."""
    teller = Teller()
    jitted = jm.jit(looks_up)
    jitted(X)
    assert not any("happens once" in line for line in teller.lines())
    assert jm.jit(lambda x: (odd.table, x * random.random())[1])(X).shape == (3,)
    assert any("random numbers of the host" in line for line in teller.lines())
