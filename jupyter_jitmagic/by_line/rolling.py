"""An unrolled Python loop as one `lax` loop: proposed by the rewrite engine, compared, and measured beside what it replaces."""

from __future__ import annotations

import ast
import difflib
import inspect
import itertools
import linecache
import statistics
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base import jax_frames
from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.base.own_work import own_work
from jupyter_jitmagic.base.wording import short_name
from jupyter_jitmagic.by_line import scanning
from jupyter_jitmagic.by_line.equations import equations
from jupyter_jitmagic.by_line.unrolled import Made, Unrolled, largest_loop
from jupyter_jitmagic.diagnosis import diagnose
from jupyter_jitmagic.diagnosis.types import Rewrite
from jupyter_jitmagic.sandbox.results import rounding, same_numbers
from jupyter_jitmagic.usercode.ownership import is_users

_ROUNDS = "rounds_of_this_loop"
"""The name that stands for the loop's length while the engine looks for a loop that takes it as data."""
_files = itertools.count(1)


@dataclass(frozen=True)
class Priced:
    """What one form of a function costs with these arguments; seconds."""

    equations: int
    compile_s: float
    """Tracing, lowering and compiling once: the first call's time beyond a usual one's, where it was not recorded."""
    execute_s: float
    """Median of some executions, fewer where each takes long."""


@dataclass(frozen=True)
class Rolled:
    """A loop as it is, and as one loop of the program: both were run with the same arguments and gave the same numbers."""

    function: str
    filename: str
    line: int
    """The first one of the definition, its decorators left out."""
    loop: Unrolled
    pattern: str
    before: str
    source: str
    """The definition, at the margin, as it was before and as it is with that loop."""
    diff: str
    unrolled: Priced
    rolled: Priced
    is_recorded: bool
    """What compiling the loop as it is took was recorded before, and not measured again."""


def rolled(fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], compile_s: float | None = None) -> Rolled:
    """The Python loop that most of a function's program comes from as one `lax.fori_loop` or `lax.scan`.

    Both forms are compiled and run some times with these arguments. Executing the one loop may take longer than executing the
    unrolled one, which XLA fuses; so both figures are there.

    Args:
        fun: a function, jitted or plain.
        args, kwargs: a call of it.
        compile_s: what compiling it took, where that is known; else it is compiled once more.

    Raises:
        OptionError: one line: there is no such loop, or none of its kind was found equal.

    Example:
        >>> found = rolled(deep, (x,), {})
        >>> found.pattern, found.rolled.compile_s < found.unrolled.compile_s
        ('fori_loop', True)
    """
    plain = inspect.unwrap(fun)
    name = getattr(plain, "__qualname__", "the function")
    if not inspect.isfunction(plain):
        raise OptionError("only a function's loops can be looked at")
    if plain.__closure__:
        raise OptionError(f"{name} reads variables of a function around it: a copy of it cannot be made from its source alone")
    known = hasattr(fun, "trace") and compile_s is not None
    donates = known and (jax_frames.jit_options(fun).donate_argnums or jax_frames.jit_options(fun).donate_argnames)
    jitted = fun if known and not donates else _again(fun, plain)  # it runs several times with these arguments
    with own_work():
        return _rolled(name, plain, jitted, args, kwargs, compile_s)


def _again(fun: Any, plain: Any) -> Any:
    """The function under a jit of its own, so that its compile can be timed."""
    options = jax_frames.jit_options(fun) if hasattr(fun, "trace") else jax_frames.JitOptions()
    text, _ = _source_of(plain)
    made = _variant(plain, text)
    made.__code__ = plain.__code__  # its lines are the user's
    return jax.jit(made, static_argnames=options.static_argnames, static_argnums=options.static_argnums)


