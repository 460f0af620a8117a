"""`assert` and `raise` on traced values: compiled code cannot raise; it can mark the result or say so."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import takewhile

from jupyter_jitmagic.diagnosis.rewrites.branches import expanded_elif
from jupyter_jitmagic.diagnosis.rewrites.caught import around
from jupyter_jitmagic.diagnosis.rewrites.own_conditions import is_fact, is_option, raised_by_data
from jupyter_jitmagic.diagnosis.rewrites.printing import debug_print
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import always_returns, leaves
from jupyter_jitmagic.source.names import loaded, stored, walk_scope

_NOTE = "compiled code cannot raise: "


def assertion(spot: Spot) -> Iterator[Step]:
    """`assert test` → a message printed when the test fails."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.Assert):
        return
    node = asked[1]
    printed = _printed(spot, node.msg, f"assertion failed: {_one_line(node.test)}")
    text = f"{spot.lax('cond')}({spot.code.expr(node.test)}, lambda: None, lambda: {printed})"
    yield spot.step(
        "debug.print", (node, text), note=_NOTE + "the check prints its message (jax.experimental.checkify can raise)"
    )


def never_holds(spot: Spot) -> Iterator[Step]:
    """`assert False, "no case"` in a branch → `raise AssertionError("no case")`, which it is."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If):
        return
    never = [
        (node, f"raise AssertionError({spot.code.expr(node.msg) if node.msg is not None else ''})")
        for node in walk_scope([asked[1]])
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant) and not node.test.value
    ]
    if never:
        yield spot.step("debug.print", *never)


def raising(spot: Spot) -> Iterator[Step]:
    """`if bad: raise` → the result is NaN where bad; where the result is not of floats, a message is printed."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If):
        return
    if _is_check(spot, asked[1]):
        yield from _without_raise(spot, asked[1])
        return
    for inner in walk_scope([*asked[1].body, *asked[1].orelse]):  # in a branch, which becomes one that cannot raise
        if isinstance(inner, ast.If) and _raises(spot, inner) and not is_fact(spot, inner.test):
            if spot.code.is_elif(inner):
                yield expanded_elif(spot, inner)
            else:
                yield from _without_raise(spot, inner)
            return


