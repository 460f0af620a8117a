"""A piece of source one can ask and edit: its syntax tree beside its text, so that what is not edited stays as it was typed.

Edits are spans of text, found through the syntax tree's positions. (A concrete syntax tree would do too; LibCST costs 0.2 s to
import and 20 ms to parse and position a page, where `ast` takes 0.4 ms, and a diagnosis has a blink.)
"""

from __future__ import annotations

import ast
import io
import keyword
import textwrap
import tokenize
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from jupyter_jitmagic.source.names import (
    COMPREHENSIONS,
    SCOPES,
    LiveAt,
    bound_in,
    bound_once,
    children,
    free_names,
    live_before,
    live_in_loop,
    loaded,
    shared,
    walk,
)
from jupyter_jitmagic.usercode.places import characters, compared

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Edit = tuple[int, int, str]
Node = TypeVar("Node", bound=ast.AST)
_BINDING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, *COMPREHENSIONS)


class Code:
    """Source text with its tree, parents and character offsets.

    Example:
        >>> code = Code("y = a if c else b\\n")
        >>> code.replace((code.tree.body[0].value, "where(c, a, b)"))
        'y = where(c, a, b)\\n'
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._below: dict[ast.AST, list[ast.AST]] = {}
        self._of_kind: dict[tuple[ast.AST, tuple[type, ...]], list[Any]] = {}
        self._bound: dict[ast.AST, set[str]] = {}

    def below(self, node: ast.AST) -> list[ast.AST]:
        """`walk(node)`, once for each node: a long function is asked about often."""
        if node not in self._below:
            self._below[node] = walk(node)
        return self._below[node]

    def of_kind(self, node: ast.AST, *kinds: type[Node]) -> list[Node]:
        """Those of `below(node)` that are of these kinds, in the same order, looked for once."""
        if (node, kinds) not in self._of_kind:
            self._of_kind[node, kinds] = [each for each in self.below(node) if isinstance(each, kinds)]
        return self._of_kind[node, kinds]

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines(keepends=True)

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [0], 0
        for line in self.lines:
            at += len(line)
            starts.append(at)
        return starts

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in self.below(self.tree) for child in children(node)}

    def offset(self, line: int, column: int) -> int:
        """Character offset of a 1-based line and a column in UTF-8 bytes, as `ast` counts."""
        return self._starts[line - 1] + characters(self.lines[line - 1], column)

    def span(self, node: ast.AST) -> tuple[int, int]:
        n: ast.expr = node  # type: ignore[assignment]
        return self.offset(n.lineno, n.col_offset), self.offset(n.end_lineno or 0, n.end_col_offset or 0)

    def src(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def expr(self, node: ast.expr) -> str:
        """The text of an expression, fit to stand as an operand or an argument over several lines."""
        text = self.src(node)
        if isinstance(node, ast.NamedExpr | ast.Yield | ast.YieldFrom) or (
            isinstance(node, ast.GeneratorExp) and not text.startswith("(")
        ):
            return f"({text})"
        if isinstance(node, ast.Tuple) and not self.is_enclosed(node):
            return f"({text})"
        return text

    def is_enclosed(self, node: ast.Tuple) -> bool:
        """Whether a tuple stands in parentheses of its own."""
        return not node.elts or self.span(node.elts[0])[0] > self.span(node)[0]

    def with_parentheses(self, node: ast.expr) -> tuple[int, int]:
        """The span of an expression with the parentheses around it alone, which a name or a call in its place does not need."""
        start, end = self.span(node)
        around = self.text[start - 1 : start] == "(" and self.text[end : end + 1] == ")"
        is_call = start > 1 and (self.text[start - 2].isalnum() or self.text[start - 2] in "_)]")
        return (start - 1, end + 1) if around and not is_call else (start, end)

    def operand(self, node: ast.expr) -> str:
        """The text of an expression, in parentheses where an operator beside it could bind tighter."""
        text = self.expr(node)
        plain = ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Constant | ast.List | ast.Dict | ast.Set
        if isinstance(node, plain | ast.Tuple):
            return text
        return f"({text})"

    def added(self, node: ast.AugAssign) -> str:
        """The text of what an augmented assignment adds, and the like: a product beside `+` or `-` stands as it is."""
        text, value = self.src(node.value), node.value
        product = isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult | ast.Div | ast.MatMult | ast.Pow)
        bare = product and isinstance(node.op, ast.Add | ast.Sub) and "\n" not in text
        return text if bare else self.operand(value)

    def compared(self, node: ast.expr) -> str:
        """The same as `operand` beside a comparison, which binds less than arithmetic does."""
        return self.expr(node) if isinstance(node, ast.BinOp | ast.UnaryOp) and not _is_not(node) else self.operand(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The node itself, its parent, and so on up to the module."""
        at: ast.AST | None = node
        while at is not None:
            yield at
            at = self.parents.get(at)

    def statement(self, node: ast.AST) -> ast.stmt:
        return next(at for at in self.ancestors(node) if isinstance(at, ast.stmt))

    def function(self, node: ast.AST) -> Function | None:
        """The innermost def or lambda around a node (not the node itself)."""
        for at in self.ancestors(node):
            if at is not node and isinstance(at, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                return at
        return None

    def bound_above(self, name: str, at: ast.AST) -> ast.expr | None:
        """What a name stands for at a place: bound once, in a line above, and nothing that is read there is bound since."""
        function = self.function(at)
        if not isinstance(function, ast.FunctionDef):
            return None
        value = bound_once(function, name)
        if value is None or name in loaded([value]):
            return None
        made, around = self.statement(value), {at, *self.ancestors(at)}
        block = self.block(made)
        behind = block[block.index(made) + 1 :]
        last = next((number for number, each in enumerate(behind) if each in around), None)
        if last is None:
            return None
        names = (each for statement in behind[: last + 1] for each in walk(statement) if isinstance(each, ast.Name))
        since = {each.id for each in names if not isinstance(each.ctx, ast.Load)}
        return None if since & loaded([value]) else value

    def unread(self, names: Iterable[str], gone: Collection[ast.AST], beside: ast.stmt) -> Iterator[ast.stmt]:
        """The assignments to these names alone, in the block of the statement `beside`, as far as nothing reads them but what
        is `gone`, and then each other."""
        function, gone = self.function(beside), set(gone)
        if not isinstance(function, ast.FunctionDef):
            return
        for name in names:
            value = bound_once(function, name)
            made = self.statement(value) if value is not None else None
            match made:
                case ast.Assign(targets=[ast.Name()]) if self.on_own_lines([made]) and made in self.block(beside):
                    pass
                case _:
                    return
            uses = (n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load))
            if not all(use in gone for use in uses):
                return
            gone |= set(walk(made))
            yield made

    def is_global(self, name: str, at: ast.AST) -> bool:
        """Whether a name means a global there: no function and no comprehension around the place binds it."""
        return not any(name in self._bound_by(around) for around in self.ancestors(at) if isinstance(around, _BINDING))

    def _bound_by(self, node: ast.AST) -> set[str]:
        if node not in self._bound:
            self._bound[node] = bound_in(node)
        return self._bound[node]

    def block(self, stmt: ast.stmt) -> list[ast.stmt]:
        """The list of statements in which `stmt` stands."""
        parent = self.parents[stmt]
        for name in ("body", "orelse", "finalbody"):
            stmts = getattr(parent, name, None)
            if isinstance(stmts, list) and stmt in stmts:
                return stmts
        raise LookupError(f"no block around line {stmt.lineno}")

    def at(self, line: int, column: int, end_line: int, end_column: int) -> ast.AST | None:
        """The outermost expression or statement of exactly this span, else the innermost one around it.

        Of `not a > b` the comparison: it is what asks for a value.
        """
        start, end = (line, column), (end_line, end_column)
        best: ast.AST | None = None
        for node in self.below(self.tree):  # breadth first: outer nodes come before inner ones
            if not isinstance(node, ast.expr | ast.stmt | ast.pattern):
                continue
            a, b = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
            if a <= start and end <= b:
                if best is not None and (a, b) == self._bounds(best) and isinstance(best, ast.expr):
                    continue
                best = node
        return compared(best)

    @staticmethod
    def _bounds(node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
        n: ast.expr = node  # type: ignore[assignment]
        return (n.lineno, n.col_offset), (n.end_lineno or 0, n.end_col_offset or 0)

    def indent(self, stmt: ast.stmt) -> str:
        line = self.lines[stmt.lineno - 1]
        return line[: len(line) - len(line.lstrip())]

    # -- whole statements -------------------------------------------------------------------------

    def region(self, stmts: Sequence[ast.stmt], comments: bool = False) -> tuple[int, int]:
        """Offsets of whole lines from the first statement (with decorators; with `comments`, those above it) to the last."""
        first = first_line(stmts[0])
        indent = self.indent(stmts[0])
        while comments and first > 1 and self.lines[first - 2].startswith(indent + "#"):
            first -= 1
        return self._starts[first - 1], self._starts[stmts[-1].end_lineno or 0]

    def on_own_lines(self, stmts: Sequence[ast.stmt]) -> bool:
        """Whether the statements fill whole lines (no `if c: return x`, no `a = 1; b = 2`)."""
        first, last = stmts[0], stmts[-1]
        before = self.lines[first.lineno - 1].encode()[: first.col_offset]
        after = self.lines[(last.end_lineno or 0) - 1].encode()[last.end_col_offset :].strip()
        return not before.strip() and (not after or after.startswith(b"#"))

    def block_text(self, stmts: Sequence[ast.stmt], indent: str, edits: Sequence[Edit] = ()) -> str:
        """The statements as lines at another indentation, comments kept, `edits` (absolute offsets) made."""
        if not stmts:
            return ""
        if not self.on_own_lines(stmts):
            return "".join(f"{indent}{self.edited(*self.span(s), edits)}\n" for s in stmts)
        start, end = self.region(stmts, comments=True)
        first, _ = self.span(stmts[0])
        if self.is_elif(stmts[0]):
            edits = [*edits, (first, first + 4, "if")]
        text = self.edited(start, end, edits)
        if not text.endswith("\n"):
            text += "\n"
        return reindent(text, self.indent(stmts[0]), indent)

    def edited(self, start: int, end: int, edits: Iterable[Edit]) -> str:
        """The text of a span with those of the edits (absolute offsets) that lie in it."""
        return apply_edits(
            self.text[start:end], [(a - start, b - start, new) for a, b, new in edits if start <= a and b <= end]
        )

    def is_elif(self, stmt: ast.stmt) -> bool:
        return isinstance(stmt, ast.If) and self.text.startswith("elif", self.span(stmt)[0])

    def replace(self, *edits: tuple[ast.AST | tuple[int, int], str]) -> str:
        """The whole text with each node (or span) replaced."""
        spans = [(*(where if isinstance(where, tuple) else self.span(where)), new) for where, new in edits]
        return apply_edits(self.text, spans)

    # -- names ------------------------------------------------------------------------------------

    def fresh(self, *wanted: str, taken: Collection[str] = ()) -> str:
        """The first wanted name that nothing here uses, nor is `taken`, and that is no word of Python's, else the first with
        a number."""
        used = self.names.union(taken)
        for name in wanted:
            if name not in used and not keyword.iskeyword(name):
                return name
        number = 2
        while f"{wanted[0]}_{number}" in used:
            number += 1
        return f"{wanted[0]}_{number}"

    @cached_property
    def names(self) -> set[str]:
        found = {n.id for n in self.below(self.tree) if isinstance(n, ast.Name)}
        found |= {n.arg for n in self.below(self.tree) if isinstance(n, ast.arg)}
        found |= {n.name for n in self.below(self.tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        return found

    def continuation(self, stmt: ast.stmt) -> tuple[list[ast.stmt], bool]:
        """What runs after `stmt` up to the end of its function or innermost loop, and whether it ended at the function.

        At a loop the whole loop comes again and then what follows it, so that reads of the next round count.
        """
        after: list[ast.stmt] = []
        at: ast.AST = stmt
        in_function = True
        while isinstance(at, ast.stmt):
            stmts = self.block(at)
            after += stmts[stmts.index(at) + 1 :]
            at = self.parents[at]
            if isinstance(at, ast.For | ast.While | ast.AsyncFor):
                after.append(at)
                in_function = False
            elif isinstance(at, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
                break
        return after, in_function

    def _behind(self, stmt: ast.stmt) -> Sequence[ast.stmt]:
        """The statements of its block that follow."""
        stmts = self.block(stmt)
        return stmts[stmts.index(stmt) + 1 :]

    def _live_around(self, stmt: ast.stmt) -> LiveAt:
        """What is live where the block of `stmt` ends, and where it leaves the loop around it."""
        around = self.parents[stmt]
        if isinstance(around, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return LiveAt(frozenset())
        if not isinstance(around, ast.stmt):  # one of the ways of a `try` or a `match`
            around = self.statement(around)
        at = self._live_around(around)
        at = replace(at, end=frozenset(live_before(self._behind(around), at)))
        if isinstance(around, ast.For | ast.AsyncFor | ast.While) and stmt not in around.orelse:
            head = frozenset(live_in_loop(around, at))
            return LiveAt(head, at.end, head)
        return at

    def live_after(self, stmt: ast.stmt) -> set[str]:
        """Names that may be read after `stmt` before they are written again (functions defined before read too, if they may
        still be called, and who reads what stands outside the function is not asked)."""
        live = live_before(self._behind(stmt), self._live_around(stmt))
        fn = self.function(stmt)
        if fn is not None and not isinstance(fn, ast.Lambda):
            before = [n for n in self.below(fn) if isinstance(n, SCOPES) and n is not fn and n.lineno < stmt.lineno]
            kept = [node for node in before if not self._is_spent(node, fn, live)]
            live = live.union(shared(fn.body), *map(free_names, kept))
        return live

    def _is_spent(self, node: ast.AST, fn: Function, live: set[str]) -> bool:
        """Whether a function defined within another was given to `lax.cond` and the like alone, and is not named any more."""
        uses: list[ast.AST] = [node]
        if isinstance(node, ast.FunctionDef):
            uses = [n for n in self.below(fn) if isinstance(n, ast.Name) and n.id == node.name]
        given = [parent for use in uses if isinstance(parent := self.parents[use], ast.Call) and use in parent.args]
        spent = all(isinstance(call.func, ast.Attribute) and call.func.attr in _CALL_AT_ONCE for call in given)
        named = getattr(node, "name", "") in live or getattr(node, "decorator_list", [])
        return bool(given) and len(given) == len(uses) and spent and not named


_CALL_AT_ONCE = frozenset({"cond", "switch", "while_loop", "fori_loop", "scan", "eval_shape"})
"""Functions of JAX's that call those that they are given, and keep none."""


def comments_of(text: str) -> list[str]:
    """The comments in a piece of source, without indentation."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(textwrap.dedent(text)).readline):
            if token.type == tokenize.COMMENT:
                found.append(token.string)
    except (tokenize.TokenError, IndentationError):  # an `elif` or `else` on its own: what was seen is kept
        pass
    return found


def words(text: str) -> frozenset[str]:
    """A set of names, written as one line."""
    return frozenset(text.split())


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    out, at = [], 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):  # at one place they stay in their order
        if start < at:
            raise ValueError("edits overlap")
        out += [text[at:start], new]
        at = end
    return "".join([*out, text[at:]])


def first_line(stmt: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(stmt, "decorator_list", [])
    return min([stmt.lineno, *(d.lineno for d in decorators)])


def reindent(text: str, old: str, new: str) -> str:
    """Lines moved from one indentation to another; the inner lines of multi-line strings stay."""
    if old == new:
        return text
    keep: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in STRING_TOKENS and token.end[0] > token.start[0]:
                keep.update(range(token.start[0] + 1, token.end[0] + 1))
    except (tokenize.TokenError, IndentationError):  # a block that begins indented: its strings were seen before the error
        pass
    out = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if number in keep or not line.strip():
            out.append(line)
        elif line.startswith(old):
            out.append(new + line[len(old) :])
        else:  # a comment or a bracket's inside further left than the block
            out.append(new + line.lstrip() if len(line) - len(line.lstrip()) < len(old) else line)
    return "".join(out)


STRING_TOKENS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def is_tested(code: Code, node: ast.expr) -> bool:
    """Whether nothing but its truth is asked: `if found`, `not found`, `if found and v > 1`."""
    parent = code.parents[node]
    match parent:
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp():
            return is_tested(code, parent)
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return test is node
    return False


def is_returned(code: Code, node: ast.expr) -> bool:
    """Whether it is what a `return` gives, or one of several values."""
    parent = code.parents[node]
    return isinstance(code.parents[parent] if isinstance(parent, ast.Tuple) else parent, ast.Return)


def always_returns(stmts: Sequence[ast.stmt]) -> bool:
    """Whether every way through the statements ends in return or raise."""
    for stmt in stmts:
        if isinstance(stmt, ast.Return | ast.Raise):
            return True
        if isinstance(stmt, ast.If) and stmt.orelse and always_returns(stmt.body) and always_returns(stmt.orelse):
            return True
        if isinstance(stmt, ast.With) and always_returns(stmt.body):
            return True
        if isinstance(stmt, ast.Match) and _takes_all(stmt.cases[-1]) and all(always_returns(each.body) for each in stmt.cases):
            return True
        if isinstance(stmt, ast.For | ast.While) and always_returns(stmt.orelse) and not leaves(stmt.body, ast.Break):
            return True  # its `else` comes behind each loop that is not left
    return False


def _takes_all(case: ast.match_case) -> bool:
    """Whether a case holds whatever is matched: `case _:`."""
    return isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None


def in_other_branches(code: Code, one: ast.stmt, other: ast.stmt) -> bool:
    """Whether no way through the same round of the loops around both comes to both: they stand in the two sides of an `if`, or
    the later one follows an `if` whose lines around the first leave the block."""
    for at, below in _ifs_around(code, one):
        side, rest = (at.body, at.orelse) if below in at.body else (at.orelse, at.body)
        block = code.block(at)
        if isinstance(side[-1], ast.Continue | ast.Break | ast.Return | ast.Raise):
            rest = [*rest, *block[block.index(at) + 1 :]]
        if any(other in walk(each) for each in rest):
            return True
    return False


def _ifs_around(code: Code, node: ast.stmt) -> Iterator[tuple[ast.If, ast.AST]]:
    """Each `if` around a statement, with what of it holds the statement."""
    below: ast.AST = node
    for at in code.ancestors(node):
        if isinstance(at, ast.If):
            yield at, below
        below = at


def leaves(stmts: Iterable[ast.AST], kinds: type | tuple[type, ...]) -> list[ast.AST]:
    """The statements of these kinds in this scope; break and continue only those that belong to a loop around `stmts`, as those
    in the `else` of a loop do."""
    found: list[ast.AST] = []
    stack: list[tuple[ast.AST, bool]] = [(s, True) for s in stmts]
    while stack:
        node, own_loop = stack.pop()
        if isinstance(node, SCOPES):
            continue
        if isinstance(node, kinds) and (own_loop or not isinstance(node, ast.Break | ast.Continue)):
            found.append(node)
        within = set(node.body) if isinstance(node, ast.For | ast.While | ast.AsyncFor) else ()
        stack += [(child, own_loop and child not in within) for child in children(node)]
    return found


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
