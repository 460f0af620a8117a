"""`if`, ternary, early return: `jnp.where` where both sides may be evaluated, `lax.cond` where one must not be."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.printing import is_message, print_edits
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import (
    SCOPES,
    Code,
    Edit,
    always_returns,
    leaves,
    loaded,
    read_first,
    stored,
    surely_written,
    target_names,
    walk_scope,
    words,
)

# what may be evaluated without being chosen: cheap, and finite with finite derivatives wherever its operands are
_HARMLESS = words(
    "abs absolute add subtract multiply negative where minimum maximum clip zeros_like ones_like full_like zeros "
    "ones full square sign sin cos tanh sum any all logical_and logical_or logical_not asarray array float32 int32 "
    "float64 int64 bool_ max min isnan isfinite isinf less greater equal not_equal less_equal greater_equal astype "
    "reshape ravel flatten shape ndim stack concatenate broadcast_to select nan_to_num floor ceil round rint "
    "transpose roll flip float int bool len heaviside conj real imag"
)


def harmless(nodes: Sequence[ast.AST]) -> bool:
    """Whether evaluating this although it is not chosen costs little and poisons no gradient."""
    for root in nodes:
        for node in ast.walk(root):
            if isinstance(node, ast.BinOp):
                if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod) and not isinstance(node.right, ast.Constant):
                    return False
                if isinstance(node.op, ast.Pow) and not (isinstance(node.right, ast.Constant) and _natural(node.right.value)):
                    return False
                if isinstance(node.op, ast.MatMult):
                    return False
            elif isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name not in _HARMLESS and not name[:1].isupper():
                    return False
            elif (isinstance(node, ast.Subscript) and not _one_place(node.slice)) or (
                isinstance(node, ast.comprehension | ast.For | ast.While | ast.Lambda | ast.AugAssign)
                and not (isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult))
            ):
                return False
    return True


def _natural(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _one_place(index: ast.expr) -> bool:
    """Whether an index names one element, row or fixed range, wherever that lies: `x[i + 1, :3]`, but not `x[:i]`."""
    if isinstance(index, ast.Tuple):
        return all(map(_one_place, index.elts))
    if isinstance(index, ast.Slice):
        return all(isinstance(n, ast.Constant | ast.Slice | ast.UnaryOp | ast.USub) for n in ast.walk(index))
    parts = ast.Constant | ast.Name | ast.BinOp | ast.Add | ast.Sub | ast.UnaryOp | ast.USub | ast.expr_context
    return all(isinstance(n, parts) for n in ast.walk(index))


def ternary(spot: Spot) -> Iterator[Step]:
    """`a if test else b` → `jnp.where(test, a, b)` or `lax.cond(test, lambda: a, lambda: b)`."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.IfExp):
        return
    code, node = spot.code, asked[1]
    test, a, b = (code.expr(n) for n in (node.test, node.body, node.orelse))
    cheap = harmless([node.body, node.orelse])
    place = code.with_parentheses(node)
    where = spot.step("where", (place, f"{spot.jnp('where')}({test}, {a}, {b})"), risky=not cheap)
    cond = spot.step("cond", (place, f"{spot.lax('cond')}({test}, lambda: {a}, lambda: {b})"))
    yield from (where, cond) if cheap else (cond, where)
    each = f"lambda a, b: {spot.jnp('where')}({test}, a, b)"
    yield spot.step("where", (place, f"{spot.jax('tree.map')}({each}, {a}, {b})"), risky=not cheap)


