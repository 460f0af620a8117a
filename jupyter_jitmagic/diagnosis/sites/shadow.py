"""The shadow run: the function is executed on the call's values with tracers that carry the value and where it came from.

JAX operations on shadow tracers are recorded as a graph and evaluated only when Python needs a value (a concretization), so a
run costs about as much as a trace. At a concretization the site is recorded and answered with the value, so that the run
goes on and meets the sites behind it.

Where JAX (or the user's code) would catch its own error and go on another way, the run must not answer. So under an exception
handler that could catch it JAX's own error is raised first; when that error turns out to end the run, the run is repeated with
this concretization answered (and what was learnt of JAX's own code is remembered).
"""

from __future__ import annotations

import math
import operator
import sys
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.base.jax_internals import trace_parts
from jupyter_jitmagic.sandbox.wrapping import wrapped_by_others
from jupyter_jitmagic.usercode.places import catches

_parts = trace_parts()
if _parts is None:
    raise ImportError("this JAX has no trace classes that a shadow run could use")

NOTHING: Any = object()
Key = tuple[Any, ...]


class Node:
    """One value of the graph: a constant, or the outputs of a primitive that were not computed yet."""

    __slots__ = ("args", "avals", "params", "primitive", "values")

    def __init__(self, primitive: Any = None, args: Any = (), params: Any = None, values: Any = None, avals: Any = ()) -> None:
        self.primitive, self.args, self.params, self.values, self.avals = primitive, args, params, values, avals

    def clear(self) -> None:
        self.primitive = self.params = self.values = None
        self.args = ()


class Ref(NamedTuple):
    """One output of a node. Not the tracer: that may stand for another value after ``x[i] = v``."""

    node: Node
    output: int


class ShadowTrace(_parts.Trace):  # type: ignore[misc, name-defined]
    """The trace at the top of a shadow run."""

    __slots__ = ("run",)

    def __init__(self, run: Any) -> None:
        super().__init__()
        self.run: Any = run

    def stage_value(self, val: Any) -> Any:
        return self.run.constant(self, val)

    def process_primitive(self, primitive: Any, tracers: Any, params: Any, /) -> Any:
        return self.run.bind(self, primitive, tracers, params)

    def process_call(self, primitive: Any, fun: Any, tracers: Any, params: Any, /) -> Any:
        with _parts.set_current_trace(self):  # type: ignore[union-attr]
            return fun.call_wrapped(*tracers)

    def process_custom_jvp_call(self, primitive: Any, fun: Any, jvp: Any, tracers: Any, /, **_: Any) -> Any:
        with _parts.set_current_trace(self):  # type: ignore[union-attr]
            return fun.call_wrapped(*tracers)

    def process_custom_vjp_call(self, primitive: Any, fun: Any, fwd: Any, bwd: Any, tracers: Any, /, **_: Any) -> Any:
        with _parts.set_current_trace(self):  # type: ignore[union-attr]
            return fun.call_wrapped(*tracers)

    def cur_qdd(self, x: Any) -> Any:
        return x.cur_qdd()


