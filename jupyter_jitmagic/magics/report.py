"""`%jitstats --save`: a table in a file, by the suffix of its name, or a report that stands alone."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from jupyter_jitmagic.base.errors import OptionError

SUFFIXES = (".csv", ".json", ".parquet", ".html")
TRACE = "-trace.json"
"""The end of a name of a file that is to be a Chrome trace."""

T = TypeVar("T")


def save(frame: Any, file: str) -> None:
    """Write a table.

    Raises:
        OptionError: a suffix that is none of `SUFFIXES`, a folder that is not there, a library that is not installed.
    """
    path = Path(file).expanduser()
    if path.suffix not in SUFFIXES:
        raise OptionError(f"--save {file}: the name must end with one of {', '.join((*SUFFIXES, TRACE))}")
    try:
        _replacing(path, lambda begun: _write(frame, begun))
    except ImportError:
        raise OptionError(f"--save {file}: this needs pyarrow, which is not installed: %pip install pyarrow") from None


def save_report(pieces: Callable[[str], Iterable[str]], file: str) -> None:
    """Write a page, of which `pieces` makes the pieces when it is told the title.

    Raises:
        OptionError: a folder that is not there.
    """
    title = f"jit statistics, {time.strftime('%Y-%m-%d %H:%M')}"

    def write(begun: Path) -> None:
        with begun.open("w", encoding="utf-8") as opened:
            opened.writelines(pieces(title))

    _replacing(Path(file).expanduser(), write)


def environment() -> dict[str, str]:
    """What the figures were measured on, by name."""
    import jax

    devices = Counter(f"{each.platform} ({each.device_kind})" if each.platform != "cpu" else "cpu" for each in jax.devices())
    return {
        "JAX": jax.__version__,
        "jaxlib": metadata.version("jaxlib"),
        "jupyter_jitmagic": sys.modules["jupyter_jitmagic"].__version__,
        "Python": platform.python_version(),
        "devices": ", ".join(f"{count} × {name}" for name, count in devices.items()),
        "processes": str(jax.process_count()),
        "x64": "on" if jax.config.jax_enable_x64 else "off",
        "system": platform.platform(terse=True),
        "processors": str(os.cpu_count() or ""),
    }


def save_trace(functions: set[int] | None, place: Callable[[str, int], str], file: str) -> int:
    """Write what was recorded as a Chrome trace; how many events it has.

    Args:
        functions: ids of the functions that are wanted; None for all.
        place: names a line, as "cell [7], line 3".

    Raises:
        OptionError: a folder that is not there.
    """
    from jupyter_jitmagic.display import chrome_trace
    from jupyter_jitmagic.records.log import log

    def write(begun: Path) -> int:
        with begun.open("w", encoding="utf-8") as opened:
            return chrome_trace.write(log, functions, place, opened)

    return _replacing(Path(file).expanduser(), write)


def _replacing(path: Path, write: Callable[[Path], T]) -> T:
    """Write beside the file that is wanted, and put that in its place: Ctrl-C leaves the one that was there, or the new one."""
    whole = Path(os.path.realpath(path))
    begun = whole.with_name(f".{whole.stem}-{os.getpid()}{whole.suffix}")
    try:
        try:
            written = write(begun)
            begun.replace(whole)
            return written
        finally:
            begun.unlink(missing_ok=True)
    except OSError as error:
        raise OptionError(f"--save {path}: {error.strerror or error}") from None


def _write(frame: Any, path: Path) -> None:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".json":
        frame.to_json(path, orient="records", indent=2, double_precision=15)
    else:
        frame.to_parquet(path, index=False)
