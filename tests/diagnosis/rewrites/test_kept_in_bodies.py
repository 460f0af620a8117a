"""What the body of one of JAX's loops writes outside itself: the loop gives it on."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.rewrites import Proposals, propose

from .helpers import applied, define

X = jnp.array([1.0, -1.2, 5.0, -5.1, -0.5])


def check_without_jit(source: str, *calls: tuple[Any, ...], static: tuple[str, ...] = ()) -> Proposals:
    """As `check`; plain Python is what runs the bodies, too."""
    namespace = define(source)
    found = propose(namespace["f"], calls[0], {}, (), static, seconds=60)
    assert found.rewrites, found
    with jax.disable_jit():
        wanted = [namespace["f"](*args) for args in calls]
    with applied(found, namespace):
        fixed = jax.jit(namespace["f"], static_argnames=static)
        for args, want in zip(calls, wanted, strict=True):
            got = fixed(*args)
            assert jax.tree.structure(got) == jax.tree.structure(want)
            for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
                np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-4, atol=1e-5)
    return found


SCANNED = """def f(x0, xs):
    path = []
    def step(x, new):
        x = 0.9 * x + new
        path.append(x)
        return x, None
    final, _ = lax.scan(step, x0, xs)
    return final, {asked}
"""


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("jnp.stack(path)", "return final, path\n"),
        ("path[-1] + len(path)", "return final, path[-1] + len(path)\n"),
        pytest.param("path", "return final, list(path)\n", marks=pytest.mark.slow),
        pytest.param("sum(p * p for p in path)", "for p in path", marks=pytest.mark.slow),
    ],
)
def test_what_each_round_appends_is_the_second_result_of_the_scan(asked, written):
    found = check_without_jit(SCANNED.format(asked=asked), (1.0, X), (0.0, X[::-1]))
    text = found.rewrites[0].source
    assert "return x, x\n" in text and "final, path = lax.scan(step, x0, xs)" in text and written in text


def test_a_list_with_a_first_item_and_an_item_that_changes_later_in_the_round():
    source = """def f(x0, xs):
    path = [x0]
    def step(x, new):
        path.append(x * 2)
        x = 0.9 * x + new
        return x, x * x
    final = lax.scan(step, x0, xs)[0]
    return final, path
"""
    text = check_without_jit(source, (1.0, X)).rewrites[0].source
    assert "return x, (x * x, path_item)" in text and "path.extend(path_of_rounds)" in text


def test_a_fori_loop_that_appends_becomes_a_scan():
    source = """def f(w, x):
    history = []
    def body(i, w):
        g = x * w - i
        history.append(jnp.sum(g * g))
        return w - 0.1 * g
    w = lax.fori_loop(0, 6, body, w)
    return w, history[-1]
"""
    text = check_without_jit(source, (X, X), (X * 0, X)).rewrites[0].source
    assert "def body(w, i):" in text and ", jnp.arange(6))" in text


def test_names_and_dicts_that_a_body_writes_go_round_in_the_carry():
    source = """def f(xs):
    count = 0
    best = {"value": -jnp.inf}
    def step(prev, cur):
        nonlocal count
        if prev * cur < 0:
            count += 1
        if cur > best["value"]:
            best["value"] = cur
        return cur, None
    lax.scan(step, xs[0], xs[1:])
    return count, best["value"]
"""
    text = check_without_jit(source, (X,), (-X,), (X[:2],)).rewrites[0].source
    assert "(_, count, best), _ = lax.scan(step, (xs[0], count, best), xs[1:])" in text and "nonlocal" not in text


@pytest.mark.parametrize("made", ["np.zeros(5)", pytest.param("[0.0] * 5", marks=pytest.mark.slow)])
def test_a_buffer_that_a_body_fills_goes_round_in_the_carry(made):
    source = f"""def f(x):
    out = {made}
    def body(i, s):
        s = s + x[i]
        out[i] = s
        return s
    s = lax.fori_loop(0, 5, body, 0.0)
    return jnp.array(out), s
"""
    text = check_without_jit(source, (X,), (-X,)).rewrites[0].source
    assert "s, out = lax.fori_loop(0, 5, body, (0.0, out))" in text and "out = out.at[i].set(s)" in text


def test_what_lax_map_calls_gives_what_it_kept_beside_its_result():
    source = """def f(xs):
    seen = []
    def one(x):
        y = x * x
        seen.append(y)
        return y + 1
    out = jax.lax.map(one, xs)
    return out, jnp.array(seen).sum()
"""
    assert "out, seen = jax.lax.map(one, xs)" in check_without_jit(source, (X,), (X[:2],)).rewrites[0].source


def test_a_number_of_rounds_that_is_data_stacks_nothing():
    """The list of a `while_loop` has no length that is known."""
    source = """def f(x):
    seen = []
    def body(x):
        seen.append(x)
        return x * 0.5
    x = lax.while_loop(lambda x: x > 0.1, body, x)
    return x, seen[-1]
"""
    found = propose(define(source)["f"], (1.0,), {})
    assert not found.rewrites and "how many items seen gets depends on data" in " ".join(found.obstacles)


def test_the_answer_names_the_line_that_keeps_the_tracer_and_shows_the_fix():
    fun = define(SCANNED.format(asked="jnp.stack(path)"))["f"]
    found = jm.diagnose(fun, 1.0, X)
    assert found.sites[0].code == "path.append(x)" and found.rewrites[0].verified
    assert found.kind == "not_staticness"


def test_what_a_branch_of_a_body_appends_is_stacked_with_what_says_whether_it_counts():
    source = """def f(current, thr):
    times = []
    def step(v, given):
        i, t = given
        v = 0.9 * v + i
        if v > thr:
            times.append(t)
            v = 0.0
        return v, v
    v, vs = lax.scan(step, 0.0, (current, jnp.arange(len(current))))
    return vs, len(times), sum(times)
"""
    found = check_without_jit(source, (X, 1.0), (-X, 1.0), (X, 99.0))
    assert "return v, (v, t, pred)" in found.rewrites[0].source and "sum(kept)" in found.rewrites[0].source
