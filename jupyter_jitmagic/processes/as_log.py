"""What `jm.open` read as a `Log`: for views that show the rows of a process, to show those of many that recorded elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.records.log import DiagnosisRecord, EntryRecord, FunctionRecord, Log, MissRecord, OtherRecord

if TYPE_CHECKING:
    from jupyter_jitmagic.processes.opened import Opened

_Who = tuple[str, int]
"""A run, and a process of it."""
_TIMES = ("trace_s", "lower_s", "compile_s")


def as_log(opened: Opened) -> Log:
    """The rows as they are now. Functions are named with their run and process where there are several."""
    log = Log()
    labels = _labels(opened)
    started = {(str(row["run"]), int(row["process"])): float(row["started_s"] or 0.0) for row in _rows(opened.processes)}
    functions: dict[tuple[_Who, str], FunctionRecord] = {}
    for row in _rows(opened.stats("functions")):
        who, name = _who(row), str(row["function"])
        label = f"{name} · {labels[who]}" if labels[who] else name
        counts: dict[str, Any] = {field: int(row[field]) for field in ("calls", "hits", "misses", "errors", "inlined")}
        seconds: dict[str, Any] = {field: float(row[field] or 0.0) for field in (*_TIMES, "dispatch_s")}
        states: dict[str, Any] = {field: bool(row[field]) for field in ("alive", "superseded")}
        record = FunctionRecord(
            log.new_id("function"), label, "", name, "", 0, created_s=started.get(who, 0.0), **counts, **seconds, **states
        )
        functions[who, name] = record
        log.add_function(record)
    entries: dict[tuple[_Who, int], EntryRecord] = {}
    for row in _rows(opened.stats("entries")):
        function = functions.get((_who(row), str(row["function"])))
        if function is not None:
            entry = _entry(log.new_id("entry"), function.id, row)
            entries[_who(row), int(row["entry"])] = entry
            log.add_entry(entry)
    began = {(_who(row), int(row["call"])): float(row["started_s"]) for row in _rows(opened.missed())}
    for who, rows in _misses(opened):
        function = functions.get((who, str(rows[0]["function"])))
        if function is not None:
            made = entries.get((who, int(rows[0]["entry"] or 0)))
            miss = _miss(log.new_id("miss"), function.id, made.id if made else 0, rows)
            miss.started_s = began.get((who, miss.call), function.created_s)
            log.add_miss(miss, keep=10**6)
            if made is not None:
                made.created_s = miss.started_s
    for row in _rows(opened.stats("others")):
        other = _other(log.new_id("other"), row, labels[_who(row)])
        log.others[other.function, other.module, other.call_site] = other
    for row in _rows(opened.stats("diagnoses")):
        facts: dict[str, Any] = {"kind": row["kind"], "reason": row["reason"] or "", "verified": bool(row["verified"])}
        statics = [name.strip() for name in str(row["static_argnames"] or "").split(",") if name.strip()]
        facts["static_argnames"] = statics
        log.add_diagnosis(DiagnosisRecord(log.new_id("diagnosis"), str(row["function"]), float(row["started_s"] or 0.0), facts))
    return log


def _labels(opened: Opened) -> dict[_Who, str]:
    """What tells each process from the others, short, as rows are narrow: "lr-0.1/2", or "2" where there is one run."""
    every = [_who(row) for row in _rows(opened.processes)]
    runs = {run for run, _ in every}
    labels = {}
    for run, process in every:
        parts = [run] if len(runs) > 1 else []
        parts += [str(process)] if sum(other == run for other, _ in every) > 1 else []
        labels[run, process] = "/".join(parts)
    return labels


def _rows(frame: Any) -> Iterator[dict[str, Any]]:
    """The rows with None where something is missing."""
    columns = list(frame.columns)
    for values in frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None):
        yield dict(zip(columns, values, strict=True))


def _who(row: Mapping[str, Any]) -> _Who:
    return str(row["run"]), int(row["process"])


def _entry(number: int, function: int, row: Mapping[str, Any]) -> EntryRecord:
    static = dict(re.findall(r"(?:^|, )([A-Za-z_][\w.]*)=(.*?)(?=, [A-Za-z_][\w.]*=|$)", str(row["static"] or "")))
    texts: dict[str, Any] = {field: str(row[field] or "") for field in ("avals", "arguments", "transformation")}
    times: dict[str, Any] = {field: row[field] for field in (*_TIMES, "execute_s", "executable_bytes", "temp_bytes")}
    states: dict[str, Any] = {field: bool(row[field]) for field in ("alive", "superseded")}
    used = float(row["last_used_s"] or 0.0)
    return EntryRecord(number, function, static=static, hits=int(row["hits"]), last_used_s=used, **texts, **times, **states)


def _misses(opened: Opened) -> Iterator[tuple[_Who, list[dict[str, Any]]]]:
    """The rows of each miss: one for each of its causes."""
    found: dict[tuple[_Who, int], list[dict[str, Any]]] = {}
    for row in _rows(opened.stats("misses")):
        found.setdefault((_who(row), int(row["miss"])), []).append(row)
    for (who, _), rows in found.items():
        yield who, rows


def _miss(number: int, function: int, entry: int, rows: list[dict[str, Any]]) -> MissRecord:
    first = rows[0]
    causes = tuple(_cause(row["cause"], row) for row in rows)
    cost = next((float(row["cost_s"]) for row in rows if row["cost_s"] is not None), 0.0)
    return MissRecord(number, int(first["call"] or 0), function, entry, causes, cost, str(first["call_site"] or ""))


def _cause(name: Any, row: Mapping[str, Any]) -> Cause:
    argument, before, now = (str(row.get(field) or "") for field in ("argument", "before", "now"))
    return Cause(cast(Any, str(name)), argument, before, now)


def _other(number: int, row: Mapping[str, Any], label: str) -> OtherRecord:
    named: Iterable[str] = str(row["cause"] or "").split(", ")
    causes = tuple(_cause(cause, {}) for cause in named if cause)
    function = f"{row['function']} · {label}" if label else str(row["function"])
    times: dict[str, Any] = {field: float(row[field] or 0.0) for field in _TIMES}
    where = str(row["call_site"] or "")
    return OtherRecord(number, function, str(row["module"] or ""), where, int(row["compiles"]), causes=causes, **times)
