"""JAX sorts the keys of a dict: where the order of its items matters, that is said, and no rewrite is called equal."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm

LAYERS = {"w": jnp.array([[1.0, 2.0], [0.0, 1.0]]), "b": jnp.array([[1.0, 0.0], [3.0, 1.0]])}
X = jnp.array([1.0, 2.0])
SAID = "jit hands over a dict's items in the order of their keys"


def numbered(params, x):
    for k, w in enumerate(params.values()):
        x = x @ w * (k + 1)
    return x


def numbered_if_positive(params, x):
    for k, w in enumerate(params.values()):
        x = x @ w
        if x.sum() > 0:
            x = x * (k + 1)
    return x


def summed_if_positive(params, x):
    total = 0.0
    for w in params.values():
        if w.sum() > 0:
            total = total + (w * x).sum()
    return total


@pytest.mark.parametrize("layers", [LAYERS, dict(sorted(LAYERS.items()))])
def test_a_call_that_traces_is_told_where_the_order_matters(layers):
    said = str(jm.diagnose(numbered, layers, X))
    assert ("Go over a list of the keys" in said) == (layers is LAYERS)


def test_a_dict_within_another_is_sorted_as_well():
    assert "order of their keys" in " ".join(
        str(jm.diagnose(lambda p, x: numbered(p["net"][0], x), {"net": [LAYERS]}, X)).split()
    )


def test_no_rewrite_is_called_equal_where_the_order_matters():
    """Each was compared with plain Python on a dict that JAX had put together, and verified."""
    found = jm.diagnose(numbered_if_positive, LAYERS, X)
    assert not found.rewrites and SAID in found.reason
    names = dict(globals())
    exec(found.splits[0].source, names)
    np.testing.assert_allclose(names["numbered_if_positive"](LAYERS, X), numbered_if_positive(LAYERS, X))
    assert jm.diagnose(numbered_if_positive, dict(sorted(LAYERS.items())), X).rewrites


def test_where_the_order_makes_nothing_else_nothing_is_said():
    assert SAID not in str(jm.diagnose(lambda p, x: p["w"] @ x + sum(w.sum() for w in p.values()), LAYERS, X))
    found = jm.diagnose(summed_if_positive, LAYERS, X)
    assert found.rewrites and SAID not in found.reason


def first_positive(params):
    for k, w in enumerate(params.values()):
        if w.sum() > 0:
            return k
    return -1


def test_the_order_is_seen_on_other_values_than_the_calls_own():
    """Here the first is positive in both orders."""
    assert not jm.diagnose(first_positive, {"w": jnp.ones(2), "b": 2 * jnp.ones(2)}).rewrites
    assert jm.diagnose(first_positive, {"b": jnp.ones(2), "w": 2 * jnp.ones(2)}).rewrites


def largest(params):
    return params[max(params, key=lambda name: params[name].sum())] * 2


def test_the_first_of_equal_ones_may_be_another_and_that_is_said():
    found = jm.diagnose(largest, {"w": jnp.ones(2), "b": jnp.zeros(2)}).rewrites
    assert found and all("first by its name" in str(each.compared) for each in found)


def test_of_a_call_in_the_order_of_the_keys_it_is_said_that_another_one_matters():
    """Nothing differs here, and in the next call it may."""
    found = jm.diagnose(numbered_if_positive, dict(sorted(LAYERS.items())), X).rewrites[0]
    assert any(each.startswith(SAID) for each in found.compared.differences)
    found = jm.diagnose(summed_if_positive, dict(sorted(LAYERS.items())), X).rewrites[0]
    assert SAID not in str(found.compared)


def test_what_is_advised_works():
    """Strings are no arguments of a jitted function: pairs of a name and an array would be refused."""
    fixed = jm.diagnose(lambda layers, x: sum((w @ x) * (k + 1) for k, w in enumerate(layers)), [*LAYERS.values()], X)
    assert fixed.kind == "traces" and "pass a list of the values" in str(jm.diagnose(numbered, LAYERS, X)).replace("\n  ", " ")


def paid_in_turn(stock, cash, limit=5.0):
    for held in stock.values():
        if held < limit and cash > 20.0:
            cash = cash - 10.0 * held
    return cash


def test_where_the_order_matters_on_other_numbers_alone():
    """On the call itself both orders give the same, and on all that was compared; the rewrite was called equal."""
    assert paid_in_turn({"tea": 1.0, "jam": 2.0}, 100.0) == paid_in_turn({"jam": 2.0, "tea": 1.0}, 100.0)
    found = jm.diagnose(paid_in_turn, {"tea": 1.0, "jam": 2.0}, 100.0)
    assert not found.rewrites and SAID in found.reason
    assert jm.diagnose(paid_in_turn, {"jam": 2.0, "tea": 1.0}, 100.0).rewrites
