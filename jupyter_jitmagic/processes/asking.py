"""Engines of ipyparallel asked for what each of them knows, and a line for each that cannot tell.

ipyparallel is never imported: whoever calls has a client or a view, and that is all that is needed.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.processes import levels
from jupyter_jitmagic.tables import COLUMNS, Plain

if TYPE_CHECKING:
    import pandas as pd

TIMEOUT_S = 5.0


class Answer(NamedTuple):
    """What one engine told."""

    engine: int
    about: dict[str, Any]
    frames: dict[str, Any]


class Answers(NamedTuple):
    """What the engines told, and a line for each that did not."""

    given: list[Answer]
    notes: list[str]

    def table(self, level: str) -> pd.DataFrame:
        """One table of all, with `engine` in front, and `process` where there is a program of several processes."""
        import pandas as pd

        several = any(each.about.get("process") is not None for each in self.given)
        frames = []
        for each in self.given:
            own = each.frames[level]
            own.insert(0, "engine", each.engine)
            if several:
                own.insert(1, "process", pd.array([each.about.get("process")] * len(own), dtype="Int64"))
            frames.append(own)
        filled = [own for own in frames if len(own)]
        if not frames:
            return pd.DataFrame(columns=["engine", *COLUMNS.get(level, ())])  # type: ignore[call-overload]
        return pd.concat(filled or frames[:1], ignore_index=True)


def ask(view_or_client: Any, wanted: Sequence[str], timeout_s: float = TIMEOUT_S) -> Answers:
    """Ask every engine at once. What one cannot answer is a line in the notes."""
    text = f"__import__('importlib').import_module({levels.__name__!r}).answer({list(wanted)!r})"
    told, notes = evaluated(view_or_client, text, timeout_s)
    given = []
    for engine, answer in told:
        frames = {level: Plain(*each).frame() for level, each in answer["tables"].items()}
        given.append(Answer(engine, answer["about"], frames))
    return Answers(given, notes)


def evaluated(view_or_client: Any, text: str, timeout_s: float | None) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    """What an expression gives on every engine, asked all at once, and a line for each that has no answer.

    Args:
        view_or_client: as for `gather`.
        text: gives a dictionary that says `about` itself who the engine is (`levels.whoami`).
        timeout_s: None waits for as long as it takes.
    """
    client, engines = engines_of(view_or_client)
    given: list[tuple[int, dict[str, Any]]] = []
    notes = [f"engine {engine} is gone and is left out" for engine in _gone(client, view_or_client, engines)]
    asked: list[tuple[int, Any]] = []
    for engine in engines:
        try:
            asked.append((engine, client[engine].apply_async(eval, text)))  # by name: the engine need not be of our version
        except Exception as error:
            notes.append(f"engine {engine} cannot be asked ({error}) and is left out")
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    for engine, result in asked:
        try:
            told = result.get(timeout=None if deadline is None else max(deadline - time.monotonic(), 0.001))
            note = _other_version(told["about"]["version"])
        except Exception as error:
            note = f"{why_not(error, timeout_s)} and is left out"
        if note:
            notes.append(f"engine {engine} {note}")
        else:
            given.append((engine, told))
    return given, notes


_asked_before: weakref.WeakKeyDictionary[Any, set[int]] = weakref.WeakKeyDictionary()
"""By client: the engines that were asked. A client forgets one that has died."""


def _gone(client: Any, view_or_client: Any, engines: Sequence[int]) -> list[int]:
    """The engines that were there before and would be asked now."""
    try:
        before = _asked_before.setdefault(client, set())
    except TypeError:  # no client of ipyparallel's
        return []
    gone = sorted(before - set(client.ids)) if getattr(view_or_client, "targets", None) in (None, "all") else []
    before.update(engines)
    return gone


def engines_of(view_or_client: Any) -> tuple[Any, list[int]]:
    """The client, and the numbers of the engines that a view of it is of.

    Raises:
        OptionError: it is neither.
    """
    client = getattr(view_or_client, "client", view_or_client)
    ids, targets = getattr(client, "ids", None), getattr(view_or_client, "targets", None)
    if ids is None or not hasattr(client, "__getitem__"):
        raise OptionError(f"give a client or a view of ipyparallel, not {type(view_or_client).__qualname__}")
    if targets is None or targets == "all":
        return client, list(ids)
    return client, [targets] if isinstance(targets, int) else list(targets)


def _other_version(version: str) -> str:
    own = levels.whoami()["version"]
    return "" if version == own else f"has jupyter_jitmagic {version}, which is not {own} as here, and is left out"


def why_not(error: Exception, timeout_s: float | None) -> str:
    """What an engine that did not answer as asked "is" or "has", for a line."""
    kind, text = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", str(error))
    if kind == "TimeoutError" and timeout_s is not None:
        return f"did not answer within {timeout_s:g} s (busy, or gone)"
    if kind in ("ModuleNotFoundError", "ImportError") and "jupyter_jitmagic" in text:
        has = "another version of jupyter_jitmagic" if "jupyter_jitmagic." in text else "no jupyter_jitmagic"
        return f"has {has}"
    if kind == "EngineError":
        return "is gone"
    return f"cannot answer ({kind}: {text})"
