"""What is swallowed is one thread's own, and afterwards the process has its own streams and filters again."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
import warnings
from contextlib import redirect_stdout

import pytest

from jupyter_jitmagic.sandbox import streams
from jupyter_jitmagic.sandbox.streams import swallowed


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


def test_lines_for_a_log_reach_no_handler_of_this_thread_and_those_of_others(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.Logger.handle, logging.basicConfig, list(logging.root.handlers)
    texts: list[str] = []
    with swallowed(texts.append):
        logging.getLogger("mine").warning("loss %d", 3)
        logging.warning("mine")
        in_a_thread(lambda: logging.getLogger("other").warning("from another thread")).join()
    assert texts == ["loss 3", "mine"] and [record.message for record in caplog.records] == ["from another thread"]
    assert before == (logging.Logger.handle, logging.basicConfig, logging.root.handlers)


def test_a_stream_that_somebody_else_has_set_meanwhile_stays() -> None:
    mine = io.StringIO()
    with redirect_stdout(None):  # puts back what was there
        with swallowed():
            sys.stdout = mine
        assert sys.stdout is mine


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_a_child_forked_while_another_thread_swallows_can_swallow_and_has_its_own_stream() -> None:
    """What the other thread held and put up at the fork is gone in the child: it neither hangs nor loses what it prints."""
    inside, done = threading.Event(), threading.Event()

    def swallow() -> None:
        with swallowed(), streams._lock:
            inside.set()
            done.wait(20)

    other = threading.Thread(target=swallow)
    other.start()
    inside.wait(20)
    child = os.fork()
    if not child:
        signal.alarm(5)  # ends a child that hangs
        own = not isinstance(sys.stdout, streams._StandIn)
        with swallowed():
            print("lost")
        os._exit(0 if own else 1)
    _, status = os.waitpid(child, 0)
    done.set()
    other.join()
    assert status == 0


def test_stand_ins_that_are_kept_up_swallow_nothing_by_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    """Between two runs they stay where they are, and in the end the process has its own streams again."""
    before = sys.stdout, sys.stderr, list(warnings.filters), logging.Logger.handle, logging.basicConfig
    with streams.kept_up():
        with swallowed():
            print("lost")
            standing = sys.stdout
        assert sys.stdout is standing
        print("seen")
    assert (sys.stdout, sys.stderr, list(warnings.filters), logging.Logger.handle, logging.basicConfig) == before
    assert capsys.readouterr().out == "seen\n"
