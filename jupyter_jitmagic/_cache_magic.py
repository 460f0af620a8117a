"""`%jitcache`: what the panel shows, as text."""

from __future__ import annotations

from typing import Any

from jupyter_jitmagic import _shell
from jupyter_jitmagic._display import _cache
from jupyter_jitmagic._errors import OptionError
from jupyter_jitmagic._records import EntryRecord, FunctionRecord, log


def run(shell: Any, what: str, words: list[str]) -> None:
    """Do what the line says.

    Raises:
        OptionError: a function or an entry that is not known, or something that JAX cannot do.
    """
    log.fold()
    if what == "list":
        _shell.show(shell, _cache.listed(_functions(words), _entries()))
    elif what == "show":
        _show(shell, words)
    elif what == "drop":
        entry = _entry(words, "drop")
        name = _name(entry.function)
        raise OptionError(f"JAX cannot drop one entry alone; %jitcache clear {name} empties all of {name}'s")
    else:
        raise OptionError("clear is not available in this version")


def _show(shell: Any, words: list[str]) -> None:
    if words and not words[0].isdigit():
        functions = _functions(words)
        entries = [entry for entry in _entries() if entry.function in {function.id for function in functions}]
        if len(entries) != 1:
            _shell.show(shell, _cache.listed(functions, entries))
            return
        entry = entries[0]
    else:
        entry = _entry(words, "show")
    _shell.show(shell, _cache.shown(entry, _name(entry.function)))


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
