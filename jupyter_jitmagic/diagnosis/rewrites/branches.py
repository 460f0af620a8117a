"""`if`, ternary, early return: `jnp.where` where both sides may be evaluated, `lax.cond` where one must not be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.assigning import Assigning
from jupyter_jitmagic.diagnosis.rewrites.effects import (
    inside_function,
    refuse_changed_arguments,
    refuse_effects,
    refuse_effects_behind,
    refuse_skipped_effects,
)
from jupyter_jitmagic.diagnosis.rewrites.falling_off import number_for_none, with_a_number, with_an_end
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.naming import independent
from jupyter_jitmagic.diagnosis.rewrites.own_conditions import raised_by_data
from jupyter_jitmagic.diagnosis.rewrites.returning import Returning, ReturnsNothing
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.singles import is_single
from jupyter_jitmagic.source.code import leaves


def ternary(spot: Spot) -> Iterator[Step]:
    """`a if test else b` → `jnp.where(test, a, b)` or `lax.cond(test, lambda: a, lambda: b)`."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.IfExp):
        return
    code, node = spot.code, asked[1]
    refuse_skipped_effects(spot, [node.body, node.orelse])
    yield from number_for_none(spot, node)
    test, a, b = (code.expr(n) for n in (node.test, node.body, node.orelse))
    cheap = harmless([node.body, node.orelse])
    place = code.with_parentheses(node)
    where = spot.step("where", (place, f"{spot.jnp('where')}({test}, {a}, {b})"), risky=not cheap)
    cond = spot.step("cond", (place, f"{spot.lax('cond')}({test}, lambda: {a}, lambda: {b})"))
    yield from (where, cond) if cheap else (cond, where)
    if not (is_single(spot, node.body) or is_single(spot, node.orelse)):
        yield spot.step("where", (place, f"{spot.jax('tree.map')}({spot.leaf_by_leaf(test)}, {a}, {b})"), risky=not cheap)


def statement(spot: Spot) -> Iterator[Step]:
    """`if` with assignments → `name = jnp.where(…)` or `lax.cond`; with returns → one `return` of a choice."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If):
        return
    code, node = spot.code, asked[1]
    if code.is_elif(node):
        yield expanded_elif(spot, node)
        return
    both = [*node.body, *node.orelse]
    if leaves(both, (ast.Break, ast.Continue)):
        return  # a loop's business
    refuse_effects(spot, node.body)
    refuse_effects(spot, node.orelse)
    if raised_by_data(spot, both):
        return  # `raising`
    chain = _chain(spot, node)
    if chain is not None and harmless([node, *chain.follows]):
        yield chain.step()
    if leaves(both, ast.Return):
        if any(isinstance(a, ast.For | ast.While) for a in inside_function(spot, node)):
            return  # a loop's business
        try:
            returning = Returning(spot, node)
        except ReturnsNothing:
            function = spot.function
            steps = list(with_an_end(spot, function)) if isinstance(function, ast.FunctionDef) else []
            if not steps:
                raise
            yield from steps
            return
        yield from with_a_number(spot, returning.function, [*both, *returning.rest])
        refuse_effects_behind(spot, returning.rest)
        refuse_changed_arguments(spot, [*both, *returning.rest])
        yield from _ordered(returning.steps())
    else:
        yield from _ordered(Assigning(spot, node).steps())


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
            if independent(outputs, values):
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
        where, (first, second, default) = self.spot.jnp("where"), values
        other = default if second == default else f"{where}({tests[1]}, {second}, {default})"
        return default if first == other else f"{where}({tests[0]}, {first}, {other})"


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
    assigning = Assigning(spot, node)
    simple = [assigning._simple(arm) for arm in arms]
    if any(s is None or any("[" in name for name in s) for s in simple) or assigning.items:
        return None
    if any(isinstance(s, ast.Assign) and isinstance(s.value, _SEVERAL) and _is_one(s.targets) for arm in arms for s in arm):
        return None  # a name for several values at once, of which `jnp.where` chooses none
    found = [{k: v for k, v in (s or {}).items() if k in assigning.outputs} for s in simple]
    names = {name for s in found for name in s}
    if not names or any(name not in s and not spot.defined(name) for name in names for s in found):
        return None
    return _Chain(spot, node, tests, found, [], follows)


_SEVERAL = (ast.Tuple, ast.List, ast.Dict)


def _is_one(targets: list[ast.expr]) -> bool:
    return any(isinstance(target, ast.Name) for target in targets)


def _ordered(steps: Iterator[tuple[int, Step]]) -> Iterator[Step]:
    yield from (step for _, step in sorted(steps, key=lambda pair: pair[0]))


def expanded_elif(spot: Spot, node: ast.If) -> Step:
    code = spot.code
    indent = code.indent(node)
    start, end = code.region([node])
    text = f"{indent}else:\n" + code.block_text([node], indent + "    ")
    return spot.step("else", ((start, end), text))


RULES: list[Rule] = [ternary, statement]
