"""Advice on misses: proven, counted from what was recorded, shown once and only when it is worth reading."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.base.wording import percent
from jupyter_jitmagic.recording.guards import cures
from jupyter_jitmagic.recording.guards.telling import Teller
from jupyter_jitmagic.records.log import log


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    cures.histories.clear()
    log.shells += 1
    yield
    log.shells -= 1
    jm.options.reset()


def advice() -> dict[str, cures.Advice]:
    return {found.rule: found for history in cures.histories for found in cures.advice_on(history)}


X = np.ones(8, np.float32)


def test_a_static_argument_that_need_not_be_static_is_told_with_its_values_and_cost() -> None:
    jm.options.tell_after_s = 0.0

    @jm.jit(static_argnames="n")
    def scaled(x: Any, n: int) -> Any:
        return x * n

    for n in range(5):
        scaled(X, n)
    found = advice()["static_without_need"]
    assert found.argument == "n"
    assert found.text.startswith("n has had 5 values, 4 compiles more, ")
    assert "it need not be static: scaled traces without its value" in found.text
    assert found.misses == 4
    assert found.cost_s > 0
    assert found.call_site.startswith(__file__)


def test_a_static_argument_that_is_needed_is_not_blamed() -> None:
    jm.options.tell_after_s = 0.0

    @jm.jit(static_argnames="n")
    def padded(x: Any, n: int) -> Any:
        return jnp.zeros(n).at[0].set(x[0])

    for n in range(1, 6):
        padded(X, n)
    assert "static_without_need" not in advice()


def test_an_argument_whose_tracing_would_change_the_outputs_is_not_blamed() -> None:
    jm.options.tell_after_s = 0.0

    @jm.jit(static_argnames="n")
    def typed(x: Any, n: int) -> Any:
        return x.astype(jnp.int32) if isinstance(n, int) else x

    for n in range(5):
        typed(X, n)
    assert "static_without_need" not in advice()


def test_an_argument_that_a_transformation_may_need_static_is_not_blamed() -> None:
    """A loop over a traced number traces, and has no gradient."""
    jm.options.tell_after_s = 0.0

    @jm.jit(static_argnames="n")
    def halved(x: Any, n: int) -> Any:
        return jax.lax.fori_loop(0, n, lambda _, y: y / 2, x).sum()

    for n in range(3):
        halved(X, n)
    assert "static_without_need" in advice()
    jax.grad(halved)(X, 2)
    assert "static_without_need" not in advice()


def test_trying_to_trace_leaves_no_trace() -> None:
    """The call after is a plain hit, its times are its own, and the body ran once more at most."""
    jm.options.tell_after_s = 0.0
    others = len(jm.stats("others"))
    runs = []

    @jm.jit(static_argnames="n")
    def scaled(x: Any, n: int) -> Any:
        runs.append(n)
        return x * n

    for n in range(4):
        scaled(X, n)
    before = len(runs)
    scaled(X, 0)
    assert jm.stats("calls").outcome.iloc[-1] == "hit"
    assert before <= 5
    assert not jm.stats("others").function[others:].str.contains("again").any()  # earlier ones are of other tests


def test_statics_that_hash_by_identity() -> None:
    class Config:
        def __init__(self) -> None:
            self.n = 1

    @jm.jit(static_argnames="cfg")
    def step(x: Any, cfg: Any) -> Any:
        return x * cfg.n

    for _ in range(3):
        step(X, Config())
    found = advice()["static_by_identity"]
    assert "2 compiles more" in found.text
    assert found.text.endswith("Config a frozen dataclass, or define its __eq__ and __hash__")


def test_functions_made_anew_as_statics() -> None:
    @jm.jit(static_argnames="act")
    def step(x: Any, act: Any) -> Any:
        return act(x)

    for _ in range(3):
        step(X, lambda x: x * 2)
    assert "once, outside what runs again" in advice()["static_by_identity"].text


def test_weak_type_flips_name_the_conversion() -> None:
    @jm.jit
    def step(x: Any, lr: Any) -> Any:
        return x * lr

    step(X, 0.5)
    step(X, jnp.float32(0.5))
    found = advice()["weak_type_flips"]
    assert "jnp.asarray(lr, jnp.float32) makes them the same" in found.text


def test_numbers_that_are_an_int_here_and_a_float_there() -> None:
    @jm.jit
    def step(x: Any, lr: Any) -> Any:
        return x * lr

    step(X, 1)
    step(X, 0.5)
    assert "lr is an int here and a float there" in advice()["number_flips"].text


def test_arrays_of_two_dtypes_are_not_numbers_that_flip() -> None:
    step = jm.jit(lambda x: x * 2)
    step(jnp.ones(3, jnp.int32))
    step(jnp.ones(3, jnp.float32))
    assert advice() == {}


def test_positional_here_and_keyword_there() -> None:
    def step(x: Any, n: Any = 1) -> Any:
        return x * n

    step = jm.jit(step)
    step(X, 2)
    step(X, n=2)
    assert "n is passed in different ways (positional, keyword)" in advice()["one_way_of_calling"].text


def test_a_function_made_anew_in_a_loop() -> None:
    for _ in range(4):
        jm.jit(lambda x: x * 3)(X)
    found = advice()["made_anew"]
    assert "created again 3 times" in found.text
    assert found.misses == 3


def test_a_cell_that_is_edited_and_run_again_is_no_function_made_anew() -> None:
    for factor in range(4):
        namespace: dict[str, Any] = {"__name__": "__main__"}
        exec(f"def edited(x):\n    return x * {factor}", namespace)
        jm.jit(namespace["edited"])(X)
    assert "made_anew" not in advice()


def test_shape_churn_counts_what_powers_of_two_would_save_and_cost() -> None:
    @jm.jit
    def step(x: Any) -> Any:
        return x + 1

    sizes = [5, 6, 7, 9, 10, 13]
    for size in sizes:
        step(np.ones((size, 2), np.float32))
    found = advice()["shape_churn"]
    assert "axis 0 of x had 6 sizes" in found.text
    assert "2 compiles in place of 6" in found.text
    padding = (3 * 8 + 3 * 16) / sum(sizes) - 1
    assert f"{percent(padding)} padding" in found.text


def test_the_same_axis_of_several_arguments_is_named_once() -> None:
    @jm.jit
    def step(x: Any, y: Any) -> Any:
        return x.sum() + y.sum()

    for size in (5, 6, 7, 9):
        step(np.ones((size, 2), np.float32), np.ones(size, np.float32))
    assert advice()["shape_churn"].what == "pad axis 0 of x and y to powers of two"


def test_shapes_used_often_weigh_more_in_the_padding() -> None:
    @jm.jit
    def step(x: Any) -> Any:
        return x + 1

    for size in [5, 6, 7, 8]:
        step(np.ones(size, np.float32))
    for _ in range(96):
        step(np.ones(8, np.float32))
    jm.stats("calls")
    padding = (8 + 8 + 8 + 97 * 8) / (5 + 6 + 7 + 97 * 8) - 1
    assert f"{percent(padding)} padding" in advice()["shape_churn"].text


def test_ranks_that_change_are_no_bucket() -> None:
    step = jm.jit(lambda x: x + 1)
    for rank in range(4):
        step(np.ones((2,) * rank, np.float32))
    assert "shape_churn" not in advice()


def test_a_single_miss_of_each_kind_that_is_no_habit_gives_no_advice() -> None:
    step = jm.jit(lambda x: x + 1)
    step(X)
    step(np.ones(9, np.float32))
    assert advice() == {}


# ---- telling


def test_each_cause_is_told_once_when_it_has_cost_enough() -> None:
    teller = Teller()
    jm.options.tell_after_s = 0

    def step(x: Any) -> Any:
        return x + 1

    step = jm.jit(step)
    step(X)
    assert teller.lines() == []
    step(np.ones(9, np.float32))
    (line,) = teller.lines()
    assert re.match(r"step(#\d+)? recompiled \(", line)
    assert "x is f32[9] now and was f32[8] before, test_cures.py, line " in line
    step(np.ones(10, np.float32))
    assert teller.lines() == []


def test_functions_are_called_what_the_tables_call_them() -> None:
    """A definition that ran twice has made two functions that live: their misses are one habit."""
    teller = Teller()
    jm.options.tell_after_s = 0

    def made(factor: int) -> Any:
        @jm.jit(static_argnames="n")
        def decayed(x: Any, n: int) -> Any:
            return x * n * factor

        return decayed

    first, second = made(1), made(2)
    for n in range(3):
        first(X, n)
    second(X, 0)
    second(np.ones(9, np.float32), 0)
    told = teller.lines()
    assert jm.stats().function.tolist()[-2:] == ["decayed", "decayed#2"]
    assert any(line.startswith("decayed#2 recompiled (") for line in told)
    assert any(line.startswith("decayed, decayed#2 (called in ") for line in told)
    del first, second


def test_what_costs_little_is_not_told() -> None:
    teller = Teller()
    jm.options.tell_after_s = 1000
    step = jm.jit(lambda x: x + 1)
    for size in range(1, 5):
        step(np.ones(size, np.float32))
    assert teller.lines() == []


def test_one_problem_is_one_line_the_advice_where_there_is_some() -> None:
    teller = Teller()
    jm.options.tell_after_s = 0

    @jm.jit(static_argnames="n")
    def scaled(x: Any, n: int) -> Any:
        return x * n

    scaled(X, 0)
    scaled(X, 1)
    (line,) = teller.so_far()
    assert line.startswith("scaled recompiled (") and line.miss
    for n in range(2, 4):
        scaled(X, n)
    (line,) = lines = teller.so_far()
    assert line.startswith("scaled (called in ") and "it need not be static" in line and line.cure
    assert teller.so_far() == lines == teller.lines(), "a look in the middle of a cell does not count as telling"
    scaled(X, 9)
    assert teller.lines() == []


def test_another_problem_of_the_same_function_is_another_line() -> None:
    teller = Teller()
    jm.options.tell_after_s = 0

    @jm.jit(static_argnames="n")
    def scaled(x: Any, n: int) -> Any:
        return x * n

    for n in range(4):
        scaled(X, n)
    scaled(np.ones(9, np.float32), 3)
    recompiled, advice = teller.lines()
    assert recompiled.startswith("scaled recompiled (") and "x is f32[9] now" in recompiled
    assert "it need not be static" in advice


def test_what_was_warned_of_when_it_happened_is_not_told_again() -> None:
    teller = Teller()
    jm.options.tell_after_s = 0
    step = jm.jit(lambda x: x + 1, on_miss="warn")
    step(X)
    with pytest.warns(jm.RecompileWarning):
        step(np.ones(9, np.float32))
    assert teller.lines() == []


def test_a_stale_global_is_told_once_with_its_cure() -> None:
    teller = Teller()
    space: dict[str, Any] = {"__name__": "__main__", "jm": jm}
    exec("rate = 2.0\n@jm.jit\ndef step(x): return x * rate", space)
    space["step"](X)
    assert teller.lines() == []
    space["rate"] = 3.0
    assert teller.lines() == []
    space["step"](X)
    (line,) = teller.lines()
    assert re.match(r"step(#\d+)? still uses the old rate: rate is 3.0 now and was 2.0 when step was traced at ", line)
    assert line.endswith("Pass it as an argument, or call step.clear_cache().")
    space["step"](X)
    assert teller.lines() == []
    space["step"].clear_cache()
    space["step"](X)
    space["step"](X)
    assert teller.lines() == []


def test_in_the_middle_of_a_cell_a_name_is_stale_only_once_it_was_used_after_it_was_seen_changed() -> None:
    teller = Teller()
    space: dict[str, Any] = {"__name__": "__main__", "jm": jm}
    exec("rate = 2.0\n@jm.jit\ndef step(x): return x * rate", space)
    space["step"](X)
    space["rate"] = 3.0
    assert teller.so_far() == [] == teller.so_far(), "it may be about to be traced again"
    space["step"](X)
    (line,) = teller.so_far()
    assert re.match(r"step(#\d+)? still uses the old rate: rate is 3.0 now and was 2.0", line)
    space["step"].clear_cache()
    assert teller.so_far() == [line] == teller.lines(), "it was so"
    assert teller.lines() == []


def test_an_entry_traced_after_the_change_is_not_stale() -> None:
    teller = Teller()
    space: dict[str, Any] = {"__name__": "__main__", "jm": jm}
    exec("rate = 2.0\n@jm.jit\ndef step(x): return x * rate", space)
    space["step"](X)
    space["rate"] = 3.0
    teller.lines()
    space["step"](np.ones(3, np.float32))
    assert teller.lines() == []


def test_a_fault_in_advice_is_ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(cures.histories, "note", broken)
    step = jm.jit(lambda x: x + 1)
    with pytest.warns(RuntimeWarning, match="looking for what would save compiles failed"):
        out = step(X)
    assert out.shape == (8,)
    assert jm.stats("calls").outcome.iloc[-1] == "miss"
    jm.faults.clear()


@dataclasses.dataclass(frozen=True)
class Kept:
    n: int


def test_nothing_of_the_users_is_kept_by_a_history() -> None:
    import gc
    import weakref

    big, setting = np.ones(10), Kept(1)
    ends = [weakref.ref(big), weakref.ref(setting)]
    step = jm.jit(lambda x, s: x, static_argnames="s")
    step(big, setting)
    step.clear_cache()
    jax.clear_caches()
    del big, setting
    gc.collect()
    assert [end() for end in ends] == [None, None]
