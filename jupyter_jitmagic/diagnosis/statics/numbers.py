"""Integers that could be static and could be data as well: counts and switches from which no shape follows."""

from __future__ import annotations

import ast

import numpy as np

from jupyter_jitmagic.diagnosis.call.calls import Call, bind
from jupyter_jitmagic.diagnosis.sites.finding import find_call_sites
from jupyter_jitmagic.diagnosis.sites.loops import is_plain_loop, statements_around
from jupyter_jitmagic.diagnosis.statics.search import StaticSet
from jupyter_jitmagic.diagnosis.types import Found, Site

_CHOICES = frozenset({"if", "ternary", "while", "and", "or", "not", "bool", "max", "min", "match", "index", "in"})
_FUNCTIONS = frozenset({"math", "float"})


def numbers_as_data(call: Call, search: StaticSet, found: Found) -> frozenset[str]:
    """The static arguments for which a rewrite is worth a look: numbers that only decide between branches, count the rounds of
    a loop whose body needs no Python number, or say where a slice begins whose length is another's."""
    return frozenset(name for name in search.static - call.declared if _may_be_data(call, name, found))


def _may_be_data(call: Call, name: str, found: Found) -> bool:
    argument = call.argument(name)
    if not isinstance(argument.value, (int, np.integer)) or argument.is_flag:
        return False
    sites = [site for site, roots in zip(found.sites, found.roots, strict=True) if name in roots]
    chosen = [site for site in sites if site.operation not in _FUNCTIONS]  # that alone may be of a size: `math.sqrt(width)`
    moves = any(site.operation == "slice" for site in chosen) and _only_moves(call, name, found)
    return bool(chosen) and all(
        _is_choice(site) or is_plain_loop(site) or (moves and site.operation == "slice") for site in chosen
    )


def _only_moves(call: Call, name: str, found: Found) -> bool:
    """Whether all shapes are the same where the number is another: `x[i : i + k]`, whose length i does not decide."""
    value = int(call.argument(name).value)
    for other in (value - 1, value + 1):
        if other < 0:
            continue
        args, kwargs = call.with_values({name: other})
        elsewhere = find_call_sites(bind(call.fun, args, kwargs, call.declared), frozenset(), seconds=0.2)
        if elsewhere.complete and not found.has_other_shapes(elsewhere):
            return True
    return False


def _is_choice(site: Site) -> bool:
    return site.operation in _CHOICES and not any(
        _calls(node, site.function) for node in statements_around(site) if isinstance(node, ast.FunctionDef)
    )


def _calls(function: ast.AST, name: str) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name for node in ast.walk(function)
    )
