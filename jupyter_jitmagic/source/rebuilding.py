"""From changed text back to a function.

A changed function is made from its code object alone: the top-level statement is compiled, never run, and the code of the
function is taken out of it. So no decorator, class body or module line runs again, and closures and defaults stay but for the
functions among them.
"""

from __future__ import annotations

import ast
import copy
import functools
import itertools
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jax_frames import jit_options
from jupyter_jitmagic.base.looking import ABSENT, attribute, attributes, has, in_class, text_attribute
from jupyter_jitmagic.source.methods import (
    CALL,
    LOOK_UP,
    OPERATE,
    OPERATORS,
    function_in,
    is_users_class,
    looking_up,
    names_of_methods,
    operated,
)
from jupyter_jitmagic.source.units import NoSource, Unit, codes, plain_function, unit_of
from jupyter_jitmagic.usercode.held import defaults_of
from jupyter_jitmagic.usercode.ownership import is_users_text
from jupyter_jitmagic.usercode.places import extent


def _same_code(a: types.CodeType, b: types.CodeType) -> bool:
    if a.co_qualname != b.co_qualname or a.co_names != b.co_names or a.co_varnames != b.co_varnames:
        return False
    if a.co_code != b.co_code or len(a.co_consts) != len(b.co_consts):
        return False
    for x, y in zip(a.co_consts, b.co_consts, strict=True):
        if isinstance(x, types.CodeType) or isinstance(y, types.CodeType):
            if not (isinstance(x, types.CodeType) and isinstance(y, types.CodeType) and _same_code(x, y)):
                return False
        elif type(x) is not type(y) or (x != y and repr(x) != repr(y)):
            return False
    return True


