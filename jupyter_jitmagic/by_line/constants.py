"""Large arrays that a trace has put into a program as constants: closures and globals that might be arguments."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic.base.jax_frames import JitOptions
from jupyter_jitmagic.by_line.equations import equations_of
from jupyter_jitmagic.by_line.hlo import Place
from jupyter_jitmagic.recording.calls.examples import Example
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, Reach, rerun, undoing


class Constant(NamedTuple):
    """An array in a program, or several that one name holds (a dict of parameters, a model)."""

    bytes: int
    type: str
    """JAX's short type, or how many arrays these are."""
    place: Place | None
    """The first line that uses it."""
    name: str
    """The user's: of an array in a container with where it is in there; "" if none is known."""
    holder: str
    """The name in the function's closure or module, which is `name` but for one array of a container."""
    value: Any
    """What that name stands for."""
    arrays: tuple[Any, ...]


LARGE = 16 * 2**20
"""Bytes from which on a constant is worth a line: XLA reads, folds and keeps it with every program."""


def large_constants(jaxpr: Any, fun: Callable[..., Any], is_users: Callable[[str], bool]) -> Iterator[Constant]:
    """The large constants of a closed jaxpr of `fun`, the largest first."""
    inner = getattr(jaxpr, "jaxpr", jaxpr)
    every = [(variable, value) for variable, value in zip(inner.constvars, jaxpr.consts, strict=False) if _size(value)]
    if sum(_size(value) for _, value in every) < LARGE:
        return
    users: dict[Any, Place] = {}
    for equation, stack in equations_of(inner, is_users):
        for variable in equation.invars:
            if stack and not hasattr(variable, "val"):
                users.setdefault(variable, stack[0])
    names = list(_arrays_named(fun, set()))
    same, views = (
        {id(each.array): each for each in reversed(names)},
        [each for each in names if isinstance(each.array, np.ndarray)],
    )
    held: dict[str, list[tuple[Any, Any, _Named]]] = defaultdict(list)
    for number, (variable, value) in enumerate(every):
        named = same.get(id(value)) or next((each for each in views if _is_same(each.array, value)), _NAMELESS)
        held[named.holder or f"#{number}"].append((variable, value, named))
    found = [_constant(group, users) for group in held.values()]
    yield from sorted((each for each in found if each.bytes >= LARGE), key=lambda each: -each.bytes)


def _constant(group: list[tuple[Any, Any, _Named]], users: dict[Any, Place]) -> Constant:
    """What one name holds."""
    arrays = tuple(value for _, value, _ in group)
    place = next((users[variable] for variable, _, _ in group if variable in users), None)
    variable, _, named = group[0]
    one = len(group) == 1
    kind = variable.aval.str_short(short_dtypes=True) if one else f"{len(group)} arrays"
    name = named.name if one else named.holder
    return Constant(sum(map(_size, arrays)), kind, place, name, named.holder, named.value, arrays)


def traces_as_argument(
    fun: Callable[..., Any], constant: Constant, options: JitOptions, example: Example, seconds: float
) -> bool:
    """Whether the function traces with this array as an argument of its own in the place of its name, and no program of it
    holds the array then: seen by tracing a copy. False where its values are needed, or where a helper names it as well."""
    plain = fun
    while hasattr(plain, "__wrapped__"):
        plain = plain.__wrapped__
    if type(plain) is not FunctionType or not constant.holder:
        return False

    def with_argument(array: Any, /, *args: Any, **kwargs: Any) -> Any:
        return _naming(plain, constant.holder, array)(*args, **kwargs)

    nums = tuple(num + 1 for num in options.static_argnums if num >= 0)

    def trace() -> Any:
        array = jax.tree_util.tree_map(_placeholder, constant.value)
        jitted = jax.jit(with_argument, static_argnums=nums, static_argnames=tuple(options.static_argnames))
        return jitted.trace(array, *example.args, **example.kwargs)

    try:
        with undoing(Reach(plain)):
            consts = rerun(trace, seconds).jaxpr.consts
    except (Exception, OutOfTime, Effect):  # the user's code says no, or cannot be run once more
        return False
    return not any(_is_same(value, each) for value in constant.arrays for each in consts)


