"""An `if` that assigns: `name = jnp.where(…)` or `lax.cond`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import jax

from jupyter_jitmagic.diagnosis.rewrites.effects import prints
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless, may_have_no_end
from jupyter_jitmagic.diagnosis.rewrites.loop_exits import known_number
from jupyter_jitmagic.diagnosis.rewrites.naming import OPERATORS, base, code_root, independent, renamed_block
from jupyter_jitmagic.diagnosis.rewrites.own_conditions import compared_with_none
from jupyter_jitmagic.diagnosis.rewrites.printing import print_edits, said_where
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.singles import all_single
from jupyter_jitmagic.source.code import Edit
from jupyter_jitmagic.source.names import loaded, read_first, stored, surely_written, target_names, walk_scope

_LAST = 5  # of the turns in which steps are offered: where both sides are computed, and one may have no end


class Assigning:
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

    def _is_asked_for_none(self, name: str) -> bool:
        """Whether it stays None where the test is false, and somebody asks for that: no array stands for it then."""
        one_side = (name in stored(self.left)) != (name in stored(self.right))
        return (
            one_side
            and self.spot.locals.get(name, ...) is None
            and name in compared_with_none(self.spot.function or self.code.tree)
        )

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
        if any(self._is_asked_for_none(name) for name in self.outputs):
            return
        printing = prints(self.spot, [*self.left, *self.right])
        if not self.outputs and not self.subscripts and not printing:
            self.risky = False
            yield 0, self._step("if", self._left_out())
            return
        cheap = harmless([*self.left, *self.right]) and not printing
        self.risky = not cheap
        least = _LAST if may_have_no_end([*self.left, *self.right]) else 0
        where = max(0 if cheap else 2, least)
        whole = set(self.outputs) - {code_root(n) for n in self.subscripts}
        records = any(isinstance(self.spot.locals.get(name), tuple | dict) for name in whole)
        if not printing and not records:  # `jnp.where` takes arrays
            text = self._inline() or self._in_turn()
            if text is not None:
                yield where, self._step("where", text)
            elif not self.subscripts:
                yield where, self._step("where", self._hoisted())
        if len(self.items) == len({code_root(n) for n in self.subscripts}):
            text = self._cond()
            if text is not None:
                yield 1, self._step("cond", text)
            if not printing and self.outputs and not self.subscripts and not all_single(self.spot, self.outputs):
                yield max(3, least), self._step("where", self._hoisted(tree=True))
        if printing and self.outputs and not self.subscripts:  # both sides are computed, each message told on its own
            edits = [((a, b), text) for a, b, text in print_edits(self.spot, [*self.left, *self.right])]
            if edits:
                yield max(4, least), self.spot.step("debug.print", *edits)
            else:
                yield max(4, least), self._step("where", self._hoisted())

    def _step(self, pattern: str, text: str) -> Step:
        risky = self.risky and pattern == "where"
        return self.spot.step(pattern, (self.code.region([self.node]), text), risky=risky, note=self._of_other_keys())

    def _of_other_keys(self) -> str:
        """What is to be said of items of a dict that the keys of another name: both sides are made, so each has to be there.
        Where the test asks for the same item plain Python needs it as well."""
        named = [n for n in self.subscripts if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Name)]
        asked = {self.code.src(node) for node in ast.walk(self.node.test) if isinstance(node, ast.Subscript)}
        loops = [at for at in self.code.ancestors(self.node) if isinstance(at, ast.For)]
        over = {name: self.code.src(loop.iter) for loop in loops for name in target_names(loop.target)[:1]}
        for place in named:
            key, owner = self.code.src(place.slice), self.code.src(place.value)
            own = over.get(key) in (owner, f"{owner}.items()", f"{owner}.keys()")
            if isinstance(self.spot.held(place.value), dict) and self.code.src(place) not in asked and not own:
                return f"where {key} is no key of {owner} it fails, whether or not it is to be set"
        return ""

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
        if not independent(outputs, values):
            return f"{lines}{self.indent}{', '.join(outputs)} = {', '.join(values)}\n"
        return lines + "".join(f"{self.indent}{t} = {v}\n" for t, v in zip(outputs, values, strict=True))

    def _has_value(self, target: str) -> bool:
        return "[" in target or self._is_held(target)

    def _is_held(self, name: str) -> bool:
        """Whether the name has a value where the statement begins; in a loop None is one, which an earlier round may change."""
        if self.spot.defined(name):
            return True
        in_a_loop = any(isinstance(at, ast.For | ast.While) for at in self.code.ancestors(self.node))
        return in_a_loop and name in self.spot.locals

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
                left, right = self.code.src(stmt.target), self.code.added(stmt)
                pairs = [(stmt.target, f"{left} {OPERATORS[type(stmt.op)]} {right}", stmt.value)]
                if base(left) in map(base, found):
                    return None
            else:
                return None
            if any(base(name) in loaded([v]) for name in found for _, _, v in pairs):
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

    def _in_turn(self) -> str | None:
        """Items of a dict or list, each chosen where it is set: `d["a"] = jnp.where(pred, v, d["a"])`. What is set behind may
        read it: where the test holds it is what the statement sets."""
        if not self.subscripts or not all(isinstance(n, ast.Subscript) and self._settable(n) for n in self.subscripts):
            return None
        pred, where = self.code.fresh("pred", "chosen"), self.spot.jnp("where")
        lines = [f"{pred} = {self.test}"]
        held = {name for name in self.names if self._is_held(name)}
        for stmts, is_left in ((self.left, True), (self.right, False)):
            for stmt in stmts:
                if isinstance(stmt, ast.Pass):
                    continue
                if isinstance(stmt, ast.AugAssign):
                    value = f"{self.code.src(stmt.target)} {OPERATORS[type(stmt.op)]} {self.code.added(stmt)}"
                    target: ast.expr = stmt.target
                elif isinstance(stmt, ast.Assign) and len(stmt.targets) == 1:
                    target, value = stmt.targets[0], self.code.expr(stmt.value)
                else:
                    return None
                if not isinstance(target, ast.Name | ast.Subscript):
                    return None
                text = self.code.src(target)
                chosen = f"{value}, {text}" if is_left else f"{text}, {value}"
                known = isinstance(target, ast.Subscript) or target.id in held
                lines.append(f"{text} = {where}({pred}, {chosen})" if known else f"{text} = {value}")
                held.add(text)
        return "".join(f"{self.indent}{line}\n" for line in lines)

    def _settable(self, target: ast.Subscript) -> bool:
        """An item of a dict or list, which holds a value already (so that the old one can stay)."""
        owner = self.spot.held(target.value)
        if isinstance(owner, list) and (place := known_number(self.spot, target.slice)) is not None:
            return -len(owner) <= place < len(owner) and isinstance(owner[place], bool | int | float | complex | jax.Array)
        if isinstance(owner, dict) and isinstance(target.slice, ast.Name):  # of a loop over its keys
            key = self.spot.value(target.slice)
            return isinstance(key, str | int) and key in owner
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
        rename_right = {n for n in right_names if n in self.outputs and n not in left_names and self._is_held(n)}
        new_left = {n: code.fresh(f"{n}_then", f"{n}_if_true") for n in self.names if n in rename_left}
        new_right = {n: code.fresh(f"{n}_else", f"{n}_if_false") for n in self.names if n in rename_right}
        lines += self._renamed_block(self.left, new_left, said_where(spot, self.left, test, True))
        lines += self._renamed_block(self.right, new_right, said_where(spot, self.right, test, False))
        for name in self.outputs:
            if not self._both(name):
                continue
            a, b = new_left.get(name, name), new_right.get(name, name)
            if tree:
                lines += f"{self.indent}{name} = {spot.jax('tree.map')}({spot.leaf_by_leaf(test)}, {a}, {b})\n"
            else:
                lines += f"{self.indent}{name} = {spot.jnp('where')}({test}, {a}, {b})\n"
        return lines

    def _both(self, name: str) -> bool:
        """Whether the name has a value on both sides."""
        return self._is_held(name) or (name in stored(self.left) and name in stored(self.right))

    def _renamed_block(self, stmts: Sequence[ast.stmt], new: dict[str, str], messages: Sequence[Edit]) -> str:
        return renamed_block(self.spot, stmts, self.indent, new, messages)

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


def _has(owner: dict[object, object] | list[object], key: object) -> bool:
    return key in owner if isinstance(owner, dict) else isinstance(key, int) and -len(owner) <= key < len(owner)
