"""A loop that ends by its header only, as `lax.while_loop` or `lax.fori_loop`: what it carries and how that begins."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute, text_attribute
from jupyter_jitmagic.diagnosis.rewrites.own_conditions import raised_by_data
from jupyter_jitmagic.diagnosis.rewrites.printing import print_edits
from jupyter_jitmagic.diagnosis.rewrites.rounds import most_rounds
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Spot, Step
from jupyter_jitmagic.source.names import loaded, read_first, stored, target_names, walk, walk_scope

_TAKES_OUT = ("pop", "popleft", "popitem")
"""Methods that change what they are called of also where their value is used."""


class Range:
    """The bounds of a `range(…)` as text."""

    def __init__(self, spot: Spot, call: ast.Call) -> None:
        texts = [spot.code.expr(a) for a in call.args]
        operands = [spot.code.operand(a) for a in call.args]
        self.low, self.high = ("0", texts[0]) if len(texts) == 1 else (texts[0], texts[1])
        self.step = 1
        if len(texts) == 3:
            step = _constant(call.args[2])
            if step is None or step == 0:
                raise Obstacle("range() with a step that is not a plain number")
            self.step = step
        self.low_operand = "0" if len(texts) == 1 else operands[0]
        self.high_operand = operands[0] if len(texts) == 1 else operands[1]
        self._to_zero = self.step == -1 and self.high == "-1"
        first = call.args[0]
        self._length = ""
        match first:
            case ast.BinOp(left=length, op=ast.Sub(), right=ast.Constant(value=1)) if self._to_zero:
                self._length = spot.code.expr(length)

    def item(self, index: str) -> str:
        """The value of a round, counted from 0."""
        if self.step == -1:
            return f"{self.low if self._length else self.low_operand} - {index}"
        if self.step < 0:
            return f"{self.low_operand} - {-self.step} * {index}"
        start = "" if self.low == "0" else f"{self.low_operand} + "
        return f"{start}{self.step} * {index}"

    def count(self) -> str:
        """How many values there are (may be negative: none)."""
        if self._to_zero:
            return self._length or f"{self.low_operand} + 1"
        a, b = (self.low_operand, self.high_operand) if self.step > 0 else (self.high_operand, self.low_operand)
        step = abs(self.step)
        length = b if a == "0" else f"{b} - {a}"
        return length if step == 1 else f"({length} + {step - 1}) // {step}"


def _constant(node: ast.expr) -> int | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if isinstance(value, int) else None


class Carried:
    """A loop and the variables that go from round to round or out of it."""

    def __init__(self, spot: Spot, loop: ast.For | ast.While, targets: list[str]) -> None:
        self.spot, self.code, self.loop = spot, spot.code, loop
        self.indent = self.code.indent(loop)
        self.inner = self.indent + "    "
        self.targets = targets
        self._refuse()
        live = self.code.live_after(loop)
        written = list(dict.fromkeys([*stored(loop.body), *self._items()]))
        needed = read_first(loop.body) | set(self._items())
        if isinstance(loop, ast.While):
            needed |= loaded([loop.test])
        self.live_targets = [t for t in targets if t in live]
        self.names = [n for n in written if n in needed or n in live]
        self.names = [n for n in self.names if n not in targets] + self.live_targets
        for name in self.names:
            value = spot.locals.get(name)
            if value is not None and not _carriable(value):
                raise Obstacle(f"the loop changes {name}, {_a(value)}, which a compiled loop cannot carry")
            if name in spot.locals and value is None:
                raise Obstacle(
                    f"{name} is None before the loop; a compiled loop needs a value of the later type from the start"
                )
        self.missing = [n for n in self.names if self._is_born_inside(n) and n not in self.live_targets]

    def _is_born_inside(self, name: str) -> bool:
        """Whether nothing gives the variable a value before the loop: a round may have been run when the trace stopped."""
        function = self.spot.function
        if name not in self.spot.locals or not isinstance(function, ast.FunctionDef):
            return name not in self.spot.locals
        inside = set(walk(self.loop))
        stores = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load)]
        named = {n.arg for n in walk(function.args) if isinstance(n, ast.arg)} | {
            n.name for n in walk(function) if isinstance(n, ast.FunctionDef) and n is not function
        }
        return bool(stores) and name not in named and all(n in inside for n in stores)

    def _refuse(self) -> None:
        spot = self.spot
        for node in walk_scope(self.loop.body):
            if isinstance(node, ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal | ast.Delete | ast.Raise):
                if isinstance(node, ast.Raise) and node not in raised_by_data(spot, self.loop.body):
                    continue
                raise Obstacle(f"`{type(node).__name__.lower()}` inside the loop cannot be compiled")
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                raise Obstacle(f"the loop writes {spot.code.src(node)}, which a compiled loop would write once, while tracing")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name, alone = node.func.attr, isinstance(spot.code.parents[node], ast.Expr)
                if not (alone or name in _TAKES_OUT) or self._is_made_each_round(node.func.value):
                    continue
                owner = spot.code.src(node.func.value)
                if name in ("append", "appendleft", "extend", "insert", "add"):
                    raise Obstacle(
                        f"the length of {owner} would depend on the number of rounds; an array of a fixed size is needed"
                    )
                if name in ("update", "clear", "remove", "discard", "setdefault", *_TAKES_OUT):
                    raise Obstacle(f"the loop changes {owner} in place, which a compiled loop would do once, while tracing")

    def _is_made_each_round(self, owner: ast.expr) -> bool:
        """Whether this is a list, dict or set that the body makes anew before it changes it: no other round sees that."""
        if not isinstance(owner, ast.Name) or owner.id in read_first(self.loop.body):
            return False
        made: list[ast.expr | None] = []
        for node in walk_scope(self.loop.body):
            if isinstance(node, ast.Assign) and owner.id in [name for target in node.targets for name in target_names(target)]:
                alone = len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
                made.append(node.value if alone else None)
        stores = [n for n in walk_scope(self.loop.body) if isinstance(n, ast.Name) and n.id == owner.id]
        return len(made) == sum(not isinstance(n.ctx, ast.Load) for n in stores) and all(map(self._makes_new, made))

    def _makes_new(self, value: ast.expr | None) -> bool:
        """Whether an expression gives an object that nobody else holds, or an array, which nobody can change."""
        if isinstance(value, ast.Call):
            func = self.spot.value(value.func)
            module = str(attribute(func, "__module__", None) or text_attribute(type(func), "__module__"))
            return func in (list, dict, set) or module.partition(".")[0] == "jax"
        return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)

    def _items(self) -> list[str]:
        """Names of dicts and lists of which the body sets items: their items travel with them."""
        found = []
        for node in walk_scope(self.loop.body):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                root: ast.expr = node
                while isinstance(root, ast.Subscript):
                    root = root.value
                if self._is_made_each_round(root):
                    continue
                if not isinstance(root, ast.Name) or isinstance(self.spot.locals.get(root.id), np.ndarray | jax.Array):
                    raise Obstacle(f"the loop sets items of {self.code.src(root)} in place")
                found.append(root.id)
        return found

    def _body(self, first: Sequence[str] = ()) -> str:
        text = "".join(f"{self.inner}{line}\n" for line in first)
        text += self.code.block_text(self.loop.body, self.inner, print_edits(self.spot, self.loop.body))
        return f"{text}{self.inner}return {self.result}\n"

    @property
    def result(self) -> str:
        return ", ".join(self.names) if self.names else "None"

    @property
    def packed(self) -> str:
        return f"({self.result})" if len(self.names) > 1 else self.result

    def _parameter(self) -> tuple[str, list[str]]:
        """(the parameter's name, lines that unpack it)."""
        if len(self.names) == 1:
            return self.names[0], []
        name = self.code.fresh("carry", "state") if self.names else "_"
        return name, [f"{self.result} = {name}"] if self.names else []

    def _after(self, call: str) -> str:
        target = f"{self.result} = " if self.names else ""
        rest = self.code.block_text(self.loop.orelse, self.indent) if self.loop.orelse else ""
        return f"{self.indent}{target}{call}\n{rest}"

    def _starts(self, function: str, index: str = "") -> Iterator[str]:
        """Lines before the loop that give every carried variable a first value of the type that a round gives it."""
        spot, indent = self.spot, self.indent
        if not self.missing:
            yield ""
        if not self.names:
            return
        known = [n if n not in self.missing else "None" for n in self.names]
        packed = f"({', '.join(known)})" if len(known) > 1 else "".join(known)
        carry = self.code.fresh("carry", "state")
        shapes = self.code.fresh("shapes", "carry_shapes")
        once = f"{function}, {index}{packed}"
        twice = f"lambda {carry}: {function}({index}{function}({index}{carry})), {packed}"  # a type that follows another one
        for rounds in (once, twice):
            lines = f"{indent}{shapes} = {spot.jax('eval_shape')}({rounds})\n"
            for name in self.missing:
                of = f"{shapes}[{self.names.index(name)}]" if len(self.names) > 1 else shapes
                zeros = f"lambda s: {spot.jnp('zeros')}(s.shape, s.dtype)"
                lines += f"{indent}{name} = {spot.jax('tree.map')}({zeros}, {of})  # set before it is read\n"
            if self.missing and rounds is once:
                yield lines
            if rounds is once and not self.missing and not self._has_keys():  # mostly a type is all that a round changes
                if len(self.names) == 1 and isinstance(spot.locals.get(packed), int | float | np.ndarray | jax.Array):
                    after = f"{spot.jax('eval_shape')}({once})"
                    yield f"{indent}{packed} = {self._cast(packed, after)}\n"
                else:
                    yield lines + self._each(self._cast("v", "s"), shapes)
            cast = f"{spot.jnp('broadcast_to')}({self._cast('v', 's')}, s.shape)"
            if self._has_keys():
                cast = f"v if {spot.jnp('issubdtype')}(s.dtype, {spot.jax('dtypes.prng_key')}) else {cast}"
            yield lines + self._each(cast, shapes)

    def _cast(self, value: str, shape: str) -> str:
        """The value with the type of both: 1.5 would be no integer where there is no round."""
        return f"{self.spot.jnp('asarray')}({value}, {self.spot.jnp('result_type')}({value}, {shape}.dtype))"

    def _each(self, cast: str, shapes: str) -> str:
        """A line that does so with each `v` that is carried, and the shape `s` of what a round gives."""
        mapped = f"{self.spot.jax('tree.map')}(lambda v, s: {cast}, {self.packed}, {shapes})"
        return f"{self.indent}{self.result} = {mapped}\n"

    def _has_keys(self) -> bool:
        """Whether a typed key is carried, which has no type in common with others."""
        leaves = jax.tree_util.tree_leaves([self.spot.locals.get(name) for name in self.names])
        return any(jax.dtypes.issubdtype(attribute(leaf, "dtype", int), jax.dtypes.prng_key) for leaf in leaves)

    def for_steps(self, call: ast.Call) -> Iterator[Step]:
        spot, code = self.spot, self.code
        target = self.loop.target if isinstance(self.loop, ast.For) else None
        if not isinstance(target, ast.Name):
            return
        bounds = Range(spot, call)
        parameter, unpack = self._parameter()
        index = target.id
        low, high = bounds.low, bounds.high
        first = list(unpack)
        before = ""
        written = target.id in stored(self.loop.body)
        if bounds.step != 1 or self.live_targets or written:
            index = code.fresh("k", "index", "count")
            if bounds.step != 1:
                first.append(f"{target.id} = {bounds.item(index)}")
                low, high = "0", bounds.count()
            else:
                first.append(f"{target.id} = {index}")
            if self.live_targets and not spot.defined(target.id):
                before = f"{self.indent}{target.id} = {bounds.low}\n"
        function = code.fresh("body_fun", "loop_body")
        body = f"{self.indent}def {function}({index}, {parameter}):\n{self._body(first)}\n"
        for start_lines in self._starts(function, f"{low}, "):
            loop = f"{spot.lax('fori_loop')}({low}, {high}, {function}, {self.packed})"
            text = before + body + start_lines + self._after(loop)
            yield spot.step("fori_loop", (code.region([self.loop]), text))

    def while_steps(self) -> Iterator[Step]:
        code, loop = self.code, self.loop
        assert isinstance(loop, ast.While)
        parameter, unpack = self._parameter()
        function = code.fresh("body_fun", "loop_body")
        bounds = [code.expr(loop.test), f"{code.operand(loop.test)} != 0"]
        if isinstance(loop.test, ast.Compare):
            bounds = bounds[:1]  # it gives a bool
        for test in bounds if _truth(loop.test) else bounds[::-1]:
            yield from self._while(test, parameter, unpack, function)

    def _while(self, test: str, parameter: str, unpack: list[str], function: str) -> Iterator[Step]:
        spot, code, loop = self.spot, self.code, self.loop
        if len(self.names) > 1:
            going = code.fresh("cond_fun", "loop_cond")
            unpacked = "".join(f"{self.inner}{line}\n" for line in unpack)
            head = f"{self.indent}def {going}({parameter}):\n{unpacked}{self.inner}return {test}\n\n"
        else:
            head, going = "", f"lambda {parameter}: {test}"
        body = f"{self.indent}def {function}({parameter}):\n{self._body(unpack)}\n"
        for start_lines in self._starts(function):
            call = f"{spot.lax('while_loop')}({going}, {function}, {self.packed})"
            yield spot.step("while_loop", (code.region([loop]), head + body + start_lines + self._after(call)))
        rounds = most_rounds(spot, loop) if isinstance(loop, ast.While) else None
        if rounds is None or not self.names:
            return
        asked = f"{going}({parameter})" if len(self.names) > 1 else test
        each = f"lambda _, {parameter}: {spot.lax('cond')}({asked}, {function}, lambda {parameter}: {parameter}, {parameter})"
        for start_lines in self._starts(function):
            call = f"{spot.lax('fori_loop')}(0, {rounds}, {each}, {self.packed})  # always so many rounds: has a gradient"
            text = (head if len(self.names) > 1 else "") + body + start_lines + self._after(call)
            yield spot.step("fori_loop", (code.region([loop]), text))


def _truth(test: ast.expr) -> bool:
    """Whether a test gives a bool, as a compiled loop demands, and not a number."""
    return isinstance(test, ast.Compare | ast.BoolOp | ast.Call | ast.Name) or (
        isinstance(test, ast.BinOp) and isinstance(test.op, ast.BitAnd | ast.BitOr)
    )


def _carriable(value: Any) -> bool:
    """Whether the value is made of numbers and arrays."""
    if isinstance(value, str | bytes | types.FunctionType | types.ModuleType | type | set | range):
        return False
    leaves_ = jax.tree_util.tree_leaves(value)
    return all(isinstance(v, bool | int | float | complex | np.ndarray | np.generic | jax.Array) for v in leaves_)


def _a(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
