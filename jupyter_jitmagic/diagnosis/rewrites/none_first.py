"""What a loop carries and is None before its first value: a number in its place, and a flag that says whether it has one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.elements import element
from jupyter_jitmagic.diagnosis.rewrites.rules import ANOTHER_SHAPE, Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit
from jupyter_jitmagic.source.names import (
    SCOPES,
    bound_once,
    loaded,
    none_by_default,
    read_first,
    stored,
    surely_written,
    target_names,
    walk,
    walk_scope,
)
from jupyter_jitmagic.source.nones import asks_for_none, gives_none, is_none, is_sure, read_as_none

_LOOSE = ast.If | ast.IfExp | ast.While | ast.Assert | ast.Call


def flagged(spot: Spot, loop: ast.For | ast.While, *, unrolled: bool = False) -> Iterator[Step]:
    """`best = None` … `if best is None or v > best: best = v` → `has_best = False` beside it, asked in the place of None.

    In a loop that is unrolled 0 stands for None, as what comes first may be of any kind of numbers, and the flag may become one
    of data."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    for name in dict.fromkeys(stored(loop.body)):
        edits = _edits(spot, function, loop, name, unrolled)
        if edits:
            excludes = {ANOTHER_SHAPE: f"calls in which {name} stays None"} if read_as_none(function, name, loop) else {}
            yield spot.step("flag", *(((start, end), text) for start, end, text in edits), excludes=excludes)
            return


def apart(spot: Spot) -> Iterator[Step]:
    """`low = high = None` → a line for each, as other rules know them."""
    if spot.asked() is None or not isinstance(spot.function, ast.FunctionDef):
        return
    for node in walk(spot.function):
        match node:
            case ast.Assign(targets=[ast.Name(), ast.Name(), *_], value=ast.Constant(value=None)):
                lines = f"\n{spot.code.indent(node)}".join(f"{spot.code.src(each)} = None" for each in node.targets)
                yield spot.step("flag", (node, lines))
                return


def unasked(spot: Spot) -> Iterator[Step]:
    """`k = None` … `if v < best: best, k = v, i`, where nobody asks whether k is None → `k = -1`."""
    asked, function = spot.asked(), spot.function
    if asked is None or not isinstance(asked[1], ast.If) or not isinstance(function, ast.FunctionDef):
        return
    code = spot.code
    loop = next((at for at in code.ancestors(asked[1]) if isinstance(at, ast.For | ast.While)), None)
    if loop is None or function not in code.ancestors(loop):
        return
    questions = {n.id for c in walk(function) if isinstance(c, ast.Compare) for n in walk(c) if isinstance(n, ast.Name)}
    for name in dict.fromkeys(stored(asked[1].body)):
        if name in questions or name not in spot.locals or spot.locals[name] is not None:
            continue
        stores = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
        first, *others = sorted(stores, key=lambda n: n.lineno)
        none = _bound_to(code.statement(first), first)
        given = [_bound_to(code.statement(other), other) for other in others]
        again = [value for value in given if value is not None and is_none(value)]
        values = [value for value in given if value not in again]
        kinds = {
            fact.dtype for value in values if value is not None and (fact := spot.fact(value)) is not None and not fact.ndim
        }
        if first.lineno >= loop.lineno or not isinstance(none, ast.Constant) or None in values:
            continue
        number = {"i": "-1", "f": spot.jnp("nan")}.get(kinds.pop()) if len(kinds) == 1 else None
        number = number or _any_number(spot, function, loop, values)
        if number:
            excludes = {ANOTHER_SHAPE: f"calls in which {name} stays None (it is {number} then)"}
            yield spot.step("flag", *((each, number) for each in (none, *again)), excludes=excludes)


