"""A split inside a function that the user's function calls: the caller becomes plain Python, the helper comes in pieces."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import jax

from jupyter_jitmagic.diagnosis.call.calls import Call, bind
from jupyter_jitmagic.diagnosis.rewrites.sources import holders
from jupyter_jitmagic.diagnosis.splits.jits import Jits
from jupyter_jitmagic.diagnosis.splits.program import Place, Split, difference, in_place_of
from jupyter_jitmagic.diagnosis.splits.proving import Proof
from jupyter_jitmagic.diagnosis.statics.search import trace_call
from jupyter_jitmagic.diagnosis.types import Comparison
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.source.names import top_name
from jupyter_jitmagic.source.units import codes
from jupyter_jitmagic.usercode.ownership import is_users_text

MOST_HELPERS = 3

Find = Callable[[Call, frozenset[str], float], Split]
"""The search for a split of a call."""
Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def split_of_a_helper(
    call: Call, static: frozenset[str], function: types.FunctionType, place: Place, seconds: float, find: Find
) -> Split | None:
    """The split of a function that `function` calls and that does not trace, if with it the whole gives the same as before."""
    for name, helper in _helpers(function):
        met = _first_call(call, function, name, seconds)
        if met is None:
            continue
        inner = bind(helper, *met)
        values = [argument.value for argument in call.arguments if argument.name in static]
        same = frozenset(argument.name for argument in inner.arguments if any(argument.value is value for value in values))
        if trace_call(inner, same, seconds / 4)[0] is None:
            continue
        found = find(inner, same, seconds / 2)
        if found.rewrite is None or not found.rewrite.verified or found.function is None:
            continue
        fun = in_place_of(call.fun, _calling(function, name, found.function))
        compared = Proof(call, static, place.unit, seconds).compared(fun)
        if isinstance(compared, Comparison):
            return _around(found, fun, compared, function, place, call.keeps_options)
    return None


def _helpers(function: types.FunctionType) -> Iterator[tuple[str, types.FunctionType]]:
    """The user's functions that a function names, in the order of its code."""
    names = dict.fromkeys(name for code in (function.__code__, *codes(function.__code__)) for name in code.co_names)
    found = ((name, function.__globals__.get(name)) for name in names)
    helpers = [
        (name, value)
        for name, value in found
        if isinstance(value, types.FunctionType) and value is not function and is_users_text(value.__code__.co_filename)
    ]
    yield from helpers[:MOST_HELPERS]


def _first_call(call: Call, function: types.FunctionType, name: str, seconds: float) -> Arguments | None:
    """What the helper was given first in a plain run of the call; None where that is no value (under a gradient, say)."""
    helper = function.__globals__[name]
    met: list[Arguments] = []

    def noting(*args: Any, **kwargs: Any) -> Any:
        met.append((args, kwargs))
        return helper(*args, **kwargs)

    fun = in_place_of(call.fun, _calling(function, name, noting))
    try:
        rerun(lambda: jax.block_until_ready(fun(*fresh(call.args), **fresh(call.kwargs))), seconds)
    except (Exception, OutOfTime, Effect):
        return None
    if not met or any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree_util.tree_leaves(met[0])):
        return None
    return met[0]


def _calling(function: types.FunctionType, name: str, value: Callable[..., Any]) -> types.FunctionType:
    """The function with `value` in the place of a function that it names."""
    space = {**function.__globals__, name: value}
    made = types.FunctionType(function.__code__, space, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__, made.__qualname__, made.__module__ = (
        function.__kwdefaults__,
        function.__qualname__,
        function.__module__,
    )
    if function.__globals__.get(function.__name__) is function:
        space[function.__name__] = made
    return made


def _around(found: Split, fun: Any, compared: Comparison, function: types.FunctionType, place: Place, filtering: bool) -> Split:
    """The helper's split as that of its caller, whose own jit comes off."""
    assert found.rewrite is not None
    unit, jits = place.unit, Jits(function.__globals__, filtering)
    text = unit.text
    for line in jits.decorator_lines(place.code, place.node):
        text = text.replace(line, "", 1)
    own = {top_name(place.code.tree.body[-1]): (unit.text, text)}
    for held, statement in holders(unit) if place.around is None else ():
        own[held] = statement, jits.without(statement, place.node.name)
    changed = {name: texts for name, texts in own.items() if texts[0] != texts[1]}
    inner, caller = found.rewrite, function.__name__
    rewrite = replace(
        inner,
        sources={**inner.sources, **{name: new for name, (_, new) in changed.items()}},
        filenames={**inner.filenames, **dict.fromkeys(changed, unit.filename)},
        diff="\n".join([inner.diff, *(difference(name, *texts) for name, texts in changed.items())]),
        compared=compared,
        price=f"{inner.price} `{caller}`, which calls it, is plain Python as well.",
    )
    return Split(rewrite, True, fun, found.work)
