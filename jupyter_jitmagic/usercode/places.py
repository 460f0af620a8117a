"""Where code stands: its exact position, and whether an exception would be caught there.

`executing` (IPython has it) answers the same for a frame, and is not used: it finds no node for a truth test, the commonest
site, and parses the whole file for one line (5,000 lines: 0.9 s, where reading the one function takes 1 ms).
"""

from __future__ import annotations

import ast
import dis
import functools
import linecache
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, NamedTuple

import jax


class Position(NamedTuple):
    """A place in the source; columns are 0-based and count bytes of UTF-8, as those of `ast`. None where Python keeps none."""

    line: int
    end_line: int | None
    column: int | None
    end_column: int | None


def position(code: CodeType, instruction: int, line: int) -> Position:
    """Where the expression stands that the instruction at this offset computes; `line` where Python does not know."""
    first, last, start, end = _positions(code)[instruction // 2] if instruction >= 0 else (line, None, None, None)
    if first is None or last is None or start is None or end is None:
        return Position(first or line, None, None, None)
    return Position(first, last, start, end)


@functools.lru_cache(maxsize=256)
def _positions(code: CodeType) -> list[Any]:
    return list(code.co_positions())


def tested_at(code: CodeType, instruction: int) -> int:
    """The offset of what computes the value that this instruction tests; of itself if it tests none.

    Python 3.11 places the jump of a truth test at the whole `if`.
    """
    names = [dis.opname[op] for op in code.co_code[: instruction + 2 : 2]]
    at = instruction // 2
    if instruction < 0 or not names[at].startswith(_TESTS):
        return instruction
    at -= 1
    while at > 0 and names[at] in _FILLERS:
        at -= 1
    return instruction if names[at].count("_FAST") > 1 else 2 * at  # two in one stand where the first of them does


_TESTS = ("POP_JUMP", "JUMP_IF", "TO_BOOL", "UNARY_NOT")
_FILLERS = {"CACHE", "COPY", "TO_BOOL", "EXTENDED_ARG", "NOT_TAKEN", "NOP", "SWAP"}


def compared(node: ast.AST | None) -> ast.AST | None:
    """The comparison of `not a > b`, which Python 3.13 places at the whole; any other node as it is."""
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Compare() as comparison):
            return comparison
    return node


def characters(text: str, utf8: int) -> int:
    """A column of a line that counts bytes of UTF-8, as `ast` and code objects do, in characters."""
    return utf8 if text.isascii() else len(text.encode()[:utf8].decode(errors="ignore"))


def in_characters(place: Position, filename: str) -> Position:
    """The same place with columns that count characters."""
    if place.column is None or place.end_column is None:
        return place
    first, last = (linecache.getline(filename, line) for line in (place.line, place.end_line or place.line))
    return place._replace(column=characters(first, place.column), end_column=characters(last, place.end_column))


def extent(code: CodeType, above: int = 0) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Where what a code object evaluates begins and ends: lines (with `above` more before them) and columns in UTF-8 bytes.

    It tells apart what stands on one line. None where Python keeps no columns.
    """
    begins, ends = [], []
    for line, end_line, column, end_column in code.co_positions():
        if line is not None and end_line is not None and column is not None and end_column:  # the prologue has no columns
            begins.append((line + above, column))
            ends.append((end_line + above, end_column))
    return (min(begins), max(ends)) if begins else None


def frames_of(error: BaseException, known: Callable[[str], bool]) -> Iterator[tuple[FrameType, int]]:
    """Frames of the error's traceback whose file `known` accepts, innermost first, with the instruction that failed."""
    found = []
    tb = error.__traceback__
    while tb is not None:
        if known(tb.tb_frame.f_code.co_filename):
            found.append((tb.tb_frame, tb.tb_lasti))
        tb = tb.tb_next
    yield from reversed(found)


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
