"""What a fix changes in other cells, put above what it changes in this one, so that one cell holds all of it. No IPython."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.magics.cell_tree import plan
from jupyter_jitmagic.magics.fixed_cells import defines, without_magics
from jupyter_jitmagic.magics.request import jit_line, options_of, read_jit_line


def with_above(text: str, statements: Mapping[str, str], namespace: Mapping[str, Any]) -> str:
    """A cell's text with statements of other cells above its own, below its imports; its ``%%jit`` takes what it took.

    Args:
        text: the cell, with what the fix changes in it.
        statements: by name at module level, the whole statements.
        namespace: the user's names.

    Raises:
        OptionError: they cannot stand there; one line.
    """
    try:
        tree = ast.parse(without_magics(text))
    except SyntaxError:
        raise OptionError("the cell cannot be parsed; make the change by hand") from None
    for name, statement in statements.items():
        whole, _, method = name.partition(".")
        if (method and not _is_class(statement)) or defines(text, whole):
            raise OptionError(f"{name} cannot be put into another cell; make the change by hand")
    lines = text.split("\n")
    place = _below_imports(lines, tree)
    above = "\n\n\n".join(dict.fromkeys(statement.strip("\n") for statement in statements.values())).split("\n")
    before, after = lines[:place], lines[place:]
    while after and not after[0].strip():
        after.pop(0)
    gap = [""] if before and not before[-1].lstrip().startswith("%%") else []
    joined = [*before, *gap, *above, "", "", *after]
    return _with_names("\n".join(joined), tree, namespace)


def _is_class(statement: str) -> bool:
    return isinstance(ast.parse(statement).body[-1], ast.ClassDef)


def _below_imports(lines: Sequence[str], tree: ast.Module) -> int:
    """How many lines of the cell stand above: its magics, and the imports that it begins with."""
    above = next((number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("%%")), 0)
    place = above
    for node in tree.body:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (text or isinstance(node, ast.Import | ast.ImportFrom)):
            return place if node.lineno > place else above  # import jax; answer = f(x)
        place = node.end_lineno or 0
    return place


def _with_names(text: str, before: ast.Module, namespace: Mapping[str, Any]) -> str:
    """The text, whose ``%%jit`` names the functions that it took before where it would take others now."""
    number = jit_line(text)
    if number is None:
        return text
    lines = text.split("\n")
    head, options = options_of(lines[number])
    request = read_jit_line(options)
    wanted = [each.name for each in plan(before, request, namespace).taken]
    now = ast.parse(without_magics(text))
    if [each.name for each in plan(now, request, namespace).taken] != wanted:
        options = f" {','.join(wanted)}{options}"
        if [each.name for each in plan(now, read_jit_line(options), namespace).taken] != wanted:
            raise OptionError(f"the line of %%jit cannot be changed as it is written; it should take {', '.join(wanted)}")
        lines[number] = head + options
    return "\n".join(lines)
