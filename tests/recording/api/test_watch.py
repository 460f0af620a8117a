"""What compiles outside `jm.jit`, watched blocks, and blocks in which nothing may compile again."""

from __future__ import annotations

import threading
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm

X4, X5 = np.ones(4, np.float32), np.ones(5, np.float32)


def others(function: str) -> Any:
    table = jm.stats("others")
    return table[table.function.str.endswith(function)]


def test_plain_jax_jit_is_seen_with_times_causes_and_the_calling_line() -> None:
    def plain(x: Any) -> Any:
        return x * 2

    with jm.watch(quiet=True) as seen:
        jitted = jax.jit(plain)
        jitted(X4)
        jitted(X4)
        jitted(X5)
    own = [compile_ for compile_ in seen.compiles if compile_.function.endswith("plain")]
    assert [compile_.causes[0].cause for compile_ in own] == ["first_call", "shape"]
    assert own[1].why == "x is f32[5] now and was f32[4] before"
    assert all(compile_.cost_s > 0 and __file__ in compile_.call_site for compile_ in own)
    rows = others("plain")
    assert rows.compiles.sum() == 2
    assert (rows.compile_s > 0).all()
    assert set(rows.module) == {__name__}


def test_a_function_created_again_in_a_loop_is_told_so() -> None:
    with jm.watch(quiet=True) as seen:
        for _ in range(3):
            jax.jit(lambda x: x + 17)(X4)
    own = [compile_ for compile_ in seen.compiles if "lambda" in compile_.function]
    assert [compile_.causes[0].cause for compile_ in own] == ["first_call", "new_function", "new_function"]


def test_statics_of_plain_jit_are_named() -> None:
    jitted = jax.jit(lambda x, n: x[:n], static_argnums=1)
    with jm.watch(quiet=True) as seen:
        jitted(X4, 2)
        jitted(X4, 3)
    assert seen.compiles[-1].why == "n is 3 now and was 2 before (static)"


def test_our_own_functions_and_eager_operations_are_watched_too() -> None:
    @jm.jit
    def ours(x: Any) -> Any:
        return x * 3

    with jm.watch(quiet=True) as seen:
        ours(X4)
        jnp.sin(np.ones((3, 1, 7), np.float32)).block_until_ready()
    names = [(compile_.function, compile_.module) for compile_ in seen.compiles]
    assert any(name.endswith("ours") for name, _ in names)
    assert ("sin", "jax") in names
    assert "ours" not in set(jm.stats("others").function)


def test_compiles_below_our_functions_calls_are_theirs_and_not_twice() -> None:
    inner = jax.jit(lambda x: x * 5)
    with jm.watch(quiet=True) as seen:
        jm.jit(lambda x: inner(x) + 1)(X4)
    assert len(seen.compiles) == 1


def test_the_end_of_a_block_tells_what_compiled(capsys: pytest.CaptureFixture[str]) -> None:
    def told(x: Any) -> Any:
        return x - 9

    with jm.watch():
        jitted = jax.jit(told)
        jitted(X4)
        jitted(X5)
    out = capsys.readouterr().out
    assert out.startswith("2 compiles, ")
    assert "told: 2 compiles" in out
    assert "x is f32[5] now and was f32[4] before" in out
    with jm.watch():
        jitted(X4)
    assert capsys.readouterr().out == "nothing compiled\n"


def test_reset_forgets_the_rows_and_not_what_makes_causes_right() -> None:
    jitted = jax.jit(lambda x: x + 23)
    with jm.watch(quiet=True):
        jitted(X4)
    jm.reset()
    assert jm.stats("others").empty
    with jm.watch(quiet=True) as seen:
        jitted(X5)
    assert seen.compiles[-1].causes[0].cause == "shape"


def test_no_recompile_lets_hits_and_first_compiles_through() -> None:
    step = jm.jit(lambda x: x * 7)
    step(X4)
    with jm.no_recompile():
        step(X4)
        jm.jit(lambda x: x * 8)(X4)
        jnp.ones(123)


def test_no_recompile_raises_with_the_reason_for_our_functions() -> None:
    step = jm.jit(lambda x: x * 7)
    step(X4)
    with pytest.raises(jm.RecompileError, match=r"x is f32\[5\] now and was f32\[4\] before"), jm.no_recompile():
        step(X5)
    assert step(X5).shape == (5,)


def test_no_recompile_raises_for_plain_jit_as_well() -> None:
    step = jax.jit(lambda x: x * 11)
    with jm.watch(quiet=True):
        step(X4)
    with pytest.raises(jm.RecompileError, match=r"x is f32\[5\] now"), jm.no_recompile():
        step(X5)


def test_no_first_compiles_either_if_asked() -> None:
    with pytest.raises(jm.RecompileError, match="first call"), jm.no_recompile(first_compiles=False):
        jm.jit(lambda x: x * 12)(X4)


def test_no_recompile_counts_for_its_own_thread_only() -> None:
    step = jm.jit(lambda x: x * 13)
    step(X4)
    failed: list[BaseException] = []

    def elsewhere() -> None:
        try:
            step(X5)
        except BaseException as error:
            failed.append(error)

    with jm.no_recompile():
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert failed == []


def test_assert_max_compiles_tells_why_it_fails() -> None:
    def counted(x: Any) -> Any:
        return x

    counted = jm.jit(counted)
    counted(X4)
    jm.assert_max_compiles(counted, 1)
    counted(X5)
    with pytest.raises(AssertionError, match=r"compiled 2 times and may compile once:\n.*first call\n.*f32\[5\] now"):
        jm.assert_max_compiles(counted, 1)
    with pytest.raises(TypeError, match="is not under"):
        jm.assert_max_compiles(len, 1)


def test_ahead_of_time_compiles_are_counted_without_a_guess_at_the_cause() -> None:
    def ahead(x: Any) -> Any:
        return x + 31

    with jm.watch(quiet=True) as seen:
        jax.jit(ahead).lower(X4).compile()
    own = [compile_ for compile_ in seen.compiles if compile_.function == "ahead"]
    assert [compile_.causes[0].cause for compile_ in own] == ["unknown"]


def test_no_function_or_array_of_a_plain_jit_is_kept_alive() -> None:
    import gc
    import weakref

    def short_lived(x: Any) -> Any:
        return x + 37

    array = jnp.ones(1000)
    with jm.watch(quiet=True):
        jax.jit(short_lived)(array).block_until_ready()
    ends = [weakref.ref(short_lived), weakref.ref(array)]
    del short_lived, array
    gc.collect()
    assert [end() for end in ends] == [None, None]
