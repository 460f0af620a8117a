"""Calls that trace and compute something else than plain Python: `isinstance(x, float)` and `flag is True` ask tracers, and
`except TypeError` catches what JAX raises where `float(x)` asks for a value, `except ZeroDivisionError` what nothing raises."""

from __future__ import annotations

import ast
import contextlib
import functools
import linecache
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic.base.jaxprs import SOME_EQUATIONS, count_equations, joins_flags
from jupyter_jitmagic.diagnosis.call.calls import Call, reachable_functions
from jupyter_jitmagic.diagnosis.proof.arguments import Input, JitCall, traced_leaves
from jupyter_jitmagic.diagnosis.proof.changed import with_arrays
from jupyter_jitmagic.diagnosis.proof.differing import differs, same_dtypes, shapes
from jupyter_jitmagic.diagnosis.proof.own_numbers import NEGATIVE_POWER, NUMBERS, has_open_power, is_negative_power
from jupyter_jitmagic.diagnosis.proof.verify import depends_on_order
from jupyter_jitmagic.diagnosis.statics.search import trace_call
from jupyter_jitmagic.diagnosis.swallowed import decisions_caught
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.order_of_keys import (
    GOES_BY_KEYS,
    WHAT_TO_PASS,
    in_order_of,
    is_in_another_order,
)
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.sandbox.results import number_kind, same_numbers
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.definitions import definition_of
from jupyter_jitmagic.source.units import NoSource, Unit, unit_of

_ASKING = frozenset({"isinstance", "issubclass", "type", "isscalar", "hasattr", "callable"})
_CATCHING = frozenset({"TypeError", "IndexError", "Exception", "BaseException"})
"""What errors of JAX's about tracers are."""
_KINDS, _ERRORS = "asks for what a tracer is not", "catches what JAX raises where a tracer's value is asked for"
_COMPARING = frozenset({"array_equal", "array_equiv"})
"""Functions of NumPy that catch what JAX raises where a tracer's value is asked for."""
_COMPARED = "calls a function of NumPy for which no traced arrays are equal, and which jax.numpy has as well"
_RAISING = frozenset({"ZeroDivisionError", "ArithmeticError"})
_RAISED = "catches what plain Python's numbers raise, and compiled code raises nothing"
_NEGATED = "with the signs of its floats turned"
_SECONDS = 0.3
_SHORT = 0.05  # seconds, where nothing in the code asks
_FAR = 1e-2  # relative to the largest number
_AS_ARRAYS = (
    "Under jit Python's own numbers are arrays of {} bits: whole ones wrap around, floats are rounded, True + True is True."
)


class Otherwise(NamedTuple):
    """What a call's program gives that plain Python does not."""

    said: str
    """Half a sentence."""
    alike: str
    """An argument with which, static, it gives the same; "" where none is known."""
    of_numbers: bool
    """Only as Python's own numbers are arrays there."""


def traced_otherwise(call: Call, traced: Any) -> Otherwise | None:
    """How the call's program gives something else than plain Python on the call itself; None where it does not, or that is not
    known.

    Both are run on NumPy; only where they differ the call is compiled and run, to be sure. Where the code asks for no kinds or
    identity, what rounding may make is no difference.

    Args:
        call: a call that traces.
        traced: what ``jax.jit(…).trace`` gave for it.
    """
    if call.keeps_options or not uncompiled.can_run():
        return None
    if _goes_by_keys(call, traced):
        return Otherwise(f"gives something else than plain Python: {GOES_BY_KEYS}. {WHAT_TO_PASS.capitalize()}.", "", False)
    asked = list(_askings(call))
    try:
        what = {does for _, does, _ in asked}
        calls = [(call, ""), *(_negated(call) if _ERRORS in what else ()), *(_zeroed(call) if _RAISED in what else ())]
        calls += _other_whole(call) if not asked else ()
        differing = differs if asked else _differs_far
        seconds = _SECONDS if asked else _SHORT
        shown = next(((other, words) for other, words in calls if _differs_by_numpy(other, traced, differing, seconds)), None)
        if shown is None:
            said = _adding_flags(call, traced)
            if said:
                return Otherwise(f"may compute something else than plain Python: {said}.", "", True)
            caught = _caught_decision(call, asked) if _ERRORS in what else ""
            return Otherwise(f"may compute something else than plain Python: {caught}.", "", False) if caught else None
        call, values = shown
        plain = rerun(lambda: jax.block_until_ready(call.fun(*fresh(call.args), **fresh(call.kwargs))), 10 * _SECONDS)
        compiled = rerun(lambda: jax.block_until_ready(_jitted(call)(*fresh(call.args), **fresh(call.kwargs))), 10 * _SECONDS)
        difference = differing(compiled, plain)
        if not difference:
            return None
        alike = _static_alike(call, plain)
        why = _what_asks(asked, alike) if asked else _own_numbers(call, compiled)
    except (Exception, OutOfTime, Effect):
        return None
    where = f" on other values ({values})" if values else ""
    said = f"gives something else than plain Python{where}: {difference.removesuffix('.')}.{why}"
    said += f" With `{alike}` static it gives the same." if alike else ""
    return Otherwise(said, alike, of_numbers=bool(why) and not asked)


