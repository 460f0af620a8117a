"""A traced program's equations, each on the line of the user's source that made it, and how often a Python loop repeated it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from jupyter_jitmagic.by_line.hlo import Place
from jupyter_jitmagic.usercode.ownership import is_library
from jupyter_jitmagic.usercode.places import position


class Equation(NamedTuple):
    """One equation, loops' bodies included."""

    primitive: str
    stack: tuple[Place, ...]
    """The user's places that led to it, innermost first; empty where JAX knows none."""
    maker: tuple[Any, ...]
    """The same for every equation that the same instruction of Python made on the same way: a loop made it again. Empty where
    the user's code did not make it itself."""
    backward: bool
    """Whether it belongs to the backward pass of a gradient."""


def equations(jaxpr: Any, is_users: Callable[[str], bool] = lambda file: not is_library(file)) -> Iterator[Equation]:
    """Every equation of a closed jaxpr, those of loops, branches and calls once each."""
    for equation, stack, maker in _walk(jaxpr, is_users):
        backward = "transpose(" in str(equation.source_info.name_stack)
        yield Equation(equation.primitive.name, stack, maker, backward)


def equations_of(jaxpr: Any, is_users: Callable[[str], bool]) -> Iterator[tuple[Any, tuple[Place, ...]]]:
    """Every equation as JAX has it, with the user's places that led to it."""
    for equation, stack, _ in _walk(jaxpr, is_users):
        yield equation, stack


def _walk(jaxpr: Any, is_users: Callable[[str], bool]) -> Iterator[tuple[Any, tuple[Place, ...], tuple[Any, ...]]]:
    todo: list[tuple[Any, tuple[Place, ...], tuple[Any, ...]]] = [(getattr(jaxpr, "jaxpr", jaxpr), (), ())]
    while todo:
        inner, called_from, caller = todo.pop()
        outside = _outside(inner, is_users)
        for equation in inner.eqns:
            own, maker = _stack(equation, outside, is_users)
            # what JAX's own jitted functions consist of has no place of its own; one that was traced before, for another line,
            # is for this one now
            stack = own if outside is None and own else own + called_from
            made = (caller, id(inner), equation.primitive.name, maker)
            yield equation, stack, made if own else ()
            for value in equation.params.values():
                for item in value if isinstance(value, tuple | list) else (value,):
                    item = getattr(item, "jaxpr", item)
                    if hasattr(item, "eqns"):
                        todo.append((item, stack, made))


def _outside(jaxpr: Any, is_users: Callable[[str], bool]) -> int | None:
    """How many frames, of the outermost, led to the function that a jaxpr was traced from: the same for all its equations, but
    none of the function's own. None where JAX does not tell which function it was."""
    told = re.fullmatch(r".* at (.*):(\d+)", str(getattr(getattr(jaxpr, "debug_info", None), "func_src_info", "")))
    if told is None:
        return None
    begins = told[1], int(told[2])
    found: Counter[int] = Counter()
    for equation in jaxpr.eqns:
        traceback = getattr(equation.source_info, "traceback", None)
        codes = traceback.raw_frames()[0] if traceback is not None else ()
        at = next((i for i in reversed(range(len(codes))) if (codes[i].co_filename, codes[i].co_firstlineno) == begins), None)
        if at is not None:
            while at + 1 < len(codes) and is_users(codes[at].co_filename) and is_users(codes[at + 1].co_filename):
                at += 1  # a decorator's
            found[len(codes) - at - 1] += 1
    return found.most_common(1)[0][0] if found else None


def _stack(equation: Any, outside: int | None, is_users: Callable[[str], bool]) -> tuple[tuple[Place, ...], tuple[Any, ...]]:
    traceback = getattr(equation.source_info, "traceback", None)
    if traceback is None:
        return (), ()
    codes, instructions = traceback.raw_frames()
    frames = list(zip(codes, instructions, strict=True))
    places = tuple(
        Place(code.co_filename, position(code, instruction, code.co_firstlineno).line, code.co_qualname)
        for code, instruction in (frames[: len(frames) - outside] if outside else frames)
        if is_users(code.co_filename)
    )
    return places, tuple(frames)


def repeats(found: list[Equation]) -> dict[tuple[str, int], int]:
    """How often a Python loop repeated each (file, line): what most of the equations made right there have in common.

    A first round that differs (a Python number becomes an array) makes a few equations of its own, so that neither the
    smallest nor the largest number of repeats is the loop's.
    """
    makers: dict[tuple[str, int], Counter[Any]] = defaultdict(Counter)
    for each in found:
        if each.maker and not each.backward:
            makers[each.stack[0].file, each.stack[0].line][each.maker] += 1
    return {line: usual(list(counts.values())) for line, counts in makers.items()}


def lines_alone(found: Iterable[Equation]) -> dict[str, Place]:
    """Of each kind of operation (`kind_of`) that one line alone has made: that line."""
    places: dict[str, set[Place]] = defaultdict(set)
    for each in found:
        places[kind_of(each.primitive)].add(each.stack[0] if each.stack else _NOWHERE)
    return {name: next(iter(at)) for name, at in places.items() if len(at) == 1 and _NOWHERE not in at}


_NOWHERE = Place("", 0, "")


def kind_of(primitive: str) -> str:
    """A primitive's name; of those that are lowered to the same operation, the same one."""
    return "reduce_window" if primitive.startswith(("reduce_window", "cum")) else primitive


def usual(counts: list[int]) -> int:
    """The count that most of what is counted has: in [700, 700, 1] it is 700; 0 of nothing."""
    together: Counter[int] = Counter()
    for count in counts:
        together[count] += count
    return max(together, key=lambda count: (together[count], count), default=0)
