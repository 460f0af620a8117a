"""Functions inside `jax.grad`, `jax.vmap` and their like, whose name stands for the jitted whole, as in a notebook."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.rewrites import propose
from jupyter_jitmagic.diagnosis.rewrites.engine import Search

from .helpers import applied, define


@jm.jit
@jax.grad
def slope(x: Any, limit: Any) -> Any:
    if x > limit:
        return x * x
    return limit * x


@jm.jit
@functools.partial(jax.vmap, in_axes=(0, None))
def clipped(x: Any, limit: Any) -> Any:
    if x > limit:
        return limit
    return x


@jm.jit
@functools.partial(jax.vmap, axis_name="rows")
def above_the_mean(x: Any) -> Any:
    if x > jax.lax.pmean(x, "rows"):
        return x
    return 0 * x


def _cube(x: Any) -> Any:
    if x > 0:
        return x**3
    return -x


cube_slope = jax.jit(jax.grad(_cube))
unrelated = jax.jit(jax.vmap(lambda x: _cube(x)))


def test_a_gradient_is_rewritten_and_compared() -> None:
    """The gradient of a `where` is nan where the other branch's is infinite, so the answer is `cond`."""
    found = jm.diagnose(slope, 3.0, 2.0)
    assert found.kind == "rewrite" and found.verified
    assert "return jax.lax.cond(x > limit, lambda: x * x, lambda: limit * x)" in found.rewrites[0].source


def test_a_gradient_that_a_name_of_the_module_holds_is_rewritten() -> None:
    assert [rewrite.patterns for rewrite in jm.diagnose(cube_slope, 3.0).rewrites] == [("cond",)]


def test_a_vmapped_body_is_compared_row_by_row() -> None:
    found = jm.diagnose(clipped, jnp.arange(4.0), 2.0)
    assert found.verified and "return jnp.where(x > limit, limit, x)" in found.rewrites[0].source


def test_rows_that_speak_to_each_other_get_a_rewrite_that_says_why_it_was_not_compared() -> None:
    found = jm.diagnose(above_the_mean, jnp.arange(4.0))
    assert not found.rewrites and "jnp.where(" in found.unverified[0].source
    assert found.unverified[0].reason == (
        "traced, not compared: plain Python cannot run it either: vmap, checkpoint or the like traces its body"
    )


def test_a_jit_around_a_transformation_keeps_its_static_arguments() -> None:
    found = jm.diagnose(weighed, 2.0)
    assert found.rewrites and "if x > 0" not in found.rewrites[0].source  # traced with n = 3, which is a `range`'s


def _nth(x: Any, n: int) -> Any:
    total = weight(x)
    for _ in range(n):
        total = total + x
    return total


nth_slope = jax.jit(jax.grad(_nth), static_argnums=1)


def weight(x: Any) -> Any:
    if x > 0:
        return x + 1.0
    return x


def weighed(x: Any) -> Any:
    return nth_slope(x, 3)


def test_a_mask_of_a_selection_under_vmap_is_known_as_one():
    """What an expression is, is told by a run row by row."""
    source = (
        "def f(row):\n    s = row[~jnp.isnan(row)]\n    s = s[(s - 0.5) ** 2 < 1]\n    return s.size\n\n"
        "def g(rows):\n    return jax.vmap(lambda row: f(row))(rows)\n"
    )
    namespace = define(source)
    found = propose(namespace["g"], (jnp.array([[jnp.nan, 3.0, 0.75], [0.5, 1.0, 9.0]]),), {})
    with applied(found, namespace):
        assert jax.jit(namespace["g"])(jnp.array([[jnp.nan, 3.0, 0.75], [0.5, 1.0, 9.0]])).tolist() == [1, 2]


PATH_SLOPE = """
def length(counts, most):
    path = []
    total = 0.0
    for v in counts:
        total = total + v
        if total > most:
            break
        path.append(total * v)
    if len(path) == 0:
        return -1.0
    return path[-1] - path[0]

def slope(counts, most):
    return jax.grad(length)(counts, most)
"""


def test_under_a_gradient_one_loop_without_reverse_mode_is_tried_before_others(monkeypatch):
    """A dozen spellings of one `while_loop` would have taken the time of the loops that a gradient passes."""
    tried = []
    looked_at = Search._looked_at

    def noted(search: Any, draft: Any) -> Any:
        tried.append([change.pattern for change in draft.changes])
        return looked_at(search, draft)

    monkeypatch.setattr(Search, "_looked_at", noted)
    found = propose(define(PATH_SLOPE)["slope"], (jnp.array([-0.5, 0.3, 0.1, 2.0, 1.0]), jnp.array(1.0)), {}, seconds=60.0)
    assert "while_loop" not in found.rewrites[0].patterns
    first = next(number for number, patterns in enumerate(tried) if "while_loop" in patterns)
    refused = next(number for number, patterns in enumerate(tried) if number > first and "while_loop" not in patterns)
    assert refused - first <= 4


def _penalized(w: Any, x: Any, limit: Any) -> Any:
    extra = limit * jnp.sum(w**2)
    if limit > 0:
        return jnp.mean((x @ w) ** 2) + extra
    return jnp.mean((x @ w) ** 2)


penalized_slope = jax.grad(_penalized)


def penalized_step(w: Any, x: Any, limit: Any) -> Any:
    return w - 0.1 * penalized_slope(w, x, limit)


@pytest.mark.parametrize("fun", [jax.jit(penalized_slope), jax.hessian(_penalized), penalized_step])
def test_a_gradient_that_was_made_beforehand_may_be_lost_beside_nan_which_is_said(fun: Any) -> None:
    """As where the function itself says `jax.grad`: what is computed on either side is 0 * NaN in the other's gradient."""
    found = jm.diagnose(fun, jnp.array([0.5, -0.2]), jnp.array([[1.0, 2.0], [3.0, 4.0]]), 0.1)
    assert found.rewrites and "its gradient is not finite where some data is NaN" in str(found)
