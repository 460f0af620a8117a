"""`jnp.repeat(x, counts)`: its length depends on data. x itself stands for it, with how often each element comes: what depends
on no order is computed of x with these weights."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_jitmagic.diagnosis.rewrites.operations import TABLE, TOTAL, Called, called, is_module
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, Writer, enclosed
from jupyter_jitmagic.diagnosis.rewrites.selection import Selection, dtype_of
from jupyter_jitmagic.source.names import name_of

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites.flow import Flow
    from jupyter_jitmagic.diagnosis.rewrites.reducing import Reducing

_KNOWN = frozenset({"elementwise", "where", "extreme", "count", "norm", "histogram", "flip", "sort", "flat"})
AT_A_TIE = "its gradient is another at a tie"  # the largest of equal elements that come differently often
_REDUCED = frozenset({"sum", "mean", "var", "std", "any", "all"})
_RANKED = {"median": 1, "quantile": 1, "percentile": 100}


def repeated(flow: Flow, node: ast.Call) -> Selection | None:
    """`jnp.repeat(x, counts)`, `x.repeat(counts)` of one axis."""
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    args = node.args if owner is None or is_module(flow.spot, owner) else [owner, *node.args]
    if len(args) != 2 or node.keywords or flow.ndim(args[0]) != 1 or flow.ndim(args[1]) != 1 or not flow.is_traced(args[1]):
        return None
    if any(flow.visit(each) is not None for each in args):
        return None
    array, counts = args
    times = flow.named(flow.text(counts), "times", "weights")
    mask = flow.named(f"{enclosed(times)} > 0", "occurs", "counted")
    flow.repeats = True
    negative = {"number": f"counts below zero, for which `{flow.code.src(node)}` has no meaning"}
    found = Ragged(mask, dtype=dtype_of(flow, array), times=times)
    return Selection(flow.operand(array), found, fills=True, excludes=negative)


def turned(writer: Writer, found: Ragged, mask: str) -> Ragged:
    """The same turned round, of which `mask` is the mask."""
    times = writer.named(f"{enclosed(found.times)}[::-1]", "times", "weights") if found.times else ""
    return replace(found, mask=mask, times=times, front=False, direct=False)


def in_order(writer: Writer, text: str, found: Ragged) -> tuple[str, Ragged]:
    """The elements sorted, each as often as before."""
    text = writer.named(text, "values", "elements")
    order = writer.named(f"{writer.jnp('lexsort')}(({text}, ~{enclosed(found.mask)}))", "order", "by_value")
    mask, times = (
        writer.named(f"{enclosed(each)}[{order}]", *names)
        for each, names in ((found.mask, ("occurs", "counted")), (found.times, ("times", "weights")))
    )
    return f"{text}[{order}]", replace(found, mask=mask, times=times, pad="", direct=False)


def refuse_others(flow: Flow, node: ast.expr) -> None:
    """Stop where an element's place, or its neighbour, is asked for: in plain Python each comes several times."""
    match node:
        case ast.BinOp() | ast.UnaryOp() | ast.Compare() | ast.Name():
            return
        case ast.Attribute(attr="size" | "dtype" | "ndim" | "shape"):
            return
        case ast.Subscript(value=ast.Attribute(attr="shape")):
            return
        case ast.Subscript() if (made := flow.state.seen.get(node)) is not None and made.times:
            return  # `s[s > 0]`: with the same weights
        case ast.Call() if name_of(node) in ("compress", "extract") and (made := flow.state.seen.get(node)) is not None:
            if made.times:
                return
        case ast.Subscript(slice=ast.Slice(lower=None, upper=None)) | ast.Subscript(slice=ast.Constant(value=0)):
            return  # turned round; the first of them
        case ast.Subscript(slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))):
            return
        case ast.Subscript(slice=place) if not isinstance(place, ast.Slice | ast.Tuple) and not _is_repeated(flow, place):
            return  # found by `ends_of`
        case ast.Call() if (known := called(flow.spot, node)) is not None and known.operation.sort in _KNOWN:
            return
        case ast.Call() if name_of(node) in _RANKED and name_of(node) in TABLE:
            return
    below = [*ast.iter_child_nodes(node)]
    while below:
        child = below.pop()
        if isinstance(child, ast.expr) and _is_repeated(flow, child):
            flow.stop(node)
        if child not in flow.state.seen:  # what was visited was asked by itself
            below += ast.iter_child_nodes(child)


