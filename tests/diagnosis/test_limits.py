"""A diagnosis ends in time, and what it could not try it calls unknown."""

import time
import tracemalloc

import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis import rewrites
from jupyter_jitmagic.diagnosis.asked import Asked
from jupyter_jitmagic.diagnosis.diagnosing import diagnose_call
from jupyter_jitmagic.diagnosis.rewrites import Proposals
from jupyter_jitmagic.diagnosis.splits.program import Split
from jupyter_jitmagic.diagnosis.types import Found
from jupyter_jitmagic.sandbox import limit
from jupyter_jitmagic.sandbox.clock import Deadline


def busy(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))


@pytest.fixture
def limited():
    jm.options.advice_limit_s = 0.2
    yield
    jm.options.reset()


def test_a_trace_that_takes_longer_than_the_limit_is_unknown(limited):
    def fun(x, n):
        busy(60)
        return jnp.zeros(n) + x

    begin = time.thread_time()
    found = jm.diagnose(fun, 1.0, 3)
    assert time.thread_time() - begin < 20
    assert (
        found.reason.startswith(("Unknown: tracing takes longer than", "Unknown: the search"))
        and "advice_limit_s" in found.reason
    )
    assert not found.verified and not found.static_argnames


def test_a_search_that_is_cut_off_does_not_call_the_value_data():
    jm.options.advice_limit_s = 1.2
    try:

        def fun(x, n):
            busy(0.5)
            return jnp.zeros(n) + x

        found = jm.diagnose(fun, 1.0, 3)
        assert found.kind == "static" or found.reason.startswith("Unknown")
    finally:
        jm.options.reset()


def test_an_answer_that_is_stopped_while_it_looks_for_code_tells_what_it_knows(limited, monkeypatch):
    """Kind and place stay; nothing is said of what was not looked for."""
    jm.options.advice_limit_s = 1.5
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.answering.with_rewrite", lambda *_, **__: busy(60))
    found = jm.diagnose(lambda x: x + 1 if x > 0 else x, jnp.float32(1.0))
    assert found.kind == "rewrite" and found.stopped
    assert found.sites[0].arguments == ("x",)
    assert "the search was stopped after" in found.reason and "No fix found" not in str(found)


def test_a_search_that_ends_with_its_time_says_so(monkeypatch):
    """It does not say that no rewrite is known: there may be one."""

    def doubled(x):
        return x * 2 if x.sum() > 0 else x

    assert jm.diagnose(doubled, jnp.ones(3)).rewrites
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.rewrites.proposing.Deadline", lambda seconds: Deadline(0.0))
    hurried = jm.diagnose(doubled, jnp.ones(3))
    assert not hurried.rewrites and "No rewrite: the time for an answer was up" in hurried.reason
    assert "is known" not in hurried.reason


def test_the_search_has_longer_where_the_limit_is_raised(limited, monkeypatch):
    """An answer that ends with its time says to raise `advice_limit_s`; the search ended after the same few seconds then."""
    given = []

    def noted(*_, seconds, **__):
        given.append(seconds)
        return Proposals()

    monkeypatch.setattr("jupyter_jitmagic.diagnosis.rewrites.propose", noted)
    for allowed in (10.0, 60.0):
        jm.options.advice_limit_s = allowed
        jm.diagnose(lambda x: x * 2 if x.sum() > 0 else x, jnp.ones(3))
    assert max(given) > 10.0 > 4.0 >= min(given)
    given.clear()
    diagnose_call(lambda x: x * 2 if x.sum() > 0 else x, (jnp.ones(3),), {}, seconds=5.0)  # who asks for less gets less
    assert 0.0 < max(given) <= 5.0


def test_pieces_have_time_of_their_own_where_looking_for_other_code_took_all(monkeypatch):
    """A long function is cut many times before each of its pieces traces."""
    seconds = []

    def no_proposals(*_, **__):
        busy(2.5)
        return Proposals()

    def no_split(_call, _static, left, *_):
        seconds.append(left)
        return Split(runs=True)

    monkeypatch.setattr("jupyter_jitmagic.diagnosis.other_code.proposals", no_proposals)
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.splits.find_split", no_split)
    jm.diagnose(lambda x: x[x > 0], jnp.arange(3.0))
    assert seconds == [jm.options.advice_limit_s / 4]


@pytest.mark.parametrize(("limit_s", "in_pieces"), [(1.5, (None, False)), (60.0, (None, False)), (5.0, None)])
def test_other_code_that_was_in_hand_when_the_time_was_up_is_told(limited, monkeypatch, limit_s, in_pieces):
    """Whether the answer was stopped as a whole, or the search for other code alone, or then the one for pieces; it says
    that nothing was compared."""
    jm.options.advice_limit_s = limit_s
    if limit_s > 2:
        monkeypatch.setattr("jupyter_jitmagic.diagnosis.other_code.limited", lambda _, work: limit.limited(0.5, work))
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.rewrites.judging.Judge.judge", lambda *_: busy(60))
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.other_code.find_pieces", lambda *_: in_pieces or busy(60))
    found = jm.diagnose(lambda x: x + 1 if x > 0 else x, jnp.float32(1.0))
    assert found.kind == "rewrite" and not found.rewrites and not found.verified
    assert [each.patterns for each in found.unverified] == [("where",)]
    assert "Perhaps · traced, not compared: the time was up" in str(found)
    assert found.stopped == (limit_s < 60) == ("the search was stopped after" in found.reason)


