"""Whether a run of a function is its result alone, read from its code and its helpers': no effect, no answer of the moment.

Beside `reach`, which says whether a run can be put back: what can be put back may run, and still is no plain function of its
arguments that a rewrite could be compared with.
"""

from __future__ import annotations

import ast
import collections
import functools
import inspect
import itertools
import random
import re
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute, attributes, in_class, is_a, own_attribute, parts_of
from jupyter_jitmagic.sandbox.handed import Reached, of_inner_functions, of_own_making
from jupyter_jitmagic.sandbox.known_effects import MUTATORS, noticed
from jupyter_jitmagic.sandbox.own_making import made_here, own_names, root_of, sets_of_own_making, value_of, ways
from jupyter_jitmagic.sandbox.timings import only_told
from jupyter_jitmagic.source.definitions import definition_of
from jupyter_jitmagic.source.methods import OPERATORS
from jupyter_jitmagic.source.units import NoSource, Unit, attributes_set, plain_function, unit_of
from jupyter_jitmagic.usercode.ownership import is_users_text

_CALLBACKS = {"io_callback"}
_TIME = "it uses the time"


def impurity(
    fun: Any,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    copied: frozenset[str] = frozenset(),
    refused: Collection[tuple[str, int]] = (),
    carried: Collection[str] = (),
    tells_time: bool = False,
) -> tuple[str, list[Unit]]:
    """Why running `fun` could be noticed ("" if it could not), and the units of all user functions that it reaches.

    Args:
        fun: the function.
        args, kwargs: the call's arguments; methods of the user's classes among them are looked at as well.
        copied: parameters of `fun` of which a run gets copies, and globals that are put back: it may change them.
        carried: parameters of `fun` that are copied with all that they hold: their methods may change them, too.
        refused: file name and line of each place that was seen to set elements of an array of JAX, which changes nothing.
        tells_time: the time may be read where no more is done with it than to tell it.

    Example:
        >>> impurity(lambda x: STATE.append(x))[0]
        'it changes STATE (line 3)'
    """
    seen: set[int] = set()
    units: dict[tuple[str, int], Unit] = {}
    values = (*args, *(kwargs or {}).values(), attribute(fun, "__self__", None), fun)
    classes = {
        type(value) for value in (*values, *_held(values, lambda held: attributes(held) is not None)) if value is not None
    }
    classes = {c for c in classes if not str(c.__module__).startswith(("jax", "numpy", "builtins", "functools"))}
    containers = tuple({type(held) for held in _held(values, lambda held: isinstance(held, _CONTAINERS))})
    outer = plain_function(fun)
    named = _named(fun, args, kwargs or {})
    objects = _held([named[name] for name in carried if name in named], lambda held: attributes(held) is not None)
    made = _Made(classes, {type(each) for each in objects})
    queue = [outer]
    reached: list[tuple[types.FunctionType, ast.AST]] = []
    effects: list[Callable[[frozenset[str], frozenset[str]], str]] = []
    known_then: list[list[Unit]] = []
    unknown = ""
    while queue and not unknown:
        function = queue.pop()
        if function is None or id(function.__code__) in seen or not is_users_text(function.__code__.co_filename):
            continue
        seen.add(id(function.__code__))
        try:
            unit = unit_of(function.__code__, function.__globals__)
        except NoSource as error:
            unknown = f"it cannot be checked for side effects: {error}"
            break
        unit = units.setdefault((unit.filename, unit.first_line), unit)
        definition = definition_of(unit, function.__code__)
        if definition is None:
            unknown = f"it cannot be checked for side effects: {function.__qualname__} was not found"
            break
        known = named if function is outer else _owner_of(function, values)
        reader = functools.partial(_is_read, function=function, named=known, classes=classes, containers=containers)
        own = copied if function is outer else made.own_object(function)
        lines = {line for filename, line in refused if filename == unit.filename}
        reached.append((function, definition))
        shared = made.shared(function)
        effects.append(
            functools.partial(_first_effect, definition, function, unit, own, shared, reader, known, lines, tells_time)
        )
        known_then.append(list(units.values()))
        queue += [
            plain_function(f) for f in (*_callees(definition, function, classes, known), *made.methods(definition, function))
        ]
    methods = [function for function, _ in reached if made.has(function)]
    handed, own_objects = (of_own_making(reached, own_in, value_of, methods) for own_in in (_own_in, _made_in))
    for (function, _), effect, then in zip(reached, effects, known_then, strict=True):
        if reason := effect(*(each.get(function.__code__, frozenset()) for each in (handed, own_objects))):
            return reason, then
    return unknown, list(units.values())


