"""JAX's own explanation of cache misses beside ours, on the cases of `test_causes`: writes docs/misses.md.

    python -m benchmarks.misses

JAX's log message counts as "yes" if it names every differing argument (or says that the function is new), as "partly" if it
names some, as "place" if it gives a position in the tree of (args, kwargs) without the argument's name, else as "no".
"""

from __future__ import annotations

import logging
import platform
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import jax

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from jupyter_jitmagic.base.causes import sentence
from tests.jax_oracle import Watched
from tests.recording.causes.test_causes import MISSES, split

PAGE = Path(__file__).resolve().parents[1] / "docs" / "misses.md"


class Messages(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def explained(case: Any) -> tuple[str, str]:
    """(JAX's explanation of the last call, ours)."""
    fun, calls, options = split(case)
    watched = Watched(fun, **options)
    messages = Messages()
    logger = logging.getLogger("jax._src.interpreters.partial_eval")
    logger.addHandler(messages)
    logger.propagate = False
    try:
        with jax.explain_cache_misses(True):
            for args, kwargs in calls:
                messages.texts.clear()
                _, causes = watched(*args, **kwargs)
    finally:
        logger.removeHandler(messages)
        logger.propagate = True
    return " ".join(messages.texts[-1:]), sentence(causes)


def jax_words(text: str) -> str:
    """The part of JAX's message that says what differs, in one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [
        line
        for line in lines
        if line.startswith("*") or "never seen" in line or "unavailable" in line or "doesn't match" in line
    ]
    words = "; ".join(line.lstrip("* ").partition("https://")[0] for line in told) or (lines[-1] if lines else "nothing")
    return re.sub(r"0x[0-9a-f]+", "0x…", words)[:160]


def verdict(words: str, arguments: set[str]) -> str:
    if arguments == {""}:
        return "yes" if "never seen" in words else "no"
    named = {argument for argument in arguments if f"at {argument}, now" in words}
    if named:
        return "yes" if named == arguments else "partly"
    return "place" if "input path" in words else "no"


def main() -> None:
    rows = []
    for name, (case, expected) in MISSES.items():
        theirs, ours = explained(case)
        words = jax_words(theirs)
        rows.append((name, words, verdict(words, {argument for _, argument in expected}), ours))
    counts = Counter(found for _, _, found, _ in rows)
    lines = [
        "# Why a call missed: JAX's explanation and ours",
        "",
        f'`jax_explain_cache_misses` of JAX {jax.__version__} and `jm.stats("misses")` on the {len(rows)} cases of '
        f"`tests/recording/causes/test_causes.py`. "
        f"JAX names every differing argument, with what it is now and was before, in {counts['yes']}; "
        f"in {counts['place']} it gives a position in the tree of `(args, kwargs)` without the argument's name, in "
        f"{counts['partly']} it names some of the causes, in {counts['no']} none. "
        "jupyter_jitmagic names all in all cases (the tests hold it). "
        "Placement (devices, shardings) is not in this table: such a miss runs no trace, and JAX logs nothing for it.",
        "",
        "Made by `python -m benchmarks.misses`.",
        "",
        "| case | JAX names it? | JAX says | jupyter_jitmagic says |",
        "|---|---|---|---|",
        *(f"| {name} | {found} | {_cell(words)} | {_cell(ours)} |" for name, words, found, ours in rows),
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    print(f"{PAGE}: {dict(counts)} of {len(rows)} (JAX {jax.__version__}, Python {platform.python_version()})")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    main()
