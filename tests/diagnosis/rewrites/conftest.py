"""Every rewrite is found in both forms: a cell compiles statement by statement, a module at once, and the code differs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.sandbox import clock

from .helpers import forms


@pytest.fixture(params=["cell", pytest.param("module", marks=pytest.mark.slow)], autouse=True)
def form(request: pytest.FixtureRequest) -> Iterator[str]:
    forms["form"] = request.param
    yield request.param
    forms["form"] = "cell"


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine changes no answer: only a thread's own work counts, however long it has to wait."""
    monkeypatch.setattr(clock, "WAITING", 40)
    monkeypatch.setattr(options, "advice_limit_s", 120.0)
