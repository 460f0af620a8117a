"""What the body of one of JAX's loops writes outside itself: a tracer that is kept there outlives its trace.

The loop has to give it on: what each round appends to a list is stacked by `lax.scan`, a name or a dict that is written goes
round in the carry.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import jax

from jupyter_jitmagic.base.looking import text_attribute
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.lists import ListUses
from jupyter_jitmagic.diagnosis.rewrites.operations import MAKES_ARRAYS
from jupyter_jitmagic.diagnosis.rewrites.own_conditions import is_fact
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit, is_returned, leaves, words
from jupyter_jitmagic.source.names import SCOPES, loaded, stored, target_names, walk_scope

_PLACES: dict[Any, tuple[int, int, str, int]] = {
    jax.lax.scan: (0, 1, "init", 0),
    jax.lax.fori_loop: (2, 3, "init_val", 1),
    jax.lax.while_loop: (1, 2, "init_val", 0),
    jax.lax.map: (0, -1, "", -1),
}
"""Of each loop: the place of its body and of its first carry (with the keyword), and the place of the carry in the body."""

_READ_WHOLE = words("len sum max min enumerate zip reversed sorted tuple list any all")


def kept_by_a_body(spot: Spot) -> Iterator[Step]:
    """`path.append(x)` in the body of a scan → the scan's second result; `nonlocal n; n += 1` → a part of its carry."""
    if not isinstance(spot.error, jax.errors.UnexpectedTracerError):
        return
    for call in spot.code.below(spot.code.tree):
        loop = _loop_of(spot, call) if isinstance(call, ast.Call) else None
        if loop is not None and loop.writes_outside():
            yield loop.step()
            return


def _loop_of(spot: Spot, call: ast.Call) -> _Loop | None:
    """The loop that a call is, whose body is a `def` beside the call that nothing else uses."""
    code = spot.code
    operation = next((each for each in _PLACES if spot.value(call.func) is each), None)
    outer = code.function(call)
    if operation is None or not isinstance(outer, ast.FunctionDef) or any(isinstance(a, ast.Starred) for a in call.args):
        return None
    place = _PLACES[operation][0]
    given = call.args[place] if place < len(call.args) else None
    if not isinstance(given, ast.Name):
        return None
    bodies = [n for n in code.below(outer) if isinstance(n, ast.FunctionDef) and n.name == given.id]
    uses = [n for n in code.below(outer) if isinstance(n, ast.Name) and n.id == given.id]
    if len(bodies) != 1 or uses != [given] or code.function(bodies[0]) is not outer or bodies[0].decorator_list:
        return None
    return _Loop(spot, operation, call, outer, bodies[0])


