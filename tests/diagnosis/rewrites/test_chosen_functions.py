"""Functions that are looked up by an option and given what was selected."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

X = jnp.array([3.0, -1.0, 4.0, 1.5, -2.0])
OPTIONS = ("mean", "median", "range")
TABLE = '{"mean": jnp.mean, "median": jnp.median, "range": lambda v: v.max() - v.min()}'


@pytest.mark.parametrize("how", OPTIONS)
@pytest.mark.parametrize(
    "body",
    [
        f"    table = {TABLE}\n    kept = x[x > 0]\n    return table[how](kept)\n",
        f"    kept = x[x > 0]\n    value = 2 * {TABLE}[how](kept) + 1\n    return value\n",
        f"    table = {TABLE}\n    reduce = table[how]\n    kept = x[x > 0]\n    return reduce(kept)\n",
        f"    table = {TABLE}\n    reduce = table.get(how, jnp.sum)\n    kept = x[x > 0]\n    return reduce(kept)\n",
        '    reduce = jnp.mean if how == "mean" else jnp.sum\n    kept = x[x > 0]\n    return reduce(kept)\n',
    ],
)
def test_each_function_of_a_table_has_a_branch_of_its_own(how, body):
    made = check(f"def f(x, how):\n{body}", (X, how), (-X, how), (X[:1], how), static=("how",)).rewrites[0].source
    assert 'if how == "mean":' in made and "lambda" not in made and "table" not in made


def test_a_key_that_the_table_does_not_have_is_refused_as_before():
    source = 'TABLE = {"mean": jnp.mean, "median": jnp.median}\n\n\ndef f(x, how):\n    return TABLE[how](x[x > 0])\n'
    made = check(source, (X, "mean"), (-X, "median"), (X, "median"), static=("how",)).rewrites[0].source
    assert "raise KeyError(how)" in made and "jnp.nanmedian" in made


def test_a_table_that_is_added_to_is_not_known():
    source = 'def f(x, how):\n    table = {"mean": jnp.mean}\n    table["sum"] = jnp.sum\n    return table[how](x[x > 0])\n'
    assert "if" not in offered(source, X, "mean", static=("how",))


def test_what_is_looked_up_for_other_keys_is_called_for_them():
    source = f"def f(x, how):\n    kept = x[x > 0]\n    return {TABLE}.get(how, jnp.std)(kept)\n"
    for how in (*OPTIONS, "other"):
        made = check(source, (X, how), (-X, how), static=("how",)).rewrites[0].source
        assert "KeyError" not in made and "jnp.std" in made


def test_keywords_go_to_each_function():
    source = 'def f(x, w, how):\n    x = x[w > 0]\n    return {"sum": jnp.sum, "mean": jnp.mean}[how](x, axis=0)\n'
    table, weights = jnp.arange(8.0).reshape(4, 2), jnp.array([1.0, 0.0, 2.0, 0.0])
    for how in ("sum", "mean"):
        check(source, (table, weights, how), (table, weights - 1, how), static=("how",))


@pytest.mark.parametrize(
    "body",
    [
        "TABLE[how](x[x > 0]) if how else 0.0",
        "sum(TABLE[each](x[x > 0]) for each in ('mean', how) if each)",
        "how == 'none' or TABLE[how](x[x > 0])",
    ],
)
def test_a_call_that_may_not_be_made_asks_no_table(body):
    """`else: raise KeyError(how)` would be raised for a key that plain Python never looks up."""
    source = f'TABLE = {{"mean": jnp.mean, "sum": jnp.sum}}\n\n\ndef f(x, how="mean"):\n    return {body}\n'
    assert "if" not in offered(source, X, "mean", static=("how",))


def test_a_name_of_a_function_whose_key_is_bound_again_is_no_function_for_sure():
    source = 'TABLE = {"mean": jnp.mean, "max": jnp.max}\n\n\ndef f(x, how="mean"):\n    reduce = TABLE[how]\n'
    source += '    how = "none"\n    return reduce(x[x > 0])\n'
    assert "where" not in offered(source, X, "mean", static=("how",))
