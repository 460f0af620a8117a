"""Items of a buffer set in place: `x[i] = v` → `x = x.at[i].set(v)`, the buffer being an array of JAX from the start."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence, Set

import jax
import numpy as np

from jupyter_jitmagic.base.looking import text_attribute
from jupyter_jitmagic.diagnosis.rewrites.aliases import rows_by_their_place
from jupyter_jitmagic.diagnosis.rewrites.copied_lists import copied, copy_of, kept_from
from jupyter_jitmagic.diagnosis.rewrites.elements import each_of_an_array, is_of, kinds_put
from jupyter_jitmagic.diagnosis.rewrites.facts import Fact
from jupyter_jitmagic.diagnosis.rewrites.naming import OPERATORS
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Obstacle, Rule, Spot, Step, is_traced_value
from jupyter_jitmagic.source.names import bound_to, loaded, shared, stored, walk_scope

_UPDATES: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("add", ""),
    ast.Sub: ("add", "-"),
    ast.Mult: ("multiply", ""),
    ast.Div: ("divide", ""),
    ast.Pow: ("power", ""),
}


def update(spot: Spot) -> Iterator[Step]:
    """`x[i] = v` → `x = x.at[i].set(v)`, the buffer being made by jnp; `+=` → `.add`, and so on."""
    statement = spot.code.statement(spot.node)
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    within = targets[0].elts if len(targets) == 1 and isinstance(targets[0], ast.Tuple) else targets
    stores = [t for t in within if isinstance(t, ast.Subscript)]
    inside = {n for t in stores for n in ast.walk(t)}
    masked = type(spot.error).__name__ == "NonConcreteBooleanIndexError"  # `x[m] = y[m]`: the selection is no value either
    if not stores or (
        spot.node not in inside and spot.node is not statement and not masked and not _is_set_where_read(spot, inside)
    ):
        return
    held = {str(_root(t)): _value(spot, t) for t in stores}
    if not all(_has_such_items(held[str(_root(t))], t) for t in stores):
        return
    if not all(isinstance(value, jax.Array if "." in name else np.ndarray | jax.Array | list) for name, value in held.items()):
        return
    if isinstance(spot.error, TypeError):  # no array of JAX takes it, on whichever call the other lines are reached
        yield from converted(spot, {*held} | _set_anywhere(spot))
    else:
        yield from converted(spot, {*held})


def _is_set_where_read(spot: Spot, stores: set[ast.AST]) -> bool:
    """Whether the trace stopped at a slice by data, of which one by data is made as well: `out[k:] = x[:-k]`."""
    bounds = [
        bound for node in stores if isinstance(node, ast.Slice) for bound in (node.lower, node.upper) if bound is not None
    ]
    return isinstance(spot.node, ast.Subscript) and any(
        is_traced_value(spot.value(n)) for b in bounds for n in ast.walk(b) if isinstance(n, ast.Name)
    )


def _set_anywhere(spot: Spot) -> set[str]:
    """The arrays of JAX of which the function sets items."""
    body = spot.function.body if isinstance(spot.function, ast.FunctionDef) else []
    stores = (n for n in walk_scope(body) if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store))
    return {name for node in stores if (name := _root(node)) is not None and isinstance(_value(spot, node), jax.Array)}


def _value(spot: Spot, target: ast.Subscript) -> object:
    """What an item is set in, of a variable or an attribute; None where it has no value yet."""
    at: ast.expr = target
    while isinstance(at, ast.Subscript):
        at = at.value
    return spot.locals.get(at.id) if isinstance(at, ast.Name) else spot.held(at)


_AT = {"add": "add", "subtract": "subtract", "multiply": "multiply", "divide": "divide", "maximum": "max", "minimum": "min"}


def updated_by_numpy(spot: Spot) -> Iterator[Step]:
    """`np.add.at(sums, i, x)` → `sums = sums.at[i].add(x)` and `np.fill_diagonal(a, x)` → `a = jnp.fill_diagonal(a, x,
    inplace=False)`, the buffer being made by jnp."""
    node = spot.node
    statement = spot.code.statement(node)
    if not isinstance(node, ast.Call) or not isinstance(statement, ast.Expr) or statement.value is not node:
        return
    if node.keywords or len(node.args) not in (2, 3) or not isinstance(node.args[0], ast.Name):
        return
    function, name = spot.function, node.args[0].id
    if not isinstance(function, ast.FunctionDef) or not isinstance(spot.locals.get(name), np.ndarray | jax.Array):
        return
    text = _by_ufunc(spot, node, name) or _by_function(spot, node, name)
    if text:
        made = [] if isinstance(spot.locals[name], jax.Array) else _makers(spot, function, name)
        yield spot.step("at", (statement, f"{name} = {text}"), *made)


def _by_ufunc(spot: Spot, node: ast.Call, name: str) -> str:
    """What `np.add.at(sums, i, x)` makes of its buffer, else ""."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr != "at" or len(node.args) != 3:
        return ""
    ufunc, (index, value) = spot.value(node.func.value), node.args[1:]
    if not isinstance(ufunc, np.ufunc) or ufunc.__name__ not in _AT:
        return ""
    return f"{name}.at[{spot.code.expr(index)}].{_AT[ufunc.__name__]}({spot.code.expr(value)})"


