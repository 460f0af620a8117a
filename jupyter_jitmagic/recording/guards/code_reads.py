"""What code reads by name: globals, cells and parts of arguments, told from its instructions."""

from __future__ import annotations

import builtins
import dis
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from jupyter_jitmagic.base.looking import attribute, is_a
from jupyter_jitmagic.recording.guards.library_values import is_librarys

_GLOBAL_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
NOTEBOOKS_OWN = frozenset({"open", "help", "input", "print", "display"})
"""Builtins that a notebook has its own of."""


Step = tuple[str, Any]
"""("attribute", name) or ("item", key)."""
Path = tuple[Step, ...]
_LONGEST_PATH = 4

MISSING: Any = object()


def names_read(function: types.FunctionType) -> Iterator[tuple[str, int, Callable[[], Any]]]:
    """(name, namespace, how to look it up) of everything that the function's code reads from outside."""
    space = function.__globals__
    for name in code_reads(function.__code__).globals:
        if name in space or _is_put_into_builtins(name):
            yield name, id(space), _global_look_up(function, name)
    for index, name in enumerate(function.__code__.co_freevars[: len(function.__closure__ or ())]):
        yield name, id(function), _cell_look_up(function, index)


def _is_put_into_builtins(name: str) -> bool:
    """Whether it is a name that someone has added to those of Python itself, or made to mean something else."""
    value = vars(builtins).get(name, MISSING)
    if any(value is python for python in (MISSING, Ellipsis, NotImplemented)):
        return False
    if is_a(value, (type, types.BuiltinFunctionType)) and attribute(value, "__module__") == builtins.__name__:
        return bool(value.__name__ != name)
    return name not in NOTEBOOKS_OWN or not is_librarys(value)


_SILENT = frozenset({"CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "PUSH_NULL", "RESUME"})
_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF"})


class _CodeReads(NamedTuple):
    """What a code object reads from outside: globals in order of use, and by name (free variables included) the paths of
    attributes and constant items that it takes of it, None if it takes the whole; the same of its first argument."""

    globals: tuple[str, ...]
    paths: dict[str, frozenset[Path] | None]
    of_self: frozenset[Path] | None


_reads_of_code: weakref.WeakKeyDictionary[types.CodeType, _CodeReads] = weakref.WeakKeyDictionary()


def code_reads(code: types.CodeType) -> _CodeReads:
    if code not in _reads_of_code:
        names: dict[str, None] = {}
        paths: dict[str, set[Path] | None] = {}
        for operation, name, path in _uses(code):
            if operation in _GLOBAL_READS:
                names[name] = None
            known = paths.setdefault(name, set())
            if not path or known is None:
                paths[name] = None
            else:
                known.add(path)
        frozen = {name: None if known is None else frozenset(known) for name, known in paths.items()}
        of_self = reads_of_argument(code, code.co_varnames[0]) if code.co_argcount else None
        _reads_of_code[code] = _CodeReads(tuple(names), frozen, of_self)
    return _reads_of_code[code]


def reads_of_argument(code: types.CodeType, argument: str) -> frozenset[Path] | None:
    """The paths that a function takes of an argument, None if it takes or hands on the whole."""
    if argument in code.co_cellvars:
        return None
    paths = [path for name, path in _local_uses(code) if name == argument]
    return frozenset(paths) if all(paths) else None


def _local_uses(code: types.CodeType) -> Iterator[tuple[str, Path]]:
    ops = [found for found in dis.get_instructions(code) if found.opname not in _SILENT]
    for i, op in enumerate(ops):
        if op.opname.startswith("LOAD_FAST"):
            names = op.argval if isinstance(op.argval, tuple) else (op.argval,)
            for name in names[:-1]:
                yield name, ()
            yield names[-1], _path_after(ops, i + 1)
        elif op.opname == "STORE_FAST_LOAD_FAST":
            yield op.argval[1], ()


def _uses(code: types.CodeType) -> Iterator[tuple[str, str, Path]]:
    """(operation, name, what is taken of it), those of nested functions and comprehensions included."""
    ops = [found for found in dis.get_instructions(code) if found.opname not in _SILENT]
    for i, op in enumerate(ops):
        if op.opname in _READS:
            yield op.opname, op.argval, _path_after(ops, i + 1)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _uses(constant)


def _path_after(ops: list[dis.Instruction], place: int) -> Path:
    """The attributes and constant items that are taken one after another from here on."""
    path: list[Step] = []
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
        return alive.__globals__.get(name, vars(builtins).get(name, MISSING))

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
            return MISSING

    return look_up
