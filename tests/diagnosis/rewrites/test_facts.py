"""What a plain run tells of a draft's expressions, and that one that fails by itself is not run again with JAX."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites import facts
from jupyter_jitmagic.sandbox.purity import impurity

ran: list[str] = []


def mixed(x):
    ran.append("mixed")
    total = x.sum()
    return jnp.where(total > 0, (x, total), (total, x))


def asks_how_it_is_kept(x):
    ran.append("kept")
    twice = x * 2
    return twice.unsafe_buffer_pointer() * 0 + twice.sum()


def goes_on(x):
    ran.append("on")
    while x.sum() > 0:
        x = x + 0
    return x


def told(fun, *args, seconds=60.0):
    _, units = impurity(fun, args, {})
    unit = next(unit for unit in units if f"def {fun.__name__}" in unit.text)
    ran.clear()
    found = facts.facts_of(fun, {unit: unit.text}, args, {}, {}, seconds)[unit]
    return {fact.sort + str(fact.ndim) for fact in found.values()}


def test_a_draft_that_jax_refuses_is_run_once():
    """JAX would compile what comes before, to say the same; what was told until then is known."""
    found = told(mixed, jnp.arange(3.0))
    assert ran == ["mixed"]
    assert {"array1", "array0"} <= found


def test_what_numpy_alone_does_not_take_is_run_by_jax():
    """An array of JAX's own."""
    found = told(asks_how_it_is_kept, jnp.arange(3.0))
    assert ran == ["kept", "kept"]
    assert "array1" in found


def test_rounds_that_numpy_does_not_end_are_not_run_by_jax():
    """Which takes longer for each; a trace goes on to the first value that it needs."""
    found = told(goes_on, jnp.ones(3), seconds=0.2)
    assert ran == ["on", "on"]
    assert {"array1", "array0"} <= found


def test_a_number_of_numpys_is_its_own_and_no_complex_one_of_pythons():
    told = facts.fact_of(np.float64(1.5))
    assert (told.sort, told.ndim, told.dtype) == ("host", 0, "f")
    assert told == facts.fact_of(np.float32(1.5))
