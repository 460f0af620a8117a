"""What branches write and read, by name; both sides of one under names of their own."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.code import Edit
from jupyter_jitmagic.source.names import names_around, read_first, stored, surely_written

OPERATORS: dict[type[ast.operator], str] = {
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


def independent(targets: Sequence[str], values: Sequence[str]) -> bool:
    """Whether no value reads what an assignment before it wrote, so that each may have its line."""
    return not any(reads(values[k], name) for k in range(len(values)) for name in targets[:k])


def reads(value: str, target: str) -> bool:
    """Whether an expression reads a variable, or an item ("a['k']") of a container with constant keys."""
    tree = ast.parse(value, mode="eval")
    items = {
        n.value: ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant)
    }
    wanted = ast.unparse(ast.parse(target, mode="eval"))
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == base(target)]
    return any("[" not in target or items.get(n, wanted).startswith(wanted) for n in names)


def renamed_block(spot: Spot, stmts: Sequence[ast.stmt], indent: str, new: dict[str, str], others: Sequence[Edit] = ()) -> str:
    """The statements with `new` names for what they write and `others` edited; reads before the first write keep the old."""
    code = spot.code
    edits: list[Edit] = [*others]
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
            value = code.edited(*code.span(stmt.value), name_edits(spot, [stmt.value], {n: new[n] for n in mapped}))
            value = value if code.added(stmt) == code.src(stmt.value) else f"({value})"
            edits.append((a, b, f"{new[name]} = {name} {OPERATORS[type(stmt.op)]} {value}"))
            mapped.add(name)
            continue
        writes = set(stored([stmt])) & set(new)
        simple = isinstance(stmt, ast.Assign | ast.AnnAssign)
        inside = mapped if simple else mapped | writes
        for node in names_around(stmt):
            if node.id in new and (node.id in inside or not isinstance(node.ctx, ast.Load)):
                edits.append((*code.span(node), new[node.id]))
        mapped |= writes
    return before + code.block_text(stmts, indent, edits)


def name_edits(spot: Spot, nodes: Sequence[ast.AST], new: dict[str, str]) -> list[Edit]:
    return [(*spot.code.span(n), new[n.id]) for root in nodes for n in names_around(root) if n.id in new]


def renamed(spot: Spot, node: ast.AST, new: dict[str, str]) -> str:
    """Source text as it was typed, with other names for its variables."""
    return spot.code.edited(*spot.code.span(node), name_edits(spot, [node], new))


def _straight(stmts: Sequence[ast.stmt], name: str) -> bool:
    """Whether the first statement that writes the name is a plain assignment of this block."""
    first = next(s for s in stmts if name in stored([s]))
    return isinstance(first, ast.Assign | ast.AnnAssign | ast.AugAssign)


def code_root(node: ast.expr) -> str:
    """The name at the root of `a["b"][0].c`, or the text where there is none."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ast.dump(node)


def base(target: str) -> str:
    return target.split("[")[0]
