"""Gradients without compiling: of a run of plain Python and of a traced program, beside `jax.grad`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jupyter_jitmagic.diagnosis.uncompiled import backward, running
from jupyter_jitmagic.diagnosis.uncompiled.backward_rules import NotKnown, Refused
from jupyter_jitmagic.diagnosis.uncompiled.programs import Watch, as_operand
from jupyter_jitmagic.diagnosis.uncompiled.recorded import Recordings, Tape
from jupyter_jitmagic.sandbox.clock import Deadline

X, S = jnp.array([1.5, -2.0, 0.0, 3.0]), jnp.float32(0.7)
M = jnp.arange(12.0).reshape(3, 4) / 5 - 1
INPUTS = {"numbers": X, "NaN": X.at[1].set(jnp.nan), "ties": X * 0 + 1}

FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "product": lambda x, s: (x * s).sum(),
    "columns first": lambda x, s: (
        (jnp.outer(x, x * s).flatten("F")[:5] ** 2).sum() + (M * s).reshape(2, 6, order="F")[0, 1] * s
    ),
    "where beside log": lambda x, s: jnp.where(x > 0, jnp.log(x), s * x).sum(),
    "log of where": lambda x, s: jnp.log(jnp.where(x > 0, x, 0.0)).sum(),
    "extremes": lambda x, s: jnp.max(x) * s + jnp.min(x),
    "elements": lambda x, s: x[0] * x[1:3].sum() + x[-1] ** 2 + x[jnp.argmax(x)],
    "updates": lambda x, s: x.at[1].set(s).prod() + x.at[2].add(s * 2).sum() + x.at[jnp.array([0, 0])].add(s).sum(),
    "norms": lambda x, s: jnp.sqrt(jnp.abs(x)).sum() + jnp.linalg.norm(x) + jnp.std(x),
    "contractions": lambda x, s: (M @ x).sum() * s + jnp.outer(x, x).sum() + jnp.einsum("i,i", x, x),
    "joined": lambda x, s: jnp.concatenate([x, x * s])[::2].sum() + jnp.stack([x, x]).mean() + jnp.pad(x, 1)[::-1].sum(),
    "extremes of segments": lambda x, s: (
        jax.ops.segment_max(x, jnp.array([0, 1, 0, 0]), 2).sum() * s
        + jax.ops.segment_min(x, jnp.array([0, 1, 1, 0]), 2).sum()
        + x.at[jnp.array([0, 0, 1])].max(s).sum()
    ),
    "the largest": lambda x, s: lax.top_k(x, 2)[0].sum() * s,
    "cond": lambda x, s: lax.cond(x[0] > 0, jnp.sin, lambda a: a * 0 + 1.0, x).sum(),
    "unused branch of a cond": lambda x, s: lax.cond(s > 0, lambda a, b: b * 1.0, lambda a, b: a, jnp.log(x[2]), s),
    "scan": lambda x, s: lax.scan(lambda c, r: (c * s + r, jnp.tanh(c)), s, x)[1].sum(),
    "scan's end": lambda x, s: lax.scan(lambda c, r: (c * s + jnp.sqrt(r), c), s, x, reverse=True)[0],
    "fori_loop": lambda x, s: lax.fori_loop(0, 3, lambda i, c: c * s + x[i], s),
    "orders": lambda x, s: jnp.cumsum(x)[2] * jnp.sort(x)[0] + jnp.median(x),
    "clipped": lambda x, s: jnp.clip(x, -1, 1).sum() + jnp.maximum(x, s).sum() + jnp.minimum(x, 0.0).sum(),
    "softmax": lambda x, s: jax.nn.softmax(x)[0] + jax.nn.sigmoid(s) + jax.nn.logsumexp(x),
    "powers": lambda x, s: (x**2 / (1 + s)).sum() + jnp.power(jnp.abs(x), s).sum() + jnp.cbrt(s) + jnp.reciprocal(s),
    "steps": lambda x, s: jnp.floor(x).sum() + jnp.round(s) * s + jnp.sign(x).sum() + (x // 2).sum() + jnp.mod(x, 1.3).sum(),
    "zero times a step": lambda x, s: jnp.floor(jnp.log(x)).sum() + s,
    "kinds": lambda x, s: x.astype(int).sum() * s + x.astype(jnp.float16).sum(),
    "nothing": lambda x, s: 3.0 + jnp.zeros(2).sum(),
    "stop_gradient": lambda x, s: lax.stop_gradient(x).sum() * s,
    "vmap": lambda x, s: jax.vmap(lambda r: jnp.where(r > s, r, s))(x).sum(),
    "keys beside numbers": lambda x, s: lax.scan(
        lambda c, r: ((jax.random.split(c[0])[0], c[1] * r), None), (jax.random.key(1), s), x[:2]
    )[0][1],
    "nansum": lambda x, s: jnp.nanmean(x) + jnp.nansum(x * s),
}


def of_program(fun: Callable[[Any, Any], Any], x: Any) -> Any:
    traced = jax.jit(fun).trace(x, S)
    if not backward.can_go(traced.jaxpr, range(2)):
        raise NotKnown
    given = [as_operand(leaf, variable.aval) for leaf, variable in zip([x, S], traced.jaxpr.jaxpr.invars, strict=True)]
    return backward.of_program(traced.jaxpr, given, range(2), Watch(Deadline(10)))


def of_run(fun: Callable[[Any, Any], Any], x: Any) -> Any:
    recordings, tape = Recordings(lambda: None, lambda _: None), Tape()
    for _ in range(2):
        running.run(fun, (x, S), {}, Deadline(10), None, recordings, "same", tape=tape)
    assert tape.known
    return backward.of_tape(tape, 2, Watch(Deadline(10)))


@pytest.mark.parametrize("how", [of_program, of_run])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_is_the_gradient_that_jax_gives(name: str, how: Callable[..., Any]) -> None:
    """NaN where JAX's is NaN, and 0 where JAX's is 0 because nothing depends on it."""
    for what, x in INPUTS.items():
        want = jax.grad(FUNCTIONS[name], argnums=(0, 1))(x, S)
        got = how(FUNCTIONS[name], x)
        for mine, theirs in zip(got, want, strict=True):
            np.testing.assert_allclose(mine, np.asarray(theirs), rtol=1e-4, atol=1e-5, err_msg=what)
            assert mine.dtype == theirs.dtype


def test_what_jax_refuses_is_left_to_jax() -> None:
    """A loop without a reverse mode, also in a branch that is not taken, and a rule of the user's own."""

    def endless(x: Any, s: Any) -> Any:
        return lax.while_loop(lambda c: c < 10, lambda c: c * 2 + 1, s)

    @jax.custom_jvp
    def own(x: Any) -> Any:
        return x * 1.0

    own.defjvp(lambda primals, tangents: (primals[0] * 1.0, tangents[0] * 0))
    functions = [endless, lambda x, s: lax.cond(s > 100, endless, lambda x, s: s, x, s), lambda x, s: own(x).sum()]
    for fun in functions:
        with pytest.raises(NotKnown):
            of_program(fun, X)
    for fun in (endless, functions[2]):
        with pytest.raises(NotKnown):
            of_run(fun, X)


