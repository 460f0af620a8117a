"""Every function of JAX's public modules, with its options: what a program gives by NumPy is what it gives compiled.

The functions are found, not listed: one that a new JAX has is asked as well.
"""

from __future__ import annotations

import inspect
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.uncompiled.programs import evaluate
from jupyter_jitmagic.sandbox.clock import Deadline

A = jnp.array([[3.0, -1.0, 2.0, 0.5], [1.0, 4.0, -2.0, 1.0], [0.0, 2.0, 1.0, -3.0]])
ARRAYS = {
    "floats": A,
    "three axes": jnp.arange(24.0).reshape(2, 3, 4) - 7.5,
    "integers": A.astype(int),
    "flags": A > 0.7,
    "one axis": A[0],
    "NaN": A.at[0, 1].set(jnp.nan),
    "complex": A + 1j * A[::-1],
    "uint8": jnp.array([[250, 3, 7], [9, 200, 255]], jnp.uint8),
    "a number": jnp.float32(2.5),
    "no rows": jnp.zeros((0, 3)),
}
OPTIONS: dict[str, list[Any]] = {
    "axis": [None, 0, 1, -1, (0, 1)],
    "keepdims": [True],
    "order": ["F"],
    "ddof": [1],
    "descending": [True],
    "reverse": [True],
    "side": ["right"],
    "mode": ["wrap", "clip", "fill", "edge", "reflect", "symmetric", "same", "full"],
    "k": [1, -1],
    "offset": [1],
    "n": [2, 6],
    "ord": [1, 2, jnp.inf, "fro", "nuc"],
    "increasing": [True],
    "right": [True],
    "indexing": ["ij"],
    "initial": [2.0],
    "method": ["lower", "nearest", "midpoint"],
    "norm": ["ortho"],
    "axes": [(0, 1)],
    "shift": [1, -2],
    "prepend": [1.0],
    "decimals": [1],
    "size": [5],
    "fill_value": [9],
    "return_counts": [True],
    "lower": [True],
}
NO_FUNCTIONS_OF_ARRAYS = {"frompyfunc", "vectorize", "apply_along_axis", "apply_over_axes", "piecewise", "fromfunction"}
BY_THE_LAST_BIT = {"linspace", "logspace", "geomspace"}  # of an int8 the last bit of a float decides the whole number


def functions(module: types.ModuleType) -> Iterator[tuple[str, Callable[..., Any], int, list[tuple[str, Any]]]]:
    """(name, function, how many arguments it needs, its options with values) for each function of a module."""
    for name in sorted(vars(module)):
        function = getattr(module, name)
        if name.startswith("_") or name in NO_FUNCTIONS_OF_ARRAYS | BY_THE_LAST_BIT or not callable(function):
            continue
        if isinstance(function, type):
            continue
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            continue
        needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        yield name, function, len(needed), [(p.name, value) for p in parameters for value in OPTIONS.get(p.name, [])]


def calls(needed: int, array: jax.Array) -> list[tuple[Any, ...]]:
    """Arguments that a function of so many may take."""
    if needed == 1:
        return [(array,)]
    if needed == 2:
        return [(array, array), (array, 2), (array, jnp.array([1, 0]))]
    return [(array, array, array), (array, 1, 2), (ARRAYS["flags"], array, array)] if needed == 3 else []


def differing(module: types.ModuleType, arrays: list[str], options: bool) -> tuple[list[str], int]:
    """The calls of a module's functions of which NumPy gives something else, and how many were compared."""
    found, compared = [], 0
    for name, function, needed, given in functions(module):
        for what in arrays:
            for args in calls(needed, ARRAYS[what]):
                for option in [{}, *({key: value} for key, value in given if options)]:
                    outcome = _differs(function, args, option)
                    compared += outcome is not None
                    found += [f"{name} of {what}, {args[1:]}, {option}"] if outcome else []
    return found, compared


def _differs(function: Callable[..., Any], args: tuple[Any, ...], option: dict[str, Any]) -> bool | None:
    """Whether NumPy gives something else; None where JAX takes no such call."""
    arrays = [each for each in args if isinstance(each, jax.Array)]

    def called(*given: Any) -> Any:
        left = iter(given)
        return function(*[next(left) if isinstance(each, jax.Array) else each for each in args], **option)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            want = jax.tree.leaves(jax.jit(called)(*arrays))
            program = jax.jit(called).trace(*arrays)
        except Exception:
            return None
        if not all(
            isinstance(each, jax.Array) and (jnp.issubdtype(each.dtype, jnp.number) or each.dtype == bool) for each in want
        ):
            return None
        got = evaluate(program, arrays, Deadline(20.0))
    return any(_is_other(a, b) for a, b in zip(jax.tree.leaves(got), want, strict=True))


def _is_other(got: Any, want: Any) -> bool:
    got, want = np.asarray(got), np.asarray(want)
    alike = got.shape == want.shape and got.dtype == want.dtype
    return not (alike and np.allclose(got.astype(complex), want.astype(complex), rtol=2e-3, atol=1e-3, equal_nan=True))


@pytest.mark.parametrize("module", [jnp.linalg, jax.nn], ids=lambda module: module.__name__)
def test_functions_of_arrays_of_floats_give_what_is_compiled(module):
    found, compared = differing(module, ["floats"], options=True)
    assert not found and compared > 30


@pytest.mark.slow
@pytest.mark.parametrize("module", [jnp, jnp.linalg, jax.nn, jnp.fft, jax.lax, jax.scipy.special], ids=lambda m: m.__name__)
def test_every_function_with_its_options_gives_what_is_compiled(module):
    found, compared = differing(module, list(ARRAYS), options=True)
    assert not found and compared > 100
