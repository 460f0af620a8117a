"""A traced program run without compiling: operation by operation on NumPy, and by JAX where NumPy has not the operation.

A program is made ready once (which function, which operands) and then runs on any number of inputs.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jax_internals import as_jax, trace_parts
from jupyter_jitmagic.diagnosis.uncompiled import keys, threefry
from jupyter_jitmagic.diagnosis.uncompiled.drawn import is_drawing, remembered
from jupyter_jitmagic.diagnosis.uncompiled.numpy_ops import converted, element_operation, fits, in_single, operation
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.limit import OutOfTime

_parts: Any = trace_parts()
_LOOK_EVERY = 50  # operations between two looks at the clock

Values = Sequence[Any]
Operation = Callable[[Values, "Watch"], Values]
"""The values of one operation, from its operands'."""


class Watch:
    """A deadline at which the operations look, not each of them: looking costs as much as a small operation.

    Args:
        deadline: when they have to end.
        most: how many there may be; counted, so that a slow machine takes as much as a fast one.
        room: how many elements an array may have: one operation that makes gigabytes looks at no clock.

    Attributes:
        operations: how many there were.
        largest: how many elements the largest array had that was made where sizes are new.
    """

    def __init__(self, deadline: Deadline, most: float = float("inf"), room: float = float("inf")) -> None:
        self._deadline, self._most, self._room, self.operations, self.largest = deadline, most, room, 0, 0
        self._next: float = 0

    def make(self, avals: Sequence[Any]) -> None:
        """One more operation, which makes arrays like these.

        Raises:
            OutOfTime: as `tick`, or one of them is too large.
        """
        self.tick()
        for aval in avals:
            size = aval.size
            if size > self.largest:
                self.largest = size
                if size > self._room:
                    raise OutOfTime

    def tick(self) -> None:
        """One more operation.

        Raises:
            OutOfTime: the deadline is over, or there were too many.
        """
        self.operations += 1
        if self.operations > self._next:
            self._next = min(self.operations + _LOOK_EVERY, self._most)
            if self.operations > self._most or self._deadline.over():
                raise OutOfTime


def evaluate(traced: Any, args: Values, deadline: Deadline) -> Any:
    """What the program of ``jax.jit(f).trace(…)`` gives for the leaves of its traced arguments.

    Raises:
        OutOfTime: the deadline is over.
    """
    closed = traced.jaxpr
    given = [as_operand(arg, var.aval) for arg, var in zip(args, closed.jaxpr.invars, strict=True)]
    with np.errstate(all="ignore"):
        leaves = program_of(closed.jaxpr)(list(map(plain_value, closed.consts)), given, Watch(deadline))
    return jax.tree_util.tree_unflatten(_result_tree(traced), leaves)


def _result_tree(traced: Any) -> Any:
    try:
        return _trees[traced]
    except KeyError:
        return _trees.setdefault(traced, jax.tree_util.tree_structure(traced.out_info))
    except TypeError:  # a trace that cannot be looked up
        return jax.tree_util.tree_structure(traced.out_info)


_trees: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def plain_value(leaf: Any) -> Any:
    """A JAX array as NumPy's; what NumPy has no dtype for stays."""
    if type(leaf) is np.ndarray:
        return leaf
    if isinstance(leaf, jax.Array) and type(leaf.dtype) not in _OF_NUMPY and is_extended(leaf.dtype):
        return leaf
    return np.asarray(leaf)


_OF_NUMPY = frozenset(type(np.dtype(each)) for each in (bool, np.float32, np.float64, np.int32, np.int64, np.uint32))


def is_extended(dtype: Any) -> bool:
    """Whether NumPy has no such dtype."""
    return bool(jax.dtypes.issubdtype(dtype, jax.dtypes.extended))


def as_operand(value: Any, aval: Any) -> Any:
    """A value with the dtype that an operation takes it for."""
    value = plain_value(value)
    return converted(value, aval.dtype) if type(value) is np.ndarray and fits(aval) else value


