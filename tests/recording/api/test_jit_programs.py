"""What can be asked of an entry, `auto`, and break-even."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.recording.api.jitting import break_even, entry_detail
from jupyter_jitmagic.recording.api.programs import WHATS

OURS = str(Path(jm.__file__).parent)


@pytest.fixture(autouse=True)
def clean() -> None:
    jm.reset()


def test_an_entrys_programs_compile_nothing_again_and_show_no_frame_of_ours() -> None:
    @jm.jit(static_argnames="n")
    def f(x, n):
        return jnp.sin(x)[:n]

    f(jnp.ones(8), n=3)
    compiled: list[str] = []
    jax.monitoring.register_event_time_span_listener(lambda event, *_, **__: compiled.append(event))
    entry = int(jm.stats("entries").entry[0])
    assert "sin" in str(entry_detail(entry, "jaxpr"))
    assert "stablehlo.sine" in str(entry_detail(entry, "stablehlo"))
    assert "HloModule" in str(entry_detail(entry, "hlo"))
    assert OURS not in str(entry_detail(entry, "hlo"))
    memory = entry_detail(entry, "memory")
    assert isinstance(memory, dict) and memory["argument_bytes"] == 32 and memory["output_bytes"] == 12
    assert entry_detail(entry, "cost")
    assert not [event for event in compiled if "compile_duration" in event]
    assert jm.stats("calls").outcome.tolist() == ["miss"]


def test_the_entries_table_has_sizes_and_a_gone_entry_says_so() -> None:
    @jm.jit
    def f(x):
        return x @ x

    f(jnp.ones((8, 8)))
    row = jm.stats("entries").iloc[0]
    assert row.executable_bytes > 0 and row.temp_bytes >= 0
    f.clear_cache()
    with pytest.raises(ValueError, match="gone"):
        entry_detail(int(row.entry), "jaxpr")
    with pytest.raises(ValueError, match="choose one of"):
        entry_detail(int(row.entry), "assembly")  # type: ignore[arg-type]


def test_break_even_is_measured_when_asked() -> None:
    @jm.jit
    def f(x):
        for _ in range(50):
            x = jnp.sin(x) + 1
        return x

    f(jnp.ones(100))
    assert jm.stats().break_even_calls.isna().all()
    calls = break_even(f._state.function, 0.2)
    assert calls is not None and 0 < calls < 10_000
    assert jm.stats().break_even_calls.tolist() == [calls]
    assert jm.stats().calls.tolist() == [1]


def test_auto_makes_static_what_must_be_and_says_so_once() -> None:
    @jm.jit(auto=True)
    def powers(x, n):
        for _ in range(n):
            x = x * x
        return x

    with pytest.warns(UserWarning, match="static_argnames=\\('n',\\)"):
        out = powers(jnp.full(2, 2.0), 3)
    assert out.tolist() == [256.0, 256.0]
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        powers(jnp.full(2, 2.0), 3)
        powers(jnp.full(2, 2.0), 2)
    assert jm.stats("calls").outcome.tolist() == ["miss", "hit", "miss"]
    assert jm.stats("entries").static.tolist() == ["n=3", "n=2"]


def test_auto_keeps_names_and_numbers_together() -> None:
    """A positional-only argument can be static by its number only, a keyword by its name only."""

    @jm.jit(auto=True, static_argnames=("up",))
    def f(x: Any, n: int, /, *, up: bool = True, m: int = 1) -> Any:
        return jnp.zeros((n, m)) + x if up else x

    with pytest.warns(UserWarning, match="static_argnames=\\('up', 'm'\\), static_argnums=\\(1,\\)"):
        assert f(1.0, 2, up=True, m=3).shape == (2, 3)
    assert f(1.0, 3, up=True, m=1).shape == (3, 1)


def test_auto_leaves_an_error_as_it_is_where_no_static_argument_cures_it() -> None:
    @jm.jit(auto=True)
    def f(x: Any) -> Any:
        return x if x.sum() > 0 else -x

    with pytest.raises(jax.errors.TracerBoolConversionError):
        f(jnp.ones(2))
    assert jm.stats("calls").outcome.tolist() == ["error"]


@pytest.mark.parametrize(
    "context, argument, said, size",
    [
        (lambda: jax.enable_x64(True), np.ones(3), "f64[3]", 24),
        (lambda: jax.default_matmul_precision("highest"), np.ones((3, 3), "f4"), "HIGHEST", 36),
        (lambda: jax.default_device(jax.devices()[0]), np.ones(3, "f4"), "f32[3]", 12),
        (lambda: jax.set_mesh(jax.make_mesh((1,), ("i",))), np.ones(3, "f4"), "f32[3]", 12),
    ],
)
def test_an_entrys_programs_are_of_its_own_configuration(context: Any, argument: Any, said: str, size: int) -> None:
    f = jm.jit(lambda x: x @ x)
    with context():
        f(argument)
    made: list[str] = []
    jax.monitoring.register_event_time_span_listener(lambda event, *_, **__: made.append(event))
    entry = int(jm.stats("entries").entry[0])
    details = {what: entry_detail(entry, what) for what in WHATS}
    assert said in str(details["jaxpr"]) and details["memory"]["argument_bytes"] == size  # type: ignore[index]
    assert not [event for event in made if event in (internals.TRACE_EVENT, internals.LOWER_EVENT, internals.COMPILE_EVENT)]
    f(argument)
    assert jm.stats("calls").outcome.tolist() == ["miss", "miss"]


def test_a_look_makes_nothing_that_jax_does_not_hold() -> None:
    f = jm.jit(lambda x: x + 1)
    f(np.ones(3, "f4"))
    entry = int(jm.stats("entries").entry[0])
    jax.clear_caches()
    for what in WHATS:
        with pytest.raises(OptionError, match=r"no longer holds the program of entry \d+"):
            entry_detail(entry, what)
    f(np.ones(3, "f4"))
    assert jm.stats("calls").outcome.tolist() == ["miss", "miss"]


def test_a_configuration_that_cannot_be_had_again_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    f = jm.jit(lambda x: x + 1)
    with jax.enable_x64(True):
        f(np.ones(3))
    monkeypatch.setattr(internals, "_config_context", lambda *_: contextlib.nullcontext())
    with pytest.raises(OptionError, match="was made under another configuration"):
        entry_detail(int(jm.stats("entries").entry[0]), "jaxpr")
