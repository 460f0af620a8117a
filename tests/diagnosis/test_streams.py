"""What is swallowed is one thread's own, and afterwards the process has its own streams and filters again."""

from __future__ import annotations

import io
import sys
import threading
import warnings
from contextlib import redirect_stdout

import pytest

from jupyter_jitmagic.diagnosis._streams import swallowed


def in_a_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_overlapping_threads_leave_the_stream_that_was_there() -> None:
    """The first to begin ends first: nobody puts back the other's stand-in."""
    before = sys.stdout, sys.stderr, list(warnings.filters)
    inside, over = threading.Event(), threading.Event()

    def other() -> None:
        with swallowed():
            inside.set()
            over.wait(5)

    with swallowed():
        thread = in_a_thread(other)
        inside.wait(5)
    over.set()
    thread.join()
    assert (sys.stdout, sys.stderr, list(warnings.filters)) == before


def test_what_other_threads_print_and_warn_passes(capsys: pytest.CaptureFixture[str]) -> None:
    def other() -> None:
        print("from another thread")
        warnings.warn("from another thread", UserWarning, stacklevel=1)

    texts: list[str] = []
    with pytest.warns(UserWarning, match="from another thread") as warned, swallowed(texts.append):
        print("mine")
        print("mine", file=sys.stderr)
        warnings.warn("mine", UserWarning, stacklevel=1)
        in_a_thread(other).join()
    assert capsys.readouterr() == ("from another thread\n", "") and texts == ["mine", "\n"] and len(warned) == 1


def test_a_stream_that_somebody_else_has_set_meanwhile_stays() -> None:
    mine = io.StringIO()
    with redirect_stdout(None):  # puts back what was there
        with swallowed():
            sys.stdout = mine
        assert sys.stdout is mine
