"""grad of vmap of a jitted function inside a loop over a tuple, with jnp.where in place of branches: nothing asks for a value."""

import jax
import jax.numpy as jnp


@jax.jit
def energy(q, k):
    r = jnp.sqrt(jnp.sum(q**2))
    return jnp.where(r < 1.0, k * r**2, k * (2 * r - 1))


def relax(particles, ks, lr):
    total = lambda p: jax.vmap(energy, in_axes=(0, None))(p, k).sum()
    for k in ks:
        particles = particles - lr * jax.grad(total)(particles)
    return particles


P = jnp.array([[0.5, 0.1], [2.0, -1.0]])

FUNCTION = "relax"
CALLS = [((P, (1.0, 0.5), 0.1), {}), ((P, (jnp.array(2.0),), jnp.array(0.2)), {}), ((P[:1],), {"ks": (1, 2, 3), "lr": 0.01})]
KIND = "traces"
CATEGORY = "transformations"
