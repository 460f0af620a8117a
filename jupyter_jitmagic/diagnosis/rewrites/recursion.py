"""Recursion whose end depends on a traced value, as a loop: calls in the tail, and calls on smaller whole numbers."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import Code, Edit, always_returns, leaves
from jupyter_jitmagic.source.names import SCOPES, loaded, stored, target_names, walk


def tail_calls(spot: Spot) -> Iterator[Step]:
    """`if b == 0: return a` / `return gcd(b, a % b)` → the same in `while True`, with `a, b = b, a % b` for the call; a method
    that calls itself on the same object alike, and `x = f(x)` before `return x`."""
    function = spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef):
        return
    code, arguments = spot.code, function.args
    found = own_calls(spot, function)
    if found is None:
        return
    name, names, calls = found
    tails = [code.parents[c] for c in calls]
    plain = not (arguments.vararg or arguments.kwarg or arguments.kwonlyargs) and all(
        _is_last(code, t) and code.function(t) is function and not in_a_loop(code, t) for t in tails
    )
    if not plain or any(len(c.args) > len(names) or any(k.arg not in names for k in c.keywords) for c in calls):
        raise Obstacle(f"{name} calls itself until a traced value says stop; only a loop can be compiled")
    if not always_returns(function.body):
        return
    if len(calls) == 1:
        yield from _of_other_arguments(spot, function, calls[0], names)
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    indent = code.indent(body[0])
    edits = []
    for call, tail in zip(calls, tails, strict=True):
        given = {n: code.expr(a) for n, a in zip(names, call.args, strict=False)}
        given |= {k.arg: code.expr(k.value) for k in call.keywords if k.arg}
        changed = {n: v for n, v in given.items() if n != v}
        missing = [n for n in names if n not in given]
        if missing:
            raise Obstacle(f"{name} calls itself without {missing[0]}; write it as a loop")
        inner = code.indent(tail) if isinstance(tail, ast.stmt) else indent
        text = f"{', '.join(changed)} = {', '.join(changed.values())}\n{inner}continue" if changed else "continue"
        edits.append((*code.span(tail), text))
    region = code.region(body, comments=True)
    first = _defaults_at_the_start(body, [dict(zip(names, c.args, strict=False)) | _named(c) for c in calls])
    head = code.block_text(body[:first], indent) if first else ""
    yield spot.step("while", (region, f"{head}{indent}while True:\n{code.block_text(body[first:], indent + '    ', edits)}"))


def _of_other_arguments(spot: Spot, function: ast.FunctionDef, call: ast.Call, names: list[str]) -> Iterator[Step]:
    """`if lag < 0: return f(y, x, -lag)` before all else → `if lag < 0: x, y, lag = y, x, -lag`, where that is not so again."""
    code, tail = spot.code, spot.code.parents[call]
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    match body[0]:
        case ast.If(test=test, body=[only], orelse=[]) if only is tail and isinstance(tail, ast.Return):
            pass
        case _:
            return
    given = dict(zip(names, call.args, strict=False)) | _named(call)
    changed = {name: code.expr(value) for name, value in given.items() if code.src(value) != name}
    if given.keys() == set(names) and changed and _is_turned_round(test, given):
        yield spot.step("if", (tail, f"{', '.join(changed)} = {', '.join(changed.values())}"))


def _is_turned_round(test: ast.expr, given: dict[str, ast.expr]) -> bool:
    """Whether a test cannot hold of these arguments as well: `x[0] < y[0]` of x and y exchanged, `k < 0` of -k."""
    match test:
        case ast.Compare(left=left, ops=[ast.Lt() | ast.Gt()], comparators=[right]):
            pass
        case _:
            return False
    new = {name: ast.unparse(value) for name, value in given.items()}
    one, other = (ast.unparse(Instead(new).visit(copy.deepcopy(side))) for side in (left, right))
    if (one, other) == (ast.unparse(right), ast.unparse(left)):
        return True
    sides = [ast.unparse(side) for side in (left, right)]
    names = [name for name in sides if name in new]
    return sides.count("0") == 1 and len(names) == 1 and new[names[0]] == f"-{names[0]}"


class Instead(ast.NodeTransformer):
    """Names as what is given for them."""

    def __init__(self, given: dict[str, str]) -> None:
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.parse(self.given.get(node.id, node.id), mode="eval").body


def own_calls(spot: Spot, function: ast.FunctionDef, within: bool = False) -> tuple[str, list[str], list[ast.Call]] | None:
    """(how a function or method calls itself, the parameters that such a call gives, the calls), if there are any; `within`:
    also of a function that is made in another one."""
    code, name = spot.code, function.name
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    if isinstance(code.parents.get(function), ast.ClassDef):
        if not names or names[0] in stored(function.body):
            return None
        name = f"{names.pop(0)}.{name}"
    elif function not in code.tree.body and not within:
        return None
    calls = [n for n in walk(function) if isinstance(n, ast.Call) and code.src(n.func) == name]
    return (name, names, calls) if calls else None


def in_a_loop(code: Code, node: ast.AST) -> bool:
    """Whether a `continue` there would be that of a loop of the function's own."""
    around = itertools.takewhile(lambda at: at is not code.function(node), code.ancestors(node))
    return any(isinstance(at, ast.For | ast.While) for at in around)


