"""The text of one function without its objects: its parameters, its body with other names, what it gives back."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_jitmagic.base.looking import has
from jupyter_jitmagic.diagnosis.objects.attributes import (
    ABSENT,
    Path,
)
from jupyter_jitmagic.diagnosis.objects.keyed import CannotLift
from jupyter_jitmagic.diagnosis.objects.noted import Noted
from jupyter_jitmagic.source.code import Code, Edit, always_returns, leaves
from jupyter_jitmagic.source.names import loaded, read_first, stored, surely_written, walk, walk_scope


@dataclass(frozen=True)
class Lifted:
    """One function without its objects.

    Attributes:
        name, text: of the new function.
        inputs: the attributes that it takes first, in order, with the names that they have in it.
        outputs: the attributes that it gives back behind its result, likewise.
        gives: whether it gives a result beside them.
        gives_object: the result was the object itself, which the caller has.
        parameters: its other parameters, by name.
    """

    name: str
    text: str
    inputs: dict[Path, str]
    outputs: dict[Path, str]
    gives: bool
    gives_object: bool
    parameters: tuple[str, ...]


class Text:
    """The text of one function, being written again."""

    def __init__(self, lifting: Noted, code: Code, node: ast.FunctionDef, bound: Mapping[str, Path], is_main: bool) -> None:
        self.lifting, self.code, self.node, self.bound = lifting, code, node, dict(bound)
        self.edits: list[Edit] = []
        self.reads: dict[Path, str] = {}
        self.writes: dict[Path, str] = {}
        self.changed: set[Path] = set()
        self._is_main = is_main
        self.formatted: dict[ast.JoinedStr, dict[ast.expr, str]] = {}
        arguments = node.args
        if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
            raise CannotLift("its parameters have no names")
        self.body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        if not self.body or not code.on_own_lines([self.body[0]]):
            raise CannotLift("it stands on one line")
        inside = [each for stmt in self.body for each in walk(stmt)]
        if any(isinstance(each, ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal) for each in inside):
            raise CannotLift("it yields, or assigns to names outside it")
        if set(bound) & set(stored(self.body)):
            raise CannotLift("its object gets another name")
        self.own_names = {n.id for n in inside if isinstance(n, ast.Name)} | {n.arg for n in inside if isinstance(n, ast.arg)}
        self.own_names |= {each.arg for each in (*arguments.args, *arguments.kwonlyargs)} | set(stored(self.body))
        self._returned = {n.value for n in walk_scope(self.body) if isinstance(n, ast.Return) and isinstance(n.value, ast.Name)}

    def _formatted(self, node: ast.AST) -> ast.JoinedStr | None:
        """The f-string around a node, whose places within it Python 3.11 does not know."""
        found = None
        for at in self.code.ancestors(node):
            found = at if isinstance(at, ast.JoinedStr) else found
        return found

    def _edit(self, node: ast.expr, text: str) -> None:
        """A node with another text; an f-string is written anew as a whole."""
        formatted = self._formatted(node)
        if formatted is None:
            self.edits.append((*self.code.span(node), text))
        else:
            self.formatted.setdefault(formatted, {})[node] = text

    def _variable(self, path: Path) -> str:
        return self.lifting.name_of(path, self.own_names)

    def _returns(self) -> tuple[bool, bool]:
        """(whether it gives a result, whether that is an object of the caller's)."""
        found = [node for node in walk_scope(self.body) if isinstance(node, ast.Return) and node.value is not None]
        objects = [node for node in found if isinstance(node.value, ast.Name) and node.value.id in self.bound]
        nothing = [node for node in found if isinstance(node.value, ast.Constant) and node.value.value is None]
        if objects:
            if len(objects) != len(found) or len({node.value.id for node in objects}) != 1:  # type: ignore[union-attr]
                raise CannotLift("it gives its object or something else")
            return False, True
        return len(found) > len(nothing), False

    def _text(self, gives: bool, gives_object: bool) -> Lifted:
        lifting = self.lifting
        outputs = dict(self.writes)
        for path in sorted(self.changed):
            if path not in outputs and path not in self._fresh():
                outputs[path] = self._variable(path)
        fresh = self._fresh()
        for path in fresh:
            outputs[path] = self._variable(path)
        body = self._body(outputs, gives)
        text = "".join(f"    {self._variable(path)} = []\n" for path in fresh) + body
        stmts = ast.parse("def _():\n" + text).body[0].body  # type: ignore[attr-defined]
        known = {self._variable(path): path for path in {**self.reads, **outputs}}
        needed = read_first(stmts) | (set(known) - surely_written(stmts)) & {outputs[path] for path in outputs}
        inner = {
            name
            for stmt in stmts
            for node in walk(stmt)
            if isinstance(node, ast.FunctionDef | ast.Lambda)
            for name in loaded([node])
        }
        needed |= inner & set(known)
        inputs: dict[Path, str] = {}
        for name, path in known.items():
            if name not in needed:
                continue
            if lifting.value(path) is not ABSENT or not self._is_main:
                inputs[path] = name
            elif path in outputs and name not in surely_written(_with_a_round(stmts)):
                raise CannotLift(f"{'.'.join(path)} is not there before, and may not be after")
            elif path in outputs and name not in surely_written(stmts):
                lifting.in_rounds[path] = None
        self._note_changes(inputs)
        name = self._name()
        arguments = ast.parse(f"def _({self._parameters()}): pass").body[0].args  # type: ignore[attr-defined]
        kept = [each.arg for each in (*arguments.args, *arguments.kwonlyargs)]
        parts = [*inputs.values(), *([self._parameters()] if kept else [])]
        return Lifted(name, f"def {name}({', '.join(parts)}):\n{text}", inputs, outputs, gives, gives_object, tuple(kept))

    def _fresh(self) -> list[Path]:
        """Lists of the object that this function, the main one, only makes grow."""
        if not self._is_main:
            return []
        return [path for path in self.changed if self.lifting.only_grows(path) and path not in self.writes]

    def _note_changes(self, inputs: Mapping[Path, str]) -> None:
        lifting = self.lifting
        for path in self.changed:
            if self._is_main and path in self._fresh():
                lifting.collected[path] = None
            elif path in inputs:
                value = lifting.value(path)
                if type(value).__module__ == "numpy" and has(value, "shape") and path not in lifting.rebound:
                    lifting.in_place[path] = None
                else:
                    raise CannotLift(f"it changes {'.'.join(path)} in place")

    def _name(self) -> str:
        wanted = f"pure_{self.node.name.strip('_')}"
        name, number = wanted, 2
        while name in self.lifting.taken or name in self.own_names:
            name, number = f"{wanted}_{number}", number + 1
        self.lifting.taken.add(name)
        return name

    def _parameters(self) -> str:
        """The parameters that are no objects, as text."""
        arguments = self.node.args
        defaults = [None] * (len(arguments.args) - len(arguments.defaults)) + list(arguments.defaults)
        kept = [(arg, default) for arg, default in zip(arguments.args, defaults, strict=True) if arg.arg not in self.bound]
        texts = [arg.arg + (f"={ast.unparse(default)}" if default is not None else "") for arg, default in kept]
        only = [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if a.arg not in self.bound]
        if only:
            texts += ["*", *(arg.arg + (f"={ast.unparse(default)}" if default is not None else "") for arg, default in only)]
        return ", ".join(texts)

    def _body(self, outputs: Mapping[Path, str], gives: bool) -> str:
        code, body = self.code, self.body
        back = ", ".join(outputs.values())
        edits = [*self.edits, *((*code.span(node), _in_f_string(node, texts)) for node, texts in self.formatted.items())]
        if outputs:
            edits += self._with_outputs(back, gives)
        text = code.block_text(body, "    ", edits)
        if outputs and not always_returns(body):
            text += f"    return {'None, ' if gives else ''}{back}\n"
        return text

    def _with_outputs(self, back: str, gives: bool) -> Iterator[Edit]:
        code = self.code
        for node in [each for each in walk_scope(self.body) if isinstance(each, ast.Return)]:
            start, end = code.span(node)
            if node.value is None or not gives:
                yield start, end, f"return {'None, ' if gives else ''}{back}"
                continue
            begin, last = code.span(node.value)
            if isinstance(node.value, ast.Tuple) and not code.is_enclosed(node.value):
                yield begin, begin, "("
                yield last, last, f"), {back}"
            else:
                begin, last = code.with_parentheses(node.value)
                yield last, last, f", {back}"


def _with_a_round(stmts: Sequence[ast.stmt]) -> list[ast.stmt]:
    """What surely runs where each `for` has a round: of its body as much as no `break` or `continue` can leave out."""
    found: list[ast.stmt] = []
    for stmt in stmts:
        if isinstance(stmt, ast.For):
            body = list(itertools.takewhile(lambda each: not leaves([each], (ast.Break, ast.Continue)), stmt.body))
            found += _with_a_round(body)
        else:
            found.append(stmt)
    return found


def _in_f_string(node: ast.JoinedStr, texts: Mapping[ast.expr, str]) -> str:
    """An f-string in which some expressions have another text."""
    copies: dict[int, Any] = {}
    again = copy.deepcopy(node, copies)
    new = {copies[id(old)]: text for old, text in texts.items()}

    class Other(ast.NodeTransformer):
        def visit(self, each: ast.AST) -> Any:
            return ast.parse(new[each], mode="eval").body if each in new else self.generic_visit(each)

    return ast.unparse(Other().visit(again))
