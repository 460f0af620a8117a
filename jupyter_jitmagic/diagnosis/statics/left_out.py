"""Options that a call leaves out: Python's flags, names and sizes, which have to be static once a caller gives them; of floats,
those that decide a shape (`int(horizon / dt)`)."""

from __future__ import annotations

import inspect

from jupyter_jitmagic.diagnosis.call.calls import Call, bind
from jupyter_jitmagic.diagnosis.sites.finding import find_call_sites
from jupyter_jitmagic.diagnosis.statics.search import sizes_through_jax
from jupyter_jitmagic.sandbox.limit import OutOfTime, limited

_SECONDS = 1.0
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def options_left_out(call: Call, static: frozenset[str]) -> frozenset[str]:
    """What has to be static of the parameters that the call leaves out; none where there was no time to find out: an answer for
    the call itself is worth more."""
    try:
        return limited(_SECONDS, lambda: _options_left_out(call, static))
    except OutOfTime:
        return frozenset()


def _options_left_out(call: Call, static: frozenset[str]) -> frozenset[str]:
    """Parameters that the call leaves out, whose default is a string, a flag or an integer of which Python needs the value, or
    a float that decides a shape."""
    if call.keeps_options:
        return frozenset()
    try:
        parameters = inspect.signature(call.fun).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    given = {argument.name for argument in call.arguments} | call.declared
    left_out = {each.name: each.default for each in parameters if each.name not in given and each.kind in _BY_NAME}
    words = frozenset(name for name, default in left_out.items() if type(default) is str)
    numbers = {name: default for name, default in left_out.items() if type(default) in (bool, int, float)}
    if not numbers:
        return words
    other = bind(call.fun, call.args, {**call.kwargs, **numbers}, call.declared)
    found = find_call_sites(other, static | words, seconds=0.3)
    needed = frozenset().union(*found.roots)
    floats = {name for name, default in numbers.items() if type(default) is float}
    sizes = sizes_through_jax(other, found) if floats & needed else frozenset()
    return words | ((numbers.keys() - floats) & needed) | (floats & sizes)