def test_a_loop_without_a_reverse_mode_is_known_before_jax_is_asked() -> None:
    """Also within a branch or a helper under jit; not where it only counts, or where nothing that comes out goes through it."""

    def doubled(x: Any, s: Any) -> Any:
        return lax.while_loop(lambda c: c < 10, lambda c: c * 2 + 1, s)

    def counted(x: Any, s: Any) -> Any:
        return lax.while_loop(lambda c: c < x[0], lambda c: c + 1, 0) * s

    def grown(x: Any, s: Any) -> Any:  # the state begins as a fixed number
        def another(c: Any) -> Any:
            return c[0] + 1, lax.cond(c[1] > 10, lambda y: y, lambda y: y * s + 1, c[1])

        return lax.while_loop(lambda c: c[0] < 3, another, (0, 0.0))[1]

    def fixed(x: Any, s: Any) -> Any:
        return lax.while_loop(lambda c: c[1] < s, lambda c: (c[0] + 1, c[1] * 2), (0, 1.0))[1] * s

    one_way = [doubled, grown, jax.jit(doubled), lambda x, s: lax.cond(s > 100, doubled, lambda x, s: s, x, s) + x.sum()]
    both_ways = [counted, fixed, lambda x, s: jnp.floor(doubled(x, s)) + s, lambda x, s: x.sum() + (doubled(x, s) > 3)]
    for fun in one_way:
        assert backward.is_one_way(jax.jit(fun).trace(X, S).jaxpr, range(2))
        with pytest.raises(ValueError, match="while_loop"):
            jax.grad(fun, argnums=(0, 1))(X, S)
    for fun in both_ways:
        assert not backward.is_one_way(jax.jit(fun).trace(X, S).jaxpr, range(2))
        jax.grad(fun, argnums=(0, 1))(X, S)


