"""The least or largest of the items that a test on data keeps: `min((d, i) for i, d in enumerate(x) if d > 0)`.

How many are kept nobody knows beforehand, but one of them is asked for, or the one at a place that data tells: all items stand
in arrays, one for each part of a tuple, beside one that says which are kept, and a sort tells the place of the one in question.
"""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import jax

from jupyter_jitmagic.diagnosis.rewrites.as_loops import as_a_loop
from jupyter_jitmagic.diagnosis.rewrites.effects import refuse_skipped_effects
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit, is_tested
from jupyter_jitmagic.source.names import SCOPES, bound_in, loaded, stored, walk_scope

_NAN = {"nan": "the place that max() and min() give to NaN"}
_OUTSIDE = {"outside": "an index past the ends, for which Python raises IndexError: compiled, it is another element"}
_SCALARS = ("number", "array")


class _OtherUse(Exception):
    """The items are used in a way that these arrays cannot stand for."""


def of_a_comprehension(spot: Spot) -> Iterator[Step]:
    """`ok = [(d, i) for i, d in enumerate(x) if d > 0]`, `min(ok)`: stopped at the test."""
    asked, code = spot.asked(), spot.code
    loop = asked[1] if asked is not None else None
    around = code.parents[loop] if isinstance(loop, ast.comprehension) else None
    if not isinstance(around, ast.ListComp | ast.GeneratorExp) or len(around.generators) != 1 or loop is None:
        return
    statement = code.statement(around)
    match statement, code.parents[around]:
        case ast.Assign(targets=[ast.Name(id=name)], value=value), ast.Call(func=ast.Name(id="sorted"), args=[_]) as call if (
            value is call and spot.is_builtin("sorted") and (call.keywords or isinstance(around.elt, ast.Tuple))
        ):
            yield _sorted_on_a_line_of_its_own(spot, statement, name, call, around)
            return
        case ast.Assign(targets=[ast.Name(id=name)], value=value), _ if value is around and isinstance(around, ast.ListComp):
            pass
        case _, ast.Call(func=ast.Name(id="min" | "max")):
            name = ""
        case _:
            return
    yield from _steps(spot, name, statement, around.elt, around)


def _sorted_on_a_line_of_its_own(
    spot: Spot, statement: ast.stmt, name: str, call: ast.Call, made: ast.ListComp | ast.GeneratorExp
) -> Step:
    """`ranked = sorted((v, i) for i, v in enumerate(x) if v > 0)` → the list, and `ranked.sort()`."""
    code = spot.code
    text = code.expr(made)
    listed = text if isinstance(made, ast.ListComp) else f"[{text.removeprefix('(').removesuffix(')')}]"
    keywords = ", ".join(f"{each.arg}={code.expr(each.value)}" for each in call.keywords)
    lines = f"{name} = {listed}\n{code.indent(statement)}{name}.sort({keywords})"
    return spot.step("list", (statement, lines))


def of_a_loop(spot: Spot) -> Iterator[Step]:
    """`if d > 0: ok.append((d, i))` in a loop, `min(ok)` behind it: stopped at the test."""
    asked = spot.asked()
    match asked[1] if asked is not None else None:
        case (
            ast.If(
                body=[*_, ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item]))],
                orelse=[],
            ) as chosen
        ) if isinstance(spot.locals.get(name), list) and _are_for_the_item(spot, chosen):
            yield from _steps(spot, name, chosen, item, None)
        case ast.If(body=[ast.If(orelse=[]) as inner], orelse=[]) as outer if not spot.code.is_elif(outer):
            if any(isinstance(spot.locals.get(name), list) for name in _appended_to(inner)) and spot.code.on_own_lines([outer]):
                yield _as_one_test(spot, outer, inner)


def _are_for_the_item(spot: Spot, chosen: ast.If) -> bool:
    """Whether what stands before the `append` names values for it, which nothing else reads: `cost = …`."""
    named = [each.targets[0] for each in chosen.body[:-1] if isinstance(each, ast.Assign) and len(each.targets) == 1]
    if len(named) < len(chosen.body) - 1 or not isinstance(function := spot.function, ast.FunctionDef):
        return False
    names = {each.id for each in named if isinstance(each, ast.Name)}
    within = {node for each in chosen.body for node in ast.walk(each)}
    elsewhere = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and node not in within}
    return len(names) == len(named) and not names & elsewhere


