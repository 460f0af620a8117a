"""A loop that is left in the middle, as one with a flag: `break`, `continue` and `return` become values."""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites.all_rounds import chosen_in_the_end
from jupyter_jitmagic.diagnosis.rewrites.carrying import Range
from jupyter_jitmagic.diagnosis.rewrites.first_values import any_of_its_kind, bound_above, numbers_first, returned_behind
from jupyter_jitmagic.diagnosis.rewrites.numbered import negated
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Spot, Step
from jupyter_jitmagic.source.code import always_returns, leaves
from jupyter_jitmagic.source.names import always_leaves, loaded, stored, target_names, walk_scope

EXITS = (ast.Break, ast.Continue, ast.Return)


@dataclass
class _Flags:
    """Names of what says that the loop was left."""

    done: str
    result: str = ""
    returned: str = ""
    only_returned: bool = False
    """The loop ends by a return alone: before that nobody asks for the result."""


def without_exits(spot: Spot, loop: ast.For | ast.While) -> Iterator[Step]:
    """The same loop without break, continue and return: `while … and not done`, or a `for` whose rounds are skipped."""
    if within := next((each for each in walk_scope(loop.body) if _leaves_more(each)), None):
        yield from without_exits(spot, within)  # its exits stand behind it then
        return
    if isinstance(loop, ast.While) and (leading := _left_at_the_top(loop)):
        yield _asked_in_the_test(spot, loop, leading)
        return
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
        flags.only_returned = isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant) and not breaks
    inner = indent + "    "
    lowered = _Lowering(spot, flags).block(loop.body, inner)
    after, end = _after_loop(spot, loop, flags, returns)
    before = "".join(f"{indent}{flag} = False\n" for flag in dict.fromkeys([flags.done, flags.returned]) if flag) + after[0]
    born = numbers_first(spot, loop, _behind_an_exit(loop), indent)
    region = (code.region([loop])[0], end)
    # what the function returns in the end stands for what is not found yet
    known = returned_behind(spot, loop) if flags.result and f"{indent}{flags.result} = " not in before else ""
    if isinstance(loop, ast.While):
        always = isinstance(loop.test, ast.Constant) and bool(loop.test.value)
        test = f"not {flags.done}" if always else f"not {flags.done} and {code.operand(loop.test)}"
        if not flags.done:
            test = code.expr(loop.test)
        in_a_loop = any(isinstance(at, ast.For | ast.While) for at in itertools.islice(code.ancestors(loop), 1, None))
        ways = (known, "") if in_a_loop else ("", known)  # the loop around it carries on what is not found yet
        for value in ways if known else ("",):
            found = f"{indent}{flags.result} = {value}\n" if value else ""
            yield spot.step("while", (region, f"{born}{before}{found}{indent}while {test}:\n{lowered}{after[1]}"))
        return
    if flags.done and _needs_its_rounds(spot, loop):
        yield _with_rounds_skipped(spot, loop, flags, (before, after[1]), region)
    if not flags.done:  # `continue` alone: the loop stays the one that it is
        head = code.text[code.span(loop)[0] : code.span(loop.iter)[1]]
        yield spot.step("flag", (region, f"{before}{indent}{head}:\n{lowered}{after[1]}"))
    header = _indexed(spot, loop)
    if header is not None:
        setup, test, first, last = header
        lines = "".join(f"{indent}{line}\n" for line in setup) + born + before
        and_flag = f" and not {flags.done}" if flags.done else ""
        body = "".join(f"{inner}{line}\n" for line in first) + lowered + "".join(f"{inner}{line}\n" for line in last)
        for value in (known, "") if known else ("",):
            found = f"{indent}{flags.result} = {value}\n" if value else ""
            yield spot.step("while", (region, f"{lines}{found}{indent}while {test}{and_flag}:\n{body}{after[1]}"))
    if flags.done:
        yield _with_rounds_skipped(spot, loop, flags, (before, after[1]), region)
        if _few_numbers(spot, loop.iter) and (step := chosen_in_the_end(spot, loop)):
            yield step


def _leaves_more(node: ast.AST) -> TypeGuard[ast.For | ast.While]:
    """Whether a loop is left together with the one around it, by a return, or by a `break` behind its `else`."""
    if not isinstance(node, ast.For | ast.While):
        return False
    return bool(leaves([node], ast.Return) or leaves(node.orelse, (ast.Break, ast.Continue)))