_IN_PLACE = {np.fill_diagonal: "fill_diagonal", np.put: "put"}
"""NumPy's functions that change their first argument, which JAX has with `inplace=False`."""


def _by_function(spot: Spot, node: ast.Call, name: str) -> str:
    """What a function of NumPy makes of the array that it changes, else ""."""
    function = spot.value(node.func)
    for by_numpy, by_jax in _IN_PLACE.items():
        if function is by_numpy:
            given = ", ".join(spot.code.expr(each) for each in node.args[1:])
            return f"{spot.jnp(by_jax)}({name}, {given}, inplace=False)"
    if function is np.putmask:
        mask, value = node.args[1:]
        fact, text = spot.fact(mask), spot.code.expr(value)
        if fact is None or fact.ndim != spot.locals[name].ndim or fact.dtype != "b":
            return ""
        if not isinstance(value.operand if isinstance(value, ast.UnaryOp) else value, ast.Constant):
            text = f"{spot.jnp('resize')}({text}, {name}.shape)"  # of fewer values those at its places, over and over
        return f"{spot.jnp('where')}({spot.code.expr(mask)}, {text}, {name}).astype({name}.dtype)"
    return ""


def before_a_choice(spot: Spot) -> Iterator[Step]:
    """An `if` or a loop on a traced value that sets items of an array: the array first becomes one whose updates are values."""
    if spot.kind == BOOL:
        asked = spot.asked()
        around = asked[1] if asked is not None else None
    else:
        around = spot.code.parents.get(spot.node)
    if not isinstance(around, ast.If | ast.While | ast.For):
        return
    counted = stored(around.body) if isinstance(around, ast.While) else ()
    yield from rows_by_their_place(spot, [*around.body, *around.orelse])
    yield from updated_in(spot, [*around.body, *around.orelse], counted)


def before_its_places(spot: Spot) -> Iterator[Step]:
    """`idx = np.where(mask)` with `x[idx] = v` behind it: x first becomes one whose updates are values."""
    statement = spot.code.statement(spot.node)
    if not isinstance(spot.node, ast.Call) or not isinstance(statement, ast.Assign):
        return
    if not isinstance(spot.function, ast.FunctionDef):
        return
    places = set(stored(statement.targets))
    names = {
        name
        for node in walk_scope(spot.function.body)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and not loaded([node.slice]).isdisjoint(places)
        if (name := _root(node)) is not None and isinstance(spot.locals.get(name), jax.Array)
    }
    if names:
        yield from converted(spot, names)


