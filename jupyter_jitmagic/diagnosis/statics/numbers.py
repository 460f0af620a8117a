"""Integers that could be static and could be data as well: counts and switches from which no shape follows."""

from __future__ import annotations

import ast

import numpy as np

from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.sites.loops import is_plain_loop, statements_around
from jupyter_jitmagic.diagnosis.statics.search import StaticSet
from jupyter_jitmagic.diagnosis.types import Found, Site

_CHOICES = frozenset({"if", "ternary", "while", "and", "or", "not", "bool", "max", "min", "match", "index", "in"})


def may_be_data(call: Call, search: StaticSet, found: Found) -> bool:
    """Whether a rewrite is worth a look beside a proven static set: each static argument is a number that only decides between
    branches or counts the rounds of a loop whose body needs no Python number."""
    for name in search.static - call.declared:
        argument = call.argument(name)
        if not isinstance(argument.value, (int, np.integer)) or argument.is_flag:
            return False
        sites = [site for site, roots in zip(found.sites, found.roots, strict=True) if name in roots]
        if not sites or not all(_is_choice(site) or is_plain_loop(site) for site in sites):
            return False
    return bool(search.static - call.declared)


def _is_choice(site: Site) -> bool:
    return site.operation in _CHOICES and not any(
        _calls(node, site.function) for node in statements_around(site) if isinstance(node, ast.FunctionDef)
    )


def _calls(function: ast.AST, name: str) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name for node in ast.walk(function)
    )
