"""Lists to which a branch on a traced value appends: every item goes in, and a second list says which of them count."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.bound_again import side_by_side, under_its_own_name
from jupyter_jitmagic.diagnosis.rewrites.branches import expanded_elif
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.joined_lists import joined_by_name
from jupyter_jitmagic.diagnosis.rewrites.operations import MAKES_ARRAYS
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.signs import is_place
from jupyter_jitmagic.source.code import Code, Edit, is_returned, words
from jupyter_jitmagic.source.names import loaded, name_of, walk_scope

_OF_NUMPY = words("mean median std var sum prod max min")
"""What NumPy computes of a list."""


def appended_in_a_branch(spot: Spot) -> Iterator[Step]:
    """`if t: out.append(v)` → `out.append(v)`, `kept.append(t)`; `sum(out)` → the sum of those that are kept."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If) or spot.code.is_elif(asked[1]):
        return
    node, code = asked[1], spot.code
    live = code.live_after(node)
    sides = [_appends(spot, side, live) for side in (node.body, node.orelse)]
    if sides[0] is None or sides[1] is None or not (sides[0] or sides[1]) or not code.on_own_lines([node]):
        return
    lists = list(dict.fromkeys(name for side in sides for name, _ in side or ()))
    if isinstance(spot.function, ast.FunctionDef):
        for name in lists:
            for first in (under_its_own_name, joined_by_name):
                if (step := first(spot, spot.function, name)) is not None:
                    yield step
                    return
    flags = {name: known for name in lists if (known := _flags_of(spot, name, lists))}
    growing = [name for name in lists if name not in flags.values()]
    edits: list[Edit] = []
    together = not flags and side_by_side(spot, node, growing)
    for name in growing:
        if name not in flags:
            wanted = (["kept"] if len(growing) == 1 or together else []) + [f"{name}_kept", f"{name}_are_kept"]
            flags[name] = flags[growing[0]] if together and flags else code.fresh(*wanted)
            edits += ListUses(spot, name, flags[name], node, together and name != growing[0]).edits()
    indent, lines = code.indent(node), ""
    test = code.expr(node.test) if _is_truth(spot, node.test) else f"{code.operand(node.test)} != 0"  # `if count:`
    both = [each for side in sides for each in side or () if each[0] in growing]
    if len(both) > 1 and not isinstance(node.test, ast.Name):
        pred = code.fresh("chosen", "pred")
        lines, test = f"{indent}{pred} = {test}\n", pred
    written = (node.body, test), (node.orelse, f"{spot.jnp('logical_not')}({test})")
    values = [value for _, value in both]
    beside = [each.value for each in [*node.body, *node.orelse] if isinstance(each, ast.Assign)]
    risky = not harmless([*values, *beside])
    for on_its_side in (False, True) if risky and all(_nothing(spot, value) for value in values) else (False,):
        added = ""
        for statements, chosen in written:
            for statement in statements:
                appended = appended_by(spot, statement)
                if isinstance(statement, ast.Assign):
                    added += code.block_text([statement], indent)
                elif appended is not None and appended[0] in growing:
                    name, value = appended
                    text = code.expr(value)
                    if on_its_side and not harmless([value]):
                        text = f"{spot.lax('cond')}({chosen}, lambda: {text}, lambda: {_nothing(spot, value)})"
                    added += f"{indent}{name}.append({text})\n"
                    if not together or name == growing[0]:
                        added += f"{indent}{flags[name]}.append({chosen})\n"
        replaced = [((a, b), text) for a, b, text in edits]
        yield spot.step(
            "kept", (code.region([node]), lines + added), *replaced, risky=risky and not (on_its_side and not beside)
        )


def _is_truth(spot: Spot, test: ast.expr) -> bool:
    """Whether a test is True or False, of which a sum counts, and no number."""
    match test:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp(values=sides):
            return all(_is_truth(spot, side) for side in sides)
    fact = spot.fact(test)
    return fact is not None and fact.dtype == "b"


