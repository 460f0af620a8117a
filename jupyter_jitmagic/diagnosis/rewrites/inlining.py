"""A helper's lines in the place of its call, so that what it selects or is given can be followed."""

from __future__ import annotations

import ast
import itertools
import types
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Self

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.code import Code, always_returns, leaves
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, loaded, stored, walk, walk_scope, written_around
from jupyter_jitmagic.source.units import NoSource, Unit, plain_function, unit_of
from jupyter_jitmagic.usercode.ownership import is_users_text

MOST_LINES = 25
MOST_REPEATED = 5  # lines that follow an `if` of whose ways only some return
MOST_CALLS = 6  # of one helper, whose lines are put in their places together


def inlined(spot: Spot, call: ast.Call, early: bool = False) -> Iterator[Step]:
    """`y = helper(x)` → the helper's statements and `y = ` what it returns, with names that are free here. `early`: also of a
    helper that ends in `if test: return a` and `return b`, as `y = a if test else b`."""
    made = Inlining.of(spot, call)
    if made is not None:
        yield from made.steps(early)


def all_inlined(spot: Spot, call: ast.Call) -> Iterator[Step]:
    """The same of every call of that helper in the function: what two of them give may be used together."""
    helper, name = ast.dump(call.func), getattr(spot.function, "name", "")
    step: Step | None = None
    for number in range(MOST_CALLS):
        made = next(inlined(spot, call), None)
        if made is None:
            return
        step = made
        code = Code(made.text)
        calls = [
            node
            for function in walk(code.tree)
            if isinstance(function, ast.FunctionDef) and function.name == name
            for node in walk(function)
            if isinstance(node, ast.Call) and ast.dump(node.func) == helper
        ]
        if not calls:
            if number:
                yield replace(step, line=spot.line)
            return
        call = calls[0]
        spot = replace(spot, code=code, node=call)


def helper_of(spot: Spot, call: ast.Call) -> ast.FunctionDef | ast.Lambda | None:
    """The user's function that a call names, if its lines could stand there."""
    made = Inlining.of(spot, call)
    return made.function if made is not None else None


def inlined_by_ways(spot: Spot, call: ast.Call) -> Iterator[Step]:
    """`y = helper(x)` of a helper that returns before its end → its ways as `if` and `else`, each of which binds `y`."""
    made = Inlining.of(spot, call)
    if made is not None:
        yield from made.by_ways()


