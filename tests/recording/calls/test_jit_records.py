"""What `jm.jit` records of a call: outcome, phases, entry, causes."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.base.errors import OptionError, faults
from jupyter_jitmagic.recording.api.jitting import entry_detail, failed_call
from jupyter_jitmagic.recording.causes.leaves import spec_text
from jupyter_jitmagic.recording.compiles.spans import Span, summed
from jupyter_jitmagic.records.log import EntryRecord, FunctionRecord, Log, log


@pytest.fixture(autouse=True)
def clean() -> Any:
    jm.reset()
    faults.clear()
    yield
    assert faults.details() == ""


def calls_of(function: Any) -> Any:
    table = jm.stats("calls")
    return table[table.function == function.__qualname__.rpartition("<locals>.")[2]]


def outcomes(function: Any) -> list[str]:
    return list(calls_of(function).outcome)


def test_a_function_defined_in_another_goes_by_its_own_name() -> None:
    @jm.jit
    def local(x):
        return x

    local(1.0)
    assert list(jm.stats("calls").function.iloc[-1:]) == ["local"]


def test_a_first_call_is_a_miss_with_its_phases_and_the_next_a_hit() -> None:
    @jm.jit
    def f(x):
        return x + 1

    x = jnp.ones(3)
    f(x)
    f(x)
    rows = calls_of(f)
    assert list(rows.outcome) == ["miss", "hit"]
    first = rows.iloc[0]
    assert min(first.trace_s, first.lower_s, first.compile_s) > 0
    assert first.trace_s + first.lower_s + first.compile_s <= first.dispatch_s
    assert rows.iloc[1][["trace_s", "lower_s", "compile_s"]].isna().all()
    assert rows.entry.nunique() == 1
    assert jm.stats("misses").cause.tolist() == ["first_call"]


def test_hits_find_their_entry_among_several() -> None:
    @jm.jit
    def f(x, y):
        return x.sum() + y

    shapes = [jnp.ones(n) for n in range(1, 6)]
    for x in shapes:
        f(x, 1)
    made = list(calls_of(f).entry)
    for x in reversed(shapes):
        f(x, 2)
    f(shapes[2], 2.5)
    f(shapes[2], 3)
    f(shapes[2], 1.5)
    rows = calls_of(f)
    assert list(rows.outcome) == ["miss"] * 5 + ["hit"] * 5 + ["miss", "hit", "hit"]
    assert list(rows.entry)[5:10] == made[::-1]
    assert list(rows.entry)[11] == made[2]
    assert list(rows.entry)[12] == list(rows.entry)[10] != made[2]


def test_static_values_and_where_they_stand_tell_entries_apart() -> None:
    @jm.jit(static_argnames=("n",))
    def f(x, n):
        return x[:n]

    x = jnp.ones(9)
    for n in (1, 2, 3, 2, 1):
        f(x, n=n)
    f(x, 2)
    rows = calls_of(f)
    assert list(rows.entry)[3:5] == list(rows.entry)[1::-1]
    assert rows.outcome.tolist() == ["miss"] * 3 + ["hit"] * 2 + [rows.outcome.iloc[5]]
    assert rows.entry.iloc[5] != rows.entry.iloc[1]
    table = jm.stats("entries")
    assert table.static.tolist()[:3] == ["n=1", "n=2", "n=3"]


def test_with_another_jit_of_the_function_static_values_still_tell_entries_apart() -> None:
    def own(x: Any, n: Any, scale: Any = 1.0) -> Any:
        return x + scale

    one, two = (jm.jit(own, static_argnames=("n", "scale")) for _ in range(2))
    calls = [(one, 3, 1.0), (one, 4, 1.0), (two, 5, 1.0), (two, 10**30, 2.0), (two, 10**30, 3.0)]
    entries = []
    for _ in range(4):
        for jitted, n, scale in calls:
            jitted(jnp.ones(3), n=n, scale=scale)
        entries.append(jm.stats("calls").entry.tail(len(calls)).tolist())
    assert len(set(entries[0])) == len(calls)
    assert entries[1:] == [entries[0]] * 3


def test_a_call_inside_a_trace_is_inlined_and_its_compiles_are_the_outer_calls() -> None:
    @jm.jit
    def inner(x):
        return x * 2

    @jm.jit
    def outer(x):
        return inner(x) + inner(x)

    outer(jnp.ones(2))
    assert outcomes(inner) == ["inlined", "inlined"]
    assert outcomes(outer) == ["miss"]
    assert calls_of(inner).entry.isna().all()


@pytest.mark.parametrize(
    "transform, name", [(jax.grad, "grad"), (jax.vmap, "vmap"), (lambda f: lambda x: jax.vmap(jax.grad(f))(x), "grad")]
)
def test_under_an_eager_transformation_a_call_is_a_miss_then_a_hit_of_its_own_entry(transform: Any, name: str) -> None:
    @jm.jit
    def f(x):
        return (x * x).sum()

    x = jnp.ones((3,)) if name != "vmap" else jnp.ones((3, 2))
    f(x[0] if name == "vmap" else x)
    if "vmap(jax.grad" in str(transform):
        return
    transformed = transform(f)
    try:
        transformed(x)
        transformed(x)
    except TypeError:
        transformed(x[:, None])
        transformed(x[:, None])
    rows = calls_of(f)
    assert list(rows.outcome) == ["miss", "miss", "hit"]
    entries = jm.stats("entries").set_index("entry")
    assert name in entries.transformation[rows.entry.iloc[1]]
    assert rows.entry.iloc[1] == rows.entry.iloc[2] != rows.entry.iloc[0]


def test_an_error_keeps_its_type_and_is_a_row_and_the_call_can_be_found_in_its_traceback() -> None:
    @jm.jit(static_argnames="n")
    def f(x, n):
        return x.reshape(n) + nothing  # noqa: F821

    with unfiltered(), pytest.raises(NameError) as caught:
        f(jnp.ones(4), n=(2, 2))
    assert outcomes(f) == ["error"]
    call = failed_call(caught.value.__traceback__)
    assert call is not None and call.fun is f.__wrapped__
    assert call.kwargs == {"n": (2, 2)} and call.options == {"static_argnames": "n"}
    bare = jax.jit(f.__wrapped__, static_argnames="n")
    with unfiltered(), pytest.raises(NameError) as plain:
        bare(jnp.ones(4), n=(2, 2))
    assert len(caught.traceback) <= len(plain.traceback) + 1


@pytest.mark.parametrize("error", [NameError, TypeError])
def test_where_jax_takes_its_frames_out_of_a_traceback_ours_is_not_in_it_either(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "shells", 0)  # an earlier test may have left one open

    def f(x):
        return x + nothing  # noqa: F821

    def frames(jit: Any) -> list[str]:
        with pytest.raises(error) as caught:
            jit(f)(1.0 if error is NameError else "no array")
        return [entry.name for entry in caught.traceback]

    assert frames(jm.jit) == frames(jax.jit)


@contextlib.contextmanager
def unfiltered() -> Iterator[None]:
    before = jax.config.jax_traceback_filtering
    jax.config.update("jax_traceback_filtering", "off")
    try:
        yield
    finally:
        jax.config.update("jax_traceback_filtering", before)


def test_with_jit_disabled_nothing_is_called_a_hit_or_a_miss() -> None:
    @jm.jit
    def f(x):
        return x - 1

    with jax.disable_jit():
        f(jnp.ones(7))
        f(jnp.ones(7))
    assert outcomes(f) == ["inlined", "inlined"]


def test_a_cleared_cache_makes_a_miss_of_the_next_call() -> None:
    @jm.jit
    def f(x):
        return x - 2

    x = jnp.ones(3)
    f(x)
    f.clear_cache()
    f(x)
    jax.clear_caches()
    f(x)
    f(x)
    assert outcomes(f) == ["miss", "miss", "miss", "hit"]
    assert jm.stats("misses").cause.tolist() == ["first_call", "cleared", "cleared"]
    assert jm.stats("entries").alive.tolist() == [False, False, True]


def test_an_ahead_of_time_compile_records_no_row_and_its_entry_is_found_by_the_first_call() -> None:
    @jm.jit
    def f(x):
        return x * 5

    f(jnp.ones(2))
    compiled = f.lower(jnp.ones(3)).compile()
    compiled(jnp.ones(3))
    assert outcomes(f) == ["miss"]
    f(jnp.ones(3))
    f(jnp.ones(2))
    f(jnp.ones(3))
    rows = calls_of(f)
    assert rows.entry.iloc[1] == rows.entry.iloc[3] != rows.entry.iloc[0] == rows.entry.iloc[2]


def test_entries_made_by_plain_jit_of_the_same_function_are_not_mistaken_for_ours() -> None:
    def fun(x):
        return x + 3

    plain, f = jax.jit(fun), jm.jit(fun)
    f(jnp.ones(2))
    plain(jnp.ones(3))
    f(jnp.ones(2))
    f(jnp.ones(3))
    f(jnp.ones(2))
    rows = calls_of(f)
    assert list(rows.outcome) == ["miss", "hit", "hit", "hit"]
    assert rows.entry.iloc[0] == rows.entry.iloc[1] == rows.entry.iloc[3] != rows.entry.iloc[2]


def test_eight_threads_lose_and_mix_up_nothing() -> None:
    @jm.jit
    def f(x):
        return x * 2

    xs = [jnp.ones(n) for n in range(1, 9)]

    def work(x: Any) -> None:
        for _ in range(500):
            f(x)

    threads = [threading.Thread(target=work, args=(x,)) for x in xs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = calls_of(f)
    assert len(rows) == 4000
    assert rows.call.is_unique
    assert rows.entry.value_counts().tolist() == [500] * 8
    assert (rows.outcome == "miss").sum() == 8


def test_reset_forgets_rows_and_living_functions_go_on() -> None:
    @jm.jit
    def f(x):
        return x + 8

    x = jnp.ones(3)
    f(x)
    jm.reset()
    assert all(len(jm.stats(level)) == 0 for level in ("functions", "entries", "calls", "misses"))
    f(x)
    assert outcomes(f) == ["hit"]
    assert len(jm.stats("entries")) == 1


def test_an_option_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="timing="):
        jm.jit(lambda x: x, timing="sometimes")
    with pytest.raises(TypeError, match="chekc"):
        jm.jit(lambda x: x, chekc=True)


def test_entries_are_told_apart_whatever_kind_of_array_is_passed() -> None:
    import numpy as np

    @jm.jit
    def f(x):
        return x * 2

    kinds = [jnp.ones(2), jnp.ones(3), np.ones(3, "f4"), np.ones(2, "f4"), 1.5, jnp.ones(2), np.ones(3, "f4"), 2.5, jnp.ones(3)]
    for x in kinds:
        f(x)
    rows = calls_of(f)
    two, three, scalar = rows.entry.iloc[0], rows.entry.iloc[1], rows.entry.iloc[4]
    assert len({two, three, scalar}) == 3
    assert rows.entry.tolist() == [two, three, three, two, scalar, two, three, scalar, three]
    assert rows.outcome.tolist() == ["miss", "miss", "hit", "hit", "miss", "hit", "hit", "hit", "hit"]


def test_a_failed_call_of_a_function_with_several_entries_is_found_in_its_traceback() -> None:
    """The look for an entry stands in the closure's own code then: its frames must still be known as ours."""

    @jm.jit
    def f(x):
        return x.sum() if x.shape[0] < 9 else missing  # noqa: F821

    for n in (1, 2, 3, 1, 2, 3):
        f(jnp.ones(n))
    with unfiltered(), pytest.raises(NameError) as caught:
        f(jnp.ones(9))
    call = failed_call(caught.value.__traceback__)
    assert call is not None and call.fun is f.__wrapped__
    assert outcomes(f) == ["miss"] * 3 + ["hit"] * 3 + ["error"]