class ShadowTracer(_parts.Tracer):  # type: ignore[misc, name-defined]
    """A tracer with a value behind it: `leaves` are the call's leaves that it depends on.

    `number` is the Python number that Python's own arithmetic gives without jit; `NOTHING` once JAX or NumPy had a part in it.
    """

    __slots__ = ("index", "leaves", "node", "number", "view_of")

    def __init__(self, trace: Any, aval: Any, node: Node, index: int, leaves: frozenset[int], number: Any = NOTHING) -> None:
        super().__init__(trace, aval)
        self.node, self.index, self.leaves, self.number = node, index, leaves, number
        self.view_of: tuple[ShadowTracer, Any] | None = None

    # every way in which Python asks for the value: answered, or left to JAX's own error

    def _ask(self, how: str, force: Callable[[Any], Any], refuse: Callable[[], Any]) -> Any:
        run = self._trace.run
        key, answer = run.question(self, how)
        if answer:
            return run.answer(self, key, how, force)
        try:
            return refuse()
        except Exception as error:
            run.refused(key, error)
            raise

    def __bool__(self) -> bool:
        return bool(self._ask("bool", bool, super().__bool__))

    def __int__(self) -> int:
        return int(self._ask("int", int, super().__int__))

    def __float__(self) -> float:
        return float(self._ask("float", float, super().__float__))

    def __trunc__(self) -> int:
        """`math.trunc` takes numbers of Python's alone: of a tracer it says what it says of an array."""
        return int(self._ask("float", math.trunc, lambda: math.trunc(object())))  # type: ignore[arg-type]

    def __complex__(self) -> complex:
        return complex(self._ask("complex", complex, super().__complex__))

    def __index__(self) -> int:
        return operator.index(self._ask("index", operator.index, super().__index__))

    def __hex__(self) -> Any:
        return self._ask("index", hex, super().__hex__)

    def __oct__(self) -> Any:
        return self._ask("index", oct, super().__oct__)

    def __hash__(self) -> int:
        if not self._trace.run.alive:
            return id(self.node)
        return int(self._ask("hash", hash, lambda: _refuse_hash(self)))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        def read(value: Any) -> Any:
            # nobody writes through this into what the caller gave
            is_copy = kwargs.get("copy") or not isinstance(value, jax.Array)
            return np.array(value, *args) if is_copy else np.asarray(value, *args)

        return self._ask("array", read, super().__array__)

    __array_wrap__ = wrapped_by_others

    def _as_text(self, plain: str) -> str:
        """A tracer's text is no error; but a key made of it may be missing: then the value's text is tried."""
        run = self._trace.run
        if not run.alive or self.number is NOTHING:
            return plain
        key, _ = run.question(self, "text", certain=False)
        if run.decided.get(key):
            return str(run.answer(self, key, "text", str))
        run.refused(key, None)
        return plain

    def __repr__(self) -> str:
        return self._as_text(super().__repr__())

    def __str__(self) -> str:
        return self._as_text(super().__repr__())

    def __format__(self, spec: str) -> str:
        if not spec:
            return self._as_text(super().__repr__())
        return str(self._ask("format", lambda value: format(value, spec), lambda: object.__format__(self, spec)))

    def item(self, *args: Any) -> Any:
        return self._ask("item", lambda value: np.asarray(value).item(*args), lambda: self.aval.item.fun(self, *args))

    def tolist(self) -> Any:
        return self._ask("tolist", lambda value: np.asarray(value).tolist(), super().tolist)

    def tobytes(self, order: Any = "C") -> Any:
        return self._ask("tobytes", lambda value: np.asarray(value).tobytes(order), super().tobytes)

    def argsort(self, *args: Any, **options: Any) -> Any:
        """`np.argsort(x)` calls this with an option that JAX traces and does not compile: it needs the value, as other
        functions of NumPy do."""
        if options.get("stable", True) is None:
            return np.argsort(self.__array__(), *args, **options)
        return self.aval.argsort.fun(self, *args, **options)

    def __len__(self) -> int:
        return int(self._ask("len", len, super().__len__)) if self.shape == () else int(super().__len__())

    def __iter__(self) -> Iterator[Any]:
        found = self._ask("iter", iter, super().__iter__) if self.shape == () else super().__iter__()
        return found  # type: ignore[no-any-return]

    def _goes_on(self) -> bool:
        """Whether what JAX refuses is noted as a site, and the run goes on: nobody would catch the error."""
        return self._trace.run.alive and not _is_caught(sys._getframe(2), self._trace.run)

    def __setitem__(self, index: Any, value: Any) -> None:
        """JAX refuses it. The run goes on as NumPy would, so that the sites behind it are met."""
        run = self._trace.run
        if not self.shape or not self._goes_on():
            super().__setitem__(index, value)
            return
        run.record(self, "setitem", None)  # first: a mask among the indices is no site of its own in `x[mask] = v`
        if not self._change(index, value):
            super().__setitem__(index, value)

    def _change(self, index: Any, value: Any) -> bool:
        """The value with an element set, also in what it is a part of."""
        changed = self.at[_as_numpy_takes_it(index)].set(value)
        if not isinstance(changed, ShadowTracer):
            return False
        self.node, self.index, self.leaves, self.number = changed.node, changed.index, changed.leaves, NOTHING
        return self.view_of is None or self.view_of[0]._change(self.view_of[1], self)

    def __getitem__(self, index: Any) -> Any:
        """Of a list, too, which JAX refuses: the run goes on as NumPy would."""
        found = super().__getitem__(_as_numpy_takes_it(index) if self._trace.run.alive else index)
        parts = index if isinstance(index, tuple) else (index,)
        if isinstance(found, ShadowTracer) and all(part is ... or isinstance(part, int | slice) for part in parts):
            found.view_of = self, index
        return found

    def to_concrete_value(self) -> Any:
        """JAX's own question, mostly "is there a value?": that is no need of it."""
        if not _wants_value(sys._getframe(1)):
            return None
        run = self._trace.run
        key, answer = run.question(self, "value")
        if answer:
            return run.answer(self, key, "value", lambda value: value)
        run.refused(key, None)
        return None


def _as_numpy_takes_it(index: Any) -> Any:
    return jnp.asarray(index) if isinstance(index, list) and index else index


