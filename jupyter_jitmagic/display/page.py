"""A report as one HTML file that needs nothing else: overview, environment, timeline, and every row, sorted by a click.

Without script it is the same, in the order in which the rows were recorded. Light or dark, as the reader's system is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from jupyter_jitmagic.display import amounts
from jupyter_jitmagic.display.html import to_html
from jupyter_jitmagic.display.model import Column, Document
from jupyter_jitmagic.records.spans import PHASES, Timeline

Key = float | str | None
"""What a cell is sorted by; None, which stands for what is not known, comes last."""

_ONE_LINE = 40
"""Code that is longer is cut at the end of its line where it finds no room, and has a tooltip."""
ROWS_AT_ONCE = 1000
"""So many rows of a sheet are in the page as a table; the others are shown when they are asked for."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows that are all there: as they are read, and what they are sorted by."""

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[str]]
    keys: Sequence[Sequence[Key]]
    note: str = ""


def page(
    title: str, overview: Document, environment: Mapping[str, str], timeline: Timeline | None, sheets: Sequence[Sheet]
) -> Iterator[str]:
    """The file, piece by piece.

    Args:
        title: of the page.
        overview: what comes first.
        environment: by name what the figures were measured on.
        timeline: what each function did when; None where nothing was.
        sheets: the tables, in this order.
    """
    yield f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
    yield '<meta name="viewport" content="width=device-width">\n'
    yield f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in environment.items())
    yield f'<dl class="environment">{facts}</dl>\n{to_html(overview)}\n'
    if timeline is not None and timeline.lanes:
        yield from _timeline(timeline)
    for number, sheet in enumerate(sheets):
        yield from _sheet(number, sheet)
    yield f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"


# ------------------------------------------------------------------------------------------------ tables


def _sheet(number: int, sheet: Sheet) -> Iterator[str]:
    count = len(sheet.rows)
    heads = "".join(
        f'<th scope="col"{" class=right" if column.right else ""}><button type="button">{escape(column.name)}</button></th>'
        for column in sheet.columns
    )
    kinds = json.dumps([_kind(column) for column in sheet.columns])
    beside = f"{amounts.count(count)} {'row' if count == 1 else 'rows'}{f', {sheet.note}' if sheet.note else ''}"
    yield f'<section aria-labelledby="sheet{number}">\n<h2 id="sheet{number}">{escape(sheet.name)} '
    yield f"<small>{escape(beside)}</small></h2>\n{_scrolled(sheet.name)}"
    yield f"<table class=sheet data-kinds='{escape(kinds)}'><thead><tr>{heads}</tr></thead><tbody>\n"
    for row, keys in zip(sheet.rows[:ROWS_AT_ONCE], sheet.keys, strict=False):
        yield f"<tr>{''.join(map(_cell, sheet.columns, row, keys))}</tr>\n"
    yield "</tbody></table></div>\n"
    if count > ROWS_AT_ONCE:
        rest = [[list(row), list(keys)] for row, keys in zip(sheet.rows[ROWS_AT_ONCE:], sheet.keys[ROWS_AT_ONCE:], strict=True)]
        data = json.dumps(rest, allow_nan=False).replace("<", "\\u003c")  # no text of the user's ends the script
        yield f'<script type="application/json" class="rest">{data}</script>\n'
        yield f'<p class="dim more">the first {amounts.count(ROWS_AT_ONCE)} are shown</p>\n'
    yield "</section>\n"


def _scrolled(name: str) -> str:
    return f'<div class="scrolled" tabindex="0" role="group" aria-label="{escape(name)}">'


def _kind(column: Column) -> str:
    return " ".join(name for name in ("right", "code", "wide") if getattr(column, name))


def _cell(column: Column, text: str, key: Key) -> str:
    kind = f' class="{_kind(column)}"' if _kind(column) else ""
    by = f' data-key="{key}"' if isinstance(key, (int, float)) else ""
    whole = f' title="{escape(text)}"' if column.code and len(text) > _ONE_LINE else ""
    return f"<td{kind}{by}{whole}>{escape(text)}</td>"


# ------------------------------------------------------------------------------------------------ the timeline

