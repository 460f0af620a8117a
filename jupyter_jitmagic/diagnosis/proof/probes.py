"""What the plain runs reach: probes at the branches and loops in question, which also stop a run when its time is up."""

from __future__ import annotations

import ast
import sys
import textwrap
from dataclasses import dataclass, field
from typing import Any

from jupyter_jitmagic.diagnosis.proof.endless import Rounds, read_and_counted
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.limit import OutOfTime
from jupyter_jitmagic.source.names import stored
from jupyter_jitmagic.source.units import Unit


@dataclass
class Coverage:
    """What the plain runs reached: truth values and loop counts by (filename, line), those of the operands of `and` and `or` by
    their text as well."""

    branches: dict[tuple[str, int], set[bool]] = field(default_factory=dict)
    loops: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    operands: dict[tuple[str, int, str], set[bool]] = field(default_factory=dict)
    of_sizes: set[tuple[str, int]] = field(default_factory=set)
    """Loops over arguments, which go round as often as these are long: other lengths are a question of their own."""

    def missing(self) -> list[str]:
        """What no input reached, in words."""
        out = []
        for (_, line), seen in sorted(self.branches.items()):
            if not seen:
                continue  # behind a branch that no input took, which is named itself
            out += [f"line {line} {'true' if value else 'false'}" for value in (True, False) if value not in seen]
        for (_, line, text), seen in sorted(self.operands.items()):
            out += [f"`{text}` {'false' if value else 'true'} in line {line}" for value in seen if len(seen) == 1]
        once = sorted(place for place, counts in self.loops.items() if len(counts) == 1 and place not in self.of_sizes)
        out += [f"a second loop count in line {line}" for _, line in once]
        return out

    def words(self) -> str:
        parts = []
        full = [seen for seen in self.branches.values() if len(seen) == 2]
        if self.branches:
            parts.append(
                ("both branches" if len(self.branches) == 1 else f"both sides of {len(full)} of {len(self.branches)} branches")
                if full
                else "one branch"
            )
        for counts in self.loops.values():
            few = sorted(counts)[:4]
            listed = f"{', '.join(map(str, few[:-1]))} and {few[-1]}" if len(few) > 1 else "".join(map(str, few))
            parts.append(f"{listed} iterations")
        return ", ".join(parts)


class Probes:
    """The functions that instrumented source calls."""

    def __init__(self, coverage: Coverage) -> None:
        self.coverage = coverage
        self.deadline = Deadline(float("inf"))
        self._counts: dict[tuple[str, int], int] = {}
        self._taken: list[tuple[tuple[str, int], bool]] = []
        self._operands: list[tuple[tuple[str, int, str], bool]] = []
        self._looped: list[tuple[tuple[str, int], int]] = []
        self._rounds = Rounds()
        self._own = False

    def start(self, deadline: Deadline, own: bool = False) -> None:
        """A run begins; the call's `own` input is believed to come to an end."""
        self.deadline, self._own = deadline, own
        self._rounds = Rounds()
        self._counts.clear()
        self._taken.clear()
        self._operands.clear()
        self._looped.clear()

    def seen(self) -> Any:
        """What this run reached, for `show`."""
        return list(self._taken), list(self._operands), list(self._looped), dict(self._counts)

    def show(self, seen: Any) -> None:
        """What a run like this reached before: it is not run again."""
        taken, operands, looped, counts = seen
        self._taken, self._operands, self._looped, self._counts = list(taken), list(operands), list(looped), dict(counts)

    def keep(self) -> bool:
        """Count what this run reached; true if it reached something new."""
        self._looped += self._counts.items()
        new = False
        for key, value in self._taken:
            new |= value not in self.coverage.branches[key]
            self.coverage.branches[key].add(value)
        for operand, value in self._operands:
            seen = self.coverage.operands.setdefault(operand, set())
            new |= value not in seen
            seen.add(value)
        for key, count in self._looped:
            new |= count not in self.coverage.loops[key]
            self.coverage.loops[key].add(count)
        return new

    def tick(self) -> None:
        if self.deadline.over():
            raise OutOfTime

    def test(self, filename: str, line: int, value: Any) -> bool:
        truth = bool(value)
        self._taken.append(((filename, line), truth))
        return truth

    def operand(self, filename: str, line: int, text: str, value: Any) -> bool:
        truth = bool(value)
        self._operands.append(((filename, line, text), truth))
        return truth

    def begin(self, filename: str, line: int) -> None:
        key = (filename, line)
        if key in self._counts:
            self._looped.append((key, self._counts[key]))
        self._counts[key] = 0

    def round(self, filename: str, line: int) -> None:
        self.tick()
        self._counts[filename, line] = self._counts.get((filename, line), 0) + 1

    def enter(self, filename: str, line: int) -> None:
        """A `while` begins."""
        self._rounds.begin((filename, line), sys._getframe(1))

    def goes_on(self, filename: str, line: int, names: tuple[str, ...], counters: tuple[str, ...]) -> None:
        """A round of it begins.

        Raises:
            OutOfTime: it will never end.
        """
        if not self._own and self._rounds.repeats((filename, line), sys._getframe(1), names, counters):
            raise OutOfTime


