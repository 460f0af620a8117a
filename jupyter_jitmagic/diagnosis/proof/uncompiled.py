"""Running a function without compiling: the user's, operation by operation on NumPy, and the program of a rewrite.

An operation that JAX runs by itself is compiled first, for every shape anew, which takes longer than a whole trace. So that a
rewrite can be compared on arrays of other sizes, on other kinds of numbers and by its gradients, both sides are computed with
NumPy where it has the operation, and by JAX where it has not. Python gets every value that it asks for.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jax_internals import trace_parts
from jupyter_jitmagic.diagnosis.proof.numpy_ops import converted, fits, operation
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.limit import OutOfTime

_parts: Any = trace_parts()
"""None where this JAX has no classes for a trace of our own: then nothing can be run so (`can_run`)."""


def can_run() -> bool:
    return _parts is not None


def run(fun: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], deadline: Deadline) -> Any:
    """What plain Python gives for `fun(*args, **kwargs)`: its arrays become NumPy's, and come back as those.

    Raises:
        OutOfTime: the deadline is over.
    """
    trace = _Trace(deadline)
    given_args, given_kwargs = jax.tree_util.tree_map(lambda leaf: _given(trace, leaf), (tuple(args), dict(kwargs)))
    with _parts.set_current_trace(trace):
        out = fun(*given_args, **given_kwargs)
    return jax.tree_util.tree_map(lambda leaf: leaf.value if isinstance(leaf, _Tracer) else leaf, out)


def evaluate(traced: Any, args: Sequence[Any], deadline: Deadline) -> Any:
    """What the program of ``jax.jit(f).trace(…)`` gives for the leaves of its traced arguments.

    Raises:
        OutOfTime: the deadline is over.
    """
    closed = traced.jaxpr
    given = [np.asarray(_value(arg)) if fits(var.aval) else arg for arg, var in zip(args, closed.jaxpr.invars, strict=True)]
    given = [
        converted(arg, var.aval.dtype) if fits(var.aval) else arg for arg, var in zip(given, closed.jaxpr.invars, strict=True)
    ]
    leaves = _program(closed.jaxpr, closed.consts, given, deadline)
    return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(traced.out_info), leaves)


def _given(trace: _Trace, leaf: Any) -> Any:
    return _Tracer(trace, _parts.typeof(leaf), _value(leaf)) if isinstance(leaf, jax.Array) else leaf


def _value(leaf: Any) -> Any:
    if isinstance(leaf, _Tracer):
        return leaf.value
    if isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.extended):
        return leaf
    return np.asarray(leaf)


# -- programs -------------------------------------------------------------------------------------------


def _program(jaxpr: Any, consts: Sequence[Any], args: Sequence[Any], deadline: Deadline) -> list[Any]:
    known: dict[Any, Any] = {}

    def read(atom: Any) -> Any:
        return _as_operand(atom.val, atom.aval) if hasattr(atom, "val") else known[atom]

    known.update(zip(jaxpr.constvars, map(_value, consts), strict=True))
    known.update(zip(jaxpr.invars, args, strict=True))
    for equation in jaxpr.eqns:
        avals = [var.aval for var in equation.outvars]
        results = apply(equation.primitive, [read(atom) for atom in equation.invars], equation.params, avals, deadline)
        known.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def apply(primitive: Any, args: Sequence[Any], params: dict[str, Any], avals: Sequence[Any], deadline: Deadline) -> list[Any]:
    """The values of one operation."""
    if deadline.over():
        raise OutOfTime
    structured = _STRUCTURED.get(primitive.name)
    if structured is not None:
        return structured(params, args, deadline)
    if primitive.name in _SILENT:
        return []
    if primitive.name in _PROGRAMS and _is_known(program := _closed(params[_PROGRAMS[primitive.name]])):
        return _program(program[0], program[1], args, deadline)
    function = operation(primitive.name)
    if function is not None and all(map(fits, avals)) and all(isinstance(arg, np.ndarray) for arg in args):
        try:
            with np.errstate(all="ignore"):
                found = function(params, *args)
            found = found if primitive.multiple_results else [found]
            return [_shaped(value, aval) for value, aval in zip(found, avals, strict=True)]
        except (NotImplementedError, TypeError, OverflowError):
            pass  # NumPy knows this operation, but not of these dtypes or options: JAX does
    with _parts.eval_context():
        found = primitive.bind(*map(_for_jax, args), **params)
    return [_value(value) for value in (found if primitive.multiple_results else [found])]


def _for_jax(value: Any) -> Any:
    return jax.numpy.asarray(value) if isinstance(value, np.ndarray) else value


def _shaped(value: Any, aval: Any) -> Any:
    value = converted(value, aval.dtype)
    if value.shape != aval.shape:
        raise AssertionError(f"NumPy gave the shape {value.shape} instead of {aval.shape}")
    return value


_SILENT = frozenset({"debug_callback", "debug_print"})
_PROGRAMS = {
    "jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr", "eval_jaxpr": "call_jaxpr",
    "custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr", "custom_vjp_call_jaxpr": "fun_jaxpr",
    "checkpoint": "jaxpr", "remat2": "jaxpr", "remat": "jaxpr",
}  # fmt: skip
"""Operations that are a program of others, and the parameter that holds it."""


def _closed(program: Any) -> tuple[Any, Sequence[Any]]:
    return (program.jaxpr, program.consts) if hasattr(program, "consts") else (program, ())


def _is_known(program: tuple[Any, Any]) -> bool:
    """Whether NumPy has what the program consists of; one of jax.random is better compiled as a whole."""
    return not any(_is_random(equation) for equation in program[0].eqns)


def _is_random(equation: Any) -> bool:
    return equation.primitive.name.startswith(("random_", "threefry")) and len(equation.invars) > 0


def _while(params: dict[str, Any], args: Sequence[Any], deadline: Deadline) -> list[Any]:
    first, second = params["cond_nconsts"], params["body_nconsts"]
    of_test, of_body = args[:first], args[first : first + second]
    state = list(args[first + second :])
    test, body = _closed(params["cond_jaxpr"]), _closed(params["body_jaxpr"])
    while bool(_program(*test, [*of_test, *state], deadline)[0]):
        state = _program(*body, [*of_body, *state], deadline)
    return state


def _cond(params: dict[str, Any], args: Sequence[Any], deadline: Deadline) -> list[Any]:
    branches = params["branches"]
    which = min(max(int(args[0]), 0), len(branches) - 1)
    return _program(*_closed(branches[which]), args[1:], deadline)


def _scan(params: dict[str, Any], args: Sequence[Any], deadline: Deadline) -> list[Any]:
    constants, carried = _scan_parts(params, args)
    fixed, state, rows = args[:constants], list(args[constants : constants + carried]), args[constants + carried :]
    program, length = _closed(params["jaxpr"]), params["length"]
    kept: list[list[Any]] = [[] for _ in program[0].outvars[carried:]]
    order = range(length - 1, -1, -1) if params["reverse"] else range(length)
    for k in order:
        out = _program(*program, [*fixed, *state, *(np.asarray(row[k]) for row in rows)], deadline)
        state = out[:carried]
        for column, value in zip(kept, out[carried:], strict=True):
            column.append(value)
    stacked = []
    for column, var in zip(kept, program[0].outvars[carried:], strict=True):
        column = column[::-1] if params["reverse"] else column
        stacked.append(np.stack(column) if column else np.zeros((0, *var.aval.shape), var.aval.dtype))
    return [*state, *stacked]


def _scan_parts(params: dict[str, Any], args: Sequence[Any]) -> tuple[int, int]:
    """How many of a scan's operands are constants, and how many are carried."""
    if "num_consts" in params:
        return params["num_consts"], params["num_carry"]
    constants, carried, _ = map(list, params["ft_in"].update(args).unpack())  # JAX 0.12 and later
    return len(constants), len(carried)


