"""`kept = [(i, v) for i, v in enumerate(x) if v > t]`: a list for each part of its tuples, which other rules go on with."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.columns import OtherUse, Reads
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import walk_scope


def in_lists(spot: Spot) -> Iterator[Step]:
    """`for i, v in kept` → `for i, v in zip(kept_i, kept_v)`, `len(kept)` → `len(kept_i)`."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.comprehension) or not isinstance(spot.function, ast.FunctionDef):
        return
    code, made = spot.code, spot.code.parents[asked[1]]
    statement = code.parents[made]
    match statement, made:
        case ast.Assign(targets=[ast.Name(id=name)]), ast.ListComp(elt=ast.Tuple(elts=[_, _, *_] as parts)):
            pass
        case _:
            return
    uses = [n for n in ast.walk(spot.function) if isinstance(n, ast.Name) and n.id == name]
    inner = {n for s in walk_scope(spot.function.body) if isinstance(s, ast.FunctionDef | ast.Lambda) for n in ast.walk(s)}
    starred = any(isinstance(part, ast.Starred) for part in parts)
    if sum(not isinstance(n.ctx, ast.Load) for n in uses) > 1 or not inner.isdisjoint(uses) or starred:
        return
    if not code.on_own_lines([statement]):
        return
    words = [part.id if isinstance(part, ast.Name) else str(place) for place, part in enumerate(parts)]
    words = words if len(set(words)) == len(words) else list(map(str, range(len(words))))
    columns = [code.fresh(f"{name}_{word}", f"{name}_of_{word}") for word in words]
    reads = Reads(spot, statement, name, columns, len(parts), heap=False)
    try:
        for node in uses:
            if isinstance(node.ctx, ast.Load):
                reads.read(node)
    except OtherUse:
        return
    (start, end), (first, last) = code.span(made.elt), code.span(made)
    indent = code.indent(statement)
    lines = [
        f"{indent}{column} = {code.text[first:start]}{code.expr(part)}{code.text[end:last]}\n"
        for column, part in zip(columns, parts, strict=True)
        if column in reads.used
    ]
    yield spot.step("list", (code.region([statement]), "".join(lines)), *(((at, to), new) for at, to, new in reads.edits))


RULES: list[Rule] = [in_lists]
