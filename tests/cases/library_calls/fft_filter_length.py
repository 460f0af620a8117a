"""A low-pass filter by FFT: the padded length is a size, the cut-off frequency is compared with an array and may stay traced."""

import jax.numpy as jnp


def lowpass(signal, n_fft, cutoff, dt=1.0):
    spectrum = jnp.fft.rfft(signal, n=n_fft)
    freq = jnp.fft.rfftfreq(n_fft, dt)
    kept = jnp.where(freq <= cutoff, spectrum, 0.0)
    return jnp.fft.irfft(kept, n=n_fft)[: signal.shape[0]]


sig = jnp.sin(jnp.arange(10.0)) + 0.3 * jnp.cos(2.5 * jnp.arange(10.0))

FUNCTION = "lowpass"
CALLS = [((sig, 16, 0.2), {}), ((sig, 10, jnp.array(0.4)), {}), ((sig[:6],), {"n_fft": 8, "cutoff": 0.1})]
KIND = "static"
STATIC = [("n_fft",)]
SITES = ["spectrum = jnp.fft.rfft(signal, n=n_fft)"]
CATEGORY = "fft"
