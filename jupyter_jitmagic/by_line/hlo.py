"""XLA's optimised program as plain data: its instructions, and the lines of source that each came from.

Reads the text that ``compiled.as_text()`` gives. Knows nothing of JAX. A leaf.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Place(NamedTuple):
    """A line of source, and the function it stands in by its qualified name; columns are XLA's, or None."""

    file: str
    line: int
    function: str
    column: int | None = None


@dataclass(slots=True)
class Instruction:
    name: str
    opcode: str
    shape: str
    operands: tuple[str, ...]
    attributes: str
    """All that stands after the operands, as written."""
    op_name: str
    """JAX's path to the equation, as "jit(f)/while/body/mul"."""
    frame: int | None
    """Its stack frame: see `Program.stack`."""
    computation: str

    def named(self, attribute: str) -> tuple[str, ...]:
        """The computations that an attribute names, as ``calls=%a`` or ``branch_computations={%a, %b}``."""
        found = re.search(rf"\b{attribute}=(\{{[^}}]*\}}|%?[\w.\-]+)", self.attributes)
        return tuple(re.findall(r"[\w.\-]+", found[1])) if found else ()

    @property
    def is_backward(self) -> bool:
        """Whether it belongs to the backward pass of a gradient: JAX transposes what it differentiated."""
        return "transpose(" in self.op_name

    @property
    def trips(self) -> int | None:
        """How often it runs what is inside it: of a `while` None where XLA does not know."""
        found = re.search(r'"known_trip_count":\{"n":"(\d+)"', self.attributes)
        return int(found[1]) if found else None if self.opcode == "while" else 1


def module_name(function: str) -> str:
    """What JAX calls the program of a function of this name."""
    return "jit_" + re.sub(r"\W", "_", function).rstrip("_")


_INSIDE = ("body", "condition", "branch_computations", "true_computation", "false_computation", "to_apply", "calls")