def _left_at_the_top(loop: ast.While) -> list[ast.If]:
    """The tests with which each round begins, and that do nothing but end the loop."""
    found: list[ast.If] = []
    for stmt in () if loop.orelse else loop.body:
        match stmt:
            case ast.If(body=[ast.Break()], orelse=[]) if not any(isinstance(n, ast.NamedExpr) for n in ast.walk(stmt)):
                found.append(stmt)
            case _:
                break
    return found


def _asked_in_the_test(spot: Spot, loop: ast.While, leading: Sequence[ast.If]) -> Step:
    """`while a: if b: break; …` → `while a and not b: …`."""
    code, indent = spot.code, spot.code.indent(loop)
    always = isinstance(loop.test, ast.Constant) and bool(loop.test.value)
    goes_on = " and ".join([*([] if always else [code.operand(loop.test)]), *(negated(spot, each.test) for each in leading)])
    body = code.block_text(loop.body[len(leading) :], indent + "    ") or f"{indent}    pass\n"
    return spot.step("while", (code.region([loop]), f"{indent}while {goes_on}:\n{body}"))


def _with_rounds_skipped(spot: Spot, loop: ast.For, flags: _Flags, around: tuple[str, str], region: tuple[int, int]) -> Step:
    """The loop with all its rounds, those after its end doing nothing."""
    code, indent = spot.code, spot.code.indent(loop)
    test, body = f"not {flags.done}", loop.body
    match body:
        case [ast.If(orelse=[]) as only]:  # one test in the place of two
            test, body = f"{test} and {code.operand(only.test)}", only.body
    deeper = _Lowering(spot, flags).block(body, indent + "        ")
    head = code.text[code.span(loop)[0] : code.span(loop.iter)[1]]
    first = f"{indent}{flags.result} = " if flags.result else ""
    if first and first not in around[0]:  # its rounds choose between old and new
        value = any_of_its_kind(spot, loop) or returned_behind(spot, loop)
    else:
        value = ""
    before = f"{around[0]}{first}{value}\n" if value else around[0]
    numbers, kept, after = _read_behind(spot, loop, indent)
    text = f"{before}{numbers}{indent}{head}:\n{indent}    if {test}:\n{kept}{deeper}{after}{around[1]}"
    return spot.step("flag", (region, text))


def _read_behind(spot: Spot, loop: ast.For, indent: str) -> tuple[str, str, str]:
    """What keeps numbers that are read behind the loop what they were when it was left: (before it, in it, behind it)."""
    code, live = spot.code, spot.code.live_after(loop)
    before, kept, after = numbers_first(spot, loop, loop.body, indent), "", ""
    if is_call(spot, loop.iter, "range") and isinstance(loop.target, ast.Name) and loop.target.id in live:
        last = code.fresh(f"{loop.target.id}_then", f"last_{loop.target.id}")
        before += f"{indent}{last} = 0\n"
        kept, after = f"{indent}        {last} = {loop.target.id}\n", f"{indent}{loop.target.id} = {last}\n"
    return before, kept, after


def _behind_an_exit(loop: ast.For | ast.While) -> list[ast.stmt]:
    """The statements of a round that are not reached in its last one."""
    first = next((k for k, stmt in enumerate(loop.body) if leaves([stmt], EXITS)), len(loop.body))
    return loop.body[first + 1 :]


_FEW_ROUNDS = 8


def _needs_its_rounds(spot: Spot, loop: ast.For) -> bool:
    """Whether the rounds are few and their number places items of a Python list, or bounds slices, or they go through
    the leaves of a tree: no traced number can."""
    iterable = loop.iter
    targets = set(target_names(loop.target))
    if targets & loaded([node for statement in loop.body for node in ast.walk(statement) if _is_a_bound(spot, node)]):
        return _few_numbers(spot, iterable)
    if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) and iterable.func.id in ("enumerate", "zip"):
        iterable = iterable.args[0] if iterable.args else iterable
    if _is_of_leaves(spot, iterable):
        return True
    if isinstance(iterable, ast.List | ast.Tuple):  # of arrays that need not be alike
        return len(iterable.elts) <= _FEW_ROUNDS and not any(isinstance(each, ast.Starred) for each in iterable.elts)
    sequence = spot.value(iterable)
    if not isinstance(sequence, list | tuple | range) or len(sequence) > _FEW_ROUNDS:
        return False
    return any(
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and isinstance(spot.value(node.value), list)
        and targets & loaded([node.slice])
        for statement in loop.body
        for node in ast.walk(statement)
    )