def _nothing(spot: Spot, value: ast.expr) -> str:
    """What stands for a number that is not appended."""
    fact = spot.fact(value)
    return {"f": "0.0", "i": "0"}.get(fact.dtype, "") if fact is not None and fact.ndim == 0 else ""


def born_in_a_branch(spot: Spot) -> Iterator[Step]:
    """In a branch `parts = [a]`, `parts.append(b)` → `parts = [a, b]`."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If):
        return
    code = spot.code
    for block in (asked[1].body, asked[1].orelse):
        for made, added in itertools.pairwise(block):
            match made, added:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=ast.List(elts=elements) as before),
                    ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=same), attr="append"), args=[new])),
                ) if name == same and name not in loaded([new]) and code.on_own_lines([added]):
                    texts = ", ".join(map(code.src, [*elements, new]))
                    yield spot.step("list", (before, f"[{texts}]"), (code.region([added]), ""))
                    return


def moved_on_in_a_branch(spot: Spot) -> Iterator[Step]:
    """`if t: recent.pop(0)`, `recent.append(v)` → `recent = [*recent[1:], v]`: a list that keeps its length is a value."""
    asked, code = spot.asked(), spot.code
    if asked is None or not isinstance(asked[1], ast.If):
        return
    for side in (asked[1].body, asked[1].orelse):
        for first, second in itertools.pairwise(side):
            calls = [_called_on_a_list(spot, each) for each in (first, second)]
            if calls[0] is None or calls[1] is None or calls[0][0] != calls[1][0] or not code.on_own_lines([first, second]):
                continue
            moved = _moved_on(code, *calls[0], calls[1][1])
            if moved is not None:
                line = f"{code.indent(first)}{calls[0][0]} = {moved}\n"
                yield spot.step("list", (code.region([first, second]), line))
                return


def _called_on_a_list(spot: Spot, statement: ast.stmt) -> tuple[str, ast.Call] | None:
    """(name, call) of a statement that calls a method of a list which nothing else here holds."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)), keywords=[]) as call):
            held, function = spot.locals.get(name), spot.function
            others = [other for other, value in spot.locals.items() if value is held and other != name]
            given = isinstance(function, ast.FunctionDef) and name in {
                n.arg for n in ast.walk(function.args) if isinstance(n, ast.arg)
            }
            return (name, call) if isinstance(held, list) and held and not (others or given) else None
    return None


def _moved_on(code: Code, name: str, first: ast.Call, second: ast.Call) -> str | None:
    """What a list is after one of its items went and another came, at its ends; in which order they did is the same."""
    gone, new = "", None
    for call in (first, second):
        match call:
            case ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Constant(value=0)]):
                gone = "first"
            case ast.Call(func=ast.Attribute(attr="pop"), args=[]):
                gone = "last"
            case ast.Call(func=ast.Attribute(attr="append"), args=[value]):
                new = value
            case ast.Call(func=ast.Attribute(attr="insert"), args=[ast.Constant(value=0), value]):
                new = value
            case _:
                return None
    methods = {call.func.attr for call in (first, second) if isinstance(call.func, ast.Attribute)}
    if new is None or name in loaded([new]):
        return None
    if methods == {"pop", "append"} and gone == "first":
        return f"[*{name}[1:], {code.expr(new)}]"
    return f"[{code.expr(new)}, *{name}[:-1]]" if methods == {"pop", "insert"} and gone == "last" else None


def _appends(spot: Spot, side: list[ast.stmt], live: set[str]) -> list[tuple[str, ast.expr]] | None:
    """(list, item) for each append of a side that does nothing else, but for names of its own; None for other sides."""
    found = []
    for statement in side:
        appended = appended_by(spot, statement)
        if appended is not None:
            found.append(appended)
        elif isinstance(statement, ast.Assign):
            if any(not isinstance(target, ast.Name) or target.id in live for target in statement.targets):
                return None
        elif not isinstance(statement, ast.Pass):
            return None
    return found


