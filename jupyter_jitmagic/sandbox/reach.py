"""What a function's code can touch outside itself, before it runs for us: what of it can be put back, and what cannot.

The walk begins at the names that the code reads (and the code of the user's functions and methods that it reaches) and
follows the objects behind them. Containers, attributes, arrays and random generators can be put back exactly; an iterator, a
lock, an open file or an object of unknown kind cannot, nor what some functions do to the process. One of these is reason
enough not to run it.
"""

from __future__ import annotations

import abc
import array
import builtins
import datetime
import decimal
import dis
import enum
import fractions
import functools
import inspect
import io
import itertools
import logging
import operator
import pathlib
import re
import sys
import types
import uuid
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic.base.jax_frames import is_jax_module
from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.sandbox import pandas_tables, undo
from jupyter_jitmagic.sandbox.known_effects import CHANGES_A_LOGGER, FILTERS, unannounced
from jupyter_jitmagic.source.units import codes
from jupyter_jitmagic.usercode.held import defaults_of
from jupyter_jitmagic.usercode.ownership import is_library, is_library_module, is_library_type

MOST_OBJECTS = 20_000
MOST_ITEMS = 2_000_000
MOST_BYTES = 256 * 2**20
"""What NumPy arrays that are copied to be put back may hold together; those beyond are read-only meanwhile."""
MOST_TABLE_BYTES = 8 * 2**20
"""Of pandas tables together, which are compared after each run, where the code may write to one."""

_STEADY = (
    str, bytes, int, float, complex, type(None), type(...), type(NotImplemented), range, slice, np.generic, np.dtype, np.ufunc,
    jax.Array, jax.core.Tracer, enum.Enum, re.Pattern, re.Match, pathlib.PurePath, datetime.date, datetime.time,
    datetime.timedelta, datetime.tzinfo, decimal.Decimal, fractions.Fraction, uuid.UUID, weakref.ref,
    types.CodeType, types.GenericAlias, types.UnionType,
    operator.itemgetter, operator.attrgetter, operator.methodcaller, types.WrapperDescriptorType, types.MethodDescriptorType,
    types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType,
    type(vars(abc.ABC)["_abc_impl"]),  # which classes are an abstract one's: `isinstance` remembers
)  # fmt: skip
"""Nothing that code does with these changes them."""

_ANY_ATTRIBUTE = frozenset({"getattr", "setattr", "delattr", "vars", "__dict__", "__setattr__", "asdict", "replace"})
_SETTING = frozenset({"setattr", "delattr", "vars", "__dict__"})
_PLAIN = frozenset({str, bytes, int, float, complex, bool, type(None)})
_OPEN = frozenset({types.SimpleNamespace, BaseException, Exception})
"""Written in C, and made of their attributes alone."""


class _Use(NamedTuple):
    """A name that code reads from outside (or a module that it imports), the attributes it takes of it one after another, and
    whether it sets the last of them."""

    name: str
    path: tuple[str, ...]
    line: int
    sets: bool
    value: Any = undo.ABSENT


