"""The stale-global guard: which globals and closure values a trace has frozen, and which of them have changed since.

JAX reads a global or a closure value while it traces and keeps what it read. When the name is rebound or the object mutated
later, a cache hit silently goes on with the old value. `Captured` remembers, for one trace, the names that the function's code
reads (and that of the plain functions it calls in the user's own code) and a fingerprint of each value; `changes` compares them
with the present. Both run when something was compiled or a cell has run, never per call. Nothing of the user's is kept alive.
"""

from __future__ import annotations

import builtins
import dis
import functools
import inspect
import os
import sys
import time
import types
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic._values import Looks, digest, hashes_by_identity, is_secret_name, shown

_GLOBAL_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
FUNCTIONS_LIMIT = 200
_PARTS_LIMIT = 100
_SAMPLE = 4096
_DIGESTED = 4_000_000
"""Bytes of a NumPy array, which may change in place, that are all looked at (some 4 ms)."""
_FETCHED = 65536
"""Bytes of an array on an accelerator that are fetched for a comparison."""
_MISSING: Any = object()
NOTEBOOKS_OWN = frozenset({"open", "help", "input", "print", "display"})
"""Builtins that a notebook has its own of."""


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
class Read:
    """One name read by one function: where to look it up again, and what it was."""

    name: str
    reader: str
    look_up: Callable[[], Any]
    looks: tuple[Any, ...]
    text: str
    exact: bool
    """Whether the fingerprint leaves nothing out, so that an equal one proves equality."""


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

    reads: tuple[Read, ...]
    captured_s: float = field(default_factory=time.time)

    @classmethod
    def of(cls, fun: Callable[..., Any], statics: Mapping[str, Any] | None = None) -> Captured:
        """Take the present values of everything that `fun`'s code reads; of static arguments, what JAX does not compare."""
        return cls((*reads_of(fun, []), *_reads_of_statics(fun, statics or {})))

    def changes(self) -> tuple[Change, ...]:
        """Every name whose value is no longer what was read; empty if the function itself is gone."""
        return tuple(change for read in self.reads if (change := self._change(read)) is not None)

    def _change(self, read: Read) -> Change | None:
        try:
            value = read.look_up()
        except ReferenceError:
            return None
        if value is not _MISSING and looks_of(value)[0] == read.looks:
            return None
        return Change(read.name, read.reader, read.text, text_of(read.name, value), self.captured_s)


def text_of(name: str, value: Any) -> str:
    if value is _MISSING:
        return "deleted"
    return "…" if is_secret_name(name) and isinstance(value, (str, bytes)) else shown(value)


def looks_of(value: Any) -> tuple[tuple[Any, ...], bool]:
    """A fingerprint by everything that can be seen, and whether that is all: equal values have equal ones.

    A function under jit is the function in it: what the wrapper counts and caches is no change.
    """
    if is_librarys(value):
        return ("library", *_place_of(value)), True
    looks = Looks(arrays=_array_looks, parts=_PARTS_LIMIT)
    inner = None if isinstance(value, types.FunctionType) else _plain(_wrapped(value))
    return (type(value).__qualname__, *looks.key(value if inner is None else inner)), looks.exact and inner is None


def _place_of(value: Any) -> tuple[Any, ...]:
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    module = getattr(value, "__module__", None) or getattr(getattr(value, "__self__", None), "__name__", None)
    return (module, name) if isinstance(name, str) else (id(value),)


