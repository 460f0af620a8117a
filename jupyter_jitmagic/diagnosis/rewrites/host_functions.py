"""NumPy's and SciPy's functions → JAX's own, told by the object that is called, however it is spelled."""

from __future__ import annotations

import ast
import importlib.util
import itertools
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import jax.numpy as jnp
import jax.scipy.special
import jax.scipy.stats
import numpy as np

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.base.refused import REFUSED_FILL, REFUSED_INDEX, REFUSED_LIST
from jupyter_jitmagic.diagnosis.proof.own_numbers import OUTSIDE
from jupyter_jitmagic.diagnosis.rewrites.rules import INDEX, Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import words

_PACKAGES = (
    "numpy", "numpy.linalg", "numpy.fft", "scipy.special", "scipy.stats", "scipy.linalg", "scipy.fft", "scipy.signal",
    "scipy.ndimage", "scipy.integrate", "scipy.interpolate", "scipy.spatial.transform",
)  # fmt: skip
_OF_POSITIVE = words("special.digamma special.polygamma special.betaln special.zeta")
_NAN = {"nan": "NaN, which JAX's distributions take for a value outside"}
_SCALE = {OUTSIDE: "a scale that is not positive, of which SciPy makes NaN"}
_OF_ONE_HALF = words("linalg.cholesky linalg.eigh linalg.eigvalsh")
"""What reads one half of a symmetric matrix in NumPy; jnp takes the mean of both, which is another number where they differ."""
_BOTH_HALVES = "symmetrize_input"
_NO_WHOLE = {"nan": "NaN, of which every processor makes another whole number"}
_NOT_POSITIVE = dict.fromkeys(
    ("zero", "negated"), "arguments that are not positive, for which JAX's function gives other values"
)


def called(spot: Spot) -> Iterator[Step]:
    """`np.exp(x)` → `jnp.exp(x)`, SciPy's `erf(x)` → `jax.scipy.special.erf(x)`; `norm.cdf(x)`, `np.maximum.accumulate(x)`."""
    node = spot.node
    if not isinstance(node, ast.Call) or spot.kind == INDEX:
        return
    names = host_names(spot, node.func)
    if not names:
        return
    if names[0].startswith("numpy.random"):
        raise Obstacle("NumPy's random numbers are drawn once, while tracing; use jax.random with a key")
    dotted = next((name for name in names if _in_jax(name)), None)
    if dotted is None:
        package, _, name = names[0].partition(".")
        own, host = ("jax.numpy", "NumPy") if package == "numpy" else ("jax.scipy", "SciPy")
        if package == "scipy" and _in_part_of_jax(name):
            raise Obstacle(f"SciPy computes {name} on the host, and jax.scipy.{name} takes other arguments")
        raise Obstacle(f"{own} has no {name}, which {host} computes on the host")
    if ".linalg." in dotted:
        spot.refuse_where_caught(np.linalg.LinAlgError)
    package, _, name = dotted.partition(".")
    text = spot.jnp(name) if package == "numpy" else spot.jax(f"scipy.{name}")
    excludes = _excluded(name) | (_SCALE if name.startswith("stats.") and _has_scale(spot, node) else {})
    halved = name in _OF_ONE_HALF and package == "numpy" and not any(each.arg in (_BOTH_HALVES, None) for each in node.keywords)
    if not (halved and _is_given(spot, node)):
        yield spot.step("jnp", (node.func, text), excludes=excludes)
    if halved:
        end = spot.code.span(node)[1] - 1
        given = "" if spot.code.text[:end].rstrip().endswith(",") else ", "
        text = spot.jnp(name)
        yield spot.step("jnp", (node.func, text), ((end, end), f"{given}{_BOTH_HALVES}=False"), excludes=excludes)
    if node.args and isinstance(node.args[0], ast.List | ast.ListComp | ast.GeneratorExp | ast.Tuple):
        text = spot.jnp(name) if package == "numpy" else spot.jax(f"scipy.{name}")
        yield spot.step("jnp", (node.func, text), (node.args[0], f"{spot.jnp('array')}({spot.code.expr(node.args[0])})"))


def _is_given(spot: Spot, call: ast.Call) -> bool:
    """Whether a matrix is an argument, or one beside others (`cov + jitter * np.eye(n)`): a caller's may have two halves."""
    function, parts = spot.function, list(ast.walk(call.args[0])) if call.args else []
    if function is None or any(isinstance(each, ast.MatMult) for each in parts):
        return False
    parameters = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    tables = [each for each in parts if isinstance(each, ast.Name) and each.id in parameters]
    return any((fact := spot.fact(each)) is not None and fact.ndim == 2 for each in tables)


