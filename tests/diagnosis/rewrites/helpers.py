"""Functions from source text, as a cell or file would define them, and what a test asks of their rewrites."""

from __future__ import annotations

import contextlib
import functools
import itertools
import linecache
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from unittest import mock

import jax
import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from benchmarks.cells import left_by_other_cells
from jupyter_jitmagic.diagnosis.rewrites import Proposals, propose, proposing
from jupyter_jitmagic.diagnosis.rewrites.engine import Search
from jupyter_jitmagic.diagnosis.types import Rewrite

_cells = itertools.count(1)
HEADER = "import math\nimport functools\nimport jax\nimport jax.numpy as jnp\nimport numpy as np\nfrom jax import lax\n"
forms = {"form": "cell"}
"""How `define` runs what it is given: pasted whole into one cell, so in a notebook that holds more, or as a module (see
conftest.py)."""


def define(source: str, header: str = HEADER) -> dict[str, Any]:
    """Run source as a user's shell or an import would, its text in linecache. Gives the namespace."""
    return _FORMS[forms["form"]](header + source)


def _as_a_module(text: str) -> dict[str, Any]:
    filename = f"/tmp/ipykernel_1/{next(_cells)}.py"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, filename, "exec"), namespace)
    return namespace


def _as_a_cell(text: str, /, **held: Any) -> dict[str, Any]:
    shell = _shell()
    shell.user_module = ModuleType("__main__")
    shell.user_ns = vars(shell.user_module)
    shell.user_ns.update(held)
    with capture_output():
        shell.run_cell(text).raise_error()
    return shell.user_ns


def _in_a_notebook(text: str) -> dict[str, Any]:
    return _as_a_cell(text, **left_by_other_cells(text))


_FORMS = {"module": _as_a_module, "cell": _as_a_cell, "notebook": _in_a_notebook}


@functools.cache
def _shell() -> InteractiveShell:
    return InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))


@contextlib.contextmanager
def applied(proposals: Proposals, namespace: dict[str, Any], which: int = 0) -> Iterator[None]:
    """The namespace with the rewrite's sources run in it, as a user would run them."""
    before = dict(namespace)
    for name, text in proposals.rewrites[which].sources.items():
        owner, _, method = name.rpartition(".")
        exec(compile(text, "<rewrite>", "exec"), namespace)
        if owner:  # the classes are made anew for each test
            setattr(namespace[owner], method, namespace[method])
    try:
        yield
    finally:
        namespace.clear()
        namespace.update(before)


def check(
    source: str, *calls: tuple[Any, ...], name: str = "f", static: tuple[str, ...] = (), seconds: float = 4.0
) -> Proposals:
    """Propose for the first call; every rewrite must give plain Python's results on all calls, under jit."""
    namespace = define(source)
    fun = namespace[name]
    proposals = propose(fun, calls[0], {}, (), static, seconds=seconds)
    assert proposals.rewrites, proposals
    wanted = [fun(*args) for args in calls]
    for which in range(len(proposals.rewrites)):
        with applied(proposals, namespace, which):
            fixed = jax.jit(namespace[name], static_argnames=static)
            for args, want in zip(calls, wanted, strict=True):
                got = fixed(*args)
                assert jax.tree.structure(got) == jax.tree.structure(want)
                for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
                    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-4, atol=1e-5)
    return proposals


def check_with_gradients(source: str, *calls: tuple[Any, ...], seconds: float = 4.0) -> Proposals:
    """`check`, and the gradient by the first argument is plain Python's on all calls, too."""
    proposals = check(source, *calls, seconds=seconds)
    namespace = define(source)
    wanted = [jax.grad(namespace["f"])(*args) for args in calls]
    for which in range(len(proposals.rewrites)):
        with applied(proposals, namespace, which):
            for args, want in zip(calls, wanted, strict=True):
                np.testing.assert_allclose(jax.jit(jax.grad(namespace["f"]))(*args), want, rtol=1e-4, atol=1e-5)
    return proposals


def check_with_counts(source: str, *calls: tuple[Any, ...], seconds: float = 4.0) -> Rewrite:
    """No array of a fixed shape holds the result: the first draft gives whole arrays with plain Python's elements in front, and
    how many they are, on all calls."""
    namespace = define(source)
    fun = namespace["f"]
    proposals = propose(fun, calls[0], {}, seconds=seconds)
    assert not proposals.rewrites, proposals
    wanted = [fun(*args) for args in calls]
    exec(compile(proposals.unverified[0].source, "<rewrite>", "exec"), namespace)
    for args, want in zip(calls, wanted, strict=True):
        *arrays, count = jax.jit(namespace["f"])(*args)
        for array, elements in zip(arrays, want if isinstance(want, tuple) else (want,), strict=True):
            assert count == len(elements)
            np.testing.assert_allclose(np.asarray(array)[: int(count)], np.asarray(elements), rtol=1e-5)
    return proposals.unverified[0]


def offered(source: str, *args: Any, static: tuple[str, ...] = (), seconds: float = 5.0) -> set[str]:
    """The patterns of all steps that rules proposed somewhere, whether or not a rewrite came of them: what the judge refuses, a
    rule should not write."""
    searches: list[Search] = []

    def noted(*given: Any, **options: Any) -> Search:
        searches.append(Search(*given, **options))
        return searches[-1]

    with mock.patch.object(proposing, "Search", noted):
        propose(define(source)["f"], args, {}, (), static, seconds=seconds)
    assert searches
    return set().union(*(search.offered() for search in searches))
