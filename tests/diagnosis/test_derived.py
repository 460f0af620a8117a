"""`jax.grad` and its kin in plain runs by NumPy: JAX's own values, and a function is traced once, as long as nothing that it
depends on changes."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic import diagnose, options
from jupyter_jitmagic.diagnosis.proof.derived import Derived
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.sandbox import clock
from jupyter_jitmagic.sandbox.clock import Deadline

W = jnp.array([0.5, -1.0, 2.0])
X = jnp.arange(12.0).reshape(4, 3) / 10
Y = jnp.array([1.0, 0.0, -1.0, 2.0])
SCALE = 2.0


def loss(w, X, y, rate=0.1):
    return jnp.mean((X @ w - y) ** 2) + rate * jnp.sum(w**2) * SCALE


def with_aux(w, X, y):
    residual = X @ w - y
    return jnp.sum(residual**2), {"residual": residual}


def of_tree(parameters, x):
    return jnp.sum(jnp.tanh(x @ parameters["w"]) * parameters["b"])


@pytest.fixture
def traces(monkeypatch):
    """One entry for each trace, operators left out."""
    in_a_run(lambda w: w - 0.1 * w, W)
    made, make = [], jax.make_jaxpr
    monkeypatch.setattr(jax, "make_jaxpr", lambda *args: made.append(1) or make(*args))
    return made


def in_a_run(fun, *args):
    return uncompiled.run(fun, args, {}, Deadline(20))


@pytest.mark.parametrize(
    ("transform", "fun", "options", "args"),
    [
        pytest.param(jax.grad, loss, {}, (W, X, Y), id="grad"),
        pytest.param(jax.grad, loss, {"argnums": (0, 2)}, (W, X, Y), id="argnums"),
        pytest.param(jax.value_and_grad, loss, {}, (W, X, Y, 0.5), id="a float"),
        pytest.param(jax.value_and_grad, with_aux, {"has_aux": True}, (W, X, Y), id="aux"),
        pytest.param(jax.grad, with_aux, {"has_aux": True}, (W, X, Y), id="grad with aux"),
        pytest.param(jax.value_and_grad, of_tree, {}, ({"w": W, "b": Y[0]}, X), id="tree"),
        pytest.param(jax.value_and_grad, loss, {}, (W, np.asarray(X), np.asarray(Y)), id="NumPy's arrays"),
        pytest.param(jax.hessian, loss, {}, (W, X, Y), id="hessian"),
        pytest.param(jax.jacfwd, lambda w: jnp.sin(w) * w[0], {}, (W,), id="jacfwd"),
        pytest.param(jax.jacrev, lambda w: jnp.sin(w) * w[0], {}, (W,), id="jacrev"),
        pytest.param(jax.grad, lambda w: jnp.where(w > 0, w, 0.0).sum() if w[0] > 0 else -w.sum(), {}, (W,), id="a branch"),
        pytest.param(jax.grad, functools.partial(loss, rate=0.3), {}, (W, X, Y), id="partial"),
        pytest.param(jax.grad, jax.jit(loss), {}, (W, X, Y), id="jit"),
        pytest.param(jax.grad, lambda w: jnp.sum(W * w) + jnp.linalg.norm(w), {}, (W,), id="an array of the notebook's"),
    ],
)
def test_values_are_those_of_jax(transform, fun, options, args):
    made = Derived().by(transform)
    want = transform(fun, **options)(*args)
    for _ in range(2):
        got = in_a_run(lambda *given: made(fun, **options)(*given), *args)
        assert jax.tree.structure(got) == jax.tree.structure(want)
        for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)


def test_a_function_is_traced_once_for_all_rounds_and_runs(traces):
    grad = Derived().by(jax.grad)

    def fit(w, X, y):
        for _ in range(20):
            w = w - 0.1 * grad(loss)(w, X, y)
        return w

    for start in (W, W + 1, -W):
        in_a_run(fit, start, X, Y)
    assert len(traces) == 1


def test_one_that_stands_in_the_function_is_traced_once_for_all_runs(traces):
    grad = Derived().by(jax.grad)

    def fit(w, X, y):
        def own(w):
            return jnp.mean((X @ w - y) ** 2)

        for _ in range(20):
            w = w - 0.1 * grad(own)(w)
        return w

    for data in (X, X + 1):
        got = in_a_run(fit, W, data, Y)
        np.testing.assert_allclose(got, fit(W, data, Y), rtol=1e-5)
    assert len(traces) == 1


@pytest.mark.parametrize(
    "of_data",
    [
        pytest.param(lambda X: 2.0 if X[0, 0] > 0.5 else 3.0, id="a value that is asked for"),
        pytest.param(lambda X: X[1], id="what is computed of it"),
        pytest.param(lambda X: jax.lax.cond(True, lambda: X, lambda: 2 * X), id="an inner program"),
        pytest.param(lambda X: doubled(X), id="a derivative of its own"),
    ],
)
def test_what_another_run_has_of_its_data_is_never_an_earlier_runs(of_data):
    grad = Derived().by(jax.grad)

    def slope(w, X):
        return grad(lambda w: jnp.sum(w * of_data(X)))(w)

    for data in (X, X + 1, X - 1):
        np.testing.assert_allclose(in_a_run(slope, W, data), jax.grad(lambda w: jnp.sum(w * of_data(data)))(W), rtol=1e-5)  # noqa: B023


@jax.custom_jvp
def doubled(x):
    return 2 * x


doubled.defjvps(lambda tangent, result, x: 2 * tangent)


def test_what_a_function_kept_for_itself_is_kept_in_each_run():
    grad = Derived().by(jax.grad)

    def slope(w, X):
        seen = []

        def own(w):
            seen.append(1)
            return jnp.sum(X @ w) * len(seen)

        return grad(own)(w), len(seen)

    for data in (X, X + 1):
        assert in_a_run(slope, W, data)[1] == 1


def test_what_is_computed_of_data_is_part_of_the_program(traces):
    grad = Derived().by(jax.grad)

    def slope(w, X, rate):
        return grad(lambda w: jnp.sum(w * -X[0] * (X[1] <= 0.3) / 2 + rate**2 * w))(w)

    for k in range(4):
        want = -(X + k)[0] * ((X + k)[1] <= 0.3) / 2 + 0.25
        np.testing.assert_allclose(in_a_run(slope, W, X + k, jnp.array(0.5)), want, rtol=1e-5)
    assert len(traces) == 1


def test_what_refuses_some_sizes_is_traced_for_others(traces):
    grad = Derived().by(jax.grad)

    def slope(w, X):
        return grad(lambda w: jnp.sum(X @ w))(w)

    for k in (1, 2, 4, 5):
        with pytest.raises(TypeError):
            in_a_run(slope, W, jnp.ones((2, k)))
    np.testing.assert_allclose(in_a_run(slope, W, X), jnp.sum(X, axis=0), rtol=1e-5)
    assert len(traces) == 5


def test_a_function_that_needs_values_is_not_traced_in_every_run(traces):
    grad = Derived().by(jax.grad)

    def slope(w, X):
        return grad(lambda w: jnp.sum(X @ w) if w[0] > 0 else jnp.sum(w))(w)

    for k in range(5):
        np.testing.assert_allclose(in_a_run(slope, W, X + k), jnp.sum(X + k, axis=0), rtol=1e-5)
    assert len(traces) == 3


def test_whoever_watches_sees_the_first_call(traces):
    """What is computed in the function is told by that one; the rounds that follow go by the program."""
    grad = Derived(first_by_jax=True).by(jax.grad)

    def fit(w, X, y):
        for _ in range(20):
            w = w - 0.1 * grad(loss)(w, X, y)
        return w

    got = in_a_run(fit, W, X, Y)
    assert len(traces) == 1
    np.testing.assert_allclose(got, fit(W, X, Y), rtol=1e-5)


def test_containers_are_told_by_what_they_hold(traces):
    """Those of one run by its arrays, that of the notebook by its own: traced once each, and again when an item changes."""
    grad = Derived().by(jax.grad)

    def fit(w, X):
        held = {"X": X, "scale": [2.0]}

        def own(w):
            return jnp.sum((held["X"] @ w) ** 2) * held["scale"][0] * SCALES["own"]

        for _ in range(5):
            w = w - 0.01 * grad(own)(w)
        held["scale"][0] = 3.0
        return w - grad(own)(w)

    got = in_a_run(fit, W, X)
    assert len(traces) == 2
    np.testing.assert_allclose(got, fit(W, X), rtol=1e-5)


def test_what_changes_around_a_function_is_seen():
    """A container that it reads, a name of its own that is bound anew, a setting of the notebook's."""
    grad = Derived().by(jax.grad)

    def fit(w):
        weights, scale, found = [1.0], 1.0, []

        def own(w):
            return jnp.sum(w**2) * weights[0] * scale * SCALES["own"]

        for _ in range(3):
            found.append(grad(own)(w))
            weights[0] = weights[0] + w[0]
            scale = scale * 2
            SCALES["own"] = SCALES["own"] + 1
        return found

    SCALES["own"] = 1.0
    want = fit(W)
    SCALES["own"] = 1.0
    for got, each in zip(in_a_run(fit, W), want, strict=True):
        np.testing.assert_allclose(got, each, rtol=1e-5)