def test_arguments_that_are_no_arrays_and_unreduced_axes_are_recorded() -> None:
    f = jm.jit(lambda token, x: (token, x + 1))
    token = jax.lax.create_token()
    f(token, 1.0)
    f(token, 1.0)
    entry = jm.stats("calls").query("outcome == 'hit'").entry.iloc[-1]
    with pytest.raises(OptionError, match="need real arrays"):
        entry_detail(int(entry), "hlo")

    @jax.tree_util.register_dataclass
    @dataclasses.dataclass
    class Positive:
        value: Any

        def __post_init__(self) -> None:
            if isinstance(self.value, jax.ShapeDtypeStruct):
                raise ValueError("arrays only")

    g = jm.jit(lambda p: p.value + 1)
    g(Positive(jnp.ones(2)))
    g(Positive(jnp.ones(2)))
    assert outcomes(g) == ["miss", "hit"]
    unreduced = jax.sharding.PartitionSpec("x", None, unreduced={"y"})
    assert spec_text(unreduced) == "P('x', unreduced={'y'})"


def test_an_entry_was_last_used_by_its_latest_call() -> None:
    """Also where its miss and its hits are counted together."""
    f = jm.jit(lambda x: x + 1)
    for _ in range(3):
        f(1.0)
    assert jm.stats("entries").last_used_s.tolist() == [jm.stats("calls").started_s.max()]


