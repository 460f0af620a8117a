"""Branches and rounds of different kinds of numbers: what is an int here becomes the float that it is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from jupyter_jitmagic.diagnosis.proof.differing import COMPLEX
from jupyter_jitmagic.diagnosis.proof.leaves import kind_of
from jupyter_jitmagic.diagnosis.rewrites.elements import is_array
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves


def aligned(spot: Spot) -> Iterator[Step]:
    """`lax.cond(…, lambda: x / h, lambda: 0)`: all branches must give one type, so the int becomes a float."""
    node = spot.node
    if not isinstance(node, ast.Call) or not isinstance(spot.error, TypeError) or len(node.args) < 2:
        return
    if getattr(node.func, "attr", "") not in ("cond", "switch"):
        return
    edits: dict[ast.expr, str] = {}
    for said in _UNEQUAL.finditer(str(spot.error)):  # all at once: a loop that carries many has one step for each else
        first, path, one, second, other = said.groups()
        kinds, shapes = [kind.partition("[")[0] for kind in (one, other)], {kind[kind.index("[") :] for kind in (one, other)}
        if len(shapes) == 2:
            raise Obstacle(
                f"the branches give arrays of different shapes ({one} and {other}), and what is compiled has one shape for "
                "each result: give both the same shape"
            )
        edits |= _alike(spot, node, (first, second), kinds, path or "") or _of_floats(spot, node)
    around = {each for each in edits for part in ast.walk(each) if part is not each and part in edits}
    if edits:
        excludes = _OF_INFINITY if any(text.endswith(_TIMES_ONE) for text in edits.values()) else {}
        yield spot.step("cond", *((each, text) for each, text in edits.items() if each not in around), excludes=excludes)


def _alike(spot: Spot, node: ast.Call, names: tuple[str, str], kinds: Sequence[str], path: str) -> dict[ast.expr, str]:
    """What makes two branches give one kind of numbers at a path."""
    complex_ones = [kind.startswith("complex") for kind in kinds]
    if sum(complex_ones) == 1:
        results = _results(spot, _branch(node, names[complex_ones.index(False)]), path)
        return {result: _as_complex(spot, result) for result in results}
    whole = [kind.startswith(("int", "uint")) for kind in kinds]
    if not any(whole):
        return _as_the_other(spot, node, names, kinds, path)
    if sum(whole) != 1 or not any(kind.startswith(("float", "bfloat")) for kind in kinds):
        return {}
    branch = _branch(node, names[whole.index(True)])
    dtype = _carried(spot, node, branch, path) or _of_the_data(
        spot, _results(spot, _branch(node, names[whole.index(False)]), path)
    )
    results = _results(spot, branch, path)
    if "." in path and len(results) == 1 and _is_replaced(results[0]):
        return {results[0]: _with_a_float(spot, results[0], path.rpartition(".")[2])}
    edits = {result: _as_a_float(spot, result, dtype) for result in results}
    return {result: text for result, text in edits.items() if text}


def _of_floats(spot: Spot, node: ast.Call) -> dict[ast.expr, str]:
    """`lax.switch(i, TABLE, x)`, whose functions are written elsewhere: what they are given is a float."""
    if isinstance(node.args[1], ast.List | ast.Tuple) or getattr(node.func, "attr", "") != "switch":
        return {}
    whole = [operand for operand in node.args[2:] if kind_of(spot.value(operand)) == "i"]  # in the call that fails
    return {operand: f"{spot.code.operand(operand)} * 1.0" for operand in whole}


def _as_the_other(spot: Spot, node: ast.Call, names: tuple[str, str], kinds: Sequence[str], path: str) -> dict[ast.expr, str]:
    """`lambda: x.max() - t, lambda: 0.0` of float16: the number is of JAX's own floats, so it is given the other's dtype."""
    for name, beside, kind in ((names[0], names[1], kinds[1]), (names[1], names[0], kinds[0])):
        results = _results(spot, _branch(node, name), path)
        if results and all(_is_number(spot, result) for result in results):
            dtype = _dtype_of(spot, _results(spot, _branch(node, beside), path), kind)
            asarray = spot.jnp("asarray")
            return {result: f"{asarray}({spot.code.src(result)}, {dtype})" for result in results}
    return {}


def _dtype_of(spot: Spot, results: Sequence[ast.expr], kind: str) -> str:
    """The dtype of what a branch gives, of the arrays and numbers that it is computed from."""
    inside = [part for each in results for part in ast.walk(each) if isinstance(part, ast.Name)]
    inside.sort(key=lambda part: (part.lineno, part.col_offset))
    names = dict.fromkeys(part.id for part in inside)
    used = [name for name in names if name in spot.locals and (is_array(spot, name) or _is_python(spot.locals[name]))]
    alike = [name for name in spot.locals if is_array(spot, name) and spot.locals[name].dtype.name == kind]
    if not used and not alike:
        return spot.jnp(kind)
    return f"{spot.jnp('result_type')}({', '.join(used or alike[:1])}, float)"  # of integers a float, too


def _is_python(value: object) -> bool:
    return type(value) in (int, float)


def _is_number(spot: Spot, node: ast.expr) -> bool:
    """Whether it is a number of Python's as it is written: `0.0`, `-jnp.inf`."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _is_number(spot, operand)
        case ast.Constant(value=value):
            return _is_python(value)
        case ast.Attribute():
            return _is_python(spot.value(node))
    return False


