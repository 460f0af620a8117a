"""Processes of one program that are about to run different programs: told in each of them, and nothing where all is well."""

from __future__ import annotations

import ast
import socket
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.recording.causes.signatures import signature_of
from jupyter_jitmagic.recording.compiles.agreeing import Agreement, _Shown, _Store, are_same
from jupyter_jitmagic.records.programs import Program, program_of

SCRIPT = Path(__file__).with_name("two_processes.py")


def together(kind: str, differ: str, count: int = 2) -> list[tuple[list[str], list[str]]]:
    """The lines of each process, to stdout and to stderr."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    try:
        for me in range(count):
            command = [sys.executable, str(SCRIPT), str(port), str(me), str(count), kind, differ]
            started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        said = [process.communicate(timeout=120) for process in started]
        return [([line for line in out.splitlines() if "[Gloo]" not in line], error.splitlines()) for out, error in said]
    finally:
        for process in started:
            process.kill()


SHAPE = "process 1 is about to run step for f32[16@i,31], process 0 for f32[16@i,32]: x"


def test_a_difference_is_told_in_every_process() -> None:
    """A line says who differs, where and in what, while the calls wait in their collective."""
    for out, error in together("shape", "warn"):
        assert ast.literal_eval(out[-1]) == [SHAPE]
        (line,) = [line for line in error if line.startswith("jupyter_jitmagic: ")]
        assert line.startswith(f"jupyter_jitmagic: {SHAPE} (two_processes.py:")
        assert line.endswith(
            "). Processes that run different programs wait for each other without end, or compute wrong numbers."
        )


def test_with_raise_the_later_process_does_not_begin() -> None:
    """It has seen the other's program, so it raises before it compiles; the other is told."""
    (_, said), (out, _) = together("shape", "raise")
    assert out[0] == f"ProcessesDifferError: {SHAPE}"
    assert any(SHAPE in line for line in said)


def test_nothing_is_told_where_all_is_well() -> None:
    """One process behind, local work, JAX's own helpers, a rank in a static value, a cleared cache."""
    for out, error in together("healthy", "warn"):
        assert out == ["[]"] and not [line for line in error if "jupyter_jitmagic" in line], error


# ---- each kind, with a store that four processes share in this one


