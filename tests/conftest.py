"""What all tests share: the reference material that may lie beside the checkout, and tests that need it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import SHARED
from shells import bare, shell  # noqa: F401 (fixtures)

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # sizes and times are made for it; each process would take a GPU
gc.set_threshold(50_000, 20, 100)  # a tenth of the time went into collections; tests of what is kept alive collect themselves


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, visibly and counted, what is marked `shared` in a checkout that has no ../shared beside it."""
    if SHARED.is_dir():
        return
    for item in items:
        if item.get_closest_marker("shared"):
            item.add_marker(pytest.mark.skip(reason="needs ../shared beside the checkout"))


@pytest.fixture(autouse=True)
def _no_fault_of_ours() -> Iterator[None]:
    """No test passes while our own boundary caught a fault; one that provokes a fault clears it."""
    from jupyter_jitmagic import faults

    faults.clear()
    yield
    details = faults.details()
    faults.clear()
    assert details == ""


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ../shared; a test that asks for it is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared beside the checkout")
    return SHARED


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a busy machine nor a slow one changes an answer: only a thread's own work counts, and it may take long."""
    from jupyter_jitmagic.base.options import options
    from jupyter_jitmagic.sandbox import clock, limit

    monkeypatch.setattr(options, "advice_limit_s", 40.0)
    monkeypatch.setattr(clock, "WAITING", 40)
    monkeypatch.setattr(clock, "PACE", 3.0)
    monkeypatch.setattr(limit, "_PATIENCE", 40)
