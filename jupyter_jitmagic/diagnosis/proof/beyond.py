"""Whole numbers of Python's have no end and its floats 64 bits, those of compiled code wrap around and have 32: where that
tells, an answer says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.decimals import (
    ADDS_IN_DOUBLE,
    LIMITS_IN_DOUBLE,
    TURNS_IN_DOUBLE,
    between_singles,
    keeps_double,
    puts_limits,
    takes_degrees,
    uses_math,
)
from jupyter_jitmagic.diagnosis.proof.differing import CannotRun, differs, is_wider, parts_that_differ, shapes, too_large
from jupyter_jitmagic.diagnosis.proof.inputs import MANY_ROUNDS
from jupyter_jitmagic.diagnosis.proof.leaves import kind_of
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.proof.verify import WRAPS, falls_under
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.results import leaf_as_numbers, same_numbers

OF_PYTHON = re.compile(r"\b(int|len|round|floor|ceil|trunc|item|tolist|range|enumerate)\(")
"""What makes a whole number of Python's of an array's."""
OF_FLOATS = re.compile(r"\b(int|round|floor|ceil|trunc)\(")
"""What makes one of a float."""
OVERFLOWS = re.compile(r"(\bmath\.|(?<![\w.]))(exp|exp2|expm1|sinh|cosh|pow|gamma|lgamma)\(")
"""What raises OverflowError where an array's is infinite."""
FAR = 1e4
SHORT = 0.06  # seconds for a plain run
_NEAR = 1e-3


def note_overflows(plain: Plain, texts: list[str]) -> None:
    """Keep what plain Python raises for large floats, where it calls what has an end there."""
    if any(map(OVERFLOWS.search, texts)):
        for given in plain.variations.far(FAR):
            plain.note_what_it_raises(given, SHORT)


def beside_large(
    plain: Plain, rewrite: Callable[[Input], Any], excludes: Mapping[str, str], texts: list[str], seconds: float
) -> str:
    """WRAPS where a rewrite that is right otherwise gives something else for large numbers, else "". `rewrite` computes it by
    NumPy, `texts` are the user's functions."""
    whole = [plain.variations.leaves[k] for k in plain.variations.ints]
    if not any(map(_is_narrowed, whole)) and not any(map(OF_PYTHON.search, texts)):
        return ""  # arrays' own numbers wrap around in plain Python as well
    deadline = Deadline(seconds)
    call_shapes = shapes(plain.first)
    floats = any(map(OF_FLOATS.search, texts))
    for given in plain.variations.large(floats):
        found = plain.elsewhere(given, min(SHORT, deadline.left()))
        if deadline.over():
            return ""
        if found is None and given.kind == MANY_ROUNDS:
            plain.note_what_it_raises(given, SHORT)  # OverflowError, where an array meets a number that is too large for one
        if found is None or falls_under(plain, given, found[0], excludes, call_shapes):
            continue
        if too_large(found[0]):
            return WRAPS
        try:
            got = rewrite(given)
        except CannotRun:
            return ""
        if not plain.agrees() and not _whole_numbers_differ(got, found[0]):
            continue  # NumPy's rounding makes other floats of the call itself
        if differs(got, found[0]) and not is_wider(got, found[0]) and not _rounding_decides(plain, given, found[0]):
            return WRAPS
    return ""


def _whole_numbers_differ(got: Any, want: Any) -> bool:
    leaves = jax.tree_util.tree_leaves(want)
    return any(k < 0 or kind_of(leaves[k]) == "i" for k in parts_that_differ(got, want))


def beside_cancelling(
    plain: Plain,
    rewrite: Callable[[Input], Any],
    excludes: Mapping[str, str],
    texts: list[str],
    around: Mapping[str, Any],
    seconds: float,
) -> str:
    """What is to be said where a rewrite that is right otherwise loses what plain Python's 64 bits keep, else "". `around`: the
    global names of the `texts`."""
    call_shapes = shapes(plain.first)
    for given, said, exactly in _where_bits_tell(plain, texts, around):
        found = plain.elsewhere(given, min(SHORT, seconds))
        if found is None or falls_under(plain, given, found[0], excludes, call_shapes):
            continue
        try:
            got = rewrite(given)
        except CannotRun:
            continue
        if not differs(got, found[0]) or is_wider(got, found[0]):
            continue
        if exactly or not _is_near(got, found[0], plain.first):
            return said
    return ""


def _where_bits_tell(plain: Plain, texts: list[str], around: Mapping[str, Any]) -> Iterator[tuple[Input, str, bool]]:
    """(input, what is said where a rewrite gives something else on it, whether little else is said as well)."""
    in_double = any(map(keeps_double, texts))
    if in_double:
        yield from ((given, ADDS_IN_DOUBLE, True) for given in plain.variations.cancelling())
    if any(map(puts_limits, texts)):
        yield from ((given, LIMITS_IN_DOUBLE, True) for given in plain.variations.past_limits())
    if not in_double and any(uses_math(text, around) for text in texts):
        yield from ((given, ADDS_IN_DOUBLE, True) for given in plain.variations.cancelling())
    if any(map(takes_degrees, texts)):
        yield from ((given, TURNS_IN_DOUBLE, False) for given in plain.variations.at_turns())
    yield from ((given, said, False) for given, said in between_singles(plain.variations))


def _is_near(got: Any, want: Any, usual: Any) -> bool:
    """Whether floats differ by little beside a usual result, as what is 0 but for rounding does."""
    leaves = [jax.tree_util.tree_leaves(each) for each in (got, want, usual)]
    if shapes(got) != shapes(want) or len(leaves[1]) != len(leaves[2]):
        return False
    arrays = [[np.asarray(leaf_as_numbers(leaf)) for leaf in each] for each in zip(*leaves, strict=True)]
    return all(np.all(same_numbers(a, b, _NEAR, _NEAR * np.max(np.abs(c), initial=0))) for a, b, c in arrays)


def _is_narrowed(value: Any) -> bool:
    """Whether a whole number, or an array of some, is Python's or of NumPy's 64 bits, which jit makes 32 of."""
    return type(value) is int or (
        isinstance(value, np.ndarray | np.integer) and jax.dtypes.canonicalize_dtype(value.dtype) != value.dtype
    )


def _rounding_decides(plain: Plain, given: Input, want: Any) -> bool:
    """Whether the last digits of its floats decide what plain Python gives."""
    for factor in (1 + 3e-6, 1 - 3e-6) if plain.variations.floats else ():
        again = plain.uncompiled(plain.variations.nudged(given, factor), SHORT)
        if again is None or differs(again[0], want):
            return True
    return False
