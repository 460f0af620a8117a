"""The pytest plugin: the fixture `no_recompile`, the marker `max_compiles`, and the summary section of ``--jit``.

pytest loads this file in every run where the package is installed, so at the top it imports the standard library and pytest
alone; JAX and the package's rooms come with the first test that asks for one of the three.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import pytest

_MARKER = "max_compiles"
_RESULT = "jupyter_jitmagic_compiles"
"""Under this name a worker of pytest-xdist hands what it saw to the run that started it."""
_seen = pytest.StashKey[Any]()
_watching = pytest.StashKey[ExitStack]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("jupyter_jitmagic", "jupyter_jitmagic: what jax.jit compiles in tests")
    group.addoption("--jit", action="store_true", help="end with what compiled, functions by compile time, and why")


def pytest_configure(config: pytest.Config) -> None:
    line = f"{_MARKER}(n): the test fails, saying why each time, where a function compiles more than n times in it"
    config.addinivalue_line("markers", line)


# ---- the marker


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    marker = item.get_closest_marker(_MARKER)
    if marker is None:
        return (yield)
    at_most = marker.args[0] if len(marker.args) == 1 and not marker.kwargs else None
    if type(at_most) is not int or at_most < 0:
        pytest.fail(f"give one whole number, 0 or more: @pytest.mark.{_MARKER}(2)", pytrace=False)
    from jupyter_jitmagic.recording.api.watching import too_many, watch

    with watch(quiet=True) as seen:
        result = yield
    found = too_many(seen.compiles, at_most, "in this test")
    if found:
        pytest.fail("\n".join(found), pytrace=False)
    return result


# ---- the fixture


@pytest.fixture
def no_recompile() -> Generator[None]:
    """No function may compile a second time in the test: `RecompileError`, with the reason, at the line that calls it.

    What the test itself has called counts, so the order of tests does not matter; of plain ``jax.jit`` what has compiled in it.

    Example:
        def test_steps(no_recompile):
            for batch in batches:
                step(batch)
    """
    from jupyter_jitmagic.recording.api.watching import no_second_compile

    with no_second_compile():
        yield


# ---- the summary


def pytest_sessionstart(session: pytest.Session) -> None:
    if session.config.getoption("--jit"):
        from jupyter_jitmagic.recording.api.watching import watch

        stack = session.config.stash[_watching] = ExitStack()
        session.config.stash[_seen] = stack.enter_context(watch(quiet=True))


def pytest_sessionfinish(session: pytest.Session) -> None:
    seen = session.config.stash.get(_seen, None)
    output = getattr(session.config, "workeroutput", None)
    if seen is not None and output is not None:
        output[_RESULT] = [
            (
                each.function,
                each.module,
                each.call_site,
                [(cause.cause, cause.argument, cause.before, cause.now) for cause in each.causes],
                each.cost_s,
            )
            for each in seen.compiles
        ]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist has ended."""
    seen = node.config.stash.get(_seen, None)
    rows = (getattr(node, "workeroutput", None) or {}).get(_RESULT)
    if seen is not None and rows:
        from jupyter_jitmagic.base.causes import Cause
        from jupyter_jitmagic.recording.api.watching import WatchedCompile

        for function, module, call_site, causes, cost_s in rows:
            seen.compiles.append(WatchedCompile(function, module, call_site, tuple(Cause(*cause) for cause in causes), cost_s))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    seen = config.stash.get(_seen, None)
    if seen is not None:
        terminalreporter.section("what compiled (--jit)", sep="=")
        terminalreporter.write_line(seen.text(at_most=25))


def pytest_unconfigure(config: pytest.Config) -> None:
    stack = config.stash.get(_watching, None)
    if stack is not None:
        stack.close()