class Inlining:
    """One call and the helper whose lines take its place."""

    def __init__(
        self,
        spot: Spot,
        call: ast.Call,
        source: Code,
        function: ast.FunctionDef | ast.Lambda,
        owner: Any,
        changed: Unit | None = None,
    ) -> None:
        self.spot, self.call, self.source, self.function, self.owner = spot, call, source, function, owner
        self.changed = changed

    @classmethod
    def of(cls, spot: Spot, call: ast.Call) -> Self | None:
        """The helper that the call names, if it is straight and the user's own, and its names mean the same here."""
        value, owner = _callee(spot, call.func)
        helper = plain_function(value) if value is not None else None
        if (
            helper is None
            or not isinstance(value, types.FunctionType | types.MethodType)
            or not (is_users_text(helper.__code__.co_filename) or helper.__code__.co_filename in spot.drafts)
        ):
            return cls._nested(spot, call)
        if helper.__globals__ is not spot.globals and not same_globals(helper, spot):
            return None
        if helper.__code__.co_freevars:
            return cls._nested(spot, call)
        changed = spot.drafts.get(helper.__code__.co_filename)
        if changed is not None:
            source, line = Code(changed[1]), helper.__code__.co_firstlineno
        else:
            try:
                unit = unit_of(helper.__code__, helper.__globals__)
            except NoSource:
                return None
            source, line = Code(unit.text), helper.__code__.co_firstlineno - unit.first_line + 1
        found = [
            node
            for node in walk(source.tree)
            if isinstance(node, ast.FunctionDef | ast.Lambda)
            and getattr(node, "name", "<lambda>") == helper.__name__
            and min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))]) == line
        ]
        held = changed[0] if changed is not None else None
        return cls(spot, call, source, found[0], owner, held) if len(found) == 1 else None

    @classmethod
    def _nested(cls, spot: Spot, call: ast.Call) -> Self | None:
        """A function defined in the caller, above the call: its free names are the caller's."""
        function = spot.function
        if not isinstance(call.func, ast.Name) or not isinstance(function, ast.FunctionDef):
            return None
        found: list[ast.FunctionDef | ast.Lambda] = [
            node
            for node in walk(function)
            if isinstance(node, ast.FunctionDef) and node.name == call.func.id and node.lineno < call.lineno
        ]
        found += [
            node.value
            for node in walk(function)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Lambda)
            and [getattr(target, "id", "") for target in node.targets] == [call.func.id]
        ]
        return cls(spot, call, spot.code, found[0], None) if len(found) == 1 else None

    def steps(self, early: bool = False) -> Iterator[Step]:
        body = self._body(early)
        if body is None:
            return
        bound = self._arguments()
        if bound is None:
            return
        spot, code = self.spot, self.spot.code
        statement = code.statement(self.call)
        *before, last = body
        names = self._names(bound, before)
        moves = bool(before) or any(names[name] != text for name, text in bound.items())
        if moves and not (evaluated_once(code, self.call, statement) and code.on_own_lines([statement])):
            return
        if moves and code.is_elif(statement):
            return
        if not moves and in_another_scope(code, self.call, statement):
            return  # names of the helper's may be bound otherwise there
        indent = code.indent(statement)
        held = self._list_of_that_name(statement, before, last, names)
        if held:
            names[last.id] = held
        edits = self._renamed([*before, last, *(part for pair in self._early for part in pair if part)], names)
        lines = "".join(
            f"{indent}{names[name]} = {text}\n" for name, text in bound.items() if names[name] != text and name in names
        )
        if before:
            lines += self.source.block_text(before, indent, edits)
        result = self._edited(last, edits)
        result = f"({result})" if self._early and self._is_bare(last) else result
        for test, value in self._early:
            given = self._edited(value, edits)
            given = f"({given})" if self._is_bare(value) else given
            result = f"{given} if {self._edited(test, edits)} else {result}"
        result = f"({result})" if self._early or self._needs_parentheses(last) else result
        region = code.region([statement])[0]
        if held:
            yield spot.step("inline", (code.region([statement]), lines), drops=self.changed)
            return
        changes: list[tuple[ast.AST | tuple[int, int], str]] = [(self.call, result)]
        if lines:
            changes.append(((region, region), lines))
        yield spot.step("inline", *changes, drops=self.changed)

    def _list_of_that_name(self, statement: ast.stmt, before: list[ast.stmt], last: ast.expr, names: dict[str, str]) -> str:
        """The caller's name for a list that the helper begins and returns (`found = runs(x)`), so that it has no second one; ""
        where it cannot have that name from the start."""
        match statement, last:
            case ast.Assign(targets=[ast.Name(id=held)], value=value), ast.Name(id=own) if value is self.call:
                made = [
                    node.value
                    for each in before
                    for node in walk(each)
                    if isinstance(node, ast.Assign) and own in stored([node])
                ]
            case _:
                return ""
        others = {name for name in names.values() if name != names.get(own)} | loaded(before) - {own} | loaded([self.call])
        is_list = len(made) == 1 and (isinstance(made[0], ast.List) or _begins_empty_lists(made[0]))
        return held if is_list and held not in others else ""

    def only_reads(self) -> bool:
        """Whether the helper is one expression that calls nothing."""
        body = self._body(early=False) or []
        return len(body) == 1 and not any(isinstance(node, ast.Call) for node in walk(body[0]))

    def by_ways(self, raising: bool = False) -> Iterator[Step]:
        """Each way through the helper, ended by what it returns; `raising`: or by what it raises."""
        body, bound = self._whole_body(raising), self._arguments()
        spot, code = self.spot, self.spot.code
        statement = code.statement(self.call)
        if not body or bound is None or not evaluated_once(code, self.call, statement) or not code.on_own_lines([statement]):
            return
        indent = code.indent(statement)
        names = self._names(bound, body)
        match statement:
            case ast.Expr(value=value) if value is self.call:
                held, region = "", code.region([statement])
            case ast.Assign(targets=[ast.Name(id=held)], value=value) if value is self.call and held not in names.values():
                region = code.region([statement])
            case _ if code.is_elif(statement):
                return
            case _:
                held, region = code.fresh("given", "what_it_gives"), (code.region([statement])[0],) * 2
        while held in names.values():
            held += "_"
        text = self._way(body, indent, self._renamed(body, names), held)
        if text is None or len(text.splitlines()) > MOST_LINES:
            return
        lines = "".join(f"{indent}{names[name]} = {given}\n" for name, given in bound.items() if names[name] != given)
        changes: list[tuple[ast.AST | tuple[int, int], str]] = [(region, lines + text)]
        if region[0] == region[1]:
            changes.append((self.call, held))
        yield spot.step("inline", *changes, drops=self.changed)

    def _whole_body(self, raising: bool) -> list[ast.stmt]:
        """The helper's statements, of which some return; [] where they cannot stand in the caller."""
        function = self.function
        if isinstance(function, ast.Lambda) or function.decorator_list:
            return []
        body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else list(function.body)
        if self.source is self.spot.code and not self._reads_what_is_written():
            body = [each for each in body if not isinstance(each, ast.Nonlocal)]
        inner = [node for each in body for node in walk(each)]
        stays = ast.Yield | ast.YieldFrom | ast.Global | ast.Nonlocal | ast.Await
        if not raising and any(isinstance(node, ast.Raise) for node in inner):
            return []
        return [] if any(isinstance(node, stays) for node in inner) else body

    def _reads_what_is_written(self) -> bool:
        """Whether the statement reads a variable that the function within the caller writes: `total += visit(v)` has read it
        before the call, and an argument is what the variable was."""
        statement = self.spot.code.statement(self.call)
        read = loaded([statement.test if isinstance(statement, ast.If) else statement])
        return bool(read & written_around(self.function))

    def _way(self, body: Sequence[ast.stmt], indent: str, edits: list[tuple[int, int, str]], held: str) -> str | None:
        """The statements as lines that bind `held` where they return; None where a loop returns, or much that follows an `if`
        would stand in several of its ways."""
        text = ""
        for number, each in enumerate(body):
            if not leaves([each], ast.Return):
                text += self.source.block_text([each], indent, edits)
                continue
            match each:
                case ast.Return(value=value):
                    return f"{text}{indent}{held} = {self._edited(value, edits)}\n" if held else text or f"{indent}pass\n"
                case ast.If(test=test, body=then, orelse=orelse):
                    deeper, rest = indent + "    ", body[number + 1 :]
                    if not always_returns(then) and rest and self._lines_of(rest) > MOST_REPEATED:
                        return None
                    one = self._way(then if always_returns(then) else [*then, *rest], deeper, edits, held)
                    other = self._way([*orelse, *rest], deeper, edits, held)
                    if one is None or other is None:
                        return None
                    return f"{text}{indent}if {self._edited(test, edits)}:\n{one}{indent}else:\n{other}"
            return None
        if always_returns(body):
            return text  # it raises
        return f"{text}{indent}{held} = None\n" if held else text or f"{indent}pass\n"

    def _lines_of(self, body: Sequence[ast.stmt]) -> int:
        return sum(len(self.source.block_text([each], "").splitlines()) for each in body)

    _early: Sequence[tuple[ast.expr, ast.expr | None]] = ()
    """(test, value) of what it returns before its end, the last one first."""

    def _edited(self, node: ast.expr | None, edits: list[tuple[int, int, str]]) -> str:
        return "None" if node is None else self.source.edited(*self.source.span(node), edits)

    def _is_bare(self, value: ast.expr | None) -> bool:
        """Whether it is a tuple without parentheses of its own."""
        return isinstance(value, ast.Tuple) and not self.source.is_enclosed(value)

    def _body(self, early: bool) -> list[Any] | None:
        """The helper's statements, the last one as what it returns; None where its end is not at its end alone."""
        if isinstance(self.function, ast.Lambda):
            return [self.function.body]
        if self.function.decorator_list and not all(
            isinstance(each, ast.Name | ast.Attribute) and getattr(each, "attr", getattr(each, "id", "")) == "staticmethod"
            for each in self.function.decorator_list
        ):
            return None
        body = list(self.function.body)
        if ast.get_docstring(self.function, clean=False) is not None:
            body = body[1:]
        if early and body:
            body[-1:] = self._ending(body[-1])
        if not body or not isinstance(body[-1], ast.Return) or body[-1].value is None:
            return None
        *before, last = body
        assert isinstance(last, ast.Return)
        while early and before and (test_and_value := _returns_early(before[-1])) is not None:
            self._early = [*self._early, test_and_value]
            before.pop()
        inner = [node for each in before for node in walk(each)]
        if any(isinstance(node, ast.Yield | ast.YieldFrom | ast.Global | ast.Nonlocal | ast.Await) for node in inner):
            return None
        if any(isinstance(node, ast.Return) for node in walk_scope(before)):  # one of a function in it stays there
            return None
        if before and self._lines_of(before) > MOST_LINES:
            return None
        return [*before, last.value]

    def _ending(self, last: ast.stmt) -> list[ast.stmt]:
        """`if c: return a` with `else: return b` as the end: what is returned otherwise."""
        match last:
            case ast.If(test=test, body=[ast.Return(value=value)], orelse=[ast.Return() | ast.If() as other]):
                ending = self._ending(other)
                self._early = [*self._early, (test, value)]
                return ending
        return [last]

    def _arguments(self) -> dict[str, str] | None:
        """What each parameter stands for, as text in the caller."""
        code, args = self.spot.code, self.function.args
        if args.vararg or args.kwarg or any(isinstance(each, ast.Starred) for each in self.call.args):
            return None
        if any(keyword.arg is None for keyword in self.call.keywords):
            return None
        names = [each.arg for each in (*args.posonlyargs, *args.args)]
        given: dict[str, str] = {}
        values = [self.owner] if isinstance(self.owner, str) else []
        values += [code.expr(each) for each in self.call.args]
        if len(values) > len(names):
            return None
        given |= dict(zip(names, values, strict=False))
        given |= {keyword.arg: code.expr(keyword.value) for keyword in self.call.keywords if keyword.arg}
        for name, default in zip(names[::-1], args.defaults[::-1], strict=False):
            if name not in given:
                if not isinstance(default, ast.Constant | ast.UnaryOp):
                    return None
                given[name] = self.source.src(default)
        for each, value in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            if each.arg not in given:
                if not isinstance(value, ast.Constant | ast.UnaryOp):
                    return None
                given[each.arg] = self.source.src(value)
        wanted = {*names, *(each.arg for each in args.kwonlyargs)}
        return given if set(given) == wanted else None

    def _names(self, bound: dict[str, str], before: list[ast.stmt]) -> dict[str, str]:
        """Each name of the helper's own as it is called in the caller."""
        code = self.spot.code
        own = [name for name in stored(before) if name not in written_around(self.function)]
        names: dict[str, str] = {}
        taken = set(code.names) | set(self.spot.locals)
        for name, text in bound.items():
            plain = text.isidentifier() or (isinstance(_parsed(text), ast.Constant))
            if plain and name not in own:
                names[name] = text
        for name in [*bound, *own]:
            if name in names:
                continue
            new, number = name, 2
            while new in taken or new in names.values():
                new, number = f"{name}_{number}", number + 1
            names[name] = new
        return names

    def _renamed(self, nodes: list[Any], names: dict[str, str]) -> list[tuple[int, int, str]]:
        edits = []
        for root in nodes:
            for node in walk(root):
                if isinstance(node, ast.Name) and names.get(node.id, node.id) != node.id and not self._hidden(node):
                    edits.append((*self.source.span(node), names[node.id]))
                elif isinstance(node, ast.FunctionDef) and names.get(node.name, node.name) != node.name:
                    start = self.source.text.index(f"def {node.name}", self.source.span(node)[0]) + len("def ")
                    edits.append((start, start + len(node.name), names[node.name]))
        return edits

    def _hidden(self, node: ast.Name) -> bool:
        """Whether the name belongs to a scope inside the helper."""
        for at in self.source.ancestors(node):
            if at is self.function:
                return False
            if isinstance(at, ast.Lambda | ast.FunctionDef) and node.id in {
                each.arg for each in walk(at.args) if isinstance(each, ast.arg)
            }:
                return True
            if isinstance(at, COMPREHENSIONS) and node.id in {
                part.id for each in at.generators for part in walk(each.target) if isinstance(part, ast.Name)
            }:
                return True
        return False

    def _needs_parentheses(self, result: ast.expr) -> bool:
        parent = self.spot.code.parents[self.call]
        if self._is_bare(result) and not isinstance(parent, ast.Assign | ast.Return):
            return True
        plain = ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Constant | ast.List | ast.Dict
        inside = isinstance(
            parent, ast.BinOp | ast.UnaryOp | ast.Compare | ast.Attribute | ast.Subscript | ast.BoolOp | ast.Call
        )
        if isinstance(parent, ast.Call) and self.call in parent.args and not isinstance(result, ast.Tuple):
            inside = False
        return (
            inside and not isinstance(result, plain) and not (isinstance(result, ast.Tuple) and self.source.is_enclosed(result))
        )


