"""Options that a call leaves out: Python's flags, names and sizes, which have to be static once a caller gives them."""

from __future__ import annotations

import inspect

from jupyter_jitmagic.diagnosis.call.calls import Call, bind
from jupyter_jitmagic.diagnosis.sites.finding import find_call_sites

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def options_left_out(call: Call, static: frozenset[str]) -> frozenset[str]:
    """Parameters that the call leaves out, whose default is a string, or a flag or an integer that Python needs to know."""
    if call.keeps_options:
        return frozenset()
    try:
        parameters = inspect.signature(call.fun).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    given = {argument.name for argument in call.arguments} | call.declared
    left_out = {each.name: each.default for each in parameters if each.name not in given and each.kind in _BY_NAME}
    words = frozenset(name for name, default in left_out.items() if type(default) is str)
    numbers = {name: default for name, default in left_out.items() if type(default) in (bool, int)}
    if not numbers:
        return words
    other = bind(call.fun, call.args, {**call.kwargs, **numbers}, call.declared)
    needed = frozenset().union(*find_call_sites(other, static | words, seconds=0.3).roots)
    return words | (numbers.keys() & needed)
