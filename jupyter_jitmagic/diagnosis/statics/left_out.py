"""Options that a call leaves out, or gives as None: flags, names, sizes, functions and settings, static once a caller
gives them; of floats, those that decide a shape (`int(horizon / dt)`), of what is None those that are an axis or a size."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jupyter_jitmagic.diagnosis.call.calls import Call, bind, is_jax_type, leaves_of
from jupyter_jitmagic.diagnosis.sites.finding import find_call_sites
from jupyter_jitmagic.diagnosis.statics.otherwise import tree_of
from jupyter_jitmagic.diagnosis.statics.registered import is_fixed, is_hashable
from jupyter_jitmagic.diagnosis.statics.search import MAYBE_SIZES, shapes_depend, sizes_through_jax
from jupyter_jitmagic.diagnosis.types import Site
from jupyter_jitmagic.sandbox.limit import OutOfTime, limited
from jupyter_jitmagic.source.compared import compared_with, names_tested
from jupyter_jitmagic.source.units import plain_function

_SECONDS = 1.0
_MOST_NONE = 3  # options that are None where they are left out, of which it is asked what they may be
_IN_PLACE_OF_NONE = (1, 0.1, 0.001)
"""Numbers for what is None: a count, or a share of which a count is made (`int(rate * fade)`), as it fits into arrays."""
_OF_COUNTS = frozenset({"static parameter", "slice", "range", "shape"})
"""Operations that need a whole number's value."""
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class LeftOut:
    """Parameters that a call leaves out.

    Attributes:
        static: they have to be static once they are given: a string, a flag or an integer of which Python needs the value (also
            in the place of None), a float that decides a shape, or an object that is no data.
        beside_data: integers that meet data where Python needs a value (`x.sum() > lim`): what cures that may take them so.
        others: integers of which the trace needs no value, and code that is found may (`deque(maxlen=k)`); floats that only
            decide how Python goes on (`while t <= horizon`): data where a rewrite takes them so.
        asked_for: those of `others` of which Python needs the value: without a rewrite they have to be static, too.
    """

    static: frozenset[str] = frozenset()
    beside_data: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    in_place_of_none: frozenset[str] = frozenset()
    asked_for: frozenset[str] = frozenset()


def options_left_out(call: Call, static: frozenset[str]) -> LeftOut:
    """What the call leaves out; nothing where there was no time to find out: an answer for the call itself is worth more."""
    try:
        return limited(_SECONDS, lambda: _options_left_out(call, static))
    except OutOfTime:
        return LeftOut()


def _options_left_out(call: Call, static: frozenset[str]) -> LeftOut:
    if call.keeps_options:
        return LeftOut()
    try:
        parameters = inspect.signature(call.fun).parameters.values()
    except (TypeError, ValueError):
        return LeftOut()
    given = {argument.name for argument in call.arguments if argument.value is not None} | call.declared
    left_out = {each.name: each.default for each in parameters if each.name not in given and each.kind in _BY_NAME}
    words = frozenset(name for name, default in left_out.items() if type(default) is str or _may_be_a_word(call, name, default))
    words |= frozenset(name for name, default in left_out.items() if _is_no_data(default) or _is_called(call, name, default))
    none = [name for name, default in left_out.items() if default is None and name not in words]
    counts, in_place_of_none = _numbers_for_none(call, none, static)
    words |= counts
    numbers = {name: default for name, default in left_out.items() if _kinds(default) <= {bool, int, float}}
    if not numbers:
        return LeftOut(words, in_place_of_none=in_place_of_none)
    other = _with(call, numbers)
    found = find_call_sites(other, static | words, seconds=0.3)
    needed = frozenset().union(*found.roots) & numbers.keys() | _tested(call, numbers)
    alone = frozenset().union(*(roots for roots in found.roots if roots <= numbers.keys()))
    floats = {name for name, default in numbers.items() if float in _kinds(default)}
    beside = frozenset(name for name in needed - alone if _kinds(numbers[name]) == {int})
    sizes = sizes_through_jax(other, found) if floats & needed else frozenset()
    whole = frozenset(name for name, default in numbers.items() if _kinds(default) == {int})
    asked_for = frozenset(floats & needed) - sizes
    static = words | (needed - floats - beside) | (floats & sizes)
    return LeftOut(static, beside, whole - needed | asked_for, in_place_of_none, asked_for)


