"""Iterators of `itertools` that data ends or divides: `takewhile`, `dropwhile` → a mask; runs of `groupby` → their lengths, or
the elements of each."""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.inlining import evaluated_once, in_another_scope
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import loaded, stored, walk

_Edit = tuple[ast.AST | tuple[int, int], str]
_BEGINNINGS = ((itertools.takewhile, "> 0"), (itertools.dropwhile, "== 0"))


def beginning(spot: Spot) -> Iterator[Step]:
    """`sum(takewhile(lambda v: v > t, x))` → `sum(x[jnp.cumprod(jnp.array([v > t for v in x])) > 0])`; of what is no array one
    is made before."""
    code = spot.code
    for node in walk(code.statement(spot.node)):
        if not isinstance(node, ast.Call) or len(node.args) != 2 or node.keywords:
            continue
        called, (keeps, values) = spot.value(node.func), node.args
        which = next((which for function, which in _BEGINNINGS if called is function), "")
        array = _array(spot, values) if which else ""  # to know of an array, plain Python is run
        above = _bound_above(spot, values) if which and not array else None
        if not array and above is None:
            continue
        name, edits = above or (array, [])
        tests = f"{spot.jnp('array')}([{_asked(spot, keeps, name)}])"
        yield spot.step("cumprod", *edits, (node, f"{name}[{spot.jnp('cumprod')}({tests}) {which}]"))
        return


def _bound_above(spot: Spot, values: ast.expr) -> tuple[str, list[_Edit]] | None:
    """A list, or an iterator of itertools over such, as an array with a name, bound once before the statement."""
    code, statement = spot.code, spot.code.statement(values)
    above = evaluated_once(code, values, statement) and not code.is_elif(statement) and code.on_own_lines([statement])
    if not above or not _ends(spot, values):
        return None
    name, start = code.fresh("items", "all_items"), code.region([statement])[0]
    items = f"list({code.src(values)})" if isinstance(values, ast.Call) else code.src(values)
    return name, [((start, start), f"{code.indent(statement)}{name} = {spot.jnp('array')}({items})\n")]


def _ends(spot: Spot, values: ast.expr) -> bool:
    """Whether it is known that so many items come and no more: a list of `itertools.count()` would fill all memory."""
    if isinstance(values, ast.Call):
        made_by, given = spot.value(values.func), values.args
        given = given if made_by is itertools.chain else given[:1] if made_by is itertools.accumulate else []
        if given:
            return all(_ends(spot, each) for each in given)
    fact = spot.fact(values)
    return fact is not None and fact.sort in ("list", "tuple", "array", "host")


def _asked(spot: Spot, function: ast.expr, array: str) -> str:
    """What a function gives for each element, as the inside of a comprehension."""
    match function:
        case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=name)], defaults=[], vararg=None)):
            return f"{spot.code.src(function.body)} for {name} in {array}"
    name = spot.code.fresh("v", "item")
    return f"{spot.code.operand(function)}({name}) for {name} in {array}"


def _array(spot: Spot, node: ast.expr) -> str:
    """The text of an array, or of one of which a list was made; "" for what is none."""
    match node:
        case ast.Call(func=ast.Attribute(value=array, attr="tolist"), args=[], keywords=[]):
            node = array
    fact = spot.fact(node)
    return spot.code.operand(node) if fact is not None and fact.ndim == 1 and fact.sort in ("array", "host") else ""


def runs(spot: Spot) -> Iterator[Step]:
    """`for k, g in groupby(x): n = len(list(g))` → a loop over the values of the runs and their lengths; of a run that is
    read, once, the elements stand there: `sum(x[number_of_run == k])`."""
    code = spot.code
    for node in walk(spot.function) if isinstance(spot.function, ast.FunctionDef) else ():
        if isinstance(node, ast.Call) and spot.value(node.func) is itertools.groupby:
            statement = code.statement(node)
            if in_another_scope(code, node, statement):
                return  # what it runs over may be known there alone
            if code.on_own_lines([statement]) and not isinstance(statement, ast.While) and not code.is_elif(statement):
                edits = _over_runs(spot, statement, node)
                if edits is not None:
                    yield spot.step("runs", *edits)
            return