def statement(spot: Spot) -> Iterator[Step]:
    """`if` with assignments → `name = jnp.where(…)` or `lax.cond`; with returns → one `return` of a choice."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If):
        return
    code, node = spot.code, asked[1]
    if code.is_elif(node):
        yield _expanded_elif(spot, node)
        return
    both = [*node.body, *node.orelse]
    if leaves(both, (ast.Break, ast.Continue)):
        return  # a loop's business
    _refuse_effects(spot, both)
    if leaves(both, ast.Raise):
        return  # `raising`
    chain = _chain(spot, node)
    if chain is not None and harmless([node, *chain.follows]):
        yield chain.step()
    if leaves(both, ast.Return):
        if any(isinstance(a, ast.For | ast.While) for a in _inside_function(spot, node)):
            return  # a loop's business
        yield from _ordered(_Returning(spot, node).steps())
    else:
        yield from _ordered(_Assigning(spot, node).steps())


@dataclass
class _Chain:
    """`if … elif … else` (or early returns in a row) of single values: one choice, the first true test decides.

    Attributes:
        tests: the tests, in order.
        values: for each test, {target: text}, or {"": node} for returned values; the last entry is the default.
        follows: later statements that belong to the chain (early returns).
    """

    spot: Spot
    node: ast.If
    tests: list[ast.expr]
    assigned: list[dict[str, str]]
    returned: list[ast.expr]
    follows: list[ast.stmt]

    def step(self) -> Step:
        code, indent = self.spot.code, self.spot.code.indent(self.node)
        region = (code.region([self.node])[0], code.region([(self.follows or [self.node])[-1]])[1])
        if self.returned:
            several = isinstance(self.returned[-1], ast.Tuple | ast.Dict)
            lines, tests = self._tests(several)
            text = f"{lines}{indent}return {self._merged(tests, self.returned)}\n"
        else:
            outputs = list(dict.fromkeys(name for values in self.assigned for name in values))
            lines, tests = self._tests(len(outputs) > 1)
            values = [self._chosen(tests, [v.get(name, name) for v in self.assigned]) for name in outputs]
            if _independent(outputs, values):
                text = lines + "".join(f"{indent}{o} = {v}\n" for o, v in zip(outputs, values, strict=True))
            else:
                text = f"{lines}{indent}{', '.join(outputs)} = {', '.join(values)}\n"
        pattern = "where" if len(self.tests) < 3 else "select"
        return self.spot.step(pattern, (region, text))

    def _tests(self, several: bool) -> tuple[str, list[str]]:
        code, indent = self.spot.code, self.spot.code.indent(self.node)
        texts = [code.expr(t) for t in self.tests]
        if not several:
            return "", texts
        if len(texts) > 2:
            name = code.fresh("tests", "conditions")
            return f"{indent}{name} = [{', '.join(texts)}]\n", [f"*{name}"]
        names = [code.fresh("first", "first_test"), code.fresh("second", "second_test")]
        return "".join(f"{indent}{n} = {t}\n" for n, t in zip(names, texts, strict=True)), names

    def _merged(self, tests: list[str], nodes: list[ast.expr]) -> str:
        code = self.spot.code
        if all(isinstance(n, ast.Tuple) for n in nodes):
            parts = [n.elts for n in nodes if isinstance(n, ast.Tuple)]
            if len({len(p) for p in parts}) == 1:
                items = [self._merged(tests, [p[k] for p in parts]) for k in range(len(parts[0]))]
                return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        texts = [code.expr(n) for n in nodes]
        return texts[0] if len(set(texts)) == 1 and isinstance(nodes[0], ast.Name) else self._chosen(tests, texts)

    def _chosen(self, tests: list[str], values: list[str]) -> str:
        if len(self.tests) > 2:
            listed = tests[0][1:] if tests[0].startswith("*") else f"[{', '.join(tests)}]"
            return f"{self.spot.jnp('select')}({listed}, [{', '.join(values[:-1])}], {values[-1]})"
        where = self.spot.jnp("where")
        return f"{where}({tests[0]}, {values[0]}, {where}({tests[1]}, {values[1]}, {values[2]}))"


def _independent(targets: Sequence[str], values: Sequence[str]) -> bool:
    """Whether no value reads what an assignment before it wrote, so that each may have its line."""
    return not any(_reads(values[k], name) for k in range(len(values)) for name in targets[:k])


def _reads(value: str, target: str) -> bool:
    """Whether an expression reads a variable, or an item ("a['k']") of a container with constant keys."""
    tree = ast.parse(value, mode="eval")
    items = {
        n.value: ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant)
    }
    wanted = ast.unparse(ast.parse(target, mode="eval"))
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == _base(target)]
    return any("[" not in target or items.get(n, wanted).startswith(wanted) for n in names)


def _chain(spot: Spot, node: ast.If) -> _Chain | None:
    """The chain that starts at `node`, if it has at least two tests and every arm is one value."""
    tests: list[ast.expr] = []
    arms: list[list[ast.stmt]] = []
    follows: list[ast.stmt] = []
    at = node
    block = spot.code.block(node)
    rest = block[block.index(node) + 1 :]
    returning = isinstance(node.body[-1], ast.Return)
    while True:
        tests.append(at.test)
        arms.append(at.body)
        if len(at.orelse) == 1 and isinstance(at.orelse[0], ast.If):
            at = at.orelse[0]
        elif at.orelse:
            arms.append(at.orelse)
            break
        elif returning and rest and isinstance(rest[0], ast.If):
            at = rest[0]
            follows.append(rest.pop(0))
        elif returning and rest and isinstance(rest[0], ast.Return):
            arms.append([rest[0]])
            follows.append(rest.pop(0))
            break
        elif not returning:
            arms.append([])
            break
        else:
            return None
    if len(tests) < 2:
        return None
    if returning:
        values = [arm[0].value for arm in arms if len(arm) == 1 and isinstance(arm[0], ast.Return) and arm[0].value is not None]
        if len(values) != len(arms):
            return None
        return _Chain(spot, node, tests, [], values, follows)
    assigning = _Assigning(spot, node)
    simple = [assigning._simple(arm) for arm in arms]
    if any(s is None or any("[" in name for name in s) for s in simple) or assigning.items:
        return None
    found = [{k: v for k, v in (s or {}).items() if k in assigning.outputs} for s in simple]
    names = {name for s in found for name in s}
    if not names or any(name not in s and not spot.defined(name) for name in names for s in found):
        return None
    return _Chain(spot, node, tests, found, [], follows)


def _ordered(steps: Iterator[tuple[int, Step]]) -> Iterator[Step]:
    yield from (step for _, step in sorted(steps, key=lambda pair: pair[0]))


def _inside_function(spot: Spot, node: ast.AST) -> Iterator[ast.AST]:
    for at in spot.code.ancestors(node):
        if isinstance(at, SCOPES):
            return
        yield at


def _expanded_elif(spot: Spot, node: ast.If) -> Step:
    code = spot.code
    indent = code.indent(node)
    start, end = code.region([node])
    text = f"{indent}else:\n" + code.block_text([node], indent + "    ")
    return spot.step("else", ((start, end), text))


def _refuse_effects(spot: Spot, stmts: Sequence[ast.stmt]) -> None:
    """Raise Obstacle for what must happen on one side only and no choice of values can express."""
    for node in walk_scope(stmts):
        if isinstance(
            node, ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal | ast.Delete | ast.With | ast.Try
        ):
            raise Obstacle(f"`{type(node).__name__.lower()}` inside a branch on a traced value cannot be chosen at run time")
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            raise Obstacle(
                f"one branch writes {spot.code.src(node)}, a side effect that lax.cond and jnp.where would always do"
            )
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not is_message(spot, node.value):
            called = node.value.func
            if isinstance(called, ast.Attribute) and called.attr in ("append", "extend", "insert"):
                raise Obstacle(f"how often `{spot.code.src(called)}` runs depends on data, and the length of a list cannot")
            raise Obstacle(
                f"one branch calls {spot.code.src(node.value.func)} for its effect, which would happen on both sides"
            )


def _prints(spot: Spot, stmts: Sequence[ast.stmt]) -> bool:
    return any(isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) for n in walk_scope(stmts))


# -- assignments ---------------------------------------------------------------------------------------


class _Assigning:
    """An `if` that assigns and does not leave."""

    def __init__(self, spot: Spot, node: ast.If) -> None:
        self.spot, self.code, self.node = spot, spot.code, node
        self.test = self.code.expr(node.test)
        self.indent = self.code.indent(node)
        self.left, self.right = node.body, node.orelse
        live = self.code.live_after(node)
        self.items = list(dict.fromkeys([*self._containers(self.left), *self._containers(self.right)]))
        self.names = list(dict.fromkeys([*stored(self.left), *stored(self.right), *self.items]))
        self.outputs = [name for name in self.names if name in live or name in self.items]
        self.subscripts = [
            n
            for n in walk_scope([*self.left, *self.right])
            if isinstance(n, ast.Subscript | ast.Attribute) and isinstance(n.ctx, ast.Store)
        ]

    def _containers(self, stmts: Sequence[ast.stmt]) -> list[str]:
        """Local dicts and lists of which the statements set items."""
        found = []
        for node in walk_scope(stmts):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                root: ast.expr = node
                while isinstance(root, ast.Subscript):
                    root = root.value
                if isinstance(root, ast.Name) and isinstance(self.spot.locals.get(root.id), dict | list):
                    found.append(root.id)
        return found

    def steps(self) -> Iterator[tuple[int, Step]]:
        printing = _prints(self.spot, [*self.left, *self.right])
        if not self.outputs and not self.subscripts and not printing:
            self.risky = False
            yield 0, self._step("if", self._left_out())
            return
        cheap = harmless([*self.left, *self.right]) and not printing
        self.risky = not cheap
        where = 0 if cheap else 2
        if not printing:
            text = self._inline()
            if text is not None:
                yield where, self._step("where", text)
            elif not self.subscripts:
                yield where, self._step("where", self._hoisted())
        if len(self.items) == len({code_root(n) for n in self.subscripts}):
            text = self._cond()
            if text is not None:
                yield 1, self._step("cond", text)
            if not printing and self.outputs and not self.subscripts:
                yield 3, self._step("where", self._hoisted(tree=True))

    def _step(self, pattern: str, text: str) -> Step:
        return self.spot.step(pattern, (self.code.region([self.node]), text), risky=self.risky and pattern == "where")

    def _left_out(self) -> str:
        """Neither side changes anything that is used later: what of it is read is the name that the test binds."""
        if any(isinstance(n, ast.NamedExpr) for n in ast.walk(self.node.test)):
            return f"{self.indent}{self.test}\n"
        return f"{self.indent}pass\n" if len(self.code.block(self.node)) == 1 else ""

    def _inline(self) -> str | None:
        left, right = self._simple(self.left), self._simple(self.right)
        if left is None or right is None:
            return None
        outputs = [t for t in dict.fromkeys([*left, *right]) if t in self.outputs or "[" in t]
        if not outputs:
            return None
        values = []
        for target in outputs:
            if (target in left) == (target in right) or self._has_value(target):
                a, b = left.get(target, target), right.get(target, target)
                values.append(f"{self.spot.jnp('where')}(TEST, {a}, {b})")
            else:  # plain Python would fail where it is missing: any value will do there
                values.append(left.get(target) or right[target])
        lines, test = "", self.test
        uses = sum("TEST" in value for value in values)
        if uses > 1 and not isinstance(self.node.test, ast.Name):
            test = self.code.fresh("pred", "chosen")
            lines = f"{self.indent}{test} = {self.test}\n"
        values = [value.replace("TEST", test) for value in values]
        if not _independent(outputs, values):
            return f"{lines}{self.indent}{', '.join(outputs)} = {', '.join(values)}\n"
        return lines + "".join(f"{self.indent}{t} = {v}\n" for t, v in zip(outputs, values, strict=True))

    def _has_value(self, target: str) -> bool:
        return "[" in target or self.spot.defined(target)

    def _simple(self, stmts: Sequence[ast.stmt]) -> dict[str, str] | None:
        """{target: value} if the statements are assignments of which none reads what an earlier one wrote; else None."""
        found: dict[str, str] = {}
        for stmt in stmts:
            pairs: list[tuple[ast.expr, str, ast.expr]] = []
            if isinstance(stmt, ast.Pass):
                continue
            if isinstance(stmt, ast.Assign) and len(stmt.targets) == 1:
                target, value = stmt.targets[0], stmt.value
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
                    pairs = [(t, self.code.expr(v), v) for t, v in zip(target.elts, value.elts, strict=True)]
                else:
                    pairs = [(target, self.code.expr(value), value)]
            elif isinstance(stmt, ast.AnnAssign) and stmt.value is not None:
                pairs = [(stmt.target, self.code.expr(stmt.value), stmt.value)]
            elif isinstance(stmt, ast.AugAssign):
                left, right = self.code.src(stmt.target), self.code.operand(stmt.value)
                pairs = [(stmt.target, f"{left} {_OPERATORS[type(stmt.op)]} {right}", stmt.value)]
                if _base(left) in map(_base, found):
                    return None
            else:
                return None
            if any(_base(name) in loaded([v]) for name in found for _, _, v in pairs):
                return None
            for target, text, _ in pairs:
                if isinstance(target, ast.Subscript):
                    if not self._settable(target):
                        return None
                elif not isinstance(target, ast.Name):
                    return None
                if self.code.src(target) in found:
                    return None
                found[self.code.src(target)] = text
        return found

    def _settable(self, target: ast.Subscript) -> bool:
        """An item of a dict or list, which holds a value already (so that the old one can stay)."""
        owner = self.spot.value(target.value)
        return isinstance(owner, dict | list) and isinstance(target.slice, ast.Constant) and _has(owner, target.slice.value)

    def _hoisted(self, tree: bool = False) -> str:
        """Both sides are computed under their own names, then chosen."""
        code, spot = self.code, self.spot
        left_names, right_names = set(stored(self.left)), set(stored(self.right))
        test, lines = self.test, ""
        if not isinstance(self.node.test, ast.Name) or self.node.test.id in left_names | right_names:
            test = code.fresh("pred", "chosen")
            lines = f"{self.indent}{test} = {self.test}\n"
        needed_right = read_first(self.right)
        rename_left = {n for n in left_names if (n in self.outputs and self._both(n)) or n in needed_right}
        rename_right = {n for n in right_names if n in self.outputs and n not in left_names and spot.defined(n)}
        new_left = {n: code.fresh(f"{n}_then", f"{n}_if_true") for n in self.names if n in rename_left}
        new_right = {n: code.fresh(f"{n}_else", f"{n}_if_false") for n in self.names if n in rename_right}
        lines += self._renamed_block(self.left, new_left) + self._renamed_block(self.right, new_right)
        for name in self.outputs:
            if not self._both(name):
                continue
            a, b = new_left.get(name, name), new_right.get(name, name)
            if tree:
                lines += (
                    f"{self.indent}{name} = {spot.jax('tree.map')}(lambda a, b: {spot.jnp('where')}({test}, a, b), {a}, {b})\n"
                )
            else:
                lines += f"{self.indent}{name} = {spot.jnp('where')}({test}, {a}, {b})\n"
        return lines

    def _both(self, name: str) -> bool:
        """Whether the name has a value on both sides."""
        return self.spot.defined(name) or (name in stored(self.left) and name in stored(self.right))

    def _renamed_block(self, stmts: Sequence[ast.stmt], new: dict[str, str]) -> str:
        return renamed_block(self.spot, stmts, self.indent, new)

    def _cond(self) -> str | None:
        """`outputs = lax.cond(test, true_branch, false_branch, inputs)`."""
        if not all(self._both(name) for name in self.outputs):
            return None
        code, indent = self.code, self.indent
        inputs = sorted(
            {n for stmts in (self.left, self.right) for n in stored(stmts) if n in read_first(stmts)}
            | {n for n in self.outputs for s in (self.left, self.right) if n not in surely_written(s)}
            | set(self.items),
            key=self.names.index,
        )
        result = ", ".join(self.outputs) if self.outputs else "None"
        simple = [self._simple(stmts) for stmts in (self.left, self.right)]
        parameters = ", ".join(inputs)
        functions, defs = [], ""
        for stmts, pairs, wanted in ((self.left, simple[0], "true_branch"), (self.right, simple[1], "false_branch")):
            if pairs is not None and len(self.outputs) == 1 and set(pairs) <= set(self.outputs) and not self.items:
                functions.append(f"lambda {parameters}: {pairs.get(result, result)}".replace("lambda :", "lambda:"))
                continue
            if not [s for s in stmts if not isinstance(s, ast.Pass)]:
                value = f"({result})" if len(self.outputs) > 1 else result
                functions.append(f"lambda {parameters}: {value}".replace("lambda :", "lambda:"))
                continue
            name = code.fresh(wanted, f"{wanted}_of_{self.outputs[0]}" if self.outputs else wanted)
            inner = indent + "    "
            defs += f"{indent}def {name}({parameters}):\n{code.block_text(stmts, inner, print_edits(self.spot, stmts))}"
            defs += f"{inner}return {result}\n\n"
            functions.append(name)
        call = ", ".join([self.test, *functions, *inputs])
        target = f"{result} = " if self.outputs else ""
        return f"{defs}{indent}{target}{self.spot.lax('cond')}({call})\n"


def renamed_block(spot: Spot, stmts: Sequence[ast.stmt], indent: str, new: dict[str, str]) -> str:
    """The statements with `new` names for what they write; reads before the first write keep the old name."""
    code = spot.code
    edits: list[Edit] = []
    before = ""
    mapped: set[str] = set()
    for name in new:
        old = name in read_first(stmts) or (spot.defined(name) and name not in surely_written(stmts))
        if old and not _straight(stmts, name):
            before += f"{indent}{new[name]} = {name}\n"
            mapped.add(name)
    for stmt in stmts:
        if isinstance(stmt, ast.AugAssign) and isinstance(stmt.target, ast.Name) and stmt.target.id in set(new) - mapped:
            name = stmt.target.id
            a, b = code.span(stmt)
            value = code.edited(*code.span(stmt.value), _name_edits(spot, [stmt.value], {n: new[n] for n in mapped}))
            value = value if code.operand(stmt.value) == code.src(stmt.value) else f"({value})"
            edits.append((a, b, f"{new[name]} = {name} {_OPERATORS[type(stmt.op)]} {value}"))
            mapped.add(name)
            continue
        writes = set(stored([stmt])) & set(new)
        simple = isinstance(stmt, ast.Assign | ast.AnnAssign)
        inside = mapped if simple else mapped | writes
        for node in ast.walk(stmt):
            if isinstance(node, ast.Name) and node.id in new:
                if isinstance(node.ctx, ast.Load) and node.id not in inside:
                    continue
                edits.append((*code.span(node), new[node.id]))
        mapped |= writes
    return before + code.block_text(stmts, indent, edits)


def _name_edits(spot: Spot, nodes: Sequence[ast.AST], new: dict[str, str]) -> list[Edit]:
    found = [n for root in nodes for n in ast.walk(root) if isinstance(n, ast.Name) and n.id in new]
    return [(*spot.code.span(n), new[n.id]) for n in found]


def _straight(stmts: Sequence[ast.stmt], name: str) -> bool:
    """Whether the first statement that writes the name is a plain assignment of this block."""
    first = next(s for s in stmts if name in stored([s]))
    return isinstance(first, ast.Assign | ast.AnnAssign | ast.AugAssign)


def code_root(node: ast.expr) -> str:
    """The name at the root of `a["b"][0].c`, or the text where there is none."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ast.dump(node)


