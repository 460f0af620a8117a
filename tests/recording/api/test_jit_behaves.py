"""Nothing of `jax.jit` is lost: what its object can do, ours can, and nothing of the user's stays alive."""

from __future__ import annotations

import copy
import functools
import gc
import inspect
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import time
import warnings
import weakref
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from checkout import ROOT

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.recorder import recorder


@pytest.fixture(autouse=True)
def clean() -> Any:
    recorder.start()  # another test may have unloaded the extension
    jm.reset()
    jm.faults.clear()
    yield
    assert jm.faults.details() == ""


@jm.jit
def module_level(x):
    """Doc of it."""
    return x + 1


class Model:
    def __init__(self, scale: float) -> None:
        self.scale = scale

    @functools.partial(jm.jit, static_argnums=0)
    def scaled(self, x):
        return x * self.scale


def outcomes() -> list[str]:
    return jm.stats("calls").outcome.tolist()


def test_it_looks_like_the_function_and_like_what_jax_jit_makes_of_it() -> None:
    bare = jax.jit(module_level.__wrapped__)
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__wrapped__"):
        assert getattr(module_level, name) == getattr(bare, name)
    assert inspect.signature(module_level) == inspect.signature(bare)
    assert repr(module_level) == repr(bare)
    assert isinstance(module_level, jax.stages.Wrapped)
    assert inspect.getsource(module_level) == inspect.getsource(bare)
    assert callable(module_level) and weakref.ref(module_level)() is module_level


def test_it_survives_pickling_and_copying() -> None:
    for again in (copy.copy(module_level), copy.deepcopy(module_level)):
        assert again(1) == 2 and repr(again) == repr(module_level)
    again = pickle.loads(pickle.dumps(functools.partial(jm.jit, static_argnums=0)))
    assert again.keywords == {"static_argnums": 0}


def test_methods_bind_and_static_self_is_an_entry_each() -> None:
    one, two = Model(2.0), Model(3.0)
    x = jnp.ones(2)
    assert one.scaled(x).tolist() == [2, 2] and two.scaled(x).tolist() == [3, 3] and one.scaled(x).tolist() == [2, 2]
    assert Model.scaled(one, x).tolist() == [2, 2]
    assert outcomes() == ["miss", "miss", "hit", "hit"]


def test_every_argument_of_jax_jit_reaches_it() -> None:
    f = jm.jit(
        lambda x, y: x + y,
        donate_argnums=0,
        keep_unused=True,
        inline=True,
        compiler_options={"xla_cpu_enable_fast_math": False},
    )
    x = jnp.ones(3)
    f(x, 1.0)
    assert x.is_deleted()
    with pytest.raises(TypeError, match="no_such_argument"):
        jm.jit(lambda x: x, no_such_argument=1)
    with pytest.raises(TypeError):
        jm.jit(None)
    with pytest.raises(ValueError, match="static_argnames"):
        jm.jit(lambda x: x, static_argnames="y")


def test_transformations_and_control_flow_take_it() -> None:
    @jm.jit
    def f(x):
        return jnp.sin(x).sum()

    x = jnp.arange(3.0)
    assert np.allclose(jax.grad(f)(x), jnp.cos(x))
    assert np.allclose(jax.vmap(f)(x[:, None]), jnp.sin(x))
    assert np.allclose(jax.lax.scan(lambda c, v: (c + f(v), None), 0.0, x)[0], jnp.sin(x).sum())
    assert np.allclose(jax.jit(lambda x: f(x) * 2)(x), 2 * jnp.sin(x).sum(), rtol=1e-5)
    assert jax.make_jaxpr(f)(x).eqns[0].primitive.name in ("jit", "pjit")
    assert f.eval_shape(x).shape == () and f.lower(x).compile()(x).shape == ()
    assert jax.checkpoint(f)(x).shape == ()


