"""JAX's rules for taking operations backwards: asked of JAX once for each kind of operands, or written down where they say the
same for all shapes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jax_internals import trace_parts
from jupyter_jitmagic.diagnosis.uncompiled.indexing import Place
from jupyter_jitmagic.diagnosis.uncompiled.numpy_ops import converted
from jupyter_jitmagic.diagnosis.uncompiled.programs import Operation, Program, Values, Watch, by_element, plain_value

_parts: Any = trace_parts()
Flags = Sequence[bool]
Pull = Callable[[Values, Values, Flags, Watch], Values]
"""An operation backwards: from its operands, its results' cotangents and which operands are wanted to the operands' cotangents;
None stands for one that is zero because nothing depends on it."""


class NotKnown(Exception):
    """Something cannot be taken backwards here: it is JAX's to do, or to refuse."""


class Refused(NotKnown):
    """JAX refuses to take it backwards."""


def has_rule(name: str) -> bool:
    """Whether there is a rule for a primitive of this name."""
    return name in _PULLS or name in _OF_ELEMENTS or name in _BY_SHAPE


def rule_of(primitive: Any, params: dict[str, Any]) -> Pull:
    """A primitive, backwards.

    Raises:
        NotKnown: there is no rule for it.
    """
    name = primitive.name
    if name in _PULLS:
        return functools.partial(_PULLS[name], params)
    if name in _OF_ELEMENTS:
        return functools.partial(_by_element, primitive, tuple(sorted(params.items())))
    if name in _BY_SHAPE:
        return functools.partial(_by_shape, primitive, tuple(sorted(params.items())))
    raise NotKnown(name)


def rule_of_numbers(program: Any) -> Pull:
    """A program of single numbers that is run on arrays, backwards."""
    return functools.partial(_by_element, program, ())


def rule_of_place(place: Place, method: str) -> Pull:
    """A method of a `Place`, backwards."""
    return functools.partial(_PLACED[method], place)


