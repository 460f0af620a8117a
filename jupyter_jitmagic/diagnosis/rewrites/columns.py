"""What reads a list of tuples that became columns, an array for each part of its items."""

from __future__ import annotations

import ast
import operator
from dataclasses import dataclass, field

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.code import Edit, is_returned
from jupyter_jitmagic.source.names import COMPREHENSIONS, stored


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
        excludes: as `Step.excludes`.
    """

    spot: Spot
    around: ast.stmt
    name: str
    columns: list[str]
    width: int
    heap: bool
    edits: list[Edit] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    excludes: dict[str, str] = field(default_factory=dict)

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
            case ast.Call(func=ast.Name(id="max" | "min" as which), args=[_], keywords=[ast.keyword(arg="key", value=key)]) if (
                spot.is_builtin(which) and not self.heap
            ):
                self._best(parent, which, key)
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

    def _item(self, item: ast.expr, place: str) -> None:
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

    def _best(self, call: ast.Call, which: str, key: ast.expr) -> None:
        """`max(found, key=lambda r: r[2])`: what stands in the columns where that one has its largest number."""
        code, spot, statement = self.spot.code, self.spot, self.spot.code.statement(call)
        around = [at for at in code.ancestors(call) if isinstance(at, ast.expr)]
        inner = any(isinstance(at, (ast.Lambda, ast.IfExp, ast.BoolOp, *COMPREHENSIONS)) for at in around)
        if inner or not code.on_own_lines([statement]) or not isinstance(statement, ast.Assign | ast.Return):
            raise OtherUse
        place, start = code.fresh("best", f"place_of_{which}", f"best_of_{self.name}"), code.region([statement])[0]
        found = f"{spot.jnp(f'arg{which}')}({spot.jnp('array')}({self._asked(key)}))"
        self.edits.append((start, start, f"{code.indent(statement)}{place} = {found}\n"))
        self.excludes = {"nan": f"NaN, of which {which}() takes account by its place alone"}
        self._item(call, place)

    def _asked(self, key: ast.expr) -> str:
        """What a key asks of each item, as a list or a column."""
        code = self.spot.code
        match key:
            case ast.Call(args=[ast.Constant(value=int() as part)], keywords=[]) if (
                self.spot.value(key.func) is operator.itemgetter and 0 <= part < self.width
            ):
                return self._column(part)
            case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=each)], defaults=[], kwonlyargs=[]), body=body):
                pass
            case _:
                raise OtherUse
        match body:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int() as part)) if (
                name == each and 0 <= part < self.width
            ):
                return self._column(part)
        edits: list[Edit] = []
        names = self._parts_of(each, [n for n in ast.walk(body) if isinstance(n, ast.Name) and n.id == each], edits)
        wanted = list(names)
        columns = ", ".join(self._column(part) for part in wanted)
        over = f"zip({columns})" if len(wanted) > 1 else columns
        return f"[{code.edited(*code.span(body), edits)} for {', '.join(names.values())} in {over}]"

    def _parts_of(self, each: str, uses: list[ast.Name], edits: list[Edit]) -> dict[int, str]:
        """Names for the parts of an item that are read, by their places: `r[1]`, or all of them where it is `r` itself."""
        code = self.spot.code
        words = [column.removeprefix(f"{self.name}_") for column in self.columns]
        wishes = [[word] if word.isidentifier() else [] for word in words]
        names = [code.fresh(*wish, f"{each}_{word}") for wish, word in zip(wishes, words, strict=True)]
        wanted: set[int] = set()
        for use in uses:
            match code.parents[use]:
                case ast.Subscript(value=value, slice=ast.Constant(value=int() as part), ctx=ast.Load()) as whole if (
                    value is use
                ):
                    if not 0 <= part < self.width:
                        raise OtherUse
                    edits.append((*code.span(whole), names[part]))
                    wanted.add(part)
                case ast.Subscript() | ast.Attribute() | ast.Starred():
                    raise OtherUse
                case _:
                    edits.append((*code.span(use), f"({', '.join(names)})"))
                    wanted.update(range(self.width))
        if not wanted:
            raise OtherUse
        return {part: names[part] for part in sorted(wanted)}

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
                uses = [n for n in read if n.id == each]
                if isinstance(parent, ast.For) and each in code.live_after(parent) | set(stored(parent.body)):
                    raise OtherUse
                parts = self._parts_of(each, uses, self.edits)
                names = [parts.get(k, "_") for k in range(self.width)]
                wanted = set(parts.values())
            case _:
                raise OtherUse
        pairs = [(name, f"{self._column(k)}{cut}") for k, name in enumerate(names) if name in wanted]
        if not pairs:
            raise OtherUse
        targets_text, columns = ", ".join(name for name, _ in pairs), ", ".join(column for _, column in pairs)
        self.edits.append((*code.span(parent.target), targets_text))
        self.edits.append((*code.span(node), f"zip({columns})" if len(pairs) > 1 else columns))
