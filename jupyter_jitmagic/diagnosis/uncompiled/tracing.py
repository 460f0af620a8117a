"""A trace of our own that computes each operation at once, on NumPy's arrays, and the arrays that the user's code gets then."""

from __future__ import annotations

import contextlib
import functools
import operator
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jax_internals import trace_parts
from jupyter_jitmagic.diagnosis.uncompiled.backward import own_rule, reading
from jupyter_jitmagic.diagnosis.uncompiled.drawn import is_drawing
from jupyter_jitmagic.diagnosis.uncompiled.indexing import Place, fits_into, is_number, is_simple
from jupyter_jitmagic.diagnosis.uncompiled.numpy_ops import operation
from jupyter_jitmagic.diagnosis.uncompiled.operators import operator_for, power_of, settings
from jupyter_jitmagic.diagnosis.uncompiled.programs import (
    Operation,
    Watch,
    as_operand,
    inner_program,
    is_random,
    operation_of,
)
from jupyter_jitmagic.diagnosis.uncompiled.recorded import Recorder
from jupyter_jitmagic.diagnosis.uncompiled.shared import Shared, chooses
from jupyter_jitmagic.sandbox.wrapping import wrapped_by_others

PARTS: Any = trace_parts()
"""None where this JAX has no classes for a trace of our own: then nothing can be run so (`can_run`)."""

_NUMBERS = (bool, int, float)
_LARGE = 2**31  # from here on JAX refuses a number of Python's beside 32 bits
_OPERATORS = [
    f"__{side}{name}__"
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "and", "or", "xor")
    for side in ("", "r")
] + [f"__{name}__" for name in ("lt", "le", "gt", "ge", "eq", "ne", "matmul", "neg", "abs", "invert")]
"""Those of which JAX makes the same program for all numbers (not so ``**``: an exponent may be part of the program)."""
_OF_ONE = ("__neg__", "__abs__", "__invert__")
_JITTED = ("jit", "pjit")
_MOST_KNOWN = 2048  # programs of one operator

