"""A class of settings that hashes by identity as a frozen dataclass: the cell, and where nothing is proposed."""

from __future__ import annotations

from typing import Any

import pytest
from shells import Shell

from jupyter_jitmagic.magics.frozen_class import as_frozen
from jupyter_jitmagic.magics.miss_advice import for_panel

CLASS = """%%time
class Config:
    \"\"\"What a step needs.\"\"\"

    def __init__(self, rate, steps: int = 3, name="a", shape=(2, -1)):
        self.rate = rate
        self.steps = steps
        self.name = name
        self.shape = shape

    @property
    def both(self):
        return self.rate * self.steps

cfg = Config(0.5)
"""
VALUES: dict[str, object] = {"rate": 0.5, "steps": 3, "name": "a", "shape": (2, -1)}


def test_the_class_declares_its_fields_and_keeps_all_else() -> None:
    after = as_frozen(CLASS, "Config", VALUES, [CLASS], {})
    assert (
        after
        == """%%time
from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    \"\"\"What a step needs.\"\"\"

    rate: object
    steps: int = 3
    name: str = "a"
    shape: object = (2, -1)

    @property
    def both(self):
        return self.rate * self.steps

cfg = Config(0.5)
""".replace('"a"', "'a'")
    )


def test_it_runs_as_before() -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    after = as_frozen(CLASS, "Config", VALUES, [], {})
    assert after is not None
    exec(after.replace("%%time", ""), space)
    assert space["cfg"] == space["Config"](0.5, 3) and space["cfg"].both == 1.5


@pytest.mark.parametrize(
    "old, new",
    [
        ("self.rate = rate", "self.rate = rate * 2"),
        ("self.rate = rate", "self.rate = rate  # per second"),
        ("self.rate = rate", "self.rate = rate\n        print(rate)"),
        ("class Config:", "class Config(Base):"),
        ("class Config:", "@register\nclass Config:"),
        ("(2, -1)):", "[2]):"),
        ("def both", "def rate"),
        ("def both", "def __eq__"),
        ("steps: int", "steps: ClassVar[int]"),
        ("return self.rate * self.steps", "self.cached = 1"),
        ("    @property", "    version = 1\n\n    @property"),
    ],
)
def test_a_class_that_is_more_than_its_values_is_left_alone(old: str, new: str) -> None:
    assert as_frozen(CLASS.replace(old, new), "Config", VALUES, [], {}) is None


@pytest.mark.parametrize(
    "cell",
    [
        "cfg.rate = 2",
        "cfg.rate, other = 1, 2",
        "cfg.extra += 1",
        "del cfg.rate",
        "setattr(cfg, 'rate', 1)",
        "cfg.__dict__['rate'] = 1",
        "class More(Config):\n    pass",
        "this is no Python",
    ],
)
def test_objects_that_are_changed_later_are_left_alone(cell: str) -> None:
    assert as_frozen(CLASS, "Config", VALUES, [CLASS, cell], {}) is None


def test_what_is_set_on_a_module_is_no_matter() -> None:
    cells = ["jm.options.tell_after_s = 0", "class Other:\n    def __init__(self):\n        self.rate = 1"]
    assert as_frozen(CLASS, "Config", VALUES, cells, {"jm": pytest}) is not None


def test_an_object_with_other_attributes_than_the_arguments_is_left_alone() -> None:
    assert as_frozen(CLASS, "Config", {**VALUES, "later": 1}, [], {}) is None


def test_the_card_of_a_real_recompile_has_the_change_and_it_cures(shell: Shell) -> None:
    shell.ok("import jupyter_jitmagic as jm\njm.options.tell_after_s = 0")
    cell = "class Size:\n    def __init__(self, n):\n        self.n = n"
    shell.ok(cell)
    step = "%%jit --quiet --static size\ndef sized(x, size):\n    return x * size.n"
    shell.ok(step)
    shell.ok("for _ in range(4): sized(jnp.ones(3), Size(2))")
    cures: Any = for_panel(shell.ip, {})["cures"]
    (cure,) = [each for each in cures if each["name"] == "sized"]
    assert "frozen dataclass" in cure["what"] and cure["proof"].startswith("made so, two with the recorded values are equal")
    assert cure["fix"]["before"].rstrip() == cell and "+@dataclass(frozen=True)" in cure["fix"]["diff"]
    shell.ok(cure["fix"]["after"])
    shell.ok(step)
    shell.ok("for _ in range(4): sized(jnp.ones(3), Size(2))")
    calls = shell.ok("jm.stats('calls')").value
    assert calls.outcome.tolist()[-3:] == ["hit"] * 3
    shell.ok("jm.options.reset()")
