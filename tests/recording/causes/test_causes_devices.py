"""Devices, shardings and meshes, in a process that has four CPU devices."""

from __future__ import annotations

import os
import subprocess
import sys

from checkout import ROOT


def test_every_placement_is_told_as_jax_sees_it() -> None:
    """The script asserts each case; its whole output is shown when one fails."""
    environment = {
        **os.environ,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.devices_script"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("ok")
