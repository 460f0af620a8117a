"""The records as pandas tables. The only door to pandas.

`COLUMNS` is where the columns are documented: ``?`` and the docs are made from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from jupyter_jitmagic.base.causes import sentence
from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.records.apart import told_apart
from jupyter_jitmagic.records.log import EXECUTE_HOW, OUTCOMES, WHY_UNOBSERVED, EntryRecord, FunctionRecord, log

if TYPE_CHECKING:
    import pandas as pd

Level = Literal["functions", "entries", "calls", "misses", "diagnoses", "others"]
COLUMNS: dict[Level, dict[str, str]] = {
    "functions": {
        "function": "qualified name; #2, #3 … where several living functions share it",
        "calls": "calls of every outcome",
        "hits": "calls that JAX answered from its cache",
        "misses": "calls that lowered or compiled, from the disk cache or anew",
        "errors": "calls that raised",
        "inlined": "calls inside an enclosing trace or with jit disabled: nothing of their own compiled or executed",
        "entries": "cache entries alive",
        "trace_s": "seconds spent tracing, all calls together",
        "lower_s": "seconds spent lowering to StableHLO",
        "compile_s": "seconds spent in the backend compiler (XLA), or reading the disk cache",
        "dispatch_s": "seconds in calls, all together: everything but what ran on after they returned",
        "execute_median_s": "median execution of the hits that have a time, without the first after a compile where there are "
        "others; missing if hardly any has",
        "execute_calls": "of how many hits it is the median",
        "time_s": "seconds in all: tracing, lowering, compiling, and hits and misses times the mean execution; missing if none "
        "is known",
        "break_even_calls": "calls after which compiling has paid against plain Python; missing until asked for or where "
        "it never pays",
        "alive": "the function still exists",
        "superseded": "its cell or definition ran again and made a new one",
    },
    "entries": {
        "function": "qualified name",
        "entry": "number of the entry, from 1; what %jitcache show takes",
        "apart": 'what tells it from the other entries of its function, as "n=5, x.shape[0]=96"; empty for an only entry',
        "arguments": "the traced arguments by name, large containers folded",
        "avals": "types of the traced arguments in JAX's short form",
        "static": "static arguments and their values",
        "transformation": 'the eager transformation the entry was made under, as "grad" or "vmap"',
        "hits": "hits of this entry",
        "trace_s": "seconds its trace took; missing where JAX did not trace for it",
        "lower_s": "seconds its lowering took",
        "compile_s": "seconds its compile took",
        "execute_s": "median execution of its calls whose end was seen, without the first hit where there are others",
        "executable_bytes": "size of its machine code, or of the executable as a file where the backend does not tell (CPU)",
        "temp_bytes": "temporary memory of one execution; missing for entries that are gone or under a transformation",
        "last_used_s": "Unix time of the last call that used it",
        "superseded": "belongs to a function that was created again since",
        "alive": "still in JAX's cache as far as is known",
    },
    "calls": {
        "call": "number of the call, in the order in which calls ended",
        "function": "qualified name",
        "started_s": "Unix time at which it began",
        "outcome": "hit, miss, disk_hit, inlined, error, or eager: the plain function ran in place of a compile (on_miss)",
        "trace_s": "seconds tracing; missing if it did not trace. Under an eager transformation: from the call's start to the "
        "first lowering, tracing and transforming",
        "lower_s": "seconds lowering; missing if it did not",
        "compile_s": "seconds compiling or reading the disk cache; missing if it did not",
        "dispatch_s": "seconds until the call returned, all of the above included",
        "execute_s": "seconds from the start (of a miss: from the compile's end) to the result, without the time the device "
        "was busy with earlier calls; missing if its end was not seen",
        "execute_how": "blocked, observed, averaged (over calls in a row during which the device did not rest) or unobserved",
        "averaged_over": "how many calls the mean was taken of; missing where the call was seen alone or not at all",
        "why_unobserved": "why it has no time: not_looked_at, compile (beside it, or a call before it failed), rested (the "
        "device, or nobody knows since when it was at work), late (its end was seen too late to tell), gone (its outputs were "
        "deleted or donated before), unsure (entries came by turns, and what each takes is not certain); missing where it has "
        "one, and where it executed nothing",
        "entry": "number of the entry it used; missing for inlined calls and errors",
    },
    "misses": {
        "miss": "number of the miss",
        "call": "number of its call",
        "function": "qualified name",
        "entry": "number of the entry it made",
        "cause": "why JAX could not use an entry it had",
        "argument": "path of the argument that differs",
        "before": "what it was in the nearest earlier call",
        "now": "what it is",
        "cost_s": "trace, lower and compile seconds, in the miss's first row",
        "call_site": "the line that made the call",
    },
    "others": {
        "function": "qualified name; a primitive's name for JAX's own operations",
        "module": 'where it is defined; "jax" for JAX\'s own operations',
        "compiles": "times it compiled",
        "disk_hits": "of these, compiles that came from the disk cache",
        "trace_s": "seconds spent tracing, all compiles together",
        "lower_s": "seconds spent lowering to StableHLO",
        "compile_s": "seconds spent in the backend compiler (XLA), or reading the disk cache",
        "cause": "why it compiled the last time; several causes with commas",
        "argument": "paths of the arguments that differed then",
        "why": "the same in words, with the values now and before",
        "call_site": "the line that made the call",
    },
    "diagnoses": {
        "diagnosis": "number of the diagnosis",
        "function": "qualified name",
        "started_s": "Unix time of the failed trace",
        "kind": "traces, static, rewrite, static+rewrite or not_staticness",
        "static_argnames": "the smallest verified set of static arguments",
        "sites": "concretization sites found",
        "verified": "the proposed answer was traced again and, if a rewrite is part of it, compared",
        "reason": "one or two sentences",
    },
}


def stats(level: Level = "functions") -> pd.DataFrame:
    """What was recorded, as a pandas table.

    Args:
        level: "functions", "entries", "calls", "misses", "diagnoses" or "others" (what compiled outside `jm.jit`: plain
            ``jax.jit``, libraries, eager operations).

    Raises:
        OptionError: there is no such level.

    Example:
        >>> jm.stats("calls").groupby("outcome").size()
    """
    return plain(level).frame()


def plain(level: Level) -> Plain:
    """The same before pandas is needed for it."""
    make = _LEVELS.get(level)
    if make is None:
        raise no_such_level(level)
    log.fold()
    if level == "entries":
        log.fill_sizes()
    with log.lock:
        return make()


class Plain(NamedTuple):
    """A table's columns by name, each a list or array, and which type is made of each. Of a "category" the column is its codes
    and the names that they stand for, of a "masked" one its values and where they are missing."""

    columns: dict[str, Any]
    kinds: dict[str, str]

    def frame(self) -> pd.DataFrame:
        import pandas as pd

        def made(column: Any, kind: str) -> Any:
            if kind == "category":
                codes, names = column
                return pd.Categorical.from_codes(codes, categories=pd.Index(names, dtype="str"))
            if kind == "masked":
                return pd.arrays.IntegerArray(*column)
            return pd.Series(column, dtype=kind) if kind else column

        return pd.DataFrame({name: made(column, self.kinds.get(name, "")) for name, column in self.columns.items()})


def no_such_level(level: object) -> OptionError:
    return OptionError(f"there is no level {level!r}: choose one of {', '.join(_LEVELS)}")


def as_recorded(level: Level) -> pd.DataFrame:
    """The same as `stats` for a reader in the background: it asks JAX for nothing, so sizes may be missing."""
    log.fold()
    with log.lock:
        made = _LEVELS[level]()
    return made.frame()


def calls_since(number: int) -> pd.DataFrame:
    """The calls table from call `number` on."""
    log.fold()
    with log.lock:
        made = _calls(number)
    return made.frame()


stats.__doc__ = f"{stats.__doc__}\n" + "\n".join(
    f"    {level}:\n" + "".join(f"        {name:16}  {meaning}\n" for name, meaning in columns.items())
    for level, columns in COLUMNS.items()
)


def reset() -> None:
    """Forget every row. JAX's caches stay as they are, and living functions go on recording."""
    log.reset()


