"""What an answer starts from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.sites.finding import one_for_each_line
from jupyter_jitmagic.diagnosis.statics.search import StaticSet
from jupyter_jitmagic.diagnosis.types import Diagnosis, Found, Kind, Rewrite, Site
from jupyter_jitmagic.diagnosis.words import other_failures


@dataclass(frozen=True, slots=True)
class Asked:
    """A failed trace, what is known of it before other code is looked for, and the bounds of its answer.

    Attributes:
        error: what the trace raised; `found`: what a run over the function met; `result`: the smallest static set.
        took: seconds of the trace.
        deadline: until when rewrites are looked for, in seconds of this thread's work.
        with_rewrites: False leaves the source alone.
        so_far: the answers that were in hand, the last one the best: what is given where the time is up.
        ran: seconds of the run over the function.
        of_a_body: the call is that of a body of another one: it is not looked into for bodies of its own.
    """

    call: Call
    error: BaseException
    found: Found
    result: StaticSet
    took: float
    deadline: float
    with_rewrites: bool
    so_far: list[Diagnosis] = field(default_factory=list)
    of_a_body: bool = False
    ran: float = 0.0

    def keep(self, rewrites: tuple[Rewrite, ...], unverified: tuple[Rewrite, ...], static: frozenset[str]) -> None:
        """Rewrites with these static arguments are in hand, beside what is known already; a proven static set stays alone."""
        if not self.so_far or self.so_far[-1].kind == "static" or not (rewrites or unverified):
            return
        last, held = self.so_far[-1], static - self.call.declared
        names, numbers = self.call.static_names(static)
        kind: Kind = "static+rewrite" if static else "rewrite"
        reason = last.reason
        if last.kind == "not_staticness":  # it stays what it is, beside other code
            kind = last.kind
            bare = (each for each in reversed(self.so_far) if not (each.rewrites or each.unverified))
            alone = next(bare, last).reason  # the last one may speak of other code's static arguments
            reason = other_failures.with_static(alone, self.call, held) if held else alone
        self.so_far.append(
            replace(
                last,
                kind=kind,
                reason=reason,
                static_argnames=names,
                static_argnums=numbers,
                rewrites=rewrites,
                unverified=unverified,
                verified=bool(rewrites),
            )
        )

    @property
    def sites(self) -> tuple[Site, ...]:
        """Those found, one for each line."""
        return one_for_each_line(self.found.sites)

    def verdict(self, kind: Kind, static: frozenset[str] = frozenset(), /, **facts: Any) -> Diagnosis:
        """The answer of this kind; `static` beside what is declared."""
        names, numbers = self.call.static_names(static)
        facts = {"sites": self.sites, "error": f"{type(self.error).__name__}: {self.error}", **facts}
        return Diagnosis(self.call.name, kind, names, numbers, **facts)