SCALES = {"own": 1.0}


def test_what_may_change_unseen_is_left_to_jax():
    """The attributes of an object, a method of a container."""
    grad = Derived().by(jax.grad)

    class Model:
        scale = 1.0

        def loss(self, w):
            return self.scale * jnp.sum(w**2)

    def fit(w):
        model, kept = Model(), []
        method, scales = model.loss, [1.0]
        read = scales.__getitem__  # one object each, in all rounds
        for _ in range(3):
            kept.append(grad(model.loss)(w))
            kept.append(grad(method)(w))
            kept.append(grad(lambda w: jnp.sum(w) * read(0))(w))
            scales[0] = scales[0] + w[0]
            kept.append(grad(lambda w: jnp.sum(w) * model.scale)(w))
            model.scale = model.scale + w[0]
        return kept

    for got, want in zip(in_a_run(fit, W), fit(W), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.parametrize("transform", [jax.grad, jax.value_and_grad])
def test_what_was_made_beforehand_is_made_again_with_its_options(transform):
    derived = Derived()
    made = transform(with_aux, argnums=1, has_aux=True)
    again = derived.wrapping(made)(with_aux)
    want = made(W, X, Y)
    for one, other in zip(jax.tree.leaves(in_a_run(lambda *given: again(*given), W, X, Y)), jax.tree.leaves(want), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    assert derived.wrapping(loss) is None


def test_outside_of_such_a_run_it_is_jax_s_own(traces):
    made = Derived().by(jax.grad)
    for _ in range(2):
        np.testing.assert_array_equal(made(loss)(W, X, Y), jax.grad(loss)(W, X, Y))
    assert not traces
    assert jax.jit(made(loss))(W, X, Y).shape == W.shape


def train(w, X, y, tol=1e-3):
    steps = 0
    g = jax.grad(loss)(w, X, y)
    while jnp.linalg.norm(g) > tol and steps < 400:
        w = w - 0.2 * g
        g = jax.grad(loss)(w, X, y)
        steps += 1
    return w, steps


def test_a_loop_of_gradients_is_compared_with_plain_python(monkeypatch):
    monkeypatch.setattr(options, "advice_limit_s", 120.0)  # a busy machine changes no answer
    monkeypatch.setattr(clock, "WAITING", 40)
    rewrite = diagnose(train, W, X, Y).rewrites[0]
    assert "while_loop" in rewrite.patterns and rewrite.compared.inputs >= 5


MANY = {f"w{k}": jnp.linspace(-1.0, 1.0, 6 + k) for k in range(12)}


def of_many(weights, x):
    return sum(jnp.sum(jnp.tanh(w * x) ** 2) for w in weights.values())


def of_many_by_a_branch(weights, x):
    return of_many(weights, x) * 2 if weights["w1"].sum() < 1 else of_many(weights, x)


def of_many_with_a_name(weights, x):
    return of_many(weights, x), "squares"


def of_many_that_are_counted(weights, x):
    CALLS.append(1)
    return of_many_by_a_branch(weights, x)


CALLS: list[int] = []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fun", "options", "whole"),
    [
        (of_many, {}, True),
        (of_many_by_a_branch, {}, False),
        (of_many_with_a_name, {"has_aux": True}, False),
        (of_many_that_are_counted, {}, False),
    ],
)
def test_by_jax_itself_the_first_of_many_arrays_is_compiled_as_a_whole(fun, options, whole):
    """One by one, its operations would be compiled for each shape. What needs a value, or gives a string, is left to JAX."""
    compiled: list[str] = []

    def hear(event, duration, fun_name="", **_):
        if "backend_compile" in event:
            compiled.append(fun_name)

    made = Derived().by(jax.value_and_grad)
    jax.clear_caches()
    jax.monitoring.register_event_duration_secs_listener(hear)
    got = made(fun, **options)(MANY, 0.5)
    jax.monitoring.unregister_event_duration_listener(hear)
    assert ("jit(tanh)" not in compiled) == whole
    assert len(CALLS) == (fun is of_many_that_are_counted)
    want = jax.value_and_grad(fun, **options)(MANY, 0.5)
    assert jax.tree.structure(got) == jax.tree.structure(want)
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        assert one == other if isinstance(one, str) else np.allclose(one, other, rtol=1e-5)
