"""Recursion whose result is added or multiplied up on the way: `return 1 + f(n // 2)` → a loop with `total = total + 1`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from jupyter_jitmagic.diagnosis.rewrites.naming import OPERATORS
from jupyter_jitmagic.diagnosis.rewrites.recursion import in_a_loop, on_smaller_numbers, own_calls
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit, always_returns, leaves
from jupyter_jitmagic.source.names import walk

_TURNS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Add,
    ast.Sub: ast.Add,
    ast.Mult: ast.Mult,
    ast.Div: ast.Mult,
}
"""How results are gathered, by the operation: `f(x + 1) - 1 / x` adds as `f(x + 1) + y` does."""
_NO_NUMBERS = ast.Tuple | ast.List | ast.Dict | ast.Set | ast.ListComp | ast.JoinedStr | ast.Compare | ast.BoolOp


def in_a_loop_with_a_total(spot: Spot) -> Iterator[Step]:
    """`if n == 1: return 0` / `return 1 + f(n // 2)` → `while True:` with `total, n = total + 1, n // 2`, `return total + 0`.

    What is added on the way back up is added on the way down here: a sum and a product do not ask for the order, nor does what
    is taken away or divided by. Also calls that a choice picks, `return f(a) if t else f(b)`.
    """
    function = spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef) or not always_returns(function.body):
        return
    arguments, found = function.args, own_calls(spot, function)
    if found is None or arguments.vararg or arguments.kwarg or arguments.kwonlyargs or next(on_smaller_numbers(spot), None):
        return
    exits = _Exits(spot, found[1], frozenset(found[2]))
    code = spot.code
    returns = [each for each in leaves(function.body, ast.Return) if isinstance(each, ast.Return)]
    for each in returns:
        exits.look(each.value)
    if exits.met != exits.calls or exits.unknown or not (exits.operations or exits.chosen) or len(exits.operations) > 1:
        return
    if any(in_a_loop(code, each) or not code.on_own_lines([each]) for each in returns if exits.has_call(each.value)):
        return
    adds = exits.operations == {ast.Add}
    exits.total = code.fresh("total" if adds else "product", "so_far") if exits.operations else ""
    edits: list[Edit] = []
    for each in returns:
        if each.value is not None and (exits.total or exits.has_call(each.value)):
            edits.append((*code.span(each), "\n".join(exits.lines(each.value, code.indent(each), "")).lstrip()))
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    indent = code.indent(body[0])
    first = f"{0 if adds else 1}{'.0' if exits.ends_with_a_float else ''}"  # integers might wrap around before that is met
    start = f"{indent}{exits.total} = {first}\n" if exits.total else ""
    text = f"{start}{indent}while True:\n{code.block_text(body, indent + '    ', edits)}"
    yield spot.step("while", (code.region(body, comments=True), text))


@dataclass
class _Exits:
    """What a function returns, where its calls of itself are chosen, added or multiplied, and nothing else is done to them.

    Attributes:
        names: the parameters that a call gives.
        met: the calls that stand so.
        operations: those that results of calls go through.
        chosen: whether a choice picks a call.
        unknown: something is returned that may be no number.
        ends_with_a_float: one that ends the recursion is a float.
        total: the name of what was gathered so far; "" where nothing is.
    """

    spot: Spot
    names: list[str]
    calls: frozenset[ast.Call]
    met: frozenset[ast.Call] = frozenset()
    operations: set[type[ast.operator]] = field(default_factory=set)
    chosen: bool = False
    unknown: bool = False
    ends_with_a_float: bool = False
    total: str = ""

    def has_call(self, value: ast.expr | None) -> bool:
        return value is not None and any(node in self.calls for node in walk(value))

    def look(self, value: ast.expr | None) -> None:
        """Note the calls, the operations and the choices of what is returned."""
        match value:
            case ast.Call() if value in self.calls:
                given = {*self.names[: len(value.args)], *(each.arg for each in value.keywords)}
                alone = not any(self.has_call(each) for each in [*value.args, *(each.value for each in value.keywords)])
                starred = any(isinstance(each, ast.Starred) for each in value.args)
                if alone and not starred and given == set(self.names) and len(value.args) <= len(self.names):
                    self.met |= {value}
            case ast.IfExp() if self.has_call(value) and not self.has_call(value.test):
                self.chosen = True
                self.look(value.body)
                self.look(value.orelse)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _TURNS and self.has_call(value):
                beside = right if self.has_call(left) else left
                self.operations.add(_TURNS[type(op)])
                self.unknown |= beside is left and isinstance(op, ast.Sub | ast.Div)
                self.unknown |= self.has_call(beside) or self._is_no_number(beside)
                self.look(left if beside is right else right)
            case _:
                self.unknown |= value is None or self.has_call(value) or self._is_no_number(value)
                self.ends_with_a_float |= value is not None and self._is_float(value)

    def _is_float(self, value: ast.expr) -> bool:
        fact = self.spot.fact(value)
        written = isinstance(value, ast.Constant) and isinstance(value.value, float)
        return written or (fact is not None and fact.dtype == "f")

    @staticmethod
    def _is_no_number(value: ast.expr) -> bool:
        constant = isinstance(value, ast.Constant) and type(value.value) not in (int, float)
        return constant or isinstance(value, _NO_NUMBERS)

    def lines(self, value: ast.expr, indent: str, gathered: str) -> list[str]:
        """What stands for returning a value, after `gathered` (" + x") was added."""
        code = self.spot.code
        sign = "+" if self.operations == {ast.Add} else "*"
        if not self.has_call(value):
            last = f"{self.total}{gathered} {sign} {code.operand(value)}" if self.total else code.expr(value)
            return [f"{indent}return {last}"]
        match value:
            case ast.IfExp(test=test, body=body, orelse=orelse):
                first, second = (self.lines(each, indent + "    ", gathered) for each in (body, orelse))
                return [f"{indent}if {code.expr(test)}:", *first, f"{indent}else:", *second]
            case ast.BinOp(left=left, op=op, right=right):
                beside, inner = (right, left) if self.has_call(left) else (left, right)
                return self.lines(inner, indent, f"{gathered} {OPERATORS[type(op)]} {code.operand(beside)}")
            case ast.Call(args=args, keywords=keywords):
                given = {name: code.expr(each) for name, each in zip(self.names, args, strict=False)}
                given |= {each.arg: code.expr(each.value) for each in keywords if each.arg}
                changed = {name: text for name, text in given.items() if name != text}
                if gathered:
                    changed = {self.total: f"{self.total}{gathered}"} | changed
                assigned = [f"{indent}{', '.join(changed)} = {', '.join(changed.values())}"] if changed else []
                return [*assigned, f"{indent}continue"]
        raise AssertionError(ast.dump(value))  # `look` took nothing else


RULES: list[Rule] = [in_a_loop_with_a_total]
