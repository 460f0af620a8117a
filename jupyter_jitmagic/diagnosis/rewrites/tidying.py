"""What rules leave behind in a draft that nobody would have typed: names that only name another, helpers that nothing calls any
more, imports that nothing reads, brackets within brackets, a `_` that is read, a `pass` beside other lines, a choice of two
that are the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.source.code import Code, Edit
from jupyter_jitmagic.source.names import loaded, walk

_MOST = 40  # edits; one at a time, as each may lead to another


def tidied(text: str, before: str) -> str:
    """`text` without them; what stood in `before` already stays.

    Example:
        >>> print(tidied("def f(x, m):\\n    kept = m\\n    return jnp.sum(x, where=kept)\\n", ""), end="")
        def f(x, m):
            return jnp.sum(x, where=m)
    """
    old = {line.strip() for line in before.splitlines()}
    first = Code(before)
    for _ in range(_MOST):
        code = Code(text)
        edits = next(_edits(code, old, loaded([first.tree]), first.names), None)
        if edits is None:
            break
        text = code.edited(0, len(text), edits)
    return text


def _edits(code: Code, old: set[str], called: set[str], names: set[str]) -> Iterator[list[Edit]]:
    read = loaded([code.tree])
    for node in code.below(code.tree):
        if isinstance(node, ast.FunctionDef):
            if node.name in called and node.name not in read and not node.decorator_list and _may_go(code, node):
                yield [(*_with_the_gap(code, node), "")]
            yield from _with_a_name(code, node, old)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            brought = {each.asname or each.name.partition(".")[0] for each in node.names}
            if brought.isdisjoint(read) and code.lines[node.lineno - 1].strip() not in old and code.on_own_lines([node]):
                yield [(*_with_the_gap(code, node), "")]
        elif isinstance(node, ast.Pass):
            if code.lines[node.lineno - 1].strip() not in old and _may_go(code, node):
                yield [(*code.region([node]), "")]
        elif isinstance(node, ast.Assign):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()) if name in called and name not in read:
                    if _may_go(code, node) and any(isinstance(each, ast.FunctionDef) for each in code.ancestors(node)):
                        yield [(*code.region([node]), "")]
            if code.lines[node.lineno - 1].strip() not in old and _may_go(code, node):
                yield from _without_a_name(code, node, old, names)
        elif isinstance(node, ast.Call) and isinstance(code.parents[node], ast.Assign) and _is_of_two_alike(node):
            if code.lines[node.lineno - 1].strip() not in old:
                yield [(*code.span(node), code.src(node.args[1]))]
        elif isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            if code.lines[node.lineno - 1].strip() not in old and not _hides(code, node):
                yield from _said_plainly(code, node)
            start, end = code.span(node.args[0])
            left, right = code.text[start - 2 : start], code.text[end : end + 2]
            new = node.lineno == node.end_lineno and code.lines[node.lineno - 1].strip() not in old
            if new and (left, right) == ("((", "))") and code.span(node)[1] == end + 2:
                yield [(start - 1, start, ""), (end, end + 1, "")]


def _is_of_two_alike(node: ast.Call) -> bool:
    """Whether it is `jnp.where(pred, n + 1, n + 1)`: both branches did the same."""
    match node:
        case ast.Call(func=ast.Attribute(attr="where"), args=[ast.Name(), one, other], keywords=[]):
            return ast.dump(one) == ast.dump(other) and not any(isinstance(each, ast.Call) for each in walk(one))
    return False


def _said_plainly(code: Code, node: ast.Call) -> Iterator[list[Edit]]:
    """`jnp.logical_not(jnp.logical_or(jnp.logical_not(a), jnp.logical_not(b)))` → `(a) & (b)`, of comparisons; what is denied
    twice; `jnp.asarray(v)` → `v`, where v is an array of JAX's already, and `jnp.stack(jnp.array(TABLE))` is the array."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="logical_not"), args=[ast.Call(func=ast.Attribute(attr=joins), args=[_, _]) as both]
        ):
            denied = [_denied(each) for each in both.args]
            if joins in _OTHERWISE and all(isinstance(each, ast.Compare) for each in denied):
                text = f" {_OTHERWISE[joins]} ".join(f"({code.src(each)})" for each in denied if each is not None)
                alone = isinstance(code.parents[node], ast.Call | ast.stmt | ast.keyword)
                yield [(*code.span(node), text if alone else f"({text})")]
        case ast.Call(
            func=ast.Attribute(attr="logical_not"),
            args=[
                ast.Call(
                    func=ast.Attribute(attr="logical_not"),
                    args=[ast.Compare() | ast.Call(func=ast.Attribute(attr="all" | "any")) as held],
                )
            ],
        ):
            yield [(*code.span(node), code.operand(held))]
        case ast.Call(func=ast.Attribute(value=ast.Name("jnp"), attr="stack"), args=[ast.Call() as made], keywords=[]):
            if _makes_an_array(made):
                yield [(*code.span(node), code.src(made))]
        case ast.Call(func=ast.Attribute(attr="asarray"), args=[ast.Name(name) as array]):
            bound = [each for each in code.below(code.tree) if isinstance(each, ast.Assign) and _sets(each, name)]
            if bound and all(_makes_an_array(each.value) for each in bound):
                yield [(*code.span(node), code.src(array))]


