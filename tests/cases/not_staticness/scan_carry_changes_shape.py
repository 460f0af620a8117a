"""A scan body that grows its carry: the types of carry in and out differ. No argument is to blame; use the stacked outputs."""

import jax
import jax.numpy as jnp


def cumulative_states(x0, inputs, decay):
    def body(states, u):
        new = decay * states[-1:] + u
        return jnp.concatenate([states, new]), None

    states, _ = jax.lax.scan(body, x0[None], inputs)
    return states


FUNCTION = "cumulative_states"
CALLS = [((jnp.array(1.0), jnp.arange(4.0), 0.5), {}), ((jnp.array(0.0), jnp.ones(2), 1), {})]
KIND = "not_staticness"
SITES = ["states, _ = jax.lax.scan(body, x0[None], inputs)"]
CATEGORY = "carry type"