def _is_repeated(flow: Flow, node: ast.expr) -> bool:
    held = flow.state.names.get(node.id) if isinstance(node, ast.Name) else flow.state.seen.get(node)
    return held is not None and bool(held.times)


def reduced(writer: Reducing, node: ast.Call, known: Called, found: Ragged) -> None:
    """A reduction, each element as often as it comes."""
    array, ddof = known.arguments[0], known.keyword("ddof") if known.name in ("var", "std") else None
    if len(known.keywords) > (ddof is not None) or len(known.arguments) > 1 or known.name not in _REDUCED or found.ndim != 1:
        writer.stop(node)
    text, jnp, times = writer.operand(array), writer.jnp, found.times
    if known.name in ("any", "all"):
        writer.replace(node, f"{jnp(known.name)}({text}, where={found.mask})")
        return
    writer.require(found, TOTAL)
    total = f"{jnp('sum')}({text} * {times}, where={found.mask})"
    if known.name == "sum":
        writer.replace(node, total)
        return
    mean = f"{total} / {writer.count(found)}"
    if known.name == "mean":
        writer.replace(node, _beside_others(writer, node, mean))
        return
    middle, number = writer.named(mean, "mean", "average"), writer.count(found)
    if ddof is not None:
        writer.plain(ddof)
        number = f"{jnp('maximum')}({number} - {writer.operand(ddof)}, 0)"
    spread = f"{jnp('sum')}({times} * ({text} - {middle}) ** 2, where={found.mask}) / {number}"
    writer.replace(node, _beside_others(writer, node, spread) if known.name == "var" else f"{jnp('sqrt')}({spread})")


def ends_of(writer: Writer, found: Ragged) -> str:
    """The name of how many elements come up to each of x; what comes at a place stands where that is exceeded first."""
    jnp = writer.jnp
    weights = found.times if writer.is_all_that_comes(found) else f"{jnp('where')}({found.mask}, {found.times}, 0)"
    return writer.named(f"{jnp('cumsum')}({weights})", "ends", "up_to")


def _beside_others(writer: Reducing, node: ast.Call, quotient: str) -> str:
    alone = isinstance(writer.code.parents[node], ast.stmt | ast.Tuple | ast.List)
    return quotient if alone else f"({quotient})"


def norm(writer: Reducing, node: ast.Call, known: Called, found: Ragged) -> None:
    """`jnp.linalg.norm(s)`, each element as often as it comes."""
    if known.keywords or len(known.arguments) > 1 or found.ndim != 1:
        writer.stop(node)
    writer.require(found, TOTAL)
    squares = f"{found.times} * {writer.jnp('abs')}({writer.text(known.arguments[0])}) ** 2"
    writer.replace(node, f"{writer.jnp('sqrt')}({writer.jnp('sum')}({squares}, where={found.mask}))")


def ranked(writer: Reducing, node: ast.Call, known: Called, found: Ragged) -> None:
    """`jnp.median(s)`, `jnp.quantile(s, q)`: of x in order, by how many elements come before."""
    array, *rest = known.arguments
    if known.keywords or known.name not in _RANKED or len(rest) != (known.name != "median") or found.ndim != 1:
        writer.stop(node)
    writer.plain(*rest)
    jnp, of = writer.jnp, _RANKED[known.name]
    share = writer.operand(rest[0]) if rest else "0.5"
    if of > 1:
        share = f"{share} / {of}"
    text = writer.named(writer.text(array), "values", "elements")
    order = writer.named(f"{jnp('argsort')}({jnp('where')}({found.mask}, {text}, {jnp('inf')}))", "order", "by_value")
    ends = writer.named(f"{jnp('cumsum')}({jnp('where')}({found.mask}, {found.times}, 0)[{order}])", "ends", "up_to")
    place = writer.named(f"{share} * ({ends}[-1] - 1)", "place", "rank")
    low, high = (
        f"{text}[{order}][{jnp('searchsorted')}({ends}, {jnp(each)}({place}), side='right')]" for each in ("floor", "ceil")
    )
    low, high = writer.named(low, "low", "lower"), writer.named(high, "high", "upper")
    known_to_be = f"({ends}[-1] > 0) & ~{jnp('any')}({jnp('isnan')}({text}) & {found.mask})"
    between = f"{low} + ({high} - {low}) * ({place} - {jnp('floor')}({place}))"
    writer.replace(node, f"{jnp('where')}({known_to_be}, {between}, {jnp('nan')})")
