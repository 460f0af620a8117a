"""`check=True`: what the compiled function computes against what plain Python computes."""

from __future__ import annotations

import cProfile
import random
import sys
import time
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.guards.checking import differences

X = np.arange(4, dtype=np.float32)


def told(fun: Any, *args: Any, **options: Any) -> str:
    """What checking one call warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        jm.jit(fun, check=True, **options)(*args)
    assert all(warning.category is jm.CheckWarning for warning in caught), [str(warning.message) for warning in caught]
    assert all(warning.filename == __file__ for warning in caught)
    return "\n".join(str(warning.message) for warning in caught)


def test_flag_is_true() -> None:
    def step(x: Any, flag: Any) -> Any:
        if flag is True:
            return x * 2
        return x

    text = told(step, X, True)
    assert "step computes something other than plain Python: result differs by up to 3 in 3 of 4 elements" in text
    assert "goes another way under jit: if flag is True:" in text


def test_isinstance_of_a_python_number() -> None:
    def step(x: Any, rate: Any) -> Any:
        scale = 2.0 if isinstance(rate, float) else 3.0
        return x * scale

    assert "result differs by up to 3" in told(step, X, 0.5)


def test_the_deciding_line_is_named_within_one_expression_too() -> None:
    assert "goes another way under jit: " in told(lambda x, flag: x * 2 if flag is True else x, X, True)

    def guarded(x: Any) -> Any:
        try:
            return x * float(x)
        except jax.errors.ConcretizationTypeError:
            return x

    assert "goes another way under jit: return x * float(x)" in told(guarded, 3.0)


def test_text_made_of_a_value() -> None:
    def step(n: Any) -> Any:
        return len(str(n)) * jnp.ones(2)

    assert "turns a traced value into text: return len(str(n)) * jnp.ones(2)" in told(step, 3)


def test_host_randomness_is_told_as_frozen_and_its_state_stays() -> None:
    def noisy(x: Any) -> Any:
        return x + np.random.rand()

    np.random.seed(0)
    random.seed(0)
    expected = np.random.rand(2)[1]
    np.random.seed(0)
    text = told(noisy, X)
    assert "In Python it gives another result each time (numpy.random): under jit that is frozen" in text
    np.random.seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        jm.jit(lambda x: x + np.random.rand(), check=True)(X)
    assert np.random.rand() == expected


def test_time_is_frozen() -> None:
    assert "under jit that is frozen" in told(lambda x: x * 0 + time.perf_counter_ns() % 100_003, X)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="cProfile takes no profile function any more")
def test_a_profile_that_runs_goes_on_behind_a_check() -> None:
    """%%prun over a cell: `cProfile`'s own function cannot be put back by Python, so it is not taken away."""

    def step(x: Any) -> Any:
        return x * time.time()

    profile = cProfile.Profile()
    profile.enable()
    try:
        told(step, X)
        assert sys.getprofile() is profile
    finally:
        profile.disable()


def test_a_clock_is_told_even_where_the_result_hides_it() -> None:
    assert "calls time.time (line " in told(lambda x: x * 0 + (time.time() > 0), X)


def test_a_generator_goes_on_as_if_plain_python_had_not_run() -> None:
    numbers, own = np.random.default_rng(0), random.Random(0)
    told(lambda x: x + numbers.random() + own.random(), X)
    assert numbers.random() == np.random.default_rng(0).random(2)[1]
    other = random.Random(0)
    assert own.random() == [other.random(), other.random()][1]


def test_64_bits_that_overflow() -> None:
    text = told(lambda n: n * n, 100_000)
    assert "is 1410065408 under jit and 10000000000 in Python (int32 under jit, which overflows" in text


def test_what_is_not_finite_on_one_side_only() -> None:
    (found,) = differences(np.array([np.nan, 1.0]), np.array([0.0, 1.0]))
    assert found.text == "is nan under jit and 0.0 in Python in 1 of 2 elements"


def test_prints_and_appends_happen_once(capsys: pytest.CaptureFixture[str]) -> None:
    log: list[int] = []

    def chatty(x: Any) -> Any:
        print("step")
        log.append(1)
        return x + 1

    text = told(chatty, X)
    assert "chatty prints: under jit that happens only while it is traced" in text
    assert "chatty changes log: under jit that happens only while it is traced" in text
    assert capsys.readouterr().out == "step\n"
    assert log == [1], "what the plain run appended is taken back"


def test_changed_arguments_are_told_by_their_path_and_put_back() -> None:
    def step(p: Any, x: Any) -> Any:
        p["w"] += 1
        return x

    def add(p: Any, x: Any) -> Any:
        p["list"].append(x)
        return x

    p = {"w": np.ones(3), "list": [1.0]}
    assert told(step, p, X) == (
        "check: step changes its argument p['w'] in Python: under jit the caller does not see that. Return it instead"
    )
    assert "changes its argument p in Python" in told(add, p, X)
    assert p["w"].tolist() == [1, 1, 1] and p["list"] == [1.0]


def test_two_changed_arguments_are_both_told_though_one_name_begins_the_other() -> None:
    def step(p: Any, p_w: Any, x: Any) -> Any:
        p.append(1.0)
        p_w["w"].append(1.0)
        return x

    text = told(step, [1.0], {"w": [1.0]}, X)
    assert "changes its argument p in Python" in text and "changes its argument p_w in Python" in text
    assert text.count("changes its argument") == 2


