"""Our own errors and warnings in a shell: the user's line last, a warning as one line, and neither after unloading."""

from __future__ import annotations

import sys
import warnings

import pytest
from shells import Shell

import jupyter_jitmagic as jm


@pytest.fixture
def used(shell: Shell) -> Shell:
    shell.ok("%%jit --on-miss raise\ndef step(x):\n    return x * 2")
    shell.ok("step(jnp.ones(3))")
    return shell


@pytest.mark.parametrize(
    "cell",
    [
        "step(jnp.ones(4))",
        "def outer(x):\n    return step(x)\nouter(jnp.ones(5))",
        "import jupyter_jitmagic as jm\nplain = jax.jit(lambda x: x + 1)\nplain(jnp.ones(3))\n"
        "with jm.no_recompile():\n    plain(jnp.ones(5))",
    ],
)
def test_a_refused_compile_ends_at_the_users_line(used: Shell, cell: str) -> None:
    ran = used.run(cell)
    assert isinstance(ran.error, jm.RecompileError)
    assert "jupyter_jitmagic" not in ran.stdout and "site-packages" not in ran.stdout
    assert f"----> {len(cell.splitlines())}" in ran.stdout
    assert "would compile again" in ran.stdout.splitlines()[-1]


def test_a_warning_is_one_line_that_names_the_cell(shell: Shell) -> None:
    shell.ok("%%jit --on-miss warn\ndef warned(x):\n    return x * 2")
    ran = shell.ok("warned(jnp.ones(3))\nwarned(jnp.ones(4))")
    (line,) = [data["text/plain"] for data in ran.displays if "compiled again" in data.get("text/plain", "")]
    words = " ".join(line.split())
    assert "line 2: warned compiled again (" in words and " ms): x is f32[4] now and was f32[3] before. It may" in words
    assert not ran.stderr


def test_other_warnings_look_as_before(shell: Shell) -> None:
    with pytest.warns(UserWarning, match="mine"):
        ran = shell.ok("import warnings\nwarnings.warn('mine')")
    assert not ran.displays


def test_unloading_takes_both_back(used: Shell) -> None:
    before = warnings.showwarning
    used.ok("%unload_ext jupyter_jitmagic")
    assert warnings.showwarning is not before
    assert not hasattr(jm.RecompileError, "_render_traceback_")
    assert "jupyter_jitmagic" in sys.modules
