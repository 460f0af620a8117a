"""The stale-global guard: which globals and closure values a trace has frozen, and which of them have changed since.

JAX reads a global or a closure value while it traces and keeps what it read. When the name is rebound or the object mutated
later, a cache hit silently goes on with the old value. `Captured` remembers, for one trace, the names that the function's code
reads (and that of the plain functions it calls in the user's own code) and a fingerprint of each value; `changes` compares them
with the present. Both run when something was compiled or a cell has run, never per call. Nothing of the user's is kept alive.
"""

from __future__ import annotations

import dis
import functools
import inspect
import sys
import time
import types
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from jupyter_jitmagic._values import Looks, digest, is_secret_name, shown

_GLOBAL_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_FUNCTIONS_LIMIT = 200
_PARTS_LIMIT = 100
_SAMPLE = 4096
_FETCHED = 65536
"""Bytes of an array on an accelerator that are fetched for a comparison."""
_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class Change:
    """A name that means something else now than when `function` was traced. `before` and `now` are short texts."""

    name: str
    reader: str
    before: str
    now: str
    captured_s: float
    """Unix time of the trace that kept the old value."""


@dataclass(frozen=True, slots=True)
class _Read:
    """One name read by one function: where to look it up again, and what it was."""

    name: str
    reader: str
    look_up: Callable[[], Any]
    looks: tuple[Any, ...]
    text: str
    exact: bool

    def agrees(self, other: _Read) -> bool:
        return (self.name, self.reader, self.looks) == (other.name, other.reader, other.looks)


@dataclass(slots=True)
class Captured:
    """What one trace of `fun` has read from outside its arguments.

    Example:
        >>> rate = 0.1
        >>> def step(x): return x * rate
        >>> captured = Captured.of(step)
        >>> rate = 0.2
        >>> [(change.name, change.before, change.now) for change in captured.changes()]
        [('rate', '0.1', '0.2')]
    """

    reads: tuple[_Read, ...]
    exact: bool = True
    """Whether the fingerprints leave nothing out, so that agreement proves equality."""
    captured_s: float = field(default_factory=time.time)

    @classmethod
    def of(cls, fun: Callable[..., Any]) -> Captured:
        """Take the present values of everything that `fun`'s code reads."""
        reached: list[types.FunctionType] = []
        reads = tuple(_reads(fun, reached))
        known = 0 < len(reached) < _FUNCTIONS_LIMIT and all(map(_modules_are_steady, reached))
        return cls(reads, known and all(read.exact for read in reads))

    def agrees(self, other: Captured) -> bool:
        """Whether both are known for sure to have read the same."""
        if not (self.exact and other.exact) or len(self.reads) != len(other.reads):
            return False
        return all(map(_Read.agrees, self.reads, other.reads))

    def changes(self) -> tuple[Change, ...]:
        """Every name whose value is no longer what was read; empty if the function itself is gone."""
        return tuple(change for read in self.reads if (change := self._change(read)) is not None)

    def _change(self, read: _Read) -> Change | None:
        try:
            value = read.look_up()
        except ReferenceError:
            return None
        if value is not _MISSING and _looks(value)[0] == read.looks:
            return None
        return Change(read.name, read.reader, read.text, _text(read.name, value), self.captured_s)


def _text(name: str, value: Any) -> str:
    if value is _MISSING:
        return "deleted"
    return "…" if is_secret_name(name) and isinstance(value, (str, bytes)) else shown(value)


def _looks(value: Any) -> tuple[tuple[Any, ...], bool]:
    """A fingerprint by everything that can be seen, and whether that is all: equal values have equal ones.

    A function under jit is the function in it: what the wrapper counts and caches is no change.
    """
    looks = Looks(arrays=_array_looks, parts=_PARTS_LIMIT)
    inner = None if isinstance(value, types.FunctionType) else _plain(getattr(value, "__wrapped__", None))
    return (type(value).__qualname__, *looks.key(value if inner is None else inner)), looks.exact and inner is None