def _base(target: str) -> str:
    return target.split("[")[0]


def _has(owner: dict[object, object] | list[object], key: object) -> bool:
    return key in owner if isinstance(owner, dict) else isinstance(key, int) and -len(owner) <= key < len(owner)


_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
}


# -- returns -------------------------------------------------------------------------------------------


class _Returning:
    """An `if` of which at least one side returns; what follows it belongs to the other side."""

    def __init__(self, spot: Spot, node: ast.If) -> None:
        self.spot, self.code, self.node = spot, spot.code, node
        self.test = self.code.expr(node.test)
        self.indent = self.code.indent(node)
        function = spot.code.function(node)
        if not isinstance(function, ast.FunctionDef):
            raise Obstacle("a branch returns outside of a plain function")
        self.function = function
        for at in _inside_function(spot, node):
            if isinstance(at, ast.With | ast.Try):
                raise Obstacle("a branch on a traced value returns from inside `with` or `try`")
        self.rest, _ = self.code.continuation(node)
        self.here = self.code.block(node)
        self.at_top = self.here is function.body
        for side in (node.body, node.orelse):
            way = side if always_returns(side) else [*side, *self.rest]
            if not always_returns(way):
                raise Obstacle("one way through the function returns nothing")

    def steps(self) -> Iterator[tuple[int, Step]]:
        cheap = harmless([*self.node.body, *self.node.orelse, *self.rest])
        self.risky = not cheap
        where = 0 if cheap else 2
        if not _prints(self.spot, [*self.node.body, *self.node.orelse]):
            text = self._where(tree=False)
            if text is not None:
                yield where, text
            text = self._where(tree=True)
            if text is not None:
                yield 3, text
        yield 1, self._cond()

    def _where(self, tree: bool) -> Step | None:
        """The side that returns is computed first; every return of the other side becomes a choice."""
        code, spot, node = self.code, self.spot, self.node
        left, right, negate = node.body, node.orelse, False
        if not always_returns(left) and always_returns(right):
            left, right, negate = right, left, True
        if not self.at_top and not always_returns(right):
            return None
        if not always_returns(left) or not isinstance(left[-1], ast.Return) or leaves(left[:-1], ast.Return):
            return None
        value = left[-1].value
        if value is None or (_has_comment(code, left) and len(left) == 1):
            return None
        follows = [] if always_returns(right) else self.here[self.here.index(node) + 1 :]
        other = [*right, *follows]
        returns = [r for r in leaves(other, ast.Return) if isinstance(r, ast.Return)]
        if any(r.value is None for r in returns):
            return None
        written = set(stored(other))
        lines, test = "", self.test
        if negate:
            test = f"{spot.jnp('logical_not')}({test})"
        if not isinstance(node.test, ast.Name) or negate or node.test.id in written | set(stored(left)):
            several = len(returns) > 1 or (isinstance(value, ast.Tuple | ast.Dict) and not tree) or not _short(self.test)
            if several or loaded([node.test]) & (written | set(stored(left))) or len(left) > 1:
                name = code.fresh("pred", "chosen")
                lines += f"{self.indent}{name} = {test}\n"
                test = name
        new = {n: code.fresh(f"{n}_then", f"{n}_if_true") for n in stored(left[:-1]) if n in read_first(other)}
        if new:
            lines += renamed_block(spot, left[:-1], self.indent, new)
        elif left[:-1]:
            lines += code.block_text(left[:-1], self.indent)
        result = _Choice(self, value, new, test, tree)
        if loaded([value]) & (written - set(new)) or (len(returns) > 1 and not _short(code.src(value))):
            result.hold(code.fresh("early", "early_result"))
            lines += f"{self.indent}{result.held} = {result.text(value)}\n"
        edits = [(*code.span(r.value), result.merged(r.value)) for r in returns if r.value is not None]
        body = code.block_text(right, self.indent, edits) if right else ""
        end = code.region([node])[1] if follows else code.region(self.here[self.here.index(node) :])[1]
        region = (code.region([node])[0], end)
        outside = [((a, b), text) for a, b, text in edits if a >= region[1]]
        return spot.step("where", (region, lines + body), *outside, risky=self.risky)

    def _cond(self) -> Step:
        code, spot, node = self.code, self.spot, self.node
        left = node.body if always_returns(node.body) else [*node.body, *self.rest]
        right = node.orelse if always_returns(node.orelse) else [*node.orelse, *self.rest]
        inputs = [n for side in (left, right) for n in stored(side) if n in read_first(side)]
        inputs = list(dict.fromkeys(inputs))
        parameters = ", ".join(inputs)
        inner = self.indent + "    "
        functions, defs = [], ""
        for way, wanted in ((self._way(node.body), "true_branch"), (self._way(node.orelse), "false_branch")):
            stmts = [s for part in way for s in part]
            only = stmts[0] if len(stmts) == 1 else None
            if isinstance(only, ast.Return) and only.value is not None and not _has_comment(code, [only]):
                functions.append(f"lambda {parameters}: {code.expr(only.value)}".replace("lambda :", "lambda:"))
                continue
            name = code.fresh(wanted, wanted + "_2")
            text = "".join(code.block_text(part, inner, print_edits(spot, part)) for part in way)
            defs += f"{self.indent}def {name}({parameters}):\n{text}\n"
            functions.append(name)
        call = ", ".join([self.test, *functions, *inputs])
        text = f"{defs}{self.indent}return {spot.lax('cond')}({call})\n"
        last = self.here[-1]
        region = (code.region([node])[0], code.region([last])[1])
        return spot.step("cond", (region, text))

    def _way(self, side: Sequence[ast.stmt]) -> list[Sequence[ast.stmt]]:
        """The blocks run on this side, each in its own indentation, up to the return."""
        parts: list[Sequence[ast.stmt]] = [side] if side else []
        if always_returns(side):
            return parts
        at: ast.AST = self.node
        while isinstance(at, ast.stmt) and at is not self.function:
            stmts = self.code.block(at)
            after = stmts[stmts.index(at) + 1 :]
            if after:
                parts.append(after)
            if always_returns(after):
                break
            at = self.code.parents[at]
        return parts


