"""Objects that a function makes, and whose methods write their attributes: their attributes as variables of the function.

`stats = RunningMean()`, `stats.update(v)` → what `__init__` and `update` do, with `stats_mean` in the place of `self.mean`: the
rounds of a loop carry variables, and the sides of a choice give them back.
"""

from __future__ import annotations

import ast
import dataclasses
import types
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from jupyter_jitmagic.diagnosis.rewrites.inlining import Inlining, in_another_function, same_globals
from jupyter_jitmagic.diagnosis.rewrites.own_calls import (
    behind_super,
    calls_by_itself,
    held_by,
    on_its_own,
    spelled_out,
    supers_named,
)
from jupyter_jitmagic.diagnosis.rewrites.own_lines import broken
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import Code, leaves
from jupyter_jitmagic.source.names import loaded, walk
from jupyter_jitmagic.source.units import NoSource, Unit, attributes_set, unit_of
from jupyter_jitmagic.usercode.ownership import is_users_text

MOST_CALLS = 20  # of methods, in one function
_MADE_BY_A_CLASS_STATEMENT = 1 << 9  # of `type.__flags__`
_BY_HAND = ("__getattr__", "__getattribute__", "__setattr__", "__slots__", "__new__", "__post_init__", "__del__")

_EMPTY: dict[Any, str] = {list: "[]", dict: "{}", set: "set()"}
"""What fields are made of by `default_factory`."""


def beside_a_test(spot: Spot) -> Iterator[Step]:
    """`if v > 0: stats.update(v)`: the test is in the function that makes the object."""
    if spot.kind == BOOL and (spot.asked() is not None or not isinstance(spot.node, ast.Call)):
        yield from in_its_function(spot)


def around_a_method(spot: Spot) -> Iterator[Step]:
    """The test is in a method, and this is where the method is called."""
    if isinstance(spot.node, ast.Call):
        yield from in_its_function(spot)


