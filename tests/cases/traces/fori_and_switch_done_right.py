"""Everything traced and well written: fori_loop with a traced bound, lax.switch, lax.cond, dynamic_slice and where."""

import jax.numpy as jnp
from jax import lax


def rollout(state, policy_id, horizon, start):
    policies = [lambda s: -0.5 * s, lambda s: jnp.sign(s), lambda s: 0.0 * s]

    def advance(t, s):
        u = lax.switch(policy_id, policies, s)
        return lax.cond(t % 2 == 0, lambda s: s + 0.1 * u, lambda s: s, s)

    final = lax.fori_loop(0, horizon, advance, state)
    return lax.dynamic_slice(final, (start,), (2,)), jnp.where(final > 0, final, 0.0)


s = jnp.array([1.0, -2.0, 0.5])

FUNCTION = "rollout"
CALLS = [
    ((s, 0, 4, 1), {}),
    ((s, jnp.int32(1), jnp.int32(0), 0), {}),
    ((s * 3,), {"policy_id": 2, "horizon": 7, "start": jnp.int32(1)}),
]
KIND = "traces"
CATEGORY = "control flow"
