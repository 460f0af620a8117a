"""Plain Python below `vmap` and `checkpoint`: row by row, so that a rewrite there is compared."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.proof.row_by_row import by_rows, wrapping

pytestmark = pytest.mark.usefixtures("unhurried")


X = jnp.arange(12.0).reshape(3, 4)
Y = jnp.array([1.0, -2.0, 0.5])
MAPPED: list[tuple[dict[str, Any], Any, tuple[Any, ...]]] = [
    ({}, lambda x, y: x * y, (X, Y)),
    ({"in_axes": (0, None)}, lambda x, y: x.sum() + y, (X, Y)),
    ({"in_axes": [1, None], "out_axes": 1}, lambda x, y: x * y, (X, Y)),
    ({"in_axes": (-1, None)}, lambda x, y: (x, x.sum()), (X, Y)),
    ({"in_axes": ({"a": 0, "b": None}, 0)}, lambda d, y: {"c": d["a"] * y, "d": d["b"] * y}, ({"a": X, "b": Y}, Y)),
    ({"in_axes": ((0, None), 0), "out_axes": (0, 1)}, lambda p, y: (p[0] * y, p[1] * y), ((X, Y), Y)),
    ({"out_axes": (0, None)}, lambda x, y: (x, jnp.ones(2)), (X, Y)),
    ({}, lambda x, y: 1, (X, Y)),
]


@pytest.mark.parametrize(("options", "fun", "args"), MAPPED)
def test_rows_in_a_loop_give_what_vmap_gives(options: dict[str, Any], fun: Any, args: tuple[Any, ...]) -> None:
    got, want = by_rows(fun, **options)(*args), jax.vmap(fun, **options)(*args)
    assert jax.tree.structure(got) == jax.tree.structure(want)
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype
        np.testing.assert_allclose(one, other)


def test_named_arguments_are_mapped_and_sizes_have_to_agree() -> None:
    np.testing.assert_allclose(by_rows(lambda x, y: x * y)(X, y=Y), jax.vmap(lambda x, y: x * y)(X, y=Y))
    with pytest.raises(ValueError, match="sizes that differ"):
        by_rows(lambda x, y: x)(X, jnp.ones(2))


def test_many_rows_are_run_at_once_where_their_body_asks_for_no_value() -> None:
    """A bootstrap draws hundreds: one by one they took longer than an answer may."""
    rows, ran = jnp.arange(200.0).reshape(50, 4), []

    def total(row: Any) -> Any:
        ran.append(row)
        return row.sum()

    np.testing.assert_allclose(by_rows(total)(rows), rows.sum(1))
    assert len(ran) == 1

    def asked(row: Any) -> Any:
        return row.sum() if row[0] > 20 else row[0]

    np.testing.assert_allclose(by_rows(asked)(rows), [asked(row) for row in rows])


def bootstrapped(key: Any, data: Any) -> Any:
    def resampled(k: Any) -> Any:
        return data[jax.random.randint(k, data.shape, 0, len(data))].mean()

    means = jax.vmap(resampled)(jax.random.split(key, 300))
    low, high = jnp.percentile(means, jnp.array([5.0, 95.0]))
    if high - low > 2:
        low = high - 2
    return low, high


def test_a_bootstrap_of_hundreds_is_compared() -> None:
    found = jm.diagnose(bootstrapped, jax.random.key(0), jnp.arange(30.0))
    assert found.kind == "rewrite" and found.verified and found.rewrites


def above(row: Any, limit: Any) -> Any:
    if row.sum() > limit:
        return row / row.sum()
    return row


def mapped(x: Any, limit: Any) -> Any:
    return jax.vmap(above, in_axes=(0, None))(x, limit)


def mapped_twice(x: Any, limit: Any) -> Any:
    def inner(v: Any) -> Any:
        return v if v > limit else -v

    return jax.vmap(lambda row: jax.vmap(inner)(row).sum())(x)


def saved(x: Any, limit: Any) -> Any:
    @functools.partial(jax.checkpoint, prevent_cse=False)
    def body(v: Any) -> Any:
        return above(v, limit)

    return body(x[0])


@jax.vmap
def each_above_zero(v: Any) -> Any:
    return v if v > 0 else -2 * v


rows_above = jax.vmap(above, in_axes=(0, None))


def mapped_beforehand(x: Any, limit: Any) -> Any:
    return rows_above(x, limit) + each_above_zero(x[:, 0] - limit)[:, None]


def sliced_in_a_scan(x: Any, limit: Any) -> Any:
    def step(best: Any, row: Any) -> Any:
        start = jnp.argmax(row > limit)
        middle = row[start : start + 2].sum()
        return (middle if middle > best else best), middle

    return jax.lax.scan(step, limit, x)


def selected_in_a_loop(x: Any, limit: Any) -> Any:
    def body(i: Any, total: Any) -> Any:
        large = x[i][x[i] > limit]
        return total + large.sum() if total < 30 else total

    return jax.lax.fori_loop(0, 3, body, 0.0)


@pytest.mark.parametrize("fun", [mapped, mapped_twice, saved, mapped_beforehand, sliced_in_a_scan, selected_in_a_loop])
def test_a_body_that_jax_traces_is_rewritten_and_compared(fun: Any) -> None:
    found = jm.diagnose(fun, X, jnp.array(5.0))
    assert found.verified and found.rewrites[0].compared is not None
    assert not any("true" in each or "false" in each for each in found.rewrites[0].compared.not_reached)


def test_a_global_that_holds_what_vmap_made_of_a_function_is_among_what_is_replaced() -> None:
    """Else it would go on with the function as it was."""
    found = jm.diagnose(mapped_beforehand, X, jnp.array(5.0))
    assert found.rewrites[0].sources["rows_above"].startswith("rows_above = jax.vmap(above, in_axes=(0, None))")


def test_what_jax_made_of_a_function_beforehand_is_known_by_its_code() -> None:
    got = wrapping(jax.vmap(above, in_axes=(0, None)))
    assert got is not None
    np.testing.assert_allclose(got(above)(X, 5.0), jax.vmap(lambda row: row / row.sum())(X))
    assert wrapping(jax.checkpoint(above)) is not None
    assert wrapping(jax.vmap(above, axis_name="rows")) is None and wrapping(jax.grad(above)) is None


def shifted(x: Any) -> Any:
    return jax.vmap(lambda v: v if v > 0 else jax.lax.psum(v, "rows"), axis_name="rows")(x)


def test_rows_that_speak_to_each_other_are_not_run_alone() -> None:
    found = jm.diagnose(shifted, Y)
    assert not found.rewrites and not found.verified