def appended_by(spot: Spot, statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """(list, item) of a statement that appends one item to a list."""
    match statement:
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value], keywords=[])
        ) if isinstance(spot.locals.get(name), list) and not isinstance(value, ast.Starred):
            return name, value
    return None


def _flags_of(spot: Spot, name: str, lists: list[str]) -> str:
    """The list beside `name` that an earlier step made, in which every item says whether one of `name` counts."""
    items = spot.locals[name]
    for other, held in spot.locals.items():
        if other in lists and other != name and isinstance(held, list) and len(held) == len(items) and _are_flags(held):
            after = f"{name}.append("
            if all(line.strip().startswith(after) for line in _lines_before(spot, f"{other}.append(")):
                return other
    return ""


def _are_flags(held: list[object]) -> bool:
    return bool(held) and all(item is True or (isinstance(item, jax.Array) and item.dtype == bool) for item in held)


def _lines_before(spot: Spot, start: str) -> list[str]:
    lines = spot.code.lines
    return [lines[number - 1] for number, line in enumerate(lines) if line.strip().startswith(start)]


@dataclass
class ListUses:
    """What stands elsewhere in the function of a list: where it is made, grows and is read."""

    spot: Spot
    name: str
    flags: str
    branch: ast.If
    has_flags: bool = False
    """They are those of a list beside it."""
    found: list[Edit] = field(default_factory=list)

    def edits(self) -> list[Edit]:
        function = self.spot.function
        if not isinstance(function, ast.FunctionDef):
            raise Obstacle(f"one branch appends to {self.name} outside of a plain function")
        inside = set(ast.walk(self.branch))
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id == self.name and node not in inside:
                self._use(node)
        statements = [*self.branch.body, *self.branch.orelse]
        values = [each.value.args[0] for each in statements if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call)]
        values += [each.value for each in statements if isinstance(each, ast.Assign)]
        if self.name in loaded([self.branch.test, *values]):
            self._refuse(self.branch.test)
        return self.found

    def _use(self, node: ast.Name) -> None:
        code = self.spot.code
        parent = code.parents[node]
        if isinstance(node.ctx, ast.Store):
            self._made(node, parent)
        elif isinstance(parent, ast.Attribute):
            self._grows(parent)
        elif isinstance(parent, ast.Call) and parent.args == [node] and not parent.keywords:
            self._read_by(parent, node)
        elif isinstance(parent, ast.comprehension) and parent.iter is node and not parent.ifs:
            self._summed(node, parent)
        elif isinstance(parent, ast.For) and parent.iter is node:
            self._gone_through(parent)
        elif (isinstance(parent, ast.IfExp | ast.If) and parent.test is node) or (
            isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
        ):
            self.found.append((*code.span(node), f"{self.spot.jnp('any')}({self._mask()})"))
        elif is_returned(code, node):
            self.found.append((*code.span(node), f"{self.spot.jnp('array')}({self.name})[{self._mask()}]"))
        else:
            self._refuse(node)

    def _made(self, node: ast.Name, parent: ast.AST) -> None:
        code = self.spot.code
        if not isinstance(parent, ast.Assign) or parent.targets != [node] or not isinstance(parent.value, ast.List):
            self._refuse(node)
        assert isinstance(parent, ast.Assign) and isinstance(parent.value, ast.List)
        if any(isinstance(item, ast.Starred) for item in parent.value.elts):
            self._refuse(node)
        if self.has_flags:
            return
        end = code.span(parent)[1]
        flags = ", ".join(["True"] * len(parent.value.elts))
        self.found.append((end, end, f"\n{code.indent(parent)}{self.flags} = [{flags}]"))

    def _grows(self, parent: ast.Attribute) -> None:
        code = self.spot.code
        call = code.parents[parent]
        statement = code.parents[call]
        alone = isinstance(call, ast.Call) and isinstance(statement, ast.Expr) and code.on_own_lines([statement])
        if parent.attr != "append" or not alone:
            self._refuse(parent)
        assert isinstance(statement, ast.Expr)
        end = code.span(statement)[1]
        self.found.append((end, end, f"\n{code.indent(statement)}{self.flags}.append(True)"))

    def _mask(self) -> str:
        return f"{self.spot.jnp('array')}({self.flags}, bool)"  # of an empty list it would be one of floats

    def _read_by(self, call: ast.Call, node: ast.Name) -> None:
        spot, code = self.spot, self.spot.code
        name = name_of(call)
        builtin = isinstance(call.func, ast.Name) and spot.is_builtin(name)
        if builtin and name == "len":
            self.found.append((*code.span(call), f"sum({self.flags})"))
        elif builtin and name == "sum":
            item, each = code.fresh("value", "item"), code.fresh("keep", "is_kept")
            value = f"{spot.jnp('where')}({each}, {item}, 0)"
            self.found.append((*code.span(call), f"sum({value} for {item}, {each} in zip({self.name}, {self.flags}))"))
        elif builtin and name in ("max", "min"):
            sign, items = "-" if name == "max" else "", f"{spot.jnp('array')}({self.name})"
            most = f"{spot.jnp(name)}({spot.jnp('where')}({self._mask()}, {items}, {sign}{spot.jnp('inf')}))"
            # of equal ones the first, which alone has a gradient; an infinite one only where it counts
            first = f"{items}[{spot.jnp('argmax')}({self._mask()} & ({items} == {most}))]"
            self.found.append((*code.span(call), first))
        elif not builtin and name in MAKES_ARRAYS and isinstance(call.func, ast.Attribute):
            self.found.append((*code.span(call), f"{code.src(call)}[{self._mask()}]"))
        elif name in _OF_NUMPY and getattr(np, name) is spot.value(call.func) and len(call.args) == 1 and not call.keywords:
            self.found.append((*code.span(call), f"{spot.jnp(name)}({spot.jnp('array')}({self.name})[{self._mask()}])"))
        else:
            self._refuse(node)

    def _gone_through(self, loop: ast.For) -> None:
        """`for b in out: …` → `for b, is_kept in zip(out, kept):` with its body below `if is_kept:`."""
        code = self.spot.code
        within = {each.id for part in loop.body for each in ast.walk(part) if isinstance(each, ast.Name)}
        if loop.orelse or self.name in within or not code.on_own_lines(loop.body) or self.branch in set(ast.walk(loop)):
            self._refuse(loop)
        each = code.fresh("is_kept", "keep", "counts")
        target = code.src(loop.target)
        target = f"({target})" if isinstance(loop.target, ast.Tuple) and not target.startswith("(") else target
        self.found.append((*code.span(loop.target), f"{target}, {each}"))
        self.found.append((*code.span(loop.iter), f"zip({self.name}, {self.flags})"))
        inner = code.indent(loop.body[0])
        below = code.block_text(loop.body, inner + "    ")
        self.found.append((*code.region(loop.body, comments=True), f"{inner}if {each}:\n{below}"))

    def _summed(self, node: ast.Name, comprehension: ast.comprehension) -> None:
        """`sum(f(v) for v in out)`."""
        spot, code = self.spot, self.spot.code
        around = code.parents[comprehension]
        call = code.parents[around]
        summed = isinstance(call, ast.Call) and spot.call("sum") is None and code.src(call.func) == "sum"
        if not summed or not isinstance(around, ast.GeneratorExp | ast.ListComp) or len(around.generators) > 1:
            self._refuse(node)
        assert isinstance(around, ast.GeneratorExp | ast.ListComp)
        each = code.fresh("keep", "is_kept")
        self.found.append((*code.span(around.elt), f"{spot.jnp('where')}({each}, {code.expr(around.elt)}, 0)"))
        target = code.src(comprehension.target)
        target = f"({target})" if isinstance(comprehension.target, ast.Tuple) and "(" not in target else target
        self.found.append((*code.span(comprehension.target), f"{target}, {each}"))
        self.found.append((*code.span(node), f"zip({self.name}, {self.flags})"))

    def _refuse(self, node: ast.AST) -> None:
        code = self.spot.code
        raise Obstacle(
            f"the length of {self.name} depends on values, and `{code.src(code.statement(node)).splitlines()[0]}` needs it"
        )


