"""``jm.jit(check=True)``: does the compiled function compute what plain Python computes?

A trace that succeeds can still decide otherwise than Python does: ``flag is True`` and ``isinstance(x, float)`` see a tracer,
host randomness and time are frozen, prints and appends happen once, float64 becomes float32. On the first call of an entry the
plain function runs too and the two results are compared; a difference is told as a `CheckWarning`. The plain run stops when its
time is up, prints nothing, and what it changes outside the function is put back. It is the only cost; hits pay nothing.

Only where the results differ is the line looked for: both ways are followed instruction by instruction, and the last one
before they part has decided.
"""

from __future__ import annotations

import contextlib
import datetime
import random
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic.base.errors import CheckWarning, faults
from jupyter_jitmagic.base.jax_frames import is_jax_module
from jupyter_jitmagic.base.looking import attribute, is_a, text_attribute
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.base.own_work import own_work
from jupyter_jitmagic.base.paths import is_part
from jupyter_jitmagic.base.value_texts import instance_fields, shown
from jupyter_jitmagic.base.values import digest
from jupyter_jitmagic.base.wording import short_name
from jupyter_jitmagic.recording.causes.binding import named_arguments
from jupyter_jitmagic.recording.guards.captured import Captured, reached_by, read_by
from jupyter_jitmagic.recording.jitted import Jitted, Missed
from jupyter_jitmagic.sandbox.results import leaf_as_numbers, rounding, same_numbers, widened
from jupyter_jitmagic.usercode.call_site import user_depth
from jupyter_jitmagic.usercode.ownership import is_users

_STEPS_LIMIT = 200_000
_LEAVES_SHOWN = 3


class Difference(NamedTuple):
    """One output that differs: its path (as "result['loss']") and how, in words."""

    path: str
    text: str


class _Step(NamedTuple):
    """One instruction of the user's code."""

    code: CodeType
    instruction: int
    line: int


@dataclass(slots=True)
class _Followed:
    """Where a run went: its instructions, where it put a traced value into text, which clocks and random numbers it read."""

    steps: list[_Step] = field(default_factory=list)
    texts: list[_Step] = field(default_factory=list)
    host: dict[str, _Step] = field(default_factory=dict)


class _Ran(NamedTuple):
    """One plain run: its result or error, what it printed, what outside it and which traced arguments it changed, and where it
    went if that was asked."""

    result: Any
    error: Exception | None
    printed: str
    mutated: tuple[str, ...]
    arguments: tuple[str, ...]
    followed: _Followed


class _TooLong(Exception):
    """The plain run took longer than it may."""


def note_miss(facts: Jitted, missed: Missed) -> None:
    """Compare what the compiled function returned with plain Python's result, and warn of a difference. An `Observer`."""
    if missed.signature.transformation:
        return
    try:
        texts = list(_findings(facts, missed.out, missed.args, missed.kwargs))
    except Exception as error:
        faults.report("checking against plain Python", error)
        return
    for text in texts:
        warnings.warn(f"check: {text}", CheckWarning, stacklevel=user_depth())


