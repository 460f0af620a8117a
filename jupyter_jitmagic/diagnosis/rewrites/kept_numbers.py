"""A list of which nobody asks more than a few numbers: how many items it has, their sum, the largest, the smallest, the last.

These are kept instead of the items, so a loop may append as often as data wants.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from jupyter_jitmagic.diagnosis.rewrites.emptiness import is_asked
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step
from jupyter_jitmagic.source.code import Edit
from jupyter_jitmagic.source.names import SCOPES, loaded, walk_scope

_NAMES = {"len": "length_of", "sum": "sum_of", "max": "largest_of", "min": "smallest_of", "last": "last_of"}
_OF_ITEMS = ("max", "min", "last")  # which an empty list has not


def as_numbers(spot: Spot, function: ast.FunctionDef, name: str) -> Step | None:
    """`path = [x]` … `path.append(x)` … `len(path)`, `path[-1]` → `length_of_path += 1`, `last_of_path = x`."""
    code = spot.code
    nodes = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
    stores = [n for n in nodes if not isinstance(n.ctx, ast.Load)]
    inner = [n for scope in walk_scope(function.body) if isinstance(scope, SCOPES) for n in ast.walk(scope)]
    if len(stores) != 1 or any(n in nodes for n in inner):
        return None
    made = code.statement(stores[0])
    match made:
        case ast.Assign(targets=[ast.Name()], value=ast.List(elts=first)) if code.on_own_lines([made]):
            pass
        case _:
            return None
    appends: list[tuple[ast.Expr, ast.expr]] = []
    asked: dict[ast.AST, str] = {}
    tests: dict[ast.AST, str] = {}  # whether it has items, as a comparison of their number
    for node in nodes:
        if node is stores[0]:
            continue
        parent = code.parents[node]
        above = code.parents[parent]
        match parent, above, code.parents.get(above):
            case ast.Attribute(attr="append"), ast.Call(args=[value], keywords=[]), ast.Expr() as statement:
                if name in loaded([value]) or not code.on_own_lines([statement]):
                    return None
                appends.append((statement, value))
            case ast.Call(func=ast.Name(id="len" | "sum" | "max" | "min" as what), args=[_], keywords=[]), _, _:
                if not spot.is_builtin(what):
                    return None
                asked[parent] = what
            case ast.Subscript(slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)), ctx=ast.Load()), _, _:
                asked[parent] = "last"
            case ast.UnaryOp(op=ast.Not()), _, _:
                tests[parent] = "== 0"
            case _ if is_asked(spot, node):
                tests[node] = "> 0"
            case _:
                return None
    kinds = [each for each in _NAMES if each in asked.values() or (tests and each == "len")]
    if not appends or any(isinstance(each, ast.Starred) for each in (*first, *(value for _, value in appends))):
        return None
    before = _before_any(spot, [value for _, value in appends])
    may_be_empty = not first and bool(set(kinds) & set(_OF_ITEMS))
    if may_be_empty and not before:
        return None
    own = {kind: code.fresh(f"{_NAMES[kind]}_{name}", f"{name}_{kind}") for kind in kinds}
    item = code.fresh("item", f"item_of_{name}")
    edits: list[Edit] = [(*code.span(node), own[kind]) for node, kind in asked.items()]
    edits += [(*code.span(node), f"{own['len']} {compared}") for node, compared in tests.items()]
    edits.append(_in_its_place(spot, made, _begun(spot, own, first, before)))
    for statement, value in appends:
        lines: list[str] = []
        text = code.expr(value)
        if (len(kinds) > 1 and not isinstance(value, ast.Name | ast.Constant)) or {"max", "min"} & set(kinds):
            lines, text = [f"{item} = {text}"], item
        operand = text if lines else code.operand(value)
        for kind, kept in own.items():
            lines.append(
                {
                    "len": f"{kept} += 1",
                    "sum": f"{kept} = {kept} + {operand}",
                    "max": f"{kept} = {spot.jnp('where')}({text} > {kept}, {text}, {kept})",
                    "min": f"{kept} = {spot.jnp('where')}({text} < {kept}, {text}, {kept})",
                    "last": f"{kept} = {text}",
                }[kind]
            )
        edits.append(_in_its_place(spot, statement, lines))
    edited = [((start, end), text) for start, end, text in edits]
    if not may_be_empty:
        return spot.step("numbers", *edited)
    for each in asked:
        replace(spot, node=each).refuse_where_caught(ValueError, IndexError)
    nan = {"nan": "NaN, of which max() and min() take account by its place alone"} if {"max", "min"} & set(kinds) else {}
    note = f"asked of {name} while it is empty, plain Python raises and compiled code goes on"
    return spot.step("numbers", *edited, excludes=nan, note=note)


def _before_any(spot: Spot, values: list[ast.expr]) -> dict[str, str]:
    """The number with which each kind begins where a list is empty at first, of which plain Python has none; nothing where its
    items are not numbers of one kind."""
    facts = [spot.fact(value) for value in values]
    kinds = {fact.dtype if fact is not None and fact.ndim == 0 else "" for fact in facts}
    match [*kinds]:
        case ["f"]:
            return {"max": f"-{spot.jnp('inf')}", "min": spot.jnp("inf"), "last": "0.0"}
        case ["i"]:
            limits = f"{spot.jnp('iinfo')}({spot.jnp('result_type')}(int))"  # of JAX's own integers, which may have 32 bits
            return {"max": f"{limits}.min", "min": f"{limits}.max", "last": "0"}
    return {}


def _in_its_place(spot: Spot, statement: ast.stmt, lines: list[str]) -> Edit:
    code = spot.code
    if not lines and len(code.block(statement)) > 1:  # nobody asks anything
        return (*code.region([statement]), "")
    return (*code.span(statement), f"\n{code.indent(statement)}".join(lines or ["pass"]))


def _begun(spot: Spot, own: dict[str, str], first: list[ast.expr], before: dict[str, str]) -> list[str]:
    """What the numbers are at first; `before`: where there is no item yet."""
    code = spot.code
    texts = [code.expr(each) for each in first]
    lines = []
    if len(own) > 1 and any(not isinstance(each, ast.Name | ast.Constant) for each in first):
        items = [code.fresh(f"first_item_{place}", f"item_at_{place}") for place in range(len(first))]
        lines = [f"{item} = {text}" for item, text in zip(items, texts, strict=True)]
        texts = items
    operands = texts if lines else [code.operand(each) for each in first]
    for kind, kept in own.items():
        match kind:
            case "len":
                lines.append(f"{kept} = {len(first)}")
            case "sum":
                lines.append(f"{kept} = {' + '.join(['0', *operands])}")
            case _ if kind in before and not first:
                lines.append(f"{kept} = {before[kind]}")
            case "last":
                lines.append(f"{kept} = {texts[-1]}")
            case _:
                lines.append(f"{kept} = {texts[0]}" if len(texts) == 1 else f"{kept} = {kind}({', '.join(texts)})")
    return lines
