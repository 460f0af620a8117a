"""Python's limit of recursion is lowered while other code and values are tried, and put back."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from jupyter_jitmagic.sandbox.recursing import LEVELS, is_lowered, not_deeper, recursion_limit_put_back

RAISED = 50_000


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(RAISED)
    yield
    sys.setrecursionlimit(before)


def deep(levels: int) -> int:
    return 0 if levels == 0 else 1 + deep(levels - 1)


def test_it_is_lowered_where_it_was_raised_and_put_back() -> None:
    with pytest.raises(ValueError), recursion_limit_put_back():
        assert deep(LEVELS) == LEVELS and not is_lowered()
        with recursion_limit_put_back():
            not_deeper()
        assert is_lowered() and deep(LEVELS - 100) == LEVELS - 100
        with pytest.raises(RecursionError):
            deep(LEVELS + 100)
        raise ValueError
    assert sys.getrecursionlimit() == RAISED and not is_lowered()


def test_one_that_is_low_stays() -> None:
    sys.setrecursionlimit(1_000)
    with recursion_limit_put_back():
        not_deeper()
        assert sys.getrecursionlimit() == 1_000 and not is_lowered()
    assert sys.getrecursionlimit() == 1_000


def test_what_somebody_else_sets_meanwhile_stays() -> None:
    with recursion_limit_put_back():
        not_deeper()
        sys.setrecursionlimit(3_333)
    assert sys.getrecursionlimit() == 3_333


def test_the_last_of_two_threads_puts_it_back() -> None:
    inside, over = threading.Event(), threading.Event()

    def other() -> None:
        with recursion_limit_put_back():
            not_deeper()
            inside.set()
            over.wait(5)

    with recursion_limit_put_back():
        not_deeper()
        thread = threading.Thread(target=other)
        thread.start()
        inside.wait(5)
    assert sys.getrecursionlimit() < RAISED
    over.set()
    thread.join()
    assert sys.getrecursionlimit() == RAISED
