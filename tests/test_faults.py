"""A fault in any function of ours that runs when the user's code calls a jitted function: the user does not meet it."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic import recording
from jupyter_jitmagic.recording import hot_path
from jupyter_jitmagic.recording.compiles import spans

OTHERS = (
    "base.jax_internals",
    "base.jax_frames",
    "base.values",
    "base.value_texts",
    "records.log",
    "records.columns",
    "base.own_work",
)
MODULES = [
    *(module.name for module in pkgutil.walk_packages(recording.__path__, f"{recording.__name__}.") if not module.ispkg),
    *(f"jupyter_jitmagic.{name}" for name in OTHERS),
]
BOUNDARIES = {
    "jit", "_check", "wrap", "JitFunction.lower", "JitFunction.trace", "JitFunction.eval_shape", "JitFunction.clear_cache",
    "JitFunction._follow", "FunctionState.settle", "FunctionState.failed", "FunctionState.prepare", "check_budget", "peek",
    "_lose", "is_own_work",
}  # fmt: skip
"""What the user or the closure itself calls, and what stops faults: with these broken nothing is left to stop one."""
OPTION_HOOK = "_DisableJitFollower"
"""Called by JAX within a change of its option: sets and a call of what stops its own faults."""


class Injected(Exception):
    """A bug of ours."""


def broken(*_: Any, **__: Any) -> Any:
    raise Injected


def places(module: Any) -> Iterator[tuple[str, Any, str, Any]]:
    """(label, holder, name, function) of all that this module defines."""
    for name, value in list(vars(module).items()):
        if getattr(value, "__module__", "") != module.__name__:
            continue
        if isinstance(value, types.FunctionType | functools._lru_cache_wrapper):
            yield name, module, name, value
        elif isinstance(value, type):
            for part, inner in list(vars(value).items()):
                if isinstance(inner, types.FunctionType | property) and (not part.startswith("__") or part == "__init__"):
                    yield f"{name}.{part}", value, part, inner


def inject(patch: pytest.MonkeyPatch, holder: Any, name: str, function: Any) -> None:
    """Break it wherever it was imported to."""
    if isinstance(holder, type):
        patch.setattr(holder, name, property(broken) if isinstance(function, property) else broken)
        return
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("jupyter_jitmagic"):
            for other, value in list(vars(module).items()):
                if value is function:
                    patch.setattr(module, other, broken)


def made(jit: Callable[..., Any]) -> Any:
    def fun(x, k):
        if k == "bad":
            raise ZeroDivisionError("the user's own")
        return x * k

    return jit(fun, static_argnums=1)


def used(f: Any, g: Any) -> list[Any]:
    """What the user's code sees: results and errors of calls of all kinds."""
    out: list[Any] = [f(np.ones(n, "f4"), 2).tolist() for n in (1, 2, 2)]
    try:
        f(np.ones(1, "f4"), "bad")
    except ZeroDivisionError as error:
        out.append(str(error))
    out.append(float(jax.grad(lambda x: g(x, 2)[0])(jnp.ones(1))[0]))
    f.clear_cache()
    f.trace(np.ones(2, "f4"), 2)
    out.append(f(np.ones(2, "f4"), 2).tolist())
    with jax.disable_jit():
        out.append(f(np.ones(2, "f4"), 2).tolist())
    out.append(g(np.ones(2, "f4"), 2).tolist())
    return out


def called() -> set[types.CodeType]:
    """Our functions that run when the user's code does."""
    seen: set[types.CodeType] = set()

    def note(frame: types.FrameType, event: str, _: Any) -> None:
        if event == "call" and "jupyter_jitmagic" in frame.f_code.co_filename:
            seen.add(frame.f_code)

    sys.setprofile(note)
    try:
        used(made(jm.jit), made(jm.jit))
    finally:
        sys.setprofile(None)
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_a_fault_in_any_function_of_ours_is_told_and_the_users_code_goes_on(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(name)
    want = used(made(jax.jit), made(jax.jit))
    running = called()
    told: list[str] = []
    monkeypatch.setattr(jm.faults, "show", told.append)
    wrong: list[str] = []
    for label, holder, attribute, function in places(module):
        code = getattr(getattr(function, "fget", None) or getattr(function, "__wrapped__", function), "__code__", None)
        if code not in running or label in BOUNDARIES or label.startswith(OPTION_HOOK):
            continue
        told.clear()
        jm.faults.clear()
        before = made(jm.jit)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(spans, "outside", list(spans.outside))  # whatever begins to listen meanwhile is broken
            inject(patch, holder, attribute, function)
            try:
                seen = used(before, made(jm.jit))
                wrong += [f"{label}: another result"] if seen != want else []
            except Exception as error:
                wrong.append(f"{label}: {error!r}")
        wrong += [f"{label} is told twice"] if len(told) != len(set(told)) else []
        jm.faults.clear()
        jm.reset()
        after = made(jm.jit)
        after(np.ones(2, "f4"), 2), after(np.ones(2, "f4"), 2)
        outcomes = jm.stats("calls").outcome.tolist()
        wrong += [f"{label}: afterwards {outcomes}"] if outcomes != ["miss", "hit"] else []
        jm.faults.clear()
    assert not wrong


def test_a_function_that_cannot_be_recorded_is_plain_jit_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_jitmagic.recording.calls import functions

    told: list[str] = []
    monkeypatch.setattr(jm.faults, "show", told.append)
    with monkeypatch.context() as patch:
        patch.setattr(functions, "register", broken)
        f = made(jm.jit)
        g = made(jm.jit)
    assert f(np.ones(2), 3).tolist() == g(np.ones(2), 3).tolist() == [3, 3]
    assert len(told) == 1 and "it runs as plain jax.jit" in told[0]
    jm.faults.clear()
    jm.reset()
    made(jm.jit)(np.ones(2), 3)
    assert jm.stats().misses.tolist() == [1]


def test_where_a_phase_was_lost_a_compile_is_not_called_a_hit(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(jm.faults, "show", told.append)
    f, other = made(jm.jit), made(jm.jit)
    jm.reset()
    f(np.ones(1, "f4"), 2)
    with monkeypatch.context() as patch:
        patch.setattr(spans, "_enclosing", broken)
        assert f(np.ones(2, "f4"), 2).tolist() == [2, 2]
    other(np.ones(1, "f4"), 2)
    assert len(told) == 1
    table = jm.stats()
    assert table.calls.tolist() == [1, 1] and table.misses.tolist() == [1, 1]
    jm.faults.clear()


def test_a_fault_of_ours_leaves_jaxs_option_as_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jm.faults, "show", lambda _: None)
    monkeypatch.setattr(spans, "all_living", broken)
    f = made(jm.jit)
    with jax.disable_jit():
        assert f(2.0, 3) == 6
    assert not jax.config.jax_disable_jit
    jm.faults.clear()


def test_the_closure_is_what_runs() -> None:
    """The sweep would prove nothing if the calls did not come through us."""
    assert hot_path.build.__code__ in called()
