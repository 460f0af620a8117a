"""Trials of a kind that was once hostile: a few of each here, many where it may take long. A failing seed runs again by
``python -m tests.trials.<kind> SEED SEED+1``."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from checkout import ROOT

from tests.trials import cells, forks, interrupts, threads


def test_ctrl_c_and_calls_in_the_middle_of_ours_lose_no_row_and_no_total() -> None:
    assert {seed: text for seed in range(4) if (text := interrupts.wrong_by(seed))} == {}


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, 4100, 1000))
def test_many_more_interrupts(first: int) -> None:
    assert {seed: text for seed in range(first, first + 1000) if (text := interrupts.wrong_by(seed))} == {}


def test_eight_threads_count_exactly_beside_readers_resets_and_loads() -> None:
    assert threads.wrong(0, calls=100) == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 40, 10))
def test_many_more_threads(first: int) -> None:
    assert {seed: text for seed in range(first, first + 10) if (text := threads.wrong(seed))} == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_while_tables_are_read_reads_them() -> None:
    assert forks.wrong(0, 2) == {}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_many_more_forks() -> None:
    assert forks.wrong(2, 60) == {}


def test_functions_in_cells_laid_out_at_random_get_the_answer_that_they_get_in_modules() -> None:
    assert {seed: text for seed in (4, 7) if (text := cells.wrong(seed))} == {}


@pytest.mark.slow
@pytest.mark.parametrize("first", [100, 200])
def test_many_more_cells_in_fresh_shells(first: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "tests.trials.cells", str(first), str(first + 100)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
