"""A while on a Python counter, a break on a list's length, a flag that is a plain bool, and a sorted dict: control flow that never meets
a tracer."""

import jax.numpy as jnp


def cascade(stages, x, gain):
    i, done, seen = 0, False, []
    while not done:
        name = sorted(stages)[i]
        x = gain * jnp.tanh(stages[name] * x)
        seen.append(x)
        i += 1
        done = i == len(stages) or len(seen) > 3
        if done:
            break
    return x, jnp.stack(seen)


FUNCTION = "cascade"
CALLS = [
    (({"b": jnp.array(2.0), "a": jnp.array(0.5)}, jnp.array([1.0, -1.0]), 1.0), {}),
    (({"z": 1.0}, jnp.array(0.3), jnp.array(2.0)), {}),
    (({str(k): jnp.array(float(k)) for k in range(6)}, jnp.ones(2)), {"gain": 1}),
]
KIND = "traces"
CATEGORY = "loops"