def _is_of_leaves(spot: Spot, iterable: ast.expr) -> bool:
    """Whether these are the leaves of a tree: they are of different shapes as a rule, so that no traced number picks one."""
    if not isinstance(iterable, ast.Call) or len(iterable.args) != 1:
        return False
    asked = spot.value(iterable.func)
    return asked is jax.tree_util.tree_leaves or asked is jax.tree.leaves


def _is_a_bound(spot: Spot, node: ast.AST) -> bool:
    """Whether a slice, or the rounds of an inner loop that slices by its own number, has its ends here."""
    if isinstance(node, ast.Slice):
        return True
    loop = spot.code.parents.get(node)
    return (
        isinstance(loop, ast.For)
        and node is loop.iter
        and isinstance(node, ast.Call)
        and any(isinstance(each, ast.Slice) and set(target_names(loop.target)) & loaded([each]) for each in ast.walk(loop))
    )


def _few_numbers(spot: Spot, iterable: ast.expr) -> bool:
    """Whether it is a `range` of known numbers, few of them."""
    if not is_call(spot, iterable, "range"):
        return False
    assert isinstance(iterable, ast.Call)
    numbers = [known_number(spot, each) for each in iterable.args]
    known = [number for number in numbers if number is not None]
    return len(known) == len(numbers) and 0 not in known[2:] and len(range(*known)) <= _FEW_ROUNDS


def known_number(spot: Spot, node: ast.expr) -> int | None:
    """A size or a count that is known while tracing."""
    if isinstance(node, ast.BinOp) and type(node.op) in _KNOWN:
        left, right = known_number(spot, node.left), known_number(spot, node.right)
        by_zero = isinstance(node.op, ast.FloorDiv) and right == 0
        return None if left is None or right is None or by_zero else _KNOWN[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = known_number(spot, node.operand)
        return None if number is None else -number
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
        place = known_number(spot, node.slice)
        shape = attribute(spot.held(node.value.value), "shape", ())
        return shape[place] if place is not None and -len(shape) <= place < len(shape) else None
    if isinstance(node, ast.Call) and is_call(spot, node, "min") and not node.keywords:
        numbers = [known_number(spot, each) for each in node.args]
        known = [number for number in numbers if number is not None]
        return min(known) if len(known) == len(numbers) > 1 else None
    if is_call(spot, node, "len") and isinstance(node, ast.Call):
        shape = attribute(spot.held(node.args[0]), "shape", ())
        return shape[0] if shape else None
    value = node.value if isinstance(node, ast.Constant) else spot.value(node)
    return value if type(value) is int else None


_KNOWN: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}


def _after_loop(
    spot: Spot, loop: ast.For | ast.While, flags: _Flags, returns: Sequence[ast.Return]
) -> tuple[tuple[str, str], int]:
    """((lines before the loop, lines after it), the offset up to which the text is replaced)."""
    code, indent = spot.code, spot.code.indent(loop)
    end = code.region([loop])[1]
    text = ""
    if loop.orelse:
        if leaves(loop.orelse, EXITS) and not flags.done:
            return ("", code.block_text(loop.orelse, indent)), end
        text += f"{indent}if not {flags.done}:\n{code.block_text(loop.orelse, indent + '    ')}" if flags.done else ""
        text += "" if flags.done else code.block_text(loop.orelse, indent)
    if not returns:
        return ("", text), end
    if isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant) and not leaves(loop.body, ast.Break):
        return ("", f"{indent}return {flags.result}\n"), code.region(code.block(loop)[code.block(loop).index(loop) :])[1]
    block = code.block(loop)
    ends = always_returns(loop.orelse) and not leaves(loop.body, ast.Break)  # nothing behind it is come to
    follows = loop.orelse if ends else block[block.index(loop) + 1 :]
    last = follows[0] if len(follows) == 1 and (ends or not loop.orelse) else None
    if isinstance(last, ast.Return) and last.value is not None and not leaves(loop.body, ast.Break):
        changed = set(stored(loop.body)) | (set(target_names(loop.target)) if isinstance(loop, ast.For) else set())
        if not loaded([last.value]) & changed:  # the answer of a loop that ran to its end is known before it
            before = f"{indent}{flags.result} = {code.expr(last.value)}\n"
            return (before, f"{indent}return {flags.result}\n"), end if ends else code.region([last])[1]
    if ends:
        return ("", f"{text}{indent}return {flags.result}\n"), end
    return ("", f"{text}{indent}if {flags.returned}:\n{indent}    return {flags.result}\n"), end