_WIDTH, _LANE, _HEAD, _NAMES = 1000, 24, 20, 170
_HEIGHTS = {"trace": 0.45, "lower": 0.6, "compile": 0.8, "execute": 0.3}


def _timeline(found: Timeline) -> Iterator[str]:
    height = _HEAD + len(found.lanes) * _LANE + 18
    scale = (_WIDTH - _NAMES) / (found.to_s - found.from_s)

    def place(moment: float) -> float:
        return _NAMES + (min(max(moment, found.from_s), found.to_s) - found.from_s) * scale

    yield f'<section aria-labelledby="timeline">\n<h2 id="timeline">Timeline</h2>\n{_scrolled("Timeline")}'
    yield f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" '
    yield 'aria-label="What each function did when; the same as a table follows">\n'
    for cell in found.cells:
        left, right = place(cell.started_s), place(cell.ended_s or found.to_s)
        yield f'<rect class="cell" x="{left:.1f}" y="0" width="{max(1.0, right - left):.1f}" height="{height - 18}"/>'
        yield f'<text x="{left + 2:.1f}" y="12">[{cell.number}]</text>\n'
    for number, lane in enumerate(found.lanes):
        foot = _HEAD + (number + 1) * _LANE - 3
        name = lane.name if len(lane.name) <= 22 else f"{lane.name[:21]}…"
        yield f'<text class="name" x="{_NAMES - 8}" y="{foot - 4}">{escape(name)}<title>{escape(lane.name)}</title></text>'
        yield f'<line x1="0" x2="{_WIDTH}" y1="{foot + 1}" y2="{foot + 1}"/>\n'
        yield from _lane(found, number, foot)
    for share in (0.0, 0.5, 1.0):
        moment = found.from_s + share * (found.to_s - found.from_s)
        anchor = {0.0: "start", 0.5: "middle", 1.0: "end"}[share]
        clock = time.strftime("%H:%M:%S", time.localtime(moment))
        yield f'<text x="{place(moment):.1f}" y="{height - 4}" text-anchor="{anchor}">{clock}</text>'
    legend = "".join(f'<span class="{phase}">{phase}</span>' for phase in (*PHASES, "hits", "misses"))
    yield f'</svg></div>\n<p class="legend dim">{legend}</p>\n'
    # of many hits the end is not seen: their sum is no sum over all
    names = [f"{phase}, seen" if phase == "execute" else phase for phase in PHASES]
    columns = (Column("function", code=True), *(Column(name, right=True) for name in (*names, "hits", "misses")))
    texts: list[list[str]] = []
    keys: list[list[Key]] = []
    for lane in found.lanes:
        seconds = [sum(lane.phases[phase]) for phase in PHASES]
        counts = [sum(lane.hits), sum(lane.misses)]
        texts.append([lane.name, *map(amounts.seconds, seconds), *map(amounts.count, counts)])
        keys.append([lane.name, *seconds, *counts])
    yield "<details><summary>As a table</summary>\n"
    yield from _sheet(-1, Sheet("Timeline as a table", columns, texts, keys))
    yield "</details></section>\n"


def _lane(found: Timeline, number: int, foot: int) -> Iterator[str]:
    lane = found.lanes[number]
    stretches = len(lane.hits)
    step = (_WIDTH - _NAMES) / stretches
    length = (found.to_s - found.from_s) / stretches
    for stretch in range(stretches):
        left = _NAMES + stretch * step
        begin = left
        for phase in PHASES:
            if seconds := lane.phases[phase][stretch]:
                # what is too short to be seen is seen all the same
                wide, high = max(1.0, min(1.0, seconds / length) * step), _HEIGHTS[phase] * (_LANE - 5)
                yield f'<rect class="{phase}" x="{begin:.1f}" y="{foot - high:.1f}" width="{wide:.1f}" height="{high:.1f}"/>'
                begin += 0 if phase == "execute" else min(wide, step)
        if lane.hits[stretch]:
            yield f'<rect class="hits" x="{left:.1f}" y="{foot - 3}" width="1" height="3"/>'
        if lane.misses[stretch]:
            yield f'<rect class="misses" x="{left:.1f}" y="{foot - _LANE + 5}" width="2" height="4"/>'
    yield "\n"


