"""Counts as defaults that nobody passes, a closure over a module constant and a loop over a dict's items: jit sees none of them."""

import jax.numpy as jnp

N_HARMONICS = 3


def make_model(order):
    coef = [1.0 / (k + 1) for k in range(order)]

    def model(t, phase, n_iter=4, verbose=False):
        out = jnp.zeros_like(t)
        for k in range(N_HARMONICS):
            out = out + coef[k % order] * jnp.sin((k + 1) * t + phase)
        for _ in range(n_iter):
            out = 0.5 * (out + jnp.tanh(out))
            if verbose:
                print(float(out.sum()))
        return out

    return model


FUNCTION = "make_model(2)"
CALLS = [((jnp.arange(3.0), 0.1), {}), ((jnp.ones((2, 2)), jnp.array(1.0)), {}), ((jnp.arange(2.0),), {"phase": 0})]
KIND = "traces"
CATEGORY = "defaults"
