"""`jax.grad` and its kin in runs of plain Python by NumPy: JAX takes a function apart anew at each call, which costs ten times
what its gradient does. What it makes of one is traced once, and run by NumPy in the rounds and runs that follow."""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jaxprs import SOME_EQUATIONS, count_equations
from jupyter_jitmagic.base.looking import attribute, is_a
from jupyter_jitmagic.diagnosis.proof.compiling import soon
from jupyter_jitmagic.diagnosis.proof.row_by_row import below_the_boundary, closure
from jupyter_jitmagic.diagnosis.uncompiled.recorded import MOST_BYTES, Same
from jupyter_jitmagic.diagnosis.uncompiled.running import run_of, through
from jupyter_jitmagic.source.units import Unit
from jupyter_jitmagic.usercode.held import defaults_of, holds, may_write
from jupyter_jitmagic.usercode.ownership import is_library

TRANSFORMS: Mapping[str, Any] = types.MappingProxyType(
    {f"__jitmagic_{each.__name__}__": each for each in (jax.grad, jax.value_and_grad, jax.jacfwd, jax.jacrev, jax.hessian)}
)
"""What they are called in the text that is run."""
MANY = 8  # arrays, from which on a function's first call by JAX is compiled as a whole: one by one, its operations take longer
MOST_TRACES = 6  # of one function, whose arguments or surroundings change at each call: it is left to JAX then
MOST_FAILURES = 2  # of one function in a row, as its branches need values: JAX alone can go through it
_NUMBERS = (bool, int, complex, str, bytes, type(None))
_LIBRARIES = ("jax", "jaxlib", "numpy", "builtins", "functools", "math", "jupyter_jitmagic")


def is_derived(value: Any) -> bool:
    """Whether a value is what `jax.grad` or its kin made of a function, or has that within."""
    return holds(value, _is_derivative)


def takes_gradients(units: Sequence[Unit]) -> bool:
    """Whether the code of these takes a gradient: it says so, or names what is a gradient already."""
    if any(_TAKEN.search(unit.text) for unit in units):
        return True
    named = (unit.globals.get(name) for unit in units for name in dict.fromkeys(_WORD.findall(unit.text)))
    return any(is_derived(each) for each in named)


def _is_derivative(value: Any) -> bool:
    return is_a(value, types.FunctionType) and below_the_boundary(value).__code__ in _DERIVATIVES


class _Unknown(Exception):
    """What a function depends on cannot be told."""


