"""A call with other values of its static arguments: does it trace there too, and does plain Python take it?"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.call.calls import Call, bind, reachable_functions, readable
from jupyter_jitmagic.diagnosis.statics.search import StaticSet, call_error, trace_call
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.recursing import is_lowered
from jupyter_jitmagic.sandbox.rerun import OutOfTime, rerun
from jupyter_jitmagic.source.compared import compared_numbers, compared_words
from jupyter_jitmagic.source.units import NoSource, plain_function, unit_of

_MOST_HELPERS = 8  # of which it is looked with which words they compare
_MOST_CHOICES = 3  # other values of one static argument that are traced
_NEEDS_A_VALUE = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)
_CHANGES: tuple[Callable[[Any], Any], ...] = (
    lambda v: v + 1, lambda v: v - 1, lambda v: v * 2, lambda v: v * 0, lambda v: -v, lambda v: v * 100,
)  # fmt: skip
_CHOOSING_S = 0.3  # of a trace with another value
_DECIDING_S = 1.0  # of traces with other values of numbers
_LARGEST = 100  # a whole number that is one: more may be rounds of a loop


def counts_of_few_rounds(call: Call, found: StaticSet) -> frozenset[str]:
    """Static integers of 0 or 1 with which the call traces, while with more it does not: a loop's body was hardly met."""
    few = [name for name in found.static - call.declared if type(call.argument(name).value) is int]
    few = [name for name in few if call.argument(name).value in (0, 1)]
    if not few:
        return frozenset()
    args, kwargs = call.with_values(dict.fromkeys(few, 3))
    more = bind(call.fun, args, kwargs, call.declared)
    error = call_error(more, found.static)
    return frozenset(few) if isinstance(error, jax.errors.JAXTypeError) and not plain_fails(more) else frozenset()


@dataclass(frozen=True)
class OtherChoice:
    """Another call, and what is other in it, as "flip=True"."""

    call: Call
    name: str
    words: str


def choosing_otherwise(call: Call, found: StaticSet, took: float = 0.0) -> OtherChoice | None:
    """The call with another flag, name or number among its static arguments, where that takes a way that does not trace.

    took: seconds of the call's own trace; another one that takes many times as long is a loop without an end, perhaps.
    """
    seconds = min(5.0, max(_CHOOSING_S, 4 * took))
    for name in sorted(found.static - call.declared):
        value = call.argument(name).value
        for choice in _choices(call, name, value)[:_MOST_CHOICES]:
            args, kwargs = call.with_values({name: choice})
            other = bind(call.fun, args, kwargs, call.declared)
            error = call_error(other, found.static, seconds)
            if isinstance(error, _NEEDS_A_VALUE) and not plain_fails(other):
                return OtherChoice(other, name, f"{name}={choice!r}")
    return None


def decides_what_comes_out(call: Call, static: frozenset[str], names: Sequence[str]) -> bool:
    """Whether with other values of these numbers, held static, something else comes out than arrays of these shapes in this
    structure: then no program takes them as data. (Of two dtypes it could give the wider.)"""
    error, traced = trace_call(call, static)
    if error is not None:
        return False
    numbers = {name: call.argument(name).value for name in names}
    others = [{name: other} for change in _CHANGES for name, value in numbers.items() for other in _with_another(value, change)]
    deadline = Deadline(_DECIDING_S)
    for values in others:
        if deadline.over():
            break  # not known, then
        args, kwargs = call.with_values(values)
        error, other = trace_call(bind(call.fun, args, kwargs, call.declared), static, max(deadline.left(), 0.1))
        if error is None and _form_of(other) != _form_of(traced):
            return True
    return False


def _with_another(value: Any, change: Callable[[Any], Any]) -> Iterator[Any]:
    """A number changed; a tuple or record with one of its numbers changed, each in turn."""
    leaves, tree = jax.tree_util.tree_flatten(value)
    for place, leaf in enumerate(leaves):
        if isinstance(leaf, int | float | complex | np.number) and not isinstance(leaf, bool):
            yield jax.tree_util.tree_unflatten(tree, [*leaves[:place], change(leaf), *leaves[place + 1 :]])


def _form_of(traced: Any) -> Any:
    leaves, structure = jax.tree_util.tree_flatten(traced.out_info)
    return structure, [leaf.shape for leaf in leaves]


def _choices(call: Call, name: str, value: Any) -> list[Any]:
    """The other flag, the default, the strings with which the function or its helpers compare, the whole numbers at which the
    function decides, or floats near by: an edge at which it decides is met by few of them."""
    if isinstance(value, bool):
        return [not value]
    if type(value) is float:
        return [other for other in (value * 0.9, value * 1.1, value + 1.0) if other != value]
    function = plain_function(call.fun)
    if function is None or type(value) not in (str, int):
        return []
    if isinstance(value, str):
        parameter = inspect.signature(function).parameters.get(name)
        default = parameter.default if parameter is not None else None
        functions = dict.fromkeys([function, *itertools.islice(reachable_functions(call), _MOST_HELPERS)])
        words = [word for each in functions for word in compared_words(tree_of(each), each.__globals__)]
        choices: list[Any] = [default, *words] if isinstance(default, str) else words
    else:
        limits = compared_numbers(tree_of(function))
        whole = [int(number) for number in limits if number == int(number) and abs(number) <= _LARGEST]
        choices = [number + step for number in whole for step in (0, 1, -1)]
    return [other for other in dict.fromkeys(choices) if other != value]


def tree_of(function: FunctionType) -> ast.AST:
    """Its source's; of nothing where that is not known."""
    try:
        return ast.parse(unit_of(function.__code__, function.__globals__).text)
    except NoSource:
        return ast.Module([], [])


def plain_fails(call: Call) -> bool:
    return plain_error(call) is not None


def plain_error(call: Call) -> BaseException | None:
    """What plain Python raises on this call, run on copies of NumPy arrays and containers: the function may change them."""
    if not readable(call):
        return None
    args, kwargs = call.with_values({argument.name: _copied(argument.value) for argument in call.arguments})
    try:
        rerun(functools.partial(call.fun, *args, **kwargs), 1.0)
    except (Exception, SystemExit, GeneratorExit) as error:
        return None if isinstance(error, RecursionError) and is_lowered() else error
    except OutOfTime:
        return None
    return None


def _copied(value: Any) -> Any:
    return jax.tree_util.tree_map(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, value)


def numbers_asked_for_kinds(call: Call) -> frozenset[str]:
    """Numbers of Python's that the call gives and of which its code asks what kind they are (`isinstance(t, float)`): a tracer
    is none."""
    function = plain_function(call.fun)
    given = {argument.name for argument in call.arguments if type(argument.value) in (int, float, bool)}
    if function is None or not given or not {"isinstance", "type"} & set(function.__code__.co_names):
        return frozenset()
    asked = {
        node.args[0].id
        for node in ast.walk(tree_of(function))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "type")
        if node.args and isinstance(node.args[0], ast.Name)
    }
    return frozenset(given & asked)
