"""What a diagnosis says in one or two plain sentences."""

from __future__ import annotations

import inspect
import linecache
import re
from enum import Enum
from types import ModuleType
from typing import Any

import jax

from ._call import Argument, Call, code_of
from ._leaks import leaks
from ._sites import one_for_each_line
from ._static_search import Search
from ._types import Found, Site

CONCRETIZATIONS = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)
ASYNC = "An async function returns a coroutine, which is no JAX type: jit the computation that it awaits."


def for_traces(call: Call) -> str:
    return f"{call.name} traces: nothing is wrong with this call."


def for_static(call: Call, search: Search, found: Found) -> str:
    names = sorted(search.static)
    sites = [site for site, roots in zip(found.sites, found.roots, strict=True) if roots & search.static]
    text = f"{_and(names)} {'is' if len(names) == 1 else 'are'} needed while tracing"
    if sites:
        text += f": {_needed(sites[0])}"
    text += f". With {'it' if len(names) == 1 else 'them'} static the call traces; each new value compiles again."
    text += "".join(_by_identity(name, call.argument(name).value) for name in names)
    if search.bounded:
        text += " (The search was cut off by its bound: a smaller set was not ruled out.)"
    return text


def _by_identity(name: str, value: Any) -> str:
    """A word of warning where the static value is an object that compares by identity (the trap of a static `self`)."""
    kind = type(value)
    hashing: Any = kind.__hash__
    if hashing is not object.__hash__ or (callable(value) and hasattr(value, "__qualname__")):
        return ""
    if isinstance(value, type | ModuleType | Enum):
        return ""
    return (
        f" A {kind.__name__} is compared by identity: after {name} was traced, changes of its attributes are not seen. "
        f"Give {kind.__name__} __eq__ and __hash__ (a frozen dataclass has them), or make it a pytree."
    )


def for_rewrite(call: Call, search: Search, left: Found, found_rewrite: bool, why_not: str = "") -> str:
    """`why_not`: what stands in the way of every rewrite, where that is known."""
    sites = [site for site in one_for_each_line(left.sites) if site.operation != "call"]
    site = sites[0] if sites else None
    text = ""
    if site is not None and not site.proven:
        text = f"Line {site.line} needs the value of a traced argument. The function was not run, because that would be noticed"
        text += "; no set of static arguments was found."
    elif site is not None and not found_rewrite and (listed := _unhashable_numbers(call, left)):
        return f"{_needed(site)}. {listed}"
    elif site is not None:
        text = _data(call, search, site)
    if search.static:
        text += f" {_and(sorted(search.static))} must be static as well."
    if not found_rewrite:
        text += f" No rewrite: {why_not.rstrip('.')}." if why_not else f" {_way(site)}"
    if search.bounded:
        text += " (The search was cut off by its bound.)"
    return text.strip()


def _unhashable_numbers(call: Call, left: Found) -> str:
    """Where sizes stand in a list or dict: out of it they could be static."""
    roots = frozenset().union(*left.roots)
    arguments = [argument for argument in call.arguments if argument.name in roots]
    if (
        not arguments
        or not all(left.numbers)
        or not all(isinstance(argument.value, (list, set, dict)) for argument in arguments)
    ):
        return ""
    name, kind = arguments[0].name, type(arguments[0].value).__name__
    text = f"{name} is a {kind}, which is not hashable and so cannot be static"
    if kind == "dict":
        paths = _and(list(dict.fromkeys(path for site in left.sites for path in site.arguments)))
        sized = all(site.operation in ("shape", "static parameter", "slice", "hash") for site in left.sites)
        return f"{text}: pass {paths} as an argument of its own and make that static." if sized else ""
    return f"{text}: pass a tuple and make {name} static."


def _data(call: Call, search: Search, site: Site) -> str:
    """What the site needs, and why no static argument gives it."""
    numbers = {argument.name for argument in call.arguments if isinstance(argument.value, bool | int | float | complex | str)}
    could = list(dict.fromkeys(path for path in site.arguments if path in numbers))
    others = [path for path in site.arguments if path not in could]
    if could and others:
        needing = f"`{_expression(site)}` still needs the value of {_and(others)}"
        return f"Making {_and(could)} static does not help: {needing}, which is data."
    data = _paths(site) or "a value that is computed under jit"
    text = f"Line {site.line} needs the value of {data}, which is data"
    floats = sorted(search.floats)
    if floats and could:
        return f"{text}: {_and(floats)} could be static, but a number that is only computed with would compile once per value."
    return f"{text}; making an argument static does not help."