def updated_in(spot: Spot, statements: Sequence[ast.stmt], traced: Sequence[str] = ()) -> Iterator[Step]:
    """Arrays and lists of which these statements set items become arrays whose updates are values.

    traced: names of Python's numbers that will be traced ones, as those that a loop counts.
    """
    found: dict[str, None] = {}
    for node in walk_scope(statements):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and (name := _root(node)) is not None:
            value = spot.locals.get(name)
            if not _has_such_items(value, node):
                continue
            if (
                isinstance(value, np.ndarray | jax.Array)
                or will_be_of_jax(spot, name)
                or (_is_list_of_a_branch(spot, name) and not _is_fixed(spot, node.slice))
                or (isinstance(value, list) and not (_is_fixed(spot, node.slice) and loaded([node.slice]).isdisjoint(traced)))
            ):
                found[name] = None
    if found:
        yield from converted(spot, set(found))


def will_be_of_jax(spot: Spot, name: str) -> bool:
    """Whether a variable that has no value yet stands for an array of JAX later."""
    if name in spot.locals or spot.function is None:
        return False
    facts = [spot.fact(n) for n in ast.walk(spot.function) if isinstance(n, ast.Name) and n.id == name]
    return any(facts) and all(fact is None or fact.sort == "array" for fact in facts)


def _is_list_of_a_branch(spot: Spot, name: str) -> bool:
    """Whether a variable that has no value yet stands for a list, which is asked for its items, or made an array, alone."""
    if name in spot.locals or not isinstance(spot.function, ast.FunctionDef):
        return False
    code, named = spot.code, [n for n in walk_scope(spot.function.body) if isinstance(n, ast.Name) and n.id == name]
    around = [code.parents[node] for node in named]
    made = [each for each in around if isinstance(each, ast.Assign) and isinstance(each.value, ast.List)]
    ends = [each.end_lineno or 0 for each in spot.function.body if _is_made_an_array(spot, each, name)]

    def suits(node: ast.Name, parent: ast.AST) -> bool:
        fact = spot.fact(node)
        if isinstance(node.ctx, ast.Store) or node.lineno > min(ends, default=node.lineno):
            return True
        if fact is not None and fact.sort == "array":
            return True
        if isinstance(parent, ast.Call):
            return is_of(spot, parent.func)
        return isinstance(parent, ast.Subscript) and parent.value is node

    return bool(made) and all(map(suits, named, around))


def _is_made_an_array(spot: Spot, statement: ast.stmt, name: str) -> bool:
    """`q = jnp.array(q)`."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=bound)], value=ast.Call(func=func, args=[ast.Name(id=given)])):
            return bound == given == name and is_of(spot, func)
    return False


def _is_fixed(spot: Spot, index: ast.expr) -> bool:
    """Whether an index is Python's own number, which finds its item in a list."""
    names = [n for n in ast.walk(index) if isinstance(n, ast.Name)]
    return isinstance(index, ast.Constant) or all(isinstance(spot.value(n), int) for n in names)


def converted(spot: Spot, names: set[str]) -> Iterator[Step]:
    """These arrays and lists with `x = x.at[i].set(v)` in the place of every `x[i] = v` of the function."""
    function = _where_made(spot, names)
    if function is None:
        return
    names = names | kept_from(spot, function, names)
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AugAssign) and _root_of_statement(node) & names:
            edits += _updated(spot, node, names)
    outer = {name: around for name in names if (around := _outer_maker(spot, function, name)) is not None}
    if outer:  # what is assigned there would be the inner function's own
        first = function.body[ast.get_docstring(function) is not None]
        start = spot.code.region([first], comments=True)[0]
        edits.append(((start, start), f"{spot.code.indent(first)}nonlocal {', '.join(sorted(outer))}\n"))
    made = {name: value for name in sorted(names) if isinstance(value := spot.locals.get(name), np.ndarray | list)}
    edits += _compared(spot, function, {name for name, value in made.items() if isinstance(value, list)})
    edits += _returned_as_lists(spot, function, {name: value for name, value in made.items() if isinstance(value, list)})
    made |= {name: [0] for name in sorted(names) if _is_list_of_a_branch(spot, name)}
    whole = {name for name, value in made.items() if isinstance(value, list) and value and all(type(v) is int for v in value)}
    given = [node.value for node in ast.walk(function) if isinstance(node, ast.Assign) and _root_of_statement(node) & whole]
    parts = [part for value in given for part in (value.elts if isinstance(value, ast.Tuple) else [value])]
    puts_floats = any((fact := spot.fact(part)) is not None and fact.dtype == "f" for part in parts)
    # of a list each item is what was put there
    of_both = {name: kind for name, value in made.items() if (kind := _kind_of_items(spot, function, name, value))}
    as_floats = dict.fromkeys(whole, "float")
    ways = [as_floats] if puts_floats else [{}, as_floats] if whole else [{}]
    for kinds in [of_both, *ways] if of_both else ways:
        yield spot.step(
            "at",
            *edits,
            *(edit for name in made for edit in _makers(spot, outer.get(name, function), name, kinds.get(name, ""), names)),
        )


