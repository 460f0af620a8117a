"""and/or give a value that is returned, with no `if` in sight. The year comes out of a table of dates."""

import jax.numpy as jnp


def is_leap(year):
    return (year % 4 == 0 and year % 100 != 0) or year % 400 == 0


def is_leap_fixed(year):
    return ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)


FUNCTION = "is_leap"
CALLS = [((jnp.int32(y),), {}) for y in (2024, 1900, 2000, 2023)]
KIND = "rewrite"
FIXED = "is_leap_fixed"
SITES = ["return (year % 4 == 0 and year % 100 != 0) or year % 400 == 0"]
CATEGORY = "boolean operators"
