"""The stale-global guard: which globals and closure values a trace has frozen, and which of them have changed since.

JAX reads a global or a closure value while it traces and keeps what it read. When the name is rebound or the object mutated
later, a cache hit silently goes on with the old value. `Captured` remembers, for one trace, the names that the function's code
reads (and that of the plain functions it calls in the user's own code) and a fingerprint of each value; `changes` compares them
with the present. Both run when something was compiled or a cell has run, never per call. Nothing of the user's is kept alive.
"""

from __future__ import annotations

import functools
import inspect
import time
import types
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_jitmagic.base.looking import attribute, attributes, in_class, is_a
from jupyter_jitmagic.base.value_texts import is_secret_name, shown
from jupyter_jitmagic.base.values import Looks, hashes_by_identity
from jupyter_jitmagic.recording.guards.array_looks import array_looks, differ_unseen
from jupyter_jitmagic.recording.guards.code_reads import (
    _LONGEST_PATH,
    MISSING,
    Path,
    Step,
    code_reads,
    names_read,
    reads_of_argument,
)
from jupyter_jitmagic.recording.guards.library_values import is_librarys, plain_function, wrapped

FUNCTIONS_LIMIT = 200
_PARTS_LIMIT = 100


@dataclass(frozen=True, slots=True)
class ReadChange:
    """A name that means something else now than when `function` was traced. `before` and `now` are short texts."""

    name: str
    reader: str
    before: str
    now: str
    captured_s: float
    """Unix time of the trace that kept the old value."""
    seen: bool = True
    """Whether the values were seen to differ; else it is another array, of which the numbers were not compared."""


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

    def changes(self) -> tuple[ReadChange, ...]:
        """Every name whose value is no longer what was read; empty if the function itself is gone."""
        return tuple(change for read in self.reads if (change := self._change(read)) is not None)

    def _change(self, read: Read) -> ReadChange | None:
        try:
            value = read.look_up()
        except ReferenceError:
            return None
        looks = None if value is MISSING else looks_of(value)[0]
        if looks == read.looks:
            return None
        seen = looks is None or not differ_unseen(read.looks, looks)
        return ReadChange(read.name, read.reader, read.text, text_of(read.name, value), self.captured_s, seen)


def text_of(name: str, value: Any) -> str:
    if value is MISSING:
        return "deleted"
    return "…" if is_secret_name(name) and is_a(value, (str, bytes)) else shown(value)


def looks_of(value: Any) -> tuple[tuple[Any, ...], bool]:
    """A fingerprint by everything that can be seen, and whether that is all: equal values have equal ones.

    A function under jit is the function in it: what the wrapper counts and caches is no change.
    """
    if is_librarys(value):
        return ("library", *_place_of(value)), True
    looks = Looks(arrays=array_looks, parts=_PARTS_LIMIT)
    inner = None if is_a(value, types.FunctionType) else plain_function(wrapped(value))
    return (type(value).__qualname__, *looks.key(value if inner is None else inner)), looks.exact and inner is None


def _place_of(value: Any) -> tuple[Any, ...]:
    name = attribute(value, "__qualname__") or attribute(value, "__name__")
    module = attribute(value, "__module__") or attribute(attribute(value, "__self__"), "__name__")
    return (module, name) if isinstance(name, str) else (id(value),)


def reads_of(fun: Callable[..., Any], reached: list[types.FunctionType]) -> Iterator[Read]:
    """Names read by `fun` and by the user's plain functions that it reaches (`reached`); each name of each namespace once."""
    for function, named in _reached(fun):
        reached.append(function)
        yield from _defaults(function)
        for label, value, find in named:
            looks, exact = looks_of(value)
            yield Read(label, function.__qualname__, find, looks, text_of(label, value), exact)


def _reached(fun: Callable[..., Any]) -> Iterator[tuple[types.FunctionType, list[_Found]]]:
    """The function and the user's plain functions that its code reaches, each with what it reads that none before it does."""
    waiting = [plain_function(fun)]
    seen: set[int] = set()
    taken: set[tuple[Any, ...]] = set()
    while waiting and len(seen) < FUNCTIONS_LIMIT:
        function = waiting.pop(0)
        if function is None or id(function) in seen:
            continue
        seen.add(id(function))
        named: list[_Found] = []
        for name, space, look_up in names_read(function):
            value = look_up()
            for label, found, find in _parts(name, value, look_up, code_reads(function.__code__).paths.get(name)):
                if found is MISSING or (space, label) in taken:
                    continue
                taken.add((space, label))
                waiting.append(plain_function(found))
                named.append((label, found, find))
        yield function, named


