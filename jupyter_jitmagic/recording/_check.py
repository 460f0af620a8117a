"""``jm.jit(check=True)``: does the compiled function compute what plain Python computes?

A trace that succeeds can still decide otherwise than Python does: ``flag is True`` and ``isinstance(x, float)`` see a tracer,
host randomness and time are frozen, prints and appends happen once, float64 becomes float32. On the first call of an entry the
plain function runs too and the two results are compared; a difference is told as a `CheckWarning`. The plain run stops when its
time is up, prints nothing, leaves the random states of Python and NumPy as they were, and is the only cost; hits pay nothing.

The line is found by comparing which lines run: the last one before plain Python and the trace part ways has decided.
"""

from __future__ import annotations

import contextlib
import io
import random
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic._errors import CheckWarning, faults
from jupyter_jitmagic._options import options
from jupyter_jitmagic._values import shown
from jupyter_jitmagic._wording import short_name
from jupyter_jitmagic.recording import _timing
from jupyter_jitmagic.recording._call_site import is_users, user_depth
from jupyter_jitmagic.recording._captured import Captured

if TYPE_CHECKING:
    from jupyter_jitmagic.recording._recording import FunctionState

_STEPS_LIMIT = 200_000
_TOLD_LEAVES = 3


class Difference(NamedTuple):
    """One output that differs: its path (as "result['loss']") and how, in words."""

    path: str
    text: str


class _Step(NamedTuple):
    code: CodeType
    line: int


class _OutOfTime(BaseException):
    """Stops the plain run between two lines; no `except Exception` of the user's catches it."""


class _Ran(NamedTuple):
    """One plain run: its result or error, the lines it went through, what it printed, what outside it changed."""

    result: Any
    error: Exception | None
    steps: list[_Step]
    printed: str
    mutated: tuple[str, ...]