class Rebuilt:
    """The user's functions made again with changed units, in copies of their own globals.

    `wrapping`: for a function that another one was made into, what wraps the new one in its place; None for its own code.
    `asked`: compiles a unit whose text stays, as a tree that looks up methods.

    Only what leads to a changed function is made again. The user's namespaces, classes and function objects stay untouched.

    Raises:
        NoSource: something on the way cannot be made again (a decorator of unknown effect, a method looked up on a class).
    """

    def __init__(
        self,
        texts: dict[Unit, types.CodeType],
        imports: dict[Unit, str] | None = None,
        extra: dict[str, Any] | None = None,
        wrapping: Callable[[types.FunctionType], Callable[[Any], Any] | None] = lambda fun: None,
        asked: Callable[[Unit, ast.Module], types.CodeType] = lambda unit, tree: unit.compiled(
            ast.increment_lineno(tree, unit.first_line - 1), unit.filename
        ),
    ) -> None:
        self._units, self._asked = list(texts), asked
        self._wrapping = wrapping
        self._imports = imports or {}
        operates = functools.partial(operated, self._looked_up, lambda one, way: self._any_affected([_method(one, way)]))
        self._extra = (extra or {}) | ({LOOK_UP: self._looked_up, OPERATE: operates} if texts else {})
        self._codes: dict[Unit, dict[tuple[str, int], types.CodeType]] = {u: _numbered(c) for u, c in texts.items()}
        self._old = {u: _numbered(u.compiled(u.text, u.filename)) for u in texts}
        self._spaces: dict[int, dict[str, Any]] = {}
        self._made: dict[int, Any] = {}
        self._instances: dict[int, Any] = {}
        self._affected: dict[int, bool] = {}
        self._keep: list[Any] = []
        self._askers: list[Unit] = []
        self._named = frozenset(name for unit in self._units for name in names_of_methods(unit.text))
        self._methods = self._changed_methods() | (self._named & {CALL, *OPERATORS})

    def _changed_methods(self) -> set[str]:
        """Names of methods of the changed units: whoever names one may reach it."""
        found = set()
        for unit in self._units:
            for key, new in self._codes[unit].items():
                parts = key[0].split(".")
                old = self._old[unit].get(key)
                if len(parts) == 2 and old is not None and not _same_code(old, new):
                    found.add(parts[1])
        return found

    def _looked_up(self, owner: Any, name: str) -> Any:
        """`owner.name`, where that may be a changed method; of `owner(…)`, what is called."""
        if name == CALL and isinstance(owner, type):
            return self.make(owner)
        cls = owner if isinstance(owner, type) else type(owner)
        held = {} if owner is cls else attributes(owner) or {}
        base = next((each for each in cls.__mro__ if name in vars(each)), None)
        if base is not None and name not in held:
            method = vars(base)[name]
            function = method.fget if isinstance(method, property) else function_in(method)
            is_new = any(function is made for made in self._made.values())
            if isinstance(function, types.FunctionType) and not is_new and self.affected(function):
                made = self.make(function)
                if isinstance(method, property) and owner is not cls:
                    return made(owner)
                if isinstance(method, classmethod):
                    return types.MethodType(made, cls)
                plain = isinstance(method, staticmethod) or owner is cls
                return made if plain else types.MethodType(made, owner)
        return owner if name == CALL else getattr(owner, name)

    def _instance(self, value: Any) -> Any:
        """An object of the user's whose class has changed methods, as a copy with those methods; else the object itself."""
        cls = type(value)
        if not is_users_class(cls):
            return value
        key = id(value)
        if key in self._instances:
            return self._instances[key]
        changed = self._changed_in(cls)
        if not changed:
            return value
        self._keep.append(value)
        made = self._instances[key] = shallow_copy(value)
        object.__setattr__(made, "__class__", self._with_methods(cls, changed))
        return made

    def _changed_in(self, cls: type) -> dict[str, Any]:
        """A class's methods that are, or reach, changed functions, by name."""
        return {
            name: method
            for base in reversed(cls.__mro__)
            for name, method in vars(base).items()
            if isinstance(function_in(method), types.FunctionType) and self.affected(function_in(method))
        }

    def _with_methods(self, cls: type, changed: dict[str, Any]) -> type:
        """A class made of `cls` with these methods made again."""
        shadow = type(cls.__name__, (cls,), {"__slots__": ()})
        for name, method in changed.items():
            new = self.make(function_in(method))
            setattr(shadow, name, type(method)(new) if isinstance(method, staticmethod | classmethod) else new)
        return shadow

    def _making(self, cls: type) -> Callable[..., Any]:
        """What makes an object of a class by its changed methods; it is one of the class itself, whose methods are looked up
        where they are called."""
        shadow = self._with_methods(cls, self._changed_in(cls))

        def making(*args: Any, **kwargs: Any) -> Any:
            made: Any = shadow(*args, **kwargs)
            if type(made) is shadow:
                object.__setattr__(made, "__class__", cls)
            return made

        return making

    def make(self, fun: Any) -> Any:
        """`fun` with its changed parts; `fun` itself where nothing that it reaches has changed."""
        if not self.affected(fun):
            return fun
        if id(fun) in self._made:
            return self._made[id(fun)]
        self._keep.append(fun)
        wrap = self._wrapping(fun) if isinstance(fun, types.FunctionType) else None
        if wrap is not None:
            made: Any = wrap(self.make(fun.__wrapped__))
        elif isinstance(fun, types.FunctionType):
            return self._function(fun)
        elif isinstance(fun, type):
            made = self._making(fun)
        elif isinstance(fun, functools.partial):
            keywords = {name: self._new(each) for name, each in fun.keywords.items()}
            made = functools.partial(self.make(fun.func), *map(self._new, fun.args), **keywords)
        elif isinstance(fun, types.MethodType):
            made = types.MethodType(self.make(fun.__func__), self._instance(fun.__self__))
        elif type(fun) is dict:
            made = {key: self._new(each) for key, each in fun.items()}
        elif type(fun) in (list, tuple):
            made = type(fun)(map(self._new, fun))
        elif isinstance(fun, tuple):
            made = type(fun)(*map(self._new, fun))
        elif isinstance(fun, functools._lru_cache_wrapper):
            made = functools.lru_cache(**fun.cache_parameters())(self.make(fun.__wrapped__))
        elif isinstance(fun, np.vectorize):
            options = {name: getattr(fun, name) for name in ("otypes", "excluded", "cache", "signature")}
            made = np.vectorize(self.make(fun.pyfunc), **options)
        elif has(fun, "__wrapped__"):
            made = self._again(fun)
        else:
            made = self._instance(fun)
            if made is fun:
                call: Any = type(fun).__call__
                made = types.MethodType(self.make(call), fun)
        self._made[id(fun)] = made
        return made

    def handing_on(self, fun: Any, given: Iterable[Any]) -> Any:
        """`fun`, with each of what it is given made again where that reaches a changed function."""
        given = list(given)
        new = {id(each): (each, self.make(each)) for each in given if self._may_reach(each) and self.affected(each)}
        if not self._methods and (own := next(iter(given), None)) is not None and self._leads_by_methods(fun, own):
            new[id(own)] = own, self._instance(own)  # `self`, held static; changed methods are looked up where they are called
        if not new:
            return fun

        @functools.wraps(fun)
        def handing_on(*args: Any, **kwargs: Any) -> Any:
            made = {name: new.get(id(each), (each, each))[1] for name, each in kwargs.items()}
            return fun(*(new.get(id(each), (each, each))[1] for each in args), **made)

        return handing_on

    def _new(self, part: Any) -> Any:
        """What stands in a container, made again where that may reach a changed function."""
        return self.make(part) if self._may_reach(part) else part

    def affected(self, fun: Any) -> bool:
        """Whether `fun` is or reaches a function of a changed unit."""
        key = id(fun)
        if key not in self._affected:
            self._affected[key] = False  # a cycle decides nothing
            self._keep.append(fun)
            self._affected[key] = self._reaches(fun)
        return self._affected[key]

    def _reaches(self, fun: Any) -> bool:
        if isinstance(fun, types.FunctionType):
            code = fun.__code__
            if any(unit.holds(code) for unit in self._units):
                return True
            if not is_users_text(code.co_filename):
                return any(self._may_reach(c) and self.affected(c) for c in map(_content, fun.__closure__ or ()))
            names = {n for c in (code, *codes(code)) for n in c.co_names}
            if names & self._methods or self._methods & {CALL, *OPERATORS}:
                return True
            found = [fun.__globals__[n] for n in names if n in fun.__globals__]
            found += [_content(cell) for cell in fun.__closure__ or ()] + [*defaults_of(fun)]
            for module in [
                f for f in found if isinstance(f, types.ModuleType) and is_users_text(attribute(f, "__file__", None) or "<")
            ]:
                found += [vars(module)[n] for n in names if n in vars(module)]
            own = [f for f in found if _is_of_module(f, fun.__globals__)]
            return any((self._may_reach(f) or is_users_class(f)) and self.affected(f) for f in found) or any(
                self._leads_by_methods(fun, f) for f in own
            )
        if isinstance(fun, np.vectorize):
            return self.affected(fun.pyfunc)
        if isinstance(fun, functools.partial):
            return self.affected(fun.func) or self._any_affected((*fun.args, *fun.keywords.values()))
        if isinstance(fun, types.MethodType):
            return self.affected(fun.__func__) or self._leads_by_methods(fun.__func__, fun.__self__)
        if isinstance(fun, type):
            parts = [_function_of(fun, name) for name in _MAKING] if is_users_class(fun) else []
            return any(isinstance(each, types.FunctionType) and self._leads_within(each, fun) for each in parts)
        if isinstance(fun, dict):
            return self._any_affected(fun.values())
        if isinstance(fun, list | tuple):
            return self._any_affected(fun)
        if has(fun, "__wrapped__"):
            return self._any_affected((fun.__wrapped__, *_rules_of(fun)))
        call = vars(type(fun)).get("__call__")
        return isinstance(call, types.FunctionType) and self.affected(call)

    def _leads_by_methods(self, function: Any, owner: Any) -> bool:
        """Whether a method calls others of its object of which one reaches a changed function."""
        cls = type(owner)
        return is_users_class(cls) and isinstance(function, types.FunctionType) and self._leads_within(function, cls)

    def _leads_within(self, function: types.FunctionType, cls: type) -> bool:
        """Whether a function, or a method of this class that it names, and so on, reaches a changed one."""
        asked, met = [function], set[str]()
        for each in asked:
            named = {name for code in (each.__code__, *codes(each.__code__)) for name in code.co_names} - met
            met |= named
            methods = [_function_of(cls, name) for name in named]
            asked += [method for method in methods if isinstance(method, types.FunctionType)]
        return any(map(self.affected, asked))

    def _any_affected(self, parts: Iterable[Any]) -> bool:
        return any(self._may_reach(each) and self.affected(each) for each in itertools.islice(parts, _TABLE))

    @staticmethod
    def _is_callable(value: Any) -> bool:
        return callable(value) and not isinstance(value, type | types.BuiltinFunctionType)

    def _may_reach(self, value: Any) -> bool:
        """A callable, or what may hold some: a table of functions, a named tuple as `hk.transform` gives it."""
        kind = type(value)
        return self._is_callable(value) or kind in (dict, list, tuple) or (issubclass(kind, tuple) and has(value, "_fields"))

    def space(self, module_globals: dict[str, Any]) -> dict[str, Any]:
        """A copy of a module's globals in which changed functions, and what reaches them, are the new ones."""
        key = id(module_globals)
        if key not in self._spaces:
            space = self._spaces[key] = {**module_globals, **self._extra}
            for unit, lines in self._imports.items():
                if unit.globals is module_globals:
                    exec(lines, space)
            for name, value in module_globals.items():
                if name in self._extra:
                    continue
                if isinstance(value, types.ModuleType):
                    file = attribute(value, "__file__", None)
                    if file and is_users_text(file) and any(u.globals is vars(value) for u in self._units):
                        space[name] = self._module(value)
                elif self._may_reach(value) and self.affected(value):
                    try:
                        space[name] = self.make(value)
                    except NoSource as error:
                        if self._is_mentioned(name, value, module_globals):
                            space[name] = _refusing(error)
                elif (self._methods or _is_of_module(value, module_globals)) and not isinstance(value, type):
                    space[name] = self._instance(value)
        return self._spaces[key]

    def _is_mentioned(self, name: str, value: Any, module_globals: dict[str, Any]) -> bool:
        """Whether code that was changed, or that leads to it, reads this name: else nobody misses its new meaning."""
        others = [other for other in module_globals.values() if other is not value and self._is_callable(other)]
        readers = [fun.__code__ for fun in map(plain_function, filter(self.affected, others)) if fun is not None]
        readers += [code for unit in self._units for code in self._codes[unit].values()]
        return any(name in code.co_names for reader in readers for code in (reader, *codes(reader)))

    def _module(self, module: types.ModuleType) -> types.ModuleType:
        copy = types.ModuleType(module.__name__)
        copy.__dict__.update(self.space(vars(module)))
        return copy

    def _function(self, fun: types.FunctionType) -> types.FunctionType:
        code = self._new_code(fun.__code__, fun.__globals__)
        cells = dict(zip(fun.__code__.co_freevars, fun.__closure__ or (), strict=True))
        closure = []
        for name in code.co_freevars:
            if name not in cells:
                raise NoSource(f"the changed {fun.__qualname__} needs {name} from a function that has returned")
            closure.append(types.CellType())
        space = self.space(fun.__globals__)
        if id(fun) in self._made:  # made while its namespace was filled
            return self._made[id(fun)]  # type: ignore[no-any-return]
        made = types.FunctionType(code, space, fun.__name__, None, tuple(closure) or None)
        made.__qualname__, made.__module__, made.__doc__ = fun.__qualname__, fun.__module__, fun.__doc__
        made.__dict__.update({k: v for k, v in vars(fun).items() if k != "__wrapped__"})
        if has(fun, "__wrapped__"):
            made.__wrapped__ = fun.__wrapped__  # type: ignore[attr-defined]
        self._made[id(fun)] = made
        for name, cell in zip(code.co_freevars, closure, strict=True):
            value = _content(cells[name])
            if value is not _EMPTY:
                cell.cell_contents = self._held(value)
        if fun.__defaults__ is not None:
            made.__defaults__ = tuple(map(self._held, fun.__defaults__))
        if fun.__kwdefaults__ is not None:
            made.__kwdefaults__ = {name: self._held(value) for name, value in fun.__kwdefaults__.items()}
        return made

    def _held(self, value: Any) -> Any:
        """What a function closes over, or has as a default, made again."""
        return self.make(value) if self._may_reach(value) and self.affected(value) else self._instance(value)

    def _asking(self, code: types.CodeType, module_globals: dict[str, Any]) -> Iterator[Unit]:
        """The user's statement that holds a function, if that may call a method of a changed class: it asks for it then."""
        names = {n for c in (code, *codes(code)) for n in c.co_names}
        if not is_users_text(code.co_filename):
            return
        made = (module_globals[name] for name in names if name in module_globals)
        if not (
            self._named & {CALL, *OPERATORS} or names & self._named or any(is_users_class(m) and self.affected(m) for m in made)
        ):
            return
        found = next((unit for unit in self._askers if unit.holds(code)), None)
        if found is None:
            try:
                found = unit_of(code, module_globals)
            except NoSource:
                return
            tree = looking_up(ast.parse(found.text), self._named, module_globals)
            self._old[found] = _numbered(found.compiled(found.text, found.filename))
            self._codes[found] = _numbered(self._asked(found, tree))
            self._askers.append(found)
        yield found

    def _new_code(self, code: types.CodeType, module_globals: dict[str, Any]) -> types.CodeType:
        changed = [unit for unit in self._units if unit.holds(code)]
        for unit in changed or self._asking(code, module_globals):
            above = unit.first_line - 1
            found = {
                key: old
                for key, old in self._old[unit].items()
                if key[0] == code.co_qualname and old.co_firstlineno + above == code.co_firstlineno
            }
            if len(found) > 1:  # lambdas on one line
                found = {key: old for key, old in found.items() if extent(old, above) == extent(code)}
            for key in found:
                new = self._codes[unit].get(key)
                if new is None or not _same_parameters(new, code) or len(found) > 1:
                    raise NoSource(f"{code.co_qualname} is not in the changed source")
                return new
        return code

    def _again(self, fun: Any) -> Any:
        """A jitted (checkpointed, …) helper made again by running its own decorators, which must be JAX's or functools'."""
        inner = plain_function(fun)
        if inner is None:
            raise NoSource(f"{fun!r} cannot be made again")
        if rules := _rules_of(fun):
            derived = type(fun)(self.make(fun.__wrapped__), nondiff_argnums=fun.nondiff_argnums)
            define = derived.defvjp if isinstance(derived, jax.custom_vjp) else derived.defjvp
            define(*map(self.make, rules), symbolic_zeros=fun.symbolic_zeros)
            return derived
        if is_plain_jit(fun):
            return jitted_as(fun, self.make(fun.__wrapped__))
        if hasattr(fun, "lower") and not is_users_text(inner.__code__.co_filename):  # the jit of what jax.grad … returned
            return jitted_as(fun, self.make(inner))
        unit = next((u for u in self._units if u.holds(inner.__code__)), None) or unit_of(inner.__code__, inner.__globals__)
        statement = ast.parse(unit.text).body[-1]
        if not isinstance(statement, ast.FunctionDef) or statement.name != inner.__name__:
            raise NoSource(f"{inner.__qualname__} is wrapped in a way that cannot be made again")
        space = self.space(inner.__globals__)
        made: Any = self.make(inner)
        for decorator in reversed(statement.decorator_list):
            if not _is_known(decorator, inner.__globals__):
                raise NoSource(f"{inner.__qualname__} has a decorator, {ast.unparse(decorator)}, that cannot be run again")
            made = eval(compile(ast.Expression(decorator), "<jitmagic decorator>", "eval"), space)(made)  # noqa: S307
        return made


