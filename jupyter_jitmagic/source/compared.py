"""With what a source compares: the numbers and words at which its branches turn."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def compared_numbers(tree: ast.AST) -> Iterator[float]:
    """The numbers with which a source compares, those of `match` too."""
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            parts = [node.value]
        for part in (inner for root in parts for inner in ast.walk(root)):
            if isinstance(part, ast.Constant) and isinstance(part.value, int | float) and not isinstance(part.value, bool):
                yield part.value
                yield -part.value


def compared_words(tree: ast.AST) -> Iterator[str]:
    """The strings with which a source compares or that name entries."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare | ast.MatchValue | ast.Dict):
            roots = [k for k in node.keys if k] if isinstance(node, ast.Dict) else [node]
            for part in (inner for root in roots for inner in ast.walk(root)):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value