def made_apart(spot: Spot, function: ast.FunctionDef, name: str) -> Step | None:
    """`small, large = [], []` → a line for each: what is made alone can become an array; so for what is made of them."""
    code = spot.code
    for statement in walk_scope(function.body):
        match statement:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
                others = ({*names} - {own} for own in names)
                independent = len({*names}) == len(targets) and not any(
                    each & loaded([value]) for each, value in zip(others, values, strict=False)
                )
                if name in names and independent and code.on_own_lines([statement]):
                    pairs = zip(names, values, strict=True)
                    lines = "".join(f"{code.indent(statement)}{each} = {code.expr(value)}\n" for each, value in pairs)
                    return spot.step("list", (code.region([statement]), lines))
    return None


_EMPTY = {"[]", "list()", "set()", "deque()", "collections.deque()"}


def emptied_instead(spot: Spot, name: str) -> Step | None:
    """`run = []` once more, in a loop → `run.clear()`, of a list that can become an array (never one with a second name)."""
    code, function = spot.code, spot.function
    named = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name] if function is not None else []
    made = [code.statement(n) for n in named if isinstance(n.ctx, ast.Store)]
    if len(made) < 2 or not code.on_own_lines(made):
        return None
    first, *again = made
    values = {code.src(each.value) if isinstance(each, ast.Assign) and len(each.targets) == 1 else "" for each in made}
    block = code.block(first)
    within = {n for each in block[block.index(first) + 1 :] for n in ast.walk(each)} - {*block}
    if len(values) > 1 or not values <= _EMPTY or not within.issuperset(again):
        return None
    return spot.step("list", *((each, f"{name}.clear()") for each in again))


