"""A fix put into the text of a cell: the option on the magic's line or at the decorator, the rewritten statement in its place.

Works on text and positions of the syntax tree, so what is not touched stays as typed. Knows nothing of IPython.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.diagnosis.fixes import Fix
from jupyter_jitmagic.magics.cell_names import Function, Names, module_level
from jupyter_jitmagic.magics.cell_tree import plan
from jupyter_jitmagic.magics.jit_calls import Sought, calls_given, is_jit, jit_call
from jupyter_jitmagic.magics.request import jit_line, options_of, read_jit_line, with_static
from jupyter_jitmagic.usercode.places import characters

_Node = TypeVar("_Node", bound=ast.stmt | ast.expr)


def fixed_cell(
    typed: str,
    ran: str,
    fix: Fix,
    function: str,
    statements: Mapping[str, str],
    namespace: Mapping[str, Any],
    lines: Collection[int] = (),
    place: tuple[str, int] = ("", 0),
) -> str:
    """The whole text of a cell with a fix in it.

    Args:
        typed, ran: the cell as it was typed and as IPython ran it (magics turned into calls), line for line the same.
        fix: what to put in.
        function: the qualified name of the function that could not be traced.
        statements: what of the fix's rewrite belongs in this cell: by name, the statement that replaces it.
        namespace: the user's names, to know `jax.jit` where it has another name.
        lines: lines of the functions that ran, to know them among others of the same name; the last one of a name counts else.
        place: the file and line at which the function is defined, to know it under other names (``net.apply``).

    Raises:
        OptionError: the cell has no place for the fix; one line that says so.
    """
    edits = _Edits(typed, ran, lines)
    for name, statement in statements.items():
        edits.replace(name, statement)
    text = edits.text()
    if not fix.static_argnames and not fix.static_argnums:
        return text
    jitted = _Jitted.of(edits.tree, function, fix, lines)
    if (number := jit_line(typed)) is not None and _is_taken(typed.splitlines()[number], edits.tree, jitted.name, namespace):
        return _static_on_the_magic(text, number, fix, jitted.name, edits.tree, lines)
    return _static_at_the_decorator(text, fix, jitted, Sought(jitted.name, *place, namespace))


def without_magics(text: str) -> str:
    """A cell with what IPython alone reads as blank lines, or as Python that does nothing where a block needs some; every other
    line and column stays."""
    lines = text.splitlines()
    blank = "\n".join("" if re.match(r"\s*[%!?]", line) else line for line in lines)
    try:
        ast.parse(blank)
    except SyntaxError:
        return "\n".join(re.sub(_MAGIC, _nothing, line) for line in lines)
    return blank


_MAGIC = r"^(?P<indent>\s*)(?:[%!?]|(?P<names>[\w.,* ]+=\s*)[%!]).*"


def _nothing(line: re.Match[str]) -> str:
    if line["names"]:
        return f"{line['indent']}{line['names']}None"
    return f"{line['indent']}pass" if line["indent"] else ""


class _Edits:
    """Replacements of whole statements, kept by line until all are known."""

    def __init__(self, typed: str, ran: str, ran_lines: Collection[int]) -> None:
        self._lines = typed.splitlines()
        self._ran_lines = ran_lines
        try:
            self.tree = ast.parse(ran)
        except SyntaxError:
            raise OptionError("the cell cannot be parsed; make the change by hand") from None
        if len(self._lines) < max((node.end_lineno or 0 for node in self.tree.body), default=0):
            raise OptionError("the cell's lines do not match what was run; make the change by hand")
        self._replaced: list[tuple[int, int, list[str]]] = []
        self._imports: dict[str, None] = {}
        self._top = 0
        """What statements bring in beside the cell's own imports, and the line these end at."""

    def replace(self, name: str, statement: str) -> None:
        node = _statement(self.tree.body, name.split("."), statement, self._ran_lines)
        if node is None:
            raise OptionError(f"{name} is not in the cell any more; run the cell again, then %jitfix")
        indent = " " * node.col_offset
        new = _dedented(statement)
        top = _end_of_imports(self.tree, node)
        if top and (count := _count_imports(new)):
            self._imports.update(dict.fromkeys(line for line in new[:count] if line.strip()))
            self._top, new = top, new[count:]
        new = [indent + line if line.strip() else "" for line in new]
        self._replaced.append((_first_line(node), node.end_lineno or node.lineno, new))

    def text(self) -> str:
        lines = list(self._lines)
        imports = [line for line in self._imports if line not in self._lines[: self._top]]
        for first, last, new in sorted([*self._replaced, (self._top + 1, self._top, imports)], reverse=True):
            lines[first - 1 : last] = new
        return "\n".join(lines)


