"""A function that writes to objects as one that takes their attributes and gives the new ones back; text in, text out.

What it calls of the objects' methods is written again in the same way, as functions beside it: `self.predict(x)` becomes
`pure_predict(w, x)`. Nothing of the user's runs.
"""

from __future__ import annotations

import ast
import copy
import inspect
import itertools
import types
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_jitmagic.base.looking import attribute, has
from jupyter_jitmagic.diagnosis.objects.attributes import (
    ABSENT,
    Item,
    Method,
    Path,
    attribute_at,
    families,
    is_users_object,
    method_at,
)
from jupyter_jitmagic.diagnosis.objects.keyed import GROWING, CannotLift, Keyed
from jupyter_jitmagic.sandbox.purity import MUTATORS
from jupyter_jitmagic.source.code import Code, Edit, always_returns, first_line, leaves
from jupyter_jitmagic.source.names import loaded, read_first, stored, surely_written, walk, walk_scope
from jupyter_jitmagic.source.units import NoSource, Unit, unit_of

_CONTAINERS = (list, dict, set, deque)
_MUTATORS = MUTATORS | {"popleft", "appendleft"}
_MOST_METHODS = 12


@dataclass(frozen=True)
class Lifted:
    """One function without its objects.

    Attributes:
        name, text: of the new function.
        inputs: the attributes that it takes first, in order, with the names that they have in it.
        outputs: the attributes that it gives back behind its result, likewise.
        gives: whether it gives a result beside them.
        gives_object: the result was the object itself, which the caller has.
        parameters: its other parameters, by name.
    """

    name: str
    text: str
    inputs: dict[Path, str]
    outputs: dict[Path, str]
    gives: bool
    gives_object: bool
    parameters: tuple[str, ...]


@dataclass
class _Facts:
    """What one function does with the objects, found before its text is written."""

    reads: dict[Path, None] = field(default_factory=dict)
    stores: dict[Path, None] = field(default_factory=dict)
    changes: dict[Path, None] = field(default_factory=dict)
    calls: list[tuple[ast.Call, Lifted]] = field(default_factory=list)


