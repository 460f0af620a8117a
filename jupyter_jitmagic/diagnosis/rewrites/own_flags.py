"""Flags of Python's own that are added: `(a > 1) + (b < 0)` of numbers is 2 where both are true, and under jit True.

Nothing fails there, so no site tells it. One run of plain Python and one trace do, in which each sum tells what it adds.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jaxprs import joins_flags
from jupyter_jitmagic.diagnosis.proof.arguments import Input, JitCall
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.rewrites.building import jitted, made_for
from jupyter_jitmagic.diagnosis.rewrites.rules import Step
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.units import Unit

_SUM, _MORE = "__jitmagic_sum__", "__jitmagic_more__"
_SECONDS = 0.3
_INPUTS = 12  # that are tried for a sum which the call does not reach
_OF_ARRAYS = "flags that are arrays of JAX's already, whose sum is True in plain Python"
SAID = (
    "`{}` adds flags of Python's own: 2 where both are true, and in compiled code, where they are arrays, True; `{}` is the "
    "same in both"
)


class OwnFlags:
    """The sums of flags of one call.

    Args:
        call: which it is.
        units: gives the user's functions that are reached, where plain Python may be run.
    """

    def __init__(self, call: JitCall, units: Callable[[], Sequence[Unit]]) -> None:
        self._call, self._units = call, units
        self._reached: dict[str, bool] = {}
        """The sums that plain Python came to, by their text: whether it added flags of its own."""
        self._inputs: Iterator[Input] | None = None

    def steps(self, texts: Mapping[Unit, str], program: Any) -> list[tuple[Unit, Step]]:
        """What makes numbers of the flags that are added, for a draft (its changed `texts`) that traces as `program`."""
        for unit, nodes in self._added(texts, program):
            code = Code(texts.get(unit, unit.text))
            text = code.replace(*(_numbering(code, node) for node in nodes))
            return [(unit, Step(text, "int", nodes[0].lineno, excludes={"own arrays": _OF_ARRAYS}))]
        return []

    def said(self, program: Any) -> str:
        """Half a sentence on the first sum of flags of the function as it is, "" where there is none."""
        for unit, (node, *_) in self._added({}, program):
            code = Code(unit.text)
            span, new = _numbering(code, node)
            return SAID.format(code.src(node), code.edited(*code.span(node), [(*span, new)]))
        return ""

    def _added(self, texts: Mapping[Unit, str], program: Any) -> Iterator[tuple[Unit, list[ast.BinOp | ast.AugAssign]]]:
        if not joins_flags(program):
            return
        seen = self._met(texts, _is_traced, self._trace)
        traced = {text for text, is_so in seen.items() if is_so and self._adds_own(text)}
        for unit in self._units():
            sums = [node for node in _sums(ast.parse(texts.get(unit, unit.text))) if ast.unparse(node) in traced]
            inner = [node for node in sums if not (isinstance(node, ast.BinOp) and node.left in sums)]
            if inner:
                yield unit, inner

    def _adds_own(self, text: str) -> bool:
        """Whether plain Python adds flags of its own there, on the call or on the first input that comes there."""
        if self._inputs is None:
            self._inputs = itertools.islice(Variations.of_call(self._call).core(), _INPUTS)
        for given in itertools.takewhile(lambda _: text not in self._reached, self._inputs):
            met = self._met({}, _is_own, functools.partial(self._run, given))
            self._reached |= {one: met[one] or self._reached.get(one, False) for one in met}
        return self._reached.get(text, False)

    def _met(self, texts: Mapping[Unit, str], wanted: Callable[[Any, Any], bool], run: Callable[[Any], Any]) -> dict[str, bool]:
        """The sums that are met, by their text, and whether they add what is wanted."""
        met: dict[str, bool] = {}

        def tell(text: str, left: Any, right: Any) -> None:
            met[text] = wanted(left, right) or met.get(text, False)

        def summed(text: str, left: Any, right: Any) -> Any:
            tell(text, left, right)
            return left + right

        def more(text: str, left: Any, right: Any) -> Any:
            tell(text, left, right)
            return right

        def telling(unit: Unit, made: str | ast.Module, text: str) -> Any:
            tree = _Telling().visit(made if isinstance(made, ast.Module) else ast.parse(made))
            return unit.compiled(ast.fix_missing_locations(tree), "<jitmagic sums>")

        whole = {unit: texts.get(unit, unit.text) for unit in self._units() if any(_sums(ast.parse(unit.text)))}
        whole |= {unit: text for unit, text in texts.items() if unit not in whole}
        if whole:
            with contextlib.suppress(Exception, OutOfTime, Effect):  # what was told before is known
                run(made_for(self._call, whole, telling, {_SUM: summed, _MORE: more}))
        return met

    def _trace(self, made: Callable[..., Any]) -> None:
        rerun(lambda: jitted(made, self._call.static).trace(*self._call.args, **self._call.kwargs), 10 * _SECONDS)

    def _run(self, given: Input, made: Callable[..., Any]) -> None:
        args, kwargs = fresh(given.args), fresh(given.kwargs)
        rerun(lambda: uncompiled.run(made, args, kwargs, Deadline(_SECONDS)), 2 * _SECONDS)


def _is_own(left: Any, right: Any) -> bool:
    return type(left) in (bool, int) and type(right) in (bool, int)  # a product of flags is an int


def _is_traced(left: Any, right: Any) -> bool:
    flags = [isinstance(each, jax.core.Tracer) and each.dtype == np.bool_ for each in (left, right)]
    return all(flag or type(each) is bool for flag, each in zip(flags, (left, right), strict=True)) and any(flags)


def _numbering(code: Code, node: ast.BinOp | ast.AugAssign) -> tuple[tuple[int, int], str]:
    """The edit by which a sum of flags is one of numbers."""
    if isinstance(node, ast.AugAssign):
        return code.with_parentheses(node.value), f"0 + {code.operand(node.value)}"
    start = code.span(node)[0]
    return (start, start), "0 + "


def _sums(tree: ast.AST) -> Iterator[ast.BinOp | ast.AugAssign]:
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(op=ast.Add()) | ast.AugAssign(op=ast.Add(), target=ast.Name()):
                yield node


class _Telling(ast.NodeTransformer):
    """Every sum, in a call that notes its sides."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        text = ast.unparse(node)
        self.generic_visit(node)
        return _call(node, _SUM, text, node.left, node.right) if isinstance(node.op, ast.Add) else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AugAssign:
        text = ast.unparse(node)
        self.generic_visit(node)
        if isinstance(node.op, ast.Add) and isinstance(node.target, ast.Name):
            node.value = _call(node, _MORE, text, ast.Name(node.target.id, ast.Load()), node.value)
        return node


def _call(at: ast.AST, name: str, text: str, left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), [ast.Constant(text), left, right], []), at)
