"""The functions of a source file and the lines that each covers, from the text that `linecache` has of it (cells included)."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Collection, Iterator
from types import CodeType
from typing import NamedTuple


class Written(NamedTuple):
    """A function as it is written; `last` is included."""

    file: str
    name: str
    first: int
    last: int

    def has(self, file: str, line: int) -> bool:
        """Whether a line of a file is one of its lines."""
        return file == self.file and self.first <= line <= self.last

    @property
    def code(self) -> list[str]:
        """Its lines, without the indentation that all share."""
        lines = [line.rstrip("\n") for line in linecache.getlines(self.file)[self.first - 1 : self.last]]
        margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        return [line[margin:] for line in lines]


_LOOPS = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)


class Source:
    """The functions of one file; of a file whose text cannot be read or is no Python, none."""

    def __init__(self, file: str) -> None:
        # what Python was given with -c has this name, too, and `linecache` may hold that text
        text = "".join(linecache.getlines(file)) if file != "<string>" else ""
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            tree = ast.Module([], [])
        self._every = list(_functions(file, tree, ""))
        self.loops = [
            (node.lineno, node.end_lineno or node.lineno)
            for node in ast.walk(tree)
            if isinstance(
                node, ast.For | ast.While | ast.AsyncFor | ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.SetComp
            )
        ]
        """First and last line of each Python loop."""

    def at(self, line: int) -> Written | None:
        """The function whose definition, decorators included, begins on this line or has it in its head."""
        return next((found for found, head in self._every if found.first <= line <= head), None)

    def around(self, line: int, apart: Collection[Written] = ()) -> Written | None:
        """The outermost function with this line in it, and with none of those in it that stand apart."""
        around = (found for found, _ in self._every if found.first <= line <= found.last)
        return next((found for found in around if not any(found.has(each.file, each.first) for each in apart)), None)

    def innermost(self, name: str, line: int) -> Written | None:
        """The function of this qualified name with this line in it."""
        return next((found for found, _ in self._every if found.name == name and found.first <= line <= found.last), None)


def written_as(code: CodeType) -> Written:
    """A function as its code tells, where no definition is found: a lambda."""
    lines = [line for _, _, line in code.co_lines() if line is not None]
    return Written(code.co_filename, code.co_qualname, min(lines), max(lines))


def _begin(node: ast.AST) -> int:
    """A statement's first line, with its decorators."""
    lines = [node, *getattr(node, "decorator_list", [])]
    return min(int(each.lineno) for each in lines)


def _functions(file: str, node: ast.AST, prefix: str) -> Iterator[tuple[Written, int]]:
    """Each function with the line its head ends on, outer ones before inner ones."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            written = Written(file, prefix + child.name, _begin(child), child.end_lineno or child.lineno)
            yield written, max(_begin(child.body[0]) - 1, written.first)
            yield from _functions(file, child, f"{prefix}{child.name}.<locals>.")
        elif isinstance(child, ast.ClassDef):
            yield from _functions(file, child, f"{prefix}{child.name}.")
        else:
            yield from _functions(file, child, prefix)
