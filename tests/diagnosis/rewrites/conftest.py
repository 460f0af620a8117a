"""Every rewrite is found in all forms: a cell compiles statement by statement, a module at once, and the code differs; in a
notebook there are variables of the same names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from .helpers import forms

EXAMPLES = 2  # of a test that has many, the first; the others take a quarter of all tests' time, and run in `make soak`


@pytest.hookimpl(tryfirst=True)  # before slow tests are taken out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    counts: Counter[str] = Counter()
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("slow") is None:
            counts[test := item.nodeid.partition("[")[0]] += 1
            if counts[test] > EXAMPLES:
                item.add_marker(pytest.mark.slow)


@pytest.fixture(params=["cell", *(pytest.param(form, marks=pytest.mark.slow) for form in ("notebook", "module"))], autouse=True)
def form(request: pytest.FixtureRequest) -> Iterator[str]:
    forms["form"] = request.param
    yield request.param
    forms["form"] = "cell"


@pytest.fixture(autouse=True)
def _unhurried(unhurried: None) -> None:
    """For all that stands here."""
