"""Inputs in which what was in order is so no more, and ints in the order of floats."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.ordering import loses_order, stays_beside, whole_in_order, whole_near

UP, EQUAL = jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("own", "given", "lost"),
    [
        (UP, UP * 2, False),
        (UP, -UP, True),
        (UP, UP * 0, True),
        (UP, jnp.array([1.0, jnp.nan, 3.0]), True),
        (EQUAL, EQUAL * 2, False),
        (EQUAL, EQUAL[::-1], True),
        (-UP, UP, False),
    ],
)
def test_an_order_is_lost_where_the_call_has_it(own, given, lost):
    assert loses_order(Input((own,), {}, "call"), Input((given,), {}, "noise")) is lost


def test_arguments_that_do_not_correspond_lose_no_order():
    assert not loses_order(Input((UP, UP), {}, "call"), Input((-UP,), {}, "left out"))


def test_ints_in_the_places_of_floats_keep_their_order():
    assert whole_in_order({0: 0.8, 1: 0.1, 2: -0.3, 3: 0.1}) == {2: -1, 1: 1, 3: 1, 0: 2}


@pytest.mark.parametrize(
    ("number", "other", "stays"), [(0.1, 0.8, False), (0.8, 0.1, True), (2.2, 2.1, False), (0.3, 1j, True)]
)
def test_an_int_in_a_numbers_place_may_compare_otherwise(number, other, stays):
    assert stays_beside(number, whole_near(number), other) is stays