def _array_looks(value: Any) -> tuple[Any, ...]:
    """By up to 4096 elements where the host can read them at once (an equal array is then no change), else by identity."""
    described = (tuple(value.shape), str(value.dtype))
    try:
        seen = _on_host(value)
        if seen is None or seen.dtype.hasobject:
            return (*described, id(value))
        step = max(1, -(-seen.size // _SAMPLE))
        sample = digest(np.ascontiguousarray(seen.reshape(-1)[::step]).tobytes())
        return (*described, sample) if step == 1 else (*described, sample, "sample")
    except Exception:
        return (*described, id(value))


def _on_host(value: Any) -> np.ndarray[Any, Any] | None:
    if isinstance(value, np.ndarray):
        return value
    near = {device.platform for device in value.devices()} == {"cpu"} or value.nbytes <= _FETCHED
    return np.asarray(value) if near and value.is_ready() else None


def _reads(fun: Callable[..., Any], reached: list[types.FunctionType]) -> Iterator[_Read]:
    """Names read by `fun` and by the user's plain functions that it reaches (`reached`); each name of each namespace once."""
    waiting = [_plain(fun)]
    seen: set[int] = set()
    taken: set[tuple[int, str]] = set()
    while waiting and len(seen) < _FUNCTIONS_LIMIT:
        function = waiting.pop(0)
        if function is None or id(function) in seen:
            continue
        seen.add(id(function))
        reached.append(function)
        for name, space, look_up in _names(function):
            if (space, name) in taken:
                continue
            taken.add((space, name))
            value = look_up()
            for label, found, find in _parts(name, value, look_up, _code_reads(function.__code__).steps.get(name)):
                if found is _MISSING or _never_stale(found):
                    continue
                waiting.append(_plain(found))
                looks, exact = _looks(found)
                yield _Read(label, function.__qualname__, find, looks, _text(label, found), exact)


def reached_by(fun: Callable[..., Any]) -> list[types.FunctionType]:
    """The function and the user's plain functions that its code reaches."""
    reached: list[types.FunctionType] = []
    for _ in _reads(fun, reached):
        continue
    return reached


def read_by(fun: Callable[..., Any]) -> Iterator[Any]:
    """The present values of all names that these functions read."""
    for function in reached_by(fun):
        for _, _, look_up in _names(function):
            yield look_up()


_Step = tuple[str, Any]
"""("attribute", name) or ("item", key)."""


def _parts(
    name: str, value: Any, look_up: Callable[[], Any], steps: frozenset[_Step] | None
) -> Iterator[tuple[str, Any, Callable[[], Any]]]:
    """What the code reads of one name: single attributes or items if it never takes the whole, so that a change of
    ``cfg.epoch`` is none to a function that reads ``cfg.rate``."""
    parts = [(step, _take(value, step)) for step in sorted(steps or (), key=repr)]
    if not parts or any(part is _MISSING for _, part in parts):
        yield name, value, look_up
        return
    for step, part in parts:
        yield f"{name}.{step[1]}" if step[0] == "attribute" else f"{name}[{step[1]!r}]", part, _part_look_up(look_up, step)


def _take(value: Any, step: _Step) -> Any:
    """An attribute or item where reading it runs no code of the user's; else nothing, and the whole is taken."""
    kind, key = step
    if type(value) is dict and kind == "item":
        return value.get(key, _MISSING)
    plainly: tuple[Any, ...] = (object.__getattribute__, types.ModuleType.__getattribute__)
    if kind == "attribute" and type(value).__getattribute__ in plainly:
        own = getattr(value, "__dict__", None)
        if isinstance(own, dict) and not hasattr(type(inspect.getattr_static(type(value), key, None)), "__set__"):
            return own.get(key, _MISSING)
    return _MISSING


def _part_look_up(look_up: Callable[[], Any], step: _Step) -> Callable[[], Any]:
    return lambda: _take(look_up(), step)


_UNSTEADY = frozenset({"random", "secrets", "time", "datetime", "os", "uuid"})


def _modules_are_steady(function: types.FunctionType) -> bool:
    """Whether no module that it reads gives another value each time or may be edited by the user."""
    attributes = set(_all_names(function.__code__))
    for _, _, look_up in _names(function):
        value = look_up()
        if isinstance(value, (types.BuiltinFunctionType, types.MethodType)) and not _is_steady_builtin(value):
            return False
        if not isinstance(value, types.ModuleType):
            continue
        name = value.__name__.partition(".")[0]
        if name in _UNSTEADY or (name == "numpy" and "random" in attributes):
            return False
        if name not in sys.stdlib_module_names and not _is_installed(str(getattr(value, "__file__", None) or "")):
            return False
    return True


def _is_steady_builtin(value: Any) -> bool:
    """A function of a module (as ``math.sin``), not a method of some generator or clock (as ``random.random``)."""
    owner = getattr(value, "__self__", None)
    return isinstance(owner, types.ModuleType) and owner.__name__ not in _UNSTEADY


def _all_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _all_names(constant)


def _plain(value: Any) -> types.FunctionType | None:
    """The user's Python function behind `value` (a jitted, wrapped or bound one included), None for anything else."""
    for _ in range(10):
        if isinstance(value, types.MethodType):
            value = value.__func__
        elif isinstance(value, functools.partial):
            value = value.func
        elif isinstance(value, types.FunctionType) and not hasattr(value, "__wrapped__"):
            return None if _is_library(value) else value
        else:
            value = getattr(value, "__wrapped__", None)
    return None


def _never_stale(value: Any) -> bool:
    """Modules, and what libraries define: their functions and classes do not change under a notebook."""
    if isinstance(value, (types.ModuleType, types.BuiltinFunctionType)):
        return True
    if isinstance(value, type):
        return _is_library(value)
    function = _plain(value)
    return function is None and (isinstance(value, types.FunctionType) or hasattr(value, "__wrapped__"))


def _is_library(value: Any) -> bool:
    """Whether it was defined in an installed package or the standard library."""
    name = getattr(value, "__module__", None) or "__main__"
    module = None if name == "__main__" else sys.modules.get(name)
    return _is_installed(str(getattr(module, "__file__", None) or ""))


def _is_installed(filename: str) -> bool:
    return any(part in filename for part in ("site-packages", "dist-packages")) or filename.startswith(_STDLIB)


_STDLIB = types.__file__.rsplit("types", 1)[0]


def _names(function: types.FunctionType) -> Iterator[tuple[str, int, Callable[[], Any]]]:
    """(name, namespace, how to look it up) of everything that the function's code reads from outside."""
    space = function.__globals__
    for name in _code_reads(function.__code__).globals:
        if name in space:
            yield name, id(space), _global_look_up(function, name)
    for index, name in enumerate(function.__code__.co_freevars[: len(function.__closure__ or ())]):
        yield name, id(function), _cell_look_up(function, index)


_SILENT = frozenset({"CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "PUSH_NULL", "RESUME"})
_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF"})


class _CodeReads(NamedTuple):
    """What a code object reads from outside: globals in order of use, and by name (free variables included) the attributes
    and constant items that it takes of it, None if it takes the whole."""

    globals: tuple[str, ...]
    steps: dict[str, frozenset[_Step] | None]


_reads_of_code: weakref.WeakKeyDictionary[types.CodeType, _CodeReads] = weakref.WeakKeyDictionary()


def _code_reads(code: types.CodeType) -> _CodeReads:
    if code not in _reads_of_code:
        names: dict[str, None] = {}
        steps: dict[str, set[_Step] | None] = {}
        for operation, name, step in _uses(code):
            if operation in _GLOBAL_READS:
                names[name] = None
            known = steps.setdefault(name, set())
            if step is None or known is None:
                steps[name] = None
            else:
                known.add(step)
        frozen = {name: None if known is None else frozenset(known) for name, known in steps.items()}
        _reads_of_code[code] = _CodeReads(tuple(names), frozen)
    return _reads_of_code[code]


def _uses(code: types.CodeType) -> Iterator[tuple[str, str, _Step | None]]:
    """(operation, name, what is taken of it), those of nested functions and comprehensions included."""
    ops = [found for found in dis.get_instructions(code) if found.opname not in _SILENT]
    for i, op in enumerate(ops):
        if op.opname in _READS:
            yield op.opname, op.argval, _step_after(ops[i + 1 : i + 3])
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _uses(constant)


def _step_after(ops: list[dis.Instruction]) -> _Step | None:
    if ops and ops[0].opname in ("LOAD_ATTR", "LOAD_METHOD"):
        return "attribute", ops[0].argval
    if len(ops) == 2 and ops[0].opname in ("LOAD_CONST", "LOAD_SMALL_INT") and isinstance(ops[0].argval, (str, int)):
        subscript = ops[1].opname == "BINARY_SUBSCR" or (ops[1].opname == "BINARY_OP" and ops[1].argrepr == "[]")
        return ("item", ops[0].argval) if subscript else None
    return None


def _global_look_up(function: types.FunctionType, name: str) -> Callable[[], Any]:
    owner = weakref.ref(function)

    def look_up() -> Any:
        alive = owner()
        if alive is None:
            raise ReferenceError(name)
        return alive.__globals__.get(name, _MISSING)

    return look_up


def _cell_look_up(function: types.FunctionType, index: int) -> Callable[[], Any]:
    owner = weakref.ref(function)

    def look_up() -> Any:
        alive = owner()
        if alive is None or alive.__closure__ is None:
            raise ReferenceError("closure")
        try:
            return alive.__closure__[index].cell_contents
        except ValueError:
            return _MISSING

    return look_up
