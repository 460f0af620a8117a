"""The last items of many: a `deque(maxlen=k)`, or a list that is cut as soon as it is longer: an array of k that is shifted."""

from __future__ import annotations

import ast
from typing import NamedTuple

from jupyter_jitmagic.diagnosis.rewrites.as_array import Container
from jupyter_jitmagic.diagnosis.rewrites.growing import READ_WHOLE
from jupyter_jitmagic.diagnosis.rewrites.inserting import is_taken_in_front
from jupyter_jitmagic.diagnosis.rewrites.operations import MAKES_ARRAYS
from jupyter_jitmagic.diagnosis.rewrites.rounds import rounds_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.names import loaded


class Window(Container):
    """`recent = deque(maxlen=k)` … `recent.append(v)` → an array of k, shifted, of which the last ones count."""

    @property
    def size(self) -> str:
        assert isinstance(self.made.value, ast.Call)
        sizes = [keyword.value for keyword in self.made.value.keywords if keyword.arg == "maxlen"] or self.made.value.args[1:2]
        if not sizes:
            self.refuse(self.made)
        return self.spot.code.expr(sizes[0])

    @property
    def counted(self) -> str:
        return f"{self.name}[{self.size} - {self.length}:]"

    def make(self) -> None:
        assert isinstance(self.made.value, ast.Call)
        first = self.made.value.args[:1]
        if first and not (isinstance(first[0], ast.List | ast.Tuple) and not first[0].elts):
            self.refuse(self.made)
        text = self.zeros(self.size, [value for _, value in self.appended()])
        self.lines(self.made, text, f"{self.length} = 0")

    def use(self, node: ast.Name, parent: ast.AST) -> None:
        code, spot = self.spot.code, self.spot
        match parent:
            case ast.Attribute(attr="append"):
                statement, value = self.statement_of(parent)
                if self.name in loaded([value]):
                    self.refuse(node)
                shifted = f"{spot.jnp('roll')}({self.name}, -1, axis=0).at[-1].set({code.expr(value)})"
                self.lines(
                    statement,
                    f"{self.name} = {shifted}",
                    f"{self.length} = min({self.length} + 1, {self.size})",
                )
            case ast.Attribute(attr="clear"):
                self.lines(self.cleared(parent), f"{self.length} = 0")
            case ast.Call(args=[only]) if only is node and self.is_builtin_call(parent, "len"):
                self.replace(parent, self.length)
            case ast.Call(func=ast.Attribute(attr=attr), args=[only], keywords=[]) if only is node and attr in MAKES_ARRAYS:
                self.replace(parent, self.counted)
            case ast.Call(func=ast.Attribute(attr="array" | "asarray"), args=[ast.Call()]):
                self.refuse(node)
            case ast.Call() if node in parent.args and self.is_builtin_call(parent, *READ_WHOLE):
                self.replace(node, self.counted)
                if self.is_builtin_call(parent, "max", "min", "sorted"):
                    self.excludes = {"nan": "NaN, of which max(), min() and sorted() take account by its place alone"}
            case ast.Subscript(slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int()))):
                pass
            case ast.Subscript(slice=ast.Constant(value=int() as place)) if place >= 0:
                self.replace(parent.slice, f"{self.size} - {self.length}{f' + {place}' if place else ''}")
            case ast.Attribute(attr="maxlen"):
                self.replace(parent, self.size)
            case ast.For() | ast.comprehension() if parent.iter is node:
                self.replace(node, self.counted)
            case _ if self.is_test(node, parent):
                self.replace(node, f"{self.length} > 0")
            case _:
                self.refuse(node)


class Trimming(NamedTuple):
    """Where a list is cut."""

    statement: ast.If
    size: ast.expr
    """How many items it keeps."""


def trimming(spot: Spot, function: ast.FunctionDef, name: str) -> Trimming | None:
    """`recent.append(v)` and `if len(recent) > k: recent.pop(0)` next to it, in a loop of which nothing says how often it goes
    round; None for other lists."""
    code = spot.code
    appends = [node for node in ast.walk(function) if _is_appended(node, name)]
    if len(appends) != 1 or not isinstance(appends[0], ast.Expr):
        return None
    loop = next((at for at in code.ancestors(appends[0]) if isinstance(at, ast.For | ast.While)), None)
    if loop is None or rounds_of(spot, loop) is not None:
        return None
    block = code.block(appends[0])
    place = block.index(appends[0])
    for beside, before in ((place + 1, False), (place - 1, True)):
        statement = block[beside] if 0 <= beside < len(block) else None
        if not isinstance(statement, ast.If) or len(statement.body) != 1 or statement.orelse:
            continue
        match statement.test:
            case ast.Compare(left=ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=held)]), ops=[op], comparators=[size]):
                beyond = isinstance(op, ast.GtE | ast.Eq) if before else isinstance(op, ast.Gt)
                kept = "" if before else code.src(size)
                cuts = held == name and beyond and spot.is_builtin("len") and code.on_own_lines([statement])
                if cuts and _takes_the_first(code.src(statement.body[0]), statement.body[0], name, kept):
                    return Trimming(statement, size)
    return None


def _is_appended(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=held), attr="append"), args=[_])):
            return held == name
    return False


def _takes_the_first(text: str, cut: ast.stmt, name: str, size: str) -> bool:
    """Whether a statement takes the first of `size` + 1 items from a list, by any of the ways to say so."""
    if isinstance(cut, ast.Expr) and isinstance(cut.value, ast.Call) and is_taken_in_front(cut.value):
        return isinstance(cut.value.func, ast.Attribute) and getattr(cut.value.func.value, "id", "") == name
    ways = [f"del {name}[0]", f"{name} = {name}[1:]"]
    if size.isidentifier() or size.isdigit():
        ways.append(f"{name} = {name}[-{size}:]")
    return text in ways


class TrimmedList(Window):
    """`recent = []` … `recent.append(v)`, `if len(recent) > k: recent.pop(0)`."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, name: str, made: ast.Assign, trimmed: Trimming) -> None:
        super().__init__(spot, function, name, made)
        self._trimmed = trimmed
        self._cut = {*ast.walk(trimmed.statement)}

    @property
    def size(self) -> str:
        return self.spot.code.operand(self._trimmed.size)

    def make(self) -> None:
        assert isinstance(self.made.value, ast.List)
        first = self.made.value.elts
        if len(first) > 1 or any(isinstance(each, ast.Starred) for each in first):
            self.refuse(self.made)
        text = self.zeros(self.size, [*first, *(value for _, value in self.appended())])
        text += "".join(f".at[-1].set({self.spot.code.expr(each)})" for each in first)
        self.lines(self.made, text, f"{self.length} = {len(first)}")
        self.edits.append((*self.spot.code.region([self._trimmed.statement]), ""))

    def use(self, node: ast.Name, parent: ast.AST) -> None:
        if node not in self._cut:
            super().use(node, parent)
