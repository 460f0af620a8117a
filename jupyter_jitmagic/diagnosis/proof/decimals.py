"""Inputs on which the last digits decide: plain Python's `float(x)` has 64 bits, a compiled program's float 32.

0.7 of 32 bits is a little less than Python's 0.7, so that `int(float(x) / 0.1)` is 6 and `float(x) >= 0.7` is false; with 32
bits all through it is 7 and true.
"""

from __future__ import annotations

import ast
import math
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.inputs import LARGE, Variations
from jupyter_jitmagic.diagnosis.proof.leaves import like

DECIMAL = "decimal"
IN_DOUBLE = (
    "plain Python's floats have 64 bits here (`float()`, `.item()`, `.tolist()`), which decides numbers at a limit, as 0.1"
)
ADDS_IN_DOUBLE = (
    "plain Python computes in 64 bits here (`float()`, `.item()`, `math`, `np.float64`), the compiled function in 32: where "
    "large numbers cancel each other, what is left is lost"
)
LIMITS_IN_DOUBLE = (
    "where numbers are 0 or 1, or past them, it gives something else; perhaps as plain Python computes with a number of its "
    "own there in 64 bits, and compiled code in 32, in which 1 - 1e-12 is 1"
)
TURNS_IN_DOUBLE = (
    "where an angle is a quarter turn (90 or 180 degrees) it may give something else: a sine or cosine that is 0 there is so "
    "but for rounding, of 64 bits in plain Python and of 32 in compiled code"
)
BETWEEN = (
    "compiled code has floats of 32 bits, which near {:.9g} are {:g} apart: what plain Python's 64 tell in between is lost"
)
OWN_DECIMAL = "own decimal"
OWN_IN_DOUBLE = (
    "plain Python's own numbers have 64 bits, the compiled function's 32, which decides what `int()` or `//` gives at a limit, "
    "as of 0.29 * 100"
)
_OWN_FLOATS = re.compile(r"\bfloat\(\s*[\w\"']|\.item\(|\.tolist\(")
_TO_WHOLE = re.compile(r"\b(?:int|round|floor|ceil|trunc|divmod|rint)\(|//|%")
_TO_DECIMALS = re.compile(r"(?<![.\w])round\(.*,\s*[\w-]+\s*\)|\bfloat\(\s*(?:[fF]?[\"'].*|format\(.*)\.\d+f")
_OWN_GRID = re.compile(r"\b(?:np|numpy)\.(?:linspace|arange|geomspace|logspace|histogram)\(")
_CHOOSES = re.compile(r"\b(?:min|max|if)\b")
_IN_DEGREES = re.compile(r"\b(?:radians|deg2rad)\b|\bpi\s*/\s*180|/\s*180(?:\.0?)?\s*\*\s*(?:\w+\.)?pi\b")
_LOST_BESIDE_ONE = 1e-4
_FEW_DIGITS_FROM = 1 << 16
_SHARES = (1, 1 - 7e-5, 1 - 2e-4)
_DECIMALS = (0.29, 0.7, 0.3, 0.6, 0.1, 0.57, 1.15)
_PAIRS = ((0.6, 0.1), (0.1, 0.6), (0.7, 0.2), (0.29, 0.01), (1.15, 0.1))
_MOST_LIMITS = 4
_OWN_LIMIT = 0.7


def computes_in_double(text: str) -> bool:
    """Whether a source may make Python's own floats of an array's."""
    return not jax.config.jax_enable_x64 and bool(_OWN_FLOATS.search(text))


def keeps_double(text: str) -> bool:
    """Whether a source may compute in 64 bits with an array's numbers: in Python's floats, or in NumPy's that it asks for."""
    return computes_in_double(text) or (not jax.config.jax_enable_x64 and "float64" in text)


def uses_math(text: str, around: Mapping[str, Any]) -> bool:
    """Whether it computes with functions of `math`, which are of Python's floats. `around`: its global names."""
    if jax.config.jax_enable_x64:
        return False
    return any(_is_of_math(around.get(node.id)) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name))


def _is_of_math(value: Any) -> bool:
    return value is math or (isinstance(value, types.BuiltinFunctionType) and value.__module__ == "math")


def puts_limits(text: str) -> bool:
    """Whether a source may put a float of its own in the place of an array's, and has one that 32 bits lose beside 1."""
    if jax.config.jax_enable_x64 or not _CHOOSES.search(text):
        return False
    return any(0 < number < _LOST_BESIDE_ONE for number in _floats_in(text))


