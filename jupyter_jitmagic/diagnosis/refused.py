"""Arguments that jit takes neither traced nor static: what of them it takes with another class, or under another jit."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable
from dataclasses import replace
from types import FunctionType

from jupyter_jitmagic.diagnosis.asked import Asked
from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.frozen import frozen_call, splits_with_frozen, with_frozen
from jupyter_jitmagic.diagnosis.static_fields import with_static_fields
from jupyter_jitmagic.diagnosis.statics.registered import library_of_fields, registered
from jupyter_jitmagic.diagnosis.types import FILTER_JIT, Change, Diagnosis, Rewrite
from jupyter_jitmagic.diagnosis.words import other_failures
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.units import NoSource, unit_of


def refused(asked: Asked, of_another: Callable[[Call], Diagnosis]) -> Diagnosis:
    """What jit takes neither traced nor static, and the class or the jit with which it does.

    Args:
        of_another: gives the answer to another call, in the time of the one that was asked about.
    """
    call, (argument, *others) = asked.call, asked.result.refused
    reason, sites = other_failures.for_refused(call, asked.result.refused), asked.sites
    found, splits = _fields(asked), tuple[Rewrite, ...]()
    may_be_frozen = asked.with_rewrites and not found and not others and registered(call, argument) is None
    frozen = frozen_call(call, argument) if may_be_frozen else None
    if frozen is not None:
        beside = of_another(frozen)
        found = with_frozen(call, argument, beside)
        splits = () if found else splits_with_frozen(call, argument, beside)
        if beside.kind in ("rewrite", "static+rewrite"):
            reason, sites = f"{reason} {beside.reason}", beside.sites or sites
    elif (
        asked.with_rewrites
        and not found
        and any(library_of_fields(type(each.value)) == "equinox" for each in (argument, *others))
    ):
        beside = of_another(replace(call, keeps_options=True, declared=frozenset()))
        found = tuple(made for each in beside.rewrites if (made := _under_filter_jit(call, each)) is not None)
        if found:
            reason = other_failures.for_filter_jit(argument, beside.reason)
            sites = beside.sites or sites
    return asked.verdict("not_staticness", sites=sites, reason=reason, classes=found, splits=splits, verified=bool(found))


def _fields(asked: Asked) -> tuple[Rewrite, ...]:
    """The class of a dataclass that JAX takes apart, with what is no number among its leaves as static fields."""
    argument = asked.result.refused[0]
    fields = tuple(each.removeprefix(f"{argument.name}.") for each, _ in argument.bad_leaves)
    held = other_failures.fields_to_hold(asked.call, argument, fields) if asked.with_rewrites else ()
    found = with_static_fields(asked.call, argument, held) if held else None
    return () if found is None else (found,)


def _under_filter_jit(call: Call, beside: Rewrite) -> Rewrite | None:
    """A rewrite that was proven under equinox's jit, with that jit above the function; None where its text is not known, or
    more stands above it."""
    from jupyter_jitmagic.diagnosis.splits.jits import Jits  # with the rules for other code

    fun, name = call.fun, call.name
    if not isinstance(fun, FunctionType) or fun.__qualname__ != fun.__name__:
        return None
    try:
        unit = unit_of(fun.__code__, fun.__globals__)
    except NoSource:
        return None
    text = beside.sources.get(name, unit.text)
    code, jits = Code(text), Jits(fun.__globals__, filtering=True)
    node, *more = code.tree.body
    if more or not isinstance(node, ast.FunctionDef) or node.name != name or jits.needed_import:
        return None
    lines = list(jits.decorator_lines(code, node))
    if len(lines) != len(node.decorator_list):
        return None
    for each in lines:
        text = text.replace(each, "", 1)
    text = f"{jits.decorator(())}\n{text}"
    now = unit.text.splitlines(), text.splitlines()
    diff = "\n".join(difflib.unified_diff(*now, f"{name} (now)", f"{name} (fixed)", lineterm="", n=3))
    rest = [each for each in _diffs(beside.diff) if not each.startswith(f"--- {name} (now)")]
    return replace(
        beside,
        sources={**beside.sources, name: text},
        changes=(Change(unit.filename, unit.first_line, FILTER_JIT), *beside.changes),
        diff="\n".join([diff, *rest]),
        filenames={**beside.filenames, name: unit.filename},
        static_argnames=(),
    )


def _diffs(text: str) -> list[str]:
    """Those of several functions, one by one."""
    first, *others = f"\n{text}".split("\n--- ")
    return [each for each in (first.strip("\n"), *(f"--- {other}" for other in others)) if each]