@dataclass
class Program:
    """One compiled program."""

    name: str
    entry: str = ""
    computations: dict[str, list[Instruction]] = field(default_factory=dict)
    instructions: dict[str, Instruction] = field(default_factory=dict)
    frames: dict[int, tuple[Place, int]] = field(default_factory=dict)
    """By number: the place, and the number of the frame that called it (0: none)."""
    _users: dict[str, list[Instruction]] = field(default_factory=dict)
    _callers: int | None = None

    def is_of(self, function: str) -> bool:
        """Whether this is the program of a function of this qualified name."""
        return self.name.rstrip("_") == module_name(function.rpartition(".")[2])

    @property
    def is_named(self) -> bool:
        """Whether it has its function's name; of a callable object JAX takes none."""
        return "unnamed" not in self.name

    def stack(self, frame: int | None) -> tuple[Place, ...]:
        """The places that led to an instruction, innermost first."""
        places: list[Place] = []
        while frame in self.frames and len(places) < 1000:
            place, frame = self.frames[frame]
            places.append(place)
        return tuple(places)

    def own_stack(self, frame: int | None) -> tuple[Place, ...]:
        """The places in the traced function and in what it calls, without those that led to its call."""
        stack = self.stack(frame)
        if self._callers is None:
            self._callers = self._count_callers()
        if len(stack) > self._callers:
            stack = stack[: len(stack) - self._callers]
        # no function is traced at a module's top
        return stack[: next((i for i, place in enumerate(stack) if place.function == "<module>"), len(stack))]

    def _count_callers(self) -> int:
        """How many places, of the outermost, led to the call: the same for every instruction, but all places of none.

        They end where the function of the program's name begins; where none has that name, or a decorator stands around it,
        where the instructions' ways part.
        """
        stacks = {self.stack(each.frame) for each in self.instructions.values() if each.frame is not None} - {()}
        if not stacks:
            return 0
        outermost = Counter(stack[-1] for stack in stacks).most_common(1)[0][0]
        stacks = {stack for stack in stacks if stack[-1] == outermost}
        begins = Counter(
            len(stack) - 1 - at
            for stack in stacks
            if (at := max((i for i, place in enumerate(stack) if self.is_of(place.function)), default=None)) is not None
        )
        shortest = min(map(len, stacks))
        if begins:
            return min(begins.most_common(1)[0][0], shortest - 1)
        common = next((i for i in range(shortest) if len({stack[-1 - i] for stack in stacks}) > 1), shortest)
        return min(common, shortest - 1)

    @functools.cached_property
    def own_places(self) -> frozenset[Place]:
        """The places of all instructions in the traced function and in what it calls."""
        frames = {each.frame for each in self.instructions.values()}
        return frozenset(place for frame in frames for place in self.own_stack(frame))

    def users(self, instruction: Instruction) -> list[Instruction]:
        """The instructions of the same computation that take its result."""
        if not self._users:
            for other in self.instructions.values():
                for operand in other.operands:
                    self._users.setdefault(operand, []).append(other)
        return self._users.get(instruction.name, [])

    def around(self, instruction: Instruction) -> Instruction | None:
        """The loop, branch or call that an instruction is inside of."""
        return self._around.get(instruction.computation)

    @functools.cached_property
    def _around(self) -> dict[str, Instruction]:
        control = [each for each in self.instructions.values() if each.opcode in CONTROL_FLOW]
        return {name: each for each in control for attribute in _INSIDE for name in each.named(attribute)}

    def within(self, instruction: Instruction) -> Iterator[Instruction]:
        """The instructions of a fusion or of a loop, those of theirs included; not what a reduction applies."""
        inner = _INSIDE if instruction.opcode not in _APPLYING else ("calls",)
        for attribute in inner:
            for computation in instruction.named(attribute):
                for part in self.computations.get(computation, ()):
                    yield part
                    yield from self.within(part)

    def times(self, ran: Mapping[str, float]) -> dict[str, float]:
        """How often each computation that is executed as such runs in a call.

        Args:
            ran: by instruction, how often it was seen to run in a call. Without that a loop of unknown length counts once, as
                does each branch.
        """
        found: dict[str, float] = {}
        todo = [(self.entry, 1.0)]
        while todo:
            computation, times = todo.pop()
            found[computation] = found.get(computation, 0.0) + times
            for instruction in self.computations.get(computation, ()):
                if instruction.opcode not in CONTROL_FLOW:
                    continue
                inner = [name for attribute in _INSIDE for name in instruction.named(attribute)]
                seen = {name: self._most_ran(name, ran) for name in inner}
                counted = instruction.trips is None or instruction.opcode == "conditional"
                known = counted and any(seen.values())
                todo += [(name, seen[name] if known else times * (instruction.trips or 1)) for name in inner]
        return found

    def _most_ran(self, computation: str, ran: Mapping[str, float]) -> float:
        """How often a computation ran, by what most of its instructions say: an inner branch may have run less often."""
        found = Counter(ran[each.name] for each in self.computations.get(computation, ()) if each.name in ran)
        return max(found, key=lambda count: (found[count], count), default=0.0)


_APPLYING = {"reduce", "reduce-window", "scatter", "map", "sort", "all-reduce", "reduce-scatter", "select-and-scatter"}
CONTROL_FLOW = {"while", "conditional", "call", "async-start"}

_HEAD = re.compile(r"(?:ENTRY )?%?([\w.\-]+) \(.*\) -> .*\{\s*$")
_FRAME_ID = re.compile(r"stack_frame_id=(\d+)")
_OP_NAME = re.compile(r'op_name="((?:[^"\\]|\\.)*)"')
_OLD_PLACE = re.compile(r'source_file="([^"]*)" source_line=(\d+)')


