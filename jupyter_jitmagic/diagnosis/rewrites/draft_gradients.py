"""The gradients of drafts beside plain Python's, on the call's inputs and on larger arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jupyter_jitmagic.diagnosis.proof.arguments import Input, JitCall
from jupyter_jitmagic.diagnosis.proof.changed import with_whole_arrays
from jupyter_jitmagic.diagnosis.proof.differing import Differs
from jupyter_jitmagic.diagnosis.proof.gradients import DiffersAtEdge, Gradients
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.proof.serving import Served
from jupyter_jitmagic.diagnosis.proof.verify import OVERLAP
from jupyter_jitmagic.diagnosis.rewrites.drafts import Traced

_FEW = 2  # elements of an array


class DraftGradients:
    """Plain Python's gradients are computed once for all drafts that are compared with the same runs."""

    def __init__(self, call: JitCall, seconds: float) -> None:
        self._call, self._seconds = call, seconds
        self._gradients: Gradients | None = None
        self._larger_gradients: Gradients | None = None
        self._of: Plain | None = None

    @property
    def cut(self) -> str:
        """What was left out for want of time."""
        return self._gradients.cut if self._gradients is not None else ""

    def compared(self, plain: Plain, traced: Traced, inputs: Sequence[Input], served: Served | None) -> str | Differs:
        """What is to be said of its gradients, or how they differ."""
        try:
            return self._compare(plain, traced, inputs, served)
        except Differs as error:
            return error

    def _compare(self, plain: Plain, traced: Traced, inputs: Sequence[Input], served: Served | None) -> str:
        if self._gradients is None or self._larger_gradients is None or self._of is not plain:
            self._gradients, self._of = Gradients(self._call.fun, plain, self._call.static, plain.minds_nan), plain
            self._larger_gradients = Gradients(self._call.fun, plain, self._call.static, plain.minds_nan)
        self._gradients.of_one_shape = OVERLAP in traced.draft.excludes
        said = self._gradients.compare(traced.function, inputs, self._seconds / 4, traced.program)
        if said or not (larger := self._larger(plain, served)):
            return said
        try:
            return self._larger_gradients.compare(traced.function, larger, self._seconds / 4, traced.program)
        except Differs:
            raise DiffersAtEdge("its gradient is not plain Python's on some larger arrays") from None

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
