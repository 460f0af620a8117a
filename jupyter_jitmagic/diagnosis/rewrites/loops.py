"""`while` and `for range(n)` on traced values → `lax.while_loop`, `lax.fori_loop`; `break`, `continue`, `return` → a flag."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from ._code import always_leaves, leaves, loaded, read_first, stored, surely_written, target_names, walk_scope
from ._rules import INDEX, Obstacle, Rule, Spot, Step
from .printing import print_edits

_EXITS = (ast.Break, ast.Continue, ast.Return)


def for_range(spot: Spot) -> Iterator[Step]:
    """`for i in range(n)` with traced n → `lax.fori_loop`."""
    node = spot.node
    if not isinstance(node, ast.Call) or spot.code.src(node.func) != "range" or spot.kind != INDEX:
        return
    loop = spot.code.parents[node]
    if not isinstance(loop, ast.For) or loop.iter is not node:
        yield from _sum_over_range(spot, node)
        return
    if leaves(loop.body, _EXITS):
        yield from _flagged(spot, loop)
        return
    carried = _Carried(spot, loop, target_names(loop.target))
    yield from carried.for_steps(node)


def while_loop(spot: Spot) -> Iterator[Step]:
    """`while test` → `lax.while_loop`."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.While):
        return
    loop = asked[1]
    read = read_first(loop.body) | spot.code.live_after(loop)
    named = [n for n in ast.walk(loop.test) if isinstance(n, ast.NamedExpr) and n.target.id in read]
    if named:
        yield from _bound_before(spot, loop, named)
        return
    if leaves(loop.body, _EXITS):
        yield from _flagged(spot, loop)
        return
    yield from _Carried(spot, loop, []).while_steps()


def _bound_before(spot: Spot, loop: ast.While, named: list[ast.NamedExpr]) -> Iterator[Step]:
    """`while (err := f(x)) > tol` → `err = f(x)` before the loop and at the end of each round."""
    code = spot.code
    if any(not _always_evaluated(spot, n, loop.test) for n in named):
        raise Obstacle("a name is bound by `:=` in a part of the loop's test that is not always evaluated")
    if leaves(loop.body, ast.Continue):
        raise Obstacle("`continue` in a loop whose test binds a name by `:=`")
    named.sort(key=lambda n: (n.lineno, n.col_offset))
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    lines = []
    for n in named:
        lines.append(f"{n.target.id} = {code.expr(n.value)}")
        start, end = code.span(n)
        around = code.text[start - 1 : start] == "(" and code.text[end : end + 1] == ")"
        edits.append(((start - 1, end + 1) if around else (start, end), n.target.id))
    start, end = code.region([loop])[0], code.region([loop.body[-1]])[1]
    indent, inner = code.indent(loop), code.indent(loop.body[0])
    edits.insert(0, ((start, start), "".join(f"{indent}{line}\n" for line in lines)))
    edits.append(((end, end), "".join(f"{inner}{line}\n" for line in lines)))
    if not code.on_own_lines(loop.body):
        return
    yield spot.step("while", *edits)


def _always_evaluated(spot: Spot, node: ast.expr, test: ast.expr) -> bool:
    at: ast.AST = node
    while at is not test:
        parent = spot.code.parents[at]
        if isinstance(parent, ast.BoolOp) and at is not parent.values[0]:
            return False
        if isinstance(parent, ast.Compare) and at in parent.comparators[1:]:
            return False
        if isinstance(parent, ast.IfExp | ast.Lambda | ast.NamedExpr | ast.comprehension):
            return False
        at = parent
    return True