def _over_runs(spot: Spot, statement: ast.stmt, call: ast.Call) -> list[_Edit] | None:
    code, around = spot.code, spot.code.parents[call]
    by = [*call.args[1:], *(each.value for each in call.keywords if each.arg == "key")]
    array = _array(spot, call.args[0]) if call.args else ""
    if not array or len(by) != len(call.args) - 1 + len(call.keywords):
        return None
    match around:
        case ast.For(target=target) if around.iter is call:
            scope: ast.AST = around
        case ast.comprehension(target=target):
            scope = code.parents[around]
        case _:
            return None
    read = [n for n in walk(scope) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    later = code.live_after(around) if isinstance(around, ast.For) else set()  # a loop's names outlive it
    match target:
        case ast.Name(id=pair):
            unread = pair not in later and all(n.id != pair for n in read)
            return _firsts(spot, statement, call, (target, pair), (array, by)) if unread else None
        case ast.Tuple(elts=[key_of, ast.Name() as group]) if group.id not in later:
            pass
        case _:
            return None
    uses = _of_the_run(code, [n for n in read if n.id == group.id])
    if not uses and isinstance(key_of, ast.Name):
        return _firsts(spot, statement, call, (target, key_of.id), (array, by))
    lengths = [length for use in uses if (length := _length_of(code, use)) is not None]
    if len(lengths) != len(uses) and not (len(uses) == 1 and _is_read_once(code, uses[0], scope)):
        return None
    if isinstance(around, ast.For) and loaded([call]) & {*stored(around.body)}:
        return None  # a run is of what the array was when the loop began
    values, run = code.fresh("values", "run_values"), code.fresh("run", "number_of_run")
    how_long, key = code.fresh("lengths", "run_lengths"), code.fresh("keys", "run_keys")
    jnp, indent = spot.jnp, code.indent(statement)
    asked = _keys(spot, array, by)
    changes = f"{jnp('append')}(False, {values}[1:] != {values}[:-1])[: {values}.size]"
    lines = [
        f"{values} = {asked}",
        f"{run} = {jnp('cumsum')}({changes})  # which run each belongs to",
        f"{how_long} = {jnp('bincount')}({run}, length={values}.size)",
        f"{key} = {jnp('zeros_like')}({values}).at[{run}].set({values})",
    ]
    start = code.region([statement], comments=True)[0]
    edits: list[_Edit] = [((start, start), "".join(f"{indent}{line}\n" for line in lines))]
    if not lengths:
        number = code.fresh("number", "which_run")
        each = f"{jnp('arange')}({values}.size)[{how_long} > 0]"
        members = f"{array}[{run} == {number}]"
        return [*edits, (call, f"zip({key}[{how_long} > 0], {each})"), (group, number), (uses[0], members)]
    edits.append((call, f"zip({key}[{how_long} > 0], {how_long}[{how_long} > 0])"))
    edits += [(length, group.id) for length in lengths]
    return edits


def _of_the_run(code: Code, uses: list[ast.Name]) -> list[ast.Name]:
    """The uses that are of the run itself and not of the list that it becomes under its own name: `run = list(run)`."""
    first = min(uses, key=lambda each: (each.lineno, each.col_offset), default=None)
    match code.statement(first) if first is not None else None:
        case ast.Assign(targets=[ast.Name(id=name)]) as becomes if first is not None and name == first.id:
            block = code.block(becomes)
            below = {each for other in block[block.index(becomes) + 1 :] for each in walk(other)}
            return [each for each in uses if each not in below]
    return uses


def _is_read_once(code: Code, use: ast.Name, scope: ast.AST) -> bool:
    """Whether a run's elements are asked for at one place, once a run: a second time there are none left."""
    inside: ast.AST = use
    for around in code.ancestors(use):
        match around:
            case _ if around is scope:
                return True
            case ast.For() if inside is around.iter:
                pass
            case ast.comprehension():
                first = code.parents[around]
                if inside is not around.iter or first.generators[0] is not around:  # type: ignore[attr-defined]
                    return False
            case ast.GeneratorExp() | ast.ListComp():
                pass
            case ast.For() | ast.While() | ast.Lambda() | ast.FunctionDef() | ast.DictComp() | ast.SetComp():
                return False
        inside = around
    return False


def _firsts(
    spot: Spot, statement: ast.stmt, call: ast.Call, target: tuple[ast.expr, str], of: tuple[str, list[ast.expr]]
) -> list[_Edit]:
    """`for k, _ in groupby(x)`, which asks for no run: the first element of each."""
    code, jnp = spot.code, spot.jnp
    values, first = code.fresh("values", "run_values"), code.fresh("first", "first_of_run")
    lines = [
        f"{values} = {_keys(spot, *of)}",
        f"{first} = {jnp('append')}(True, {values}[1:] != {values}[:-1])[: {values}.size]",
    ]
    start, indent = code.region([statement], comments=True)[0], code.indent(statement)
    return [
        ((start, start), "".join(f"{indent}{line}\n" for line in lines)),
        (call, f"{values}[{first}]"),
        target,
    ]


def _keys(spot: Spot, array: str, by: list[ast.expr]) -> str:
    """What `groupby` compares, as an array."""
    return f"{spot.jnp('array')}([{_asked(spot, by[0], array)}])" if by else f"{spot.jnp('asarray')}({array})"


def _length_of(code: Code, group: ast.Name) -> ast.Call | None:
    """`len(list(group))`, `sum(1 for _ in group)`, around the name of the run."""
    for node in itertools.islice(code.ancestors(group), 3):
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Call(func=ast.Name(id="list" | "tuple"), args=[asked])]):
                return node if asked is group else None
            case ast.Call(
                func=ast.Name(id="sum"),
                args=[ast.GeneratorExp(elt=ast.Constant(value=1), generators=[ast.comprehension(iter=asked, ifs=[])])],
            ):
                return node if asked is group else None
    return None