def _is_caught(frame: FrameType | None, run: Any) -> bool:
    while frame is not None and frame is not run.top:
        if catches(frame):
            return True
        frame = frame.f_back
    return False


def _refuse_hash(tracer: ShadowTracer) -> int:
    raise TypeError(f"unhashable type: {type(tracer).__name__!r}")


_ASKING = frozenset({"__bool__", "__int__", "__index__", "__float__", "__complex__", "__hex__", "__oct__"})
_NEEDING = frozenset({"expand_bool_indices", "_is_slice_element_none_or_constant_or_symbolic"})


def _wants_value(frame: FrameType | None) -> bool:
    """Whether JAX asks for the value because it cannot do without (not only to take a quicker way if there is one)."""
    depth, concrete = 0, False
    while frame is not None and depth < 8:
        name = frame.f_code.co_name
        if name in _NEEDING or name == "concrete_or_error":
            return True
        if name == "is_concrete":
            concrete = True
        elif name in _ASKING:
            return True
        elif name != "to_concrete_value" and not name.startswith("<"):
            return False
        frame, depth = frame.f_back, depth + 1
    return not concrete


# Python's arithmetic on Python numbers stays Python's: with static arguments these would be numbers

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
    "lshift": operator.lshift,
    "rshift": operator.rshift,
    "divmod": divmod,
}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")
}
_UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": abs,
    "invert": operator.invert,
    "round": round,
}


_NOT_OF_FLAGS = frozenset({"__sub__", "__rsub__", "__neg__"})  # Python's own are numbers there; JAX's have no difference


def _is_over(value: Any) -> bool:
    return isinstance(value, ShadowTracer) and not value._trace.run.alive


NUMBERS = (bool, int, float, complex, np.number, np.bool_)


def _number_of(value: Any) -> Any:
    if isinstance(value, ShadowTracer):
        return value.number
    return value if isinstance(value, NUMBERS) else NOTHING


def _with_number(result: Any, compute: Callable[[], Any]) -> Any:
    """`result` with the number that Python would have, where Python has one."""
    if result is NotImplemented:
        return result
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            number = compute()
    except Exception:
        return result
    for tracer, one in zip(result, number, strict=True) if isinstance(result, tuple) else [(result, number)]:
        if isinstance(tracer, ShadowTracer) and tracer.number is NOTHING:
            tracer.number = one
    return result


def _operator(name: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: ShadowTracer, *others: Any) -> Any:
        if name in ("__eq__", "__ne__") and (_is_over(self) or (others and _is_over(others[0]))):
            return (self is others[0]) == (name == "__eq__")  # a key that JAX or an lru_cache kept
        plain = getattr(super(ShadowTracer, self), name)
        if name in ("__mul__", "__rmul__") and isinstance(others[0], (list, tuple, str, bytes)):
            return self._ask("index", lambda number: others[0] * number, lambda: plain(*others))
        numbers = [_number_of(value) for value in (self, *others)]
        if any(number is NOTHING for number in numbers):
            return plain(*others)
        with _parts.set_current_trace(self._trace):  # type: ignore[union-attr]
            if name in _NOT_OF_FLAGS and all(type(number) is bool for number in numbers) and self._goes_on():
                for each in (self, *others):
                    if isinstance(each, ShadowTracer):
                        self._trace.run.record(each, "flags", None)
                plain = getattr(self.astype(int), name)
            result = plain(*others)
        return _with_number(result, lambda: compute(*numbers))

    method.__name__ = name
    return method


def _install_operators() -> None:
    for name, compute in (_BINARY | _COMPARE | _UNARY).items():
        if hasattr(_parts.Tracer, f"__{name}__"):  # type: ignore[union-attr]
            setattr(ShadowTracer, f"__{name}__", _operator(f"__{name}__", compute))
    for name, compute in _BINARY.items():
        if hasattr(_parts.Tracer, f"__r{name}__"):  # type: ignore[union-attr]
            setattr(ShadowTracer, f"__r{name}__", _operator(f"__r{name}__", lambda a, b, compute=compute: compute(b, a)))


_install_operators()


class ShadowText(str):
    """A string argument that tells when it is compared, hashed or looked up."""

    __slots__ = ("leaf", "run")
    run: Any
    leaf: int

    def _tell(self, how: str) -> None:
        if self.run.alive:
            self.run.told(self, how)

    def __eq__(self, other: object) -> bool:
        self._tell("compare")
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        self._tell("compare")
        return str.__ne__(self, other)

    def __hash__(self) -> int:
        self._tell("hash")
        return str.__hash__(self)

    def __contains__(self, part: object) -> bool:
        self._tell("compare")
        return str.__contains__(self, part)  # type: ignore[operator]

    def __reduce__(self) -> Any:
        return str, (str(self),)