class _Made:
    """Classes of which the functions that are reached make objects, and their methods that may be called. What such a method
    writes to its own object is not noticed: nobody else has it.

    Args:
        given: classes of objects that the call is given.
        copied: those of objects of which a run gets copies.
    """

    def __init__(self, given: Collection[type], copied: Collection[type]) -> None:
        self._copied = copied
        self._given, self._classes, self._names = given, dict[type, None](), {"__init__", "__call__", *OPERATORS}

    def methods(self, definition: ast.AST, function: types.FunctionType) -> Iterator[types.FunctionType]:
        """Those of all classes that are known by now, under names that are asked for somewhere."""
        for node in ast.walk(definition):
            if isinstance(node, ast.Attribute):
                self._names.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(kind := value_of(node, function), type):
                held = any(type(each) is kind for each in function.__globals__.values())
                if kind not in self._given and kind.__mro__ == (kind, object) and not held:
                    self._classes[kind] = None
        for kind in self._classes:
            yield from (each for name, each in vars(kind).items() if name in self._names and _is_users(each))

    def has(self, function: types.FunctionType) -> bool:
        return any(function in vars(kind).values() for kind in self._classes)

    def shared(self, function: types.FunctionType) -> frozenset[str]:
        """Of a method: containers and arrays that its class holds, and none of its methods binds for its object."""
        kind = next((each for each in self._classes if function in vars(each).values()), None)
        held = {name for name, value in vars(kind).items() if isinstance(value, _CONTAINERS)} if kind else set()
        codes = (each.__code__ for each in vars(kind).values() if isinstance(each, types.FunctionType)) if held else ()
        return frozenset(held - {name for code in codes for name in attributes_set(code)})

    def own_object(self, function: types.FunctionType) -> frozenset[str]:
        """The name that a method has for its object."""
        of_a_copy = any(function in vars(base).values() for kind in self._copied for base in kind.__mro__)
        return frozenset(function.__code__.co_varnames[:1] if of_a_copy or self.has(function) else ())


class ReadOnce(NamedTuple):
    """What comes out otherwise each time in plain Python, and the line that asks for it: jit asks while it traces alone."""

    what: str
    """ "host randomness" or "the time"."""
    line: int