def named_first(spot: Spot, function: ast.FunctionDef, name: str) -> Step | None:
    """`path.append(f(path[-1]))` → `item = f(path[-1])`, `path.append(item)`; so for `line.remove(max(line))`."""
    code = spot.code
    for node in walk_scope(function.body):
        match node:
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=held), attr="append" | "remove" as how), args=[value])
            ) if held == name and name in loaded([value]) and code.on_own_lines([node]):
                item = code.fresh("item", f"next_of_{name}")
                text = f"{item} = {code.expr(value)}\n{code.indent(node)}{name}.{how}({item})"
                return spot.step("list", (node, text))
    return None


def rest_one_by_one(spot: Spot, function: ast.FunctionDef, name: str) -> Step | None:
    """`out += a[i:]`, `out.extend(a[i:])` → a loop that appends `a[i]` and counts i up, where nothing reads i behind it."""
    code = spot.code
    for node in function.body:
        match node:
            case ast.AugAssign(target=ast.Name(id=held), op=ast.Add(), value=rest):
                pass
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=held), attr="extend"), args=[rest])):
                pass
            case _:
                continue
        match rest.args[0] if isinstance(rest, ast.Call) and code.src(rest.func) == "list" and rest.args else rest:
            case ast.Subscript(
                value=ast.Name(id=items), slice=ast.Slice(lower=ast.Name(id=index) as first, upper=None, step=None)
            ) if held == name != items and is_place(spot, function, first) and code.on_own_lines([node]):
                behind = function.body[function.body.index(node) + 1 :]
                if index not in loaded(behind):
                    inner = f"\n{code.indent(node)}    "
                    lines = f"while {index} < len({items}):{inner}{name}.append({items}[{index}]){inner}{index} += 1"
                    return spot.step("list", (node, lines))
    return None