class Lifting:
    """The functions that stand for one that writes to objects.

    Args:
        objects: the objects by the path at which they are reached, as ``("self",)``.
        globals_: of the function; a method from elsewhere is not followed.

    Attributes:
        collected: lists that are only appended to: they are made anew, and the caller's grow by what is in them.
        asked_last: those of which the last element is asked for.
        methods: what was called of the objects, as their classes hold it.
        in_rounds: attributes that are not there before, and are written in each round of a loop.
        in_place: arrays of NumPy and dicts that are changed in place.
    """

    def __init__(self, objects: Mapping[Path, Any], globals_: dict[str, Any]) -> None:
        self.objects, self.globals = objects, globals_
        self.collected: dict[Path, None] = {}
        self.in_place: dict[Path, None] = {}
        self.asked_last: dict[Path, None] = {}
        self.in_rounds: dict[Path, None] = {}
        self.methods: dict[Path, Any] = {}
        self.rebound: set[Path] = set()
        self.keyed = Keyed()
        self._uses: dict[Path, int] = {}
        self._appends: dict[Path, int] = {}
        self._made: dict[tuple[Any, tuple[tuple[str, Path], ...]], Lifted] = {}
        self._open: list[types.FunctionType] = []
        self._names: dict[Path, str] = {}
        self._taken: set[str] = set(globals_)
        self.defaults: dict[str, types.FunctionType] = {}

    @property
    def helpers(self) -> list[Lifted]:
        """Those that the main one calls, in the order in which they can be defined."""
        return list(self._made.values())[:-1]

    def lift(self, function: types.FunctionType, bound: Mapping[str, Path]) -> Lifted:
        """The function of the attributes that stands for `function`, whose parameters `bound` are objects.

        Raises:
            CannotLift, NoSource.
        """
        key = function.__code__, tuple(sorted(bound.items()))
        if key in self._made:
            return self._made[key]
        if any(each is function for each in self._open):
            raise CannotLift(f"{function.__name__} calls itself")
        if len(self._made) > _MOST_METHODS or function.__globals__.get("__name__") != self.globals.get("__name__"):
            raise CannotLift(f"{function.__name__} is not followed")
        self._open.append(function)
        try:
            made = self._lifted(function, bound)
        finally:
            self._open.pop()
        self._made[key] = made
        return made

    def _lifted(self, function: types.FunctionType, bound: Mapping[str, Path]) -> Lifted:
        unit = unit_of(function.__code__, function.__globals__)
        code = Code(unit.text)
        node = definition_in(code, unit, function)
        made = _Writer(self, code, node, bound).lifted()
        self.defaults[made.name] = function
        return made

    def check_classes(self, function: types.FunctionType) -> None:
        """What is written of a method's own class has to be right for the classes that are made of it.

        Raises:
            CannotLift: one of them has a method of its own in the place of one that is called.
        """
        for path in self.methods:
            owner = type(self.value(path[:-1]))
            defining = [each for each in owner.__mro__ if vars(each).get(function.__name__) is not None]
            for kind in families(defining[-1]) if len(path) == 2 and defining else ():
                if inspect.getattr_static(kind, path[-1], None) is not self.methods[path]:
                    raise CannotLift(f"{kind.__name__} has a {path[-1]} of its own")

    @property
    def others(self) -> dict[Path, str]:
        """Objects beside the method's own whose methods are written out here, and their classes."""
        owners = dict.fromkeys(path[:-1] for path in self.methods if path[:-1] != ("self",))
        return {owner: type(self.value(owner)).__name__ for owner in owners}

    # -- what is said of paths --------------------------------------------------------------------------

    def value(self, path: Path) -> Any:
        return attribute_at(self.objects, path)

    def name_of(self, path: Path, avoid: set[str]) -> str:
        """The name of an attribute's variable: its own, where nothing else is called so."""
        if path not in self._names:
            taken = avoid | self._taken | set(self._names.values())
            plain = [f"{each.holder}_{each.key}" if isinstance(each, Item) else each for each in path]
            last = path[-1].key if isinstance(path[-1], Item) else path[-1]
            wanted = (last, "_".join(plain[1:]), "_".join(plain))
            free = (name for name in wanted if name not in taken and name.isidentifier())
            name = next(free, None)
            if name is None:
                raise CannotLift(f"{'.'.join(path)} has no name of its own")
            self._names[path] = name
        elif self._names[path] in avoid:
            raise CannotLift(f"{'.'.join(path)} has no name of its own")
        return self._names[path]

    def seen(self, path: Path, appended: bool, last: bool = False) -> None:
        self._uses[path] = self._uses.get(path, 0) + (not last)
        self._appends[path] = self._appends.get(path, 0) + appended
        if last:
            self.asked_last[path] = None

    def only_grows(self, path: Path) -> bool:
        """Whether everything that is done with a list is to append to it, and to ask for what came last."""
        return type(self.value(path)) is list and self._uses.get(path) == self._appends.get(path)


