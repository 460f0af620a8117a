"""What people see, as HTML and as text from one model. Knows neither IPython nor pandas."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_jitmagic.display.html import to_html
from jupyter_jitmagic.display.model import Document
from jupyter_jitmagic.display.text import to_text

__all__ = ["Document", "Shown", "to_html", "to_text"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A document that a front end shows in the richest form that it has."""

    document: Document

    def bundle(self) -> dict[str, str]:
        """The document by MIME type; the text has no colour codes."""
        return {"text/plain": to_text(self.document), "text/html": to_html(self.document)}

    def __str__(self) -> str:
        return to_text(self.document)
