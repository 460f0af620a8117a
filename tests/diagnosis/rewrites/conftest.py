"""Every rewrite is found in all forms: a cell compiles statement by statement, a module at once, and the code differs; in a
notebook there are variables of the same names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .helpers import forms


@pytest.fixture(params=["cell", *(pytest.param(form, marks=pytest.mark.slow) for form in ("notebook", "module"))], autouse=True)
def form(request: pytest.FixtureRequest) -> Iterator[str]:
    forms["form"] = request.param
    yield request.param
    forms["form"] = "cell"


@pytest.fixture(autouse=True)
def _unhurried(unhurried: None) -> None:
    """For all that stands here."""