def test_neither_arguments_nor_outputs_nor_a_dropped_function_stay_alive() -> None:
    @jm.jit
    def f(x):
        return x * 2

    x = jnp.ones(100_000)
    f(x)
    for _ in range(5):
        y = f(x)
    refs = [weakref.ref(x), weakref.ref(y), weakref.ref(f), weakref.ref(f.__wrapped__)]
    y.block_until_ready()
    time.sleep(0.1)
    del x, y
    gc.collect()
    assert [ref() for ref in refs[:2]] == [None, None]
    del f
    gc.collect()
    assert [ref() for ref in refs[2:]] == [None, None]
    rows = jm.stats("functions")
    assert rows.calls.tolist() == [6] and rows.alive.tolist() == [False]
    assert jm.stats("entries").alive.tolist() == [False]


def test_a_redefined_function_supersedes_the_old_one() -> None:
    namespace: dict[str, Any] = {"jm": jm, "__name__": "somewhere"}
    source = "@jm.jit\ndef step(x):\n    return x + 1\nstep(1.0)"
    exec(source, namespace)
    kept = namespace["step"]
    exec(source, namespace)
    table = jm.stats("functions")
    assert kept is not namespace["step"] and table.superseded.tolist() == [True, False] and table.entries.tolist() == [0, 1]
    assert jm.stats("entries").superseded.tolist() == [True, False]
    assert jm.stats("misses").cause.tolist() == ["first_call", "new_function"]


def test_errors_of_the_computation_surface_where_jax_raises_them() -> None:
    def bad(x: Any) -> Any:
        raise ValueError("in the callback")

    @jm.jit
    def f(x):
        return jax.pure_callback(bad, jax.ShapeDtypeStruct((), jnp.float32), x)

    with pytest.raises(Exception, match="in the callback"):
        f(jnp.float32(1)).block_until_ready()


def test_blocking_and_dispatch_modes_say_what_they_measured() -> None:
    x = jnp.ones((200, 200))
    blocked = jm.jit(lambda x: x @ x, timing="block")
    silent = jm.jit(lambda x: x @ x + 1, timing="dispatch")
    for f in (blocked, silent):
        for _ in range(3):
            f(x)
    time.sleep(0.05)
    table = jm.stats("calls")
    assert table.execute_how.tolist()[1:] == ["blocked"] * 2 + ["unobserved"] * 3
    assert table.execute_s[1:3].notna().all() and table.execute_s[3:].isna().all()
    assert (table.execute_s[1:3] >= table.dispatch_s[1:3] * 0.5).all()


def test_executions_of_a_caller_that_blocks_are_seen_without_blocking_it() -> None:
    @jm.jit
    def f(x):
        for _ in range(6):
            x = jnp.tanh(x @ x)
        return x

    x = jnp.ones((500, 500)) / 500
    f(x).block_until_ready()
    truth = []
    for _ in range(20):
        begin = time.perf_counter()
        f(x).block_until_ready()
        truth.append(time.perf_counter() - begin)
    time.sleep(0.1)
    seen = jm.stats("calls").query("execute_how == 'observed'").execute_s
    assert len(seen) >= 3
    assert 0.5 * min(truth) < seen.median() < 2 * max(truth)


def test_two_jits_of_one_function_share_their_record_and_jaxs_cache() -> None:
    def fun(x):
        return x * 3

    one, two = jm.jit(fun), jm.jit(fun)
    one(jnp.ones(2))
    two(jnp.ones(2))
    assert outcomes() == ["miss", "hit"]
    assert len(jm.stats()) == 1


def test_a_keyboard_interrupt_in_the_middle_is_an_error_row_and_the_next_call_is_right() -> None:
    interrupt = [True]

    @jm.jit
    def f(x):
        if interrupt:
            interrupt.clear()
            raise KeyboardInterrupt
        return x

    with pytest.raises(KeyboardInterrupt):
        f(1.0)
    f(1.0)
    f(1.0)
    assert outcomes() == ["error", "miss", "hit"]