class _Choice:
    """One side's returned value against another's, item by item where both are displays of the same form."""

    def __init__(self, owner: _Returning, value: ast.expr, new: dict[str, str], test: str, tree: bool) -> None:
        self.code, self.spot = owner.code, owner.spot
        self.value, self.new, self.test, self.tree = value, new, test, tree
        self.held = ""

    def hold(self, name: str) -> None:
        self.held = name

    def text(self, node: ast.expr) -> str:
        text = self.code.edited(*self.code.span(node), _name_edits(self.spot, [node], self.new))
        return text if self.code.expr(node) == self.code.src(node) else f"({text})"

    def merged(self, other: ast.expr) -> str:
        if self.held:
            if isinstance(self.value, ast.Tuple) and isinstance(other, ast.Tuple) and len(self.value.elts) == len(other.elts):
                items = [self._choose(f"{self.held}[{k}]", self.code.expr(o)) for k, o in enumerate(other.elts)]
                return "(" + ", ".join(items) + ("," if len(items) == 1 else "") + ")"
            return self._choose(self.held, self.code.expr(other))
        return self._merge(self.value, other)

    def _merge(self, a: ast.expr, b: ast.expr) -> str:
        if self.text(a) == self.code.src(b) and not isinstance(a, ast.Constant):
            return self.code.expr(b)
        if not self.tree:
            if isinstance(a, ast.Tuple) and isinstance(b, ast.Tuple) and len(a.elts) == len(b.elts):
                items = ", ".join(self._merge(x, y) for x, y in zip(a.elts, b.elts, strict=True))
                return f"({items}{',' if len(a.elts) == 1 else ''})"
            if isinstance(a, ast.Dict) and isinstance(b, ast.Dict) and all(a.keys) and all(b.keys):
                left = {self.code.src(k): v for k, v in zip(a.keys, a.values, strict=True) if k}
                right = {self.code.src(k): v for k, v in zip(b.keys, b.values, strict=True) if k}
                if left.keys() == right.keys():
                    return "{" + ", ".join(f"{k}: {self._merge(left[k], v)}" for k, v in right.items()) + "}"
            if self._same_constructor(a, b):
                assert isinstance(a, ast.Call) and isinstance(b, ast.Call)
                items_ = [self._merge(x, y) for x, y in zip(a.args, b.args, strict=True)]
                given = {k.arg: k.value for k in a.keywords}
                items_ += [f"{k.arg}={self._merge(given[k.arg], k.value)}" for k in b.keywords]
                return f"{self.code.src(b.func)}({', '.join(items_)})"
        return self._choose(self.text(a), self.code.expr(b))

    def _same_constructor(self, a: ast.expr, b: ast.expr) -> bool:
        return (
            isinstance(a, ast.Call)
            and isinstance(b, ast.Call)
            and self.code.src(a.func) == self.code.src(b.func)
            and isinstance(self.spot.value(b.func), type)
            and len(a.args) == len(b.args)
            and {k.arg for k in a.keywords} == {k.arg for k in b.keywords}
            and None not in {k.arg for k in a.keywords}
            and not any(isinstance(x, ast.Starred) for x in (*a.args, *b.args))
        )

    def _choose(self, a: str, b: str) -> str:
        where = self.spot.jnp("where")
        if self.tree:
            return f"{self.spot.jax('tree.map')}(lambda a, b: {where}({self.test}, a, b), {a}, {b})"
        return f"{where}({self.test}, {a}, {b})"


def _short(text: str) -> bool:
    return len(text) <= 40 and "\n" not in text


def _has_comment(code: Code, stmts: Sequence[ast.stmt]) -> bool:
    """Whether a comment stands on a line of its own among the statements."""
    text = code.text[slice(*code.region(stmts, comments=True))] if code.on_own_lines(stmts) else ""
    return any(line.lstrip().startswith("#") for line in text.splitlines())


RULES: list[Rule] = [ternary, statement]
__all__ = ["RULES", "harmless", "renamed_block", "target_names"]
