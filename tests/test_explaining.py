"""The answer outside notebooks."""

from __future__ import annotations

import jax.numpy as jnp

import jupyter_jitmagic as jm


def test_a_printed_diagnosis_is_the_answer_as_text() -> None:
    def padded(x, n):
        return jnp.zeros(n).at[: x.shape[0]].set(x)

    diagnosis = jm.diagnose(padded, jnp.arange(3.0), 5)
    lines = str(diagnosis).splitlines()
    assert lines[0] == "padded cannot be traced" and lines[-1].strip() == '@jax.jit(static_argnames="n")'
    assert repr(diagnosis).startswith("Diagnosis(")
