"""What reads a list of tuples that became columns, an array for each part of its items."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.code import Edit, is_returned


class OtherUse(Exception):
    """The list is used in a way that columns cannot stand for."""


@dataclass
class Reads:
    """The places behind the loop that read the list.

    Attributes:
        around: the statement that fills it.
        name: the list's, which is also that of its only column where its items are numbers.
        columns: a name for each part of its items.
        width: how many parts they have, 0 where they are numbers.
        heap: its own order is not that of the columns, and is not seen.
        used: the columns that are read.
    """

    spot: Spot
    around: ast.stmt
    name: str
    columns: list[str]
    width: int
    heap: bool
    edits: list[Edit] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def _column(self, part: int) -> str:
        self.used.add(self.columns[part])
        return self.columns[part]

    def read(self, node: ast.Name) -> None:
        """A place behind the loop that reads the list."""
        code, spot = self.spot.code, self.spot
        parent = code.parents[node]
        if node.lineno <= (self.around.end_lineno or 0):
            raise OtherUse
        if not self.width:
            self._column(0)
            self._read_alone(node, parent)
            return
        match parent:
            case ast.Call(func=ast.Name(id="len"), args=[_]) if spot.is_builtin("len"):
                self.edits.append((*code.span(node), self._column(0)))
                return
            case ast.If() | ast.IfExp() | ast.UnaryOp(op=ast.Not()) if not self.heap:  # whether it has any
                self.edits.append((*code.span(node), self._column(0)))
                return
            case ast.Call() if self.heap and self._is_sorted_again(parent):
                self._gone_through(parent, code.parents[parent], "" if self._backwards(parent) else "[::-1]")
                return
            case ast.Subscript(slice=ast.Constant(value=int() as place)) if not self.heap:
                self._item(parent, str(place))
                return
            case ast.Subscript(slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as place))) if not self.heap:
                self._item(parent, f"-{place}")
                return
            case ast.Subscript(slice=ast.Slice() as cut) if not self.heap:
                self._gone_through(parent, code.parents[parent], f"[{code.src(cut)}]")
                return
        if self.heap:
            raise OtherUse
        if is_returned(code, node):
            self.edits.append((*code.span(node), f"list(zip({', '.join(map(self._column, range(self.width)))}))"))
        else:
            self._gone_through(node, parent, "")

    def _read_alone(self, node: ast.Name, parent: ast.AST) -> None:
        code = self.spot.code
        match parent:
            case ast.Call() if self.heap and self._is_sorted_again(parent):
                self.edits.append((*code.span(parent), self.name if self._backwards(parent) else f"{self.name}[::-1]"))
            case ast.Call(func=ast.Name(id="len" | "sum" | "max" | "min")):
                pass
            case _ if self.heap:
                raise OtherUse
            case _ if is_returned(code, node):
                self.edits.append((*code.span(node), f"list({self.name})"))
            case ast.Subscript() | ast.comprehension() | ast.For() | ast.Call():
                pass
            case _:
                raise OtherUse

    def _is_sorted_again(self, call: ast.Call) -> bool:
        known = all(each.arg == "reverse" and isinstance(each.value, ast.Constant) for each in call.keywords)
        return isinstance(call.func, ast.Name) and call.func.id == "sorted" and self.spot.is_builtin("sorted") and known

    @staticmethod
    def _backwards(call: ast.Call) -> bool:
        return any(isinstance(each.value, ast.Constant) and each.value.value is True for each in call.keywords)

    def _item(self, item: ast.Subscript, place: str) -> None:
        """`best[0][1]`, `best[0]`."""
        code = self.spot.code
        match code.parents[item]:
            case ast.Subscript(value=value, slice=ast.Constant(value=int() as part)) as whole if value is item:
                if not 0 <= part < self.width:
                    raise OtherUse
                self.edits.append((*code.span(whole), f"{self._column(part)}[{place}]"))
            case _:
                self.edits.append(
                    (*code.span(item), f"({', '.join(f'{self._column(k)}[{place}]' for k in range(self.width))})")
                )

    def _gone_through(self, node: ast.expr, parent: ast.AST, cut: str) -> None:
        """`for d, i in best`, `[t[1] for t in best[:k]]`: through the columns that are read there."""
        code = self.spot.code
        if not isinstance(parent, ast.For | ast.comprehension) or parent.iter is not node:
            raise OtherUse
        around = parent if isinstance(parent, ast.For) else code.parents[parent]
        read = [n for n in ast.walk(around) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
        match parent.target:
            case ast.Tuple(elts=targets) if len(targets) == self.width and all(isinstance(t, ast.Name) for t in targets):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
                wanted = {n.id for n in read}
                if isinstance(parent, ast.For):
                    wanted |= code.live_after(parent)
            case ast.Name(id=each):
                words = [column.removeprefix(f"{self.name}_") for column in self.columns]
                wishes = [[word] if word.isidentifier() else [] for word in words]
                names = [code.fresh(*wish, f"{each}_{word}") for wish, word in zip(wishes, words, strict=True)]
                wanted = set()
                for use in (n for n in read if n.id == each):
                    match code.parents[use]:
                        case ast.Subscript(value=value, slice=ast.Constant(value=int() as part)) as whole if value is use:
                            if not 0 <= part < self.width:
                                raise OtherUse
                            self.edits.append((*code.span(whole), names[part]))
                            wanted.add(names[part])
                        case _:
                            raise OtherUse
            case _:
                raise OtherUse
        pairs = [(name, f"{self._column(k)}{cut}") for k, name in enumerate(names) if name in wanted]
        if not pairs:
            raise OtherUse
        targets_text, columns = ", ".join(name for name, _ in pairs), ", ".join(column for _, column in pairs)
        self.edits.append((*code.span(parent.target), targets_text))
        self.edits.append((*code.span(node), f"zip({columns})" if len(pairs) > 1 else columns))
