"""What a traced program consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

MANY_EQUATIONS = 4000
"""From here on compiling a program takes XLA minutes rather than seconds."""
SOME_EQUATIONS = 1000
"""From here on it may: half a second where rounds need little of each other, a minute where each needs the last."""


def equations_in(jaxpr: Any) -> Iterator[Any]:
    """Equations of a closed jaxpr, those inside loops and branches once."""
    stack = [getattr(jaxpr, "jaxpr", jaxpr)]
    while stack:
        inner = stack.pop()
        for equation in inner.eqns:
            yield equation
            stack.extend(within(equation))


def kinds_of_equations(jaxpr: Any) -> Iterator[Any]:
    """The same, but those of a program that is called several times once: for asking whether there is one of some kind."""
    seen: set[int] = set()
    stack = [getattr(jaxpr, "jaxpr", jaxpr)]
    while stack:
        program = stack.pop()
        if id(program) not in seen:
            seen.add(id(program))
            yield from program.eqns
            stack.extend(each for equation in program.eqns for each in within(equation))


def joins_flags(program: Any) -> bool:
    """Whether a traced program joins flags, as it does for their sum."""
    return any(each.primitive.name == "or" and each.outvars[0].aval.dtype == bool for each in kinds_of_equations(program.jaxpr))


def within(equation: Any) -> Iterator[Any]:
    """The programs inside a loop or branch."""
    for value in equation.params.values():
        if type(value) in _NO_PROGRAMS:
            continue
        for item in value if isinstance(value, tuple | list) else (value,):
            if type(item) in _NO_PROGRAMS:
                continue
            item = getattr(item, "jaxpr", item)
            if hasattr(item, "eqns"):
                yield item


_NO_PROGRAMS = frozenset({int, float, bool, str, type(None)})
"""What most parameters of equations are: there are thousands, and asking each of them for a program takes long."""


def _inner_first(jaxpr: Any) -> Iterator[tuple[Any, list[tuple[str, Any]]]]:
    """A closed jaxpr's programs, each behind those that it calls, and these with their calls' primitives. One that is called
    several times comes once: as a recursion writes them the calls double with each level."""
    called: dict[int, list[tuple[str, Any]]] = {}
    done: set[int] = set()
    stack = [getattr(jaxpr, "jaxpr", jaxpr)]
    while stack:
        program = stack[-1]
        if id(program) not in called:
            called[id(program)] = [(each.primitive.name, inner) for each in program.eqns for inner in within(each)]
            stack.extend(inner for _, inner in called[id(program)])
            continue
        stack.pop()
        if id(program) not in done:
            done.add(id(program))
            yield program, called[id(program)]


_MOVES = frozenset(
    {"broadcast_in_dim", "concatenate", "convert_element_type", "copy", "iota", "jit", "pjit", "reshape", "slice"}
    | {"random_unwrap", "random_wrap", "squeeze", "transpose"}
)
"""Operations that compute nothing."""
_READS = frozenset({"dynamic_slice", "gather"})
"""Operations that take a part of an array; what comes after it says which."""


def work_in(jaxpr: Any) -> int:
    """How many of a closed jaxpr's equations compute something: taking an element (`v[i]`) does not."""
    stack, work = [getattr(jaxpr, "jaxpr", jaxpr)], 0
    while stack:
        inner = stack.pop()
        wanted = {id(each) for each in inner.outvars}
        for equation in reversed(inner.eqns):
            if wanted.isdisjoint(map(id, equation.outvars)) and not equation.effects:
                continue
            reads = equation.primitive.name in _READS
            wanted.update(map(id, equation.invars[:1] if reads else equation.invars))
            work += not reads and equation.primitive.name not in _MOVES
            stack.extend(within(equation))
    return work


def count_equations(jaxpr: Any) -> int:
    """How many equations a closed jaxpr has, those inside loops and branches counted once."""
    counts: dict[int, int] = {}
    count = 0
    for program, calls in _inner_first(jaxpr):
        count = counts[id(program)] = len(program.eqns) + sum(counts[id(inner)] for _, inner in calls)
    return count


def written_out(jaxpr: Any) -> float:
    """How many operations a closed jaxpr's largest result takes where a value that is used again is computed again: what XLA's
    older code generator may make of one fused loop. The programs in loops and branches are functions of their own."""
    return _largest(jaxpr, sum)


def longest_chain(jaxpr: Any) -> float:
    """How many operations of a closed jaxpr need each other's results in turn, at most; loops and branches by themselves."""
    return _largest(jaxpr, max)


def _largest(jaxpr: Any, joined: Callable[[Sequence[float]], float]) -> float:
    """The largest number of an operation in a closed jaxpr: 1 more than its operands' are joined."""
    largest = 0.0

    def follow(inner: Any, given: Sequence[float]) -> list[float]:
        nonlocal largest
        sizes = dict(zip(inner.invars, given, strict=True))
        for equation in inner.eqns:
            operands = [0.0 if hasattr(atom, "val") else sizes.get(atom, 0.0) for atom in equation.invars]
            inners = list(within(equation))
            if equation.primitive.name in _INLINED and len(inners) == 1 and len(inners[0].invars) == len(operands):
                made = follow(inners[0], operands)
            else:
                for each in inners:
                    follow(each, [0.0] * len(each.invars))
                made = [0.0 if inners else 1.0 + joined([0.0, *operands])] * len(equation.outvars)
            sizes.update(zip(equation.outvars, made, strict=True))
            largest = max(largest, *made, 0.0)
        return [0.0 if hasattr(atom, "val") else sizes.get(atom, 0.0) for atom in inner.outvars]

    opened = getattr(jaxpr, "jaxpr", jaxpr)
    follow(opened, [0.0] * len(opened.invars))
    return largest


_INLINED = frozenset({"jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "remat", "checkpoint"})
"""Calls of a program whose operations become their caller's."""


_NESTED = {"cond": 1 / 200, "jit": 1 / 150, "pjit": 1 / 150}
_NESTED_LOOP = 1 / 75
"""What a program within another takes of the stack on which XLA reads them (jaxlib 0.10): past its end the process ends."""


def is_nested_too_deep(jaxpr: Any) -> bool:
    """Whether programs stand in one another so often, as a recursion writes them, that XLA's compiler does not survive it."""
    takes: dict[int, float] = {}
    most = 0.0
    for program, calls in _inner_first(jaxpr):
        most = max((_NESTED.get(name, _NESTED_LOOP) + takes[id(inner)] for name, inner in calls), default=0.0)
        takes[id(program)] = most
    return most > 1


class NotCompiled(TypeError):
    """What was traced will not compile: NumPy's own `np.argsort(x)` hands JAX an option that no compiler takes, a recursion
    makes too many programs within programs."""


def not_compilable(jaxpr: Any) -> NotCompiled | None:
    """The error that JAX will meet when it lowers a program that it traced."""
    if any(each.primitive.name == "sort" and each.params.get("is_stable", True) is None for each in kinds_of_equations(jaxpr)):
        return NotCompiled("np.argsort() asks JAX for a sort that does not compile")
    if is_nested_too_deep(jaxpr):
        return NotCompiled("jits, branches or loops stand in one another too often: XLA ends the process when it compiles them")
    return None