def without_a_start(spot: Spot) -> Iterator[Step]:
    """`if v < best: best, k = v, i` in a loop that is unrolled, k without a value before it → `k = 0` before the loop: a round
    in which the test is false keeps what an earlier one gave."""
    asked, function, code = spot.asked(), spot.function, spot.code
    if asked is None or not isinstance(asked[1], ast.If) or not isinstance(function, ast.FunctionDef):
        return
    loops = [at for at in code.ancestors(asked[1]) if isinstance(at, ast.For | ast.While) and code.function(at) is function]
    if not loops or not code.on_own_lines(loops[-1:]):
        return
    if any(isinstance(loop, ast.While) and loaded([loop.test]) & {*stored([asked[1]])} for loop in loops):
        return  # it will be compiled, and carry the name from a value of its own
    kept = {name for loop in loops for name in read_first(loop.body)} | code.live_after(loops[-1])
    lines = ""
    for name in dict.fromkeys(stored([asked[1]])):
        if name in spot.locals or name not in kept or name in surely_written([asked[1]]):
            continue
        stores = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
        number = _any_number(spot, function, loops[-1], [_bound_to(code.statement(store), store) for store in stores])
        lines += f"{code.indent(loops[-1])}{name} = {number}  # set before it is read\n" if number else ""
    if lines:
        start = code.region(loops[-1:])[0]
        yield spot.step("start", ((start, start), lines))


def _any_number(spot: Spot, function: ast.FunctionDef, before: ast.stmt, values: list[ast.expr | None]) -> str:
    """A number, which is an int as any array beside it decides of what kind it becomes, zeros of the shape of all values, a
    tuple of such or a record of them; "" where that is not known."""
    facts = [spot.fact(value) if value is not None else None for value in values]
    if any(isinstance(value, ast.Tuple) for value in values):
        return _numbers(spot, values)
    if any(map(_fields_of, values)):
        return _fields(spot, function, before, values)
    if any(fact is None or fact.dtype not in ("b", "i", "u", "f") for fact in facts):
        return ""
    if any(fact is not None and fact.ndim for fact in facts):
        return _zeros(spot, function, before, values)
    return "False" if all(fact is not None and fact.dtype == "b" for fact in facts) else "0"


def asked_in_a_loop(spot: Spot) -> Iterator[Step]:
    """`last = v if last is None else …` below a test on data, in a loop that is unrolled: the flag in the place of None."""
    asked = spot.asked()
    if asked is None:
        return
    for loop in spot.code.ancestors(spot.node):
        if isinstance(loop, SCOPES):
            return
        if isinstance(loop, ast.For | ast.While):
            yield from flagged(spot, loop, unrolled=True)


def _count_rounds(loop: ast.For | ast.While, given: Sequence[ast.expr | None]) -> bool:
    """Whether the values are all the number of a loop's round, `i` of `for i in range(n)`, which is an int on every call."""
    match loop:
        case ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range"))):
            return all(isinstance(value, ast.Name) and value.id == name for value in given)
    return False


