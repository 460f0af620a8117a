"""Lists of numbers of which a loop keeps fewer and fewer: `order = [i for i in order if overlap(i, best) < limit]`.

As an array, `order[mask]`, such a list is a selection like any other: what is left of it is a mask in the end.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit, is_tested, words
from jupyter_jitmagic.source.names import loaded, walk, walk_scope

_OF_ALL = words("sum min max any all")
_ELEMENTWISE = ast.Compare | ast.BinOp | ast.UnaryOp | ast.Subscript | ast.Name | ast.Constant | ast.Tuple


def kept_in_a_loop(spot: Spot) -> Iterator[Step]:
    """`left = [i for i in left if test(i)]` in a loop → `left = left[jax.vmap(lambda i: test(i))(left)]`, and the rest of the
    function with an array in the place of the list."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    for kept in filter(None, (_kept(node) for node in walk_scope(function.body) if _in_a_loop(spot, node))):
        thinned = _Thinned(spot, function, kept)
        if thinned.goes_round and thinned.is_known():
            yield spot.step("array", *(((begin, end), text) for begin, end, text in thinned.edits))
            return


def _in_a_loop(spot: Spot, node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(at, ast.For | ast.While) for at in spot.code.ancestors(node))


def _kept(node: ast.AST) -> tuple[str, str] | None:
    """(new, old) of `new = [i for i in old if test]`."""
    match node:
        case ast.Assign(
            targets=[ast.Name(id=new)],
            value=ast.ListComp(
                elt=ast.Name(id=item),
                generators=[ast.comprehension(target=ast.Name(id=each), iter=ast.Name(id=old), ifs=[_, *_], is_async=0)],
            ),
        ) if item == each:
            return new, old
    return None


