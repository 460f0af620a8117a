"""A function of the user's that a library's own loop traces: a vector field under a solver, a density under a sampler.

Plain Python cannot run the whole call, as the library traces its body there as well. So the body is asked about by itself, with
the arguments that the library gave it when the trace failed, and the whole call is traced with what cures it.
"""

from __future__ import annotations

import itertools
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any

import jax

from jupyter_jitmagic.base.jax_frames import is_jax_frame
from jupyter_jitmagic.base.looking import attribute, attributes
from jupyter_jitmagic.diagnosis.call.calls import Call, bind, code_of, innermost, reachable_functions
from jupyter_jitmagic.diagnosis.call.stand_ins import MADE_UP, with_values
from jupyter_jitmagic.diagnosis.statics.search import trace_call
from jupyter_jitmagic.diagnosis.types import Diagnosis, Rewrite
from jupyter_jitmagic.source.code import Code, apply_edits, first_line
from jupyter_jitmagic.source.units import NoSource, Unit, unit_of
from jupyter_jitmagic.usercode.ownership import is_library, is_ours, is_users_text

_MOST = 2  # bodies that are asked about, the innermost first


@dataclass(frozen=True)
class Body:
    """A call of the user's function by a library, with values in the place of its tracers; `library` names who called it."""

    call: Call
    library: str


def bodies_of(call: Call, error: BaseException, of_jax: bool) -> Iterator[Body]:
    """The user's functions that libraries (or JAX itself) called on the way to where the trace failed, the innermost first."""
    every = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    frames = [frame for frame in every if of_jax or not is_jax_frame(frame.f_code.co_filename)]
    by = is_jax_frame if of_jax else _is_other_library
    own = next((frame for frame in frames if is_users_text(frame.f_code.co_filename)), None)  # which jit calls
    if is_library(getattr(code_of(innermost(call.fun)), "co_filename", "")):
        own = None  # as in `jax.jit(sampler.step)`, which calls the user's
    entered = [
        (frame, before)
        for before, frame in itertools.pairwise(frames)
        if frame is not own and is_users_text(frame.f_code.co_filename) and by(before.f_code.co_filename)
    ]
    for frame, before in list(reversed(entered))[:_MOST]:
        given = _given(call, frame.f_code)
        made = _called_alone(frame.f_code, given) if given is not None else None
        if made is not None:
            yield Body(made, str(before.f_globals.get("__name__", "")).partition(".")[0])


def _is_other_library(filename: str) -> bool:
    return is_library(filename) and not is_ours(filename) and not is_jax_frame(filename)


@dataclass(frozen=True)
class _Given:
    """What a function was entered with: its locals, which are its arguments and what it closes over, and its globals."""

    names: dict[str, Any]
    space: dict[str, Any]


def _given(call: Call, code: CodeType) -> _Given | None:
    """What the function was given when it was entered last before the trace failed: a failed frame may have bound its names
    anew since."""
    entered: list[_Given] = []

    def look(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is code:
            entered[:] = [_Given(dict(frame.f_locals), frame.f_globals)]

    before = sys.gettrace()  # and no profile: one of `cProfile`'s cannot be put back
    sys.settrace(look)
    try:
        trace_call(call, frozenset())
    finally:
        sys.settrace(before)
    return entered[0] if entered else None


def _called_alone(code: CodeType, given: _Given) -> Call | None:
    """The call of the function with these arguments and numbers for tracers; None where they cannot be told apart."""
    count = code.co_argcount + code.co_kwonlyargcount
    names, flags = code.co_varnames[:count], code.co_flags
    rest = given.names.get(code.co_varnames[count], ()) if flags & 4 else ()
    keywords = given.names.get(code.co_varnames[count + bool(flags & 4)], {}) if flags & 8 else {}
    if not all(name in given.names for name in names):
        return None
    args = (*(given.names[name] for name in names[: code.co_argcount]), *rest)
    kwargs = {**{name: given.names[name] for name in names[code.co_argcount :]}, **keywords}
    traced = {each.name for each in bind(_made(code, given, {}), args, kwargs).arguments if _has_tracer(each.value)}
    closed = {name: given.names[name] for name in code.co_freevars if name in given.names}
    (closed,), _, _ = with_values((closed,), {})
    args, kwargs, _ = with_values(args, kwargs)
    call = bind(_made(code, given, closed), args, kwargs)
    held = frozenset(each.name for each in call.arguments if each.name not in traced and each.hashable)
    call = replace(call, declared=held)
    return replace(call, keeps_options=True) if call.refused else call


def _has_tracer(value: Any) -> bool:
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree_util.tree_leaves(value))


def _made(code: CodeType, given: _Given, closed: dict[str, Any]) -> FunctionType:
    closure = tuple(CellType(closed[name]) if name in closed else CellType() for name in code.co_freevars)
    made = FunctionType(code, given.space, code.co_name, None, closure or None)
    made.__qualname__, made.__module__ = code.co_qualname, str(given.space.get("__name__", ""))
    return made


