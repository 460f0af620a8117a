"""Edits to a text."""

from __future__ import annotations

import pytest

from jupyter_jitmagic.source.code import apply_edits


def test_what_is_inserted_at_one_place_stands_in_the_order_in_which_it_was_written():
    """It was sorted by its text: a `)` came before the brackets that it was to close."""
    assert (
        apply_edits("x[k]", [(1, 1, "[front"), (2, 3, "k + 1"), (4, 4, "]"), (4, 4, ")"), (0, 0, "f(")]) == "f(x[front[k + 1]])"
    )
    assert apply_edits("ab", [(1, 1, "z"), (1, 1, "y")]) == "azyb"


def test_edits_that_overlap_are_refused():
    with pytest.raises(ValueError, match="overlap"):
        apply_edits("abc", [(0, 2, "x"), (1, 3, "y")])
