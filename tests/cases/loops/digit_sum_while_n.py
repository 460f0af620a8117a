"""`while n:` takes the digits of a number; floor division and augmented assignments in the body."""

import jax.numpy as jnp
from jax import lax


def luhn(n):
    total, position = 0, 0
    while n:
        digit = n % 10
        if position % 2 == 1:
            digit = digit * 2
            digit = digit - 9 if digit > 9 else digit
        total += digit
        n //= 10
        position += 1
    return total % 10 == 0, position


def luhn_fixed(n):
    def body(state):
        n, total, position = state
        digit = n % 10
        double = digit * 2
        double = jnp.where(double > 9, double - 9, double)
        return n // 10, total + jnp.where(position % 2 == 1, double, digit), position + 1

    _, total, position = lax.while_loop(lambda s: s[0] != 0, body, (jnp.asarray(n), jnp.zeros_like(n), 0))
    return total % 10 == 0, position


FUNCTION = "luhn"
CALLS = [((jnp.int32(n),), {}) for n in (79927398, 1234, 18, 59)]
KIND = "rewrite"
FIXED = "luhn_fixed"
SITES = ["while n:", "digit = digit - 9 if digit > 9 else digit"]
CATEGORY = "while"
