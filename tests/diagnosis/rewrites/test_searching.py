"""The search itself: what is known of a draft is not found out again."""

from __future__ import annotations

from collections.abc import Iterator

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.diagnosis.proof.arguments import JitCall
from jupyter_jitmagic.diagnosis.rewrites import RULES
from jupyter_jitmagic.diagnosis.rewrites.drafted import Drafted
from jupyter_jitmagic.diagnosis.rewrites.drafts import Draft
from jupyter_jitmagic.diagnosis.rewrites.engine import Search
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.sandbox.clock import Deadline

from .helpers import check, define

X = jnp.array([1.0, -2.0, 3.0])
NAMED = """
def f(x):
    size = "large" if x.sum() > 3 else "small"
    if x.max() > 2:
        return size
    return "none"
"""
CARRIED = """
def f(x, most):
    for k in range(most):
        kept = x[x > 0]
        x = x.at[0].set(jnp.fft.fft(kept).real.sum())
        if x[0] < 1:
            break
    return x
"""


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[Draft]:
    """The drafts that were traced."""
    found: list[Draft] = []
    trace = Search._traced

    def noted(self: Search, draft: Draft, *more: object) -> object:
        found.append(draft)
        return trace(self, draft, *more)

    monkeypatch.setattr(Search, "_traced", noted)
    return found


def test_a_draft_that_the_call_itself_stops_is_traced_once_for_all_searches(traced: list[Draft]) -> None:
    call = JitCall(define(NAMED)["f"], (X,), {})
    drafted = Drafted(call, tuple)
    first, second = (Search(call, RULES, Deadline(20), drafted=drafted) for _ in range(2))
    assert not list(first.drafts()) and traced
    count = len(traced)
    assert not list(second.drafts())
    assert len(traced) == count and second.obstacles == first.obstacles and second.why_not == first.why_not


def test_another_start_of_a_loop_is_not_traced_where_a_line_in_it_is_hopeless(traced: list[Draft]) -> None:
    """What has no fixed shape has none, whatever the types are with which the loop begins."""
    call = JitCall(define(CARRIED)["f"], (X, jnp.array(3)), {})
    search = Search(call, RULES, Deadline(20))
    assert not list(search.drafts())
    starts = [draft.changes[-1].pattern for draft in traced if draft.changes]
    assert starts.count("while_loop") == 1, starts


def test_an_extreme_of_numbers_is_better_than_nothing_and_nan_is_said():
    """Each `min` could be written in two ways, of which one differs beside NaN: time ran out before all were the other."""
    source = (
        "def f(X, y, w, tol=1e-3):\n    best, kept = -math.inf, w\n    for _ in range(10):\n"
        "        m = [float(yy) * (xx @ w) for xx, yy in zip(X, y)]\n        if min(m) > best:\n"
        "            best, kept = min(m), w\n        k = m.index(min(m))\n        if m[k] > tol:\n            break\n"
        "        w = w + y[k] * X[k]\n    return kept, best\n"
    )
    X, y = jnp.array([[1.0, 2.0], [2.0, -1.0]]), jnp.array([1, -1])
    found = check(source, (X, y, jnp.array([0.0, 1.0])), (X, y, jnp.array([3.0, 1.0])), (X, -y, jnp.zeros(2)), seconds=2.0)
    assert any("take account by its place alone" in each for each in found.rewrites[0].compared.differences)


def test_infinity_of_which_nan_comes_is_said_as_well(unhurried: None) -> None:
    """The length of a direction that holds infinity is none; of NaN, `min` gives what stands first."""
    source = """
def scene(p):
    ball = jnp.sqrt(jnp.sum((p - jnp.array([0.0, 1.0, 4.0])) ** 2)) - 1.0
    return min(ball, p[1])

def f(ro, rd):
    rd = rd / jnp.linalg.norm(rd)
    t = 0.0
    hit = False
    for _ in range(64):
        d = scene(ro + t * rd)
        if d < 1e-3:
            hit = True
            break
        t = t + d
        if t > 20.0:
            break
    if not hit:
        return 0.2 + 0.3 * rd[1], 20.0
    n = jax.grad(scene)(ro + t * rd)
    return 0.1 + 0.9 * max(jnp.dot(n, jnp.array([0.48, 0.8, -0.36])), 0.0), t
"""
    ro = jnp.array([0.0, 1.5, 0.0])
    calls = [(ro, jnp.array(way)) for way in ([0.0, -0.1, 1.0], [0.0, 1.0, 0.2], [0.3, -0.8, 0.5])]
    found = check(source, *calls, seconds=40.0)
    assert any("take account by its place alone" in each for each in found.rewrites[0].compared.differences)


def test_what_minds_nan_is_tried_at_every_place_once_a_draft_that_does_not_is_refused(traced: list[Draft]) -> None:
    # the choices behind the loop are no reason for a NaN that gets lost in it, and are not gone through one by one
    source = """
def f(power, nsigma=4.0, max_iter=5):
    flags = np.zeros(len(power), dtype=bool)
    for it in range(max_iter):
        good = power[~flags]
        if len(good) < 3:
            break
        sigma = 1.5 * np.median(np.abs(good - np.median(good)))
        if sigma == 0:
            break
        new = np.abs(power - np.median(good)) > nsigma * sigma
        if (new == flags).all():
            break
        flags = new
    for ch in np.where(flags)[0]:
        if ch > 1 and flags[ch - 2]:
            flags[ch - 1] = True
    clean = power[~flags].mean() if (~flags).any() else 0.0
    return flags, clean
"""
    power = jnp.array([1.0, 1.1, 0.9, 1.05, 9.0, 1.02, 8.0, 0.97, 1.0, 1.1])
    found = check(source, (power,), (power.at[3].set(jnp.nan),), (power * 0,), seconds=30.0)
    assert "jnp.isnan" in found.rewrites[0].source
    assert len(traced) < 60


def test_a_fault_of_one_rule_leaves_the_others_and_is_shown() -> None:
    def broken(spot: Spot) -> Iterator[Step]:
        yield spot.step("list", (spot.node, "1"), (spot.node, "2"))

    call = JitCall(define("def f(x):\n    if x > 0:\n        return x\n    return -x\n")["f"], (jnp.array(2.0),), {})
    search = Search(call, [broken, *RULES], Deadline(5.0))
    with pytest.warns(RuntimeWarning, match=r"a rule for rewrites \(test_searching\.broken\) failed"):
        assert next(iter(search.drafts())).draft.changes
    assert "edits overlap" in faults.details()
    faults.clear()
