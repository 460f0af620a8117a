"""Lists whose items data chooses, put into the front of an array's row: sequences that are padded to one length."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis import rewrites
from jupyter_jitmagic.diagnosis.rewrites import propose, rows_of_lists

from .helpers import check, define, offered

DECODED = """
def f(best, lengths, blank=0):
    ids = {array}
    counts = np.zeros(best.shape[0], dtype=np.int32)
    for b in range(best.shape[0]):
        {made}
        for tok in best[b, :lengths[b]]:
            if tok != blank and (prev is None or tok != prev):
                tokens.append(tok)
            prev = tok
        {put}
        counts[b] = len(tokens)
    return jnp.asarray(ids), jnp.asarray(counts)
"""
FULL = "np.full(best.shape, -1, dtype=np.int32)"
PATHS = [[[0, 1, 1, 0, 1], [3, 3, 0, 2, 1]], [[0, 0, 0, 0, 0], [1, 2, 1, 2, 1]], [[4, 4, 4, 4, 0], [0, 0, 0, 0, 7]]]
CALLS = [(jnp.array(path), jnp.array(lengths)) for path, lengths in zip(PATHS, ([5, 3], [0, 5], [1, 4]), strict=True)]


@pytest.mark.parametrize(
    ("array", "made", "put"),
    [
        (FULL, "tokens, prev = [], None", "ids[b, :len(tokens)] = tokens"),
        (FULL, "tokens = []\n        prev = None", "n = len(tokens)\n        ids[b, :n] = np.array(tokens)"),
        (f"jnp.asarray({FULL})", "tokens, prev = [], None", "ids = ids.at[b, :len(tokens)].set(jnp.array(tokens))"),
    ],
    ids=["in place", "by name", "anew"],
)
def test_their_items_are_set_one_by_one(array, made, put):
    found = check(DECODED.format(array=array, made=made, put=put), *CALLS, seconds=30.0)
    assert all("tokens.append" not in each.source for each in found.rewrites)


@pytest.mark.parametrize(
    ("put", "set_apart"),
    [
        ("ids[b, :len(tokens)] = tokens", True),
        ("ids[b, :len(tokens)] = tokens[::-1]", False),
        ("ids[b, 1:len(tokens)] = tokens", False),
        ("ids[b, :len(tokens)] = tokens\n        last = tokens", False),
        ("b = b - 1\n        ids[b, :len(tokens)] = tokens", False),
        ("ids[b, :len(tokens)] = np.array(tokens, dtype=np.int8)", False),
        ("if b == blank:\n            continue\n        ids[b, :len(tokens)] = tokens", False),
        ("ids[len(tokens), :len(tokens)] = tokens", False),
    ],
)
def test_a_list_with_which_more_is_done_stays_one(put, set_apart, monkeypatch):
    written, own = [], rows_of_lists.set_one_by_one

    def noted(spot):
        for step in own(spot):
            written.append(step.text)
            yield step

    monkeypatch.setattr(rewrites, "RULES", [noted if each is own else each for each in rewrites.RULES])
    offered(DECODED.format(array=FULL, made="tokens, prev = [], None", put=put), *CALLS[0], seconds=3.0)
    assert bool(written) == set_apart


@pytest.mark.parametrize(("item", "set_apart"), [("tok\n                    * 2", True), ("tok + len(tokens)", False)])
def test_an_item_over_two_lines_stays_one_and_one_that_asks_for_the_length_is_left_alone(item, set_apart):
    source = DECODED.format(array=FULL, made="tokens, prev = [], None", put="ids[b, :len(tokens)] = tokens")
    source = source.replace("append(tok)", f"append({item})")
    if set_apart:
        check(source, *CALLS, seconds=30.0)
    else:
        propose(define(source)["f"], CALLS[0], {}, seconds=8.0)  # and no rule fails
