"""Functions that write to names of their module: that line stays in plain Python, the rest goes under jit."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.diagnosing import diagnose_call

X = jnp.array([1.0, 2.0])
calls, best, rate, key = 3, None, 0.5, jax.random.PRNGKey(0)
steps: list[jax.Array] = []


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    monkeypatch.setattr(jm.options, "advice_limit_s", 90.0)


def clipped(w, g):
    global calls
    calls += 1
    if jnp.max(jnp.abs(g)) > 5.0:
        g = jnp.clip(g, -5.0, 5.0)
    return w - 0.1 * g


def objective(x):
    global calls
    calls += 1
    if x[0] > 0:
        return jnp.sum(x**2)
    return jnp.sum(jnp.abs(x))


def tracked(x, y):
    global best, rate
    loss = jnp.mean((x - y) ** 2)
    slope = 2 * (x - y) / len(x)
    if best is None or loss < best:
        best = loss
    else:
        rate *= 0.5
    if jnp.linalg.norm(slope) > 1:
        slope = slope / jnp.linalg.norm(slope)
    return x - rate * slope


def noisy(x):
    global key
    key, own = jax.random.split(key)
    u = jax.random.uniform(own, x.shape)
    if jnp.sum(x) > 1:
        return x + u
    return x - u


def logged(x):
    slope = 4 * x**3
    size = jnp.sqrt(jnp.sum(slope**2))
    if size > 1:
        slope = slope / size
    steps.append(size)
    return x - 0.1 * slope


@pytest.mark.parametrize(
    ("fun", "args", "stays", "cured"),
    [
        (clipped, (X, 5 * X), "calls += 1", "jnp.where"),
        (objective, (X,), "calls += 1", "jnp.where"),
        (tracked, (X, 3 * X), "rate *= 0.5", "lax.cond"),
        (noisy, (X,), "key, own = jax.random.split(key)", "jnp.where"),
        (logged, (X,), "steps.append(size)", "lax.cond"),
    ],
)
def test_what_is_written_to_the_module_stays_and_the_rest_is_rewritten_in_a_piece(monkeypatch, fun, args, stays, cured):
    """What the names hold after a call is compared as its result is, and they hold afterwards what they held before."""
    held = calls, best, rate, key, list(steps)
    found = diagnose_call(fun, args, {}, seconds=30.0)
    assert held[:4] == (calls, best, rate, key) and steps == held[4]
    (split,) = found.splits
    assert split.verified and "XLA rounds otherwise" not in str(found)
    pieces, _, own = split.source.rpartition(f"def {fun.__name__}(")
    assert stays in own and stays not in pieces and cured in pieces
    assert "none that was found" not in found.reason
    new = dict(globals())
    exec(split.source, new)
    first = new[fun.__name__](*args)
    written = [name for name in ("calls", "best", "rate", "key") if new[name] is not globals()[name]]
    assert written == {"tracked": ["best"], "noisy": ["key"], "logged": []}.get(fun.__name__, ["calls"])
    for name in written:
        monkeypatch.setitem(globals(), name, globals()[name])
    assert jnp.allclose(first, fun(*args)) and all(jnp.allclose(new[name], globals()[name]) for name in written)


def doubled(x):
    global calls
    calls = calls * 2 if calls else 1
    if jnp.sum(x) > 1:
        x = x / calls
    return jnp.sin(x) * calls


def test_a_global_that_is_read_goes_into_the_piece_as_an_argument():
    """The piece would keep the value that it had when it was traced."""
    (split,) = diagnose_call(doubled, (X,), {}, seconds=30.0).splits
    assert "def doubled_after(x, calls):" in split.source
    new = dict(globals(), calls=1)
    exec(split.source, new)
    assert jnp.allclose(new["doubled"](X), jnp.sin(X / 2) * 2) and jnp.allclose(new["doubled"](X), jnp.sin(X / 4) * 4)


def counted_by_a_loop(x):
    global calls
    for calls in range(3):
        x = jnp.sin(x) + calls
    if jnp.sum(x) > 1:
        x = x / 2
    return x


def test_a_global_that_is_set_by_a_loop_itself_has_no_split():
    """The statement cannot stay without what is inside it."""
    assert not jm.diagnose(counted_by_a_loop, X).splits


total, seen = jnp.zeros(2), [jnp.zeros(2)]


def running(x):
    global total
    total = total + x
    if jnp.sum(x) > 1:
        return jnp.sin(x) * 2
    return jnp.sin(x) + 1


def noting(x):
    seen.append(x)
    if jnp.sum(x) > 1:
        return jnp.sin(x) * 2
    return jnp.sin(x) + 1


@pytest.mark.parametrize(("fun", "name"), [(running, "total"), (noting, "seen")])
def test_what_the_failed_trace_itself_has_left_in_a_global_is_not_why_it_failed(monkeypatch, fun, name):
    """A cell that makes the global and calls the function would be told of the tracer each time, and never of the cure."""
    monkeypatch.setitem(globals(), "total", jnp.ones(2))
    monkeypatch.setitem(globals(), "seen", [jnp.ones(2)])
    with pytest.raises(jax.errors.TracerBoolConversionError) as failed:
        jax.jit(fun)(X)
    left = globals()[name]
    assert any(isinstance(each, jax.core.Tracer) for each in jax.tree_util.tree_leaves(left))
    found = diagnose_call(jax.jit(fun), (X,), {}, seconds=30.0, failed=failed.value)
    assert found.splits and found.splits[0].verified
    assert f"The global {name} holds tracers of the failed trace" in " ".join(found.notes)
    assert globals()[name] is left


class Draws:
    def __init__(self):
        self.key = jax.random.PRNGKey(0)

    def split(self):
        self.key, one = jax.random.split(self.key)
        return one


DRAWS = Draws()


def noisy(x):
    if x.sum() > 0:
        x = jnp.tanh(x) * 2
    return jnp.sin(x) * 3 + jax.random.normal(DRAWS.split(), x.shape)


def test_a_method_that_writes_to_an_object_of_the_modules_stays_in_plain_python():
    """In a piece it would leave a tracer there, which the next call meets."""
    (split,) = jm.diagnose(noisy, jnp.ones(3)).splits
    *pieces, own = split.source.rpartition("\ndef noisy(")
    assert "DRAWS.split()" in own and "DRAWS" not in "".join(pieces) and "normal(found, " in "".join(pieces)
