"""The facts about each draft of a search, found when a rule asks for the first one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from jupyter_jitmagic.diagnosis.proof.arguments import Input, JitCall
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.rewrites.building import added_imports
from jupyter_jitmagic.diagnosis.rewrites.drafts import Draft
from jupyter_jitmagic.diagnosis.rewrites.facts import Facts, all_told, facts_of
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.source.units import Unit

FACTS_WITHIN = 0.5  # seconds of a plain run
MORE_FACTS_WITHIN = 0.1  # seconds for inputs that reach more
MOST_TELLING = 8  # inputs that are tried for what the call's own does not reach


class Told:
    """What plain runs of one call tell about drafts.

    Args:
        call: which it is.
        runnable: the user's functions that are reached, where plain Python may be run.
        units: further ones that the search has met; it adds to them.
    """

    def __init__(self, call: JitCall, runnable: Callable[[], Sequence[Unit]], units: Sequence[Unit]) -> None:
        self._call, self._runnable, self._units = call, runnable, units
        self._facts: dict[frozenset[tuple[int, str]], Facts] = {}
        self._reached_more: set[frozenset[tuple[int, str]]] = set()
        self._inputs: Sequence[Input] | None = None
        """Those that reach lines which the call does not."""

    def of(self, draft: Draft) -> Callable[[bool], Facts]:
        """What asks for the facts about a draft; they are found when a rule needs the first one."""

        def facts(unreached: bool) -> Facts:
            if draft.key not in self._facts:
                self._facts[draft.key] = self._by(draft, Input(self._call.args, self._call.kwargs, "call"), {})
            if unreached and draft.key not in self._reached_more:
                self._reached_more.add(draft.key)
                self._facts[draft.key] = self._elsewhere(draft, self._facts[draft.key])
            return self._facts[draft.key]

        return facts

    def _by(self, draft: Draft, given: Input, before: Facts) -> Facts:
        """The facts about a draft that an input tells, beside those of earlier ones."""
        reached = self._runnable()
        units = {(unit.filename, unit.first_line): unit for unit in (*reached, *self._units)}
        texts = {**{unit: unit.text for unit in units.values()}, **draft.texts}
        imports = {unit: added_imports(unit, text) for unit, text in draft.texts.items()}
        return facts_of(self._call.fun, texts, given.args, given.kwargs, imports, FACTS_WITHIN, before) if reached else {}

    def _elsewhere(self, draft: Draft, facts: Facts) -> Facts:
        """The facts, with those about lines that the call does not reach and another input does."""
        if self._inputs is None:
            core = itertools.islice(Variations.of_call(self._call).core(), MOST_TELLING)
            useful: list[Input] = []
            deadline = Deadline(MORE_FACTS_WITHIN)
            for given in core if self._runnable() and not all_told(facts, draft.texts) else ():
                if given.kind in ("call", "nan"):
                    continue
                before = sum(map(len, facts.values()))
                facts = self._by(draft, given, facts)
                if sum(map(len, facts.values())) > before:
                    useful.append(given)
                if deadline.over() or all_told(facts, draft.texts):
                    break
            self._inputs = useful
            return facts
        for given in self._inputs:
            facts = self._by(draft, given, facts)
        return facts
