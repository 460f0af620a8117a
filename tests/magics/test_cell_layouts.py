"""Cells laid out at random: %%jit changes nothing of what a cell does but that its functions are jitted."""

from __future__ import annotations

import ast
import random
import sys
from textwrap import indent
from typing import Any

import pytest

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.magics import cell_tree, wrapping

SEEDS = range(40)


class _Made:
    """A cell made at random: statements that write into `log` which line ran."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.names: list[str] = []

    def text(self) -> str:
        parts = [self.statement(0) for _ in range(self.dice.randint(1, 6))]
        tail = self.dice.choice(["", "note()", "x = note()", "note();", "(note(),\n  1)"])
        return "\n".join([*parts, self.function(), tail])

    def function(self) -> str:
        self.names.append(f"f{len(self.names)}")
        name, dice = self.names[-1], self.dice
        around = dice.choice(["", "", "# about it\n", "@same\n", "@same\n@ (same)\n", "@ same # why\n\n"])
        head = dice.choice([f"def {name}(x, n=2):", f"def {name}(\n    x,\n    n = 2\n):", f"async def {name}(x):"])
        body = dice.choice(
            ["return note() + x", '"""Says."""\n\nreturn note()', "y = [\n  1]\n# and\nreturn x", "yield x", "..."]
        )
        if head.startswith("async"):
            body = "return note()"
        return f"{around}{head}\n{indent(body, '    ')}" if dice.random() < 0.8 else f"{around}{head} return x"

    def statement(self, depth: int) -> str:
        dice = self.dice
        kind = dice.randint(0, 9 if depth < 3 else 4)
        if kind < 3:
            return dice.choice(["note()", "x = note(); note()", "", "# nothing", "(\n note(\n))", 'y = """a\nb"""; note()'])
        if kind < 5:
            return self.function()
        inner = "\n".join(["note()", *(self.statement(depth + 1) for _ in range(dice.randint(0, 2)))])
        form = dice.choice(
            [
                "if note():\n{}\nelse:\n    note()",
                "for _ in range(2):\n{}\nelse:\n    note()",
                "try:\n{}\nexcept KeyError:\n    note()\nfinally:\n    note()",
                "with same(here):\n{}",
                "match note():\n    case 1:\n        note()\n    case _:\n{{}}",
                f"class K{dice.randint(0, 99)}:\n{{}}",
                "while not note():\n{}",
            ]
        )
        deep = "        " if "case _" in form else "    "
        return form.replace("{{}}", "{}").replace("{}", indent(inner, deep))


def run(tree: ast.Module) -> tuple[list[int], dict[str, Any]]:
    """The lines from which `note` was called, and the names that are there afterwards."""
    lines: list[int] = []

    def note() -> int:
        lines.append(sys._getframe(1).f_lineno)
        return 2

    class Here:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    names: dict[str, Any] = {"note": note, "same": lambda given: given, "here": Here()}
    exec(compile(tree, "<cell>", "exec"), names)
    return lines, names


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cell_does_what_it_did(seed: int) -> None:
    """The same lines run in the same order, the same names are there, and every function stands where it stood."""
    made = _Made(seed)
    text = "# %%jit\n" + made.text()
    plain_lines, plain = run(ast.parse(text))
    dice = random.Random(seed)
    tree = ast.parse(text)
    try:
        request = cell_tree.Request(tuple(dice.sample(made.names, 1)) if dice.random() < 0.5 else ())
        decided = cell_tree.plan(tree, request, {})
    except OptionError:
        assert ast.dump(tree, include_attributes=True) == ast.dump(ast.parse(text), include_attributes=True)
        return
    wrapping.wrap(tree, decided, {}, {})
    lines, names = run(tree)
    assert lines == plain_lines and names.keys() == plain.keys()
    taken = {each.name for each in decided.taken}
    for name in made.names:
        if name in plain:
            jitted, before = names[name], plain[name]
            assert hasattr(jitted, "lower") == (name in taken)
            code = getattr(jitted, "__wrapped__", jitted).__code__
            assert code.co_firstlineno == before.__code__.co_firstlineno
            assert list(code.co_positions()) == list(before.__code__.co_positions())