def listed(spot: Spot) -> Iterator[Step]:
    """`jnp.percentile(x, [5, 95])`, where NumPy took the list → `jnp.percentile(x, jnp.array([5, 95]))`; the lists among what
    is joined, too: `jnp.concatenate([[0], x])`."""
    node, refused = spot.node, REFUSED_LIST.search(str(spot.error))
    if refused is None or not isinstance(node, ast.Call) or spot.code.src(node.func).endswith("where"):
        return  # of a choice that a draft wrote the sides are the user's own tuples
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=[ast.List(elts=parts) | ast.Tuple(elts=parts), *_]) if (
            name in _JOINING
        ):
            lists = [part for part in parts if _is_list(spot, part)]
            if lists:
                yield spot.step("jnp", *((each, f"{spot.jnp('array')}({spot.code.expr(each)})") for each in lists))
            return
    listed = [each for each in (*node.args, *(each.value for each in node.keywords)) if _is_list(spot, each)]
    place = int(refused[1])
    if place < len(node.args):
        listed = [node.args[place]]
    if listed:
        yield spot.step("jnp", (listed[0], f"{spot.jnp('array')}({spot.code.expr(listed[0])})"))


def listed_index(spot: Spot) -> Iterator[Step]:
    """`x[[i, j]]`, as NumPy takes it → `x[jnp.array([i, j])]`; also of `x.at[[i, j]].set(v)`."""
    node = spot.node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    if isinstance(node, ast.Subscript) and REFUSED_INDEX.search(str(spot.error)):
        yield spot.step("jnp", (node.slice, f"{spot.jnp('array')}({spot.code.expr(node.slice)})"))


def joined_by_index(spot: Spot) -> Iterator[Step]:
    """`np.r_[0, x > t, 0]` → `jnp.r_[0, x > t, 0]`; `np.c_` alike."""
    for node in (spot.node, *itertools.takewhile(lambda at: isinstance(at, ast.expr), spot.code.ancestors(spot.node))):
        match node:
            case ast.Subscript(value=ast.Attribute(attr="r_" | "c_" as name) as joins) if spot.value(joins) in (np.r_, np.c_):
                yield spot.step("jnp", (joins, spot.jnp(name)))
                return


def filled(spot: Spot) -> Iterator[Step]:
    """`x.fill(v)` → `x = jnp.full_like(x, v)`."""
    if not REFUSED_FILL.search(str(spot.error)):
        return
    statement = spot.code.statement(spot.node)
    match statement:
        case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(name), attr="fill"), args=[value], keywords=[])):
            text = f"{name} = {spot.jnp('full_like')}({name}, {spot.code.expr(value)})"
            yield spot.step("jnp", (statement, text))


def _is_list(spot: Spot, node: ast.expr) -> bool:
    fact = spot.fact(node)
    return isinstance(node, ast.List | ast.Tuple) or (fact is not None and fact.sort in ("list", "tuple"))


def scalar(spot: Spot) -> Iterator[Step]:
    """`np.float32(x.sum())` → `jnp.float32(x.sum())`; `np.float64(x)` → `jnp.asarray(x, float)`, in JAX's own precision."""
    node = spot.node
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
        return
    kind = spot.value(node.func)
    if not isinstance(kind, type) or not issubclass(kind, np.number | np.bool_) or not hasattr(jnp, kind.__name__):
        return
    if kind in _PRECISE:
        edit: tuple[ast.AST, str] = (node, f"{spot.jnp('asarray')}({spot.code.expr(node.args[0])}, {_PRECISE[kind]})")
    else:
        edit = node.func, spot.jnp(kind.__name__)
    yield spot.step("jnp", edit, excludes=_NO_WHOLE if issubclass(kind, np.integer) else None)


def of_floats(spot: Spot) -> Iterator[Step]:
    """`jax.scipy.stats.norm.ppf(a)`, which takes floats alone, of an int that SciPy takes → of `jnp.asarray(a, float)`; the
    places of a fit, too (`jnp.polyfit(np.arange(n), y, 1)`)."""
    node = spot.node
    if isinstance(node, ast.Call) and isinstance(spot.error, TypeError | ValueError) and _OF_FLOATS.search(str(spot.error)):
        edits = [(each, spot.code.expr(each)) for each in node.args if not isinstance(each, ast.Starred)]
        array = spot.jnp("asarray")
        if edits and not edits[0][1].startswith(array):
            yield spot.step("jnp", (edits[0][0], f"{array}({edits[0][1]}, float)"))