class _Writer:
    """The text of one function, being written again."""

    def __init__(self, lifting: Lifting, code: Code, node: ast.FunctionDef, bound: Mapping[str, Path]) -> None:
        self.lifting, self.code, self.node, self.bound = lifting, code, node, dict(bound)
        self.edits: list[Edit] = []
        self.reads: dict[Path, str] = {}
        self.writes: dict[Path, str] = {}
        self.changed: set[Path] = set()
        self._is_main = len(lifting._open) == 1
        self.formatted: dict[ast.JoinedStr, dict[ast.expr, str]] = {}
        arguments = node.args
        if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
            raise CannotLift("its parameters have no names")
        self.body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        if not self.body or not code.on_own_lines([self.body[0]]):
            raise CannotLift("it stands on one line")
        inside = [each for stmt in self.body for each in walk(stmt)]
        if any(isinstance(each, ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal) for each in inside):
            raise CannotLift("it yields, or assigns to names outside it")
        if set(bound) & set(stored(self.body)):
            raise CannotLift("its object gets another name")
        self.own_names = {n.id for n in inside if isinstance(n, ast.Name)} | {n.arg for n in inside if isinstance(n, ast.arg)}
        self.own_names |= {each.arg for each in (*arguments.args, *arguments.kwonlyargs)} | set(stored(self.body))
        self._returned = {n.value for n in walk_scope(self.body) if isinstance(n, ast.Return) and isinstance(n.value, ast.Name)}

    def lifted(self) -> Lifted:
        for node in [each for stmt in self.body for each in walk(stmt) if isinstance(each, ast.Name) and each.id in self.bound]:
            self._use(node)
        gives, gives_object = self._returns()
        return self._text(gives, gives_object)

    # -- uses of the objects ---------------------------------------------------------------------------

    def _use(self, name: ast.Name) -> None:
        code, lifting = self.code, self.lifting
        if name in self._returned:
            return
        path, node = self.bound[name.id], name
        at: ast.expr = node
        while isinstance(parent := code.parents[at], ast.Attribute) and parent.value is at:
            path, at = (*path, parent.attr), parent
            value = lifting.value(path)
            if not is_users_object(value):
                break
        calls = code.parents[at]
        if is_users_object(lifting.value(path)) and isinstance(calls, ast.Call) and calls.func is at:
            method = method_at(lifting.objects, (*path, "__call__"))
            if isinstance(method, types.FunctionType):
                self._method(at, (*path, "__call__"), method)
                return
        if at is name:
            raise CannotLift(f"`{code.src(code.statement(name))}` hands {name.id} on")
        assert isinstance(at, ast.Attribute | ast.Subscript)
        if path[-1].startswith("__"):
            raise CannotLift(f"it asks for {code.src(at)}")
        method = method_at(lifting.objects, path)
        if method is not None:
            self._method(at, path, method)
            return
        value = lifting.value(path)
        if is_users_object(value):
            raise CannotLift(f"`{code.src(code.statement(name))}` hands {code.src(at)} on")
        found = lifting.keyed.item(code, self.body, at, path, value) if type(value) is dict else None
        if found is not None:
            at, path = found
            value = lifting.value(path)
        if isinstance(at.ctx, ast.Del):
            raise CannotLift(f"it deletes {code.src(at)}")
        self._edit(at, self._variable(path))
        self._data(at, path, value)

    def _formatted(self, node: ast.AST) -> ast.JoinedStr | None:
        """The f-string around a node, whose places within it Python 3.11 does not know."""
        found = None
        for at in self.code.ancestors(node):
            found = at if isinstance(at, ast.JoinedStr) else found
        return found

    def _edit(self, node: ast.expr, text: str) -> None:
        """A node with another text; an f-string is written anew as a whole."""
        formatted = self._formatted(node)
        if formatted is None:
            self.edits.append((*self.code.span(node), text))
        else:
            self.formatted.setdefault(formatted, {})[node] = text

    def _variable(self, path: Path) -> str:
        return self.lifting.name_of(path, self.own_names)

    def _data(self, at: ast.Attribute | ast.Subscript, path: Path, value: Any) -> None:
        """An attribute that is read, written, or changed in place."""
        code, lifting, name = self.code, self.lifting, self._variable(path)
        if isinstance(at.ctx, ast.Store):
            if self._nested(at):
                raise CannotLift(f"a function inside writes {code.src(at)}")
            self.writes[path] = name
            lifting.rebound.add(path)
            lifting.seen(path, False)
            if isinstance(code.parents[at], ast.AugAssign):
                self.reads[path] = name
            return
        self.reads[path] = name
        parent = code.parents[at]
        grows = isinstance(parent, ast.Attribute) and parent.attr in GROWING and isinstance(code.parents[parent], ast.Call)
        grows = grows and isinstance(code.parents[code.parents[parent]], ast.Expr) and not self._nested(at)
        last = isinstance(parent, ast.Subscript) and code.src(parent.slice) == "-1" and isinstance(parent.ctx, ast.Load)
        lifting.seen(path, grows, last)
        if grows or (isinstance(parent, ast.Attribute) and parent.attr in _MUTATORS and isinstance(value, _CONTAINERS)):
            self.changed.add(path)
        outer: ast.AST = at
        while isinstance(above := code.parents[outer], ast.Subscript | ast.Attribute) and above.value is outer:
            outer = above
            if isinstance(outer, ast.Subscript) and isinstance(outer.ctx, ast.Store | ast.Del):
                if self._nested(at) or isinstance(outer.ctx, ast.Del):
                    raise CannotLift(f"it changes {code.src(at)} in place")
                self.changed.add(path)
            elif isinstance(outer, ast.Attribute) and isinstance(outer.ctx, ast.Store):
                raise CannotLift(f"it writes {code.src(outer)}")
            elif isinstance(outer, ast.Attribute) and outer is not parent and outer.attr in MUTATORS - {"add"}:
                self.changed.add(path)

    def _nested(self, node: ast.AST) -> bool:
        return self.code.function(node) is not self.node

    def _method(self, at: ast.expr, path: Path, method: Method) -> None:
        """A method of the object's that is called, handed on, or a property."""
        code, lifting = self.code, self.lifting
        function = method.fget if isinstance(method, property) else attribute(method, "__func__", method)
        if not isinstance(function, types.FunctionType) or not isinstance(getattr(at, "ctx", None), ast.Load):
            raise CannotLift(f"{code.src(at)} is no plain method")
        lifting.methods[path] = inspect.getattr_static(type(lifting.value(path[:-1])), path[-1], None)
        alone = isinstance(method, staticmethod)
        first = next(iter(inspect.signature(function).parameters), None)
        if first is None and not alone:
            raise CannotLift(f"{code.src(at)} takes no object")
        made = lifting.lift(function, {} if alone or first is None else {first: path[:-1]})
        for asked in made.inputs:
            self.reads[asked] = self._variable(asked)
        call = code.parents[at]
        given = ", ".join(self._variable(each) for each in made.inputs)
        if isinstance(method, property):
            if made.outputs:
                raise CannotLift(f"the property {path[-1]} writes")
            self._edit(at, f"{made.name}({given})")
        elif isinstance(call, ast.Call) and call.func is at:
            if self._formatted(at) is not None:
                raise CannotLift(f"an f-string calls {code.src(at)}")
            begin = code.text.index("(", code.span(at)[1])
            self.edits.append((*code.span(at), made.name))
            if given:
                more = ", " if call.args or call.keywords else ""
                self.edits.append((begin + 1, begin + 1, given + more))
            if made.outputs:
                self._writing_call(call, made)
        elif made.outputs:
            raise CannotLift(f"{code.src(at)}, which writes, is handed on")
        else:
            self._edit(at, self._handed_on(function, made, given))

    @staticmethod
    def _handed_on(function: types.FunctionType, made: Lifted, given: str) -> str:
        """A method as a value: like the method itself, it asks for the attributes when it is called."""
        if not given:
            return made.name
        parameters = list(inspect.signature(function).parameters.values())[1:]
        plain = all(each.kind is each.POSITIONAL_OR_KEYWORD and each.default is each.empty for each in parameters)
        names = ", ".join(each.name for each in parameters)
        if not plain or {each.name for each in parameters} & set(given.split(", ")):
            return f"(lambda *args, **kwargs: {made.name}({given}, *args, **kwargs))"
        return f"(lambda {names}: {made.name}({', '.join(filter(None, (given, names)))}))"

    def _writing_call(self, call: ast.Call, made: Lifted) -> None:
        """The call of a method that writes: what it writes is taken from it."""
        code = self.code
        statement = code.statement(call)
        if self._nested(call):
            raise CannotLift(f"a function inside calls {made.name}")
        names = []
        for path in made.outputs:
            self.writes[path] = self._variable(path)
            names.append(self._variable(path))
        listed = ", ".join(names)
        start, _ = code.span(statement)
        match statement:
            case ast.Expr(value=value) if value is call:
                self.edits.append((start, start, f"{'_, ' if made.gives else ''}{listed} = "))
            case ast.Assign(targets=[target], value=value) if value is call and made.gives:
                begin, last = code.span(target)
                if isinstance(target, ast.Tuple | ast.List):
                    self.edits += [(begin, begin, "("), (last, last, f"), {listed}")]
                else:
                    self.edits.append((last, last, f", {listed}"))
            case _:
                raise CannotLift(f"`{code.src(statement)}` writes and computes in one")

    # -- its text --------------------------------------------------------------------------------------

    def _returns(self) -> tuple[bool, bool]:
        """(whether it gives a result, whether that is an object of the caller's)."""
        found = [node for node in walk_scope(self.body) if isinstance(node, ast.Return) and node.value is not None]
        objects = [node for node in found if isinstance(node.value, ast.Name) and node.value.id in self.bound]
        nothing = [node for node in found if isinstance(node.value, ast.Constant) and node.value.value is None]
        if objects:
            if len(objects) != len(found) or len({node.value.id for node in objects}) != 1:  # type: ignore[union-attr]
                raise CannotLift("it gives its object or something else")
            return False, True
        return len(found) > len(nothing), False

    def _text(self, gives: bool, gives_object: bool) -> Lifted:
        lifting = self.lifting
        outputs = dict(self.writes)
        for path in sorted(self.changed):
            if path not in outputs and path not in self._fresh():
                outputs[path] = self._variable(path)
        fresh = self._fresh()
        for path in fresh:
            outputs[path] = self._variable(path)
        body = self._body(outputs, gives)
        text = "".join(f"    {self._variable(path)} = []\n" for path in fresh) + body
        stmts = ast.parse("def _():\n" + text).body[0].body  # type: ignore[attr-defined]
        known = {self._variable(path): path for path in {**self.reads, **outputs}}
        needed = read_first(stmts) | (set(known) - surely_written(stmts)) & {outputs[path] for path in outputs}
        inner = {
            name
            for stmt in stmts
            for node in walk(stmt)
            if isinstance(node, ast.FunctionDef | ast.Lambda)
            for name in loaded([node])
        }
        needed |= inner & set(known)
        inputs: dict[Path, str] = {}
        for name, path in known.items():
            if name not in needed:
                continue
            if lifting.value(path) is not ABSENT or not self._is_main:
                inputs[path] = name
            elif path in outputs and name not in surely_written(_with_a_round(stmts)):
                raise CannotLift(f"{'.'.join(path)} is not there before, and may not be after")
            elif path in outputs and name not in surely_written(stmts):
                lifting.in_rounds[path] = None
        self._note_changes(inputs)
        name = self._name()
        arguments = ast.parse(f"def _({self._parameters()}): pass").body[0].args  # type: ignore[attr-defined]
        kept = [each.arg for each in (*arguments.args, *arguments.kwonlyargs)]
        parts = [*inputs.values(), *([self._parameters()] if kept else [])]
        return Lifted(name, f"def {name}({', '.join(parts)}):\n{text}", inputs, outputs, gives, gives_object, tuple(kept))

    def _fresh(self) -> list[Path]:
        """Lists of the object that this function, the main one, only makes grow."""
        if not self._is_main:
            return []
        return [path for path in self.changed if self.lifting.only_grows(path) and path not in self.writes]

    def _note_changes(self, inputs: Mapping[Path, str]) -> None:
        lifting = self.lifting
        for path in self.changed:
            if self._is_main and path in self._fresh():
                lifting.collected[path] = None
            elif path in inputs:
                value = lifting.value(path)
                if type(value).__module__ == "numpy" and has(value, "shape") and path not in lifting.rebound:
                    lifting.in_place[path] = None
                else:
                    raise CannotLift(f"it changes {'.'.join(path)} in place")

    def _name(self) -> str:
        wanted = f"pure_{self.node.name.strip('_')}"
        name, number = wanted, 2
        while name in self.lifting._taken or name in self.own_names:
            name, number = f"{wanted}_{number}", number + 1
        self.lifting._taken.add(name)
        return name

    def _parameters(self) -> str:
        """The parameters that are no objects, as text."""
        arguments = self.node.args
        defaults = [None] * (len(arguments.args) - len(arguments.defaults)) + list(arguments.defaults)
        kept = [(arg, default) for arg, default in zip(arguments.args, defaults, strict=True) if arg.arg not in self.bound]
        texts = [arg.arg + (f"={ast.unparse(default)}" if default is not None else "") for arg, default in kept]
        only = [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if a.arg not in self.bound]
        if only:
            texts += ["*", *(arg.arg + (f"={ast.unparse(default)}" if default is not None else "") for arg, default in only)]
        return ", ".join(texts)

    def _body(self, outputs: Mapping[Path, str], gives: bool) -> str:
        code, body = self.code, self.body
        back = ", ".join(outputs.values())
        edits = [*self.edits, *((*code.span(node), _in_f_string(node, texts)) for node, texts in self.formatted.items())]
        if outputs:
            edits += self._with_outputs(back, gives)
        text = code.block_text(body, "    ", edits)
        if outputs and not always_returns(body):
            text += f"    return {'None, ' if gives else ''}{back}\n"
        return text

    def _with_outputs(self, back: str, gives: bool) -> Iterator[Edit]:
        code = self.code
        for node in [each for each in walk_scope(self.body) if isinstance(each, ast.Return)]:
            start, end = code.span(node)
            if node.value is None or not gives:
                yield start, end, f"return {'None, ' if gives else ''}{back}"
                continue
            begin, last = code.span(node.value)
            if isinstance(node.value, ast.Tuple) and not code.is_enclosed(node.value):
                yield begin, begin, "("
                yield last, last, f"), {back}"
            else:
                begin, last = code.with_parentheses(node.value)
                yield last, last, f", {back}"