def _from_records(level: Level, rows: list[dict[str, Any]], kinds: dict[str, str]) -> Plain:
    return Plain(
        {name: [row.get(name) for row in rows] for name in COLUMNS[level]}, dict.fromkeys(COLUMNS[level], "object") | kinds
    )


_TEXT = "str"
_FLOAT = "float64"
_COUNT = "int64"
_MAYBE = "Int64"


def _name(function: int) -> str:
    record = log.known_function(function) or log.functions.get(function)
    return record.name if record is not None else ""


def _functions() -> Plain:
    executions = _executions()
    alive: dict[int, int] = {}
    for entry in tuple(log.entries.values()):
        alive[entry.function] = alive.get(entry.function, 0) + (entry.alive and not entry.superseded)
    rows = [
        {
            **{name: getattr(record, name) for name in ("calls", "hits", "misses", "errors", "inlined", "alive", "superseded")},
            **{name: getattr(record, name) for name in ("trace_s", "lower_s", "compile_s", "dispatch_s")},
            "function": record.name,
            "entries": alive.get(record.id, 0),
            "execute_median_s": executions[record.id].median_s if record.id in executions else None,
            "execute_calls": executions[record.id].calls if record.id in executions else 0,
            "time_s": _whole_s(record, executions.get(record.id)),
            "break_even_calls": record.break_even_calls,
        }
        for record in tuple(log.functions.values())
    ]
    counts = dict.fromkeys(("calls", "hits", "misses", "errors", "inlined", "entries", "execute_calls"), _COUNT)
    times = dict.fromkeys(("trace_s", "lower_s", "compile_s", "dispatch_s", "execute_median_s", "time_s"), _FLOAT)
    kinds = {"function": _TEXT, **counts, **times, "break_even_calls": _MAYBE, "alive": "bool", "superseded": "bool"}
    return _from_records("functions", rows, kinds)