def test_misses_are_kept_within_a_bound_the_latest_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jm.options, "keep_misses", 10)
    f = jm.jit(lambda n: n, static_argnames="n")
    for n in range(13):
        f(n)
    misses = jm.stats("misses")
    assert 10 <= len(misses) <= 11 and misses.now.tolist()[-10:] == [str(n) for n in range(3, 13)]
    assert jm.stats("functions").misses.tolist() == [13]


def test_a_miss_of_several_causes_costs_once() -> None:
    f = jm.jit(lambda x: x + 1)
    f(jnp.ones(3))
    f(jnp.ones(4, int))
    misses = jm.stats("misses")
    assert misses.cause.tolist() == ["first_call", "shape", "dtype"]
    assert misses.cost_s.notna().tolist() == [True, True, False]


def test_a_call_that_compiled_anything_anew_is_no_disk_hit() -> None:
    spans = [Span("compile", 0.0, 1.0, "f", disk=True), Span("compile", 1.0, 2.0, "g", disk=False)]
    assert summed(spans[:1]).disk and not summed(spans).disk


def test_a_call_of_an_entry_that_was_dropped_meanwhile_is_its_functions() -> None:
    """Another thread may be about to tell of it."""
    log = Log()
    log.add_function(FunctionRecord(7, "f", "", "f", "", 1))
    for number in range(1, 21):
        log.add_entry(EntryRecord(number, 7, "", alive=False))
    log.drop_dead_entries(keep=8)
    assert log.known_entry(1) is None
    log.columns.extend((0.0, 1.0, 1.0))
    log.fold()
    assert log.functions[7].calls == 1 and log.calls()["function"].tolist() == [7]


def test_entries_are_kept_within_a_bound_and_totals_stay_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jm.options, "keep_entries", 8)

    @jm.jit
    def f(x):
        return x + 1

    rounds, shapes = 2, 30
    for _ in range(rounds):
        for n in range(1, shapes + 1):
            f(jnp.ones(n))
            f(jnp.ones(n))
    totals = jm.stats("functions").set_index("function").loc["f"]
    assert (totals.calls, totals.hits, totals.misses) == (2 * rounds * shapes, (2 * rounds - 1) * shapes, shapes)
    entries = jm.stats("entries")
    assert len(entries) <= 12 and entries.entry.is_unique
    calls = jm.stats("calls")
    assert set(calls.function) == {"f"} and len(calls) == totals.calls
    assert set(calls.entry.dropna()) <= set(entries.entry)
    assert f(jnp.ones(3)).tolist() == [2.0] * 3
