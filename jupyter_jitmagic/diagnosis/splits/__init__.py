"""The split: a function in pieces under jit, around the lines that plain Python alone can run."""

from jupyter_jitmagic.diagnosis.splits.finding import find_split
from jupyter_jitmagic.diagnosis.splits.program import Split

__all__ = ["Split", "find_split"]