_FEW = 5
"""Fewer hits with a time than these, and than half of all, are no sample of a function's calls."""


class _Executions(NamedTuple):
    """Of a function's kept hits: how many have a time, and their median and mean in seconds."""

    calls: int
    median_s: float
    mean_s: float


def _executions() -> dict[int, _Executions]:
    """By function, where enough is known. The first hit of an entry, which may have run while something else was still being
    compiled, stands for others only where there are no others; the call that compiled never does."""
    import numpy as np

    with log.lock:
        places, times, firsts = log.columns.timed()
        used, which = np.unique(places, return_inverse=True)
        owners = np.array([log.owner_of(place) or 0 for place in used.tolist()], "i8")[which] if len(used) else which
    found = {}
    for function in np.unique(owners).tolist():
        own = owners == function
        others = (log.functions[function].hits if function in log.functions else 0) - int((own & firsts).sum())
        sample = times[own & ~firsts] if others > 0 else times[own]
        if function in log.functions and len(sample) >= min(_FEW, (others + 1) // 2):
            found[function] = _Executions(len(sample), float(np.median(sample)), float(sample.mean()))
    return found


def _whole_s(record: FunctionRecord, executions: _Executions | None) -> float | None:
    """What a function has cost in all, compiling and running; None where no execution of it is known."""
    if executions is None:
        return None
    return record.trace_s + record.lower_s + record.compile_s + (record.hits + record.misses) * executions.mean_s


def _entries() -> Plain:
    own: dict[int, list[EntryRecord]] = {}
    for record in tuple(log.entries.values()):
        own.setdefault(record.function, []).append(record)
    apart = {function: told_apart(entries) for function, entries in own.items()}
    rows = [
        {
            **{name: getattr(record, name, None) for name in COLUMNS["entries"]},
            "apart": apart[record.function].label(record.id) if record.function in apart else "",
            "entry": record.id,
            "function": _name(record.function),
            "static": ", ".join(f"{name}={value}" for name, value in record.static.items()),
        }
        for record in tuple(log.entries.values())
    ]
    kinds = {
        **dict.fromkeys(("function", "apart", "arguments", "avals", "static", "transformation"), _TEXT),
        **dict.fromkeys(("entry", "hits"), _COUNT),
        **dict.fromkeys(("trace_s", "lower_s", "compile_s", "execute_s", "last_used_s"), _FLOAT),
        **dict.fromkeys(("executable_bytes", "temp_bytes"), _MAYBE),
        **dict.fromkeys(("superseded", "alive"), "bool"),
    }
    return _from_records("entries", rows, kinds)


def _calls(since: int = 0) -> Plain:
    import numpy as np

    columns = log.calls(since)
    used, codes = np.unique(columns["function"], return_inverse=True)
    names = [_name(function) for function in used.tolist()]
    unique = list(dict.fromkeys(names))
    codes = np.array([unique.index(name) for name in names], dtype="i8")[codes] if len(names) else codes
    columns["function"] = codes, unique
    columns["outcome"] = columns["outcome"], list(OUTCOMES)
    columns["execute_how"] = columns["execute_how"], list(EXECUTE_HOW)
    columns["why_unobserved"] = columns["why_unobserved"], list(WHY_UNOBSERVED)
    columns["averaged_over"] = columns["averaged_over"], columns["averaged_over"] == 0
    columns["entry"] = columns["entry"].astype("i8"), columns["entry"] < 0
    kinds = {
        **dict.fromkeys(("function", "outcome", "execute_how", "why_unobserved"), "category"),
        **dict.fromkeys(("averaged_over", "entry"), "masked"),
    }
    return Plain({name: columns[name] for name in COLUMNS["calls"]}, kinds)


def _misses() -> Plain:
    rows = []
    for miss in tuple(log.misses):
        for i, cause in enumerate(miss.causes):
            rows.append(
                {
                    "miss": miss.id,
                    "call": miss.call,
                    "function": _name(miss.function),
                    "entry": miss.entry,
                    "cause": cause.cause,
                    "argument": cause.argument,
                    "before": cause.before,
                    "now": cause.now,
                    "cost_s": miss.cost_s if i == 0 else None,
                    "call_site": miss.call_site,
                }
            )
    kinds = {
        **dict.fromkeys(("miss", "call", "entry"), _COUNT),
        **dict.fromkeys(("function", "cause", "argument", "before", "now", "call_site"), _TEXT),
        "cost_s": _FLOAT,
    }
    return _from_records("misses", rows, kinds)


def _diagnoses() -> Plain:
    rows = [
        {
            "diagnosis": record.id,
            "function": record.function,
            "started_s": record.started_s,
            "kind": record.diagnosis.get("kind"),
            "static_argnames": ", ".join(record.diagnosis.get("static_argnames") or ()),
            "sites": len(record.diagnosis.get("sites") or ()),
            "verified": bool(record.diagnosis.get("verified")),
            "reason": record.diagnosis.get("reason"),
        }
        for record in tuple(log.diagnoses)
    ]
    kinds = {
        **dict.fromkeys(("function", "kind", "static_argnames", "reason"), _TEXT),
        **dict.fromkeys(("diagnosis", "sites"), _COUNT),
        "started_s": _FLOAT,
        "verified": "bool",
    }
    return _from_records("diagnoses", rows, kinds)


def _others() -> Plain:
    rows = [
        {
            **{name: getattr(row, name, None) for name in COLUMNS["others"]},
            "cause": ", ".join(dict.fromkeys(cause.cause for cause in row.causes)),
            "argument": ", ".join(dict.fromkeys(cause.argument for cause in row.causes if cause.argument)),
            "why": sentence(row.causes),
        }
        for row in sorted(log.others.values(), key=lambda row: -(row.trace_s + row.lower_s + row.compile_s))
    ]
    kinds = {
        **dict.fromkeys(("function", "module", "cause", "argument", "why", "call_site"), _TEXT),
        **dict.fromkeys(("compiles", "disk_hits"), _COUNT),
        **dict.fromkeys(("trace_s", "lower_s", "compile_s"), _FLOAT),
    }
    return _from_records("others", rows, kinds)


_LEVELS: dict[Level, Callable[[], Plain]] = {
    "functions": _functions,
    "entries": _entries,
    "calls": _calls,
    "misses": _misses,
    "diagnoses": _diagnoses,
    "others": _others,
}
