"""An `if` that returns: one `return` of a choice."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.effects import inside_function, prints
from jupyter_jitmagic.diagnosis.rewrites.elements import is_array
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless, may_have_no_end
from jupyter_jitmagic.diagnosis.rewrites.naming import name_edits, renamed_block
from jupyter_jitmagic.diagnosis.rewrites.printing import print_edits
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.singles import is_single
from jupyter_jitmagic.source.code import Code, always_returns, leaves
from jupyter_jitmagic.source.names import loaded, read_first, shared, stored, walk_scope


class ReturnsNothing(Obstacle):
    """One way through the function ends without a return."""


class Returning:
    """An `if` of which at least one side returns; what follows it belongs to the other side."""

    def __init__(self, spot: Spot, node: ast.If) -> None:
        self.spot, self.code, self.node = spot, spot.code, node
        self.test = self.code.expr(node.test)
        self.indent = self.code.indent(node)
        function = spot.code.function(node)
        if not isinstance(function, ast.FunctionDef):
            raise Obstacle("a branch returns outside of a plain function")
        self.function = function
        for at in inside_function(spot, node):
            if isinstance(at, ast.With | ast.Try):
                raise Obstacle("a branch on a traced value returns from inside `with` or `try`")
        self.rest, _ = self.code.continuation(node)
        both = [*node.body, *node.orelse, *self.rest]
        self.written = shared(function.body) & set(stored(both))
        self.here = self.code.block(node)
        self.at_top = self.here is function.body
        for side in (node.body, node.orelse):
            way = side if always_returns(side) else [*side, *self.rest]
            if not always_returns(way):
                raise ReturnsNothing("one way through the function returns nothing")

    def steps(self) -> Iterator[tuple[int, Step]]:
        if self.written:
            yield 0, self._one_end()
            return
        cheap = harmless([*self.node.body, *self.node.orelse, *self.rest])
        self.risky = not cheap
        where = 0 if cheap else 2
        every = [*self.node.body, *self.node.orelse, *self.rest]
        if not (prints(self.spot, every) or leaves(every, ast.Raise) or may_have_no_end(every)):  # those are of one side alone
            text = None if self._returns_a_record(every) else self._where(tree=False)
            if text is not None:
                yield where, text
            values = [each.value for each in leaves(every, ast.Return) if isinstance(each, ast.Return)]
            known = [value for value in values if value is not None and not loaded([value]) & set(stored(every))]
            single = any(is_single(self.spot, value) for value in known)
            text = None if single else self._where(tree=True)
            if text is not None:
                yield 3, text
        yield 1, self._cond()
        if apart := self._told_apart():
            yield 4, apart

    def _told_apart(self) -> Step | None:
        """`if test: print(…); return a` → the message under an `if` of its own: `cond` may not take what is returned."""
        code, node, inner = self.code, self.node, self.indent + "    "
        told = list(itertools.takewhile(lambda each: prints(self.spot, [each]), node.body))
        if not told or node.orelse or len(told) == len(node.body):
            return None
        test, line = code.fresh("pred", "chosen"), ""
        if isinstance(node.test, ast.Compare | ast.Call):
            line = f"{self.indent}{test} = {code.src(node.test)}\n"
        else:
            test = code.src(node.test)
        parts = (f"{self.indent}if {test}:\n{code.block_text(part, inner)}" for part in (told, node.body[len(told) :]))
        return self.spot.step("if", (code.region([node]), line + "".join(parts)))

    def _returns_a_record(self, statements: Sequence[ast.stmt]) -> bool:
        """Whether a variable that is returned is a tuple or a dict, which is no operand of `jnp.where`."""
        returned = [each.value for each in leaves(statements, ast.Return) if isinstance(each, ast.Return)]
        held = [self.spot.locals.get(value.id) for value in returned if isinstance(value, ast.Name)]
        return any(isinstance(each, tuple | dict) for each in held)

    def _one_end(self) -> Step:
        """All ways set what is returned: what one of them writes of the function around this one is chosen as well then."""
        code, inner = self.code, self.indent + "    "
        result = code.fresh("result", f"{self.function.name}_result")
        left = self._setting(result, self.node.body, inner)
        right = self._setting(result, [*self.node.orelse, *self.rest], inner)
        if not self.at_top or not left or not right:
            raise Obstacle(
                f"one way through {self.function.name} writes {min(self.written)} of the function around it, and returns"
            )
        text = f"{self.indent}if {self.test}:\n{left}{self.indent}else:\n{right}{self.indent}return {result}\n"
        return self.spot.step("else", (code.region(self.here[self.here.index(self.node) :]), text))

    def _setting(self, result: str, way: Sequence[ast.stmt], indent: str) -> str:
        """The lines of a way with `result = v` in the place of `return v`, and an `else` for what follows an `if` that returns;
        "" where it returns otherwise."""
        code, first = self.code, next((each for each in way if leaves([each], ast.Return)), None)
        if first is None:
            return ""
        place = way.index(first)
        before, behind = way[:place], way[place + 1 :]
        lines = code.block_text(before, indent) if before else ""
        match first:
            case ast.Return(value=ast.expr() as value):
                return f"{lines}{indent}{result} = {code.src(value)}\n"
            case ast.If(test=test, body=body, orelse=orelse) if always_returns(body) and (orelse or behind):
                sides = [self._setting(result, side, indent + "    ") for side in (body, [*orelse, *behind])]
                if all(sides):
                    return f"{lines}{indent}if {code.src(test)}:\n{sides[0]}{indent}else:\n{sides[1]}"
        return ""

    def _where(self, tree: bool) -> Step | None:
        """The side that returns is computed first; every return of the other side becomes a choice."""
        code, spot, node = self.code, self.spot, self.node
        left, right, negate = node.body, node.orelse, False
        if not always_returns(left) and always_returns(right):
            left, right, negate = right, left, True
        if not self.at_top and not always_returns(right):
            return self._where_above(tree)
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
            flags = len(returns) == 1 and _are_flags(spot, node, value, returns[0].value)
            several = len(returns) > 1 or (isinstance(value, ast.Tuple | ast.Dict) and not tree)
            several |= not (flags or _short(self.test))
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
        inputs = [n for side in (left, right) for n in stored(side) if n in read_first(side) and self._is_bound_before(n)]
        inputs = list(dict.fromkeys([*inputs, *self._updated_arrays([*left, *right])]))
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

    def _is_bound_before(self, name: str) -> bool:
        """Whether a name may have a value here: what a loop gives its first value in one of its rounds has none before it."""
        a = self.function.args
        given = {each.arg for each in (*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg)))}
        above = [each for each in walk_scope(self.function.body) if isinstance(each, ast.Name) and each.id == name]
        return name in given or any(isinstance(each.ctx, ast.Store) and each.lineno < self.node.lineno for each in above)

    def _where_above(self, tree: bool) -> Step | None:
        """The other side is what is returned above this block, `if a is not None:` / `    if v > a: return a` / `return v`: the
        choice stands in the block."""
        match self.node.body, self.rest:
            case [ast.Return(value=ast.expr() as value)], [ast.Return(value=ast.expr() as other)] if self.here[-1] is self.node:
                pass
            case _:
                return None
        lines, test = "", self.test
        if isinstance(value, ast.Tuple | ast.Dict) and not tree and not isinstance(self.node.test, ast.Name):
            test = self.code.fresh("pred", "chosen")
            lines = f"{self.indent}{test} = {self.test}\n"
        lines += f"{self.indent}return {_Choice(self, value, {}, test, tree).merged(other)}\n"
        return self.spot.step("where", (self.code.region([self.node]), lines), risky=self.risky)

    def _updated_arrays(self, statements: Sequence[ast.stmt]) -> Iterator[str]:
        """Those of which items are set there, `x[i] = v`: each side has to give a new one."""
        for node in walk_scope(statements):
            match node:
                case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()) if is_array(self.spot, name):
                    yield name

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

    def __init__(self, owner: Returning, value: ast.expr, new: dict[str, str], test: str, tree: bool) -> None:
        self.code, self.spot, self.node = owner.code, owner.spot, owner.node
        self.value, self.new, self.test, self.tree = value, new, test, tree
        self.held = ""

    def hold(self, name: str) -> None:
        self.held = name

    def text(self, node: ast.expr) -> str:
        text = self.code.edited(*self.code.span(node), name_edits(self.spot, [node], self.new))
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
        if _are_flags(self.spot, self.node, a, b):
            return self.test if self.code.src(a) == "True" else f"{self.spot.jnp('logical_not')}({self.test})"
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
            return f"{self.spot.jax('tree.map')}({self.spot.leaf_by_leaf(self.test)}, {a}, {b})"
        return f"{where}({self.test}, {a}, {b})"


def _are_flags(spot: Spot, node: ast.If, a: ast.expr, b: ast.expr | None) -> bool:
    """`if test: return False`, then `return True`: what is returned is the test itself."""
    fact = spot.fact(node.test)
    if fact is None or fact.dtype != "b" or fact.ndim:
        return False
    return {each.value for each in (a, b) if isinstance(each, ast.Constant) and type(each.value) is bool} == {True, False}


def _short(text: str) -> bool:
    return len(text) <= 40 and "\n" not in text


def _has_comment(code: Code, stmts: Sequence[ast.stmt]) -> bool:
    """Whether a comment stands on a line of its own among the statements."""
    text = code.text[slice(*code.region(stmts, comments=True))] if code.on_own_lines(stmts) else ""
    return any(line.lstrip().startswith("#") for line in text.splitlines())
