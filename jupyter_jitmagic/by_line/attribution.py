"""Time and cost of instructions, put on the lines of source that they came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from jupyter_jitmagic.by_line.equations import kind_of
from jupyter_jitmagic.by_line.estimates import cost
from jupyter_jitmagic.by_line.hlo import CONTROL_FLOW, Instruction, Place, Program
from jupyter_jitmagic.by_line.own_times import Executed

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
    """How much of `execute_s` was part of a fusion of several lines and was split by estimated cost, or has lost its line."""
    flops: float = 0.0
    bytes: float = 0.0
    instructions: float = 0.0

    @property
    def approximate(self) -> bool:
        """Whether more than a twentieth of the time is no measurement of this line alone."""
        return self.split_s > 0.05 * self.execute_s

    operations: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Seconds by operation, as JAX names it."""


def attributed(
    program: Program,
    ran: Executed,
    calls: int,
    is_users: Callable[[str], bool],
    lines_of: Mapping[str, Place] | None = None,
) -> dict[Key, Figures]:
    """The figures of every line of the program; those of `NOWHERE` belong to no line. Their times sum to the whole.

    Args:
        program: the compiled program.
        ran: what was seen of it; nothing where it was not run.
        calls: how many calls these are.
        is_users: whether a file is the user's.
        lines_of: `equations.lines_alone`, for operations whose line XLA has lost.
    """
    owners = _Owners(program, is_users, lines_of or {})
    lines: dict[Key, Figures] = defaultdict(Figures)
    _estimate(program, owners, ran, calls, lines)
    for name, seconds in ran.own_s.items():
        each = seconds / max(calls, 1)
        instruction = program.instructions.get(name)
        parts = owners.of(instruction) if instruction is not None else [Part((), False, "?", 1.0)]
        several = len({part.key for part in parts}) > 1
        for part in parts:
            line = lines[part.key]
            line.function = part.stack[0].function if part.stack else ""
            line.execute_s += each * part.share
            line.backward_s += each * part.share * part.backward
            line.split_s += each * part.share * (several or part.inferred)
            line.operations[part.operation] += each * part.share
            for key in {(place.file, place.line) for place in part.stack} or {NOWHERE}:
                lines[key].within_s += each * part.share
    for place in program.own_places:
        if (key := (place.file, place.line)) in lines:
            lines[key].function = lines[key].function or place.function
    return dict(lines)


class Part(NamedTuple):
    """Whose a part of an instruction is."""

    stack: tuple[Place, ...]
    """The user's places, innermost first."""
    backward: bool
    operation: str
    share: float
    inferred: bool = False
    """XLA has lost its line: it was found from its operation, or from what takes its result."""

    @property
    def key(self) -> Key:
        return (self.stack[0].file, self.stack[0].line) if self.stack else NOWHERE