class Reach:
    """What a function can touch, through its code and what stands in `values` (arguments that are handed on as they are).

    Attributes:
        obstacle: why it cannot run without a trace, as "it uses a lock (line 3)"; "" if it can, as far as can be seen.
        restores: what puts everything else back.

    Example:
        >>> Reach(fun).obstacle
        'it advances numbers, a generator (line 3)'
    """

    def __init__(self, fun: Any, values: Iterable[tuple[str, Any]] = (), own_caches: Iterable[Any] = ()) -> None:
        self.obstacle = ""
        self.restores: list[undo.Restore] = []
        self._own_caches = list(own_caches)
        self._generators: list[Any] = []
        self._seen: dict[int, Any] = {}  # an object made while looking must not lend its id to another
        self._items, self._bytes = MOST_ITEMS, MOST_BYTES
        self._names: set[str] = set()
        self._set: set[str] = set()  # of these, what is set as an attribute of something
        self._tables: list[tuple[Any, str]] = []
        self._codes: list[types.CodeType] = []
        self._waiting: list[tuple[Any, str]] = []
        self._opened: list[tuple[Any, str]] = []
        for name, value in values:
            self._see(value, name)
        self._see(fun, "the function")
        if isinstance(fun, types.FunctionType):
            self._function(fun)
        self._walk()

    def put_back(self) -> None:
        """Make everything reached hold again what it held when the walk saw it."""
        for restore in self.restores:
            restore()

    def reseed(self) -> None:
        """Other numbers from every random generator reached, until it is put back."""
        for generator in self._generators:
            draw = getattr(generator, "seed", None) or getattr(generator, "random", None) or generator.random_raw
            draw()

    # -- the walk

    def _walk(self) -> None:
        """Until nothing new is reached; a name that code seen later mentions opens objects seen before."""
        known = -1
        while not self.obstacle:
            if self._waiting:
                self._look_at(*self._waiting.pop())
            elif known != len(self._names):
                known = len(self._names)
                for value, label in tuple(self._opened):
                    self._attributes(value, label)
            else:
                break
        if self._tables and any(map(pandas_tables.may_write, self._codes)):
            self._keep_tables()

    def _keep_tables(self) -> None:
        left = MOST_TABLE_BYTES
        for table, label in self._tables:
            left -= pandas_tables.nbytes(table)
            if left < 0:
                name = label.partition(" (line")[0]
                self._refuse(f"it may write to {name}, a table that is too large to be put back", label)
                return
            self.restores.append(pandas_tables.put_back(table))

    def _refuse(self, why: str, label: str) -> None:
        _, found, line = label.partition(" (line")
        self.obstacle = self.obstacle or f"{why}{found}{line}"

    def _see(self, value: Any, label: str) -> None:
        if type(value) in _PLAIN or id(value) in self._seen or _is_steady(value):
            return
        self._seen[id(value)] = value
        self._waiting.append((value, label))
        if len(self._seen) > MOST_OBJECTS:
            self._refuse("it reaches more objects than can be put back", "")

    # -- code

    def _function(self, function: types.FunctionType) -> None:
        code, name = function.__code__, function.__name__
        line = f" (line {code.co_firstlineno})"
        for each in (code, *codes(code)):
            self._names.update(each.co_names)
            self._set.update(_set_as_attributes(each))
            self._codes.append(each)
            for use in _uses(each):
                self._use(function, use)
        for value in defaults_of(function):
            self._see(value, f"a default of {name}{line}")
        for free, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
            self.restores.append(undo.of_cell(cell))
            self._see(undo.content(cell), f"{free}{line}")
        if vars(function):
            self._see(vars(function), f"{name}{line}")
        else:  # a run may give it its first
            self.restores.append(undo.of_dict(vars(function)))
        self.restores.append(undo.of_name(function.__globals__, "__warningregistry__"))
        self._see(function.__globals__.get("__warningregistry__"), name)

    def _use(self, function: types.FunctionType, use: _Use) -> None:
        """Look at what a name with its attributes stands for; what it is bound to is put back."""
        space, where = function.__globals__, f" (line {use.line})"
        value = use.value
        if value is undo.ABSENT and use.name not in function.__code__.co_freevars:
            value = space.get(use.name, getattr(builtins, use.name, undo.ABSENT))
            self.restores.append(undo.of_name(space, use.name))
            if value is globals:
                self.restores += [undo.of_name(space, name) for name in tuple(space)]
        label = use.name
        for name in use.path:
            if value is sys and name in ("stdout", "stderr", "modules"):
                return  # swallowed; never put back
            if isinstance(value, types.ModuleType):
                if use.sets and name == use.path[-1]:
                    self.restores.append(undo.of_name(vars(value), name))
                value = vars(value).get(name)
            elif isinstance(value, type):
                value = inspect.getattr_static(value, name, None)
            elif _is_logger(value):
                value = inspect.getattr_static(type(value), name, None)
            else:
                break
            label += f".{name}"
        deed = unannounced(value)
        if deed and not (deed == FILTERS and "catch_warnings" in self._names):
            self._refuse(deed, where)
        if use.path and (use.sets or use.path[-1] == "update") and value is jax.config:
            self._refuse("it changes JAX's configuration", where)
        if value is not undo.ABSENT:
            self._see(value, label + where)

    # -- objects

    def _look_at(self, value: Any, label: str) -> None:
        if isinstance(value, types.FunctionType):
            if is_library(value.__code__.co_filename):
                self._inside_a_librarys(value, label)
            else:
                self._function(value)
        elif isinstance(value, functools._lru_cache_wrapper):
            if not any(value is own for own in self._own_caches) and not is_library(_file_of(value)):
                self._refuse(f"it fills the cache of {attribute(value, '__name__', 'a function')}", label)
            self._see(value.__wrapped__, label)
        elif _is_of_jax(value):
            for part in (attribute(value, "__wrapped__", None), *(undo.attributes(value) or {}).values()):
                if isinstance(part, types.FunctionType | types.MethodType | functools.partial):
                    self._see(part, label)
        elif (parts := _parts_of_callable(value)) is not None:
            for part in parts:
                self._see(part, label)
        elif isinstance(value, types.ModuleType):
            self._opened.append((value, label))
            self._attributes(value, label)
        elif isinstance(value, type):
            self._class(value, label)
        elif isinstance(value, np.ndarray):
            self._array(value, label)
        elif pandas_tables.is_one(value):
            self._tables.append((value, label))
            for item in itertools.islice(pandas_tables.objects_in(value), self._items + 1):
                self._items -= 1
                self._see(item, label)
        elif pandas_tables.is_index(value):
            pass  # nothing changes what it holds
        elif isinstance(value, _STEADY):  # of the user's class: its attributes are all that may change
            self._with_attributes(value, label)
        elif isinstance(value, ContextVar):  # what is set in it stays in the context of one run
            self._see(value.get(None), label)
        elif (restore := undo.of_generator(value)) is not None:
            self.restores.append(restore)
            self._generators.append(value)
        elif isinstance(value, _CONTAINERS):
            self._container(value, label)
        elif isinstance(value, bytearray | array.array):
            self._items -= len(value)
            self.restores.append(undo.of_bytes(value))
        elif callable(value) and not _is_pythons(type(value)) and isinstance(attribute(value, "__name__", None), str):
            for part in (attribute(value, "__self__", None), attribute(value, "__wrapped__", None)):  # a function written in C
                if not isinstance(part, types.ModuleType):
                    self._see(part, label)
        elif type(value) is not object:
            self._object(value, label)
        if self._items < 0:
            self._refuse("it reaches more than can be put back", "")

    def _inside_a_librarys(self, function: types.FunctionType, label: str) -> None:
        """What a library has put around the user's function holds that in its closure."""
        for held in (attribute(function, "__wrapped__", None), *map(undo.content, function.__closure__ or ())):
            if callable(held) and not isinstance(held, type):
                self._see(held, label)

    def _container(self, value: Any, label: str) -> None:
        self._items -= len(value)
        if self._items < 0:
            return
        if isinstance(value, dict):
            self.restores.append(undo.of_dict(value))
        elif isinstance(value, set):
            self.restores.append(undo.of_set(value))
        elif isinstance(value, list | deque):
            self.restores.append(undo.of_list(value))
        for item in tuple(value.values() if isinstance(value, dict) else value):
            if type(item) not in _PLAIN:
                self._see(item, label)
        if not is_library_type(type(value)) or undo.attributes(value):
            self._with_attributes(value, label)

    def _array(self, value: np.ndarray[Any, Any], label: str) -> None:
        if value.dtype.hasobject:
            for item in value.flat:
                self._see(item, label)
        if value.flags.writeable:
            self._bytes -= value.nbytes
            self.restores.append(undo.of_array(value) if self._bytes >= 0 else undo.read_only(value))

    def _class(self, kind: type, label: str) -> None:
        if is_library_type(kind):
            self._opened.append((kind, label))
            self._attributes(kind, label)
        for each in kind.__mro__:
            if deed := unannounced(each):
                self._refuse(deed, label)
            if not is_library_type(each) and (each is kind or id(each) not in self._seen):
                self._seen[id(each)] = each
                self.restores.append(undo.of_class(each))
                self._opened.append((each, label))
                self._attributes(each, label)

    def _object(self, value: Any, label: str) -> None:
        """An object by its attributes, if these are all that it is made of."""
        name = label.partition(" (line")[0]
        if _is_logger(value):
            if self._names & CHANGES_A_LOGGER:
                self._refuse("it changes what is logged", label)
        elif deed := unannounced(type(value)):
            self._refuse(deed, label)
        elif isinstance(value, types.GeneratorType | types.CoroutineType | types.AsyncGeneratorType):
            self._refuse(f"it advances {name}, a {type(value).__name__}", label)
        elif any(not _is_pythons(base) and base not in _OPEN for base in type(value).__mro__[:-1]):
            if hasattr(type(value), "__get__"):
                return  # what a class is made of, as a named tuple's fields
            if hasattr(type(value), "__next__") and not isinstance(value, io.IOBase):
                self._refuse(f"it advances {name}, an iterator", label)
            elif isinstance(value, io.IOBase):
                self._refuse(f"it uses {name}, an open stream", label)
            else:
                self._refuse(f"it uses {name}, and that or what it holds cannot be put back ({type(value).__name__})", label)
        else:
            self._with_attributes(value, label)

    def _with_attributes(self, value: Any, label: str) -> None:
        held = undo.attributes(value)
        if held is not None:
            self._items -= len(held)
            self.restores.append(undo.of_dict(held))
        self.restores.append(undo.of_slots(value))
        self._see(type(value), label)
        self._opened.append((value, label))
        self._attributes(value, label)

    def _attributes(self, value: Any, label: str) -> None:
        """Those that some code names; all of an object that a library made or knows, whose code is not looked at.
        Of a library's module or class, those that some code sets."""
        if _is_librarys(value):
            every = self._set if not self._names & _SETTING or isinstance(value, type) else self._set | vars(value).keys()
            self.restores += [undo.of_attribute(value, name) for name in every]
            return
        if isinstance(value, types.ModuleType | type):
            held, library = dict(vars(value)), isinstance(value, type) and _is_called_by_a_library(value)
        else:
            slots = {member.__name__: found for member, found in undo.slots_of(value)}
            held, library = {**(undo.attributes(value) or {}), **slots}, _is_called_by_a_library(type(value))
        every = library or (bool(self._names & _ANY_ATTRIBUTE) and not isinstance(value, types.ModuleType))
        for name, found in held.items():
            is_method = isinstance(value, type) and name.startswith("__") and isinstance(found, types.FunctionType)
            if found is undo.ABSENT or not (name in self._names or is_method or (every and not name.startswith("__"))):
                continue
            if isinstance(value, types.ModuleType) and id(found) not in self._seen:
                self.restores.append(undo.of_name(vars(value), name))
            self._see(found, label)


