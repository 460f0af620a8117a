"""Exceptions as a way through the code: `try: if bad: raise E` … `except E:` → `if bad:` … `else:`.

Compiled code raises nothing, but where it is written when something is raised and what is done then, that is a choice like
another. What Python raises of itself there (a key that is missing, a division by zero) is written down first; a call that may
raise in a way that nobody can see keeps the whole as it is.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jupyter_jitmagic.base.looking import is_a
from jupyter_jitmagic.diagnosis.rewrites.host_functions import host_names
from jupyter_jitmagic.diagnosis.rewrites.inlining import Inlining
from jupyter_jitmagic.diagnosis.rewrites.raised import NEVER_FAIL, given_to, raised_by, told_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves, words
from jupyter_jitmagic.source.names import SCOPES, always_leaves, loaded, walk, walk_scope

MOST_REPEATED = 3
"""Lines of a handler, or of what follows a choice, that may stand there twice."""
_ARRAYS = ("jax", "jaxlib")
_HARMLESS = frozenset({"abs", "len", "range", "enumerate", "zip", "bool", "print", "isinstance", "list", "tuple", "reversed"})
"""Builtins that raise by no value of arrays or lists."""
_METHODS = frozenset({"append", "extend", "get", "items", "keys", "values", "add", "discard"})
_OF_MATH = (ValueError, OverflowError)
_OF_FUNCTIONS_OF_MATH: dict[str, tuple[type[BaseException], ...]] = {
    **dict.fromkeys(words("radians degrees atan atan2 hypot fabs copysign tanh asinh erf erfc isnan isinf isfinite cbrt"), ()),
    **dict.fromkeys(words("exp exp2 expm1 sinh cosh"), (OverflowError,)),
    **dict.fromkeys(words("sin cos tan"), (ValueError,)),
}
"""What functions of `math` raise by the values of numbers, where it is less than `_OF_MATH`."""
_OF_INFINITE_NUMBERS = words("sin cos tan")
_INFINITE = {
    "infinite": "an infinite number in a sine, cosine or tangent, of which Python raises ValueError: compiled, it is NaN"
}
_OF_BUILTINS: dict[str, tuple[type[BaseException], ...]] = dict.fromkeys(
    ("float", "int", "max", "min", "sum", "round", "sorted", "any", "all"), _OF_MATH
)
"""What others raise by the values that they get."""


def as_choices(spot: Spot) -> Iterator[Step]:
    """The `try` around the place where the trace stopped, without it; or one that catches what numbers of Python's raise,
    where a trace does not stop: an array raises nothing there."""
    found = around(spot)
    step = _Ways(spot, found).step() if found is not None else _elsewhere(spot)
    if step is not None:
        yield step


def _elsewhere(spot: Spot) -> Step | None:
    """What is raised by value in another `try` of the function, written down."""
    function = spot.function
    for node in walk(function) if isinstance(function, ast.FunctionDef) else ():
        if isinstance(node, ast.Try) and node.handlers:
            ways = _Ways(spot, node)
            if all(ways.kinds) and (step := ways.told()) is not None:
                return step
            if _asks_for_items(node) and (step := ways.step()) is not None:
                return step
    return None


def _asks_for_items(node: ast.Try) -> bool:
    """Whether it is written down that something is raised where a list is empty: `if not items: raise ValueError`."""
    for each in node.body:
        match each:
            case ast.If(test=ast.UnaryOp(op=ast.Not(), operand=ast.Name()), body=[ast.Raise()], orelse=[]):
                return True
    return False


def around(spot: Spot) -> ast.Try | None:
    """The innermost `try` of the function in whose body the place stands."""
    inside: ast.AST = spot.node
    for at in spot.code.ancestors(spot.node):
        if isinstance(at, ast.Try) and at.handlers and inside in at.body:
            return at
        if isinstance(at, SCOPES):
            return None
        inside = at
    return None


class _Raises(Exception):
    """Something may be raised and caught that cannot be written as a test."""


class _Ways:
    """A `try` as the choices that it stands for."""

    def __init__(self, spot: Spot, node: ast.Try) -> None:
        self.spot, self.code, self.node = spot, spot.code, node
        self.kinds = [_kinds(spot, each.type) for each in node.handlers]
        self.excludes: dict[str, str] = {}

    def step(self) -> Step | None:
        node, code = self.node, self.code
        unknown = any(kinds is None for kinds in self.kinds)
        named = any(each.name in loaded(each.body) and not told_of(each) for each in node.handlers if each.name)
        whole = [*node.body, *node.orelse, *(part for each in node.handlers for part in each.body)]
        ends = bool(node.finalbody) and bool(leaves(whole, (ast.Return, ast.Break, ast.Continue)))
        if unknown or named or ends or not code.on_own_lines([node]):
            return None
        try:
            for call in _calls(node.body):
                if self._raises(call):
                    return self._with_its_lines(call)
            if (told := self._told()) is not None:
                return told
            text = self._lines([*node.body], code.indent(node))
        except _Raises:
            return None
        text += code.block_text(node.finalbody, code.indent(node)) if node.finalbody else ""
        return self.spot.step("if", (code.region([node]), text), excludes=self.excludes)

    # -- what may be raised ----------------------------------------------------------------------------

    def _catches(self, *errors: type[BaseException]) -> bool:
        caught = [kind for kinds in self.kinds for kind in kinds or ()]
        return any(issubclass(error, kind) or issubclass(kind, error) for error in errors for kind in caught)

    def _raises(self, call: ast.Call) -> bool:
        """Whether a call is one of the user's functions, which raises what is caught here.

        Raises:
            _Raises: it may raise what is caught, and nobody can see when.
        """
        spot, name = self.spot, self.code.src(call.func)
        if any(call in walk(each) for each in walk_scope(self.node.body) if isinstance(each, ast.Raise)):
            return False  # the exception itself is made
        made = Inlining.of(spot, call)
        if made is not None:
            body = made.function.body if isinstance(made.function, ast.FunctionDef) else []
            raised = leaves(body, ast.Raise)
            inner = [each for each in walk(made.function) if isinstance(each, ast.Call)]
            if raised:
                return True
            if self._catches_builtins() and (inner or any(map(_by_operator, walk(made.function)))):
                raise _Raises
            return False
        if not self._catches_builtins() or raised_by(spot, call, self.node.handlers) is not None or self._solves_nothing(call):
            return False
        value = spot.value(call.func)
        if is_a(value, type) and issubclass(value, BaseException):
            return False
        if name in _HARMLESS and spot.is_builtin(name):
            return False
        if spot.is_builtin(name) and not self._catches(*_OF_BUILTINS.get(name, (BaseException,))):
            return False
        if name in ("max", "min", "sum") and spot.is_builtin(name) and (len(call.args) > 1 or name == "sum"):
            return False
        if type(value) is types.BuiltinFunctionType and value.__module__ == "math":
            if not self._catches(*_OF_FUNCTIONS_OF_MATH.get(value.__name__, _OF_MATH)):
                return False
            if value.__name__ in _OF_INFINITE_NUMBERS:
                self.excludes |= _INFINITE
                return False
        if name in ("float", "int") and spot.is_builtin(name) and len(call.args) == 1:
            fact = spot.fact(call.args[0])
            if fact is not None and fact.sort in ("array", "number") and (name == "float" or fact.dtype in ("i", "b", "u")):
                return False
        if isinstance(call.func, ast.Attribute):
            owner = spot.fact(call.func.value)
            if owner is not None and owner.sort == "array":
                return False
            if call.func.attr in _METHODS:
                return False
        if str(getattr(value, "__module__", "")).partition(".")[0] in _ARRAYS:
            return False
        raise _Raises

    def _solves_nothing(self, call: ast.Call) -> bool:
        """Whether a function of NumPy's or SciPy's raises no LinAlgError, where that alone is caught."""
        caught = [kind for kinds in self.kinds for kind in kinds or ()]
        names = host_names(self.spot, call.func)
        solves = any(".linalg." in name or ".optimize." in name for name in names) and not NEVER_FAIL & set(names)
        return bool(names) and not solves and all(issubclass(kind, np.linalg.LinAlgError) for kind in caught)

    def _catches_builtins(self) -> bool:
        """Whether what Python raises of itself is caught; of a class of the user's own, only he raises it."""
        return any(
            kind.__module__ in ("builtins", "numpy.exceptions", "numpy.linalg") for kinds in self.kinds for kind in kinds or ()
        )

    def _by_value(self, node: ast.AST) -> bool:
        """Whether an operator raises by the values that it meets, and that is caught.

        Raises:
            _Raises: it may, and nothing is known of what it meets.
        """
        errors = _by_operator(node)
        return bool(errors) and self._catches(*errors) and not any(self._is_array(each) for each in _met_by(node))

    def _is_array(self, node: ast.expr) -> bool:
        fact = self.spot.fact(node)
        if fact is None:
            raise _Raises
        return fact.sort == "array"

    def _with_its_lines(self, call: ast.Call) -> Step | None:
        """The lines of a function that raises, in the place of its call."""
        made = Inlining.of(replace(self.spot, node=call), call)
        return next(made.by_ways(raising=True), None) if made is not None else None

    # -- what Python raises of itself, written down ----------------------------------------------------

    def told(self) -> Step | None:
        """The same, or nothing where it cannot be written."""
        try:
            return self._told()
        except _Raises:
            return None

    def _told(self) -> Step | None:
        """`v = table[k]` → `if k not in table: raise KeyError` before it; the same of a division by zero."""
        code = self.code
        for at in _all(self.node.body):
            if isinstance(at, ast.Assert) and self._catches(AssertionError) and code.on_own_lines([at]):
                indent = code.indent(at)
                lines = f"{indent}if not {code.operand(at.test)}:\n{indent}    raise AssertionError\n"
                return self.spot.step("if", (code.region([at]), lines))
            told = raised_by(self.spot, at, self.node.handlers) if isinstance(at, ast.Call) else None
            if told is not None and not self._catches(told.error):
                told = None
            if told is None and not self._by_value(at):
                continue
            statement = code.statement(at)
            if not isinstance(statement, ast.Assign | ast.AugAssign | ast.Return | ast.Expr) or not code.on_own_lines(
                [statement]
            ):
                raise _Raises
            ancestors = list(code.ancestors(at))
            inside = ancestors[: ancestors.index(statement)]
            if any(isinstance(each, (ast.IfExp, ast.BoolOp, ast.comprehension, *SCOPES)) for each in inside):
                raise _Raises
            indent, start = code.indent(statement), code.region([statement])[0]
            edits: list[tuple[ast.AST | tuple[int, int], str]] = []
            if told is not None:
                if self._is_told(statement, told.test, told.of_result):
                    continue
                lines = "".join(
                    f"{indent}{line}\n" for line in (*told.before, f"if {told.test}:", f"    raise {self._named(told.error)}")
                )
                if told.of_result:
                    start = code.region([statement])[1]
                return self.spot.step("if", ((start, start), lines), *told.edits, excludes=told.excludes, note=told.note)
            match at:
                case ast.BinOp(op=ast.Div() | ast.FloorDiv() | ast.Mod(), right=right):
                    if self._is_told(statement, test := f"{code.operand(right)} == 0"):
                        continue
                    kind = "ZeroDivisionError"
                case ast.Subscript(value=owner, slice=index) if self._is_dict(owner):
                    simple = self._with_default(at)
                    if simple is not None:
                        return simple
                    keys = (
                        f"({', '.join(map(code.src, filter(None, owner.keys)))},)"
                        if isinstance(owner, ast.Dict)
                        else code.src(owner)
                    )
                    test = f"{code.operand(index)} not in {keys}"
                    kind, edits = "KeyError", [(at, f"{code.operand(owner)}.get({code.src(index)}, 0)")]
                case _:
                    raise _Raises
            lines = f"{indent}if {test}:\n{indent}    raise {kind}\n"
            return self.spot.step("if", ((start, start), lines), *edits)
        return None

    def _named(self, error: type[BaseException]) -> str:
        """What is raised of a kind that Python knows by its name, or else as a handler names it."""
        if error.__module__ == "builtins":
            return error.__name__
        for handler, kinds in zip(self.node.handlers, self.kinds, strict=True):
            named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            for text, kind in zip(named, kinds or (), strict=True):
                if text is not None and issubclass(error, kind):
                    return self.code.src(text)
        return Exception.__name__  # all are caught

    def _is_told(self, statement: ast.stmt, test: str, behind: bool = False) -> bool:
        """Whether that is asked just before, or behind it, and something is raised there."""
        block = self.code.block(statement)
        place = block.index(statement)
        for at in block[place + 1 : place + 2] if behind else block[:place]:
            if isinstance(at, ast.If) and self.code.src(at.test) == test and isinstance(at.body[-1], ast.Raise):
                return True
        return False

    def _is_dict(self, owner: ast.expr) -> bool:
        return isinstance(owner, ast.Dict) or isinstance(self.spot.value(owner), dict)

    def _with_default(self, at: ast.Subscript) -> Step | None:
        """`try: v = table[k]`, `except KeyError: v = d` → `v = table.get(k, d)`."""
        code, node = self.code, self.node
        match node.body, [each.body for each in node.handlers]:
            case (
                [ast.Assign(targets=[ast.Name(id=name)], value=value)],
                [[ast.Assign(targets=[ast.Name(id=other)], value=default)]],
            ) if value is at and name == other and not node.orelse:
                found = f"{code.operand(at.value)}.get({code.src(at.slice)}, {code.expr(default)})"
                return self.spot.step("lookup", (code.region([node]), f"{code.indent(node)}{name} = {found}\n"))
        return None

    # -- the ways ----------------------------------------------------------------------------------------

    def _lines(self, stmts: Sequence[ast.stmt], indent: str) -> str:
        """Statements of the body as lines, with what the handlers do where something is raised."""
        code, text = self.code, ""
        for number, each in enumerate(stmts):
            rest = stmts[number + 1 :]
            if not any(self._handler(raised) for raised in leaves([each], ast.Raise)):
                text += code.block_text([each], indent)
                if always_leaves([each]):
                    return text
                continue
            deeper = indent + "    "
            match each:
                case ast.Raise():
                    handler = self._handler(each)
                    return text + (self._handled(each, handler, indent) if handler else "")
                case ast.If(test=test, body=then, orelse=orelse):
                    if not always_leaves(then) and not (orelse and always_leaves(orelse)) and len(rest) > MOST_REPEATED:
                        raise _Raises
                    one = self._lines([*then, *rest], deeper)
                    other = self._lines([*orelse, *rest], deeper)
                    return f"{text}{indent}if {code.expr(test)}:\n{one}" + (f"{indent}else:\n{other}" if other else "")
                case ast.For() | ast.While() if not each.orelse:
                    return text + self._left_loop(each, rest, indent)
            raise _Raises
        return text + (code.block_text(self.node.orelse, indent) if self.node.orelse else "")

    def _left_loop(self, loop: ast.For | ast.While, rest: Sequence[ast.stmt], indent: str) -> str:
        """A loop in which something is raised: it is left there, and what was raised is asked behind it."""
        code = self.code
        raised = [each for each in leaves([loop], ast.Raise) if isinstance(each, ast.Raise)]
        inmost = [next(at for at in code.ancestors(each) if isinstance(at, ast.For | ast.While)) for each in raised]
        if len(raised) != 1 or inmost != [loop] or not code.on_own_lines([raised[0]]):
            raise _Raises
        handler = self._handler(raised[0])
        if handler is None:
            raise _Raises
        failed, inner, deeper = code.fresh("failed", "refused", "stopped"), code.indent(raised[0]), indent + "    "
        edit = (*code.region([raised[0]]), f"{inner}{failed} = True\n{inner}break\n")
        text = f"{indent}{failed} = False\n{code.block_text([loop], indent, [edit])}"
        text += f"{indent}if {failed}:\n{self._handled(raised[0], handler, deeper)}"
        other = self._lines(rest, deeper)
        return text + (f"{indent}else:\n{other}" if other else "")

    def _handled(self, raised: ast.Raise, handler: ast.ExceptHandler, indent: str) -> str:
        """What a handler does, with what was raised as variables."""
        code, uses = self.code, told_of(handler) if handler.name else None
        if not uses:
            return code.block_text(handler.body, indent)
        held = given_to(self.spot, raised.exc)
        if held is None or any(field not in held for field in uses.values()):
            raise _Raises
        names = {field: code.fresh(f"{handler.name}_{field}", f"caught_{field}") for field in uses.values()}
        names |= {field: held[field] for use, field in uses.items() if self._is_word(use, held[field])}
        lines = "".join(f"{indent}{name} = {held[field]}\n" for field, name in names.items() if name != held[field])
        return lines + code.block_text(handler.body, indent, [(*code.span(use), names[field]) for use, field in uses.items()])

    def _is_word(self, use: ast.expr, held: str) -> bool:
        """Whether a text in quotes can stand there: in a call, not within another text."""
        own = ast.parse(held, mode="eval").body
        return isinstance(own, ast.Constant) and isinstance(own.value, str) and isinstance(self.code.parents[use], ast.Call)

    def _handler(self, raised: ast.AST) -> ast.ExceptHandler | None:
        """The handler that catches it; None where it goes on to the caller."""
        assert isinstance(raised, ast.Raise)
        made = raised.exc.func if isinstance(raised.exc, ast.Call) else raised.exc
        kind: Any = self.spot.value(made) if made is not None else None
        if not (is_a(kind, type) and issubclass(kind, BaseException)):
            raise _Raises
        inside: ast.AST = raised
        for at in self.code.ancestors(raised):
            if at is self.node:
                break
            if isinstance(at, ast.Try) and inside in at.body:
                raise _Raises  # caught further in, which comes first
            inside = at
        for handler, kinds in zip(self.node.handlers, self.kinds, strict=True):
            if any(issubclass(kind, each) for each in kinds or ()):
                return handler
        return None