class _Owners:
    """Whose each instruction of a program is."""

    def __init__(self, program: Program, is_users: Callable[[str], bool], lines_of: Mapping[str, Place]) -> None:
        self._program = program
        self._is_users = is_users
        self._lines_of = lines_of or self._lines_told()
        self._known: dict[str, list[Part]] = {}

    def of(self, instruction: Instruction) -> list[Part]:
        """Its own line's, or a fusion's inner lines', by estimated cost; the shares sum to 1."""
        if instruction.name not in self._known:
            found = self._told(instruction) or self._of_a_reduction(instruction) or self._near(instruction)
            self._known[instruction.name] = found or self._operations(instruction)
        return self._known[instruction.name]

    def stack(self, instruction: Instruction) -> tuple[Place, ...]:
        """The user's places of one instruction, or of what it applies; none where XLA has lost them."""
        for each in (instruction, *self._applied(instruction)):
            if stack := tuple(place for place in self._program.own_stack(each.frame) if self._is_users(place.file)):
                return stack
        return ()

    def _applied(self, instruction: Instruction) -> Iterator[Instruction]:
        for name in instruction.named("to_apply") if instruction.opcode not in CONTROL_FLOW else ():
            yield from self._program.computations.get(name, ())

    def _lines_told(self) -> dict[str, Place]:
        """As `equations.lines_alone`, from the places that are left in the program."""
        found: dict[str, set[Place]] = defaultdict(set)
        for each in self._program.instructions.values():
            if each.op_name and (stack := self.stack(each)):
                found[kind_of(operation_of(each))].add(stack[0]._replace(column=None))
        return {name: next(iter(places)) for name, places in found.items() if len(places) == 1}

    def _told(self, instruction: Instruction) -> list[Part]:
        """By the places that XLA tells, else by an operation that one line alone has."""
        for stack_of, inferred in ((self.stack, False), (self._only_line, True)):
            weights: dict[tuple[tuple[Place, ...], bool, str], float] = defaultdict(float)
            for inner in self._parts(instruction):
                if stack := stack_of(inner):
                    weights[stack, inner.is_backward, operation_of(inner)] += cost(self._program, inner).weight
            whole = sum(weights.values())
            if whole:
                return [Part(*key, weight / whole, inferred) for key, weight in weights.items()]
            if stack := stack_of(instruction):
                return [Part(stack, instruction.is_backward, operation_of(instruction), 1.0, inferred)]
        return []

    def _parts(self, instruction: Instruction) -> list[Instruction]:
        return list(self._program.within(instruction)) if instruction.opcode == "fusion" else []

    def _only_line(self, instruction: Instruction) -> tuple[Place, ...]:
        applied = (each.op_name for each in self._applied(instruction))
        names = [instruction.op_name, *applied, _PRIMITIVES.get(instruction.opcode, "")]
        places = (self._lines_of.get(kind_of(name.rpartition("/")[2])) for name in names if name)
        return next(((place,) for place in places if place is not None), ())

    def _near(self, instruction: Instruction) -> list[Part]:
        """XLA adds copies and conversions of its own: they are for the line whose result they take, or, of an argument, for the
        one that takes theirs, as far as one is near; of what a loop carries, for the loop's."""
        if any(each.opcode not in _MADE_BY_XLA for each in self._parts(instruction) or [instruction]):
            return []  # it computes: this is some line's work, and which is not known
        for towards in (self._operands, self._program.users):
            todo = [(each, 0) for each in towards(instruction)]
            seen: set[str] = set()
            while todo:
                other, far = todo.pop(0)
                if other.name in seen or far > _NEAR:
                    continue
                seen.add(other.name)
                if told := self._told(other):
                    part = max(told, key=lambda each: each.share)
                    return [Part(part.stack, part.backward, instruction.opcode, 1.0, True)]
                todo += [(each, far + 1) for each in towards(other)]
        around = self._program.around(instruction)
        while around is not None and not self._told(around):
            around = self._program.around(around)
        if around is None:
            return []
        return [self._told(around)[0]._replace(operation=instruction.opcode, share=1.0, inferred=True)]

    def _of_a_reduction(self, instruction: Instruction) -> list[Part]:
        """XLA splits a long reduction in two, of which the first one, by windows, has no place."""
        if all(each.opcode != "reduce-window" for each in self._parts(instruction) or [instruction]):
            return []
        for user in self._program.users(instruction):
            for each in self._parts(user) or [user]:
                if each.opcode == "reduce" and (stack := self.stack(each)):
                    return [Part(stack, each.is_backward, operation_of(each), 1.0, True)]
        return []

    def _operands(self, instruction: Instruction) -> list[Instruction]:
        return [found for name in instruction.operands if (found := self._program.instructions.get(name))]

    def _operations(self, instruction: Instruction) -> list[Part]:
        """No line: what is known is the operations."""
        weights: dict[str, float] = defaultdict(float)
        for inner in self._parts(instruction):
            weights[operation_of(inner)] += cost(self._program, inner).weight
        whole = sum(weights.values())
        if not whole:
            return [Part((), instruction.is_backward, operation_of(instruction), 1.0)]
        return [Part((), False, name, weight / whole) for name, weight in weights.items() if weight]


_NEAR = 4
"""Steps from an instruction to the one whose line it is given."""

_MADE_BY_XLA = frozenset(
    {"bitcast", "broadcast", "concatenate", "convert", "copy", "copy-done", "copy-start", "pad", "reshape", "slice"}
    | {"constant", "get-tuple-element", "iota", "parameter", "transpose", "tuple"}
)
"""Operations that XLA adds: one that stands beside a line's is for that line."""

_PRIMITIVES = {
    "convolution": "conv_general_dilated",
    "dot": "dot_general",
    "sort": "sort",
    "fft": "fft",
    "reduce-window": "reduce_window",
}
"""What JAX calls operations of which XLA drops the place when it changes their layout."""


def operation_of(instruction: Instruction) -> str:
    """The operation as JAX names it ("dot_general"), else as XLA does ("copy")."""
    return instruction.op_name.rpartition("/")[2] or instruction.opcode


def _estimate(program: Program, owners: _Owners, ran: Executed, calls: int, lines: dict[Key, Figures]) -> None:
    part_of_calls = ran.calls / max(calls, 1) if ran.calls else 1.0
    for computation, times in program.times({name: count / max(ran.calls, 1) for name, count in ran.times.items()}).items():
        count = times * part_of_calls
        for instruction in program.computations.get(computation, ()):
            if instruction.opcode in _NO_WORK:
                continue
            parts = owners.of(instruction)
            inner = list(program.within(instruction)) if instruction.opcode == "fusion" else [instruction]
            # a fusion reads its inputs and writes its output; what it computes between stays where it is
            moved = cost(program, instruction).bytes
            for part in parts:
                lines[part.key].bytes += count * moved * part.share
            for each in inner:
                stack, costs = owners.stack(each), cost(program, each)
                own = [Part(stack, False, "", 1.0)] if stack else parts
                for part in own:
                    line = lines[part.key]
                    line.flops += count * (costs.flops + costs.transcendentals) * part.share
                    line.instructions += (each.opcode not in _NO_WORK) * part.share


_NO_WORK = ("parameter", "constant", "tuple", "get-tuple-element")


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
