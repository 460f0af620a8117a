"""`%jitstats --save`: a table in a file, by the suffix of its name, or a report that stands alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any, TypeVar

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.display import Document, to_html

SUFFIXES = (".csv", ".json", ".parquet", ".html")
TRACE = "-trace.json"
"""The end of a name of a file that is to be a Chrome trace."""

T = TypeVar("T")

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font-family: system-ui, sans-serif; margin: 24px auto; max-width: 1100px; padding: 0 16px }}
h2 {{ font-size: 15px; margin: 28px 0 8px }}
</style>
<h1 style="font-size: 18px">{title}</h1>
{body}
</html>
"""


def save(frame: Any, level: str, parts: Sequence[tuple[str, Document]], file: str) -> None:
    """Write a table, or as .html the parts of a report, each with its heading.

    Raises:
        OptionError: a suffix that is none of `SUFFIXES`, a folder that is not there, a library that is not installed.
    """
    path = Path(file).expanduser()
    if path.suffix not in SUFFIXES:
        raise OptionError(f"--save {file}: the name must end with one of {', '.join((*SUFFIXES, TRACE))}")
    try:
        _replacing(path, lambda begun: _write(frame, parts, begun))
    except ImportError:
        raise OptionError(f"--save {file}: this needs pyarrow, which is not installed: %pip install pyarrow") from None


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


def _write(frame: Any, parts: Sequence[tuple[str, Document]], path: Path) -> None:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".json":
        frame.to_json(path, orient="records", indent=2, double_precision=15)
    elif path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        title = f"jit statistics, {time.strftime('%Y-%m-%d %H:%M')}"
        body = "\n".join(f"<h2>{escape(name)}</h2>\n{to_html(document)}" for name, document in parts)
        path.write_text(_PAGE.format(title=title, body=body), encoding="utf-8")