def test_arrays_and_attributes_that_the_plain_run_changes_are_put_back() -> None:
    table = np.zeros(3)

    class Model:
        def __init__(self) -> None:
            self.calls = 0

        def step(self, x: Any) -> Any:
            self.calls += 1
            table[0] += 1
            return x

    model = Model()
    text = told(Model.step, model, X, static_argnums=0)
    assert "Model.step changes self.calls: under jit that happens only while it is traced" in text
    assert (model.calls, table.tolist()) == (1, [1, 0, 0])  # by the trace


def test_an_array_too_large_to_be_put_back_is_not_changed_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_jitmagic.sandbox.reach.MOST_BYTES", 10)
    table = np.zeros(3)

    def step(x: Any) -> Any:
        table[0] += 1
        return x

    assert "step was not compared with plain Python: it may change an array" in told(step, X)
    assert table.tolist() == [1, 0, 0] and table.flags.writeable


def test_float64_that_becomes_float32() -> None:
    assert "result is float32 under jit and float64 in Python" in told(lambda x: x * 2, np.ones(3))


def test_an_error_that_only_python_raises() -> None:
    def careful(x: Any) -> Any:
        if not isinstance(x, jax.core.Tracer):
            raise ValueError("empty")
        return x

    assert "returns under jit, and in Python it raises ValueError: 'empty'" in told(careful, X)


def test_differing_outputs_are_named_by_their_path() -> None:
    def step(x: Any, flag: Any) -> Any:
        return {"same": x, "loss": [x, x.sum() + (1 if flag is True else 0)]}

    text = told(step, X, True)
    assert "result['loss'][1] is 6.0 under jit and 7.0 in Python" in text
    assert "'same'" not in text


@pytest.mark.parametrize(
    ("fun", "args"),
    [
        (lambda x: jnp.sin(x) * 2, (X,)),
        (lambda x: x + 1, (2,)),
        (lambda x: x * 0.1 + 0.2, (0.3,)),
        (lambda x: {"a": x, "b": (x.sum(), None)}, (X,)),
        (lambda x: jnp.where(x > 0, x, jnp.nan), (X,)),
        (lambda k: jax.random.normal(k, (3,)), (jax.random.key(0),)),
        (lambda k: jax.random.split(k), (jax.random.key(0),)),
        (lambda x: jax.lax.fori_loop(0, 3, lambda i, v: v * 1.1, x), (X,)),
        (lambda x: x.astype(jnp.bfloat16) * 3, (X,)),
        (lambda x: (x > 1, x.astype(jnp.int32)), (X,)),
        (lambda x: jnp.linalg.inv(x), (np.eye(3, dtype=np.float32) * 3,)),
        (lambda x: sum(v for v in x), (X,)),
        (lambda x: jax.debug.print("{}", x.sum()) or x, (X,)),
        (lambda x: x * np.random.RandomState(0).rand(), (X,)),
        (lambda x: jnp.log(x - 1), (X,)),
        (lambda x: x.astype(jnp.uint32) * jnp.uint32(2654435761), (X,)),
        (lambda x: x.sum() / x.std(), (X,)),
    ],
)
def test_what_is_the_same_is_not_told(fun: Any, args: Any) -> None:
    assert told(fun, *args) == ""


def test_a_long_plain_run_is_stopped_and_said_so() -> None:
    def slow(x: Any) -> Any:
        total = x
        while not isinstance(x, jax.core.Tracer):
            total = total + 1
        return total

    jm.options.check_limit_s = 0.05
    try:
        started = time.perf_counter()
        assert "slow was not compared with plain Python: that ran longer than 0.05 s" in told(slow, X)
        assert time.perf_counter() - started < 5
    finally:
        jm.options.reset()


def test_donated_arguments_are_not_compared_and_said_so() -> None:
    step = jm.jit(lambda x: x + 1, check=True, donate_argnums=0)
    with pytest.warns(jm.CheckWarning, match="its arguments were donated"):
        step(jnp.ones(4))


def test_only_the_first_call_of_an_entry_is_checked() -> None:
    step = jm.jit(lambda x: print("seen") or x * 1, check=True)
    with pytest.warns(jm.CheckWarning, match="prints"):
        step(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step(X)
    with pytest.warns(jm.CheckWarning, match="prints"):
        step(X[:2])
    assert jm.stats("calls").outcome.tolist()[-3:] == ["miss", "hit", "miss"]


def test_nothing_is_checked_unless_asked_or_inside_another_trace() -> None:
    def step(x: Any, flag: Any = True) -> Any:
        return x * 2 if flag is True else x

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jm.jit(step)(X, True)
        checked = jm.jit(lambda x: step(x, x.sum() > 0), check=True)
        jax.jit(lambda x: checked(x))(X)
        jax.grad(lambda x: checked(x).sum())(X)


def test_static_arguments_are_values_in_both() -> None:
    def step(x: Any, flag: bool) -> Any:
        return x * 2 if flag is True else x

    assert told(step, X, True, static_argnames="flag") == ""


def test_structures_that_differ() -> None:
    (found,) = differences({"a": X}, {"a": X, "b": X})
    assert found.path == "result"
    assert differences([X], (X,)) == []
    assert differences(np.float32(1), 1) == []
    assert differences(X, X + np.float32(1e-7)) == []
    assert differences(np.array([np.inf, np.nan]), np.array([np.inf, np.nan])) == []
    assert differences(np.array([np.inf]), np.array([-np.inf])) != []
