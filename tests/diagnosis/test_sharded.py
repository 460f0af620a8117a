"""Arrays that are spread over devices, in a process that has two."""

from __future__ import annotations

import os
import subprocess
import sys

from checkout import ROOT

SCRIPT = """
import pathlib, sys, tempfile
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
import jupyter_jitmagic as jm
from jupyter_jitmagic.sandbox import clock, limit

jm.options.advice_limit_s, clock.WAITING, limit._PATIENCE = 90.0, 40, 40
folder = tempfile.mkdtemp()
pathlib.Path(folder, "spread.py").write_text(
    "def f(x, t):\\n    if x.sum() > t:\\n        return x * 2\\n    return x - 1\\n"
)
sys.path.insert(0, folder)
import spread

mesh = Mesh(np.array(jax.devices()), ("d",))
for spec in (PartitionSpec("d"), PartitionSpec()):
    x = jax.device_put(jnp.arange(6.0), NamedSharding(mesh, spec))
    found = jm.diagnose(spread.f, x, 0.5)
    assert found.verified and found.rewrites, found
    assert "other sizes" not in str(found.rewrites[0].compared)
    assert not x.is_deleted() and x.sharding.spec == spec
print("ok")
"""


def test_arrays_of_other_sizes_than_a_mesh_divides_are_tried_whole_on_its_devices() -> None:
    """Five rows are no two equal parts: plain Python takes them, and so are they compared."""
    environment = {
        **os.environ,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0 and done.stdout.startswith("ok"), done.stdout + done.stderr