def _kind_of_items(spot: Spot, function: ast.FunctionDef, name: str, held: object) -> str:
    """The dtype of a list's numbers and of what is put among them, which another call may make floats; "" where that is the
    one of the numbers themselves."""
    statements = [n for n in ast.walk(function) if isinstance(n, ast.Assign | ast.AugAssign)]
    binding = [n for n in statements if isinstance(n, ast.Assign) and name in {b.id for b, _ in bound_to(n)}]
    values = [value for each in binding for bound, value in bound_to(each) if bound.id == name]
    if not isinstance(held, list) or not values:
        return ""
    of_ints, array = all(map(_is_of_ints, values)), each_of_an_array(spot, values[0])
    own = spot.jnp("int_") if of_ints else array.id if array is not None and len(values) == 1 else ""
    given = [n.value for n in statements if name in _root_of_statement(n)]
    parts = [part for each in given for part in (each.elts if isinstance(each, ast.Tuple) else [each])]
    kinds = [kind for kind in kinds_put(spot, function, binding[0], parts) if kind not in (own, f"{own}.dtype")] if own else []
    if "float" in kinds:
        kinds = [] if of_ints else ["float"]  # which the call itself has put then
    return f"{spot.jnp('result_type')}({own}, {', '.join(kinds)})" if kinds else ""


def _is_of_ints(value: ast.expr) -> bool:
    """Whether a list of whole numbers, or of rows of them, is written there: `[0] * n`, `[[0] * n for _ in rows]`."""
    match value:
        case ast.List(elts=items):
            return bool(items) and all(map(_is_int_or_row, items))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_of_ints(left) and _is_of_ints(right)
        case ast.BinOp(left=ast.List() as listed, op=ast.Mult()) | ast.BinOp(op=ast.Mult(), right=ast.List() as listed):
            return _is_of_ints(listed)
        case ast.ListComp(elt=each):
            return _is_int_or_row(each)
    return False


def _is_int_or_row(item: ast.expr) -> bool:
    number = item.operand if isinstance(item, ast.UnaryOp) else item
    return (isinstance(number, ast.Constant) and type(number.value) is int) or _is_of_ints(item)


def _where_made(spot: Spot, names: set[str]) -> ast.FunctionDef | None:
    """The function of the spot, or the one around it, of whose loop it is the body: it takes these names out of a carry."""
    function = spot.function
    while isinstance(function, ast.FunctionDef) and isinstance(around := spot.code.function(function), ast.FunctionDef):
        given = {each.arg for each in function.args.args}
        carried = [
            node.targets[0].elts
            for node in function.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in given
            if isinstance(node.targets[0], ast.Tuple)
        ]
        if not names <= {each.id for elements in carried for each in elements if isinstance(each, ast.Name)}:
            break
        function = around
    return function if isinstance(function, ast.FunctionDef) else None


def _returned_as_lists(spot: Spot, function: ast.FunctionDef, lists: Mapping[str, list[object]]) -> list[tuple[ast.AST, str]]:
    """`return dist` → `return list(dist)`: its caller gets a list, of rows where it was one of lists; not behind
    `dist = jnp.array(dist)`."""
    edits: list[tuple[ast.AST, str]] = []
    for node in walk_scope(function.body):
        if isinstance(node, ast.Return):
            for each in node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]:
                if isinstance(each, ast.Name) and each.id in lists:
                    if (fact := spot.fact(each)) is not None and fact.sort == "array":
                        continue
                    of_rows = all(isinstance(row, list) for row in lists[each.id])
                    edits.append((each, f"[list(row) for row in {each.id}]" if of_rows else f"list({each.id})"))
    return edits


