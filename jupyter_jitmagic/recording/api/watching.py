"""`jm.watch`, `jm.no_recompile` and `jm.assert_max_compiles`: what compiles in a block, and blocks in which nothing may."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from jupyter_jitmagic.base.causes import Cause, sentence
from jupyter_jitmagic.base.errors import RecompileError
from jupyter_jitmagic.base.jax_internals import COMPILE_EVENT
from jupyter_jitmagic.base.wording import duration, short_name
from jupyter_jitmagic.recording.compiles import budgets, elsewhere
from jupyter_jitmagic.recording.compiles.compiling_call import Compiling
from jupyter_jitmagic.recording.compiles.elsewhere import OtherCompile, others
from jupyter_jitmagic.recording.recorder import recorder
from jupyter_jitmagic.records.log import Changed, MissRecord, log
from jupyter_jitmagic.usercode.origin import Origin, origin_of
from jupyter_jitmagic.usercode.ownership import is_jax_function


class WatchedCompile(NamedTuple):
    """One compile in a watched block. Times are seconds; `module` is "jax" for JAX's own eager operations."""

    function: str
    module: str
    call_site: str
    causes: tuple[Cause, ...]
    cost_s: float

    @property
    def why(self) -> str:
        return sentence(self.causes)


class Watch:
    """What compiled in a ``with jm.watch():`` block, of any function: `jm.jit`'s, plain ``jax.jit``'s, libraries', JAX's own.

    `compiles` grows while the block runs. Printing it (or the end of the block) gives one line per function.
    """

    def __init__(self) -> None:
        self.compiles: list[WatchedCompile] = []

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def text(self, at_most: int | None = None) -> str:
        """One line for each function, those that cost most first; with `at_most` no more than so many."""
        if not self.compiles:
            return "nothing compiled"
        groups: dict[tuple[str, str], list[WatchedCompile]] = {}
        for compile_ in self.compiles:
            groups.setdefault((compile_.function, compile_.module), []).append(compile_)
        own = [lines for lines in groups.values() if lines[0].module != "jax"]
        jax_own = [lines for lines in groups.values() if lines[0].module == "jax"]
        rows = [_line(lines) for lines in sorted(own, key=_cost, reverse=True)]
        if at_most is not None and len(rows) > at_most:
            rows[at_most:] = [f"and {len(rows) - at_most} more functions"]
        if jax_own:
            flat = [compile_ for lines in jax_own for compile_ in lines]
            names = ", ".join(dict.fromkeys(compile_.function for compile_ in flat))
            rows.append(f"JAX's own operations: {_times(len(flat))}, {duration(_cost(flat))} ({_cut(names, 60)})")
        total = f"{_times(len(self.compiles))}, {duration(_cost(self.compiles))} tracing, lowering and compiling"
        return "\n".join([total, *(f"  {line}" for line in rows)])


def _cost(compiles: list[WatchedCompile]) -> float:
    return sum(compile_.cost_s for compile_ in compiles)


def _times(count: int) -> str:
    return "1 compile" if count == 1 else f"{count} compiles"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _line(compiles: list[WatchedCompile]) -> str:
    last = compiles[-1]
    place = f", {last.call_site.rpartition('/')[2]}" if last.call_site else ""
    return f"{short_name(last.function)}: {_times(len(compiles))}, {duration(_cost(compiles))}{place}: {last.why}"


@contextmanager
def watch(*, quiet: bool = False) -> Iterator[Watch]:
    """Tell what compiles in the block, of anything, and why.

    Args:
        quiet: print nothing at the end of the block.

    Example:
        >>> with jm.watch() as seen:
        ...     for batch in batches:
        ...         state = update(state, batch)
        2 compiles, 1.3 s tracing, lowering and compiling
          update: 2 compiles, 1.3 s, cell:3: batch is f32[31,8] now and was f32[32,8] before
        >>> seen.compiles[-1].causes[0].argument
        'batch'
    """
    install()
    seen = Watch()

    def on_other(done: OtherCompile) -> None:
        seen.compiles.append(WatchedCompile(done.function, done.module, done.call_site, done.causes, done.cost_s))

    def on_event(event: Any) -> None:
        if isinstance(event, Changed) and event.what == "misses":
            miss = _miss(event.id)
            record = None if miss is None else log.known_function(miss.function)
            if miss is not None and record is not None:
                seen.compiles.append(WatchedCompile(record.name, record.module, miss.call_site, miss.causes, miss.cost_s))

    others.listeners.append(on_other)
    unsubscribe = log.listeners.subscribe(on_event)
    try:
        yield seen
    finally:
        others.listeners.remove(on_other)
        unsubscribe()
        if not quiet:
            print(seen, file=sys.stdout)


def _miss(id_: int) -> MissRecord | None:
    return next((miss for miss in reversed(log.misses[-100:]) if miss.id == id_), None)


def install() -> None:
    """Begin to follow what compiles in the process; harmless when it is done already."""
    recorder.start()
    elsewhere.install()


def uninstall() -> None:
    """Stop following; the next `watch` or `no_recompile` begins again."""
    elsewhere.uninstall()


# ---- blocks in which nothing may compile again