def _rolled(
    name: str, plain: Any, jitted: Any, args: tuple[Any, ...], kwargs: dict[str, Any], compile_s: float | None
) -> Rolled:
    begin = time.perf_counter()
    traced = jitted.trace(*args, **kwargs)
    trace_s = time.perf_counter() - begin
    found = list(equations(traced.jaxpr, is_users))
    loop = largest_loop(Made(each.stack, each.maker) for each in found)
    if loop is None:
        raise OptionError(f"no Python loop makes up half of {name}'s program")
    text, first = _source_of(plain)
    if loop.file != plain.__code__.co_filename or not first <= loop.line < first + text.count("\n"):
        raise OptionError(
            f"the loop that was unrolled is in {short_name(loop.function)}, and not {name}'s own: give a call of that function"
        )
    options = jax_frames.jit_options(jitted)
    static = [each for each in options.static_argnames if each in inspect.signature(plain).parameters]
    old_price, want = _priced(jitted, args, kwargs, trace_s, compile_s)
    given = [(args, kwargs, want)]
    # with other numbers a loop that waits for some may never end
    if old_price.execute_s < _LONGEST_S / 2 and not traced.jaxpr.effects and all(each.primitive != "while" for each in found):
        given += [(*other, jitted(*other[0], **other[1])) for other in _varied(args, kwargs)]
    line = loop.line - first + 1
    for pattern, source in (*_of_the_engine(plain, text, line, loop, args, kwargs, static), *_scans(plain, text, line)):
        new = jax.jit(_variant(plain, source), static_argnames=static, static_argnums=options.static_argnums)
        try:
            new_price, _ = _priced(new, args, kwargs)
            equal = all(_equal(want, new(*others, **named)) for others, named, want in given)
        except Exception:  # not every loop is one for lax: what cannot be traced as one stays as it is
            continue
        if equal:
            lines = difflib.unified_diff(text.splitlines(), source.splitlines(), lineterm="", n=2)
            diff = "\n".join(list(lines)[2:])
            file = plain.__code__.co_filename
            return Rolled(name, file, first, loop, pattern, text, source, diff, old_price, new_price, compile_s is not None)
    raise OptionError(
        f"the loop in line {loop.line} of {name} stays as it is: no loop of lax was found that gives the same (its rounds must "
        "differ in their numbers alone, and keep shapes and types)"
    )


def _of_the_engine(
    plain: Any, text: str, line: int, loop: Unrolled, args: tuple[Any, ...], kwargs: dict[str, Any], static: list[str]
) -> Iterator[tuple[str, str]]:
    """As the rewrites of a failed trace have it: with its length as data."""
    stop = _range_at(text, line)
    if stop is None:
        return
    expression = ast.get_source_segment(text, stop) or ""
    try:
        variant = _variant(plain, _with_parameter(text, stop))
    except OptionError:
        return
    answer = diagnose(jax.jit(variant, static_argnames=static), *args, **kwargs, **{_ROUNDS: loop.rounds})
    rewrite = next((each for each in answer.rewrites if each.verified and _is_loop(each)), None)
    if rewrite is not None:
        yield next(each for each in rewrite.patterns if each in _LOOPS), _without_parameter(rewrite.source, expression)


def _scans(plain: Any, text: str, line: int) -> Iterator[tuple[str, str]]:
    """With its length as it is."""
    for found in scanning.written(text, line, plain.__globals__):
        yield found.pattern, found.source


