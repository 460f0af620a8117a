"""Loops of thousands of rounds: what is proven on a call with fewer, and compared on the user's own once."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis import other_code
from jupyter_jitmagic.diagnosis.call.calls import bind
from jupyter_jitmagic.diagnosis.proof.arguments import JitCall
from jupyter_jitmagic.diagnosis.rewrites import whole
from jupyter_jitmagic.diagnosis.rewrites.rules import ManyRounds
from jupyter_jitmagic.diagnosis.smaller import smaller_call
from jupyter_jitmagic.diagnosis.types import Change, Comparison, Rewrite


def spikes(current, threshold=1.0, rate=0.05):
    v, found = 0.0, []
    for i in current:
        v = v + rate * (i - v)
        if v > threshold:
            v = 0.0
            found.append(1)
        else:
            found.append(0)
    return jnp.array(found)


@pytest.fixture(autouse=True)
def _long(monkeypatch: pytest.MonkeyPatch, unhurried: None) -> None:
    """A run of any length is a long one."""
    monkeypatch.setattr(other_code, "LONG_S", 0.0)


CURRENT = jnp.linspace(0.5, 2.0, 300)


def test_arrays_and_counts_become_small_together() -> None:
    def fun(x, y, n, steps=500, tol=1e-3):
        return x[:n].sum() + y.sum() + steps

    args = jnp.ones(300), np.ones((120, 3)), 299
    found = smaller_call(bind(fun, args, {}), 1.0)
    assert found is not None
    x, y, n = found.call.args
    assert len(y) == 40 and len(x) > len(y) and n == len(x) - 1
    assert found.given == {"steps"} and len(x) < found.call.kwargs["steps"] < 60
    assert found.sizes == {40: 120, n: 299, len(x): 300, found.call.kwargs["steps"]: 500}


def test_what_plain_python_does_not_take_is_no_smaller_call() -> None:
    """Sizes may hang together in a way that nobody sees: then the counts alone are smaller, or nothing is."""

    def fun(x, steps):
        return x.reshape(20, 20).sum() * steps

    found = smaller_call(bind(fun, (jnp.ones(400), 1000), {}), 1.0)
    assert found is not None and found.call.args[0].shape == (400,) and found.call.args[1] == 40
    assert smaller_call(bind(lambda x: x.reshape(20, 20), (jnp.ones(400),), {}), 1.0) is None
    assert smaller_call(bind(lambda x: x * 2, (jnp.ones(4),), {}), 1.0) is None


def test_a_loop_of_many_rounds_is_proven_on_fewer_and_compared_once() -> None:
    first = jm.diagnose(spikes, CURRENT).rewrites[0]
    assert first.verified and "fori_loop" in first.patterns
    assert whole.SHORTER in first.compared.not_reached
    namespace = {"jnp": jnp, "jax": jax}
    exec(first.source, namespace)
    assert jnp.array_equal(jax.jit(namespace["spikes"])(CURRENT), spikes(CURRENT))
    assert int(spikes(CURRENT).sum()) > 0


def settling(x, steps=400):
    for _ in range(steps):
        x = x - 0.1 * (x - 1)
        if x > 2.0:
            x = x - 1.0
    return x


def test_a_count_that_is_left_out_is_static_in_the_answer() -> None:
    """Its loop is rolled as that of the call itself would be, though few rounds are no large program."""
    first = jm.diagnose(settling, jnp.array(5.0)).rewrites[0]
    assert first.verified and first.is_rolled and first.static_argnames == ("steps",)


ROUNDS, STEP = 300, 0.01


def relaxing(x, rate):
    found = []
    for _ in range(ROUNDS):
        if x > 1.0:
            x = x - STEP * rate * x
        else:
            x = x - STEP * rate
        found.append(x)
    return jnp.array(found)


def test_a_count_that_is_a_global_is_smaller_for_our_runs_alone() -> None:
    """The rewrite names it as before, and the user's own keeps its value meanwhile."""
    found = smaller_call(bind(relaxing, (jnp.array(3.0), 0.5), {}), 1.0)
    assert found is not None and found.call.fun(jnp.array(3.0), 0.5).shape == (40,) and ROUNDS == 300
    first = jm.diagnose(relaxing, jnp.array(3.0), 0.5).rewrites[0]
    assert first.verified and first.is_rolled and "ROUNDS" in first.source
    namespace = {**globals()}
    exec(first.source, namespace)
    assert jnp.allclose(jax.jit(namespace["relaxing"])(3.0, 0.5), relaxing(3.0, 0.5), rtol=1e-5)


def compared(fun: Any, rewritten: Any, x: Any, seconds: float = 10.0) -> Rewrite | str:
    """What is said on a call of `fun` with `x` of a rewrite that was equal to plain Python on six with fewer rounds."""
    proven = Rewrite({}, "", (Change("f.py", 1, "fori_loop"),), "", Comparison(6), verified=True)
    traced: Any = SimpleNamespace(function=rewritten, draft=SimpleNamespace(texts={}))
    return whole.Whole(JitCall(fun, (x[:9],), {}), whole.Own(fun, (x,), {}, {9: len(x)}), seconds).compared(traced, proven)


