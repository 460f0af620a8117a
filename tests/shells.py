"""A real IPython shell for tests, with what a cell shows captured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import jupyter_jitmagic as jm


@dataclass
class Ran:
    """What one cell did: the value of its last expression, the error, and all that it showed."""

    value: Any
    error: BaseException | None
    stdout: str
    stderr: str
    displays: list[dict[str, Any]]

    @property
    def text(self) -> str:
        """Everything as a terminal user would see it."""
        shown = "\n".join(data.get("text/plain", "") for data in self.displays)
        return "\n".join(part for part in (self.stdout, self.stderr, shown) if part)

    @property
    def html(self) -> str:
        return "\n".join(data.get("text/html", "") for data in self.displays)


class Shell:
    """Runs cells as a front end does, each with its own number."""

    def __init__(self, ip: InteractiveShell) -> None:
        self.ip = ip

    @property
    def names(self) -> dict[str, Any]:
        return self.ip.user_ns

    def run(self, cell: str) -> Ran:
        with capture_output() as captured:
            result = self.ip.run_cell(cell, store_history=True)
        error = result.error_before_exec or result.error_in_exec
        stdout, stderr = (re.sub(r"\x1b\[[\d;]*m", "", text) for text in (captured.stdout, captured.stderr))
        return Ran(result.result, error, stdout, stderr, [output.data for output in captured.outputs])

    def ok(self, cell: str) -> Ran:
        """Run a cell that must not fail."""
        ran = self.run(cell)
        assert ran.error is None, ran.text
        return ran


def make_shell() -> Shell:
    InteractiveShell.clear_instance()
    ip = InteractiveShell.instance()
    ip.colors = "nocolor"
    ip.history_manager.db_cache_size = 0
    return Shell(ip)


@pytest.fixture
def bare() -> Iterator[Shell]:
    """A shell without the extension."""
    shell = make_shell()
    yield shell
    shell.ip.run_line_magic(
        "unload_ext", "jupyter_jitmagic"
    ) if "jupyter_jitmagic" in shell.ip.extension_manager.loaded else None
    InteractiveShell.clear_instance()


@pytest.fixture
def shell(bare: Shell) -> Shell:
    """A shell with the extension loaded and jax, jnp imported; nothing is recorded yet."""
    jm.reset()
    bare.ok("%load_ext jupyter_jitmagic\nimport jax\nimport jax.numpy as jnp")
    return bare
