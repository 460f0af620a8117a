"""Selections that are filled up to a length: `if len(v) < n: v = jnp.concatenate([v, jnp.zeros(n - len(v))])`, then `v[:n]`.

Lists, too: `while len(out) < n: out.append(0.0)`. Whatever was selected, n elements come of it: those of the selection with n
numbers behind them, of which the first n count.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.proof.verify import OVERLAP
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import is_returned
from jupyter_jitmagic.source.names import bound_once, bound_to, loaded, stored, walk_scope

_Edit = tuple[ast.AST | tuple[int, int], str]
_MADE = ("zeros", "ones", "full")


@dataclass(frozen=True)
class _Filling:
    """What fills an array up: `array` to `size`, with what `made(size)` gives; `least`: by nothing where it is longer;
    `in_front`: what fills it stands before it, and both are turned round until it is full."""

    array: ast.expr
    size: ast.expr
    joined: str
    """The array with as many numbers behind it as its length is to be."""
    least: bool
    in_front: bool = False
    value: str = ""
    """The number that fills it, where it is one."""
    padded: bool = False
    """It is filled up by `jnp.pad`, and stays of its kind."""


def filled_up(spot: Spot) -> Iterator[Step]:
    """`jnp.pad(v, (0, n - len(v)))` → `jnp.concatenate([v, jnp.zeros(n, v.dtype)])[:n]`, and with a question for its length."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef) or (spot.kind == BOOL and not _asks_in_a_filter(spot)):
        return
    found = _Fillings(spot, function)
    edits: list[_Edit] = []
    beyond = ""
    for node in walk_scope(function.body):
        inside = any(isinstance(where, ast.AST) and node in set(ast.walk(where)) for where, _ in edits)
        if inside or any(isinstance(where, tuple) and _covers(spot, where, node) for where, _ in edits):
            continue
        made = found.statement(node) if isinstance(node, ast.stmt) else found.expression(node)
        if made is not None:
            edits.append(made[0])
            beyond = made[1] or beyond
    if edits and not (beyond and _leaves_a_count(spot)):
        yield spot.step("filled up", *edits, excludes={OVERLAP: beyond} if beyond else {})


def _leaves_a_count(spot: Spot) -> bool:
    """Whether a test ends a loop over range(), or a round of it: then the list has no more items than that, which `growing`
    tells without a selection."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If) or not isinstance(asked[1].body[-1], ast.Break | ast.Continue):
        return False
    loop = next((each for each in spot.code.ancestors(asked[1]) if isinstance(each, ast.For | ast.While)), None)
    match loop:
        case ast.For(iter=ast.Call(func=ast.Name(id="range"))):
            return spot.is_builtin("range")
    return False


def _asks_in_a_filter(spot: Spot) -> bool:
    """Whether a test decides what is in a list: `if t > 0: out.append(t)`, `if t == END: break` where more follows."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If):
        return asked is not None and isinstance(asked[1], ast.comprehension)
    decided: list[ast.stmt] = asked[1].body
    if isinstance(decided[-1], ast.Break | ast.Continue):
        decided = [*decided, *spot.code.continuation(asked[1])[0]]
    return any(isinstance(part, ast.Attribute) and part.attr == "append" for part in walk_scope(decided))


def _covers(spot: Spot, span: tuple[int, int], node: ast.AST) -> bool:
    if not isinstance(node, ast.expr | ast.stmt):
        return False
    start, end = spot.code.span(node)
    return span[0] <= start and end <= span[1]


