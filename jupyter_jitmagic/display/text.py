"""A document as text: for terminals, with colour where they have it, and beside every HTML."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable
from itertools import zip_longest

from jupyter_jitmagic.display.model import (
    Block,
    Code,
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

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_NARROWEST = 24
_TONES = {"plain": "", "dim": "dim", "good": "green", "bad": "red"}


def to_text(document: Document, *, colour: bool = False, width: int = 100) -> str:
    """The document as lines of at most about `width` columns; code is never broken."""
    return _Text(colour, max(width, 40)).render(document)


class _Text:
    def __init__(self, colour: bool, width: int) -> None:
        self._colour = colour
        self._width = width

    def render(self, document: Document) -> str:
        return "\n".join(self._blocks(document.blocks, indent=0))

    def _blocks(self, blocks: Iterable[Block], indent: int) -> list[str]:
        lines: list[str] = []
        for block in blocks:
            lines += self._block(block, indent)
        return lines

    def _block(self, block: Block, indent: int) -> list[str]:
        pad = " " * indent
        match block:
            case Title(text, tone):
                return [self._inline(text, "bold", _TONES[tone])]
            case PanelLink():
                return []
            case Paragraph(text, tone):
                return self._wrapped(text, indent + 2, _TONES[tone])
            case SourceLine():
                return self._source(block, indent + 2)
            case Heading(name, beside, tone):
                rest = f" · {beside}" if beside else ""
                lines = self._wrapped(f"{name}{rest}", indent + 2, "")
                lines[0] = lines[0].replace(name, self._styled(name, "bold", _TONES[tone]), 1)
                return lines
            case Code(code):
                return [f"{pad}      {self._styled(line, 'cyan')}" for line in code]
            case Diff(diff):
                return [f"{pad}      {self._changed(line)}" for line in diff]
            case Table():
                return self._table(block, pad)
            case Listing():
                return self._listing(block, pad)
            case Details(summary, blocks, short):
                lines = self._wrapped(summary, indent + 2, "dim")
                return lines + self._blocks(blocks, indent + 2) if short else lines

    def _source(self, line: SourceLine, indent: int) -> list[str]:
        lead = f"{line.place}  "
        shown = _harmless(line.code.expandtabs(4))
        if line.start is None or line.end is None or not line.start < line.end <= len(line.code):
            noted = self._wrapped(line.note, indent + 2, "yellow") if line.note else []
            return [f"{' ' * indent}{self._styled(lead, 'dim')}{shown}", *noted]
        before = _columns(line.code[: line.start].expandtabs(4))
        marker = "─" * max(1, _columns(line.code[: line.end].expandtabs(4)) - before)
        start = indent + _columns(lead) + before
        marked = f"{' ' * start}{self._styled(marker, 'yellow')}"
        noted = []
        if line.note and start + len(marker) + 2 + _columns(_plain(line.note)) <= self._width:
            marked += f"  {self._inline(line.note, 'yellow')}"
        elif line.note:
            noted = self._wrapped(line.note, indent + 2, "yellow")
        return [f"{' ' * indent}{self._styled(lead, 'dim')}{shown}", marked, *noted]

    def _changed(self, line: str) -> str:
        return self._styled(line, {"+": "green", "-": "red"}.get(line[:1], ""))

    def _table(self, table: Table, pad: str) -> list[str]:
        rows = [tuple(column.name for column in table.columns), *(tuple(_plain(cell) for cell in row) for row in table.rows)]
        widths = [max(_columns(row[place]) for row in rows) for place in range(len(table.columns))]
        narrowed = self._narrowed(table, widths, len(pad))
        lines = []
        for number, row in enumerate(rows):
            cells = [
                textwrap.wrap(cell, narrowed[place], break_long_words=False, break_on_hyphens=False) or [""]
                if narrowed[place] < widths[place]
                else [cell]
                for place, cell in enumerate(row)
            ]
            for parts in zip_longest(*cells, fillvalue=""):
                aligned = [
                    _aligned(part, width, column.right)
                    for part, width, column in zip(parts, narrowed, table.columns, strict=True)
                ]
                lines.append(pad + self._styled("  ".join(aligned).rstrip(), "bold" if number == 0 else ""))
        if table.foot:
            lines += self._wrapped(table.foot, len(pad), "dim")
        return lines

    def _listing(self, listing: Listing, pad: str) -> list[str]:
        """Code is never broken, and the hottest lines stand out where there is colour."""
        rows = [listing.columns, *listing.rows]
        widths = [max(_columns(row[place]) for row in rows) for place in range(len(listing.columns))]
        lines = []
        for number, row in enumerate(rows):
            figures = "  ".join(_aligned(part, width, True) for part, width in zip(row, widths, strict=True))
            if number == 0:
                lines.append(pad + self._styled(figures, "bold"))
                continue
            code, heat = _harmless(listing.code[number - 1]), listing.heat[number - 1]
            style = "red" if heat >= 0.5 else "yellow" if heat >= 0.1 else ""
            lines.append((pad + figures + "  " + self._styled(code, style)).rstrip())
        return lines

    def _narrowed(self, table: Table, widths: list[int], indent: int) -> list[int]:
        """The columns' widths, the wide ones as narrow as the table needs to fit; the widest gives first."""
        narrowed = list(widths)
        over = indent + sum(widths) + 2 * (len(widths) - 1) - self._width
        for place in sorted(range(len(widths)), key=lambda place: -widths[place]):
            if over > 0 and table.columns[place].wide and widths[place] > _NARROWEST:
                narrowed[place] = max(widths[place] - over, _NARROWEST)
                over -= widths[place] - narrowed[place]
        return narrowed

    def _wrapped(self, text: str, indent: int, *styles: str) -> list[str]:
        pad = " " * indent
        width = max(self._width - indent, 30)
        # code in backticks stays on one line: its blanks are no places to break
        glued = re.sub(r"`[^`]*`", lambda found: found[0].replace(" ", "\u00a0"), text)
        lines = textwrap.wrap(glued, width, break_long_words=False, break_on_hyphens=False) or [""]
        return [pad + self._inline(line.replace("\u00a0", " "), *styles) for line in lines]

    def _inline(self, text: str, *styles: str) -> str:
        return "".join(self._styled(piece, *styles, "cyan" if code else "") for piece, code in pieces(text))

    def _styled(self, text: str, *styles: str) -> str:
        text = _harmless(text)
        codes = ";".join(_STYLES[style] for style in styles if style)
        return f"\x1b[{codes}m{text}\x1b[0m" if codes and self._colour and text else text


def _harmless(text: str) -> str:
    """Control characters of the user's code or values must not drive the terminal."""
    return "".join(character if character.isprintable() or character in "\n\u00a0\u2009" else "�" for character in text)


def _plain(text: str) -> str:
    return "".join(piece for piece, _ in pieces(text))


def _columns(text: str) -> int:
    """Columns on the screen: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _aligned(text: str, width: int, right: bool) -> str:
    blanks = " " * (width - _columns(text))
    return blanks + text if right else text + blanks