def _placeholder(leaf: Any) -> Any:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) if isinstance(leaf, _ARRAYS) else leaf


def _naming(fun: FunctionType, name: str, value: Any) -> FunctionType:
    """A copy of the function in which this name, of its closure or its module, stands for `value`."""
    closure = fun.__closure__
    space = fun.__globals__
    if name in fun.__code__.co_freevars:
        cells = zip(fun.__code__.co_freevars, closure or (), strict=True)
        closure = tuple(CellType(value) if each == name else cell for each, cell in cells)
    else:
        space = {**space, name: value}
    made = FunctionType(fun.__code__, space, fun.__name__, fun.__defaults__, closure)
    made.__kwdefaults__ = fun.__kwdefaults__
    return made


def _is_same(named: Any, constant: Any) -> bool:
    """Whether a constant is this array: itself, or NumPy's of which JAX took a view."""
    if isinstance(named, np.ndarray) and isinstance(constant, np.ndarray):
        return named.shape == constant.shape and np.may_share_memory(named, constant)
    return named is constant


def _size(value: Any) -> int:
    return int(getattr(value, "nbytes", 0) or 0)


_ARRAYS = (jax.Array, np.ndarray)
_LOOKED_INTO = 10_000
"""Values in what one name holds."""


class _Named(NamedTuple):
    name: str
    """As the user would write it: `table`, `params['w']`, `model.layers[0].w`."""
    holder: str
    """The name itself; "" for what no name of the function's closure or module stands for."""
    value: Any
    """What that stands for."""
    array: Any


_NAMELESS = _Named("", "", None, None)


def _arrays_named(fun: Any, seen: set[int]) -> Iterator[_Named]:
    """The arrays that a function reads by a name of its own or of its module, in containers, too, those of the functions it
    names included; of a method also those of its object."""
    while hasattr(fun, "__wrapped__"):
        fun = fun.__wrapped__
    code = getattr(fun, "__code__", None)
    if code is None or id(fun) in seen:
        return
    seen.add(id(fun))
    space = fun.__globals__
    values = {name: space[name] for name in code.co_names if name in space}
    for name, cell in zip(code.co_freevars, fun.__closure__ or (), strict=False):
        try:
            values[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    if isinstance(fun, MethodType) and code.co_varnames:
        values[code.co_varnames[0]] = fun.__self__
    for name, value in values.items():
        if callable(value) and hasattr(value, "__code__"):
            yield from _arrays_named(value, seen)
        else:
            yield from (_Named(f"{name}{path}", name, value, array) for path, array in _arrays_in(value))


def _arrays_in(value: Any) -> Iterator[tuple[str, Any]]:
    """The arrays in a value, each with the way to it; in Python's containers and in what objects keep. No code of
    the user's runs, and it may go on meanwhile in another thread: containers are copied in one step."""
    todo, seen = deque([("", value)]), set[int]()
    while todo and len(seen) < _LOOKED_INTO:
        path, each = todo.popleft()
        if isinstance(each, _ARRAYS):
            yield path, each
        elif id(each) not in seen and not isinstance(each, type | ModuleType | FunctionType | str | bytes):
            seen.add(id(each))
            if isinstance(each, dict):
                todo += [(f"{path}[{key!r}]", item) for key, item in list(dict.items(each)) if isinstance(key, str | int)]
            elif isinstance(each, tuple) and (names := getattr(type(each), "_fields", None)):
                todo += [(f"{path}.{name}", item) for name, item in zip(names, tuple.__iter__(each), strict=False)]
            elif isinstance(each, list | tuple):
                items = list.copy(each) if isinstance(each, list) else tuple.__getitem__(each, slice(None))
                todo += [(f"{path}[{number}]", item) for number, item in enumerate(items)]
            elif isinstance(kept := _kept_by(each), dict):
                todo += [(f"{path}.{name}", item) for name, item in list(dict.items(kept))]


def _kept_by(value: Any) -> Any:
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