if PARTS is not None:

    class _Trace(PARTS.Trace):  # type: ignore[misc]
        """Computes each operation at once; `asked`: how often Python asked for a value; `staging`: a program is made that
        takes arrays of this run, and what is computed of them belongs to it."""

        __slots__ = ("asked", "record", "shared", "staging", "unwarned", "watch")

        def __init__(self, watch: Watch, unwarned: bool, shared: Shared | None = None) -> None:
            super().__init__()
            self.watch, self.unwarned, self.shared = watch, unwarned, shared
            self.record: Recorder | None = None
            self.asked, self.staging = 0, False

        def stage_value(self, val: Any) -> Any:
            if isinstance(val, _Tracer):
                return val
            value = as_operand(val, PARTS.typeof(val))
            return _Tracer(self, PARTS.typeof(val), value, self.place_of(val, value))

        def place_of(self, given: Any, value: Any) -> int:
            """Where the recorded run finds an operand."""
            if self.record is None or self.record.over:
                return -1
            if type(given) is not _Tracer:
                return self.record.constant(value)
            self.record.over |= given._trace is not self  # what another run left somewhere is no constant
            return int(given.place)

        def process_primitive(self, primitive: Any, tracers: Any, params: Any, /) -> Any:
            jitted = _jitted(params["jaxpr"]) if primitive.name in _JITTED else None
            if jitted is not None:
                args = [arg.value if type(arg) is _Tracer else as_operand(arg, PARTS.typeof(arg)) for arg in tracers]
                made = self.computed(jitted[1], tracers, args, jitted[0])
                if self.shared is not None:
                    self.shared.made(primitive.name, params, tracers, made)
                return made
            avals = [arg.aval if type(arg) is _Tracer else PARTS.typeof(arg) for arg in tracers]
            if any(type(param) is tuple or type(param) is _Tracer for param in params.values()):
                params = {name: _static(param) for name, param in params.items()}
            out_avals, compute = _made_ready(primitive, avals, params)
            args = [
                arg.value if type(arg) is _Tracer else as_operand(arg, aval) for arg, aval in zip(tracers, avals, strict=True)
            ]
            made = self.computed(compute, tracers, args, out_avals)
            if self.shared is not None:
                self.shared.made(primitive.name, params, tracers, made)
            return made if primitive.multiple_results else made[0]

        def computed(self, compute: Operation, given: Sequence[Any], args: Sequence[Any], avals: Sequence[Any]) -> list[Any]:
            """The results of an operation on operands as they were `given`, whose values are `args`."""
            self.watch.make(avals)
            if self.unwarned:
                values = compute(args, self.watch)
            else:
                with np.errstate(all="ignore"):
                    values = compute(args, self.watch)
            place = -1
            if self.record is not None and not self.record.over:
                operands = [self.place_of(each, value) for each, value in zip(given, args, strict=True)]
                place = self.record.step(compute, operands, len(values))
            return [_Tracer(self, aval, value, place + k) for k, (aval, value) in enumerate(zip(avals, values, strict=True))]

        def mark(self, compute: Operation, tracers: Sequence[Any]) -> None:
            """What comes is another matter where these are differentiated."""
            if self.record is not None and not self.record.over:
                self.record.step(compute, [each.place for each in tracers if type(each) is _Tracer and each._trace is self], 0)

        def process_call(self, primitive: Any, fun: Any, tracers: Any, params: Any, /) -> Any:
            self.mark(own_rule, tracers)
            with PARTS.set_current_trace(self):
                return fun.call_wrapped(*tracers)

        def process_custom_jvp_call(self, primitive: Any, fun: Any, jvp: Any, tracers: Any, /, **_: Any) -> Any:
            self.mark(own_rule, tracers)
            with PARTS.set_current_trace(self):
                return fun.call_wrapped(*tracers)

        def process_custom_vjp_call(self, primitive: Any, fun: Any, fwd: Any, bwd: Any, tracers: Any, /, **_: Any) -> Any:
            self.mark(own_rule, tracers)
            with PARTS.set_current_trace(self):
                return fun.call_wrapped(*tracers)

        def cur_qdd(self, x: Any) -> Any:
            return x.cur_qdd()

    class _Tracer(PARTS.Tracer):  # type: ignore[misc]
        """An array of plain Python's: its value is there for whoever asks."""

        __slots__ = ("place", "value")

        def __init__(self, trace: Any, aval: Any, value: Any, place: int) -> None:
            super().__init__(trace, aval)
            self.value, self.place = value, place

        def asked(self) -> Any:
            """The value, for Python."""
            self._trace.asked += 1
            if self._trace.record is not None:
                self._trace.record.asks(self.place, self.value)
            return self.value

        def read(self, how: str) -> Any:
            """Likewise, in a way that JAX may refuse in a gradient."""
            self._trace.mark(reading(how), (self,))
            return self.asked()

        def to_concrete_value(self) -> Any:
            return None if self._trace.staging else self.asked()

        def __bool__(self) -> bool:
            truth = bool(self.value)
            self._trace.asked += 1
            if self._trace.record is not None:
                self._trace.record.asks(self.place, truth, truth=True)
            return truth

        def __int__(self) -> int:
            return int(self.asked())

        def __float__(self) -> float:
            return float(self.read("float"))

        def __complex__(self) -> complex:
            return complex(self.read("complex"))

        def __index__(self) -> int:
            return operator.index(self.asked().item() if self.aval.ndim == 0 else self.asked())

        def __array__(self, *args: Any, **kwargs: Any) -> Any:
            return np.array(self.read("an array of NumPy"), *args)  # a copy, as of a JAX array, that nobody can write through

        __array_wrap__ = wrapped_by_others

        def __format__(self, spec: str) -> str:
            value = self.read("a text") if spec else self.asked()  # without one JAX shows a tracer of a gradient, too
            return format(value[()], spec)

        def __repr__(self) -> str:
            return repr(self.asked())

        def item(self, *args: Any) -> Any:
            return self.asked().item(*args)

        def tolist(self) -> Any:
            return self.read("a list").tolist()

        def tobytes(self, order: Any = "C") -> Any:
            return self.read("bytes").tobytes(order)

    def _by_program(name: str) -> Callable[..., Any]:
        """Python's operator on arrays, by the program that JAX makes of it: looking that up costs a tenth of JAX's own way."""
        plain = getattr(PARTS.Tracer, name)
        known: dict[Any, tuple[Operation, Sequence[Any], Any]] = {}

        def ready(array: Any, *others: Any) -> tuple[Operation, Sequence[Any], Any]:
            """(what computes it, the result's aval, the dtype that a number of Python's has in it)."""
            if len(known) > _MOST_KNOWN:
                known.clear()
            avals = [other.aval if type(other) is _Tracer else PARTS.typeof(other) for other in (array, *others)]
            return *operator_for(name, avals), avals[-1].dtype

        def alone(self: Any) -> Any:
            if self._trace.staging:
                return plain(self)
            try:
                key = self.aval, *settings()
                found = known.get(key)
                if found is None:
                    found = known[key] = ready(self)
                return self._trace.computed(found[0], (self,), (self.value,), found[1])[0]
            except Exception:
                return plain(self)

        def method(self: Any, other: Any) -> Any:
            kind = type(other)
            if self._trace.staging or (
                kind is not _Tracer and (kind not in _NUMBERS or (kind is int and abs(other) >= _LARGE))
            ):
                return plain(self, other)
            try:
                key = self.aval, other.aval if kind is _Tracer else kind, *settings()
                found = known.get(key)
                if found is None:
                    found = known[key] = ready(self, other)
                value = other.value if kind is _Tracer else np.asarray(other, found[2])
                return self._trace.computed(found[0], (self, other), (self.value, value), found[1])[0]
            except Exception:
                return plain(self, other)  # JAX says in the user's own call what is wrong with it

        made = alone if name in _OF_ONE else method
        made.__name__ = name
        return made

    def _power(self: Any, exponent: Any) -> Any:
        """``x ** 2``: a number of Python's is part of the program."""
        if self._trace.staging or type(exponent) not in (int, float):
            return _plain_power(self, exponent)
        try:
            compute, out_avals = power_of(self.aval, exponent, type(exponent) is int, *settings())
            return self._trace.computed(compute, [self], [self.value], out_avals)[0]
        except Exception:
            return _plain_power(self, exponent)

    def _is_array(part: Any) -> bool:
        return type(part) is _Tracer

    def _place(self: Any, index: Any) -> tuple[Place, list[Any]] | None:
        """An index that NumPy takes as JAX does, and the arrays of a run in it."""
        parts = index if type(index) is tuple else (index,)
        given = [part for part in parts if type(part) is _Tracer]
        if self._trace.staging or type(self.value) is not np.ndarray:
            return None
        if len(parts) == 1 and given and given[0].aval.dtype == bool and given[0].aval.ndim > 0:
            return Place([given[0].asked()], _is_array), []  # a mask: how much it chooses is asked for by JAX, too
        if not all(is_number(part.aval, part.value) if type(part) is _Tracer else is_simple(part) for part in parts):
            return None
        return Place(parts, _is_array), given

    def _element(self: Any, index: Any) -> Any:
        """``x[0]``, ``x[1:, None]``, ``x[i, :]``, ``x[mask]``: by NumPy."""
        shared = self._trace.shared
        if shared is None or not chooses(index):
            return _at_place(self, index)
        with shared.copying():
            return _at_place(self, index)

    def _at_place(self: Any, index: Any) -> Any:
        try:
            found = _place(self, index)
            if found is None:
                return _plain_element(self, index)
            place, given = found
            operands = [self.value, *(part.value for part in given)]
            aval = self.aval.update(shape=place.read(operands)[0].shape)
            made = self._trace.computed(place.read, [self, *given], operands, [aval])[0]
        except Exception:
            return _plain_element(self, index)  # out of bounds, say: JAX has rules for it
        if self._trace.shared is not None and made.aval.ndim:  # a single element is a copy
            self._trace.shared.links(self, made)
        return made

    def _rows(self: Any) -> Iterator[Any]:
        """``for row in x``."""
        if self.aval.ndim == 0 or type(self.value) is not np.ndarray:
            return iter(_plain_rows(self))
        return (_element(self, k) for k in range(len(self.value)))

    def _plain_updates(array: Any) -> Any:
        return PARTS.Tracer.__getattr__(array, "at")

    class _Updates:
        """``x.at``."""

        __slots__ = ("_array",)

        def __init__(self, array: Any) -> None:
            self._array = array

        def __getitem__(self, index: Any) -> Any:
            return _Update(self._array, index)

    class _Update:
        """``x.at[i]``: ``set`` and ``add`` by NumPy, the rest by JAX."""

        __slots__ = ("_array", "_index")

        def __init__(self, array: Any, index: Any) -> None:
            self._array, self._index = array, index

        def __getattr__(self, name: str) -> Any:
            return getattr(_plain_updates(self._array)[self._index], name)

        def set(self, values: Any, **settings: Any) -> Any:
            return self._by_numpy("set", values, settings)

        def add(self, values: Any, **settings: Any) -> Any:
            return self._by_numpy("add", values, settings)

        def _by_numpy(self, name: str, values: Any, settings: dict[str, Any]) -> Any:
            array, kind = self._array, type(values)
            with contextlib.suppress(Exception):  # out of bounds, say: JAX has rules for it
                if not settings and (kind is _Tracer or kind in _NUMBERS):
                    fits = fits_into(array.aval, values.aval if kind is _Tracer else values)
                    found = _place(array, self._index) if fits else None
                    if found is not None and not (name == "add" and array.aval.dtype == bool):
                        place, given = found
                        value = values.value if kind is _Tracer else np.asarray(values, array.aval.dtype)
                        compute = place.written if name == "set" else place.added
                        operands = [array.value, *(part.value for part in given), value]
                        return array._trace.computed(compute, [array, *given, values], operands, [array.aval])[0]
            return getattr(_plain_updates(array)[self._index], name)(values, **settings)

    _plain_power, _plain_element = PARTS.Tracer.__pow__, PARTS.Tracer.__getitem__
    _plain_rows = PARTS.Tracer.__iter__
    _Tracer.__pow__, _Tracer.__getitem__, _Tracer.__iter__ = _power, _element, _rows
    _Tracer.at = property(_Updates)
    for _name in _OPERATORS:
        setattr(_Tracer, _name, _by_program(_name))