def _goes_by_keys(call: Call, traced: Any) -> bool:
    """Whether the items of a dict in their own order make another program, and another result."""
    held = [*call.args, *call.kwargs.values()]
    if not any(map(is_in_another_order, held)) or count_equations(traced.jaxpr) > SOME_EQUATIONS:
        return False

    @functools.wraps(call.fun)
    def in_their_own(*args: Any, **kwargs: Any) -> Any:
        named = {name: in_order_of(call.kwargs[name], each) for name, each in kwargs.items()}
        return call.fun(*map(in_order_of, call.args, args), **named)

    error, other = trace_call(replace(call, fun=in_their_own), frozenset(), _SECONDS)
    if error is not None or str(other.jaxpr) == str(traced.jaxpr):
        return False
    return depends_on_order(call.fun, Input(call.args, call.kwargs, "call"), 10 * _SECONDS)


def _what_asks(asked: Sequence[tuple[int, str, str]], alike: str) -> str:
    """A sentence on what may be why; `alike`: see `Otherwise`."""
    line, does, code = asked[0]
    sure = len(asked) == 1 and alike  # else another line, or something that no line asks, may be why
    return f" Line {line} {does} (`{code}`)." if sure else f" It may be line {line}, which {does} (`{code}`)."


def _own_numbers(call: Call, compiled: Any) -> str:
    """A sentence where plain Python gives what the program gives once its own numbers are arrays of JAX's; else ""."""
    options = call.jit_options(sorted(call.declared))
    static = (*options.get("static_argnames", ()), *options.get("static_argnums", ()))
    given = with_arrays(call.fun, Input(fresh(call.args), fresh(call.kwargs), "call"), static)
    try:
        alike = not _differs_far(compiled, rerun(lambda: call.fun(*given.args, **given.kwargs), 10 * _SECONDS))
    except TypeError as error:
        return f" There {NEGATIVE_POWER}." if is_negative_power(error) else ""
    return f" {_AS_ARRAYS.format(64 if jax.config.jax_enable_x64 else 32)}" if alike else ""


def _adding_flags(call: Call, traced: Any) -> str:
    """Half a sentence where Python's own flags are added."""
    if not joins_flags(traced):
        return ""
    from jupyter_jitmagic.diagnosis.rewrites.own_flags import OwnFlags  # with all rules: few programs need it

    options = call.jit_options(sorted(call.declared))
    static = (*options.get("static_argnames", ()), *options.get("static_argnums", ()))
    return OwnFlags(JitCall(call.fun, call.args, call.kwargs, static), lambda: list(_units(call))).said(traced)


def _caught_decision(call: Call, asked: Sequence[tuple[int, str, str]]) -> str:
    """Half a sentence where a truth of traced values is asked for, and the error caught."""
    lines = decisions_caught(call, {fun.__code__.co_filename for fun in reachable_functions(call)})
    if not lines:
        return ""
    handlers = {code for _, does, code in asked if does == _ERRORS}
    handler = f"`{handlers.pop()}`" if len(handlers) == 1 else "an `except`"  # which one is not known
    return f"line {lines[0]} decides on a traced value, which raises, and {handler} catches it, whatever the value is"


def _jitted(call: Call) -> Any:
    return jax.jit(call.fun, **call.jit_options(sorted(call.declared)))


def _by_numpy(call: Call, traced: Any, static: frozenset[str], seconds: float = _SECONDS) -> Any:
    """What a trace of the call gives."""
    options = call.jit_options([*sorted(call.declared), *sorted(static)])
    names = (*options.get("static_argnames", ()), *options.get("static_argnums", ()))
    leaves = traced_leaves(call.fun, Input(call.args, call.kwargs, "call"), names)
    return rerun(lambda: uncompiled.evaluate(traced, leaves, Deadline(seconds)))


def _differs_by_numpy(call: Call, traced: Any, differing: Callable[[Any, Any], str], seconds: float) -> bool:
    plain = rerun(lambda: uncompiled.run(call.fun, fresh(call.args), fresh(call.kwargs), Deadline(seconds)))
    return bool(differing(_by_numpy(call, traced, frozenset(), seconds), plain))


def _differs_far(got: Any, want: Any) -> str:
    """`differs` where it is more than what many roundings may make."""
    difference = differs(got, want)
    if not difference or shapes(got) != shapes(want) or not same_dtypes(got, want):
        return difference
    pairs = zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want), strict=True)
    return "" if all(_near(np.asarray(one), np.asarray(other)) for one, other in pairs) else difference


def _near(got: Any, want: Any) -> bool:
    if number_kind(want.dtype) not in "fc":
        return bool(np.array_equal(got, want))
    size = np.max(np.abs(want[np.isfinite(want)]), initial=0.0)
    return bool(np.all(same_numbers(got, want, _FAR, _FAR * size)))


