"""A best that is None at first and a record later, which is asked by its fields and given one more."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

X = jnp.array([1.0, -2.0, 3.0, 3.0, 0.0])
CALLS = [(X,), (-X * X - 1.0,), (X[:1],), (jnp.array([2.0, 2.0]),)]


@pytest.mark.parametrize("record", ['{"value": v, "at": i}', "dict(value=v, at=i)"])
@pytest.mark.parametrize("more", ["", '    best["half"] = best["value"] / 2\n'])
def test_the_best_of_a_loop_may_be_a_record(record, more):
    """Of equal ones the first; where nothing is found the other record."""
    none = '{"value": 0.0, "at": -1, "half": 0.0}' if more else '{"value": 0.0, "at": -1}'
    source = (
        "def f(x):\n    best = None\n    for i, v in enumerate(x):\n"
        f'        if v > 0 and (best is None or v > best["value"]):\n            best = {record}\n'
        f"    if best is None:\n        return {none}\n{more}    return best\n"
    )
    assert '"at": 0}' in check(source, *CALLS).rewrites[0].source


def test_so_where_data_ends_the_loop():
    source = (
        "def f(x, stop):\n    best = None\n    k = 0\n    while k < len(x) and x[k] < stop:\n"
        '        if best is None or x[k] > best["top"]:\n            best = {"top": x[k], "at": k}\n        k += 1\n'
        '    if best is None:\n        return jnp.nan, -1, k\n    return best["top"], best["at"], k\n'
    )
    check(source, (X, 3.0), (X, 0.5), (X, 9.0), (X[:1], 2.0))


def test_a_field_may_be_an_array():
    source = (
        "def f(w, steps, tol=0.5):\n    best = None\n    for k, s in enumerate(steps):\n        w = w - s\n"
        "        loss = jnp.sum(w**2)\n"
        '        if loss < tol and (best is None or loss < best["loss"]):\n            best = {"w": w, "loss": loss, "k": k}\n'
        '    if best is None:\n        best = {"w": w, "loss": jnp.inf, "k": -1}\n'
        '    best["norm"] = jnp.linalg.norm(best["w"])\n    return best\n'
    )
    steps = jnp.array([[0.1, 0.2], [0.3, -0.1], [0.2, 0.2]])
    check(source, (jnp.array([0.5, 0.5]), steps), (jnp.array([5.0, 0.5]), steps), (jnp.zeros(2), -steps, 2.0))


def test_where_nobody_asks_whether_there_is_one():
    source = (
        "def f(x):\n    low = jnp.inf\n    best = None\n    for i in range(len(x)):\n        if x[i] ** 2 < low:\n"
        '            low = x[i] ** 2\n            best = {"i": i, "x": x[i]}\n    best["low"] = low\n    return best\n'
    )
    check(source, *CALLS)


def test_records_of_different_fields_have_no_zeros():
    source = (
        "def f(x):\n    best = None\n    for v in x:\n        if v > 2:\n            best = {'a': v}\n"
        "        elif best is None or v > 1:\n            best = {'b': v}\n    return best\n"
    )
    assert "flag" not in offered(source, X)


MODELS = [{"mu": jnp.array([k, 1.0]), "sd": jnp.array(sd)} for k, sd in ((0.0, 1.0), (3.0, 2.0), (3.0, 0.5))]


@pytest.mark.parametrize(
    "loop",
    [
        "for m in models:\n        if m['sd'] > least and (best is None or m['sd'] < best['sd']):\n            best = m",
        "for i, m in enumerate(models):\n        if m['sd'] <= least:\n            continue\n"
        "        if best is None or m['mu'].sum() >= best['mu'].sum():\n            best = m",
    ],
)
def test_the_best_of_a_list_of_records(loop):
    """The first of them stands for None."""
    source = f"def f(models, least):\n    best = None\n    {loop}\n    return models[-1] if best is None else best\n"
    calls = [(MODELS, 0.7), (MODELS[::-1], 0.7), (MODELS[:1], 0.1), (MODELS, 99.0), (MODELS[1:], 0.1)]
    check(source, *calls, seconds=20.0)
