"""Linear algebra that raises LinAlgError, and what its handler does, as a choice."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from .helpers import applied, check, define, propose

GOOD, SINGULAR = jnp.array([[2.0, 1.0], [1.0, 3.0]]), jnp.array([[1.0, 1.0], [1.0, 1.0]])
INDEFINITE, Y = jnp.array([[1.0, 1.3], [1.3, 1.0]]), jnp.array([1.0, 2.0])

SERVED = {
    "the result is bound": """
def f(K, y):
    try:
        P = np.linalg.inv(K)
    except np.linalg.LinAlgError:
        P = np.linalg.pinv(K)
    return P @ y
""",
    "it is returned": """
def f(K, y):
    try:
        return np.linalg.solve(K, y)
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(K, y, rcond=None)[0]
""",
    "within more, by its own name": """
from numpy.linalg import LinAlgError

def f(K, y):
    try:
        step = -2 * np.linalg.solve(K, y)
    except LinAlgError:
        step = -y
    return step
""",
    "an end of its own": """
def f(K, y):
    try:
        L = np.linalg.cholesky(K)
    except np.linalg.LinAlgError:
        return 1e25
    a = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return 0.5 * y @ a + np.log(np.diag(L)).sum()
""",
    "nothing but whether it is": """
def f(K, y):
    try:
        np.linalg.cholesky(K)
        return True
    except np.linalg.LinAlgError:
        return False
""",
    "more is added until it is": """
def f(K, y):
    added = 1e-3
    while True:
        try:
            return np.linalg.cholesky(K + added * np.eye(len(K)))
        except np.linalg.LinAlgError:
            added *= 10
""",
    "the first of some that is": """
def f(K, y):
    for added in (0.0, 1e-4, 1e-2, 1.0):
        try:
            L = np.linalg.cholesky(K + added * np.eye(len(K)))
            break
        except np.linalg.LinAlgError:
            continue
    return L, added
""",
    "SciPy's factors with their half": """
import scipy.linalg

def f(K, y):
    try:
        half = scipy.linalg.cho_factor(K)
        return scipy.linalg.cho_solve(half, y)
    except scipy.linalg.LinAlgError:
        return jnp.zeros_like(y)
""",
    "the old value is kept": """
def f(K, y):
    L = jnp.eye(2)
    try:
        L = np.linalg.cholesky(K)
    except np.linalg.LinAlgError:
        pass
    return L @ y
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_what_raises_for_some_matrices_is_a_choice(how):
    """It was refused: `except LinAlgError` catches what compiled code does not raise."""
    check(SERVED[how], (GOOD, Y), (SINGULAR, Y), (INDEFINITE, Y))


def test_what_the_handler_gives_in_its_place_is_said_to_have_no_gradient():
    proposals = check(SERVED["the result is bound"], (GOOD, Y), (SINGULAR, Y))
    assert any("its gradient is NaN where LinAlgError" in each for each in proposals.rewrites[0].compared.differences)


def test_numbers_that_are_none_are_inverted_as_ever():
    """np.linalg.inv raises nothing of NaN: the handler is for what cannot be inverted alone."""
    source = SERVED["within more, by its own name"]
    namespace = define(source)
    proposals = propose(namespace["f"], (GOOD, Y), {})
    with applied(proposals, namespace):
        assert np.isnan(jax.jit(namespace["f"])(GOOD.at[0, 0].set(jnp.nan), Y)).any()


def test_a_function_that_may_fail_in_another_way_keeps_its_handler():
    source = SERVED["the result is bound"].replace("linalg.inv(K)", "linalg.svd(K)[0]")
    proposals = propose(define(source)["f"], (GOOD, Y), {})
    assert not proposals.rewrites and "`except np.linalg.LinAlgError` catches" in proposals.why_not
