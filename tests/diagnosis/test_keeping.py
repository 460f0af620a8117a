"""Tracers that outlived their trace: the answer names what holds them, the line that put them there, and what to do."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm

KEPT: list[Any] = []
CACHE: dict[str, Any] = {}
LAST: Any = None
X = jnp.ones(3)


class Model:
    last: Any = None
    other: Any = None


MODEL = Model()


@jax.jit
def keeps(x: Any) -> Any:
    global LAST
    y = x * 2
    KEPT.append(y)
    CACHE["mean"] = y.mean()
    MODEL.last, MODEL.other = y.sum(), 1
    LAST = y.max()
    mine = []
    mine.append(y)
    return y


def reads_list(x: Any) -> Any:
    return x + KEPT[-1]


def reads_dict(x: Any) -> Any:
    return x + CACHE["mean"]


def reads_global(x: Any) -> Any:
    return x + LAST


def rounds(x: Any) -> Any:
    path = []

    def body(i: Any, v: Any) -> Any:
        path.append(v)
        return v * 2

    jax.lax.fori_loop(0, 3, body, x)
    return jnp.stack(path)


def steps(x: Any) -> Any:
    seen: dict[str, Any] = {}

    def step(total: Any, v: Any) -> Any:
        seen["largest"] = v * 2
        return total + v, None

    return jax.lax.scan(step, 0.0, x)[0] / seen["largest"]


def twice(x: Any) -> Any:
    path = []

    def body(i: Any, v: Any) -> Any:
        path.append(v)
        v = v * 2
        path.append(v)
        return v

    jax.lax.fori_loop(0, 3, body, x)
    return jnp.stack(path)


@pytest.mark.parametrize(
    ("fun", "said"),
    [
        (reads_list, "(`KEPT.append(y)`), in keeps as jit traces it. Return such values"),
        (reads_dict, """(`CACHE["mean"] = y.mean()`), in keeps as jit traces it."""),
        (reads_global, "(`LAST = y.max()`), in keeps as jit traces it."),
        (rounds, "(`path.append(v)`), in body as fori_loop traces it. Give it on in what body returns, or use lax.scan"),
        (steps, """(`seen["largest"] = v * 2`), in step as scan traces it. Return it from step as the second result"""),
    ],
)
def test_the_line_that_keeps_a_tracer_is_named(fun: Any, said: str) -> None:
    KEPT.clear()
    keeps.clear_cache()
    keeps(X)
    found = jm.diagnose(fun, X)
    assert found.kind == "not_staticness" and said in found.reason, found.reason


def test_where_two_lines_may_have_kept_it_none_is_named() -> None:
    found = jm.diagnose(twice, X)
    assert found.reason.startswith("A tracer of an earlier trace is used again. Return such values")
