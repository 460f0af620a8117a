"""A function made again with the texts of a draft, and put under jit."""

from __future__ import annotations

import ast
import itertools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import jax

from jupyter_jitmagic.diagnosis.proof.arguments import ARRAYS_ALONE
from jupyter_jitmagic.diagnosis.proof.filtering import ArraysAlone
from jupyter_jitmagic.source.held_functions import RebuiltWithin, made_again
from jupyter_jitmagic.source.methods import looking_up, names_of_methods
from jupyter_jitmagic.source.rebuilding import CALLS_ITS_JIT
from jupyter_jitmagic.source.units import Unit

_Fun = TypeVar("_Fun")  # a function, or a tuple with functions
Compile = Callable[[Unit, "str | ast.Module", str], types.CodeType]
"""Compiles the text (or tree) in the place of a unit's own; the text is given as well."""


def made_of(
    fun: _Fun,
    texts: Mapping[Unit, str],
    static: Sequence[str | int],
    compiled: Compile,
    extra: dict[str, Any] | None = None,
    within: bool = False,
) -> _Fun:
    """`fun` with these texts in place of the units' own.

    Args:
        static: what is static where it calls its own jit.
        extra: further names for the code that is made.
        within: what leads to them is looked for in objects of libraries, too, in any case.
    """
    methods = frozenset(name for unit in texts for name in names_of_methods(unit.text))
    codes = {}
    for unit, text in texts.items():
        codes[unit] = compiled(unit, looking_up(ast.parse(text), methods) if methods else text, text)
    imports = {unit: added_imports(unit, text) for unit, text in texts.items()}
    made: Any = RebuiltWithin(codes, imports, extra).make(fun) if within else made_again(fun, codes, imports, extra)
    for name in getattr(fun, CALLS_ITS_JIT, ()):  # there it calls its jit, with all that this traces
        made.__globals__[name] = jitted(made, static)
    return made  # type: ignore[no-any-return]


def jitted(function: Callable[..., Any], static: Sequence[str | int], compiling: Mapping[str, Any] | None = None) -> Any:
    """`jax.jit` of it with these static arguments (names, positions, ARRAYS_ALONE), compiled with these options of XLA's."""
    if ARRAYS_ALONE in static:
        return ArraysAlone(function, {"compiler_options": dict(compiling)} if compiling else {})
    names = tuple(s for s in static if isinstance(s, str))
    nums = tuple(s for s in static if isinstance(s, int))
    options: dict[str, Any] = {}
    if names:
        options["static_argnames"] = names
    if nums:
        options["static_argnums"] = nums
    if compiling:
        options["compiler_options"] = dict(compiling)
    return jax.jit(function, **options)


def added_imports(unit: Unit, text: str) -> str:
    """The import lines that a rewrite put above the statement."""
    if text.startswith(unit.text.splitlines()[0]):
        return ""
    lines = itertools.takewhile(
        lambda line: not line.strip() or line.startswith(("import ", "from jax import")), text.splitlines()
    )
    return "\n".join(lines)
