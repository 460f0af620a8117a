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
    if (parts := _parts_without_brackets(code)) is not None:
        head, inner = parts
        within = indent + "    " if head else indent
        folded_parts = [each for part in inner for each in _folded_if_long(within + part)]
        comma = "," * (code.endswith(",") and not inner[-1].endswith(","))  # of an argument by name
        return [f"{indent}{head}(", *folded_parts, f"{indent}){comma}"] if head else folded_parts
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
    pieces = _split(code[start:end])
    if len(pieces) == 1 and len(indent) + 4 + len(pieces[0]) >= len(line):
        return [line]
    out = [indent + code[:start]]
    for piece in pieces:
        out += _folded_if_long(f"{indent}    {piece},")
    if len(pieces) == 1 and not code[start:end].rstrip().endswith(","):
        out[-1] = out[-1].removesuffix(",")
    return [*out, indent + code[end:]]


def _folded_if_long(line: str) -> list[str]:
    return _folded_line(line) if len(line) > WIDTH else [line]


def _parts_without_brackets(code: str) -> tuple[str, list[str]] | None:
    """What stands before a choice or a few values without brackets, and its parts: `x = ` of `x = a if test else b`; "" where
    it is an argument by itself."""
    bare = code.removesuffix(",")
    try:
        statement = next(iter(ast.parse(bare).body), None)  # none in a comment
    except SyntaxError:
        return None
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.IfExp | ast.Tuple) or not code.isascii() or bare[value.end_col_offset :].strip():
        return None
    head, text = bare[: value.col_offset], bare[value.col_offset :]
    if isinstance(value, ast.Tuple):
        return None if not head or text.startswith("(") else (head, [f"{part}," for part in _split(text)])
    if head.endswith("("):
        return None
    first = _place_of("if", bare, value.body, value.test)
    second = _place_of("else", bare, value.test, value.orelse)
    comma = "," * (code.endswith(",") and not head)
    return head, [bare[value.col_offset : first].rstrip(), bare[first:second].rstrip(), bare[second:] + comma]


def _place_of(word: str, text: str, before: ast.expr, after: ast.expr) -> int:
    """Where a word stands between two expressions."""
    return text.index(word, before.end_col_offset or 0, after.col_offset)


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
