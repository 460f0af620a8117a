"""The judge of notebooks' forms: each form is Python that puts jit over the program, and a wrong result is seen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

import pytest
from IPython.core.interactiveshell import InteractiveShell

from benchmarks.cells import Notebook
from benchmarks.forms import FORMS, PADDED, RIGHT, WRONG, Parts, judged
from benchmarks.unseen import making
from benchmarks.unseen.program import Call, Program

PROGRAM = Program(
    "conversions",
    "straight",
    0,
    "import jax.numpy as jnp\n\n\ndef g(v):\n    if v.max() > 1:\n        return v / v.max()\n    return v\n\n\n"
    "def f(x, scale=1.0):\n    # comment\n    return g(x * scale) + 1\n",
    "f",
    "f",
    (Call("((jnp.arange(3.0),), {'scale': 2.0})", "first"),),
    (),
    "array",
)


@pytest.fixture(scope="module")
def book() -> Iterator[Notebook]:
    """One shell for all, as its forms have it."""
    InteractiveShell.clear_instance()
    yield Notebook()
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_a_notebook(form: str) -> None:
    """Its cells are Python below their magics, hold the function once more than none, and speak of jit."""
    for program in [PROGRAM, *making.programs(2, 12, place="straight")]:
        cells, call = FORMS[form](Parts(program))
        for cell in [*cells, f"answer = {call}()"]:
            ast.parse("\n".join(line for line in cell.splitlines() if not line.startswith("%%")))
        assert "jit" in "".join([*cells, call])
        assert any("def " in cell for cell in cells)


@pytest.mark.parametrize("form", ["%%time", "fast = jax.jit(f), later", "a function that makes it"])
def test_a_form_is_judged_by_running_what_jitfix_gives(book: Notebook, form: str) -> None:
    """A helper that fails, in another cell than the call."""
    assert judged(book, PROGRAM, form)[0] == RIGHT


def test_what_comes_padded_is_compared_without_its_padding(book: Notebook) -> None:
    """The answer says that the caller gets the whole array and a count."""
    code = "import jax.numpy as jnp\n\n\ndef f(x, scale=1.0):\n    return x[x > 1] * scale\n"
    assert judged(book, replace(PROGRAM, code=code), "@jax.jit")[0] == PADDED


def test_a_result_that_differs_is_seen(book: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge compares with plain Python of the program itself, and not of the cells."""
    monkeypatch.setitem(FORMS, "other", lambda parts: ([parts.all.replace("+ 1", "+ 2")], f"jax.jit({parts.name})"))
    assert judged(book, PROGRAM, "other")[0] == WRONG