def _reads_of_statics(fun: Callable[..., Any], statics: Mapping[str, Any]) -> Iterator[Read]:
    """The attributes that `fun` reads of static objects which hash by identity (as ``self``): JAX sees no change of theirs."""
    function = plain_function(fun)
    if function is None:
        return
    objects = dict(statics)
    if isinstance(fun, types.MethodType) and function.__code__.co_argcount:
        objects[function.__code__.co_varnames[0]] = fun.__self__
    for name, value in objects.items():
        paths = reads_of_argument(function.__code__, name)
        if not paths or is_a(value, type) or not hashes_by_identity(type(value)):
            continue
        try:
            owner = weakref.ref(value)
        except TypeError:
            continue
        for label, found, find in _parts(name, value, functools.partial(_alive, owner), paths):
            if found is not MISSING and found is not value:
                looks, exact = looks_of(found)
                yield Read(label, function.__qualname__, find, looks, text_of(label, found), exact)


def _alive(owner: weakref.ref[Any]) -> Any:
    value = owner()
    if value is None:
        raise ReferenceError("a static argument")
    return value


def reached_by(fun: Callable[..., Any]) -> list[types.FunctionType]:
    """The function and the user's plain functions that its code reaches."""
    return [function for function, _ in _reached(fun)]


def read_by(fun: Callable[..., Any]) -> Iterator[Any]:
    """The present values of all names that these functions read."""
    for function in reached_by(fun):
        for _, _, look_up in names_read(function):
            yield look_up()


_Found = tuple[str, Any, Callable[[], Any]]
"""What is called so, its value, how to look it up again."""


def _parts(
    name: str, value: Any, look_up: Callable[[], Any], paths: frozenset[Path] | None, methods: frozenset[int] = frozenset()
) -> Iterator[_Found]:
    """What the code reads of one name: single attributes or items if it never takes the whole, so that a change of
    ``cfg.epoch`` is none to a function that reads ``cfg.rate``. Of an object whose methods it calls, what these read."""
    if not paths:
        yield name, value, look_up
        return
    for path in sorted(paths, key=repr):
        yield from _along(name, value, look_up, path, methods)


def _along(label: str, value: Any, look_up: Callable[[], Any], path: Path, methods: frozenset[int]) -> Iterator[_Found]:
    """The part at the end of a path, or where it leads into code of the user's what that reads."""
    for step in path:
        part = _take(value, step)
        method = _code_behind(value, step) if part is MISSING else None
        if method is not None:
            step_label = f"{label}.{step[1]}"
            yield step_label, method, _method_look_up(look_up, step)
            if id(method.__code__) not in methods and len(methods) < _LONGEST_PATH:
                read = code_reads(method.__code__).of_self
                yield from _parts(label, value, look_up, read, methods | {id(method.__code__)})
            return
        if part is MISSING:
            break
        label = f"{label}.{step[1]}" if step[0] == "attribute" else f"{label}[{step[1]!r}]"
        value, look_up = part, _part_look_up(look_up, step)
    yield label, value, look_up


def _take(value: Any, step: Step) -> Any:
    """An attribute or item where reading it runs no code of the user's; else nothing, and the whole is taken."""
    kind, key = step
    if kind == "item":
        if type(value) is dict:
            return value.get(key, MISSING)
        within = (type(value) is list or type(value) is tuple) and isinstance(key, int) and -len(value) <= key < len(value)
        return value[key] if within else MISSING
    if is_a(value, tuple):
        fields = in_class(value, "_fields", ())
        return tuple.__getitem__(value, fields.index(key)) if is_a(fields, tuple) and key in fields else MISSING
    if is_a(value, type):
        found = inspect.getattr_static(value, key, MISSING)
        return MISSING if in_class(found, "__get__") is not None and not is_a(found, types.FunctionType) else found
    if type(value).__getattribute__ not in _PLAINLY:
        return MISSING
    own, of_class = attributes(value), in_class(value, key, MISSING)
    if in_class(of_class, "__set__") is not None:
        return attribute(value, key, MISSING) if is_a(of_class, types.MemberDescriptorType) else MISSING  # a slot
    if own is not None and dict.__contains__(own, key):
        return dict.__getitem__(own, key)
    return MISSING if in_class(of_class, "__get__") is not None else of_class


_PLAINLY: tuple[Any, ...] = (
    object.__getattribute__,
    types.ModuleType.__getattribute__,
    types.SimpleNamespace.__getattribute__,
)


def _code_behind(value: Any, step: Step) -> types.FunctionType | None:
    """The user's function that reading or calling an object's attribute runs: a method's or a property's."""
    if step[0] != "attribute" or type(value).__getattribute__ not in _PLAINLY or is_a(value, types.ModuleType):
        return None
    found = in_class(value, step[1])
    return plain_function(found.fget if is_a(found, property) else found)


def _method_look_up(look_up: Callable[[], Any], step: Step) -> Callable[[], Any]:
    return lambda: _code_behind(look_up(), step) or MISSING


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
        if not is_a(value, (int, float, complex, str, bytes, type(None))):
            looks, exact = looks_of(value)
            find = functools.partial(look_up, where, key)
            yield Read(name, function.__qualname__, find, looks, text_of(name, value), exact)


def _part_look_up(look_up: Callable[[], Any], step: Step) -> Callable[[], Any]:
    return lambda: _take(look_up(), step)
