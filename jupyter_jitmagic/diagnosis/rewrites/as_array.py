"""What all containers share that become arrays."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import NoReturn

from jupyter_jitmagic.diagnosis.rewrites.elements import element
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Spot
from jupyter_jitmagic.source.code import Edit


class Container(ABC):
    """A container's name, the statement that makes it, and the edits that make it an array."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, name: str, made: ast.Assign) -> None:
        self.spot, self.function, self.name, self.made = spot, function, name, made
        self.edits: list[Edit] = []
        self.excludes: dict[str, str] = {}
        self.length = spot.code.fresh(f"{name}_length", f"length_of_{name}")

    def edited(self) -> list[Edit]:
        code = self.spot.code
        for node in ast.walk(self.function):
            if isinstance(node, ast.Name) and node.id == self.name and isinstance(node.ctx, ast.Load):
                self.use(node, code.parents[node])
        self.make()
        return self.edits

    @abstractmethod
    def make(self) -> None:
        """The statement that makes it."""

    @abstractmethod
    def use(self, node: ast.Name, parent: ast.AST) -> None:
        """A place that reads it or adds to it."""

    # -- what the kinds share -----------------------------------------------------------------------------

    def replace(self, node: ast.AST, text: str) -> None:
        self.edits.append((*self.spot.code.span(node), text))

    def enclose(self, node: ast.expr, before: str, after: str) -> None:
        """Texts before and after an operand, within which other places may be replaced."""
        code, (start, end) = self.spot.code, self.spot.code.span(node)
        opening, closing = ("", "") if code.operand(node) == code.src(node) else ("(", ")")
        self.edits += [(start, start, before + opening), (end, end, closing + after)]

    def statement_of(self, attribute: ast.Attribute) -> tuple[ast.Expr, ast.expr]:
        """(statement, what is added) of `name.append(v)` on lines of its own."""
        code = self.spot.code
        call = code.parents[attribute]
        match call, code.parents[call]:
            case ast.Call(args=[value], keywords=[]), ast.Expr() as statement if code.on_own_lines([statement]):
                if not isinstance(value, ast.Starred):
                    return statement, value
        self.refuse(attribute)

    def cleared(self, attribute: ast.Attribute) -> ast.Expr:
        """The statement `name.clear()` on lines of its own."""
        code = self.spot.code
        call = code.parents[attribute]
        match call, code.parents[call]:
            case ast.Call(args=[], keywords=[]), ast.Expr() as statement if code.on_own_lines([statement]):
                return statement
        self.refuse(attribute)

    def lines(self, statement: ast.stmt, *lines: str) -> None:
        """These lines in the place of a statement."""
        self.replace(statement, f"\n{self.spot.code.indent(statement)}".join(lines))

    def refuse(self, node: ast.AST) -> NoReturn:
        code = self.spot.code
        statement = code.src(code.statement(node)).splitlines()[0]
        raise Obstacle(f"the length of {self.name} would depend on the number of rounds, and `{statement}` needs it as it is")

    def appended(self) -> list[tuple[ast.Expr, ast.expr]]:
        found = []
        for node in ast.walk(self.function):
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr="append" | "appendleft" | "add") if name == self.name:
                    found.append(self.statement_of(node))
        return found

    def is_builtin_call(self, parent: ast.AST, *names: str) -> bool:
        spot = self.spot
        return (
            isinstance(parent, ast.Call)
            and isinstance(parent.func, ast.Name)
            and parent.func.id in names
            and spot.is_builtin(parent.func.id)
        )

    def is_test(self, node: ast.Name, parent: ast.AST) -> bool:
        match parent:
            case ast.If() | ast.While() | ast.IfExp():
                return parent.test is node
            case ast.BoolOp():
                return True
            case ast.UnaryOp(op=ast.Not()):
                return True
        return False

    def zeros(self, size: str, values: list[ast.expr], before: ast.stmt | None = None) -> str:
        """`jnp.zeros(size, dtype)`, fit to hold the values, of what is known where it was made, or before another statement."""
        try:
            shape, dtype = element(self.spot, self.function, before or self.made, values)
        except LookupError:
            self.refuse(self.made)
        shape = f"({size}, {shape})" if shape else size
        return f"{self.name} = {self.spot.jnp('zeros')}({shape}{', ' + dtype if dtype else ''})"