def popped_first(spot: Spot, function: ast.FunctionDef, name: str) -> Step | None:
    """`height = h[stack.pop()]` → `top = stack.pop()`, `height = h[top]`."""
    code = spot.code
    for node in walk_scope(function.body):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=held), attr="pop" | "popleft"), keywords=[]) if (
                held == name and [getattr(each, "value", None) for each in node.args] in ([], [0])
            ):
                statement = code.statement(node)
                parents = list(code.ancestors(node))
                parents = parents[1 : parents.index(statement)]
                simple = not any(isinstance(at, ast.BoolOp | ast.IfExp | ast.Lambda | ast.comprehension) for at in parents)
                if isinstance(statement, ast.If) and code.is_elif(statement):
                    return expanded_elif(spot, statement)
                if isinstance(statement, ast.If) and not simple:
                    return _asked_apart(spot, statement, node)
                asks = isinstance(statement, ast.If)
                reading = statement.test if isinstance(statement, ast.If) else statement
                reads = sum(isinstance(each, ast.Name) and each.id == name for each in ast.walk(reading))
                alone = asks or isinstance(statement, ast.Assign | ast.AugAssign | ast.Return | ast.Expr)
                inside = parents or asks or isinstance(statement, ast.AugAssign | ast.Return)
                if inside and simple and alone and reads == 1 and code.on_own_lines([statement]):
                    top, start = code.fresh("top", f"last_of_{name}"), code.span(statement)[0]
                    line = f"{top} = {code.src(node)}\n{code.indent(statement)}"
                    return spot.step("list", ((start, start), line), (node, top))
    return None


def _asked_apart(spot: Spot, choice: ast.If, pop: ast.Call) -> Step | None:
    """`if not stack or stack.pop() != t: return False` → two choices, of which the second one takes the item."""
    code = spot.code
    match choice:
        case ast.If(
            test=ast.BoolOp(op=ast.Or(), values=values), body=[*_, ast.Return() | ast.Break() | ast.Continue()], orelse=[]
        ):
            first = next(each for each in values if pop in ast.walk(each))
        case _:
            return None
    if first is values[0] or not code.on_own_lines([choice]):
        return None
    before, behind = values[: values.index(first)], values[values.index(first) :]
    indent = code.indent(choice)
    body = code.block_text(choice.body, indent + "    ")
    tests = [" or ".join(map(code.src if len(part) == 1 else code.operand, part)) for part in (before, behind)]
    return spot.step("list", (code.region([choice]), "".join(f"{indent}if {test}:\n{body}" for test in tests)))


def rows_of_tuples(spot: Spot, function: ast.FunctionDef, name: str) -> Step | None:
    """`out.append((a, b))` → `out.append(jnp.array([a, b]))`, where nothing but an array is made of the list."""
    code = spot.code
    tuples: list[ast.Tuple] = []
    for node in ast.walk(function):
        if not isinstance(node, ast.Name) or node.id != name:
            continue
        parent = code.parents[node]
        match parent:
            case ast.Assign(targets=[ast.Name()], value=ast.List(elts=elements)):
                tuples += [each for each in elements if isinstance(each, ast.Tuple)]
                if any(not isinstance(each, ast.Tuple) for each in elements):
                    return None
            case ast.Attribute(attr="append"):
                match code.parents[parent]:
                    case ast.Call(args=[ast.Tuple() as item], keywords=[]):
                        tuples.append(item)
                    case _:
                        return None
            case ast.Call(func=ast.Name(id="len"), args=[_]):
                pass
            case ast.Call(func=ast.Attribute(attr="array" | "asarray"), args=[only], keywords=[]) if only is node:
                pass
            case ast.Subscript(slice=ast.Constant() | ast.UnaryOp()) if isinstance(code.parents[parent], ast.Subscript):
                pass
            case _:
                return None
    items = [item for each in tuples for item in each.elts]
    alike = len({len(each.elts) for each in tuples}) == 1 and not any(isinstance(item, ast.Starred) for item in items)
    if not items or not alike or name in loaded(items):
        return None
    rows = [(each, f"{spot.jnp('array')}([{', '.join(map(code.src, each.elts))}])") for each in tuples]
    return spot.step("list", *rows)


RULES: list[Rule] = [born_in_a_branch, moved_on_in_a_branch, appended_in_a_branch]
