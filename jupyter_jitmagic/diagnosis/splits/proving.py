"""The proof of a split: run beside plain Python on varied inputs, and on the other calls that an answer has to serve."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax

from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.proof.differing import Differs, differs
from jupyter_jitmagic.diagnosis.proof.inputs import ARRAYS_ALONE, Input, Variations, static_split
from jupyter_jitmagic.diagnosis.proof.other_calls import other_calls
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.proof.verify import compare, comparison, computed
from jupyter_jitmagic.diagnosis.types import Comparison
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.purity import impurity
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime
from jupyter_jitmagic.source.units import NoSource, Unit


class Proof:
    """What a split of a call's function is compared with.

    Args:
        call: the failing call.
        static: arguments that are static.
        unit: the statement that is split.
        seconds: time for each comparison.
    """

    def __init__(self, call: Call, static: frozenset[str], unit: Unit, seconds: float) -> None:
        self.call, self.static, self.unit, self.seconds = call, static, unit, seconds

    @functools.cached_property
    def _variations(self) -> Variations:
        names = (*sorted(self.static), *((ARRAYS_ALONE,) if self.call.keeps_options else ()))
        return Variations(
            self.call.args, self.call.kwargs, static_split(self.call.fun, self.call.args, self.call.kwargs, names)
        )

    @functools.cached_property
    def others(self) -> list[Input]:
        """Calls that an answer has to serve as well: options left out or given, other sizes."""
        trees = [ast.parse(self.unit.text)]
        found = other_calls(self.call.fun, self._variations.call(), self._variations, trees)
        return [other.given for other in found if other.promised or other.given.kind in ("left out", "none", "given")]

    def compared(self, fun: Any, own_sizes_done: Callable[[], None] = lambda: None) -> Comparison | str | None:
        """How it was compared; the reason why it was not; None where it gives something else.

        Args:
            fun: the split function.
            own_sizes_done: called when the inputs of the call's own sizes are through.
        """
        why_not, units = impurity(self.call.fun, self.call.args, self.call.kwargs)
        if why_not:
            return f"not compared: {why_not}"
        try:
            plain = Plain(self.call.fun, _with(units, self.unit), {}, self._variations, self.seconds)
            count, notes, _ = compare(
                plain,
                lambda given: computed(fun, given),
                {},
                Deadline(self.seconds),
                uncompiled_rewrite=functools.partial(_uncompiled, fun),
            )
            own_sizes_done()
        except (NoSource, Differs):
            return None
        if not self._serves_others(plain, fun):
            return None
        return comparison(plain, count, notes, {}, lambda given: computed(fun, given))

    def _serves_others(self, plain: Plain, fun: Any) -> bool:
        """Whether the split gives plain Python's results on the other calls, as many as there is time for."""
        time = Deadline(self.seconds)
        for given in self.others:
            want = None if time.over() else plain.run(given)
            if want is None:
                continue
            try:
                if differs(computed(fun, given), want[0]):
                    return False
            except (Exception, OutOfTime, Effect):
                return False
        return True


def _uncompiled(fun: Any, given: Input) -> Any:
    """What the split gives where JAX compiles nothing of its pieces."""
    with jax.disable_jit():
        return computed(fun, given)


def _with(units: Sequence[Unit], own: Unit) -> list[Unit]:
    found = {(unit.filename, unit.first_line): unit for unit in (own, *units)}
    return list(found.values())
