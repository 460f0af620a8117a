"""A Python loop that tracing unrolls, written as one `lax.scan` (or `lax.map`): text made into text. What it gives is for the
caller to compare.

Unlike with the rewrites of `diagnosis`, which make a loop's length data, the length stays what it is: so a list that the loop
appends to has a known length, and becomes the outputs of a `scan`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from jupyter_jitmagic.source.code import Code, leaves
from jupyter_jitmagic.source.names import loaded, read_first, stored, target_names, walk_scope

_REFUSED = (ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Nonlocal, ast.Delete, ast.Raise, ast.Import, ast.ImportFrom)
_EXITS = (ast.Break, ast.Continue, ast.Return)


@dataclass(frozen=True)
class Written:
    """A function's text with one of its loops as one of `lax`."""

    pattern: str
    source: str


def written(text: str, line: int, space: dict[str, Any]) -> Iterator[Written]:
    """The function with the loop of this line as one: several where what it loops over may be an array, or a list of arrays.

    Args:
        text: the function's definition, at the margin.
        line: the loop's, the first being 1.
        space: the function's globals: how JAX is called there.

    Example:
        >>> source = "def f(x):\\n    return jnp.stack([x * i for i in range(9)])\\n"
        >>> next(written(source, 2, {"jax": jax, "jnp": jnp})).pattern
        'map'
    """
    code = Code(text)
    names = _Names(code, space)
    for node in code.below(code.tree):
        if isinstance(node, ast.For) and node.lineno == line:
            yield from _scan(code, node, names)
        elif isinstance(node, ast.ListComp) and node.lineno <= line <= (node.end_lineno or line):
            yield from _map(code, node, names)


class _Names:
    """How JAX is called in a module; where it is not, an import inside the function."""

    def __init__(self, code: Code, space: dict[str, Any]) -> None:
        self._known = {
            each.__name__: name
            for name, each in space.items()
            if isinstance(each, ModuleType) and name not in code.names - loaded([code.tree])
        }
        self.imports: set[str] = set()

    def __call__(self, module: str, attribute: str) -> str:
        if module in self._known:
            return f"{self._known[module]}.{attribute}"
        top, _, rest = module.partition(".")
        if top in self._known:
            return ".".join(filter(None, (self._known[top], rest, attribute)))
        self.imports.add("import jax")
        return ".".join(filter(None, ("jax", rest, attribute)))


def _over(code: Code, iterated: ast.expr, names: _Names) -> Iterator[str]:
    """What a loop runs over, as arrays with a row for each round."""
    arguments = iterated.args if isinstance(iterated, ast.Call) and not iterated.keywords else []
    called = code.src(iterated.func) if isinstance(iterated, ast.Call) else ""
    texts = [code.expr(each) for each in arguments]
    if called == "range":
        yield f"{names('jax.numpy', 'arange')}({', '.join(texts)})"
    elif called == "enumerate" and len(texts) == 1:
        for over in _over(code, arguments[0], names):
            yield f"({names('jax.numpy', 'arange')}(len({texts[0]})), {over})"
    elif called == "zip" and texts:
        yield f"({', '.join(texts)},)"
        stack = names("jax.numpy", "stack")
        yield f"({', '.join(f'{stack}({each})' for each in texts)},)"
    else:
        text = code.expr(iterated)
        yield text
        yield f"{names('jax', 'tree.map')}(lambda *each: {names('jax.numpy', 'stack')}(each), *{text})"


def _scan(code: Code, loop: ast.For, names: _Names) -> Iterator[Written]:
    lists = _lists(code, loop)
    targets = target_names(loop.target)
    if lists is None or not _is_plain(loop) or set(targets) & code.live_after(loop) or not code.on_own_lines(loop.body):
        return
    for over in _over(code, loop.iter, names):
        yield Written("scan", _with_import(_scan_text(code, loop, lists, over, names), names))


def _is_plain(loop: ast.For) -> bool:
    """Whether a loop only binds names: what it does else would be done once, while tracing."""
    if loop.orelse or leaves(loop.body, _EXITS):
        return False
    for node in walk_scope(loop.body):
        if isinstance(node, _REFUSED):
            return False
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            return False
    return True


class _List:
    """A list that the loop appends to, once a round."""

    def __init__(self, call: ast.Call, name: str) -> None:
        self.call = call
        self.name = name


def _lists(code: Code, loop: ast.For) -> list[_List] | None:
    """The lists that the loop fills; None where what it does to one is more than to append once a round."""
    found: list[_List] = []
    for statement in walk_scope(loop.body):
        if not isinstance(statement, ast.Expr) or isinstance(statement.value, ast.Constant):
            continue
        call = statement.value
        owner = call.func.value if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else None
        if not isinstance(call, ast.Call) or not isinstance(owner, ast.Name) or statement not in loop.body:
            return None
        if call.func.attr != "append" or len(call.args) != 1 or call.keywords:  # type: ignore[attr-defined]
            return None
        found.append(_List(call, owner.id))
    for each in found:
        uses = [node for node in walk_scope(loop.body) if isinstance(node, ast.Name) and node.id == each.name]
        if len(uses) != 1 or _beginning(code, loop, each.name) is None:
            return None
    return found