def _by_element(rule: Any, params: tuple[Any, ...], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    """By the rule for single numbers, in arrays of every shape."""
    dtypes = tuple(arg.dtype for arg in args)
    known = _of_numbers(rule, params, dtypes, tuple(wanted), jax.config.jax_enable_x64)
    if known is None:
        return _by_shape(rule, params, args, cotangents, wanted, watch)
    run, out = known
    found: list[Any] = [None] * len(args)
    for k, value in zip(out, run([*args, cotangents[0]], watch), strict=True):
        found[k] = _summed_to(value, args[k].shape)
    return found


def _summed_to(cotangent: Any, shape: tuple[int, ...]) -> Any:
    """The cotangent of an array that was used in a larger shape."""
    if cotangent.shape == shape:
        return cotangent
    extra = cotangent.ndim - len(shape)
    axes = tuple(k for k in range(cotangent.ndim) if k < extra or (shape[k - extra] == 1 and cotangent.shape[k] != 1))
    return np.asarray(cotangent.sum(axis=axes, dtype=cotangent.dtype)).reshape(shape)


@functools.lru_cache(maxsize=2048)
def _of_numbers(
    rule: Any, params: tuple[Any, ...], dtypes: tuple[Any, ...], wanted: tuple[bool, ...], _x64: bool
) -> tuple[Operation, Sequence[int]] | None:
    """(what computes the cotangents of single operands from these and the result's cotangent, which operands'); None where that
    is nothing for each element alone."""
    operands = [jax.ShapeDtypeStruct((), dtype) for dtype in dtypes]
    jaxpr, out, consts = _rule(rule, params, operands, wanted, (True,))
    run = None if consts else by_element(jaxpr)
    return None if run is None else (run, out)


def _by_shape(rule: Any, params: tuple[Any, ...], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    """By the rule for operands of these shapes."""
    given = tuple(each is not None for each in cotangents)
    avals = tuple((arg.shape, arg.dtype) for arg in args)
    program, out, consts = _of_shapes(rule, params, avals, tuple(wanted), given, jax.config.jax_enable_x64)
    values = program(consts, [*args, *(each for each in cotangents if each is not None)], watch)
    found: list[Any] = [None] * len(args)
    for k, value in zip(out, values, strict=True):
        found[k] = value
    return found


@functools.lru_cache(maxsize=512)
def _of_shapes(
    rule: Any, params: tuple[Any, ...], avals: tuple[Any, ...], wanted: tuple[bool, ...], given: tuple[bool, ...], _x64: bool
) -> tuple[Program, Sequence[int], list[Any]]:
    jaxpr, out, consts = _rule(rule, params, [jax.ShapeDtypeStruct(*aval) for aval in avals], wanted, given)
    return Program(jaxpr), out, list(map(plain_value, consts))


def _rule(
    rule: Any, params: tuple[Any, ...], operands: Sequence[Any], wanted: Flags, given: Flags
) -> tuple[Any, Sequence[int], Sequence[Any]]:
    """(a program that gives cotangents of operands from these and those of the results that are `given`, of which operands,
    its constants). `rule` is a primitive, or a closed jaxpr."""
    chosen = [k for k, is_wanted in enumerate(wanted) if is_wanted]

    def apply(*args: Any) -> Sequence[Any]:
        if hasattr(rule, "jaxpr"):
            return list(jax.core.eval_jaxpr(rule.jaxpr, rule.consts, *args))
        out = rule.bind(*args, **dict(params))
        return list(out) if rule.multiple_results else [out]

    def backwards(args: list[Any], cotangents: list[Any]) -> Sequence[Any]:
        def of_chosen(*differentiated: Any) -> Sequence[Any]:
            full = list(args)
            for k, value in zip(chosen, differentiated, strict=True):
                full[k] = value
            return [value for value, is_given in zip(apply(*full), given, strict=True) if is_given]

        _, pull = jax.vjp(of_chosen, *(args[k] for k in chosen))
        return list(pull(cotangents))

    with _parts.eval_context():
        shapes = jax.eval_shape(lambda args: apply(*args), list(operands))
        results = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each, flag in zip(shapes, given, strict=True) if flag]
        closed = jax.make_jaxpr(backwards)(list(operands), results)
    jaxpr = closed.jaxpr
    depends = set(jaxpr.invars[len(operands) :])
    for equation in jaxpr.eqns:
        if not depends.isdisjoint(atom for atom in equation.invars if not hasattr(atom, "val")):
            depends.update(equation.outvars)
    # what does not go by a cotangent is zero: JAX has put it there for nothing
    kept = [(k, atom) for k, atom in zip(chosen, jaxpr.outvars, strict=True) if not hasattr(atom, "val") and atom in depends]
    atoms = [atom for _, atom in kept]
    needed = set(atoms)
    live: list[Any] = []
    for equation in reversed(jaxpr.eqns):
        if not needed.isdisjoint(equation.outvars):
            live.insert(0, equation)
            needed.update(atom for atom in equation.invars if not hasattr(atom, "val"))
    made = SimpleNamespace(constvars=jaxpr.constvars, invars=jaxpr.invars, eqns=live, outvars=atoms)
    return made, [k for k, _ in kept], closed.consts


# -- rules that say the same for every shape -------------------------------------------------------------


def _pull_sum(params: dict[str, Any], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    return [np.broadcast_to(np.expand_dims(cotangents[0], tuple(params["axes"])), args[0].shape)]


def _pull_broadcast(params: dict[str, Any], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    places, value = params["broadcast_dimensions"], args[0]
    stretched = [place for place, size in zip(places, value.shape, strict=True) if size != params["shape"][place]]
    axes = tuple(k for k in range(len(params["shape"])) if k not in places or k in stretched)
    summed = cotangents[0].sum(axis=axes, dtype=value.dtype) if axes else cotangents[0]
    return [np.asarray(summed).reshape(value.shape), *[None] * (len(args) - 1)]


def _pull_reshaped(params: dict[str, Any], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    order = params.get("dimensions") if "new_sizes" in params else None  # of a `reshape`, of which axis is read first
    if order is None:
        return [cotangents[0].reshape(args[0].shape), *[None] * (len(args) - 1)]
    turned = cotangents[0].reshape([args[0].shape[axis] for axis in order])
    return [np.transpose(turned, np.argsort(order)), *[None] * (len(args) - 1)]


def _pull_transposed(params: dict[str, Any], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    return [np.transpose(cotangents[0], np.argsort(params["permutation"]))]


def _pull_flipped(params: dict[str, Any], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    return [np.flip(cotangents[0], tuple(params["dimensions"]))]


def _pull_converted(params: dict[str, Any], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    return [converted(cotangents[0], args[0].dtype)]


def _pull_selected(params: dict[str, Any], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    which, cotangent = args[0], cotangents[0]
    zero = np.zeros((), cotangent.dtype)
    cases = [np.where(which == k, cotangent, zero) if flag else None for k, flag in enumerate(wanted[1:])]
    return [None, *cases]


def _pull_joined(params: dict[str, Any], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    along = params["dimension"]
    return list(np.split(cotangents[0], np.cumsum([arg.shape[along] for arg in args])[:-1], along))


def _pull_cut(params: dict[str, Any], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    made = np.zeros_like(args[0])
    strides = params["strides"] or (1,) * made.ndim
    made[tuple(map(slice, params["start_indices"], params["limit_indices"], strides))] = cotangents[0]
    return [made]


def _pull_same(params: dict[str, Any], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    return [cotangents[0]]


def _pull_nothing(params: dict[str, Any], args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    return [None] * len(args)


def _pull_read(place: Place, args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    made = np.zeros_like(args[0])
    made[place.index(args[1:])] = cotangents[0]
    return [made, *[None] * (len(args) - 1)]


def _pull_written(place: Place, args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    index = place.index(args[1:-1])
    kept = cotangents[0].copy()
    kept[index] = 0
    return [kept, *[None] * (len(args) - 2), _summed_to(cotangents[0][index], args[-1].shape)]


def _pull_added(place: Place, args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
    index = place.index(args[1:-1])
    return [cotangents[0], *[None] * (len(args) - 2), _summed_to(cotangents[0][index], args[-1].shape)]


_PLACED = {"read": _pull_read, "written": _pull_written, "added": _pull_added}
FLAT = frozenset({"floor", "ceil", "round", "sign", "stop_gradient"})
_PULLS: dict[str, Callable[..., Values]] = {
    "reduce_sum": _pull_sum,
    "broadcast_in_dim": _pull_broadcast,
    "reshape": _pull_reshaped,
    "squeeze": _pull_reshaped,
    "expand_dims": _pull_reshaped,
    "transpose": _pull_transposed,
    "rev": _pull_flipped,
    "convert_element_type": _pull_converted,
    "select_n": _pull_selected,
    "concatenate": _pull_joined,
    "slice": _pull_cut,
    "copy": _pull_same,
    "copy_p": _pull_same,
    **dict.fromkeys(FLAT, _pull_nothing),
}
_OF_ELEMENTS = frozenset(
    {
        "add", "add_any", "sub", "mul", "div", "neg", "abs", "max", "min", "exp", "exp2", "log", "log1p", "expm1", "sin", "cos",
        "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "atan2", "sqrt", "cbrt", "rsqrt",
        "square", "pow", "integer_pow", "logistic", "rem", "erf", "erfc", "erf_inv", "lgamma", "digamma",
    }
)  # fmt: skip
_BY_SHAPE = frozenset(
    {
        "dot_general", "gather", "dynamic_slice", "dynamic_update_slice", "scatter", "scatter-add", "scatter_add",
        "scatter-max", "scatter_max", "scatter-min", "scatter_min", "reduce_max", "reduce_min", "reduce_prod", "cumsum",
        "cumprod", "cummax", "cummin", "sort", "top_k", "pad", "split", "clamp", "stack", "unstack",
    }
)  # fmt: skip
