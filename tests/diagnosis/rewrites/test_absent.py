"""Optional arguments that only one side of a choice by data needs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, define

X = jnp.array([1.0, 2.0, 3.0])
KEY = jax.random.PRNGKey(0)
NOISY = [
    "    if rate > 0:\n        x = jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), 2 * x, 0.0)\n    return x\n",
    "    return x + rate * (jax.random.normal(key, x.shape) if rate > 0 else jnp.zeros_like(x))\n",
    "    if rate > 0:\n        key, sub = jax.random.split(key)\n        noise = jax.random.normal(sub, x.shape)\n"
    "        x = x + rate * noise\n    return x * 2\n",
    "    if rate <= 0:\n        return x\n    return x + rate * jax.random.normal(key, x.shape)\n",
]


def serves(source, first, calls):
    """The rewrite for a call gives plain Python's results on all of these, under jit."""
    namespace = define(source)
    proposals = propose(namespace["f"], first, {}, seconds=20.0)
    assert proposals.rewrites, proposals
    wanted = [namespace["f"](*args) for args in calls]
    with applied(proposals, namespace):
        for args, want in zip(calls, wanted, strict=True):
            np.testing.assert_allclose(jax.jit(namespace["f"])(*args), want, rtol=1e-5)


@pytest.mark.parametrize("body", NOISY)
@pytest.mark.parametrize("first", [(X, 0.5, KEY), (X, 0.0)])
def test_what_one_side_needs_may_be_left_out_where_the_other_is_taken(body, first):
    """A rewrite was verified that failed as soon as the key was left out with a rate of 0, which plain Python takes."""
    calls = [(X, 0.5, KEY), (X, 0.0), (X, 0.0, KEY), (X[:1], jnp.array(0.3), KEY)]
    serves(f"def f(x, rate, key=None):\n{body}", first, calls)


def test_an_argument_that_both_sides_need_is_asked_for():
    """Nothing is put in the place of a key without which plain Python fails in any case."""
    source = (
        "def f(x, rate, key=None):\n    if rate > 0:\n        return x * jax.random.normal(key, x.shape)\n"
        "    return x * jax.random.uniform(key, x.shape)\n"
    )
    namespace = define(source)
    rewrite = jm.diagnose(namespace["f"], X, 0.5, KEY).rewrites[0]
    assert "is not None" not in rewrite.source


def test_a_function_around_may_have_an_argument_left_out():
    """`if beta:` stood in the function of a branch by then: that `beta` may be None was asked of its own parameters alone."""
    source = (
        "def f(x, beta=None, least=None):\n    total = x.sum()\n"
        "    if least and total < least:\n        return least * 1.0\n"
        "    if beta:\n        return beta * total\n    return total\n"
    )
    serves(source, (X, 2.0, 9.0), [(X, None, 9.0), (X,), (X, 2.0, 9.0), (X, 2.0, 0.5), (X, 0.0, 0.5)])


def test_an_argument_that_a_loops_own_function_needs_may_be_left_out():
    """`policy` is a parameter of the function around the loop's."""
    source = """
def f(x, policy=None):
    locked = False
    for k in range(50):
        if policy:
            locked = x > policy["on"]
        rate = 0.5 * policy["factor"] if locked else 0.5
        x = x * (0.9 + rate)
        if x > 20:
            break
    return x
"""
    policy = {"on": 3.0, "factor": 0.1}
    calls = [(jnp.array(1.0), policy), (jnp.array(2.0),), (jnp.array(9.0), policy)]
    serves(source, calls[0], calls)


def test_a_flag_that_asks_for_the_argument_itself_is_no_doubt_about_it():
    """Without weights it is False, and plain Python asks no more."""
    source = """
def f(x, w=None):
    if w is not None and w.sum() == 0:
        w = None
    return x.mean() if w is None else (w * x).sum() / w.sum()
"""
    first = propose(define(source)["f"], (X, X), {}).rewrites[0]
    assert not any(each.startswith("without w") for each in first.compared.differences)


def test_a_flag_that_is_true_without_the_argument_leaves_the_doubt():
    """Plain Python comes to the side that needs the weights, and fails."""
    source = """
def f(x, w=None):
    weighs = w is None or w.sum() > 0
    return (w * x).sum() if weighs else x.mean()
"""
    for each in propose(define(source)["f"], (X, X), {}).rewrites:
        assert "if w is not None" not in each.source or any(said.startswith("without w") for said in each.compared.differences)