class Derived:
    """What these transforms made of the functions of one diagnosis.

    Args:
        first_by_jax: a function's first call is left to JAX, for those who watch what is computed in it.
    """

    def __init__(self, *, first_by_jax: bool = False) -> None:
        self._first_by_jax = first_by_jax
        self._called: set[Hashable] = set()
        self._whole: set[Hashable] = set()
        """Functions that were compiled as a whole, which pays once: another round may make another function of the text."""
        self._known: dict[Hashable, _Program | None] = {}
        self._of_run: dict[Hashable, _Program | None] = {}
        self._run: Any = None
        self._traces: dict[Hashable, int] = {}
        self._failures: dict[Hashable, int] = {}
        self._asking: set[Hashable] = set()

    def instead(self) -> dict[str, Any]:
        """What the text calls in the transforms' places, by name."""
        return {name: self.by(transform) for name, transform in TRANSFORMS.items()}

    def wrapping(self, fun: types.FunctionType) -> Callable[[Any], Any] | None:
        """What makes of a function what `jax.grad` made of it beforehand (a global), as above."""
        made = below_the_boundary(fun)
        inner = closure(made).get("value_and_grad_f") if made.__code__ in _GRADS else made
        inner = below_the_boundary(inner) if isinstance(inner, types.FunctionType) else made
        held = closure(inner) if inner.__code__ is _VALUE_AND_GRAD else {}
        if not held.keys() >= _OPTIONS:
            return None
        transform = jax.grad if made is not inner else jax.value_and_grad
        return functools.partial(self.by(transform), **{name: held[name] for name in sorted(_OPTIONS)})

    def by(self, transform: Callable[..., Any]) -> Callable[..., Any]:
        """The transform, for functions that are called in a run by NumPy; anywhere else it does what JAX's does."""

        @functools.wraps(transform)
        def transformed(fun: Callable[..., Any], *options: Any, **named: Any) -> Any:
            plain = transform(fun, *options, **named)

            @functools.wraps(plain)
            def call(*args: Any, **kwargs: Any) -> Any:
                found = self._by_program(plain, (transform, repr(options), repr(sorted(named.items()))), fun, args, kwargs)
                found = found or self._at_once(plain, fun, args, kwargs)
                return plain(*args, **kwargs) if found is None else found[0]

            return call

        return transformed

    def _at_once(self, plain: Any, fun: Any, args: Any, kwargs: Any) -> tuple[Any] | None:
        """(the result,) of a function of many arrays, compiled as a whole; None where that is not to be, or fails."""
        leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
        places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)]
        code = attribute(fun, "__code__", fun)
        if len(places) < MANY or self._first_by_jax or code in self._whole or _is_tracing(leaves):
            return None
        if not isinstance(code, types.CodeType) or may_write(code):
            return None  # where that fails, JAX calls it once more
        self._whole.add(code)
        out: list[Any] = []
        try:
            traced = jax.jit(_flat(plain, leaves, tree, places, out)).trace(*(leaves[k] for k in places))
            if count_equations(traced.jaxpr) > SOME_EQUATIONS or traced.jaxpr.effects:
                return None
            compiled = traced.lower().compile(compiler_options=soon(traced.jaxpr))
            return (jax.tree_util.tree_unflatten(out[0], compiled(*(leaves[k] for k in places))),)
        except Exception:
            return None  # JAX says in the run what is wrong with it

    def _by_program(self, plain: Any, how: Hashable, fun: Any, args: Any, kwargs: Any) -> tuple[Any] | None:
        """(the result,), or None where it is not that of a program that is known."""
        leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
        run = next(filter(None, map(run_of, leaves)), None)
        if run is None or jax.config.jax_disable_jit:
            return None
        try:
            depends = _Depends(run)
            around = tuple(depends.on(fun))
            given = tuple(_likeness(leaf, run) for leaf in leaves)
            key = (how, around, tree, given)
            own = (key, *map(Same, depends.arrays)) if depends.arrays else key
            if self._first_by_jax and own not in self._called:
                self._called.add(own)
                return None
            of_run = self._kept(run) if depends.arrays else self._known
            found = self._known.get(key) or of_run.get(own)
            if found is None:
                code = attribute(fun, "__code__", fun)
                self._traces[code] = self._traces.get(code, 0) + 1
                if own in of_run or self._traces[code] > MOST_TRACES or self._failures.get(code, 0) >= MOST_FAILURES:
                    return None
                of_run[own] = None  # should it fail
                asked = run.asked
                found = self._traced(run, code, functools.partial(_traced, plain, leaves, tree, given, depends.arrays))
                if found is None:
                    return None
                of_run[own] = found
                if found.serves_other_runs and run.asked == asked and tuple(_Depends(run).on(fun)) == around:
                    self._known[key] = found
            arrays = [leaf for leaf, each in zip(leaves, given, strict=True) if isinstance(each, _Array)]
            return (jax.tree_util.tree_unflatten(found.out, through(run, found.program, arrays, found.consts(depends.arrays))),)
        except Exception:
            return None  # JAX says in the run what is wrong with it

    def _traced(self, run: Any, code: Hashable, make: Callable[[], _Program | None]) -> _Program | None:
        """A program that takes the run's arrays as they are, so that it serves other runs; where Python asks for values of what
        it computed of them, one that takes those."""
        if code not in self._asking:
            run.staging = True
            try:
                return make()
            except jax.errors.JAXTypeError:
                self._asking.add(code)
            finally:
                run.staging = False
        try:
            found = make()
        except jax.errors.JAXTypeError:
            self._failures[code] = self._failures.get(code, 0) + 1
            raise
        self._failures.pop(code, None)
        return found

    def _kept(self, run: Any) -> dict[Hashable, _Program | None]:
        """What is known of functions that depend on arrays of this run."""
        if run is not self._run:
            self._run, self._of_run = run, {}
            self._traces.clear()
        return self._of_run


