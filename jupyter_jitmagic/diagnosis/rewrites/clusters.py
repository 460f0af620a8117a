"""Lists that a loop begins anew at each gap: `clusters.append([v])` where `v - clusters[-1][-1] > gap`, else
`clusters[-1].append(v)`.

Where a gap is says an array; how many are before a place, which list it is in: groups by a number, which other rules follow.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.names import walk

_ELEMENTWISE = ast.Compare | ast.BinOp | ast.UnaryOp | ast.Name | ast.Constant | ast.operator | ast.unaryop | ast.cmpop
_Shape = list[ast.stmt]


@dataclass
class _Clusters:
    """What is known of the loop.

    Attributes:
        name: of the list of lists.
        array: the text of what the loop runs over.
        items: texts of an element in its round.
        before: texts of the element before it.
        test: what is asked of both.
        begins: whether a list begins where the test holds, not where it does not.
        statements: what all of this is, from where the list is made.
        own: names that nothing else may read.
        may_be_empty: the array has no element that is put in before the loop.
    """

    name: str
    array: str
    items: set[str]
    before: set[str]
    test: ast.expr
    begins: bool
    statements: _Shape
    own: set[str]
    may_be_empty: bool = False


def at_gaps(spot: Spot) -> Iterator[Step]:
    """The loop → `number = jnp.cumsum(jnp.append(0, x[1:] - x[:-1] > gap))` and the selections by it."""
    code = spot.code
    if spot.kind != BOOL or not isinstance(spot.function, ast.FunctionDef):
        return
    loop = next((at for at in code.ancestors(spot.node) if isinstance(at, ast.For)), None)
    found = _clusters(spot, loop) if loop is not None and not loop.orelse else None
    if found is None or spot.node not in walk(found.test) or not code.on_own_lines(found.statements):
        return
    if found.own & code.live_after(found.statements[-1]) or not _is_elementwise(spot, found):
        return
    jnp, number, each = spot.jnp, code.fresh("number", "which", "number_of_list"), code.fresh("k", "label")
    indent, array = code.indent(found.statements[0]), found.array
    gaps = _asked(spot, found) if found.begins else f"~({_asked(spot, found)})"
    numbers = f"{jnp('append')}(0, {gaps})" + (f"[: {array}.shape[0]]" if found.may_be_empty else "")
    lines = f"{indent}{number} = {jnp('cumsum')}({numbers})  # which list each belongs to\n"
    lines += f"{indent}{found.name} = [{array}[{number} == {each}] for {each} in {jnp('unique')}({number})]\n"
    yield spot.step("clusters", (code.region(found.statements), lines))


def _clusters(spot: Spot, loop: ast.For) -> _Clusters | None:
    code = spot.code
    found = _run_over(spot, loop)
    block = code.block(loop)
    place = block.index(loop)
    if found is None:
        return None
    array, items, before, skips = found
    own = {loop.target.id} if isinstance(loop.target, ast.Name) else set()
    body = list(loop.body)
    match body:
        case [ast.If(), ast.Assign(targets=[ast.Name(id=last)], value=value)] if ast.unparse(value) in items:
            before.add(last)
            own.add(last)
            body.pop()
    match body:
        case [ast.If(test=test, body=one, orelse=two)]:
            pass
        case _:
            return None
    for begun, added, begins in ((one, two, True), (two, one, False)):
        (name, held), current = _begins(begun, items), _is_added(added, items)
        if not name or current != (held or f"{name}[-1]"):
            continue
        made = [f"{name} = [[{array}[0]]]"] if skips else [f"{name} = []"]
        behind: _Shape = []
        if held:  # `clusters.append(current)`, `current = [v]`, and the last one behind the loop
            put_last = [ast.unparse(each) for each in block[place + 1 : place + 2]] == [f"{name}.append({held})"]
            if not (skips and put_last):
                continue
            made, behind = [f"{name} = []", f"{held} = [{array}[0]]"], [block[place + 1]]
            own.add(held)
        before.add(f"{current}[-1]")
        asked, always = _without_the_first(test, name, before, begins)
        if always is skips:
            continue
        made += [f"{each} = {array}[0]" if skips else f"{each} = None" for each in sorted(before & own)]
        start = place - len(made)
        if start < 0 or sorted(map(ast.unparse, block[start:place])) != sorted(made):
            continue
        return _Clusters(name, array, items, before, asked, begins, [*block[start : place + 1], *behind], own, not skips)
    return None


def _run_over(spot: Spot, loop: ast.For) -> tuple[str, set[str], set[str], bool] | None:
    """(the array, the texts of an element and of the one before it, whether the first is left out)."""
    match loop.target, loop.iter:
        case ast.Name(id=each), ast.Subscript(value=ast.Name() as array, slice=ast.Slice() as part) if (
            ast.unparse(part) == "1:"
        ):
            items, before, skips = {each}, set[str](), True
        case ast.Name(id=each), ast.Name() as array:
            items, before, skips = {each}, set(), False
        case ast.Name(id=index), ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=1), size]) if spot.is_builtin(
            "range"
        ):
            match size:
                case ast.Call(func=ast.Name(id="len"), args=[ast.Name() as array]):
                    pass
                case ast.Attribute(value=ast.Name() as array, attr="size"):
                    pass
                case ast.Subscript(value=ast.Attribute(value=ast.Name() as array, attr="shape"), slice=ast.Constant(value=0)):
                    pass
                case _:
                    return None
            items, before, skips = {f"{array.id}[{index}]"}, {f"{array.id}[{index} - 1]"}, True
        case _:
            return None
    fact = spot.fact(array)
    if fact is None or (fact.sort, fact.ndim) != ("array", 1):
        return None
    return array.id, items, before, skips


def _begins(statements: _Shape, items: set[str]) -> tuple[str, str]:
    """The list to which a new list is put, and the name of the one that was filled so far, where that is put there instead; ""
    for what is not there."""
    match statements:
        case [
            ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[put], keywords=[])),
            *more,
        ]:
            pass
        case _:
            return "", ""
    begun = {f"[{item}]" for item in items}
    match put, more:
        case ast.List(), [] if ast.unparse(put) in begun:
            return name, ""
        case ast.Name(id=held), [ast.Assign(targets=[ast.Name(id=same)], value=new)] if same == held:
            return (name, held) if ast.unparse(new) in begun else ("", "")
    return "", ""


def _is_added(statements: _Shape, items: set[str]) -> str:
    """What an element is added to: `clusters[-1]`, `current`; "" for nothing."""
    text = ast.unparse(statements[0]) if len(statements) == 1 else ""
    return next((text.removesuffix(f".append({item})") for item in items if text.endswith(f".append({item})")), "")


def _without_the_first(test: ast.expr, name: str, before: set[str], begins: bool) -> tuple[ast.expr, bool]:
    """The test without its question whether there is a list yet, and whether it asked that."""
    none = {f"not {name}", f"len({name}) == 0", *(f"{each} is None" for each in before)}
    some = {name, f"len({name}) > 0", *(f"{each} is not None" for each in before)}
    match test:
        case ast.BoolOp(op=op, values=[first, asked]) if isinstance(op, ast.Or if begins else ast.And):
            if ast.unparse(first) in (none if begins else some):
                return asked, True
    return test, False


def _parts(found: _Clusters, node: ast.AST) -> list[tuple[ast.expr, str]]:
    """What in a test is an element or the one before it, with the array that holds it for all rounds."""
    texts = {**dict.fromkeys(found.items, f"{found.array}[1:]"), **dict.fromkeys(found.before, f"{found.array}[:-1]")}
    parts = [(each, texts[text]) for each in walk(node) if isinstance(each, ast.expr) and (text := ast.unparse(each)) in texts]
    inside = {part for each, _ in parts for part in walk(each)[1:]}
    return [(each, text) for each, text in parts if each not in inside]


def _is_elementwise(spot: Spot, found: _Clusters) -> bool:
    """Whether a test compares numbers of both elements and others, in a way that can be asked for all rounds at once."""
    parts = _parts(found, found.test)
    inside = {part for each, _ in parts for part in walk(each)}
    if not isinstance(found.test, ast.Compare) or len(found.test.ops) > 1 or len({text for _, text in parts}) < 2:
        return False
    for part in walk(found.test):
        match part:
            case _ if part in inside:
                pass
            case ast.Call(func=func, args=[_], keywords=[]) if ast.unparse(func).rpartition(".")[2] == "abs":
                inside |= {*walk(func)}
            case ast.Name():
                fact = spot.fact(part)
                if part.id in found.own | {found.name, found.array} or fact is None or fact.ndim != 0:
                    return False
            case _ if not isinstance(part, _ELEMENTWISE):
                return False
    return True


def _asked(spot: Spot, found: _Clusters) -> str:
    edits = [(*spot.code.span(each), text) for each, text in _parts(found, found.test)]
    return spot.code.edited(*spot.code.span(found.test), edits)


RULES: list[Rule] = [at_gaps]