PROBES = "__jitmagic_probes__"
MOST_OF_AN_OPERAND = 60  # characters of one that an answer names


def _is_settled(test: ast.expr) -> bool:
    """Whether no data is asked: for None, a word, a type, a flag, a shape or a length."""
    asked = [each for each in ast.walk(test) if isinstance(each, ast.Compare)]
    if not asked and not any(isinstance(each, ast.Call) for each in ast.walk(test)):
        return True  # a name or entry alone, a flag as a rule
    return any(
        (isinstance(each, ast.Constant) and (each.value is None or isinstance(each.value, str)))
        or (isinstance(each, ast.Attribute) and each.attr in ("shape", "ndim", "size", "dtype"))
        or (isinstance(each, ast.Name) and each.id in ("len", "isinstance", "callable", "hasattr", PROBES))
        or isinstance(each, ast.NamedExpr | ast.Await | ast.Yield)
        for each in ast.walk(test)
    )


def _goes_over(iterable: ast.expr, given: set[str]) -> bool:
    """Whether a loop goes over what a function is given, or counts it: `v in x`, `in enumerate(x)`, `in range(len(x))`."""
    match iterable:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name), attr="T"):
            return name in given
        case ast.Call(func=ast.Name(id="enumerate" | "zip" | "reversed"), args=args):
            return all(_goes_over(each, given) for each in args)
        case ast.Call(func=ast.Name(id="range"), args=args):
            counts = [each for each in args if not isinstance(each, ast.Constant)]
            return bool(counts) and all(_is_length(each, given) for each in counts)
    return False


def _is_length(node: ast.expr, given: set[str]) -> bool:
    """`len(x)`, `x.shape[0]`, `x.size`, and numbers beside them."""
    match node:
        case ast.Constant(value=int()):
            return True
        case (
            ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)])
            | ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="shape"), slice=ast.Constant())
            | ast.Attribute(value=ast.Name(id=name), attr="size")
        ):
            return name in given
        case ast.BinOp(left=left, right=right):
            return _is_length(left, given) and _is_length(right, given)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _is_length(operand, given)
    return False