_STYLE = """
:root { color-scheme: light dark; --line: rgba(128, 128, 128, 0.35) }
body { background: Canvas; color: CanvasText; font: 14px/1.45 system-ui, sans-serif }
body { margin: 24px auto; max-width: 1200px; padding: 0 16px }
h1 { font-size: 19px } h2 { font-size: 15px; margin: 28px 0 6px } small, .dim { font-weight: 400; opacity: 0.75 }
.environment { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0 0 16px }
.environment div { display: flex; gap: 6px } dt { opacity: 0.75 } dd { margin: 0 }
.scrolled { overflow-x: auto }
.sheet { border-collapse: collapse; font-size: 13px }
.sheet th { border-bottom: 1px solid var(--line); padding: 0; text-align: left; white-space: nowrap }
.sheet th button { all: unset; cursor: pointer; font-weight: 600; padding: 3px 10px }
.sheet th button:focus-visible { outline: 2px solid Highlight }
.sheet th[aria-sort=ascending] button::after { content: " ▲" } .sheet th[aria-sort=descending] button::after { content: " ▼" }
.sheet td { border-bottom: 1px solid rgba(128, 128, 128, 0.15); padding: 2px 10px; vertical-align: top }
.sheet td:is(.code, .wide) { max-width: 420px; min-width: 14ch; overflow-wrap: anywhere }
.sheet td.code { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.sheet .right { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap }
.code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 12px }
svg { display: block; font-size: 11px } svg text { fill: currentColor } svg .name { text-anchor: end }
svg line { stroke: var(--line) } .cell { fill: rgba(128, 128, 128, 0.12) }
rect.trace { fill: #d97706 } rect.lower { fill: #0f9aa8 } rect.compile { fill: #3b82c4 } rect.execute { fill: #2f9e52 }
rect.hits { fill: #8a8f98 } rect.misses { fill: #d9534a }
.legend span { display: inline-block; margin-right: 16px } .legend span::before { content: "■ "; color: #8a8f98 }
.legend .trace::before { color: #d97706 } .legend .lower::before { color: #0f9aa8 }
.legend .compile::before { color: #3b82c4 } .legend .execute::before { color: #2f9e52 }
.legend .misses::before { color: #d9534a }
@media print { .scrolled { overflow: visible } .sheet td.code { white-space: normal } }
"""

_SCRIPT = """
'use strict';
for (const table of document.querySelectorAll('table.sheet')) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells], kinds = JSON.parse(table.dataset.kinds);
  const section = table.closest('section'), rest = section.querySelector('script.rest'), more = section.querySelector('.more');
  const STEP = body.rows.length;
  let rows = null, shown = STEP;
  const read = () => rows ??= [
    ...[...body.rows].map(row => [
      [...row.cells].map(cell => cell.textContent),
      [...row.cells].map(cell => 'key' in cell.dataset ? Number(cell.dataset.key) : cell.textContent || null)
    ]),
    ...(rest ? JSON.parse(rest.textContent) : [])
  ];
  const draw = () => {
    body.replaceChildren(...read().slice(0, shown).map(([texts]) => {
      const row = document.createElement('tr');
      texts.forEach((text, at) => {
        const cell = row.insertCell();
        cell.textContent = text;
        cell.className = kinds[at];
        if (kinds[at].includes('code')) cell.title = text;
      });
      return row;
    }));
    if (more) {
      more.hidden = shown >= read().length;
      more.firstChild.textContent = `${body.rows.length} are shown `;
    }
  };
  heads.forEach((head, at) => head.firstChild.addEventListener('click', () => {
    const numeric = kinds[at].includes('right');
    // numbers: the greatest first; words: from a to z; what is not known comes last
    const down = head.ariaSort === null ? numeric : head.ariaSort === 'ascending';
    heads.forEach(other => { other.ariaSort = null; });
    head.ariaSort = down ? 'descending' : 'ascending';
    read().sort(([, one], [, other]) => {
      const [a, b] = [one[at], other[at]];
      if (a === null || b === null) return (a === null) - (b === null);
      const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
      return down ? -order : order;
    });
    draw();
  }));
  if (more) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = `show ${STEP} more`;
    button.addEventListener('click', () => { shown += STEP; draw(); });
    more.append(button);
    more.firstChild.textContent = `${STEP} are shown `;
  }
}
"""