def _edits(spot: Spot, function: ast.FunctionDef, loop: ast.For | ast.While, name: str, unrolled: bool) -> list[Edit]:
    code = spot.code
    inside = set(walk(loop))
    stores = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
    outside = [n for n in stores if n not in inside and not _is_behind(spot, n, loop)]
    option = _first_line(function) if not outside and name in none_by_default(function.args) else None
    if option is None and (len(outside) != 1 or outside[0].lineno > loop.lineno):
        return []
    last_question = max(
        (n.lineno for n in walk(function) if isinstance(n, ast.Compare) and asks_for_none(n, name) is not None), default=0
    )
    none = _bound_to(code.statement(outside[0]), outside[0]) if option is None else None
    if option is None and not (isinstance(none, ast.Constant) and none.value is None):
        return []
    first = option or code.statement(outside[0])
    flag = code.fresh(f"has_{name}", f"{name}_is_set")
    given = [_bound_to(code.statement(store), store) for store in stores if store in inside]
    if all(isinstance(value, ast.Constant) and value.value is None for value in given):
        return []
    if any(isinstance(value, ast.Name) and _may_be_none(function, value.id) for value in given):
        return []
    number = "0" if unrolled or _count_rounds(loop, given) else "0.0"
    if any(isinstance(value, ast.Tuple) or _fields_of(value) for value in given):
        number = _numbers(spot, given) or _fields(spot, function, first, given)
        if not number:
            return []
    loads = [n for n in inside if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
    if alike := _item_of_the_list(spot, loop, given):
        number = alike
    elif any(_as_array(spot, n) for n in loads) or any(_is_array(spot, value) for value in given):
        number = _zeros(spot, function, first, given) or number
    if none is not None:
        edits: list[Edit] = [(*code.span(none), number), _line_after(spot, first, f"{flag} = False")]
    elif code.on_own_lines([first]):
        start, indent = code.region([first])[0], code.indent(first)
        lines = f"{indent}{flag} = {name} is not None\n{indent}{name} = {name} if {flag} else {number}\n"
        edits = [(start, start, lines)]
    else:
        return []
    questions: list[Edit] = []
    for node in walk(function):
        if not isinstance(node, ast.Compare) or name not in [
            each.id for each in (node.left, *node.comparators) if isinstance(each, ast.Name)
        ]:
            continue
        if asks_for_none(node, name) is not None:
            questions.append((*code.span(node), asked_by_a_flag(spot, node, flag)))
            continue
        match node:
            case ast.Compare(ops=[ast.Eq() | ast.NotEq() as how], comparators=[_]) if not _is_sure(spot, function, node, name):
                # None equals nothing, and what stands for it may
                questions.append((*code.span(node), _only_if_set(spot, node, how, flag, unrolled)))
            case ast.Compare(ops=[ast.Eq() | ast.NotEq()], comparators=[_]):
                pass
            case ast.Compare(ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE(), *_]):
                pass  # Python refuses to compare None
            case _:
                return []
    if none is not None and not questions:
        again = [value for value in given if value is not None and is_none(value)]
        return [*edits[:1], *((*code.span(value), number) for value in again)]  # nobody asks the flag
    for store in stores:
        if store in inside or (store not in outside and store.lineno < last_question):
            statement = code.statement(store)
            value = _bound_to(statement, store)
            alone = isinstance(statement, ast.Assign | ast.AugAssign) and code.on_own_lines([statement])
            if not alone:
                return []
            if isinstance(value, ast.Constant) and value.value is None:  # it has none any more
                if isinstance(statement, ast.Assign) and value is statement.value:
                    edits.append((*code.span(statement), f"{flag} = False"))
                else:  # `total, n = None, 0`: the flag in the name's place
                    edits += [(*code.span(store), flag), (*code.span(value), "False")]
                continue
            edits.append(_line_after(spot, statement, f"{flag} = True"))
    return [*edits, *questions]


def _is_behind(spot: Spot, store: ast.Name, loop: ast.For | ast.While) -> bool:
    """Whether a name gets another value when the loop is over, and no loop around it begins it again."""
    again = [at for at in spot.code.ancestors(store) if isinstance(at, ast.For | ast.While)]
    return store.lineno > (loop.end_lineno or 0) and not any(at in again for at in spot.code.ancestors(loop))


def _first_line(function: ast.FunctionDef) -> ast.stmt:
    """The first statement behind the docstring."""
    return function.body[1 if ast.get_docstring(function) is not None and len(function.body) > 1 else 0]


def _only_if_set(spot: Spot, node: ast.Compare, how: ast.Eq | ast.NotEq, flag: str, unrolled: bool) -> str:
    """A comparison that None would not stand: no number equals it."""
    text, is_equal = spot.code.src(node), isinstance(how, ast.Eq)
    if unrolled:
        text = f"{flag} & ({text})" if is_equal else f"{spot.jnp('logical_not')}({flag}) | ({text})"
    else:
        text = f"{flag} and {text}" if is_equal else f"not {flag} or {text}"
    return text if isinstance(spot.code.parents[node], _LOOSE) else f"({text})"


