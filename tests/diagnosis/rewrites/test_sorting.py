"""Lists of tuples that are sorted by a traced key."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

BEAMS = """def f(logp):
    beams = [(0.0, [])]
    for t in range(logp.shape[0]):
        cand = []
        for score, seq in beams:
            for v in range(logp.shape[1]):
                cand.append((score + logp[t, v], seq + [v]))
        {sorted_by}
    return jnp.array(beams[0][1]), beams[0][0]
"""
LOGP = jnp.log(jnp.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]]))


@pytest.mark.parametrize(
    "sorted_by",
    [
        "cand.sort(key=lambda c: c[0], reverse=True)\n        beams = cand[:2]",
        "beams = sorted(cand, key=lambda c: -c[0])[:2]",
    ],
)
def test_a_beam_search_sorts_by_argsort_and_equal_scores_keep_their_order(sorted_by):
    found = check(BEAMS.format(sorted_by=sorted_by), (LOGP,), (LOGP[::-1],), (LOGP * 0,))
    assert "jnp.argsort(" in found.rewrites[0].source


def test_items_of_different_structures_are_left_alone():
    source = BEAMS.format(sorted_by="beams = sorted(cand, key=lambda c: -c[0])[:2]").replace("seq + [v]", "seq + [v] * (v + 1)")
    assert not propose(define(source)["f"], (LOGP,), {}).rewrites
