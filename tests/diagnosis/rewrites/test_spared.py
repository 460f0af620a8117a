"""Options that a call leaves out are static beside a rewrite only where it needs them so."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

import jupyter_jitmagic as jm


def solve(u: Any, beta: Any, tol: Any = 1e-4, max_iter: int = 200) -> Any:
    v = u * 0.0
    for _ in range(max_iter):
        new = u + beta * v
        err = jnp.max(jnp.abs(new - v))
        v = new
        if err < tol:
            break
    return v


def collatz(n: Any, limit: int = 100) -> Any:
    k = 0
    while n != 1 and k < limit:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        k += 1
    return k


def kept(x: Any, n: int = 4) -> Any:
    out = jnp.zeros(n)
    for i in range(n):
        if x.sum() > i:
            out = out.at[i].set(x.sum())
    return out


def counted(w: Any, x: Any, epochs: int = 5) -> Any:
    for _ in range(epochs):
        g = x * w
        w = w - 0.1 * g if g.sum() > 0 else w
    return w


def _found(fun: Any, *args: Any) -> Any:
    diagnosis = jm.diagnose(fun, *args)
    assert diagnosis.kind == "rewrite" and diagnosis.verified
    return diagnosis


def test_a_bound_of_rounds_is_data_to_a_while_loop() -> None:
    """It compiled again for each bound, for nothing; the rewrite takes it traced and gives plain Python's result."""
    for fun, args in ((solve, (jnp.array([1.0, 0.5]), 0.9)), (collatz, (jnp.array(7),))):
        diagnosis = _found(fun, *args)
        first = diagnosis.rewrites[0]
        assert "while_loop" in first.patterns and first.static_argnames == ()
        assert "static beside the rewrite" not in diagnosis.reason


def test_the_way_that_keeps_the_gradient_keeps_its_count_static() -> None:
    """A traced count makes `fori_loop` a while loop, which has no reverse mode."""
    second = next(each for each in _found(solve, jnp.array([1.0, 0.5]), 0.9).rewrites if "fori_loop" in each.patterns)
    assert second.static_argnames == ("max_iter",)


def test_what_decides_a_shape_stays_static() -> None:
    diagnosis = _found(kept, jnp.ones(3))
    assert diagnosis.rewrites[0].static_argnames == ("n",) and "n is left out here" in diagnosis.reason


def test_a_loop_that_is_differentiated_keeps_its_count_static() -> None:
    found = _found(counted, jnp.ones(3), jnp.ones(3)).rewrites[0]
    names = dict.fromkeys(found.static_argnames)
    space: dict[str, Any] = {"jnp": jnp, "jax": jax, "Any": Any}
    exec(found.source, space)
    slope = jax.grad(lambda w: jax.jit(space["counted"], static_argnames=tuple(names))(w, jnp.ones(3), epochs=3).sum())
    assert bool(jnp.isfinite(slope(jnp.ones(3))).all())


def sought(a, x0, tol=1e-5):
    x, n = x0, 0
    while n < 30:
        step = (x**3 - a) / (3 * x**2)
        x = x - step
        if jnp.abs(step) < tol:
            break
        n += 1
    return x, n


def test_integers_beside_an_option_do_not_make_it_static() -> None:
    """The loop's carry is a float from the first round on: integers fail with a static `tol`, too."""
    diagnosis = _found(sought, jnp.array(8.0), jnp.array(1.0))
    assert diagnosis.rewrites[0].static_argnames == () and "tol" not in diagnosis.reason


def loudest(x, lags=(1, 2)):
    powers = [jnp.sum(x[k:] * x[:-k]) for k in lags]
    best = powers[0]
    for power in powers[1:]:
        if power > best:
            best = power
    return best


def test_a_tuple_of_sizes_that_is_left_out_is_static_as_a_size_is() -> None:
    """The slices were made masks, for lags that are data."""
    diagnosis = _found(loudest, jnp.array([3.0, 1.0, 4.0, 1.5]))
    assert diagnosis.rewrites[0].static_argnames == ("lags",) and "lags is left out here" in diagnosis.reason
    assert "for k in lags" in diagnosis.rewrites[0].source and "arange" not in diagnosis.rewrites[0].source