class _Thinned:
    """A list under all its names, and the edits that make it an array."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, kept: tuple[str, str]) -> None:
        self.spot, self.function = spot, function
        self.edits: list[Edit] = []
        self.of_floats = False  # its items are some, perhaps
        self.names = set(kept)
        handed = [pair for node in walk_scope(function.body) if (pair := _handed_on(node) or _kept(node))]
        while more := {name for pair in handed if self.names & {*pair} for name in pair} - self.names:
            self.names |= more
        self.aliases = any(self.names & {*pair} for node in walk_scope(function.body) if (pair := _handed_on(node)))
        new, old = kept
        self.goes_round = new == old or any(_handed_on(node) == (old, new) for node in walk_scope(function.body))

    def is_known(self) -> bool:
        """Whether every use is one that an array has as well; fills `edits`."""
        uses = [node for node in walk(self.function) if isinstance(node, ast.Name) and node.id in self.names]
        inner = {*walk_scope(self.function.body)}
        if any(each.arg in self.names for each in walk(self.function) if isinstance(each, ast.arg)):
            return False
        written = [node for node in uses if not isinstance(node.ctx, ast.Load)]
        if not all(node in inner and self._is_made(node) for node in written):
            return False  # (what it is made of comes first: it tells of floats)
        return all(self._is_read(node) for node in uses if isinstance(node.ctx, ast.Load))

    # -- where it is made ---------------------------------------------------------------------------------

    def _is_made(self, node: ast.Name) -> bool:
        code = self.spot.code
        statement = code.parents[node]
        if _handed_on(statement):
            return True
        if not isinstance(statement, ast.Assign) or statement.targets != [node]:
            return False
        kept = _kept(statement)
        if kept is not None and kept[1] in self.names:
            made = statement.value
            assert isinstance(made, ast.ListComp)
            test = self._of_each(made.generators[0], made.generators[0].ifs, kept[1])
            text = test and f"{kept[1]}[{test}]"
        else:
            text = self._begun(statement.value)
        if text:
            self.edits.append((*code.span(statement.value), text))
        return bool(text)

    def _begun(self, value: ast.expr) -> str:
        """The array of what the list is made of, as text; "" where that is not known to be a row of numbers."""
        spot = self.spot
        if self.names & loaded([value]):
            return ""
        match value:
            case ast.Call(func=ast.Name(id="list"), args=[made], keywords=[]) if spot.is_builtin("list"):
                return self._row(made, held=True)
            case ast.Call(func=ast.Attribute(value=array, attr="tolist"), args=[], keywords=[]):
                return self._row(array, held=True)
            case ast.ListComp(elt=ast.Name(id=item), generators=[ast.comprehension(is_async=0) as made]):
                pass
            case _:
                return ""
        match made:
            case ast.comprehension(target=ast.Name(id=each), iter=given) if each == item:
                row, named = self._row(given, held=True), {}
            case ast.comprehension(
                target=ast.Tuple(elts=[ast.Name(id=each), ast.Name(id=other)]),
                iter=ast.Call(func=ast.Name(id="enumerate"), args=[ast.Name(id=values) as given], keywords=[]),
            ) if each == item and other != each and spot.is_builtin("enumerate") and self._row(given):
                row, named = f"{spot.jnp('arange')}(len({values}))", {other: f"{values}[{each}]"}
            case _:
                return ""
        if not row or not made.ifs:
            return row
        test = self._of_each(made, made.ifs, row, named, each)
        return f"{row}[{test}]" if test else ""

    def _row(self, node: ast.expr, held: bool = False) -> str:
        """An array or range of numbers, as text; "" for anything else. `held`: the list holds its elements."""
        spot = self.spot
        match node:
            case ast.Call(func=ast.Name(id="range"), args=args, keywords=[]) if spot.is_builtin("range"):
                return f"{spot.jnp('arange')}({', '.join(map(spot.code.src, args))})"
        fact = spot.fact(node)
        if fact is None or fact.sort != "array" or fact.ndim != 1 or fact.dtype not in ("i", "f"):
            return ""
        self.of_floats |= held and fact.dtype == "f"
        return spot.code.operand(node)

    # -- where it is read ---------------------------------------------------------------------------------

    def _is_read(self, node: ast.Name) -> bool:
        spot, code = self.spot, self.spot.code
        parent = code.parents[node]
        above = code.parents.get(parent)
        match parent:
            case ast.Assign() if _handed_on(parent):
                return True
            case ast.For(iter=it) if it is node:
                return True
            case ast.Subscript(
                ctx=ast.Load(), slice=ast.Constant(value=int()) | ast.UnaryOp(operand=ast.Constant(value=int()))
            ):
                return parent.value is node
            case ast.Attribute(attr="pop") if isinstance(above, ast.Call) and above.func is parent:
                return not self.aliases and self._is_taken(node, above)
            case ast.Call(func=ast.Name(id="len"), args=[only]) if only is node and spot.is_builtin("len"):
                self.edits.append((*code.span(parent), f"{node.id}.size"))
                return True
            case ast.Call(func=ast.Name(id=name), args=[only], keywords=[]) if (
                only is node and name in _OF_ALL and spot.is_builtin(name)
            ):
                self.edits.append((*code.span(parent), f"{spot.jnp(name)}({node.id})"))
                return True
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn() as asked], comparators=[only]) if only is node:
                test = f"({node.id} {'==' if isinstance(asked, ast.In) else '!='} {code.operand(left)})"
                self.edits.append((*code.span(parent), f"{test}.{'any' if isinstance(asked, ast.In) else 'all'}()"))
                return not (self.of_floats or self.names & loaded([left]))  # which Python's 64 bits tell apart
            case ast.comprehension(is_async=0) if parent.iter is node:
                return self._is_run_over(node, parent)
            case ast.UnaryOp(op=ast.Not()):
                self.edits.append((*code.span(parent), f"({node.id}.size == 0)"))
                return True
        if is_tested(code, node):
            self.edits.append((*code.span(node), f"{node.id}.size > 0"))
            return True
        return False

    def _is_taken(self, node: ast.Name, call: ast.Call) -> bool:
        """`v = left.pop(0)` and `v = left.pop()`."""
        code = self.spot.code
        statement = code.parents[call]
        match call.args:
            case []:
                item, rest = f"{node.id}[-1]", f"{node.id}[:-1]"
            case [ast.Constant(value=0)]:
                item, rest = f"{node.id}[0]", f"{node.id}[1:]"
            case _:
                return False
        runs = [at.iter for at in code.ancestors(node) if isinstance(at, ast.For)]
        if not isinstance(statement, ast.stmt) or not code.on_own_lines([statement]) or self.names & loaded(runs):
            return False  # a loop over the list itself would go on behind what is taken out
        if code.function(node) is not self.function:
            return False  # there the name would be another one's
        match statement:
            case ast.Expr():
                self.edits.append((*code.span(statement), f"{node.id} = {rest}"))
            case ast.Assign(targets=[ast.Name()]):
                self.edits.append((*code.span(call), item))
                end = code.span(statement)[1]
                self.edits.append((end, end, f"\n{code.indent(statement)}{node.id} = {rest}"))
            case _:
                return False
        return True

    def _is_run_over(self, node: ast.Name, made: ast.comprehension) -> bool:
        """`sum(f(i) for i in left)` and kin; what keeps some of it is written where it is made."""
        spot, code = self.spot, self.spot.code
        comprehension = code.parents[made]
        call = code.parents[comprehension]
        if isinstance(call, ast.Assign):
            return _kept(call) is not None
        match comprehension, call:
            case (
                ast.GeneratorExp(elt=elt, generators=[_]) | ast.ListComp(elt=elt, generators=[_]),
                ast.Call(func=ast.Name(id=name), args=[_], keywords=[]),
            ) if name in _OF_ALL and spot.is_builtin(name):
                pass
            case _:
                return False
        of = node.id
        if made.ifs:
            test = self._of_each(made, made.ifs, of)
            if not test:
                return False
            of = f"{of}[{test}]"
        text = self._of_each(made, [elt], of)
        self.edits.append((*code.span(call), f"{spot.jnp(name)}({text})"))
        fact = spot.fact(elt)
        return bool(text) and fact is not None and fact.ndim == 0 and fact.sort in ("array", "number")  # rows add up to a row

    # -- what is computed of each -------------------------------------------------------------------------

    def _of_each(
        self, made: ast.comprehension, parts: list[ast.expr], of: str, named: dict[str, str] | None = None, item: str = ""
    ) -> str:
        """What `parts`, joined by `and`, are of each element of `of`, as text; "" where that is not known."""
        spot, code = self.spot, self.spot.code
        named = named or {}
        item = item or (made.target.id if isinstance(made.target, ast.Name) else "")
        if (
            not item
            or self.names & loaded(parts)
            or any(isinstance(n, ast.NamedExpr) for each in parts for n in ast.walk(each))
        ):
            return ""
        edits = [
            (*code.span(node), named[node.id])
            for each in parts
            for node in ast.walk(each)
            if isinstance(node, ast.Name) and node.id in named
        ]
        is_test = code.parents[parts[0]] is made
        if of.isidentifier() and len(parts) == 1 and not named and self._is_elementwise(parts[0], item, is_test):
            for node in ast.walk(parts[0]):
                if isinstance(node, ast.Name) and node.id == item:
                    edits.append((*code.span(node), of))
            return code.edited(*code.span(parts[0]), edits)
        if is_test:
            edits += [edit for each in parts for edit in self._truths(each, code.span(each))]
        texts = [code.edited(*code.span(each), edits) for each in parts]
        if len(texts) > 1:
            texts = [text if isinstance(each, ast.Compare) else f"({text})" for each, text in zip(parts, texts, strict=True)]
        text = " and ".join(texts)
        return f"{spot.jax('vmap')}(lambda {item}: {text})({of})"

    def _truths(self, node: ast.expr, span: tuple[int, int]) -> Iterator[Edit]:
        """`!= 0` behind each number of a test whose truth is asked, as a mask holds nothing but truths. `span`: where the node
        stands, with the parentheses around it that are a part of the test."""
        match node:
            case ast.BoolOp():
                for each in node.values:
                    yield from self._truths(each, self.spot.code.with_parentheses(each))
            case ast.Compare() | ast.UnaryOp(op=ast.Not()):
                pass
            case _:
                begin, end = span
                whole = isinstance(node, ast.Name | ast.Subscript | ast.Attribute | ast.Call)
                yield begin, begin, "" if whole else "("
                yield end, end, " != 0" if whole else ") != 0"

    def _is_elementwise(self, node: ast.expr, item: str, is_test: bool) -> bool:
        """Whether the same text, with the whole array for an element, computes all at once: of what is asked there, an element
        is an operand, or the place in an array's first axis."""
        spot, code = self.spot, self.spot.code
        kinds = ast.Compare if is_test else ast.Compare | ast.BinOp | ast.Subscript
        if not isinstance(node, kinds) or item not in loaded([node]):
            return False
        for each in ast.walk(node):
            match each:
                case ast.Compare(ops=[ast.In() | ast.NotIn() | ast.Is() | ast.IsNot(), *_] | [_, _, *_]):
                    return False
                case ast.UnaryOp(op=ast.Not()):
                    return False
                case ast.Call(func=ast.Name(id="abs"), args=[_], keywords=[]) if spot.is_builtin("abs"):
                    pass
                case ast.Name(id=name) if name == item:
                    within = next((at for at in code.ancestors(each) if isinstance(at, ast.Subscript) or at is node), node)
                    if isinstance(within, ast.Subscript) and not _is_row(spot, within.value):
                        return False
                    if isinstance(code.parents[each], ast.Tuple):
                        return False
                case ast.Name(id=name) if isinstance(each.ctx, ast.Load):
                    parent = code.parents[each]
                    fact = spot.fact(each)
                    indexed = isinstance(parent, ast.Subscript) and parent.value is each
                    called = isinstance(parent, ast.Call) and parent.func is each
                    if not (indexed or called) and (fact is None or fact.sort not in ("number", "array") or fact.ndim > 0):
                        return False
                case ast.expr_context() | ast.operator() | ast.unaryop() | ast.cmpop():
                    pass
                case _ if not isinstance(each, _ELEMENTWISE):
                    return False
        return True


def _is_row(spot: Spot, node: ast.expr) -> bool:
    fact = spot.fact(node)
    return fact is not None and fact.sort == "array" and fact.ndim == 1


def _handed_on(node: ast.AST) -> tuple[str, str] | None:
    """(new, old) of `new = old`."""
    match node:
        case ast.Assign(targets=[ast.Name(id=new)], value=ast.Name(id=old)):
            return new, old
    return None


RULES: list[Rule] = [kept_in_a_loop]
