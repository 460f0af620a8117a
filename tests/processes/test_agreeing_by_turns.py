"""Four processes whose calls of the store come in any order, some of them failing: all are told what differs."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.recording.compiles.agreeing import Agreement
from jupyter_jitmagic.records.programs import Program

EVERYONE = (0, 1, 2, 3)


class Turns:
    """Threads of which one runs at a time: which one goes on is drawn wherever one hands over."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._handed_over = threading.Semaphore(0)
        self._waiting: dict[int, threading.Semaphore] = {}
        self._own = threading.local()
        self.failed: list[BaseException] = []

    def add(self, work: Callable[[], None]) -> None:
        mine, number = threading.Semaphore(0), len(self._waiting)

        def run() -> None:
            self._own.turn = mine
            mine.acquire()
            try:
                work()
            except BaseException as error:
                self.failed.append(error)
            del self._waiting[number]
            self._handed_over.release()

        self._waiting[number] = mine
        threading.Thread(target=run, daemon=True).start()

    def hand_over(self) -> None:
        self._handed_over.release()
        self._own.turn.acquire()

    def play(self) -> None:
        while self._waiting:
            self._waiting[self.random.choice(sorted(self._waiting))].release()
            self._handed_over.acquire()
        assert not self.failed, self.failed


class Store:
    """JAX's key-value store in a dict: each call is a turn, and some fail."""

    def __init__(self, turns: Turns, failing: float) -> None:
        self._turns, self._failing, self._kept = turns, failing, dict[str, str]()

    def _called(self) -> None:
        self._turns.hand_over()
        if self._turns.random.random() < self._failing:
            raise RuntimeError("UNAVAILABLE: try again")

    def key_value_set(self, key: str, value: str, allow_overwrite: bool) -> None:
        self._called()
        self._kept[key] = value

    def key_value_try_get(self, key: str) -> str:
        self._called()
        if key not in self._kept:
            raise RuntimeError(f"NOT_FOUND: Config key {key} not found.")
        return self._kept[key]

    def key_value_dir_get(self, folder: str) -> list[tuple[str, str]]:
        self._called()
        return [(key, value) for key, value in self._kept.items() if key.startswith(folder)]


def named(name: str, shape: str) -> Program:
    return Program(name, {"x": shape}, f"{name} {shape}", "train.py:7", f"{name} {shape}")


def told(monkeypatch: pytest.MonkeyPatch, seed: int, ran: dict[int, list[Program]], failing: float) -> list[list[str]]:
    """What each process finds when what it runs and what it looks at come in the order that the seed draws."""
    turns = Turns(seed)
    client = Store(turns, failing)
    monkeypatch.setattr(internals, "distributed", lambda: internals.Distributed(0, 4, client))
    agreements = [Agreement(lambda line: None) for _ in EVERYONE]

    def compiles(number: int, agreement: Agreement) -> None:
        place = internals.Distributed(number, 4, client)
        for program in ran[number]:
            agreement.note_later(place, EVERYONE, lambda program=program: program, "")  # type: ignore[misc]
            turns.hand_over()

    def looks(agreement: Agreement) -> None:
        for _ in range(50):
            if not agreement.found:
                try:
                    agreement.look()
                except RuntimeError as error:
                    assert "UNAVAILABLE" in str(error)
            turns.hand_over()

    for number, agreement in enumerate(agreements):
        agreement._begin = lambda: None  # type: ignore[method-assign]
        agreement._end.wait = lambda timeout=None: bool(turns.hand_over())  # type: ignore[method-assign,assignment]
        turns.add(lambda number=number, agreement=agreement: compiles(number, agreement))  # type: ignore[misc]
        turns.add(lambda agreement=agreement: looks(agreement))  # type: ignore[misc]
    turns.play()
    return [[each.differs for each in agreement.found] for agreement in agreements]


@pytest.mark.parametrize("failing", [0.0, 0.1])
def test_every_process_is_told_in_whatever_order(monkeypatch: pytest.MonkeyPatch, failing: float) -> None:
    """Whichever process differs; a store that fails now and then makes it later, but loses nothing."""
    usual = [named("warm", "f32[2]"), named("step", "f32[32]")]
    for seed in range(12):
        odd = seed % 4
        ran = {number: [usual[0], named("step", "f32[31]")] if number == odd else usual for number in EVERYONE}
        found = told(monkeypatch, seed, ran, failing)
        said = {line for lines in found for line in lines}
        assert all(found) and all("is about to run step for f32[3" in line for line in said), (seed, found)


@pytest.mark.parametrize("failing", [0.0, 0.1])
def test_nothing_is_told_in_whatever_order_where_all_run_the_same(monkeypatch: pytest.MonkeyPatch, failing: float) -> None:
    usual = [named(name, f"f32[{size}]") for name in ("step", "loss") for size in (2, 3, 4)]
    for seed in range(12):
        ran = {number: usual[: len(usual) - (seed + number) % 3] for number in EVERYONE}
        assert told(monkeypatch, seed, ran, failing) == [[], [], [], []], seed
