"""Integers that could be static and could be data as well: counts and switches from which no shape follows."""

from __future__ import annotations

import ast

import numpy as np

from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.sites.loops import is_plain_loop, statements_around
from jupyter_jitmagic.diagnosis.statics.search import StaticSet
from jupyter_jitmagic.diagnosis.types import Found, Site

_CHOICES = frozenset({"if", "ternary", "while", "and", "or", "not", "bool", "max", "min", "match", "index", "in"})
_FUNCTIONS = frozenset({"math", "float"})


def numbers_as_data(call: Call, search: StaticSet, found: Found) -> frozenset[str]:
    """The static arguments for which a rewrite is worth a look: numbers that only decide between branches, or count the rounds
    of a loop whose body needs no Python number."""
    return frozenset(name for name in search.static - call.declared if _may_be_data(call, name, found))


def _may_be_data(call: Call, name: str, found: Found) -> bool:
    argument = call.argument(name)
    if not isinstance(argument.value, (int, np.integer)) or argument.is_flag:
        return False
    sites = [site for site, roots in zip(found.sites, found.roots, strict=True) if name in roots]
    chosen = [site for site in sites if site.operation not in _FUNCTIONS]  # that alone may be of a size: `math.sqrt(width)`
    return bool(chosen) and all(_is_choice(site) or is_plain_loop(site) for site in chosen)


def _is_choice(site: Site) -> bool:
    return site.operation in _CHOICES and not any(
        _calls(node, site.function) for node in statements_around(site) if isinstance(node, ast.FunctionDef)
    )


def _calls(function: ast.AST, name: str) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name for node in ast.walk(function)
    )