def _compared(spot: Spot, function: ast.FunctionDef, lists: set[str]) -> list[tuple[ast.AST, str]]:
    """`games == [6, 6]` of a list of numbers → whether all are equal; of another length, they never are."""
    edits: list[tuple[ast.AST, str]] = []
    for node in walk_scope(function.body):
        match node:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.Eq() | ast.NotEq() as how], comparators=[other]) if name in lists:
                if isinstance(other, ast.List):
                    same = f"{spot.jnp('array')}({spot.code.src(other)})"
                elif isinstance(other, ast.Name) and other.id in lists:
                    same = other.id
                else:
                    continue
                equal = f"{spot.jnp('array_equal')}({name}, {same})"
                edits.append((node, equal if isinstance(how, ast.Eq) else f"{spot.jnp('logical_not')}({equal})"))
    return edits


def _outer_maker(spot: Spot, function: ast.FunctionDef, name: str) -> ast.FunctionDef | None:
    """The function around this one that makes the buffer, where it is not this one."""
    parameters = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    if name in shared(function.body) | parameters | set(stored(function.body)):
        return None
    around = spot.code.function(function)
    return around if isinstance(around, ast.FunctionDef) and name in stored(around.body) else None


def _root(target: ast.expr) -> str | None:
    """The name of what an item is set in: x of `x[i]`, of `x[i][j]` and of `x[1:][mask]`; `self.x` of `self.x[i]`."""
    at = target
    while isinstance(at, ast.Subscript):
        at = at.value
    owner = at
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    return ast.unparse(at) if at is not target and isinstance(owner, ast.Name) else None


def _is_at_places(target: ast.Subscript) -> bool:
    """Whether `x[i][j]` is `x[i, j]`: what stands before the last brackets are places."""
    if not isinstance(target.value, ast.Subscript):
        return True
    if isinstance(target.slice, ast.Slice | ast.Tuple):
        return False
    at: ast.expr = target.value
    while isinstance(at, ast.Subscript):
        if isinstance(at.slice, ast.Slice | ast.Tuple):
            return False
        at = at.value
    return True


def _has_such_items(value: object, target: ast.Subscript) -> bool:
    """Whether a list has rows where an item of a row is set, and no array among its items."""
    if not isinstance(value, list) or not isinstance(target.value, ast.Subscript):
        return True
    return _is_at_places(target) and all(isinstance(row, list) for row in value)


def _root_of_statement(node: ast.Assign | ast.AugAssign) -> set[str | None]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    found = [e for t in targets for e in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return {_root(t) for t in found if isinstance(t, ast.Subscript)}


def _updated(spot: Spot, node: ast.Assign | ast.AugAssign, names: set[str]) -> list[tuple[ast.AST | tuple[int, int], str]]:
    code = spot.code
    if isinstance(node, ast.AugAssign):
        assert isinstance(node.target, ast.Subscript)
        held, index = _held(spot, node.target)
        # NumPy reads all items before it sets one: `.add` would add up
        if type(node.op) not in _UPDATES or _holds_places(spot.fact(node.target.slice)):
            value = f"{held}[{index}] {OPERATORS[type(node.op)]} {code.operand(node.value)}"
            return [(node, _set_in(spot, node.target, f"{held}.at[{index}].set({value})"))]
        method, sign = _UPDATES[type(node.op)]
        value = f"{sign}{code.operand(node.value)}" if sign else code.expr(node.value)
        return [(node, _set_in(spot, node.target, f"{held}.at[{index}].{method}({value})"))]
    if len(node.targets) > 1:
        return [(node, _one_after_another(spot, node, names))]
    target = node.targets[0]
    if isinstance(target, ast.Subscript):
        held, index = _held(spot, target)
        return [(node, _set_in(spot, target, f"{held}.at[{index}].set({code.expr(node.value)})"))]
    if any(isinstance(t, ast.Subscript) and _root(t) in names and not _is_at_places(t) for t in ast.walk(target)):
        raise Obstacle(f"{code.src(node)} cannot be written with .at[].set()")
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) and len(target.elts) == len(node.value.elts):
        lefts: list[str] = []
        rights: list[str] = []
        for t, v in zip(target.elts, node.value.elts, strict=True):
            if not (isinstance(t, ast.Subscript) and _root(t) in names):
                lefts.append(code.src(t))
                rights.append(code.expr(v))
                continue
            name = str(_root(t))
            if lefts and (set(lefts) | names) & loaded([t.slice]):
                raise Obstacle(f"{code.src(node)} sets what its own indices read")
            update = f".at[{_index(spot, t)}].set({code.expr(v)})"
            if name in lefts:  # `x[i], x[j] = x[j], x[i]`: both are read before one is set
                rights[lefts.index(name)] += update
            else:
                lefts.append(name)
                rights.append(name + update)
        return [(node, f"{', '.join(lefts)} = {', '.join(rights)}")]
    if isinstance(target, ast.Tuple) and not any(isinstance(t, ast.Starred) for t in target.elts):
        return [(node, _named_first(spot, node, target, names))]
    raise Obstacle(f"{code.src(node)} cannot be written with .at[].set()")