_OPTIONS = {"argnums", "has_aux", "holomorphic", "allow_int"}
_VALUE_AND_GRAD = below_the_boundary(jax.value_and_grad(len)).__code__
_GRADS = [below_the_boundary(jax.grad(len, has_aux=aux)).__code__ for aux in (False, True)]
_JACOBIANS = [below_the_boundary(each(len, has_aux=aux)).__code__ for each in (jax.jacfwd, jax.jacrev) for aux in (False, True)]
_DERIVATIVES = {_VALUE_AND_GRAD, *_GRADS, *_JACOBIANS}
_TAKEN = re.compile(r"\b(value_and_grad|grad|jacfwd|jacrev|jacobian|hessian|vjp)\(")
_WORD = re.compile(r"[^\W\d]\w*")


class _Array(tuple[Any, ...]):
    """The aval of an argument that is traced."""


def _likeness(leaf: Any, run: Any) -> Hashable:
    if run_of(leaf) is run or (isinstance(leaf, jax.Array) and not isinstance(leaf, jax.core.Tracer)):
        return _Array((leaf.aval,))
    if type(leaf) is float:
        return _Array((float,))
    if isinstance(leaf, np.ndarray) and not leaf.dtype.hasobject:
        return _Array((leaf.dtype, leaf.shape))
    if type(leaf) in _NUMBERS:
        return type(leaf), repr(leaf)
    raise _Unknown(type(leaf))


@dataclass(frozen=True)
class _Program:
    """What is known of a transformed function.

    Attributes:
        program: a closed jaxpr.
        out: the tree of its results.
        places: of each constant: which of the run's arrays it is; -1 for one that is none.
        serves_other_runs: whether another run's arrays can stand in their places.
    """

    program: Any
    out: Any
    places: Sequence[int]
    serves_other_runs: bool

    def consts(self, arrays: Sequence[Any]) -> list[Any]:
        """Its constants, in a run in which the function depends on these arrays."""
        return [const if k < 0 else arrays[k] for const, k in zip(self.program.consts, self.places, strict=True)]


def _traced(plain: Any, leaves: list[Any], tree: Any, given: tuple[Hashable, ...], of_run: Sequence[Any]) -> _Program | None:
    """The program of a transformed function that depends on these arrays of a run; None where results are no arrays."""
    out: list[Any] = []
    places = [k for k, each in enumerate(given) if isinstance(each, _Array)]
    program = jax.make_jaxpr(_flat(plain, leaves, tree, places, out))(*(_struct(leaves[k]) for k in places))
    if program.effects:
        return None
    number = {id(array): k for k, array in enumerate(of_run)}
    held = [number.get(id(const), -1) for const in program.consts]
    hidden = any(k < 0 and run_of(const) is not None for const, k in zip(program.consts, held, strict=True))
    return _Program(program, out[0], held, not hidden and not _may_hold_more(program.jaxpr))


def _flat(plain: Any, leaves: list[Any], tree: Any, places: Sequence[int], out: list[Any]) -> Callable[..., Any]:
    """The function of those of the leaves that are arrays, giving arrays alone; `out` gets the tree of its results."""

    def flat(*arrays: Any) -> Any:
        whole = list(leaves)
        for k, array in zip(places, arrays, strict=True):
            whole[k] = array
        args, kwargs = jax.tree_util.tree_unflatten(tree, whole)
        results, out_tree = jax.tree_util.tree_flatten(plain(*args, **kwargs))
        if not all(isinstance(result, jax.Array) for result in results):
            raise _Unknown
        out.append(out_tree)
        return results

    return flat


def _is_tracing(leaves: Sequence[Any]) -> bool:
    return bool(jax.config.jax_disable_jit) or any(isinstance(leaf, jax.core.Tracer) for leaf in leaves)


