"""Convolutions of what was selected: `jnp.convolve(s, kernel, mode="same")`."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_jitmagic.diagnosis.rewrites.operations import Called
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites.consuming import Consumers


def convolved(flow: Consumers, node: ast.Call, known: Called) -> Ragged | None:
    """The whole convolution with zeros behind what counts, turned to where a mode begins, which goes by the shorter of both."""
    if len(known.arguments) < 2 or known.form != "function":
        flow.stop(node)
    one, two, *others = known.arguments
    found, other = flow.visit(one), flow.visit(two)
    array, kernel = (one, two) if found is not None else (two, one)
    if found is None and other is None:
        return None
    ragged = found or other
    if ragged is None or (found is not None and other is not None) or flow.ndim(kernel) != 1 or flow.current is None:
        flow.stop(node)
    if not ragged.is_lined_up or ragged.listed or ragged.group or ragged.times:
        flow.stop(node)
    given = {each.arg: each.value for each in known.keywords}
    mode = others[0] if others else given.pop("mode", ast.Constant("full"))
    if len(others) > 1 or set(given) - {"mode"} or not isinstance(mode, ast.Constant):
        flow.stop(node)
    front = flow.ordered(array, ragged)
    jnp, count = flow.jnp, flow.count(front)
    weights = flow.named(flow.text(kernel), "kernel", "weights")
    size = f"{weights}.shape[0]"
    whole = f"{jnp('convolve')}({flow.padded(array, front, '0')}, {weights})"
    shorter, longer = f"{jnp('minimum')}({count}, {size})", f"{jnp('maximum')}({count}, {size})"
    match mode.value:
        case "full":
            text, length = whole, f"{count} + {size} - 1"
        case "same":
            text, length = f"{jnp('roll')}({whole}, -(({shorter} - 1) // 2))", longer
        case "valid":
            text, length = f"{jnp('roll')}({whole}, 1 - {shorter})", f"{longer} - {shorter} + 1"
        case _:
            flow.stop(node)
    flow.replace(node, text)
    mask = flow.named(f"{jnp('arange')}({enclosed(front.mask)}.size + {size} - 1) < {length}", "counts", "valid", "filled")
    fact = flow.spot.fact(node)
    dtype = fact.dtype if fact is not None and fact.dtype else front.dtype
    return replace(front, mask=mask, front=True, pad="", direct=False, source=-1, dtype=dtype, length="", places=0)