def test_reentrance_inside_a_callback_mixes_up_nothing() -> None:
    @jm.jit
    def inner(x):
        return x + 1

    def host(x: Any) -> Any:
        return np.asarray(inner(np.asarray(x)))

    @jm.jit
    def outer(x):
        return jax.pure_callback(host, jax.ShapeDtypeStruct((), jnp.float32), x)

    outer(jnp.float32(1)).block_until_ready()
    table = jm.stats("calls").set_index("function")
    names = list(table.index)
    assert sorted(name.rpartition(".")[2] for name in names) == ["inner", "outer"]
    assert table.outcome.tolist() == ["miss", "miss"]
    assert jm.stats("functions").misses.tolist() == [1, 1]


def test_switched_off_it_is_plain_jax_jit() -> None:
    script = "import jupyter_jitmagic as jm, jax; f = jm.jit(lambda x: x); print(type(f) is type(jax.jit(len)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=_environment(JITMAGIC_OFF="1"), check=True
    )
    assert done.stdout.strip() == "True"


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


@pytest.mark.parametrize("end", ["pass", "raise SystemExit(0)", "threading.Thread(target=lambda: f(x)).start()"])
def test_the_interpreter_ends_at_once_and_cleanly_with_a_watch_in_flight(end: str) -> None:
    script = textwrap.dedent(
        f"""
        import threading, time
        import jax, jax.numpy as jnp
        import jupyter_jitmagic as jm
        @jm.jit
        def f(x):
            return jax.lax.fori_loop(0, 300, lambda i, x: jnp.tanh(x @ x), x)
        x = jnp.ones((300, 300)) / 300
        f(x).block_until_ready()
        f(x)
        y = f(x)
        {end}
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=_environment(), timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "place",
    [
        "recording.jitted.signature_of",
        "recording.calls.entries.example_of",
        "recording.calls.entries.causes_of",
        "recording.calls.function_state.call_site",
        "recording.executions.hit_watching.watch",
        "recording.compiles.spans.take",
        "recording.hot_path.fold",
        "recording.compiles.spans.summed",
        "recording.compiles.spans._enclosing",
        "base.jax_internals.transformations",
        "recording.calls.attribution.fewest_probes",
        "recording.executions.sightings.smallest_output",
    ],
)
def test_a_fault_of_ours_leaves_the_call_as_plain_jit_and_is_told_once(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    module, _, name = place.rpartition(".")

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("injected")

    told: list[str] = []
    monkeypatch.setattr(jm.faults, "show", told.append)
    monkeypatch.setattr(importlib.import_module(f"jupyter_jitmagic.{module}"), name, broken)

    @jm.jit
    def f(x):
        return x * 2

    for n in (1, 2, 2, 1):
        assert f(np.ones(n, "f4")).tolist() == [2.0] * n
    assert 1 <= len(told) == len(set(told)) <= 2
    monkeypatch.undo()
    jm.faults.clear()
    assert f(np.ones(2, "f4")).tolist() == [2.0] * 2


def test_a_fault_of_ours_raises_nothing_where_warnings_are_errors(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jm.faults.report("a test", ValueError("ours"))
    assert "a test failed (ValueError)" in capsys.readouterr().err
    assert "ours" in jm.faults.details()
    jm.faults.clear()


def test_a_fault_while_waiting_is_reported_and_calls_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_jitmagic.recording.executions import sightings

    told: list[str] = []
    monkeypatch.setattr(jm.faults, "show", told.append)
    monkeypatch.setattr(sightings.Sighting, "ended", lambda *_: 1 / 0)
    f = jm.jit(lambda x: jnp.tanh(x @ x))
    x = jnp.ones((400, 400)) / 400
    for _ in range(5):
        f(x).block_until_ready()
        time.sleep(0.01)
    assert len(told) == 1
    jm.faults.clear()


def test_the_same_function_from_threads_while_another_compiles() -> None:
    @jm.jit
    def f(x):
        return jnp.sin(x) * 2

    x = jnp.ones(3)
    f(x)
    stop = threading.Event()
    counts = [0]

    def hits() -> None:
        while not stop.is_set():
            f(x)
            counts[0] += 1

    thread = threading.Thread(target=hits)
    thread.start()
    for n in range(10, 20):
        f(jnp.ones(n))
    stop.set()
    thread.join()
    table = jm.stats("calls")
    assert len(table) == counts[0] + 11
    assert table.outcome.value_counts()["miss"] == 11
    first = table.entry.iloc[0]
    assert (table.entry == first).sum() == counts[0] + 1


def test_recording_stops_without_a_trace_and_goes_on() -> None:
    """No listener and no thread is left, and from the next start on calls go to the entries of before."""
    from jax._src import monitoring

    def listeners() -> int:
        kinds = [kind for name, kind in vars(monitoring).items() if name.endswith("_listeners") and isinstance(kind, list)]
        functions = [getattr(listener, "func", listener) for kind in kinds for listener in kind]
        modules = [getattr(function, "__module__", "") for function in functions]
        budgets = "jupyter_jitmagic.recording.compiles.budgets"  # those of earlier tests' functions go on being asked
        return sum(module.startswith("jupyter_jitmagic.") and module != budgets for module in modules)

    @jm.jit
    def f(x):
        return x * 7

    f(jnp.ones(2))
    assert listeners() >= 3
    recorder.stop()
    assert listeners() == 0
    assert not [thread for thread in threading.enumerate() if "jitmagic" in thread.name]
    f(jnp.ones(3))
    assert len(jm.stats("calls")) == 1
    recorder.start()
    f(jnp.ones(2))
    f(jnp.ones(3))
    f(jnp.ones(2))
    table = jm.stats("calls")
    assert table.outcome.tolist() == ["miss", "hit", "hit", "hit"]
    assert table.entry.iloc[0] == table.entry.iloc[1] == table.entry.iloc[3] != table.entry.iloc[2]


def test_a_new_function_after_a_stop_wakes_the_older_ones_too() -> None:
    """What was jitted before %unload_ext is not left unrecorded for ever by what is jitted after it."""

    @jm.jit
    def older(x):
        return x * 7

    older(jnp.ones(2))
    recorder.stop()
    jm.jit(lambda x: x + 1)(jnp.ones(2))
    older(jnp.ones(2))
    assert jm.stats("calls").query("function.str.endswith('older')").outcome.tolist() == ["miss", "hit"]


def test_the_disk_cache_makes_disk_hits_with_the_time_they_took(tmp_path: Path) -> None:
    script = textwrap.dedent(
        f"""
        import jax, jax.numpy as jnp
        jax.config.update("jax_compilation_cache_dir", {str(tmp_path)!r})
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
        import jupyter_jitmagic as jm
        @jm.jit
        def f(x):
            return jnp.sin(x) @ jnp.cos(x)
        f(jnp.ones((5, 5)))
        row = jm.stats("calls").iloc[0]
        assert row.compile_s > 0 and jm.stats().misses.tolist() == [1]
        print(row.outcome)
        """
    )
    command = [sys.executable, "-c", script]
    told = {"capture_output": True, "text": True, "env": _environment(), "check": True}
    said = [subprocess.run(command, **told).stdout.strip() for _ in range(2)]
    assert said == ["miss", "disk_hit"]


def test_effects_donation_loops_and_empty_outputs_are_recorded() -> None:
    @jm.jit
    def shouting(x):
        jax.debug.callback(lambda v: None, x)
        return x

    @functools.partial(jm.jit, donate_argnums=0)
    def step(x):
        return x + 1

    @jm.jit
    def nothing(x):
        return None

    x = jnp.zeros(3)
    for _ in range(4):
        shouting(x)
        nothing(x)
    y = jnp.zeros(3)
    for _ in range(50):
        y = step(y)
    assert y.tolist() == [50.0] * 3
    jax.effects_barrier()
    table = jm.stats()
    assert table.calls.tolist() == [4, 50, 4] and table.misses.tolist() == [1, 1, 1]
    shouting(jnp.zeros(4))
    shouting(x)
    shouting(jnp.zeros(4))
    entries = jm.stats("calls").query("function.str.contains('shouting')", engine="python").entry
    assert entries.iloc[-1] == entries.iloc[-3] != entries.iloc[-2] == entries.iloc[0]


def test_collecting_a_function_waits_for_no_lock() -> None:
    """It may be collected at any instruction, under any lock, and by any thread."""
    from jupyter_jitmagic.records.log import log

    f: Any = jm.jit(lambda x: x + 1)
    f(jnp.ones(2))
    dropped = threading.Event()

    def drop() -> None:
        nonlocal f
        f = None
        gc.collect()
        dropped.set()

    with log.lock:
        threading.Thread(target=drop, daemon=True).start()
        assert dropped.wait(20)
    assert jm.stats("functions").alive.tolist() == [False]


def test_a_jit_around_what_was_made_of_another_jit_is_its_own() -> None:
    """`jax.grad` and `functools.wraps` copy the attributes of what they wrap."""

    @jm.jit
    def cube(x):
        return x**3

    slope, nested = jm.jit(jax.grad(cube)), jm.jit(jm.jit(cube))
    wrapped = jm.jit(functools.wraps(cube)(lambda x: cube(x) + 1))
    x = jnp.float32(2)
    assert [float(f.lower(x).compile()(x)) for f in (cube, slope, nested, wrapped)] == [8, 12, 8, 9]
    assert repr(nested) == repr(jax.jit(jax.jit(jax.jit(cube.__wrapped__))))
    copied = copy.copy(cube)
    copied.__name__ = "other"
    assert (copied(x), cube.__name__, copied == cube) == (8, "cube", False)


def test_arguments_and_attributes_are_shown_as_jax_shows_them() -> None:
    bare, ours = jax.jit(module_level.__wrapped__), module_level
    assert set(dir(bare)) <= set(dir(ours))
    assert inspect.getfullargspec(ours) == inspect.getfullargspec(bare)
    assert inspect.signature(ours, follow_wrapped=False) == inspect.signature(bare, follow_wrapped=False)
    assert inspect.signature(jax.jit).parameters.keys() <= inspect.signature(jm.jit).parameters.keys()
    for name in ("__code__", "no_such"):
        with pytest.raises(AttributeError) as said:
            getattr(ours, name)
        with pytest.raises(AttributeError) as theirs:
            getattr(bare, name)
        assert str(said.value) == str(theirs.value)
    del ours.__wrapped__
    try:
        assert not hasattr(ours, "__wrapped__")
    finally:
        ours.__wrapped__ = bare.__wrapped__
    with pytest.raises(TypeError, match="unexpected keyword argument 'no_such'"):
        jm.jit(no_such=1)


@pytest.mark.parametrize("arguments", [{"static_argnames": "q"}, {"static_argnums": 7}, {"donate_argnames": 3}, {"nothing": 1}])
@pytest.mark.parametrize("factory", [False, True])
def test_what_jax_refuses_has_at_most_one_frame_of_ours(arguments: dict[str, Any], factory: bool) -> None:
    def refused(jit: Any) -> tuple[type[Exception], str, int]:
        with pytest.raises((TypeError, ValueError)) as caught:
            jit(**arguments)(add) if factory else jit(add, **arguments)
        return caught.type, str(caught.value), len(caught.traceback)

    def add(x, y):
        return x + y

    theirs, ours = refused(jax.jit), refused(jm.jit)
    assert ours[:2] == theirs[:2]
    assert ours[2] <= theirs[2] + 1


@pytest.mark.parametrize("arguments", [{"backend": "cpu"}, {"device": None}])
def test_what_jax_warns_of_names_the_line_that_called_jit(arguments: dict[str, Any]) -> None:
    def told(jit: Any) -> list[tuple[Any, ...]]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            jit(len, **arguments)
        return [(warning.category, str(warning.message), warning.filename) for warning in caught]

    assert told(jm.jit) == told(jax.jit)
