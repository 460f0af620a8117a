"""Where a function is cut: runs of its statements become pieces, the marked ones stay; text in, text out."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from jupyter_jitmagic.diagnosis.splits.statements import (
    blocks_of,
    changed_roots,
    computes_with,
    free_names_of,
    fresh,
    head_stores,
    is_conversion,
    is_dotted,
    is_no_statement,
    operands,
    own_stores,
    speaks,
    statement_of,
)
from jupyter_jitmagic.source.code import Code, Edit, always_returns, apply_edits, leaves
from jupyter_jitmagic.source.names import (
    loaded,
    read_first,
    shared,
    stored,
    surely_written,
    target_names,
    walk_scope,
    written_around,
)

Key = tuple[ast.stmt, int]
"""A statement of the function, and which part of it (0: all of it, as typed)."""


class CannotCut(Exception):
    """The function is of a kind that is not cut; the message says which."""


@dataclass
class Marks:
    """What is known of the statements so far.

    Attributes:
        plain: what stays in plain Python.
        early: what stays, and may move above a piece that it does not depend on (`n = x.shape[0]`).
        isolated: statements of which one expression alone stays: its operands go before, what is made of it after.
        sizes: by piece, what it takes as an `int` that is an array in plain Python (`n = jnp.max(labels)`).
    """

    plain: set[Key] = field(default_factory=set)
    early: set[Key] = field(default_factory=set)
    isolated: dict[ast.stmt, ast.expr] = field(default_factory=dict)
    sizes: dict[tuple[Key, ...], frozenset[str]] = field(default_factory=dict)

    def copy(self) -> Marks:
        return Marks(set(self.plain), set(self.early), dict(self.isolated), dict(self.sizes))


@dataclass(frozen=True)
class Item:
    """A statement, or one part of a statement that is taken apart (which has a text of its own)."""

    stmt: ast.stmt
    part: int
    node: ast.stmt
    text: str = ""

    @property
    def key(self) -> Key:
        return self.stmt, self.part


@dataclass(frozen=True)
class Piece:
    """A run of statements that becomes a function under jit.

    Attributes:
        name: of the function.
        items: its statements.
        inputs, outputs: names that it takes, and gives back; no outputs where `returns`.
        returns: it ends the function: what it returns is the function's result.
        copied: definitions and imports of the function that it needs as well.
    """

    name: str
    items: tuple[Item, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    returns: bool
    copied: tuple[ast.stmt, ...] = ()

    @property
    def key(self) -> tuple[Key, ...]:
        return tuple(item.key for item in self.items)


class Cut:
    """One way to cut a function.

    Args:
        code: the text of the top-level statement that holds it.
        function: the function.
        marks: what stays in plain Python; what cannot be in a piece is added to it.
        taken: names that no piece may have.

    Raises:
        CannotCut: a generator, or one that assigns to names of the function around it.
    """

    def __init__(self, code: Code, function: ast.FunctionDef, marks: Marks, taken: frozenset[str]) -> None:
        self.code, self.function, self.marks, self.taken = code, function, marks, taken
        inside = list(walk_scope(function.body))
        if any(isinstance(node, ast.Yield | ast.YieldFrom | ast.Await | ast.Nonlocal) for node in inside):
            raise CannotCut("it yields, or assigns to names outside it")
        heads = [node for node in inside if isinstance(node, ast.stmt) and any(blocks_of(node))]
        if shared(function.body).intersection(name for head in heads for name in head_stores(head)):
            raise CannotCut("the head of a statement assigns to a global name")
        arguments = function.args
        self.parameters = [
            each.arg
            for each in (
                *arguments.posonlyargs,
                *arguments.args,
                *filter(None, [arguments.vararg]),
                *arguments.kwonlyargs,
                *filter(None, [arguments.kwarg]),
            )
        ]
        self.locals = [*self.parameters, *(name for name in stored(function.body) if name not in self.parameters)]
        self._written_inside = [name for name in self.locals if name in written_around(function)]
        if "super" in loaded(function.body) or "__class__" in loaded(function.body):
            raise CannotCut("it asks for its class")
        self._definitions = self._floating()
        self._parts: dict[ast.stmt, list[Item]] = {}
        self.pieces: list[Piece] = []
        self._changed: list[tuple[list[ast.stmt], list[Item | Piece]]] = []
        self._typed: list[ast.stmt] = []
        self._used = set(taken) | code.names
        for _ in range(200):
            self.pieces, self._changed, self._typed = [], [], []
            try:
                self._block(function.body, top=True)
            except _Again:
                continue
            break
        else:
            raise CannotCut("no cut of it stands")
        self._named()

    def _floating(self) -> dict[str, ast.stmt]:
        """Local functions and imports, which a piece may have as a copy."""
        found: dict[str, ast.stmt] = {}
        names = [name for stmt in walk_scope(self.function.body) if isinstance(stmt, ast.stmt) for name in own_stores(stmt)]
        for stmt in self.function.body:
            is_lambda = isinstance(stmt, ast.Assign) and isinstance(stmt.value, ast.Lambda) and len(stmt.targets) == 1
            if isinstance(stmt, ast.FunctionDef | ast.Import | ast.ImportFrom) or is_lambda:
                found |= {name: stmt for name in own_stores(stmt) if names.count(name) == 1 and name not in self.parameters}
        return found

    # -- walking --------------------------------------------------------------------------------------

    def _block(self, stmts: Sequence[ast.stmt], *, top: bool = False) -> None:
        """Cut one block; what changes becomes edits."""
        made: list[Item | Piece] = []
        run: list[Item] = []
        items = [item for stmt in stmts for item in self._items(stmt)]
        for item in items:
            if self._fits(item):
                run.append(item)
            elif run and item.key in self.marks.early and self._independent(item, run):
                made.append(item)
            else:
                self._flush(run, made, items, ends=False)
                made.append(item)
        self._flush(run, made, items, ends=top)
        order = {stmt: number for number, stmt in enumerate(stmts)}
        self._typed += [each.node for each in made if isinstance(each, Item)]
        for segment in _segments(made, order):
            (first,) = segment if len(segment) == 1 else (None,)
            if isinstance(first, Item) and not first.text:
                self._inside(first.stmt)
            else:
                inside = [item.stmt for each in segment for item in (each.items if isinstance(each, Piece) else (each,))]
                self._changed.append((sorted(dict.fromkeys(inside), key=order.__getitem__), segment))

    def _inside(self, stmt: ast.stmt) -> None:
        """Cut the blocks of a statement that stays."""
        for block in blocks_of(stmt):
            if self.code.is_elif(block[0]):
                self._inside(block[0])
            elif self.code.on_own_lines(block):
                self._block(block)

    def _items(self, stmt: ast.stmt) -> list[Item]:
        if stmt not in self.marks.isolated:
            return [Item(stmt, 0, stmt)]
        if stmt not in self._parts:
            self._parts[stmt] = list(self._taken_apart(stmt, self.marks.isolated[stmt]))
        return self._parts[stmt]

    def _taken_apart(self, stmt: ast.stmt, node: ast.expr) -> Iterator[Item]:
        """The operands of the expression, the expression itself, and the statement with a name in its place."""
        number = itertools.count(1)
        edits: list[Edit] = []
        for operand in operands(node):
            if isinstance(operand, ast.Name | ast.Constant | ast.Slice) or is_dotted(operand):
                continue
            name = fresh("given", self._used)
            edits.append((*self.code.span(operand), name))
            yield self._part(stmt, next(number), f"{name} = {self.code.expr(operand)}")
        start, end = self.code.span(node)
        value = getattr(stmt, "value", None)
        expression = self.code.edited(start, end, edits)
        if (is_conversion(node) and not computes_with(stmt, node)) or (
            value is node and isinstance(stmt, ast.Assign | ast.AnnAssign | ast.Return | ast.Expr)
        ):
            begin, last = self.code.span(stmt)
            text = apply_edits(self.code.text[begin:last], [(start - begin, end - begin, expression)])
            yield self._part(stmt, next(number), text)
            return
        name = fresh("found", self._used)
        yield self._part(stmt, next(number), f"{name} = {expression}")
        begin, last = self.code.span(stmt)
        text = apply_edits(self.code.text[begin:last], [(start - begin, end - begin, name)])
        yield self._part(stmt, next(number), text)

    def _part(self, stmt: ast.stmt, part: int, text: str) -> Item:
        if "\n" in text:
            text = ast.unparse(ast.parse(f"def _():\n    {text}")).split("\n", 1)[1].strip() if is_no_statement(text) else text
        return Item(stmt, part, statement_of(text), text)

    def _fits(self, item: Item) -> bool:
        """Whether a statement may stand in a piece."""
        stmt = item.node
        if item.key in self.marks.plain or item.key in self.marks.early:
            return False
        if isinstance(stmt, ast.Import | ast.ImportFrom | ast.Global | ast.Pass | ast.Delete | ast.ClassDef | ast.Try):
            return False
        if isinstance(stmt, ast.Expr) and (isinstance(stmt.value, ast.Constant) or speaks(stmt.value)):
            return False
        if item.part == 0:
            marked = {key[0] for key in (*self.marks.plain, *self.marks.early)} | set(self.marks.isolated)
            if any(inner in marked for inner in ast.walk(item.stmt)) or self.code.is_elif(item.stmt):
                return False
            if any(isinstance(n, ast.Expr) and speaks(n.value) for n in walk_scope([stmt])):
                return False
            if not self.code.on_own_lines([item.stmt]):
                return False
        return not leaves([stmt], (ast.Break, ast.Continue))

    def _independent(self, item: Item, run: Sequence[Item]) -> bool:
        """Whether a statement may run before those of a run."""
        nodes = [each.node for each in run]
        definition = isinstance(item.node, ast.FunctionDef | ast.Import | ast.ImportFrom)
        reads = set[str]() if definition else read_first([item.node])
        here, there = set(stored([item.node])), {*stored(nodes), *self._written_inside}
        return not (reads & there) and not (here & (read_first(nodes) | there))

    def _flush(self, run: list[Item], made: list[Item | Piece], items: Sequence[Item], *, ends: bool) -> None:
        """Make a piece of what was gathered."""
        if not run:
            return
        nodes = [item.node for item in run]
        if any(leaves([node], ast.Return) for node in nodes) and not (ends or always_returns(nodes)):
            self._keep(next(item for item in run if leaves([item.node], ast.Return)))
        returns = any(leaves([node], ast.Return) for node in nodes)
        live = self._live_after(run, items)
        bound = self._bound_before(run[0])
        by_calls = [name for name in self._written_inside if name in bound]  # a call may set them
        outputs = [] if returns else [name for name in dict.fromkeys((*stored(nodes), *by_calls)) if name in live]
        inputs = (read_first(nodes) | (set(outputs) - surely_written(nodes))) & set(self._known()) - self._born_in(run)
        copied: list[ast.stmt] = []
        for _ in range(10):
            needed = [self._definitions[name] for name in sorted(inputs) if name in self._definitions]
            if not needed:
                break
            for definition in needed:
                if definition not in copied:
                    copied.insert(0, definition)
                inputs -= set(own_stores(definition))
                if not isinstance(definition, ast.Import | ast.ImportFrom):
                    inputs |= free_names_of(definition) & set(self.locals) - set(stored(nodes))
        for item in run:
            if any(name in self._definitions and name in outputs for name in own_stores(item.node)):
                self.marks.early.add(item.key)
                raise _Again
            if changed_roots(item.node) & inputs:
                self._keep(item)
        unbound = (set(outputs) - surely_written(nodes)) - bound
        for item in run:
            if unbound & set(stored([item.node])):
                self._keep(item)
        if not outputs and not returns:
            self._keep(run[-1])
        known = [*self.locals, *sorted(inputs - set(self.locals))]
        made.append(
            piece := Piece("", tuple(run), tuple(n for n in known if n in inputs), tuple(outputs), returns, tuple(copied))
        )
        self.pieces.append(piece)
        run.clear()

    def _born_in(self, run: Sequence[Item]) -> set[str]:
        """Names that have no value before these statements: they set them in branches, and read them behind."""
        inside = {node for item in run for node in ast.walk(item.stmt)}
        if any(isinstance(at, ast.For | ast.While) for at in self.code.ancestors(run[0].stmt) if at not in inside):
            return set()  # from an earlier round
        stores = [node for node in walk_scope(self.function.body) if isinstance(node, ast.Name | ast.FunctionDef)]
        others = {name for node in stores if node not in inside for name in stored([node])}
        return set(stored([item.node for item in run])) - others - set(self.parameters)

    def _keep(self, item: Item) -> None:
        self.marks.plain.add(item.key)
        raise _Again

    def _known(self) -> list[str]:
        """The function's own names, those of taken-apart expressions included."""
        parts = [name for items in self._parts.values() for item in items for name in stored([item.node])]
        return [*self.locals, *(name for name in parts if name not in self.locals)]

    def _live_after(self, run: Sequence[Item], items: Sequence[Item]) -> set[str]:
        last = run[-1]
        rest = [item.node for item in items if item.stmt is last.stmt and item.part > last.part]
        return read_first(rest) | (self.code.live_after(last.stmt) - surely_written(rest))

    def _bound_before(self, item: Item) -> set[str]:
        bound = set(self.parameters)
        at: ast.AST = item.stmt
        while isinstance(at, ast.stmt) and at is not self.function:
            stmts = self.code.block(at)
            bound |= surely_written(stmts[: stmts.index(at)])
            parent = self.code.parents[at]
            if isinstance(parent, ast.For):
                bound |= set(target_names(parent.target))
            at = parent
        return bound

    # -- writing --------------------------------------------------------------------------------------

    def _named(self) -> None:
        """Give the pieces names by where they stand."""
        own = self.function.name
        self.pieces.sort(key=lambda piece: piece.items[0].stmt.lineno)
        count = len(self.pieces)
        if count == 1:
            wanted = [f"{own}_after" if self.pieces[0].returns else f"{own}_before"]
        elif count == 2 and self.pieces[1].returns:
            wanted = [f"{own}_before", f"{own}_after"]
        else:
            wanted = [f"{own}_{number}" for number in range(1, count + 1)]
        self.names = {piece.key: fresh(name, self._used) for piece, name in zip(self.pieces, wanted, strict=True)}
        self.pieces = [Piece(self.names[p.key], p.items, p.inputs, p.outputs, p.returns, p.copied) for p in self.pieces]

    def function_text(self) -> str:
        """The lines of the function (without decorators) with the calls in them, as they stand in their file."""
        start, end = self.code.offset(self.function.lineno, 0), self.code.region([self.function])[1]
        dropped = self._unread()
        edits: list[Edit] = []
        inside: set[ast.stmt] = set()
        for stmts, segment in self._changed:
            inside |= set(stmts)
            edits.append((*self.code.region(stmts, comments=True), self._segment_text(segment, dropped)))
        edits += [(*self.code.region([stmt], comments=True), "") for stmt in dropped if stmt not in inside]
        return self.code.edited(start, end, edits)

    def _unread(self) -> set[ast.stmt]:
        """Local functions and imports that the pieces alone read, each its own copy."""
        copied = {stmt for piece in self.pieces for stmt in piece.copied}
        return {stmt for stmt in copied if not set(own_stores(stmt)) & loaded(t for t in self._typed if t is not stmt)}

    def _segment_text(self, segment: Sequence[Item | Piece], dropped: set[ast.stmt]) -> str:
        out = []
        for each in self._joined(segment):
            indent = self.code.indent((each.items[0] if isinstance(each, Piece) else each).stmt)
            if isinstance(each, Piece):
                sizes = self.marks.sizes.get(each.key, ())
                given = [f"int({name})" if name in sizes else name for name in each.inputs]
                call = f"{self.names[each.key]}({', '.join(given)})"
                head = "return " if each.returns else f"{', '.join(each.outputs)} = "
                out.append(f"{indent}{head}{call}\n")
            elif each.text:
                out.append(f"{indent}{each.text}\n")
            elif each.stmt not in dropped:
                out.append(self.code.block_text([each.stmt], indent))
        return "".join(out)

    def _joined(self, segment: Sequence[Item | Piece]) -> Iterator[Item | Piece]:
        """Parts of a statement that stand beside each other in plain Python, as `given = a.max()` and `found = int(given)`,
        as one line."""
        waiting: dict[str, Item] = {}
        for each in segment:
            own = stored([each.node]) if isinstance(each, Item) and each.text and "\n" not in each.text else []
            if isinstance(each, Item) and own and each.part and own[0].startswith("given") and own[0] not in self.locals:
                waiting[own[0]] = each
                continue
            if isinstance(each, Item) and own and waiting and all(item.stmt is each.stmt for item in waiting.values()):
                code = Code(each.text)
                names = [node for node in ast.walk(code.tree) if isinstance(node, ast.Name) and node.id in waiting]
                given = {name: _value_of(item.text) for name, item in waiting.items()}
                text = code.edited(0, len(each.text), [(*code.span(node), given[node.id]) for node in names])
                yield Item(each.stmt, each.part, each.node, text)
            else:
                yield from (*waiting.values(), each)
            waiting = {}
        yield from waiting.values()

    def piece_text(self, piece: Piece, decorator: str) -> str:
        """The definition of a piece."""
        lines = [f"{decorator}\ndef {piece.name}({', '.join(piece.inputs)}):\n"]
        lines += [self.code.block_text([stmt], "    ") for stmt in piece.copied]
        waiting: list[Item] = []
        body = self.code.block(piece.items[0].stmt)
        last = piece.items[-1]
        result = f"{piece.outputs[0]} = " if len(piece.outputs) == 1 else None
        *before, _ = piece.items
        ends = bool(result and last.text.startswith(result) and before)
        for item in before if ends else piece.items:
            follows = waiting and body.index(item.stmt) == body.index(waiting[-1].stmt) + 1
            if waiting and (item.text or not follows):
                lines.append(self.code.block_text([each.stmt for each in waiting], "    "))
                waiting = []
            if item.text:
                lines.append(f"    {item.text}\n")
            else:
                waiting.append(item)
        if waiting:
            lines.append(self.code.block_text([each.stmt for each in waiting], "    "))
        if ends and result:
            lines.append(f"    return {last.text.removeprefix(result)}\n")
        elif not piece.returns:
            lines.append(f"    return {', '.join(piece.outputs)}\n")
        return "".join(lines)


def _value_of(text: str) -> str:
    """What an assignment of one line gives its name, fit to stand as an operand."""
    code = Code(text)
    (statement,) = code.tree.body
    assert isinstance(statement, ast.Assign)
    return code.operand(statement.value)


def _segments(made: Sequence[Item | Piece], order: Mapping[ast.stmt, int]) -> list[list[Item | Piece]]:
    """What was made of a block, in groups that share no statement."""
    found: list[tuple[int, int, list[Item | Piece]]] = []
    for each in made:
        numbers = [order[item.stmt] for item in (each.items if isinstance(each, Piece) else (each,))]
        first, last, group = min(numbers), max(numbers), [each]
        while found and found[-1][1] >= first:
            begin, end, before = found.pop()
            first, last, group = min(begin, first), max(end, last), [*before, *group]
        found.append((first, last, group))
    return [group for _, _, group in found]


class _Again(Exception):
    """A statement was marked that was in a piece: cut again."""
