"""The calls of a cell that put a function under jit: `jax.jit(f)`, `jax.jit(partial(f, …))`, `partial(jax.jit, …)`.

Works on syntax trees. Knows nothing of IPython, and runs nothing of the user's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_jitmagic.magics.cell_names import Names
from jupyter_jitmagic.usercode.origin import file_of, function_named, line_of
from jupyter_jitmagic.usercode.places import characters


@dataclass(frozen=True)
class Sought:
    """A function that a call may be given: under its name, or under another one that stands for it.

    `name` is "" where a name says nothing: a function of a file bears in a cell whatever name it was given there.
    """

    name: str
    filename: str = ""
    line: int = 0
    """Where it is defined."""
    namespace: Mapping[str, Any] = field(default_factory=dict)

    def is_named_by(self, node: ast.expr) -> bool:
        """Whether a (dotted) name stands for it: ``f``, ``self.step``, ``model`` for its class's ``__call__``."""
        if isinstance(node, ast.Name) and node.id == self.name:
            return True
        plain = function_named(_path(node), self.namespace)
        if plain is not None and self.line:
            return (file_of(plain), line_of(plain)) == (self.filename, self.line)
        return isinstance(node, ast.Attribute) and node.attr == self.name

    def is_within(self, node: ast.expr) -> bool:
        """Whether it is what a call is about in the end: ``jax.vmap(f)``, ``partial(f, n=3)``."""
        if isinstance(node, ast.Call):
            return bool(node.args) and self.is_within(node.args[0])
        return self.is_named_by(node)


def _path(node: ast.expr) -> tuple[str, ...]:
    """The parts of a dotted name; none of anything else."""
    if isinstance(node, ast.Name):
        return (node.id,)
    above = _path(node.value) if isinstance(node, ast.Attribute) else ()
    return (*above, node.attr) if above and isinstance(node, ast.Attribute) else ()


def calls_given(tree: ast.AST, sought: Sought, names: Names) -> list[ast.Call]:
    """The calls that hold the options of a jit that is given the function, by itself or under `vmap` and its like."""
    return [call for given, call in _given(tree, names) if sought.is_within(given.args[-1])]


def _given(tree: ast.AST, names: Names) -> Iterator[tuple[ast.Call, ast.Call]]:
    """Each call that puts something under jit, and the one with the options: of ``partial(jax.jit, …)(f)`` the inner one."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        if jit_call(node, names) is not None:
            yield node, node
        elif (call := jit_call(node.func, names)) is not None and len(call.args) == (0 if is_jit(call.func, names) else 1):
            yield node, call


def jit_call(node: ast.AST, names: Names) -> ast.Call | None:
    """`jax.jit(…)` or `partial(jax.jit, …)`, or the jit of a library's that takes the same options."""
    if isinstance(node, ast.Call) and is_jit(node.func, names):
        return node
    if isinstance(node, ast.Call) and node.args and names.is_partial(node.func) and is_jit(node.args[0], names):
        return node
    return None


def is_jit(node: ast.expr, names: Names) -> bool:
    """Whether it is `jax.jit` or another library's `jit` (``nnx.jit``)."""
    if isinstance(node, ast.Call):
        return False
    return names.is_jit(node) or names.other_compiler(node).rpartition(".")[2] == "jit"


def called_plainly(text: str, tree: ast.AST, sought: Sought, names: Names) -> str:
    """The text with `f` for each `jax.jit(f, …)`, and `partial(f, …)` for that of one."""
    lines = text.split("\n")
    found = [node for node, _ in _given(tree, names) if _is_plain_call(node.args[-1], sought, names)]
    for node in sorted(found, key=lambda each: (each.lineno, each.col_offset), reverse=True):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        head = lines[first][: characters(lines[first], node.col_offset)]
        tail = lines[last][characters(lines[last], node.end_col_offset or 0) :]
        lines[first : last + 1] = [f"{head}{ast.unparse(node.args[-1])}{tail}"]
    return "\n".join(lines)


def _is_plain_call(node: ast.expr, sought: Sought, names: Names) -> bool:
    """Whether Python calls the function as it is: not so under `jax.vmap`, whose arrays have no value to decide by."""
    if isinstance(node, ast.Call):
        return names.is_partial(node.func) and bool(node.args) and _is_plain_call(node.args[0], sought, names)
    return sought.is_named_by(node)
