"""A scan or vmap outside of jit that met a branch on data is explained as a failed trace is."""

import pytest
from shells import Shell

pytestmark = pytest.mark.usefixtures("unhurried")

_CELL = """
import jax, jax.numpy as jnp
def step(peak, x):
    if x > peak:
        peak = x
    return peak, peak
def sign(x):
    return 1.0 if x > 0 else -1.0
def run(xs, start=0.0):
    {first}
    return jax.lax.scan(step, start, xs)
{call}
"""


def _asked(shell: Shell, first: str, call: str) -> tuple[str, str]:
    """(what is put at the next prompt, what %jitfix says)."""
    assert shell.run(_CELL.format(first=first, call=call)).error is not None
    said = shell.run("%jitfix")
    return getattr(shell.ip, "rl_next_input", None) or "", f"{said.text} {said.error or ''}"


@pytest.mark.parametrize(
    ("call", "cured"),
    [
        ("run(jnp.arange(3.0))", "peak = jnp.where(x > peak, x, peak)"),
        ("jax.vmap(sign)(jnp.arange(3.0))", "return jnp.where(x > 0, 1.0, -1.0)"),
    ],
)
def test_what_jax_traces_outside_of_jit_gets_its_rewrite(shell: Shell, call: str, cured: str) -> None:
    assert cured in _asked(shell, "kept = 1; start", call)[0]  # newer Pythons store one and load the other at once


def test_where_the_arguments_are_not_known_any_more_nothing_is_claimed(shell: Shell) -> None:
    fixed, said = _asked(shell, "xs = xs * 2", "run(jnp.arange(3.0))")
    assert not fixed and "the last failure was no trace" in said