def _is_logger(value: Any) -> bool:
    """Whether a line for a log goes through `streams`."""
    return type(value) in (logging.Logger, logging.RootLogger)


def _is_steady(value: Any) -> bool:
    """Whether nothing that code does with the object changes it; one of the user's own class may have attributes."""
    return isinstance(value, _STEADY) and (is_library_type(type(value)) or undo.attributes(value) is None)


_CONTAINERS = (tuple, list, dict, set, frozenset, deque, types.MappingProxyType)


def _parts_of_callable(value: Any) -> tuple[Any, ...] | None:
    """What a callable made of others is made of; None for anything else."""
    if isinstance(value, types.MethodType):
        return value.__func__, value.__self__
    if isinstance(value, types.MethodWrapperType):
        return (value.__self__,)
    if isinstance(value, types.BuiltinFunctionType):
        return () if isinstance(value.__self__, types.ModuleType) else (value.__self__,)
    if isinstance(value, functools.cached_property):
        return (value.func,)
    if isinstance(value, functools.partial):
        return value.func, value.args, value.keywords
    if isinstance(value, property):
        return value.fget, value.fset
    if isinstance(value, staticmethod | classmethod):
        return (value.__func__,)
    return None


def _file_of(wrapper: Any) -> str:
    return getattr(attribute(wrapper.__wrapped__, "__code__", None), "co_filename", "<frozen")


