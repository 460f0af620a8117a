"""What the README shows is what a reader gets: its session is run, cell by cell, in a real shell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checkout import ROOT

import jupyter_jitmagic as jm
from tests.shells import Shell, bare  # noqa: F401

README = (ROOT / "README.md").read_text()


def session() -> Iterator[tuple[str, str]]:
    """Each cell of the README's session and what is shown below it; "" where the README leaves that out."""
    text = README[README.index("## Sixty seconds") : README.index("## Magics")]
    cell = ""
    for block in re.findall(r"```\n(.*?)```", text, re.S):
        if not block.startswith("In ["):
            yield cell, block
            cell = ""
            continue
        for prompt in re.split(r"^In \[\d+\]: ", block, flags=re.M)[1:]:
            if cell:
                yield cell, ""
            cell = re.sub(r"^ +\.\.\.: ?", "", prompt, flags=re.M).strip()


def masked(text: str) -> str:
    """Without what differs from run to run (times) or with the width of the terminal (where lines break)."""
    text = re.sub(r"\d[\d.]* [µmn]?s\b|–", "#", text)
    return re.sub(r"[\s─]+", " ", text).strip()


def test_the_readmes_session_shows_what_it_shows(bare: Shell) -> None:  # noqa: F811
    jm.reset()
    cells = list(session())
    assert sum(bool(shown) for _, shown in cells) == 3
    for cell, shown in cells:
        text = masked(bare.run(cell).text)
        # a table's rows stand in the order of what they cost, and which of two costs more differs from run to run
        for part in shown.splitlines() if shown.startswith("function ") else [shown]:
            assert masked(part) in text, text