def read(text: str) -> Program:
    """The program whose text this is.

    Example:
        >>> program = read(compiled.as_text())
        >>> [each.opcode for each in program.computations[program.entry]]
        ['parameter', 'fusion']
    """
    lines = text.splitlines()
    name = re.match(r"HloModule ([\w.\-]+)", text)
    program = Program(name[1] if name else "")
    computation = ""
    table = ""
    rows: dict[str, dict[int, str]] = {}
    old: dict[tuple[str, int], int] = {}
    for line in lines:
        if line in _TABLES:
            table = line
        elif table and (row := re.match(r"(\d+) (.*)", line)):
            rows.setdefault(table, {})[int(row[1])] = row[2]
        elif (head := _HEAD.match(line)) and not line.startswith(" "):
            table, computation = "", head[1]
            program.computations[computation] = []
            if line.startswith("ENTRY"):
                program.entry = computation
        elif line.startswith("  ") and computation and (instruction := _instruction(line, computation)):
            if instruction.frame is None and (place := _OLD_PLACE.search(line)):
                instruction.frame = old.setdefault((place[1], int(place[2])), -1 - len(old))
            program.computations[computation].append(instruction)
            program.instructions[instruction.name] = instruction
    program.frames = _frames(rows)
    program.frames.update({number: (Place(file, line, ""), 0) for (file, line), number in old.items()})
    return program


def stacks_by_line(text: str) -> Iterator[tuple[Place, ...]]:
    """For each line of a program's text the places that led to its instruction, innermost first; none where it has none."""
    program = read(text)
    for line in text.split("\n"):
        if frame := _FRAME_ID.search(line):
            yield program.stack(int(frame[1]))
        else:
            place = _OLD_PLACE.search(line)
            yield (Place(place[1], int(place[2]), ""),) if place else ()


_TABLES = {"FileNames", "FunctionNames", "FileLocations", "StackFrames"}


def _frames(rows: dict[str, dict[int, str]]) -> dict[int, tuple[Place, int]]:
    files, functions = ({number: _text(row) for number, row in rows.get(name, {}).items()} for name in _NAMES)
    locations = {number: _numbers(row) for number, row in rows.get("FileLocations", {}).items()}
    frames = {number: _numbers(row) for number, row in rows.get("StackFrames", {}).items()}
    # XLA writes the caller's number plus one: a frame that nobody called then names itself
    shift = int(any(row.get("parent_frame_id") == number for number, row in frames.items()))
    found: dict[int, tuple[Place, int]] = {}
    for number, row in frames.items():
        at = locations.get(row.get("file_location_id", 0), {})
        place = Place(
            files.get(at.get("file_name_id", 0), ""),
            at.get("line", 0),
            functions.get(at.get("function_name_id", 0), ""),
            at.get("column"),
        )
        caller = row.get("parent_frame_id", 0) - shift
        found[number] = place, caller if caller != number else 0
    return found


_NAMES = ("FileNames", "FunctionNames")


def _text(row: str) -> str:
    return re.sub(r"\\(.)", r"\1", row.strip()[1:-1])


def _numbers(row: str) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", row)}


def _instruction(line: str, computation: str) -> Instruction | None:
    name, equals, rest = line.strip().removeprefix("ROOT ").partition(" = ")
    if not equals:
        return None
    shape_end = _closing(rest, 0) + 1 if rest.startswith("(") else rest.find(" ")
    shape, rest = rest[:shape_end], rest[shape_end:].lstrip()
    opcode, bracket, _ = rest.partition("(")
    if not bracket:
        return None
    end = _closing(rest, len(opcode))
    attributes = rest[end + 1 :]
    frame, op_name = _FRAME_ID.search(attributes), _OP_NAME.search(attributes)
    return Instruction(
        name.lstrip("%"),
        opcode,
        shape,
        tuple(re.findall(r"%([\w.\-]+)", rest[len(opcode) : end])),
        attributes,
        op_name[1] if op_name else "",
        int(frame[1]) if frame else None,
        computation,
    )


def _closing(text: str, opening: int) -> int:
    """Where the bracket closes that opens there."""
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    return len(text) - 1