def _is_librarys(value: Any) -> bool:
    """Whether it is a module or a class that comes with Python or from an installed package."""
    if isinstance(value, type):
        return is_library_type(value)
    return isinstance(value, types.ModuleType) and is_library_module(value)


def _is_called_by_a_library(kind: type) -> bool:
    """Whether a class, or one that it inherits from, is a library's: what calls its objects is not looked at."""
    return any(is_library_type(base) for base in kind.__mro__[:-1] if base.__module__ not in ("builtins", "abc", "typing"))


def _is_of_jax(value: Any) -> bool:
    """JAX's objects, and what puts a function under jit here: what these keep for themselves is no business of the function."""
    return is_jax_module(type(value).__module__) or type(value).__module__.partition(".")[0] == "jupyter_jitmagic"


def _is_pythons(kind: type) -> bool:
    """Whether a class is written in Python: its objects are no larger than its attributes and slots ask for."""
    own = vars(kind)
    fields = sum(isinstance(member, types.MemberDescriptorType) for member in own.values())
    room = 8 * (fields + ("__dict__" in own) + ("__weakref__" in own))
    base = kind.__base__ or object
    return bool(kind.__flags__ & _HEAP_TYPE) and kind.__basicsize__ - base.__basicsize__ <= room


_HEAP_TYPE = 1 << 9


