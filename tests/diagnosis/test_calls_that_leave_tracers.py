"""A call that traces and leaves tracers behind is not called right, and one that leaves nothing still is."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

import jupyter_jitmagic as jm

X = jnp.ones(3)
best: Any = 0.0
log: list[Any] = []


class Counter:
    def __init__(self) -> None:
        self.total = jnp.zeros(3)

    def add(self, x: Any) -> Any:
        self.total = self.total + x
        return self.total.sum()

    def read(self, x: Any) -> Any:
        return self.total.sum() + x.sum()


def update(x: Any) -> Any:
    global best
    best = jnp.maximum(best, x.max())
    return best


def filled(x: Any, n: int) -> Any:
    y = x * jnp.arange(n)
    log.append(y)
    return y.sum()


def counted(x: Any, n: int) -> Any:
    y = x * jnp.arange(n)
    log.append(n)
    return y.sum()


def test_a_global_that_keeps_a_tracer_is_named_with_its_line() -> None:
    """It traces, so no error of JAX's leads to the line."""
    found = jm.diagnose(update, X)
    assert found.kind == "not_staticness"
    assert [site.code for site in found.sites] == ["best = jnp.maximum(best, x.max())"]
    assert "leaves a tracer in the global best" in found.reason
    assert str(found).startswith("update traces, and leaves a tracer behind")
    assert best == 0.0


def test_an_object_gets_the_function_of_its_attributes() -> None:
    """What is proven for methods that fail holds for those that do not fail yet."""
    found = jm.diagnose(Counter().add, X)
    assert found.kind == "rewrite"
    (split,) = found.splits
    assert split.verified
    assert str(found).startswith("Counter.add traces, and leaves a tracer behind")


def test_a_static_set_with_which_a_tracer_is_left_says_so() -> None:
    """The set is what makes it trace; what is left behind is another fault."""
    found = jm.diagnose(filled, X, 3)
    assert found.static_argnames == ("n",)
    assert any("leaves a tracer in the global log[0]" in note for note in found.notes)
    assert log == []


def test_what_leaves_no_tracer_is_called_right() -> None:
    """A method that reads only, a list that gets a number which is static: nothing is said."""
    assert jm.diagnose(Counter().read, X).kind == "traces"
    assert jm.diagnose(counted, X, 3).notes == ()
    assert log == []
