"""What a search makes of a function: its changed texts, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_jitmagic.diagnosis.proof.other_calls import OtherCall
from jupyter_jitmagic.diagnosis.types import Change
from jupyter_jitmagic.source.units import Unit


@dataclass(frozen=True)
class Draft:
    """The texts of the units changed so far, and how they came about."""

    texts: Mapping[Unit, str] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    excludes: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    risky: bool = False
    returns: str = ""
    cuts: tuple[tuple[int, int], ...] = ()

    @property
    def key(self) -> frozenset[tuple[int, str]]:
        return frozenset((id(unit), text) for unit, text in self.texts.items())

    @property
    def promise(self) -> tuple[frozenset[tuple[int, str]], frozenset[str]]:
        """Its texts, and where it does not promise plain Python's results: it may serve where the same text did not."""
        return self.key, frozenset(self.excludes)

    @property
    def loops(self) -> bool:
        """Whether a loop of it ends by what it computes."""
        return any(change.pattern in ("while_loop", "fori_loop") for change in self.changes)

    @property
    def evaluated_tests(self) -> tuple[tuple[str, int], ...]:
        """The lines whose tests it evaluates both ways, where it does nothing else; a recursion that goes on in one of the ways
        does so in whichever form."""
        if not all(change.pattern in ("where", "cond") for change in self.changes):
            return ()
        return tuple(sorted((change.filename, change.line) for change in self.changes))


@dataclass(frozen=True)
class Stuck:
    """The draft that came furthest, and the line of the user's at which it still does not trace."""

    draft: Draft
    line: int
    code: str


@dataclass(frozen=True)
class Traced:
    """A draft that traces, the function made of it, and its traces on the call and on the other calls; `fails`: calls of other
    sizes, in words, on which it does not trace and plain Python gives something."""

    draft: Draft
    function: Callable[..., Any]
    program: Any
    equations: int
    others: tuple[tuple[OtherCall, Any], ...] = ()
    fails: tuple[str, ...] = ()


def line_of(draft: Draft, unit: Unit, line: int) -> int:
    """The line in the user's file from which a line of the draft's text came."""
    old, new = unit.text.splitlines(), draft.texts.get(unit, unit.text).splitlines()
    import difflib

    matcher = difflib.SequenceMatcher(None, [s.strip() for s in old], [s.strip() for s in new], autojunk=False)
    best = 1
    for block in matcher.get_matching_blocks():
        if block.b + 1 > line:
            break
        if block.size:
            best = block.a + min(line - block.b, block.size)
    return unit.first_line + best - 1
