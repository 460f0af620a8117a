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


@pytest.mark.parametrize("kind", [np.float32, np.complex64])
def test_arrays_are_near_each_other_as_numpy_says(kind: type) -> None:
    """Element by element, with NaN, infinities and zeros among them."""
    numbers = np.array([0.0, 1.0, -1.0, 1.00005, 1.001, 1e-6, np.nan, np.inf, -np.inf], kind)
    got, want = (each.ravel() for each in np.meshgrid(numbers, numbers))
    wide = np.complex128 if kind is np.complex64 else np.float64
    expected = np.isclose(got.astype(wide), want.astype(wide), rtol=1e-4, atol=1e-5, equal_nan=True)
    assert np.array_equal(same_numbers(got, want, 1e-4, 1e-5), expected)