_STRUCTURED: dict[str, Callable[[dict[str, Any], Sequence[Any], Deadline], list[Any]]] = {
    "while": _while,
    "cond": _cond,
    "scan": _scan,
}


# -- plain Python ---------------------------------------------------------------------------------------

if _parts is not None:

    class _Trace(_parts.Trace):  # type: ignore[misc]
        """Computes each operation at once."""

        __slots__ = ("deadline",)

        def __init__(self, deadline: Deadline) -> None:
            super().__init__()
            self.deadline = deadline

        def stage_value(self, val: Any) -> Any:
            return val if isinstance(val, _Tracer) else _Tracer(self, _parts.typeof(val), _as_operand(val, _parts.typeof(val)))

        def process_primitive(self, primitive: Any, tracers: Any, params: Any, /) -> Any:
            avals = [arg.aval if isinstance(arg, _Tracer) else _parts.typeof(arg) for arg in tracers]
            params = {name: _static(param) for name, param in params.items()}
            out_avals, _effects = primitive.abstract_eval(*avals, **params)
            several = primitive.multiple_results
            args = [_as_operand(arg, aval) for arg, aval in zip(tracers, avals, strict=True)]
            with _parts.eval_context():
                values = apply(primitive, args, params, out_avals if several else [out_avals], self.deadline)
            made = [
                _Tracer(self, aval, value) for aval, value in zip(out_avals if several else [out_avals], values, strict=True)
            ]
            return made if several else made[0]

        def process_call(self, primitive: Any, fun: Any, tracers: Any, params: Any, /) -> Any:
            with _parts.set_current_trace(self):
                return fun.call_wrapped(*tracers)

        def process_custom_jvp_call(self, primitive: Any, fun: Any, jvp: Any, tracers: Any, /, **_: Any) -> Any:
            with _parts.set_current_trace(self):
                return fun.call_wrapped(*tracers)

        def process_custom_vjp_call(self, primitive: Any, fun: Any, fwd: Any, bwd: Any, tracers: Any, /, **_: Any) -> Any:
            with _parts.set_current_trace(self):
                return fun.call_wrapped(*tracers)

        def cur_qdd(self, x: Any) -> Any:
            return x.cur_qdd()

    class _Tracer(_parts.Tracer):  # type: ignore[misc]
        """An array of plain Python's: its value is there for whoever asks."""

        __slots__ = ("value",)

        def __init__(self, trace: Any, aval: Any, value: Any) -> None:
            super().__init__(trace, aval)
            self.value = value

        def to_concrete_value(self) -> Any:
            return self.value

        def __bool__(self) -> bool:
            return bool(self.value)

        def __int__(self) -> int:
            return int(self.value)

        def __float__(self) -> float:
            return float(self.value)

        def __complex__(self) -> complex:
            return complex(self.value)

        def __index__(self) -> int:
            return operator.index(self.value.item() if self.value.ndim == 0 else self.value)

        def __array__(self, *args: Any, **kwargs: Any) -> Any:
            return np.array(self.value, *args)  # a copy, as of a JAX array, that nobody can write through

        def __format__(self, spec: str) -> str:
            return format(self.value[()], spec)

        def __repr__(self) -> str:
            return repr(self.value)

        def item(self, *args: Any) -> Any:
            return self.value.item(*args)

        def tolist(self) -> Any:
            return self.value.tolist()

        def tobytes(self, order: Any = "C") -> Any:
            return self.value.tobytes(order)


def _as_operand(arg: Any, aval: Any) -> Any:
    value = _value(arg)
    return converted(value, aval.dtype) if isinstance(value, np.ndarray) and fits(aval) else value


def _static(param: Any) -> Any:
    """A parameter that JAX compiles into the program: plain Python has its value."""
    if isinstance(param, _Tracer):
        return param.value[()]
    if type(param) is tuple and any(isinstance(item, _Tracer) for item in param):
        return tuple(map(_static, param))
    return param
