"""`while` and `for range(n)` on traced values → `lax.while_loop`, `lax.fori_loop`; `break`, `continue`, `return` → a flag."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites import named_in_tests, none_first
from jupyter_jitmagic.diagnosis.rewrites.best_in_ranges import found_by_a_loop
from jupyter_jitmagic.diagnosis.rewrites.carrying import Carried, Range
from jupyter_jitmagic.diagnosis.rewrites.containers import as_arrays, outermost, read_by_number
from jupyter_jitmagic.diagnosis.rewrites.inlining import in_another_scope
from jupyter_jitmagic.diagnosis.rewrites.loop_exits import EXITS, without_exits
from jupyter_jitmagic.diagnosis.rewrites.loop_raises import behind_the_loop
from jupyter_jitmagic.diagnosis.rewrites.naming import renamed
from jupyter_jitmagic.diagnosis.rewrites.one_answer import one_answer
from jupyter_jitmagic.diagnosis.rewrites.rules import INDEX, NoWay, Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import loaded, stored, target_names


def for_range(spot: Spot) -> Iterator[Step]:
    """`for i in range(n)` with traced n → `lax.fori_loop`."""
    node = spot.node
    if not isinstance(node, ast.Call) or spot.code.src(node.func) != "range" or spot.kind != INDEX:
        return
    loop = spot.code.parents[node]
    if not isinstance(loop, ast.For) or loop.iter is not node:
        yield from list(found_by_a_loop(spot, node)) or _sum_over_range(spot, node)
        return
    steps = list(behind_the_loop(spot, loop)) or list(_with_arrays(spot, loop))
    if steps:
        yield from steps
        return
    if leaves(loop.body, EXITS):
        yield from without_exits(spot, loop)
        return
    steps = list(none_first.flagged(spot, loop))
    yield from steps or Carried(spot, loop, target_names(loop.target)).for_steps(node)


def while_loop(spot: Spot) -> Iterator[Step]:
    """`while test` → `lax.while_loop`."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.While):
        return
    loop = asked[1]
    steps = list(behind_the_loop(spot, loop)) or list(_with_arrays(spot, loop))
    if steps:
        yield from steps
        return
    if named := named_in_tests.that_last(spot, loop):
        yield from named_in_tests.before_a_loop(spot, loop, named)
        return
    if leaves(loop.body, EXITS):
        yield from without_exits(spot, loop)
        return
    steps = list(none_first.flagged(spot, loop))
    yield from steps or Carried(spot, loop, []).while_steps()