def in_its_function(spot: Spot) -> Iterator[Step]:
    """The function without the first of its objects that has methods which write, or without all that know each other."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    spot = replace(spot, code=_one_a_line(spot, function))
    same = _same(spot.code, function)
    made = list(_made_here(spot, same)) if same is not None else []
    for chosen in (*([each] for each in made), made if len(made) > 1 else []):
        text = _without(spot, function, {name: kind for name, kind, _ in chosen}) if chosen else None
        if text is not None:
            yield Step(text, "inline", spot.line, drops=_changed_before(spot, [kind for _, kind, _ in chosen]))
            return


def _changed_before(spot: Spot, kinds: Sequence[type]) -> Unit | None:
    """A class of these whose methods were changed where they stand: their lines stand in the function now."""
    codes = [method.__code__ for kind in kinds for method in vars(kind).values() if isinstance(method, types.FunctionType)]
    for unit, _ in spot.drafts.values():
        lines = range(unit.first_line, unit.last_line + 1)
        if any(code.co_filename == unit.filename and code.co_firstlineno in lines for code in codes):
            return unit
    return None


def _one_a_line(spot: Spot, function: ast.FunctionDef) -> Code:
    """The text with a line for each where several objects are made at once: `a, b = Player(2), Player(3)`; or one is made and
    used: `model = Model(n).fit(X)`; and with the items of `Player(*pair)`."""
    code = spot.code
    breaks = broken(code, function)
    if breaks:
        code = Code(code.replace(*breaks))
        function = _same(code, function) or function
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    for node in walk(function):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                made = [spot.value(each.func) for each in values if isinstance(each, ast.Call)]
                bound = {each.id for each in names if isinstance(each, ast.Name)}
                if (
                    any(_is_plain(spot, each) for each in made)
                    and len(bound) == len(names)
                    and not bound & loaded([node.value])
                ):
                    pairs = zip(names, values, strict=True)
                    edits.append((node, f"\n{code.indent(node)}".join(f"{code.src(n)} = {code.src(v)}" for n, v in pairs)))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute()) as call):
                if lines := _in_turn(spot, name, call):
                    edits.append((node, f"\n{code.indent(node)}".join(lines)))
            case ast.Assign(targets=[ast.Name()], value=ast.Call(func=ast.Name() as func, args=args)):
                if any(isinstance(each, ast.Starred) for each in args) and _is_plain(spot, spot.value(func)):
                    edits += [(each, items) for each in args if isinstance(each, ast.Starred) and (items := _items(spot, each))]
    return Code(code.replace(*edits)) if edits else code


def _in_turn(spot: Spot, name: str, call: ast.Call) -> list[str]:
    """`model = Model(n)` and `model.fit(X)` for `model = Model(n).fit(X)`, where `fit` gives the object itself; the latter
    alone for `model = model.fit(X)`."""
    calls: list[tuple[str, ast.Call]] = []
    at: ast.expr = call
    while isinstance(at, ast.Call) and isinstance(at.func, ast.Attribute):
        calls.insert(0, (at.func.attr, at))
        at = at.func.value
    kind: Any = type(spot.locals.get(name)) if _is(at, name) else None
    lines: list[str] = []
    if isinstance(at, ast.Call) and isinstance(at.func, ast.Name):
        kind, lines = spot.value(at.func), [f"{name} = {spot.code.expr(at)}"]
    given = [arg for _, each in calls for arg in (*each.args, *each.keywords)]
    if not _is_plain(spot, kind) or name in loaded(given) or not all(_gives_itself(kind, method) for method, _ in calls):
        return []
    return [*lines, *(f"{name}.{method}({', '.join(map(spot.code.src, (*c.args, *c.keywords)))})" for method, c in calls)]


def _gives_itself(kind: type, method: str) -> bool:
    """Whether a method returns its object, and nothing else."""
    found = held_by(kind, method)
    if not isinstance(found, types.FunctionType):
        return False
    try:
        unit = unit_of(found.__code__, found.__globals__)
    except NoSource:
        return False
    node = _method(Code(unit.text), method, found.__code__.co_firstlineno - unit.first_line + 1)
    if node is None or not isinstance(node.body[-1], ast.Return):
        return False
    own = found.__code__.co_varnames[0]
    return all(isinstance(each, ast.Return) and _is(each.value, own) for each in leaves(node.body, ast.Return))


def _items(spot: Spot, starred: ast.Starred) -> str:
    """`pair[0], pair[1]` for `*pair`; "" where nobody knows how many they are."""
    fact = spot.fact(starred.value) if isinstance(starred.value, ast.Name | ast.Attribute) else None
    text = spot.code.src(starred.value)
    return ", ".join(f"{text}[{number}]" for number in range(fact.length)) if fact is not None else ""


def _made_here(spot: Spot, function: ast.FunctionDef) -> Iterator[tuple[str, type, bool]]:
    """(variable, class) of each object that only this function reaches: it is made there once, and nothing is asked for but
    its attributes; or methods of another such object may be given it."""
    nodes = walk(function)
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name() as made)):
                kind = spot.value(made)
            case _:
                continue
        if not _is_plain(spot, kind):
            continue
        named = [each for each in nodes if isinstance(each, ast.Name) and each.id == name]
        uses = [each for each in named if isinstance(each.ctx, ast.Load)]
        given = [use for use in uses if _is_given(spot.code.parents[use], use)]
        asked = all(_is_asked(spot.code, use, kind) for use in uses if use not in given)
        inside = any(in_another_function(spot.code, use, function) for use in uses)
        if asked and len(named) == len(uses) + 1 and not inside:
            yield name, kind, not given


def _is_asked(code: Code, use: ast.Name, kind: type) -> bool:
    parent = code.parents[use]
    by_name = (isinstance(parent, ast.Attribute) and parent.value is use) or (
        isinstance(parent, ast.Call) and parent.func is use
    )
    return by_name or calls_by_itself(code, use, kind)


def _is_given(parent: ast.AST, use: ast.Name) -> bool:
    """Whether an object is given to a method, which may be that of another one."""
    return isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and use in parent.args


def _is_plain(spot: Spot, kind: Any) -> bool:
    """Whether a class is the user's own, as its bases are, with attributes that are what was written there."""
    if not isinstance(kind, type) or type(kind) is not type:
        return False
    some = False
    for each in kind.__mro__[:-1]:
        methods = [method for method in vars(each).values() if isinstance(method, types.FunctionType)]
        files = [method.__code__.co_filename for method in methods]
        own = [each for each in files if is_users_text(each) or each in spot.drafts]
        foreign = len(own) < len(methods) and not dataclasses.is_dataclass(each)
        if foreign or not each.__flags__ & _MADE_BY_A_CLASS_STATEMENT or any(name in vars(each) for name in _BY_HAND):
            return False
        some = some or bool(own)
    return some