def _is_last(code: Code, tail: ast.AST) -> bool:
    """Whether a call's result is what the function gives: `return f(x)`, and `x = f(x)` behind which `return x` is all."""
    match tail:
        case ast.Assign(targets=[ast.Name() | ast.Tuple() as target]) if not any(
            isinstance(part, ast.Attribute | ast.Subscript) for part in ast.walk(target)
        ):
            rest, to_the_end = code.continuation(tail)
            returned = rest[0].value if len(rest) == 1 and isinstance(rest[0], ast.Return) else None
            return to_the_end and returned is not None and code.src(returned) == code.src(target)
    return isinstance(tail, ast.Return)


def _named(call: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def _defaults_at_the_start(body: list[ast.stmt], given: list[dict[str, ast.expr]]) -> int:
    """How many of the first statements give a value to a parameter that is None, which no call of itself passes."""
    for place, statement in enumerate(body):
        match statement:
            case ast.If(
                test=ast.Compare(left=ast.Name(id=name), ops=[ast.Is()], comparators=[ast.Constant(value=None)]),
                body=[ast.Assign(targets=[ast.Name(id=target)])],
                orelse=[],
            ) if name == target and all(_is_some(each.get(name), name, body) for each in given):
                continue
        return place
    return 0


def _is_some(value: ast.expr | None, name: str, body: list[ast.stmt]) -> bool:
    """Whether a value is surely not None: a computed number, what is only bound to such, or the parameter, which has its value
    by then."""
    if not isinstance(value, ast.Name) or value.id == name:
        return isinstance(value, ast.BinOp | ast.Name)
    assigned = [each for statement in body for each in walk(statement) if isinstance(each, ast.Assign)]
    values = [each.value for each in assigned if value.id in [name for target in each.targets for name in target_names(target)]]
    return bool(values) and all(isinstance(each, ast.BinOp) for each in values)


def on_smaller_numbers(spot: Spot) -> Iterator[Step]:
    """`if k <= 1: return 1` / `return k * f(k - 1)` → `for k in range(2, k + 1): result = k * result`, from the base upwards.

    Also for `f(k - 1)` beside `f(k - 2)`, and for `f(k // 2)`, whose numbers are `k // 2**level`.
    """
    function, asked = spot.function, spot.asked()
    if asked is None or not isinstance(function, ast.FunctionDef):
        return
    chosen = asked[1]
    returned = spot.code.parents[chosen]
    if isinstance(chosen, ast.IfExp) and isinstance(returned, ast.Return):
        if any(isinstance(n, ast.Call) and _is_itself(spot, function, n) for n in walk(chosen)):
            code, indent = spot.code, spot.code.indent(returned)
            text = f"if {code.expr(chosen.test)}:\n{indent}    return {code.expr(chosen.body)}\n"
            yield spot.step("if", (returned, f"{text}{indent}return {code.expr(chosen.orelse)}"))
        return
    found = _Descent.of(spot, function)
    if found is not None and not any(isinstance(call, ast.Return) for call in map(spot.code.parents.get, found.calls)):
        yield from found.steps()


@dataclass
class _Descent:
    """A function of a whole number that calls itself with smaller ones and passes everything else on as it is.

    Attributes:
        number: the parameter that grows smaller.
        bases: (test, value) for each way to end, in order.
        rest: the statements that follow, with the calls.
        calls: the calls of itself, each with the operation on the number (`-` or `//`) and by how much.
    """

    spot: Spot
    function: ast.FunctionDef
    number: str
    bases: list[tuple[ast.expr, ast.expr]]
    rest: list[ast.stmt]
    calls: dict[ast.Call, tuple[str, int]]

    @classmethod
    def of(cls, spot: Spot, function: ast.FunctionDef) -> _Descent | None:
        calls = [n for n in walk(function) if isinstance(n, ast.Call) and _is_itself(spot, function, n)]
        bases, rest = _bases(function, calls)
        numbers = {name for test, _ in bases for name in loaded([test])}
        if not calls or not rest or len(numbers) != 1 or not always_returns(rest):
            return None
        number = numbers.pop()
        smaller = {call: _smaller(spot, function, call, number) for call in calls}
        if any(made is None for made in smaller.values()):
            return None
        if number in stored(rest) or any(isinstance(n, SCOPES) for statement in rest for n in walk(statement)):
            return None
        return cls(spot, function, number, bases, rest, {call: made for call, made in smaller.items() if made is not None})

    def steps(self) -> Iterator[Step]:
        kinds = {kind for kind, _ in self.calls.values()}
        by = {amount for _, amount in self.calls.values()}
        if kinds == {"-"} and max(by) <= 2:
            yield from self._upwards(max(by))
        elif kinds == {"//"} and len(by) == 1 and len(self.bases) == 1:
            yield from self._by_levels(by.pop())
        elif set(self.calls.values()) == {("-", 1), ("//", 2)} and len(self.bases) == 1:
            yield from self._by_digits()

    def _upwards(self, order: int) -> Iterator[Step]:
        """From the largest number that ends it, each result from the one or two before."""
        code = self.spot.code
        ends = [_threshold(test, self.number) for test, _ in self.bases]
        if None in ends:
            return
        last = max(end for end in ends if end is not None)
        starts = [self._base_at(number) for number in range(last - order + 1, last + 1)]
        if None in starts:
            return
        indent = code.indent(self._body()[0])
        result = code.fresh("result", "value", "so_far")
        names = ", ".join(([code.fresh("before", "previous")] if order == 2 else []) + [result])
        needed = len(self.bases) > 1 or order > 1 or self.number in loaded([value for _, value in self.bases])
        lines = f"{indent}{names} = {', '.join(str(start) for start in starts)}\n"
        lines += f"{indent}for {self.number} in range({last + 1}, {self.number} + 1):\n"
        lines += self._round(self.rest, names.split(", "), indent + "    ") + f"{indent}return {result}\n"
        if needed and self.rest[0] not in self._body():
            return  # below an `else`, whose `if` would have to stay
        kept = [statement for statement in self._body() if statement not in self.rest] if needed else []
        head = code.block_text(kept, indent) if kept else ""
        yield self.spot.step("for", (code.region(self._body(), comments=True), head + lines))

    def _by_levels(self, divisor: int) -> Iterator[Step]:
        """Down to the number that ends it, counting the calls, and up again with each call's number."""
        result = self.spot.code.fresh("result", "so_far")
        yield from self._up_again(divisor, result, lambda inner: self._round(self.rest, [result], inner))

    def _by_digits(self) -> Iterator[Step]:
        """`f(n // 2)` for an even number and `f(n - 1)` for an odd one, which is even then: both in one round for each binary
        digit."""
        code, number = self.spot.code, self.number
        match self.rest:
            case [ast.If(test=test, body=then, orelse=orelse), *behind] if (odd := _asks_for_odd(test, number)) is not None:
                other = [*orelse, *behind]
            case _:
                return
        by_one, halved = (then, other) if odd else (other, then)
        called = {call: kind for call, (kind, _) in self.calls.items()}
        kinds = [{called[n] for each in side for n in walk(each) if n in called} for side in (by_one, halved)]
        reads = [n for each in halved for n in walk(each) if isinstance(n, ast.Name) and n.id == number]
        if kinds != [{"-"}, {"//"}] or len(reads) > sum(kind == "//" for kind in called.values()):
            return
        if not all(len(leaves(side, ast.Return)) == 1 and isinstance(side[-1], ast.Return) for side in (by_one, halved)):
            return
        end = _threshold(self.bases[0][0], number)
        if end not in (0, 1):
            return
        result = code.fresh("result", "so_far")

        def a_round(inner: str) -> str:
            deeper = inner + "    "
            first = self._round(halved, [result], inner if end else deeper)
            head = "" if end else f"{inner}if {number} > 1:\n"
            return f"{head}{first}{inner}if {number} % 2 == 1:\n{self._round(by_one, [result], deeper)}"

        yield from self._up_again(2, result, a_round)

    def _up_again(self, divisor: int, result: str, a_round: Callable[[str], str]) -> Iterator[Step]:
        code, number = self.spot.code, self.number
        (test, value) = self.bases[0]
        indent = code.indent(self._body()[0])
        inner = indent + "    "
        whole, depth = code.fresh("whole", f"whole_{number}"), code.fresh("depth", "levels")
        level = code.fresh("level", "deep")
        text = f"{indent}{whole}, {depth} = {number}, 0\n{indent}while not {code.operand(test)}:\n"
        text += f"{inner}{number} = {number} // {divisor}\n{inner}{depth} += 1\n{indent}{result} = {code.expr(value)}\n"
        text += f"{indent}for {level} in range({depth} - 1, -1, -1):\n{inner}{number} = {whole} // {divisor}**{level}\n"
        text += a_round(inner) + f"{indent}return {result}\n"
        yield self.spot.step("for", (code.region(self._body(), comments=True), text))

    def _round(self, stmts: list[ast.stmt], names: list[str], indent: str) -> str:
        """The statements of one call, with the results so far in the place of the calls."""
        code = self.spot.code
        edits: list[Edit] = []
        returns = [r for r in leaves(stmts, ast.Return) if isinstance(r, ast.Return) and r.value is not None]
        inside = {node for each in stmts for node in walk(each)}
        for call, (kind, amount) in self.calls.items():
            if call in inside:
                edits.append((*code.span(call), names[-amount] if kind == "-" else names[-1]))
        for each in returns:
            assert each.value is not None
            start, end = code.span(each)[0], code.span(each.value)[0]
            shifted = f"{', '.join(names)} = {', '.join(names[1:])}{', ' if names[1:] else ''}"
            edits.append((start, end, shifted))
            if each is not stmts[-1]:
                at = code.span(each)[1]
                edits.append((at, at, f"\n{code.indent(each)}continue"))
        return code.block_text(stmts, indent, edits)

    def _base_at(self, number: int) -> str | None:
        """The value that plain Python ends with at a number."""
        code = self.spot.code
        for test, value in self.bases:
            if _holds(test, number):
                edits = [
                    (*code.span(n), str(number) if number >= 0 else f"({number})")
                    for n in walk(value)
                    if isinstance(n, ast.Name) and n.id == self.number
                ]
                return code.edited(*code.span(value), edits)
        return None

    def _body(self) -> list[ast.stmt]:
        body = self.function.body
        return body[1:] if ast.get_docstring(self.function) is not None else body


def _is_itself(spot: Spot, function: ast.FunctionDef, call: ast.Call) -> bool:
    owner = spot.code.parents[function]
    if isinstance(owner, ast.ClassDef):
        own = function.args.args[0].arg if function.args.args else ""
        return spot.code.src(call.func) == f"{own}.{function.name}"
    return isinstance(owner, ast.Module) and spot.code.src(call.func) == function.name


def _bases(function: ast.FunctionDef, calls: list[ast.Call]) -> tuple[list[tuple[ast.expr, ast.expr]], list[ast.stmt]]:
    """((test, value) of each `if …: return …` without such a call at the function's start, the statements after them)."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    bases = []
    for place, statement in enumerate(body):
        match statement:
            case ast.If(test=test, body=[ast.Return(value=ast.expr() as value)], orelse=orelse) if not set(calls) & set(
                walk(value)
            ):
                bases.append((test, value))
                if orelse:
                    return (bases, orelse) if place + 1 == len(body) else ([], [])
            case _:
                return bases, body[place:]
    return [], []


def _smaller(spot: Spot, function: ast.FunctionDef, call: ast.Call, number: str) -> tuple[str, int] | None:
    """("-" or "//", by how much) if a call passes a smaller number, and the other arguments as they are."""
    arguments = function.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    if isinstance(spot.code.parents[function], ast.ClassDef):
        names = names[1:]
    if arguments.vararg or arguments.kwarg or any(isinstance(each, ast.Starred) for each in call.args):
        return None
    given = dict(zip(names, call.args, strict=False)) | {each.arg: each.value for each in call.keywords if each.arg}
    if set(given) != set(names) or number not in given:
        return None
    if any(not isinstance(value, ast.Name) or value.id != name for name, value in given.items() if name != number):
        return None
    match given[number]:
        case ast.BinOp(left=ast.Name(id=name), op=ast.Sub() | ast.FloorDiv() as op, right=ast.Constant(value=int() as amount)):
            least = 1 if isinstance(op, ast.Sub) else 2
            if name == number and amount >= least and not isinstance(amount, bool):
                return ("-" if isinstance(op, ast.Sub) else "//"), amount
    return None


def _asks_for_odd(test: ast.expr, number: str) -> bool | None:
    """Whether a test holds of odd numbers (`n % 2 == 1`, `n % 2`, `n & 1`) or of even ones; None for another."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            odd = _asks_for_odd(inner, number)
            return None if odd is None else not odd
        case ast.BinOp(left=ast.Name(id=name), op=ast.Mod(), right=ast.Constant(value=2)) if name == number:
            return True
        case ast.BinOp(left=ast.Name(id=name), op=ast.BitAnd(), right=ast.Constant(value=1)) if name == number:
            return True
        case ast.Compare(
            left=ast.BinOp() as left, ops=[ast.Eq() | ast.NotEq() as op], comparators=[ast.Constant(value=0 | 1 as to)]
        ):
            return None if _asks_for_odd(left, number) is None else isinstance(op, ast.Eq) == (to == 1)
    return None


def _threshold(test: ast.expr, number: str) -> int | None:
    """The largest number at which a test of the form `k == 0`, `k <= 1`, `k < 2`, `k in (0, 1)` or several of them holds."""
    match test:
        case ast.BoolOp(op=ast.Or()) | ast.BinOp(op=ast.BitOr()):
            ends = [_threshold(part, number) for part in _alternatives(test)]
            return None if None in ends else max(end for end in ends if end is not None)
        case ast.Compare(left=ast.Name(id=name), ops=[ast.In()], comparators=[numbers]) if name == number:
            return max(_whole_numbers(numbers), default=None)
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[ast.Constant(value=int() as bound)]) if name == number:
            if isinstance(op, ast.Eq | ast.LtE):
                return bound
            return bound - 1 if isinstance(op, ast.Lt) else None
    return None


def _alternatives(test: ast.expr) -> list[ast.expr]:
    """The parts of `a or b`, also where `|` was written in its place."""
    match test:
        case ast.BoolOp(values=values):
            return values
        case ast.BinOp(left=left, right=right):
            return [left, right]
    return []


def _whole_numbers(node: ast.expr) -> list[int]:
    """The integers that are listed, if nothing else is."""
    items = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else []
    numbers = [each.value for each in items if isinstance(each, ast.Constant) and isinstance(each.value, int)]
    return numbers if len(numbers) == len(items) else []


def _holds(test: ast.expr, number: int) -> bool:
    match test:
        case ast.BoolOp() | ast.BinOp():
            return any(_holds(part, number) for part in _alternatives(test))
        case ast.Compare(ops=[ast.In()], comparators=[numbers]):
            return number in _whole_numbers(numbers)
        case ast.Compare(ops=[op], comparators=[ast.Constant(value=int() as bound)]):
            return number == bound if isinstance(op, ast.Eq) else number <= bound - isinstance(op, ast.Lt)
    return False


RULES: list[Rule] = [on_smaller_numbers, tail_calls]