Forbids = Callable[[Compiling, str, bool], bool]
"""Is told who compiles, the event's name, and whether it has compiled before; True forbids it."""
_blocks: ContextVar[tuple[Forbids, ...]] = ContextVar("jitmagic_no_recompile", default=())
"""One item for each block around the present code."""


@contextmanager
def no_recompile(*, first_compiles: bool = True) -> Iterator[None]:
    """Raise `RecompileError`, with the reason, where a function would compile again in the block.

    It counts for this thread, for functions under `jm.jit` and under plain ``jax.jit``, in libraries, too; what JAX compiles
    for its own eager operations (as ``jnp.ones``) is let through. The error comes before the compile is paid.

    Args:
        first_compiles: let a function compile that has never compiled before. False: nothing may compile.

    Raises:
        RecompileError: a function would compile.

    Example:
        >>> step(batch)                     # warm up
        >>> with jm.no_recompile():
        ...     step(batch[:5])
        RecompileError: step would compile again in a no_recompile block: batch is f32[5] now and was f32[8] before
    """
    with _forbidding(lambda compiling, event, known: known or not first_compiles):
        yield


@contextmanager
def no_second_compile() -> Iterator[None]:
    """As `no_recompile`, but what was called before the block does not count: a function may compile once in it, whatever
    came before. So what a test may do does not depend on the tests before it.

    Raises:
        RecompileError: a function that was called in the block would compile; of plain ``jax.jit`` one that has compiled in it.
    """
    with _forbidding(_SecondCompiles().forbids):
        yield


@contextmanager
def _forbidding(forbids: Forbids) -> Iterator[None]:
    install()
    budgets.judge_with(_within_block)
    token = _blocks.set((*_blocks.get(), forbids))
    try:
        yield
    finally:
        _blocks.reset(token)


class _SecondCompiles:
    """What was called and what has compiled since this was made."""

    def __init__(self) -> None:
        log.fold()
        self._calls = {function.id: function.hits + function.misses for function in tuple(log.functions.values())}
        self._compiled: set[Origin] = set()

    def forbids(self, compiling: Compiling, event: str, known: bool) -> bool:
        origin = origin_of(compiling.fun)
        if known and (origin in self._compiled or self._was_called(compiling)):
            return True
        if event == COMPILE_EVENT:  # the last that is heard before it is paid
            self._compiled.add(origin)
        return False

    def _was_called(self, compiling: Compiling) -> bool:
        if compiling.state is None:
            return False
        log.fold()
        function = log.known_function(compiling.state.function)
        return function is not None and function.hits + function.misses > self._calls.get(function.id, 0)


def _within_block(compiling: Compiling, event: str) -> None:
    blocks = _blocks.get()
    if not blocks:
        return
    state = compiling.state
    if state is not None:
        name, known, why = state.facts.record.qualname, state.has_compiled, budgets.why
    elif is_jax_function(compiling.fun):
        return
    else:
        name, known, why = elsewhere.name_of(compiling), others.known(compiling), others.why
    if [forbids for forbids in blocks if forbids(compiling, event, known)]:
        again = "again " if known else ""
        message = f"{short_name(name)} would compile {again}in a no_recompile block: {sentence(why(compiling))}"
        raise RecompileError(message) if state is None else budgets.Refused(state.function, message)


def assert_max_compiles(function: Callable[..., Any], at_most: int) -> None:
    """Fail if a function under `jm.jit` has compiled more than `at_most` times since it was made, saying why each time.

    Raises:
        AssertionError: with one line per compile.
        TypeError: the function is not under `jm.jit`.

    Example:
        >>> jm.assert_max_compiles(step, 1)
        AssertionError: step compiled 2 times and may compile once:
          cell:4: first call
          cell:7: x is f32[5] now and was f32[4] before
    """
    __tracebackhide__ = True
    state = getattr(function, "_state", None)
    if state is None or not hasattr(state, "facts"):
        raise TypeError(f"{function!r} is not under jupyter_jitmagic.jit")
    misses = [miss for miss in log.misses if miss.function == state.function]
    record = state.facts.record
    compiles = [WatchedCompile(record.qualname, record.module, m.call_site, m.causes, m.cost_s) for m in misses]
    lines = too_many(compiles, at_most)
    if lines:
        raise AssertionError("\n".join(lines))


_FIRST = Cause("first_call")


def too_many(compiles: Sequence[WatchedCompile], at_most: int, where: str = "") -> list[str]:
    """Of functions that compiled more than `at_most` times: that they did, and why each time. JAX's own operations are free."""
    groups: dict[tuple[str, str], list[WatchedCompile]] = {}
    for each in compiles:
        if each.module != "jax":
            groups.setdefault((each.function, each.module), []).append(each)
    allowed = "once" if at_most == 1 else f"{at_most} times" if at_most else "never"
    lines = []
    for (name, _), same in groups.items():
        functions = sum(each.causes[:1] == (_FIRST,) for each in same)  # of one name several may live at once
        if len(same) > at_most * max(functions, 1):
            times = "once" if len(same) == 1 else f"{len(same)} times"
            lines.append(f"{short_name(name)} compiled {times} and may compile {' '.join(filter(None, (allowed, where)))}:")
            lines += [f"  {each.call_site.rpartition('/')[2]}: {each.why}" for each in same]
    return lines
