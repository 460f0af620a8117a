"""Flags of Python's own that are added: `(a > 1) + (b < 0)` of numbers is 2 where both are true, and under jit True.

Nothing fails there, so no site tells it. One run of plain Python and one trace do, in which each sum tells what it adds.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jaxprs import equations_in
from jupyter_jitmagic.diagnosis.rewrites.building import jitted, made_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Step
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.units import Unit

_SUM, _MORE = "__jitmagic_sum__", "__jitmagic_more__"
_SECONDS = 0.3
_OF_ARRAYS = "flags that are arrays of JAX's already, whose sum is True in plain Python"
SAID = (
    "`{}` adds flags of Python's own: 2 where both are true, and in compiled code, where they are arrays, True; `{}` is the "
    "same in both"
)


def may_add(program: Any) -> bool:
    """Whether a traced program joins flags, as it does for their sum."""
    return any(each.primitive.name == "or" and each.outvars[0].aval.dtype == bool for each in equations_in(program.jaxpr))


class OwnFlags:
    """The sums of flags of one call.

    Args:
        fun, args, kwargs, static: the call.
        units: gives the user's functions that are reached, where plain Python may be run.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        static: Sequence[str | int],
        units: Callable[[], Sequence[Unit]],
    ) -> None:
        self._fun, self._args, self._kwargs, self._static, self._units = fun, tuple(args), dict(kwargs), static, units
        self._plain: frozenset[str] | None = None

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
        if not may_add(program):
            return
        if self._plain is None:
            self._plain = frozenset(self._met({}, _is_own, self._run))
        if not self._plain:
            return
        traced = self._met(texts, _is_traced, self._trace) & self._plain
        for unit in self._units():
            sums = [node for node in _sums(ast.parse(texts.get(unit, unit.text))) if ast.unparse(node) in traced]
            inner = [node for node in sums if not (isinstance(node, ast.BinOp) and node.left in sums)]
            if inner:
                yield unit, inner

    def _met(self, texts: Mapping[Unit, str], wanted: Callable[[Any, Any], bool], run: Callable[[Any], Any]) -> set[str]:
        """The sums, by their text, that add what is wanted."""
        met = set()

        def tell(text: str, left: Any, right: Any) -> None:
            if wanted(left, right):
                met.add(text)

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
                run(made_of(self._fun, whole, self._static, telling, {_SUM: summed, _MORE: more}))
        return met

    def _trace(self, made: Callable[..., Any]) -> None:
        rerun(lambda: jitted(made, self._static).trace(*self._args, **self._kwargs), 10 * _SECONDS)

    def _run(self, made: Callable[..., Any]) -> None:
        args, kwargs = fresh(self._args), fresh(self._kwargs)
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