def _array_looks(value: Any) -> tuple[Any, ...]:
    """By up to 4096 elements where the host can read them at once (an equal array is then no change), else by identity."""
    described: tuple[Any, ...] = (tuple(value.shape), str(value.dtype), type(value).__name__)
    if isinstance(value, jax.core.Tracer):  # left behind by a trace that has ended
        return (*described, id(value))
    if isinstance(value, jax.Array):
        described = (*described, getattr(value, "weak_type", False), str(value.sharding), getattr(value, "committed", True))
    try:
        seen = _on_host(value)
        if seen is None or seen.dtype.hasobject:
            return (*described, id(value))
        step = max(1, -(-seen.size // _SAMPLE))
        if isinstance(value, np.ndarray) and seen.nbytes <= _DIGESTED:
            step = 1
        sample = digest(np.ascontiguousarray(seen.reshape(-1)[::step]).tobytes())
        return (*described, sample) if step == 1 else (*described, sample, "sample")
    except Exception:
        return (*described, id(value))


def _on_host(value: Any) -> np.ndarray[Any, Any] | None:
    if isinstance(value, np.ndarray):
        return value
    if jax.dtypes.issubdtype(value.dtype, jax.dtypes.extended):
        value = jax.random.key_data(value)
    near = {device.platform for device in value.devices()} == {"cpu"} or value.nbytes <= _FETCHED
    return np.asarray(value) if near and value.is_ready() else None


def reads_of(fun: Callable[..., Any], reached: list[types.FunctionType]) -> Iterator[Read]:
    """Names read by `fun` and by the user's plain functions that it reaches (`reached`); each name of each namespace once."""
    waiting = [_plain(fun)]
    seen: set[int] = set()
    taken: set[tuple[Any, ...]] = set()
    while waiting and len(seen) < FUNCTIONS_LIMIT:
        function = waiting.pop(0)
        if function is None or id(function) in seen:
            continue
        seen.add(id(function))
        reached.append(function)
        yield from _defaults(function)
        for name, space, look_up in names_read(function):
            value = look_up()
            for label, found, find in _parts(name, value, look_up, _code_reads(function.__code__).paths.get(name)):
                if found is _MISSING or (space, label) in taken:
                    continue
                taken.add((space, label))
                waiting.append(_plain(found))
                looks, exact = looks_of(found)
                yield Read(label, function.__qualname__, find, looks, text_of(label, found), exact)


def _reads_of_statics(fun: Callable[..., Any], statics: Mapping[str, Any]) -> Iterator[Read]:
    """The attributes that `fun` reads of static objects which hash by identity (as ``self``): JAX sees no change of theirs."""
    function = _plain(fun)
    if function is None:
        return
    objects = dict(statics)
    if isinstance(fun, types.MethodType) and function.__code__.co_argcount:
        objects[function.__code__.co_varnames[0]] = fun.__self__
    for name, value in objects.items():
        paths = _reads_of_argument(function.__code__, name)
        if not paths or isinstance(value, type) or not hashes_by_identity(type(value)):
            continue
        try:
            owner = weakref.ref(value)
        except TypeError:
            continue
        for label, found, find in _parts(name, value, functools.partial(_alive, owner), paths):
            if found is not _MISSING and found is not value:
                looks, exact = looks_of(found)
                yield Read(label, function.__qualname__, find, looks, text_of(label, found), exact)


def _alive(owner: weakref.ref[Any]) -> Any:
    value = owner()
    if value is None:
        raise ReferenceError("a static argument")
    return value


def reached_by(fun: Callable[..., Any]) -> list[types.FunctionType]:
    """The function and the user's plain functions that its code reaches."""
    reached: list[types.FunctionType] = []
    for _ in reads_of(fun, reached):
        continue
    return reached


def read_by(fun: Callable[..., Any]) -> Iterator[Any]:
    """The present values of all names that these functions read."""
    for function in reached_by(fun):
        for _, _, look_up in names_read(function):
            yield look_up()


_Step = tuple[str, Any]
"""("attribute", name) or ("item", key)."""
_Path = tuple[_Step, ...]
_LONGEST_PATH = 4
_Found = tuple[str, Any, Callable[[], Any]]
"""What is called so, its value, how to look it up again."""


def _parts(
    name: str, value: Any, look_up: Callable[[], Any], paths: frozenset[_Path] | None, methods: frozenset[int] = frozenset()
) -> Iterator[_Found]:
    """What the code reads of one name: single attributes or items if it never takes the whole, so that a change of
    ``cfg.epoch`` is none to a function that reads ``cfg.rate``. Of an object whose methods it calls, what these read."""
    if not paths:
        yield name, value, look_up
        return
    for path in sorted(paths, key=repr):
        yield from _along(name, value, look_up, path, methods)


def _along(label: str, value: Any, look_up: Callable[[], Any], path: _Path, methods: frozenset[int]) -> Iterator[_Found]:
    """The part at the end of a path, or where it leads into code of the user's what that reads."""
    for step in path:
        part = _take(value, step)
        method = _code_behind(value, step) if part is _MISSING else None
        if method is not None:
            step_label = f"{label}.{step[1]}"
            yield step_label, method, _method_look_up(look_up, step)
            if id(method.__code__) not in methods and len(methods) < _LONGEST_PATH:
                read = _code_reads(method.__code__).of_self
                yield from _parts(label, value, look_up, read, methods | {id(method.__code__)})
            return
        if part is _MISSING:
            break
        label = f"{label}.{step[1]}" if step[0] == "attribute" else f"{label}[{step[1]!r}]"
        value, look_up = part, _part_look_up(look_up, step)
    yield label, value, look_up


def _take(value: Any, step: _Step) -> Any:
    """An attribute or item where reading it runs no code of the user's; else nothing, and the whole is taken."""
    kind, key = step
    if kind == "item":
        if type(value) is dict:
            return value.get(key, _MISSING)
        within = type(value) in (list, tuple) and isinstance(key, int) and -len(value) <= key < len(value)
        return value[key] if within else _MISSING
    if isinstance(value, tuple):
        fields = getattr(type(value), "_fields", ())
        return value[fields.index(key)] if key in fields else _MISSING
    if isinstance(value, type):
        found = inspect.getattr_static(value, key, _MISSING)
        return _MISSING if hasattr(type(found), "__get__") and not isinstance(found, types.FunctionType) else found
    if type(value).__getattribute__ not in _PLAINLY:
        return _MISSING
    own, of_class = getattr(value, "__dict__", None), inspect.getattr_static(type(value), key, _MISSING)
    if hasattr(type(of_class), "__set__"):
        member = isinstance(of_class, types.MemberDescriptorType)  # a slot
        return getattr(value, key, _MISSING) if member else _MISSING
    if isinstance(own, dict) and key in own:
        return own[key]
    return _MISSING if hasattr(type(of_class), "__get__") else of_class


_PLAINLY: tuple[Any, ...] = (
    object.__getattribute__,
    types.ModuleType.__getattribute__,
    types.SimpleNamespace.__getattribute__,
)


def _code_behind(value: Any, step: _Step) -> types.FunctionType | None:
    """The user's function that reading or calling an object's attribute runs: a method's or a property's."""
    if step[0] != "attribute" or type(value).__getattribute__ not in _PLAINLY or isinstance(value, types.ModuleType):
        return None
    found = inspect.getattr_static(type(value), step[1], None)
    return _plain(found.fget if isinstance(found, property) else found)


def _method_look_up(look_up: Callable[[], Any], step: _Step) -> Callable[[], Any]:
    return lambda: _code_behind(look_up(), step) or _MISSING


def _defaults(function: types.FunctionType) -> Iterator[Read]:
    """Defaults that may be changed in place."""
    owner = weakref.ref(function)

    def look_up(where: str, key: Any) -> Any:
        alive = owner()
        if alive is None:
            raise ReferenceError(where)
        return getattr(alive, where)[key]

    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    positional = function.__defaults__ or ()
    first = len(names) - len(positional)
    found: list[tuple[str, str, Any, Any]] = []
    found += [(names[first + i], "__defaults__", i, value) for i, value in enumerate(positional)]
    found += [(name, "__kwdefaults__", name, value) for name, value in (function.__kwdefaults__ or {}).items()]
    for name, where, key, value in found:
        if not isinstance(value, (int, float, complex, str, bytes, type(None))):
            looks, exact = looks_of(value)
            find = functools.partial(look_up, where, key)
            yield Read(name, function.__qualname__, find, looks, text_of(name, value), exact)


def _part_look_up(look_up: Callable[[], Any], step: _Step) -> Callable[[], Any]:
    return lambda: _take(look_up(), step)


def _plain(value: Any) -> types.FunctionType | None:
    """The user's Python function behind `value` (a jitted, wrapped or bound one included), None for anything else."""
    for _ in range(10):
        if isinstance(value, types.MethodType):
            value = value.__func__
        elif isinstance(value, functools.partial):
            value = value.func
        elif isinstance(value, types.FunctionType) and _wrapped(value) is None:
            return None if _is_library(value) else value
        else:
            value = _wrapped(value)
    return None


def _wrapped(value: Any) -> Any:
    """What a decorated or jitted function has in it; no code of the user's runs for the question."""
    return inspect.getattr_static(value, "__wrapped__", None)


def is_librarys(value: Any) -> bool:
    """Modules, and what libraries define: their functions and classes do not change under a notebook, only their names may
    come to mean others."""
    if isinstance(value, types.ModuleType):
        return True
    if isinstance(value, types.BuiltinFunctionType):
        return isinstance(value.__self__, types.ModuleType)
    if isinstance(value, type):
        return _is_library(value)
    if isinstance(value, functools.partial) or (not isinstance(value, types.FunctionType) and _wrapped(value) is None):
        return False
    return _plain(value) is None


def _is_library(value: Any) -> bool:
    """Whether it was defined in an installed package or the standard library."""
    name = getattr(value, "__module__", None) or "__main__"
    module = None if name == "__main__" else sys.modules.get(name)
    return is_installed(str(getattr(module, "__file__", None) or ""))


def is_installed(filename: str) -> bool:
    return any(part in filename for part in _INSTALLED) or filename.startswith(_STDLIB)


_INSTALLED = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_STDLIB = types.__file__.rsplit("types", 1)[0]


def names_read(function: types.FunctionType) -> Iterator[tuple[str, int, Callable[[], Any]]]:
    """(name, namespace, how to look it up) of everything that the function's code reads from outside."""
    space = function.__globals__
    for name in _code_reads(function.__code__).globals:
        if name in space or _is_put_into_builtins(name):
            yield name, id(space), _global_look_up(function, name)
    for index, name in enumerate(function.__code__.co_freevars[: len(function.__closure__ or ())]):
        yield name, id(function), _cell_look_up(function, index)


def _is_put_into_builtins(name: str) -> bool:
    """Whether it is a name that someone has added to those of Python itself, or made to mean something else."""
    value = vars(builtins).get(name, _MISSING)
    if any(value is python for python in (_MISSING, Ellipsis, NotImplemented)):
        return False
    if isinstance(value, type | types.BuiltinFunctionType) and value.__module__ == builtins.__name__:
        return value.__name__ != name
    return name not in NOTEBOOKS_OWN or not is_librarys(value)


_SILENT = frozenset({"CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "PUSH_NULL", "RESUME"})
_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF"})


class _CodeReads(NamedTuple):
    """What a code object reads from outside: globals in order of use, and by name (free variables included) the paths of
    attributes and constant items that it takes of it, None if it takes the whole; the same of its first argument."""

    globals: tuple[str, ...]
    paths: dict[str, frozenset[_Path] | None]
    of_self: frozenset[_Path] | None


_reads_of_code: weakref.WeakKeyDictionary[types.CodeType, _CodeReads] = weakref.WeakKeyDictionary()


def _code_reads(code: types.CodeType) -> _CodeReads:
    if code not in _reads_of_code:
        names: dict[str, None] = {}
        paths: dict[str, set[_Path] | None] = {}
        for operation, name, path in _uses(code):
            if operation in _GLOBAL_READS:
                names[name] = None
            known = paths.setdefault(name, set())
            if not path or known is None:
                paths[name] = None
            else:
                known.add(path)
        frozen = {name: None if known is None else frozenset(known) for name, known in paths.items()}
        of_self = _reads_of_argument(code, code.co_varnames[0]) if code.co_argcount else None
        _reads_of_code[code] = _CodeReads(tuple(names), frozen, of_self)
    return _reads_of_code[code]


def _reads_of_argument(code: types.CodeType, argument: str) -> frozenset[_Path] | None:
    """The paths that a function takes of an argument, None if it takes or hands on the whole."""
    if argument in code.co_cellvars:
        return None
    paths = [path for name, path in _local_uses(code) if name == argument]
    return frozenset(paths) if all(paths) else None


def _local_uses(code: types.CodeType) -> Iterator[tuple[str, _Path]]:
    ops = [found for found in dis.get_instructions(code) if found.opname not in _SILENT]
    for i, op in enumerate(ops):
        if op.opname.startswith("LOAD_FAST"):
            names = op.argval if isinstance(op.argval, tuple) else (op.argval,)
            for name in names[:-1]:
                yield name, ()
            yield names[-1], _path_after(ops, i + 1)
        elif op.opname == "STORE_FAST_LOAD_FAST":
            yield op.argval[1], ()


def _uses(code: types.CodeType) -> Iterator[tuple[str, str, _Path]]:
    """(operation, name, what is taken of it), those of nested functions and comprehensions included."""
    ops = [found for found in dis.get_instructions(code) if found.opname not in _SILENT]
    for i, op in enumerate(ops):
        if op.opname in _READS:
            yield op.opname, op.argval, _path_after(ops, i + 1)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _uses(constant)


def _path_after(ops: list[dis.Instruction], place: int) -> _Path:
    """The attributes and constant items that are taken one after another from here on."""
    path: list[_Step] = []
    while len(path) < _LONGEST_PATH:
        op, after = ops[place : place + 1], ops[place + 1 : place + 2]
        if op and op[0].opname in ("LOAD_ATTR", "LOAD_METHOD"):
            path.append(("attribute", op[0].argval))
            place += 1
        elif op and after and op[0].opname in ("LOAD_CONST", "LOAD_SMALL_INT") and _is_subscript(after[0]):
            if not isinstance(op[0].argval, (str, int)):
                break
            path.append(("item", op[0].argval))
            place += 2
        else:
            break
    return tuple(path)


def _is_subscript(op: dis.Instruction) -> bool:
    return op.opname == "BINARY_SUBSCR" or (op.opname == "BINARY_OP" and op.argrepr == "[]")


def _global_look_up(function: types.FunctionType, name: str) -> Callable[[], Any]:
    owner = weakref.ref(function)

    def look_up() -> Any:
        alive = owner()
        if alive is None:
            raise ReferenceError(name)
        return alive.__globals__.get(name, vars(builtins).get(name, _MISSING))

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
