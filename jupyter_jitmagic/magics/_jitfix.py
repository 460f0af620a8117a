"""A fix put into the text of a cell: the option on the magic's line or at the decorator, the rewritten statement in its place.

Works on text and positions of the syntax tree, so what is not touched stays as typed. Knows nothing of IPython.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from jupyter_jitmagic._errors import OptionError
from jupyter_jitmagic._fixes import Fix
from jupyter_jitmagic.magics._cell import Function, Names


def fixed_cell(
    typed: str, ran: str, fix: Fix, function: str, statements: Mapping[str, str], namespace: Mapping[str, Any]
) -> str:
    """The whole text of a cell with a fix in it.

    Args:
        typed, ran: the cell as it was typed and as IPython ran it (magics turned into calls), line for line the same.
        fix: what to put in.
        function: the qualified name of the function that could not be traced.
        statements: what of the fix's rewrite belongs into this cell: by name, the statement that replaces it.
        namespace: the user's names, to know `jax.jit` where it has another name.

    Raises:
        OptionError: the cell has no place for the fix; one line that says so.
    """
    edits = _Edits(typed, ran)
    for name, statement in statements.items():
        edits.replace(name, statement)
    text = edits.text()
    if not fix.static_argnames and not fix.static_argnums:
        return text
    if re.match(r"\s*%%jit\b", typed):
        return _static_on_the_magic(text, fix, function, edits)
    return _static_at_the_decorator(text, fix, function, namespace)


class _Edits:
    """Replacements of whole statements, kept by line until all are known."""

    def __init__(self, typed: str, ran: str) -> None:
        self._lines = typed.splitlines()
        self.tree = ast.parse(ran)
        if len(self._lines) < max((node.end_lineno or 0 for node in self.tree.body), default=0):
            raise OptionError("the cell's lines do not match what was run; put the change in by hand")
        self._replaced: list[tuple[int, int, list[str]]] = []

    def replace(self, name: str, statement: str) -> None:
        node = _statement(self.tree.body, name.split("."), statement)
        if node is None:
            raise OptionError(f"{name} is not in the cell any more; run the cell again, then %jitfix")
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
        indent = " " * node.col_offset
        new = [indent + line if line.strip() else "" for line in _dedented(statement)]
        self._replaced.append((first, node.end_lineno or first, new))

    def text(self) -> str:
        lines = list(self._lines)
        for first, last, new in sorted(self._replaced, reverse=True):
            lines[first - 1 : last] = new
        return "\n".join(lines)


def _statement(body: list[ast.stmt], path: list[str], statement: str) -> ast.stmt | None:
    """The last statement that defines a name; for "Class.method" the class if the new statement is one, else the method."""
    found: ast.stmt | None = None
    for node in ast.walk(ast.Module(body, [])):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if name == path[0] and _directly_in(body, node):
                    found = node
            case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
                if name == path[0] and _directly_in(body, node):
                    found = node
    if len(path) > 1 and isinstance(found, ast.ClassDef) and not statement.lstrip().startswith("class "):
        return _statement(found.body, path[1:], statement)
    return found


def _directly_in(body: list[ast.stmt], wanted: ast.AST) -> bool:
    """Is a statement in this scope (and not in that of a function or class below)?"""
    for node in body:
        if node is wanted:
            return True
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        parts = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
        if any(_directly_in(part, wanted) for part in (*parts, *(handler.body for handler in getattr(node, "handlers", ())))):
            return True
    return False


def _dedented(statement: str) -> list[str]:
    lines = statement.strip("\n").splitlines()
    common = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    return [line[common:] if line[:common].isspace() or not common else line for line in lines]


# ------------------------------------------------------------------------------------------------ static arguments


def _static_on_the_magic(text: str, fix: Fix, function: str, edits: _Edits) -> str:
    """`--static` on the first line; as `f.n` where another function of the cell has an argument of that name."""
    name = function.rpartition(".")[2]
    functions = {node.name: node for node in edits.tree.body if isinstance(node, Function)}
    names = list(fix.static_argnames)
    own = functions.get(name)
    if own is not None:
        places = _parameters(own)
        names += [places[number] for number in fix.static_argnums if number < len(places) and places[number] not in names]
    elif not names:
        raise OptionError(f"{name} is not in this cell; add static_argnums={fix.static_argnums} where it is jitted")
    shared = {argument for other in functions.values() if other is not own for argument in _parameters(other)}
    wanted = [f"{name}.{argument}" if argument in shared and own is not None else argument for argument in names]
    lines = text.split("\n")
    place = next(number for number, line in enumerate(lines) if line.strip())
    line = lines[place].rstrip()
    already = re.search(r"--static[ =]\s*([\w.]+(?:\s*,\s*[\w.]+)*)", line)
    if already:
        both = dict.fromkeys([*re.split(r"\s*,\s*", already[1]), *wanted])
        line = f"{line[: already.start(1)]}{','.join(both)}{line[already.end(1) :]}"
    else:
        line += f" --static {','.join(wanted)}"
    lines[place] = line
    return "\n".join(lines)


def _parameters(node: Function) -> list[str]:
    return [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]


def _static_at_the_decorator(text: str, fix: Fix, function: str, namespace: Mapping[str, Any]) -> str:
    """The option at `jax.jit` where that stands over the function, or where it is called with it."""
    parsed = "\n".join("" if re.match(r"\s*[%!]", line) else line for line in text.split("\n"))
    try:
        tree = ast.parse(parsed)
    except SyntaxError:
        raise OptionError(f"the cell cannot be parsed; add {_option(fix)} where {function} is jitted") from None
    names = Names(tree, namespace)
    name = function.rpartition(".")[2]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            for decorator in node.decorator_list:
                if names.is_jit(decorator):
                    return _insert(text, decorator, f"({_option(fix)})")
                call = _jit_call(decorator, names)
                if call:
                    return _with_option(text, call, fix)
        call = _jit_call(node, names)
        if call and call.args and isinstance(call.args[-1], ast.Name) and call.args[-1].id == name:
            return _with_option(text, call, fix)
    raise OptionError(f"jax.jit of {name} is not in this cell; add {_option(fix)} where it is jitted")


def _jit_call(node: ast.AST, names: Names) -> ast.Call | None:
    """`jax.jit(…)` or `partial(jax.jit, …)`."""
    if isinstance(node, ast.Call) and names.is_jit(node.func):
        return node
    if isinstance(node, ast.Call) and node.args and names.is_partial(node.func) and names.is_jit(node.args[0]):
        return node
    return None


def _option(fix: Fix) -> str:
    """The options as they are typed into a call of jit."""
    return ", ".join(f"{name}={_written(values)}" for name, values in _options(fix).items() if values)


def _options(fix: Fix) -> dict[str, tuple[Any, ...]]:
    return {"static_argnums": fix.static_argnums, "static_argnames": fix.static_argnames}


def _written(values: tuple[Any, ...]) -> str:
    items = [f'"{value}"' if isinstance(value, str) else repr(value) for value in values]
    return items[0] if len(items) == 1 else f"({', '.join(items)})"


def _with_option(text: str, call: ast.Call, fix: Fix) -> str:
    """The options added to a call, or joined with those that it has already."""
    wanted = _options(fix)
    there = {keyword.arg: keyword for keyword in call.keywords if keyword.arg in wanted}
    if "static_argnums" in there and not fix.static_argnums:
        numbers = there.pop("static_argnums")  # the fix's names hold what the numbers stood for
        if "static_argnames" not in there:
            return _replace(text, numbers, _option(fix))
        text = _without(text, call, numbers)
        return _with_option(text, _jit_call_like(text, call), fix)
    for name, keyword in there.items():
        wanted[str(name)] = tuple(dict.fromkeys((*_literal(keyword, fix), *wanted[str(name)])))
    missing = Fix(
        fix.number,
        fix.proof,
        () if "static_argnames" in there else wanted["static_argnames"],
        () if "static_argnums" in there else wanted["static_argnums"],
    )
    items = sorted([*call.args, *(keyword.value for keyword in call.keywords)], key=lambda node: (node.lineno, node.col_offset))
    if _option(missing):
        if not items:
            return _replace(text, call, f"{ast.unparse(call.func)}({_option(missing)})")
        text = _insert(text, items[-1], f", {_option(missing)}")
    for name, keyword in sorted(there.items(), key=lambda item: (item[1].lineno, item[1].col_offset), reverse=True):
        text = _replace(text, keyword.value, _written(wanted[str(name)]))
    return text


def _literal(keyword: ast.keyword, fix: Fix) -> tuple[Any, ...]:
    """What stands behind a static option."""
    try:
        given = ast.literal_eval(keyword.value)
    except ValueError:
        written = ast.unparse(keyword.value)
        raise OptionError(f"jax.jit has {keyword.arg}={written} already; it must also hold {_option(fix)}") from None
    return tuple(given) if isinstance(given, (tuple, list)) else (given,)


def _without(text: str, call: ast.Call, keyword: ast.keyword) -> str:
    """The call without one of its options, and without the comma that stood beside it."""
    items: list[ast.expr | ast.keyword] = sorted([*call.args, *call.keywords], key=lambda node: (node.lineno, node.col_offset))
    place = items.index(keyword)
    begin, end = _offset(text, keyword.lineno, keyword.col_offset), _offset(text, *_end(keyword))
    if place:
        begin = _offset(text, *_end(items[place - 1]))
    else:
        end = _offset(text, items[1].lineno, items[1].col_offset)
    return text[:begin] + text[end:]


def _end(node: ast.expr | ast.keyword) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")
    return sum(len(each) + 1 for each in lines[: line - 1]) + _characters(lines[line - 1], column)


def _jit_call_like(text: str, call: ast.Call) -> ast.Call:
    """The same call in the changed text: it begins where it began."""
    parsed = "\n".join("" if re.match(r"\s*[%!]", line) else line for line in text.split("\n"))
    begin = (call.lineno, call.col_offset)
    return next(
        node
        for node in ast.walk(ast.parse(parsed))
        if isinstance(node, ast.Call) and (node.lineno, node.col_offset) == begin and ast.dump(node.func) == ast.dump(call.func)
    )


def _insert(text: str, after: ast.expr, addition: str) -> str:
    lines = text.split("\n")
    row = (after.end_lineno or 1) - 1
    column = _characters(lines[row], after.end_col_offset or 0)
    lines[row] = lines[row][:column] + addition + lines[row][column:]
    return "\n".join(lines)


def _replace(text: str, node: ast.expr | ast.keyword, new: str) -> str:
    lines = text.split("\n")
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head = lines[first][: _characters(lines[first], node.col_offset)]
    tail = lines[last][_characters(lines[last], node.end_col_offset or 0) :]
    lines[first : last + 1] = [head + new + tail]
    return "\n".join(lines)


def _characters(line: str, utf8: int) -> int:
    """`ast` counts bytes; text counts characters."""
    return len(line.encode()[:utf8].decode(errors="replace"))