_JOINING = words("concatenate stack hstack vstack column_stack append")
_OF_FLOATS = re.compile(r"dtype=u?int\d+ is not supported|u?int\d+\W* not (inexact|compatible with finfo)")
_PRECISE: dict[type, str] = {np.float64: "float", np.int64: "int", np.complex128: "complex"}


def _has_scale(spot: Spot, call: ast.Call) -> bool:
    """Whether a distribution is given its scale, which comes behind its parameters and its place."""
    method = spot.value(call.func)
    owner = spot.value(call.func.value) if method is None and isinstance(call.func, ast.Attribute) else None
    parameters = attribute(owner or attribute(method, "__self__", None), "numargs", 0)
    return len(call.args) > parameters + 2 or any(each.arg in ("scale", None) for each in call.keywords)


def _excluded(name: str) -> dict[str, str]:
    if name == "interp":
        return {"nan": "NaN, of which NumPy's interp makes something else"}
    if name in _OF_POSITIVE:
        return _NOT_POSITIVE
    return _NAN if name.startswith("stats.") and not name.startswith("stats.norm.") else {}


def host_names(spot: Spot, func: ast.expr) -> list[str]:
    """The public names of a function of NumPy or SciPy ("scipy.special.erf"), the one that it has itself first; [] for others.

    `func` is looked up without evaluating anything of the user's: a name, or attributes of modules and of NumPy's and SciPy's
    own objects (`np.maximum.accumulate`, `norm.cdf`).
    """
    value = spot.value(func)
    if value is None and isinstance(func, ast.Attribute):
        owner = spot.value(func.value)
        if isinstance(owner, types.ModuleType):
            return [f"{owner.__name__}.{func.attr}"] if owner.__name__.split(".")[0] in ("numpy", "scipy") else []
        if isinstance(owner, np.ufunc) or _package(type(owner)) == "scipy":  # a ufunc's method, a distribution's
            return [f"{name}.{func.attr}" for name in _names_of(owner)]
        return []
    if value is None or isinstance(value, type | np.vectorize) or not callable(value):
        return []
    owner = attribute(value, "__self__", None)
    if isinstance(owner, np.ufunc) or _package(type(owner)) == "scipy":
        return [f"{name}.{value.__name__}" for name in _names_of(owner)]
    if not isinstance(value, np.ufunc) and _package(value) not in ("numpy", "scipy"):
        return []
    spelled = isinstance(func, ast.Attribute) and spot.value(func.value)
    found = _names_of(value)
    if isinstance(spelled, types.ModuleType) and isinstance(func, ast.Attribute):
        found.insert(0, f"{spelled.__name__}.{func.attr}")
    name = attribute(value, "__name__", type(value).__name__)  # of an object that is called, as a spline, its class
    return found or [f"{value.__module__.split('._')[0]}.{name}"]


def _package(value: object) -> str:
    return str(attribute(value, "__module__", None) or "").split(".")[0]


def _names_of(value: object) -> list[str]:
    """Where NumPy and SciPy hold this object, by name."""
    modules = [sys.modules[name] for name in _PACKAGES if name in sys.modules]
    return [f"{module.__name__}.{name}" for module in modules for name, held in list(vars(module).items()) if held is value]


def _in_jax(dotted: str) -> bool:
    """Whether JAX has the function under the same name, and it takes the same arguments."""
    package, *parts = dotted.split(".")
    if package == "scipy" and parts[0] in _OTHER_ARGUMENTS:
        return False
    found: object = jnp if package == "numpy" else jax.scipy
    for part in parts:
        found = getattr(found, part, None)
    return callable(found)


_OTHER_ARGUMENTS = frozenset({"optimize"})


def _in_part_of_jax(name: str) -> bool:
    """Whether a module of jax.scipy that `import jax` leaves out has this function, as "optimize.minimize". Nothing is
    imported for it: what is loaded decides what may be written into the user's code."""
    module, _, function = name.rpartition(".")
    try:
        found = importlib.util.find_spec(f"jax.scipy.{module}")
        text = Path(found.origin).read_text(encoding="utf-8") if found is not None and found.origin else ""
    except (ImportError, OSError, ValueError):
        return False
    return re.search(rf"\b{re.escape(function)} as {re.escape(function)}\b", text) is not None


RULES: list[Rule] = [called, joined_by_index, listed, listed_index, filled, scalar, of_floats]