def _zeroed(call: Call) -> Iterator[tuple[Call, str]]:
    """The call with a number of Python's that is 0, each by itself."""
    for argument in call.arguments:
        if type(argument.value) in (int, float) and argument.name not in call.declared:
            args, kwargs = call.with_values({argument.name: type(argument.value)(0)})
            yield replace(call, args=args, kwargs=kwargs), f"{argument.name}={type(argument.value)(0)!r}"


def _negated(call: Call) -> Iterator[tuple[Call, str]]:
    """The call with the signs of its floats turned, where it has any: the other side of most tests."""
    leaves, tree = jax.tree_util.tree_flatten((call.args, dict(call.kwargs)))
    turned = [
        -leaf if isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, np.floating) else leaf for leaf in leaves
    ]
    if any(new is not old for new, old in zip(turned, leaves, strict=True)):
        args, kwargs = jax.tree_util.tree_unflatten(tree, turned)
        yield replace(call, args=args, kwargs=kwargs), _NEGATED


def _units(call: Call) -> Iterator[Unit]:
    """What the function and its helpers stand in, as far as that can be read."""
    units = {}
    for fun in reachable_functions(call):
        with contextlib.suppress(NoSource):
            unit = unit_of(fun.__code__, fun.__globals__)
            units[unit.filename, unit.first_line] = unit
    yield from units.values()


def _definitions(call: Call) -> Iterator[ast.AST]:
    """What defines the function and its helpers, as far as that can be read."""
    for fun in reachable_functions(call):
        with contextlib.suppress(NoSource):
            yield from filter(None, [definition_of(unit_of(fun.__code__, fun.__globals__), fun.__code__)])


def _other_whole(call: Call) -> Iterator[tuple[Call, str]]:
    """The call with other whole numbers of Python's, each by itself, where the code takes a power that may be negative."""
    if not any(map(has_open_power, _definitions(call))):
        return
    for argument in call.arguments:
        for number in NUMBERS if type(argument.value) is int and argument.name not in call.declared else ():
            args, kwargs = call.with_values({argument.name: number})
            yield replace(call, args=args, kwargs=kwargs), f"{argument.name}={number}"


def _static_alike(call: Call, plain: Any) -> str:
    """The first argument of Python's own with which, held static, the call gives what plain Python gives."""
    for argument in call.arguments:
        if argument.hashable and not argument.by_number and argument.name not in call.declared:
            static = frozenset({argument.name})
            error, traced = trace_call(call, static)
            if error is None and not differs(_by_numpy(call, traced, static), plain):
                return argument.name
    return ""


def _askings(call: Call) -> Iterator[tuple[int, str, str]]:
    """(line, what it does, code) where the function or a helper asks what kind a value is, or whether it is one object, or
    catches errors of JAX's."""
    for fun in reachable_functions(call):
        made = fun.__code__
        quiet = (_ASKING | _COMPARING).isdisjoint(made.co_names) and not made.co_exceptiontable
        text = "".join(linecache.getlines(made.co_filename)) if quiet else ""
        if quiet and " is " not in text and "match " not in text:
            continue
        try:
            unit = unit_of(made, fun.__globals__)
        except NoSource:
            continue
        code = Code(unit.text)
        own = definition_of(unit, made)
        lines = range(own.lineno, (own.end_lineno or 0) + 1) if own is not None else ()  # type: ignore[attr-defined]
        for node in ast.walk(code.tree):
            if getattr(node, "lineno", 0) not in lines:
                continue
            line = unit.first_line + getattr(node, "lineno", 0) - 1
            if isinstance(node, ast.expr) and _asks(node):
                yield line, _KINDS, code.src(node)
            elif isinstance(node, ast.MatchClass) or (isinstance(node, ast.MatchSingleton) and node.value is not None):
                yield line, _KINDS, f"case {code.src(node)}"
            elif isinstance(node, ast.Call) and _compares(node, fun.__globals__):
                yield line, _COMPARED, code.src(node)
            elif isinstance(node, ast.ExceptHandler):
                text = f"except {code.src(node.type)}" if node.type is not None else "except"
                if _catches(node.type, _CATCHING):
                    yield line, _ERRORS, text
                if _catches(node.type, _RAISING):
                    yield line, _RAISED, text
            elif isinstance(node, ast.Call) and _suppresses(node):
                yield line, _ERRORS, code.src(node)


def _asks(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _ASKING
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[other]):
            return not (isinstance(other, ast.Constant) and other.value is None)
    return False


def _compares(node: ast.Call, names: Mapping[str, Any]) -> bool:
    match node.func:
        case ast.Attribute(value=ast.Name(module), attr=name):
            return name in _COMPARING and names.get(module) is np
        case ast.Name(name):
            return name in _COMPARING and names.get(name) is getattr(np, name)
    return False


def _catches(kinds: ast.expr | None, wanted: frozenset[str] = _CATCHING) -> bool:
    """Whether one of these kinds of errors is wanted: by default, whether it may be JAX's about tracers."""
    parts = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
    return any(part is None or (isinstance(part, ast.Name) and part.id in wanted) for part in parts)


def _suppresses(node: ast.Call) -> bool:
    match node.func:
        case ast.Name(id="suppress") | ast.Attribute(attr="suppress"):
            return any(map(_catches, node.args))
    return False
