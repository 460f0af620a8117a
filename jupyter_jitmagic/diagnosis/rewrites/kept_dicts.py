"""`kept = {i: v for i, v in enumerate(x) if v > t}`, of which no key is looked up: a list, which other rules go on with."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit
from jupyter_jitmagic.source.names import loaded, walk


def in_a_list(spot: Spot) -> Iterator[Step]:
    """`kept.values()` → `kept` of a list of the values, `kept.items()` → that of a list of pairs."""
    asked, function, code = spot.asked(), spot.function, spot.code
    if asked is None or not isinstance(asked[1], ast.comprehension) or not isinstance(function, ast.FunctionDef):
        return
    match code.parents.get(made := code.parents[asked[1]]), made:
        case ast.Assign(targets=[ast.Name(id=name)]), ast.DictComp(key=key, value=value, generators=[rounds]):
            pass
        case _:
            return
    uses = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name]
    if sum(not isinstance(n.ctx, ast.Load) for n in uses) > 1 or not _is_met_once(spot, key, rounds):
        return
    reads: set[str] = set()
    edits: list[Edit] = []
    for node in uses:
        if isinstance(node.ctx, ast.Load):
            match at := code.parents[node], code.parents[code.parents[node]]:
                case ast.Attribute(attr="values" | "items" as method), ast.Call(args=[], keywords=[]) as call if (
                    call.func is at
                ):
                    reads.add(method)
                    edits.append((*code.span(call), name))
                case ast.Call(func=ast.Name(id="len"), args=[_]), _:
                    pass
                case _:
                    return
    if len(reads) > 1:
        return
    item = f"({code.expr(key)}, {code.expr(value)})" if "items" in reads else code.expr(value)
    last = code.span(made)[1] - 1
    rest = code.text[code.span(value)[1] : last].lstrip(") \n")
    edits.append((*code.span(made), f"[{item} {rest}]"))
    yield spot.step("list", *(((start, end), text) for start, end, text in edits))


def _is_met_once(spot: Spot, key: ast.expr, rounds: ast.comprehension) -> bool:
    """Whether no two rounds have one key: a place (`enumerate`, `range`), or a key of another dict."""
    match rounds.target, rounds.iter:
        case (ast.Name() as of, ast.Call(func=ast.Name(id="range"))):
            pass
        case (ast.Tuple(elts=[ast.Name() as of, _]), ast.Call(func=ast.Name(id="enumerate"))):
            pass
        case (ast.Tuple(elts=[ast.Name() as of, _]), ast.Call(func=ast.Attribute(value=owner, attr="items"), args=[])):
            frames = (spot, *spot.callers())  # before Python 3.12 a comprehension has one of its own
            is_dict = any(isinstance(frame.held(owner), dict) for frame in frames if frame.function is spot.function)
            return isinstance(key, ast.Name) and key.id == of.id and is_dict
        case _:
            return False
    name = rounds.iter.func.id if isinstance(rounds.iter, ast.Call) and isinstance(rounds.iter.func, ast.Name) else ""
    return isinstance(key, ast.Name) and key.id == of.id and spot.is_builtin(name) and name not in loaded(rounds.ifs)


RULES: list[Rule] = [in_a_list]
