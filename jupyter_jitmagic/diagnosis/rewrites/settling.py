"""`while hi - lo > 1e-9` ends compiled, too: where a round changes nothing, since single precision never meets the tolerance.

A round goes by what the last one left, so a loop never ends once one of its rounds has changed nothing: none that ends in plain
Python is stopped before.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.loop_exits import EXITS
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.tracking import words_of
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import LiveAt, live_in_loop, loaded, stored, walk_scope

SETTLES = "compiled, its loop ends where a round changes nothing more: single precision never meets so small a tolerance"


def until_nothing_changes(spot: Spot) -> Iterator[Step]:
    """`while test:` → `while changed and test:`, and at the end of a round `changed = x != x_before`."""
    code, loop = spot.code, _loop(spot)
    if loop is None or leaves(loop.body, ast.Continue) or not code.on_own_lines(loop.body) or _acts_on_objects(loop):
        return
    if loaded([loop.test]) - words_of(spot.unit.text):
        return  # it is done
    axes = {name: _axes(spot, loads) for name, loads in _carried(loop).items()}
    if not axes or -1 in axes.values():
        return
    changed = code.fresh("changed", "moving")
    before = {name: code.fresh(f"{name}_before", f"last_{name}") for name in axes}
    tests = [f"{spot.jnp('any')}({n} != {before[n]})" if axes[n] else f"({n} != {before[n]})" for n in axes]
    moves = (
        " | ".join(tests)
        if len(tests) > 1
        else tests[0].removeprefix("(").removesuffix(")")
        if 0 in axes.values()
        else tests[0]
    )
    asked = spot.fact(loop.test)
    both = "&" if asked is not None and asked.dtype == "b" else "and"
    test = changed if isinstance(loop.test, ast.Constant) else f"{changed} {both} {code.operand(loop.test)}"
    indent, inner = code.indent(loop), code.indent(loop.body[0])
    above, first, last = code.region([loop])[0], code.region([loop.body[0]])[0], code.region([loop.body[-1]])[1]
    yield spot.step(
        "while",
        ((above, above), f"{indent}{changed} = True\n"),
        (loop.test, test),
        ((first, first), f"{inner}{', '.join(before.values())} = {', '.join(axes)}\n"),
        ((last, last), f"{inner}{changed} = {moves}\n"),
        note=SETTLES,
    )


def _loop(spot: Spot) -> ast.While | None:
    """The loop whose test, or test of an exit, was asked."""
    asked = spot.asked()
    if asked is None or isinstance(asked[1], ast.While):
        return None if asked is None else asked[1]  # type: ignore[return-value]
    if not isinstance(asked[1], ast.If) or not leaves([*asked[1].body, *asked[1].orelse], EXITS):
        return None
    around = (at for at in spot.code.ancestors(asked[1]) if isinstance(at, ast.While | ast.For | ast.FunctionDef | ast.Lambda))
    loop = next(around, None)
    return loop if isinstance(loop, ast.While) else None


def _acts_on_objects(loop: ast.While) -> bool:
    """Whether a round changes more than names: elements, attributes, or what a call of its own line changes."""
    return any(
        (isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del))
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
        or isinstance(node, ast.Global | ast.Nonlocal)
        for node in walk_scope(loop.body)
    )


def _carried(loop: ast.While) -> dict[str, list[ast.Name]]:
    """The names that a round hands on to the next, each with where it is read; not those of which nothing else is made, as of
    `rounds += 1`."""
    handed_on = live_in_loop(loop, LiveAt(frozenset())) & set(stored(loop.body))
    found: dict[str, list[ast.Name]] = {}
    own = [node for node in walk_scope(loop.body) if isinstance(node, ast.Assign | ast.AugAssign)]
    for name in (name for name in dict.fromkeys(stored(loop.body)) if name in handed_on):
        reads = [
            node for node in ast.walk(loop) if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        ]
        of_itself = {node for each in own if set(stored([each])) == {name} for node in ast.walk(each)}
        if any(node not in of_itself for node in reads):
            found[name] = reads
    return found


def _axes(spot: Spot, reads: list[ast.Name]) -> int:
    """How many axes a name's values have, -1 where that is not known."""
    facts = [fact for fact in map(spot.fact, reads) if fact is not None]
    if not facts or any(fact.sort in ("list", "tuple", "function", "module", "none") for fact in facts):
        return -1
    return facts[0].ndim if all(fact.ndim == facts[0].ndim for fact in facts) else -1


RULES: list[Rule] = [until_nothing_changes]
