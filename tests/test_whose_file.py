"""Whose code a file is: a folder's name is no prefix of its neighbour's."""

from __future__ import annotations

import os
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path

import jax
import pytest

import jupyter_jitmagic
from jupyter_jitmagic._jax_internals import is_jax_frame
from jupyter_jitmagic.diagnosis import _places, _source
from jupyter_jitmagic.recording import _call_site, _captured

OURS = Path(jupyter_jitmagic.__file__).parent
STDLIB = Path(threading.__file__).parent
IS_USERS: dict[str, Callable[[str], bool]] = {
    "recording": _call_site.is_users,
    "captured": lambda file: not _captured.is_installed(file),
    "places": lambda file: not _places.is_library(file),
    "source": _source.is_users,
    "jax": lambda file: not is_jax_frame(file),
}
FOLDERS = {
    "recording": [OURS, STDLIB, Path(jax.__file__).parent, Path(sysconfig.get_path("purelib"))],
    "captured": [STDLIB, Path(sysconfig.get_path("purelib"))],
    "places": [OURS, STDLIB, Path(jax.__file__).parent],
    "source": [OURS, STDLIB, Path(sysconfig.get_path("purelib"))],
    "jax": [Path(jax.__file__).parent],
}


@pytest.mark.parametrize("room", IS_USERS)
def test_a_file_beside_a_librarys_folder_is_the_users(room: str) -> None:
    for folder in FOLDERS[room]:
        assert not IS_USERS[room](str(folder / "x.py"))
        neighbour = Path("/home/me") / f"{folder.name}-notes" / "x.py" if folder.name.endswith("-packages") else None
        beside = neighbour or folder.with_name(f"{folder.name}_of_mine") / "x.py"
        if f"{os.sep}site-packages{os.sep}" not in str(beside):
            assert IS_USERS[room](str(beside)), beside