def _kinds(spot: Spot, caught: ast.expr | None) -> list[type[BaseException]] | None:
    """The classes that a handler names; None where they are not known."""
    if caught is None:
        return [BaseException]
    found: list[Any] = [spot.value(each) for each in (caught.elts if isinstance(caught, ast.Tuple) else [caught])]
    return found if all(is_a(each, type) and issubclass(each, BaseException) for each in found) else None


def _all(stmts: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """All that stands there, what is inside functions too: `lax.cond(test, lambda: math.sqrt(v), …)` calls them there."""
    return (node for each in stmts for node in walk(each))


def _calls(stmts: Sequence[ast.stmt]) -> list[ast.Call]:
    """Calls in the order of the text."""
    found = [each for each in _all(stmts) if isinstance(each, ast.Call)]
    return sorted(found, key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0))


def _by_operator(node: ast.AST) -> tuple[type[Exception], ...]:
    """What an operator raises by the values of Python's that it may meet."""
    match node:
        case ast.BinOp(op=ast.Div() | ast.FloorDiv() | ast.Mod(), right=right) if not _not_zero(right):
            return (ZeroDivisionError,)
        case ast.BinOp(op=ast.Pow()):
            return OverflowError, ZeroDivisionError
        case ast.Subscript(ctx=ast.Load(), slice=index) if not isinstance(index, ast.Slice | ast.Constant):
            return KeyError, IndexError
        case ast.Assign(targets=[ast.Tuple() | ast.List()], value=value) if not isinstance(value, ast.Tuple):
            return (ValueError,)
    return ()


def _met_by(node: ast.AST) -> list[ast.expr]:
    """What an operator takes, of which one array is enough that nothing is raised."""
    match node:
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.Subscript(value=owner):
            return [owner]
        case ast.Assign(value=value):
            return [value]
    return []


def _not_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and bool(node.value)


RULES: list[Rule] = [as_choices]
OUTWARD: list[Rule] = [as_choices]
