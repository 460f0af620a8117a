"""Which numbers are the same, up to rounding."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.sandbox.results import leaf_as_numbers, rounding, same_numbers


@pytest.mark.parametrize(
    "got, want, same",
    [
        (np.float32(1.00005), 1.0, True),
        (np.float32(1.001), 1.0, False),
        (np.float16(1.01), 1.0, True),
        (jnp.bfloat16(1.01), 1.0, True),
        (jnp.bfloat16(1.1), 1.0, False),
        (np.int8(5), 5.05, False),
        (np.int64(2**60), np.int64(2**60 + 1), False),
        (np.bool_(True), True, True),
        (np.complex64(1 + 1j), 1 + 1.00005j, True),
        (np.complex64(1 + 1j), 1 - 1j, False),
        (np.float32(np.nan), float("nan"), True),
        (np.float32(np.inf), float("-inf"), False),
    ],
)
def test_numbers_are_the_same_as_far_as_their_type_can_tell(got: object, want: object, same: bool) -> None:
    """Short floats are given more room; whole numbers none."""
    one, other = np.asarray(got), np.asarray(want)
    assert bool(np.all(same_numbers(one, other, *rounding(one.dtype)))) == same


def test_random_keys_are_compared_by_their_numbers() -> None:
    keys = [leaf_as_numbers(jax.random.key(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(keys[0], keys[1]) and not np.array_equal(keys[0], keys[2])
    assert leaf_as_numbers("text") == "text" and leaf_as_numbers(3.0) == 3.0