class Program:
    """A jaxpr made ready to run.

    Args:
        jaxpr: an open one; its constants are given at each run.

    Attributes:
        steps: its operations, with the places of their operands and results among the values.
        consts, given, out: the places of its constants, arguments and results.
    """

    def __init__(self, jaxpr: Any) -> None:
        places: dict[Any, int] = {}
        self._start: list[Any] = []

        def place(atom: Any) -> int:
            if hasattr(atom, "val"):
                self._start.append(as_operand(atom.val, atom.aval))
                return len(self._start) - 1
            if atom not in places:
                places[atom] = len(self._start)
                self._start.append(None)
            return places[atom]

        self.consts = list(map(place, jaxpr.constvars))
        self.given = list(map(place, jaxpr.invars))
        self.steps = [
            (
                operation_of(equation.primitive, equation.params, [var.aval for var in equation.outvars]),
                list(map(place, equation.invars)),
                list(map(place, equation.outvars)),
            )
            for equation in jaxpr.eqns
        ]
        self.out = list(map(place, jaxpr.outvars))

    def __call__(self, consts: Values, args: Values, watch: Watch) -> list[Any]:
        """The program's results as NumPy arrays.

        Raises:
            OutOfTime: the watch's deadline is over.
        """
        values = self.values(consts, args, watch)
        return [values[k] for k in self.out]

    def values(self, consts: Values, args: Values, watch: Watch) -> list[Any]:
        """All that is computed, by place."""
        values = self._start.copy()
        for k, value in zip(self.consts, consts, strict=True):
            values[k] = value
        for k, value in zip(self.given, args, strict=True):
            values[k] = value
        tick = watch.tick
        for run, given, out in self.steps:
            tick()
            found = run([values[m] for m in given], watch)
            if len(out) == 1:
                (values[out[0]],) = found
                continue
            for k, value in zip(out, found, strict=True):
                values[k] = value
        return values


_known: weakref.WeakKeyDictionary[Any, Program] = weakref.WeakKeyDictionary()


def program_of(jaxpr: Any) -> Program:
    """An open jaxpr made ready, once."""
    found = _known.get(jaxpr)
    if found is None:
        found = _known[jaxpr] = Program(jaxpr)
    return found


def inner_program(program: Any) -> Callable[[Values, Watch], list[Any]]:
    """A program that stands in an operation's parameters, closed or open."""
    jaxpr, consts = (program.jaxpr, program.consts) if hasattr(program, "consts") else (program, ())
    run, known = program_of(jaxpr), list(map(plain_value, consts))
    return lambda args, watch: run(known, args, watch)


def by_element(jaxpr: Any) -> Operation | None:
    """A program of single numbers without constants, made ready to run on arrays of any one shape; None where its operations
    are not all for each element alone."""
    steps: list[tuple[Any, Callable[..., Any], Any, Any]] = []
    places: dict[Any, int] = {}
    start: list[Any] = []

    def place(atom: Any) -> int:
        if hasattr(atom, "val"):
            start.append(as_operand(atom.val, atom.aval))
            return len(start) - 1
        if atom not in places:
            places[atom] = len(start)
            start.append(None)
        return places[atom]

    given = list(map(place, jaxpr.invars))
    for equation in jaxpr.eqns:
        name, out = equation.primitive.name, equation.outvars
        function = element_operation(name)
        if function is None or len(out) != 1 or not all(fits(atom.aval) for atom in (*equation.invars, *out)):
            return None
        steps.append((equation.params, function, list(map(place, equation.invars)), (place(out[0]), out[0].aval.dtype)))
    last = list(map(place, jaxpr.outvars))

    def run(args: Values, watch: Watch) -> Values:
        values = start.copy()
        for k, value in zip(given, args, strict=True):
            values[k] = value
        for params, function, operands, (k, dtype) in steps:
            watch.tick()
            value = function(params, *[values[m] for m in operands])
            if type(value) is not np.ndarray:
                value = np.asarray(value)
            values[k] = value if value.dtype == dtype else converted(value, dtype)
        return [values[k] for k in last]

    return run


def operation_of(primitive: Any, params: dict[str, Any], avals: Sequence[Any]) -> Operation:
    """An operation made ready, which says in `equation` what it is; `avals` are its results'."""
    made: Any = _ready(primitive, params, avals)
    made.equation = primitive, params
    return made  # type: ignore[no-any-return]


def _ready(primitive: Any, params: dict[str, Any], avals: Sequence[Any]) -> Operation:
    name = primitive.name
    if name in _STRUCTURED:
        return _STRUCTURED[name](params)
    if name in _SILENT:
        return lambda args, watch: []
    if name in threefry.OPERATIONS:
        return _drawing(primitive, params)
    if name in _SPECIAL:
        return _in_blocks(_by_jax(primitive, params))
    if name in _PROGRAMS:
        program = params[_PROGRAMS[name]]
        return _by_jax(primitive, params) if is_random(program) else inner_program(program)
    function = operation(name)
    if function is None and getattr(primitive.impl, "__module__", "").startswith(_WRITTEN_IN_JAX):
        return _by_its_own_code(primitive, params)
    if function is not None and not all(map(fits, avals)):
        function = in_single(name, avals)
    if function is None:
        return _by_jax(primitive, params)
    return _by_numpy(function, primitive, params, avals)