def test_what_is_read_outside_of_jax_is_left_to_jax_where_it_is_differentiated() -> None:
    """`float(x)` fails under `jax.grad`; of what is not differentiated it does not."""
    with pytest.raises(jax.errors.ConcretizationTypeError):
        jax.grad(lambda x, s: float(x[0]) * s, argnums=(0, 1))(X, S)
    with pytest.raises(NotKnown):
        of_run(lambda x, s: float(x[0]) * s, X)
    with pytest.raises(Refused):
        of_run(lambda x, s: np.asarray(x).sum() * s, X)
    (grad_x, grad_s) = of_run(lambda x, s: float(M[0, 0]) * s + x[0], X)
    assert float(grad_s) == -1.0
    assert list(grad_x) == [1, 0, 0, 0]


def test_a_gradient_of_a_gradient_that_was_run_as_a_program() -> None:
    """What `jax.grad` made of a helper, with arrays of the run among its constants; a scan of many rounds is left to JAX."""
    program = jax.make_jaxpr(lambda x, s: jax.grad(lambda x: (jnp.sin(x) * s).sum())(x))(X, S)

    def fun(x: Any, s: Any) -> Any:
        run = running.run_of(x)
        made = (
            running.through(run, program, [x, s], program.consts)
            if run is not None
            else jax.core.eval_jaxpr(program.jaxpr, [], x, s)
        )
        return (made[0] ** 2).sum()

    for mine, theirs in zip(of_run(fun, X), jax.grad(fun, argnums=(0, 1))(X, S), strict=True):
        np.testing.assert_allclose(mine, np.asarray(theirs), rtol=1e-5)
    rounds = jnp.zeros(backward.MANY_ROUNDS + 1)
    long = lambda x, s: lax.scan(lambda c, r: (c * s + r, c), s, rounds)[0]  # noqa: E731
    for how in (of_program, of_run):
        with pytest.raises(NotKnown):
            how(long, X)


def test_a_run_that_goes_another_way_has_its_own_gradient() -> None:
    """What is recorded of one branch is not the gradient of the other."""

    def fun(x: Any, s: Any) -> Any:
        return (x * s).sum() if x[0] > 0 else x[1] + s * 5

    recordings = Recordings(lambda: None, lambda _: None)
    for x in (X, -X, X + 1, -X - 1):
        tape = Tape()
        for _ in range(2):
            running.run(fun, (x, S), {}, Deadline(10), None, recordings, "same", tape=tape)
        want = jax.grad(fun, argnums=(0, 1))(x, S)
        for mine, theirs in zip(backward.of_tape(tape, 2, Watch(Deadline(10))), want, strict=True):
            np.testing.assert_allclose(mine, np.asarray(theirs), rtol=1e-5)
