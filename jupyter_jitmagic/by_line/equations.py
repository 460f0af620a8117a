"""A traced program's equations, each on the line of the user's source that made it, and how often a Python loop repeated it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
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
        for equation in inner.eqns:
            own, maker = _stack(equation, is_users)
            stack = own or called_from  # what JAX's own jitted functions consist of has no place of its own
            made = (caller, id(inner), equation.primitive.name, maker)
            yield equation, stack, made if own else ()
            for value in equation.params.values():
                for item in value if isinstance(value, tuple | list) else (value,):
                    item = getattr(item, "jaxpr", item)
                    if hasattr(item, "eqns"):
                        todo.append((item, stack, made))


def _stack(equation: Any, is_users: Callable[[str], bool]) -> tuple[tuple[Place, ...], tuple[Any, ...]]:
    traceback = getattr(equation.source_info, "traceback", None)
    if traceback is None:
        return (), ()
    codes, instructions = traceback.raw_frames()
    places = tuple(
        Place(code.co_filename, position(code, instruction, code.co_firstlineno).line, code.co_qualname)
        for code, instruction in zip(codes, instructions, strict=True)
        if is_users(code.co_filename)
    )
    return places, tuple(zip(codes, instructions, strict=True))


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


def usual(counts: list[int]) -> int:
    """The count that most of what is counted has: in [700, 700, 1] it is 700; 0 of nothing."""
    together: Counter[int] = Counter()
    for count in counts:
        together[count] += count
    return max(together, key=lambda count: (together[count], count), default=0)
