"""What libraries define, and the plain function in what wraps it."""

from __future__ import annotations

import functools
import types
from typing import Any

from jupyter_jitmagic.base.looking import attribute, is_a
from jupyter_jitmagic.usercode.ownership import is_library_module


def plain_function(value: Any) -> types.FunctionType | None:
    """The user's Python function behind `value` (a jitted, wrapped or bound one included), None for anything else."""
    for _ in range(10):
        if is_a(value, types.MethodType):
            value = value.__func__
        elif is_a(value, functools.partial):
            value = attribute(value, "func")
        elif is_a(value, types.FunctionType) and wrapped(value) is None:
            return None if _is_library(value) else value
        else:
            value = wrapped(value)
    return None


def wrapped(value: Any) -> Any:
    """What a decorated or jitted function has in it; no code of the user's runs for the question."""
    return attribute(value, "__wrapped__")


def is_librarys(value: Any) -> bool:
    """Modules, and what libraries define: their functions and classes do not change under a notebook, only their names may
    come to mean others."""
    if is_a(value, types.ModuleType):
        return True
    if is_a(value, types.BuiltinFunctionType):
        return is_a(value.__self__, types.ModuleType)
    if is_a(value, type):
        return _is_library(value)
    if is_a(value, functools.partial) or (not is_a(value, types.FunctionType) and wrapped(value) is None):
        return False
    return plain_function(value) is None


def _is_library(value: Any) -> bool:
    """Whether it was defined in an installed package or the standard library."""
    return is_library_module(str(attribute(value, "__module__") or "__main__"))
