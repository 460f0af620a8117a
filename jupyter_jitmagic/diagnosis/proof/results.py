"""What plain Python returns and no compiled code can: something whose length is data, or a text."""

from __future__ import annotations

import itertools
from dataclasses import replace

import jax

from jupyter_jitmagic.diagnosis.proof.arguments import Input, JitCall
from jupyter_jitmagic.diagnosis.proof.differing import shapes
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.verify import computed
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.limit import limited
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime

_MOST_RUN = 8  # inputs of the call's own shapes on which plain Python is asked for the shapes of its result


def of_lengths_by_data(call: JitCall, seconds: float) -> bool:
    """Whether plain Python gives arrays of other lengths for other values in arguments of the same shapes. A number in an
    array's place is none: what adds up no items."""
    variations = Variations(call.args, call.kwargs, call.fixed)
    found: set[tuple[tuple[int, ...], ...]] = set()

    def differ() -> bool:
        usual = (each for each in variations.core() if each.kind != "nan")  # which masks alone may lose
        for each in itertools.islice(usual, _MOST_RUN):
            try:
                found.add(tuple(shapes(computed(call.fun, replace(each, args=fresh(each.args), kwargs=fresh(each.kwargs))))))
            except Effect:
                return False
            except Exception:  # a value that the function does not take says nothing of the others
                continue
            if len(found) > len({tuple(map(len, each)) for each in found}):  # two of as many axes
                return True
        return False

    try:
        return limited(seconds, differ)
    except OutOfTime:
        return False


def of_text(call: JitCall, seconds: float) -> bool:
    """Whether there is a text in what plain Python returns."""
    given = Input(fresh(call.args), fresh(call.kwargs), "call")
    try:
        found = limited(seconds, lambda: computed(call.fun, given))
    except (Exception, OutOfTime, Effect):  # then plain Python gives nothing here, or may not be asked
        return False
    return any(isinstance(leaf, str) for leaf in jax.tree_util.tree_leaves(found))
