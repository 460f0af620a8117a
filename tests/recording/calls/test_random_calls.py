"""The property that all rests on: we say hit exactly when JAX neither traces, lowers nor compiles, and tell what changed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from checkout import ROOT

from tests import hostile_calls
from tests.random_calls import wrong


def test_calls_changed_at_random_are_told_by_their_changes() -> None:
    assert {seed: text for seed in range(10) if (text := wrong(seed))} == {}


def test_arguments_that_count_and_insert_are_used_as_under_bare_jit() -> None:
    """Results, arguments afterwards, hits and the number of runs of the user's methods are those of ``jax.jit``."""
    assert {seed: text for seed in range(4) if (text := hostile_calls.wrong(seed))} == {}


@pytest.mark.slow
def test_many_more_arguments_that_count_and_insert() -> None:
    assert {seed: text for seed in range(4, 200) if (text := hostile_calls.wrong(seed))} == {}


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 3000, 500))
def test_many_more_on_four_devices(first: int) -> None:
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "tests.random_calls", str(first), str(first + 500)]
    environment = {**os.environ, **flags, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
