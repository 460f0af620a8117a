"""What is called verified is right on functions that nobody wrote, and most of them have a rewrite."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis import diagnose
from jupyter_jitmagic.diagnosis.proof.differing import differs

from . import random_functions
from .helpers import applied, define

NUMBERS = [0.0, 0.5, 1.0, -1.0, 2.0, -0.5, 3.0, 0.25, -2.0, 1.5]
SPECIAL = [*NUMBERS, float("nan"), float("inf")]


def calls(chance: random.Random, count: int) -> Iterator[tuple[Any, ...]]:
    """Inputs that take other branches and loop counts, with numbers of Python's or arrays."""
    of_float, of_int = chance.choice([(float, int), (jnp.float32, jnp.int32), (float, jnp.int32)])
    for number in range(count):
        x = jnp.asarray(np.array([chance.choice(NUMBERS) for _ in range(4)], np.float32))
        y = chance.choice(SPECIAL if number % 4 == 3 else NUMBERS)
        yield x, of_float(y), of_int(chance.choice([0, 1, 2, 3, 4, 5, -1]))


def plain_result(fun: Any, call: tuple[Any, ...]) -> tuple[Any] | None:
    try:
        return (fun(*call),)
    except (ZeroDivisionError, UnboundLocalError, ValueError, OverflowError):
        return None


def judged(seed: int, inputs: int) -> bool | None:
    """Whether a rewrite was found, None if none was needed. Every verified one equals plain Python on all inputs."""
    chance = random.Random(seed)
    source = random_functions.function(seed)
    namespace = define(source)
    wanted = [(call, result) for call in calls(chance, inputs) if (result := plain_result(namespace["f"], call))]
    if not wanted:
        return None
    answer = diagnose(namespace["f"], *wanted[0][0])
    for which, rewrite in enumerate(answer.rewrites):
        with applied(answer, namespace, which):
            fixed = jax.jit(namespace["f"], static_argnames=rewrite.static_argnames)
            for call, (want,) in wanted:
                difference = differs(fixed(*call), want)
                assert not difference, f"seed {seed} on {call}: {difference}\n{source}\n{rewrite.source}"
    return bool(answer.rewrites) if answer.kind in ("rewrite", "static+rewrite") else None


def test_verified_rewrites_of_random_functions_equal_plain_python() -> None:
    """Two of them here, and both need a rewrite: what would trace anyway would prove nothing."""
    assert [judged(seed, inputs=5) for seed in (0, 1)] == [True, True]


@pytest.mark.slow
def test_verified_rewrites_of_many_random_functions_are_all_right_and_most_have_one() -> None:
    found = [each for seed in range(100, 160) if (each := judged(seed, inputs=26)) is not None]
    assert sum(found) >= 0.8 * len(found)