def _as_a_float(spot: Spot, result: ast.expr, dtype: str) -> str:
    """A whole number as the float that it is beside others, or of the `dtype` that is whole in another call; "" where it was
    made one already."""
    match result:
        case ast.Constant() | ast.UnaryOp(op=ast.USub(), operand=ast.Constant()) if dtype:
            return f"{spot.jnp('asarray')}({spot.code.src(result)}, {dtype})"
        case ast.Constant(value=value) if type(value) is int:
            return f"{value}.0"
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)) if type(value) is int:
            return f"-{value}.0"
        case ast.BinOp(op=ast.Mult(), right=ast.Constant(value=float())):
            return ""
        case ast.Name(id=name) if isinstance(spot.locals.get(name), tuple | dict):
            return ""
    return f"{spot.code.operand(result)} * 1.0"


BY_ZERO = "a real number that is infinite or divided by zero, which is NaN as a complex one"
_OF_INFINITY = {COMPLEX: BY_ZERO}
_TIMES_ONE = " * (1 + 0j)"


def _as_complex(spot: Spot, result: ast.expr) -> str:
    """A real number as the complex one that it is beside others."""
    return f"{spot.code.operand(result)}{_TIMES_ONE}"


def _with_a_float(spot: Spot, record: ast.Call, field: str) -> str:
    """`s._replace(n=n)` whose other field is an int: `s._replace(n=n, total=s.total * 1.0)`."""
    assert isinstance(record.func, ast.Attribute)
    given = [f"{keyword.arg}={spot.code.src(keyword.value)}" for keyword in record.keywords]
    owner = spot.code.src(record.func.value)
    return f"{spot.code.src(record.func)}({', '.join([*given, f'{field}={owner}.{field} * 1.0'])})"


def promoted_carry(spot: Spot) -> Iterator[Step]:
    """`lax.while_loop(test, body, (x, n))`: what begins as an int and becomes a float is one from the start."""
    node = spot.node
    said = _CARRY.search(str(spot.error))
    name = getattr(node.func, "attr", "") if isinstance(node, ast.Call) else ""
    if said is None or name not in _STARTS or not isinstance(node, ast.Call) or len(node.args) <= _STARTS[name]:
        return
    path, before, after = said.groups()
    start = node.args[_STARTS[name]]
    keys = re.findall(r"\[(\d+)\]", path.partition("[")[1] + path.partition("[")[2])
    places = keys[1:] if path.startswith("loop_carry") else keys
    if before.startswith("float") and after.startswith(("int", "uint")) and isinstance(start, ast.Tuple):
        yield from _begun_as_a_float(spot, node, name, places)
        return
    to_complex = after.startswith("complex") and before.startswith(("int", "uint", "float", "bfloat"))
    if not to_complex and not (before.startswith(("int", "uint")) and after.startswith(("float", "bfloat"))):
        return
    if isinstance(start, ast.Tuple) and len(places) == 1 and int(places[0]) < len(start.elts):
        start = start.elts[int(places[0])]
    elif places:
        return
    if to_complex:
        yield spot.step(name, (start, _as_complex(spot, start)), excludes=_OF_INFINITY)
    elif isinstance(start, ast.Constant):
        yield spot.step(name, (start, f"{start.value!r}.0"))
    else:
        yield spot.step(name, (start, f"{spot.code.operand(start)} * 1.0"))


