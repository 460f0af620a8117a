"""The objects of the user's that a call gets: most calls get none, and then nothing else of this room is needed."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from typing import Any

import jax

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.call.calls import Call, bind
from jupyter_jitmagic.diagnosis.call.stand_ins import with_values
from jupyter_jitmagic.diagnosis.objects.attributes import attributes_of, copied, is_born_with, is_users_object
from jupyter_jitmagic.source.units import plain_function


def objects_given(call: Call) -> dict[str, Any]:
    """By parameter; not those whose state a library's jit carries. None where the function is not Python's."""
    function = plain_function(call.fun)
    if function is None:
        return {}
    first = next(iter(inspect.signature(function).parameters), "")
    owner = attribute(call.fun, "__self__", None)
    if owner is None and not isinstance(call.fun, types.FunctionType) and is_users_object(call.fun):
        owner = call.fun
    found = {first: owner} if owner is not None and first else {}
    found |= {argument.name: argument.value for argument in call.arguments if argument.name.isidentifier()}
    return {name: each for name, each in found.items() if is_users_object(each) and name not in call.library}


STALE = "The object holds tracers of a failed trace: numbers of their shapes stand for them here. Make the object anew."


def before_the_trace(call: Call) -> Call | None:
    """The call with its objects as they were before a trace that failed; None where they hold no tracers."""
    objects = objects_given(call)
    held = [leaf for each in objects.values() for leaf in jax.tree_util.tree_leaves(list(attributes_of(each).values()))]
    if not any(isinstance(leaf, jax.core.Tracer) for leaf in held):
        return None
    return with_objects(call, {name: without_tracers(each) for name, each in objects.items()})[0]


def with_objects(call: Call, objects: Mapping[str, Any]) -> tuple[Call, Mapping[str, Any]]:
    """The call with other objects in the place of its own."""
    args, kwargs = call.with_values(dict(objects))
    fun: Any = call.fun
    names = {argument.name for argument in call.arguments}
    (own,) = [each for name, each in objects.items() if name not in names] or [None]
    if own is not None:
        fun = types.MethodType(fun.__func__, own) if isinstance(fun, types.MethodType) else own
    return bind(fun, args, kwargs, call.declared), objects


def without_tracers(value: Any) -> Any:
    """A copy of an object as it was before a trace that failed: without what that trace wrote first, and with numbers of their
    shapes for the tracers in what is there from the beginning."""
    made = copied(value)
    for path, held in attributes_of(made).items():
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree_util.tree_leaves(held)):
            owner = made
            for name in path[:-1]:
                owner = vars(owner)[name]
            if is_born_with(type(owner), path[-1]):
                (vars(owner)[path[-1]],) = with_values((held,), {})[0]
            else:
                del vars(owner)[path[-1]]
    return made