def _one_after_another(spot: Spot, node: ast.Assign, names: set[str]) -> str:
    """`m[i, j] = m[j, i] = f(x)`: the value once, then each target in its turn."""
    code, lines, value = spot.code, [], _once(spot, node)
    if value != code.src(node.value):
        text = code.expr(node.value)
        lines.append(f"{value} = ({text})" if "\n" in text else f"{value} = {text}")
    for each in node.targets:
        if isinstance(each, ast.Subscript) and _root(each) in names:
            held, index = _held(spot, each)
            lines.append(_set_in(spot, each, f"{held}.at[{index}].set({value})"))
        elif isinstance(each, ast.Name | ast.Attribute | ast.Subscript):
            lines.append(f"{code.src(each)} = {value}")
        else:
            raise Obstacle(f"{code.src(node)} cannot be written with .at[].set()")
    return f"\n{code.indent(node)}".join(lines)


def _once(spot: Spot, node: ast.Assign) -> str:
    """What stands for the value of an assignment after its first target is set: itself where that cannot change it."""
    if isinstance(node.value, ast.Constant):
        return spot.code.src(node.value)
    return spot.code.fresh("value", "given", "item")


def _held(spot: Spot, target: ast.Subscript) -> tuple[str, str]:
    """What the items are set in, and where in it: of `x[1:][mask]` they are those of `x[1:]`, a part of the array itself."""
    if _is_at_places(target):
        return str(_root(target)), _index(spot, target)
    part = target.value
    if not isinstance(part, ast.Subscript) or not _is_at_places(part) or not is_view(spot, part.slice):
        raise Obstacle(f"{spot.code.src(target)} is no part of the array itself whose items could be set")
    return spot.code.src(part), spot.code.src(target.slice)


def _set_in(spot: Spot, target: ast.Subscript, updated: str) -> str:
    """The array with its updated part in it."""
    name = _root(target)
    if _is_at_places(target):
        return f"{name} = {updated}"
    assert isinstance(target.value, ast.Subscript)
    return f"{name} = {name}.at[{_index(spot, target.value)}].set({updated})"