def check_call(state: FunctionState, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Compare `out`, what the compiled function returned, with plain Python's result, and warn of a difference."""
    states = random.getstate(), np.random.get_state()
    try:
        texts = list(_findings(state, out, args, kwargs))
    except Exception as error:
        faults.report("checking against plain Python", error)
        return
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
    for text in texts:
        warnings.warn(f"check: {text}", CheckWarning, stacklevel=user_depth())


def _findings(state: FunctionState, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[str]:
    name = short_name(state.record.qualname)
    if any(isinstance(leaf, jax.Array) and leaf.is_deleted() for leaf in jax.tree_util.tree_leaves((args, kwargs))):
        yield f"{name} was not compared with plain Python: its arguments were donated"
        return
    try:
        plain = _run_plainly(state.fun, args, kwargs)
    except _OutOfTime:
        yield f"{name} was not compared with plain Python: that ran longer than {options.check_limit_s:g} s"
        return
    yield from _side_effects(name, plain)
    if plain.error is not None:
        where = _parting(state, plain, args, kwargs)
        raised = f"{type(plain.error).__name__}: {shown(str(plain.error))}"
        yield f"{name} returns under jit, and in Python it raises {raised}{where}"
        return
    found = differences(out, plain.result)
    if not found:
        return
    told = "; ".join(f"{path} {text}" for path, text in found[:_TOLD_LEAVES])
    more = f"; and {len(found) - _TOLD_LEAVES} more" if len(found) > _TOLD_LEAVES else ""
    yield f"{name} computes something else than plain Python: {told}{more}{_reason(state, plain, args, kwargs)}"


def _side_effects(name: str, plain: _Ran) -> Iterator[str]:
    if plain.printed.strip():
        yield f"{name} prints: under jit that happens only while it is traced. jax.debug.print prints at every call"
    for changed in plain.mutated:
        yield f"{name} changes {changed}: under jit that happens only while it is traced"


def _reason(state: FunctionState, plain: _Ran, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    where = _parting(state, plain, args, kwargs)
    if where:
        return where
    try:
        again = _run_plainly(state.fun, args, kwargs)
    except _OutOfTime:
        return ""
    if again.error is None and differences(again.result, plain.result):
        return ". In Python it gives another result each time (host randomness, time, a counter?): under jit that is frozen"
    return ""


# ---- running the plain function


def _run_plainly(fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Ran:
    """Call the plain function within its time, silently.

    Raises:
        _OutOfTime: it took too long.
    """
    outside = Captured.of(fun)
    printed = io.StringIO()
    result, error = None, None
    with contextlib.redirect_stdout(printed), _following(time.perf_counter() + options.check_limit_s) as steps:
        try:
            result = jax.block_until_ready(fun(*args, **kwargs))
        except Exception as raised:
            error = raised.with_traceback(None)
    mutated = tuple(change.name for change in outside.changes())
    return _Ran(result, error, steps, printed.getvalue(), mutated)


@contextlib.contextmanager
def _following(deadline: float) -> Iterator[list[_Step]]:
    """Note the lines of the user's code that this thread goes through, and stop it when the time is up."""
    steps: list[_Step] = []
    before = sys.gettrace()

    def follow(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "call":
            return follow if is_users(frame.f_code.co_filename) else None
        if event == "line":
            if len(steps) < _STEPS_LIMIT:
                steps.append(_Step(frame.f_code, frame.f_lineno))
            if time.perf_counter() > deadline:
                raise _OutOfTime
        return follow

    sys.settrace(follow)
    try:
        yield steps
    finally:
        sys.settrace(before)


def _parting(state: FunctionState, plain: _Ran, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The line after which the trace goes another way than plain Python, in words; empty if they run the same lines."""

    def again(*args: Any, **kwargs: Any) -> Any:
        return state.fun(*args, **kwargs)

    given = state.jit_options
    started = time.perf_counter()
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            _following(started + options.check_limit_s) as steps,
        ):
            retraced = jax.jit(again, static_argnums=given.static_argnums, static_argnames=given.static_argnames)
            retraced.eval_shape(*args, **kwargs)
    except (Exception, _OutOfTime):
        return ""
    finally:
        _timing.take(started)
    steps = [step for step in steps if step.code is not again.__code__]
    decided = _last_common(plain.steps, steps)
    if decided is None:
        return ""
    return f". {_place(decided)} goes another way under jit{_code(decided)}"


def _last_common(plain: Sequence[_Step], traced: Sequence[_Step]) -> _Step | None:
    last = None
    for one, other in zip(plain, traced, strict=False):
        if one != other:
            return last
        last = one
    return None


def _place(step: _Step) -> str:
    return f"Line {step.line}"


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
    if jax.dtypes.issubdtype(getattr(got, "dtype", np.float32), jax.dtypes.extended):
        got, want = jax.random.key_data(got), jax.random.key_data(want)
    one, other = np.asarray(got), np.asarray(want)
    if other.dtype.kind in "OUS":
        return f"is {one.dtype} under jit and {type(want).__name__} in Python"
    if one.shape != other.shape:
        return f"has shape {one.shape} under jit and {other.shape} in Python"
    if one.dtype.kind != other.dtype.kind and not _is_number(want):
        return f"is {one.dtype} under jit and {other.dtype} in Python"
    if one.dtype.itemsize < other.dtype.itemsize and isinstance(want, (np.ndarray, np.generic)) and one.dtype.kind in "fc":
        return f"is {one.dtype} under jit and {other.dtype} in Python (jax_enable_x64 keeps 64 bits)"
    return _value_difference(one, other)


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float, complex))


def _value_difference(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> str:
    wide = np.complex128 if "c" in one.dtype.kind + other.dtype.kind else np.float64
    a, b = one.astype(wide), other.astype(wide)
    tolerance = 2e-2 if one.dtype.itemsize <= 2 and one.dtype.kind not in "iub" else 1e-4
    exact = one.dtype.kind in "iub" and other.dtype.kind in "iub"
    scale = float(np.max(np.abs(b), initial=0.0, where=np.isfinite(b)))
    same = a == b if exact else np.isclose(a, b, rtol=tolerance, atol=tolerance * 0.01 * scale, equal_nan=True)
    if same.all():
        return ""
    with np.errstate(invalid="ignore"):
        apart = np.abs(a - b)
    largest = float(np.max(apart, initial=0.0, where=np.isfinite(apart)))
    count = int((~same).sum())
    if one.ndim == 0:
        return f"is {shown(one.item())} under jit and {shown(other.item())} in Python"
    return f"differs by up to {largest:.3g} in {count} of {one.size} elements"
