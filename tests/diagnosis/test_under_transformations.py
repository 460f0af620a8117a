"""A function that fails under jax.vmap, jax.grad or lax.scan gets tracers: it is diagnosed with what they stand for."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from tests.shells import bare, shell  # noqa: F401


def clipped(x, limit):
    if x > limit:
        x = limit + jnp.log(x)
    return x


def carried(carry, x):
    total, best = carry
    total = total + x
    if total > best:
        best = total
    return (total, best), best


def given(transformed: Callable[[Callable[..., Any]], Any]) -> tuple[Any, ...]:
    """What a function gets that a transformation calls."""
    found: list[tuple[Any, ...]] = []

    def noted(*args: Any) -> Any:
        found.append(args)
        return args[0] if isinstance(args[0], tuple) else args[0] * 1.0

    transformed(noted)
    return found[0]


UNDER = {
    "vmap": lambda f: jax.vmap(f, in_axes=(0, None))(jnp.array([3.0, -1.0]), 2.0),
    "vmap of the second axis": lambda f: jax.vmap(lambda row: jax.vmap(lambda x: f(x, 2.0))(row), in_axes=1)(jnp.ones((2, 3))),
    "grad": lambda f: jax.grad(lambda x: f(x, 2.0))(3.0),
    "vmap of grad": lambda f: jax.vmap(jax.grad(lambda x: f(x, 2.0)))(jnp.array([3.0, -1.0])),
    "grad of vmap": lambda f: jax.grad(lambda xs: jax.vmap(lambda x: f(x, 2.0))(xs).sum())(jnp.array([3.0, -1.0])),
}


@pytest.mark.parametrize("under", UNDER)
def test_under_vmap_and_grad_it_is_run_on_what_the_tracers_stand_for(under):
    found = jm.diagnose(clipped, *given(UNDER[under]))
    assert found.kind == "rewrite" and found.verified and not found.notes
    assert "x" in " ".join(found.sites[0].arguments) and "depends on no traced argument" not in found.reason


@pytest.mark.parametrize(
    ("function", "under"),
    [
        (carried, lambda f: jax.lax.scan(lambda c, x: (f(c, x), x), (0.0, -jnp.inf), jnp.arange(3.0))),
        (clipped, lambda f: jax.jit(lambda x: f(x, jnp.float32(2.0)))(3.0)),
    ],
)
def test_where_they_stand_for_nothing_numbers_are_made_up_and_the_answer_says_so(function, under):
    found = jm.diagnose(function, *given(under))
    assert found.kind == "rewrite" and found.verified
    assert "made-up numbers of their shapes" in " ".join(found.notes)


def test_in_a_cell_the_function_below_a_transformation_is_proven(shell):  # noqa: F811
    """As a user meets it: the cell calls `jax.grad` of what `%%jit` takes."""
    shown = shell.run(
        "%%jit\nimport jax, jax.numpy as jnp\ndef loss(w, x):\n    if w.sum() > 0:\n        return (w * x).sum()\n"
        "    return (w ** 2).sum()\njax.grad(loss)(jnp.ones(3), jnp.arange(3.0))\n"
    ).text
    assert "it comes from w (f32[3])" in " ".join(shown.split()) and "equal to plain Python" in " ".join(shown.split())
