"""A document as HTML that needs nothing else: no script, no style sheet.

Inline styles only, with colours that read on light and dark and values that JupyterLab's sanitizer lets through (no `var()`,
no `inherit`); where even these are taken away, the elements alone still carry all that is said: `pre`, `u`, `b`, `details`,
signs in the diff. Everything that comes from the user is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape

from jupyter_jitmagic.display.model import (
    Block,
    Code,
    Column,
    Details,
    Diff,
    Document,
    Heading,
    Listing,
    PanelLink,
    Paragraph,
    SourceLine,
    Table,
    Title,
    pieces,
)

# mid-tones: at least 3:1 on white and on a dark editor's background, and never the only carrier of a meaning
_RED, _GREEN, _AMBER, _BLUE, _GREY = "#d9534a", "#2f9e52", "#b9770e", "#3b82c4", "#8a8f98"
_TONES = {"plain": _GREY, "dim": _GREY, "good": _GREEN, "bad": _RED}
_MONO = "font-family: Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_PRE = f"{_MONO}; font-size: 12px; line-height: 18px; white-space: pre; overflow-x: auto; margin: 0; padding: 0; border: none"
_TINT = "background-color: rgba(128, 128, 128, 0.12)"
_WIDTH = "max-width: 880px"
_WIDE = f"{_WIDTH}; box-sizing: border-box"


def to_html(document: Document) -> str:
    """The document as one `div`."""
    tone = next((block.tone for block in document.blocks if isinstance(block, Title)), None)
    edge = f"border-left: 3px solid {_TONES[tone]}; padding: 2px 0 2px 12px; " if tone else ""
    return (
        f'<div style="{edge}margin: 4px 0; line-height: 20px; font-size: 13px; text-align: left">'
        f"{_blocks(document.blocks)}</div>"
    )


def _blocks(blocks: Iterable[Block]) -> str:
    return "".join(_block(block) for block in blocks)


def _block(block: Block) -> str:
    match block:
        case Title(text, tone):
            return f'<div style="font-size: 14px; color: {_TONES[tone]}"><b>{_inline(text)}</b></div>'
        case Paragraph(text, tone, link):
            dim = "; opacity: 0.75" if tone == "dim" else f"; color: {_TONES[tone]}" if tone != "plain" else ""
            linked = f" {_link(link)}" if link else ""
            return f'<div style="margin: 4px 0; {_WIDTH}{dim}">{_inline(text)}{linked}</div>'
        case SourceLine():
            return _source(block)
        case Heading(name, beside, tone):
            colour = f' style="color: {_TONES[tone]}"' if tone != "plain" else ""
            rest = f' <span style="opacity: 0.75">· {_inline(beside)}</span>' if beside else ""
            return f'<div style="margin: 10px 0 2px 0; {_WIDTH}"><b{colour}>{_inline(name)}</b>{rest}</div>'
        case Code(lines):
            text = "\n".join(escape(line) for line in lines)
            return f'<pre style="{_PRE}; {_TINT}; padding: 4px 8px; border-radius: 3px; {_WIDE}">{text}</pre>'
        case Diff(lines):
            text = "\n".join(map(_changed, lines))
            return f'<pre style="{_PRE}; margin: 4px 0; border: 1px solid rgba(128, 128, 128, 0.25); {_WIDE}">{text}</pre>'
        case Table():
            return _table(block)
        case Listing():
            return _listing(block)
        case PanelLink():
            return f'<div style="margin: 4px 0">{_link(block)}</div>'
        case Details(summary, blocks):
            return (
                f'<details style="margin: 6px 0; {_WIDTH}"><summary style="cursor: pointer; opacity: 0.75">{_inline(summary)}'
                f'</summary><div style="margin: 4px 0 4px 14px">{_blocks(blocks)}</div></details>'
            )


def _link(link: PanelLink) -> str:
    """No script and no address: JupyterLab runs the command that these attributes name (with the keyboard through the panel's
    own shortcut), and elsewhere this is plain text."""
    args = {link.kind: link.id, **({"epoch": link.epoch} if link.epoch else {})}
    to = f'data-commandlinker-command="jitmagic:open" data-commandlinker-args="{escape(json.dumps(args))}"'
    return f'<a {to} tabindex="0" style="cursor: pointer">{escape(link.text)}</a>'


def _source(line: SourceLine) -> str:
    code = line.code
    if line.start is None or line.end is None or not line.start < line.end <= len(code):
        marked = escape(code)
    else:
        here = escape(code[line.start : line.end])
        underline = f"text-decoration: underline; background-color: rgba(217, 140, 20, 0.22); border-bottom: 2px solid {_AMBER}"
        marked = f'{escape(code[: line.start])}<u style="{underline}">{here}</u>{escape(code[line.end :])}'
    place = f'<span style="opacity: 0.65">{escape(line.place)}</span>   ' if line.place else ""
    note = f'<div style="margin: 1px 0 0 12px">{_inline(line.note)}</div>' if line.note else ""
    return f'<div style="margin: 5px 0; {_WIDTH}"><pre style="{_PRE}">{place}{marked}</pre>{note}</div>'


def _changed(line: str) -> str:
    tint = {"+": "46, 160, 67, 0.18", "-": "229, 83, 75, 0.16"}.get(line[:1])
    style = "display: inline-block; min-width: 100%; box-sizing: border-box; padding: 0 8px"
    if tint:
        style += f"; background-color: rgba({tint})"
    return f'<span style="{style}">{escape(line) or " "}</span>'


def _table(table: Table) -> str:
    head = "".join(
        f'<th style="text-align: {_side(column)}; padding: 3px 10px; white-space: nowrap; '
        f'border-bottom: 1px solid rgba(128, 128, 128, 0.5)">{_inline(column.name)}</th>'
        for column in table.columns
    )
    rows = "".join(_row(table, number) for number in range(len(table.rows)))
    foot = f'<div style="margin: 4px 10px; opacity: 0.75">{_inline(table.foot)}</div>' if table.foot else ""
    return (
        '<div style="overflow-x: auto; max-width: 100%">'
        '<table style="border-collapse: collapse; border: none; margin: 0; font-size: 13px; table-layout: auto">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{foot}"
    )


def _listing(listing: Listing) -> str:
    cell = f"{_MONO}; font-size: 12px; line-height: 18px; padding: 0 8px; border: none; white-space: pre; vertical-align: top"
    heads = [
        f'<th style="text-align: right; padding: 3px 8px; white-space: nowrap; font-size: 12px">{escape(name)}</th>'
        for name in listing.columns
    ]
    rows = []
    for figures, code, heat in zip(listing.rows, listing.code, listing.heat, strict=True):
        numbers = [f'<td style="{cell}; text-align: right">{escape(figure)}</td>' for figure in figures]
        tint = f"; background-color: rgba(230, 140, 20, {0.08 + 0.5 * heat:.2f})" if heat >= _COOLEST else ""
        line = f'<td style="{cell}; text-align: left; width: 100%{tint}">{escape(code) or " "}</td>'
        rows.append(f"<tr>{_with_code(numbers, line)}</tr>")
    return (
        '<div style="overflow-x: auto; max-width: 100%; margin: 2px 0">'
        '<table style="border-collapse: collapse; border: none; margin: 0; table-layout: auto">'
        f"<thead><tr>{_with_code(heads, '<th></th>')}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _with_code(figures: list[str], code: str) -> str:
    """Number and share stand before the code: in a narrow notebook these are seen first, and the rest is scrolled to."""
    return "".join([*figures[:2], code, *figures[2:]])


_COOLEST = 0.01
"""Below it a line has no tint."""


def _row(table: Table, number: int) -> str:
    shares = table.shares[number] if table.shares else (None,) * len(table.columns)
    cells = zip(table.columns, table.rows[number], shares, strict=True)
    return f"<tr>{''.join(_cell(*cell) for cell in cells)}</tr>"


def _cell(column: Column, text: str, share: float | None) -> str:
    wrap = "min-width: 180px; max-width: 420px; white-space: normal" if column.wide else "white-space: nowrap"
    style = f"text-align: {_side(column)}; padding: 3px 10px; vertical-align: top; {wrap}"
    if column.code:
        style += f"; {_MONO}; font-size: 12px"
    bar = ""
    if share is not None and column.bar:
        bar = (
            f'<div style="height: 3px; border-radius: 2px; background-color: {_BLUE}; opacity: 0.7; margin-left: auto; '
            f'width: {max(2, round(100 * min(share, 1.0)))}%"></div>'
        )
    indent = "&nbsp;" * (len(text) - len(text.lstrip(" ")))
    return f'<td style="{style}">{indent}{_inline(text.lstrip(" "))}{bar}</td>'


def _side(column: Column) -> str:
    return "right" if column.right else "left"


def _inline(text: str) -> str:
    code = f"{_MONO}; font-size: 12px; {_TINT}; padding: 0 3px; border-radius: 3px"
    return "".join(
        f'<code style="{code}">{escape(piece)}</code>' if is_code else escape(piece) for piece, is_code in pieces(text)
    )