def _beginning(code: Code, loop: ast.For, name: str) -> ast.Assign | None:
    """The statement just before the loop that made a list, if nothing between reads or changes it."""
    block = code.block(loop)
    for statement in reversed(block[: block.index(loop)]):
        used = any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(statement))
        if used:
            is_list = (
                isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.value, ast.List)
            )
            is_its = is_list and isinstance(statement.targets[0], ast.Name) and statement.targets[0].id == name  # type: ignore[attr-defined]
            return statement if is_its else None  # type: ignore[return-value]
    return None


def _scan_text(code: Code, loop: ast.For, lists: list[_List], over: str, names: _Names) -> str:
    indent, inner = code.indent(loop), code.indent(loop.body[0])
    live, read = code.live_after(loop), read_first(loop.body)
    filled = {each.name for each in lists}
    carried = [name for name in dict.fromkeys(stored(loop.body)) if (name in read or name in live) and name not in filled]
    outputs = {each.name: code.fresh(f"{each.name}_now") for each in lists}
    begins = {each.name: _beginning(code, loop, each.name) for each in lists}
    empty = {name for name, begin in begins.items() if begin is not None and not begin.value.elts}  # type: ignore[attr-defined]
    rows = {name: name if name in empty else code.fresh(f"{name}_of_loop") for name in outputs}
    body = code.fresh("body_fun", "step")
    carry = carried[0] if len(carried) == 1 else code.fresh("carry") if carried else "_"
    simple = isinstance(loop.target, ast.Name)
    each = code.src(loop.target) if simple else code.fresh("each")
    lines = [f"{indent}def {body}({carry}, {each}):"]
    lines += [f"{inner}{', '.join(carried)} = {carry}"] * (len(carried) > 1)
    lines += [f"{inner}{code.src(loop.target)} = {each}"] * (not simple)
    edits = [(*code.span(item.call), f"{outputs[item.name]} = {code.expr(item.call.args[0])}") for item in lists]
    text = code.block_text(loop.body, inner, edits).rstrip("\n")
    result, out, rest = _packed(carried), _packed(list(outputs.values())), _packed(list(rows.values()))
    lines += [text, f"{inner}return {result}, {out}", ""]
    left = f"{result if carried else '_'}, {rest if rows else '_'}"
    lines.append(f"{indent}{left} = {names('jax.lax', 'scan')}({body}, {result}, {over})")
    stack, concatenate = names("jax.numpy", "stack"), names("jax.numpy", "concatenate")
    lines += [f"{indent}{name} = {concatenate}([{stack}({name}), {row}])" for name, row in rows.items() if name != row]
    block = code.block(loop)
    above = [] if loop is block[0] or block[block.index(loop) - 1] in begins.values() else [""]
    changes: list[tuple[ast.AST | tuple[int, int], str]] = [(code.region([loop]), "\n".join([*above, *lines]) + "\n")]
    changes += [
        (code.region([begin]), "") for name, begin in begins.items() if name in empty and begin and code.on_own_lines([begin])
    ]
    return code.replace(*changes)


def _packed(names: list[str]) -> str:
    return "None" if not names else names[0] if len(names) == 1 else f"({', '.join(names)})"


def _map(code: Code, node: ast.ListComp, names: _Names) -> Iterator[Written]:
    """`[f(k) for k in range(n)]` as `lax.map`: an array with a row for each item, which serves where the list was stacked."""
    generator = node.generators[0]
    inside = list(ast.walk(node.elt))
    if len(node.generators) != 1 or generator.ifs or generator.is_async:
        return
    if any(isinstance(each, ast.NamedExpr | ast.Yield | ast.YieldFrom | ast.Await) for each in inside):
        return
    target, value = code.src(generator.target), code.expr(node.elt)
    if isinstance(generator.target, ast.Name):
        function = f"lambda {target}: {value}"
    elif isinstance(generator.target, ast.Tuple) and all(isinstance(each, ast.Name) for each in generator.target.elts):
        function = f"lambda each: (lambda {', '.join(target_names(generator.target))}: {value})(*each)"
    else:
        return
    for over in _over(code, generator.iter, names):
        yield Written("map", _with_import(code.replace((node, f"{names('jax.lax', 'map')}({function}, {over})")), names))


def _with_import(text: str, names: _Names) -> str:
    if not names.imports:
        return text
    code = Code(text)
    function = code.tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    first = function.body[1] if ast.get_docstring(function) is not None and len(function.body) > 1 else function.body[0]
    start, _ = code.region([first])
    lines = "".join(f"{code.indent(first)}{each}\n" for each in sorted(names.imports))
    return text[:start] + lines + text[start:]
