"""A user's function as its text and code."""

from __future__ import annotations

import warnings

from jupyter_jitmagic.source.units import unit_of
from tests.diagnosis.rewrites.helpers import define


def test_what_python_has_warned_of_once_is_not_told_again():
    """`x is 3` is told of when the user's cell is compiled; compiling it once more to find its code tells nothing new."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        f = define("def f(x):\n    return x if x is 3 else -x\n")["f"]
        first = [each for each in told if issubclass(each.category, SyntaxWarning)]
        told.clear()
        unit = unit_of(f.__code__, f.__globals__)
    assert unit is not None and "x is 3" in unit.text
    assert first and not told
