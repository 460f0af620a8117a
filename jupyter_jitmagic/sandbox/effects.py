"""The user's function is stopped before it does what cannot be taken back, while it runs for us.

Python announces what reaches beyond its own objects (files opened for writing, processes, sockets, threads, sleep, …) to audit
hooks, before it happens. Ours raises `Effect` there, in threads that run the user's function for us, and nowhere else. A hook
stays for the life of the process, so it is added only when something runs for us for the first time.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from threading import get_ident
from types import FrameType
from typing import Any

from jupyter_jitmagic.base.jax_frames import is_jax_module
from jupyter_jitmagic.usercode.ownership import is_library, is_ours


class Effect(BaseException):
    """The function reaches what cannot be taken back; its text says what, and where. Not an Exception, so that the user's
    handlers do not stop it."""


_READ_ONLY = frozenset(
    {
        "os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.getxattr", "os.listxattr", "os.add_dll_directory",
        "os.listdrives", "os.listmounts", "os.listvolumes", "socket.gethostname",
    }
)  # fmt: skip
_EXACT = {
    "builtins.input": "it waits for the keyboard",
    "builtins.breakpoint": "it starts a debugger",
    "time.sleep": "it sleeps",
    "subprocess.Popen": "it starts a process",
    "pty.spawn": "it starts a process",
    "os.system": "it starts a process",
    "os.exec": "it starts a process",
    "os.fork": "it starts a process",
    "os.forkpty": "it starts a process",
    "os.posix_spawn": "it starts a process",
    "os.spawn": "it starts a process",
    "os.putenv": "it changes the environment",
    "os.unsetenv": "it changes the environment",
    "os.chdir": "it changes the working directory",
    "_thread.start_new_thread": "it starts a thread",
    "_thread.start_joinable_thread": "it starts a thread",
    "resource.setrlimit": "it changes the process's limits",
    "signal.pthread_kill": "it sends a signal",
    "os.kill": "it sends a signal",
    "os.killpg": "it sends a signal",
    "webbrowser.open": "it opens a browser",
    "mmap.__new__": "it maps a file",
    "sys.addaudithook": "it adds an audit hook",
}
_BEGINNINGS = {
    "os": "it changes files",
    "shutil": "it changes files",
    "tempfile": "it changes files",
    "fcntl": "it uses file descriptors",
    "sqlite3": "it uses a database",
    "socket": "it uses the network",
    "urllib": "it uses the network",
    "http": "it uses the network",
    "ftplib": "it uses the network",
    "smtplib": "it uses the network",
    "imaplib": "it uses the network",
    "poplib": "it uses the network",
    "syslog": "it writes a log",
    "ctypes": "it calls foreign code",
    "winreg": "it uses the registry",
    "msvcrt": "it uses the operating system",
}
_MOST_FREQUENT = frozenset({"builtins.id", "object.__getattr__"})
"""They leave no trace, and JAX makes Python announce one or two of them in every operation."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_running: dict[int, list[Effect]] = {}
"""By thread that runs the user's function for us, the effects at which it was stopped."""
_added: list[bool] = []


def _what(event: str, args: tuple[Any, ...]) -> str:
    """What an audit event announces, in words; "" for what leaves no trace."""
    if event == "open":
        mode, flags = args[1], args[2]
        writes = (
            any(letter in mode for letter in "wax+") if isinstance(mode, str) else isinstance(flags, int) and flags & _WRITING
        )
        return "it writes to a file" if writes else ""
    if event in _EXACT:
        return _EXACT[event]
    return "" if event in _READ_ONLY else _BEGINNINGS.get(event.partition(".")[0], "")


def _heard(event: str, args: tuple[Any, ...]) -> None:
    if event in _MOST_FREQUENT or not _running:
        return
    met = _running.get(get_ident())
    if met is None:
        return
    what = _what(event, args)
    if what and (place := _users_doing(sys._getframe(1))) is not None:
        met.append(Effect(f"{what}{place}"))
        raise met[-1]


def _users_doing(frame: FrameType | None) -> str | None:
    """The user's line, as " (line 3)", that is about to have an effect; None where JAX, an import or we ourselves are."""
    innermost = True
    while frame is not None:
        filename = frame.f_code.co_filename
        if is_ours(filename):
            return None if innermost else ""
        if not is_library(filename):
            return f" (line {frame.f_lineno})"
        name = str(frame.f_globals.get("__name__", ""))
        if filename.startswith("<frozen importlib") or is_jax_module(name):
            return None
        frame, innermost = frame.f_back, False
    return ""


@contextlib.contextmanager
def stopped_at_effects() -> Iterator[None]:
    """Raises `Effect` in this thread before the user's function does what cannot be taken back. May be nested.

    Example:
        >>> with stopped_at_effects():
        ...     fun(x)
        Effect: it writes to a file (line 3)
    """
    if not _added:
        _added.append(True)
        sys.addaudithook(_heard)
    thread = get_ident()
    outer = _running.get(thread)
    met = _running[thread] = []
    try:
        yield
    except BaseException:
        if met:  # whatever the function made of it
            raise met[0] from None
        raise
    finally:
        if outer is None:
            del _running[thread]
        else:
            _running[thread] = outer
    if met:
        raise met[0]
