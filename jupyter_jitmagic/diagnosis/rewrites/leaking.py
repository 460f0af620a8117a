"""A trace that ends well, and a call that fails: it holds a tracer of another trace, or what does not compile; the place in the
user's code that has to do with it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping

import jax
import numpy as np

from jupyter_jitmagic.base.jax_internals import traced_when_kept
from jupyter_jitmagic.base.jaxprs import NotCompiled
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.units import Unit


def where_kept(
    error: BaseException,
    units: Iterable[Unit],
    texts: Mapping[Unit, str],
    drafts: Mapping[str, tuple[Unit, str]],
    code_of: Callable[[str], Code],
) -> Spot | None:
    """The function in which a tracer was kept that the program holds, or what of NumPy's does not compile; no frame of the
    user's tells.

    JAX tells which function was traced then; where that is one of its own (`lax.map`), the first function of the user's that
    calls one of JAX's stands for it.
    """
    if isinstance(error, NotCompiled):
        return _sorted_by_numpy(error, units, texts, code_of, drafts)
    place = traced_when_kept(error) if isinstance(error, jax.errors.UnexpectedTracerError) else None
    if place is None:
        return None
    _, filename, line, _ = place
    if filename in drafts:
        unit, text = drafts[filename]
        return _spot(error, unit, code_of(text), line, drafts)
    every = list(units)
    for unit in every:
        if unit.filename == filename and unit.first_line <= line <= unit.last_line and unit not in texts:
            return _spot(error, unit, code_of(unit.text), line - unit.first_line + 1, drafts)
    return _spot(error, every[0], code_of(texts.get(every[0], every[0].text)), 1, drafts) if every else None


def _sorted_by_numpy(
    error: BaseException,
    units: Iterable[Unit],
    texts: Mapping[Unit, str],
    code_of: Callable[[str], Code],
    drafts: Mapping[str, tuple[Unit, str]],
) -> Spot | None:
    """The first `np.argsort(x)`: no frame tells which of them was given a tracer."""
    for unit in units:
        code = code_of(texts.get(unit, unit.text))
        for node in code.below(code.tree):
            if isinstance(node, ast.Call):
                spot = Spot(code, node, error, {}, unit.globals, node.lineno, unit, drafts=drafts)
                if spot.value(node.func) is np.argsort:
                    return spot
    return None


def _spot(error: BaseException, unit: Unit, code: Code, line: int, drafts: Mapping[str, tuple[Unit, str]]) -> Spot:
    node = next((n for n in code.below(code.tree) if isinstance(n, ast.stmt) and n.lineno == line), code.tree.body[-1])
    return Spot(code, node, error, {}, unit.globals, line, unit, drafts=drafts)
