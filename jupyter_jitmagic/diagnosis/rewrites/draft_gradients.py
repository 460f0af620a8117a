"""The gradients of drafts beside plain Python's, on the call's inputs and on larger arrays."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.proof.arguments import Input, JitCall
from jupyter_jitmagic.diagnosis.proof.changed import with_whole_arrays
from jupyter_jitmagic.diagnosis.proof.differing import Differs
from jupyter_jitmagic.diagnosis.proof.gradients import DiffersAtEdge, DiffersBesideNan, Gradients
from jupyter_jitmagic.diagnosis.proof.leaves import kind_of
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.proof.serving import Served
from jupyter_jitmagic.diagnosis.proof.verify import OVERLAP
from jupyter_jitmagic.diagnosis.rewrites.drafts import Traced
from jupyter_jitmagic.diagnosis.rewrites.other_values import OtherValues
from jupyter_jitmagic.sandbox.clock import Deadline

_FEW = 2  # elements of an array
_LARGER = 0
_MOST_STATIC = 4
_MOST_NAMED = 2  # calls that are named where their gradients differ in one way
_OPTIONAL = ("left out", "none", "given")


class DraftGradients:
    """Plain Python's gradients are computed once for all drafts that are compared with the same runs.

    Args:
        call: the call.
        seconds: for one draft.
        values: other static values, on which a draft's results were compared before.
    """

    def __init__(self, call: JitCall, seconds: float, values: OtherValues) -> None:
        self._call, self._seconds, self._values = call, seconds, values
        self._gradients: Gradients | None = None
        self._elsewhere: dict[int, Gradients] = {}
        """Those on larger arrays (`_LARGER`), and on other calls, by identity."""
        self._of: Plain | None = None
        self._cut: dict[str, None] = {}

    @property
    def cut(self) -> str:
        """What was left out for want of time."""
        return " and ".join(self._cut)

    def compared(self, plain: Plain, traced: Traced, inputs: Sequence[Input], served: Served | None) -> str | Differs:
        """What is to be said of its gradients, or how they differ."""
        self._cut = {}
        try:
            own: str | Differs = self._compare(plain, traced, inputs, served)
        except Differs as error:
            own = error
        if isinstance(own, Differs) and not isinstance(own, DiffersAtEdge | DiffersBesideNan):
            return own
        lost, said = self._with_other_arguments(plain, traced, served)
        own = own or said
        if not lost:
            return own
        if isinstance(own, DiffersBesideNan):
            return DiffersBesideNan(f"{own}; {lost}")
        if isinstance(own, DiffersAtEdge):
            return DiffersAtEdge(f"{own}; {lost}", own.beside)
        return DiffersAtEdge(lost, own)

    def _compare(self, plain: Plain, traced: Traced, inputs: Sequence[Input], served: Served | None) -> str:
        if self._gradients is None or self._of is not plain:
            self._gradients, self._of, self._elsewhere = self._made(plain), plain, {}
        self._gradients.of_one_shape = OVERLAP in traced.draft.excludes
        try:
            said = self._gradients.compare(traced.function, inputs, self._seconds / 4, traced.program)
        finally:
            self._cut |= {self._gradients.cut: None} if self._gradients.cut else {}
        if said or not (larger := self._larger(plain, served)):
            return said
        try:
            gradients = self._elsewhere.setdefault(_LARGER, self._made(plain))
            return gradients.compare(traced.function, larger, self._seconds / 4, traced.program)
        except Differs:
            raise DiffersAtEdge("its gradient is not plain Python's on some larger arrays") from None

    def _made(self, plain: Plain) -> Gradients:
        return Gradients(self._call.fun, plain, self._call.static, plain.minds_nan)

    def _with_other_arguments(self, plain: Plain, traced: Traced, served: Served | None) -> tuple[str, str]:
        """How its gradients differ where an optional argument is left out, None or given, or with another static value: another
        line may compute then; of a call without floats, where numbers are floats. And what is to be said of them where they are
        plain Python's, or where there are none."""
        programs = {id(call): program for call, program in traced.others}
        deadline = Deadline(self._seconds / 4)
        of_floats = any(kind_of(leaf) == "f" for leaf in jax.tree_util.tree_leaves(plain.first))
        kinds = (*_OPTIONAL, "number") if of_floats and not plain.variations.floats else _OPTIONAL
        taken = [each for each in (served.taken if served is not None else ()) if each.call.given.kind in kinds]
        calls = [(each.call, [given for given, _ in each.wanted]) for each in taken]
        static = [(call, [call.given]) for call, _ in traced.others if call.given.kind == "static value"]
        told: dict[str, dict[str, None]] = {}
        said = ""
        for call, inputs in [*calls, *static[:_MOST_STATIC]]:
            if id(call) not in programs or call.given.kind in traced.draft.excludes or self._is_given_up(call.given, traced):
                continue
            if self._cut or deadline.over():
                self._cut["gradients with other optional arguments"] = None
                break
            gradients = self._elsewhere.setdefault(id(call), self._made(plain))
            try:
                found = gradients.compare(traced.function, inputs, deadline.left(), programs[id(call)])
                said = said or found
            except Differs as error:
                told.setdefault(str(error), {})[call.words] = None
        lost = []
        for differing, words in told.items():
            many = f" (and {len(words) - _MOST_NAMED} more)" if len(words) > _MOST_NAMED else ""
            lost.append(f"{' and '.join(itertools.islice(words, _MOST_NAMED))}{many} {differing}")
        return "; ".join(lost), said

    def _is_given_up(self, given: Input, traced: Traced) -> bool:
        """Whether it has another static value on which the draft says that it gives something else, or may: a number that is
        no place."""
        if given.kind != "static value":
            return False
        if "negative int" in traced.draft.excludes and self._values.negative(given):
            return True
        return "end" in traced.draft.excludes and not any(each is given for each in self._values.compared)

    def _larger(self, plain: Plain, served: Served | None) -> list[Input]:
        """Inputs with larger arrays, where those of the call have an element or two: too few for groups, of which one is not
        the best, and one has a single element."""
        sizes = [np.size(leaf) for leaf in plain.variations.leaves if np.ndim(leaf)]
        if served is None or not sizes or max(sizes) > _FEW:
            return []
        wanted = next((each.wanted for each in served.taken if each.call.given.kind == "size"), ())
        found = [given for given, _ in wanted]
        return [*found, *(with_whole_arrays(self._call.fun, given, self._call.static, _in_pairs) for given in found)]


def _in_pairs(values: Any) -> Any:
    return np.arange(values.size).reshape(values.shape) // 2
