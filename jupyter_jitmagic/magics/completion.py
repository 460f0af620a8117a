"""What Tab offers on the line of a magic. Knows nothing of IPython."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jupyter_jitmagic.magics.request import Parser

_FUNCTION = re.compile(r"^(?:async )?def\s+(\w+)\s*\((.*?)\)\s*(?:->[^:\n]*)?:", re.MULTILINE | re.DOTALL)


def complete(parser: Parser, line: str, body: str, names: Mapping[str, list[str]]) -> list[str]:
    """Completions of the last word of `line` (the line up to the cursor).

    Args:
        parser: the magic's options.
        line: the magic's line up to the cursor.
        body: the rest of the cell, for names of functions and their arguments; it need not be whole.
        names: more words for the places that the parser calls by these names, as {"names": [...]}.
    """
    words = line.split()
    last = "" if line[-1:].isspace() else words.pop() if words else ""
    before = words[-1] if words else ""
    options = parser.options
    if last.startswith("-"):
        found = [option for option in options if option not in words]
    elif options.get(before):
        found = list(options[before])
    elif before in ("--static", "--donate"):
        arguments = _arguments(body)
        several = len(arguments) > 1
        found = list(dict.fromkeys(name for has in arguments.values() for name in has))
        found += [f"{function}.{name}" for function, has in arguments.items() for name in has] if several else []
    else:
        found = [*_arguments(body), *names.get("names", [])]
        found += [option for option in options if option not in words] if not last else []
    *given, last = last.split(",")
    return [each for each in found if each.startswith(last) and each not in given]


def _arguments(body: str) -> dict[str, list[str]]:
    """The arguments of each function at the top level, read without parsing: the cell is being typed."""
    return {
        found[1]: [
            name
            for part in re.sub(r"\[[^\]]*\]|\([^)]*\)|=[^,]*", "", found[2]).split(",")
            if (name := part.partition(":")[0].strip()).isidentifier()
        ]
        for found in _FUNCTION.finditer(body)
    }
