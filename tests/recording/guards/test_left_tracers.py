"""Functions that trace without an error and leave tracers in what outlives the trace are told of, once, and no others are."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.guards.telling import Teller

X = jnp.ones(3)
best: Any = 0.0
seen: list[Any] = []
table: dict[int, Any] = {}


@pytest.fixture(autouse=True)
def _as_it_was() -> Any:
    global best
    yield
    best = 0.0
    seen.clear()
    table.clear()


class Meter:
    def __init__(self) -> None:
        self.total: Any = jnp.zeros(3)
        self.rounds = 0

    def add(self, x: Any) -> Any:
        self.total = self.total + x
        return self.total.sum()

    def count(self, x: Any) -> Any:
        self.rounds += 1
        return self.total.sum() + x.sum()


def keeps_a_global(x: Any) -> Any:
    global best
    best = jnp.maximum(best, x.max())
    return best


def appends(x: Any) -> Any:
    y = x * 2
    seen.append(y)
    return y.sum()


def appends_in_a_scan(x: Any) -> Any:
    def body(carry: Any, row: Any) -> Any:
        seen.append(row)
        return carry + row, None

    return jax.lax.scan(body, 0.0, x)[0]


def calls_one(x: Any) -> Any:
    return appends(x) + 1


def remembers(x: Any, n: int = 3) -> Any:
    if n not in table:
        table[n] = jnp.arange(n)
    return (x * table[n]).sum()


@pytest.mark.parametrize(
    ("fun", "holder"),
    [
        (keeps_a_global, "the global best"),
        (appends, "the global seen[0]"),
        (appends_in_a_scan, "the global seen[0]"),
        (calls_one, "the global seen[0]"),
        (remembers, "the global table[3]"),
        (Meter().add, "self.total"),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_what_a_trace_leaves_behind_is_told_once(fun: Any, holder: str) -> None:
    """The first call is right and says nothing; the value that it left fails wherever it is used."""
    teller = Teller()
    jitted = jm.jit(fun)
    jitted(X)
    (line,) = teller.lines()
    assert f"left a tracer in {holder} when it was traced" in line
    jitted(X)
    assert teller.lines() == []


def test_objects_that_are_static_arguments_are_looked_at() -> None:
    """`self` declared static is how methods are put under jit."""
    teller = Teller()
    jm.jit(Meter.add, static_argnums=0)(Meter(), X)
    (line,) = teller.lines()
    assert "left a tracer in self.total" in line


def keeps_numbers(x: Any) -> Any:
    seen.append(x.shape)
    return x * 2


def keeps_its_own(x: Any) -> Any:
    rows = []
    rows.append(x)
    held = {"x": x}
    held["y"] = x * 2
    return rows[0] + held["y"]


@pytest.mark.parametrize("fun", [keeps_numbers, keeps_its_own, Meter().count], ids=lambda each: each.__name__)
def test_what_is_no_tracer_or_ends_with_the_trace_is_not_told(fun: Any) -> None:
    """Shapes and counts are numbers; lists and dictionaries of the function's own end with it."""
    teller = Teller()
    jm.jit(fun)(X)
    assert teller.lines() == []


def test_a_closure_without_its_value_yet_is_no_fault() -> None:
    """A name that the function around binds later."""

    def made() -> Any:
        def inner(x: Any) -> Any:
            seen.append(x.shape)
            return x if x.ndim else later

        jitted = jm.jit(inner)
        out = jitted(X)
        later = 1
        return out, later

    made()
    assert jm.faults.details() == ""


class Key:
    def __repr__(self) -> str:
        raise AssertionError("a key of the user's was asked for its text")


def test_keys_under_which_nothing_is_found_are_not_written() -> None:
    """Dictionaries of the user's may be large, and their keys may do anything when they are written."""
    held = {Key(): 1.0}

    def counts(x: Any) -> Any:
        seen.append(len(held))
        return x

    teller = Teller()
    jm.jit(counts)(X)
    assert teller.lines() == [] and jm.faults.details() == ""


def test_what_another_function_left_is_not_told_of_this_one() -> None:
    """A list that already holds a tracer, of a trace that JAX itself made."""
    jax.jit(appends)(X)
    teller = Teller()
    jm.jit(keeps_numbers)(X)
    assert teller.lines() == []


def test_below_a_transformation_nothing_is_told() -> None:
    """There tracers are what the function is given, and the outer trace has not ended."""
    teller = Teller()
    inner = jm.jit(appends)
    jax.make_jaxpr(lambda x: inner(x))(X)
    assert not any("left a tracer" in line for line in teller.lines())
