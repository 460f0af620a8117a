"""Time and cost of instructions, put on the lines of source that they came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from jupyter_jitmagic.by_line.estimates import Cost, cost
from jupyter_jitmagic.by_line.hlo import Instruction, Place, Program

Key = tuple[str, int]
"""A file and a line."""
NOWHERE: Key = ("", 0)
"""What has no line of the user's."""


@dataclass
class Figures:
    """What one line comes to, for one call of the program."""

    function: str = ""
    """The qualified name of the function that the line is in."""
    execute_s: float = 0.0
    """Itself: operations that this line wrote, not those of functions that it calls."""
    within_s: float = 0.0
    """With the functions that it calls."""
    backward_s: float = 0.0
    """How much of `execute_s` is the backward pass."""
    split_s: float = 0.0
    """How much of `execute_s` was part of a fusion of several lines and was split by estimated cost."""
    flops: float = 0.0
    bytes: float = 0.0
    instructions: int = 0

    @property
    def approximate(self) -> bool:
        """Whether more than a twentieth of the time is no measurement of this line alone."""
        return self.split_s > 0.05 * self.execute_s

    operations: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Seconds by operation, as JAX names it."""


def attributed(program: Program, own_s: Mapping[str, float], calls: int, is_users: Callable[[str], bool]) -> dict[Key, Figures]:
    """The figures of every line of the program; those of `NOWHERE` belong to no line. Their times sum to the whole.

    Args:
        program: the compiled program.
        own_s: by instruction, seconds of its own over all calls; empty where nothing was measured.
        calls: how many calls these are.
        is_users: whether a file is the user's.
    """
    lines: dict[Key, Figures] = defaultdict(Figures)
    _estimate(program, lines, is_users)
    for name, seconds in own_s.items():
        each = seconds / max(calls, 1)
        instruction = program.instructions.get(name)
        parts = _parts(program, instruction, is_users)
        inferred = not parts[0][0]
        if inferred and instruction is not None:
            parts = _of_neighbours(program, instruction, is_users) or parts
        for stack, backward, operation, part in parts:
            line = lines[_key(stack)]
            line.function = stack[0].function if stack else ""
            line.execute_s += each * part
            line.backward_s += each * part * backward
            line.split_s += each * part * (inferred or len({_key(other) for other, *_ in parts}) > 1)
            line.operations[operation] += each * part
            for key in {(place.file, place.line) for place in stack} or {NOWHERE}:
                lines[key].within_s += each * part
    return dict(lines)


_Part = tuple[tuple[Place, ...], bool, str, float]
"""The user's places, innermost first; whether it is the backward pass's; the operation; its share."""


def _parts(program: Program, instruction: Instruction | None, is_users: Callable[[str], bool]) -> list[_Part]:
    """Whose an instruction's time is: its own line's, or a fusion's inner lines', by estimated cost."""
    if instruction is None:
        return [((), False, "?", 1.0)]
    weights: dict[tuple[tuple[Place, ...], bool, str], float] = defaultdict(float)
    if instruction.opcode == "fusion":
        for inner in program.within(instruction):
            if stack := _users(program, inner, is_users):
                weights[stack, inner.is_backward, operation_of(inner)] += cost(program, inner).weight
    whole = sum(weights.values())
    if not whole:
        return [(_users(program, instruction, is_users), instruction.is_backward, operation_of(instruction), 1.0)]
    return [(*key, weight / whole) for key, weight in weights.items()]


def _of_neighbours(program: Program, instruction: Instruction, is_users: Callable[[str], bool]) -> list[_Part]:
    """XLA adds copies and conversions of its own: they are for the line whose result they take, or, of an argument, for the one
    that takes theirs, as far as one is near."""
    for towards in (_operands, Program.users):
        todo = [(each, 0) for each in towards(program, instruction)]
        seen: set[str] = set()
        while todo:
            other, far = todo.pop(0)
            if other.name in seen or far > _NEAR:
                continue
            seen.add(other.name)
            if stack := _users(program, other, is_users):
                return [(stack, other.is_backward, instruction.opcode, 1.0)]
            todo += [(each, far + 1) for each in towards(program, other)]
    return []


def _operands(program: Program, instruction: Instruction) -> list[Instruction]:
    return [found for name in instruction.operands if (found := program.instructions.get(name))]


_NEAR = 4
"""Steps from an instruction to the one whose line it is given."""


def operation_of(instruction: Instruction) -> str:
    """The operation as JAX names it ("dot_general"), else as XLA does ("copy")."""
    return instruction.op_name.rpartition("/")[2] or instruction.opcode


def _users(program: Program, instruction: Instruction, is_users: Callable[[str], bool]) -> tuple[Place, ...]:
    stack = [place for place in program.stack(instruction.frame) if is_users(place.file)]
    outermost = max((i for i, place in enumerate(stack) if program.is_of(place.function)), default=None)
    if outermost is None and program.is_named:
        return ()  # the line that made the call, and no line of the function
    return tuple(stack if outermost is None else stack[: outermost + 1])


def _key(stack: tuple[Place, ...]) -> Key:
    return (stack[0].file, stack[0].line) if stack else NOWHERE


def _estimate(program: Program, lines: dict[Key, Figures], is_users: Callable[[str], bool]) -> None:
    times = program.times()
    for computation, count in times.items():
        for instruction in program.computations.get(computation, ()):
            if instruction.opcode in ("parameter", "constant", "tuple", "get-tuple-element"):
                continue
            inner = list(program.within(instruction)) if instruction.opcode == "fusion" else [instruction]
            moved = cost(program, instruction).bytes
            costs = [(part, cost(program, part)) for part in inner]
            whole = sum(each.weight for _, each in costs)
            for part, each in costs:
                line = lines[_key(_users(program, part, is_users))]
                line.flops += count * (each.flops + each.transcendentals)
                # a fusion reads its inputs and writes its output; what it computes between stays where it is
                line.bytes += count * (
                    moved * _share(each, whole, len(costs)) if instruction.opcode == "fusion" else each.bytes
                )
                line.instructions += part.opcode not in ("parameter", "constant")


def _share(part: Cost, whole: float, parts: int) -> float:
    return part.weight / whole if whole else 1 / parts


def added(parts: Iterable[dict[Key, Figures]]) -> dict[Key, Figures]:
    """Several programs', or several devices', figures together."""
    total: dict[Key, Figures] = defaultdict(Figures)
    for lines in parts:
        for key, figures in lines.items():
            line = total[key]
            line.function = line.function or figures.function
            for name in ("execute_s", "within_s", "backward_s", "split_s", "flops", "bytes", "instructions"):
                setattr(line, name, getattr(line, name) + getattr(figures, name))
            for operation, seconds in figures.operations.items():
                line.operations[operation] += seconds
    return dict(total)