def _with_a_round(stmts: Sequence[ast.stmt]) -> list[ast.stmt]:
    """What surely runs where each `for` has a round: of its body as much as no `break` or `continue` can leave out."""
    found: list[ast.stmt] = []
    for stmt in stmts:
        if isinstance(stmt, ast.For):
            body = list(itertools.takewhile(lambda each: not leaves([each], (ast.Break, ast.Continue)), stmt.body))
            found += _with_a_round(body)
        else:
            found.append(stmt)
    return found


def _in_f_string(node: ast.JoinedStr, texts: Mapping[ast.expr, str]) -> str:
    """An f-string in which some expressions have another text."""
    copies: dict[int, Any] = {}
    again = copy.deepcopy(node, copies)
    new = {copies[id(old)]: text for old, text in texts.items()}

    class Other(ast.NodeTransformer):
        def visit(self, each: ast.AST) -> Any:
            return ast.parse(new[each], mode="eval").body if each in new else self.generic_visit(each)

    return ast.unparse(Other().visit(again))


def definition_in(code: Code, unit: Unit, function: types.FunctionType) -> ast.FunctionDef:
    """The def of a function in the statement that holds it.

    Raises:
        NoSource: there is none.
    """
    line = function.__code__.co_firstlineno - unit.first_line + 1
    for node in ast.walk(code.tree):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__ and first_line(node) == line:
            return node
    raise NoSource(f"{function.__name__} is not in its source")