@dataclass
class _Loop:
    """A call of one of JAX's loops, the function around it, and its body.

    Attributes:
        carried: names that the body writes and that stand outside it.
        appends: the statement and the item that each round appends, by list.
    """

    spot: Spot
    operation: Any
    call: ast.Call
    outer: ast.FunctionDef
    body: ast.FunctionDef
    carried: list[str] = field(default_factory=list)
    appends: dict[str, tuple[ast.Expr, ast.expr]] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)

    # -- what the body writes -----------------------------------------------------------------------------

    def writes_outside(self) -> bool:
        """Whether the body writes outside itself, and nothing but what a loop can give on."""
        body = list(walk_scope(self.body.body))
        written = [name for node in body if isinstance(node, ast.Nonlocal) for name in node.names]
        own = {each.arg for each in ast.walk(self.body.args) if isinstance(each, ast.arg)} | set(stored(self.body.body))
        for node in body:
            match node:
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item])) as each:
                    if name not in own - set(written):
                        if name in self.appends or each not in self.body.body or isinstance(item, ast.Starred):
                            raise Obstacle(f"how often `{name}.append` runs depends on data, and the length of a list cannot")
                        self.appends[name] = (each, item)
                case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()) if name not in own and self._is_dict(name):
                    written.append(name)
                case ast.Attribute(ctx=ast.Store()):
                    return False
        self.carried = list(dict.fromkeys(written))
        return bool(self.carried or self.appends) and all(map(self._is_ours, [*self.carried, *self.appends]))

    def _is_dict(self, name: str) -> bool:
        made = [n.value for n in self._made(name) if isinstance(n, ast.Assign)]
        return len(made) == 1 and isinstance(made[0], ast.Dict)

    def _made(self, name: str) -> list[ast.stmt]:
        """The statements of the function around the loop that bind a name."""
        found = walk_scope(self.outer.body)
        return [
            n
            for n in found
            if isinstance(n, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For)
            and name in [each for t in (n.targets if isinstance(n, ast.Assign) else [n.target]) for each in target_names(t)]
        ]

    def _is_ours(self, name: str) -> bool:
        """Whether the function around the loop has bound it before, and no other function in it uses it."""
        made = [statement for statement in self._made(name) if statement.lineno < self.call.lineno]
        others = [n for n in self.spot.code.below(self.outer) if isinstance(n, SCOPES) and n not in (self.outer, self.body)]
        inside = set(ast.walk(self.body))
        used = {n.id for each in others if each not in inside for n in ast.walk(each) if isinstance(n, ast.Name)}
        if name in self.appends and name in loaded([item for _, item in self.appends.values()]):
            return False
        reads = [n for n in inside if isinstance(n, ast.Name) and n.id == name]
        return bool(made) and name not in used and (name in self.carried or len(reads) == 1)

    # -- the new text -------------------------------------------------------------------------------------

    def step(self) -> Step:
        """The loop that gives on what its body writes."""
        spot = self.spot
        ends = leaves(self.body.body, ast.Return)
        last = self.body.body[-1]
        if ends != [last] or not isinstance(last, ast.Return) or last.value is None:
            raise Obstacle(f"{self.body.name} keeps tracers outside itself, and returns at more than one place")
        if self.appends and self.operation is jax.lax.while_loop:
            raise Obstacle(f"how many items {next(iter(self.appends))} gets depends on data, and the length of a list cannot")
        if self.carried and self.operation is jax.lax.map:
            raise Obstacle(f"{self.body.name} writes {self.carried[0]}, which lax.map gives on to no other round")
        self._into_the_body(last)
        self._around_the_call()
        return spot.step("carry" if self.carried else "scan", *(((a, b), text) for a, b, text in self.edits))

    def _edit(self, node: ast.AST, text: str) -> None:
        self.edits.append((*self.spot.code.span(node), text))

    def _remove(self, statement: ast.stmt) -> None:
        code = self.spot.code
        if not code.on_own_lines([statement]):
            raise Obstacle(f"`{code.src(statement)}` shares its line")
        self.edits.append((*code.region([statement]), ""))

    def _into_the_body(self, last: ast.Return) -> None:
        code = self.spot.code
        for node in walk_scope(self.body.body):
            if isinstance(node, ast.Nonlocal):
                self._remove(node)
        self._unpacked()
        items = [self._item(name, *appended, last) for name, appended in self.appends.items()]
        assert last.value is not None
        carry, output = last.value, ""
        if self.operation is jax.lax.scan:
            match last.value:
                case ast.Tuple(elts=[carry, given_too]):
                    output = code.expr(given_too)
                case _:
                    raise Obstacle(f"`{code.src(last)}` does not show what is carried on")
        texts = ", ".join([code.expr(carry), *self.carried])
        if self.operation is jax.lax.map:
            self._edit(last.value, ", ".join([texts, *items]))
            return
        given = f"({texts})" if self.carried and (items or output) else texts
        outputs = [*([] if output in ("", "None") else [output]), *items]
        if outputs:
            given = f"{given}, {outputs[0] if len(outputs) == 1 else '(' + ', '.join(outputs) + ')'}"
        elif output:
            given = f"{given}, {output}"
        self._edit(last.value, given)

    def _unpacked(self) -> None:
        """The body takes what it writes from its carry; where it becomes that of a scan, its parameters change places."""
        code, parameters = self.spot.code, self.body.args.args
        place = _PLACES[self.operation][3]
        if len(parameters) <= place or (self.as_scan and len(parameters) != 2):
            raise Obstacle(f"the parameters of {self.body.name} do not show what is carried on")
        carry = parameters[place]
        name = carry.arg
        if self.carried:
            uses = [n for n in ast.walk(self.body) if isinstance(n, ast.Name) and n.id == name]
            body = self.body.body
            first = next(s for s in body if not isinstance(s, ast.Nonlocal) and not _is_text(s))
            match first:
                case ast.Assign(targets=[ast.Tuple() as target], value=ast.Name(id=same)) if same == name and len(uses) == 1:
                    self._edit(target, ", ".join([f"({code.src(target).strip('()')})", *self.carried]))
                case _:
                    carry_name = code.fresh("carry", "carried", "state")
                    start = code.region([first], comments=True)[0]
                    line = f"{code.indent(first)}{', '.join([name, *self.carried])} = {carry_name}\n"
                    self.edits.append((start, start, line))
                    name = carry_name
        if self.as_scan:
            self._edit(parameters[0], name if self.carried else code.src(carry))
            self._edit(carry, code.src(parameters[0]))
        elif name != carry.arg:
            self._edit(carry, name)

    @property
    def as_scan(self) -> bool:
        """Whether a loop over numbers becomes a scan, which stacks what its rounds give."""
        return self.operation is jax.lax.fori_loop and bool(self.appends)

    def _item(self, name: str, statement: ast.Expr, item: ast.expr, last: ast.Return) -> str:
        """The item that is appended, as what the body returns: its name, its text, or a name for it."""
        code, body = self.spot.code, self.body.body
        if isinstance(item, ast.Tuple | ast.List | ast.Dict | ast.Set):
            raise Obstacle(f"`{code.src(statement)}` appends several values at once")
        after = body[body.index(statement) + 1 :]
        if not loaded([item]) & set(stored(after)) and (isinstance(item, ast.Name | ast.Constant) or after == [last]):
            self._remove(statement)
            return code.expr(item)
        given = code.fresh(f"{name}_item", f"item_of_{name}")
        self._edit(statement, f"{given} = {code.expr(item)}")
        return given

    def _around_the_call(self) -> None:
        spot, code, statement = self.spot, self.spot.code, self.spot.code.statement(self.call)
        carry, output = self._targets(statement)
        _, place, keyword, _ = _PLACES[self.operation]
        named = [each.value for each in self.call.keywords if each.arg == keyword]
        init = self.call.args[place] if 0 <= place < len(self.call.args) else (named[0] if named else None)
        if init is None and place >= 0:
            raise Obstacle(f"`{code.src(self.call)}` does not show what is carried at first")
        lists = [self._received(name, statement) for name in self.appends]
        first = "" if init is None else f"({', '.join([code.expr(init), *self.carried])})" if self.carried else code.expr(init)
        if self.as_scan:
            text = f"{spot.lax('scan')}({self.body.name}, {first}, {self._numbers()})"
        else:
            edits = [(*code.span(init), first)] if init is not None and self.carried else []
            text = code.edited(*code.span(self.call), edits)
        carried = ", ".join([carry, *self.carried])
        if self.operation in (jax.lax.scan, jax.lax.fori_loop) and (self.as_scan or self.operation is jax.lax.scan):
            outputs = [*([output] if output else []), *lists]
            carried = f"({carried})" if self.carried else carried
            carried += f", {outputs[0] if len(outputs) == 1 else '(' + ', '.join(outputs) + ')'}"
        elif self.operation is jax.lax.map:
            carried = ", ".join([carry, *lists])
        self._edit(statement, f"{carried} = {text}" + "".join(self._extended(name, statement) for name in self.appends))
        for name in self.appends:
            if self._is_replaced(name, statement):
                self._read_as_array(name)

    def _numbers(self) -> str:
        """The numbers that a `fori_loop` goes through."""
        spot, code = self.spot, self.spot.code
        bounds = self.call.args[:2]
        if not all(is_fact(spot, bound) for bound in bounds):
            raise Obstacle(f"how many items {next(iter(self.appends))} gets depends on data, and the length of a list cannot")
        zero = isinstance(bounds[0], ast.Constant) and bounds[0].value == 0
        return f"{spot.jnp('arange')}({', '.join(map(code.expr, bounds[1:] if zero else bounds))})"

    def _targets(self, statement: ast.stmt) -> tuple[str, str]:
        """What takes the carry and the outputs of the loop, as text; the second is "" where nothing does or comes."""
        code = self.spot.code
        second = self.operation is jax.lax.scan
        match statement:
            case ast.Expr(value=call) if call is self.call:
                carry, output = "_", "_" if second else ""
            case ast.Assign(targets=[ast.Tuple(elts=[first, other])], value=call) if call is self.call and second:
                carry, output = code.expr(first), code.src(other)
            case ast.Assign(targets=[target], value=call) if call is self.call and not second:
                carry, output = code.expr(target), ""
            case ast.Assign(targets=[target], value=ast.Subscript(value=call, slice=ast.Constant(value=0))) if (
                call is self.call and second
            ):
                carry, output = code.expr(target), "_"
            case ast.Assign(targets=[target], value=ast.Subscript(value=call, slice=ast.Constant(value=1))) if (
                call is self.call and second
            ):
                carry, output = "_", code.expr(target)
            case _:
                raise Obstacle(f"`{code.src(statement).splitlines()[0]}` takes what the loop gives in a way that is not known")
        if second and self.appends and _gives_none(self.body):
            if output != "_" and output in code.live_after(statement):
                raise Obstacle(f"{output} is read, and is None")
            output = ""
        return carry, output

    # -- the lists ----------------------------------------------------------------------------------------

    def _is_replaced(self, name: str, statement: ast.stmt) -> bool:
        """Whether the array of all rounds can stand for the list: it was empty, and what reads it takes an array."""
        code = self.spot.code
        made = self._made(name)
        match made:
            case [ast.Assign(targets=[ast.Name()], value=ast.List(elts=[])) as first]:
                alone = first in code.block(statement) and code.on_own_lines([first])
            case _:
                return False
        return alone and all(self._takes_an_array(node) for node in self._reads(name))

    def _reads(self, name: str) -> list[ast.Name]:
        inside = set(ast.walk(self.body))
        nodes = [n for n in self.spot.code.below(self.outer) if isinstance(n, ast.Name) and n not in inside]
        return [n for n in nodes if n.id == name and isinstance(n.ctx, ast.Load)]

    def _takes_an_array(self, node: ast.Name) -> bool:
        spot, parent = self.spot, self.spot.code.parents[node]
        match parent:
            case ast.Call(func=ast.Name(id=called)) if node in parent.args:
                return called in _READ_WHOLE and spot.is_builtin(called)
            case ast.Call(func=ast.Attribute(value=owner)) if node in parent.args:
                return text_attribute(spot.value(owner), "__name__").startswith(("jax", "numpy"))
            case ast.Subscript() if parent.value is node:
                return isinstance(parent.ctx, ast.Load)
            case ast.For() | ast.comprehension():
                return parent.iter is node
        return is_returned(spot.code, node)

    def _received(self, name: str, statement: ast.stmt) -> str:
        """The name that takes what all rounds appended."""
        if self._is_replaced(name, statement):
            return name
        made = self._made(name)
        if len(made) != 1 or not (isinstance(made[0], ast.Assign) and isinstance(made[0].value, ast.List)):
            raise Obstacle(f"{name} is not made as a list that grows in {self.body.name} alone")
        return self.spot.code.fresh(f"{name}_of_rounds")

    def _extended(self, name: str, statement: ast.stmt) -> str:
        received = self._received(name, statement)
        return "" if received == name else f"\n{self.spot.code.indent(statement)}{name}.extend({received})"

    def _read_as_array(self, name: str) -> None:
        """Without the line that made the list, and with an array where it was read."""
        spot, code = self.spot, self.spot.code
        self._remove(self._made(name)[0])
        for node in self._reads(name):
            parent = code.parents[node]
            match parent:
                case ast.Call(func=ast.Attribute(value=owner, attr=name_read), args=[_], keywords=[]) if (
                    name_read in MAKES_ARRAYS and text_attribute(spot.value(owner), "__name__") == "jax.numpy"
                ):
                    self._edit(parent, name)
                case _ if is_returned(code, node):
                    self._edit(node, f"list({name})")