def raised_by_choice(spot: Spot) -> Iterator[Step]:
    """`if bad: if mode == "raise": raise` → the branch says it, with that mode; else it would raise while it is traced."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If | ast.For | ast.While):
        return
    for raised in raised_by_data(spot, [asked[1]]):
        chosen = spot.code.parents[raised]
        if isinstance(chosen, ast.If) and _raises(spot, chosen) and is_option(spot, chosen.test):
            printed = _printed(spot, _raised_message(raised, chosen.body[:-1]), _one_line(chosen.test))
            note = _NOTE + "the check prints its message (jax.experimental.checkify can raise)"
            yield spot.step("debug.print", (raised, printed), note=note)
            return


def _is_check(spot: Spot, node: ast.If) -> bool:
    """`if bad: raise`, whatever comes before the `raise`, and no `elif`."""
    return not spot.code.is_elif(node) and _raises(spot, node)


def _raises(spot: Spot, node: ast.If) -> bool:
    if not isinstance(node.body[-1], ast.Raise):
        return False
    return not leaves(node.body, ast.Return) and not is_caught(spot, node)


def is_caught(spot: Spot, node: ast.stmt) -> bool:
    """Whether the function or a caller may catch what the statement raises, or does something when it is left by it."""
    inside = takewhile(lambda at: not isinstance(at, ast.FunctionDef), spot.code.ancestors(node))
    if any(isinstance(at, ast.Try | ast.TryStar) for at in inside):
        return True
    return any(around(place) is not None for place in spot.callers())


def _without_raise(spot: Spot, node: ast.If) -> Iterator[Step]:
    code = spot.code
    region, indent = code.region([node]), code.indent(node)
    rest = code.block_text(node.orelse, indent) if node.orelse else ""
    if leaves(node.orelse, ast.Return):  # what does not raise goes on below, where its results can be marked
        body = code.block_text(node.body, indent + "    ")
        yield spot.step("where", (region, f"{indent}if {code.expr(node.test)}:\n{body}{rest}"))
    function = code.function(node)
    block = code.block(node)
    follows = block[block.index(node) + 1 :]
    at_the_end = isinstance(function, ast.FunctionDef) and (block is function.body or always_returns(follows))
    if at_the_end and not leaves(node.orelse, ast.Return):
        returns = [r for r in leaves(follows, ast.Return) if isinstance(r, ast.Return)]
        if returns and all(r.value is not None and not _holds_whole_numbers(spot, r.value) for r in returns):
            for tree in (False, True):
                yield _marked(spot, node, rest, returns, [*node.orelse, *follows], tree)
    printed = _printed(spot, _raised_message(node.body[-1], node.body[:-1]), _one_line(node.test))
    call = f"{spot.lax('cond')}({code.expr(node.test)}, lambda: {printed}, lambda: None)"
    note = _NOTE + "the check prints its message (jax.experimental.checkify can raise)"
    yield spot.step("debug.print", (region, f"{indent}{call}\n{rest}"), note=note)


def _holds_whole_numbers(spot: Spot, returned: ast.expr) -> bool:
    """Whether a result is an integer or a flag, or has one in it: NaN would make it a float."""
    parts = returned.elts if isinstance(returned, ast.Tuple) else [returned]
    facts = [spot.fact(part) for part in parts]
    return any(map(_is_made_whole, parts)) or any(fact is not None and fact.dtype in ("i", "u", "b") for fact in facts)


def _is_made_whole(node: ast.expr) -> bool:
    """`int(x)`, or what it becomes."""
    match node:
        case ast.Call(func=ast.Name("int" | "len" | "bool")) | ast.Call(args=[_, ast.Name("int" | "bool")]):
            return True
    return False


def no_case_left(spot: Spot) -> Iterator[Step]:
    """`if test: return v`, then `raise` → v, and NaN (or a message) where the test fails."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If):
        return
    code = spot.code
    node, raised = _last_case(spot, asked[1])
    if node is None or raised is None or not (node is asked[1] or not is_fact(spot, node.test)):
        return  # a test of Python's own still raises, while tracing
    *before, last = node.body
    if (
        not isinstance(last, ast.Return)
        or last.value is None
        or leaves(before, (ast.Return, ast.Raise, ast.Break, ast.Continue))
    ):
        return
    value = last.value
    indent, head = code.indent(node), ""
    if code.is_elif(node):
        head, indent = f"{indent}else:\n", f"{indent}    "
    head += code.block_text(before, indent)
    test, where, nan = code.expr(node.test), spot.jnp("where"), spot.jnp("nan")
    region = code.region([node])
    edits = [] if node.orelse else [(code.region([raised]), "")]
    texts = [f"{where}({test}, {code.expr(value)}, {nan})"]
    if isinstance(value, ast.Tuple):
        texts = [f"({', '.join(f'{where}({test}, {code.expr(each)}, {nan})' for each in value.elts)})"]
    texts.append(f"{spot.jax('tree.map')}(lambda r: {where}({test}, r, {nan}), {code.expr(value)})")
    for text in texts if not (isinstance(value, ast.Tuple) and len(value.elts) < 2) else texts[1:]:
        yield spot.step(
            "where", (region, f"{head}{indent}return {text}\n"), *edits, note=_NOTE + "the result is NaN where no case holds"
        )
    printed = _printed(spot, _raised_message(raised), f"not {_one_line(node.test)}")
    call = f"{spot.lax('cond')}({test}, lambda: None, lambda: {printed})"
    note = _NOTE + "the message is printed where no case holds (jax.experimental.checkify can raise)"
    yield spot.step("debug.print", (region, f"{head}{indent}{call}\n{indent}return {code.src(value)}\n"), *edits, note=note)


