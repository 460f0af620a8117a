"""Trials of a kind that was once hostile: a few of each here, many where it may take long. A failing seed runs again by
``python -m tests.trials.<kind> SEED SEED+1``."""

from __future__ import annotations

import pytest

from tests.trials import interrupts


def test_ctrl_c_and_calls_in_the_middle_of_ours_lose_no_row_and_no_total() -> None:
    assert {seed: text for seed in range(4) if (text := interrupts.wrong_by(seed))} == {}


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, 4100, 1000))
def test_many_more_interrupts(first: int) -> None:
    assert {seed: text for seed in range(first, first + 1000) if (text := interrupts.wrong_by(seed))} == {}