class Instrument(ast.NodeTransformer):
    """Probes at the tests and loops of the given lines; a look at the clock in every loop and at every function's start."""

    def __init__(self, unit: Unit, lines: set[int], coverage: Coverage) -> None:
        self.unit, self.lines, self.coverage = unit, lines, coverage
        self.offset = unit.first_line - 1
        self.given: set[str] = set()

    def _wanted(self, node: ast.stmt | ast.expr | ast.pattern) -> bool:
        header: Any = (
            node.test
            if isinstance(node, ast.If | ast.While | ast.IfExp)
            else node.iter
            if isinstance(node, ast.For)
            else node.subject
            if isinstance(node, ast.Match)
            else node
        )
        return any(
            line + self.offset in self.lines for line in range(node.lineno, getattr(header, "end_lineno", node.lineno) + 1)
        )

    def _call(self, name: str, node: ast.stmt | ast.expr, *more: ast.expr) -> ast.Call:
        place: list[ast.expr] = [ast.Constant(self.unit.filename), ast.Constant(node.lineno + self.offset)]
        arguments = [] if name == "tick" else [*place, *more]
        made = ast.Call(ast.Attribute(ast.Name(PROBES, ast.Load()), name, ast.Load()), arguments, [])
        return ast.copy_location(made, node)

    def _statement(self, name: str, node: ast.stmt, *more: ast.expr) -> ast.stmt:
        return ast.copy_location(ast.Expr(self._call(name, node, *more)), node)

    def _test(self, node: Any) -> Any:
        self.generic_visit(node)
        if self._wanted(node):
            self.coverage.branches.setdefault((self.unit.filename, node.lineno + self.offset), set())
            node.test = self._call("test", node, self._joined(node.test))
        return node

    def _joined(self, test: ast.expr, within: bool = False) -> ast.expr:
        """A test whose operands of `and` and `or` are probed, each of which decides on its own."""
        if isinstance(test, ast.BoolOp):
            test.values = [self._joined(value, True) for value in test.values]
        elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test.operand = self._joined(test.operand, within)
        elif within and not _is_settled(test):
            text = textwrap.shorten(ast.unparse(test), MOST_OF_AN_OPERAND, placeholder="…")
            return self._call("operand", test, ast.Constant(text), test)
        return test

    visit_If = visit_IfExp = _test

    def _loop(self, node: Any) -> Any:
        before: list[ast.stmt] = []
        first: list[ast.stmt] = []
        names = read_and_counted(node) if isinstance(node, ast.While) else None
        if names is not None:
            before.append(self._statement("enter", node))
            read_and_added: list[Any] = [*names]
            first.append(self._statement("goes_on", node, *map(ast.Constant, read_and_added)))
        self.generic_visit(node)
        if self._wanted(node):
            place = self.unit.filename, node.lineno + self.offset
            self.coverage.loops.setdefault(place, set())
            if isinstance(node, ast.For) and _goes_over(node.iter, self.given):
                self.coverage.of_sizes.add(place)
            before.append(self._statement("begin", node))
            first.append(self._statement("round", node))
        else:
            first.append(self._statement("tick", node))
        node.body[:0] = first
        return [*before, node]

    visit_For = visit_While = _loop

    def visit_comprehension(self, node: ast.comprehension) -> Any:
        self.generic_visit(node)
        for k, test in enumerate(node.ifs):
            if self._wanted(test):
                self.coverage.branches.setdefault((self.unit.filename, test.lineno + self.offset), set())
                node.ifs[k] = self._call("test", test, test)
        return node

    def visit_Match(self, node: ast.Match) -> Any:
        """Which case is taken; the others are not."""
        self.generic_visit(node)
        lines = [case.pattern.lineno for case in node.cases]
        if not any(self._wanted(pattern) for pattern in (case.pattern for case in node.cases)) and not self._wanted(node):
            return node
        for line in lines:
            self.coverage.branches.setdefault((self.unit.filename, line + self.offset), set())
        for case in node.cases:
            taken = [self._case(case.body[0], line, line == case.pattern.lineno) for line in lines]
            case.body[:0] = taken
        return node

    def _case(self, at: ast.stmt, line: int, taken: bool) -> ast.stmt:
        place: list[ast.expr] = [ast.Constant(self.unit.filename), ast.Constant(line + self.offset), ast.Constant(taken)]
        call = ast.Call(ast.Attribute(ast.Name(PROBES, ast.Load()), "test", ast.Load()), place, [])
        return ast.copy_location(ast.Expr(call), at)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        around, arguments = self.given, node.args
        self.given = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)} - {
            *stored(node.body)
        }
        self.generic_visit(node)
        self.given = around
        at = 1 if ast.get_docstring(node, clean=False) is not None else 0
        node.body.insert(at, ast.copy_location(ast.Expr(self._call("tick", node)), node))
        return node
