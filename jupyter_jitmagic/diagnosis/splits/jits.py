"""How jit is spelled beside a function: the decorators that come off, and what stands over the pieces."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Mapping
from typing import Any

import jax

from jupyter_jitmagic.base.looking import text_attribute
from jupyter_jitmagic.source.code import Code, apply_edits
from jupyter_jitmagic.usercode.ownership import is_library_module

_LIBRARIES = ("jax", "jaxlib", "equinox", "jupyter_jitmagic")
_WITH_A_JIT = (*_LIBRARIES, "flax")


class Jits:
    """The jit of a namespace.

    Args:
        names: the function's globals.
        filtering: the function was under equinox's jit, which keeps what is no array as it is.
        own: the jit that the pieces are under, where JAX's does not carry out what they change in place.

    Example:
        >>> Jits({"jax": jax}).decorator(("n",))
        '@jax.jit(static_argnames="n")'
    """

    def __init__(self, names: Mapping[str, Any], filtering: bool = False, own: str = "") -> None:
        self._names, self._filtering = names, filtering
        self.needed_import = ""
        self._spelled = own or self._spelling()

    def _spelling(self) -> str:
        for name, value in self._names.items():
            if isinstance(value, types.ModuleType):
                if self._filtering and value.__name__ == "equinox":
                    return f"{name}.filter_jit"
                if not self._filtering and value.__name__ == "jax":
                    return f"{name}.jit"
            elif (value is jax.jit and not self._filtering) or (self._filtering and is_filtering(value)):
                return name
        self.needed_import = "import equinox" if self._filtering else "import jax"
        return "equinox.filter_jit" if self._filtering else "jax.jit"

    def decorator(self, static: tuple[str, ...]) -> str:
        """The line above a piece."""
        if not static or self._filtering:
            return f"@{self._spelled}"
        names = ", ".join(f'"{name}"' for name in static)
        return f"@{self._spelled}(static_argnames={names if len(static) == 1 else f'({names})'})"

    def is_jit(self, node: ast.expr) -> bool:
        """Whether an expression is a jit: `jax.jit`, `jit(static_argnums=0)`, `partial(jax.jit, …)`."""
        if isinstance(node, ast.Call):
            if self._is(node.func, "partial") and node.args:
                return self.is_jit(node.args[0])
            return self.is_jit(node.func)
        value = self._value(node)
        library = text_attribute(value, "__module__").partition(".")[0]
        return callable(value) and library in _WITH_A_JIT and text_attribute(value, "__name__").endswith("jit")

    def _is(self, node: ast.expr, name: str) -> bool:
        return text_attribute(self._value(node), "__name__") == name

    def _value(self, node: ast.expr) -> Any:
        """What a dotted name stands for; no code of the user's runs."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self._value(node.value)
            if isinstance(owner, types.ModuleType) and is_library_module(owner):
                return getattr(owner, node.attr, None)
        return None

    def others(self, function: ast.FunctionDef) -> bool:
        """Whether another transformation of JAX's stands over the function, which its pieces could not pass."""
        for decorator in function.decorator_list:
            value = self._value(decorator.func if isinstance(decorator, ast.Call) else decorator)
            library = text_attribute(value, "__module__").partition(".")[0]
            if library in _LIBRARIES and not self.is_jit(decorator):
                return True
        return False

    def decorator_lines(self, code: Code, function: ast.FunctionDef) -> Iterator[str]:
        """The lines of the decorators that put the function under jit."""
        for decorator in function.decorator_list:
            if self.is_jit(decorator):
                first, last = code.offset(decorator.lineno, 0), code.span(decorator)[1]
                yield code.text[first : code.text.find("\n", last) + 1]

    def without(self, statement: str, name: str) -> str:
        """A statement in which `jax.jit(name, …)` is `name`."""
        code = Code(statement)
        edits = [
            (*code.span(node), code.src(node.args[0]))
            for node in ast.walk(code.tree)
            if isinstance(node, ast.Call)
            and node.args
            and isinstance(node.args[-1], ast.Name)
            and node.args[-1].id == name
            and self.is_jit(node.func)
        ]
        return apply_edits(statement, edits)


def is_filtering(value: Any) -> bool:
    """Whether it is ``equinox.filter_jit``."""
    library = text_attribute(value, "__module__").partition(".")[0]
    return library == "equinox" and "filter_jit" in text_attribute(value, "__name__")