def _without(spot: Spot, within: ast.FunctionDef, kinds: dict[str, type]) -> str | None:
    """The text in which the attributes of these objects are variables; None where one has to stay an object."""
    text: str | None = spot.code.text
    for name, kind in kinds.items():
        text = _made_by_a_call(within, text, name, kind) if text is not None else None
    for _ in range(MOST_CALLS * len(kinds)):
        if text is None:
            return None
        code = Code(text)
        function = _same(code, within)
        if function is None:
            return None
        spelled = next(filter(None, (spelled_out(code, function, *each) for each in kinds.items())), None)
        if spelled is not None:
            text = spelled
            continue
        call, name = next(
            ((call, name) for name in kinds if (call := _next_call(code, function, name, kinds[name]))), (None, "")
        )
        if call is None:
            break
        named = "__call__" if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        apart = on_its_own(replace(spot, code=code), call)
        if apart is not None:
            text = apart
            continue
        method, bases = behind_super(call, name, kinds[name]) or (named, kinds[name].__mro__)
        if method == "__init__" and bases == (object,):
            text = code.replace((code.statement(call), "pass"))
            continue
        made = _inlining(replace(spot, code=code, node=call), call, bases, method, name)
        step = _step(made) if made is not None else None
        if step is None:
            return None
        text = step.text
    else:
        return None
    for name, kind in kinds.items():
        text = _with_variables(within, text, name, kind) if text is not None else None
    return text


def _step(made: Inlining) -> Step | None:
    """A method's lines in the place of its call; as one expression where it is no more than that."""
    ways = (made.steps, made.by_ways) if made.only_reads() else (made.by_ways, made.steps)
    return next((step for way in ways for step in way()), None)


def _same(code: Code, function: Any) -> ast.FunctionDef | None:
    named = [node for node in walk(code.tree) if isinstance(node, ast.FunctionDef) and node.name == function.name]
    return named[0] if len(named) == 1 else None


def _next_call(code: Code, function: ast.FunctionDef, name: str, kind: type) -> ast.Call | None:
    """A call of a method whose own arguments call none; of a function that the object was given (`self.f = f`) it is none."""
    calls = [
        node
        for node in walk(function)
        if isinstance(node, ast.Call)
        and (_is(node.func, name) or _is_method(node.func, name, kind) or _is_behind_super(node, name))
    ]
    return next((each for each in calls if not any(other in calls for other in code.below(each) if other is not each)), None)


