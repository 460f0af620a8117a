"""A function that gives None in one way and a number in another: a value of the kind of its others stands for it.

Where no return is reached that is said beside the rewrite. A None that is written is what callers ask for: without it the
rewrite does not serve them, and is not verified.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.rules import NOTHING, WRITTEN, Spot, Step
from jupyter_jitmagic.source.code import always_returns, leaves
from jupyter_jitmagic.source.nones import is_none


def with_an_end(spot: Spot, function: ast.FunctionDef) -> Iterator[Step]:
    """`for …: if …: return v` and no more → `return jnp.nan` at the end."""
    returns = [each for each in leaves(function.body, ast.Return) if isinstance(each, ast.Return)]
    if always_returns(function.body) or any(each.value is None for each in returns):
        return
    text = next((text for each in returns if each.value is not None and (text := _nothing_like(spot, each.value))), "")
    if not text:
        return
    code = spot.code
    end = code.region([function.body[-1]])[1]
    line = f"{code.indent(function.body[-1])}return {text}\n"
    if not code.text[:end].endswith("\n"):
        line = f"\n{line}"
    note = f"where plain Python reaches no return and gives None, the result is {_said(spot, text)}"
    yield spot.step("return", ((end, end), line), note=note, excludes=_EXCLUDES)


def with_a_number(spot: Spot, function: ast.FunctionDef, ways: Sequence[ast.stmt]) -> Iterator[Step]:
    """`if f(a) * f(b) > 0: return None`, where other ways give a number → `return jnp.nan`.

    Args:
        ways: the statements of the ways through the function that the test decides between; a None below another test is that
            one's business.
    """
    nones = [each for each in ways if isinstance(each, ast.Return) and is_none(each.value)]
    others = [each.value for each in leaves(function.body, ast.Return) if isinstance(each, ast.Return)]
    known = [value for value in others if value is not None and not is_none(value)]
    text = next((text for value in known if (text := _nothing_like(spot, value))), "") if nones else ""
    if text:
        yield spot.step("return", *((each, f"return {text}") for each in nones), excludes=_instead(spot, text))


def number_for_none(spot: Spot, choice: ast.IfExp) -> Iterator[Step]:
    """`return x.mean() if x.any() else None` → `… else jnp.nan`."""
    if not isinstance(spot.code.parents[choice], ast.Return):
        return
    none, value = (choice.orelse, choice.body) if is_none(choice.orelse) else (choice.body, choice.orelse)
    text = _nothing_like(spot, value) if is_none(none) and not is_none(value) else ""
    if text:
        yield spot.step("return", (none, text), excludes=_instead(spot, text))


_EXCLUDES = {NOTHING: "inputs on which plain Python returns None"}


def _instead(spot: Spot, text: str) -> dict[str, str]:
    return {**_EXCLUDES, WRITTEN: f"where plain Python gives None it gives {_said(spot, text)}"}


def _said(spot: Spot, text: str) -> str:
    """`nan`, `an array of -1`, for what a text makes."""
    return re.sub(r"[\w.]+\.full_like\(\w+, (.*?)\)", r"an array of \1", text).replace(spot.jnp("nan"), "nan")


def _nothing_like(spot: Spot, value: ast.expr) -> str:
    """What says "nothing" among numbers of this kind; "" where there is no such value."""
    if isinstance(value, ast.Tuple):
        parts = [_nothing_like(spot, each) for each in value.elts]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})" if all(parts) else ""
    fact = spot.fact(value)
    if fact is None or fact.sort not in ("number", "array"):
        return ""
    number = {"f": spot.jnp("nan"), "i": "-1", "b": "False"}.get(fact.dtype, "")
    if fact.ndim == 0 or not number:
        return number
    changed = _changed(value)
    given = spot.fact(ast.Name(changed)) if changed in spot.locals else None
    alike = given is not None and (given.ndim, given.dtype, given.shape) == (fact.ndim, fact.dtype, fact.shape)
    return f"{spot.jnp('full_like')}({changed}, {number})" if alike and number != "False" else ""


def _changed(value: ast.expr) -> str:
    """The array that is given back with other elements: `board` of `board.at[r, c].set(player)`."""
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="at")))):
            return name
        case ast.Name(id=name):
            return name
    return ""
