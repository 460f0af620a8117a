"""Whose code it is: every question of that kind, on files, modules, classes and functions of every kind."""

from __future__ import annotations

import collections
import itertools
import linecache
import os
import sys
import sysconfig
import threading
import types
from pathlib import Path

import jax
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.usercode.ownership import (
    is_jax_function,
    is_library,
    is_library_module,
    is_library_type,
    is_ours,
    is_users,
    is_users_text,
)

FOLDERS = {
    "ours": Path(jm.__file__).parent,
    "Python's": Path(threading.__file__).parent,
    "JAX's": Path(jax.__file__).parent,
    "NumPy's": Path(np.__file__).parent,
    "installed": Path(sysconfig.get_path("purelib")),
}
# file: whether it is a library's, the user's, and the user's with a text to be read
FILES = {
    "/home/me/model.py": (False, True, True),
    "model.py": (False, True, True),
    "/tmp/ipykernel_1/123.py": (False, True, True),
    "<ipython-input-3-0123456789ab>": (False, True, True),
    "<jitmagic draft 1>": (False, True, True),
    "<stdin>": (False, True, False),
    "<attrs generated init m.C>": (False, True, False),
    "<string>": (False, False, False),
    "<frozen importlib._bootstrap>": (True, False, False),
    "<__array_function__ internals>": (True, False, False),
    "jax.something": (True, False, False),
    "/opt/other/lib/python3.9/site-packages/p/m.py": (True, False, False),
    "/usr/lib/python3/dist-packages/p/m.py": (True, False, False),
    "/home/me/site-packages-notes/m.py": (False, True, True),
    **{str(folder / "x.py"): (True, False, False) for folder in FOLDERS.values()},
}


@pytest.mark.parametrize("file", FILES)
def test_each_file_is_one_persons(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(linecache.cache, file, raising=False)  # Python 3.13 knows the text of `python -c`
    assert (is_library(file), is_users(file), is_users_text(file)) == FILES[file]
    assert is_ours(file) == file.startswith(str(FOLDERS["ours"]) + os.sep)


@pytest.mark.parametrize("whose", FOLDERS)
def test_a_file_beside_a_librarys_folder_is_the_users(whose: str) -> None:
    """A folder's name is no prefix of its neighbour's."""
    folder = FOLDERS[whose]
    beside = folder.with_name(f"{folder.name}_of_mine") / "x.py"
    if f"{os.sep}site-packages{os.sep}" in str(beside):
        beside = Path("/home/me") / beside.parent.name / "x.py"
    assert is_users(str(beside)) and is_users_text(str(beside)) and not is_ours(str(beside))


def test_a_library_behind_a_link_is_a_library(tmp_path: Path) -> None:
    link = tmp_path / "linked"
    link.symlink_to(FOLDERS["NumPy's"])
    assert is_library(str(link / "x.py")) and not is_users(str(link / "x.py"))


def test_a_made_text_is_the_users_while_it_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_users_text("<made by a test>")
    monkeypatch.setitem(linecache.cache, "<made by a test>", (1, None, ["x\n"], "<made by a test>"))
    assert is_users_text("<made by a test>")


def test_modules_and_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the module's file; without one, what Python or JAX has in C is a library's, what a cell defines is the user's."""
    mine, namespace = types.ModuleType("mine_of_a_test"), types.ModuleType("google_of_a_test")
    mine.__file__ = "/home/me/mine.py"
    for module in (mine, namespace):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        assert not is_library_module(module) and not is_library_module(module.__name__)
    for module in (
        np,
        jax,
        jm,
        threading,
        sys,
        itertools,
        "builtins",
        "jaxlib.not_of_python",
        "jupyter_jitmagic.usercode.ownership",
    ):
        assert is_library_module(module), module
    runner = types.ModuleType("__main__")
    runner.__file__ = str(FOLDERS["installed"] / "ipykernel_launcher.py")
    monkeypatch.setitem(sys.modules, "__main__", runner)
    assert not is_library_module(runner) and not is_library_type(type("Mine", (), {"__module__": "__main__"}))
    for kind in (int, itertools.count, collections.deque, np.ndarray, jax.Array, type(jax.jit(abs))):
        assert is_library_type(kind), kind
    assert not is_library_type(type("Mine", (), {"__module__": "mine_of_a_test"}))


def test_no_code_of_a_module_runs_for_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(name: str) -> None:
        raise AssertionError(f"asked for {name}")

    module = types.ModuleType("asked_of_a_test")
    module.__getattr__ = asked  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert not is_library_module(module.__name__)


def test_functions_of_jax() -> None:
    assert is_jax_function(jax.numpy.sin) and is_jax_function(jax.nn.relu)
    assert not is_jax_function(np.sin) and not is_jax_function(jm.stats) and not is_jax_function(asked_by_nobody)
    assert not is_jax_function(jax.jit(asked_by_nobody))


def asked_by_nobody() -> None:
    """A function of the user's."""


def test_what_a_library_writes_is_not_the_text_of_a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    # from Python 3.13 on, `linecache` knows the text of `python -c` by the name that methods of dataclasses have as well
    monkeypatch.setitem(linecache.cache, "<string>", (4, None, ["1 + 1\n"], "<string>"))
    assert not is_users_text("<string>") and not is_users("<string>")