def _begun_as_a_float(spot: Spot, node: ast.Call, name: str, places: Sequence[str]) -> Iterator[Step]:
    """`error = 1.0` before a loop whose rounds count it: what a round gives is a float, too."""
    body = node.args[_STARTS[name] - 1] if name != "scan" else node.args[0]
    given = _result(spot, body, "")
    if name == "scan" and isinstance(given, ast.Tuple) and given.elts:
        given = given.elts[0]
    start = node.args[_STARTS[name]]
    if not isinstance(given, ast.Tuple) or not isinstance(start, ast.Tuple) or len(places) != 1:
        return
    place = int(places[0])
    if place >= min(len(given.elts), len(start.elts)) or not _is_written_float(spot, start.elts[place]):
        return
    result = given.elts[place]
    text = _as_a_float(spot, result, "")
    if text:
        yield spot.step(name, (result, text))


def _is_written_float(spot: Spot, node: ast.expr) -> bool:
    """Whether a variable is set to a float of the source's own, or is one: no argument, which is an int in another call."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    for statement in ast.walk(spot.code.tree):
        if isinstance(statement, ast.Assign) and isinstance(node, ast.Name):
            for target in statement.targets:
                pairs: list[tuple[ast.expr, ast.expr]] = [(target, statement.value)]
                if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
                    pairs = [*zip(target.elts, statement.value.elts, strict=False)]
                for to, value in pairs:
                    if isinstance(to, ast.Name) and to.id == node.id and isinstance(value, ast.Constant):
                        return isinstance(value.value, float)
    return False


_STARTS = {"while_loop": 2, "fori_loop": 3, "scan": 1}
_CARRY = re.compile(r"input carry (?:component )?(\S+) has type (\w+)\[[\d,]*\].*? output carry component has type (\w+)\[")
_UNEQUAL = re.compile(
    r"output of (true_fun|false_fun|branch ?\d+)(?: at path (\S+))? has type (\w+\[[\d,]*\])[^,]*? but the corresponding "
    r"output of (true_fun|false_fun|branch ?\d+)\b[^,]*? has type (\w+\[[\d,]*\])"
)


def _branch(node: ast.Call, name: str) -> ast.expr | None:
    """The branch of a `cond` or `switch` that JAX's error means."""
    if not name.startswith("branch"):
        place = 1 if name == "true_fun" else 2
        return node.args[place] if len(node.args) > place else None
    branches, place = node.args[1], int(name.removeprefix("branch"))
    return branches.elts[place] if isinstance(branches, ast.List | ast.Tuple) and len(branches.elts) > place else None


def _results(spot: Spot, branch: ast.expr | None, path: str) -> list[ast.expr]:
    """What a branch may give back at a path; an `if` of Python's own in it has results of its own."""
    last = _result(spot, branch, path)
    defs = [n for n in ast.walk(spot.code.tree) if isinstance(branch, ast.Name) and isinstance(n, ast.FunctionDef)]
    own = [each for each in defs if isinstance(branch, ast.Name) and each.name == branch.id]
    returns = [n for n in leaves(own[0].body, ast.Return) if isinstance(n, ast.Return)] if len(own) == 1 else []
    if len(returns) < 2 or path:
        return [last] if last is not None else []
    return [each.value for each in returns if each.value is not None]