class Client:
    """JAX's key-value store, as far as it is used, in a dict."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def key_value_set(self, key: str, value: str, allow_overwrite: bool) -> None:
        self.kept[key] = value

    def key_value_try_get(self, key: str) -> str:
        if key not in self.kept:
            raise RuntimeError(f"NOT_FOUND: Config key {key} not found.")
        return self.kept[key]

    def key_value_dir_get(self, folder: str) -> list[tuple[str, str]]:
        return [(key, value) for key, value in self.kept.items() if key.startswith(folder)]


class Process:
    """One process: notes programs, and looks when it is told to."""

    def __init__(self, number: int, client: Client) -> None:
        self.lines: list[str] = []
        self.agreement = Agreement(self.lines.append)
        self.agreement._begin = lambda: None  # type: ignore[method-assign]
        self.agreement._end.wait = lambda timeout=None: False  # type: ignore[method-assign,assignment]
        self.place = internals.Distributed(number, 4, client)

    def note(self, *programs: Program, lowered: str = "", group: tuple[int, ...] = (0, 1, 2, 3)) -> str:
        return [self.agreement.note(self.place, group, program, lowered) for program in programs][-1]


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    client = Client()
    monkeypatch.setattr(internals, "distributed", lambda: internals.Distributed(0, 4, client))
    return [Process(number, client) for number in range(4)]


def look(processes: list[Process]) -> list[list[str]]:
    """What is new is shown by every process, then every thread has its turns."""
    for process in processes:
        for group, own in process.agreement._groups.items():
            process.agreement._show(_Store(process.place.client), process.place, group, own)
    for _ in range(2):
        for process in processes:
            if not process.agreement.found:
                process.agreement.look()
    return [process.lines for process in processes]


def program(name: str, *args: Any, donated: tuple[str, ...] = (), **kwargs: Any) -> Program:
    return program_of(name, signature_of(lambda *args, **kwargs: None, args, kwargs, (1,)), donated, "train.py:7", devices=True)


WIDE, NARROW = jnp.ones(32), jnp.ones(31)


def test_who_differs_is_named_whoever_it_is(four: list[Process]) -> None:
    """Also where it is the process that the others are compared with; each process is told once."""
    for number, process in enumerate(four):
        process.note(program("step", NARROW if number == 0 else WIDE))
    told = look(four)
    assert told == [told[0]] * 4 and look(four) == told
    assert told[0] == [
        "process 0 is about to run step for f32[31], the others for f32[32]: args[0] (train.py:7)."
        " Processes that run different programs wait for each other without end, or compute wrong numbers."
    ]


def test_a_process_that_is_behind_is_no_different(four: list[Process]) -> None:
    """Until it comes to another program than the others had there."""
    for process in four[:3]:
        process.note(program("step", WIDE), program("loss", WIDE), program("step", NARROW))
    four[3].note(program("step", WIDE))
    assert look(four) == [[]] * 4
    four[3].note(program("loss", WIDE))
    assert look(four) == [[]] * 4
    four[3].note(program("step", jnp.ones(5)))
    assert look(four)[0][0].startswith("process 3 is about to run step for f32[5], the others for f32[31]: args[0]")


def test_order_and_a_missing_function(four: list[Process]) -> None:
    for process in four[:3]:
        process.note(program("step", WIDE), program("loss", WIDE))
    four[3].note(program("loss", WIDE))
    assert look(four)[2][0].startswith("process 3 is about to run loss, the others step (train.py:7).")


def test_a_static_value_counts_if_it_makes_another_program(four: list[Process]) -> None:
    """A rank in a configuration may come to the same; the lowered program says so, and until then nothing is said."""
    for number, process in enumerate(four):
        process.note(program("same", WIDE, number), lowered="as text")
        process.note(program("step", WIDE, 7 if number == 3 else 8))
    assert look(four) == [[]] * 4
    for number, process in enumerate(four):
        process.note(program("step", WIDE, 7 if number == 3 else 8), lowered=f"by {7 if number == 3 else 8}")
    assert look(four)[1][0].startswith("process 3 is about to run step for 7, the others for 8: args[1]")


def test_groups_of_processes_are_apart_and_what_was_compiled_before_does_not_count(four: list[Process]) -> None:
    for number, process in enumerate(four):
        process.note(program("step", WIDE), group=(0, 1) if number < 2 else (2, 3))
        process.note(program("left" if number < 2 else "right", WIDE), group=(0, 1) if number < 2 else (2, 3))
    four[1].note(program("step", WIDE), group=(0, 1))  # its cache was cleared
    assert look(four) == [[]] * 4


def test_with_the_others_program_known_the_call_is_refused(four: list[Process]) -> None:
    """What the thread has seen is asked, so nobody waits; the line is what the error says."""
    for process in four[:3]:
        process.note(program("step", WIDE))
    assert look(four[:3]) == [[]] * 3
    assert four[3].note(program("warm", WIDE), group=(3,)) == ""
    four[3].agreement._groups.setdefault((0, 1, 2, 3), type(four[0].agreement._groups[0, 1, 2, 3])())
    four[3].agreement.look()
    said = four[3].note(program("step", NARROW))
    assert said == "process 3 is about to run step for f32[31], process 0 for f32[32]: args[0]"


def test_what_is_noted_for_later_is_compared_in_the_order_of_its_compiles(four: list[Process]) -> None:
    """What the thread works out is the same; a fault in it is told once, and the others are compared."""
    jm.faults.clear()
    everyone = (0, 1, 2, 3)
    for number, process in enumerate(four):
        noted = [program("step", WIDE), program("loss", WIDE if number < 3 else NARROW)]
        process.agreement.note_later(process.place, everyone, lambda: 1 / 0, "")  # type: ignore[arg-type,return-value]
        for each in noted:
            process.agreement.note_later(process.place, everyone, lambda each=each: each, "")  # type: ignore[misc]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            process.agreement._take_noted()
    assert look(four)[0][0].startswith("process 3 is about to run loss for f32[31], the others for f32[32]: args[0]")
    assert "ZeroDivisionError" in jm.faults.details()
    jm.faults.clear()


def test_a_store_that_is_gone_costs_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some attempts the thread says so and ends; calls go on."""

    class Gone:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("UNAVAILABLE: connection refused")

    place, lines = internals.Distributed(1, 2, Gone()), list[str]()
    monkeypatch.setattr(internals, "distributed", lambda: place)
    monkeypatch.setattr("jupyter_jitmagic.recording.compiles.agreeing._POLL_S", 0.01)
    agreement = Agreement(lines.append)
    assert agreement.note(place, (0, 1), program("step", WIDE), "") == ""
    assert agreement._thread is not None
    agreement._thread.join(60)
    assert lines == [
        "whether processes differ is watched no more: JAX's key-value store fails (UNAVAILABLE: connection refused)"
    ]
    assert agreement.note(place, (0, 1), program("step", NARROW), "") == ""


def test_same_or_not_or_not_known_yet() -> None:
    a, b = _Shown("1", "x", ""), _Shown("2", "x", "")
    assert are_same(a, a) is True and are_same(a, b) is None and are_same(a, b._replace(given="y")) is False
    assert are_same(a._replace(lowered="l"), b._replace(lowered="l")) is True
    assert are_same(a._replace(lowered="l"), b._replace(lowered="m")) is False


def test_a_program_of_one_process_is_not_followed() -> None:
    assert internals.distributed() is None
    jm.jit(lambda x: x + 1)(jnp.ones(3))
    assert jm.compare_processes().empty


def test_only_what_makes_sense_is_set() -> None:
    with pytest.raises(jm.OptionError, match="differ='loud': choose one of warn, raise, off"):
        jm.options.differ = "loud"  # type: ignore[assignment]
