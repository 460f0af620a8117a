"""A class of settings whose objects hash by identity, as a frozen dataclass: written into its cell, and tried. No IPython.

Only a class that is plain data: `__init__` stores each argument under its own name and does nothing else, and nothing that was
typed sets an attribute of anything but a module later: an object of a frozen class would refuse that.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

from jupyter_jitmagic.magics.fixed_cells import without_magics

_REFUSED = {"__new__", "__eq__", "__hash__", "__post_init__", "__setattr__", "__delattr__", "__getattr__", "__getattribute__"}
"""Methods with which a dataclass would be another class."""
_DECORATORS = {"property", "staticmethod", "classmethod"}
_OTHER_WAYS = {"setattr", "delattr", "vars"}
_NO_FIELD = re.compile(r"\b(ClassVar|InitVar|KW_ONLY)\b")


def as_frozen(
    typed: str, name: str, values: Mapping[str, object], cells: Iterable[str], namespace: Mapping[str, Any]
) -> str | None:
    """The cell with the class `name` in it as a frozen dataclass; None where that is not sure to mean the same.

    Args:
        typed: the cell, magics and all.
        name: the class's, at the top level of the cell.
        values: plain values of the attributes that a recorded object of it had.
        cells: every cell that was typed.
        namespace: the user's names.
    """
    try:
        tree = ast.parse(without_magics(typed))
    except SyntaxError:
        return None
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == name]
    init = _init(found[0]) if len(found) == 1 and found[0] in tree.body else None
    fields = _fields(init) if init is not None else {}
    if init is None or not fields or set(fields) != set(values) or set(fields) & {each.name for each in _methods(found[0])}:
        return None
    if any(_sets_attributes(cell, name, namespace) for cell in {typed, *cells}):
        return None
    after = _written(typed, found[0], init, fields)
    return after if after and _are_equal_by_value(after, name, values) else None


def _methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    return [each for each in node.body if isinstance(each, ast.FunctionDef)]


def _init(node: ast.ClassDef) -> ast.FunctionDef | None:
    """Its `__init__`, where the class has nothing but plain methods."""
    bases = [base for base in node.bases if not (isinstance(base, ast.Name) and base.id == "object")]
    if bases or node.keywords or node.decorator_list or getattr(node, "type_params", []):
        return None
    methods = _methods(node)
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    decorators = [ast.unparse(decorator) for each in methods for decorator in each.decorator_list]
    if len(methods) < len(body) or _REFUSED & {each.name for each in methods} or not set(decorators) <= _DECORATORS:
        return None
    found = [each for each in methods if each.name == "__init__" and not each.decorator_list]
    return found[0] if len(found) == 1 else None


def _fields(init: ast.FunctionDef) -> dict[str, str]:
    """Each attribute as the line that declares it, in the order of the arguments; none where `__init__` does more."""
    given = init.args
    if given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg or not given.args:
        return {}
    own, *arguments = given.args
    if sorted(_stored(init, own.arg)) != sorted(argument.arg for argument in arguments):
        return {}
    defaults = [None] * (len(arguments) - len(given.defaults)) + list(given.defaults)
    fields = {}
    for argument, default in zip(arguments, defaults, strict=True):
        kind = ast.unparse(argument.annotation) if argument.annotation else "object"
        if _NO_FIELD.search(kind) or (default is not None and not _is_plain(default)):
            return {}
        if not argument.annotation and isinstance(default, ast.Constant) and default.value is not None:
            kind = type(default.value).__name__
        fields[argument.arg] = f"{argument.arg}: {kind}" + (f" = {ast.unparse(default)}" if default is not None else "")
    return fields


def _stored(init: ast.FunctionDef, own: str) -> Iterator[str]:
    for statement in init.body:
        match statement:
            case ast.Assign([ast.Attribute(ast.Name(owner), attribute)], ast.Name(value)):
                yield attribute if (owner, attribute) == (own, value) else ""
            case _:
                yield ""


def _is_plain(node: ast.expr) -> bool:
    match node:
        case ast.Constant() | ast.UnaryOp(ast.USub(), ast.Constant()):
            return True
        case ast.Tuple(parts):
            return all(map(_is_plain, parts))
    return False


def _sets_attributes(cell: str, name: str, namespace: Mapping[str, Any]) -> bool:
    """Whether a cell may set or delete an attribute of an object of that class, or makes another class of it."""
    try:
        tree = ast.parse(without_magics(cell))
    except SyntaxError:
        return True
    own = {
        id(target)
        for init in ast.walk(tree)
        if isinstance(init, ast.FunctionDef) and init.name == "__init__" and init.args.args
        for target in ast.walk(init)
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == init.args.args[0].arg
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and id(node) not in own:
            root: ast.expr = node
            while isinstance(root, ast.Attribute):
                root = root.value
            if not (isinstance(root, ast.Name) and isinstance(namespace.get(root.id), ModuleType)):
                return True
        elif (
            (isinstance(node, ast.Name) and node.id in _OTHER_WAYS)
            or (isinstance(node, ast.Attribute) and node.attr in ("__dict__", "__setattr__", "__delattr__"))
            or (isinstance(node, ast.ClassDef) and any(name in ast.unparse(base) for base in node.bases))
        ):
            return True
    return False


def _written(typed: str, node: ast.ClassDef, init: ast.FunctionDef, fields: Mapping[str, str]) -> str:
    """The cell's text; empty where a comment would be lost."""
    lines = typed.splitlines()
    end = init.end_lineno or init.lineno
    old = lines[init.lineno - 1 : end]
    if any("#" in line for line in old):
        return ""
    indent = old[0][: len(old[0]) - len(old[0].lstrip())]
    lines[init.lineno - 1 : end] = [f"{indent}{field}" for field in fields.values()]
    above = ["@dataclass(frozen=True)"]
    if not re.search(r"^from dataclasses import .*\bdataclass\b", typed, re.MULTILINE):
        above = ["from dataclasses import dataclass", "", "", *above]
    lines[node.lineno - 1 : node.lineno - 1] = above
    return "\n".join(lines) + ("\n" if typed.endswith("\n") else "")


def _are_equal_by_value(after: str, name: str, values: Mapping[str, object]) -> bool:
    """Two objects with the recorded values. Nothing of the user's runs: of the class its fields alone, without their types."""
    tree = ast.parse(without_magics(after))
    (node,) = [each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == name]
    node.body = [each for each in node.body if isinstance(each, ast.AnnAssign)]
    for field in node.body:
        if isinstance(field, ast.AnnAssign):
            field.annotation = ast.Constant("")
    imported = ast.parse("from dataclasses import dataclass").body
    space: dict[str, Any] = {"__name__": name}
    exec(compile(ast.fix_missing_locations(ast.Module([*imported, node], [])), "<frozen>", "exec"), space)
    one, other = space[name](**values), space[name](**values)
    return bool(one == other and hash(one) == hash(other))