def _gives_none(body: ast.FunctionDef) -> bool:
    match body.body[-1]:
        case ast.Return(value=ast.Tuple(elts=[_, ast.Constant(value=None)])):
            return True
    return False


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def appended_in_a_branch_of_a_body(spot: Spot) -> Iterator[Step]:
    """`if t: times.append(v); x = 0` in the body of a scan → `times.append(v)`, `kept.append(t)`; `if t: x = 0`."""
    asked, code, body = spot.asked(), spot.code, spot.function
    if asked is None or not isinstance(asked[1], ast.If) or asked[1].orelse or not isinstance(body, ast.FunctionDef):
        return
    branch = asked[1]
    calls = [n for n in code.below(code.tree) if isinstance(n, ast.Call)]
    loop = next((each for each in (_loop_of(spot, n) for n in calls) if each is not None and each.body is body), None)
    if loop is None or branch not in body.body or code.is_elif(branch) or not code.on_own_lines([branch]):
        return
    appended = [(s, *found) for s in branch.body if (found := _append_outside(s, body)) is not None]
    if not appended or any(loaded([item]) & set(stored(branch.body[: branch.body.index(s)])) for s, _, item in appended):
        return
    indent = code.indent(branch)
    pred = code.src(branch.test) if isinstance(branch.test, ast.Name) else code.fresh("pred", "chosen")
    lines = "" if isinstance(branch.test, ast.Name) else f"{indent}{pred} = {code.expr(branch.test)}\n"
    edits: list[Edit] = []
    for _, name, item in appended:
        flags = code.fresh(*(["kept"] if len(appended) == 1 else []), f"{name}_kept")
        uses = ListUses(replace(spot, node=loop.call), name, flags, branch)
        edits += uses.edits()
        lines += f"{indent}{name}.append({code.expr(item)})\n{indent}{flags}.append({pred})\n"
    rest = [s for s in branch.body if not any(s is each for each, _, _ in appended)]
    if rest:
        inner = f"{indent}    "
        lines += f"{indent}if {pred}:\n" + "".join(code.block_text([s], inner) for s in rest)
    risky = not harmless([item for _, _, item in appended])
    yield spot.step("kept", (code.region([branch]), lines), *(((a, b), text) for a, b, text in edits), risky=risky)


def _append_outside(statement: ast.stmt, body: ast.FunctionDef) -> tuple[str, ast.expr] | None:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item])):
            own = {each.arg for each in ast.walk(body.args) if isinstance(each, ast.arg)} | set(stored(body.body))
            return (name, item) if name not in own else None
    return None


RULES: list[Rule] = [kept_by_a_body, appended_in_a_branch_of_a_body]
