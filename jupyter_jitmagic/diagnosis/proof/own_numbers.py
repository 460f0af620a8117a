"""Python's own whole numbers and flags become arrays under jit, which compute otherwise: `2 ** -1` is 0 and `True + True` is
True there. That is no rounding, and an answer says so."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.differing import differs, shapes, too_large
from jupyter_jitmagic.diagnosis.proof.side_by_side import side_by_side
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.sandbox.results import leaf_as_numbers, same_numbers

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.proof.plain import Plain

AS_ARRAYS = (
    "Python's own whole numbers and flags are arrays in compiled code, which gives something else for some (`2 ** -1` is 0 "
    "there, `True + True` is True, and what outgrows 64 bits wraps around)"
)
NEGATIVE_POWER = (
    "a whole number to a negative power, in plain Python a float, is 0 in compiled code (`2.0 ** k` is the same in both)"
)
OUTSIDE = "outside"  # of `Step.excludes`: plain Python makes NaN of numbers
NO_NUMBER = (
    "it gives NaN for some numbers for which plain Python gives another (perhaps as a negative float of its own to a "
    "fractional power is complex there)"
)
NAN_IN_SINGLE = (
    "it gives NaN for some numbers for which plain Python gives another (perhaps as compiled code rounds otherwise, or as its "
    "floats of 32 bits are infinite sooner than plain Python's of 64)"
)
NUMBERS = (-1, 2, 13, 23)
"""Of which one makes an exponent negative that is computed of it, perhaps."""
_SHORT, _PATIENCE = 0.06, 1.0  # seconds for a plain run by NumPy, and by JAX
_FAR = 1e-2  # relative to the largest number


def has_open_power(tree: ast.AST) -> bool:
    """Whether a source takes a power that may be negative, of what is not written as a float."""
    return any(_is_open(node) for node in ast.walk(tree))


def _is_open(node: ast.AST) -> bool:
    match node:
        case ast.BinOp(op=ast.Pow(), left=ast.Constant(value=float())) | ast.BinOp(op=ast.Pow(), right=ast.Constant()):
            return False
        case ast.BinOp(op=ast.Pow()) | ast.Call(func=ast.Name(id="pow"), args=[_, _]):
            return True
    return False


def beside_negative_powers(plain: Plain, rewrite: Callable[[Input], Any], texts: list[str], seconds: float) -> str:
    """Half a sentence where a rewrite that is right otherwise gives something else, else "". `rewrite` computes it by NumPy,
    `texts` are the user's functions."""
    if not any(has_open_power(ast.parse(text)) for text in texts):
        return ""
    for given, got, want in side_by_side(plain.elsewhere, rewrite, _numbers(plain), _SHORT, Deadline(seconds)):
        if differs(got, want) and (said := otherwise_as_arrays(plain, given, got, want)):
            return said
    return ""


def _numbers(plain: Plain) -> Iterator[Input]:
    for k in [k for k in plain.variations.ints if type(plain.variations.leaves[k]) is int][:3]:
        for number in NUMBERS:
            yield plain.variations.replaced({k: number}, "negative int")


def otherwise_as_arrays(
    plain: Plain, given: Input, got: Any, want: Any, as_arrays: Callable[[Input], Input] | None = None
) -> str:
    """Half a sentence where plain Python gives `got` in the place of `want` with arrays for its own numbers, and not for want
    of bits; "" elsewhere. `as_arrays` makes them, where the input is no variation of the call."""
    own = any(type(leaf) in (int, bool) for leaf in jax.tree_util.tree_leaves((given.args, given.kwargs)))
    if not own or plain.asks_for_kinds or too_large(want) or not uncompiled.can_run():
        return ""
    made = as_arrays or plain.variations.canonical
    try:
        arrays = made(given)
        found = plain.uncompiled(arrays, _SHORT) if plain.agrees() else None
        if differs(got, found[0] if found is not None else _given(plain, arrays)):
            return ""
        with jax.enable_x64(True):
            return "" if _near(_given(plain, made(given)), want) else AS_ARRAYS
    except TypeError as error:
        return NEGATIVE_POWER if is_negative_power(error) else ""
    except (Exception, OutOfTime, Effect):
        return ""  # arrays do not serve there


def makes_nan(got: Any, want: Any) -> bool:
    """Whether a result is NaN somewhere where plain Python's is a number, perhaps a complex one."""
    if shapes(got) != shapes(want):
        return False
    pairs = zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want), strict=True)
    arrays = [(np.asarray(leaf_as_numbers(one)), np.asarray(leaf_as_numbers(other))) for one, other in pairs]
    return any(np.any(_nan(one) & ~_nan(other)) for one, other in arrays)


def nan_for_a_number(plain: Plain, first: Any, got: Any, want: Any) -> str:
    """What is to be said of a result that `makes_nan` where rounding decides, else ""; `first`: that of the call itself."""
    if not makes_nan(got, want):
        return ""
    return NO_NUMBER if plain.takes_powers or turns_complex(first, got, want) else NAN_IN_SINGLE


def is_outside(given: Input, want: Any) -> bool:
    """Whether plain Python makes NaN of an input without any, as SciPy does of what lies outside a function's domain."""
    return _holds_nan(want) and not _holds_nan((given.args, given.kwargs))


def _holds_nan(values: Any) -> bool:
    arrays = (np.asarray(leaf_as_numbers(leaf)) for leaf in jax.tree_util.tree_leaves(values))
    return any(np.any(_nan(array)) for array in arrays)


def turns_complex(first: Any, got: Any, want: Any) -> bool:
    """Whether a result is NaN where plain Python's is complex, which `first`, that of the call itself, is not: the last of
    `NO_NUMBER`."""
    return _is_complex(want) and not _is_complex(first) and makes_nan(got, want)


def _is_complex(result: Any) -> bool:
    return any(np.iscomplexobj(leaf_as_numbers(leaf)) for leaf in jax.tree_util.tree_leaves(result))


def _nan(values: Any) -> Any:
    return np.isnan(values) if jax.dtypes.issubdtype(values.dtype, np.inexact) else np.zeros(values.shape, bool)


def is_negative_power(error: TypeError) -> bool:
    """Whether JAX refuses a power of whole numbers; it cannot where it traces, and then gives 0."""
    return "negative powers" in str(error)


def _given(plain: Plain, given: Input) -> Any:
    """What plain Python gives by JAX itself."""
    return rerun(lambda: plain.function(*fresh(given.args), **fresh(given.kwargs)), _PATIENCE)


def _near(got: Any, want: Any) -> bool:
    """Whether two results are of the same shapes, and hold nearly the same numbers."""
    if shapes(got) != shapes(want):
        return False
    pairs = zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want), strict=True)
    arrays = [(np.asarray(leaf_as_numbers(one)), np.asarray(leaf_as_numbers(other))) for one, other in pairs]
    numbers = [(one.astype(complex), other.astype(complex)) for one, other in arrays if one.dtype.kind not in "OUS"]
    return all(np.all(same_numbers(one, other, _FAR, 1e-6)) for one, other in numbers)