def is_view(spot: Spot, index: ast.expr) -> bool:
    """Whether NumPy gives a part of the array itself for an index, and no copy: places and slices."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    return all(isinstance(each, ast.Slice) or _is_place(spot, each) for each in parts)


def _is_place(spot: Spot, index: ast.expr) -> bool:
    """Whether an index is one whole number: what counts a loop is one, though plain Python may not have come there."""
    fact = spot.fact(index)
    if fact is not None:
        return fact.ndim == 0 and fact.dtype in ("i", "u") and fact.sort in ("number", "array", "host")
    loops = [each for each in spot.code.ancestors(index) if isinstance(each, ast.For)]
    counted = [each.target.id for each in loops if isinstance(each.target, ast.Name) and _counts(spot, each.iter)]
    return isinstance(index, ast.Name) and index.id in counted


def _counts(spot: Spot, iterated: ast.expr) -> bool:
    match iterated:
        case ast.Call(func=ast.Name(id="range")):
            return spot.is_builtin("range")
    return False


def _named_first(spot: Spot, node: ast.Assign, target: ast.Tuple, names: set[str]) -> str:
    """`a[i], b[i] = f(x)`: what the call gives is taken apart first, then each is set in its turn."""
    code, parts, lines = spot.code, [], []
    for number, each in enumerate(target.elts):
        if not (isinstance(each, ast.Subscript) and _root(each) in names):
            parts.append(code.src(each))
            continue
        if not loaded([each.slice]).isdisjoint(stored(target.elts[number + 1 :])):
            raise Obstacle(f"{code.src(node)} sets what its own indices read")
        name = _root(each)
        parts.append(code.fresh(f"{name}_item", f"{name}_item_{number}"))
        lines.append(f"\n{code.indent(node)}{name} = {name}.at[{_index(spot, each)}].set({parts[-1]})")
    return f"{', '.join(parts)} = {code.expr(node.value)}{''.join(lines)}"


def _holds_places(fact: Fact | None) -> bool:
    """Whether an index is an array or a list of places, which may be the same ones."""
    if fact is None:
        return False
    return fact.sort == "list" or (fact.sort in ("array", "host") and fact.ndim > 0 and fact.dtype in ("i", "u"))


def _index(spot: Spot, target: ast.Subscript) -> str:
    text = spot.code.src(target.slice)
    return f"{_index(spot, target.value)}, {text}" if isinstance(target.value, ast.Subscript) else text


def _makers(
    spot: Spot, function: ast.FunctionDef, name: str, dtype: str = "", others: Set[str] = frozenset()
) -> list[tuple[ast.AST | tuple[int, int], str]]:
    """Where the buffer is made: `np.zeros(n)` → `jnp.zeros(n)`, `[0] * 4` → `jnp.array([0] * 4)`, or of another dtype.
    `others`: the names that stand for arrays as well."""
    code = spot.code
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    held = spot.locals.get(name)
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign):
            continue
        pairs = [(t, node.value) for t in node.targets]
        if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(node.targets[0].elts, node.value.elts, strict=False))
        for target, value in pairs:
            if not (isinstance(target, ast.Name) and target.id == name):
                continue
            owner = (
                spot.value(value.func.value) if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) else None
            )
            if (
                text_attribute(owner, "__name__") == "numpy"
                and isinstance(value, ast.Call)
                and isinstance(value.func, ast.Attribute)
            ):
                edits.append((value.func, spot.jnp(value.func.attr)))
            elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "copy":
                edits.append((value, f"{spot.jnp('asarray')}({code.src(value.func.value)})"))
            elif copied(value) in others and (not isinstance(value, ast.Call) or spot.is_builtin("list")):
                edits.append((value, f"{spot.jnp('asarray')}({copied(value)})"))
            elif isinstance(value, ast.Name) and value.id in others and copy_of(function, value.id) is not None:
                continue  # `order = trial`, which is an array as well
            elif held is None and isinstance(value, ast.Call):
                continue  # `q = jnp.array(q)`, below the branches that make a list
            elif name in loaded([value]) and isinstance(value, ast.BinOp | ast.UnaryOp) and not isinstance(held, list):
                continue  # `x = x / x.sum()`: of an array of JAX one is made
            else:
                edits.append((value, f"{spot.jnp('array')}({code.expr(value)}{f', {dtype}' if dtype else ''})"))
    if not edits and name in {a.arg for a in (*function.args.args, *function.args.kwonlyargs, *function.args.posonlyargs)}:
        return []
    if not edits:
        raise Obstacle(f"where {name} is made was not found; it must be an array of JAX")
    return edits


RULES: list[Rule] = [updated_by_numpy, update, before_its_places, before_a_choice]
