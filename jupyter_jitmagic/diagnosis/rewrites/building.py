"""A function made again with the texts of a draft, and put under jit."""

from __future__ import annotations

import ast
import itertools
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import jax

from jupyter_jitmagic.diagnosis.proof.arguments import ARRAYS_ALONE, JitCall
from jupyter_jitmagic.diagnosis.proof.carrying import carrying
from jupyter_jitmagic.diagnosis.proof.filtering import ArraysAlone
from jupyter_jitmagic.source.held_functions import RebuiltWithin, made_again
from jupyter_jitmagic.source.methods import looking_up, names_of_methods
from jupyter_jitmagic.source.rebuilding import CALLS_ITS_JIT
from jupyter_jitmagic.source.units import Unit, plain_function

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
    arguments: Iterable[Any] = (),
) -> _Fun:
    """`fun` with these texts in place of the units' own.

    Args:
        static: what is static where it calls its own jit.
        extra: further names for the code that is made.
        within: what leads to them is looked for in objects of libraries, too, in any case.
        arguments: what it is called with, among which functions may be.
    """
    methods = frozenset(name for unit in texts for name in names_of_methods(unit.text))
    codes = {}
    for unit, text in texts.items():
        codes[unit] = compiled(unit, looking_up(ast.parse(text), methods, unit.globals), text)
    imports = {unit: added_imports(unit, text) for unit, text in texts.items()}

    def asked(unit: Unit, tree: ast.Module) -> types.CodeType:
        return compiled(unit, tree, unit.text)

    if within:
        made: Any = RebuiltWithin(codes, imports, extra, asked=asked).make(fun)
    else:
        made = made_again(fun, codes, imports, extra, arguments=arguments, asked=asked)
    for name in getattr(fun, CALLS_ITS_JIT, ()):  # there it calls its jit, with all that this traces
        plain_function(made).__globals__[name] = jitted(made, static)  # type: ignore[union-attr]
    return made  # type: ignore[no-any-return]


def made_for(
    call: JitCall, texts: Mapping[Unit, str], compiled: Compile, extra: dict[str, Any] | None = None
) -> Callable[..., Any]:
    """`made_of` the function of a call, and of the functions that it is given."""
    made = made_of(call.fun, texts, call.static, compiled, extra, arguments=(*call.args, *call.kwargs.values()))
    return carrying(made, call.carried)


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
