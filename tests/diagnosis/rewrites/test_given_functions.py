"""Functions of the user's that a call is given, or that are defaults, are rewritten where they are written."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, define

GIVEN = """
from functools import partial
from typing import NamedTuple


def density(x, low=-3.0):
    if x < low:
        return -jnp.inf
    return -0.5 * x ** 2


def twice(f, x):
    return f(x) + f(x - 1)


def of_all(fs, x):
    return sum(f(x) for f in fs)


class Model(NamedTuple):
    density: object
    scale: float


def of_model(m, x):
    return m.scale * m.density(x)


def walk(key, f, x, n):
    now, chain = f(x), []
    for _ in range(n):
        key, a, b = jax.random.split(key, 3)
        other = x + jax.random.normal(a)
        then = f(other)
        if jnp.log(jax.random.uniform(b)) < then - now:
            x, now = other, then
        chain.append(x)
    return jnp.stack(chain)
"""
CALLS = {
    "an argument": ("twice", "density, {x}", ("f",)),
    "a keyword": ("twice", "f=density, x={x}", ("f",)),
    "with some arguments given": ("twice", "partial(density, low=0.5), {x}", ("f",)),
    "in a tuple": ("of_all", "(density, jnp.sin), {x}", ("fs",)),
    "in a named tuple": ("of_model", "Model(density, 2.0), {x}", ("m",)),
    "under jit itself": ("twice", "jax.jit(density), {x}", ("f",)),
    "beside a test of its own": ("walk", "jax.random.key(3), density, {x}, 5", ("f", "n")),
}


@pytest.mark.parametrize(("name", "given", "static"), CALLS.values(), ids=CALLS)
def test_a_function_that_is_given_is_rewritten_where_it_is_written(name, given, static):
    namespace = define(GIVEN)

    def called(x, of):
        exec(f"given = (lambda *args, **kwargs: (args, kwargs))({given.format(x=x)})", namespace)
        args, kwargs = namespace["given"]
        return of(*args, **kwargs)

    args, kwargs = called(0.5, lambda *args, **kwargs: (args, kwargs))
    found = propose(namespace[name], args, kwargs, (), static, seconds=8.0)
    assert found.rewrites and found.rewrites[0].verified, found
    values = (0.5, -2.5, -4.0, 7.0)
    plain = given.replace("jax.jit(density)", "density")
    exec(f"wanted = [{name}({plain.format(x='x')}) for x in {values}]", namespace)
    wanted = namespace["wanted"]
    for which in range(len(found.rewrites)):
        with applied(found, namespace, which):
            for x, want in zip(values, wanted, strict=True):
                np.testing.assert_allclose(called(x, jax.jit(namespace[name], static_argnames=static)), want, rtol=1e-5)


def test_both_branches_of_a_function_that_is_given_are_asked_for():
    namespace = define(GIVEN)
    found = propose(namespace["twice"], (namespace["density"], 0.5), {}, (), ("f",))
    assert "both branches" in found.rewrites[0].compared.branches


DEFAULTS = """
def huber(r, delta=1.0):
    if jnp.abs(r) < delta:
        return 0.5 * r ** 2
    return delta * (jnp.abs(r) - 0.5 * delta)


def total(x, loss=huber):
    return sum(loss(each) for each in x)


def named(x, *, losses=(huber, jnp.abs)):
    return sum(loss(x[0]) for loss in losses)


def within(x, of=total):
    return of(x) + 1.0


def beside(x, loss=huber):
    if x[0] > 0:
        return loss(x[1])
    return loss(x[0]) - 1.0
"""


@pytest.mark.parametrize("name", ["total", "named", "within", "beside"])
def test_a_function_that_is_a_default_is_rewritten_where_it_is_written(name):
    """The statements that replace the user's make anew what keeps it as a default, and after it."""
    namespace = define(DEFAULTS)
    found = propose(namespace[name], (jnp.array([0.5, -3.0]),), {}, seconds=8.0)
    assert found.rewrites and found.rewrites[0].verified, found
    inputs = [jnp.array(each) for each in ([0.5, -3.0], [-2.0, 0.1], [4.0, 1.0])]
    wanted = [namespace[name](x) for x in inputs]
    with applied(found, namespace):
        for x, want in zip(inputs, wanted, strict=True):
            np.testing.assert_allclose(jax.jit(namespace[name])(x), want, rtol=1e-5)


def test_a_method_that_has_it_as_a_default_is_among_the_statements():
    text = "\n\nclass Net:\n    def at(self, x, *, loss=huber):\n        return loss(x)\n"
    found = propose(define(DEFAULTS + text)["Net"]().at, (3.0,), {}, seconds=8.0)
    assert found.rewrites[0].sources["Net.at"] == "def at(self, x, *, loss=huber):\n    return loss(x)\n"
