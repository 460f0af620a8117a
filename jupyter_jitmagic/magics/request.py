"""The line after ``%%jit``, read. Knows nothing of IPython."""

from __future__ import annotations

import argparse
import difflib
import re
import shlex
from collections.abc import Sequence
from typing import Any, Never

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.base.options import ON_MISS, TIMING
from jupyter_jitmagic.magics.cell_tree import Request


class Parser(argparse.ArgumentParser):
    """An argparse parser for a magic's line: errors are one line, nothing exits, names may be comma-separated with blanks."""

    def __init__(self, magic: str) -> None:
        super().__init__(prog=magic, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> Never:
        raise OptionError(f"{message[0].lower()}{message[1:]} ({self.prog}? shows every option)")

    def read(self, line: str) -> argparse.Namespace:
        try:
            words = shlex.split(re.sub(r"\s*,\s*", ",", line))
        except ValueError as error:
            self.error(f"{error} in {line.strip()}")
        known, unknown = self.parse_known_intermixed_args(words)
        if unknown:
            near = difflib.get_close_matches(unknown[0].partition("=")[0], self.options, n=1)
            self.error(f"unknown option {unknown[0]}{f': did you mean {near[0]}?' if near else ''}")
        return known

    @property
    def options(self) -> dict[str, tuple[str, ...]]:
        """Every option with its choices, for completion."""
        every = ((string, action) for action in self._actions for string in action.option_strings)
        return {string: tuple(action.choices or ()) for string, action in every}


def names(text: str) -> list[str]:
    """ "a,b" as a list; each a Python name, dotted or not."""
    found = [name for part in text.split(",") if (name := part.strip())]
    for name in found:
        if not all(part.isidentifier() for part in name.split(".")):
            raise argparse.ArgumentTypeError(f"{name!r} is not a name")
    return found


def count(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def jit_parser() -> Parser:
    """The options of ``%%jit``."""
    parser = Parser("%%jit")
    parser.add_argument("names", nargs="*", type=names, default=[])
    parser.add_argument("--static", type=names, action="extend", default=[])
    parser.add_argument("--donate", type=names, action="extend", default=[])
    for flag in ("auto", "check", "keep", "watch", "lines", "quiet", "engines"):
        parser.add_argument(f"--{flag}", action="store_true")
    parser.add_argument("--on-miss", choices=ON_MISS)
    parser.add_argument("--max-compiles", type=count)
    parser.add_argument("--timing", choices=TIMING)
    return parser


def read_jit_line(line: str) -> Request:
    """The request that a ``%%jit`` line makes.

    Raises:
        OptionError: an unknown option, a missing or wrong value; one line.
    """
    found = jit_parser().read(line)
    options: dict[str, Any] = {name: True for name in ("auto", "check", "keep") if getattr(found, name)}
    options |= {name: value for name in ("on_miss", "max_compiles", "timing") if (value := getattr(found, name)) is not None}
    taken = tuple(name for group in found.names for name in group)
    dotted = [name for name in taken if "." in name]
    if dotted:
        raise OptionError(f"{dotted[0]} is not a function at the top level of this cell")
    return Request(taken, tuple(found.static), tuple(found.donate), options, found.quiet, found.watch, found.lines)


# ---------------------------------------------------------------------------------------------------- edited


def jit_line(typed: str) -> int | None:
    """Which line of a cell as typed is its ``%%jit``: the first one that says something, or one below other cell magics."""
    for number, line in enumerate(typed.splitlines()):
        if re.match(r"\s*%%jit(\s|$)", line):
            return number
        if line.strip() and not re.match(r"\s*%%", line):
            break
    return None


_ENGINES = re.compile(r"\s+--engines(?=\s|$)")


def is_for_engines(line: str) -> bool:
    """Whether a ``%%jit`` line, or what stands after its magic's name, sends the cell to engines."""
    return _ENGINES.search(f" {line}") is not None


def without_engines(line: str) -> str:
    """The same line for an engine itself."""
    return _ENGINES.sub("", f" {line}")[1:]


def options_of(line: str) -> tuple[str, str]:
    """A ``%%jit`` line as the magic's name, with what stands before it, and its options."""
    begin = line.index("%%jit") + len("%%jit")
    return line[:begin], line[begin:]


def with_static(line: str, added: list[str]) -> str:
    """The line after ``%%jit`` with more static arguments; all else of it stays as it was typed.

    Raises:
        OptionError: it cannot be done so; one line.
    """
    wanted = [*read_jit_line(line).static, *added]
    values = _static_values(line)
    if not values:
        return _checked(f"{line.rstrip()} --static {','.join(added)}", wanted)
    _, (_, end) = values[-1]
    return _checked(f"{line[:end]},{','.join(added)}{line[end:]}", wanted)


def without_static(line: str, dropped: str, instead: Sequence[str] = ()) -> str:
    """The line after ``%%jit`` with one static argument less, wherever it stands; all else of it stays as it was typed.

    Args:
        line: what stands after the magic's name.
        dropped: the argument as it is written there.
        instead: arguments that stand in its place.

    Raises:
        OptionError: it cannot be done so; one line.
    """
    wanted = [*(name for name in read_jit_line(line).static if name != dropped), *instead]
    for option, (begin, end) in reversed(_static_values(line)):
        there = [name.strip() for name in line[begin:end].split(",")]
        left = [each for name in there for each in (instead if name == dropped else (name,))]
        if not left:
            before = len(line[:option].rstrip())
            line = line[:before] + line[end:]
        elif left != there:
            line = line[:begin] + ",".join(left) + line[end:]
    return _checked(line, wanted)


def _static_values(line: str) -> list[tuple[int, tuple[int, int]]]:
    """Where each ``--static`` begins, and where the names behind it begin and end. As the parser reads it, a word goes on after
    blanks around a comma."""
    words = [match.span() for match in re.finditer(r"[^\s,]*(?:\s*,\s*[^\s,]*)+|[^\s,]+", line)]
    found = []
    for (begin, end), value in zip(words, [*words[1:], (len(line), len(line))], strict=False):
        word = line[begin:end]
        if word == "--static":
            found.append((begin, value))
        elif word.startswith("--static="):
            found.append((begin, (begin + len("--static="), end)))
    return found


def _checked(line: str, static: list[str]) -> str:
    """The line, if it asks for these static arguments."""
    try:
        right = set(read_jit_line(line).static) == set(static)
    except OptionError:
        right = False
    if not right:
        raise OptionError(
            f"the line of %%jit cannot be changed as it is written; its static arguments should be {','.join(static)}"
        )
    return line


def stats_parser() -> Parser:
    """The options of ``%jitstats``."""
    parser = Parser("%jitstats")
    parser.add_argument("names", nargs="*", type=names, default=[])
    parser.add_argument(
        "--level", choices=("functions", "entries", "calls", "misses", "diagnoses", "others"), default="functions"
    )
    parser.add_argument("--others", dest="level", action="store_const", const="others")
    parser.add_argument("-o", "--output")
    parser.add_argument("--save")
    parser.add_argument("--from", dest="folder")
    for flag in ("engines", "differ", "break-even", "plot", "reset"):
        parser.add_argument(f"--{flag}", action="store_true")
    return parser


def lines_parser() -> Parser:
    """The names before the statement of ``%jitlines``: for completion, since a statement is no list of words."""
    parser = Parser("%jitlines")
    parser.add_argument("names", nargs="*", type=names, default=[])
    return parser


def cache_parser() -> Parser:
    """The words of ``%jitcache``."""
    parser = Parser("%jitcache")
    parser.add_argument("what", nargs="?", choices=("list", "show", "drop", "clear"), default="list")
    parser.add_argument("names", nargs="*", default=[])
    return parser


def fix_parser() -> Parser:
    """The number after ``%jitfix``."""
    parser = Parser("%jitfix")
    parser.add_argument("number", nargs="?", type=count, default=1)
    return parser
