"""Causes, durations and sizes in words: the TypeScript tests read the same golden files and hold the panel to them."""

from __future__ import annotations

from dataclasses import asdict
from typing import get_args

from golden_files import golden

from jupyter_jitmagic.base.causes import Cause, CauseName, sentence, sentences, word
from jupyter_jitmagic.base.wording import duration, percent, size

CAUSES = [
    Cause("first_call"),
    Cause("first_call", now="under vmap"),
    Cause("shape", "x", "f32[4]", "f32[5]"),
    Cause("shape", "params[0].w", "f32[]", "f32[2,3]"),
    Cause("dtype", "x", "f32[4]", "i32[4]"),
    Cause("weak_type", "lr", "f32[]{weak_type=True}", "f32[]{weak_type=False}"),
    Cause("weak_type", "n", "bool[]{weak_type=False}", "i32[]{weak_type=True}"),
    Cause("static_value", "n", "5", "8"),
    Cause("static_value", "mode", "'100%'", "'%1 of it'"),
    Cause("static_identity", "cfg", "Config(n=1)", "Config(n=1) (another object)"),
    Cause("pytree_structure", "x", "{'a'}", "{'a', 'b'}"),
    Cause("pytree_structure", "mask", "not given", "f32[4]"),
    Cause("calling_convention", "n", "positional", "keyword"),
    Cause("calling_convention", "n", "default", "positional"),
    Cause("calling_convention", "n", "keyword", "default"),
    Cause("new_function"),
    Cause("new_function", now="it reads a list"),
    Cause("device", "x", "uncommitted", "cpu:0"),
    Cause("device", "x", "cpu:1", "uncommitted"),
    Cause("sharding", "x", "layout (0, 1)", "layout (1, 0)"),
    Cause("config", "jax_enable_x64", "False", "True"),
    Cause("config", "mesh", "", "{'data': 2}"),
    Cause("cleared"),
    Cause("unknown"),
]
MISSES = [
    CAUSES[2:4],
    [Cause("dtype", "n", "bool[]", "i32[]"), CAUSES[6], CAUSES[2]],
    [CAUSES[7], CAUSES[7], CAUSES[10]],
]


def test_each_cause_reads_as_in_the_golden_file() -> None:
    """Word and sentence of every cause, and what is said of a miss that has several."""
    assert {cause.cause for cause in CAUSES} == set(get_args(CauseName))
    made = {
        "causes": [{**asdict(cause), "word": word(cause.cause), "sentence": sentence([cause])} for cause in CAUSES],
        "misses": [{"causes": [asdict(cause) for cause in miss], "sentences": sentences(miss)} for miss in MISSES],
    }
    assert made == golden("causes", made)


def test_many_causes_are_four_and_a_number() -> None:
    many = [Cause("shape", name, "f32[4]", "f32[5]") for name in "abcdef"]
    assert sentence(many).count("; ") == 4 and sentence(many).endswith("; and 2 more")


DURATIONS = [
    None, 0.0, 1e-10, 3e-9, 0.99949e-6, 0.9996e-6, 7.9e-6, 9.96e-6, 0.00099949, 0.0009999, 0.0123, 0.038, 0.14, 0.99949, 0.9999,
    1.34, 3.4, 9.94, 9.96, 12.3, 59.94, 59.96, 75.0, 3599.4, 3599.6, 3725.0, 90061.0,
]  # fmt: skip
PERCENTS = [None, 0.0, 0.004, 0.125, 0.667, 0.994, 200 / 201, 0.999999, 1.0, 1.5]
SIZES = [None, 0, 12, 999, 1000, 9_960, 12_345, 999_400, 999_600, 1_200_000, 3.4e9, 5.6e12, 7.8e15]


def test_durations_and_sizes_read_as_in_the_golden_file() -> None:
    made = {
        "percents": [{"value": value, "text": percent(value)} for value in PERCENTS],
        "durations": [{"value": value, "text": duration(value)} for value in DURATIONS],
        "sizes": [{"value": value, "text": size(value)} for value in SIZES],
    }
    assert made == golden("amounts", made)
    assert {duration(float(name)) for name in ("nan", "inf", "-inf")} == {size(float("nan"))} == {"–"}