def _is_sure(spot: Spot, function: ast.FunctionDef, node: ast.Compare, name: str) -> bool:
    """Whether the name cannot be None there: the code asked before, or has just set it in the same round."""
    load = next(each for each in (node.left, *node.comparators) if isinstance(each, ast.Name) and each.id == name)
    if is_sure(function, load):
        return True
    for at in spot.code.ancestors(load):
        if isinstance(at, (ast.For, ast.While, *SCOPES)):
            return False
        if isinstance(at, ast.stmt):
            block = spot.code.block(at)
            before = block[: block.index(at)]
            if name in surely_written(before):
                stores = [
                    n for n in walk_scope(before) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
                ]
                values = [_bound_to(spot.code.statement(store), store) for store in stores]
                return not any(value is None or is_none(value) for value in values)
    return False


def _may_be_none(function: ast.AST, name: str) -> bool:
    """Whether a name is bound to None somewhere."""
    stores = [n for n in walk(function) if isinstance(n, ast.Assign) for target in n.targets if name in target_names(target)]
    return any(gives_none(n.value) for n in stores)


def _bound_to(statement: ast.stmt, target: ast.Name) -> ast.expr | None:
    """The expression that an assignment gives to one of its names."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    whole = statement.targets[0]
    if whole is target:
        return statement.value
    if isinstance(whole, ast.Tuple) and isinstance(statement.value, ast.Tuple) and target in whole.elts:
        place = whole.elts.index(target)
        return statement.value.elts[place] if len(target_names(whole)) == len(statement.value.elts) else None
    return None


def _numbers(spot: Spot, values: list[ast.expr | None]) -> str:
    """Zeros like the tuples that the loop gives (`best = slope, intercept`); "" where they are not alike, or no numbers."""
    found = set()
    for value in values:
        if not isinstance(value, ast.Tuple):
            return ""
        facts = [spot.fact(item) for item in value.elts]
        if any(fact is None or fact.ndim or fact.dtype not in ("i", "f") for fact in facts):
            return ""
        found.add(tuple("0" if fact is not None and fact.dtype == "i" else "0.0" for fact in facts))
    return f"({', '.join(found.pop())})" if len(found) == 1 and len(facts) > 1 else ""


def _fields(spot: Spot, function: ast.FunctionDef, made: ast.stmt, values: list[ast.expr | None]) -> str:
    """Zeros like the records that the loop gives (`best = {"depth": depth, "at": i}`); "" where they have not all the same
    fields, or hold more than numbers and arrays."""
    records = [_fields_of(value) for value in values if value is None or not is_none(value)]
    first = records[0] if records else None
    if first is None or any(each is None or [*each] != [*first] for each in records):
        return ""
    texts = {}
    for name in first:
        given = [record[name] for record in records if record is not None]
        facts = [spot.fact(value) for value in given]
        kinds = {"" if fact is None or fact.ndim < 0 else "array" if fact.ndim else fact.dtype for fact in facts}
        kind = kinds.pop() if len(kinds) == 1 else ""
        texts[name] = _zeros(spot, function, made, [*given]) if kind == "array" else _ZEROS.get(kind, "")
    items = ", ".join(f'"{name}": {text}' for name, text in texts.items())
    return f"{{{items}}}" if all(texts.values()) else ""


_ZEROS = {"f": "0.0", "i": "0", "b": "False"}


def _fields_of(value: ast.expr | None) -> dict[str, ast.expr] | None:
    """The fields of a record that is written out, by their names: `{"depth": d, "at": i}`, `dict(depth=d, at=i)`."""
    match value:
        case ast.Dict(keys=[_, *_] as keys, values=values):
            names = [key.value if isinstance(key, ast.Constant) else None for key in keys]
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=[_, *_] as keywords):
            names, values = [keyword.arg for keyword in keywords], [keyword.value for keyword in keywords]
        case _:
            return None
    found = {name: each for name, each in zip(names, values, strict=True) if isinstance(name, str) and name.isidentifier()}
    return found if len(found) == len(values) else None


def _item_of_the_list(spot: Spot, loop: ast.For | ast.While, values: list[ast.expr | None]) -> str:
    """The first of the list that the loop runs over, where it gives one of these, a record or an object; else ""."""
    if not isinstance(loop, ast.For):
        return ""
    match loop.target, loop.iter:
        case ast.Name(id=item), ast.Name() | ast.Attribute() as items:
            pass
        case ast.Tuple(elts=[_, ast.Name(id=item)]), ast.Call(func=ast.Name(id="enumerate"), args=[items]):
            if not spot.is_builtin("enumerate"):
                return ""
        case _:
            return ""
    fact = spot.fact(items)
    if fact is None or fact.sort not in ("list", "tuple") or item in stored(loop.body):
        return ""
    for value in values:
        held = spot.fact(value) if isinstance(value, ast.Name) and value.id == item else None
        if held is None or held.sort not in ("dict", "tuple", "other"):
            return ""
    return f"{spot.code.src(items)}[0]"


def _as_array(spot: Spot, node: ast.Name) -> bool:
    """Whether no number can stand there: `step @ H`, `H[0]`, `H.T`."""
    match spot.code.parents[node]:
        case ast.BinOp(op=ast.MatMult()) | ast.Subscript(ctx=ast.Load()) | ast.Attribute():
            return True
    return False


def _is_array(spot: Spot, value: ast.expr | None) -> bool:
    """Whether it is known to have more than one element: what a loop carries has one shape in all rounds."""
    fact = spot.fact(value) if value is not None else None
    return fact is not None and fact.ndim > 0


def _zeros(spot: Spot, function: ast.FunctionDef, made: ast.stmt, values: list[ast.expr | None]) -> str:
    """Zeros of the shape that all values have; "" where they are not alike, or numbers."""
    known = [value for value in values if value is not None and not is_none(value)]
    facts = [fact for value in known if (fact := spot.fact(value)) is not None]
    if not facts or len({fact.shape for fact in facts}) > 1 or facts[0].ndim < 1 or not facts[0].shape:
        return ""
    try:
        shape, dtype = element(spot, function, made, known)
        shape = shape[1:] if shape.startswith("*") and "," not in shape else f"({shape},)"
    except LookupError:  # nothing that is known before is as large
        shape, dtype = str(facts[0].shape), ""
    return f"{spot.jnp('zeros')}({shape}{', ' + dtype if dtype else ''})"


def told_by_a_flag(spot: Spot, value: ast.expr, is_set: str) -> tuple[str, list[tuple[ast.AST, str]]] | None:
    """(a line before the statement, what stands for the tests on None) where a variable is bound to this value alone, and is
    asked for nothing else while it is None; `is_set` is the text of a test that it is not."""
    code, function, statement = spot.code, spot.function, spot.code.statement(value)
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=whole) if whole is value:
            pass
        case _:
            return None
    if not isinstance(function, ast.FunctionDef) or bound_once(function, name) is not value:
        return None
    questions = [node for node in walk(function) if isinstance(node, ast.Compare) and asks_for_none(node, name) is not None]
    if not questions or read_as_none(function, name, statement) or not code.on_own_lines([statement]):
        return None
    flag = code.fresh(f"has_{name}", f"{name}_is_set")
    return f"{code.indent(statement)}{flag} = {is_set}\n", [(node, asked_by_a_flag(spot, node, flag)) for node in questions]


def asked_by_a_flag(spot: Spot, node: ast.AST, flag: str) -> str:
    """What stands for `v is None` or `v is not None`, where a flag says whether v has a value."""
    if not (isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is)):
        return flag
    loose = isinstance(spot.code.parents[node], ast.BoolOp | ast.If | ast.While | ast.Assert)
    return f"not {flag}" if loose else f"(not {flag})"


def _line_after(spot: Spot, statement: ast.stmt, line: str) -> Edit:
    end = spot.code.span(statement)[1]
    rest = spot.code.text[end:].partition("\n")[0]
    end += len(rest) if rest.lstrip().startswith("#") else 0
    return end, end, f"\n{spot.code.indent(statement)}{line}"


RULES: list[Rule] = [apart, unasked, without_a_start]
LAST: list[Rule] = [asked_in_a_loop]
