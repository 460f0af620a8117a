"""Arrays whose memory is gone (donated to an earlier call, or deleted), which a trace does not notice and the call does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax

from jupyter_jitmagic.diagnosis.call.calls import Call, leaves_of
from jupyter_jitmagic.diagnosis.sites.leaks import Holder, holders, reading_site
from jupyter_jitmagic.diagnosis.types import Site


class Gone(NamedTuple):
    """The array that the call needs and cannot have: the holder in words, and the argument's name if it is one."""

    holder: str
    argument: str
    site: Site | None


def deleted_array(call: Call, traced: Any) -> Gone | None:
    """The first deleted array that the traced program reads, if there is any."""
    jaxpr = traced.jaxpr.jaxpr
    used = {id(variable) for variable in _read(jaxpr)}
    dynamic = [
        (argument.name, path, leaf)
        for argument in sorted(call.arguments, key=lambda each: each.key if isinstance(each.key, str) else "")  # as JAX does
        if argument.name not in call.declared
        for path, leaf in leaves_of(argument.value)
    ]
    if len(dynamic) == len(jaxpr.invars):
        for (name, path, leaf), variable in zip(dynamic, jaxpr.invars, strict=True):
            if _is_deleted(leaf) and id(variable) in used:
                return Gone(name + path, name, _site(call, Holder(name + path, name)))
    for constant in _constants(jaxpr, list(traced.jaxpr.consts)):
        if _is_deleted(constant):
            holder = next(holders(call, lambda value, wanted=constant: value is wanted), None)  # type: ignore[misc]
            return Gone(holder.text if holder else "an array", "", _site(call, holder) if holder else None)
    return None


def _site(call: Call, holder: Holder) -> Site | None:
    return reading_site(call, holder, "deleted array", "reads an array whose memory is gone")


def _is_deleted(value: Any) -> bool:
    return isinstance(value, jax.Array) and not isinstance(value, jax.core.Tracer) and value.is_deleted()


def _read(jaxpr: Any) -> Iterator[Any]:
    for equation in jaxpr.eqns:
        yield from equation.invars
    yield from jaxpr.outvars


def _constants(jaxpr: Any, found: list[Any]) -> list[Any]:
    """The arrays that a program holds: as constants, or in place of a variable."""
    for equation in jaxpr.eqns:
        found.extend(variable.val for variable in equation.invars if hasattr(variable, "val"))
        for param in equation.params.values():
            inner = getattr(param, "jaxpr", param)
            if hasattr(inner, "eqns"):
                found.extend(getattr(param, "consts", ()))
                _constants(inner, found)
    return found