def _indexed(spot: Spot, loop: ast.For) -> tuple[list[str], str, list[str], list[str]] | None:
    """A `for` as a `while` over an index: (lines before, test, first and last lines of a round); None if not indexable."""
    code = spot.code
    live = code.live_after(loop)
    iterable = loop.iter
    if is_call(spot, iterable, "range") and isinstance(loop.target, ast.Name):
        assert isinstance(iterable, ast.Call)
        bounds = Range(spot, iterable)
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
            setup += [f"{index} = {bounds.low}"] + ([] if bound_above(spot, loop, name) else [f"{name} = {bounds.low}"])
            return setup, f"{index} {order} {high}", [f"{name} = {index}"], [f"{index} {add}"]
        if name == "_":
            name = code.fresh("k", "count")
        return [*setup, f"{name} = {bounds.low}"], f"{name} {order} {high}", [], [f"{name} {add}"]
    header = numbered(spot, loop)
    if header is None:
        return None
    index = header.index
    if header.backwards:
        return [*header.setup, f"{index} = {header.length} - 1"], f"{index} >= 0", header.first, [f"{index} -= 1"]
    unbound = {name for name in target_names(loop.target) if name in live and not bound_above(spot, loop, name)}
    begun = [
        line for line in header.first if unbound & set(stored(ast.parse(line).body))
    ]  # read behind it: the loop carries them
    return [*header.setup, f"{index} = 0", *begun], f"{index} < {header.length}", header.first, [f"{index} += 1"]


@dataclass(frozen=True)
class Numbered:
    """A `for` over arrays as one over the number of its rounds: lines before it, the number's name, how many there are, and the
    lines with which a round begins; whether it goes from the last one to the first."""

    setup: list[str]
    index: str
    length: str
    first: list[str]
    backwards: bool = False

    @property
    def range(self) -> str:
        """What the number goes through."""
        return f"range({self.length} - 1, -1, -1)" if self.backwards else f"range({self.length})"


def numbered(spot: Spot, loop: ast.For) -> Numbered | None:
    """`for x in xs:`, also with `zip`, `enumerate` and `reversed`, by numbers; None where its items cannot be found by their
    number."""
    code, live, iterable = spot.code, spot.code.live_after(loop), loop.iter
    turned = turned_round(spot, iterable)
    iterable = iterable if turned is None else turned
    setup: list[str] = []
    start, sources, targets = "0", [iterable], [loop.target]
    index = code.fresh("k", "index")
    counted = ""
    if is_call(spot, iterable, "enumerate") and isinstance(loop.target, ast.Tuple) and len(loop.target.elts) == 2:
        assert isinstance(iterable, ast.Call)
        start = code.expr(iterable.args[1]) if len(iterable.args) > 1 else "0"
        counter = loop.target.elts[0]
        if not isinstance(counter, ast.Name) or iterable.keywords:
            return None
        counted = counter.id
        sources, targets = [iterable.args[0]], [loop.target.elts[1]]
    if len(sources) == 1 and is_call(spot, sources[0], "zip") and isinstance(targets[0], ast.Tuple):
        call = sources[0]
        assert isinstance(call, ast.Call)
        if call.keywords or len(call.args) != len(targets[0].elts):
            return None
        sources, targets = list(call.args), list(targets[0].elts)
    first, lengths = [], []
    for source, target in zip(sources, targets, strict=True):
        own_turn = turned_round(spot, source)
        if own_turn is not None and not isinstance(own_turn, ast.Name):
            return None
        name = text = code.expr(source) if own_turn is None else f"{code.expr(own_turn)}[::-1]"
        if not isinstance(source, ast.Name) or set(stored(loop.body)) & {source.id}:
            taken = {line.split(" = ")[0] for line in setup}
            name = code.fresh(*(each for each in (f"{_singular(target)}s", "items", "rows") if each not in taken), "values")
            if name in taken:
                return None
            setup.append(f"{name} = {text}")
        name_of = source if own_turn is None else own_turn
        if isinstance(name_of, ast.Name):
            value = spot.value(name_of)
            if isinstance(value, list | tuple):
                stacked = code.fresh("stacked" if len(sources) == 1 else f"stacked_{name_of.id}", f"{name_of.id}_stacked")
                made = "array" if all(type(each) in (bool, int, float) for each in value) else "stack"
                setup.append(f"{stacked} = {spot.jnp(made)}({name})")
                name = stacked
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
    return Numbered(setup, index, length, first, turned is not None)