def _varied(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The same call with other numbers."""
    for scale, shift in ((0.9, 0.05), (-0.7, 0.3)):
        yield jax.tree_util.tree_map(
            lambda leaf, scale=scale, shift=shift: (
                (leaf * scale + shift).astype(leaf.dtype)
                if isinstance(leaf, jax.Array | np.ndarray) and jax.dtypes.issubdtype(leaf.dtype, np.floating)
                else leaf
            ),
            (args, kwargs),
        )


_LOOPS = ("fori_loop", "scan", "while_loop")


def _is_loop(rewrite: Rewrite) -> bool:
    return any(pattern in _LOOPS for pattern in rewrite.patterns) and _ROUNDS not in rewrite.static_argnames


def _source_of(plain: Any) -> tuple[str, int]:
    """The function's definition without its decorators, at the margin, and the number of its first line in its file."""
    try:
        lines, first = inspect.getsourcelines(plain)
    except (OSError, TypeError):
        raise OptionError(f"{plain.__qualname__} has no source") from None
    text = textwrap.dedent("".join(lines))
    node = ast.parse(text).body[0]
    if not isinstance(node, ast.FunctionDef):
        raise OptionError(f"{plain.__qualname__} is no function of a `def`")
    above = node.lineno - 1
    return "".join(text.splitlines(keepends=True)[above:]), max(first, 1) + above


def _range_at(text: str, line: int) -> ast.expr | None:
    """The `n` of `for … in range(n)` on this line of the text."""
    for node in ast.walk(ast.parse(text)):
        call = node.iter if isinstance(node, ast.For) and node.lineno == line else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range":
            return call.args[0] if len(call.args) == 1 and not call.keywords else None
    return None


def _with_parameter(text: str, stop: ast.expr) -> str:
    """The definition with the loop's length as one more parameter."""
    definition = ast.parse(text).body[0]
    assert isinstance(definition, ast.FunctionDef)
    if definition.args.vararg or definition.args.kwarg or definition.args.kwonlyargs:
        raise OptionError(f"{definition.name} takes any number of arguments: its loops are left as they are")
    lines = text.splitlines(keepends=True)
    row, begin, end = stop.lineno - 1, stop.col_offset, stop.end_col_offset
    raw = lines[row].encode()
    lines[row] = (raw[:begin] + _ROUNDS.encode() + raw[end:]).decode()
    at = lines[0].index("(", lines[0].index(definition.name)) + 1
    head = f"*, {_ROUNDS}" if not definition.args.args else None
    if head is not None:
        lines[0] = lines[0][:at] + head + lines[0][at:]
    else:
        parameters: list[ast.arg | ast.expr] = [*definition.args.args, *definition.args.defaults]
        ends = [(node.end_lineno or 1, node.end_col_offset or 0) for node in parameters]
        row, place = max(ends)
        raw = lines[row - 1].encode()
        lines[row - 1] = (raw[:place] + f", *, {_ROUNDS}".encode() + raw[place:]).decode()
    return "".join(lines)


def _without_parameter(source: str, expression: str) -> str:
    for head in (f", *, {_ROUNDS}", f"*, {_ROUNDS}"):
        source = source.replace(head, "", 1)
    return source.replace(_ROUNDS, expression)


def _variant(plain: Any, text: str) -> Any:
    """A function of this text in the original's globals, which stay as they are."""
    filename = f"<jitmagic loop {next(_files)}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    space = dict(plain.__globals__)
    exec(compile(text, filename, "exec", flags=plain.__code__.co_flags & _FUTURE, dont_inherit=True), space)
    made = space[plain.__name__]
    made.__defaults__, made.__qualname__, made.__module__ = plain.__defaults__, plain.__qualname__, plain.__module__
    return made


_FUTURE = 0x1000000
"""``from __future__ import annotations``."""


def _equal(want: Any, got: Any) -> bool:
    leaves, tree = jax.tree_util.tree_flatten(want)
    others, other_tree = jax.tree_util.tree_flatten(got)
    return tree == other_tree and all(_same(one, other) for one, other in zip(leaves, others, strict=True))


def _same(one: Any, other: Any) -> bool:
    first, second = np.asarray(one), np.asarray(other)
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    return bool(np.all(same_numbers(second, first, *rounding(first.dtype))))


def _priced(
    jitted: Any, args: tuple[Any, ...], kwargs: dict[str, Any], trace_s: float = 0.0, known_s: float | None = None
) -> tuple[Priced, Any]:
    """What it costs, and what it gives.

    Args:
        jitted: the function.
        args, kwargs: a call of it.
        trace_s: what tracing took, where that was done before.
        known_s: what all took, where it was compiled before.
    """
    begin = time.perf_counter()
    result = jax.block_until_ready(jitted(*args, **kwargs))
    first = time.perf_counter() - begin
    traced = jitted.trace(*args, **kwargs)
    times: list[float] = []
    while len(times) < _EXECUTIONS and sum(times) < _LONGEST_S:
        begin = time.perf_counter()
        jax.block_until_ready(jitted(*args, **kwargs))
        times.append(time.perf_counter() - begin)
    usual = statistics.median(times)
    took = max(trace_s + first - usual, 0.0) if known_s is None else known_s
    return Priced(sum(1 for _ in equations(traced.jaxpr, is_users)), took, usual), result


_EXECUTIONS = 7
_LONGEST_S = 2.0
"""No further execution is begun after so many seconds of them."""
