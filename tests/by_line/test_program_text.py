"""A program as text: JAX's own, each line with the user's line that it came from."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_args

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.by_line import program_text as module
from jupyter_jitmagic.by_line.program_text import What, program_text
from jupyter_jitmagic.recording.api.programs import entry_detail
from jupyter_jitmagic.records.log import log


def helper(x: Any) -> Any:
    return jnp.sin(x) + 1


def looped(x: Any) -> Any:
    y = helper(x) * x
    y = jnp.cumsum(y)
    return jax.lax.fori_loop(0, 3, lambda i, carry: carry * 2, y)


@pytest.fixture(scope="module")
def entry() -> Iterator[int]:
    jm.reset()
    jitted = jm.jit(looped)
    jitted(jnp.ones(3))
    log.fold()
    yield next(iter(log.entries))
    del jitted  # until here it is held, and with it what JAX keeps of it


def lines_of(entry: int, what: What, operation: str) -> set[str]:
    """The code of the user's lines that the program's lines with this operation came from."""
    source = inspect.getsource(inspect.getmodule(looped)).splitlines()  # type: ignore[arg-type]
    text, places = program_text(entry, what)
    lines = text.split("\n")
    assert len(lines) == len(places)
    found = [place for line, place in zip(lines, places, strict=True) if operation in line and place]
    assert all(place.file == __file__ for place in found)
    return {source[place.line - 1].strip() for place in found}


@pytest.mark.parametrize("what", get_args(What))
def test_the_text_is_the_one_that_the_panel_shows(entry: int, what: What) -> None:
    assert program_text(entry, what).text == entry_detail(entry, what)


@pytest.mark.parametrize(
    ("what", "operation", "line"),
    [
        ("jaxpr", " = sin ", "return jnp.sin(x) + 1"),
        ("jaxpr", " = mul ", "y = helper(x) * x"),
        ("stablehlo", "stablehlo.sine", "return jnp.sin(x) + 1"),
        ("stablehlo", "call @cumsum(", "y = jnp.cumsum(y)"),
        ("hlo", " sine(", "return jnp.sin(x) + 1"),
    ],
)
def test_a_line_of_the_program_leads_to_the_users_innermost_line(entry: int, what: What, operation: str, line: str) -> None:
    assert line in lines_of(entry, what, operation)


def test_where_the_places_cannot_be_told_the_text_is_there_without_them(entry: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_jaxpr", lambda jaxpr: module.ProgramText("another text", []))
    text, places = program_text(entry, "jaxpr")
    assert text == entry_detail(entry, "jaxpr") and set(places) == {None}


def test_older_programs_of_xla_name_the_line_itself() -> None:
    from jupyter_jitmagic.by_line.hlo import stacks_by_line

    sine = 'ROOT %s = f32[] sine(%x), metadata={source_file="a.py" source_line=7}'
    text = f"HloModule jit_f\n\nENTRY %main (x: f32[]) -> f32[] {{\n  {sine}\n}}"
    places = [stack[0].line if stack else None for stack in stacks_by_line(text)]
    assert places == [None, None, None, 7, None]


def test_what_is_no_program_gets_one_line(entry: int) -> None:
    with pytest.raises(jm.OptionError, match="choose one of jaxpr, stablehlo, hlo"):
        program_text(entry, "memory")  # type: ignore[arg-type]
