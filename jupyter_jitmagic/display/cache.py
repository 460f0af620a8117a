"""The caches as documents: every entry of every function, and one entry in full."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from jupyter_jitmagic.display import amounts
from jupyter_jitmagic.display.model import Block, Code, Column, Document, Heading, Paragraph, Table
from jupyter_jitmagic.display.stats import nothing_yet
from jupyter_jitmagic.records.apart import told_apart
from jupyter_jitmagic.records.log import EntryRecord, FunctionRecord


def listed(functions: Sequence[FunctionRecord], entries: Sequence[EntryRecord]) -> Document:
    """The entries under their functions, as the panel lists them."""
    rows: list[tuple[str, ...]] = []
    for function in functions:
        own = [entry for entry in entries if entry.function == function.id]
        apart = told_apart(own)
        compiled = amounts.seconds(function.compile_s) if function.compile_s else amounts.MISSING
        rows.append((function.name, "", amounts.count(function.hits), amounts.count(function.misses), compiled, ""))
        for entry in own:
            rows.append(
                (
                    f"  {apart.line(entry)}",
                    str(entry.id),
                    amounts.count(entry.hits),
                    "",
                    amounts.seconds(entry.compile_s),
                    amounts.seconds(entry.execute_s),
                )
            )
    if not rows:
        return nothing_yet()
    columns = (
        Column("function, entries", code=True),
        Column("entry", right=True),
        Column("hits", right=True),
        Column("misses", right=True),
        Column("compile", right=True),
        Column("execute", right=True),
    )
    foot = "`%jitcache show ENTRY` shows one"
    return Document.of([Table(columns, tuple(rows), foot)])


def shown(entry: EntryRecord, function: str) -> Document:
    """One entry in full."""
    facts = [
        ("argument types", entry.avals or "none"),
        *((f"static {name}", value) for name, value in entry.static.items()),
        ("under", entry.transformation),
        ("hits", amounts.count(entry.hits)),
        ("trace", amounts.seconds(entry.trace_s)),
        ("lower", amounts.seconds(entry.lower_s)),
        ("compile", amounts.seconds(entry.compile_s) + (" (from the disk cache)" if entry.outcome == "disk_hit" else "")),
        ("execute", amounts.seconds(entry.execute_s)),
        ("machine code", amounts.size(entry.executable_bytes)),
        ("temporary memory", amounts.size(entry.temp_bytes)),
        ("arguments", amounts.size(entry.argument_bytes)),
        ("results", amounts.size(entry.output_bytes)),
        ("last used", time.strftime("%H:%M:%S", time.localtime(entry.last_used_s)) if entry.last_used_s else ""),
    ]
    rows = tuple((name, value) for name, value in facts if value and value != amounts.MISSING)
    blocks: list[Block] = [Heading(f"{function}, entry {entry.id}"), Table((Column(""), Column("", code=True)), rows)]
    if not entry.alive or entry.superseded:
        why = "its function was created again or is gone, or its cache was cleared"
        blocks.append(Paragraph(f"This entry is no longer used: {why}.", "dim"))
    else:
        blocks.append(Paragraph(f"`%jitcache show {entry.id} jaxpr`, `stablehlo`, `hlo` or `cost` shows its programs", "dim"))
    return Document.of(blocks)


LONGEST_PROGRAM = 2000
"""Lines of a program that are shown."""


def program(entry: EntryRecord, function: str, what: str, found: str | Mapping[str, float]) -> Document:
    """One of an entry's programs as text, or XLA's figures of it."""
    heading = Heading(f"{function}, entry {entry.id}: {what}")
    if not isinstance(found, str):
        rows = tuple((name.removesuffix("_bytes"), _figure(name, value)) for name, value in found.items())
        return Document.of([heading, Table((Column(""), Column("", right=True)), rows)])
    lines = found.rstrip().splitlines()
    blocks: list[Block] = [heading, Code(tuple(lines[:LONGEST_PROGRAM]))]
    if len(lines) > LONGEST_PROGRAM:
        blocks.append(Paragraph(f"{amounts.count(len(lines) - LONGEST_PROGRAM)} more lines are not shown", "dim"))
    return Document.of(blocks)


def _figure(name: str, value: float) -> str:
    return amounts.size(value) if "bytes" in name else amounts.count(value)
