"""What differs between processes, in words: each kind of difference is made with real programs of `jm.jit`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.processes import levels
from jupyter_jitmagic.processes.differing import differences, programs_of
from jupyter_jitmagic.processes.recording import Writer
from jupyter_jitmagic.records.programs import Program

WIDE, NARROW = jnp.ones((32, 8)), jnp.ones((31, 8))


def step(x, n=2):
    return jax.tree_util.tree_map(lambda leaf: leaf * n, x)


def other(x):
    return x + 1


def compiled(*calls: Callable[[], object]) -> list[Program]:
    """What a process that makes these calls has compiled, as it would be sent."""
    jm.reset()
    for call in calls:
        call()
    programs = programs_of(levels.programs().frame())
    return [Program.from_dict(json.loads(json.dumps(program.to_dict()))) for program in programs]


def stepped(x, **options) -> Callable[[], object]:
    static = options.pop("static", None)
    return lambda: jm.jit(step, static_argnames="n" if static else None, **options)(x, **({"n": static} if static else {}))


def in_config(call: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        with jax.default_matmul_precision("highest"):
            return call()

    return run


KINDS = {
    "shape": (stepped(NARROW), stepped(WIDE), "for f32[31,8], the others for f32[32,8]: x"),
    "dtype": (stepped(WIDE.astype("bfloat16")), stepped(WIDE), "for bf16[32,8], the others for f32[32,8]: x"),
    "weak type": (stepped(1.0), stepped(jnp.float32(1)), "for ~f32[], the others for f32[]: x"),
    "static value": (stepped(WIDE, static=3), stepped(WIDE, static=4), "for 3, the others for 4: n"),
    "donation": (stepped(NARROW + 0, donate_argnums=0), stepped(NARROW), "with donated x, the others with –"),
    "config": (
        in_config(stepped(WIDE)),
        stepped(WIDE),
        "with jax_default_matmul_precision highest, the others with None",
    ),
    "structure": (stepped({"a": WIDE}), stepped({"b": WIDE}), "for f32[32,8], the others for –: x['a']"),
    "container": (stepped([WIDE]), stepped((WIDE,)), "for another structure of its arguments than the others"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_difference_in_words(kind: str) -> None:
    theirs, usual, said = KINDS[kind]
    programs = {0: compiled(usual), 1: compiled(usual), 2: compiled(usual), 3: compiled(theirs)}
    (found,) = differences(programs)
    assert found.differs == f"process 3 compiled step {said}" and found.who == "process 3"
    assert found.call_site.rpartition("/")[2].startswith("test_differing.py:")


def test_who_differs_where_there_are_two_or_several_ways() -> None:
    """Of two the second differs from the first; of three ways two are told."""
    a, b, c = compiled(stepped(jnp.ones(3))), compiled(stepped(jnp.ones(4))), compiled(stepped(jnp.ones(5)))
    (found,) = differences({0: a, 1: b})
    assert found.differs == "process 1 compiled step for f32[4], process 0 for f32[3]: x"
    found = differences({0: a, 1: a, 2: b, 3: c, 4: b, 5: a})
    assert [each.who for each in found] == ["processes 2 and 4", "process 3"]


def test_what_is_missing() -> None:
    one, both = compiled(stepped(WIDE)), compiled(stepped(WIDE), lambda: jm.jit(other)(WIDE), stepped(NARROW))
    assert [each.differs for each in differences({0: both, 1: both, 2: one})] == [
        "process 2 has not compiled step so often: the others went on to f32[31,8]",
        "process 2 has not compiled other at all",
    ]
    assert [each.differs for each in differences({0: one, 1: one, 2: both})] == [
        "process 2 compiled step once more, for f32[31,8]; the others did not",
        "process 2 compiled other; the others did not",
    ]


def test_the_order_counts_where_all_else_is_the_same() -> None:
    ab, ba = (compiled(*calls) for calls in ([stepped(WIDE), lambda: jm.jit(other)(WIDE)],) * 2)
    assert differences({0: ab, 1: list(ba)}) == []
    (found,) = differences({0: ab, 1: ba[::-1]})
    said = "process 1 compiled other for f32[32,8] where process 0 compiled step for f32[32,8]: the order differs"
    assert found.differs == said


def test_the_same_is_told_by_no_line() -> None:
    """A cache that was cleared, or a process whose devices have other numbers, is no other program."""
    one = compiled(stepped(WIDE))
    assert differences({0: one, 1: one + one}) == [] == differences({0: one})
    assert jax.devices()[0].platform not in json.dumps([program.to_dict() for program in one])


def test_over_a_folder(tmp_path: Path) -> None:
    """Each run by itself; a process that compiled nothing is one of them."""
    for run, x in (("a", WIDE), ("a", NARROW), ("b", NARROW)):
        compiled(stepped(x))
        Writer(tmp_path, run, 5.0, 10**9).write(last=True)
    found = jm.compare_processes(jm.open(tmp_path))
    assert found["differs"].tolist() == ["process 1 compiled step for f32[31,8], process 0 for f32[32,8]: x"]
    assert jm.compare_processes(jm.open(tmp_path).run("b")).empty