def _findings(facts: Jitted, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[str]:
    from jupyter_jitmagic.sandbox.rerun import Effect

    name = short_name(facts.record.qualname)
    if any(is_a(leaf, jax.Array) and leaf.is_deleted() for leaf in jax.tree_util.tree_leaves((args, kwargs))):
        yield f"{name} was not compared with plain Python: its arguments were donated"
        return
    try:
        plain = _run_plainly(facts.fun, args, kwargs, _profiled if _reads_a_clock(facts.fun) else contextlib.nullcontext)
        found = [] if plain.error is not None else differences(out, plain.result)
        why = _reason(facts, plain, args, kwargs) if found or plain.error is not None else ""
    except _TooLong:
        yield f"{name} was not compared with plain Python: that ran longer than {options.check_limit_s:g} s"
        return
    except Effect as met:
        yield f"{name} was not compared with plain Python: {met}"
        return
    yield from _side_effects(name, plain, bool(found))
    if isinstance(plain.error, ValueError) and "read-only" in str(plain.error):
        yield f"{name} was not compared with plain Python: it may change an array that cannot be put back ({plain.error})"
    elif plain.error is not None:
        raised = f"{type(plain.error).__name__}: {shown(str(plain.error))}"
        yield f"{name} returns under jit, and in Python it raises {raised}{why}"
    elif found:
        listed = "; ".join(f"{path} {text}" for path, text in found[:_LEAVES_SHOWN])
        more = f"; and {len(found) - _LEAVES_SHOWN} more" if len(found) > _LEAVES_SHOWN else ""
        yield f"{name} computes something other than plain Python: {listed}{more}{why}"


def _side_effects(name: str, plain: _Ran, differs: bool) -> Iterator[str]:
    only = "under jit that happens only while it is traced"
    if plain.printed.strip():
        yield f"{name} prints: {only}. jax.debug.print prints at every call"
    for changed in plain.arguments:
        yield f"{name} changes its argument {changed} in Python: under jit the caller does not see that. Return it instead"
    for changed in plain.mutated:
        yield f"{name} changes {changed}: {only}"
    if not differs:
        for what, step in plain.followed.host.items():
            if what.startswith(("time.", "datetime.")):
                yield f"{name} calls {what} (line {step.line}): {only}"


def _reason(facts: Jitted, plain: _Ran, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """What decided that the results differ, as far as it can be known, as the end of the sentence."""
    followed = _run_plainly(facts.fun, args, kwargs, _following, reseeded=True)
    if plain.error is None and followed.error is None and differences(followed.result, plain.result):
        host = "; ".join(f"{what} (line {step.line})" for what, step in followed.followed.host.items())
        what = host or ("numpy.random" if _names_numpy_random(facts.fun) else "host randomness, time, a counter?")
        return f". In Python it gives another result each time ({what}): under jit that is frozen"
    traced = _traced_again(facts, args, kwargs)
    parted = _last_common(followed.followed.steps, traced.steps)
    if parted is not None:
        return f". Line {parted.line} goes another way under jit{_code(parted)}"
    if traced.texts:
        return f". Line {traced.texts[0].line} turns a traced value into text{_code(traced.texts[0])}"
    if plain.mutated:
        return f". It depends on {plain.mutated[0]}, which it changes"
    return ""


# ---- running the plain function

_Watching = Callable[[], contextlib.AbstractContextManager[_Followed | None]]


def _run_plainly(
    fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], watching: _Watching, reseeded: bool = False
) -> _Ran:
    """Call the plain function within its time, silently, and put back what it changes; `reseeded`: with other random numbers.

    Raises:
        _TooLong: it took too long.
    """
    from jupyter_jitmagic.sandbox.rerun import OutOfTime, rerun

    outside = Captured.of(fun)
    printed: list[str] = []
    leaves, attributes = _inside(fun, args, kwargs)

    def plainly() -> _Ran:
        result, error = None, None
        with watching() as followed:
            try:
                result = jax.block_until_ready(fun(*args, **kwargs))
            except Exception as raised:
                error = raised.with_traceback(None)
        now_leaves, now_attributes = _inside(fun, args, kwargs)
        mutated = (*(change.name for change in outside.changes()), *_changed(attributes, now_attributes))
        return _Ran(result, error, "".join(printed), mutated, _changed(leaves, now_leaves), followed or _Followed())

    def print_(text: str) -> None:
        if not _prints_for_jax(plainly.__code__):  # jit keeps what goes through JAX, as jax.debug.print
            printed.append(text)

    with unnoticed(fun, named_arguments(fun, args, kwargs), reseeded):
        try:
            return rerun(plainly, options.check_limit_s, sink=print_)
        except OutOfTime:
            raise _TooLong from None


def _inside(
    fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[dict[str, object], dict[str, object]]:
    """What can be seen of the arguments: their containers, leaves and NumPy's numbers; and the attributes of plain objects."""
    leaves: dict[str, object] = {}
    attributes: dict[str, object] = {}
    for name, value in named_arguments(fun, args, kwargs).items():
        found, tree = jax.tree_util.tree_flatten_with_path(value)
        leaves[name] = tree
        for path, leaf in found:
            place = name + jax.tree_util.keystr(path)
            if is_a(leaf, np.ndarray) and not leaf.dtype.hasobject:
                leaves[f"{place} "] = (id(leaf), digest(leaf.tobytes()))
            elif path:
                leaves[f"{place} "] = id(leaf)
            if not is_a(leaf, (np.ndarray, jax.Array, type)):
                attributes.update((f"{place}.{key}", _held(held)) for key, held in instance_fields(leaf).items())
    return leaves, attributes


def _held(value: Any) -> object:
    return id(value), next((kind.__len__(value) for kind in (list, dict, set) if is_a(value, kind)), None)


def _changed(before: dict[str, object], after: dict[str, object]) -> tuple[str, ...]:
    """The paths that differ, without those inside another one."""
    paths = dict.fromkeys(path.rstrip() for path in before | after if before.get(path) != after.get(path))
    return tuple(path for path in paths if not any(path != other and is_part(path, other) for other in paths))


@contextlib.contextmanager
def unnoticed(fun: Callable[..., Any], arguments: Mapping[str, Any], reseeded: bool = False) -> Iterator[None]:
    """`rerun` of `fun` in here is our own work: what it changes is put back, in `arguments` too. `reseeded`: meanwhile with
    other random numbers.

    Raises:
        Effect: something that it reaches cannot be put back.
    """
    from jupyter_jitmagic.sandbox.rerun import Reach, undoing

    reach = Reach(fun, arguments.items())
    with own_work(), undoing(reach):
        if reseeded:
            reach.reseed()
        yield


def _prints_for_jax(beginning: CodeType) -> bool:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code is not beginning:
        if _is_jax(frame):
            return True
        frame = frame.f_back
    return False


def _traced_again(facts: Jitted, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Followed:
    """The trace of the same call, followed; what it changes is put back."""
    from jupyter_jitmagic.sandbox.rerun import OutOfTime, rerun

    def again(*args: Any, **kwargs: Any) -> Any:
        return facts.fun(*args, **kwargs)

    given = facts.jit_options
    retraced = jax.jit(again, static_argnums=given.static_argnums, static_argnames=given.static_argnames)
    followed = _Followed()

    def follow() -> None:
        with _following(followed):
            retraced.eval_shape(*args, **kwargs)

    with unnoticed(facts.fun, named_arguments(facts.fun, args, kwargs)):
        try:
            rerun(follow, options.check_limit_s)
        except (Exception, OutOfTime):
            return _Followed()
    followed.steps = [step for step in followed.steps if step.code is not again.__code__]
    return followed


_TRACER_TEXTS = frozenset(
    method.__code__
    for kind in (jax.core.Tracer, *jax.core.Tracer.__subclasses__())
    for method in (kind.__dict__.get(name) for name in ("__repr__", "__str__", "__format__"))
    if isinstance(method, types.FunctionType)
)


@contextlib.contextmanager
def _following(followed: _Followed | None = None) -> Iterator[_Followed]:
    """Note the instructions of the user's code that this thread goes through, and what it asks of the host."""
    followed = followed or _Followed()
    users: dict[CodeType, bool] = {}
    before = sys.gettrace()

    def follow(frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if event == "call":
            if code not in users:
                users[code] = is_users(code.co_filename)
            if users[code]:
                frame.f_trace = follow  # now, not by being returned: Python 3.13 hears of the next line only then
                frame.f_trace_opcodes = True
                return follow
            if code in _TRACER_TEXTS:
                followed.texts.extend(_users_step(frame))
            return None
        if event == "opcode" and len(followed.steps) < _STEPS_LIMIT:
            followed.steps.append(_Step(code, frame.f_lasti, frame.f_lineno))
        return follow

    sys._getframe().f_trace_opcodes = True  # Python 3.12 reports instructions only if a frame asked for them before
    with _profiled(followed):
        sys.settrace(follow)
        try:
            yield followed
        finally:
            sys.settrace(before)


def _users_step(frame: FrameType | None) -> Iterator[_Step]:
    """The innermost instruction of the user's on the stack."""
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            yield _Step(frame.f_code, frame.f_lasti, frame.f_lineno)
            return
        frame = frame.f_back


@contextlib.contextmanager
def _profiled(followed: _Followed | None = None) -> Iterator[_Followed]:
    """Note the clocks and random numbers that the user's code reads in this thread."""
    found = followed or _Followed()
    if sys.getprofile() is not None:  # that of `cProfile`, as in %%prun, cannot be put back
        yield found
        return

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call" and (what := _host_call(argument)):
            for step in _users_step(frame if not _is_jax(frame) else None):
                found.host.setdefault(what, step)

    sys.setprofile(profile)
    try:
        yield found
    finally:
        sys.setprofile(None)


def _is_jax(frame: FrameType) -> bool:
    return is_jax_module(str(frame.f_globals.get("__name__", "")))


def _host_call(function: Any) -> str:
    """A clock or a source of random numbers, as the user calls it; "" for any other function."""
    owner, name = attribute(function, "__self__"), text_attribute(function, "__name__")
    if is_a(owner, types.ModuleType):
        return f"{owner.__name__}.{name}" if owner.__name__ == "time" or (owner.__name__, name) == ("posix", "urandom") else ""
    if is_a(owner, random.Random):
        return f"random.{name}"
    if is_a(owner, type) and issubclass(owner, datetime.date):
        return f"datetime.{name}" if name in ("now", "today", "utcnow") else ""
    return f"numpy.random.{name}" if type(owner).__module__.startswith("numpy.random") else ""


def _reads_a_clock(fun: Callable[..., Any]) -> bool:
    """Whether a module or function that tells the time is within reach of the function's code."""
    return any(
        (is_a(value, types.ModuleType) and attribute(value, "__name__") in ("time", "datetime"))
        or attribute(attribute(value, "__self__"), "__name__") == "time"
        or (is_a(value, type) and issubclass(value, datetime.date))
        for value in read_by(fun)
    )


def _names_numpy_random(fun: Callable[..., Any]) -> bool:
    """NumPy's own functions are not seen as they are called: they are no functions of C's to a profiler."""
    return np in list(read_by(fun)) and any("random" in function.__code__.co_names for function in reached_by(fun))


def _last_common(plain: Sequence[_Step], traced: Sequence[_Step]) -> _Step | None:
    """The last instruction before the two part; None if they run the same ones."""
    last = None
    for one, other in zip(plain, traced, strict=False):
        if one != other:
            return last
        last = one
    return None


def _code(step: _Step) -> str:
    import linecache

    text = linecache.getline(step.code.co_filename, step.line).strip()
    return f": {text}" if text else ""


# ---- comparing


def differences(got: Any, want: Any) -> list[Difference]:
    """Where two results differ: in structure, shape, kind of number, float64 kept or not, or value beyond rounding."""
    got_leaves, got_tree = jax.tree_util.tree_flatten_with_path(got)
    want_leaves, want_tree = jax.tree_util.tree_flatten_with_path(want)
    if got_tree != want_tree and [path for path, _ in got_leaves] != [path for path, _ in want_leaves]:
        return [Difference("result", f"is {_structure(got_tree)} under jit and {_structure(want_tree)} in Python")]
    found = []
    for (path, one), (_, other) in zip(got_leaves, want_leaves, strict=True):
        text = _leaf_difference(one, other)
        if text:
            found.append(Difference(f"result{jax.tree_util.keystr(path)}", text))
    return found


def _structure(tree: Any) -> str:
    return shown(str(tree).removeprefix("PyTreeDef(").removesuffix(")").replace("*", "…"))


def _leaf_difference(got: Any, want: Any) -> str:
    got, want = leaf_as_numbers(got), leaf_as_numbers(want)
    one, other = np.asarray(got), np.asarray(want)
    if other.dtype.kind in "OUS":
        return f"is {one.dtype} under jit and {type(want).__name__} in Python"
    if one.shape != other.shape:
        return f"has shape {one.shape} under jit and {other.shape} in Python"
    if one.dtype.kind != other.dtype.kind and not _is_number(want):
        return f"is {one.dtype} under jit and {other.dtype} in Python"
    if one.dtype.itemsize < other.dtype.itemsize and isinstance(want, (np.ndarray, np.generic)) and one.dtype.kind in "fc":
        return f"is {one.dtype} under jit and {other.dtype} in Python (jax_enable_x64 keeps 64 bits)"
    text = _value_difference(one, other)
    if text and one.dtype.kind in "iu" and one.dtype.itemsize < other.dtype.itemsize:
        text += f" ({one.dtype} under jit, which overflows; jax_enable_x64 keeps 64 bits)"
    return text


def _is_number(value: Any) -> bool:
    return is_a(value, (bool, int, float, complex))


def _value_difference(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> str:
    a, b = widened(one, other)
    relative, _ = rounding(one.dtype)
    scale = float(np.max(np.abs(b), initial=0.0, where=np.isfinite(b)))
    same = same_numbers(one, other, relative, relative * 0.01 * scale)
    if same.all():
        return ""
    with np.errstate(invalid="ignore"):
        apart = np.abs(a - b)
    largest = float(np.max(apart, initial=0.0, where=np.isfinite(apart)))
    count = int((~same).sum())
    if one.ndim == 0:
        return f"is {shown(one.item())} under jit and {shown(other.item())} in Python"
    if not np.isfinite(apart[~same]).any():
        values = " under jit and ".join(shown(side[~same][0].item()) for side in (one, other))
        return f"is {values} in Python in {count} of {one.size} elements"
    return f"differs by up to {largest:.3g} in {count} of {one.size} elements"