def _statement(body: list[ast.stmt], path: list[str], statement: str, lines: Collection[int]) -> ast.stmt | None:
    """The statement that defines a name; for "Class.method" the class if the new statement is one, else the method."""
    found = _that_ran([node for node in module_level(body) if _defines(node) == path[0]], lines)
    if len(path) > 1 and isinstance(found, ast.ClassDef) and not statement.lstrip().startswith("class "):
        return _statement(found.body, path[1:], statement, lines)
    return found


def _defines(node: ast.stmt) -> str:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
            return name
    return ""


def _that_ran(nodes: list[_Node], lines: Collection[int]) -> _Node | None:
    """Of several definitions, as they stand, the one that holds one of these lines; else the last, which replaced them."""
    holding = [node for node in nodes if any(_first_line(node) <= line <= (node.end_lineno or 0) for line in lines)]
    return holding[-1] if holding else nodes[-1] if nodes else None


def _first_line(node: ast.stmt | ast.expr) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min(each.lineno for each in (node, *decorators))


def _end_of_imports(tree: ast.Module, before: ast.stmt) -> int:
    """The last line of the imports that a cell begins with, if they stand before a statement of its; 0 for none."""
    first = itertools.takewhile(lambda node: isinstance(node, _IMPORT) or _is_text(node), tree.body)
    return max((node.end_lineno or 0 for node in first if isinstance(node, _IMPORT) and before in tree.body), default=0)


_IMPORT = ast.Import | ast.ImportFrom


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _count_imports(lines: list[str]) -> int:
    """How many lines a statement's imports take, with what is empty after them."""
    imports = [*itertools.takewhile(lambda line: not line.strip() or line.startswith(("import ", "from ")), lines)]
    return len(imports) if any(line.strip() for line in imports) else 0


def _dedented(statement: str) -> list[str]:
    lines = statement.strip("\n").splitlines()
    common = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    return [line[common:] if line[:common].isspace() or not common else line for line in lines]


# ------------------------------------------------------------------------------------------------ static arguments


@dataclass(frozen=True, slots=True)
class _Jitted:
    """The function that needs static arguments, found again after the text around it has changed."""

    name: str
    """As the cell calls it; "" for a lambda without a name."""
    place: int
    """The how-manyth of its kind: of the functions of its name, or of the lambdas that are given to a call; -1 is the last."""

    @classmethod
    def of(cls, tree: ast.Module, function: str, fix: Fix, lines: Collection[int]) -> _Jitted:
        name = function.rpartition(".")[2]
        if name != "<lambda>":
            found = _functions(tree, name)
            chosen = _that_ran(found, lines)
            return cls(name, next((place for place, node in enumerate(found) if node is chosen), -1))
        named = [(node, node.value) for node in module_level(tree.body) if isinstance(node, ast.Assign | ast.AnnAssign)]
        among = {id(value): _defines(node) for node, value in named}
        called = _called_lambdas(tree)
        lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda) and node.lineno in lines]
        lambdas = [node for node in lambdas if set(fix.static_argnames) <= set(_parameters(node))]
        lambdas = [node for node in lambdas if among.get(id(node)) or node in called]
        if len(lambdas) != 1:
            how = "several lambdas stand" if lambdas else "no lambda stands"
            raise OptionError(f"{how} where this one was made; add {_option(fix)} where it is jitted")
        (node,) = lambdas
        return cls(among[id(node)], 0) if among.get(id(node)) else cls("", called.index(node))


def _functions(tree: ast.AST, name: str) -> list[ast.FunctionDef]:
    """Every function of this name, methods and nested ones too, as they stand."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]
    return sorted(found, key=lambda node: node.lineno)


def _called_lambdas(tree: ast.AST) -> list[ast.Lambda]:
    """The lambdas that are the last argument of a call and stand in no other lambda, as they stand."""
    found: list[ast.Lambda] = []

    def look(node: ast.AST) -> None:
        if isinstance(node, ast.Call) and node.args and isinstance(last := node.args[-1], ast.Lambda):
            found.append(last)
        for part in ast.iter_child_nodes(node):
            if not isinstance(part, ast.Lambda):
                look(part)

    look(tree)
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _is_taken(line: str, tree: ast.Module, name: str, namespace: Mapping[str, Any]) -> bool:
    """Does the cell's ``%%jit`` put jit on this function?"""
    return any(taken.name == name for taken in plan(tree, read_jit_line(options_of(line)[1]), namespace).taken)


