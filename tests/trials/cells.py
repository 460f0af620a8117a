"""Functions made at random, each in a cell laid out at random: the answer is the one that the function gets as a module.

``python -m tests.trials.cells FIRST LAST`` tries these seeds in one shell. Prints what is wrong.
"""

from __future__ import annotations

import itertools
import linecache
import random
import sys
from collections.abc import Callable
from functools import cache
from textwrap import indent
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.advice import UNHURRIED_S, said
from benchmarks.cells import Notebook
from jupyter_jitmagic.diagnosis import Diagnosis, diagnose
from jupyter_jitmagic.diagnosis.proof.differing import differs
from tests.diagnosis.rewrites import random_functions

IMPORTS = "import jax\nimport jax.numpy as jnp\nimport jupyter_jitmagic as jm\n"
CALL = "jnp.asarray([0.5, -1.0, 2.0, 0.0], jnp.float32), jnp.float32(0.5), jnp.int32(2)"
OTHERS = [(2.0, 0), (-1.0, 3), (1.0, 1)]
OTHER = "def f(x, y, k):\n    return jnp.abs(x) - y\n"

Change = Callable[[str], str]

AROUND: list[Change] = [  # around the definition
    lambda text: text,
    lambda text: f"if True:\n{indent(text, '    ')}",
    lambda text: f"try:\n{indent(text, '  ')}\nfinally:\n  pass\n",
    lambda text: f"for again in range(2):\n{indent(text, '    ')}",
    lambda text: f"def same(function):\n    return function\n\n@same\n# above\n{text}",
    lambda text: f"def make():\n{indent(text, '    ')}    return f\nf = make()\n",
]
ABOVE = [  # between the imports and it
    "",
    OTHER,
    f"{OTHER}kept = f\n",
    "%matplotlib --list\n",
    "if False:\n    !ls\n",
    "# é → ü\n'''äöü\n\n'''\n",
    "import asyncio\nawait asyncio.sleep(0)\n",
    "first = 'é'; second = lambda x: jnp.abs(x)\n",
    "class Model:\n    def f(self, x):\n        return jnp.abs(x)\n",
]
WHOLE: list[Change] = [  # of the whole cell
    lambda cell: cell,
    lambda cell: cell.replace("\n", "\r\n"),
    lambda cell: cell.replace("    ", "\t"),
    lambda cell: f"\n\n# a comment\n{cell}",
    lambda cell: f"from __future__ import annotations\n{cell}",
]
ASKED = ["jm.diagnose(f, {})", "jax.jit(f)({})"]


@cache
def notebook() -> Notebook:
    return Notebook()


def module(source: str) -> dict[str, Any]:
    filename = f"/tmp/trials_of_cells/{next(_numbers)}.py"
    text = IMPORTS + source
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, filename, "exec"), names)
    return names


_numbers = itertools.count()


def wrong(seed: int) -> str:
    """What is wrong with the answer in a cell, "" if nothing is."""
    source = random_functions.function(seed)
    names = module(source)
    wanted = diagnose(names["f"], *eval(CALL, names))  # noqa: S307
    chance = random.Random(seed)
    cells = layout(chance, source)
    book = notebook()
    space = vars(book.fresh())
    for cell in cells[:-1]:
        if error := book.run(cell).error_in_exec:
            return f"seed {seed}: {error!r} in\n{cell}"
    found = answered(book, cells[-1])
    if isinstance(found, str):
        return f"seed {seed}: {found}\n{cells[-1]}"
    if max(found.seconds, wanted.seconds) > UNHURRIED_S:
        return ""
    if said(found) != said(wanted):
        return f"seed {seed}: {said(found)} in a cell, {said(wanted)} in a module ({found.reason})\n{cells[-1]}"
    return rewritten(found, space, names["f"], seed)


def layout(chance: random.Random, source: str) -> list[str]:
    """Cells to be run one after the other; the last one defines the function and asks."""
    body = chance.choice(ABOVE) + chance.choice(AROUND)(source)
    asked = chance.choice(ASKED).format(CALL)
    earlier = chance.choice(["", "", IMPORTS, IMPORTS + OTHER, "from __future__ import annotations"])
    imports = "" if earlier.startswith(IMPORTS) and chance.random() < 0.5 else IMPORTS
    return [*filter(None, [earlier]), chance.choice(WHOLE)(f"{imports}{body}{asked}")]


def answered(book: Notebook, cell: str) -> Diagnosis | str:
    ran = book.run(cell)
    if isinstance(ran.result, Diagnosis):
        return ran.result
    return book.jitfix() if ran.error_in_exec else Diagnosis("f", "traces") if ran.success else repr(ran.error_before_exec)


def rewritten(found: Diagnosis, space: dict[str, Any], plain: Any, seed: int) -> str:
    """Whether the first rewrite, run in the cell's namespace, gives what the plain function gives."""
    if not found.rewrites:
        return ""
    rewrite = found.rewrites[0]
    for text in rewrite.sources.values():
        exec(compile(text, "<rewrite>", "exec"), space)
    fixed = jax.jit(space["f"], static_argnames=rewrite.static_argnames)
    for y, k in OTHERS:
        call = jnp.asarray(np.array([y, 0.5, -k, 1.0], np.float32)), jnp.float32(y), jnp.int32(k)
        try:
            want = plain(*call)
        except (ZeroDivisionError, UnboundLocalError, ValueError, OverflowError):
            continue
        if difference := differs(fixed(*call), want):
            return f"seed {seed} on {call}: {difference}\n{rewrite.source}"
    return ""


if __name__ == "__main__":
    for number in range(int(sys.argv[1]), int(sys.argv[2])):
        if problem := wrong(number):
            print(problem, flush=True)