def leaving(spot: Spot) -> Iterator[Step]:
    """`if test: break` (or continue, return) in a loop: the loop gets a flag; the `if` loses its exit."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If):
        return
    node = asked[1]
    if not leaves([*node.body, *node.orelse], EXITS):
        return
    loop = next((at for at in _in_function(spot, node) if isinstance(at, ast.For | ast.While)), None)
    if loop is None:
        return
    ends = leaves(loop.body, (ast.Break, ast.Return))
    if ends and isinstance(loop, ast.While) and (named := named_in_tests.that_last(spot, loop)):
        yield from named_in_tests.before_a_loop(spot, loop, named)
        return
    yield from one_answer(spot, loop)
    yield from _with_arrays(spot, loop) if ends else ()
    yield from without_exits(spot, loop)
    yield from () if ends else _with_arrays(spot, loop)


def _with_arrays(spot: Spot, loop: ast.For | ast.While) -> Iterator[Step]:
    """Where the loop fills lists: arrays in their place."""
    try:
        steps = list(as_arrays(spot, loop)) or list(_with_arrays_around(spot, loop))
        names = read_by_number(spot, loop) if not steps and isinstance(loop, ast.While) else []
        yield from as_arrays(spot, outermost(spot, loop), names) if names else steps
    except NoWay:
        raise
    except Obstacle:
        return


def _with_arrays_around(spot: Spot, loop: ast.For | ast.While) -> Iterator[Step]:
    """Where a `while` around the loop fills lists, and goes on by what this one finds: how many rounds it has at most is said
    by the text as it is."""
    around = outermost(spot, loop)
    if isinstance(loop, ast.While) and isinstance(around, ast.While) and around is not loop:
        found = set(stored(loop.body))
        moved = [each for each in around.body if isinstance(each, ast.Assign | ast.AugAssign) and found & loaded([each.value])]
        if found.union(stored(moved)) & loaded([around.test]):
            yield from as_arrays(spot, around)


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
    if isinstance(call, ast.Call) and (
        steps := list(_in_a_loop(spot, node, generator, call)) or list(_first_in_a_loop(spot, generator, call))
    ):
        yield from steps
        return
    if not one or len(generator.generators) != 1 or generator.generators[0].ifs:
        raise Obstacle("the length of a comprehension over range(n) would depend on data")
    assert isinstance(call, ast.Call)
    target = generator.generators[0].target
    bounds = Range(spot, node)
    if not isinstance(target, ast.Name) or bounds.step != 1:
        return
    total = code.fresh("total", "subtotal")
    body = f"lambda {target.id}, {total}: {total} + {code.operand(generator.elt)}"
    yield spot.step("fori_loop", (call, f"{spot.lax('fori_loop')}({bounds.low}, {bounds.high}, {body}, 0)"))


def _first_in_a_loop(spot: Spot, generator: ast.GeneratorExp | ast.ListComp, call: ast.Call) -> Iterator[Step]:
    """`next((f(k) for k in range(a, n) if test), -1)` → a loop before the statement that breaks at the first."""
    code, statement, made = spot.code, spot.code.statement(call), generator.generators[0]
    first = isinstance(call.func, ast.Name) and call.func.id == "next" and spot.is_builtin("next")
    if not first or len(call.args) != 2 or call.args[0] is not generator or len(generator.generators) > 1 or not made.ifs:
        return
    if not isinstance(made.target, ast.Name) or not isinstance(statement, ast.Assign | ast.Return | ast.AugAssign):
        return
    if not code.on_own_lines([statement]) or in_another_scope(code, call, statement):
        return
    within, k = set(ast.walk(generator)), made.target.id
    around = {each.id for each in ast.walk(spot.function or code.tree) if isinstance(each, ast.Name) and each not in within}
    number = code.fresh("place", f"{k}_of_first") if k in around else k  # its own scope ends with it
    indent, found = code.indent(statement), code.fresh("first", "found", "first_found")
    *tests, value = (renamed(spot, each, {k: number}) for each in (*made.ifs, generator.elt))
    test = " and ".join(f"({each})" for each in tests) if len(tests) > 1 else tests[0]
    lines = (
        f"{indent}{found} = {code.expr(call.args[1])}\n{indent}for {number} in {code.src(made.iter)}:\n"
        f"{indent}    if {test}:\n{indent}        {found} = {value}\n{indent}        break\n"
    )
    start = code.region([statement])[0]
    yield spot.step("for", ((start, start), lines), (call, found))


_GATHERED = {"any": ("False", "{held} = {held} or {item}"), "all": ("True", "{held} = {held} and {item}")}
_GATHERED["sum"] = ("0", "{held} += {item}")


def _in_a_loop(spot: Spot, node: ast.Call, generator: ast.GeneratorExp | ast.ListComp, call: ast.Call) -> Iterator[Step]:
    """`max(f(k) for k in range(n))`, `sum(f(k) for k in range(n) if test)` → a loop before the statement."""
    code, statement, loop = spot.code, spot.code.statement(call), generator.generators[0]
    name = call.func.id if isinstance(call.func, ast.Name) and spot.is_builtin(call.func.id) else ""
    if name not in ("max", "min", *_GATHERED) or len(call.args) != 1 or call.keywords or len(generator.generators) > 1:
        return
    if (name == "sum" and not loop.ifs) or not code.on_own_lines([statement]) or in_another_scope(code, call, statement):
        return
    tested = isinstance(statement, ast.If) and not code.is_elif(statement) and call in ast.walk(statement.test)
    plain = isinstance(statement, ast.Assign | ast.Return | ast.AugAssign | ast.Expr)
    if not isinstance(loop.target, ast.Name) or not (tested or plain):
        return
    within = set(ast.walk(generator))
    function = spot.function or code.tree
    if any(isinstance(each, ast.Name) and each.id == loop.target.id and each not in within for each in ast.walk(function)):
        return  # its own scope ends with it
    bounds, indent, k = Range(spot, node), code.indent(statement), loop.target.id
    if bounds.step != 1:
        return
    held = code.fresh("best", "most") if name in ("max", "min") else code.fresh("total", "found", "held")
    item, tests = code.operand(generator.elt), " and ".join(code.operand(test) for test in loop.ifs)
    inner = indent + "    " * (2 if tests else 1)
    head = f"{indent}for {k} in {{}}:\n" + (f"{indent}    if {tests}:\n" if tests else "")
    whole = head.format(code.src(node))
    if name in _GATHERED:
        first, each = _GATHERED[name]
        lines = f"{indent}{held} = {first}\n{whole}{inner}{each.format(held=held, item=item)}\n"
    elif tests:
        value, sign = code.fresh("value", "candidate"), ">" if name == "max" else "<"
        lines = f"{indent}{held} = None\n{whole}{inner}{value} = {item}\n{inner}if {held} is None or {value} {sign} {held}:\n"
        lines += f"{inner}    {held} = {value}\n"
    else:
        rest = head.format(
            f"range({bounds.low_operand} + 1, {bounds.high})" if bounds.low != "0" else f"range(1, {bounds.high})"
        )
        lines = f"{indent}{k} = {bounds.low}\n{indent}{held} = {item}\n{rest}{inner}{held} = {name}({held}, {item})\n"
    start = code.region([statement])[0]
    yield spot.step("loop", ((start, start), lines), (call, held))


def nothing_to_read(spot: Spot) -> Iterator[Step]:
    """`o = rest[k]` in a loop that never runs over an empty `rest = xs[1:]`, and is traced all the same."""
    node, code = spot.node, spot.code
    if not isinstance(node, ast.Subscript) or not isinstance(spot.error, IndexError) or "size 0" not in str(spot.error):
        return
    name = node.value
    if not isinstance(name, ast.Name) or attribute(spot.value(name), "shape", (1,))[0] != 0:
        return
    made = [n.value for n in ast.walk(code.tree) if isinstance(n, ast.Assign) and code.src(n.targets[0]) == name.id]
    if not any(isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Slice) for value in made):
        return
    nothing = f"{spot.jnp('zeros')}({name.id}.shape[1:], {name.id}.dtype)"
    text = f"{code.src(node)} if len({name.id}) else {nothing}"
    alone = isinstance(code.parents[node], ast.Assign)
    yield spot.step("if", (node, text if alone else f"({text})"))


RULES: list[Rule] = [nothing_to_read, for_range, while_loop, leaving]