def leaving(spot: Spot) -> Iterator[Step]:
    """`if test: break` (or continue, return) in a loop: the loop gets a flag; the `if` loses its exit."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If):
        return
    node = asked[1]
    if not leaves([*node.body, *node.orelse], _EXITS):
        return
    loop = next((at for at in _in_function(spot, node) if isinstance(at, ast.For | ast.While)), None)
    if loop is None:
        return
    yield from _flagged(spot, loop)


def _in_function(spot: Spot, node: ast.AST) -> Iterator[ast.AST]:
    for at in spot.code.ancestors(node):
        if isinstance(at, ast.FunctionDef | ast.Lambda | ast.AsyncFunctionDef):
            return
        yield at


def _sum_over_range(spot: Spot, node: ast.Call) -> Iterator[Step]:
    """`sum(f(i) for i in range(n))` → `lax.fori_loop(0, n, lambda i, total: total + f(i), 0)`."""
    code = spot.code
    at = code.parents[node]
    generator = code.parents.get(at)
    call = code.parents.get(generator) if generator is not None else None
    if not isinstance(generator, ast.GeneratorExp | ast.ListComp):
        return
    one = isinstance(call, ast.Call) and code.src(call.func) in ("sum", "jnp.sum") and len(call.args) == 1
    if not one or len(generator.generators) != 1 or generator.generators[0].ifs:
        raise Obstacle("the length of a comprehension over range(n) would depend on data")
    assert isinstance(call, ast.Call)
    target = generator.generators[0].target
    bounds = _Range(spot, node)
    if not isinstance(target, ast.Name) or bounds.step != 1:
        return
    total = code.fresh("total", "subtotal")
    body = f"lambda {target.id}, {total}: {total} + {code.operand(generator.elt)}"
    yield spot.step("fori_loop", (call, f"{spot.lax('fori_loop')}({bounds.low}, {bounds.high}, {body}, 0)"))


class _Range:
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

    def count(self) -> str:
        """How many values there are (may be negative: none)."""
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


# -- loops that end by their header only ------------------------------------------------------------------


class _Carried:
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
        self.missing = [n for n in self.names if n not in spot.locals and n not in self.live_targets]

    def _refuse(self) -> None:
        spot = self.spot
        for node in walk_scope(self.loop.body):
            if isinstance(node, ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal | ast.Delete | ast.Raise):
                raise Obstacle(f"`{type(node).__name__.lower()}` inside the loop cannot be compiled")
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                raise Obstacle(f"the loop writes {spot.code.src(node)}, which a compiled loop would write once, while tracing")
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
                name = node.value.func.attr
                owner = spot.code.src(node.value.func.value)
                if name in ("append", "extend", "insert", "add"):
                    raise Obstacle(
                        f"the length of {owner} would depend on the number of rounds; an array of a fixed size is needed"
                    )
                if name in ("update", "pop", "clear", "remove", "setdefault"):
                    raise Obstacle(f"the loop changes {owner} in place, which a compiled loop would do once, while tracing")

    def _items(self) -> list[str]:
        """Names of dicts and lists of which the body sets items: their items travel with them."""
        found = []
        for node in walk_scope(self.loop.body):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                root: ast.expr = node
                while isinstance(root, ast.Subscript):
                    root = root.value
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

    def _starts(self, evaluated: str) -> Iterator[tuple[str, int]]:
        """Lines before the loop that give every carried variable a first value, and how good the way is."""
        spot, indent = self.spot, self.indent
        if not self.missing:
            yield "", 0
        known = [n if n not in self.missing else "None" for n in self.names]
        packed = f"({', '.join(known)})" if len(known) > 1 else "".join(known)
        shapes = self.code.fresh("shapes", "carry_shapes")
        lines = f"{indent}{shapes} = {spot.jax('eval_shape')}({evaluated.replace('CARRY', packed)})\n"
        if self.missing:
            for name in self.missing:
                of = f"{shapes}[{self.names.index(name)}]" if len(self.names) > 1 else shapes
                zeros = f"lambda s: {spot.jnp('zeros')}(s.shape, s.dtype)"
                lines += f"{indent}{name} = {spot.jax('tree.map')}({zeros}, {of})  # set before it is read\n"
            yield lines, 1
        elif self.names:  # the types after a round are not those before it
            cast = f"lambda v, s: {spot.jnp('broadcast_to')}({spot.jnp('asarray')}(v, s.dtype), s.shape)"
            lines += f"{indent}{self.result} = {spot.jax('tree.map')}({cast}, {self.packed}, {shapes})\n"
            yield lines, 2

    def for_steps(self, call: ast.Call) -> Iterator[Step]:
        spot, code = self.spot, self.code
        target = self.loop.target if isinstance(self.loop, ast.For) else None
        if not isinstance(target, ast.Name):
            return
        bounds = _Range(spot, call)
        parameter, unpack = self._parameter()
        index = target.id
        low, high = bounds.low, bounds.high
        first = list(unpack)
        before = ""
        written = target.id in stored(self.loop.body)
        if bounds.step != 1 or self.live_targets or written:
            index = code.fresh("k", "index", "count")
            if bounds.step != 1:
                start = "" if bounds.low == "0" else f"{bounds.low_operand} + "
                sign = (
                    f"{start}{bounds.step} * {index}" if bounds.step > 0 else f"{bounds.low_operand} - {-bounds.step} * {index}"
                )
                first.append(f"{target.id} = {sign}")
                low, high = "0", bounds.count()
            else:
                first.append(f"{target.id} = {index}")
            if self.live_targets and not spot.defined(target.id):
                before = f"{self.indent}{target.id} = {bounds.low}\n"
        function = code.fresh("body_fun", "loop_body")
        body = f"{self.indent}def {function}({index}, {parameter}):\n{self._body(first)}\n"
        for start_lines, _ in self._starts(f"{function}, {low}, CARRY"):
            loop = f"{spot.lax('fori_loop')}({low}, {high}, {function}, {self.packed})"
            text = before + body + start_lines + self._after(loop)
            yield spot.step("fori_loop", (code.region([self.loop]), text))

    def while_steps(self) -> Iterator[Step]:
        code, loop = self.code, self.loop
        assert isinstance(loop, ast.While)
        parameter, unpack = self._parameter()
        function = code.fresh("body_fun", "loop_body")
        bounds = [code.expr(loop.test), f"{code.operand(loop.test)} != 0"]
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
        for start_lines, _ in self._starts(f"{function}, CARRY"):
            call = f"{spot.lax('while_loop')}({going}, {function}, {self.packed})"
            yield spot.step("while_loop", (code.region([loop]), head + body + start_lines + self._after(call)))


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


# -- loops that are left in the middle ---------------------------------------------------------------------


@dataclass
class _Flags:
    """Names of what says that the loop was left."""

    done: str
    result: str = ""
    returned: str = ""


def _flagged(spot: Spot, loop: ast.For | ast.While) -> Iterator[Step]:
    """The same loop without break, continue and return: `while … and not done`, or a `for` whose rounds are skipped."""
    code, indent = spot.code, spot.code.indent(loop)
    returns = [r for r in leaves(loop.body, ast.Return) if isinstance(r, ast.Return)]
    breaks = leaves(loop.body, ast.Break)
    if any(r.value is None for r in returns):
        raise Obstacle("the loop is left by a return without a value")
    function = code.function(loop)
    if returns and not isinstance(function, ast.FunctionDef):
        raise Obstacle("a loop outside of a plain function returns")
    flags = _Flags(code.fresh("done", "finished", "stopped") if returns or breaks else "")
    if returns:
        flags.result = code.fresh("result", "found")
        flags.returned = code.fresh("returned", "has_result") if breaks else flags.done
    inner = indent + "    "
    lowered = _Lowering(spot, flags).block(loop.body, inner)
    after, end = _after_loop(spot, loop, flags, returns)
    before = "".join(f"{indent}{flag} = False\n" for flag in dict.fromkeys([flags.done, flags.returned]) if flag)
    before += after[0]
    region = (code.region([loop])[0], end)
    if isinstance(loop, ast.While):
        always = isinstance(loop.test, ast.Constant) and bool(loop.test.value)
        test = f"not {flags.done}" if always else f"not {flags.done} and {code.operand(loop.test)}"
        if not flags.done:
            test = code.expr(loop.test)
        yield spot.step("while", (region, f"{before}{indent}while {test}:\n{lowered}{after[1]}"))
        return
    header = _indexed(spot, loop)
    if header is not None:
        setup, test, first, last = header
        lines = "".join(f"{indent}{line}\n" for line in setup) + before
        and_flag = f" and not {flags.done}" if flags.done else ""
        body = "".join(f"{inner}{line}\n" for line in first) + lowered + "".join(f"{inner}{line}\n" for line in last)
        yield spot.step("while", (region, f"{lines}{indent}while {test}{and_flag}:\n{body}{after[1]}"))
    if flags.done:
        deeper = _Lowering(spot, flags).block(loop.body, inner + "    ")
        head = code.text[code.span(loop)[0] : code.span(loop.iter)[1]]
        text = f"{before}{indent}{head}:\n{inner}if not {flags.done}:\n{deeper}{after[1]}"
        yield spot.step("flag", (region, text))
    elif not isinstance(loop, ast.While):
        head = code.text[code.span(loop)[0] : code.span(loop.iter)[1]]
        yield spot.step("flag", (region, f"{before}{indent}{head}:\n{lowered}{after[1]}"))


def _after_loop(
    spot: Spot, loop: ast.For | ast.While, flags: _Flags, returns: Sequence[ast.Return]
) -> tuple[tuple[str, str], int]:
    """((lines before the loop, lines after it), the offset up to which the text is replaced)."""
    code, indent = spot.code, spot.code.indent(loop)
    end = code.region([loop])[1]
    text = ""
    if loop.orelse:
        if leaves(loop.orelse, _EXITS) and not flags.done:
            return ("", code.block_text(loop.orelse, indent)), end
        text += f"{indent}if not {flags.done}:\n{code.block_text(loop.orelse, indent + '    ')}" if flags.done else ""
        text += "" if flags.done else code.block_text(loop.orelse, indent)
    if not returns:
        return ("", text), end
    if isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant) and not leaves(loop.body, ast.Break):
        return ("", f"{indent}return {flags.result}\n"), code.region(code.block(loop)[code.block(loop).index(loop) :])[1]
    block = code.block(loop)
    follows = block[block.index(loop) + 1 :]
    last = follows[0] if len(follows) == 1 else None
    if isinstance(last, ast.Return) and last.value is not None and not loop.orelse and not leaves(loop.body, ast.Break):
        changed = set(stored(loop.body)) | (set(target_names(loop.target)) if isinstance(loop, ast.For) else set())
        if not loaded([last.value]) & changed:  # the answer of a loop that ran to its end is known before it
            before = f"{indent}{flags.result} = {code.expr(last.value)}\n"
            return (before, f"{indent}return {flags.result}\n"), code.region([last])[1]
    return ("", f"{text}{indent}if {flags.returned}:\n{indent}    return {flags.result}\n"), end


def _indexed(spot: Spot, loop: ast.For) -> tuple[list[str], str, list[str], list[str]] | None:
    """A `for` as a `while` over an index: (lines before, test, first and last lines of a round); None if not indexable."""
    code = spot.code
    live = code.live_after(loop)
    iterable = loop.iter
    if _is_call(spot, iterable, "range") and isinstance(loop.target, ast.Name):
        assert isinstance(iterable, ast.Call)
        bounds = _Range(spot, iterable)
        order = "<" if bounds.step > 0 else ">"
        high = bounds.high_operand
        add = f"+= {bounds.step}" if bounds.step > 0 else f"-= {-bounds.step}"
        fixed = not loaded([iterable]) & set(stored(loop.body))
        setup = []
        if not fixed:
            limit = code.fresh("limit", "bound")
            setup.append(f"{limit} = {bounds.high}")
            high = limit
        name = loop.target.id
        if name != "_" and (name in live or name in stored(loop.body)):
            index = code.fresh("k", "index")
            setup += [f"{index} = {bounds.low}"] + ([] if _bound_above(spot, loop, name) else [f"{name} = {bounds.low}"])
            return setup, f"{index} {order} {high}", [f"{name} = {index}"], [f"{index} {add}"]
        if name == "_":
            name = code.fresh("k", "count")
        return [*setup, f"{name} = {bounds.low}"], f"{name} {order} {high}", [], [f"{name} {add}"]
    setup, start, sources, targets = [], "0", [iterable], [loop.target]
    index = code.fresh("k", "index")
    counted = ""
    if _is_call(spot, iterable, "enumerate") and isinstance(loop.target, ast.Tuple) and len(loop.target.elts) == 2:
        assert isinstance(iterable, ast.Call)
        start = code.expr(iterable.args[1]) if len(iterable.args) > 1 else "0"
        counter = loop.target.elts[0]
        if not isinstance(counter, ast.Name) or iterable.keywords:
            return None
        counted = counter.id
        sources, targets = [iterable.args[0]], [loop.target.elts[1]]
    if len(sources) == 1 and _is_call(spot, sources[0], "zip") and isinstance(targets[0], ast.Tuple):
        call = sources[0]
        assert isinstance(call, ast.Call)
        if call.keywords or len(call.args) != len(targets[0].elts):
            return None
        sources, targets = list(call.args), list(targets[0].elts)
    first, lengths = [], []
    for source, target in zip(sources, targets, strict=True):
        name = code.expr(source)
        if not isinstance(source, ast.Name) or set(stored(loop.body)) & {source.id}:
            name = code.fresh(f"{_singular(target)}s", "items", "rows")
            if name in {line.split(" = ")[0] for line in setup}:
                return None
            setup.append(f"{name} = {code.expr(source)}")
        if isinstance(source, ast.Name):
            value = spot.value(source)
            if isinstance(value, list | tuple):
                setup.append(f"{code.fresh('stacked')} = {spot.jnp('stack')}({name})")
                name = code.fresh("stacked")
            elif not isinstance(value, jax.Array | np.ndarray):
                return None
        lengths.append(f"len({name})")
        first.append(f"{code.src(target)} = {name}[{index}]")
    if counted:
        if start == "0" and counted not in live and counted not in stored(loop.body):
            index, first = counted, [line.replace(f"[{index}]", f"[{counted}]") for line in first]
        else:
            first.insert(0, f"{counted} = {index}" + ("" if start == "0" else f" + {start}"))
    length = lengths[0] if len(lengths) == 1 else f"min({', '.join(lengths)})"
    setup += [f"{index} = 0"]
    return setup, f"{index} < {length}", first, [f"{index} += 1"]


def _bound_above(spot: Spot, loop: ast.stmt, name: str) -> bool:
    """Whether the name surely has a value when the loop begins (while it runs, the frame knows no more)."""
    function = spot.code.function(loop)
    if not isinstance(function, ast.FunctionDef):
        return False
    a = function.args
    if name in {arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs)}:
        return True
    at: ast.AST = loop
    while isinstance(at, ast.stmt) and at is not function:
        block = spot.code.block(at)
        if name in surely_written(block[: block.index(at)]):
            return True
        at = spot.code.parents[at]
    return False


def _is_call(spot: Spot, node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name and spot.is_builtin(name)


def _singular(target: ast.expr) -> str:
    return target.id if isinstance(target, ast.Name) else "item"


class _Lowering:
    """Statements of a loop's body as text in which exits are flags and what they skip stands in the other branch."""

    def __init__(self, spot: Spot, flags: _Flags) -> None:
        self.spot, self.code, self.flags = spot, spot.code, flags

    def block(self, stmts: Sequence[ast.stmt], indent: str) -> str:
        text = self._block(list(stmts), [], indent)
        return text or f"{indent}pass\n"

    def _block(self, stmts: list[ast.stmt], rest: list[ast.stmt], indent: str) -> str:
        """`stmts`, then `rest` where no exit was taken."""
        stmts = stmts + rest
        for k, stmt in enumerate(stmts):
            if not leaves([stmt], _EXITS):
                continue
            before = self._plain(stmts[:k], indent)
            return before + self._exit(stmt, stmts[k + 1 :], indent)
        return self._plain(stmts, indent)

    def _plain(self, stmts: Sequence[ast.stmt], indent: str) -> str:
        """Statements without exits; those that stood at another depth are moved one by one."""
        text, run = "", list[ast.stmt]()
        for stmt in stmts:
            if run and self.code.indent(run[-1]) != self.code.indent(stmt):
                text += self.code.block_text(run, indent)
                run = []
            run.append(stmt)
        return text + self.code.block_text(run, indent)

    def _exit(self, stmt: ast.stmt, rest: list[ast.stmt], indent: str) -> str:
        code, flags = self.code, self.flags
        if isinstance(stmt, ast.Break):
            return f"{indent}{flags.done} = True\n"
        if isinstance(stmt, ast.Continue):
            return ""
        if isinstance(stmt, ast.Return):
            assert stmt.value is not None
            both = "" if flags.returned == flags.done else f"{indent}{flags.returned} = True\n"
            return f"{indent}{flags.result} = {code.expr(stmt.value)}\n{both}{indent}{flags.done} = True\n"
        if not isinstance(stmt, ast.If):
            raise Obstacle(f"the loop is left from inside `{type(stmt).__name__.lower()}`")
        test = code.expr(stmt.test)
        left = self._block(stmt.body, [] if always_leaves(stmt.body) else rest, indent + "    ")
        right = self._block(stmt.orelse, [] if always_leaves(stmt.orelse) else rest, indent + "    ")
        if left.strip() == f"{flags.done} = True" and flags.done and not right:
            return f"{indent}{flags.done} = {test}\n"
        if not left:
            return f"{indent}if not {code.operand(stmt.test)}:\n{right}" if right else ""
        return f"{indent}if {test}:\n{left}" + (f"{indent}else:\n{right}" if right else "")


RULES: list[Rule] = [for_range, while_loop, leaving]