class _Fillings:
    """The places of a function at which something is filled up, and what stands there instead."""

    def __init__(self, spot: Spot, function: ast.FunctionDef) -> None:
        self.spot, self.code, self.function = spot, spot.code, function
        self._past = ""

    def statement(self, node: ast.stmt) -> tuple[_Edit, str] | None:
        """`if len(v) < n: v = …`, with `else: v = v[:n]` or without; `while len(v) < n: v.append(0)` of a list."""
        if (listed := self._list(node)) is not None:
            return listed
        match node:
            case ast.If(test=test, body=[ast.Assign(targets=[ast.Name(id=name)], value=value)], orelse=orelse) if (
                self.code.on_own_lines([node])
            ):
                filling = self._of(value)
            case _:
                return None
        if filling is None or filling.in_front or not self._is(filling.array, name) or not self._asks(test, filling):
            return None
        beyond = ""
        match orelse:
            case []:
                cut = self._cut_later(node, name, filling.size)
                beyond = "" if cut else self._beyond(filling)
            case [ast.Assign(targets=[ast.Name(id=other)], value=kept)] if other == name and self._cuts(kept, filling):
                pass
            case _:
                return None
        start, end = self.code.region([node])
        return ((start, end), f"{self.code.indent(node)}{name} = {filling.joined}[:{self.code.src(filling.size)}]\n"), beyond

    def expression(self, node: ast.AST) -> tuple[_Edit, str] | None:
        self._past = ""
        match node:
            case ast.BinOp(op=ast.Add()):
                return self._longer(node)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                filling = self._of(body)
                if filling is not None and not filling.in_front and self._asks(test, filling) and self._cuts(orelse, filling):
                    return (node, f"{filling.joined}[:{self.code.src(filling.size)}]"), ""
            case ast.Subscript(value=ast.Call() as call, slice=ast.Slice(lower=None, upper=ast.expr() as upper, step=None)):
                filling = self._of(call)
                if filling is not None and not filling.in_front and self._same(upper, filling.size):
                    return (call, filling.joined), ""
            case ast.Call():
                filling = self._of(node)
                if filling is not None and (text := self._up_to_a_number(filling)):
                    return (node, text), self._past
                if filling is not None:
                    text = f"{filling.joined}[:{self.code.src(filling.size)}]{'[::-1]' if filling.in_front else ''}"
                    return (node, text), self._beyond(filling) if filling.least else self._past
        return None

    def _up_to_a_number(self, filling: _Filling) -> str:
        """`jnp.pad(x[:n], (0, size - n))` → x filled up to that size, of which the first n count; "" where it is otherwise."""
        if not self._past or filling.in_front or not filling.value or not isinstance(filling.array, ast.Subscript):
            return ""
        fact = self.spot.fact(filling.array.value)
        if fact is None or not isinstance(filling.array.slice, ast.Slice) or filling.array.slice.upper is None:
            return ""
        whole, size = self.code.src(filling.array.value), self.code.src(filling.size)
        test = f"{self.spot.jnp('arange')}({size}) < {self.code.operand(filling.array.slice.upper)}"
        test = f"({test})[:{', None' * (fact.ndim - 1)}]" if fact.ndim > 1 else test
        filled = filling.joined.replace(self.code.src(filling.array), whole)
        kept = f".astype({whole}.dtype)" if filling.padded else ""  # of flags as well
        return f"{self.spot.jnp('where')}({test}, {filled}[:{size}], {filling.value}){kept}"

    # -- what fills up ---------------------------------------------------------------------------------------

    def _of(self, node: ast.expr) -> _Filling | None:
        match node:
            case ast.Call(func=ast.Attribute(attr="append", value=owner), args=[array, more], keywords=[]):
                parts = [array, more]
            case ast.Call(
                func=ast.Attribute(attr="concatenate" | "hstack", value=owner),
                args=[ast.List(elts=parts) | ast.Tuple(elts=parts)],
                keywords=[],
            ) if len(parts) == 2:
                pass
            case ast.Call(func=ast.Attribute(attr="pad", value=owner), args=[array, *_]) if is_module(self.spot, owner):
                return self._by_pad(node, array)
            case _:
                return None
        if not is_module(self.spot, owner):
            return None
        return self._by_numbers(node, parts[0], parts[1]) or self._by_numbers_in_front(node, parts[0], parts[1])

    def _by_numbers(self, node: ast.Call, array: ast.expr, more: ast.expr) -> _Filling | None:
        """`jnp.concatenate([v, jnp.zeros(n - len(v))])`."""
        if (made := self._number_of(more, array)) is None:
            return None
        number, size, least = made
        (start, end), (first, last) = self.code.span(node), self.code.span(number)
        joined = self.code.text[start:first] + self.code.src(size) + self.code.text[last:end]
        return _Filling(array, size, joined, least, value=self._filler(more))

    def _filler(self, made: ast.expr) -> str:
        match made:
            case ast.Call(func=ast.Attribute(attr="full"), args=[_, value, *_]):
                return self.code.expr(value) if isinstance(value, ast.Name | ast.Constant | ast.UnaryOp) else ""
            case ast.Call(func=ast.Attribute(attr=name)):
                return {"zeros": "0", "ones": "1"}.get(name, "")
        return ""

    def _by_numbers_in_front(self, node: ast.Call, more: ast.expr, array: ast.expr) -> _Filling | None:
        """`jnp.concatenate([jnp.zeros(n - len(v)), v])`."""
        if (made := self._number_of(more, array)) is None:
            return None
        number, size, least = made
        filler = self.code.edited(*self.code.span(more), [(*self.code.span(number), self.code.src(size))])
        joined = f"{self.spot.jnp('concatenate')}([{self.code.operand(array)}[::-1], {filler}])"
        return _Filling(array, size, joined, least, in_front=True)

    def _number_of(self, more: ast.expr, array: ast.expr) -> tuple[ast.expr, ast.expr, bool] | None:
        """How many numbers fill an array up, as it is written, and as by `_missing`."""
        match more:
            case ast.Call(func=ast.Attribute(attr=name, value=owner), args=[shape, *_]) if name in _MADE and is_module(
                self.spot, owner
            ):
                number = shape.elts[0] if isinstance(shape, ast.Tuple) and shape.elts else shape
            case _:
                return None
        found = self._missing(number, array)
        return None if found is None else (number, *found)

    def _by_pad(self, node: ast.Call, array: ast.expr) -> _Filling | None:
        """`jnp.pad(v, (0, n - len(v)), constant_values=c)` of an array of one axis."""
        fact = self.spot.fact(array)
        options = {each.arg: each.value for each in node.keywords}
        mode = node.args[2] if len(node.args) == 3 else options.get("mode")
        width = node.args[1] if len(node.args) > 1 else options.get("pad_width")
        if isinstance(mode, ast.expr) and not (isinstance(mode, ast.Constant) and mode.value == "constant"):
            return None
        if fact is not None and fact.ndim > 1 and not _is_along_the_first(width, fact.ndim):
            return None
        if isinstance(width, ast.Tuple | ast.List) and len(width.elts) == (fact.ndim if fact is not None else 1):
            width = width.elts[0] if isinstance(width.elts[0], ast.Tuple | ast.List) else width
        if fact is None or set(options) - {"mode", "constant_values", "pad_width"}:
            return None
        match width:
            case ast.Tuple(elts=[ast.Constant(value=0), number]) | ast.List(elts=[ast.Constant(value=0), number]):
                found, in_front = self._missing(number, array), False
            case ast.Tuple(elts=[number, ast.Constant(value=0)]) | ast.List(elts=[number, ast.Constant(value=0)]):
                found, in_front = self._missing(number, array), True
            case _:
                return None
        if found is None:
            return None
        size, least = found
        text, value = self.code.src(array), options.get("constant_values")
        number_of = self.code.src(size)
        if fact.ndim > 1:
            number_of = f"({number_of}, *{text}.shape[1:])"
        filler = f"zeros')({number_of}, {text}.dtype)"
        if value is not None:
            filler = f"full')({number_of}, {self.code.src(value)}, {text}.dtype)"
        name, rest = filler.split("')", 1)
        turned = f"{self.code.operand(array)}[::-1]" if in_front else text
        joined = f"{self.spot.jnp('concatenate')}([{turned}, {self.spot.jnp(name)}{rest}])"
        return _Filling(array, size, joined, least, in_front, "0" if value is None else self.code.expr(value), padded=True)

    def _missing(self, number: ast.expr, array: ast.expr) -> tuple[ast.expr, bool] | None:
        """n of `n - len(v)`, by name too, and whether it is nothing where v is longer (`max(n - len(v), 0)`)."""
        if isinstance(number, ast.Name) and (bound := bound_once(self.function, number.id)) is not None:
            number = bound
        match number:
            case ast.Call(args=[ast.Constant(value=0), inner] | [inner, ast.Constant(value=0)], keywords=[]) if self.code.src(
                number.func
            ).rpartition(".")[2] in ("max", "maximum"):
                found = self._missing(inner, array)
                return None if found is None else (found[0], True)
            case ast.BinOp(left=size, op=ast.Sub(), right=length) if self._is_length(length, array):
                return size, False
        return None

    # -- lists -----------------------------------------------------------------------------------------------

    def _list(self, node: ast.stmt) -> tuple[_Edit, str] | None:
        """`v += [0.0] * (n - len(v))` and its like, of a list of which an array is made."""
        cut = False
        match node:
            case ast.While(
                test=ast.Compare(left=length, ops=[ast.Lt()], comparators=[size]),
                body=[ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name() as array, attr="append"), args=[item]))],
                orelse=[],
            ) if self._is_length(length, array):
                pass
            case (
                ast.AugAssign(target=ast.Name() as array, op=ast.Add(), value=more)
                | ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name() as array, attr="extend"), args=[more]))
            ) if (found := self._repeated(more, array)) is not None:
                item, size = found
            case ast.Assign(targets=[ast.Name() as array], value=ast.BinOp(left=held, op=ast.Add(), right=more)) if (
                found := self._repeated(more, array)
            ) is not None:
                item, size = found
                match held:
                    case ast.Subscript(
                        value=ast.Name(id=name), slice=ast.Slice(lower=None, upper=ast.expr() as upper, step=None)
                    ):
                        cut = self._same(upper, size)
                    case _:
                        name = held.id if isinstance(held, ast.Name) else ""
                if name != array.id or (isinstance(held, ast.Subscript) and not cut):
                    return None
            case _:
                return None
        fact = self.spot.fact(item)
        if not self.code.on_own_lines([node]) or fact is None or fact.ndim != 0 or not self._becomes_an_array(node, array.id):
            return None
        jnp, n = self.spot.jnp, self.code.src(size)
        text = f"{jnp('concatenate')}([{jnp('asarray')}({array.id}), {jnp('full')}({n}, {self.code.src(item)})])[:{n}]"
        before = self._cut_before(node, array.id, size)
        beyond = "" if cut or before is not None else self._beyond(_Filling(array, size, "", True))
        first = before if isinstance(before, ast.If) else node  # it is cut here
        region = (self.code.region([first])[0], self.code.region([node])[1])
        return (region, f"{self.code.indent(node)}{array.id} = {text}\n"), beyond

    def _longer(self, node: ast.BinOp) -> tuple[_Edit, str] | None:
        """`tokens + [0] * (n - len(tokens))`, of which an array is made, by a name perhaps."""
        statement = self.code.statement(node)
        place: ast.AST = node
        match self.code.parents[node]:
            case ast.Call(func=ast.Attribute(attr="array" | "asarray" | "stack", value=owner), args=[only, *more]) as made if (
                only is node
            ):
                if not is_module(self.spot, owner):
                    return None
                place = node if more or made.keywords else made
            case ast.Assign(targets=[ast.Name(id=name)]):
                if not self._becomes_an_array(statement, name):
                    return None
            case _ if not self._goes_into_an_array(node):
                return None
        jnp = self.spot.jnp
        if (marks := self._marks(node)) is not None:
            return (place, marks[0]), marks[1]
        held, filling = node.left, node.right
        in_front = isinstance(held, ast.BinOp)  # `[0] * (n - len(tokens)) + tokens`
        if in_front:
            held, filling = filling, held
        match held:
            case ast.Subscript(value=array, slice=ast.Slice(lower=None, upper=ast.expr() as upper, step=None)):
                cut: ast.expr | None = upper
            case array:
                cut = None
        found = self._repeated(filling, array)
        if not isinstance(array, ast.Name) or found is None or (cut is not None and not self._same(cut, found[1])):
            return None
        item, size = found
        fact = self.spot.fact(item)
        if fact is None or fact.ndim != 0 or not self._is_list(array):
            return None
        n, kept = self.code.src(size), f"{jnp('asarray')}({self.code.src(held) if in_front else array.id})"
        filler = f"{jnp('full')}({n}, {self.code.src(item)})"
        turned = "[::-1]" if in_front else ""
        text = f"{jnp('concatenate')}([{kept}{turned}, {filler}])[:{n}]{turned}"
        return (place, text), "" if cut is not None else self._beyond(_Filling(array, size, "", True))

    def _marks(self, node: ast.BinOp) -> tuple[str, str] | None:
        """The text for `[1] * len(tokens) + [0] * (n - len(tokens))`, and what it does not serve."""
        match node.left, node.right:
            case (
                ast.BinOp(left=ast.List(elts=[ast.Constant() as one]), op=ast.Mult(), right=length),
                ast.BinOp(left=ast.List(elts=[ast.Constant() as other]), op=ast.Mult(), right=missing),
            ):
                counted = bound_once(self.function, length.id) if isinstance(length, ast.Name) else length
            case _:
                return None
        match counted:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name() as array]) if self._is_list(array):
                found = self._missing(missing, array)
            case _:
                return None
        if found is None:
            return None
        size = self.code.src(found[0])
        places = f"{self.spot.jnp('arange')}({size})"
        test = f"{places} < {self.code.operand(length)}"
        text = f"{self.spot.jnp('where')}({test}, {self.code.src(one)}, {self.code.src(other)})"
        return text, f"more than {size} elements of {array.id}, all of which plain Python keeps"

    def _is_list(self, array: ast.Name) -> bool:
        """Whether a list is made in the function and has that name."""
        made = [each for each in walk_scope(self.function.body) if isinstance(each, ast.Assign) and array.id in stored([each])]
        values = [value for each in made for name, value in bound_to(each) if name.id == array.id]
        values = [value.value if isinstance(value, ast.Subscript) else value for value in values]
        return len(made) == len(values) > 0 and all(isinstance(each, ast.List | ast.ListComp) for each in values)

    def _repeated(self, node: ast.expr, array: ast.expr) -> tuple[ast.expr, ast.expr] | None:
        """`item` and `n` of `[item] * (n - len(v))`."""
        match node:
            case ast.BinOp(left=ast.List(elts=[item]), op=ast.Mult(), right=number):
                found = self._missing(number, array)
                return None if found is None else (item, found[0])
        return None

    def _becomes_an_array(self, node: ast.stmt, name: str) -> bool:
        """Whether behind a statement an array is made of a list, and nothing else."""
        block = self.code.block(node)
        behind = block[block.index(node) + 1 :]
        uses = [use for use in walk_scope(behind) if isinstance(use, ast.Name) and use.id == name]
        return bool(uses) and all(_read(use) and self._is_made_an_array(use) for use in uses)

    def _is_made_an_array(self, use: ast.Name) -> bool:
        match self.code.parents[use]:
            case ast.Call(func=ast.Attribute(attr="array" | "asarray" | "stack", value=owner), args=[only, *_]) if only is use:
                return is_module(self.spot, owner)
        return self._goes_into_an_array(use)

    def _goes_into_an_array(self, node: ast.expr) -> bool:
        """Whether it is a row that an array gets, alone or as one of several values; or a helper's result, of which most
        callers take the items: the comparison tells."""
        if not self.spot.entry and is_returned(self.code, node):
            return True
        match self.code.parents[node], self.code.parents[self.code.parents[node]]:
            case ast.Assign(targets=[target]), _:
                pass
            case ast.Tuple(elts=values) as several, ast.Assign(targets=[ast.Tuple(elts=targets)], value=value) if (
                value is several and len(values) == len(targets)
            ):
                target = targets[values.index(node)]
            case _:
                return False
        fact = self.spot.fact(target.value) if isinstance(target, ast.Subscript) else None
        return fact is not None and fact.sort in ("array", "host")

    def _cut_before(self, node: ast.stmt, name: str, size: ast.expr) -> ast.stmt | None:
        """The statement before it, if it gave the list no more than n items: `v = v[:n]`, `if len(v) > n: v = v[:n]`."""
        block = self.code.block(node)
        before = block[block.index(node) - 1] if block.index(node) else None
        match before:
            case ast.If(test=ast.Compare(left=one, ops=[op], comparators=[other]), body=[ast.stmt() as cut], orelse=[]):
                longer, least = (one, other) if isinstance(op, ast.Gt | ast.GtE) else (other, one)
                if not isinstance(op, ast.Gt | ast.GtE | ast.Lt | ast.LtE) or not self.code.on_own_lines([before]):
                    return None
                if not self._is_length(longer, ast.Name(name)) or not self._same(least, size):
                    return None
            case cut:
                pass
        match cut:
            case ast.Assign(
                targets=[ast.Name(id=target)],
                value=ast.Subscript(value=ast.Name(id=of), slice=ast.Slice(lower=None, upper=ast.expr() as upper, step=None)),
            ) if target == name and (of == name or cut is before) and self._same(upper, size):
                return before
            case ast.Delete(
                targets=[ast.Subscript(value=ast.Name(id=of), slice=ast.Slice(lower=ast.expr() as end, upper=None, step=None))]
            ) if of == name and self._same(end, size):
                return before
        return None

    # -- questions for a length ------------------------------------------------------------------------------

    def _is_length(self, node: ast.expr, array: ast.expr) -> bool:
        """`len(v)`, `v.size`, `v.shape[0]`, or a name for it; n, where v is `x[:n]`."""
        if self._is_cut_at(node, array):
            return True
        if isinstance(node, ast.Name) and (bound := bound_once(self.function, node.id)) is not None:
            node = bound
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[of]) if self.spot.is_builtin("len"):
                return self._same(of, array)
            case ast.Attribute(value=of, attr="size"):
                return self._same(of, array)
            case ast.Subscript(value=ast.Attribute(value=of, attr="shape"), slice=ast.Constant(value=0)):
                return self._same(of, array)
        return False

    def _is_cut_at(self, node: ast.expr, array: ast.expr) -> bool:
        if isinstance(array, ast.Name) and (made := bound_once(self.function, array.id)) is not None:
            array = made
        match array:
            case ast.Subscript(value=whole, slice=ast.Slice(lower=None, upper=ast.expr() as upper, step=None)) if isinstance(
                node, ast.Name
            ) and self._same(node, upper):
                number = self.spot.fact(node)
                if number is None or number.ndim != 0:
                    return False
                self._past = f"{node.id} below 0, or above the length of {self.code.src(whole)}, which makes a shorter array"
                return True
        return False

    def _asks(self, test: ast.expr, filling: _Filling) -> bool:
        """`len(v) < n`, `n > len(v)`, `n - len(v) > 0`."""
        match test:
            case ast.Compare(left=one, ops=[ast.Lt() | ast.LtE()], comparators=[other]):
                pass
            case ast.Compare(left=other, ops=[ast.Gt() | ast.GtE()], comparators=[one]):
                pass
            case _:
                return False
        if isinstance(one, ast.Constant) and one.value == 0:
            missing = self._missing(other, filling.array)
            return missing is not None and self._same(missing[0], filling.size)
        return self._is_length(one, filling.array) and self._same(other, filling.size)

    def _cuts(self, node: ast.expr, filling: _Filling) -> bool:
        """`v[:n]`."""
        match node:
            case ast.Subscript(value=of, slice=ast.Slice(lower=None, upper=ast.expr() as upper, step=None)):
                return self._same(of, filling.array) and self._same(upper, filling.size)
        return False

    def _cut_later(self, node: ast.stmt, name: str, size: ast.expr) -> bool:
        """Whether all that is read of it behind a statement is `v[:n]`."""
        block = self.code.block(node)
        behind = block[block.index(node) + 1 :]
        if not behind or (set(stored(behind[:-1])) & {name, *loaded([size])}):
            return False
        reads = [use for use in walk_scope(behind) if isinstance(use, ast.Name) and use.id == name and _read(use)]
        return bool(reads) and all(self._is_cut(use, size) for use in reads)

    def _is_cut(self, use: ast.Name, size: ast.expr) -> bool:
        match self.code.parents[use]:
            case ast.Subscript(slice=ast.Slice(lower=None, upper=ast.expr() as upper, step=None)):
                return self._same(upper, size)
        return False

    def _beyond(self, filling: _Filling) -> str:
        array, size = self.code.src(filling.array), self.code.src(filling.size)
        return f"more than {size} elements of {array}, all of which plain Python keeps"

    def _is(self, node: ast.expr, name: str) -> bool:
        return isinstance(node, ast.Name) and node.id == name

    def _same(self, one: ast.expr, other: ast.expr) -> bool:
        return ast.unparse(one) == ast.unparse(other)  # one of them may be assigned to


def _is_along_the_first(width: ast.expr | None, ndim: int) -> bool:
    """`((0, n - len(v)), (0, 0))`: nothing along other axes."""
    match width:
        case ast.Tuple(elts=[_, *others]) | ast.List(elts=[_, *others]) if len(others) == ndim - 1:
            return all(isinstance(each, ast.Tuple | ast.List) and ast.unparse(each)[1:-1] == "0, 0" for each in others)
    return False


def _read(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


RULES: list[Rule] = [filled_up]
