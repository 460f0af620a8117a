"""Garbage is collected less often while an answer is looked for, and as before when it is found."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from jupyter_jitmagic.sandbox.collecting import SELDOM, seldom_collected


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


def test_the_threshold_is_high_inside_and_the_former_one_afterwards() -> None:
    with pytest.raises(ValueError), seldom_collected():
        assert gc.get_threshold()[0] == SELDOM
        with seldom_collected():
            pass
        assert gc.get_threshold()[0] == SELDOM
        raise ValueError
    assert gc.get_threshold() == (700, 10, 10)


def test_the_last_of_two_threads_puts_it_back() -> None:
    inside, over = threading.Event(), threading.Event()

    def other() -> None:
        with seldom_collected():
            inside.set()
            over.wait(5)

    with seldom_collected():
        thread = threading.Thread(target=other)
        thread.start()
        inside.wait(5)
    assert gc.get_threshold()[0] == SELDOM
    over.set()
    thread.join()
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("own", [0, 10**6])
def test_a_threshold_that_collects_less_or_not_at_all_stays(own: int) -> None:
    gc.set_threshold(own, 10, 10)
    with seldom_collected():
        assert gc.get_threshold()[0] == own
    assert gc.get_threshold()[0] == own


def test_what_somebody_sets_meanwhile_stays() -> None:
    with seldom_collected():
        gc.set_threshold(5000, 5, 5)
    assert gc.get_threshold() == (5000, 5, 5)
