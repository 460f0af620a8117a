"""Each of a dozen loops with each of the things that a loop carries: all by all, so that no pair is left out because nobody
thought of it."""

from __future__ import annotations

import textwrap

from ..program import Draft, Writer
from ..vocabulary import Names

LOOPS: dict[str, tuple[str, str, str]] = {
    "range of data": ("", "for at in range({n}):", "{v} = {x}[at]"),
    "elements": ("", "for {v} in {x}:", ""),
    "while below": ("at = 0", "while at < {n}:", "{v} = {x}[at]\nat += 1"),
    "while large": ("{v} = {x}[0]\nat = 0", "while abs({v}) > 0.1:", "{v} = {v} * 0.5\nat += 1"),
    "break": ("", "for at in range(len({x})):", "{v} = {x}[at]\nif {v} > {t}:\n    break"),
    "continue": ("", "for at in range({x}.shape[0]):", "{v} = {x}[at]\nif {v} < {t}:\n    continue"),
    "without a test": ("at = 0", "while True:", "{v} = {x}[at]\nat += 1\nif {v} > {t} or at >= {x}.shape[0]:\n    break"),
    "turned": ("", "for at in range(len({x})):", "{v} = {x}[at]\nif {v} < 0:\n    {v} = -{v}"),
    "two": ("", "for {v}, other in zip({x}, {y}):", "if other > {v}:\n    {v} = other"),
    "counted": ("", "for at, {v} in enumerate({x}):", "if {v} > {t}:\n    {v} = {v} - at"),
    "pairs": (
        "",
        "for at in range(len({x})):",
        "{v} = 0.0\nfor beside in range(at):\n    if {x}[at] > {x}[beside]:\n        {v} = {v} + {x}[beside]",
    ),
}
"""By name: lines before, the head, and the beginning of a round, which gives the item."""

CARRIED: dict[str, tuple[str, str, str, str]] = {
    "sum": ("acc = 0.0", "acc = acc + {v}", "acc", "scalar"),
    "sum from an int": ("acc = 0", "acc += {v} * 2", "acc", "scalar"),
    "count": ("many = 0", "if {v} > 0.5:\n    many += 1", "many", "count"),
    "chained": ("many = 0", "if -0.5 < {v} <= 0.5:\n    many += 1", "many", "count"),
    "largest": ("top = -jnp.inf", "if {v} > top:\n    top = {v}", "top", "scalar"),
    "python's max": ("top = 0.0", "top = max(top, {v})", "top", "scalar"),
    "place of the least": (
        "top, place, step = jnp.inf, -1, 0",
        "if {v} < top:\n    top, place = {v}, step\nstep += 1",
        "place",
        "count",
    ),
    "two largest": (
        "top = second = -jnp.inf",
        "if {v} > top:\n    top, second = {v}, top\nelif {v} > second:\n    second = {v}",
        "(top, second)",
        "tuple",
    ),
    "filtered list": ("out = []", "if {v} > 0.5:\n    out.append({v})", "(sum(out), len(out))", "tuple"),
    "two lists": (
        "low, high = [], []",
        "if {v} > 0.5:\n    low.append(0.5)\n    high.append({v})\nelse:\n    low.append({v})\n    high.append(0.5)",
        "(sum(low), sum(high))",
        "tuple",
    ),
    "dict of counts": (
        "bins = {{'low': 0, 'high': 0}}",
        "if {v} > 0.5:\n    bins['high'] += 1\nelse:\n    bins['low'] += 1",
        "(bins['low'], bins['high'])",
        "tuple",
    ),
    "flag": ("seen = False", "if {v} > 1:\n    seen = True", "seen", "count"),
    "until a flag": (
        "seen, acc = False, 0.0",
        "if not seen:\n    acc = acc + {v}\nif {v} > 1:\n    seen = True",
        "acc",
        "scalar",
    ),
    "early return": ("", "if {v} > 1.2:\n    return {v} * 2", "-1.0", "scalar"),
    "bins": (
        "bins = jnp.zeros(3)",
        "if {v} < 0:\n    bins = bins.at[0].add(1)\nelif {v} < 1:\n    bins = bins.at[1].add(1)\nelse:\n"
        "    bins = bins.at[2].add(1)",
        "bins",
        "array",
    ),
    "the one before": (
        "before, acc = 0.0, 0.0",
        "if {v} > before:\n    acc = acc + ({v} - before)\nbefore = {v}",
        "acc",
        "scalar",
    ),
    "longest run": (
        "run = longest = 0",
        "if {v} > 0:\n    run += 1\n    longest = max(longest, run)\nelse:\n    run = 0",
        "longest",
        "count",
    ),
    "tuple": ("pair = (0.0, 1.0)", "pair = (pair[1], pair[0] + {v})", "pair", "tuple"),
    "named state": (
        "mode, acc = 'up', 0.0",
        "if mode == 'up':\n    acc = acc + {v}\n    if acc > 2:\n        mode = 'down'\nelse:\n    acc = acc - {v}\n"
        "    if acc < 0:\n        mode = 'up'",
        "acc",
        "scalar",
    ),
    "product": ("acc = 1.0", "if {v} != 0:\n    acc *= {v}", "acc", "scalar"),
    "clamped": ("acc = 0.0", "acc = min(max(acc + {v}, -1.0), 1.0)", "acc", "scalar"),
    "ternary": ("acc = 0.0", "acc = acc + ({v} if {v} > 0 else 0.1 * {v})", "acc", "scalar"),
    "whole numbers": ("acc = 0", "acc = acc + int({v} * 4)", "acc", "count"),
    "stack": ("held = []", "if held and {v} < held[-1]:\n    held.pop()\nelse:\n    held.append({v})", "len(held)", "count"),
    "swapped": (
        "out = jnp.zeros(2)",
        "if {v} > out[0]:\n    out = out.at[1].set(out[0])\n    out = out.at[0].set({v})",
        "out",
        "array",
    ),
}
"""By name: lines before the loop, what a round does, what comes out and of which kind."""


def write(w: Writer, n: Names) -> Draft:
    before, head, begins = LOOPS[w.pick(*LOOPS)]
    start, does, result, gives = CARRIED[w.pick(*CARRIED)]
    words = {"v": n.item}
    for key, name, kind in (("x", n.x, "floats"), ("y", n.y, "floats"), ("t", n.limit, "float")):
        if any(f"{{{key}}}" in text for text in (before, head, begins)):
            shape = ("n",) if kind == "floats" else ()
            words[key] = w.take(name, kind, shape, values="limit" if kind == "float" else "mixed")  # type: ignore[arg-type]
    if "{n}" in head:
        words["n"] = w.take("rounds", "int", values="places")
    body = "\n".join(part for part in (begins, does) if part).format(**words)
    lines = [part.format(**words) for part in (start, before) if part]
    w.line(*lines, head.format(**words) + "\n" + textwrap.indent(body, "    "))
    return w.end(gives, result.format(**words))  # type: ignore[arg-type]