def _is(node: ast.AST | None, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_method(called: ast.expr, name: str, kind: type) -> bool:
    match called:
        case ast.Attribute(value=owner, attr=attr):
            return _is(owner, name) and held_by(kind, attr) is not None
    return False


def _is_behind_super(call: ast.Call, name: str) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super"), args=[_, owner])):
            return _is(owner, name)
    return False


def _inlining(spot: Spot, call: ast.Call, bases: Sequence[type], method: str, owner: str) -> Inlining | None:
    kind = next((each for each in bases if method in vars(each)), None)
    found = vars(kind).get(method) if kind is not None else None
    owner_text: str | None = owner
    if isinstance(found, staticmethod):
        found, owner_text = found.__func__, None
    if isinstance(found, property):
        found = found.fget
    if kind is None or not isinstance(found, types.FunctionType) or set(found.__code__.co_freevars) - {"__class__"}:
        return None
    if found.__globals__ is not spot.globals and not same_globals(found, spot):
        return None
    try:
        unit = unit_of(found.__code__, found.__globals__)
    except NoSource:
        return None
    source = Code(unit.text)
    line = found.__code__.co_firstlineno - unit.first_line + 1
    node = _method(source, method, line)
    if node is None:
        return None
    named = supers_named(unit.text, node, source, kind)
    if named != unit.text:
        source = Code(named)
        node = _method(source, method, line)
    return Inlining(spot, call, source, node, owner_text) if node is not None else None


def _method(source: Code, name: str, line: int) -> ast.FunctionDef | None:
    """The method of this name whose first line this is, without the decorator that made it a property."""
    nodes = [node for node in walk(source.tree) if isinstance(node, ast.FunctionDef) and node.name == name]
    nodes = [node for node in nodes if min([node.lineno, *(each.lineno for each in node.decorator_list)]) == line]
    if len(nodes) != 1:
        return None
    nodes[0].decorator_list = [each for each in nodes[0].decorator_list if source.src(each) != "property"]
    return nodes[0]


def _made_by_a_call(within: ast.FunctionDef, text: str, name: str, kind: type) -> str | None:
    """The text with `name.__init__(…)` in the place of the line that makes the object, below what its class holds first."""
    code = Code(text)
    function = _same(code, within)
    for node in walk(function) if function is not None else ():
        match node:
            case ast.Assign(targets=[ast.Name(id=each)], value=ast.Call() as call) if each == name:
                break
    else:
        return None
    if not code.on_own_lines([node]):
        return None
    if dataclasses.is_dataclass(kind):
        return _of_fields(code, node, call, name, kind)
    indent = code.indent(node)
    lines = [f"{name}.{attr} = {kind.__name__}.{attr}" for attr in _held_first(kind)]
    if held_by(kind, "__init__") is not object.__init__:
        lines.append(f"{name}.__init__({', '.join(map(code.src, (*call.args, *call.keywords)))})")
    elif call.args or call.keywords:
        return None
    return code.replace((code.region([node]), "".join(f"{indent}{line}\n" for line in lines or ["pass"])))


def _held_first(kind: type) -> list[str]:
    """What the class holds for an object until one of its methods writes it."""
    written: dict[str, None] = {}
    at_first: set[str] = set()
    for each in kind.__mro__[:-1]:
        for name, method in vars(each).items():
            code = method.__code__ if isinstance(method, types.FunctionType) else None
            stores = list(attributes_set(code)) if code else []
            written |= dict.fromkeys(stores)
            at_first |= set(stores) if name == "__init__" else set()
    return [name for name in written if name not in at_first and held_by(kind, name) is not None]


def _of_fields(code: Code, node: ast.Assign, call: ast.Call, name: str, kind: Any) -> str | None:
    """Likewise of a dataclass."""
    fields = [each for each in dataclasses.fields(kind) if each.init]
    if len(fields) < len(dataclasses.fields(kind)) or any(each.arg is None for each in call.keywords):
        return None
    if any(isinstance(each, ast.Starred) for each in call.args) or len(call.args) > len(fields):
        return None
    given = dict(zip((each.name for each in fields), map(code.src, call.args), strict=False))
    given |= {each.arg: code.src(each.value) for each in call.keywords if each.arg is not None}
    for each in fields:
        if each.name not in given and each.default_factory in _EMPTY:
            given[each.name] = _EMPTY[each.default_factory]
        elif each.name not in given:
            if type(each.default) not in (int, float, bool, type(None)) or each.default in (float("inf"), -float("inf")):
                return None
            given[each.name] = repr(each.default)
    indent = code.indent(node)
    lines = "".join(f"{indent}{name}.{each.name} = {given[each.name]}\n" for each in fields)
    return code.replace((code.region([node]), lines))


def _with_variables(within: ast.FunctionDef, text: str, name: str, kind: type) -> str | None:
    """The text with `stats_mean` in the place of `stats.mean`."""
    code = Code(text)
    function = _same(code, within)
    if function is None:
        return None
    nodes = [node for node in walk(function) if isinstance(node, ast.Attribute) and _is(node.value, name)]
    if len(nodes) != sum(_is(node, name) for node in walk(function)):
        return None
    written = {node.attr for node in nodes if isinstance(node.ctx, ast.Store)}
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    new: dict[str, str] = {}
    for node in nodes:
        if node.attr not in written:
            if isinstance(held_by(kind, node.attr), int | float | str | tuple | bool):
                edits.append((node, f"{kind.__name__}.{node.attr}"))
                continue
            return None
        new.setdefault(node.attr, code.fresh(f"{name}_{node.attr}", f"{name}_own_{node.attr}"))
        edits.append((node, new[node.attr]))
    return code.replace(*edits)


RULES: list[Rule] = [beside_a_test]
OUTWARD: list[Rule] = [around_a_method]