def read_once(fun: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> ReadOnce | None:
    """What `fun` or a helper asks of the moment; None where nothing is known of it. Generators that are made from a seed there
    give the same numbers each time.

    Example:
        >>> read_once(lambda x: x + np.random.normal())
        ReadOnce(what='host randomness', line=1)
    """
    reason, units = impurity(fun, args, kwargs)
    found = once(reason)
    if found is None:
        return None
    what, line = found
    unit = next((each for each in reversed(units) if each.first_line <= line <= each.last_line), None)
    text = unit.text.splitlines()[line - unit.first_line] if unit is not None else ""
    return None if _SEEDED.search(text) else ReadOnce(what, line)


def once(effect: str) -> tuple[str, int] | None:
    """What an `impurity` asks of the moment, and in which line; None where it is another."""
    found = re.fullmatch(r"it uses (host randomness|the time) \(line (\d+)\)", effect)
    return None if found is None else (found[1], int(found[2]))


_SEEDED = re.compile(r"\b(default_rng|RandomState|Random|SeedSequence|PCG64|seed)\(\s*[^)\s]")


def _first_effect(
    definition: ast.AST,
    function: types.FunctionType,
    unit: Unit,
    copied: frozenset[str],
    shared: frozenset[str],
    is_read: Callable[[ast.Attribute], bool],
    named: Mapping[str, Any],
    refused: Collection[int],
    tells_time: bool,
    handed: frozenset[str],
    objects: frozenset[str],
) -> str:
    """What a run of one function does that is noticed; "" for nothing.

    `shared`: attributes of its object that all objects of the class have in common; `handed`: its parameters that hold what
    callers bound to something of their own making; `objects`: those that hold objects which callers made by a call of their
    class.
    """
    effects = _effects(definition, function, unit, (copied | handed, copied | objects), is_read, named, refused, tells_time)
    return next(itertools.chain(effects, _changed_for_all(definition, unit, copied, shared)), "")


def _changed_for_all(definition: ast.AST, unit: Unit, own: frozenset[str], shared: frozenset[str]) -> Iterator[str]:
    """What a method changes in place of what its class holds: `self.known[k] = v`, `self.known.append(v)`."""
    for node in ast.walk(definition):
        match node:
            case ast.Subscript(value=held, ctx=ast.Store() | ast.Del()):
                pass
            case ast.Call(func=ast.Attribute(value=held, attr=method)) if method in MUTATORS:
                pass
            case _:
                continue
        while isinstance(held, ast.Subscript):
            held = held.value
        match held:
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in own and name in shared:
                yield f"it changes {owner}.{name} in place (line {node.lineno + unit.first_line - 1})"


def _own_in(reached: Reached) -> set[str]:
    function, definition = reached
    return own_names([n for part in _body(definition) for n in ast.walk(part)], function)


def _made_in(reached: Reached) -> set[str]:
    function, definition = reached
    return made_here(_body(definition), functools.partial(value_of, function=function))


def _body(definition: ast.AST) -> list[ast.stmt]:
    return definition.body if isinstance(definition, ast.FunctionDef) else [definition]  # type: ignore[list-item]


def _effects(
    definition: ast.AST,
    function: types.FunctionType,
    unit: Unit,
    given: tuple[frozenset[str], frozenset[str]],
    is_read: Callable[[ast.Attribute], bool],
    named: Mapping[str, Any],
    refused: Collection[int] = (),
    tells_time: bool = False,
) -> Iterator[str]:
    """`given`: parameters whose items, and those whose attributes, nobody else sees."""
    body = _body(definition)
    nodes = [n for part in body for n in ast.walk(part)]
    own = own_names(nodes, function) | given[0]
    own |= of_inner_functions(definition, own)
    made = made_here(body, functools.partial(value_of, function=function)) | given[1]
    just_made = set(sets_of_own_making(body))
    offset = unit.first_line - 1

    def line(node: ast.AST) -> str:
        return f"(line {getattr(node, 'lineno', 1) + offset})"

    bound = {
        *function.__code__.co_varnames,
        *function.__code__.co_cellvars,
        *(node.arg for node in nodes if isinstance(node, ast.arg)),
    }

    def held(name: str) -> Any:
        """What a name stands for that the function did not bind to something of its own making; None where unknown."""
        return None if name in own else named.get(name) if name in bound else function.__globals__.get(name)

    def deeds(node: ast.Call) -> Iterator[str]:
        return _call_effect(node, function, own, held, is_read)

    told = only_told(body, lambda node: _TIME in deeds(node)) if tells_time else set()
    outer_nonlocals = set(function.__code__.co_freevars)
    for node in nodes:
        if node in told:
            continue
        if isinstance(node, ast.Global):
            yield from (f"it writes the global {name} {line(node)}" for name in node.names if name not in given[0])
        elif isinstance(node, ast.Nonlocal) and outer_nonlocals & set(node.names):
            yield f"it writes {node.names[0]} of the function around {line(node)}"
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            if root_of(node) in made and isinstance(node.value, ast.Name):
                continue
            yield f"it writes {ast.unparse(node)} {line(node)}"
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            root = root_of(node)
            if (root is None or root not in own) and node.lineno + offset not in refused and node not in just_made:
                yield f"it changes {root or 'something'} in place {line(node)}"
        elif isinstance(node, ast.Await):
            yield f"it is a coroutine {line(node)}"
        elif isinstance(node, ast.Call) and not _sorts_anew(node, nodes, held):
            yield from (f"{reason} {line(node)}" for reason in deeds(node))


def _sorts_anew(node: ast.Call, nodes: Iterable[ast.AST], held: Callable[[str], Any]) -> bool:
    """`z = x[x > t].sort()`, z used then: an array of JAX gives another one, where lists and NumPy's arrays give None."""
    if not (isinstance(node.func, ast.Attribute) and node.func.attr == "sort"):
        return False
    owner = held(root) if (root := root_of(node.func)) is not None else None
    if owner is not None and not isinstance(owner, jax.Array):
        return False
    read = {each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
    for each in nodes:
        match each:
            case ast.Expr(value=value) if value is node:
                return False
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node:
                return name in read
    return True


def _call_effect(
    node: ast.Call,
    function: types.FunctionType,
    own: set[str],
    held: Callable[[str], Any],
    is_read: Callable[[ast.Attribute], bool],
) -> Iterator[str]:
    callee = value_of(node.func, function)
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    root = root_of(node.func)
    owner = held(root) if root is not None else None
    module = ".".join([owner.__name__, *ast.unparse(node.func).split(".")[1:-1]]) if isinstance(owner, types.ModuleType) else ""
    if _is_seeded(node, callee, held):
        return
    if deed := noticed(callee, module):
        yield deed
    elif module:
        pass  # a function of a module changes nothing that is named before it
    elif type(owner).__module__.startswith(("numpy.random", "random")):
        yield "it uses host randomness"
    elif (
        isinstance(node.func, ast.Attribute) and name in MUTATORS and not (_is_own(node.func, own) or _is_at_update(node.func))
    ):
        yield from () if is_read(node.func) else (f"it changes {ast.unparse(node.func.value)}",)
    if name in _CALLBACKS:
        yield "it calls back to the host"
    if name == "next" and node.args and not _is_made_there(node.args[0], function) and root_of(node.args[0]) not in own:
        yield f"it advances {ast.unparse(node.args[0])}"


def _is_seeded(node: ast.Call, callee: Any, held: Callable[[str], Any]) -> bool:
    """Whether a generator of random numbers is made from a number that is known: it gives the same numbers in each run."""
    seeds = [*node.args, *(keyword.value for keyword in node.keywords)]
    numbers = [held(each.id) if isinstance(each, ast.Name) else attribute(each, "value", None) for each in seeds]
    return any(callee is each for each in _GENERATORS) and len(seeds) == 1 and type(numbers[0]) is int


_GENERATORS: list[Any] = [np.random.default_rng, np.random.RandomState, random.Random]


def _is_own(func: ast.Attribute, own: set[str]) -> bool:
    """Whether a method is called on something of the function's own making, whichever of several data chooses."""
    return all(root_of(each) in own for each in ways(func.value))


def _is_made_there(items: ast.expr, function: types.FunctionType) -> bool:
    """Whether an iterator is new: a generator expression, or what a generator function gives."""
    makes = value_of(items.func, function) if isinstance(items, ast.Call) else None
    return isinstance(items, ast.GeneratorExp) or (isinstance(makes, types.FunctionType) and inspect.isgeneratorfunction(makes))


def _is_read(
    func: ast.Attribute,
    function: types.FunctionType,
    named: Mapping[str, Any],
    classes: Iterable[type],
    containers: Iterable[type],
) -> bool:
    """Whether a method that is called as those that change a container is one of Python's own, whose code is looked at as well,
    or a function that a tuple holds (`optax.adam(1e-3).update`).

    Args:
        named: the values of the function's parameters, where they are known.
        classes, containers: of the call's arguments, for an owner that is not known: it may be any of them.
    """
    owner = value_of(func.value, function)
    owner = _reached(func.value, named) if owner is None else owner
    if owner is not None:
        kinds: Iterable[type] = [type(owner)]
    elif any(hasattr(container, func.attr) for container in containers):
        return False
    else:
        kinds = classes
    return any(
        _is_users(getattr(kind, func.attr, None)) or (issubclass(kind, tuple) and func.attr in attribute(kind, "_fields", ()))
        for kind in kinds
    )


def _named(fun: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the parameters by name, `self` of a method among them."""
    function: Any = fun.func if isinstance(fun, functools.partial) else fun
    owner = attribute(function, "__self__", None)
    try:
        given = inspect.signature(fun).bind_partial(*args, **kwargs)
        given.apply_defaults()
        named = dict(given.arguments)
        first = next(iter(inspect.signature(function.__func__).parameters), "") if owner is not None else ""
    except (AttributeError, TypeError, ValueError):
        return {}
    return {**named, first: owner} if first else named


def _owner_of(function: types.FunctionType, values: Iterable[Any]) -> dict[str, Any]:
    """`self` of a method, where just one of the values has it."""
    owners = [v for v in values if attribute(getattr(type(v), function.__name__, None), "__code__", None) is function.__code__]
    return {function.__code__.co_varnames[0]: owners[0]} if len(owners) == 1 and function.__code__.co_argcount else {}


def _reached(node: ast.AST, named: Mapping[str, Any]) -> Any:
    """What a name or an attribute holds, read without running the user's code; None where unknown."""
    if isinstance(node, ast.Name):
        return named.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _reached(node.value, named)
        names = in_class(owner, "_fields", ()) if is_a(owner, tuple) else ()
        return tuple.__getitem__(owner, names.index(node.attr)) if node.attr in names else own_attribute(owner, node.attr)
    return None


_CONTAINERS = (list, dict, set, bytearray, collections.deque, np.ndarray)


_MOST_LOOKED_AT = 1000


def _held(values: Iterable[Any], wanted: Callable[[Any], bool]) -> Iterator[Any]:
    """What is wanted of the values, of what they contain and of what the attributes of objects hold, as far as one looks."""
    todo = collections.deque(values)
    for _ in range(_MOST_LOOKED_AT):
        if not todo:
            return
        value = todo.popleft()
        if wanted(value):
            yield value
        inner = dict.values(value) if is_a(value, dict) else parts_of(value) if is_a(value, (list, tuple)) else ()
        held = () if is_a(value, (type, types.ModuleType, types.FunctionType)) else dict.values(attributes(value) or {})
        todo.extend(itertools.islice(itertools.chain(inner, held), _MOST_LOOKED_AT))


def _is_users(method: object) -> bool:
    return isinstance(method, types.FunctionType) and is_users_text(method.__code__.co_filename)


def _is_at_update(func: ast.Attribute) -> bool:
    """`x.at[i].add(v)`, and methods of the same names on values that are made on the spot."""
    value = func.value
    if isinstance(value, ast.Call):
        return True
    return isinstance(value, ast.Subscript) and isinstance(value.value, ast.Attribute) and value.value.attr == "at"


def _callees(
    definition: ast.AST, function: types.FunctionType, classes: Iterable[type], named: Mapping[str, Any]
) -> Iterator[Any]:
    """What a function may call: what its names stand for, and the functions that it is given."""
    body = definition.body if isinstance(definition, ast.FunctionDef) else [definition]
    for node in (n for part in body for n in ast.walk(part)):  # not its decorators: they ran long ago
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            value = value_of(node, function)
            if value is None and isinstance(given := named.get(node.id), types.FunctionType):
                value = given
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            value = value_of(node, function)
            for cls in (*classes, *_class_of(node.value, function)):
                method = getattr(cls, node.attr, None)
                if isinstance(method, types.FunctionType):
                    yield method
                elif isinstance(method, property) and method.fget is not None:
                    yield method.fget
        else:
            continue
        if callable(value) and not isinstance(value, type | types.BuiltinFunctionType):
            yield value


def _class_of(node: ast.AST, function: types.FunctionType) -> Iterator[type]:
    """The class of an object that a (dotted) name stands for, where it is the user's own."""
    value = value_of(node, function)
    if value is not None and not isinstance(value, type | types.ModuleType):
        kind = type(value)
        if any(
            isinstance(held, types.FunctionType) and is_users_text(held.__code__.co_filename) for held in vars(kind).values()
        ):
            yield kind