def takes_degrees(text: str) -> bool:
    """Whether a source may compute with angles in degrees."""
    return not jax.config.jax_enable_x64 and bool(_IN_DEGREES.search(text))


def between_singles(variations: Variations) -> Iterator[tuple[Input, str]]:
    """The call with each large float of 64 bits put between two that 32 bits can tell apart, as most times and dates are (the
    Julian day 2451545.3, seconds since 1970), and what is to be said where that tells."""
    for k in variations.floats if not jax.config.jax_enable_x64 else ():
        values = np.asarray(leaf := variations.leaves[k])
        largest = np.max(np.abs(values), initial=0, where=np.isfinite(values))
        if values.dtype == np.float64 and _FEW_DIGITS_FROM <= largest <= np.finfo(np.float32).max and values.nbytes <= LARGE:
            said = BETWEEN.format(largest, np.spacing(np.float32(largest)))
            for share in _SHARES:  # a branch may be taken in which it does not tell
                near = (share * values).astype(np.float32)
                between = like(leaf, near + 0.4 * np.spacing(near).astype(np.float64))
                yield variations.replaced({k: between}, "large numbers"), said


def makes_whole(text: str) -> bool:
    """Whether a source may make whole numbers of Python's own floats."""
    return not jax.config.jax_enable_x64 and bool(_TO_WHOLE.search(text))


def needs_double(text: str) -> bool:
    """Whether a source makes of Python's floats what 32 bits cannot tell: it rounds them to decimals (9.85 of 32 bits is above
    9.85 of 64, and the halves go apart), makes edges of them between which it looks, or computes with numbers that are infinite
    or 0 there, as 1e300."""
    if not computes_in_double(text):
        return False
    numbers = _floats_in(text)
    of_single = np.finfo(np.float32)
    outgrow = any(number > of_single.max or 0 < number < of_single.tiny for number in numbers if np.isfinite(number))
    return outgrow or bool(_TO_DECIMALS.search(text) or _OWN_GRID.search(text))


def _floats_in(text: str) -> list[float]:
    return [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant) and type(node.value) is float]


def decimals(variations: Variations, literals: Sequence[float]) -> Iterator[Input]:
    """The call with its arrays of floats at a limit (a number of the code's, or of Python's among the arguments), all through
    or in one element beside zeros, whose sum it is then; and with decimals in them, which may be the edges of bins."""
    leaves = variations.leaves
    arrays = [k for k in variations.floats if _is_single_precision(leaves[k])]
    if not arrays:
        return
    own = {k: leaves[k] for k in variations.floats if isinstance(leaves[k], float)}
    numbers = dict.fromkeys([*own.values(), *map(abs, literals)])
    limits = [number for number in numbers if _is_rounded(number)][:_MOST_LIMITS]
    for values in [*[(limit,) for limit in limits], _DECIMALS, _DECIMALS[1:]]:
        yield variations.replaced({k: like(leaves[k], np.resize(values, np.shape(leaves[k]))) for k in arrays}, DECIMAL)
    moved = {} if limits else dict.fromkeys(own, _OWN_LIMIT)
    if limits or moved:
        lone = {k: like(leaves[k], _lone(limits[0] if limits else _OWN_LIMIT, np.shape(leaves[k]))) for k in arrays}
        yield variations.replaced({**moved, **lone}, DECIMAL)


def own_decimals(variations: Variations) -> Iterator[Input]:
    """The call with decimals in the place of Python's own floats."""
    own = [k for k in variations.floats if isinstance(variations.leaves[k], float)]
    for numbers in _PAIRS if len(own) > 1 else [(each,) for each in _DECIMALS] if own else ():
        yield variations.replaced(dict(zip(own, np.resize(numbers, len(own)).tolist(), strict=True)), OWN_DECIMAL)


def _lone(number: float, shape: tuple[int, ...]) -> Any:
    (values := np.zeros(shape)).reshape(-1)[0] = number
    return values


def _is_single_precision(leaf: Any) -> bool:
    return bool(attribute(leaf, "dtype") == np.float32 and leaf.nbytes <= LARGE and leaf.size > 0)


def _is_rounded(number: Any) -> bool:
    """Whether it is another number with 32 bits."""
    if not isinstance(number, float) or abs(number) > np.finfo(np.float32).max:
        return False
    return bool(np.isfinite(number) and float(np.float32(number)) != number)
