"""Whose code it is: the user's, a library's or ours. Every question of that kind is answered here, each in one way.

A library is what comes with Python or was installed, JAX and this package included. Code made by `exec` is nobody's library;
whether it counts as the user's depends on the question.
"""

from __future__ import annotations

import functools
import linecache
import os
import sys
import sysconfig
from importlib.util import find_spec
from types import CodeType, ModuleType
from typing import Any

from jupyter_jitmagic.base.jax_frames import is_jax_frame, is_jax_module
from jupyter_jitmagic.base.looking import attribute, is_a, text_attribute

_OURS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_INSTALLED = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
"""Of any environment: code may come from another one by way of the path."""
_GENERATED = ("<frozen", "<__array_function__")


def _library_folders() -> tuple[str, ...]:
    packages = [spec.origin for spec in map(find_spec, ("jaxlib", "numpy")) if spec and spec.origin]
    paths = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]
    folders = [*map(os.path.dirname, [*packages, os.__file__]), *filter(None, paths), _OURS]
    return tuple({os.path.join(each, "") for folder in folders for each in (folder, os.path.realpath(folder))})


_FOLDERS = _library_folders()


@functools.lru_cache(maxsize=4096)
def is_library(filename: str) -> bool:
    """Whether a file belongs to Python, JAX, NumPy or another installed package, or to this one."""
    if not filename or filename.startswith("<"):
        return filename.startswith(_GENERATED)
    return is_jax_frame(filename) or any(
        path.startswith(_FOLDERS) or any(folder in path for folder in _INSTALLED)
        for path in (filename, os.path.realpath(filename))
    )


def is_ours(filename: str) -> bool:
    """Whether a file belongs to this package."""
    return filename.startswith(_OURS)


def is_users(filename: str) -> bool:
    """Whether a user would know a line of this file as one of their own code; of what `exec` made of a bare text, not."""
    return filename != "<string>" and not is_library(filename)


def is_users_text(filename: str) -> bool:
    """Whether the text of this file is the user's and there to be read: a file, a cell, or what `linecache` was told.

    Methods that `dataclasses` writes are of a "<string>", for which `linecache` has the text of ``python -c`` from 3.13 on."""
    if filename == "<string>":
        return False
    made = filename.startswith("<") and not filename.startswith(("<ipython", "<jitmagic"))
    return not is_library(filename) and (not made or filename in linecache.cache)


def is_library_module(module: str | ModuleType) -> bool:
    """Whether a module, or the one of this name, comes with Python or from an installed package, or is ours."""
    found = sys.modules.get(module) if isinstance(module, str) else module
    # no code of the module's runs, as its `__getattr__` would
    space = object.__getattribute__(found, "__dict__") if isinstance(found, ModuleType) else {}
    name, file = module if isinstance(module, str) else str(space.get("__name__", "")), space.get("__file__")
    if name == "__main__":  # the user's, whichever library's runner was started as such
        return False
    return is_library(file) if file else is_jax_module(name) or name.partition(".")[0] in sys.stdlib_module_names


def is_library_type(kind: type) -> bool:
    """Whether a class comes with Python or from an installed package."""
    return is_library_module(str(kind.__module__))


def is_jax_function(fun: Any) -> bool:
    """Whether a function is JAX's own, as an eager operation is."""
    code = attribute(fun, "__code__")
    module = text_attribute(fun, "__module__")
    return is_jax_module(module) or (is_a(code, CodeType) and is_jax_frame(code.co_filename))
