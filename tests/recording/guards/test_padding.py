"""Padding: what it would leave of the compiles, what it would cost, and the helper that does it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.guards import cures, padding
from jupyter_jitmagic.records.log import log

SIZES = (96, 40, 32, 17, 24, 64, 33, 21, 50, 70)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    jm.reset()
    cures.histories.clear()
    log.shells += 1
    yield
    log.shells -= 1


def churned(pad: Any = lambda size: size) -> list[cures.Advice]:
    f = jm.jit(lambda x: x * 2)
    for size in SIZES:
        f(jnp.ones((pad(size), 2)))
    return [found for history in cures.histories for found in cures.advice_on(history) if found.rule == "shape_churn"]


def test_each_ladder_leaves_as_many_compiles_as_it_says() -> None:
    (advice,) = churned()
    assert (advice.before, advice.after) == (len(SIZES), advice.ladders[0].compiles) == (10, 3)
    assert advice.what == "pad axis 0 of x to powers of two"
    for ladder in advice.ladders:
        jm.reset()
        churned(lambda size, steps=ladder.steps: padding.rounded_up(size, steps))
        log.fold()
        assert sum(function.misses for function in log.functions.values()) == ladder.compiles
        padded = sum(padding.rounded_up(size, ladder.steps) for size in SIZES)
        assert ladder.share == pytest.approx(padded / sum(SIZES) - 1)
    shares = [ladder.share for ladder in advice.ladders]
    assert shares == sorted(shares, reverse=True) and len(shares) > 1


def test_what_it_saves_is_the_part_of_the_cost_that_the_fewer_compiles_are() -> None:
    (advice,) = churned()
    assert advice.saves_s == pytest.approx(advice.cost_s * (10 - 3) / 9)
    assert advice.last_s >= log.misses[-1].started_s


@pytest.mark.parametrize("size", [1, 2, 3, 17, 64, 65])
def test_the_helper_pads_to_a_power_of_two_and_says_what_is_data(size: int) -> None:
    names: dict[str, Any] = {"jnp": jnp}
    exec(padding.helper(), names)
    for axis in (0, 1):
        x = jnp.ones((size, 3) if axis == 0 else (3, size))
        padded, mask = names["padded"](x, axis)
        assert padded.shape[axis] == padding.rounded_up(size, 1) == mask.shape[0]
        assert int(mask.sum()) == size and float(padded.sum()) == x.size


def test_sizes_that_padding_does_not_bring_together_are_no_advice() -> None:
    f = jm.jit(lambda x: x * 2)
    for size in (2, 5, 11, 23, 47):
        f(jnp.ones(size))
    assert not [found for history in cures.histories for found in cures.advice_on(history) if found.rule == "shape_churn"]