def _set_as_attributes(code: types.CodeType) -> Iterator[str]:
    return (op.argval for op in dis.get_instructions(code) if op.opname in ("STORE_ATTR", "DELETE_ATTR"))


_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF"})
_SETS = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL"})
_SILENT = frozenset({"CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "PUSH_NULL", "RESUME"})


def _uses(code: types.CodeType) -> Iterator[_Use]:
    """Every name from outside that the code itself uses, and every module that it imports."""
    found = [single for op in dis.get_instructions(code) if op.opname not in _SILENT for single in _singles(op)]
    imported: dict[str, Any] = {}
    module: Any = None
    for place, op in enumerate(found):
        line = getattr(op.positions, "lineno", None) or code.co_firstlineno
        after = found[place + 1] if place + 1 < len(found) else None
        if op.opname in _SETS:
            yield _Use(op.argval, (), line, True)
        elif op.opname in _READS:
            yield _Use(op.argval, *_path(found, place + 1, line))
        elif op.opname == "IMPORT_NAME":
            module = sys.modules.get(op.argval if after and after.opname == "IMPORT_FROM" else op.argval.partition(".")[0])
            if after and after.opname == "STORE_FAST":
                imported[after.argval] = module
        elif op.opname == "IMPORT_FROM" and isinstance(module, types.ModuleType):
            yield _Use(op.argval, (), line, False, vars(module).get(op.argval))
            if after and after.opname == "STORE_FAST":
                imported[after.argval] = vars(module).get(op.argval)
        elif op.opname.startswith("LOAD_FAST") and op.argval in imported:
            yield _Use(op.argval, *_path(found, place + 1, line), imported[op.argval])


def _singles(op: dis.Instruction) -> list[dis.Instruction]:
    """From Python 3.13 on, one instruction may do what two did: `STORE_FAST_LOAD_FAST` of two names."""
    kinds = re.findall("LOAD_FAST|STORE_FAST", op.opname)
    if len(kinds) != 2:
        return [op]
    return [op._replace(opname=kind, argval=name) for kind, name in zip(kinds, op.argval, strict=True)]


def _path(found: list[dis.Instruction], place: int, line: int) -> tuple[tuple[str, ...], int, bool]:
    """(the attributes taken one after another from here on, the line, whether the last one is set)."""
    rest = itertools.takewhile(lambda op: op.opname in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR"), found[place:])
    path = list(rest)
    first_set = next((number for number, op in enumerate(path) if not op.opname.startswith("LOAD")), None)
    taken = path if first_set is None else path[: first_set + 1]
    return tuple(str(op.argval) for op in taken), line, first_set is not None
