"""Whether the length of what plain Python returns is data: no compiled code can return it then."""

from __future__ import annotations

import itertools
from dataclasses import replace

from jupyter_jitmagic.diagnosis.proof.arguments import JitCall
from jupyter_jitmagic.diagnosis.proof.differing import shapes
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.verify import computed
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.limit import limited
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime

_MOST_RUN = 8  # inputs of the call's own shapes on which plain Python is asked for the shapes of its result


def of_lengths_by_data(call: JitCall, seconds: float) -> bool:
    """Whether plain Python gives results of other shapes for other values in arguments of the same shapes."""
    variations = Variations(call.args, call.kwargs, call.fixed)
    found: set[tuple[tuple[int, ...], ...]] = set()

    def differ() -> bool:
        for each in itertools.islice(variations.core(), _MOST_RUN):
            try:
                found.add(tuple(shapes(computed(call.fun, replace(each, args=fresh(each.args), kwargs=fresh(each.kwargs))))))
            except Effect:
                return False
            except Exception:  # a value that the function does not take says nothing of the others
                continue
            if len(found) > 1:
                return True
        return False

    try:
        return limited(seconds, differ)
    except OutOfTime:
        return False