Trace: Any = _Trace if PARTS is not None else None
Tracer: Any = _Tracer if PARTS is not None else None


def _made_ready(primitive: Any, avals: Sequence[Any], params: dict[str, Any]) -> tuple[Sequence[Any], Operation]:
    """(the results' avals, what computes them)."""
    if primitive.name in _JITTED:
        program = params["jaxpr"]
        return program.out_avals, operation_of(primitive, params, program.out_avals)
    if operation(primitive.name) is not None or is_drawing(primitive.name):
        try:
            return _small(primitive, tuple(avals), tuple(params.items()), jax.config.jax_enable_x64)
        except TypeError:
            pass  # a parameter that cannot be hashed, or operands that JAX refuses, as it then says again
    return _by_abstract_values(primitive, avals, params)


_programs: weakref.WeakKeyDictionary[Any, tuple[Sequence[Any], Operation] | None] = weakref.WeakKeyDictionary()


def _jitted(program: Any) -> tuple[Sequence[Any], Operation] | None:
    """(the results' avals, what computes them) of a program under jit, made ready once; None where it is better compiled."""
    try:
        return _programs[program]
    except KeyError:
        ready = None
        if not is_random(program):
            made: Any = inner_program(program)
            made.program, ready = program, (program.out_avals, made)
        return _programs.setdefault(program, ready)


@functools.lru_cache(maxsize=4096)
def _small(primitive: Any, avals: Any, params: Any, x64: bool) -> tuple[Sequence[Any], Operation]:
    """An operation of NumPy's table: its parameters hold nothing of the user's."""
    return _by_abstract_values(primitive, avals, dict(params))


def _by_abstract_values(primitive: Any, avals: Sequence[Any], params: dict[str, Any]) -> tuple[Sequence[Any], Operation]:
    found, _effects = primitive.abstract_eval(*avals, **params)
    out = found if primitive.multiple_results else [found]
    return out, operation_of(primitive, params, out)


def _static(param: Any) -> Any:
    """A parameter that JAX compiles into the program: plain Python has its value."""
    if isinstance(param, _Tracer):
        return param.asked()[()]
    if type(param) is tuple and any(isinstance(item, _Tracer) for item in param):
        return tuple(map(_static, param))
    return param
