"""What a display says, before it is HTML or text: a few kinds of blocks. A leaf.

Text may hold `code` in backticks, as in docstrings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Tone = Literal["plain", "dim", "good", "bad"]


@dataclass(frozen=True, slots=True)
class Title:
    """What happened, in one line. Comes first."""

    text: str
    tone: Tone = "bad"


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    tone: Tone = "plain"
    link: PanelLink | None = None
    """At its end."""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of code with an underline marker (0-based columns, end exclusive) and what is said about it."""

    place: str
    code: str
    start: int | None = None
    end: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """Opens a part: its name, and half a sentence beside it."""

    name: str
    beside: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to type or to read."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """Lines that begin with "-", "+" or " "; an empty line stands between hunks."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `bar` draws a bar below each number, as long as `shares` says."""

    name: str
    right: bool = False
    bar: bool = False
    code: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts; `shares` holds for each row and column a number for its bar, or None."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    foot: str = ""
    shares: tuple[tuple[float | None, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """Source with figures before each line: `heat` is each line's part of the hottest one, 0 to 1, and tints the line."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    code: tuple[str, ...]
    heat: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Details:
    """Folded in HTML. In text the summary stands alone unless the blocks are `short`."""

    summary: str
    blocks: tuple[Block, ...]
    short: bool = False


@dataclass(frozen=True, slots=True)
class PanelLink:
    """In JupyterLab a link that opens the panel at a row: `kind` "advice" (on a failed trace), "entry", "miss" or "cure" (on
    misses), and its id. Nothing in text, and nothing to click where there is no panel. `epoch` is the start of the extension
    that the id belongs to: a notebook is opened again when other rows have these ids."""

    text: str
    kind: str
    id: int | str
    epoch: str = ""


Block = Title | Paragraph | SourceLine | Heading | Code | Diff | Table | Listing | Details | PanelLink


@dataclass(frozen=True, slots=True)
class Document:
    """One display."""

    blocks: tuple[Block, ...] = field(default=())

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> Document:
        return cls(tuple(blocks))


def pieces(text: str) -> list[tuple[str, bool]]:
    """`text` cut into (piece, is it code); an odd backtick is a backtick."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return [(text, False)]
    return [(part, place % 2 == 1) for place, part in enumerate(parts) if part]
