"""JAX's checks and logs, switched on by the user, stand aside while an answer is looked for."""

import logging

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm

pytestmark = pytest.mark.usefixtures("unhurried")
SWITCHES = {
    "jax_debug_nans": True,
    "jax_debug_infs": True,
    "jax_check_tracer_leaks": True,
    "jax_log_compiles": True,
    "jax_explain_cache_misses": True,
    "jax_disable_jit": True,
}


def doubled_above(x, t):
    if x.sum() > t:
        return x * 2
    return x - 1


@pytest.mark.parametrize("switch", SWITCHES)
def test_an_answer_is_the_same_with_a_check(switch, caplog):
    """Inputs with NaN are compared as without it, no program of ours is logged, and the check is on again afterwards."""
    x = jnp.array([1.0, -2.0, 3.0])
    caplog.set_level(logging.DEBUG)
    want = jm.diagnose(doubled_above, x, 0.5).rewrites[0].source
    before = getattr(jax.config, switch)
    jax.config.update(switch, SWITCHES[switch])
    caplog.clear()
    try:
        found = jm.diagnose(doubled_above, x, 0.5)
        assert getattr(jax.config, switch) == SWITCHES[switch]
    finally:
        jax.config.update(switch, before)
    assert found.verified and found.rewrites[0].source == want
    assert not any(record.name.startswith("jax") and record.levelno >= logging.WARNING for record in caplog.records)


def test_an_answer_is_found_where_transfers_are_not_allowed():
    """Plain Python runs with them: that its numbers are brought to the device is no fault of the function's."""
    x = jnp.array([1.0, -2.0, 3.0])
    with jax.transfer_guard("disallow"):
        assert jm.diagnose(doubled_above, x, 0.5).verified
