"""Every sentence that the Python side may show a user, a line each, so that a fresh pair of eyes can read them in one go.

``python scripts/sentences.py [WORD …]`` prints file, line and text of the literals with at least two words, or of those that
hold one of the words. Values that are put in appear as {expression}. Docstrings are left out but for the magics', which are
the help that `%%jit?` shows.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "jupyter_jitmagic"


def text_of(node: ast.expr) -> str | None:
    """A literal's text, f-strings with their expressions in braces; None for what is no literal."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(p.value) if isinstance(p, ast.Constant) else f"{{{ast.unparse(p.value)}}}" for p in node.values)
    return None


def literals(node: ast.AST, keeps_docstrings: bool) -> Iterator[tuple[int, str]]:
    """Line and text of each literal, a joined one once, as it is put together."""
    body = getattr(node, "body", None)
    for child in ast.iter_child_nodes(node):
        is_bare = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if is_bare and not (keeps_docstrings and isinstance(body, list) and child is body[0]):
            continue
        text = text_of(child) if isinstance(child, ast.expr) else None
        if text is None:
            yield from literals(child, keeps_docstrings)
        else:
            yield child.lineno, text


def is_sentence(text: str) -> bool:
    return len(re.findall(r"[A-Za-z]{2,}", re.sub(r"\{[^}]*\}", "", text))) > 1 and " " in text.strip()


def main(words: list[str]) -> None:
    for file in sorted(PACKAGE.rglob("*.py")):
        is_help = file.name == "magics.py"
        for line, text in literals(ast.parse(file.read_text(encoding="utf-8")), is_help):
            if is_sentence(text) and (not words or any(word in text for word in words)):
                print(f"{file.relative_to(ROOT)}:{line}: {' '.join(text.split())}")


if __name__ == "__main__":
    main(sys.argv[1:])