_OTHERWISE = {"logical_or": "&", "logical_and": "|"}


def _denied(node: ast.expr) -> ast.expr | None:
    """What is denied there."""
    match node:
        case ast.Call(func=ast.Attribute(attr="logical_not"), args=[inner], keywords=[]):
            return inner
    return None


def _sets(node: ast.Assign, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in node.targets)


def _makes_an_array(value: ast.expr) -> bool:
    """Whether it is `jnp.array(…)` and the like, or an update of an array (`v.at[k].set(…)`)."""
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Name("jnp"), attr="array" | "asarray" | "zeros" | "ones" | "full")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Subscript(value=ast.Attribute(attr="at")))):
            return True
    return False


def _with_a_name(code: Code, node: ast.FunctionDef, old: set[str]) -> Iterator[list[Edit]]:
    """`def body(_, x)` whose `_` is read, as the loop's variable was called that: a name for it."""
    own = [each for each in node.args.args if each.arg == "_" and each.annotation is None]
    bound = [each for each in walk(node) if "_" in _bound_by(each)]
    reads = [each for each in _reads(code, "_") if each in _all_below(node.body)]
    new = code.lines[node.lineno - 1].strip() not in old
    if new and own and bound == own and reads and not any(_hides(code, each) for each in reads):
        name = code.fresh("i", "k", "number")
        yield [(*code.span(each), name) for each in (own[0], *reads)]


def _may_go(code: Code, node: ast.stmt) -> bool:
    """Whether lines are left where a statement stood."""
    inner = isinstance(code.parents.get(node), ast.stmt)
    return inner and len(code.block(node)) > 1 and code.on_own_lines([node])


def _with_the_gap(code: Code, node: ast.stmt) -> tuple[int, int]:
    """Its lines, with the empty ones below them."""
    start, end = code.region([node])
    while code.text[end : end + 1] == "\n":
        end += 1
    return start, end


def _without_a_name(code: Code, node: ast.Assign, old: set[str], names: set[str]) -> Iterator[list[Edit]]:
    """`a = b` → one name for both, the one that the user gave; where each is bound once, and a is read further on in the block
    alone."""
    match node:
        case ast.Assign(targets=[ast.Name(a)], value=ast.Name(b)) if a != b and "#" not in code.lines[node.lineno - 1]:
            pass
        case _:
            return
    block = code.block(node)
    reads = _reads(code, a)
    bound = _bindings(code, b)
    if len(_bindings(code, a)) > 1 or len(bound) != 1 or not _is_before(bound[0], node):
        return
    if any(_hides(code, each) for each in (*reads, *_reads(code, b))):
        return
    if not set(reads) <= _all_below(block[block.index(node) + 1 :]):
        return
    looped = any(isinstance(each, ast.For | ast.While) for each in code.ancestors(node))
    if looped and any(code.function(each) is not code.function(node) for each in reads):
        return  # it is called when b is another value, perhaps
    gone = (*code.region([node]), "")
    if a in names and b not in names:
        if code.statement(bound[0]) in block and isinstance(code.statement(bound[0]), ast.Assign):
            others = [each for each in _reads(code, b) if each is not node.value]
            yield [gone, *((*code.span(each), a) for each in (bound[0], *others))]
    elif a not in names or not any(code.lines[each.lineno - 1].strip() in old for each in reads):
        yield [gone, *((*code.span(each), b) for each in reads)]


def _all_below(statements: Sequence[ast.stmt]) -> set[ast.AST]:
    return {node for statement in statements for node in walk(statement)}


def _reads(code: Code, name: str) -> list[ast.Name]:
    return [n for n in code.below(code.tree) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]


def _bindings(code: Code, name: str) -> list[ast.AST]:
    """Whatever binds a name, in any scope."""
    return [n for n in code.below(code.tree) if name in _bound_by(n)]


def _bound_by(node: ast.AST) -> Sequence[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return [(each.asname or each.name).partition(".")[0] for each in aliases]
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return [*names, *names]
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
    return []


def _is_before(binding: ast.AST, node: ast.stmt) -> bool:
    return getattr(binding, "lineno", node.lineno) < node.lineno


def _hides(code: Code, node: ast.AST) -> bool:
    """Whether its place in the text is not known: within a text with values in it."""
    return any(isinstance(each, ast.JoinedStr) for each in code.ancestors(node))