def _expression(site: Site) -> str:
    """The code that needs the value; its whole line where the place within is not known."""
    line = linecache.getline(site.filename, site.line)
    on_this_line = site.end_line == site.line and site.column is not None and site.end_column is not None
    return (line[site.column : site.end_column].strip() if on_this_line and line.strip() == site.code else "") or site.code


_WAYS = {
    "if": "Write the choice with jnp.where, or with lax.cond if a branch must not run.",
    "ternary": "Write the choice with jnp.where, or with lax.cond if a branch must not run.",
    "while": "Write the loop with lax.while_loop.",
    "range": "Write the loop with lax.fori_loop, which takes a traced count.",
    "and": "Use & or jnp.logical_and in place of `and`.",
    "or": "Use | or jnp.logical_or in place of `or`.",
    "not": "Use ~ or jnp.logical_not in place of `not`.",
    "assert": "Check with jax.experimental.checkify, or outside the jitted function.",
    "numpy": "Use the jnp function in place of NumPy's.",
    "math": "Use the jnp function in place of math's.",
    "float": "Leave out float(); arithmetic with the array gives the same numbers.",
    "int": "Use .astype(int) in place of int().",
    "item": "Leave out .item(); arithmetic with the array gives the same numbers.",
    "mask": "Keep the shape and use jnp.where with the mask.",
    "slice": "Use lax.dynamic_slice, or a mask over the whole array.",
    "shape": "A shape cannot depend on data: use a fixed size and a mask.",
    "static parameter": "Give a fixed size (size=, num_segments=, …) and a mask.",
    "format": "Print with jax.debug.print, which formats when the program runs.",
    "max": "Use jnp.where or jnp.maximum in place of max.",
    "min": "Use jnp.where or jnp.minimum in place of min.",
    "sorted": "Use jnp.sort in place of sorted.",
    "any": "Use jnp.any in place of any.",
    "all": "Use jnp.all in place of all.",
    "index": "Stack the choices into one array and index that, or use lax.switch.",
    "hash": "A traced value has no hash: leave out the cache or the look-up.",
    "len": "Ask jnp.ndim or .shape, which are known while tracing.",
}


def _way(site: Site | None) -> str:
    if site is None:
        return ""
    if not site.arguments and site.operation == "mask":
        return "The mask depends on shapes only: build it with NumPy, or use jnp.where."
    return _WAYS.get(site.operation, "The function has to do without it (jnp.where, lax.cond, lax.while_loop).")


# failures that are no matter of static or traced


def for_refused(call: Call, refused: tuple[Argument, ...]) -> str:
    argument = refused[0]
    path, leaf = argument.bad_leaves[0]
    kind = type(leaf).__name__
    if leaf is argument.value:
        text = f"{argument.name} is a {kind}, which jit takes neither as traced (no array) nor as static (not hashable)."
        frozen = hasattr(type(leaf), "__dataclass_fields__")
        return text + (
            f" With @dataclass(frozen=True) {kind} could be static." if frozen else " Pass a hashable object in its place."
        )
    text = f"{path} is a {kind}, which is no JAX type"
    if argument.has_array:
        return text + f", and {argument.name} holds arrays, so it cannot be static: take {path} out of it before the call."
    return text + f", and a {type(argument.value).__name__} cannot be static: pass a tuple or a frozen dataclass."


def for_unhashable_static(call: Call) -> str | None:
    """An argument that is declared static and cannot be."""
    for argument in call.arguments:
        if argument.name in call.declared and not argument.hashable:
            kind = type(argument.value).__name__
            cure = "a tuple" if isinstance(argument.value, (list, set)) else "a hashable value (a tuple, a frozen dataclass)"
            return f"{argument.name} is declared static, but a {kind} is not hashable: pass {cure}."
    return None


def for_other_failure(call: Call, error: BaseException, plain_fails: bool | None) -> str:
    """One sentence: what it is, if it is no matter of static arguments."""
    text = " ".join(str(error).split())
    for rule in (_leak, _missing_attribute, _carry, _in_place, _integer_grad, _output, _inner_trace, _shapes, _own_check):
        said = rule(call, error, text)
        if said:
            return said
    name = type(error).__name__
    also = " Plain Python fails in the same way." if plain_fails else ""
    return f"{name}: {_cut(text)}.{also} No static argument has a part in it."


