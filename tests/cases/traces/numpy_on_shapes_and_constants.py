"""NumPy works on shapes, on module constants and on the results' own methods (np.mean, np.sum hand over); nothing is converted."""

import jax.numpy as jnp
import numpy as np

WINDOW = np.hanning(5)[1:-1]
OFFSETS = np.arange(-1, 2)


def smooth(signal, strength):
    n = int(np.prod(signal.shape))
    levels = int(np.log2(n)) if n > 1 else 0
    kernel = WINDOW / WINDOW.sum()
    for _ in range(levels):
        stacked = jnp.stack([jnp.roll(signal, int(k)) for k in OFFSETS])
        signal = (1 - strength) * signal + strength * (kernel @ stacked)
    return signal, np.mean(signal), np.sum(signal**2) / n


FUNCTION = "smooth"
CALLS = [((jnp.arange(6.0), 0.5), {}), ((jnp.array([3.0]), 0.1), {}), ((jnp.ones(4), jnp.array(0.9)), {})]
KIND = "traces"
CATEGORY = "numpy"