def _kinds(default: Any) -> set[type]:
    """The types of a number, or of those in a tuple (`lags=(1, 2)`); that of anything else is itself."""
    return {type(each) for each in default} if type(default) is tuple and default else {type(default)}


def _with(call: Call, options: Mapping[str, Any]) -> Call:
    """The call with these options, also where it gives None by position."""
    by_place = {argument.key: argument.name for argument in call.arguments if argument.name in options}
    args = tuple(options[by_place[k]] if k in by_place else arg for k, arg in enumerate(call.args))
    others = {name: value for name, value in options.items() if name not in by_place.values() or name in call.kwargs}
    return bind(call.fun, args, {**call.kwargs, **others}, call.declared)


def _tested(call: Call, numbers: Mapping[str, Any]) -> frozenset[str]:
    """The flags among these whose truth the code asks for, perhaps in a branch that this call does not take."""
    flags = {name for name, default in numbers.items() if type(default) is bool}
    function = plain_function(call.fun) if flags else None
    return frozenset(flags & names_tested(tree_of(function))) if function is not None else frozenset()


def _numbers_for_none(call: Call, names: Sequence[str], static: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Which of these, None where they are left out, are an axis or a size once they are given, and not where data is one when
    they are not (`k = x.argmax() if start is None else start`); of which others Python needs the value alone."""
    found, needed = set(), set()
    by_data = functools.cache(lambda: {_place(site) for site in find_call_sites(call, static, seconds=0.3).sites})
    for name in names[:_MOST_NONE]:
        for number in _IN_PLACE_OF_NONE:
            other = _with(call, {name: number})
            sites = find_call_sites(other, static, seconds=0.3)
            other = replace(other, declared=other.declared | static)
            alone = [site for site, roots in zip(sites.sites, sites.roots, strict=True) if roots == {name}]
            needed |= {name} if alone else set()
            if any(
                (site.operation in _OF_COUNTS and _place(site) not in by_data())
                or (site.operation in MAYBE_SIZES and shapes_depend(other, sites, site, frozenset({name})))
                for site in alone
            ):
                found.add(name)
            if name in found or sites.complete:
                break
    return frozenset(found), frozenset(needed - found)


def _place(site: Site) -> tuple[str, int, int | None, str]:
    return site.filename, site.line, site.column, site.operation


def _is_no_data(default: Any) -> bool:
    """Whether it is an object that jit takes as a static argument alone: a function, a frozen dataclass."""
    if type(default) in (str, bool, int, float, complex) or default is None:
        return False
    return is_fixed(default) and not all(is_jax_type(leaf) for _, leaf in leaves_of(default))


def settings_refused(call: Call) -> dict[str, str]:
    """Options that the call leaves out and that are dataclasses which jit takes neither traced nor static: name and class."""
    try:
        parameters = inspect.signature(call.fun).parameters.values()
    except (TypeError, ValueError):
        return {}
    given = {argument.name for argument in call.arguments} | call.declared
    defaults = {each.name: each.default for each in parameters if each.name not in given and each.kind in _BY_NAME}
    return {
        name: type(default).__name__
        for name, default in defaults.items()
        if dataclasses.is_dataclass(default)
        and not (isinstance(default, type) or is_hashable(default))
        and any(leaf is default for _, leaf in leaves_of(default))
    }


def _is_called(call: Call, name: str, default: Any) -> bool:
    """Whether the code calls an option that is None where it is left out, as a callback is."""
    function = plain_function(call.fun) if default is None else None
    calls = (node.func for node in ast.walk(tree_of(function)) if isinstance(node, ast.Call)) if function is not None else ()
    return any(isinstance(called, ast.Name) and called.id == name for called in calls)


def _may_be_a_word(call: Call, name: str, default: Any) -> bool:
    """Whether the code compares an option with words, that is None where it is left out."""
    function = plain_function(call.fun) if default is None else None
    return function is not None and any(type(value) is str for value in compared_with(tree_of(function), name))


def may_be_words(call: Call, static: frozenset[str]) -> tuple[str, ...]:
    """Arguments that are data in this call, and that the code compares with words as well: a text is no data."""
    function = plain_function(call.fun)
    if function is None:
        return ()
    tree, data = tree_of(function), (each for each in call.arguments if each.name not in static | call.declared)
    numbers = [each.name for each in data if is_jax_type(each.value)]
    return tuple(name for name in numbers if any(type(value) is str for value in compared_with(tree, name)))