def _by_numpy(function: Callable[..., Any], primitive: Any, params: dict[str, Any], avals: Sequence[Any]) -> Operation:
    expected = [(aval.shape, np.dtype(aval.dtype)) for aval in avals]
    made: list[Operation] = []

    def by_jax(args: Values, watch: Watch) -> Values:  # made where it is met, which is rare
        if not made:
            made.append(_by_jax(primitive, params))
        return made[0](args, watch)

    def several(args: Values, watch: Watch) -> Values:
        if not all(type(arg) is np.ndarray for arg in args):
            return by_jax(args, watch)
        try:
            return [_shaped(value, *each) for value, each in zip(function(params, *args), expected, strict=True)]
        except Exception:
            return by_jax(args, watch)  # NumPy has this operation, but not of these dtypes or options: JAX has

    def one(args: Values, watch: Watch) -> Values:
        for arg in args:
            if type(arg) is not np.ndarray:
                return by_jax(args, watch)
        try:
            return [_shaped(function(params, *args), shape, dtype)]
        except Exception:
            return by_jax(args, watch)

    if primitive.multiple_results:
        return several
    ((shape, dtype),) = expected
    return one


def _shaped(value: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    if type(value) is not np.ndarray:
        value = np.asarray(value)  # of single elements NumPy makes its own numbers
    if value.dtype != dtype:
        value = converted(value, dtype)
    if value.shape != shape:
        raise AssertionError(f"NumPy gave the shape {value.shape} instead of {shape}")
    return value


def _by_jax(primitive: Any, params: dict[str, Any]) -> Operation:
    endless = primitive.name in _ENDLESS
    takes_keys_apart = primitive.name in keys.OPERATIONS

    def run(args: Values, watch: Watch) -> Values:
        if takes_keys_apart and jax.dtypes.issubdtype(args[0].dtype, jax.dtypes.prng_key):
            with _parts.eval_context():
                return keys.of_keys(primitive.name, params, args[0])
        args = [_without_infinity(arg) for arg in args] if endless else args
        with _parts.eval_context():
            found = primitive.bind(*(as_jax(arg) if isinstance(arg, np.ndarray) else arg for arg in args), **params)
        return [plain_value(value) for value in (found if primitive.multiple_results else [found])]

    name = primitive.name
    costs = name in _SPECIAL or (name in _PROGRAMS and is_random(params[_PROGRAMS[name]]))
    return remembered(name, params, run, always=costs)


def _by_its_own_code(primitive: Any, params: dict[str, Any]) -> Operation:
    """An operation that JAX writes with others, as those of sparse arrays: as a program of these."""
    by_jax = _by_jax(primitive, params)

    def run(args: Values, watch: Watch) -> Values:
        try:
            program = _own_program(primitive, tuple(params.items()), tuple((arg.shape, arg.dtype) for arg in args))
        except TypeError:  # a parameter that cannot be looked up
            return by_jax(args, watch)
        return program(args, watch)

    return run


@functools.lru_cache(maxsize=256)
def _own_program(primitive: Any, params: tuple[Any, ...], avals: tuple[Any, ...]) -> Callable[[Values, Watch], list[Any]]:
    given = [jax.ShapeDtypeStruct(*aval) for aval in avals]
    with _parts.eval_context():
        return inner_program(jax.make_jaxpr(lambda *args: primitive.impl(*args, **dict(params)))(*given))


_WRITTEN_IN_JAX = "jax.experimental.sparse"


def _drawing(primitive: Any, params: dict[str, Any]) -> Operation:
    """An operation on keys by NumPy, where it knows such keys."""
    name, by_jax = primitive.name, _by_jax(primitive, params)

    def run(args: Values, watch: Watch) -> Values:
        with _parts.eval_context():
            found = threefry.drawn_from(name, params, *args)
        return by_jax(args, watch) if found is None else [found]

    return remembered(name, params, run, always=True)


_ENDLESS = frozenset({"svd", "eig", "eigh", "schur", "tridiagonal", "hessenberg"})
"""Of infinite numbers LAPACK makes NaN, or finds no end, and nothing can stop it."""


def _without_infinity(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
        return np.where(np.isinf(value), value.dtype.type(np.nan), value)
    return value


def _in_blocks(by_jax: Operation) -> Operation:
    """An elementwise operation that NumPy has not, on rows of a few lengths: compiled for these, not for every shape."""

    def run(args: Values, watch: Watch) -> Values:
        if not all(type(arg) is np.ndarray for arg in args):
            return by_jax(args, watch)
        args = np.broadcast_arrays(*args)  # a number that is written there has no axes
        shape, size = args[0].shape, args[0].size
        block = 1 << max(size - 1, _SMALLEST_BLOCK).bit_length()
        rows = [np.concatenate([arg.ravel(), np.ones(block - size, arg.dtype)]) for arg in args]
        return [row[:size].reshape(shape) for row in by_jax(rows, watch)]

    return run


_SMALLEST_BLOCK = 63
_SPECIAL = frozenset(
    {"erf", "erfc", "erf_inv", "lgamma", "digamma", "polygamma", "igamma", "igammac", "bessel_i0e", "bessel_i1e", "zeta"}
)
_SILENT = frozenset({"debug_callback", "debug_print"})
_PROGRAMS = {
    "jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr", "eval_jaxpr": "call_jaxpr",
    "custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr", "custom_vjp_call_jaxpr": "fun_jaxpr",
    "checkpoint": "jaxpr", "remat2": "jaxpr", "remat": "jaxpr",
}  # fmt: skip
"""Operations that are a program of others, and the parameter that holds it."""


def is_random(program: Any) -> bool:
    """Whether it draws what NumPy cannot, or draws in a loop: one of jax.random is better compiled as a whole then."""
    names = [each.primitive.name for each in getattr(program, "jaxpr", program).eqns if len(each.invars) > 0]
    draws = list(filter(is_drawing, names))
    loops = any(name in ("while", "scan") for name in names)
    return any(loops or not threefry.needs_no_compiling(name) for name in draws)


# -- loops and branches ---------------------------------------------------------------------------------


def _while(params: dict[str, Any]) -> Operation:
    first, second = params["cond_nconsts"], params["body_nconsts"]
    test, body = inner_program(params["cond_jaxpr"]), inner_program(params["body_jaxpr"])

    def run(args: Values, watch: Watch) -> Values:
        of_test, of_body = args[:first], args[first : first + second]
        state = list(args[first + second :])
        while np.any(going := test([*of_test, *state], watch)[0]):
            watch.tick()
            after = body([*of_body, *state], watch)
            state = [_where(going, *each) for each in zip(after, state, strict=True)] if np.ndim(going) else after
        return state

    return run


def _where(going: Any, after: Any, before: Any) -> Any:
    """What is carried of rows of which some go on: under `vmap` a loop goes on as long as any of them does."""
    still = going.reshape(going.shape + (1,) * (np.ndim(after) - going.ndim))
    if type(after) is np.ndarray:
        return np.where(still, after, before)
    with _parts.eval_context():
        return jax.numpy.where(still, after, before)


def _cond(params: dict[str, Any]) -> Operation:
    branches = list(map(inner_program, params["branches"]))

    def run(args: Values, watch: Watch) -> Values:
        return branches[min(max(int(args[0]), 0), len(branches) - 1)](args[1:], watch)

    return run


def _scan(params: dict[str, Any]) -> Operation:
    body = inner_program(params["jaxpr"])
    avals = [var.aval for var in getattr(params["jaxpr"], "jaxpr", params["jaxpr"]).outvars]
    order = scan_order(params)

    def run(args: Values, watch: Watch) -> Values:
        constants, carried = scan_parts(params, args)
        fixed, state, rows = args[:constants], list(args[constants : constants + carried]), args[constants + carried :]
        kept: list[list[Any]] = [[] for _ in avals[carried:]]
        for k in order:
            out = body([*fixed, *state, *(plain_value(row[k]) for row in rows)], watch)
            state = out[:carried]
            for column, value in zip(kept, out[carried:], strict=True):
                column.append(value)
        stacked = []
        for column, aval in zip(kept, avals[carried:], strict=True):
            column = column[::-1] if params["reverse"] else column
            stacked.append(_stacked(column, aval))
        return [*state, *stacked]

    return run


def _linear_solve(params: dict[str, Any]) -> Operation:
    """``jnp.linalg.solve`` and its kin: its own program, without those for its derivatives."""
    solve, counts = inner_program(params["jaxprs"].solve), params["const_lengths"]
    start = counts.matvec + counts.vecmat

    def run(args: Values, watch: Watch) -> Values:
        return solve([*args[start : start + counts.solve], *args[sum(counts) :]], watch)

    return run


def _stacked(column: list[Any], aval: Any) -> Any:
    if fits(aval):
        return np.stack(column) if column else np.zeros((0, *aval.shape), aval.dtype)
    with _parts.eval_context():
        return jax.numpy.stack(column)


def scan_order(params: dict[str, Any]) -> range:
    """The rows of a scan in the order in which it takes them."""
    length = params["length"]
    return range(length - 1, -1, -1) if params["reverse"] else range(length)


def scan_parts(params: dict[str, Any], args: Values) -> tuple[int, int]:
    """How many of a scan's operands are constants, and how many are carried."""
    if "num_consts" in params:
        return params["num_consts"], params["num_carry"]
    constants, carried, _ = map(list, params["ft_in"].update(args).unpack())  # JAX 0.12 and later
    return len(constants), len(carried)


_STRUCTURED: dict[str, Callable[[dict[str, Any]], Operation]] = {
    "while": _while,
    "cond": _cond,
    "scan": _scan,
    "custom_linear_solve": _linear_solve,
    "linear_solve": _linear_solve,
}
