"""Calls that are unlike the failing one in two ways: whole numbers beside another static value, or in a single row.

Plain Python's types may be others there than in either way alone, and branches that are equal in both of these differ.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.leaves import as_integers
from jupyter_jitmagic.diagnosis.proof.other_calls import SINGLE_ROW, OtherCall

_MOST = 3  # of other static values


def two_at_once(static: Sequence[OtherCall], calls: Sequence[OtherCall], variations: Variations) -> Iterator[OtherCall]:
    """All numbers as integers where other static values are given (`static`), and in a single row, if `calls` have one."""
    row = [call for call in calls if call.words == SINGLE_ROW]
    for call in itertools.chain(static[:_MOST], row):
        there = variations.of(call.given)
        whole = {k: as_integers(there.leaves[k]) for k in there.floats if not there.is_of_a_library(k)}
        if whole:
            given = there.replaced(whole, "number")
            yield OtherCall(given, f"{call.words} where all numbers are integers", promised=False, sought=False)