def _static_on_the_magic(text: str, number: int, fix: Fix, name: str, tree: ast.Module, lines: Collection[int]) -> str:
    """`--static` on the magic's line; as `f.n` where another function of the cell has an argument of that name."""
    if fix.undeclared:
        raise OptionError(f"the line of %%jit is to be changed by hand: {', '.join(fix.undeclared)} cannot be static")
    own = _that_ran([node for node in module_level(tree.body) if _defines(node) == name], lines)
    others = [node for node in module_level(tree.body) if isinstance(node, Function) and node.name != name]
    parameters = _parameters(own.value if isinstance(own, ast.Assign) else own)
    names = list(fix.static_argnames)
    names += [parameters[each] for each in fix.static_argnums if each < len(parameters) and parameters[each] not in names]
    shared = {argument for other in others for argument in _parameters(other)}
    every = text.split("\n")
    magic, options = options_of(every[number])
    there = read_jit_line(options).static
    wanted = [f"{name}.{argument}" if argument in shared else argument for argument in names]
    missing = [each for each in wanted if each not in there and each.rpartition(".")[2] not in there]
    every[number] = magic + (with_static(options, missing) if missing else options)
    return "\n".join(every)


def _parameters(node: Any) -> list[str]:
    """The parameters of a function or a lambda."""
    return [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]


def _static_at_the_decorator(text: str, fix: Fix, jitted: _Jitted, sought: Sought) -> str:
    """`static_argnames` (or `static_argnums`) into the `jax.jit` that the function is put under."""
    try:
        tree = ast.parse(without_magics(text))
    except SyntaxError:
        raise OptionError(
            f"the cell cannot be parsed; add {_option(fix)} where {jitted.name or 'the lambda'} is jitted"
        ) from None
    names = Names(tree, sought.namespace)
    definitions = _functions(tree, jitted.name)
    for definition in definitions[jitted.place :][:1]:
        for decorator in definition.decorator_list:
            if is_jit(decorator, names):
                return _insert(text, decorator, f"({_option(fix)})")
            call = jit_call(decorator, names)
            if call:
                return _with_option(text, call, fix)
    if jitted.name:
        calls = calls_given(tree, sought, names)
    else:
        function = _called_lambdas(tree)[jitted.place]
        found = [call for node in ast.walk(tree) if (call := jit_call(node, names)) and call.args]
        calls = [call for call in found if call.args[-1] is function]
    if len(calls) != 1:
        how = "jitted in several places" if calls else "not jitted in this cell"
        raise OptionError(f"{jitted.name or 'the lambda'} is {how}; add {_option(fix)} where it is")
    return _with_option(text, calls[0], fix)


def defines(text: str, function: str) -> bool:
    """Whether a cell holds a function of this name."""
    try:
        return bool(_functions(ast.parse(without_magics(text)), function))
    except SyntaxError:
        return False


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
        already = [each for each in _literal(keyword, fix) if each not in fix.undeclared]
        wanted[str(name)] = tuple(dict.fromkeys((*already, *wanted[str(name)])))
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
    return sum(len(each) + 1 for each in lines[: line - 1]) + characters(lines[line - 1], column)


def _jit_call_like(text: str, call: ast.Call) -> ast.Call:
    """The same call in the changed text: it begins where it began."""
    parsed = without_magics(text)
    begin = (call.lineno, call.col_offset)
    return next(
        node
        for node in ast.walk(ast.parse(parsed))
        if isinstance(node, ast.Call) and (node.lineno, node.col_offset) == begin and ast.dump(node.func) == ast.dump(call.func)
    )


def _insert(text: str, after: ast.expr, addition: str) -> str:
    lines = text.split("\n")
    row = (after.end_lineno or 1) - 1
    column = characters(lines[row], after.end_col_offset or 0)
    lines[row] = lines[row][:column] + addition + lines[row][column:]
    return "\n".join(lines)


def _replace(text: str, node: ast.expr | ast.keyword, new: str) -> str:
    lines = text.split("\n")
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head = lines[first][: characters(lines[first], node.col_offset)]
    tail = lines[last][characters(lines[last], node.end_col_offset or 0) :]
    lines[first : last + 1] = [head + new + tail]
    return "\n".join(lines)