def _result(spot: Spot, branch: ast.expr | None, path: str) -> ast.expr | None:
    """What a branch gives back at a path ("[1]", "['a']", ".mean") of its result; `s._replace(…)` where it keeps the field."""
    found: ast.expr | None = None
    defs: list[ast.FunctionDef] = []
    if isinstance(branch, ast.Lambda):
        found = branch.body
    elif isinstance(branch, ast.Name):
        defs = [n for n in ast.walk(spot.code.tree) if isinstance(n, ast.FunctionDef) and n.name == branch.id]
        last = defs[0].body[-1] if len(defs) == 1 else None
        found = last.value if isinstance(last, ast.Return) else None
    statements = defs[0].body if isinstance(branch, ast.Name) and defs else []
    keys = re.findall(r"\[[^\]]*\]|\.\w+", path)
    for number, key in enumerate(keys):
        if isinstance(found, ast.Name) and key.startswith("["):
            return _assigned(statements, found.id + "".join(keys[number:]))
        if key.startswith("."):
            found = _assigned(statements, found.id) or found if isinstance(found, ast.Name) else found
            field = _field(spot, found, key[1:])
            if field is None:
                return found if len(keys) == number + 1 and _is_replaced(found) else None
            found = field
        elif isinstance(found, ast.Tuple | ast.List) and key[1:-1].isdigit():
            if any(isinstance(each, ast.Starred) for each in found.elts):
                return None
            found = found.elts[int(key[1:-1])]
        elif isinstance(found, ast.Dict):
            named = [
                v
                for k, v in zip(found.keys, found.values, strict=True)
                if isinstance(k, ast.Constant) and f"[{k.value!r}]" == key
            ]
            found = named[0] if named else None
        else:
            return None
    return _assigned(statements, found.id) or found if isinstance(found, ast.Name) else found


def _field(spot: Spot, record: ast.expr | None, name: str) -> ast.expr | None:
    """What is written for a field of a named tuple that is made or replaced: `State(x, n)`, `s._replace(n=n)`."""
    if not isinstance(record, ast.Call) or any(isinstance(each, ast.Starred) for each in record.args):
        return None
    for keyword in record.keywords:
        if keyword.arg == name:
            return keyword.value
    made = spot.value(record.func)
    fields = vars(made).get("_fields", ()) if isinstance(made, type) else ()
    place = fields.index(name) if name in fields else len(record.args)
    return record.args[place] if place < len(record.args) else None


def _is_replaced(record: ast.expr | None) -> TypeGuard[ast.Call]:
    match record:
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr="_replace"), args=[], keywords=[*keywords]):
            return bool(keywords) and all(keyword.arg for keyword in keywords)
    return False


def _carried(spot: Spot, node: ast.Call, branch: ast.expr | None, path: str) -> str:
    """The parameter that a branch gives back at a path, where it is an int in the call itself: on another call it is a float,
    and what the branch puts in its place is of its kind."""
    place = re.fullmatch(r"(?:\[(\d+)\])?", path)
    if not isinstance(branch, ast.Name) or place is None:
        return ""
    defs = [n for n in ast.walk(spot.code.tree) if isinstance(n, ast.FunctionDef) and n.name == branch.id]
    last = defs[0].body[-1] if len(defs) == 1 else None
    given = last.value if isinstance(last, ast.Return) else None
    if isinstance(given, ast.Tuple) and place[1] and int(place[1]) < len(given.elts):
        given = given.elts[int(place[1])]
    parameters = [each.arg for each in defs[0].args.args] if defs else []
    if not isinstance(given, ast.Name) or given.id not in parameters or getattr(node.func, "attr", "") != "cond":
        return ""
    operands = node.args[3:]
    number = parameters.index(given.id)
    fact = spot.fact(operands[number]) if number < len(operands) else None
    return f"{given.id}.dtype" if fact is not None and fact.dtype == "i" else ""


def _of_the_data(spot: Spot, results: Sequence[ast.expr]) -> str:
    """The dtype of the one array that results are computed from, where it is whole in the call itself and a float in the one
    that fails: `kept.max()` beside a 0, which a float would make another kind of in the first."""
    read = {part.id: part for each in results for part in ast.walk(each) if isinstance(part, ast.Name)}
    arrays = [name for name in read if is_array(spot, name) and kind_of(spot.locals[name]) != "b"]
    if len(arrays) != 1 or kind_of(spot.locals[arrays[0]]) != "f":
        return ""
    fact = spot.fact(read[arrays[0]])
    return f"{arrays[0]}.dtype" if fact is not None and fact.dtype == "i" else ""


def _assigned(statements: Sequence[ast.stmt], target: str) -> ast.expr | None:
    """The value that a variable or an item ("out['y']") gets last in a block."""
    values = [
        stmt.value
        for stmt in statements
        if isinstance(stmt, ast.Assign) and len(stmt.targets) == 1 and ast.unparse(stmt.targets[0]) == target
    ]
    return values[-1] if values else None


RULES: list[Rule] = [aligned, promoted_carry]
