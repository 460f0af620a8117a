"""What stands in the module scope of a cell, and what its names stand for."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef

JITS = ("jax.jit", "jax._src.api.jit", "jupyter_jitmagic.jit", "jupyter_jitmagic.recording.api.jitting.jit")
OTHER_COMPILERS = ("numba", "equinox", "flax", "torch", "tensorflow", "taichi", "triton", "warp", "cupy")


def module_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run in the module's scope, as they stand; those inside `if`, `try`, `with`, `match` and loops, too."""
    for node in body:
        yield node
        yield from module_level(inside(node))


def inside(node: ast.stmt) -> Iterator[ast.stmt]:
    """The statements in the blocks of a compound statement that has no scope of its own."""
    if isinstance(node, (Function, ast.ClassDef)):
        return
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.stmt):
            yield part
        elif isinstance(part, (ast.ExceptHandler, ast.match_case)):
            yield from part.body


class Names:
    """What a dotted name of the cell stands for: an object, the path it will be imported from, or None if that is not known."""

    def __init__(self, tree: ast.Module, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._cell: dict[str, Any] = {}
        for node in module_level(tree.body):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self._cell[alias.asname or alias.name.partition(".")[0]] = _Path(
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    self._cell[alias.asname or alias.name] = _Path(f"{node.module}.{alias.name}")
            elif isinstance(node, (Function, ast.ClassDef)):
                self._cell[node.name] = None
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self._cell[target.id] = self._look_up(node.value)

    def _look_up(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            found = self._cell[node.id] if node.id in self._cell else self._namespace.get(node.id)
        elif isinstance(node, ast.Attribute):
            base = self._look_up(node.value)
            if isinstance(base, _Path):
                found = _Path(f"{base}.{node.attr}")
            else:
                found = vars(base).get(node.attr) if isinstance(base, ModuleType) else None
                if found is None and isinstance(base, ModuleType):
                    found = _Path(f"{base.__name__}.{node.attr}")
        else:
            found = None
        return _settled(found) if isinstance(found, _Path) else found

    def is_jit(self, node: ast.expr) -> bool:
        """Is this expression `jax.jit` (or our own `jit`), under whatever name?"""
        found = self._look_up(node)
        return _qualified(found) in JITS

    def library_of(self, node: ast.expr) -> str:
        """The package that what an expression stands for comes from; "" where that is not known."""
        return _qualified(self._look_up(node)).partition(".")[0]

    def is_partial(self, node: ast.expr) -> bool:
        return _qualified(self._look_up(node)) == "functools.partial"

    def other_compiler(self, decorator: ast.expr) -> str:
        """The other compiler that this decorator belongs to, as the user wrote it, or ""."""
        node = decorator
        while isinstance(node, ast.Call):
            node = node.args[0] if node.args and self.is_partial(node.func) else node.func
        if self.is_jit(node):
            return ""
        written = ast.unparse(node)
        qualified = _qualified(self._look_up(node)) or written
        root, last = qualified.partition(".")[0], qualified.rpartition(".")[2]
        if root in OTHER_COMPILERS or last in ("jit", "njit", "filter_jit", "pjit", "pmap", "nopython"):
            return written
        return ""


class _Path(str):
    """A dotted path that is imported from, not (yet) an object."""


def _settled(path: _Path) -> Any:
    """The object at a dotted path if its module is loaded. Only modules' attributes are read, so nothing of the user's runs."""
    parts = path.split(".")
    for split in range(len(parts), 0, -1):
        found: Any = sys.modules.get(".".join(parts[:split]))
        if found is None:
            continue
        for name in parts[split:]:
            found = vars(found).get(name) if isinstance(found, ModuleType) else None
        return path if found is None else found
    return path


def _qualified(found: Any) -> str:
    if isinstance(found, _Path):
        return found
    if isinstance(found, ModuleType) or found is None:
        return ""
    module, name = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
    return f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else ""