def test_other_code_is_in_hand_while_other_calls_are_looked_for(limited, monkeypatch):
    """Each of them is a run of plain Python, and a loop of thousands of rounds takes all the time."""
    jm.options.advice_limit_s = 1.5
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.rewrites.judging.Judge._find_other_calls", lambda *_: busy(60))
    found = jm.diagnose(lambda x: x + 1 if x > 0 else x, jnp.float32(1.0))
    assert found.stopped and not found.verified and [each.patterns for each in found.unverified] == [("where",)]


def test_a_long_trace_is_stopped_first_and_traced_whole_where_its_loops_are_not_why(monkeypatch):
    def slow(x):
        busy(0.1)
        return x + 1 if x > 0 else x

    def many(x, out):
        for i in range(out.shape[0]):
            out = out.at[i].set(x * i)
        return out if x > 0 else -out

    monkeypatch.setattr("jupyter_jitmagic.diagnosis.rewrites.engine.LONG_TRACE", 0.02)
    found = jm.diagnose(slow, jnp.float32(1.0))
    assert [each.patterns[0] for each in (*found.rewrites, *found.unverified)][:1] == ["where"]
    found = jm.diagnose(many, jnp.float32(1.0), jnp.zeros(400))
    assert "fori_loop" in found.rewrites[0].patterns


def test_what_changes_an_array_in_place_tells_where_and_what_was_in_hand_when_the_time_was_up(limited, monkeypatch):
    """It stays what it is, a failure of plain Python's, too; the static arguments of the code in hand are told with it."""

    def filled(x, n):
        out = jnp.zeros(n)
        out[0] = x
        return out

    def keep_twice(asked, *in_hand):
        keep(asked, *in_hand)
        keep(asked, *in_hand)

    keep = Asked.keep
    monkeypatch.setattr(Asked, "keep", keep_twice)  # as where one draft after the other is in hand
    jm.options.advice_limit_s = 2.5
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.rewrites.judging.Judge.judge", lambda *_: busy(60))
    found = jm.diagnose(filled, jnp.float32(1.0), 4)
    assert found.kind == "not_staticness" and found.stopped and not found.verified
    assert found.sites[0].code == "out[0] = x" and found.static_argnames == ("n",)
    assert [each.patterns for each in found.unverified] == [("at",)]
    assert "JAX arrays are immutable" in found.reason and found.reason.count("n must be static as well") == 1
    assert "the search was stopped after" in found.reason and "no part" not in found.reason


def test_code_with_effects_is_not_in_hand_before_it_is_known_to_keep_no_tracer(limited, monkeypatch):
    kept = []

    def fun(x):
        kept.append(x)
        return x + 1 if x > 0 else x

    jm.options.advice_limit_s = 1.5
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.rewrites.judging.Judge.judge", lambda *_: busy(60))
    found = jm.diagnose(fun, jnp.float32(1.0))
    assert found.stopped and not found.unverified and not kept


def test_an_answer_that_is_stopped_says_what_its_static_set_costs(limited, monkeypatch):
    """That it makes an unbearable program is known before other code is looked for."""

    def long(x, n):
        for _ in range(n):
            x = x + 1
        return x

    jm.options.advice_limit_s = 4.0
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.answering.MANY_EQUATIONS", 100)
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.answering.as_data", lambda *_: busy(60))
    found = jm.diagnose(long, jnp.float32(1.0), 300)
    assert found.stopped and found.equations == 300 and "traced: 300 equations; compiling may take long" in str(found)


def test_a_run_that_came_to_no_site_in_its_time_leaves_the_one_that_jax_names(monkeypatch):
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.diagnosing.find_call_sites", lambda *_, **__: Found())
    found = jm.diagnose(lambda x: x if x > 0 else -x, jnp.float32(1.0))
    assert found.kind == "rewrite" and [site.operation for site in found.sites] == ["ternary"] and not found.sites[0].proven


def test_an_answer_that_is_stopped_as_a_whole_does_not_blame_the_trace(limited, monkeypatch):
    """The trace was quick; what came after it took the time."""
    jm.options.advice_limit_s = 1.5
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.diagnosing.answer", lambda *_: busy(60))
    found = jm.diagnose(lambda x, n: jnp.zeros(n) + x, 1.0, 3)
    assert found.reason.startswith("Unknown: the search for an answer was stopped after") and "advice_limit_s" in found.reason


def cooled(y, t_end=1.0, dt=0.25):
    t, ys = 0.0, []
    while t < t_end:
        if y > 1.0:
            y = y - dt * (y - 0.5)
        ys.append(y)
        t += dt
    return jnp.array(ys)


def test_an_answer_stays_one_where_the_time_is_up_while_a_better_one_is_looked_for(monkeypatch):
    """The search with more static options notes what it has in hand: that is no reason to forget what was proven."""
    propose, searched = rewrites.propose, []

    def stopped_at_second(*args, so_far, **options):
        searched.append(args)
        if len(searched) == 2:
            so_far[:] = [Proposals()]
            raise limit.OutOfTime
        return propose(*args, so_far=so_far, **options)

    monkeypatch.setattr(rewrites, "propose", stopped_at_second)
    found = jm.diagnose(cooled, jnp.float32(3.0))
    assert len(searched) == 2 and found.verified and found.rewrites


def test_what_numpy_makes_of_a_varied_number_is_no_array_of_gigabytes(unhurried):
    """One call of NumPy's looks at no clock, and a kernel that needs more memory than there is ends."""

    def masked(x, lengths):
        mask = np.zeros((*x.shape, x.shape[1]), dtype=bool)
        for b, n in enumerate(lengths):
            mask[b, :n, :n] = np.tril(np.ones((n, n), dtype=bool))
        return jnp.where(jnp.asarray(mask), x[..., None], 0.0)

    tracemalloc.start()
    try:
        found = jm.diagnose(masked, jnp.ones((3, 6)), jnp.array([6, 4, 2]))
        assert found.rewrites
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()