def _appended_to(statement: ast.stmt) -> Iterator[str]:
    """The list to which a test, or tests within tests, append and do nothing else."""
    match statement:
        case ast.If(body=[ast.If(orelse=[]) as inner], orelse=[]):
            yield from _appended_to(inner)
        case ast.If(body=[ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append")))], orelse=[]):
            yield name


def _as_one_test(spot: Spot, outer: ast.If, inner: ast.If) -> Step:
    """`if a:` around `if b:` → `if a and b:`."""
    code, indent = spot.code, spot.code.indent(outer)
    tests = " and ".join(
        code.operand(each.test) if isinstance(each.test, _LOOSER) else code.expr(each.test) for each in (outer, inner)
    )
    body = code.block_text(inner.body, f"{indent}    ")
    return spot.step("if", (code.region([outer]), f"{indent}if {tests}:\n{body}"))


_LOOSER = (ast.BoolOp, ast.IfExp, ast.NamedExpr, ast.Lambda)


def of_tuples(spot: Spot) -> Iterator[Step]:
    """`d, i = min(pairs)`, of a list of tuples of numbers."""
    node, code = spot.call("min", "max"), spot.code
    match node:
        case ast.Call(args=[ast.Name(id=name)], keywords=[]):
            held = spot.locals.get(name)
        case _:
            return
    if not isinstance(held, list) or not held or any(type(each) is not tuple for each in held):
        return
    if len({len(each) for each in held}) != 1 or not all(_is_scalar(part) for each in held for part in each):
        return
    item = code.fresh("p", "item")
    columns = [f"{spot.jnp('asarray')}([{item}[{part}] for {item} in {name}])" for part in range(len(held[0]))]
    items = _Items(spot, name, "", columns, len(columns), [""] * len(columns))
    try:
        items.asked_for(node)
    except _OtherUse:
        return
    yield spot.step("lexsort", *(((start, end), text) for start, end, text in items.edits), excludes=_NAN)


def _is_scalar(value: object) -> bool:
    return isinstance(value, int | float | bool) or (isinstance(value, jax.Array) and value.ndim == 0)


def _steps(spot: Spot, name: str, at: ast.stmt, item: ast.expr, made: ast.ListComp | ast.GeneratorExp | None) -> Iterator[Step]:
    """What a comprehension (`made`) or a loop keeps at a statement, in columns."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    for around in spot.code.ancestors(spot.code.parents[made]) if made is not None else ():
        if isinstance(around, ast.ListComp | ast.GeneratorExp) and bound_in(around) & loaded(filter(None, [made])):
            yield from as_a_loop(spot, around)  # the lines that the columns need read what it names
            return
    parts = item.elts if isinstance(item, ast.Tuple) else [item]
    facts = [spot.fact(part) for part in parts]
    if any(fact is None or fact.sort not in _SCALARS or fact.ndim != 0 or fact.dtype not in ("f", "i", "u") for fact in facts):
        return
    words = [part.id if isinstance(part, ast.Name) else str(place) for place, part in enumerate(parts)]
    words = words if len(set(words)) == len(words) else [str(place) for place in range(len(parts))]
    prefix, fresh = name or "item", spot.code.fresh
    columns = [fresh(f"{prefix}_{word}", f"{prefix}_of_{word}") for word in words] if isinstance(item, ast.Tuple) else []
    columns = columns or [name or fresh("items", "all_items")]
    kept = fresh("is_kept", f"{prefix}_is_kept")
    kinds = ["" if fact is None else fact.dtype for fact in facts]
    items = _Items(spot, name, kept, columns, len(columns) if isinstance(item, ast.Tuple) else 0, kinds)
    try:
        if made is not None:
            refuse_skipped_effects(spot, [made])
            items.made_by(made, at, parts)
        else:
            items.filled_at(function, at, parts)
    except _OtherUse:
        return
    pattern = "lexsort" if items.sorts else "argsort"
    yield spot.step(
        pattern,
        *(((start, end), text) for start, end, text in items.edits),
        excludes=(_NAN if items.sorts else {}) | items.excludes,
    )


@dataclass
class _Items:
    """Arrays in the place of the items.

    Attributes:
        name: of the list, "" where it has none.
        kept: the name of the array that says which of them are kept, "" where all are.
        columns: the arrays, for each part of a tuple one.
        width: how many parts a tuple has, 0 where the items are numbers.
        kinds: the kind of numbers of each column.
    """

    spot: Spot
    name: str
    kept: str
    columns: list[str]
    width: int
    kinds: list[str]
    edits: list[Edit] = field(default_factory=list)
    counted: str = ""
    """What a comprehension runs over by the name that is its item: `i` of `i for i in range(n)`."""
    sorts: bool = False
    """Whether one of them is asked for by its key."""
    front: str = ""
    """The name of the places of those that are kept, one after the other."""
    excludes: dict[str, str] = field(default_factory=dict)
    """What reading one by its place does not serve."""

    # -- how they are made ---------------------------------------------------------------------------------

    def made_by(self, made: ast.ListComp | ast.GeneratorExp, at: ast.stmt, parts: Sequence[ast.expr]) -> None:
        """The columns in the place of a comprehension."""
        code, loop = self.spot.code, made.generators[0]
        if not code.on_own_lines([at]) or not self._can_be_repeated(loop.iter):
            raise _OtherUse
        tests = [code.operand(test) if len(loop.ifs) > 1 else code.expr(test) for test in loop.ifs]
        test, over = " and ".join(tests), f"for {code.src(loop.target)} in {code.expr(loop.iter)}"
        asarray = self.spot.jnp("asarray")
        lines = [f"{self.kept} = {asarray}([{test} {over}], bool)"]
        lines += [
            f"{column} = {asarray}([{self._or_nothing(part, kind, test)} {over}])"
            for column, part, kind in zip(self.columns, parts, self.kinds, strict=True)
        ]
        match loop.target, parts:
            case ast.Name(id=each), [ast.Name(id=item)] if each == item and not self.width:
                self.counted = code.expr(loop.iter)
        indent = code.indent(at)
        if self.name:
            self.edits.append((*code.region([at]), "".join(f"{indent}{line}\n" for line in lines)))
            self._read(at)
            return
        self.asked_for(code.parents[made], lines)

    def _can_be_repeated(self, iterated: ast.expr) -> bool:
        """Whether running over it again gives the same items: no iterator, and nothing of the user's that may count."""
        for node in ast.walk(iterated):
            match node:
                case ast.Name(id=name):
                    if isinstance(self.spot.locals.get(name), Iterator):
                        return False
                case ast.Call(func=ast.Name(id="range" | "enumerate" | "zip" | "len" | "reversed" as name)):
                    if not self.spot.is_builtin(name):
                        return False
                case ast.Call():
                    return False
        return True

    def _or_nothing(self, part: ast.expr, kind: str, test: str) -> str:
        """A part of an item, and where it is not kept a number in the place of what may have no finite derivative."""
        text = self.spot.code.expr(part)
        if harmless([part]):
            return text
        return f"({text} if {test} else {0.0 if kind == 'f' else 0})"

    def _named_before(self, at: ast.If) -> Iterator[str]:
        """The lines for what is named before the `append`, also where the item is not kept."""
        for each in at.body[:-1]:
            assert isinstance(each, ast.Assign)
            fact = self.spot.fact(each.value)
            is_number = fact is not None and fact.sort in _SCALARS and fact.ndim == 0 and fact.dtype in ("f", "i", "u")
            if fact is None or not (is_number or harmless([each.value])):
                raise _OtherUse
            yield f"{self.spot.code.src(each.targets[0])} = {self._or_nothing(each.value, fact.dtype, f'{self.kept}[-1]')}"

    def filled_at(self, function: ast.FunctionDef, at: ast.stmt, parts: Sequence[ast.expr]) -> None:
        """The columns in the place of a list that a loop fills below a test."""
        code, spot = self.spot.code, self.spot
        stores = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == self.name and not _is_read(n)]
        made = code.statement(stores[0]) if len(stores) == 1 else None
        match made:
            case ast.Assign(targets=[ast.Name()], value=ast.List(elts=[])) if code.on_own_lines([made]):
                block = code.block(made)
            case _:
                raise _OtherUse
        around = next((each for each in block[block.index(made) + 1 :] if at in ast.walk(each)), None)
        if not isinstance(around, ast.For) or not isinstance(at, ast.If) or code.is_elif(at) or not code.on_own_lines([at]):
            raise _OtherUse
        if any(isinstance(each, ast.While) for each in walk_scope([around])):
            raise _OtherUse
        if not self.width:
            self.columns = [code.fresh(f"{self.name}_items", f"items_of_{self.name}")]
        indent, inner, asarray = code.indent(made), code.indent(at), spot.jnp("asarray")
        self.edits.append((*code.region([made]), "".join(f"{indent}{each} = []\n" for each in (self.kept, *self.columns))))
        lines = [f"{self.kept}.append({code.expr(at.test)})", *self._named_before(at)]
        for column, part, kind in zip(self.columns, parts, self.kinds, strict=True):
            lines.append(f"{column}.append({self._or_nothing(part, kind, f'{self.kept}[-1]')})")
        self.edits.append((*code.region([at]), "".join(f"{inner}{line}\n" for line in lines)))
        end = code.region([around])[1]
        arrays = [f"{self.kept} = {asarray}({self.kept}, bool)", *(f"{each} = {asarray}({each})" for each in self.columns)]
        self.edits.append((end, end, "".join(f"{indent}{line}\n" for line in arrays)))
        self._read(around, made)

    # -- what is asked of them ------------------------------------------------------------------------------

    def _read(self, made: ast.stmt, *others: ast.stmt) -> None:
        """Each place that reads the list behind the statement that fills it."""
        code, spot, function = self.spot.code, self.spot, self.spot.function
        assert isinstance(function, ast.FunctionDef)
        gone = {node for each in (made, *others) for node in ast.walk(each)}
        inner = {n for s in walk_scope(function.body) if isinstance(s, SCOPES) for n in ast.walk(s)}
        asked, order = 0, ""
        spot.refuse_where_caught(ValueError, IndexError)
        uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == self.name and n not in gone]
        for node in sorted(uses, key=lambda each: (each.lineno, each.col_offset)):
            parent = code.parents[node]
            caught = any(isinstance(at, ast.Try) and at.handlers for at in code.ancestors(node))
            if not _is_read(node) or node in inner or node.lineno < (made.end_lineno or 0) or caught:
                raise _OtherUse  # where nothing is kept, compiled code raises nothing that could be caught
            match parent:
                case ast.Call(func=ast.Name(id="min" | "max" as which), args=[only]) if only is node and spot.is_builtin(which):
                    self.asked_for(parent)
                    asked += bool(self.width or any(each.arg == "key" for each in parent.keywords))
                case ast.Call(func=ast.Name(id="sorted"), args=[only]) if only is node and (place := self._placed(parent)):
                    item = code.parents[parent]
                    assert isinstance(item, ast.Subscript)
                    self._on_a_line_of_its_own(item)
                    order_here = self._named(code.statement(parent), self._names_of_order, self._order(*self._sorted(parent)))
                    self._given(item, f"{order_here}[{place}]")
                    asked += 1
                case ast.Attribute(attr="sort") if (statement := code.statement(parent)) and not order:
                    match statement:
                        case ast.Expr(value=ast.Call(func=func, args=[]) as call) if func is parent and code.on_own_lines(
                            [statement]
                        ):
                            order = self._named(statement, self._names_of_order, self._order(*self._sorted(call)))
                            self.edits.append((*code.region([statement]), ""))
                        case _:
                            raise _OtherUse
                    asked += 1
                case ast.Subscript(ctx=ast.Load()) if order and (place := self._placed(node)):
                    self._given(parent, f"{order}[{place}]")
                case ast.Subscript(value=value, slice=place, ctx=ast.Load()) if value is node and not order:
                    asked += self._at(parent, place, made)
                case ast.Call(func=ast.Name(id="len"), args=[_]) if spot.is_builtin("len"):
                    self.edits.append((*code.span(parent), f"{spot.jnp('sum')}({self.kept})"))
                case _ if is_tested(code, node):
                    self.edits.append((*code.span(node), f"{spot.jnp('any')}({self.kept})"))
                case _:
                    raise _OtherUse
        if not asked:
            raise _OtherUse

    def asked_for(self, call: ast.AST, before: Sequence[str] = ()) -> None:
        """`min(items)`, `max(items, key=k)`: what stands there at the place of the one that is asked for."""
        code, spot = self.spot.code, self.spot
        statement = code.statement(call)
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or not spot.is_builtin(call.func.id):
            raise _OtherUse
        self._on_a_line_of_its_own(call)
        if len(call.args) != 1:
            raise _OtherUse
        keys: dict[str | None, ast.expr] = {each.arg: each.value for each in call.keywords}
        if not {*keys} <= {"key", "default"} or ("default" in keys and not self.kept):
            raise _OtherUse
        if "default" not in keys:
            spot.refuse_where_caught(ValueError)
        default, largest = keys.get("default"), call.func.id == "max"
        if default is None:
            names = ("largest", "place_of_largest") if largest else ("least", "place_of_least")
            self._given(call, self._named(statement, names, f"{self._order(keys.get('key'), largest)}[0]", before))
        else:  # also of an array without elements, which has no first place
            order = self._named(statement, self._names_of_order, self._order(keys.get("key"), largest), before)
            self._given(call, f"{order}[0]", default)

    def _named(self, statement: ast.stmt, names: Sequence[str], text: str, before: Sequence[str] = ()) -> str:
        """Lines before a statement, the last of which computes something; its name, one of those that are still free."""
        code = self.spot.code
        name, start, indent = code.fresh(*names), code.region([statement], comments=True)[0], code.indent(statement)
        self.edits.append((start, start, "".join(f"{indent}{line}\n" for line in (*before, f"{name} = {text}"))))
        return name

    def _given(self, node: ast.expr, place: str, default: ast.expr | None = None) -> None:
        """The item at a place, or the part of it that is read there."""
        code = self.spot.code
        match code.parents[node]:
            case ast.Subscript(value=value, slice=ast.Constant(value=int() as part)) as whole if (
                value is node and self.width and 0 <= part < self.width and default is None
            ):
                self.edits.append((*code.span(whole), f"{self.columns[part]}[{place}]"))
            case _:
                found = ", ".join(f"{column}[{place}]" for column in self.columns)
                found = f"({found})" if self.width else found
                if default is not None:
                    other = code.expr(default)
                    found = f"(({found} if {self.spot.jnp('any')}({self.kept}) else {other}) if {self.kept}.size else {other})"
                self.edits.append((*code.span(node), found))

    def _at(self, node: ast.Subscript, place: ast.expr, made: ast.stmt) -> bool:
        """The item at a place among those that are kept, `ok[jax.random.randint(key, (), 0, len(ok))]`; whether it is data."""
        code, spot, fact, count = self.spot.code, self.spot, self.spot.fact(place), f"{self.spot.jnp('sum')}({self.kept})"
        if self.width or not self.kept:
            raise _OtherUse
        if not self.front:
            self.front, end = code.fresh("front", f"front_of_{self.name}"), code.region([made])[1]
            order = f"{spot.jnp('argsort')}({spot.jnp('logical_not')}({self.kept}))"
            self.edits.append((end, end, f"{code.indent(made)}{self.front} = {order}\n"))
        self.edits.append((*code.span(node.value), f"{self.columns[0]}[{self.front}"))
        start, end = code.span(place)
        written, drawn = _written_out(place), self._is_drawn(place)
        if written is not None and written < 0:
            self.edits.append((start, end, f"{count} - {-written}"))
        elif written is None and not drawn:
            if fact is None or (fact.sort, fact.ndim, fact.dtype) != ("array", 0, "i"):
                raise _OtherUse
            opening, closing = ("", "") if isinstance(place, ast.Name | ast.Call | ast.Subscript) else ("(", ")")
            self.edits += [(start, start, opening), (end, end, f"{closing} % {count}")]  # -1 is the last that is kept
            self.excludes |= _OUTSIDE
        end = code.span(node)[1]
        self.edits.append((end, end, "]"))
        return written is None

    def _is_drawn(self, place: ast.expr) -> bool:
        """Whether it is a random number, no less than 0, also where this call does not come to it."""
        if isinstance(place, ast.Name):
            assert self.spot.function is not None
            names = (each for each in ast.walk(self.spot.function) if isinstance(each, ast.Name) and each.id == place.id)
            bound = [each for each in names if not _is_read(each)]
            match self.spot.code.statement(bound[0]) if len(bound) == 1 else None:
                case ast.Assign(targets=[ast.Name()], value=value):
                    place = value
        match place:
            case ast.Call(func=func, args=[_, ast.Tuple(elts=[]), ast.Constant(value=int() as least), *_]):
                return self.spot.value(func) is jax.random.randint and least >= 0
        return False

    def _sorted(self, call: ast.Call) -> tuple[ast.expr | None, bool]:
        """(key, whether the largest comes first) of a sort."""
        keys = {each.arg: each.value for each in call.keywords}
        match keys.pop("reverse", ast.Constant(False)):
            case ast.Constant(value=bool() as backwards) if {*keys} <= {"key"}:
                return keys.get("key"), backwards
        raise _OtherUse

    def _on_a_line_of_its_own(self, node: ast.AST) -> None:
        """Stop where a line before the statement would not be run each time before what stands in it."""
        code = self.spot.code
        statement = code.statement(node)
        header = isinstance(statement, ast.For | ast.While | ast.With) or code.is_elif(statement)
        inner = any(isinstance(at, SCOPES) for at in itertools.takewhile(lambda at: at is not statement, code.ancestors(node)))
        if header or inner or not code.on_own_lines([statement]):
            raise _OtherUse

    def _placed(self, node: ast.expr) -> str:
        """The place at which a list that is in order is read; "" where that is not written out."""
        match self.spot.code.parents[node]:
            case ast.Subscript(value=value, slice=ast.Constant(value=int() as place)) if value is node and place >= 0:
                return str(place)
        return ""

    @property
    def _names_of_order(self) -> tuple[str, str]:
        return "order", f"order_of_{self.name}"

    def _order(self, key: ast.expr | None, largest: bool) -> str:
        """The places in order by the key, those that are kept before the others. Of equal ones the first, as in Python: to that
        goes the gradient."""
        self.sorts = True
        keys = [*zip(self.columns, self.kinds, strict=True)] if key is None else self._keys(key)
        lexsort = self.spot.jnp("lexsort")
        # the opposite of an unsigned 0 is 0
        signs = [("~" if kind in ("u", "b") else "-") if largest else "" for _, kind in keys]
        texts = [f"{sign}{text}" for sign, (text, _) in zip(signs, keys, strict=True)][::-1]
        texts += [f"{self.spot.jnp('logical_not')}({self.kept})"] if self.kept else []
        return f"{lexsort}(({', '.join(texts)}))" if len(texts) > 1 else f"{self.spot.jnp('argsort')}({texts[0]})"

    def _keys(self, key: ast.expr) -> list[tuple[str, str]]:
        """(array, kind of its numbers) for each part of the key, first part first."""
        code, spot = self.spot.code, self.spot
        match key:
            case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=each)], defaults=[]), body=body):
                return [self._key(part, each) for part in (body.elts if isinstance(body, ast.Tuple) else [body])]
            case ast.Call(func=func, args=[ast.Constant(value=int() as part)]) if spot.value(func) is operator.itemgetter:
                if 0 <= part < self.width:
                    return [(self.columns[part], self.kinds[part])]
                raise _OtherUse
        item = code.fresh("p", "item")
        return [(f"{spot.jnp('asarray')}([{code.operand(key)}({item}) for {item} in {self._all()}])", "f")]

    def _key(self, part: ast.expr, each: str) -> tuple[str, str]:
        code, spot = self.spot.code, self.spot
        match part:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int() as place)) if name == each:
                if 0 <= place < self.width:
                    return self.columns[place], self.kinds[place]
            case ast.Name(id=name) if name == each and not self.width:
                return self.columns[0], self.kinds[0]
        if any(isinstance(node, SCOPES) for node in ast.walk(part)) or each in stored([ast.Expr(part)]):
            raise _OtherUse
        fact = spot.fact(part)
        text = f"{spot.jnp('asarray')}([{code.expr(part)} for {each} in {self._all()}])"
        return text, "f" if fact is None else fact.dtype

    def _all(self) -> str:
        """Something that gives the items one by one."""
        if self.width:
            return f"zip({', '.join(self.columns)})"
        return self.counted or self.columns[0]


def _written_out(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
            return -number
    return None


def _is_read(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


RULES: list[Rule] = [of_a_comprehension, of_a_loop, of_tuples]
