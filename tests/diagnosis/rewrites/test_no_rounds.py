"""Compiled loops and branches that are traced where plain Python runs no line of them: on arrays of nothing."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X = jnp.array([1.0, 0.5, -0.5, -1.0, 0.5, 1.0, -1.0, 2.0, 0.0])
NONE = "import numpy as np\nimport jax\nimport jax.numpy as jnp\n"

FUNCTIONS = {
    "a loop over differences": """
def f(x):
    y = np.empty_like(x)
    y[0] = x[0]
    v, hits = 0.0, 0
    for i, d in enumerate(np.diff(x)):
        v -= d
        y[i + 1] = y[i] + v * d
        if y[i + 1] < 0 and v < 0:
            y[i + 1] *= -0.5
            hits += 1
    return y, hits
""",
    "a first place": """
def f(x):
    places = jnp.where((x[:-1] < 0) & (x[1:] >= 0))[0]
    if len(places) == 0:
        return jnp.nan
    i = places[0]
    return x[i] / (x[i + 1] - x[i])
""",
    "an element beside a function of a module's": """
def f(x):
    steps = x[1:] - x[:-1]
    if (steps > 1).sum() > 0:
        return jnp.abs(steps[jnp.argmax(steps > 1)] + jnp.sum(steps))
    return 0.0
""",
    "a choice that is kept": """
def f(x):
    steps = x[1:] - x[:-1]
    best = 0.0
    if (steps > 1).any():
        best = best + steps[jnp.argmax(steps)] * jnp.max(steps) + 1.0
    return best
""",
}


@pytest.mark.parametrize("which", FUNCTIONS)
def test_a_single_row_is_served_as_well(which):
    """It was said to fail there, as the body of a loop without rounds was traced."""
    proposals = check(NONE + FUNCTIONS[which], (X,), (-X,), (X[:1],), (X[:2],))
    assert not any("single row" in said for said in proposals.rewrites[0].compared.differences)


NEEDED = """
def f(x):
    d = x[4:]
    y = jax.lax.cond(x[0] > 0, lambda: x[1], lambda: d[0])
    return y if y > 0 else 0.0
"""


def test_a_question_that_the_call_itself_needs_is_not_taken_away():
    """The other calls traced without it, and a failed trace was taken for the call's program."""
    found = propose(define(NONE + NEEDED)["f"], (X[:4],), {})
    assert all(".size" in each.source for each in (*found.rewrites, *found.unverified))


def test_lengths_are_asked_for_no_more_than_needed():
    """A loop that takes no element of an array of nothing has no question around it."""
    source = (
        f"{NONE}def f(x):\n    s = 0.0\n    for i in range(x.size):\n        if s < 1:\n            s = s + x.max()\n"
        "    return s * x\n"
    )
    found = check(source, (X,), (X[:1],)).rewrites[0]
    assert "if x.size" not in found.source


def test_where_plain_python_reads_an_element_of_nothing_nothing_is_asked():
    """An element that is read in every call fails in plain Python as well: a question around it would hide that."""
    source = "import jax.numpy as jnp\ndef f(x):\n    d = x[1:]\n    if d[0] > 0:\n        return d[0] * 2\n    return d[0]\n"
    found = propose(define(source)["f"], (X,), {}).rewrites[0]
    assert ".size" not in found.source


def test_an_option_that_is_left_out_is_tried_at_nothing():
    """`max_iter=0` has no rounds: the compiled body was traced on a list without items."""
    source = """
def f(x, n=5):
    history = [x.sum()]
    it = 0
    while it < n:
        if history[-1] < 1:
            break
        x = x * 0.5
        history.append(x.sum())
        it += 1
    return x, history[-1], it
"""
    space = define(source)
    found = jm.diagnose(space["f"], jnp.abs(X) * 9)
    assert found.verified and "n" in found.rewrites[0].static_argnames
    plain = space["f"]
    exec(compile(found.rewrites[0].source, "<rewrite>", "exec"), space)
    for n in (0, 1, 7):
        for got, want in zip(jax.jit(space["f"], static_argnames="n")(X + 2, n=n), plain(X + 2, n=n), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5)


def test_a_loop_without_reverse_mode_is_said_where_only_another_static_value_is_differentiable():
    """Under jax.grad plain Python cannot print a tracer with a format: with verbose=True there was nothing to compare."""
    source = """
def f(x, verbose=False):
    for it in range(20):
        if verbose:
            print(f"{it}: {x.sum():.3e}")
        if x.sum() < 1:
            return x, it
        x = x * 0.5
    return x, 20
"""
    found = jm.diagnose(define(source)["f"], jnp.abs(X) * 9, verbose=True)
    first = found.rewrites[0]
    assert "while_loop" in first.source and any("reverse-differentiable" in said for said in first.compared.differences)


def test_a_loop_that_may_fill_a_buffer_of_nothing_is_asked_for_its_size():
    """Of two samples there is none in the middle, so that the list can hold nothing: plain Python's loop runs no round."""
    source = """
def f(ecg, dead_time):
    last, gaps = None, []
    threshold = 0.6 * ecg.max()
    for i in range(1, len(ecg) - 1):
        if ecg[i] <= threshold or ecg[i] < ecg[i - 1] or ecg[i] <= ecg[i + 1]:
            continue
        if last is not None:
            gap = i - last
            if gap < dead_time:
                continue
            gaps.append(gap)
        last = i
        threshold = 0.5 * threshold + 0.3 * ecg[i]
    if not gaps:
        return 0.0, 0
    return len(gaps) / sum(gaps), len(gaps)
"""
    wave = jnp.tile(jnp.array([0.0, 2.0, 1.0, 3.0, 0.5, 0.7, 0.2, 4.0, 1.0]), 3)
    found = check(source, (wave, 2.5), (wave, 0.0), (wave[:2], 1.0), (wave[:1], 1.0), (wave[:3], 1.0)).rewrites[0]
    assert "if gaps.size:" in found.source
    assert not any("fails" in said for said in found.compared.differences)
