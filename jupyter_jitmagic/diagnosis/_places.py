"""Where code stands: the user's own or a library's, its exact position, and whether an exception would be caught there."""

from __future__ import annotations

import dis
import functools
import linecache
import os
import sys
import sysconfig
from importlib.util import find_spec
from types import CodeType, FrameType
from typing import Any, NamedTuple

import jax

from ._call import Call, code_of

_HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_FOLDERS = tuple(
    dict.fromkeys(
        os.path.join(os.path.realpath(folder), "")
        for folder in (
            *(os.path.dirname(spec.origin) for spec in map(find_spec, ("jax", "jaxlib", "numpy")) if spec and spec.origin),
            sysconfig.get_paths()["stdlib"],
            sysconfig.get_paths()["purelib"],
            sysconfig.get_paths()["platlib"],
            _HERE,
        )
    )
)


@functools.lru_cache(maxsize=4096)
def is_library(filename: str) -> bool:
    """Whether a file belongs to Python, JAX, NumPy or another installed package, or to this one."""
    if filename.startswith("<"):
        return filename.startswith(("<frozen", "<__array_function__"))
    return os.path.realpath(filename).startswith(_FOLDERS)


def is_ours(filename: str) -> bool:
    """Whether a file belongs to this package."""
    return filename.startswith(_HERE)


def is_library_type(kind: type) -> bool:
    """Whether a class comes with Python or from an installed package."""
    module = sys.modules.get(kind.__module__)
    return kind.__module__ == "builtins" or is_library(getattr(module, "__file__", None) or "")


def is_user(code: CodeType, call: Call) -> bool:
    """Whether the code is the user's: not a library's, except the library that the function itself comes from."""
    filename = code.co_filename
    if filename == "<string>" and code.co_name.startswith("__") and code is not code_of(call.fun):
        return False  # dataclasses and namedtuples write such methods
    if not is_library(filename):
        return True
    own = code_of(call.fun)
    return own is not None and own.co_filename == filename and not filename.startswith(_HERE)


class Position(NamedTuple):
    """An instruction's place in the source; columns are 0-based and count characters."""

    line: int
    end_line: int | None
    column: int | None
    end_column: int | None


def position(code: CodeType, instruction: int, line: int) -> Position:
    """Where the expression stands that the instruction at this offset computes."""
    found = _positions(code)[instruction // 2] if instruction >= 0 else (line, None, None, None)
    first, last, start, end = found
    if first is None or last is None or start is None or end is None:
        return Position(first or line, None, None, None)
    return Position(
        first, last, _characters(code.co_filename, first, start, code), _characters(code.co_filename, last, end, code)
    )


@functools.lru_cache(maxsize=256)
def _positions(code: CodeType) -> list[Any]:
    return list(code.co_positions())


def _characters(filename: str, line: int, offset: int, code: CodeType) -> int:
    """Python's positions count bytes of UTF-8."""
    text = linecache.getline(filename, line)
    return offset if text.isascii() else len(text.encode()[:offset].decode(errors="ignore"))


def source_line(filename: str, line: int, module_globals: dict[str, Any] | None = None) -> str:
    return linecache.getline(filename, line, module_globals).strip()


_Handler = tuple[int, int, int]


def catches(frame: FrameType) -> bool:
    """Whether an `except` around the instruction that `frame` stands at could catch a TypeError of JAX."""
    offset = frame.f_lasti
    for _ in range(10):
        handler = next((entry for entry in _handlers(frame.f_code) if entry[0] <= offset < entry[1]), None)
        if handler is None:
            return False
        if _catches_type_error(frame, handler[2]):
            return True
        offset = handler[2]
    return True


@functools.lru_cache(maxsize=1024)
def _handlers(code: CodeType) -> tuple[_Handler, ...]:
    parse = getattr(dis, "_parse_exception_table", None)
    if parse is None or not code.co_exceptiontable:
        return ()
    return tuple((entry.start, entry.end, entry.target) for entry in parse(code))


@functools.lru_cache(maxsize=1024)
def _instructions(code: CodeType) -> dict[int, int]:
    return {instruction.offset: number for number, instruction in enumerate(_listing(code))}


@functools.lru_cache(maxsize=256)
def _listing(code: CodeType) -> tuple[dis.Instruction, ...]:
    return tuple(dis.get_instructions(code))


def _catches_type_error(frame: FrameType, target: int) -> bool:
    listing, start = _listing(frame.f_code), _instructions(frame.f_code).get(target)
    if start is None or listing[start].opname != "PUSH_EXC_INFO":
        return False
    stack: list[Any] = []
    for instruction in listing[start + 1 : start + 40]:
        name = instruction.opname
        if name == "CHECK_EXC_MATCH":
            return _may_match(stack[-1] if stack else None)
        if name == "POP_TOP":
            return not stack
        if name in ("LOAD_GLOBAL", "LOAD_NAME"):
            stack.append(_look_up(frame, str(instruction.argval)))
        elif name == "LOAD_ATTR" and stack:
            stack.append(getattr(stack.pop(), str(instruction.argval), None))
        elif name == "BUILD_TUPLE":
            count = int(instruction.arg or 0)
            stack[len(stack) - count :] = [tuple(stack[len(stack) - count :])]
        elif name in ("WITH_EXCEPT_START", "RERAISE"):
            return False
        elif name not in ("NOP", "RESUME", "CACHE", "EXTENDED_ARG", "PUSH_NULL"):
            return any(later.opname == "CHECK_EXC_MATCH" for later in listing[start + 1 : start + 40]) and not stack
    return True


def _look_up(frame: FrameType, name: str) -> Any:
    if name in frame.f_globals:
        return frame.f_globals[name]
    builtins = frame.f_builtins
    return builtins.get(name)


def _may_match(caught: Any) -> bool:
    kinds = caught if isinstance(caught, tuple) else (caught,)
    errors = (jax.errors.ConcretizationTypeError, jax.errors.TracerBoolConversionError, jax.errors.TracerArrayConversionError)
    return any(
        kind is None
        or (isinstance(kind, type) and any(issubclass(error, kind) or issubclass(kind, TypeError) for error in errors))
        for kind in kinds
    )


def clear_caches() -> None:
    """Forget code objects: nothing of the user's stays alive."""
    for cached in (_positions, _handlers, _instructions, _listing):
        cached.cache_clear()