def _leak(call: Call, error: BaseException, text: str) -> str | None:
    if not isinstance(error, jax.errors.UnexpectedTracerError):
        return None
    where = next((leak.text for leak in leaks(call)), "")
    held = f": {where} still holds one" if where else ""
    cure = "Return such values from the function and keep nothing traced outside."
    return f"A tracer of an earlier trace is used again{held}. {cure}"


def _missing_attribute(call: Call, error: BaseException, text: str) -> str | None:
    found = re.search(r"Tracer'? (?:object )?has no attribute '?(\w+)", text)
    if not found or not isinstance(error, AttributeError):
        return None
    return f"JAX arrays have no {found[1]!r}, which arrays of NumPy or another library may have. No static argument helps."


def _carry(call: Call, error: BaseException, text: str) -> str | None:
    if re.search(r"carry|body_fun (input|output)|body function", text) and re.search(r"type|dtype|shape|structure", text):
        cure = "Start it with the type that the body returns."
        return f"The carry of a JAX loop changes its type from one step to the next: {_cut(text)}. {cure}"
    if re.search(r"true_fun and false_fun|branch(es)? .*(output|must have)|cond branches", text):
        return f"The branches of lax.cond or lax.switch give different types: {_cut(text)}."
    return None


def _in_place(call: Call, error: BaseException, text: str) -> str | None:
    if "immutable" in text and "item assignment" in text:
        return "JAX arrays are immutable: write x = x.at[i].set(v) in place of x[i] = v. Static arguments have no part in it."
    if isinstance(error, ValueError) and "setting an array element" in text:
        return "A traced value is written into a NumPy array: fill a JAX array with .at[i].set(v), or stack the values."
    return None


def _integer_grad(call: Call, error: BaseException, text: str) -> str | None:
    if "grad requires real- or complex-valued inputs" in text or "grad requires" in text:
        return "jax.grad needs floats, and got integers: pass floats (or jnp.asarray(x, float))."
    return None


def _output(call: Call, error: BaseException, text: str) -> str | None:
    fun = call.fun
    if inspect.isgeneratorfunction(fun):
        return "A generator function returns a generator, which is no JAX type: return an array of the values."
    found = re.search(r"returned a value of type (.*?)(?: at|,|$)", text)
    if found:
        return f"The function returns a value of type {found[1].strip()}, which is no JAX type: return arrays and numbers only."
    return None


def _inner_trace(call: Call, error: BaseException, text: str) -> str | None:
    if not isinstance(error, CONCRETIZATIONS) and not re.search(r"traced array|Tracer\(", text):
        return None
    who = re.search(r"while tracing the function (\w+) at \S+ for (\w+)", text)
    inner = "a function that JAX itself traces (scan, while_loop, vmap, checkpoint, an inner jit)"
    if who and who[1] != call.name.rsplit(".", 1)[-1]:
        inner = f"{who[1]}, traced by {who[2]},"
    return (
        f"Inside {inner} every argument is traced, with or without the outer jit: plain Python fails on this call too, and no "
        "static argument of the outer function cures it. Rewrite that body (jnp.where, lax.cond) or make the size static there."
    )


def _shapes(call: Call, error: BaseException, text: str) -> str | None:
    if re.search(r"shape|dimension|broadcast|axis|rank|ndim", text) and not isinstance(error, NameError):
        return f"The shapes do not fit: {_cut(text)}. No static argument has a part in it."
    return None


def _own_check(call: Call, error: BaseException, text: str) -> str | None:
    code = code_of(call.fun)
    if code is None or not re.search(r"racer|numpy|ndarray|array", text):
        return None
    return f"The function's own check refuses a traced array ({_cut(text)}): let it accept jax.Array as well."


def _cut(text: str, most: int = 160) -> str:
    text = text.split(" See https")[0].rstrip(". ")
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0] + " …"


def _and(names: Any) -> str:
    names = list(names)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else ""


def _needed(site: Site) -> str:
    """ "n (5) decides a shape"."""
    detail = site.detail or "is needed as a Python value"
    if len(site.arguments) > 1:
        detail = re.sub(r"^is\b", "are", re.sub(r"^(decide)s\b", r"\1", detail))
    return f"{_paths(site)} {detail}"


def _paths(site: Site) -> str:
    return _and([f"{path} ({site.values[path]})" if path in site.values else path for path in site.arguments])
