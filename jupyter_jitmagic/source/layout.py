"""The layout of lines that a rewrite made: long ones folded at their commas, space around inner functions; the user's stay."""

from __future__ import annotations

import ast
import io
import tokenize

WIDTH = 100


def folded(text: str, before: str) -> str:
    """`text` with each overlong line that `before` had not folded at the commas of its outermost brackets.

    Example:
        >>> print(folded("r = f(" + "a" * 60 + ", " + "b" * 60 + ")", "").replace("a" * 59, "").replace("b" * 59, ""), end="")
        r = f(
            a,
            b,
        )
    """
    old = set(before.splitlines())
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("    ") and line.lstrip().startswith("def ") and line not in old and lines:
            previous = lines[-1].strip()
            if previous and not previous.endswith((":", '"""', "'''")) and not previous.startswith(("@", "#")):
                lines.append("")
        lines += [line] if len(line) <= WIDTH or line in old else _folded_line(line)
    new = "\n".join(lines) + "\n"
    if new == text:
        return text
    try:
        return new if ast.dump(ast.parse(new)) == ast.dump(ast.parse(text)) else text
    except SyntaxError:
        return text


def _folded_line(line: str) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    code = line.lstrip()
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, IndentationError):
        return [line]
    depth, pairs, stack = 0, [], []
    for token in tokens:
        if token.type == tokenize.OP and token.string in "([{":
            stack.append(token.end[1])
            depth += 1
        elif token.type == tokenize.OP and token.string in ")]}" and stack:
            depth -= 1
            start = stack.pop()
            if depth == 0:
                pairs.append((start, token.start[1]))
    if not pairs:
        return [line]
    start, end = max(pairs, key=lambda pair: pair[1] - pair[0])
    parts = _split(code[start:end])
    if len(parts) == 1 and len(indent) + 4 + len(parts[0]) >= len(line):
        return [line]
    out = [indent + code[:start]]
    for part in parts:
        inner = f"{indent}    {part},"
        out += _folded_line(inner) if len(inner) > WIDTH else [inner]
    if len(parts) == 1 and not code[start:end].rstrip().endswith(","):
        out[-1] = out[-1].removesuffix(",")
    return [*out, indent + code[end:]]


def _split(inside: str) -> list[str]:
    """The parts between the commas at the outermost level."""
    parts, depth, at, lambdas = [], 0, 0, 0
    for token in tokenize.generate_tokens(io.StringIO(f"({inside})").readline):
        if token.type == tokenize.OP and token.string in "([{":
            depth += 1
        elif token.type == tokenize.OP and token.string in ")]}":
            depth -= 1
        elif token.string == "lambda" and depth == 1:
            lambdas += 1  # its parameters' commas are its own
        elif token.string == ":" and depth == 1 and lambdas:
            lambdas -= 1
        elif token.type == tokenize.OP and token.string == "," and depth == 1 and not lambdas:
            parts.append(inside[at : token.start[1] - 1].strip())
            at = token.end[1] - 1
    return [part for part in [*parts, inside[at:].strip()] if part]