def turned_round(spot: Spot, iterable: ast.expr) -> ast.expr | None:
    """What `reversed(…)` or `…[::-1]` goes through from its end, without a `list` around it; None for other things."""
    match iterable:
        case ast.Call(func=ast.Name(id="reversed"), args=[inner], keywords=[]) if spot.is_builtin("reversed"):
            pass
        case ast.Subscript(
            value=ast.Call(func=ast.Name(id="list" | "tuple")) as inner,
            slice=ast.Slice(lower=None, upper=None, step=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))),
        ):
            pass
        case _:
            return None
    match inner:
        case ast.Call(func=ast.Name(id="list" | "tuple" as name), args=[only], keywords=[]) if spot.is_builtin(name):
            return only
    return inner


def is_call(spot: Spot, node: ast.expr, name: str) -> bool:
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
            if not leaves([stmt], EXITS):
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
        alone = f" {flags.done} = " not in right and _gives_a_flag(self.spot, stmt.test)
        if left.strip() == f"{flags.done} = True" and flags.done and (alone or not right):
            goes_on = f"{indent}if {flags.done}:\n{indent}    pass\n{indent}else:\n{right}" if right else ""
            return f"{indent}{flags.done} = {test}\n{goes_on}"
        if alone and len(stmt.body) == 1 and isinstance(stmt.body[0], ast.Return) and flags.returned == flags.done:
            if flags.only_returned and _is_own(self.spot, stmt):  # or it is not set where another's test is data
                goes_on = f"{indent}if not {flags.done}:\n{right}" if right else ""
                assert stmt.body[0].value is not None
                found = f"{indent}{flags.result} = {code.expr(stmt.body[0].value)}\n"
                return f"{indent}{flags.done} = {test}\n{found}{goes_on}"
            found, goes_on = left.replace(f"{indent}    {flags.done} = True\n", ""), f"{indent}else:\n{right}" if right else ""
            return f"{indent}{flags.done} = {test}\n{indent}if {flags.done}:\n{found}{goes_on}"
        if not left:
            return f"{indent}if {negated(self.spot, stmt.test)}:\n{right}" if right else ""
        return f"{indent}if {test}:\n{left}" + (f"{indent}else:\n{right}" if right else "")


def _is_own(spot: Spot, choice: ast.If) -> bool:
    """Whether a test is Python's own so far, as of its counter, and what is returned there is only named or written out."""
    fact = spot.fact(choice.test)
    parts = ast.Name | ast.Constant | ast.Tuple | ast.expr_context | ast.USub | ast.Add | ast.Sub | ast.Mult
    computed = [part for each in choice.body for part in ast.walk(each) if part is not each]
    harmless = all(isinstance(part, parts | ast.BinOp | ast.UnaryOp) for part in computed)
    return harmless and (fact is None or fact.sort != "array")


def _gives_a_flag(spot: Spot, test: ast.expr) -> bool:
    """Whether what is asked is True or False, or an array of such."""
    if isinstance(test, ast.BoolOp):
        return all(_gives_a_flag(spot, each) for each in test.values)
    if isinstance(test, ast.Compare) or (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
        return True
    fact = spot.fact(test)
    return fact is not None and fact.dtype == "b"
