"""A case pasted whole into one cell gets the answer that it gets as a module, and the cell that `%jitfix` makes of it runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkout import SHARED, TESTS

from benchmarks.advice import UNHURRIED_S, Verdict, ask, cases_in, judge, said
from benchmarks.cells import CELL_FORMS, takes

CASES = cases_in(TESTS / "cases")
CORPUS = SHARED / "corpus"
PUBLIC = cases_in(CORPUS) if CORPUS.is_dir() else []
FEW = [(path, ("jax.jit", "%%jit")[number % 2]) for number, path in enumerate(CASES[5::36])]


def label(value: object) -> str:
    return f"{value.parent.name}-{value.stem}" if isinstance(value, Path) else str(value)


def usable(path: Path, form: str) -> str:
    return form if takes(path.read_text(encoding="utf-8"), form) else "jax.jit"


@pytest.mark.parametrize(("path", "form"), FEW, ids=label)
def test_a_few_cases(path: Path, form: str) -> None:
    as_module = Verdict(path, "")
    _, answer = ask(as_module, cold=True)
    as_cell = judge(path, form=usable(path, form))
    assert as_cell.problems == []
    if max(as_cell.seconds, as_module.seconds) < UNHURRIED_S:
        assert as_cell.said == said(answer)


def in_both_forms(path: Path, form: str) -> None:
    as_module, as_cell = judge(path), judge(path, form=usable(path, form))
    assert not as_cell.verified_wrong or as_module.verified_wrong, as_cell.problems
    if max(as_cell.seconds, as_module.seconds) < UNHURRIED_S:
        assert as_cell.said == as_module.said


@pytest.mark.slow
@pytest.mark.parametrize("form", CELL_FORMS)
@pytest.mark.parametrize("path", CASES, ids=label)
def test_every_case_in_every_form(path: Path, form: str) -> None:
    in_both_forms(path, form)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("form", CELL_FORMS)
@pytest.mark.parametrize("path", PUBLIC, ids=label)
def test_the_public_cases_in_every_form(path: Path, form: str) -> None:
    in_both_forms(path, form)
