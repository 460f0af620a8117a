"""What a diagnosis, a check or an advice runs of the user's functions is nobody's call: no row, no budget, no news."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.base.own_work import is_own_work, own_work

X = jnp.arange(5.0)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    jm.reset()


def with_helper(helper: Any) -> Any:
    def shrunk(x: Any, most: float) -> Any:
        size = jnp.linalg.norm(x)
        while size > most:
            x = helper(x) * 0.4
            size = jnp.linalg.norm(x)
        return x

    return shrunk


def rows() -> dict[str, int]:
    """Calls by function, and under "others" what compiled elsewhere."""
    calls = jm.stats("calls")["function"].value_counts().to_dict()
    return {**calls, "others": int(jm.stats("others")["compiles"].sum())}


def test_a_diagnosis_makes_no_rows_and_uses_up_no_budget() -> None:
    @jm.jit(max_compiles=1)
    def helper(x: Any) -> Any:
        return x * 2

    before = rows()
    found = jm.diagnose(with_helper(helper), X, 1.0)
    assert found.verified and found.rewrites  # so it ran the helper
    assert rows() == before
    helper(jnp.arange(7.0))
    assert rows()["helper"] == 1
    with pytest.raises(jm.RecompileError):
        helper(jnp.arange(8.0))


def test_a_budget_of_the_block_is_not_asked() -> None:
    @jm.jit
    def helper(x: Any) -> Any:
        return x * 2

    helper(jnp.arange(7.0))  # so the diagnosis' own call, of another shape, would be refused
    with jm.no_recompile():
        found = jm.diagnose(with_helper(helper), X, 1.0)
    assert found.kind == "rewrite" and found.verified


def test_a_checks_plain_run_makes_no_rows() -> None:
    @jm.jit
    def helper(x: Any) -> Any:
        return x * 2

    def step(x: Any) -> Any:
        return helper(x) + (1 if isinstance(x, jax.core.Tracer) else 0)

    with pytest.warns(jm.CheckWarning, match="result differs by up to 1"):
        jm.jit(step, check=True)(X)
    calls = jm.stats("calls")
    assert [*zip(calls["function"], calls["outcome"], strict=True)] == [("helper", "inlined"), ("step", "miss")]


def test_what_is_put_under_jit_and_fails_meanwhile_leaves_no_row() -> None:
    def failing(x: Any) -> Any:
        if x > 0:
            return x

    recorded = jm.jit(failing)
    with own_work():
        with pytest.raises(jax.errors.TracerBoolConversionError):
            recorded(1.0)
        jm.jit(lambda x: x + 1)(1.0)
    assert jm.stats("calls").empty and list(jm.stats("functions")["function"]) == ["failing"]


def test_calls_of_other_threads_are_recorded_meanwhile() -> None:
    double = jm.jit(lambda x: x * 2)
    double(X)
    made, over = [0], threading.Event()

    def loop() -> None:
        while not over.is_set():
            double(X)
            made[0] += 1

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        for _ in range(20):
            with own_work():
                for _ in range(50):
                    double(X)
    finally:
        over.set()
        thread.join()
    assert len(jm.stats("calls")) == 1 + made[0]


def test_looking_for_a_needless_static_argument_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    from jupyter_jitmagic.recording.guards.cures import _traces_alike

    traced: list[int] = []

    def power(x: Any, n: int) -> Any:
        print("tracing")
        traced.append(n)
        return x**n

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fun = jm.jit(power, static_argnames="n")
        fun(X, n=2)
        capsys.readouterr()
        assert _traces_alike(fun._state.facts, (X,), {"n": 3}, (), ())
    assert capsys.readouterr().out == "" and traced == [2]


def test_a_repr_that_calls_a_jitted_function_makes_no_rows() -> None:
    """It is asked in a thread of its own, and is own work there."""

    @jm.jit
    def helper(x: Any) -> Any:
        return x + 1

    asked: list[int] = []

    class Setting:
        def __repr__(self) -> str:
            asked.append(threading.get_ident())
            return f"Setting({helper(1.0)})"

    helper(1.0)
    before = rows()
    jax.block_until_ready(jm.jit(lambda x, s: x, static_argnums=1)(1.0, Setting()))
    assert asked and rows()["helper"] == before["helper"]


def test_what_we_compare_static_arguments_by_makes_no_rows() -> None:
    """What JAX itself calls of a static argument makes the rows that it makes without us, and what we call makes none."""

    @jm.jit
    def helper(x: Any) -> Any:
        return x + 1

    asked: list[bool] = []

    class Setting:
        def __hash__(self) -> int:
            asked.append(is_own_work())
            helper(1.0)
            return 1

        def __eq__(self, other: object) -> bool:
            return self is other

    helper(1.0)
    before = rows()["helper"]
    jm.jit(lambda x, s: x, static_argnums=1)(1.0, Setting())
    assert any(asked) and rows()["helper"] - before == asked.count(False)