def _begins_empty_lists(value: ast.expr) -> bool:
    """`segs, i = [], 0`."""
    return isinstance(value, ast.Tuple) and any(isinstance(each, ast.List) for each in value.elts)


def _returns_early(statement: ast.stmt) -> tuple[ast.expr, ast.expr | None] | None:
    match statement:
        case ast.If(test=test, body=[ast.Return(value=value)], orelse=[]):
            return test, value
    return None


def _callee(spot: Spot, func: ast.expr) -> tuple[Any, Any]:
    """(the function, the text of the object that it is a method of)."""
    value = spot.value(func)
    if value is not None:
        return value, None
    if isinstance(func, ast.Attribute):
        owner = spot.value(func.value)
        if owner is None and isinstance(func.value, ast.Name) and func.value.id in spot.locals:
            owner = spot.locals[func.value.id]
        method = getattr(type(owner), func.attr, None) if owner is not None else None
        if isinstance(method, types.FunctionType):
            static = isinstance(vars(type(owner)).get(func.attr), staticmethod)
            return method, None if static else spot.code.src(func.value)
    return None, None


def same_globals(helper: types.FunctionType, spot: Spot) -> bool:
    """Whether every global that a helper of another module reads is the same object here."""
    missing = object()
    names = {name for name in helper.__code__.co_names if name in helper.__globals__}
    return all(spot.globals.get(name, missing) is helper.__globals__[name] for name in names)


