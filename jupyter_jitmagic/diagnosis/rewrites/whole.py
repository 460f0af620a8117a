"""A rewrite that was proven on a call with fewer rounds, on the user's own: traced, run compiled and compared once."""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic.base.jaxprs import MANY_EQUATIONS, count_equations
from jupyter_jitmagic.diagnosis.proof.arguments import Input, JitCall
from jupyter_jitmagic.diagnosis.proof.changed import with_floats
from jupyter_jitmagic.diagnosis.proof.differing import differs, is_wider, wider_words
from jupyter_jitmagic.diagnosis.rewrites.building import jitted, made_for
from jupyter_jitmagic.diagnosis.rewrites.compiled import bounded_and_jitted
from jupyter_jitmagic.diagnosis.rewrites.drafts import Traced
from jupyter_jitmagic.diagnosis.types import Rewrite
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.sandbox.results import rounding, same_numbers
from jupyter_jitmagic.source.units import Unit

SHORTER = "other calls with as many rounds, as plain Python takes long"
_GROWS = "after so many rounds its numbers are others, as rounding grows in them: on calls with fewer they are equal"
_SLIGHTLY, _AS_MUCH = (1e-6, -1e-6, 3e-6, -3e-6), 0.1
"""What is changed of each number to see how far the result moves at most, and which part of a difference that may be."""


class Own(NamedTuple):
    """The user's own call."""

    fun: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    sizes: Mapping[int, int]
    """What sizes of the smaller call are in it."""


class Whole:
    """The user's own call, beside a smaller one.

    Args:
        smaller: that.
        own: its arguments.
        seconds: what plain Python may take for it.
    """

    def __init__(self, smaller: JitCall, own: Own, seconds: float) -> None:
        self._call = call = replace(smaller, fun=own.fun, args=own.args, kwargs=dict(own.kwargs))
        self._is_another = own.fun is not smaller.fun
        self._given, self._seconds = Input(call.args, call.kwargs, "call"), seconds

    @functools.cached_property
    def _plain(self) -> tuple[Any, str]:
        """What plain Python gives, and why that is not known."""
        args, kwargs = self._call.args, self._call.kwargs
        try:
            run = functools.partial(self._call.fun, *fresh(args), **fresh(kwargs))
            return rerun(lambda: jax.block_until_ready(run()), self._seconds), ""
        except OutOfTime:
            return None, f"plain Python takes longer than {self._seconds:g} s"
        except (Exception, Effect) as error:
            return None, f"plain Python fails ({type(error).__name__})"

    def compared(self, traced: Traced, rewrite: Rewrite) -> Rewrite | str:
        """The rewrite as it is on this call; or the sentence that says why it is wrong there.

        Args:
            traced: it, on the smaller call.
        """
        traced = replace(traced, function=self._made(traced)) if self._is_another else traced
        under_jit = jitted(traced.function, self._call.static)
        rejected = f"a rewrite by {', '.join(rewrite.patterns)} was tried and rejected: on the call itself it"
        try:
            program = rerun(lambda: under_jit.trace(*self._call.args, **self._call.kwargs))
        except (Exception, OutOfTime, Effect) as error:
            return f"{rejected} fails to trace ({type(error).__name__})"
        if (equations := count_equations(program.jaxpr)) > MANY_EQUATIONS:
            return f"{rejected} has {equations:,} equations"
        if not rewrite.verified or rewrite.compared is None:
            return rewrite
        want, unknown = self._plain
        if unknown:
            inputs = rewrite.compared.inputs
            reason = f"equal to plain Python on {inputs} calls with fewer rounds; on this one not compared, as {unknown}"
            return replace(rewrite, compared=None, verified=False, reason=reason)
        run = bounded_and_jitted(self._call, traced)
        try:
            got = run(self._given)
        except (Exception, Effect) as error:
            return f"{rejected} fails ({type(error).__name__})"
        difference, said = differs(got, want), ""
        if difference and is_wider(got, want):
            said = wider_words(got, want)
        elif difference and self._is_rounding(run, got, want):
            said = _GROWS
        elif difference:
            return f"{rejected} differs: {difference}"
        before = rewrite.compared
        compared = replace(
            before,
            inputs=before.inputs + (said != _GROWS),
            differences=tuple(dict.fromkeys((*filter(None, [said]), *before.differences))),
            not_reached=(*before.not_reached, SHORTER),
        )
        return replace(rewrite, compared=compared)

    def _made(self, traced: Traced) -> Callable[..., Any]:
        """The rewrite with the user's own globals, where the smaller call has others."""

        def code(unit: Unit, made: str | ast.Module, _: str) -> types.CodeType:
            return unit.compiled(made, "<jitmagic whole>")

        return made_for(self._call, traced.draft.texts, code)

    def _is_rounding(self, run: Callable[[Input], Any], got: Any, want: Any) -> bool:
        """Whether the result moves nearly as far as it differs where all numbers are a very little larger, as in a chaotic
        system, of which each rounding is seen in all numbers after a while. What stands before in an array, as earlier rounds
        do, has moved as far by then: a difference that is there from the beginning is none of rounding."""
        if jax.tree_util.tree_structure(got) != jax.tree_util.tree_structure(want):
            return False
        moved = [jax.tree_util.tree_leaves(run(self._with_other_numbers(each))) for each in _SLIGHTLY]
        for a, b, *others in zip(*map(jax.tree_util.tree_leaves, (got, want)), *moved, strict=True):
            if np.shape(a) != np.shape(b) or not np.array_equal(np.isfinite(a), np.isfinite(b)):
                return False
            kind = np.complex128 if np.iscomplexobj(a) else np.float64
            x, y, *near = (np.atleast_1d(np.nan_to_num(np.asarray(each, kind))) for each in (a, b, *others))
            moves = np.maximum.accumulate(np.max([np.abs(x - each) for each in near], axis=0), axis=0)
            alike = same_numbers(x, y, *rounding(np.asarray(a).dtype))
            if np.any((np.abs(x - y) * _AS_MUCH > moves) & ~alike):
                return False
        return True

    def _with_other_numbers(self, part: float) -> Input:
        call = self._call
        return with_floats(call.fun, self._given, call.static, lambda value: value * (1 + part))
