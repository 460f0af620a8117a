"""The signature of a call that compiles, wanted before it returned: made once, the same, and nothing of the user's is kept."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.recording.compiles import budgets, spans
from jupyter_jitmagic.recording.compiles.hearing import Hearing
from jupyter_jitmagic.recording.jitted import Jitted


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Signatures that were made, while one is asked for at each lowering, as in a program of several processes."""
    signatures: list[Any] = []
    original = Jitted.signature

    def counted(self: Jitted, *args: Any) -> Any:
        signatures.append(original(self, *args))
        return signatures[-1]

    def on_start(event: str, value: float, **kwargs: Any) -> None:
        if event == internals.LOWER_EVENT and (compiling := budgets.who_compiles(str(kwargs.get("fun_name", "")))) is not None:
            compiling.signature()

    jm.reset()
    monkeypatch.setattr(Jitted, "signature", counted)
    hearing = Hearing("scalar", on_start)
    hearing.begin()
    yield signatures
    hearing.end()


def kept() -> int:
    return sum(len(state.facts._made) for state in spans.all_living())


def test_it_is_made_once_for_each_miss_and_its_causes_are_the_same(made: list[Any]) -> None:
    f = jm.jit(lambda x, n=2: x * n, static_argnames="n")
    f(jnp.ones(4))
    f(jnp.ones(3), n=3)
    with jax.default_matmul_precision("highest"):
        f(jnp.ones(4))
    assert set(jm.stats("misses").cause) == {"first_call", "shape", "static_value", "config"}
    assert len(made) == 3 and kept() == 0
    with jax.default_matmul_precision("highest"):
        f(jnp.ones(4))
    f(jnp.ones(4))
    assert jm.stats()[["hits", "misses"]].values.tolist() == [[2, 3]]


def test_nothing_is_kept_of_a_call_that_fails_or_is_refused(made: list[Any]) -> None:
    x = jnp.ones(5)
    reference = weakref.ref(x)
    f = jm.jit(lambda x: x + 1, max_compiles=1, on_miss="raise")
    f(jnp.ones(2))
    with pytest.raises(jm.RecompileError):
        f(x)
    assert kept() == 0
    del x
    gc.collect()
    assert reference() is None
