"""A comprehension of many rounds, of which an array or a sum is made: `jax.vmap` over what it runs over, compiled once."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.elements import is_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, Step

Comprehension = ast.ListComp | ast.GeneratorExp


def mapped(spot: Spot, made: Comprehension) -> Iterator[Step]:
    """`jnp.array([f(x) for x in xs])` → `jax.vmap(lambda x: f(x))(xs)`, and the same under `sum`."""
    code = spot.code
    around = code.parents[made]
    match around, made.generators:
        case ast.Call(func=func, args=[only], keywords=[]), [ast.comprehension(ifs=[], is_async=0) as generator] if (
            only is made
        ):
            pass
        case _:
            return
    summed = isinstance(func, ast.Name) and func.id == "sum" and spot.is_builtin("sum")
    over = _over(spot, generator)
    if over is None or not (summed or is_of(spot, func)) or _is_more_than_its_value(made.elt):
        return
    names, arrays = over
    function = f"lambda {', '.join(names)}: "
    for each in arrays:
        yield _step(spot, around, "vmap", f"{spot.jax('vmap')}({function}{_element(spot, made)})({', '.join(each)})", summed)
    if len(names) == 1:
        yield _step(spot, around, "map", f"{spot.lax('map')}({function}{_element(spot, made)}, {arrays[0][0]})", summed)


def _element(spot: Spot, made: Comprehension) -> str:
    text = spot.code.expr(made.elt)
    return f"{spot.jnp('array')}({text})" if isinstance(made.elt, ast.ListComp | ast.List | ast.Tuple) else text


def _step(spot: Spot, around: ast.AST, pattern: str, text: str, summed: bool) -> Step:
    return spot.step(pattern, (around, f"{spot.jnp('sum')}({text}, axis=0)" if summed else text))


def _over(spot: Spot, generator: ast.comprehension) -> tuple[list[str], list[list[str]]] | None:
    """(the names that each round binds, the arrays with a row for each round; those of a `zip` cut to the shorter one, too)."""
    code = spot.code
    match generator:
        case ast.comprehension(
            target=ast.Tuple(elts=names), iter=ast.Call(func=ast.Name(id="zip"), args=arrays, keywords=[])
        ) if spot.is_builtin("zip"):
            texts = [code.expr(each) for each in arrays]
        case ast.comprehension(
            target=ast.Tuple(elts=names), iter=ast.Call(func=ast.Name(id="enumerate"), args=[array], keywords=[])
        ) if spot.is_builtin("enumerate"):
            arrays = [array]
            texts = [f"{spot.jnp('arange')}({code.operand(array)}.shape[0])", code.expr(array)]
        case ast.comprehension(
            target=ast.Name() as name, iter=ast.Call(func=ast.Name(id="range"), args=bounds, keywords=[])
        ) if spot.is_builtin("range"):
            names, arrays = [name], []
            texts = [f"{spot.jnp('arange')}({', '.join(code.expr(each) for each in bounds)})"]
        case ast.comprehension(target=ast.Name() as name, iter=array):
            names, arrays, texts = [name], [array], [code.expr(array)]
        case _:
            return None
    bound = [name.id for name in names if isinstance(name, ast.Name)]
    facts = [spot.fact(each) for each in arrays]
    alike = all(fact is not None and fact.sort in ("array", "host") and fact.ndim > 0 for fact in facts)
    lengths = {fact.length for fact in facts if fact is not None}
    if not alike or not len(bound) == len(names) == len(texts) or len(lengths) > 1:
        return None
    if len(arrays) != 2 or not all(isinstance(each, ast.Name) for each in arrays):
        return bound, [texts]
    one, other = texts
    return bound, [texts, [f"{one}[: len({other})]", f"{other}[: len({one})]"]]


def _is_more_than_its_value(element: ast.expr) -> bool:
    return any(isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom) for node in ast.walk(element))