def _refusing(error: NoSource) -> Callable[..., Any]:
    """What stands for a function that cannot be made again: whoever calls it learns why; who does not needs it not."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise NoSource(str(error))

    return refuse


def _rules_of(fun: Any) -> tuple[Callable[..., Any], ...]:
    """The user's functions by which JAX goes through one that has derivatives of its own."""
    if isinstance(fun, jax.custom_vjp):
        return tuple(filter(None, (attribute(fun, "fwd"), attribute(fun, "bwd"))))
    return tuple(filter(None, (attribute(fun, "jvp"),))) if isinstance(fun, jax.custom_jvp) else ()


def is_plain_jit(fun: Any) -> bool:
    """Whether it is a function of Python's under `jax.jit` (or `jm.jit`), with options that another jit can be given."""
    kind = type(fun).__module__.partition(".")[0]
    if kind not in ("jax", "jaxlib", "jupyter_jitmagic") or not hasattr(fun, "lower"):
        return False
    info = getattr(fun, "_jit_info", None)
    placed = getattr(info, "user_specified_in_shardings", False) or any(
        type(leaf).__name__ != "UnspecifiedValue" for leaf in getattr(info, "out_shardings_leaves", ())
    )
    return not placed and isinstance(attribute(fun, "__wrapped__", None), types.FunctionType)


