"""What an instruction costs by XLA's own rules: floating point operations, and bytes read and written. Estimates, nothing else.

The rules are those of XLA's `HloCostAnalysis` (xla/service/hlo_cost_analysis.cc): an elementwise instruction costs an operation
for each element, a product two for each term, moving data none. A program's figures count a loop as often as XLA knows that it
runs (XLA itself counts it once).
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from jupyter_jitmagic.by_line.hlo import CONTROL_FLOW, Instruction, Program


class Cost(NamedTuple):
    """Estimates of one execution of an instruction."""

    flops: float
    transcendentals: float
    """Elements of exp, log, sin and the like: each takes many operations, and XLA counts them apart."""
    bytes: float
    elements: float
    """Of its output."""

    @property
    def weight(self) -> float:
        """Its part of the time of a fusion, in the unit of one simple operation."""
        return self.flops + _TRANSCENDENTAL * self.transcendentals + self.elements


_TRANSCENDENTAL = 10.0
"""What one takes in simple operations, roughly: a polynomial of that many terms."""

_FREE = {"parameter", "constant", "tuple", "get-tuple-element", "bitcast", "iota", "after-all", "partition-id", "replica-id"}
_MOVING = {
    *("broadcast", "copy", "reshape", "transpose", "slice", "dynamic-slice", "dynamic-update-slice", "concatenate", "pad"),
    *("gather", "reverse", "bitcast-convert", "copy-start", "copy-done", "all-gather", "custom-call", "fusion", "sort"),
    *("rng-bit-generator", "infeed", "outfeed", "async-done", "async-update"),
}
_SLOW = {
    *("exponential", "exponential-minus-one", "log", "log-plus-one", "logistic", "tanh", "tan", "sine", "cosine", "power"),
    *("sqrt", "rsqrt", "cbrt", "atan2", "erf"),
}
_ARRAY = re.compile(r"([a-z]+[0-9]*[a-z0-9]*)\[([0-9,<=]*)\]")
_BITS = re.compile(r"[a-z]+(\d+)")


def elements(shape: str) -> float:
    """Elements of an array's shape as XLA writes it; of all arrays of a tuple."""
    return float(sum(math.prod(dims) for _, dims in _arrays(shape)))


def size(shape: str) -> float:
    """Bytes of an array, or of all arrays of a tuple."""
    return sum(_width(kind) * math.prod(dims) for kind, dims in _arrays(shape))


def cost(program: Program, instruction: Instruction) -> Cost:
    """The estimates of one instruction; of a fusion, of a loop and of what calls others only what they move themselves."""
    out = elements(instruction.shape)
    if instruction.opcode in _FREE or instruction.opcode in CONTROL_FLOW:
        return Cost(0.0, 0.0, 0.0, 0.0)
    inputs = [found.shape for name in instruction.operands if (found := program.instructions.get(name))]
    moved = size(instruction.shape) + sum(map(size, inputs))
    flops, slow = 0.0, 0.0
    if instruction.opcode == "dot":
        flops = 2.0 * out * _contracted(instruction, inputs)
    elif instruction.opcode == "convolution":
        flops = 2.0 * out * _terms(instruction, inputs)
    elif instruction.opcode in ("reduce", "all-reduce", "reduce-scatter", "scatter"):
        flops = elements(inputs[0]) if inputs else out
    elif instruction.opcode in ("reduce-window", "select-and-scatter"):
        window = re.search(r"window=\{size=([\dx]+)", instruction.attributes)
        flops = out * math.prod(map(int, window[1].split("x"))) if window else out
    elif instruction.opcode in _SLOW:
        slow = out
    elif instruction.opcode not in _MOVING:
        flops = out
    return Cost(flops, slow, moved, out)


def _arrays(shape: str) -> list[tuple[str, list[int]]]:
    return [(kind, [int(n) for n in re.findall(r"\d+", dims)]) for kind, dims in _ARRAY.findall(shape)]


def _width(kind: str) -> float:
    if kind == "pred":
        return 1.0
    bits = _BITS.match(kind)
    return int(bits[1]) / 8 if bits else 0.0  # a token has none


def _contracted(instruction: Instruction, inputs: list[str]) -> float:
    """Terms of each element of a product: the sizes of the left side's contracted dimensions."""
    dims = re.search(r"lhs_contracting_dims=\{([\d,]*)\}", instruction.attributes)
    if not dims or not inputs:
        return 1.0
    left = _arrays(inputs[0])[0][1]
    return float(math.prod(left[int(n)] for n in re.findall(r"\d+", dims[1]) if int(n) < len(left)))


def _terms(instruction: Instruction, inputs: list[str]) -> float:
    """Terms of each element of a convolution: the kernel's elements for one output feature."""
    labels = re.search(r"dim_labels=\w+_(\w+)->", instruction.attributes)
    if not labels or len(inputs) < 2:
        return 1.0
    kernel = _arrays(inputs[1])[0][1]
    return math.prod(kernel) / max(kernel[labels[1].index("o")], 1)
