"""A list of tuples whose parts are of different kinds, as `stack.append((i, v))` of a place and a value: a list for each part.

One array would hold them all as floats, by which nothing can be indexed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from jupyter_jitmagic.diagnosis.rewrites.emptiness import is_asked
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, walk, walk_scope

_Edit = tuple[ast.AST | tuple[int, int], str]


def part_by_part(spot: Spot) -> Iterator[Step]:
    """`stack.append((i, v))`, `j, w = stack.pop()`, `stack[-1][1]` → the same of `stack_0` and `stack_1`."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    for name in dict.fromkeys(filter(None, map(_added_to, walk_scope(function.body)))):
        parts = _Parts(spot, function, name)
        if parts.are_mixed() and parts.follow():
            yield spot.step("lists", *parts.edits)
            return


def _added_to(node: ast.AST) -> str:
    """The list to which a tuple is appended."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[ast.Tuple() | ast.List()]):
            return name
    return ""


@dataclass
class _Parts:
    """The uses of one list, and what becomes of them."""

    spot: Spot
    function: ast.FunctionDef
    name: str
    width: int = 0
    edits: list[_Edit] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def are_mixed(self) -> bool:
        """Whether all that is appended has as many parts, and they are whole numbers beside floats."""
        added = [node.args[0] for node in walk_scope(self.function.body) if _added_to(node) == self.name]  # type: ignore[attr-defined]
        widths = {len(each.elts) for each in added}
        if len(widths) != 1 or (width := widths.pop()) < 2:
            return False
        self.width = width
        facts = [[self.spot.fact(each.elts[k]) for each in added] for k in range(width)]
        kinds = {fact.dtype for column in facts for fact in column if fact is not None and fact.dtype and not fact.ndim > 0}
        return {"i", "f"} <= kinds

    def follow(self) -> bool:
        """Note the edits of all uses; False where one of them is of another sort."""
        code = self.spot.code
        self.names = [code.fresh(f"{self.name}_{k}", f"part_{k}_of_{self.name}") for k in range(self.width)]
        uses = [node for node in walk(self.function) if isinstance(node, ast.Name) and node.id == self.name]
        return all(map(self._use, uses))

    def _use(self, use: ast.Name) -> bool:
        code = self.spot.code
        parent = code.parents[use]
        around, statement = code.parents.get(parent), code.statement(use)
        match parent, around:
            case ast.Assign(targets=[only], value=ast.List(elts=[])), _ if only is use:
                return self._lines(statement, [f"{each} = []" for each in self.names])
            case ast.Attribute(attr="append"), ast.Call(args=[ast.Tuple(elts=parts) | ast.List(elts=parts)]):
                added = [f"{name}.append({code.src(part)})" for name, part in zip(self.names, parts, strict=True)]
                return not loaded(parts) & {self.name} and self._alone(around) and self._lines(statement, added)
            case ast.Attribute(attr="pop"), ast.Call(args=at):
                place = ", ".join(map(code.src, at))
                taken = [f"{each}.pop({place})" for each in self.names]
                return (self._alone(around) and self._lines(statement, taken)) or self._taken_apart(around, taken)
            case ast.Subscript(value=only, slice=index), ast.Subscript(value=inner, slice=ast.Constant(value=int() as k)) if (
                only is use and inner is parent and -self.width <= k < self.width and not isinstance(index, ast.Slice)
            ):
                self.edits.append((around, f"{self.names[k]}[{code.src(index)}]"))
                return True
            case ast.Subscript(value=only, slice=index), ast.Assign(targets=[target], value=ast.Tuple(elts=parts)) if (
                only is use and target is parent and len(parts) == self.width and not loaded(parts) & {self.name}
            ):
                stored = zip(self.names, parts, strict=True)
                return self._lines(statement, [f"{each}[{code.src(index)}] = {code.src(part)}" for each, part in stored])
            case ast.Subscript(value=only, slice=index), _ if only is use and not isinstance(index, ast.Slice):
                return self._taken_apart(parent, [f"{each}[{code.src(index)}]" for each in self.names])
            case (
                (ast.For(target=ast.Tuple(elts=parts), iter=over) | ast.comprehension(target=ast.Tuple(elts=parts), iter=over)),
                _,
            ):
                self.edits.append((use, f"zip({', '.join(self.names)})"))
                return over is use and len(parts) == self.width
            case ast.Call(func=ast.Name(id="len")), _:
                self.edits.append((use, self.names[0]))
                return True
        asked = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
        self.edits.append((use, self.names[0]))
        return asked or is_asked(self.spot, use)

    def _alone(self, call: ast.AST | None) -> bool:
        """Whether a call is a statement."""
        return isinstance(call, ast.expr) and isinstance(self.spot.code.parents[call], ast.Expr)

    def _taken_apart(self, value: ast.AST | None, parts: list[str]) -> bool:
        """`j, w = stack.pop()`: the names get a part each."""
        match self.spot.code.parents.get(value) if value is not None else None:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=only) if only is value and len(targets) == self.width:
                if not any(isinstance(each, ast.Starred) for each in targets):
                    self.edits.append((only, ", ".join(parts)))
                    return True
        return False

    def _lines(self, statement: ast.stmt, lines: list[str]) -> bool:
        code = self.spot.code
        if not code.on_own_lines([statement]):
            return False
        indent = code.indent(statement)
        self.edits.append((code.region([statement]), "".join(f"{indent}{line}\n" for line in lines)))
        return True


RULES: list[Rule] = [part_by_part]