def jitted_as(fun: Any, inner: Any) -> Any:
    """`inner` under `jax.jit`, with the options of the jitted `fun`."""
    return jax.jit(inner, **{name: value for name, value in jit_options(fun)._asdict().items() if value})


CALLS_ITS_JIT = "__jitmagic_calls_its_jit__"
"""Attribute of a function that calls itself by these global names, of which each stands for its jit in the user's code."""
_EMPTY = object()
_TABLE = 100  # of one container that are looked at


_MAKING = ("__new__", "__init__", "__post_init__")
"""Methods that run where an object is made."""


def _method(owner: Any, name: str) -> Any:
    return function_in(in_class(owner, name))


def _function_of(cls: type, name: str) -> Any:
    """A method's function, as a class or one of those that it is made of has it; None where there is none."""
    return next((function_in(vars(base)[name]) for base in cls.__mro__ if name in vars(base)), None)


def shallow_copy(value: Any) -> Any:
    """An object with the same attributes; one of an ordinary class is made without code of its own, as its `__getattr__`."""
    cls: Any = type(value)
    if cls.__new__ is not object.__new__ or in_class(value, "__copy__") is not None:
        return copy.copy(value)
    made = object.__new__(cls)
    held = attributes(made)
    if held is not None:
        held.update(attributes(value) or {})
    for base in cls.__mro__:
        for name, member in vars(base).items():
            if isinstance(member, types.MemberDescriptorType) and (kept := attribute(value, name, ABSENT)) is not ABSENT:
                member.__set__(made, kept)
    return made


