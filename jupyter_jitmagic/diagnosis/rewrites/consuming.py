"""What each expression does with values of unknown length: `visit` notes the edits and says what is known of its value."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites.both_axes import product
from jupyter_jitmagic.diagnosis.rewrites.inlining import helper_of
from jupyter_jitmagic.diagnosis.rewrites.operations import (
    BINARY,
    LINEAR,
    PARTIAL,
    TOTAL,
    Called,
    called,
    is_looked_up,
    is_module,
)
from jupyter_jitmagic.diagnosis.rewrites.ragged import ONE, Calls, LooksUp, Ragged, enclosed
from jupyter_jitmagic.diagnosis.rewrites.repeating import turned
from jupyter_jitmagic.diagnosis.rewrites.safety import safety_of, shifts, squares
from jupyter_jitmagic.diagnosis.rewrites.updating import Updating
from jupyter_jitmagic.source.names import loaded, name_of, target_names
from jupyter_jitmagic.usercode.ownership import is_users_text

KEEPS_ZERO = (ast.Mult, ast.Div, ast.Pow)


class Consumers(Updating):
    """`visit(expression)`: its edits, and its `Ragged` (None: its length is known)."""

    exact = False
    """Whether NaN among the elements that count, and bounds below zero, are as in plain Python at the price of more code."""

    guarded = False
    """Whether a mean of nothing is 0: nothing may be computed with it then, and its derivative is no NaN."""

    def select(self, node: ast.expr) -> Ragged | None:
        """A selection made here, of a length that is not known; `flow.Flow` knows them."""
        raise NotImplementedError

    def is_traced_text(self, text: str) -> bool:
        """Whether a piece of source text reads what is traced; `flow.Flow` knows."""
        raise NotImplementedError

    def is_traced(self, node: ast.expr) -> bool:
        """Whether an expression is computed from traced values; `flow.Flow` knows."""
        raise NotImplementedError

    def count_of(self, node: ast.expr) -> Ragged | None:
        """The selection whose length an expression is; `flow.Flow` knows."""
        raise NotImplementedError

    def visit(self, node: ast.expr) -> Ragged | None:
        if isinstance(node, ast.Name):
            return self.state.names.get(node.id)
        if isinstance(node, ast.Constant):
            return None
        if node not in self.state.seen:
            found = self.select(node)
            self.state.seen[node] = self._visited(node) if found is None else found
        return self.state.seen[node]

    def _visited(self, node: ast.expr) -> Ragged | None:
        by_kind: dict[type[ast.expr], Callable[..., Ragged | None]] = {
            ast.BinOp: self._binary,
            ast.UnaryOp: self._unary,
            ast.Compare: self._compare,
            ast.BoolOp: self._bool,
            ast.IfExp: self._choice,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Call: self._call,
            ast.Lambda: self._lambda,
            ast.ListComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.DictComp: self._mapping,
        }
        if type(node) in by_kind:
            return by_kind[type(node)](node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.plain(child)
        return None

    # -- operators ----------------------------------------------------------------------------------------

    def joined(self, node: ast.expr, operands: Sequence[ast.expr], safety: int) -> Ragged | None:
        """An elementwise operation."""
        found = [(operand, self.visit(operand)) for operand in operands]
        ragged = [(operand, each) for operand, each in found if each is not None]
        if not ragged:
            return None
        power = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)
        apart = power and any(one.shifted for _, one in ragged)  # an exponent that meets no base of its own
        first = max((each for _, each in ragged), key=lambda each: each.ndim)
        if any(one.listed for _, one in ragged):
            self.stop(node)
        if any(not one.like(first) for _, one in ragged) and all(one.meets_in_order(first) for _, one in ragged):
            ragged = [(operand, self.ordered(operand, one)) for operand, one in ragged]  # the same length in another order
            found = [(operand, dict(ragged).get(operand, each)) for operand, each in found]
            alike = self.as_long([one for _, one in ragged])
            ragged = [(operand, one) for (operand, _), one in zip(ragged, alike, strict=True)]
            first = ragged[0][1]
        if any(not one.like(first) for _, one in ragged):
            return self._paired(
                node, [each for _, each in ragged], [operand for operand, each in found if each is None], safety
            )
        for operand, one in ragged:
            beyond = one.source < 0 or one.shifted or apart  # no filling of it would do
            if safety == PARTIAL and beyond and self._decides(node, operand):
                self.replace(operand, f"{self.jnp('where')}({one.broadcast}, {self.text(operand)}, 1)")
            else:
                needed = ONE if safety == PARTIAL and self._is_one(operand) else safety
                self.require(one, needed if self._decides(node, operand) else min(safety, TOTAL))
        ndim = first.ndim
        for operand, each in found:
            other = self.ndim(operand) if each is None else None
            if other is not None and other > 0 and not first.flat:
                if other > first.behind and self._long(operand, first):
                    self.stop(node)
                ndim = max(ndim, other)
            elif other and first.flat:
                self.stop(node)
        made = replace(first, axis=first.axis + ndim - first.ndim, ndim=ndim, pad="", direct=False)
        if len({each.source for _, each in ragged}) > 1:
            made = replace(made, source=self._together([each.source for _, each in ragged]))
        shifted = (any(each.shifted for _, each in ragged) and not squares(node)) or shifts(node)
        return replace(made, dtype=self._dtype(node, [each for _, each in ragged]), shifted=shifted)

    def _is_one(self, node: ast.expr) -> bool:
        """Whether it is 1 where the selections in it are: `p[m] / q[m]`, of which a logarithm is taken."""
        match node:
            case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
                return self._is_one(left) and self._is_one(right)
            case ast.BinOp(left=left, op=ast.Pow()):
                return self._is_one(left)
        found = self.state.seen.get(node)
        return found is not None and found.direct

    def _paired(self, node: ast.expr, ragged: list[Ragged], others: list[ast.expr], safety: int) -> Ragged:
        """`s[:, None] - t[None, :]`: each of one selection with each of the other."""
        grids = [each for each in ragged if each.grid]
        ndim = max(each.ndim for each in ragged)
        if ndim > 3 or any(each.group or (each.flat and not each.grid) for each in ragged):
            self.stop(node)
        masks = [""] * ndim
        for each in ragged:
            own = each.grid or tuple(each.mask if axis == each.axis else "" for axis in range(each.ndim))
            for axis, mask in enumerate(own, ndim - len(own)):
                if mask and masks[axis] not in ("", mask):
                    self.stop(node)
                masks[axis] = masks[axis] or mask
        if any((self.ndim(other) or 0) > 1 for other in others) or (grids and any((self.ndim(other) or 0) for other in others)):
            self.stop(node)
        for each in ragged:
            self.require(each, safety)
        parts = [f"{enclosed(mask)}{_at(axis, ndim)}" for axis, mask in enumerate(masks) if mask]
        table = self.named(" & ".join(parts), "pairs", "both", "table")
        together = self._together([each.source for each in ragged])
        return Ragged(table, ndim=ndim, flat=True, dtype=self._dtype(node, ragged), source=together, grid=tuple(masks))

    @staticmethod
    def _decides(node: ast.expr, operand: ast.expr) -> bool:
        """Whether the operand is one for which the operation may have no finite value: a divisor, a base, an argument."""
        if not isinstance(node, ast.BinOp):
            return True
        return operand is (node.left if isinstance(node.op, ast.Pow) else node.right)

    def _long(self, operand: ast.expr, ragged: Ragged) -> bool:
        """Whether a plain operand has more than one element along the axis of unknown length."""
        fact = self.spot.fact(operand)
        return fact is None or fact.ndim <= ragged.behind or (fact.ndim == ragged.behind + 1 and fact.length != 1)

    def _together(self, sources: list[int]) -> int:
        """What is asked of an expression of several selections is asked of each."""
        known = sorted({each for each in sources if each >= 0})
        if len(known) < 2:
            return known[0] if known else -1
        highest = max(self.levels.get(each, 0) for each in known)
        for each in known:
            self.levels[each] = highest
        return known[0]

    def _dtype(self, node: ast.expr, operands: list[Ragged]) -> str:
        fact = self.spot.fact(node)
        if fact is not None and fact.dtype:
            return fact.dtype
        if isinstance(node, ast.Compare):
            return "b"
        kinds = {each.dtype for each in operands}
        return "f" if isinstance(getattr(node, "op", None), ast.Div) or "f" in kinds else operands[0].dtype

    def _binary(self, node: ast.BinOp) -> Ragged | None:
        if isinstance(node.op, ast.MatMult):
            return self.product(node, node.left, node.right, "matmul")
        safety = BINARY[type(node.op)]
        if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod) and not self._touches(node.right):
            safety = TOTAL
        if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
            power = node.right.value
            safety = TOTAL if isinstance(power, int | float) and power >= 1 and power == int(power) else PARTIAL
        made = self.joined(node, [node.left, node.right], safety)
        if made is None:
            return None
        left, right = self.visit(node.left), self.visit(node.right)
        zero = any(
            each is not None and each.pad == "0" for each in ((left, right) if isinstance(node.op, ast.Mult) else (left,))
        )
        by_zero = isinstance(node.op, ast.Div) and not (isinstance(node.right, ast.Constant) and node.right.value)
        if zero and isinstance(node.op, KEEPS_ZERO) and safety < PARTIAL and not by_zero:
            made = replace(made, pad="0")
        return made

    def _touches(self, node: ast.expr) -> bool:
        """Whether an expression is of unknown length (asked beside its edits)."""
        before = self.state.copy()
        found = self.visit(node)
        self.state = before
        return found is not None

    def _unary(self, node: ast.UnaryOp) -> Ragged | None:
        if isinstance(node.op, ast.Not):
            self.truth(node.operand)
            return None
        found = self.visit(node.operand)
        return None if found is None else replace(found, direct=False, pad="0" if found.pad == "0" else "")

    def _compare(self, node: ast.Compare) -> Ragged | None:
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
            held = self.visit(node.comparators[0])
            if held is None:
                self.plain(node.left)
                return None
            self.plain(node.left)
            member = f"{self.jnp('any')}(({self.operand(node.comparators[0])} == {self.operand(node.left)}) & {held.broadcast})"
            self.replace(node, member if isinstance(node.ops[0], ast.In) else f"~{member}")
            return None
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.Is | ast.IsNot):
            return None
        return self.joined(node, [node.left, *node.comparators], LINEAR)

    def _bool(self, node: ast.BoolOp) -> Ragged | None:
        for value in node.values:
            self.truth(value)
        return None

    def either_side(self, node: ast.IfExp) -> Ragged | None:
        """What a choice is that is none; `flow.Flow` knows."""
        raise NotImplementedError

    def _choice(self, node: ast.IfExp) -> Ragged | None:
        if (found := self.either_side(node)) is not None:
            return found
        self.truth(node.test)
        one, two = self.visit(node.body), self.visit(node.orelse)
        if (one is None) != (two is None) or (one is not None and two is not None and not one.like(two)):
            self.stop(node)
        return one

    def truth(self, node: ast.expr) -> None:
        """A test; that of a list asks whether it has elements."""
        found = self.visit(node)
        if found is None:
            return
        if not found.listed:
            self.stop(node)
        self.replace(node, f"({self.counted(found)} > 0)")

    # -- scopes of their own ------------------------------------------------------------------------------

    def _lambda(self, node: ast.Lambda) -> Ragged | None:
        hidden = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
        self.inside(hidden, [node.body])
        return None

    def inside(self, hidden: set[str], nodes: Sequence[ast.expr]) -> None:
        """Expressions that are evaluated anew."""
        with self._scope(hidden):
            self.plain(*nodes)

    @contextlib.contextmanager
    def _scope(self, hidden: set[str]) -> Iterator[None]:
        """A scope with names of its own: no line can be put before what is evaluated in it."""
        before, current = dict(self.state.names), self.current
        self.state.names = {name: each for name, each in before.items() if name not in hidden}
        self.current = None
        try:
            yield
        finally:
            self.state.names, self.current = before, current

    def each_round(self, made: ast.expr) -> Ragged | None:
        """What `[s**k for k in range(n)]` has in each of its rounds, the number of which Python knows."""
        match made:
            case ast.ListComp(elt=each, generators=[ast.comprehension(target=target, iter=over, ifs=[], is_async=0)]):
                if not self.is_traced(over) and self._iterated(over) is None:
                    with self._scope({*target_names(target)}):
                        found = self.visit(each)
                    texts = (found.mask, found.length, found.group, found.times) if found is not None else ()
                    if any({*target_names(target)} & loaded([ast.parse(text, mode="eval")]) for text in texts if text):
                        self.stop(made)  # each round selects something else
                    return found
        return None

    traced: set[str]
    """Names of what is traced."""

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp) -> Ragged | None:
        """`[g(v) for v in s]` is as long as s."""
        loop = node.generators[0]
        found = self._iterated(loop.iter)
        hidden = {name for each in node.generators for name in target_names(each.target)}
        rest = [*(part for each in node.generators[1:] for part in (each.iter, *each.ifs)), *loop.ifs]
        self._with_its_names(node, hidden, [*rest, node.elt], found)
        if found is None:
            return None
        rows = found.ndim > 1
        if len(node.generators) > 1 or (rows and (found.axis or found.flat or found.grid or found.group)):
            self.stop(node)
        if loop.ifs:
            found = self._tested(node, loop, found)
        if rows:
            self.require(found, safety_of(self.spot, [node.elt]))
        elif _is_compared(node.elt, hidden):  # the group of a label that does not occur is empty, and its mean NaN
            self.require(replace(found, direct=False), PARTIAL)
        fact = self.spot.fact(node.elt)
        dtype = fact.dtype if fact is not None and fact.dtype else "f"
        ndim = 1 + max(fact.ndim, 0) if fact is not None else 1
        return replace(found, ndim=ndim, listed=True, direct=False, pad="", dtype=dtype, source=-1)

    def _tested(self, node: ast.ListComp | ast.GeneratorExp, loop: ast.comprehension, found: Ragged) -> Ragged:
        """`[g(v) for v in s if c]` → `[g(v) for v in s]`, of which those count that do in s and for which c holds."""
        if found.ndim > 1 or found.flat or found.group or found.times or loop.is_async:
            self.stop(node)
        target, over = self.code.src(loop.target), self.text(loop.iter)
        test = " and ".join(self.operand(each) if len(loop.ifs) > 1 else self.text(each) for each in loop.ifs)
        kept = f"{self.jnp('asarray')}([{test} for {target} in {over}], bool)"
        mask = self.named(f"{enclosed(found.mask)} & {kept}", "passed", "kept_too", "those_kept")
        opens, closes = "[]" if isinstance(node, ast.ListComp) else "()"
        self.replace(node, f"{opens}{self.text(node.elt)} for {target} in {over}{closes}")
        return replace(found, mask=mask, front=False, length="", least="", source=-1)

    def _mapping(self, node: ast.DictComp) -> None:
        """`{k: s[labels == k].mean() for k in keys}`: what it names of its own is known in it alone."""
        if any(self._iterated(each.iter) is not None for each in node.generators):
            self.stop(node)
        hidden = {name for each in node.generators for name in target_names(each.target)}
        rest = [part for each in node.generators for part in each.ifs]
        self._with_its_names(node, hidden, [*rest, node.key, node.value], None)

    def _with_its_names(
        self, node: ast.ListComp | ast.GeneratorExp | ast.DictComp, hidden: set[str], parts: list[ast.expr], over: Ragged | None
    ) -> None:
        """The parts of a comprehension, whose own names are traced where what they run over is; `over`: what the first runs
        over, where that has an unknown length."""
        known = set(self.traced)
        for each in node.generators:  # from Python 3.12 on these names are gone when the trace has stopped
            if (each is node.generators[0] and over is not None) or self.is_traced(each.iter):
                self.traced |= set(target_names(each.target)) - set(self.spot.locals)
        self.inside(hidden, parts)
        self.traced = known

    def _iterated(self, node: ast.expr) -> Ragged | None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and self.spot.is_builtin(node.func.id):
            if node.func.id == "zip":
                return self._zipped_up(node)
            if node.func.id == "reversed" and len(node.args) == 1 and (found := self.visit(node.args[0])) is not None:
                if found.flat or found.axis or found.group:
                    self.stop(node)
                self.replace(node, f"{self.operand(node.args[0])}[::-1]")
                return turned(self, found, self.named(f"{enclosed(found.mask)}[::-1]", "kept", "chosen"))
            if node.func.id == "enumerate" and _starts_at_a_number(node):
                match node.args[0]:
                    case ast.Call(func=ast.Name(id="zip")) as together if self.spot.is_builtin("zip"):
                        return self._zipped_up(together, in_front=True)
                inner = self._iterated(node.args[0])
                return None if inner is None else self.ordered(node.args[0], inner)
        return self.visit(node)

    def _zipped_up(self, node: ast.Call, in_front: bool = False) -> Ragged | None:
        """`zip(s, t)`: as long as both, or as the shorter one of those that stand in front."""
        found = [(each, self.visit(each)) for each in node.args]
        ragged = [(each, one) for each, one in found if one is not None]
        if not ragged:
            return None
        alike = len(ragged) == len(found) and all(one.like(ragged[0][1]) for _, one in ragged)
        if alike and not in_front:
            return ragged[0][1]
        apart = any(one.flat or one.axis or one.group or one.times for _, one in ragged)
        fit = len(ragged) == len(found) and not apart and all(one.front for _, one in ragged)
        if not alike and not fit and (apart or not self._are_equally_long(found)):
            self.stop(node)
        ordered = [self.ordered(each, one) for each, one in ragged]
        masks, tails = [one.mask for one in ordered], [self._tail(each) for each, _ in ragged]
        if len({base for base, _ in tails}) == 1:  # of `zip(s, s[1:], s[2:])` what is cut most is the shortest
            masks = [mask for mask, tail in zip(masks, tails, strict=True) if tail == max(tails)]
        both = " & ".join(dict.fromkeys(masks))  # it ends where the shortest does
        mask = self.named(both, "counts", "valid", "filled") if " & " in both else both
        return replace(ordered[0], mask=mask, source=-1, direct=False)

    def _tail(self, node: ast.expr) -> tuple[str, int]:
        """(`s`, 2) of `s[2:]`, (`s`, 0) of `s`."""
        match node:
            case ast.Subscript(value=base, slice=ast.Slice(lower=ast.Constant(value=int(first)), upper=None, step=None)) if (
                first > 0
            ):
                return self.code.src(base), first
        return self.code.src(node), 0

    def _are_equally_long(self, zipped: Sequence[tuple[ast.expr, Ragged | None]]) -> bool:
        """Whether the arrays of a `zip`, and those of which slices in it are cut, are known to be of one length."""
        if any(one is not None and not isinstance(each, ast.Subscript) for each, one in zipped):
            return False
        facts = [self.spot.fact(each.value if one is not None else each) for each, one in zipped]  # type: ignore[attr-defined]
        lengths = {fact.length if fact is not None and fact.sort in ("array", "host") else -1 for fact in facts}
        return len(lengths) == 1 and -1 not in lengths

    # -- calls --------------------------------------------------------------------------------------------

    def updated_itself(self, node: ast.Call) -> Ragged | None:
        """What `s.at[0].set(v)` of a selection is; `reshaping.Reshaping` knows."""
        raise NotImplementedError

    def _call(self, node: ast.Call) -> Ragged | None:
        if (updated := self.updated_itself(node)) is not None:
            return updated
        if self._update(node):
            return None
        known = called(self.spot, node)
        if known is not None:
            if known.form == "method" and not is_module(self.spot, node.func.value):  # type: ignore[attr-defined]
                owner = self.visit(known.arguments[0])
                arrays = owner is not None or any(self._touches(arg) for arg in node.args if not isinstance(arg, ast.Starred))
                if not arrays:
                    self.plain(*node.args, *(each.value for each in node.keywords))
                    return None
            consumer: Callable[[ast.Call, Called], Ragged | None] = self.consumer(known)
            return consumer(node, known)
        return self._unknown(node)

    def consumer(self, known: Called) -> Callable[[ast.Call, Called], Ragged | None]:
        """What follows an operation of the table; `consumers.Operations` knows them."""
        raise NotImplementedError

    def _unknown(self, node: ast.Call) -> Ragged | None:
        """A call of a function that the table does not have."""
        if isinstance(node.func, ast.Attribute):
            if not is_module(self.spot, node.func.value):
                owner = self.visit(node.func.value)
                if owner is not None:
                    self.stop(node)
        else:
            self.visit(node.func)
        values = [*node.args, *(each.value for each in node.keywords)]
        found = [self.visit(value.value if isinstance(value, ast.Starred) else value) for value in values]
        ragged = [each for each in found if each is not None]
        if not ragged:
            return None
        if self._is_mapped(node.func):
            assert isinstance(node.func, ast.Call)
            rows = [replace(each, ndim=1, axis=0) for each in ragged]  # of however many axes each row is
            if any(not each.like(rows[0]) for each in rows) or any(each.axis for each in ragged):
                self.stop(node)
            if not all(_is_by_rows(node.func, k) for k, each in enumerate(found[: len(node.args)]) if each is not None):
                self.stop(node)
            body = [node.func.args[0]] if node.func.args and isinstance(node.func.args[0], ast.Lambda) else []
            for each in ragged:
                self.require(each, safety_of(self.spot, body) if body else PARTIAL)
            fact = self.spot.fact(node)
            if fact is None or fact.sort != "array":
                self.stop(node)
            return replace(ragged[0], ndim=fact.ndim, dtype=fact.dtype, pad="", direct=False)
        if is_looked_up(self.spot, node.func):
            raise LooksUp(self.needing(node), node)
        value = self.spot.value(node.func)
        code = attribute(attribute(value, "__wrapped__", value), "__code__", None)
        is_users = code is not None and is_users_text(code.co_filename)
        if is_users or helper_of(self.spot, node) is not None:  # or one that is defined below the selection
            raise Calls(f"`{self.code.src(node)}` is given a value of a length that depends on data", node)
        self.stop(node)

    def _is_mapped(self, func: ast.expr) -> bool:
        """`jax.vmap(f)`, called at once, whose results come row by row."""
        if not isinstance(func, ast.Call):
            return False
        name = name_of(func)
        return name == "vmap" and len(func.args) < 3 and not any(each.arg == "out_axes" for each in func.keywords)

    # -- products -----------------------------------------------------------------------------------------

    def product(self, node: ast.expr, left: ast.expr, right: ast.expr, name: str) -> Ragged | None:
        one, two = self.visit(left), self.visit(right)
        if one is None and two is None:
            return None
        dims = [each.ndim if each is not None else self.ndim(part) for each, part in ((one, left), (two, right))]
        if any(each is not None and each.grid for each in (one, two)) and None not in dims and name in ("matmul", "dot"):
            return product(self, node, (left, right), (one, two), [int(ndim or 0) for ndim in dims])
        if None in dims or any(each is not None and (each.flat or each.listed or each.group) for each in (one, two)):
            self.stop(node)
        n, m = int(dims[0] or 0), int(dims[1] or 0)
        if name == "matmul" and max(n, m) > 2 and min(n, m) > 1:
            return self._batched(node, (left, right), (one, two), (n, m))
        if n > 2 or m > 2 or not n or not m:
            self.stop(node)
        inner_one = one is not None and one.axis == n - 1
        inner_two = two is not None and two.axis == (m - 1 if name in ("inner",) else max(m - 2, 0))
        dtype = (one or two).dtype  # type: ignore[union-attr]
        if inner_one and inner_two and one is not None and two is not None:
            if not one.meets(two):
                one, two = self.ordered(left, one), self.ordered(right, two)
            self.replace(left, self._zeroed(left, one))
            self.replace(right, self._zeroed(right, two))
            return None
        if inner_one or inner_two or any(each is not None and each.times for each in (one, two)):
            self.stop(node)
        if one is not None and two is not None:  # `Q @ Q.T`: each row of the one with each column of the other
            return self._paired(node, [one, two], [], TOTAL)
        outer = one if one is not None else two
        assert outer is not None
        self.require(outer, TOTAL)
        axis = 0 if one is not None else max(n - 1, 0)
        return replace(
            outer, axis=axis, ndim=max(n + m - 2, 1), pad=outer.pad if outer.pad == "0" else "", direct=False, dtype=dtype
        )

    def _batched(
        self,
        node: ast.expr,
        sides: tuple[ast.expr, ast.expr],
        found: tuple[Ragged | None, Ragged | None],
        dims: tuple[int, int],
    ) -> Ragged | None:
        """A product of matrices, one by one (`q @ k.swapaxes(-1, -2)` of each head)."""
        (one, two), (n, m) = found, dims
        if one is not None and two is not None:
            if (one.axis, two.axis) != (n - 1, m - 2) or not one.meets(two):
                self.stop(node)
            for side, each in ((sides[0], one), (sides[1], two)):
                self.replace(side, self._zeroed(side, each))
            return None
        only, axis, ndim = (one, n - 2, n) if one is not None else (two, m - 1, m)
        if only is None or only.axis != axis or only.times:
            self.stop(node)
        self.require(only, TOTAL)
        ndim, behind = max(n, m), ndim - 1 - axis
        return replace(only, axis=ndim - 1 - behind, ndim=ndim, pad=only.pad if only.pad == "0" else "", direct=False)

    def _zeroed(self, node: ast.expr, ragged: Ragged) -> str:
        return self.padded(node, ragged, "0")

    # -- keywords -----------------------------------------------------------------------------------------

    def with_keyword(self, call: ast.Call, keyword: str) -> None:
        """The call with one more keyword."""
        arguments = [*call.args, *call.keywords]
        text = self.text(call)
        inner = text[:-1].rstrip()
        comma = "" if not arguments else " " if inner.endswith(",") else ", "
        self.replace(call, f"{inner}{comma}{keyword})")

    def rest(self, node: ast.Call, *without: str) -> str:
        """The keywords of a call as the end of an argument list."""
        kept = [each for each in node.keywords if each.arg not in without]
        return "".join(f", {each.arg}={self.text(each.value)}" if each.arg else f", **{self.text(each.value)}" for each in kept)


def _starts_at_a_number(node: ast.Call) -> bool:
    """`enumerate(s)`, `enumerate(s, 1)`, `enumerate(s, start=1)`."""
    starts = [*node.args[1:], *(each.value for each in node.keywords)]
    return len(node.args) > 0 and len(starts) < 2 and all(isinstance(each, ast.Constant) for each in starts)


def _is_by_rows(mapped: ast.Call, place: int) -> bool:
    """Whether `jax.vmap(f, in_axes=…)` takes a positional argument row by row, as it does without `in_axes`."""
    axes = next((each.value for each in mapped.keywords if each.arg == "in_axes"), None)
    axes = axes or (mapped.args[1] if len(mapped.args) > 1 else None)
    if isinstance(axes, ast.Tuple | ast.List) and place < len(axes.elts):
        axes = axes.elts[place]
    return axes is None or (isinstance(axes, ast.Constant) and axes.value == 0 and axes.value is not False)


def _at(axis: int, ndim: int) -> str:
    """The index that puts a mask along one of several axes."""
    return f"[{', '.join(':' if each == axis else 'None' for each in range(ndim))}]"


def _is_compared(node: ast.AST, names: set[str]) -> bool:
    """Whether something is asked to be equal to one of these names."""
    return any(
        isinstance(part, ast.Compare)
        and any(isinstance(op, ast.Eq) for op in part.ops)
        and any(isinstance(each, ast.Name) and each.id in names for each in (part.left, *part.comparators))
        for part in ast.walk(node)
    )