def in_another_scope(code: Code, node: ast.expr, statement: ast.stmt) -> bool:
    """Whether a lambda or a comprehension is around a part of a statement; what one runs over first stands outside of it."""
    inside: ast.AST = node
    first = False
    for at in itertools.takewhile(lambda at: at is not statement, code.ancestors(node)):
        if isinstance(at, ast.Lambda) or (isinstance(at, COMPREHENSIONS) and not (first and inside is at.generators[0])):
            return True
        first = isinstance(at, ast.comprehension) and inside is at.iter
        inside = at
    return False


def in_another_function(code: Code, node: ast.AST, function: ast.AST) -> bool:
    """Whether a function or class within this one is around a part of it."""
    return any(isinstance(at, SCOPES) for at in itertools.takewhile(lambda at: at is not function, code.ancestors(node)))


def evaluated_once(code: Code, call: ast.expr, statement: ast.stmt) -> bool:
    """Whether the call is evaluated just once and always when its statement is."""
    if isinstance(statement, ast.While):
        return False
    inside: ast.AST = call
    for at in code.ancestors(call):
        if at is statement:
            return True
        first: ast.AST | None = at.values[0] if isinstance(at, ast.BoolOp) else at.test if isinstance(at, ast.IfExp) else None
        first = at.iter if isinstance(at, ast.comprehension) else at.generators[0] if isinstance(at, COMPREHENSIONS) else first
        if isinstance(at, SCOPES) or (first is not None and inside is not first):
            return False
        inside = at
    return False


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


__all__ = ["in_another_scope", "inlined"]
