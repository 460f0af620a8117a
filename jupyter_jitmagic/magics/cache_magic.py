"""`%jitcache`: what the panel shows, as text."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.display import Document, cache
from jupyter_jitmagic.display.model import Paragraph
from jupyter_jitmagic.magics import front_end
from jupyter_jitmagic.records.log import EntryRecord, FunctionRecord, log


def entry_detail(entry: int, what: str) -> str | dict[str, float]:
    """As `jitting.entry_detail`, imported when it is first needed."""
    from jupyter_jitmagic.recording.api import jitting

    return jitting.entry_detail(entry, what)  # type: ignore[arg-type]  # it says which words it knows


def run(shell: Any, what: str, words: list[str]) -> None:
    """Do what the line says.

    Raises:
        OptionError: a function or an entry that is not known, or something that JAX cannot do.
    """
    log.fold()
    if what == "list":
        front_end.show(shell, cache.listed(_functions(words), _entries()))
    elif what == "show":
        _show(shell, words)
    elif what == "drop":
        entry = _entry(words, "drop")
        name = _name(entry.function)
        raise OptionError(f"JAX cannot drop one entry alone; %jitcache clear {name} empties the whole cache of {name}")
    else:
        _clear(shell, _functions(words))


def _clear(shell: Any, functions: list[FunctionRecord]) -> None:
    from jupyter_jitmagic.recording.api.jitting import clear_cache

    cleared = [function.name for function in functions if clear_cache(function.id)]
    text = f"Cleared: {', '.join(f'`{name}`' for name in cleared)}. Each compiles again at its next call."
    front_end.show(shell, Document.of([Paragraph(text if cleared else "There is nothing to clear.", "dim")]))


def _show(shell: Any, words: list[str]) -> None:
    if len(words) == 2 and words[0].isdigit():
        _show_program(shell, _entry(words[:1], "show"), words[1])
        return
    if words and not words[0].isdigit():
        functions = _functions(words)
        entries = [entry for entry in _entries() if entry.function in {function.id for function in functions}]
        if len(entries) != 1:
            front_end.show(shell, cache.listed(functions, entries))
            return
        entry = entries[0]
    else:
        entry = _entry(words, "show")
    with suppress(OptionError):  # an entry that JAX holds no more has no sizes: the rest is shown
        entry_detail(entry.id, "memory")
    front_end.show(shell, cache.shown(entry, _name(entry.function)))


def _show_program(shell: Any, entry: EntryRecord, what: str) -> None:
    found = entry_detail(entry.id, what)
    front_end.show(shell, cache.program(entry, _name(entry.function), what, found))


def _functions(names: list[str]) -> list[FunctionRecord]:
    records = [record for record in log.functions.values() if not record.superseded]
    wanted = [name for word in names for name in word.split(",") if name]
    known = {record.name for record in records}
    for name in wanted:
        if name not in known:
            raise OptionError(f"no jitted function is called {name} (there are: {', '.join(sorted(known)) or 'none'})")
    return [record for record in records if not wanted or record.name in wanted]


def _entries() -> list[EntryRecord]:
    return [entry for entry in log.entries.values() if entry.alive and not entry.superseded]


def _entry(words: list[str], what: str) -> EntryRecord:
    if len(words) != 1 or not words[0].isdigit():
        raise OptionError(f"{what} needs the number of one entry, as %jitcache list shows it")
    entry = log.entries.get(int(words[0]))
    if entry is None:
        raise OptionError(f"there is no entry {words[0]}; %jitcache list shows them")
    return entry


def _name(function: int) -> str:
    record = log.known_function(function) or log.functions.get(function)
    return record.name if record is not None else ""
