"""Whether everything that a function's traces may read from outside can be seen: what `keep=True` must know for sure.

Values of names are compared (`captured`). What a trace reads otherwise (a clock, a file, a generator of random numbers, the
state of a library) cannot be, so whatever may lead there has to be known: libraries are taken by name, and only those that give
the same again and again. What is set for the whole process or thread and may act without being named is compared, too
(`surroundings`).
"""

from __future__ import annotations

import builtins
import dis
import locale
import types
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.looking import attribute, is_a, text_attribute
from jupyter_jitmagic.base.values import Looks
from jupyter_jitmagic.recording.guards.code_reads import NOTEBOOKS_OWN
from jupyter_jitmagic.recording.guards.library_values import is_librarys

_STEADY_LIBRARIES = frozenset(
    {
        "__future__", "abc", "bisect", "builtins", "cmath", "collections", "copy", "dataclasses", "einops", "enum", "fractions",
        "functools", "heapq", "itertools", "jax", "jaxlib", "jaxtyping", "math", "ml_dtypes", "numbers", "numpy", "operator",
        "opt_einsum", "optax", "string", "textwrap", "types", "typing", "typing_extensions",
    }
)  # fmt: skip
"""Libraries whose functions give the same for the same arguments, but for those that are named below."""
_UNSTEADY_NAMES = frozenset(
    {"fromfile", "genfromtxt", "load", "loadtxt", "memmap", "read", "read_bytes", "read_text"}
    | {"dump", "save", "savetxt", "savez", "savez_compressed", "tofile"}
    | {"callback", "io_callback", "pure_callback", "live_arrays", "memory_stats"}
)
"""What reads or writes files, gives what depends on the moment, or keeps a function of the user's as it was."""
_UNSTEADY_BUILTINS = frozenset(
    {"__import__", "compile", "delattr", "dir", "eval", "exec", "globals", "id", "input", "iter", "locals", "next", "open"}
    | {"setattr", "vars"}
)


def unsteady_in(function: types.FunctionType) -> str:
    """What in the function's code may give something else each time, or may be changed out of our sight; "" if nothing can."""
    space = function.__globals__
    names = set(_all_names(function.__code__))
    builtin = names - space.keys()
    for name in sorted(builtin & _UNSTEADY_BUILTINS) + sorted(filter(_is_replaced, builtin)):
        return name
    imported = _all_imports(function.__code__)
    for module in sorted(imported):
        if not _is_steady_module(module) or (module == "numpy" and "random" in names):
            return f"import {module}"
    return next(iter(sorted(names & _UNSTEADY_NAMES)), "")


def is_steady(value: Any) -> bool:
    """Whether what a name stands for is no library's, or a steady one's. A library as a whole may be used in any way."""
    if is_a(value, types.BuiltinMethodType) and not is_a(value.__self__, types.ModuleType):
        return False  # a method of some generator or clock, as ``random.random``
    if is_a(value, types.MethodType) and is_librarys(value.__func__):
        return False
    if not is_librarys(value):
        return True
    if is_a(value, types.ModuleType):
        return False
    return _is_steady_module(_module_of(value)) and text_attribute(value, "__name__") not in _UNSTEADY_NAMES


def _is_steady_module(name: str) -> bool:
    return name.partition(".")[0] in _STEADY_LIBRARIES and not f"{name}.".startswith("numpy.random.")


def _module_of(value: Any) -> str:
    owner = attribute(value, "__self__")
    found = attribute(value, "__module__") or attribute(owner, "__name__") or type(value).__module__
    return str(found).lstrip("_")  # ``_operator`` is the C part of ``operator``


def surroundings() -> tuple[tuple[tuple[str, Any], ...], bool]:
    """By name, what is set for the process or thread and may act on a trace without being named in it, and whether that is all
    that can be seen of it. JAX's own cache compares the options that are not in here."""
    looks = Looks()
    keyed = {name for name, _ in internals.jit_config()}
    found = [(name, value) for name, value in internals.options_set() if name not in keyed]
    found.append(("NumPy's print options", looks.key(np.get_printoptions())))
    found.append(("NumPy's error handling", looks.key((np.geterr(), np.geterrcall()))))
    found.append(("the locale", locale.setlocale(locale.LC_ALL)))
    found.append(("the warnings that are errors", tuple(str(row) for row in warnings.filters if row[0] == "error")))
    return tuple(found), looks.exact


def _is_replaced(name: str) -> bool:
    """Whether a builtin is another one than Python's own."""
    return isinstance(getattr(builtins, name, None), types.FunctionType) and name not in NOTEBOOKS_OWN


def _all_imports(code: types.CodeType) -> set[str]:
    """The modules that the code itself imports."""
    found = {op.argval for op in dis.get_instructions(code) if op.opname == "IMPORT_NAME"}
    return found.union(*(_all_imports(part) for part in code.co_consts if isinstance(part, types.CodeType)))


def _all_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _all_names(constant)


def names_set(code: types.CodeType) -> Iterator[str]:
    """The globals that the code rebinds or deletes."""
    for op in dis.get_instructions(code):
        if op.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            yield op.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from names_set(constant)