def gathered(spot: Spot) -> Iterator[Step]:
    """`for k, v in zip(labels, x): groups[int(k)].append(v)`, of which `for g in groups.values()` asks →
    `groups = {k: x[labels == k] for k in jnp.unique(labels)}`, as `listed_selections` knows it."""
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    for loop in walk(function):
        match loop:
            case ast.For(body=[ast.Expr(value=ast.Call(func=ast.Attribute(value=of, attr="append"), args=[item]))], orelse=[]):
                edits = _by_label(spot, function, loop, of, item) if code.on_own_lines([loop]) else None
                if edits is not None:
                    yield spot.step("unique", *edits)
                    return


def _by_label(spot: Spot, function: ast.FunctionDef, loop: ast.For, of: ast.expr, item: ast.expr) -> list[_Edit] | None:
    code = spot.code
    match of:
        case ast.Subscript(value=ast.Name(id=name), slice=key):
            pass
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="setdefault"), args=[key, ast.List(elts=[])]):
            pass
        case _:
            return None
    match key:
        case ast.Call(func=ast.Name(id="int"), args=[inner]) | ast.Call(func=ast.Attribute(value=inner, attr="item"), args=[]):
            whole, key = isinstance(key.func, ast.Name), inner
        case _:
            whole = False
    labels, values = _run_over(spot, loop, key), _run_over(spot, loop, item)
    labels = f"{labels}.astype(int)" if whole and labels else labels
    named = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name]
    made = next((code.statement(n) for n in named if isinstance(n.ctx, ast.Store)), None)
    if not labels or not values or not isinstance(made, ast.Assign) or not _makes_lists(made.value):
        return None
    lines = ""
    if isinstance(loop.iter, ast.Call) and code.src(loop.iter.func) == "zip":  # which ends with the shorter of them
        size, label, value = code.fresh("size", "shorter"), code.fresh("keys", "labels"), code.fresh("items", "values")
        indent = code.indent(loop)
        lines = f"{indent}{size} = min(len({labels}), len({values}))\n"
        lines += f"{indent}{label}, {value} = {labels}[:{size}], {values}[:{size}]\n"
        labels, values = label, value
    reads = [code.parents.get(code.parents[use]) for use in named if use not in walk(loop) and isinstance(use.ctx, ast.Load)]
    if not reads or not all(map(functools.partial(_is_run_over, code), reads)):
        return None
    label = code.fresh("label", "k_of_group")
    groups = f"{{{label}: {values}[{labels} == {label}] for {label} in {spot.jnp('unique')}({labels})}}"
    return [(code.region([made]), ""), (code.region([loop]), f"{lines}{code.indent(loop)}{name} = {groups}\n")]


def _is_run_over(code: Code, read: ast.AST | None) -> bool:
    """Whether it is a call (`groups.values()`) that a loop or comprehension runs over."""
    around = code.parents.get(read) if isinstance(read, ast.Call) else None
    return isinstance(around, ast.For | ast.comprehension) and around.iter is read


def _makes_lists(made: ast.expr) -> bool:
    match made:
        case ast.Dict(keys=[]) | ast.Call(func=ast.Name(id="dict"), args=[], keywords=[]):
            return True
        case ast.Call(func=ast.Name(id="defaultdict") | ast.Attribute(attr="defaultdict"), args=[ast.Name(id="list")]):
            return True
    return False


def _run_over(spot: Spot, loop: ast.For, part: ast.expr) -> str:
    """The array of which a part of each round is an element: `v` of `zip(labels, x)`, `x[i]` of `enumerate(labels)`."""
    code = spot.code
    match loop.target, loop.iter, part:
        case ast.Tuple(elts=targets), ast.Call(func=ast.Name(id="zip"), args=arrays, keywords=[]), ast.Name(id=name):
            found = [a for t, a in zip(targets, arrays, strict=False) if isinstance(t, ast.Name) and t.id == name]
        case (
            ast.Tuple(elts=[ast.Name(id=index), ast.Name(id=each)]),
            ast.Call(func=ast.Name(id="enumerate"), args=[array], keywords=[]),
            ast.Name(id=name),
        ):
            if name == index:
                return f"{spot.jnp('arange')}(len({code.src(array)}))"
            found = [array] if name == each else []
        case (
            ast.Tuple(elts=[ast.Name(id=index), _]),
            ast.Call(func=ast.Name(id="enumerate"), args=[_], keywords=[]),
            ast.Subscript(value=ast.Name() as array, slice=ast.Name(id=name)),
        ):
            found = [array] if name == index else []
        case (
            ast.Name(id=index),
            ast.Call(func=ast.Name(id="range"), args=[_], keywords=[]),
            ast.Subscript(value=ast.Name() as array, slice=ast.Name(id=name)),
        ):
            found = [array] if name == index else []
        case _:
            return ""
    return _array(spot, found[0]) if len(found) == 1 and isinstance(found[0], ast.Name | ast.Call) else ""


RULES: list[Rule] = [beginning, runs, gathered]
