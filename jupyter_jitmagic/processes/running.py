"""A cell run on many engines of ipyparallel: what each showed, and what several showed alike, once.

ipyparallel is never imported: whoever calls has a client or a view, and that is all that is needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.processes.asking import engines_of, why_not
from jupyter_jitmagic.records.programs import named

_LOAD = "get_ipython().extension_manager.load_extension('jupyter_jitmagic')"


class Said(NamedTuple):
    """What one engine showed. `shown` are what it displayed and then its result, each as `data` and `metadata`."""

    engine: int
    stdout: str
    stderr: str
    shown: list[dict[str, Any]]
    error: Any
    """None, or an error of ipyparallel that names the engine's."""


class Alike(NamedTuple):
    """Engines of which one thing is the same: `what` is "stdout", "stderr", "shown" or "error"."""

    engines: list[int]
    what: str
    said: Any


def run_on(view_or_client: Any, code: str) -> tuple[list[Said], Exception | None]:
    """Run a cell on every engine at once, and wait for all, however long it takes.

    Returns:
        What each showed, and an error of ipyparallel if some failed: it shows one traceback of those that failed alike.

    Raises:
        OptionError: no engines, or one that has no jupyter_jitmagic: then it runs on none, as the others may wait for that one.
    """
    client, engines = engines_of(view_or_client)
    if not engines:
        raise OptionError("there are no engines")
    loading = client[engines].execute(_LOAD, silent=True, block=False)
    for engine, loaded in zip(engines, _each(loading), strict=True):
        if isinstance(loaded, Exception):
            raise OptionError(f"engine {engine} {why_not(loaded, None)}: nothing was run")
    asked = client[engines].execute(code, silent=False, block=False)
    answers = _each(asked)
    asked.wait_for_output(1)
    results = ([each] if each else [] for each in asked.execute_result)
    said = [
        Said(engine, stdout, stderr, [*outputs, *result], answer if isinstance(answer, Exception) else None)
        for engine, stdout, stderr, outputs, result, answer in zip(
            engines, asked.stdout, asked.stderr, asked.outputs, results, answers, strict=True
        )
    ]
    return said, _error(asked, said)


def _each(asked: Any) -> list[Any]:
    asked.wait()
    return list(asked.get(return_exceptions=True))


def _error(asked: Any, said: Sequence[Said]) -> Exception | None:
    try:
        asked.get()
    except Exception as error:
        shown = {group.engines[0] for group in alike(said) if group.what == "error"}
        every = getattr(error, "elist", None)
        if every:
            error.elist = [each for each in every if (each[3] or {}).get("engine_id") in shown] or every  # type: ignore[attr-defined]
        return error
    return None


def alike(said: Sequence[Said]) -> Iterator[Alike]:
    """What was shown, in its order; what several engines showed alike comes once."""
    for what in ("stdout", "stderr"):
        yield from _groups(what, [(each.engine, getattr(each, what)) for each in said if getattr(each, what)])
    for number in range(max((len(each.shown) for each in said), default=0)):
        yield from _groups("shown", [(each.engine, each.shown[number]) for each in said if number < len(each.shown)])
    yield from _groups("error", [(each.engine, each.error) for each in said if each.error is not None])


def _groups(what: str, said: Sequence[tuple[int, Any]]) -> list[Alike]:
    found: dict[str, Alike] = {}
    for engine, each in said:
        found.setdefault(_same_anywhere(what, each), Alike([], what, each)).engines.append(engine)
    return list(found.values())


def _same_anywhere(what: str, said: Any) -> str:
    """What is said, without what differs from process to process: addresses, and the folder in which a kernel's cells are."""
    if what == "error":
        said = [kind_of(said), str(getattr(said, "evalue", said))]
    elif what == "shown":
        said = said["data"]
    return re.sub(r"\b0x[0-9a-fA-F]+|ipykernel_\d+", "…", json.dumps(said, sort_keys=True, default=str))


def kind_of(error: Any) -> str:
    """The class of what an engine raised."""
    return str(getattr(error, "ename", None) or type(error).__name__)


def who(engines: Sequence[int], of: int) -> str:
    """As "engines 0 and 2", or "all 4 engines"."""
    return f"all {of} engines" if len(engines) == of > 1 else named("engine", engines)


def first_failed(error: Any) -> int | None:
    """The first engine that an error of ipyparallel is from; None if it does not say."""
    error = getattr(error, "original_error", error)
    infos = [each[3] for each in getattr(error, "elist", ())] or [getattr(error, "engine_info", None)]
    return next((int(info["engine_id"]) for info in infos if info and "engine_id" in info), None)