# ------------------------------------------------------------------------------------------------ the whole call


def traces_with(call: Call, rewrite: Rewrite, body: Body) -> bool:
    """Whether the whole call traces with what cures its body."""
    from jupyter_jitmagic.diagnosis.rewrites.building import made_of

    def compiled(unit: Unit, made: Any, _: str) -> CodeType:
        return unit.compiled(made, "<jitmagic body>")

    try:
        texts = dict(_texts(rewrite, body))
        whole = (call.fun, call.args, call.kwargs)
        fun, args, kwargs = made_of(whole, texts, sorted(call.declared), compiled, within=True)
        made = replace(bind(fun, args, kwargs, call.declared), keeps_options=call.keeps_options)
        made = _with_method(made, body, made_of(body.call.fun, texts, (), compiled))
    except (NoSource, TypeError):  # a class may refuse one below it
        return False
    return trace_call(made, frozenset())[0] is None


def _with_method(call: Call, body: Body, method: Any) -> Call:
    """The call with `method`, where that is one, in the objects of its class among the arguments: as objects of a class below
    it, so that the user's own class stays as it is."""
    cls: Any = type(body.call.args[0]) if body.call.args else object
    if attribute(vars(cls).get(method.__name__), "__code__") is not body.call.fun.__code__:
        return call
    shadow = type(cls)(cls.__name__, (cls,), {method.__name__: method, "__module__": cls.__module__})

    def as_shadow(value: Any) -> Any:
        if type(value) is not cls:
            return value
        made = object.__new__(shadow)
        for name, each in (attributes(value) or {}).items():
            object.__setattr__(made, name, each)
        return made

    args, kwargs = jax.tree_util.tree_map(as_shadow, (call.args, call.kwargs), is_leaf=lambda each: type(each) is cls)
    return replace(bind(call.fun, args, kwargs, call.declared), keeps_options=call.keeps_options)


def _texts(rewrite: Rewrite, body: Body) -> Iterator[tuple[Unit, str]]:
    """The statements that a rewrite changes, as whole texts. Raises NoSource where one is not among the body's own."""
    from jupyter_jitmagic.diagnosis.rewrites.sources import holders

    left = dict(rewrite.sources)
    for fun in reachable_functions(body.call):
        try:
            unit = unit_of(fun.__code__, fun.__globals__)
        except NoSource:
            continue
        code = Code(unit.text)
        statement = code.tree.body[-1]
        name = getattr(statement, "name", "")
        members = {f"{name}.{getattr(each, 'name', '')}": each for each in getattr(statement, "body", ())}
        edits = []
        for key in [key for key in left if key in members]:
            start, end = code.offset(first_line(members[key]), 0), code.region([members[key]])[1]
            edits.append((start, end, left.pop(key)))
        if edits:
            indented = [(start, end, _indented(text, code.text[start:end])) for start, end, text in edits]
            yield unit, apply_edits(unit.text, indented)
        elif name in left:
            yield unit, left.pop(name)
        else:
            continue
        for held, _ in holders(unit):  # which stay as they are
            left.pop(held, None)
    if left:
        raise NoSource(f"{next(iter(left))} is not reached by {body.call.name} alone")


def _indented(text: str, old: str) -> str:
    space = old[: len(old) - len(old.lstrip(" "))]
    return "".join(space + line if line.strip() else line for line in text.splitlines(keepends=True)) + (
        "\n" * old.endswith("\n")
    )


# ------------------------------------------------------------------------------------------------ the answer


def cured(call: Call, error: BaseException, ask: Callable[[Call], Diagnosis], *, of_jax: bool = False) -> Diagnosis | None:
    """What cures a body of the call, compared with plain Python by itself; None where nothing does.

    Args:
        call: the failing call; `error` is what its trace raised.
        ask: gives the answer to another call.
        of_jax: what JAX itself calls, in the place of what other libraries do.
    """
    for body in bodies_of(call, error, of_jax):
        found = ask(body.call)
        if not found.rewrites or set(found.static_argnames) - body.call.declared:
            continue
        alone = (
            f"{body.call.name} was compared by itself: {body.library} calls it within a loop of its own, which plain Python "
            "does not run."
        )
        whole = [each for each in found.rewrites if traces_with(call, each, body)]
        if whole:
            rewrites = tuple(replace(each, static_argnames=()) for each in whole)
            return replace(found, rewrites=rewrites, unverified=(), notes=(alone, MADE_UP))
        unsure = f"equal to plain Python by itself; {call.name} could not be traced with it"
        return replace(
            found,
            rewrites=(),
            unverified=tuple(replace(each, verified=False, static_argnames=(), reason=unsure) for each in found.rewrites),
            notes=(alone, MADE_UP),
        )
    return None