def _is_of_module(value: Any, module_globals: dict[str, Any]) -> bool:
    """Whether it is an object of a class that the module defines, and that JAX takes as a whole."""
    return type(value).__module__ == module_globals.get("__name__") and jax.tree_util.all_leaves([value])


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _EMPTY


def _numbered(module: types.CodeType) -> dict[tuple[str, int], types.CodeType]:
    count: dict[str, int] = {}
    out = {}
    for code in codes(module):
        number = count[code.co_qualname] = count.get(code.co_qualname, 0) + 1
        out[code.co_qualname, number] = code
    return out


def _same_parameters(a: types.CodeType, b: types.CodeType) -> bool:
    count = a.co_argcount + a.co_kwonlyargcount + bool(a.co_flags & 4) + bool(a.co_flags & 8)
    same = (a.co_argcount, a.co_kwonlyargcount, a.co_posonlyargcount) == (
        b.co_argcount,
        b.co_kwonlyargcount,
        b.co_posonlyargcount,
    )
    return same and a.co_varnames[:count] == b.co_varnames[:count]


def _is_known(decorator: ast.expr, module_globals: dict[str, Any]) -> bool:
    """Whether a decorator is made of functions of JAX, functools or jupyter_jitmagic only."""
    for node in ast.walk(decorator):
        if isinstance(node, ast.Name):
            value = module_globals.get(node.id)
            if callable(value) or isinstance(value, types.ModuleType):
                module = attribute(value, "__module__", None) or text_attribute(value, "__name__")
                if str(module).split(".")[0] not in {"jax", "functools", "jaxlib", "jupyter_jitmagic", "equinox"}:
                    return False
    return True