def _may_hold_more(jaxpr: Any) -> bool:
    """Whether a program may hold arrays of a run that are none of its constants: in an inner one, or in a rule of its own."""
    for equation in jaxpr.eqns:
        if equation.primitive.name.startswith("custom_"):
            return True
        for inner in jax.tree_util.tree_leaves(list(equation.params.values()), is_leaf=_is_program):
            if _is_program(inner) and (
                any(run_of(const) is not None for const in getattr(inner, "consts", ()))
                or _may_hold_more(getattr(inner, "jaxpr", inner))
            ):
                return True
    return False


def _is_program(value: Any) -> bool:
    return hasattr(value, "eqns") or hasattr(getattr(value, "jaxpr", None), "eqns")


def _struct(leaf: Any) -> Any:
    if type(leaf) is float:
        return leaf
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, weak_type=attribute(leaf, "weak_type", False))


class _Depends:
    """What a function's result depends on beside its arguments.

    Attributes:
        arrays: those of this run among it, in the order met; what depends on them is told by their number and kind alone.
    """

    def __init__(self, run: Any) -> None:
        self._run = run
        self.arrays: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._seen: set[int] = set()

    def on(self, value: Any) -> Iterator[Hashable]:
        """It all, as it compares equal as long as it is the same.

        Raises:
            _Unknown: it may change unseen.
        """
        if isinstance(value, types.FunctionType):
            yield from self._on_function(value)
        elif isinstance(value, functools.partial):
            yield "partial"
            for each in (value.func, *value.args, *value.keywords.values()):
                yield from self.on(each)
        elif isinstance(value, types.ModuleType):
            if not is_library(attribute(value, "__file__", None) or ""):
                raise _Unknown(value)
            yield Same(value)
        elif not isinstance(attribute(value, "__self__", None), types.ModuleType | None):
            raise _Unknown(value)  # a method: its object may change
        elif isinstance(value, type) or (callable(value) and type(value).__module__.split(".")[0] in _LIBRARIES):
            yield Same(value)
            if isinstance(wrapped := attribute(value, "__wrapped__", None), types.FunctionType):  # under jit, say
                yield from self._on_function(wrapped)
        else:
            yield from self._on_data(value)

    def _on_function(self, fun: types.FunctionType) -> Iterator[Hashable]:
        if id(fun) in self._seen:
            return
        self._seen.add(id(fun))
        yield Same(fun.__code__)
        if is_library(fun.__code__.co_filename):
            yield Same(fun)
            return
        for cell in fun.__closure__ or ():
            try:
                yield from self.on(cell.cell_contents)
            except ValueError:
                raise _Unknown(fun) from None  # it is empty
        for each in defaults_of(fun):
            yield from self.on(each)
        for name in _names(fun.__code__):
            if name in fun.__globals__ and not name.startswith("__jitmagic"):
                yield name
                yield from self.on(fun.__globals__[name])

    def _on_data(self, value: Any) -> Iterator[Hashable]:
        leaves, tree = jax.tree_util.tree_flatten(value)
        yield tree
        for leaf in leaves:
            if run_of(leaf) is self._run:
                number = self._numbers.setdefault(id(leaf), len(self.arrays))
                self.arrays += [leaf] if number == len(self.arrays) else []
                yield "of the run", number, leaf.aval
            elif isinstance(leaf, jax.Array) and not isinstance(leaf, jax.core.Tracer):
                yield Same(leaf)
            elif isinstance(leaf, np.ndarray | np.generic) and leaf.nbytes <= MOST_BYTES and not leaf.dtype.hasobject:
                yield type(leaf), leaf.dtype, leaf.shape, leaf.tobytes()
            elif type(leaf) in _NUMBERS or type(leaf) is float:
                yield type(leaf), repr(leaf)
            elif callable(leaf) and leaf is not value:
                yield from self.on(leaf)
            else:
                raise _Unknown(type(leaf))


@functools.lru_cache(maxsize=256)
def _names(code: types.CodeType) -> tuple[str, ...]:
    """Every name that it, and what is defined in it, may look up."""
    inner = [name for const in code.co_consts if isinstance(const, types.CodeType) for name in _names(const)]
    return tuple(dict.fromkeys((*code.co_names, *inner)))
