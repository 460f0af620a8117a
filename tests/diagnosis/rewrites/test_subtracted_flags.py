"""Flags of Python's own of which a difference is taken, which JAX refuses of its arrays."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.diagnosing import diagnose_call

from .helpers import check, define

DIFFERENCES = {
    "a sign": ("x", "(x > 0) - (x < 0)"),
    "within a product": ("x", "10 * ((x > 2) - (x < 1)) + 1"),
    "the opposite": ("x", "-(x > 1) * 2"),
    "the opposite in a product": ("x", "3 * -(x > 1)"),
    "from True": ("x", "True - (x > 1)"),
    "three of them": ("x", "(x > 2) - (x > 1) - (x > 0)"),
    "of a name": ("x", "up - (x < 1)"),
}


@pytest.mark.parametrize("text", [text for _, text in DIFFERENCES.values()], ids=DIFFERENCES)
def test_a_difference_of_flags_is_one_of_numbers(text):
    source = f"def f(x):\n    up = x > 2\n    return {text}\n"
    check(source, *((each,) for each in (3.0, 1.5, 0.5, 0.0, -2.0)))


def test_a_float_of_which_a_sign_is_taken_is_data_and_the_line_is_named():
    """The answer was to make it static, which compiles once for each value."""
    namespace = define("def f(x):\n    side = (x > 0) - (x < 0)\n    if x > 9:\n        side = 2 * side\n    return side\n")
    found = diagnose_call(namespace["f"], (3.0,), {})
    assert found.kind == "rewrite" and not found.static_argnames
    assert found.sites[0].code == "side = (x > 0) - (x < 0)"
    assert [site.operation for site in found.sites] == ["flags", "if"]  # the run goes on behind it


def test_all_that_the_flags_come_from_is_named():
    found = diagnose_call(define("def f(x, low, high):\n    return (x < low) - (x > high)\n")["f"], (3.0, 4.0, 5.0), {})
    assert found.sites[0].arguments == ("x", "low", "high")


def test_the_opposite_of_a_flag_is_met_as_well():
    found = diagnose_call(define("def f(x):\n    return -(x > 1) * x\n")["f"], (3.0,), {})
    assert found.kind == "rewrite" and [site.operation for site in found.sites] == ["flags"]


def test_arrays_of_flags_fail_in_plain_python_as_well():
    namespace = define("def f(x):\n    return (x > 0) - (x < 0)\n")
    found = diagnose_call(namespace["f"], (jnp.array([1.0, -2.0]),), {})
    assert found.kind == "not_staticness" and not found.static_argnames


def test_an_error_that_is_caught_stays_one():
    # compiled code comes to the handler, and so must the run that tells the sites, which goes on to the `if`
    source = "def f(x):\n    try:\n        s = (x > 0) - (x < 0)\n    except TypeError:\n        s = 7\n"
    source += "    return s if x > 2 else x\n"
    found = diagnose_call(define(source)["f"], (3.0,), {})
    assert [site.operation for site in found.sites] == ["ternary"]
