"""Tables of what was recorded, as documents. Takes rows as dicts, so it needs no pandas."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from jupyter_jitmagic.base.causes import Cause, word
from jupyter_jitmagic.base.wording import short_name
from jupyter_jitmagic.display import amounts
from jupyter_jitmagic.display.model import Column, Document, Paragraph, Table
from jupyter_jitmagic.display.page import Key, Sheet
from jupyter_jitmagic.records.log import MissRecord

Row = Mapping[str, Any]

ROWS_SHOWN = 30
VALUES_SHOWN = 4
CAUSES_SHOWN = 3
_MANY = 20
"""Hits of which it is said how many have a time."""


def replaced_together(
    rows: Sequence[Row], misses: Sequence[Sequence[MissRecord]]
) -> tuple[list[Row], list[Sequence[MissRecord]]]:
    """One row in place of many for the functions of one name that came in each other's place, as in a loop."""
    groups: dict[Any, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(row["function"] if row.get("superseded") else place, []).append(place)
    shown: list[Row] = []
    misses_together: list[Sequence[MissRecord]] = []
    for places in groups.values():
        together = dict(rows[places[0]])
        if len(places) > 1:
            together["function"] = f"{together['function']} ({len(places)} replaced)"
            together["superseded"], together["execute_median_s"], together["time_s"] = False, None, None
            for name in ("calls", "hits", "misses", "errors", "inlined", "compile_s"):
                together[name] = sum(rows[place].get(name, 0) for place in places)
        shown.append(together)
        misses_together.append([miss for place in places for miss in misses[place]])
    return shown, misses_together


def functions(
    rows: Sequence[Row],
    misses: Sequence[Sequence[MissRecord]],
    how: str,
    notes: Sequence[str] = (),
    *,
    break_even: bool = False,
) -> Document:
    """The functions table, what cost most to compile first.

    Args:
        rows: the rows of `jm.stats("functions")` that are to be shown.
        misses: for each row the misses of its function, in order.
        how: how executions were timed, as "observed without blocking".
        notes: lines below the table.
        break_even: after how many calls compiling has paid was measured, and is a column.
    """
    if not rows:
        return nothing_yet()
    dearest = sorted(range(len(rows)), key=lambda place: -(_number(rows[place]["compile_s"]) or 0.0))
    rows, misses = [rows[place] for place in dearest], [misses[place] for place in dearest]
    longest = {name: max((row[name] for row in rows if _there(row.get(name))), default=0.0) for name in _BARS}
    table = Table(
        columns=(
            Column("function", code=True),
            Column("calls", right=True),
            Column("hits", right=True),
            Column("misses", right=True),
            Column("compile", right=True, bar=True),
            Column("execute", right=True, bar=True),
            Column("time", right=True, bar=True),
            *([Column("pays after", right=True)] if break_even else []),
            Column("why it compiled again", wide=True),
        ),
        rows=tuple(
            (
                row["function"] + (" (replaced)" if row.get("superseded") else ""),
                amounts.count(row["calls"]),
                amounts.count(row["hits"]),
                amounts.count(row["misses"]),
                amounts.seconds(row["compile_s"]) if row["compile_s"] else amounts.MISSING,
                _execution(row),
                amounts.seconds(_number(row.get("time_s"))),
                *([_pays_after(row)] if break_even else []),
                why_again(its_misses),
            )
            for row, its_misses in zip(rows, misses, strict=True)
        ),
        foot=_totals(rows, how),
        shares=tuple(
            (
                None,
                None,
                None,
                None,
                *(
                    math.sqrt(row[name] / longest[name]) if _there(row.get(name)) and longest[name] and row[name] else None
                    for name in _BARS
                ),
                *([None] if break_even else []),
                None,
            )
            for row in rows
        ),
    )
    return Document.of([table, *(Paragraph(note, "dim") for note in notes)])


def _pays_after(row: Row) -> str:
    calls = _number(row.get("break_even_calls"))
    return amounts.MISSING if calls is None else amounts.times(int(calls), "call")


_BARS = ("compile_s", "execute_median_s", "time_s")


def _execution(row: Row) -> str:
    """The median, and of how many hits it is where that is not all: as "18 ms · 240 of 1,500"."""
    text = amounts.seconds(_number(row["execute_median_s"]))
    timed = int(row.get("execute_calls") or 0)
    partly = 0 < timed < row["hits"] >= _MANY
    return f"{text} · {amounts.count(timed)} of {amounts.count(row['hits'])}" if partly else text


_WHY_UNTIMED = {
    "not_looked_at": "not looked at",
    "compile": "something compiled meanwhile, or a call before failed",
    "rested": "the device rested between them, or may have",
    "late": "their ends were seen too late",
    "gone": "their outputs were deleted or donated before",
    "unsure": "they came by turns with others, and what each takes is not certain",
}
_FEW_TIMED = 0.8


def untimed(function: str, hits: int, reasons: Mapping[str, int]) -> str | None:
    """Why many hits of a function have no time, by reason how many, as a line; None where most have one."""
    missing = sum(reasons.values())
    if hits < _MANY or missing <= (1 - _FEW_TIMED) * hits:
        return None
    often = sorted(reasons, key=lambda why: -reasons[why])
    words = ", ".join(f"{_WHY_UNTIMED[why]} ({amounts.count(reasons[why])})" for why in often if reasons[why])
    return f"{function}: no time is known of {amounts.count(missing)} of {amounts.count(hits)} hits: {words}"


def nothing_yet() -> Document:
    """What is shown before anything was recorded: the one thing to do."""
    return Document.of([Paragraph("Nothing recorded yet: put `%%jit` over a cell with a function, and call it.", "dim")])


def _totals(rows: Sequence[Row], how: str) -> str:
    calls, misses = sum(row["calls"] for row in rows), sum(row["misses"] for row in rows)
    spent = amounts.seconds(sum(row["compile_s"] for row in rows))
    words = [amounts.times(len(rows), "function"), amounts.times(calls, "call"), amounts.times(misses, "compile")]
    failed, inlined = (sum(row.get(name, 0) for row in rows) for name in ("errors", "inlined"))
    words[1] += f" ({', '.join(f'{amounts.count(n)} {what}' for n, what in ((failed, 'failed'), (inlined, 'inlined')) if n)})"
    words[1] = words[1].removesuffix(" ()")
    timed = f" · execute: median, {how} · time: compiling and all executions" if how else ""
    return f"{', '.join(words)}, {spent} compiling{timed}"


def why_again(misses: Sequence[MissRecord]) -> str:
    """Why a function compiled more than once, as "n 5, 8, 13 (static value)"; "" if it did not.

    Misses of one cause at one argument stand together, with the values that it had, the first one before included.
    """
    groups: dict[tuple[str, str], list[Cause]] = {}
    for miss in misses:
        for cause in miss.causes:
            if cause.cause != "first_call" or cause.now:
                groups.setdefault((cause.cause, cause.argument), []).append(cause)
    reasons = [_group(cause, argument, same) for (cause, argument), same in groups.items()]
    more = f"; {amounts.times(len(reasons) - CAUSES_SHOWN, 'more cause')}" if len(reasons) > CAUSES_SHOWN else ""
    return "; ".join(reasons[:CAUSES_SHOWN]) + more


def _group(name: str, argument: str, causes: Sequence[Cause]) -> str:
    values = list(dict.fromkeys([causes[0].before, *(cause.now for cause in causes)]))
    values = [_cut(value) for value in values if value]
    shown = ", ".join(values[:VALUES_SHOWN])
    if len(values) > VALUES_SHOWN:
        shown += f", … {len(values)} in all"
    if name == "static_identity":
        shown = f"{values[0]}, made anew" + (f" ×{len(causes)}" if len(causes) > 1 else "")
    elif name == "weak_type":
        shown = f"{causes[-1].now.partition('{')[0]} with and without it"
    words = " ".join(part for part in (f"`{argument}`" if argument else "", shown) if part)
    times = f" ×{len(causes)}" if not values and len(causes) > 1 else ""
    return f"{words} ({word(name)})" if words else word(name) + times


def _cut(text: str, longest: int = 48) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


# ------------------------------------------------------------------------------------------------ watched cells


class Compiled(NamedTuple):
    """One compile of a watched cell; `module` is "jax" for JAX's own eager operations."""

    function: str
    module: str
    place: str
    why: str
    cost_s: float


def watched(compiles: Sequence[Compiled]) -> Document:
    """What compiled while a cell ran, the most expensive function first, JAX's own operations in one row at the end."""
    if not compiles:
        return Document.of([Paragraph("Nothing compiled in this cell.", "dim")])
    groups: dict[tuple[str, str], list[Compiled]] = {}
    for each in compiles:
        own = each.module == "jax"
        groups.setdefault(("JAX's own operations", "") if own else (short_name(each.function), each.module), []).append(each)

    def by_cost(item: tuple[tuple[str, str], list[Compiled]]) -> tuple[bool, float]:
        return item[1][0].module == "jax", -sum(each.cost_s for each in item[1])

    rows = []
    for (name, _), same in sorted(groups.items(), key=by_cost):
        own = same[0].module == "jax"
        names = ", ".join(dict.fromkeys(each.function for each in same))
        why, place = (_cut(names), "") if own else (same[-1].why, same[-1].place)
        cost = amounts.seconds(sum(each.cost_s for each in same))
        rows.append((name, amounts.count(len(same)), cost, why, place))
    columns = (
        Column("function", code=True),
        Column("compiles", right=True),
        Column("cost", right=True),
        Column("why the last time", wide=True),
        Column("called at", wide=True),
    )
    total = amounts.seconds(sum(each.cost_s for each in compiles))
    foot = f"{amounts.times(len(compiles), 'compile')} in this cell, {total} tracing, lowering and compiling"
    return Document.of([Table(columns, tuple(rows), foot)])


# ------------------------------------------------------------------------------------------------ other levels

_CLOCK = ("started_s", "last_used_s")
_LEFT_OUT = {
    "entries": ("avals", "executable_bytes", "temp_bytes", "superseded", "alive"),
    "calls": ("dispatch_s",),
    "diagnoses": ("started_s",),
    "others": ("disk_hits", "trace_s", "lower_s", "cause", "argument"),
}
_WIDE = ("apart", "arguments", "reason", "before", "now", "call_site", "why")
_CODE = ("function", "apart", "arguments", "avals", "static", "argument", "before", "now")
_WORDS = {
    "apart": "told apart by",
    "execute_how": "how",
    "call_site": "called at",
    "compile_s": "compile",
    "dispatch_s": "until it returned",  # of a miss, its compile included
    "last_used_s": "last used",
    "started_s": "started",
}


def level(name: str, rows: Sequence[Row], columns: Iterable[str]) -> Document:
    """Any other level as a table: the last rows, times and sizes with units; a column in which nothing stands is left out."""
    if not rows:
        return nothing_yet() if name != "diagnoses" else Document.of([Paragraph("No trace has failed yet.", "dim")])
    shown = rows[-ROWS_SHOWN:]
    kept = [
        column
        for column in columns
        if (column not in _LEFT_OUT.get(name, ()) or (column == "superseded" and any(row[column] for row in shown)))
        and any(_there(row[column]) and row[column] != "" for row in shown)
    ]
    numbers = {
        column for column in kept if all(isinstance(row[column], (int, float)) or not _there(row[column]) for row in shown)
    }
    table = Table(
        tuple(
            Column(
                _WORDS.get(column, _plain(column)),
                right=column in numbers,
                code=column in _CODE,
                wide=column in _WIDE,
            )
            for column in kept
        ),
        tuple(tuple(_shown(column, row[column]) for column in kept) for row in shown),
        foot=f"the last {len(shown)} of {amounts.count(len(rows))}; `-o VAR` gives them all" if len(rows) > len(shown) else "",
    )
    return Document.of([table])


def sheet(heading: str, rows: Sequence[Row], columns: Iterable[str], note: str = "") -> Sheet:
    """Every row of a level with all that is known of it, for a report; a column in which nothing stands is left out."""
    kept = [column for column in columns if any(_there(row[column]) and row[column] not in ("", False) for row in rows)]
    numbers = {column for column in kept if all(_is_number(row[column]) or not _there(row[column]) for row in rows)}
    return Sheet(
        heading,
        tuple(
            Column(_WORDS.get(column, _plain(column)), right=column in numbers, code=column in _CODE, wide=column in _WIDE)
            for column in kept
        ),
        [[word(row[column]) if column == "cause" else _shown(column, row[column]) for column in kept] for row in rows],
        [[_key(row[column], column in numbers) for column in kept] for row in rows],
        note,
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _key(value: Any, is_number: bool) -> Key:
    return None if not _there(value) else float(value) if is_number else str(value)


def _plain(column: str) -> str:
    return column.removesuffix("_s").removesuffix("_bytes").replace("_", " ")


def grouped_misses(rows: Sequence[Row], advice: Sequence[str] = ()) -> Document:
    """The misses, those for the same reasons together: how often, what they cost, the last change and where it was called; then
    advice. A miss of several causes is in one row: times add up to the misses."""
    if not rows:
        return nothing_yet()
    whole: dict[int, list[Row]] = {}
    for row in rows:
        whole.setdefault(row["miss"], []).append(row)
    groups: dict[tuple[Any, ...], list[list[Row]]] = {}
    for causes in whole.values():
        reasons = tuple((row["cause"], row["argument"]) for row in causes)
        groups.setdefault((causes[0]["function"], *reasons), []).append(causes)
    lines = []
    for (function, *_), same in sorted(groups.items(), key=lambda item: -_cost(itertools.chain(*item[1]))):
        last, spent = same[-1], _cost(itertools.chain(*same))
        changes = [f"now {_cut(row['now'])} and before {_cut(row['before'])}" for row in last if row["now"] or row["before"]]
        lines.append(
            (
                function,
                ", ".join(dict.fromkeys(word(row["cause"]) for row in last)),
                ", ".join(dict.fromkeys(row["argument"] for row in last if row["argument"])),
                "; ".join(changes[:CAUSES_SHOWN]) + ("; …" if len(changes) > CAUSES_SHOWN else ""),
                amounts.count(len(same)),
                amounts.seconds(spent) if spent else amounts.MISSING,
                last[0]["call_site"] or "",
            )
        )
    columns = (
        Column("function", code=True),
        Column("cause"),
        Column("argument", code=True),
        Column("last time", wide=True),
        Column("times", right=True),
        Column("cost", right=True),
        Column("called at", wide=True),
    )
    foot = f"{amounts.times(len(whole), 'miss', 'misses')}, {amounts.seconds(_cost(rows))} tracing, lowering and compiling"
    return Document.of([Table(columns, tuple(lines), foot), *map(Paragraph, advice)])


def _cost(rows: Iterable[Row]) -> float:
    return sum((float(row["cost_s"]) for row in rows if _there(row["cost_s"])), 0.0)


def _shown(column: str, value: Any) -> str:
    if not _there(value):
        return amounts.MISSING
    if column in _CLOCK:
        return time.strftime("%H:%M:%S", time.localtime(value)) if value else amounts.MISSING
    if column.endswith("_s"):
        return amounts.seconds(value)
    if column.endswith("_bytes"):
        return amounts.size(value)
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, int):
        return amounts.count(value)
    return str(value)


def _there(value: Any) -> bool:
    """Is there a value (pandas writes missing ones as NaN, NA or None)?"""
    return value is not None and type(value).__name__ != "NAType" and not (isinstance(value, float) and math.isnan(value))


def _number(value: Any) -> float | None:
    return float(value) if _there(value) else None