def no_case_assigned(spot: Spot) -> Iterator[Step]:
    """`if a: x = …`, `elif b: x = …`, `else: raise` → `if not (a or b): raise`, then the same with `else` for the last test.
    Some of the cases may return; where all do, there is less to write (`no_case_left`)."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If):
        return
    code, root = spot.code, asked[1]
    while code.is_elif(root) and isinstance(code.parents[root], ast.If):
        root = code.parents[root]  # type: ignore[assignment]
    cases = list(_chain_of(root))
    last = cases[-1]
    raised = last.orelse[-1] if last.orelse else None
    leaving = leaves([statement for case in cases for statement in case.body], (ast.Raise, ast.Break, ast.Continue))
    if (
        not isinstance(raised, ast.Raise)
        or leaving
        or leaves(last.body, ast.Return)
        or any(isinstance(n, ast.NamedExpr) for c in cases for n in ast.walk(c.test))
    ):
        return
    indent = code.indent(root)
    test = " or ".join(code.operand(case.test) for case in cases) if len(cases) > 1 else code.expr(last.test)
    check = f"{indent}if not ({test}):\n" + code.block_text(last.orelse, indent + "    ")
    start, end = code.region([root])
    if len(cases) == 1:
        yield spot.step("where", ((start, end), check + code.block_text(last.body, indent)))
        return
    inner = code.indent(last)
    rest = f"{inner}else:\n" + code.block_text(last.body, inner + "    ")
    yield spot.step("where", ((start, start), check), ((code.region([last])[0], end), rest))


def _chain_of(node: ast.If) -> Iterator[ast.If]:
    """An `if` and its `elif`s."""
    yield node
    while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        node = node.orelse[0]
        yield node


def _last_case(spot: Spot, node: ast.If) -> tuple[ast.If | None, ast.Raise | None]:
    """The last of the tests from this one on, behind which nothing is left but a `raise`."""
    code = spot.code
    last = [*_chain_of(node)][-1]
    if len(last.orelse) == 1 and isinstance(last.orelse[0], ast.Raise):
        return last, last.orelse[0]
    root = node
    while code.is_elif(root) and isinstance(code.parents[root], ast.If):
        root = code.parents[root]  # type: ignore[assignment]
    block = code.block(root)
    match block[block.index(root) :]:
        case [*_, ast.If() as before, ast.Raise() as raised]:
            last = [*_chain_of(before)][-1]
            return (last, raised) if not last.orelse else (None, None)
    return None, None


def _marked(
    spot: Spot, node: ast.If, rest: str, returns: Sequence[ast.Return], follows: Sequence[ast.stmt], tree: bool
) -> Step:
    code, indent = spot.code, spot.code.indent(node)
    test = code.expr(node.test)
    lines = ""
    if len(returns) > 1 or loaded([node.test]) & set(stored(follows)) or len(test) > 40 or tree:
        name = code.fresh("invalid", "bad_input")
        lines, test = f"{indent}{name} = {test}\n", name
    edits = []
    where, nan = spot.jnp("where"), spot.jnp("nan")
    right = ""
    match node.test:
        case ast.UnaryOp(op=ast.Not(), operand=holds) if not lines:
            right = code.expr(holds)

    def marked(value: str) -> str:
        return f"{where}({right}, {value}, {nan})" if right else f"{where}({test}, {nan}, {value})"

    for r in returns:
        assert r.value is not None
        if tree:
            text = f"{spot.jax('tree.map')}(lambda r: {marked('r')}, {code.expr(r.value)})"
        elif isinstance(r.value, ast.Tuple):
            text = "(" + ", ".join(marked(code.expr(each)) for each in r.value.elts) + ",)"
            text = text.replace(",)", ")") if len(r.value.elts) > 1 else text
        else:
            text = marked(code.expr(r.value))
        edits.append((r.value, text))
    note = _NOTE + "the result is NaN where the check fails"
    return spot.step("where", (code.region([node]), lines + rest), *edits, note=note)


def _printed(spot: Spot, message: ast.expr | None, otherwise: str) -> str:
    """`jax.debug.print` of a check's message, with the values that it names; of `otherwise` where it has none."""
    if message is not None:
        call = ast.copy_location(ast.Call(ast.Name("print", ast.Load()), [message], []), message)
        if spot.is_builtin("print") and (text := debug_print(spot, call)) is not None:
            return text
    return f"{spot.jax('debug.print')}({otherwise!r})"


def _raised_message(node: ast.stmt, before: Sequence[ast.stmt] = ()) -> ast.expr | None:
    """What a `raise` says; where it names something (``msg``), with what the statements before it gave that name."""
    assert isinstance(node, ast.Raise)
    message = node.exc.args[0] if isinstance(node.exc, ast.Call) and node.exc.args else None
    match message, said_before(node, before):
        case ast.Name(), [ast.Assign(value=value)]:
            return value
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr="format") as method) as call, [ast.Assign(value=value)]:
            named = ast.copy_location(ast.Attribute(value, method.attr, method.ctx), method)
            return ast.copy_location(ast.Call(named, call.args, call.keywords), call)
    return message


def said_before(raised: ast.Raise, before: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The `msg = "…"` and `msg += "…"` just before `raise E(msg)`, or before `raise E(msg.format(n))`."""
    names = loaded([raised])
    given: list[ast.stmt] = []
    for statement in reversed(before):
        match statement:
            case ast.Assign(targets=[ast.Name(name)]) | ast.AugAssign(target=ast.Name(name)) if name in names:
                given.insert(0, statement)
            case _:
                break
    return given


def _one_line(node: ast.expr) -> str:
    return " ".join(ast.unparse(node).split()).replace("{", "(").replace("}", ")")


RULES: list[Rule] = [assertion, never_holds, raising, raised_by_choice, no_case_left, no_case_assigned]
