"""What the records know of an argument's values: a number that changed in nearly every call is data."""

import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm

X = jnp.arange(4.0)


@pytest.fixture(autouse=True)
def _no_rows():
    jm.reset()
    yield
    jm.reset()


def fail_with(fun, values):
    for value in values:
        with pytest.raises(TypeError):
            fun(X, value)


def doubled(x, n):
    if n > 3:
        return x * 2
    return x


def sized(x, n):
    return jnp.zeros(n) + x.sum()


def test_without_a_history_a_number_that_chooses_a_branch_is_static():
    assert jm.diagnose(jm.jit(doubled), X, 4).static_argnames == ("n",)


def test_a_number_that_changed_in_nearly_every_call_is_data():
    fun = jm.jit(doubled)
    fail_with(fun, range(8))
    found = jm.diagnose(fun, X, 8)
    assert found.kind == "rewrite" and found.static_argnames == () and found.verified
    assert "n had 8 values in 8 recorded calls: static, it would compile for each" in found.reason


def test_a_number_that_mostly_stays_is_no_data():
    fun = jm.jit(doubled)
    fail_with(fun, [1, 2] * 4)
    found = jm.diagnose(fun, X, 8)
    assert found.static_argnames == ("n",)
    assert "n had 2 values in 8 recorded calls" in found.reason


def test_where_only_static_works_the_count_seen_is_said():
    fun = jm.jit(sized)
    fail_with(fun, range(1, 8))
    found = jm.diagnose(fun, X, 8)
    assert found.kind == "static" and found.static_argnames == ("n",) and found.verified
    assert "n had 7 values in 7 recorded calls" in found.reason


def test_static_values_of_earlier_entries_count_also_of_the_function_that_was_here_before():
    before = jm.jit(doubled, static_argnames="n")
    for n in range(6):
        before(X, n)
        before(X, n)
    found = jm.diagnose(jm.jit(doubled), X, 8)
    assert "n had 6 values in 12 recorded calls" in found.reason and found.kind == "static"


def test_reset_forgets_the_values():
    fun = jm.jit(doubled)
    fail_with(fun, range(8))
    jm.reset()
    assert jm.diagnose(fun, X, 8).kind == "static"


def test_a_number_of_any_size_is_counted_and_stops_no_recording():
    fun = jm.jit(doubled)
    for _ in range(2):
        with pytest.raises((OverflowError, ValueError)):
            fun(X, 10**5000)
    assert list(jm.stats("calls").outcome) == ["error", "error"]