def test_what_is_equal_there_says_that_no_other_call_had_as_many_rounds() -> None:
    found = compared(jnp.cumsum, jnp.cumsum, CURRENT)
    assert isinstance(found, Rewrite) and found.verified and found.compared is not None
    assert found.compared.inputs == 7 and found.compared.not_reached == (whole.SHORTER,)


def test_floats_for_whole_numbers_are_said() -> None:
    found = compared(lambda x: x.astype(int), lambda x: x.astype(int) * 1.0, CURRENT)
    assert isinstance(found, Rewrite) and found.compared is not None
    assert any("always floats" in each for each in found.compared.differences)


def layered(xs, w):
    total = 0.0
    for x in xs:
        for _ in range(2):
            x = jnp.tanh(x * w)
        if x > 0:
            total = total + x
    return total


def test_a_loop_that_is_as_long_in_the_call_itself_is_not_rolled() -> None:
    """Two layers stay as they were written, beside arrays that are hundreds of times as long."""
    many = ManyRounds("", sizes={40: 4000, 44: 60000})
    assert [many.rounds(here) for here in (2, 8, 39, 40, 43, 45)] == [2, 8, 3999, 4000, 59999, 60001]
    assert many.rounds(20) > 20 and ManyRounds("").rounds(40) == 40

    first = jm.diagnose(layered, CURRENT, 0.5).rewrites[0]
    assert first.source.count("fori_loop") == 1 and "for _ in range(2)" in first.source


@pytest.mark.parametrize(
    ("rewritten", "said"),
    [
        (lambda x: x if len(x) < 100 else x + 1, "on the call itself it differs: "),
        (lambda x: x if len(x) < 100 else bool(x.sum()), "on the call itself it fails to trace (TracerBoolConversionError)"),
        (lambda x: x if len(x) < 100 else functools.reduce(jnp.add, [x] * 5000), "on the call itself it has 4,9"),
    ],
)
def test_what_is_wrong_on_the_call_itself_is_rejected(rewritten: Any, said: str) -> None:
    found = compared(lambda x: x, rewritten, CURRENT)
    assert isinstance(found, str) and said in found


def chaotic(x: Any, rounds: int = 400) -> Any:
    """Each round makes an error nearly twice as large."""
    return jax.lax.fori_loop(0, rounds, lambda _, x: 3.9 * x * (1 - x), x / 4)


def test_where_rounding_grows_that_is_said_and_nothing_else_is_put_down_to_it() -> None:
    found = compared(lambda x: chaotic(x * (1 + 1e-7)), chaotic, CURRENT)
    assert isinstance(found, Rewrite) and found.compared is not None
    assert any("rounding grows" in each for each in found.compared.differences)
    assert found.compared.inputs == 6  # on this call it is not equal

    def late(x: Any, first: float) -> Any:
        return jnp.concatenate([x[:1] + first, chaotic(x * (1 + 1e-7 * first))])

    assert isinstance(compared(lambda x: late(x, 0.0), lambda x: late(x, 1.0), CURRENT), str)  # before rounding has grown
    wrong = compared(lambda x: chaotic(x, 4) + 1e-2, lambda x: chaotic(x, 4), CURRENT)
    assert isinstance(wrong, str) and "differs" in wrong


def test_where_plain_python_takes_too_long_for_the_call_itself_it_is_not_verified() -> None:
    def slow(x: Any) -> Any:
        for _ in range(10**8):
            pass
        return x

    found = compared(slow, lambda x: x, CURRENT, seconds=0.05)
    assert isinstance(found, Rewrite) and not found.verified and found.compared is None
    assert found.reason.startswith("equal to plain Python on 6 calls with fewer rounds; on this one not compared")
    assert found.reason.endswith("as plain Python takes longer than 0.05 s")


def test_fewer_random_keys_are_the_first_ones() -> None:
    keys = jax.random.split(jax.random.key(0), 200)
    found = smaller_call(bind(lambda keys: jax.random.normal(keys[0]), (keys,), {}), 1.0)
    assert found is not None and (found.call.args[0] == keys[:40]).all()


def test_an_array_that_cannot_be_read_is_no_smaller_one() -> None:
    gone = jnp.ones(300)
    gone.delete()
    assert smaller_call(bind(lambda x: x * 2, (gone,), {}), 1.0) is None


def test_of_arguments_that_are_too_large_to_run_it_several_times_nothing_is_made() -> None:
    assert smaller_call(bind(lambda x: x * 2, (np.ones((9000, 1000)),), {}), 1.0) is None


def test_nothing_that_a_run_changes_stays_changed() -> None:
    """Of the smaller call as of all others."""
    kept = np.zeros(300)

    def put(x: Any, out: Any) -> Any:
        for i in range(len(x)):
            if x[i] > 1:
                out[i] = x[i]
        return out

    assert jm.diagnose(put, CURRENT, kept).rewrites and not kept.any()
