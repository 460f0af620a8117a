"""Arguments that hold what is no JAX type, under jits that take them: equinox's modules with functions among their leaves."""

from __future__ import annotations

import pytest
from shells import Shell

equinox = pytest.importorskip("equinox")

CELL = """\
import equinox as eqx
import jax
import jax.numpy as jnp

class Policy(eqx.Module):
    net: eqx.nn.MLP
    spread: jax.Array

    def __call__(self, seen):
        spread = self.spread
        if spread < 0.1:
            spread = spread * 0 + 0.1
        return self.net(seen) * spread
"""
POLICY = "Policy(eqx.nn.MLP(2, 1, 4, 1, key=jax.random.key(0)), jnp.array(0.5))"
ACT = "def act(policy, seen):\n    chosen = policy(seen)\n    if chosen[0] > 0:\n        return chosen\n    return -chosen\n"
CALL = f"act({POLICY}, jnp.ones(2))"


@pytest.mark.parametrize(
    ("above", "beside"),
    [("", "@jax.jit\n"), ("%%jit\n", ""), ("", ""), ("", "@jax.jit\n@jax.named_call\n")],
    ids=["decorated", "magic", "called", "beside another"],
)
def test_a_module_of_equinox_with_functions_in_it_is_taken_by_its_own_jit(
    shell: Shell, unhurried: None, above: str, beside: str
) -> None:
    """It was said to take the function out of the module; a rewrite of the tests on data was not looked for."""
    plain = shell.ok(CELL + ACT + CALL).value
    call = CALL if above or beside else CALL.replace("act(", "jax.jit(act)(", 1)
    failed = shell.run(above + CELL + beside + ACT + call)
    fix = shell.run("%jitfix")
    said = failed.text + fix.text
    assert failed.error is not None
    if "named_call" in beside:  # what stands above the function is not known to work under that jit
        assert fix.error is not None and "take policy.net.activation out of it" in said
        return
    assert "equinox.filter_jit keeps what is no array" in said and "+ @eqx.filter_jit" in said
    new = str(shell.ip.rl_next_input)
    assert "jax.jit" not in new and "%%jit" not in new and new.count("jnp.where") == 2
    assert float(shell.ok(new).value[0]) == pytest.approx(float(plain[0]))
